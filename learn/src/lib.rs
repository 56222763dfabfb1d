//! A course on PID namespaces: predict what a step does, then see it.
//!
//! A lesson plays a few scenarios of the library. Where the author of one asks something, the run stops *before* the step that decides it,
//! and the learner chooses among answers: what is so, what would be so if a misconception were true, and what else could come of it. A wrong
//! answer first gets the rule at stake, then the step with its reasons.
//!
//! [`course`] has which questions there are, [`Progress`] and [`Store`] what was answered, [`Session`] the dialogue, on any reader and writer.
//! Questions, and the tasks that are solved by writing a scenario, are those of the page: `pidlab_page`. Nothing here knows of a kernel: who plays
//! says by a [`Stage`] what one gave.
#![forbid(unsafe_code)]

pub mod course;
mod played;
mod progress;
mod session;

pub use played::{Beside, KernelRun, Stage};
pub use progress::{Answered, Progress, Store};
pub use session::{Ended, Format, Session};
