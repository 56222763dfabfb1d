use pidlab_scenario::{Facts, Need, Run};
use serde::Serialize;

use crate::case::{Case, Trial};
use crate::trial::{Tried, Undecided};

/// What a sentence is, on one kernel.
///
/// Exhaustive on purpose: there is no fourth.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every trial holds.
    True,
    /// No trial does.
    False,
    /// Some trials hold, and others do not.
    NotAlways,
}

impl Verdict {
    /// Every one.
    pub const ALL: [Verdict; 3] = [Verdict::True, Verdict::False, Verdict::NotAlways];

    /// In words.
    pub const fn word(self) -> &'static str {
        match self {
            Verdict::True => "true",
            Verdict::False => "false",
            Verdict::NotAlways => "not always",
        }
    }

    /// What follows from trials, of which there is at least one.
    fn of(trials: &[Tried]) -> Verdict {
        match trials.iter().filter(|trial| trial.holds()).count() {
            0 => Verdict::False,
            all if all == trials.len() => Verdict::True,
            _ => Verdict::NotAlways,
        }
    }
}

/// What is said of a sentence on one kernel.
///
/// Exhaustive on purpose: who tells of it has words for each.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ruling {
    /// It was decided.
    Verdict(Verdict),
    /// It cannot be decided on a kernel that lacks, or has, these.
    Lacks(Vec<Need>),
    /// Nothing here can decide it on any kernel.
    NotHere,
}

impl Ruling {
    /// The verdict, if there is one.
    pub fn verdict(&self) -> Option<Verdict> {
        match self {
            Ruling::Verdict(verdict) => Some(*verdict),
            Ruling::Lacks(_) | Ruling::NotHere => None,
        }
    }
}

/// A sentence that was heard on one kernel.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Heard {
    /// What is said of it.
    pub ruling: Ruling,
    /// What came of each trial that could be heard there; none without a verdict.
    pub trials: Vec<Tried>,
}

impl Heard {
    fn without(ruling: Ruling) -> Heard {
        Heard { ruling, trials: Vec::new() }
    }

    fn of(trials: Vec<Tried>) -> Heard {
        Heard { ruling: Ruling::Verdict(Verdict::of(&trials)), trials }
    }
}

impl Case {
    /// Hears it on the model of a kernel with these facts.
    ///
    /// # Errors
    /// A trial decides nothing.
    pub fn on_facts(&self, facts: &Facts) -> Result<Heard, Undecided> {
        match self.trials_where(|need| need.is_met(facts)) {
            Err(ruling) => Ok(Heard::without(ruling)),
            Ok(trials) => {
                trials.into_iter().map(|(_, trial)| trial.on_facts(facts)).collect::<Result<_, _>>().map(Heard::of)
            }
        }
    }

    /// The trials that a real kernel with these facts can be asked for, each with its place among all.
    ///
    /// # Errors
    /// What is said of the sentence there without being asked.
    pub fn trials_on(&self, facts: &Facts) -> Result<Vec<(usize, &Trial)>, Ruling> {
        self.trials_where(|need| need.is_met(facts) && !need.is_for_the_model_alone())
    }

    /// Decides it by what a machine with these facts gave, one run for each of [`Case::trials_on`].
    ///
    /// # Errors
    /// A trial decides nothing.
    pub fn on_runs(&self, facts: &Facts, runs: &[Run]) -> Result<Heard, Undecided> {
        let trials = match self.trials_on(facts) {
            Err(ruling) => return Ok(Heard::without(ruling)),
            Ok(trials) => trials,
        };
        if runs.len() != trials.len() {
            return Err(Undecided::OtherRuns { trials: trials.len(), runs: runs.len() });
        }
        let tried = trials.iter().zip(runs).map(|((_, trial), run)| trial.on_run(run));
        tried.collect::<Result<_, _>>().map(Heard::of)
    }

    /// The trials whose needs are met. A need that is not met is no matter where another trial is about the other side of it; otherwise
    /// nothing is decided, for half of what there is to say could not be asked.
    fn trials_where(&self, is_met: impl Fn(&Need) -> bool) -> Result<Vec<(usize, &Trial)>, Ruling> {
        if self.not_here.is_some() {
            return Err(Ruling::NotHere);
        }
        let other_side = |need: &Need| Need { holds: !need.holds, ..*need };
        let needs = self.needs();
        let lacking: Vec<Need> = needs.iter().filter(|need| !is_met(need)).copied().collect();
        let alone: Vec<Need> = lacking.iter().filter(|need| !needs.contains(&other_side(need))).copied().collect();
        let trials = self.trials.iter().enumerate();
        let trials: Vec<_> = trials.filter(|(_, trial)| trial.scenario.needs.iter().all(&is_met)).collect();
        match alone.is_empty() && !trials.is_empty() {
            true => Ok(trials),
            false => Err(Ruling::Lacks(if alone.is_empty() { lacking } else { alone })),
        }
    }
}
