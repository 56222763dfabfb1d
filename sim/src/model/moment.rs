//! A world in the midst of things: what somebody walks on who has a recording, and looks for an order that explains it.
//!
//! A [`Position`](crate::Position) is quiet: what a step sets going has happened before the next begins. Real processes do not wait for one
//! another. Here a call may begin while others are on their way, and who goes on next is chosen from outside, one [`Turn`] at a time:
//!
//! ```text
//!   begin ──▶ moment ──▶ turns: who could go on? ──▶ take one ──▶ moment, and what was heard of it
//! ```
//!
//! Every task is [watched](crate::World): a tracer outside of the world, as strace is one, is shown each signal before it is taken, and lets
//! everything go on. It is told first when a process ends, and the real parent when the tracer has waited ([`Turn::HandedBack`]).

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use pidlab_scenario::syscall::Roles;
use pidlab_scenario::{Facts, Handled, Outcome, Refusal, Role, Signal, Step, WaitStatus};

use super::cast::Branch;
use super::key::{self, Numbers};
use crate::exit::release::release_task;
use crate::objects::ids::{NsId, TaskId, UserNsId};
use crate::objects::signal_struct::SignalFlags;
use crate::objects::sigpending::{SigSet, To, is_kernel_only};
use crate::objects::task::{At, ExitState, TaskFlags};
use crate::order::orders;
use crate::order::spare::Spare;
use crate::signal::action::set_current_blocked;
use crate::signal::info::Info;
use crate::signal::notify::do_notify_parent;
use crate::signal::pending::{has_pending, pending_for, signal_wake_up};
use crate::signal::send::send_signal;
use crate::world::{InCall, Return, World};
use crate::{Misconception, Rule};

/// A world in which things are about to happen.
#[derive(Clone)]
pub struct Moment {
    branch: Branch,
    /// Roles whose names are still used when they are released.
    named: Arc<[Role]>,
    /// Whose process the tracer is, if it has a role.
    tracer: Option<Role>,
}

/// What could happen next without any call being made.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum Turn {
    /// A task that has something to do does the next piece of it.
    Runs(Role),
    /// A thread of several looks for signals of its process that another one was told of. A tracer's stops make it look.
    Looks(Role),
    /// The tracer has waited for a process that has ended: now it is a zombie for its parent, which is told. If the tracer is its parent, it is gone.
    HandedBack(Role),
    /// The init of the outermost namespace, of which nothing is recorded, has waited for a process that it had adopted.
    Reaped(Role),
}

impl Turn {
    /// Whose turn it is.
    pub fn role(self) -> Role {
        match self {
            Turn::Runs(role) | Turn::Looks(role) | Turn::HandedBack(role) | Turn::Reaped(role) => role,
        }
    }
}

/// What was heard of a turn, or of the beginning of a call.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Heard {
    /// The work of a call is done, and this is what it will give.
    Returned {
        /// Whose.
        by: Role,
        /// What.
        outcome: Outcome,
    },
    /// The tracer was shown a signal that is about to be taken.
    Shown {
        /// By whom.
        by: Role,
        /// The signal.
        signal: Handled,
    },
    /// A handler began to run.
    Handled {
        /// Whose.
        by: Role,
        /// For which signal.
        signal: Signal,
    },
    /// A process has ended and its parent is told, or a thread has ended.
    Ended {
        /// Which.
        role: Role,
        /// How.
        status: WaitStatus,
    },
}

/// From where a signal comes that no process of the world has sent.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Origin {
    /// The kernel: a terminal, a timer.
    Kernel,
    /// The task itself, by an access that faults.
    Fault,
    /// The task itself, by a write that nobody reads (`SIGPIPE`).
    Own,
}

impl Moment {
    /// The start of a recording on a kernel with these facts. Who is released is forgotten, but for those who are named here.
    pub fn start(facts: &Facts, misconception: Option<Misconception>, named: &[Role]) -> Moment {
        let mut branch = Branch::new(facts, misconception, 1);
        branch.world.watched = true;
        branch.world.record_reasons(false);
        Moment { branch, named: named.into(), tracer: None }
    }

    /// The world after a change, with the turns taken that change nothing for anybody.
    fn with(&self, mut branch: Branch) -> Moment {
        while let Some(idle) = branch.world.run_queue.iter().copied().find(|task| is_idle(&branch.world, *task)) {
            orders::choose(&mut branch.world, idle);
        }
        branch.take_returned();
        Moment { branch, named: Arc::clone(&self.named), tracer: self.tracer }
    }

    /// The same with this role as the tracer, which is then the parent of whom it has made, and waits for them but once.
    #[must_use]
    pub fn traced_by(self, role: Role) -> Moment {
        Moment { tracer: Some(role), ..self }
    }

    /// Notes from now on which rules decide, or no more.
    pub fn explain(&mut self, explains: bool) {
        self.branch.world.record_reasons(explains);
    }

    /// The rules that decided since they were asked for last, each once.
    pub fn because(&mut self) -> Vec<&'static Rule> {
        let mut rules: Vec<&'static Rule> = Vec::new();
        for (rule, _) in self.branch.world.take_reasons() {
            if !rules.iter().any(|known| known.id == rule.id) {
                rules.push(rule);
            }
        }
        rules
    }

    /// Whether a role could make a call now: it is in user mode, and no signal that it has taken is still to be acted on.
    pub fn can_act(&self, role: Role) -> bool {
        let on_its_way = TaskFlags::FRAMED | TaskFlags::IN_GET_SIGNAL | TaskFlags::IN_TRAP;
        self.branch.task(role).is_some_and(|task| {
            let world = &self.branch.world;
            world.can_act(task) && !world.task(task).flags.intersects(on_its_way)
        })
    }

    /// Whether a role sleeps in a call of the kind that a signal ends.
    pub fn sleeps(&self, role: Role) -> bool {
        let at = self.branch.task(role).map(|task| self.branch.world.task(task).at);
        matches!(at, Some(At::Wait | At::WaitInterrupted | At::WaitRestarts | At::Sigwait))
    }

    /// Whether a signal has cut a role's wait short, and the role has not taken one yet.
    pub fn is_cut_short(&self, role: Role) -> bool {
        self.branch.task(role).is_some_and(|task| self.branch.world.task(task).at == At::WaitInterrupted)
    }

    /// Whether a role is there, and has not begun to exit.
    pub fn is_alive(&self, role: Role) -> bool {
        self.branch.task(role).is_some_and(|task| self.branch.world.task(task).is_alive())
    }

    /// The number that a role has, or last had, in the namespace of another.
    pub fn number(&self, caller: Role, role: Role) -> Option<i32> {
        Roles::number(&self.branch, caller, role)
    }

    /// Whether a role has a handler for a signal.
    pub fn catches(&self, role: Role, signal: Signal) -> bool {
        self.branch.catches(role, signal)
    }

    /// Begins a call. There are several moments where it is open how soon Linux forgets namespaces that are gone.
    ///
    /// # Errors
    /// The step cannot be taken.
    pub fn begin(&self, step: &Step) -> Result<Vec<(Moment, Vec<Heard>)>, Refusal> {
        let begun = self.branch.begin_all(step, &mut Spare::default())?;
        Ok(begun.into_iter().map(|branch| self.begun(branch, step)).collect())
    }

    fn begun(&self, mut after: Branch, step: &Step) -> (Moment, Vec<Heard>) {
        let mut heard = Vec::new();
        let told = after.known(step.by).and_then(|known| known.call.clone()).and_then(|(_, told)| told);
        if let Some(task) = after.task(step.by) {
            let at = after.world.task(task).at;
            if matches!(at, At::User | At::Returning) {
                heard.extend(told.map(|outcome| Heard::Returned { by: step.by, outcome }));
            }
            let record = after.world.task(task);
            if at == At::Returning && !record.has(TaskFlags::SIGPENDING) && record.has(TaskFlags::ON_RQ) {
                orders::choose(&mut after.world, task);
            }
        }
        self.listen(&mut after, Some(step.by), &mut heard);
        (self.with(after), heard)
    }

    /// Who could go on.
    pub fn turns(&self) -> Vec<Turn> {
        let world = &self.branch.world;
        let mut turns: Vec<Turn> =
            world.run_queue.iter().filter_map(|task| self.branch.role(*task)).map(Turn::Runs).collect();
        for (role, task) in self.branch.known_roles() {
            let record = world.task(task);
            if record.has(TaskFlags::UNTOLD) {
                turns.push(Turn::HandedBack(role));
            }
            let alone = world.thread_group_empty(task);
            if !alone && record.is_running() && record.is_alive() && !record.has(TaskFlags::SIGPENDING) {
                let waiting = pending_for(world, task).without(record.blocked);
                if !waiting.is_empty() {
                    turns.push(Turn::Looks(role));
                }
            }
        }
        turns
    }

    /// Whom the init of the outermost namespace could wait for: [`Turn::Reaped`]. When it does is seen only by who asks for a number that is free
    /// then, so these are no [`Moment::turns`].
    pub fn reapable(&self) -> Vec<Turn> {
        let world = &self.branch.world;
        let init = world.init(NsId::OUTERMOST);
        let dead = self.branch.known_roles().filter(|(_, task)| {
            let record = world.task(*task);
            record.real_parent == init
                && record.exit_state == ExitState::Zombie
                && !record.has(TaskFlags::UNTOLD)
                && world.is_over(*task)
        });
        dead.map(|(role, _)| Turn::Reaped(role)).collect()
    }

    /// Whether the next turn of a role is a piece of its exit that nobody can tell of: its process is killed, no thread of it has a child to
    /// hand on, and its last turn is still to come.
    pub fn exits_unnoticed(&self, role: Role) -> bool {
        let world = &self.branch.world;
        let Some(task) = self.branch.task(role) else { return false };
        let (record, process) = (world.task(task), world.process(task));
        let several = process.nr_threads > 1 && !process.has(SignalFlags::UNKILLABLE);
        let childless = || world.threads_of(record.signal).all(|thread| world.task(thread).first_child.is_none());
        let is_killed = record.has(TaskFlags::KILLED) && process.has(SignalFlags::GROUP_EXIT);
        let goes = is_killed && matches!(record.at, At::User | At::Returning) || record.at == At::ExitMm;
        goes && several && !record.has(TaskFlags::VFORK_DONE) && record.has(TaskFlags::ON_RQ) && childless()
    }

    /// Takes a turn.
    ///
    /// # Panics
    /// If it is not one of [`Moment::turns`] or [`Moment::reapable`].
    #[must_use]
    pub fn take(&self, turn: Turn) -> (Moment, Vec<Heard>) {
        let mut after = self.branch.clone();
        let task = after.task(turn.role()).expect("who has a turn is there");
        match turn {
            Turn::Runs(_) => orders::choose(&mut after.world, task),
            Turn::Looks(_) => {
                signal_wake_up(&mut after.world, task, false);
                orders::choose(&mut after.world, task);
            }
            Turn::HandedBack(_) => {
                let tracer = self.tracer.and_then(|tracer| after.task(tracer));
                hand_back(&mut after.world, task, tracer);
            }
            Turn::Reaped(_) => reap(&mut after.world, task),
        }
        let mut heard = Vec::new();
        self.listen(&mut after, None, &mut heard);
        (self.with(after), heard)
    }

    /// A signal arrives that no process of the world has sent.
    #[must_use]
    pub fn struck(&self, role: Role, signal: Signal, origin: Origin) -> Option<Moment> {
        let mut after = self.branch.clone();
        let task = after.task(role).filter(|task| after.world.task(*task).is_alive())?;
        let world = &mut after.world;
        let own = world.pids(task).last().copied().unwrap_or(0);
        match origin {
            Origin::Kernel => send_signal(world, signal, &mut Info::Priv, task, To::Thread),
            Origin::Fault => send_signal(world, signal, &mut Info::Fault, task, To::Thread),
            Origin::Own => {
                world.current.0 = Some(task);
                send_signal(world, signal, &mut Info::User { si_pid: own }, task, To::Thread);
                world.current.0 = None;
            }
        }
        Some(self.with(after))
    }

    /// Sets the mask of a thread: what a handler blocks while it runs, and what comes back when it returns.
    #[must_use]
    pub fn masked(&self, role: Role, blocked: &[Signal]) -> Option<Moment> {
        let mut after = self.branch.clone();
        let task = after.task(role).filter(|task| after.world.task(*task).is_alive())?;
        let mut set = SigSet::EMPTY;
        blocked.iter().filter(|signal| !is_kernel_only(**signal)).for_each(|signal| set.insert(*signal));
        set_current_blocked(&mut after.world, task, set);
        Some(self.with(after))
    }

    /// Somebody has written a map for the user namespace that a role is in: the user who made it is root there, also after an exec.
    #[must_use]
    pub fn mapped(&self, role: Role) -> Option<Moment> {
        let mut after = self.branch.clone();
        let user_ns = after.world.cred(after.task(role)?).user_ns;
        if user_ns != UserNsId::OUTERMOST {
            after.world.user_namespaces[user_ns.0 as usize].mapped = true;
        }
        Some(self.with(after))
    }

    /// The signals that a thread blocks.
    pub fn mask(&self, role: Role) -> Vec<Signal> {
        self.branch.mask(role)
    }

    /// Somebody outside has taken the numbers of the outermost namespace below this one: it is tried next.
    #[must_use]
    pub fn with_next_number(&self, number: u32) -> Moment {
        let mut after = self.branch.clone();
        after.world.ns_mut(NsId::OUTERMOST).cursor = number;
        self.with(after)
    }

    /// Equal for moments that go on in the same ways, for who knows which calls have begun and what they gave. What is left out is history: in
    /// which order those came and went who are gone.
    pub fn key(&self) -> u64 {
        let mut bytes = Vec::with_capacity(4096);
        key::write_with(&self.branch, Numbers::Renamed, false, &mut bytes);
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        let world = &self.branch.world;
        for (_, task) in self.branch.known_roles() {
            world.pids(task).hash(&mut hasher);
            let next = world.namespace_for_children(task).map(|ns| world.ns(ns).cursor);
            (world.ns(world.namespace(task)).cursor, next).hash(&mut hasher);
        }
        hasher.finish()
    }

    /// Collects what can be heard of a change, and forgets it in the world.
    fn listen(&self, after: &mut Branch, caller: Option<Role>, heard: &mut Vec<Heard>) {
        let before = &self.branch;
        let returning: Vec<(TaskId, Return)> = after
            .world
            .calls
            .iter()
            .filter_map(|(task, call)| match call {
                InCall::Returning(what) if before.world.calls.get(task) != Some(call) => Some((*task, what.clone())),
                _ => None,
            })
            .collect();
        for (task, what) in returning {
            let Some(by) = after.role(task).filter(|by| Some(*by) != caller) else { continue };
            let told = after.known(by).and_then(|known| known.call.clone()).and_then(|(_, told)| told);
            heard.push(Heard::Returned { by, outcome: after.outcome(told, &what) });
        }
        for (task, signal) in std::mem::take(&mut after.world.shown) {
            let signal = Handled { signal: signal.signal, si_pid: signal.si_pid, child: signal.child };
            heard.extend(after.role(task).map(|by| Heard::Shown { by, signal }));
        }
        for (task, got) in std::mem::take(&mut after.world.handled) {
            heard.extend(after.role(task).map(|by| Heard::Handled { by, signal: got.signal }));
        }
        for (role, task) in before.known_roles() {
            if !is_over(&before.world, task) && is_over(&after.world, task) {
                heard.extend(
                    how_it_ended(&before.world, &after.world, task).map(|status| Heard::Ended { role, status }),
                );
            }
        }
        after.take_returned();
        after.note_waited();
        after.forget_released();
        let released: Vec<Role> = after.released_roles().filter(|role| !self.named.contains(role)).collect();
        released.into_iter().for_each(|role| after.forget(role));
        if let Some(released) = &mut after.world.released {
            released.clear();
        }
    }
}

/// Whether the next turn of a task only brings it back to user mode: nothing has come, or what its call gives is known.
fn is_idle(w: &World, task: TaskId) -> bool {
    let record = w.task(task);
    let process = w.process(task);
    let called = SignalFlags::GROUP_EXIT | SignalFlags::GROUP_EXEC | SignalFlags::CLD_MASK;
    matches!(record.at, At::User | At::Returning)
        && !record.flags.intersects(TaskFlags::IN_TRAP | TaskFlags::FRAMED | TaskFlags::EXITING)
        && !process.flags.intersects(called)
        && !has_pending(w, task)
}

/// The tracer has waited for a process that has ended. Where it is the parent as well (not `ptrace_reparented`), there is nobody else to be told.
///
/// # References
/// kernel/exit.c:wait_task_zombie
fn hand_back(w: &mut World, leader: TaskId, tracer: Option<TaskId>) {
    w.task_mut(leader).flags.remove(TaskFlags::UNTOLD);
    let is_parent = tracer
        .is_some_and(|tracer| w.task(leader).real_parent.is_some_and(|parent| w.same_thread_group(parent, tracer)));
    if is_parent || do_notify_parent(w, leader, w.task(leader).exit_signal) {
        reap(w, leader);
    }
}

/// Somebody outside of the recording has waited for a zombie.
fn reap(w: &mut World, leader: TaskId) {
    w.task_mut(leader).exit_state = ExitState::Dead;
    release_task(w, leader);
}

/// Whether a tracer has waited for a task.
fn is_over(w: &World, task: TaskId) -> bool {
    if !w.is_there(task) {
        return true;
    }
    let record = w.task(task);
    record.exit_state == ExitState::Zombie && !record.has(TaskFlags::UNTOLD) && w.is_over(w.group_leader(task))
}

/// How a task ended, as a tracer is told it; nothing where an exec has put another in its place.
fn how_it_ended(before: &World, after: &World, task: TaskId) -> Option<WaitStatus> {
    let code = |w: &World| {
        let process = w.process(task);
        let decided = process.has(SignalFlags::GROUP_EXIT);
        if decided { process.group_exit_code } else { w.task(task).exit_code }
    };
    if after.is_there(task) {
        return Some(code(after).status());
    }
    let was = before.task(task);
    (was.exit_state == ExitState::Zombie || was.at >= At::ExitMm).then(|| code(before).status())
}
