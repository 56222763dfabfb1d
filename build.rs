//! The documentation is part of the program, for `pidlab book`: a page that is new or gone is a reason to build again.

fn main() {
    println!("cargo::rerun-if-changed=docs");
    at_a_fixed_address();
}

/// A program that may lie anywhere has its tables of pointers written anew at each start: here that were 54,000 pointers on 276 pages, each time that a process
/// of a scenario calls exec, and each fork copies these pages.
fn at_a_fixed_address() {
    let is = |key: &str, value: &str| std::env::var(key).is_ok_and(|has| has == value);
    let is_static =
        std::env::var("CARGO_CFG_TARGET_FEATURE").is_ok_and(|has| has.split(',').any(|it| it == "crt-static"));
    if is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu") && !is_static {
        for kind in ["bins", "tests", "benches"] {
            println!("cargo::rustc-link-arg-{kind}=-no-pie");
        }
    }
}
