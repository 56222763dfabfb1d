//! Why does a PID namespace not go away?
//!
//! When the init of a PID namespace ends, the kernel kills everybody else in it, and then the init waits until no PID of the namespace is in use but
//! its own. No signal ends that wait. It can be long: a zombie whose parent is outside keeps its PID until that parent waits for it, and whoever
//! waits for the init in the meantime sees nothing happen. This crate says who is in the way, what that one does instead, and what would help:
//!
//! ```no_run
//! let snapshot = pidlab_why::Procfs::default().read()?;
//! for finding in pidlab_why::explain(&snapshot).findings {
//!     for holder in finding.holders {
//!         println!("{} waits for {}: {:?}", finding.who.pid, holder.who.pid, holder.helps);
//!     }
//! }
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! Reading and judging are apart. [`Procfs::read`] makes a [`Snapshot`] of the files of `/proc` and of nothing else; it changes nothing, and needs no
//! privileges, though it sees more with them. [`explain`] is a pure function from that to a [`Report`]. Both are data (serde), so that what was seen
//! on one machine can be judged on another.
//!
//! Modules in reading order: `snapshot`, `parse` and `reader` (from files to data), `places` (who is in which namespace), `finding` (what is found),
//! `explain`, `holders` and `deeds` (who is in the way, and what that one does), `catalogue` (rules and scenarios), `words` (a report as a text),
//! `live` (looking twice), `tree` and `picture` (all namespaces of a machine).
#![forbid(unsafe_code)]
#![cfg(target_os = "linux")]

mod catalogue;
mod deeds;
mod explain;
mod finding;
mod holders;
mod live;
mod parse;
mod picture;
mod places;
mod reader;
mod snapshot;
mod tree;
mod words;

pub use explain::{explain, explain_process};
pub use finding::{By, Condition, Doing, Finding, Help, Holder, How, Report, Who};
pub use live::rest;
pub use picture::{dot, svg};
pub use reader::Procfs;
pub use snapshot::{Belongs, Call, Detail, Process, Snapshot, Thread, View};
pub use tree::{Member, Nest, nests, tree};
pub use words::{notes, text};
