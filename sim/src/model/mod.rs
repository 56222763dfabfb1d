//! Scenarios on worlds.
//!
//! Where Linux leaves the order of events open (which of several dying processes exits first, whether a parent runs before or after its
//! next child dies), one step can have several outcomes. [`Model::step`] follows one order, first come first served. [`Model::judge`] is
//! told what a kernel showed and searches the orders for it; what it keeps are all worlds that look like that, since they can differ in
//! what nobody has seen yet.

mod cast;

mod step;

mod grow;

mod search;

mod call;

mod key;

mod observe;

mod moment;

mod position;

#[cfg(test)]
mod tests;

use pidlab_scenario::syscall::{Syscall, lower};
use pidlab_scenario::{
    Facts, Handled, Machine, Observation, Outcome, Refusal, Refused, Returned, Role, Run, Scenario, State, Step,
};

use crate::order::possible::MOST_WORLDS;
use crate::order::spare::Spare;
use crate::{Misconception, Rule};
use cast::Branch;
pub use grow::random_scenario;
pub use key::Numbers;
pub use moment::{Heard, Moment, Origin, Turn};
pub use position::{Position, Way, Ways};

/// How many worlds are looked at for a list of what Linux may do.
const LISTED_FROM: usize = 5_000;

/// Runs scenarios on the model.
///
/// ```
/// use pidlab_scenario::{Call, Facts, Machine, Role, Scenario, Step};
/// use pidlab_sim::Model;
///
/// let child = Role(1);
/// let mut scenario = Scenario::new("A child has the next number");
/// scenario.roles.push("child".into());
/// scenario.steps.push(Step::new(Role::HOST, Call::Fork { child }));
/// let run = Model::new(Facts::newest()).run(&scenario).expect("the model always runs");
/// assert_eq!(run.observations[1].process(child).expect("it lives").pids, [2]);
/// ```
#[derive(Clone)]
pub struct Model {
    facts: Facts,
    misconception: Option<Misconception>,
    branches: Vec<Branch>,
    /// A search was given up: there may be more worlds that look like what was seen.
    incomplete: bool,
    looked_at: usize,
    spare: Spare,
}

/// One of the outcomes that a step may have.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Answer {
    /// How the world looks.
    pub observation: Observation,
    /// Why, in the order in which it was decided.
    pub because: Vec<Because>,
}

/// A rule that decided something in a step.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub struct Because {
    /// The rule.
    pub rule: &'static Rule,
    /// The process that it decided about.
    pub about: Role,
}

/// What a step gave, beside the world that it led to.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub struct Happened {
    /// What its call gave.
    pub outcome: Outcome,
    /// Calls of earlier steps that returned.
    pub returned: Vec<Returned>,
    /// What handlers got, in the order in which they ran.
    pub handled: Vec<(Role, Handled)>,
}

/// Whether what a kernel showed is among what Linux may do.
///
/// Exhaustive on purpose: there is no fourth answer.
#[derive(Clone, Debug)]
pub enum Judgement {
    /// It is.
    Agrees(Answer),
    /// It is not.
    Differs(Outcomes),
    /// The search was given up.
    NotDecided {
        /// How many worlds were looked at.
        worlds: usize,
    },
}

/// What a step may come to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outcomes {
    /// Each once; the first is the one where events happen first come first served.
    pub answers: Vec<Answer>,
    /// Whether these are all.
    pub complete: bool,
}

/// The model cannot fail to run a scenario.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Never {}

impl std::fmt::Display for Never {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {}
    }
}

impl std::error::Error for Never {}

impl Model {
    /// A model of a kernel with these facts.
    pub fn new(facts: Facts) -> Model {
        Model {
            facts,
            misconception: None,
            branches: Vec::new(),
            incomplete: false,
            looked_at: 0,
            spare: Spare::default(),
        }
    }

    /// A model that follows a misconception, to see what proves it wrong.
    pub fn misconceived(facts: Facts, misconception: Misconception) -> Model {
        Model { misconception: Some(misconception), ..Model::new(facts) }
    }

    /// Begins a scenario; whatever ran before is forgotten.
    pub fn start(&mut self, scenario: &Scenario) -> Answer {
        let mut branch = Branch::new(&self.facts, self.misconception, scenario.roles.len());
        let observation = branch.observe(None, Vec::new());
        let before = std::mem::replace(&mut self.branches, vec![branch]);
        before.into_iter().for_each(|branch| self.spare.take_back(branch.world));
        self.incomplete = false;
        Answer { observation, because: Vec::new() }
    }

    /// The system call that a step comes to in the world as it stands, with the numbers that the caller would use.
    ///
    /// # Errors
    /// The step cannot be taken.
    ///
    /// # Panics
    /// If no scenario was started.
    pub fn lowered(&self, step: &Step) -> Result<Syscall, Refusal> {
        lower(step, self.branches.first().expect("a scenario was started"))
    }

    /// Takes a step in the order in which events come up. Of several worlds that are possible the first goes on.
    ///
    /// # Errors
    /// The step cannot be taken; the model is as before.
    ///
    /// # Panics
    /// If no scenario was started.
    pub fn step(&mut self, scenario: &Scenario, step: &Step) -> Result<Answer, Refusal> {
        debug_assert!(step.by.index() < scenario.roles.len(), "the step is of this scenario");
        let answer = self.branches.first_mut().expect("a scenario was started").step(step)?;
        self.branches.truncate(1);
        Ok(answer)
    }

    /// Takes a step after which a kernel has shown this.
    ///
    /// Where it agrees, all worlds go on that look like it. Where it differs, or was not decided, the one goes on that
    /// [`Model::step`] would take.
    ///
    /// # Errors
    /// The step cannot be taken in any of the worlds; the model is as before.
    ///
    /// # Panics
    /// If no scenario was started.
    pub fn judge(&mut self, scenario: &Scenario, step: &Step, seen: &Observation) -> Result<Judgement, Refusal> {
        debug_assert!(step.by.index() < scenario.roles.len(), "the step is of this scenario");
        let mut kept: Vec<(Branch, Answer)> = Vec::new();
        let mut worlds = 0;
        let mut complete = !self.incomplete;
        let mut refused = None;
        let spare = &mut self.spare;
        for branch in &self.branches {
            // What one world can do, another one may not (somebody is dead there): that one is left behind.
            match branch.search(step, MOST_WORLDS.saturating_sub(worlds), seen, spare) {
                Err(refusal) => refused = refused.or(Some(refusal)),
                Ok(found) => {
                    worlds += found.looked_at;
                    complete &= found.complete;
                    kept.extend(found.results);
                }
            }
        }
        self.looked_at = worlds;
        if kept.is_empty() {
            return self.give_up(step, complete, worlds, refused);
        }
        self.incomplete = !complete;
        let answer = kept[0].1.clone();
        let before = std::mem::take(&mut self.branches);
        before.into_iter().for_each(|branch| self.spare.take_back(branch.world));
        let several = kept.len() > 1;
        let mut met = std::collections::HashSet::new();
        for (branch, _) in kept {
            // Worlds that came different ways to the same point go on as one.
            if !several || met.insert(branch.fingerprint()) {
                self.branches.push(branch);
            } else {
                self.spare.take_back(branch.world);
            }
        }
        Ok(Judgement::Agrees(answer))
    }

    fn give_up(
        &mut self,
        step: &Step,
        complete: bool,
        worlds: usize,
        refused: Option<Refusal>,
    ) -> Result<Judgement, Refusal> {
        // A person reads a few of them: what Linux may do is listed as far as it is found soon.
        match self.outcomes_among(step, 64, LISTED_FROM) {
            Err(refusal) => Err(refused.unwrap_or(refusal)),
            Ok(_) if !complete => Ok(Judgement::NotDecided { worlds }),
            Ok(outcomes) => Ok(Judgement::Differs(outcomes)),
        }
    }

    /// What a step may come to in any of the worlds that are possible, up to `most` outcomes. Nothing changes.
    ///
    /// # Errors
    /// The step cannot be taken in any of the worlds.
    pub fn outcomes(&self, step: &Step, most: usize) -> Result<Outcomes, Refusal> {
        self.outcomes_among(step, most, MOST_WORLDS)
    }

    fn outcomes_among(&self, step: &Step, most: usize, most_worlds: usize) -> Result<Outcomes, Refusal> {
        let mut outcomes = Outcomes { answers: Vec::new(), complete: !self.incomplete };
        let mut refused = None;
        let mut worlds = 0;
        for branch in &self.branches {
            match branch.outcomes(step, most_worlds.saturating_sub(worlds), most, &mut outcomes) {
                Ok(looked_at) => worlds += looked_at,
                Err(refusal) => refused = refused.or(Some(refusal)),
            }
        }
        match refused {
            Some(refusal) if outcomes.answers.is_empty() => Err(refusal),
            _ => Ok(outcomes),
        }
    }

    /// In how many worlds the model is, that all look like what was seen.
    pub fn worlds(&self) -> usize {
        self.branches.len()
    }

    /// These worlds, to go on from elsewhere.
    pub fn positions(&self) -> impl Iterator<Item = Position> + '_ {
        self.branches.iter().map(|branch| Position(branch.clone()))
    }

    /// How many worlds the last search looked at: the work that it took to judge.
    #[doc(hidden)]
    pub fn looked_at(&self) -> usize {
        self.looked_at
    }

    /// What a process is doing in the first of the worlds; `None` if it is not born or reaped.
    pub fn state(&self, role: Role) -> Option<State> {
        let branch = self.branches.first()?;
        branch.shown_state(branch.task(role)?)
    }

    /// Whether `role` has, or last had, a number in the namespace of `caller`.
    pub fn has_number(&self, caller: Role, role: Role) -> bool {
        self.branches.first().is_some_and(|branch| branch.number_of(caller, role).is_some())
    }
}

impl Machine for Model {
    type Error = Never;

    fn run(&mut self, scenario: &Scenario) -> Result<Run, Never> {
        let mut observations = vec![self.start(scenario).observation];
        for (index, step) in scenario.steps.iter().enumerate() {
            match self.step(scenario, step) {
                Ok(answer) => observations.push(answer.observation),
                Err(why) => {
                    return Ok(Run { observations, refused: Some(Refused { step: index + 1, why }) });
                }
            }
        }
        Ok(Run { observations, refused: None })
    }
}
