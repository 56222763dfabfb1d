use serde::{Deserialize, Serialize};

use crate::{Observation, Refusal, Scenario};

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
