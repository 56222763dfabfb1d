//! Random scenarios, which a model helps to make: it says who can act, and what may not be in one.

use std::collections::BTreeSet;

use pidlab_scenario::random::{self, Choice, Guide, RandomConfig};
use pidlab_scenario::{Fact, Refusal, Role, Scenario, State, Step};

use super::{Because, Model};

/// A random scenario in the making: who can act in it, and which rules have fired.
struct Growing<'a> {
    model: &'a mut Model,
    fired: BTreeSet<&'static str>,
}

/// A random scenario that these choices make on this model, and the ids of the rules that fire in it.
pub fn random_scenario(
    choices: &[Choice],
    model: &mut Model,
    config: &RandomConfig,
) -> (Scenario, BTreeSet<&'static str>) {
    let mut growing = Growing { model, fired: BTreeSet::new() };
    let scenario = random::scenario(choices, &mut growing, config);
    (scenario, growing.fired)
}

impl Guide for Growing<'_> {
    fn start(&mut self, scenario: &Scenario) {
        Guide::start(self.model, scenario);
    }

    fn apply(&mut self, scenario: &Scenario, step: &Step) -> Result<(), Refusal> {
        let because = self.model.grow(scenario, step)?;
        self.fired.extend(because.iter().map(|because| because.rule.id));
        Ok(())
    }

    fn state(&self, role: Role) -> Option<State> {
        self.model.state(role)
    }

    fn has_number(&self, caller: Role, role: Role) -> bool {
        self.model.has_number(caller, role)
    }
}

impl Model {
    /// Takes a step of a random scenario, if it may be in one.
    fn grow(&mut self, scenario: &Scenario, step: &Step) -> Result<Vec<Because>, Refusal> {
        debug_assert!(step.by.index() < scenario.roles.len(), "the step is of this scenario");
        let branch = self.branches.first_mut().expect("a scenario was started");
        // What would harm a machine is for no random scenario.
        branch.refuse_harm(step)?;
        if !self.facts.holds(Fact::ClosedAfterDeath) || self.facts.holds(Fact::MachineRoot) {
            let because = branch.step_unseen(step)?;
            self.branches.truncate(1);
            return Ok(because);
        }
        // Nor is what cannot be seen here.
        let hidden = Err(Refusal::NeedsFact { call: step.call.name(), fact: Fact::MachineRoot });
        if branch.looks_at_the_closed(step) {
            return hidden;
        }
        let mut after = branch.clone();
        let because = after.step_unseen(step)?;
        if after.hides_an_exit() {
            return hidden;
        }
        self.branches = vec![after];
        Ok(because)
    }
}

/// The generator of random scenarios asks the model who can act.
impl Guide for Model {
    fn start(&mut self, scenario: &Scenario) {
        Model::start(self, scenario);
    }

    fn apply(&mut self, scenario: &Scenario, step: &Step) -> Result<(), Refusal> {
        self.grow(scenario, step).map(drop)
    }

    fn state(&self, role: Role) -> Option<State> {
        Model::state(self, role)
    }

    fn has_number(&self, caller: Role, role: Role) -> bool {
        Model::has_number(self, caller, role)
    }
}
