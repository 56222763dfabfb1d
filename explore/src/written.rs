//! Moves as an ordinary scenario.

use std::collections::BTreeMap;

use pidlab_scenario::{Role, Scenario};
use pidlab_sim::Position;

use crate::moves::{self, Move};
use crate::plan::Plan;

/// A scenario in the making, and the position that it has led to.
pub(crate) struct Writer<'p> {
    plan: &'p Plan,
    pub(crate) scenario: Scenario,
    position: Position,
    /// The scenario's names for the explorer's: a clone that fails has used up a name.
    names: BTreeMap<Role, Role>,
}

impl<'p> Writer<'p> {
    pub(crate) fn new(plan: &'p Plan, title: &str) -> Writer<'p> {
        let position = Position::start(&plan.facts, plan.misconception);
        let names = [(Role::HOST, Role::HOST)].into_iter().collect();
        Writer { plan, scenario: Scenario::new(title), position, names }
    }

    /// Adds a step. `false`: it cannot be taken.
    pub(crate) fn add(&mut self, step: Move, way: u16) -> bool {
        let Some(after) = moves::go(&self.position, step, way, self.plan.numbers) else { return false };
        let before = std::mem::replace(&mut self.position, after.clone());
        self.write(step, &before, Some(&after));
        true
    }

    /// Writes a step that leads from one position to another; where it is the last one, to any.
    pub(crate) fn write(&mut self, step: Move, before: &Position, after: Option<&Position>) {
        let child = Role(u16::try_from(self.scenario.roles.len()).unwrap_or(u16::MAX));
        let name = |role: Role| self.names.get(&role).copied().unwrap_or(role);
        let written = step.named_step(before, name, child);
        if written.call.child().is_some() {
            self.scenario.roles.push(format!("p{}", child.0));
            if after.is_some_and(|after| after.named() > before.named()) {
                let born = Role(u16::try_from(before.named()).unwrap_or(u16::MAX));
                self.names.insert(born, child);
            }
        }
        self.scenario.steps.push(written);
    }
}

/// The scenario that these moves are, without claims.
pub(crate) fn scenario(plan: &Plan, path: &[(Move, u16)], title: &str) -> Scenario {
    let mut writer = Writer::new(plan, title);
    for (step, way) in path {
        let taken = writer.add(*step, *way);
        debug_assert!(taken, "a step of a path can be taken");
    }
    writer.scenario
}
