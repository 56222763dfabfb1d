//! The shape of the workspace that the design promises.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
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
    assert_eq!(
        names,
        [
            "pidlab",
            "pidlab-book",
            "pidlab-certify",
            "pidlab-claims",
            "pidlab-explore",
            "pidlab-faults",
            "pidlab-judge",
            "pidlab-kernels",
            "pidlab-learn",
            "pidlab-page",
            "pidlab-page-wasm",
            "pidlab-realkernel",
            "pidlab-scenario",
            "pidlab-sim",
            "pidlab-why"
        ]
    );
    assert!(!below("pidlab-realkernel", &dependencies).contains("pidlab-sim"));
    assert!(!below("pidlab-sim", &dependencies).contains("pidlab-realkernel"));
    assert!(!below("pidlab-explore", &dependencies).contains("pidlab-realkernel"), "what is explored is the model");
    assert!(!below("pidlab-kernels", &dependencies).contains("pidlab-sim"), "a guest is told nothing either");
    assert!(!below("pidlab-judge", &dependencies).contains("pidlab-realkernel"), "a log is judged without a kernel");
    assert!(
        !below("pidlab-page", &dependencies).contains("pidlab-realkernel"),
        "a page knows no kernel but what it is told"
    );
    assert!(below("pidlab-scenario", &dependencies).is_empty(), "the language stands on neither machine");
}

/// A crate is packed alone: what it says of itself and its licences has to be in its folder.
#[test]
fn every_crate_that_is_published_has_a_readme_and_licences() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let published = |package: &&String| !["pidlab-faults", "pidlab-page-wasm"].contains(&package.as_str());
    for package in dependencies().keys().filter(published) {
        let folder = match package.strip_prefix("pidlab-") {
            Some("scenario") => root.join("scenarios"),
            Some(folder) => root.join(folder),
            None => root.to_owned(),
        };
        for file in ["README.md", "LICENSE-MIT", "LICENSE-APACHE"] {
            let text = fs::read_to_string(folder.join(file)).unwrap_or_default();
            assert!(text.lines().count() > 5, "{package} has no {file}");
        }
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).expect("each package has one");
        let said = ["description = ", "license.workspace", "readme = "];
        assert!(said.iter().all(|key| manifest.contains(key)), "{package}");
    }
}

/// Source folders in which no files import one another in a circle.
const ACYCLIC: [&str; 14] = [
    "book/src",
    "certify/src",
    "claims/src",
    "explore/src",
    "faults/src",
    "judge/src",
    "kernels/src",
    "learn/src",
    "page/src",
    "realkernel/src",
    "scenarios/src",
    "sim/src",
    "src",
    "why/src",
];

#[test]
fn no_files_import_each_other_in_a_circle() {
    for folder in ACYCLIC {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let circles = Modules::below(&root).circles();
        assert!(circles.is_empty(), "{folder}: {}", circles.join("; "));
    }
}

/// The public enums of a file: their names, and what stands before them.
fn public_enums(text: &str) -> Vec<(String, String)> {
    let mut before = String::new();
    let mut enums = Vec::new();
    for line in text.lines().map(str::trim_start) {
        if let Some(rest) = line.strip_prefix("pub enum ") {
            let name = rest.split([' ', '<']).next().unwrap_or_default();
            enums.push((name.to_owned(), std::mem::take(&mut before)));
        } else if line.starts_with("///") || line.starts_with("#[") || line.starts_with("$(#[") {
            before += line;
        } else {
            before.clear();
        }
    }
    enums
}

/// What will grow may do so without breaking whoever uses it. An enum that others are to know whole, so that the compiler says where a new
/// value is missing, says that it is meant so.
#[test]
fn every_public_enum_may_grow_or_says_why_not() {
    let (mut open, mut closed) = (0, 0);
    for folder in [
        "certify/src",
        "claims/src",
        "explore/src",
        "judge/src",
        "kernels/src",
        "page/src",
        "realkernel/src",
        "scenarios/src",
        "sim/src",
        "src",
        "why/src",
    ] {
        for path in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)) {
            let text = fs::read_to_string(&path).expect("a source file is text");
            for (name, before) in public_enums(&text) {
                let (may_grow, on_purpose) =
                    (before.contains("#[non_exhaustive]"), before.contains("Exhaustive on purpose"));
                assert!(may_grow != on_purpose || name == "Never", "{}: `{name}`", path.display());
                open += usize::from(may_grow);
                closed += usize::from(on_purpose);
            }
        }
    }
    assert!(open >= 15 && closed >= 15, "{open} may grow, {closed} may not");
}

/// The source files below a folder.
fn sources(root: &Path) -> Vec<std::path::PathBuf> {
    let (mut files, mut open) = (Vec::new(), vec![root.to_owned()]);
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).expect("a source folder can be read") {
            let path = entry.expect("an entry can be read").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files
}

/// What the model's documentation calls part one: whoever wants to know how a namespace lives and dies reads this, in an hour.
const PART_ONE: [&str; 11] = [
    "objects/pid_namespace.rs",
    "objects/pid.rs",
    "objects/task.rs",
    "objects/signal_struct.rs",
    "alloc.rs",
    "fork.rs",
    "signal/send.rs",
    "exit/do_exit.rs",
    "exit/reparent.rs",
    "exit/zap.rs",
    "exit/release.rs",
];

#[test]
fn the_heart_of_the_model_can_be_read_in_an_hour() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("sim/src");
    let lines = |file: &str| fs::read_to_string(root.join(file)).expect("part one is there").lines().count();
    let counted: Vec<(&str, usize)> = PART_ONE.iter().map(|file| (*file, lines(file))).collect();
    let all: usize = counted.iter().map(|(_, lines)| lines).sum();
    assert!(all <= 2000, "{all} lines: {counted:?}");
    // The reading order in the crate's documentation names the same.
    let documentation = fs::read_to_string(root.join("lib.rs")).expect("the crate has a root");
    let (_, after) = documentation.split_once("**Part one**").expect("there is a reading order");
    let (part, _) = after.split_once("**Part two**").expect("it goes on");
    for file in PART_ONE {
        let module = file.trim_end_matches(".rs").replace('/', "::");
        let of_objects = file.starts_with("objects/") && part.contains("`objects`");
        assert!(of_objects || part.contains(&format!("`{module}`")), "part one does not name `{module}`");
    }
}

/// A module: what it imports, and what it passes on.
#[derive(Default)]
struct Module {
    /// Paths from the crate's root, item included.
    imports: Vec<Vec<String>>,
    /// The same of `pub use`, by the name that others use; `*` passes everything on.
    exports: Vec<(String, Vec<String>)>,
}

/// The modules of one crate that are files, by their paths from its root.
struct Modules(BTreeMap<Vec<String>, Module>);

impl Modules {
    fn below(root: &Path) -> Modules {
        let mut modules = BTreeMap::new();
        for path in sources(root) {
            let text = fs::read_to_string(&path).expect("a source file is text");
            let name = module_of(path.strip_prefix(root).expect("the file is below the root"));
            modules.insert(name.clone(), Module::read(&name, &text));
        }
        Modules(modules)
    }

    /// The file that a path leads to: through what modules pass on, to where the item stands.
    fn file_of(&self, path: &[String]) -> Option<Vec<String>> {
        let (mut path, mut hops) = (path.to_vec(), 0);
        loop {
            hops += 1;
            let length = (0..=path.len()).rev().find(|length| self.0.contains_key(&path[..*length]))?;
            let (module, rest) = path.split_at(length);
            let passed_on = rest.first().and_then(|item| {
                let exports = &self.0[module].exports;
                exports.iter().find(|(name, _)| name == item).map(|(_, target)| target.clone())
            });
            match passed_on {
                Some(target) if hops < 10 => path = [target, rest[1..].to_vec()].concat(),
                _ => return Some(module.to_vec()),
            }
        }
    }

    /// Each circle as a list of files.
    fn circles(&self) -> Vec<String> {
        let edges = self.0.iter().flat_map(|(from, module)| {
            let targets = module.imports.iter().filter_map(|path| self.file_of(path));
            targets.filter(move |to| to != from).map(move |to| (from.clone(), to))
        });
        let mut graph: petgraph::graphmap::DiGraphMap<usize, ()> = petgraph::graphmap::DiGraphMap::new();
        let names: Vec<&Vec<String>> = self.0.keys().collect();
        let index = |name: &Vec<String>| names.iter().position(|known| *known == name);
        for (from, to) in edges {
            if let (Some(from), Some(to)) = (index(&from), index(&to)) {
                graph.add_edge(from, to, ());
            }
        }
        let written = |mut circle: Vec<usize>| {
            circle.sort_unstable();
            circle.into_iter().map(|file| names[file].join("::")).collect::<Vec<_>>().join(", ")
        };
        petgraph::algo::tarjan_scc(&graph).into_iter().filter(|circle| circle.len() > 1).map(written).collect()
    }
}

/// `random/maker.rs` is `random::maker`; `lib.rs` and `main.rs` are the root.
fn module_of(file: &Path) -> Vec<String> {
    let mut parts: Vec<String> =
        file.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if parts.last().is_some_and(|last| last == "mod") || (parts.len() == 1 && ["lib", "main"].contains(&&*parts[0])) {
        parts.pop();
    }
    parts
}

impl Module {
    /// Reads the imports of a file, up to its tests.
    fn read(name: &[String], text: &str) -> Module {
        let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or(text);
        let mut module = Module::default();
        let mut statements = text.lines();
        while let Some(line) = statements.next() {
            let line = line.trim_start();
            let Some((visibility, tree)) = line.split_once("use ").filter(|(before, _)| is_visibility(before)) else {
                inline_paths(line).into_iter().for_each(|path| module.add(name, false, path));
                continue;
            };
            let mut tree = tree.to_owned();
            while !tree.contains(';') {
                let Some(more) = statements.next() else { break };
                tree.push_str(more);
            }
            for path in paths(tree.split(';').next().unwrap_or("")) {
                module.add(name, !visibility.is_empty(), path);
            }
        }
        module
    }

    fn add(&mut self, name: &[String], exported: bool, path: Vec<String>) {
        let alias = path.last().cloned().unwrap_or_default();
        let (base, rest) = match path.first().map(String::as_str) {
            Some("crate") => (Vec::new(), &path[1..]),
            Some("self") => (name.to_vec(), &path[1..]),
            Some("super") => {
                let up = path.iter().take_while(|part| *part == "super").count();
                (name[..name.len().saturating_sub(up)].to_vec(), &path[up..])
            }
            // What is passed on is most often a child's; other paths lead out of the crate.
            _ if exported => (name.to_vec(), &path[..]),
            _ => return,
        };
        let target = [base, rest.to_vec()].concat();
        if exported {
            self.exports.push((alias, target));
        } else {
            self.imports.push(target);
        }
    }
}

/// The paths from the crate's root, or from the module around, that stand in a line of code.
fn inline_paths(line: &str) -> Vec<Vec<String>> {
    let code = line.split("//").next().unwrap_or(line);
    let words = code.split(|letter: char| !(letter.is_alphanumeric() || letter == '_' || letter == ':'));
    words.filter(|word| word.starts_with("crate::") || word.starts_with("super::")).map(parts).collect()
}

/// Whether this can stand before `use`.
fn is_visibility(before: &str) -> bool {
    ["", "pub ", "pub(crate) ", "pub(super) "].contains(&before)
}

/// The paths of a tree of imports: `a::{b, c::{d, e as f}}` are three.
fn paths(tree: &str) -> Vec<Vec<String>> {
    let tree = tree.trim();
    if let Some((before, inner)) = tree.split_once('{') {
        let inner = inner.rsplit_once('}').map_or(inner, |(inner, _)| inner);
        let prefix: Vec<String> = parts(before.trim().trim_end_matches("::"));
        return split(inner)
            .iter()
            .flat_map(|branch| paths(branch))
            .map(|path| [prefix.clone(), path].concat())
            .collect();
    }
    let name = tree.split(" as ").next().unwrap_or(tree);
    if name.is_empty() { Vec::new() } else { vec![parts(name)] }
}

fn parts(path: &str) -> Vec<String> {
    path.split("::").map(|part| part.trim().to_owned()).filter(|part| !part.is_empty() && part != "self").collect()
}

/// The branches of a list, split at the commas that are not in inner braces.
fn split(list: &str) -> Vec<String> {
    let (mut branches, mut depth) = (vec![String::new()], 0);
    for letter in list.chars() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                branches.push(String::new());
                continue;
            }
            _ => {}
        }
        branches.last_mut().expect("there is always a branch").push(letter);
    }
    branches.retain(|branch| !branch.trim().is_empty());
    branches
}

/// A circle is found, through what a module passes on too.
#[test]
fn a_circle_is_seen() {
    let module = |name: &str, text: &str| (parts(name), Module::read(&parts(name), text));
    let circle = Modules(BTreeMap::from([
        module("", "mod a;\npub use a::{Thing,\n    Other};\n"),
        module("a", "use crate::b::{c, d};\nuse std::fmt;\n"),
        module("b", "use crate::{Thing, e};\n#[cfg(test)]\nmod tests {\n    use crate::a::x;\n}"),
        module("e", "fn e() {\n    super::b::f();\n}\n"),
    ]));
    assert_eq!(circle.circles(), ["a, b, e"]);
    let chain = Modules(BTreeMap::from([
        module("", "mod a;\npub use a::Thing;\n"),
        module("a", "use crate::b::{c, d};\n"),
        module("b", "use crate::e;\n"),
        module("e", "pub use crate::a::y;"),
    ]));
    assert!(chain.circles().is_empty());
}
