//! The command `pidlab`.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    pidlab::cli::main()
}
