//! The claims are part of the program: a file that is new or gone is a reason to build again.

fn main() {
    println!("cargo::rerun-if-changed=library");
}
