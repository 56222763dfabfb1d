//! One possible world of a scenario, with the scenario's names for the tasks in it.

use std::sync::Arc;

use pidlab_scenario::syscall::{Roles, Syscall, lower};
use pidlab_scenario::{
    CallName, CloneFlags, Fact, Facts, Observation, Outcome, Refusal, Returned, Role, Signal, State, Step, WaitStatus,
};

use super::{Answer, Because, Happened, Outcomes};
use crate::capable::is_limit_open;
use crate::objects::ids::{PidId, TaskId, UserNsId};
use crate::objects::task::{At, TaskFlags};
use crate::objects::wait_opts::Waited;
use crate::order::{orders, possible};
use crate::world::{Handled, InCall, Return, TidWords, World};
use crate::{Misconception, NsId};

/// A role that has been born.
#[derive(Clone)]
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

/// The worlds that a step leads to and that look like what was seen.
pub(super) struct Searched {
    pub(super) results: Vec<(Branch, Answer)>,
    pub(super) looked_at: usize,
    pub(super) complete: bool,
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
        if let Some(known) = self.roles[role.index()].as_mut() {
            known.on_a_leash = true;
        }
    }

    /// Closes the pidfd by which a role is killed: whether it was open.
    pub(super) fn let_go(&mut self, role: Role) -> bool {
        let known = self.roles.get_mut(role.index()).and_then(Option::as_mut);
        known.is_some_and(|known| std::mem::take(&mut known.on_a_leash))
    }

    /// Notes which places the clone of a role has its TID written to, if it has.
    pub(super) fn note_tid_words(&mut self, role: Role, at: usize) {
        if let Some(known) = self.roles[role.index()].as_mut() {
            known.tid_words = (at < self.world.tid_words.len()).then_some(at);
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

    /// Takes a step in the order in which events come up.
    pub(super) fn step(&mut self, step: &Step) -> Result<Answer, Refusal> {
        self.begin_step(step, false)?;
        orders::settle(&mut self.world);
        Ok(self.conclude(step))
    }

    /// Takes a step in every order, and keeps what looks like what was seen.
    pub(super) fn search(&self, step: &Step, most: usize, seen: &Observation) -> Result<Searched, Refusal> {
        let mut searched = Searched { results: Vec::new(), looked_at: 0, complete: true };
        for mut begun in self.begin_all(step)? {
            if begun.world.run_queue.is_empty() {
                searched.looked_at += 1;
                let answer = begun.conclude(step);
                if answer.observation == *seen {
                    searched.results.push((begun, answer));
                }
                continue;
            }
            let left = most.saturating_sub(searched.looked_at);
            let hopeless = |world: &World| begun.is_hopeless(step, world, seen);
            let looks_like = |world: &World| begun.with(world.clone()).conclude(step).observation == *seen;
            let found = possible::search(&begun.world, left, hopeless, looks_like);
            searched.looked_at += found.looked_at;
            searched.complete &= found.complete;
            searched.results.extend(found.worlds.into_iter().map(|world| {
                let mut branch = begun.with(world);
                let answer = branch.conclude(step);
                (branch, answer)
            }));
        }
        Ok(searched)
    }

    /// Takes a step in every order, and notes what it comes to. Answers how many worlds were looked at.
    pub(super) fn outcomes(
        &self,
        step: &Step,
        worlds: usize,
        most: usize,
        outcomes: &mut Outcomes,
    ) -> Result<usize, Refusal> {
        let mut looked_at = 0;
        for begun in self.begin_all(step)? {
            let mut canonical = begun.clone();
            orders::settle(&mut canonical.world);
            outcomes.add(canonical.conclude(step), most);
            if begun.world.run_queue.is_empty() {
                continue;
            }
            let found = possible::search(&begun.world, worlds.saturating_sub(looked_at), |_| false, |_| true);
            looked_at += found.looked_at;
            outcomes.complete &= found.complete;
            for world in found.worlds {
                outcomes.add(begun.with(world).conclude(step), most);
            }
        }
        Ok(looked_at)
    }

    fn with(&self, world: World) -> Branch {
        Branch { world, roles: self.roles.clone(), shown: self.shown.clone(), facts: Arc::clone(&self.facts) }
    }

    /// The step begun, once or, where it depends on how soon Linux forgets PID namespaces that are gone, twice.
    pub(super) fn begin_all(&self, step: &Step) -> Result<Vec<Branch>, Refusal> {
        let begun = |gone_count| {
            let mut branch = self.clone();
            branch.begin_step(step, gone_count)?;
            Ok(branch)
        };
        let mut all = vec![begun(false)?];
        let open = self.task(step.by).is_some_and(|caller| is_limit_open(&self.world, caller));
        if open && makes_namespace(&lower(step, self)?) {
            all.push(begun(true)?);
        }
        Ok(all)
    }

    /// The call's own work; what it sets going is left on the run queue. A step that is refused is refused before anything changes.
    fn begin_step(&mut self, step: &Step, gone_count: bool) -> Result<(), Refusal> {
        let syscall = lower(step, self)?;
        let caller = self.task(step.by).expect("who can act is there");
        self.world.gone_count = gone_count;
        self.world.begin(caller);
        let done = self.begin(step, caller, &syscall);
        self.world.gone_count = false;
        self.world.current.0 = None;
        let done = done?;
        let known = self.roles[step.by.index()].as_mut().expect("the caller is born");
        known.call = match done {
            Done::Never => None,
            Done::Blocks => Some((step.call.name(), None)),
            Done::Outcome(outcome) | Done::Later(outcome) => Some((step.call.name(), Some(outcome))),
        };
        self.start_returning(caller);
        Ok(())
    }

    /// The work of a call is done. If others have something to do, its caller has yet to come back from it; meanwhile it can be stopped or
    /// killed. If not, it is back at once.
    fn start_returning(&mut self, caller: TaskId) {
        let task = self.world.task(caller);
        if task.at != At::User || !task.is_alive() || self.known_call(caller).is_none() {
            return;
        }
        if self.world.run_queue.is_empty() {
            self.world.returned.push((caller, Return::Told));
            return;
        }
        self.world.enter(caller, At::Returning, InCall::Returning(Return::Told));
        orders::put_first(&mut self.world, caller);
    }

    fn known_call(&self, task: TaskId) -> Option<&(CallName, Option<Outcome>)> {
        self.known(self.role(task)?)?.call.as_ref()
    }

    /// The answer to a step, in a quiet world.
    pub(super) fn conclude(&mut self, step: &Step) -> Answer {
        let (outcome, returned) = self.came(step);
        let reasons = self.world.take_reasons();
        let mut because: Vec<Because> = Vec::with_capacity(reasons.len());
        for (rule, about) in reasons {
            // A child that was never born, for want of a number, has no name: then it is about who wanted it.
            let reason = Because { rule, about: self.role(about).unwrap_or(step.by) };
            if !because.contains(&reason) {
                because.push(reason);
            }
        }
        self.note_waited();
        self.forget_released();
        let observation = self.observe(Some(outcome), returned);
        self.world.clear_handled();
        Answer { observation, because }
    }

    /// The same where nobody looks at the world.
    pub(super) fn happen(&mut self, step: &Step) -> Happened {
        let (outcome, returned) = self.came(step);
        let handled = self.world.handled.iter().filter_map(|(task, got)| {
            let handled = pidlab_scenario::Handled { signal: got.signal, si_pid: got.si_pid, child: got.child };
            Some((self.role(*task)?, handled))
        });
        let mut handled: Vec<_> = handled.collect();
        // Each sees its own; in which order those of two processes ran nobody does.
        handled.sort_by_key(|(role, _)| *role);
        self.note_waited();
        self.forget_released();
        self.world.clear_handled();
        Happened { outcome, returned, handled }
    }

    /// What the call of a step gave, and which other calls came back, in a quiet world.
    fn came(&mut self, step: &Step) -> (Outcome, Vec<Returned>) {
        let mut returned = self.take_returned();
        let own = returned.iter().position(|returned| returned.by == step.by);
        let outcome = match own {
            Some(index) => returned.remove(index).outcome,
            None if self.is_gone(step.by) => Outcome::Never,
            None => Outcome::Blocks,
        };
        (outcome, returned)
    }

    /// Every quiet world that this one may become, and whether these are all. Where nobody has a choice nothing is searched.
    pub(super) fn settled(mut self, most: usize) -> (Vec<Branch>, bool) {
        while self.world.run_queue.len() == 1 {
            let only = self.world.run_queue[0];
            orders::choose(&mut self.world, only);
        }
        if self.world.run_queue.is_empty() {
            return (vec![self], true);
        }
        let found = possible::search(&self.world, most, |_| false, |_| true);
        (found.worlds.into_iter().map(|world| self.with(world)).collect(), found.complete)
    }

    /// Whether a role is not there any more to return from its call.
    fn is_gone(&self, role: Role) -> bool {
        let state = self.task(role).and_then(|task| self.world.state(task));
        matches!(state, None | Some(crate::State::Zombie | crate::State::Exiting))
    }

    /// The calls that came back, in the order of roles.
    pub(super) fn take_returned(&mut self) -> Vec<Returned> {
        let mut all = Vec::new();
        for (task, what) in std::mem::take(&mut self.world.returned) {
            let Some(by) = self.role(task) else { continue };
            let (call, told) =
                self.roles[by.index()].as_mut().and_then(|known| known.call.take()).expect("it was in a call");
            all.push(Returned { by, call, outcome: self.outcome(told, &what) });
        }
        all.sort_by_key(|returned| returned.by);
        all
    }

    /// What a call gives that comes back.
    pub(super) fn outcome(&self, told: Option<Outcome>, what: &Return) -> Outcome {
        match what {
            Return::Told => told.expect("a call that was done has an outcome"),
            Return::Wait(Ok(waited)) => self.waited(*waited),
            Return::Signal(Ok(taken)) => taken_signal(taken),
            Return::Wait(Err(errno)) | Return::Signal(Err(errno)) => Outcome::Err(*errno),
        }
    }

    /// What a wait gave, in the scenario's words.
    pub(super) fn waited(&self, waited: Waited) -> Outcome {
        match waited {
            Waited::Child { child, number, status } => {
                let child = self.role(child).expect("every child has a name");
                Outcome::Waited { number: i64::from(number.get()), child, status }
            }
            Waited::Nothing => Outcome::Ok(0),
            Waited::Blocks => Outcome::Blocks,
        }
    }

    /// Who has waited and is held before it is back may be told of somebody who is released: that one has a name now, and later none.
    pub(super) fn note_waited(&mut self) {
        let waited = self.world.calls.iter().filter_map(|(task, call)| match call {
            InCall::Returning(what @ Return::Wait(Ok(_))) => Some((*task, self.outcome(None, what))),
            _ => None,
        });
        for (task, outcome) in waited.collect::<Vec<_>>() {
            let Some(by) = self.role(task) else { continue };
            if let Some((_, told)) = self.roles[by.index()].as_mut().and_then(|known| known.call.as_mut()) {
                *told = Some(outcome);
                self.world.calls.insert(task, InCall::Returning(Return::Told));
            }
        }
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
            let numbers = self.world.is_there(task).then(|| self.numbers_of(task));
            let Some(known) = self.roles[index].as_mut() else { continue };
            match numbers {
                None => {
                    known.task = None;
                    known.call = None;
                }
                Some(numbers) => known.numbers = numbers,
            }
        }
    }

    /// Whether nothing that still happens to a world can make it look like what was seen: somebody is dead that was seen alive, or a
    /// handler or a call noted what was not seen.
    fn is_hopeless(&self, step: &Step, world: &World, seen: &Observation) -> bool {
        let dead = |role: Role, task: TaskId| {
            let lives = seen.process(role).is_some_and(|view| !matches!(view.state, State::Zombie | State::Exiting));
            let record = world.is_there(task).then(|| world.task(task));
            lives && !record.is_some_and(|record| record.is_alive() && !record.has(TaskFlags::KILLED))
        };
        if self.known_roles().any(|(role, task)| dead(role, task)) {
            return true;
        }
        self.notes_what_was_not_seen(world, seen) || self.returns_what_was_not_seen(step, world, seen)
    }

    fn notes_what_was_not_seen(&self, world: &World, seen: &Observation) -> bool {
        let mut at = vec![0usize; self.roles.len()];
        for (task, handled) in &world.handled {
            let Some(role) = self.role(*task) else { continue };
            let Some(view) = seen.process(role) else { continue };
            let place = &mut at[role.index()];
            let same = view.handled.get(*place).is_some_and(|noted| {
                noted.signal == handled.signal && noted.si_pid == handled.si_pid && noted.child == handled.child
            });
            if !same {
                return true;
            }
            *place += 1;
        }
        false
    }

    fn returns_what_was_not_seen(&self, step: &Step, world: &World, seen: &Observation) -> bool {
        world.returned.iter().any(|(task, what)| {
            let Some(role) = self.role(*task) else { return false };
            let told = self.known(role).and_then(|known| known.call.as_ref()).and_then(|(_, told)| told.clone());
            let outcome = self.outcome(told, what);
            let shown = if role == step.by {
                seen.outcome.as_ref()
            } else {
                seen.returned.iter().find(|returned| returned.by == role).map(|returned| &returned.outcome)
            };
            shown != Some(&outcome)
        })
    }
}

impl Outcomes {
    fn add(&mut self, answer: Answer, most: usize) {
        if self.answers.iter().any(|known| known.observation == answer.observation) {
            return;
        }
        if self.answers.len() < most {
            self.answers.push(answer);
        } else {
            self.complete = false;
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

/// A signal that was taken, in the scenario's words.
pub(super) fn taken_signal(taken: &Handled) -> Outcome {
    let Handled { signal, si_pid, child } = *taken;
    Outcome::Taken(pidlab_scenario::Handled { signal, si_pid, child })
}

fn makes_namespace(syscall: &Syscall) -> bool {
    let (Syscall::Clone3 { flags, .. } | Syscall::Unshare { flags }) = syscall else { return false };
    flags.contains(CloneFlags::CLONE_NEWPID)
}
