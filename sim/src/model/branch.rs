//! One possible world of a scenario, with the scenario's names for what is in it.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use pidlab_scenario::syscall::{Roles, Syscall, lower};
use pidlab_scenario::{
    CallName, CloneFlags, Fact, Facts, Handled, NamespaceId, Observation, Outcome, ProcessView, Refusal, Returned,
    Role, State, Step,
};

use super::explore::explore;
use super::{Answer, Because};
use crate::process::{InCall, Return};
use crate::wait::Waited;
use crate::{Misconception, NsId, Pid, ProcessId, ProcessState, World};

/// A role that has been born.
#[derive(Clone)]
struct Known {
    /// `None` once it is reaped.
    process: Option<ProcessId>,
    /// Its numbers, with the serials of their namespaces; they outlive it.
    numbers: Arc<[(u64, u32)]>,
    /// The role that stands, or last stood, for the process that it is or was a thread of.
    leader: Role,
    /// A call that has not returned: its name, and what it will give if that is known.
    call: Option<(CallName, Option<Outcome>)>,
}

#[derive(Clone)]
pub(super) struct Branch {
    pub(super) world: World,
    roles: Vec<Option<Known>>,
    /// Serials of namespaces, in the order in which observations showed them.
    shown: Vec<u64>,
    facts: Arc<Facts>,
}

/// What a call's work came to, before its caller is back in user mode.
pub(super) enum Done {
    /// It will return this.
    Outcome(Outcome),
    /// It will return this, but not yet: the caller sleeps in it.
    Later(Outcome),
    /// The caller sleeps in it.
    Blocks,
    /// The caller is on its way out.
    Never,
}

impl Branch {
    pub(super) fn new(facts: &Facts, belief: Option<Misconception>, roles: usize) -> Branch {
        let mut world = World::with(facts, facts.levels_above());
        if let Some(belief) = belief {
            world.believe(belief);
        }
        world.record_reasons(true);
        let facts = Arc::new(facts.clone());
        let mut branch = Branch { world, roles: vec![None; roles.max(1)], shown: Vec::new(), facts };
        branch.born(Role::HOST, branch.world.host());
        branch
    }

    /// A process got its name.
    pub(super) fn born(&mut self, role: Role, process: ProcessId) {
        let serials = self.lineage(self.world.namespace(process));
        let numbers = serials.into_iter().zip(self.world.pids(process).iter().copied()).collect();
        // A scenario that is still being written gets its roles one at a time.
        if self.roles.len() <= role.index() {
            self.roles.resize(role.index() + 1, None);
        }
        let leader = self.role(self.world.leader(process)).unwrap_or(role);
        self.roles[role.index()] = Some(Known { process: Some(process), numbers, leader, call: None });
    }

    /// The serials of a namespace and those around it, outermost first.
    fn lineage(&self, ns: NsId) -> Vec<u64> {
        let around = std::iter::successors(Some(ns), |ns| self.world.parent_namespace(*ns));
        let mut serials: Vec<u64> = around.map(|ns| self.world.namespace_serial(ns)).collect();
        serials.reverse();
        serials
    }

    /// Equal for worlds that nothing can tell apart.
    pub(super) fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.world.hash(&mut hasher);
        hasher.finish()
    }

    fn known(&self, role: Role) -> Option<&Known> {
        self.roles.get(role.index())?.as_ref()
    }

    /// The process of a role; `None` once it is reaped.
    pub(super) fn process(&self, role: Role) -> Option<ProcessId> {
        self.known(role)?.process
    }

    fn role(&self, process: ProcessId) -> Option<Role> {
        let is_it = |known: &Option<Known>| known.as_ref().is_some_and(|known| known.process == Some(process));
        let index = self.roles.iter().position(is_it)?;
        u16::try_from(index).ok().map(Role)
    }

    /// The number that a role has, or last had, in the namespace of another.
    pub(super) fn number(&self, caller: Role, role: Role) -> Option<u32> {
        let (serial, _) = self.known(caller)?.numbers.last()?;
        self.known(role)?.numbers.iter().find(|(other, _)| other == serial).map(|(_, number)| *number)
    }

    /// Takes a step, in every order of events that Linux may choose.
    pub(super) fn step(&self, step: &Step) -> Result<Vec<(Branch, Answer)>, Refusal> {
        let syscall = lower(step, self)?;
        let caller = self.process(step.by).expect("who can act is there");
        let first = self.step_with(step, caller, &syscall, false)?;
        if !makes_namespace(&syscall) || !self.world.limit_is_open(caller) {
            return Ok(first);
        }
        let second = self.step_with(step, caller, &syscall, true)?;
        Ok(first.into_iter().chain(second).collect())
    }

    /// The same, where Linux has forgotten all PID namespaces that are gone, or none of them.
    fn step_with(
        &self,
        step: &Step,
        caller: ProcessId,
        syscall: &Syscall,
        gone_count: bool,
    ) -> Result<Vec<(Branch, Answer)>, Refusal> {
        let mut branch = self.clone();
        branch.world.sort_free_records();
        branch.world.gone_count = gone_count;
        let done = branch.begin(step, caller, syscall)?;
        branch.world.gone_count = false;
        match &done {
            Done::Outcome(_) if branch.world.runnable.is_empty() => {
                let Done::Outcome(outcome) = done else { unreachable!("just matched") };
                return Ok(vec![branch.conclude(step, outcome)]);
            }
            Done::Outcome(outcome) => {
                let known = branch.roles[step.by.index()].as_mut().expect("the caller is born");
                known.call = Some((step.call.name(), Some(outcome.clone())));
                branch.world.start_returning(caller);
            }
            Done::Later(outcome) => {
                let known = branch.roles[step.by.index()].as_mut().expect("the caller is born");
                known.call = Some((step.call.name(), Some(outcome.clone())));
            }
            Done::Blocks => {
                let known = branch.roles[step.by.index()].as_mut().expect("the caller is born");
                known.call = Some((step.call.name(), None));
            }
            Done::Never => {}
        }
        let Branch { world, roles, shown, facts } = branch;
        let finals = explore(world).into_iter().map(|world| {
            let branch = Branch { world, roles: roles.clone(), shown: shown.clone(), facts: Arc::clone(&facts) };
            branch.conclude_events(step, caller)
        });
        Ok(finals.collect())
    }

    /// The outcome of the step, when events took place.
    fn conclude_events(mut self, step: &Step, mut caller: ProcessId) -> (Branch, Answer) {
        for (thread, leader) in std::mem::take(&mut self.world.replaced) {
            self.take_leaders_place(thread, leader);
            if thread == caller {
                caller = leader;
            }
        }
        let returned = self.take_returned();
        let own = returned.iter().position(|returned| returned.by == step.by);
        let mut returned = returned;
        let outcome = match own {
            Some(index) => returned.remove(index).outcome,
            None => match self.world.state(caller) {
                None | Some(ProcessState::Zombie | ProcessState::Exiting) => Outcome::Never,
                Some(_) => Outcome::Blocks,
            },
        };
        self.finish(step.by, outcome, returned)
    }

    fn conclude(self, step: &Step, outcome: Outcome) -> (Branch, Answer) {
        self.finish(step.by, outcome, Vec::new())
    }

    fn finish(mut self, by: Role, outcome: Outcome, returned: Vec<Returned>) -> (Branch, Answer) {
        let reasons = self.world.take_reasons();
        let mut because: Vec<Because> = Vec::with_capacity(reasons.len());
        for (rule, subject) in reasons {
            // A child that was never born, for want of a number, has no name: then it is about who wanted it.
            let reason = Because { rule, about: self.role(subject).unwrap_or(by) };
            if !because.contains(&reason) {
                because.push(reason);
            }
        }
        self.forget_reaped();
        let observation = self.observe(Some(outcome), returned);
        self.world.clear_handled();
        (self, Answer { observation, because })
    }

    /// An exec has made a thread's role the one that stands for the process, with the leader's numbers.
    fn take_leaders_place(&mut self, thread: ProcessId, leader: ProcessId) {
        let (Some(own), Some(old)) = (self.role(thread), self.role(leader)) else { return };
        let numbers = self.known(old).map(|known| Arc::clone(&known.numbers));
        if let Some(known) = self.roles[old.index()].as_mut() {
            known.process = None;
            known.call = None;
        }
        if let (Some(known), Some(numbers)) = (self.roles[own.index()].as_mut(), numbers) {
            known.process = Some(leader);
            known.numbers = numbers;
            known.leader = own;
        }
    }

    /// The calls that came back, in the order of roles.
    fn take_returned(&mut self) -> Vec<Returned> {
        let mut all = Vec::new();
        for (process, what) in std::mem::take(&mut self.world.returned) {
            let by = self.role(process).expect("whoever returns from a call has a name");
            let known = self.roles[by.index()].as_mut().expect("it is born");
            let (call, told) = known.call.take().expect("it was in a call");
            let outcome = match what {
                Return::Told => told.expect("a call that was done has an outcome"),
                Return::Wait(Ok(waited)) => self.waited(waited),
                Return::Wait(Err(errno)) => Outcome::Err(errno),
            };
            all.push(Returned { by, call, outcome });
        }
        all.sort_by_key(|returned| returned.by);
        all
    }

    /// What a wait gave, in the scenario's words.
    pub(super) fn waited(&self, waited: Waited) -> Outcome {
        match waited {
            Waited::Child { process, number, status } => {
                let child = self.role(process).expect("every child has a name");
                Outcome::Waited { number: i64::from(number.get()), child, status }
            }
            Waited::Nothing => Outcome::Ok(0),
            Waited::Blocks => Outcome::Blocks,
        }
    }

    /// A reaped process keeps its numbers and nothing else.
    fn forget_reaped(&mut self) {
        for known in self.roles.iter_mut().flatten() {
            let gone = known.process.is_some_and(|process| self.world.state(process).is_none());
            if gone {
                known.process = None;
                known.call = None;
            }
        }
    }

    /// How the world looks.
    pub(super) fn observe(&mut self, outcome: Option<Outcome>, returned: Vec<Returned>) -> Observation {
        let mut processes = Vec::new();
        for index in 0..self.roles.len() {
            let role = Role(u16::try_from(index).expect("a scenario has fewer roles than numbers"));
            let Some(process) = self.process(role) else { continue };
            let Some(state) = self.world.shown_state(process) else { continue };
            let namespaces = self.show_namespaces(process);
            let ns = self.world.namespace(process);
            let bare = |pid: Option<Pid>| pid.map_or(0, Pid::get);
            let handled = self.world.handled(process).iter();
            processes.push(ProcessView {
                role,
                thread_of: Some(self.world.leader(process))
                    .filter(|leader| *leader != process)
                    .and_then(|it| self.role(it)),
                state: shown_state(state),
                pids: self.world.pids(process).to_vec(),
                namespaces,
                parent: self.world.parent(process).and_then(|parent| self.role(parent)),
                ppid: bare(self.world.visible_parent(process)),
                pgid: bare(self.world.group_in(process, ns)),
                sid: bare(self.world.session_in(process, ns)),
                handled: handled
                    .map(|got| Handled { signal: got.signal, si_pid: got.si_pid, child: got.child })
                    .collect(),
            });
        }
        Observation { outcome, returned, processes }
    }

    fn show_namespaces(&mut self, process: ProcessId) -> Vec<NamespaceId> {
        let mut ids = Vec::new();
        for serial in self.lineage(self.world.namespace(process)) {
            let index = self.shown.iter().position(|known| *known == serial).unwrap_or_else(|| {
                self.shown.push(serial);
                self.shown.len() - 1
            });
            ids.push(NamespaceId(u16::try_from(index).expect("a scenario has few namespaces")));
        }
        ids
    }
}

impl Roles for Branch {
    fn is_born(&self, role: Role) -> bool {
        self.known(role).is_some()
    }

    fn state(&self, role: Role) -> Option<State> {
        self.world.state(self.process(role)?).map(shown_state)
    }

    fn number(&self, caller: Role, of: Role) -> Option<i32> {
        Branch::number(self, caller, of).and_then(|number| i32::try_from(number).ok())
    }

    fn process_number(&self, caller: Role, of: Role) -> Option<i32> {
        Roles::number(self, caller, self.known(of)?.leader)
    }

    fn levels_for_children(&self, caller: Role) -> usize {
        let target = self.process(caller).and_then(|caller| self.world.namespace_for_children(caller));
        target.map_or(0, |ns| self.world.level(ns)) as usize + 1
    }

    fn is_root(&self, role: Role) -> bool {
        self.process(role).is_some_and(|process| self.world.user(process) == 0)
    }

    fn has_own_user_namespace(&self, role: Role) -> bool {
        self.process(role).is_some_and(|process| self.world.is_in_own_user_namespace(process))
    }

    fn holds(&self, fact: Fact) -> bool {
        self.facts.holds(fact)
    }
}

fn makes_namespace(syscall: &Syscall) -> bool {
    let (Syscall::Clone3 { flags, .. } | Syscall::Unshare { flags }) = syscall else { return false };
    flags.contains(CloneFlags::CLONE_NEWPID)
}

impl World {
    /// The work of a call is done, but its caller has yet to come back from it; meanwhile it can be stopped or killed.
    fn start_returning(&mut self, caller: ProcessId) {
        self.process_mut(caller).extra().call = Some(InCall::Returning(Return::Told));
        self.wake(caller);
        self.runnable.retain(|queued| *queued != caller);
        self.runnable.push_front(caller);
    }
}

fn shown_state(state: ProcessState) -> State {
    match state {
        ProcessState::Running => State::Running,
        ProcessState::Blocked => State::Blocked,
        ProcessState::Stopped => State::Stopped,
        ProcessState::Exiting => State::Exiting,
        ProcessState::Zombie => State::Zombie,
    }
}
