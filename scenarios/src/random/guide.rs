use crate::{Refusal, Role, Scenario, State, Step};

/// Whoever knows what the steps so far have led to.
pub trait Guide {
    /// Forgets everything: host is alone again.
    fn start(&mut self, scenario: &Scenario);

    /// Takes one more step.
    ///
    /// # Errors
    /// If the step cannot be taken; then nothing has changed.
    fn apply(&mut self, scenario: &Scenario, step: &Step) -> Result<(), Refusal>;

    /// What a process is doing; `None`: not made yet, or reaped.
    fn state(&self, role: Role) -> Option<State>;

    /// Whether `role` has, or last had, a number in the namespace of `caller`.
    fn has_number(&self, caller: Role, role: Role) -> bool;
}

/// Every role, host first.
pub(super) fn roles(scenario: &Scenario) -> impl Iterator<Item = Role> + use<> {
    (0..scenario.roles.len()).filter_map(|index| u16::try_from(index).ok().map(Role))
}
