//! What the conductor knows of a scenario's processes, for the lowering of steps.

use std::collections::BTreeMap;

use pidlab_scenario::syscall::Roles;
use pidlab_scenario::{Fact, Facts, Role, State};

use crate::process::Process;
use crate::processes::Processes;

/// The processes of a run, between two steps.
pub(crate) struct Known<'a> {
    pub(crate) processes: &'a Processes,
    pub(crate) states: &'a BTreeMap<Role, State>,
    pub(crate) facts: &'a Facts,
}

impl Roles for Known<'_> {
    fn is_born(&self, role: Role) -> bool {
        self.processes.get(role).is_some()
    }

    fn state(&self, role: Role) -> Option<State> {
        self.states.get(&role).copied()
    }

    fn number(&self, caller: Role, of: Role) -> Option<i32> {
        let number = self.processes.get(of)?.number_for(self.processes.get(caller)?)?;
        i32::try_from(number).ok()
    }

    fn process_number(&self, caller: Role, of: Role) -> Option<i32> {
        let leader = self.processes.leader_of(of)?.role;
        self.number(caller, leader)
    }

    fn was_born_a_thread(&self, role: Role) -> bool {
        self.processes.get(role).is_some_and(|process| process.born_a_thread)
    }

    fn levels_for_children(&self, caller: Role) -> usize {
        self.processes.levels_for_children(caller)
    }

    fn is_root(&self, role: Role) -> bool {
        self.processes.get(role).is_some_and(Process::is_conductors_user)
    }

    fn has_own_user_namespace(&self, role: Role) -> bool {
        self.processes.get(role).is_some_and(Process::has_own_user_namespace)
    }

    fn is_traced(&self, role: Role) -> bool {
        self.processes.get(role).is_some_and(|process| process.tracer != 0)
    }

    fn is_among_threads(&self, caller: Role, number: i32) -> bool {
        let Some(role) = self.processes.alive_by_number(caller, number) else { return false };
        let leader = |role| self.processes.get(role).map(Process::leader);
        let is_another = |process: &Process| process.role != role && Some(process.leader()) == leader(role);
        leader(role) != leader(caller) && self.processes.iter().any(|process| !process.gone && is_another(process))
    }

    fn holds(&self, fact: Fact) -> bool {
        self.facts.holds(fact)
    }
}
