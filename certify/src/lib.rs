//! Does this PID 1 do its duties?
//!
//! A real program is run as PID 1 of a PID namespace, with a *puppet* as its command: this program itself, which does what a conductor outside
//! tells it, and tells which signals it gets. Each duty is a small play: an orphan is made and ends, a signal is sent, a terminal is closed; and
//! then something is so, or nothing more happens without it.
//!
//! ```no_run
//! # use std::process::ExitCode;
//! fn main() -> ExitCode {
//!     if let Some(code) = pidlab_certify::enter_if_part() {
//!         return code;
//!     }
//!     let tini = pidlab_certify::Subject::new(["tini", "--", "{}"]);
//!     for duty in pidlab_certify::DUTIES {
//!         match tini.ask(duty) {
//!             Ok(report) => println!("{}: {} {}", duty.name, report.verdict.word(), report.seen),
//!             Err(error) => eprintln!("{error}"),
//!         }
//!     }
//!     ExitCode::SUCCESS
//! }
//! ```
//!
//! **No verdict hangs on time.** That something did not happen is said when nothing more can happen: `quiet` has the argument. A bound ends
//! what does not come to rest with *not decided*.
//!
//! A PID 1 that [runs already](Subject::running), in a container that others use, can be asked a few of them.
//!
//! **Nothing is left, and nothing is changed.** Everything happens in a PID namespace of the conductor's, which ends with the caller, however
//! that ends. The program sees the machine's files, and can write to none of them: what it writes to `/etc`, `/run`, `/tmp` and `/var` is laid
//! over them, and gone with it.
//!
//! Modules in reading order: `duty` and `table` (which there are), `kata` (in which order to learn them) and `duties` (what is played), `play` (what they have in common), `lab` (one program under test,
//! and those around it), `stop` (why a duty is given up), `quiet` (when nothing more happens), `look` and `timer` (what procfs tells for that), `birth` (how a program becomes
//! PID 1), `guest` (who joins from outside), `puppet` and `said` (who does what it is told, and how it is told), `own` (a duty of a user's
//! own), `deed` and `sight` (what can be played of it, and seen), `script` and `acting` (how it is played), `conductor` and `ask` (why nothing
//! is left), `recorder` (how a play is recorded), `attach` and `observer` (one that runs already), `part` (one program in many parts),
//! `report` (what comes out).
#![cfg(target_os = "linux")]
#![forbid(unsafe_code)]

mod acting;
mod ask;
mod attach;
mod birth;
mod conductor;
mod deed;
mod duties;
mod duty;
mod guest;
mod kata;
mod lab;
mod look;
mod observer;
mod own;
mod part;
mod play;
mod puppet;
mod quiet;
mod recorder;
mod report;
mod said;
mod script;
mod sight;
mod stop;
mod table;
mod timer;

pub use ask::{AskError, Asked, Subject};
pub use attach::AttachError;
pub use duty::{Duty, Of, Profile};
pub use kata::{STEPS, Step};
pub use own::OwnDuty;
pub use part::enter_if_part;
pub use report::{Heard, Log, Recorded, Recording, Report, Verdict};
pub use table::{DUTIES, find};
