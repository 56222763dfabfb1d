//! Runs scenarios with real processes on Linux, one step at a time.
//!
//! [`Lab::open`] starts a helper: the program itself, started again, which makes a PID namespace and in it the processes of a
//! scenario. A lab is a [`Machine`](pidlab_scenario::Machine): it takes a scenario and answers with what it saw of every process
//! after every step, once the world was proven quiet.
//!
//! Nothing here knows what Linux *should* do: this crate does not depend on the model.
//!
//! Modules in reading order: `lab` (the handle), `start` and `guard` (how the helper comes up, and why nothing survives it),
//! `surroundings` and `cgroups` (what an administrator or a container has taken from this program), `needs` and `blame` (what a call needs of
//! them, and when an answer is theirs and not the kernel's), `outside` (the watch over what is the machine's), `conductor` and `world` (how a scenario runs, and how a step is taken),
//! `translate`, `command` and `outcome` (from a system call to a command and back), `look` (the same for calls that look at others),
//! `agent` (what a scenario's process runs), `program` (how it goes on after an exec), `process` and `processes` (what is known of
//! each), `eyes` and `sight` (how they are looked at), `bpf` and `lean` (the faster ways), `quiet` and `asleep` (when the world is quiet, with the argument why), `priority` (how that is made faster), `probe` (what a kernel is like), `apart` (namespaces for
//! what is no scenario), `sys` (everything `unsafe`). They import one another downward only.
#![cfg(target_os = "linux")]

mod agent;
mod apart;
mod asleep;
mod blame;
mod bpf;
mod cgroups;
mod command;
mod conductor;
mod eyes;
mod guard;
mod lab;
mod lean;
mod look;
mod needs;
mod outcome;
mod outside;
mod priority;
mod probe;
mod process;
mod processes;
mod program;
mod quiet;
mod roles;
mod sharing;
mod sight;
mod skip;
mod start;
mod status;
mod surroundings;
mod sys;
mod translate;
mod trouble;
mod wire;
mod world;

#[doc(hidden)]
pub use sys::{bare, plain};

pub use apart::set_apart;
pub use cgroups::CgroupLimit;
pub use eyes::Look;
pub use lab::{Kernel, Lab, LabError, LabOptions, RunOptions};
pub use priority::Priority;
pub use sharing::Sharing;
pub use skip::{cannot_run, must_not_skip, skip};
pub use surroundings::{Capabilities, ResourceLimit, Surroundings, is_in_first_user_namespace};
pub use trouble::Unavailable;

/// The CPUs that this process may run on, in order. One lab each is as many as make sense.
pub fn allowed_cpus() -> Vec<usize> {
    sys::os::allowed_cpus()
}
