//! Runs of scenarios as pictures and as pages.
//!
//! A [`Film`] is a run ready to be shown: for each moment the step, what it gave and changed, the rules that decided it, and the world as a
//! picture. The picture is nested boxes, one a PID namespace, with the tree of its members inside, and beside each process one coloured number
//! a namespace; [`svg`] makes one that stands alone. [`page::film`] makes a page of a film: one file, which needs no network. [`page::playground`] is
//! a page that makes its own films: the model is inside, compiled to WebAssembly, with an editor, the library and the misconceptions;
//! `cargo run --package pidlab-page` builds it.
//!
//! There is one drawing, in Rust, for files, pages and the playground. What the playground asks of the model goes through [`api::answer`], which is
//! the same function in a browser and in a test.
//!
//! Modules in reading order: `scene` (what stands in a picture), `picture`, `table`, `changes` (what a step changed), `film`, `question` (what is
//! asked before it is shown), `lessons`, [`goal`] (tasks that a scenario solves), `kernels` (what there is to choose), `complete` (how the editor goes on), `api`, `page`.
#![forbid(unsafe_code)]

pub mod api;
mod changes;
mod complete;
mod film;
pub mod goal;
mod html;
mod kernels;
mod lessons;
mod markdown;
#[cfg(feature = "pages")]
pub mod page;
mod picture;
mod places;
mod question;
mod scene;
mod table;

pub use changes::{Change, ChangeKind};
pub use film::{Film, Reason, RuleCard, Scene, Seen, Shot, svg};
pub use html::escaped;
pub use kernels::{KERNELS, KernelFacts};
pub use lessons::{LESSONS, Lesson};
pub use picture::STYLE as PICTURE_STYLE;
pub use question::{Choice, Question, questions};
