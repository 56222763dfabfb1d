//! The documentation is part of the program, for `pidlab book`: a page that is new or gone is a reason to build again.

fn main() {
    println!("cargo::rerun-if-changed=docs");
}
