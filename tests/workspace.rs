//! The shape of the workspace that the design promises.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// Packages of the workspace with the packages of the workspace that each depends on, development included.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline", "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .output()
        .expect("cargo runs: it runs this test");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    let packages = metadata["packages"].as_array().expect("cargo metadata lists packages");
    let name = |value: &serde_json::Value| value["name"].as_str().expect("a package has a name").to_owned();
    let known: BTreeSet<String> = packages.iter().map(name).collect();
    packages
        .iter()
        .map(|package| {
            let dependencies = package["dependencies"].as_array().expect("a package lists its dependencies");
            (name(package), dependencies.iter().map(name).filter(|name| known.contains(name)).collect())
        })
        .collect()
}

/// All packages that one stands on, through any number of steps.
fn below(package: &str, dependencies: &BTreeMap<String, BTreeSet<String>>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![package.to_owned()];
    while let Some(package) = open.pop() {
        for dependency in &dependencies[&package] {
            if found.insert(dependency.clone()) {
                open.push(dependency.clone());
            }
        }
    }
    found
}

#[test]
fn the_runner_cannot_peek_at_the_prediction() {
    let dependencies = dependencies();
    let names: Vec<&str> = dependencies.keys().map(String::as_str).collect();
    assert_eq!(names, ["pidlab", "pidlab-faults", "pidlab-realkernel", "pidlab-scenario", "pidlab-sim"]);
    assert!(!below("pidlab-realkernel", &dependencies).contains("pidlab-sim"));
    assert!(!below("pidlab-sim", &dependencies).contains("pidlab-realkernel"));
    assert!(below("pidlab-scenario", &dependencies).is_empty(), "the language stands on neither machine");
}
