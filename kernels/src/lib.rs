//! Boots other Linux kernels and runs the program itself in them.
//!
//! The program that uses this crate is its own guest. [`run`] makes a root folder in memory that holds the running program as `/init`, with
//! the few libraries that it is linked to; boots a kernel with it, in QEMU or as user-mode Linux; and there the same program, which
//! [`guest::is_init`] tells that it is the first process, runs itself with the arguments that are wanted. What it writes comes back on a serial
//! line of its own, a line at a time, in a frame that says how it ended. A guest that panics, hangs or is cut off has not said so, and is
//! never taken for one that had nothing to say.
//!
//! A program that uses it begins its `main` with:
//!
//! ```no_run
//! # use std::process::ExitCode;
//! fn main() -> ExitCode {
//!     if pidlab_kernels::guest::is_init() {
//!         pidlab_kernels::guest::init();
//!     }
//!     if let Some(code) = pidlab_kernels::enter_if_warden() {
//!         return code;
//!     }
//!     ExitCode::SUCCESS // the program's own work
//! }
//! ```
//!
//! Modules in reading order: `kernel` (what can be booted), `found` and `fetch` (which there are, and how others come), `order` (what a guest is to do), `initramfs` and `program` (its root folder),
//! `guest` (its first process), `frame` (what it says), `machine` (how it is started, and why nothing of it is left), `session` (one guest
//! from start to end).
#![cfg(target_os = "linux")]
#![forbid(unsafe_code)]

pub mod fetch;
mod found;
mod frame;
pub mod guest;
mod initramfs;
mod kernel;
mod machine;
mod order;
mod program;
mod session;

pub use found::{all, cache, find};
pub use kernel::{Kernel, Kind};
pub use machine::enter_if_warden;
pub use order::Order;
pub use session::{Bounds, Ending, Event, Past, run};
