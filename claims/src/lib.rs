//! Claims on trial: sentences of teaching material about PID namespaces, and the scenarios that decide them.
//!
//! A [`Case`] is a sentence, where it is met, and one or several [`Trial`]s. A trial is a scenario together with what the sentence predicts of
//! its steps, in the words in which a scenario's author claims something. No verdict is written down. A trial holds where everything that is
//! predicted comes; a sentence is [`Verdict::True`] if every trial holds, [`Verdict::False`] if none does, and [`Verdict::NotAlways`] if some do. Where
//! kernels differ, it [`Overall::Depends`] on facts, which are found by switching them.
//!
//! ```
//! use pidlab_claims::{Ruling, Verdict, library};
//! use pidlab_scenario::Facts;
//!
//! let case = library::find("sigterm-terminates-pid-1").expect("it is in the library");
//! let heard = case.on_facts(&Facts::newest())?;
//! assert_eq!(heard.ruling, Ruling::Verdict(Verdict::False));
//! # Ok::<(), pidlab_claims::Undecided>(())
//! ```
//!
//! A trial that decides nothing is an error, and no verdict: one whose scenario does not come to the step that it is about, and one about
//! something that Linux leaves open ([`Undecided`]).
//!
//! Modules in reading order: `case` (a sentence and its trials), `file` (how they are written), [`library`], `trial` (what came of one), `verdict`
//! (what follows), `record` (on many kernels), `told` (its words), [`text`] and [`page`] (for people), `line` (for programs).
#![forbid(unsafe_code)]

mod case;
mod file;
pub mod library;
mod line;
pub mod page;
mod record;
pub mod text;
mod told;
mod trial;
mod verdict;

pub use case::{Case, Trial};
pub use line::{CaseLine, KernelLine, PredictionLine, RuleLine, TrialLine};
pub use record::{Hearing, Kernel, Overall, Record};
pub use trial::{Held, Tried, Undecided};
pub use verdict::{Heard, Ruling, Verdict};
