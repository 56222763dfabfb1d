//! One possible world of a scenario, with the scenario's names for the tasks in it.

use std::sync::Arc;

use pidlab_scenario::syscall::Roles;
use pidlab_scenario::{CallName, Fact, Facts, Outcome, Role, Signal, State, WaitStatus};

use crate::objects::ids::{PidId, TaskId, UserNsId};
use crate::order::possible;
use crate::world::{TidWords, World};
use crate::{Misconception, NsId};

/// A role that has been born.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Known {
    /// `None` once it is released.
    task: Option<TaskId>,
    /// Its numbers, with the serials of their namespaces; they outlive it.
    pub(super) numbers: Arc<[(u64, u32)]>,
    /// Those of its process.
    pub(super) process_numbers: Arc<[(u64, u32)]>,
    /// What the pidfd refers to that has been held since it was born: not the task, but what bears its numbers, which an exec by another
    /// thread gives to that one. `None` once it bears none any more.
    pub(super) held: Option<PidId>,
    /// Which of the world's places its clone has its TID written to.
    pub(super) tid_words: Option<usize>,
    /// Whether that is a pidfd of a thread (`PIDFD_THREAD`).
    pub(super) is_thread: bool,
    /// Whether the pidfd is open that its clone gave, if that is one whose close kills.
    pub(super) on_a_leash: bool,
    /// How the task ended that it referred to, once that is released.
    ended: Option<WaitStatus>,
    /// A call that has not returned: its name, and what it will give if that is known.
    pub(super) call: Option<(CallName, Option<Outcome>)>,
}

#[derive(Clone)]
pub(crate) struct Branch {
    pub(crate) world: World,
    roles: Vec<Option<Known>>,
    /// Serials of namespaces, in the order in which observations showed them.
    pub(super) shown: Vec<u64>,
    facts: Arc<Facts>,
}

impl Branch {
    pub(super) fn new(facts: &Facts, misconception: Option<Misconception>, roles: usize) -> Branch {
        let mut world = World::with(facts);
        world.released = Some(Vec::new());
        if let Some(misconception) = misconception {
            world.misconceive(misconception);
        }
        world.record_reasons(true);
        let mut branch =
            Branch { world, roles: vec![None; roles.max(1)], shown: Vec::new(), facts: Arc::new(facts.clone()) };
        branch.born(Role::HOST, branch.world.host());
        branch
    }

    /// The same roles in another world.
    pub(super) fn with(&self, world: World) -> Branch {
        Branch { world, roles: self.roles.clone(), shown: self.shown.clone(), facts: Arc::clone(&self.facts) }
    }

    /// Equal for two branches of a scenario that nothing can tell apart: what is known of who is gone, and in no world any more, counts too.
    pub(super) fn fingerprint(&self) -> u64 {
        let Branch { world, roles, shown, facts: _ } = self;
        possible::fingerprint(&(world, roles, shown))
    }

    /// A task got its name.
    pub(super) fn born(&mut self, role: Role, task: TaskId) {
        let numbers = self.numbers_of(task);
        let process_numbers = self.numbers_of(self.world.leader(task));
        let held = Some(self.world.task(task).thread_pid);
        let is_thread = self.world.leader(task) != task;
        // A scenario that is still being written gets its roles one at a time.
        if self.roles.len() <= role.index() {
            self.roles.resize(role.index() + 1, None);
        }
        self.roles[role.index()] = Some(Known {
            task: Some(task),
            numbers,
            process_numbers,
            held,
            is_thread,
            on_a_leash: false,
            ended: None,
            tid_words: None,
            call: None,
        });
    }

    /// The numbers of a task, each with the serial of its namespace.
    fn numbers_of(&self, task: TaskId) -> Arc<[(u64, u32)]> {
        let serials = self.lineage(self.world.namespace(task));
        serials.into_iter().zip(self.world.pids(task).iter().copied()).collect()
    }

    /// Whether the numbers of a role are still those of its task.
    fn has_numbers(&self, role: usize, task: TaskId) -> bool {
        let Some(known) = &self.roles[role] else { return false };
        let serial = self.world.namespace_serial(self.world.namespace(task));
        known.numbers.last().is_some_and(|(own, _)| *own == serial)
            && known.numbers.iter().map(|(_, number)| number).eq(self.world.pids(task))
    }

    /// The serials of a namespace and its ancestors, outermost first.
    pub(super) fn lineage(&self, ns: NsId) -> Vec<u64> {
        let around = std::iter::successors(Some(ns), |ns| self.world.parent_namespace(*ns));
        let mut serials: Vec<u64> = around.map(|ns| self.world.namespace_serial(ns)).collect();
        serials.reverse();
        serials
    }

    pub(super) fn known(&self, role: Role) -> Option<&Known> {
        self.roles.get(role.index())?.as_ref()
    }

    pub(super) fn known_mut(&mut self, role: Role) -> Option<&mut Known> {
        self.roles.get_mut(role.index())?.as_mut()
    }

    pub(super) fn known_roles(&self) -> impl Iterator<Item = (Role, TaskId)> + '_ {
        let role = |index| Role(u16::try_from(index).expect("a scenario has fewer roles than numbers"));
        self.roles.iter().enumerate().filter_map(move |(index, known)| Some((role(index), known.as_ref()?.task?)))
    }

    /// The roles that were born and are released.
    pub(super) fn released_roles(&self) -> impl Iterator<Item = Role> + '_ {
        let role = |index| Role(u16::try_from(index).expect("a scenario has fewer roles than numbers"));
        let released = |known: &Known| known.task.is_none();
        let all = self.roles.iter().enumerate();
        all.filter(move |(_, known)| known.as_ref().is_some_and(released)).map(move |(index, _)| role(index))
    }

    /// How many roles have a place.
    pub(super) fn named(&self) -> usize {
        self.roles.len()
    }

    /// The task of a role; `None` once it is released.
    pub(super) fn task(&self, role: Role) -> Option<TaskId> {
        self.known(role)?.task
    }

    /// The task that the pidfd refers to that has been held since a role was born; `None` once that is released.
    pub(super) fn held(&self, role: Role) -> Option<TaskId> {
        self.world.pids[self.known(role)?.held?].task
    }

    /// Notes that the close of a pidfd will kill a role.
    pub(super) fn put_on_a_leash(&mut self, role: Role) {
        if let Some(known) = self.known_mut(role) {
            known.on_a_leash = true;
        }
    }

    /// Closes the pidfd by which a role is killed: whether it was open.
    pub(super) fn let_go(&mut self, role: Role) -> bool {
        self.known_mut(role).is_some_and(|known| std::mem::take(&mut known.on_a_leash))
    }

    /// Notes which places the clone of a role has its TID written to, if it has.
    pub(super) fn note_tid_words(&mut self, role: Role, at: usize) {
        let at = (at < self.world.tid_words.len()).then_some(at);
        if let Some(known) = self.known_mut(role) {
            known.tid_words = at;
        }
    }

    /// These places.
    pub(super) fn tid_words(&self, role: Role) -> Option<&TidWords> {
        self.world.tid_words.get(self.known(role)?.tid_words?)
    }

    /// What bears the numbers of that task; `None` once nothing has any of them.
    pub(super) fn held_pid(&self, role: Role) -> Option<PidId> {
        self.known(role)?.held
    }

    /// How that task ended, once it is released.
    pub(super) fn ended(&self, role: Role) -> Option<WaitStatus> {
        self.known(role)?.ended
    }

    /// Whether a role has a handler for a signal.
    pub(super) fn catches(&self, role: Role, signal: Signal) -> bool {
        self.task(role).is_some_and(|task| self.world.sighand(task).caught.contains(signal))
    }

    /// The signals that a role blocks.
    pub(super) fn mask(&self, role: Role) -> Vec<Signal> {
        let Some(task) = self.task(role) else { return Vec::new() };
        let blocked = self.world.task(task).blocked;
        (1..=64).filter_map(Signal::new).filter(|signal| blocked.contains(*signal)).collect()
    }

    /// The role of a task.
    pub(super) fn role(&self, task: TaskId) -> Option<Role> {
        self.known_roles().find(|(_, known)| *known == task).map(|(role, _)| role)
    }

    fn number_in(&self, caller: Role, numbers: &[(u64, u32)]) -> Option<u32> {
        let (serial, _) = self.known(caller)?.numbers.last()?;
        numbers.iter().find(|(other, _)| other == serial).map(|(_, number)| *number)
    }

    /// The number that a role has, or last had, in the namespace of another.
    pub(super) fn number_of(&self, caller: Role, role: Role) -> Option<u32> {
        self.number_in(caller, &self.known(role)?.numbers)
    }

    /// Forgets a role that is released, with all that its name still stood for.
    pub(super) fn forget(&mut self, role: Role) {
        if self.task(role).is_none() {
            self.roles[role.index()] = None;
        }
    }

    /// A task that is released keeps its numbers and nothing else; one that has called exec has its process's.
    pub(super) fn forget_released(&mut self) {
        for index in 0..self.roles.len() {
            if let Some(known) = self.roles[index].as_mut() {
                let ended = self.world.released.iter().flatten().find(|(pid, _)| known.held == Some(*pid));
                known.ended = known.ended.or(ended.map(|(_, code)| code.status()));
                known.held = known.held.filter(|pid| {
                    let pid = &self.world.pids[*pid];
                    pid.task.is_some() || pid.pgrp.is_some() || pid.session > 0
                });
            }
            let Some(task) = self.roles[index].as_ref().and_then(|known| known.task) else { continue };
            let is_there = self.world.is_there(task);
            let others = is_there && !self.has_numbers(index, task);
            let numbers = others.then(|| self.numbers_of(task));
            let Some(known) = self.roles[index].as_mut() else { continue };
            if !is_there {
                known.task = None;
                known.call = None;
            }
            if let Some(numbers) = numbers {
                known.numbers = numbers;
            }
        }
    }
}

impl Roles for Branch {
    fn is_born(&self, role: Role) -> bool {
        self.known(role).is_some()
    }

    fn state(&self, role: Role) -> Option<State> {
        self.shown_state(self.task(role)?)
    }

    fn number(&self, caller: Role, of: Role) -> Option<i32> {
        self.number_of(caller, of).and_then(|number| i32::try_from(number).ok())
    }

    fn process_number(&self, caller: Role, of: Role) -> Option<i32> {
        let number = self.number_in(caller, &self.known(of)?.process_numbers)?;
        i32::try_from(number).ok()
    }

    fn was_born_a_thread(&self, role: Role) -> bool {
        self.known(role).is_some_and(|known| known.is_thread)
    }

    fn levels_for_children(&self, caller: Role) -> usize {
        let ns = self.task(caller).and_then(|task| self.world.namespace_for_children(task));
        ns.map_or(0, |ns| self.world.level(ns) as usize + 1)
    }

    fn is_root(&self, role: Role) -> bool {
        self.task(role).is_some_and(|task| self.world.user(task) == 0)
    }

    fn has_own_user_namespace(&self, role: Role) -> bool {
        self.task(role).is_some_and(|task| self.world.cred(task).user_ns != UserNsId::OUTERMOST)
    }

    fn is_traced(&self, role: Role) -> bool {
        self.task(role).is_some_and(|task| self.world.tracer(task).is_some())
    }

    fn is_among_threads(&self, caller: Role, number: i32) -> bool {
        let Some(caller) = self.task(caller) else { return false };
        let Some(task) = self.world.find(self.world.namespace(caller), number) else { return false };
        !self.world.same_thread_group(caller, task) && !self.world.can_be_traced(task)
    }

    fn is_recorded(&self) -> bool {
        self.world.watched
    }

    fn holds(&self, fact: Fact) -> bool {
        self.facts.holds(fact)
    }
}
