use serde::{Deserialize, Serialize};

use crate::{CallName, Observation, Role, Scenario, State};

/// Something that can run a scenario: the model, or a real kernel.
pub trait Machine {
    /// Why a run could not take place at all. A mistake in the scenario is no error: it is the run's [`Refused`].
    type Error: std::error::Error;

    /// Runs the scenario from its start and observes the world after every step.
    ///
    /// # Errors
    /// The machine's own: the scenario said nothing yet.
    fn run(&mut self, scenario: &Scenario) -> Result<Run, Self::Error>;
}

/// What came of a run: the observation of the start, then one a step, up to the end or to the step that was refused.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Run {
    /// Observation 0 is the start; observation `n` stands after step `n`.
    pub observations: Vec<Observation>,
    /// The step that could not be taken, if there was one: a mistake in the scenario.
    pub refused: Option<Refused>,
}

/// A step that could not be taken.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Refused {
    /// Which step, counted from 1.
    pub step: usize,
    /// Why.
    pub why: Refusal,
}

/// Why a step cannot be taken. These are mistakes of the scenario, not answers of Linux.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Refusal {
    /// The step is for, or names, a process that has not been made (its clone failed).
    NotBorn {
        /// Which.
        role: Role,
    },
    /// The step makes a process that exists or has existed.
    BornTwice {
        /// Which.
        role: Role,
    },
    /// The step is for a process that cannot act in this state.
    CannotAct {
        /// Which.
        role: Role,
        /// Its state; `None`: it has been reaped.
        state: Option<State>,
    },
    /// The step names a process that has no number in the caller's namespace.
    NoNumber {
        /// Which.
        role: Role,
        /// In whose namespace.
        caller: Role,
    },
    /// This machine does not know the call, or an argument of it, yet.
    NotModelled {
        /// The call.
        call: CallName,
        /// What about it, where it is not the call itself: `` flag `CLONE_THREAD` ``.
        what: Option<String>,
    },
}

impl Refusal {
    /// Whether the machine, and not the scenario, is what lacks something.
    pub fn is_not_modelled(&self) -> bool {
        matches!(self, Refusal::NotModelled { .. })
    }
}
