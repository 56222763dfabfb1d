//! Scenarios on worlds.
//!
//! Where Linux leaves the order of events open (which of several dying processes exits first, whether a parent runs
//! before or after its next child dies), one step can have several outcomes. So a model is a *set* of worlds: every
//! step takes all of them on, in every order of events, and [`Model::keep`] narrows the set down to those that look
//! like what really happened.

mod branch;
mod call;
mod explore;

use std::collections::HashSet;

use pidlab_scenario::random::Guide;
use pidlab_scenario::{Facts, Machine, Observation, Refusal, Refused, Role, Run, Scenario, State, Step};

use crate::{Misconception, Rule};
use branch::Branch;

/// Runs scenarios on the model.
///
/// ```
/// use pidlab_scenario::{Call, Facts, Machine, Role, Scenario, Step};
/// use pidlab_sim::Model;
///
/// let child = Role(1);
/// let fork = Step { by: Role::HOST, call: Call::Fork { child }, expect: None, ask: None, span: 0..0 };
/// let scenario = Scenario {
///     name: "example".into(),
///     title: "A child has the next number".into(),
///     about: String::new(),
///     rules: vec![],
///     needs: vec![],
///     roles: vec!["host".into(), "child".into()],
///     steps: vec![fork],
/// };
/// let run = Model::new(Facts::newest()).run(&scenario).expect("the model always runs");
/// assert_eq!(run.observations[1].process(child).expect("it lives").pids, [2]);
/// ```
#[derive(Clone)]
pub struct Model {
    facts: Facts,
    belief: Option<Misconception>,
    branches: Vec<Held>,
}

/// A possible world, and how it looked after the last step.
#[derive(Clone)]
struct Held {
    branch: Branch,
    seen: Observation,
}

/// One of the outcomes that a step may have.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// How the world looks.
    pub observation: Observation,
    /// Why, in the order in which it was decided.
    pub because: Vec<Because>,
}

/// A rule that decided something in a step.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Because {
    /// The rule.
    pub rule: &'static Rule,
    /// The process that it decided about.
    pub about: Role,
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
        Model { facts, belief: None, branches: Vec::new() }
    }

    /// A model that follows a wrong belief, to see what proves it wrong.
    pub fn believing(facts: Facts, belief: Misconception) -> Model {
        Model { belief: Some(belief), ..Model::new(facts) }
    }

    /// Begins a scenario; whatever ran before is forgotten.
    pub fn start(&mut self, scenario: &Scenario) -> Answer {
        let mut branch = Branch::new(&self.facts, self.belief, scenario.roles.len());
        let observation = branch.observe(None, Vec::new());
        self.branches = vec![Held { branch, seen: observation.clone() }];
        Answer { observation, because: Vec::new() }
    }

    /// Takes a step in every world that is still possible. The answers are all that Linux may do, each once; the first
    /// is the canonical one, where events happen first come first served.
    ///
    /// # Errors
    /// The step cannot be taken; the model is as before.
    ///
    /// # Panics
    /// If no scenario was started.
    pub fn step(&mut self, scenario: &Scenario, step: &Step) -> Result<Vec<Answer>, Refusal> {
        debug_assert!(step.by.index() < scenario.roles.len(), "the step is of this scenario");
        let (canonical, others) = self.branches.split_first().expect("a scenario was started");
        let mut results = canonical.branch.step(step)?;
        for held in others {
            // What the canonical world can do, another one may not (somebody is dead there): it is left behind.
            if let Ok(more) = held.branch.step(step) {
                results.extend(more);
            }
        }
        let mut answers: Vec<Answer> = Vec::new();
        self.branches.clear();
        let mut met = HashSet::new();
        let choice = results.len() > 1;
        for (branch, answer) in results {
            // Worlds that came different ways to the same point go on as one.
            if choice && !met.insert((branch.fingerprint(), answer.observation.clone())) {
                continue;
            }
            self.branches.push(Held { branch, seen: answer.observation.clone() });
            if !answers.iter().any(|known| known.observation == answer.observation) {
                answers.push(answer);
            }
        }
        Ok(answers)
    }

    /// After a step: this is what happened. Keeps the worlds that look like it; if there is none, answers `false` and
    /// keeps the canonical one.
    pub fn keep(&mut self, observation: &Observation) -> bool {
        let fits = self.branches.iter().any(|held| held.seen == *observation);
        if fits {
            self.branches.retain(|held| held.seen == *observation);
        } else {
            self.branches.truncate(1);
        }
        fits
    }

    /// What a process is doing in the canonical world; `None` if it is not born or reaped.
    pub fn state(&self, role: Role) -> Option<State> {
        self.branches.first()?.seen.process(role).map(|process| process.state)
    }

    /// Whether `role` has, or last had, a number in the namespace of `caller`.
    pub fn has_number(&self, caller: Role, role: Role) -> bool {
        self.branches.first().is_some_and(|held| held.branch.number(caller, role).is_some())
    }
}

impl Machine for Model {
    type Error = Never;

    fn run(&mut self, scenario: &Scenario) -> Result<Run, Never> {
        let mut observations = vec![self.start(scenario).observation];
        for (index, step) in scenario.steps.iter().enumerate() {
            match self.step(scenario, step) {
                Ok(mut answers) => {
                    let observation = answers.swap_remove(0).observation;
                    self.keep(&observation);
                    observations.push(observation);
                }
                Err(why) => {
                    return Ok(Run { observations, refused: Some(Refused { step: index + 1, why }) });
                }
            }
        }
        Ok(Run { observations, refused: None })
    }
}

/// The generator of random scenarios asks the model who can act.
impl Guide for Model {
    fn start(&mut self, scenario: &Scenario) {
        Model::start(self, scenario);
    }

    fn apply(&mut self, scenario: &Scenario, step: &Step) -> Result<(), Refusal> {
        let answers = self.step(scenario, step)?;
        self.keep(&answers[0].observation);
        Ok(())
    }

    fn state(&self, role: Role) -> Option<State> {
        Model::state(self, role)
    }

    fn has_number(&self, caller: Role, role: Role) -> bool {
        Model::has_number(self, caller, role)
    }
}
