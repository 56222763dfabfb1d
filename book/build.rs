//! The texts are part of the program: a file that is new or gone is a reason to build again.

fn main() {
    println!("cargo::rerun-if-changed=incidents");
    println!("cargo::rerun-if-changed=beside");
}
