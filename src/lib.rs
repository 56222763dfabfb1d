//! `pidlab`, a laboratory for nested Linux PID namespaces: one scenario, run on a model and on a real kernel, compared
//! step by step, with a reason for every answer.
//!
//! This crate holds no semantics. It brings the two machines together:
//!
//! - [`compare`] puts a run of the kernel beside what the model allows, one step at a time;
//! - [`claims`] holds what a scenario's author claims against both;
//! - [`tell`] writes a run as a text that can be read aloud;
//! - [`coverage`] counts which rules are shown, fired and agreed;
//! - [`random`] makes scenarios from a seed, and shrinks those that differ;
//! - [`mod@reference`] is the language as a page, and [`glossary`] its words;
//! - [`misconceptions`] tells what many believe, and what refutes it; [`measured`] has the kernels of the table;
//! - [`cli`] is the command line.
//!
//! The parts are libraries of their own: [`pidlab_scenario`] (the language), [`pidlab_sim`] (the model) and
//! [`pidlab_realkernel`] (the runner).
#![forbid(unsafe_code)]

pub mod cli;
pub mod compare;
pub mod coverage;
pub mod glossary;
mod hearsay;
mod input;
mod kernel;
pub mod measured;
pub mod misconceptions;
pub mod random;
pub mod reference;
mod select;
mod standalone;
mod table;
pub mod tell;
mod words;

pub use pidlab_realkernel as realkernel;
pub use pidlab_scenario as scenario;
pub use pidlab_scenario::held as claims;
pub use pidlab_sim as sim;
