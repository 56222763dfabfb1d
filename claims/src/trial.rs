//! What came of a trial: each prediction, and what a machine gave.

use std::fmt;

use pidlab_scenario::{Claim, Diagnostics, Facts, Numbers, Observation, Refused, Run};
use pidlab_sim::{Because, Model};

use crate::case::Trial;

/// A prediction, and what came.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Held {
    /// Of which step.
    pub step: usize,
    /// What is predicted.
    pub predicted: Claim,
    /// What came in its place: the claim about the same thing that is true. `None`: it came as predicted.
    pub came: Option<Claim>,
}

/// What came of a trial.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Tried {
    /// The trial.
    pub trial: Trial,
    /// Every prediction, in the order of the steps. There is at least one.
    pub held: Vec<Held>,
    /// The rules that decided, by the model, with the number of the step; none on a kernel.
    pub because: Vec<(usize, Because)>,
}

impl Tried {
    /// Whether all came as predicted.
    pub fn holds(&self) -> bool {
        self.held.iter().all(|held| held.came.is_none())
    }
}

/// Why a trial decides nothing. It is a mistake of the trial, and no verdict.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Undecided {
    /// The scenario does not come to the step of which something is predicted.
    NotReached {
        /// The scenario.
        scenario: String,
        /// The last step of which something is predicted.
        step: usize,
        /// Which step could not be taken, and why.
        why: String,
    },
    /// Linux may do as is predicted, or otherwise.
    Open {
        /// The scenario.
        scenario: String,
        /// The step.
        step: usize,
    },
    /// The runs are not those of the sentence's trials.
    OtherRuns {
        /// How many trials there are.
        trials: usize,
        /// How many runs were given.
        runs: usize,
    },
}

impl fmt::Display for Undecided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Undecided::NotReached { scenario, step, why } => {
                write!(f, "`{scenario}` does not come to step {step}, of which something is predicted: {why}")
            }
            Undecided::Open { scenario, step } => {
                write!(f, "Linux leaves open what is predicted of step {step} of `{scenario}`")
            }
            Undecided::OtherRuns { trials, runs } => write!(f, "{trials} trials cannot be heard on {runs} runs"),
        }
    }
}

impl std::error::Error for Undecided {}

/// So many outcomes of a step are looked at.
const MOST_OUTCOMES: usize = 64;

/// Everything that can come of a step, that which the run went on from first.
struct Looked<'a> {
    observations: Vec<&'a Observation>,
    /// Whether nothing else can come.
    complete: bool,
}

impl Trial {
    /// Tries it on the model of a kernel with these facts. A prediction must come whatever Linux chooses, or never.
    ///
    /// # Errors
    /// The trial decides nothing.
    pub fn on_facts(&self, facts: &Facts) -> Result<Tried, Undecided> {
        let mut model = Model::new(facts.clone());
        let start = model.start(&self.scenario).observation;
        let (mut steps, mut because) = (vec![(vec![start], true)], Vec::new());
        for (index, step) in self.scenario.steps[..self.last()].iter().enumerate() {
            let number = index + 1;
            // What else can come matters where something is predicted.
            let others = step.claimed().next().map(|_| model.outcomes(step, MOST_OUTCOMES));
            let refused = |why| self.not_reached(Some(&Refused { step: number, why }));
            let came = model.step(&self.scenario, step).map_err(refused)?;
            because.extend(came.because.iter().map(|because| (number, *because)));
            let (mut seen, mut complete) = (vec![came.observation], true);
            if let Some(others) = others {
                let others = others.map_err(refused)?;
                complete = others.complete;
                for answer in others.answers {
                    if !seen.contains(&answer.observation) {
                        seen.push(answer.observation);
                    }
                }
            }
            steps.push((seen, complete));
        }
        let looked =
            steps.iter().map(|(seen, complete)| Looked { observations: seen.iter().collect(), complete: *complete });
        Ok(Tried { trial: self.clone(), held: self.held(looked)?, because })
    }

    /// Decides it by what a machine gave.
    ///
    /// # Errors
    /// The run does not come to the step of which something is predicted.
    pub fn on_run(&self, run: &Run) -> Result<Tried, Undecided> {
        if run.observations.len() <= self.last() {
            return Err(self.not_reached(run.refused.as_ref()));
        }
        let looked = run.observations.iter().map(|seen| Looked { observations: vec![seen], complete: true });
        Ok(Tried { trial: self.clone(), held: self.held(looked)?, because: Vec::new() })
    }

    /// Every prediction, held against what came.
    fn held<'a>(&self, run: impl Iterator<Item = Looked<'a>>) -> Result<Vec<Held>, Undecided> {
        let mut held = Vec::new();
        let mut numbers = Numbers::default();
        for (number, looked) in run.enumerate() {
            let step = number.checked_sub(1).and_then(|index| self.scenario.steps.get(index));
            for predicted in step.iter().flat_map(|step| step.claimed()) {
                let by = step.expect("only a step predicts").by;
                let truth = |seen: &&Observation| predicted.truth(by, seen, &numbers.clone().after(seen));
                let truths: Vec<Claim> = looked.observations.iter().map(truth).collect();
                let so = truths.iter().filter(|truth| **truth == predicted).count();
                if !looked.complete || (so > 0 && so < truths.len()) {
                    return Err(Undecided::Open { scenario: self.scenario.name.clone(), step: number });
                }
                let came = if so > 0 { None } else { truths.into_iter().next() };
                held.push(Held { step: number, predicted, came });
            }
            if let Some(seen) = looked.observations.first() {
                numbers = numbers.after(seen);
            }
        }
        Ok(held)
    }

    fn not_reached(&self, refused: Option<&Refused>) -> Undecided {
        let told = |refused: &Refused| {
            let told = Diagnostics::refused(&self.scenario, &self.scenario.name, "", refused);
            let message = told.iter().next().map(|mistake| mistake.message.clone()).unwrap_or_default();
            format!("step {}, {message}", refused.step)
        };
        let why = refused.map_or("the run ends before".to_owned(), told);
        Undecided::NotReached { scenario: self.scenario.name.clone(), step: self.last(), why }
    }
}
