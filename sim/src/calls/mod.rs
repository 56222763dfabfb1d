//! The world from outside: what it shows, and the system calls as methods.
//!
//! A method makes the call, and then lets everything happen that the call has set going, first come first served. What it takes as a PID
//! is a number of the caller's own namespace, as on Linux.

pub(crate) mod processes;

pub(crate) mod signals;

pub(crate) mod namespaces;

mod settings;

mod tracing;

use pidlab_scenario::{Errno, Facts};

use crate::alloc::alloc_pid;
use crate::objects::cred::Cred;
use crate::objects::ids::{NsId, TaskId};
use crate::objects::pid::Nr;
use crate::objects::pid_namespace::ChildReaper;
use crate::objects::signal_struct::{SignalFlags, SignalStruct};
use crate::objects::task::{At, ExitState, Task, TaskFlags};
use crate::objects::wait_opts::Waited;
use crate::order::orders;
use crate::pid::{attach_pgrp, find_task_by_pid_ns, numbers, pid_nr_ns, task_pid_nr_ns};
use crate::storage::arena::{Id, Slot};
use crate::world::{Handled, Return, World};
use crate::{Rule, nsproxy};

/// What a task is doing, as everybody can see it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum State {
    /// Able to make a call.
    Running,
    /// Inside a call that has not returned.
    Blocked,
    /// Stopped by a signal.
    Stopped,
    /// Held by its tracer.
    Traced,
    /// The child reaper of a namespace, ended, inside `zap_pid_ns_processes`.
    Exiting,
    /// Ended and not waited for.
    Zombie,
}

impl World {
    /// A world of the newest kernel, its outermost namespace at the top of the machine.
    pub fn new() -> World {
        World::with(&Facts::newest().with_levels_above(0))
    }

    /// A world of a kernel with these facts.
    pub fn with(facts: &Facts) -> World {
        let mut world = World::empty(facts);
        let outermost = nsproxy::create_pid_namespace(&mut world, None, Cred::ROOT);
        debug_assert_eq!(outermost, NsId::OUTERMOST);
        let pid = alloc_pid(&mut world, outermost, &[], TaskId::FIRST).expect("an empty namespace has room");
        let process = world.signals.insert(SignalStruct {
            flags: SignalFlags::UNKILLABLE | SignalFlags::SESSION_LEADER,
            nr_threads: 1,
            ..SignalStruct::VACANT
        });
        let host = world.tasks.insert(Task {
            signal: process,
            thread_pid: pid,
            pid_ns_for_children: Some(outermost),
            exit_state: ExitState::None,
            ..Task::VACANT
        });
        debug_assert_eq!(host, TaskId::FIRST);
        world.pids[pid].task = Some(host);
        world.pids[pid].session = 1;
        attach_pgrp(&mut world, process, pid);
        let namespace = world.ns_mut(outermost);
        namespace.child_reaper = ChildReaper::Task(host);
        namespace.count += 1;
        world
    }

    /// The first process: PID 1 of the outermost namespace, its parent outside. Its first thread is another one after an exec by that one.
    pub fn host(&self) -> TaskId {
        self.find(NsId::OUTERMOST, 1).expect("nobody in the world can reap it")
    }

    /// What a task is doing; `None` once it is released.
    pub fn state(&self, task: TaskId) -> Option<State> {
        let task = self.is_there(task).then(|| self.task(task))?;
        match task.exit_state {
            ExitState::Vacant | ExitState::Dead => None,
            ExitState::Zombie => Some(State::Zombie),
            ExitState::None if task.at == At::Zap => Some(State::Exiting),
            ExitState::None if task.has(TaskFlags::STOPPED) => Some(State::Stopped),
            ExitState::None if task.has(TaskFlags::TRACED) => Some(State::Traced),
            ExitState::None if task.at == At::User => Some(State::Running),
            ExitState::None => Some(State::Blocked),
        }
    }

    /// Whether a task can make a call now: it is there, has not ended, and is neither stopped nor inside a call. Every call panics for a
    /// caller that cannot.
    ///
    /// ```
    /// use pidlab_sim::World;
    ///
    /// let mut world = World::new();
    /// let host = world.host();
    /// let child = world.fork(host)?;
    /// assert!(world.can_act(child));
    /// world.exit(child, 0);
    /// assert!(!world.can_act(child), "it is a zombie");
    /// # Ok::<(), pidlab_scenario::Errno>(())
    /// ```
    #[inline]
    pub fn can_act(&self, task: TaskId) -> bool {
        self.is_there(task) && self.task(task).is_running()
    }

    /// The first thread of a task's process, which stands for the process.
    ///
    /// # Panics
    /// If the task is released.
    #[track_caller]
    #[doc(alias = "group_leader")]
    #[doc(alias = "tgid")]
    pub fn leader(&self, task: TaskId) -> TaskId {
        self.group_leader(self.named(task))
    }

    /// The threads of a process that are not released, the first one (dead or alive) first, then in the order in which they were made.
    ///
    /// # Panics
    /// If the task is released.
    #[track_caller]
    pub fn threads(&self, task: TaskId) -> impl Iterator<Item = TaskId> + '_ {
        self.threads_of(self.task(self.named(task)).signal)
    }

    /// The process that made or adopted a task's process, by its first thread; `None` for the host, whose parent is outside.
    ///
    /// # Panics
    /// If the task is released.
    #[track_caller]
    #[doc(alias = "real_parent")]
    pub fn parent(&self, task: TaskId) -> Option<TaskId> {
        let parent = self.task(self.group_leader(self.named(task))).real_parent?;
        Some(self.group_leader(parent))
    }

    /// The thread that traces a task, if one does.
    #[doc(alias = "ptrace_parent")]
    pub fn tracer(&self, task: TaskId) -> Option<TaskId> {
        self.tracing.get(&task).map(|tracing| tracing.tracer)
    }

    /// The PID namespace that a task is in, for life.
    ///
    /// # Panics
    /// If the task is released.
    #[track_caller]
    #[doc(alias = "task_active_pid_ns")]
    pub fn namespace(&self, task: TaskId) -> NsId {
        self.active_ns(self.named(task))
    }

    /// The PID namespace of its next child; `None` once it has given that up.
    ///
    /// # Panics
    /// If the task is released.
    #[track_caller]
    #[doc(alias = "pid_ns_for_children")]
    pub fn namespace_for_children(&self, task: TaskId) -> Option<NsId> {
        self.task(self.named(task)).pid_ns_for_children
    }

    /// The parent of a namespace; `None` for the outermost.
    ///
    /// # Panics
    /// If the namespace is gone.
    #[track_caller]
    pub fn parent_namespace(&self, ns: NsId) -> Option<NsId> {
        self.named_ns(ns).parent
    }

    /// How deep a namespace is; the outermost has 0.
    ///
    /// # Panics
    /// If the namespace is gone.
    #[track_caller]
    pub fn level(&self, ns: NsId) -> u32 {
        self.named_ns(ns).level
    }

    /// A number for the namespace that no other namespace of this world ever has.
    ///
    /// # Panics
    /// If the namespace is gone.
    #[track_caller]
    pub fn namespace_serial(&self, ns: NsId) -> u64 {
        self.named_ns(ns).serial
    }

    /// The child reaper of a namespace; `None` before it is born and after it is reaped, or the namespace is gone.
    #[doc(alias = "child_reaper")]
    pub fn init(&self, ns: NsId) -> Option<TaskId> {
        self.existing(ns)?.reaper()
    }

    /// Whether nobody has ever been born in a namespace.
    ///
    /// # Panics
    /// If the namespace is gone.
    #[track_caller]
    pub fn is_unborn(&self, ns: NsId) -> bool {
        self.named_ns(ns).is_unborn()
    }

    /// Every namespace in existence.
    pub fn namespaces(&self) -> impl Iterator<Item = NsId> + '_ {
        self.namespaces.iter().filter(|ns| ns.count > 0).map(|ns| ns.id)
    }

    /// The numbers of a task, from the outermost namespace inward.
    ///
    /// # Panics
    /// If the task is released.
    #[track_caller]
    pub fn pids(&self, task: TaskId) -> &[u32] {
        numbers(self, self.task(self.named(task)).thread_pid)
    }

    /// The number of a task in a namespace; `None` where it has none, or if either is gone.
    ///
    /// # References
    /// include/linux/pid.h:task_pid_nr_ns
    #[doc(alias = "pid_nr_ns")]
    pub fn pid_in(&self, task: TaskId, ns: NsId) -> Option<Nr> {
        self.existing(ns)?;
        self.is_there(task).then(|| task_pid_nr_ns(self, task, ns))?
    }

    /// The number of its process group in a namespace; `None` where it is not visible, or the namespace is gone.
    ///
    /// # Panics
    /// If the task is released.
    #[track_caller]
    pub fn group_in(&self, task: TaskId, ns: NsId) -> Option<Nr> {
        self.existing(ns)?;
        pid_nr_ns(self, self.process(self.named(task)).pgrp, ns)
    }

    /// The number of its session in a namespace; `None` where it is not visible, or the namespace is gone.
    ///
    /// # Panics
    /// If the task is released.
    #[track_caller]
    pub fn session_in(&self, task: TaskId, ns: NsId) -> Option<Nr> {
        self.existing(ns)?;
        pid_nr_ns(self, self.process(self.named(task)).session, ns)
    }

    /// The task that has this number in a namespace; `None` where there is none, or the namespace is gone.
    ///
    /// # References
    /// kernel/pid.c:find_task_by_pid_ns
    #[doc(alias = "find_task_by_pid_ns")]
    pub fn find(&self, ns: NsId, number: i32) -> Option<TaskId> {
        self.existing(ns)?;
        find_task_by_pid_ns(self, ns, number)
    }

    /// The user that a task is, as the outermost user namespace has it.
    ///
    /// # Panics
    /// If the task is released.
    #[track_caller]
    pub fn user(&self, task: TaskId) -> u32 {
        self.cred(self.named(task)).uid
    }

    /// The signals that a task's handlers got since [`World::clear_handled`], in the order in which they ran.
    pub fn handled(&self, task: TaskId) -> impl Iterator<Item = Handled> + '_ {
        self.handled.iter().filter(move |(by, _)| *by == task).map(|(_, handled)| *handled)
    }

    /// Forgets what handlers got.
    pub fn clear_handled(&mut self) {
        self.handled.clear();
    }

    /// Waits that had blocked and have returned since the last call of this, in the order of the tasks.
    pub fn take_returned(&mut self) -> Vec<(TaskId, Result<Waited, Errno>)> {
        self.take_returns(|what| match what {
            Return::Wait(result) => Some(*result),
            Return::Told | Return::Signal(_) => None,
        })
    }

    /// What [`World::sigtimedwait`] gave to those who had slept in it, since the last call of this, in the order of the tasks.
    ///
    /// ```
    /// use pidlab_scenario::{MaskChange, Signal};
    /// use pidlab_sim::World;
    ///
    /// let mut world = World::new();
    /// let host = world.host();
    /// let child = world.fork(host)?;
    /// world.sigprocmask(child, MaskChange::Block, Signal::USR1);
    /// assert_eq!(world.sigtimedwait(child, &[Signal::USR1], true)?, None, "it sleeps");
    /// world.kill(host, 2, Some(Signal::USR1))?;
    /// let taken = world.take_signals();
    /// assert_eq!(taken.len(), 1);
    /// assert_eq!(taken[0].1.expect("there was one").si_pid, 1);
    /// # Ok::<(), pidlab_scenario::Errno>(())
    /// ```
    pub fn take_signals(&mut self) -> Vec<(TaskId, Result<Handled, Errno>)> {
        self.take_returns(|what| match what {
            Return::Signal(result) => Some(*result),
            Return::Told | Return::Wait(_) => None,
        })
    }

    /// Takes out the returns of one kind; those that were told when the call began are of none.
    fn take_returns<T>(&mut self, wanted: impl Fn(&Return) -> Option<T>) -> Vec<(TaskId, T)> {
        self.returned.retain(|(_, what)| *what != Return::Told);
        let taken = self.returned.iter().filter_map(|(task, what)| Some((*task, wanted(what)?))).collect();
        self.returned.retain(|(_, what)| wanted(what).is_none());
        taken
    }

    /// Starts (or ends) noting which rule decides what; off at the start, and then costs nothing.
    pub fn record_reasons(&mut self, on: bool) {
        self.log.recording = on;
    }

    /// The rules that decided since the last call of this, in order, each with the task that it was about.
    pub fn take_reasons(&mut self) -> Vec<(&'static Rule, TaskId)> {
        std::mem::take(&mut self.log.reasons)
    }

    /// Begins a call: it is the caller's turn.
    #[track_caller]
    #[inline]
    pub(crate) fn begin(&mut self, caller: TaskId) {
        assert!(self.can_act(caller), "the caller of a call is able to act: {caller:?} is {:?}", self.state(caller));
        self.current.0 = Some(caller);
        if let Some(released) = &mut self.released {
            released.clear();
        }
    }

    /// Ends a call that returns: the caller goes on first, then everything else happens.
    #[inline]
    pub(crate) fn finish<T>(&mut self, caller: TaskId, result: T) -> T {
        if !self.run_queue.is_empty() {
            if self.task(caller).has(TaskFlags::ON_RQ) {
                orders::put_first(self, caller);
            }
            orders::settle(self);
        }
        self.current.0 = None;
        result
    }
}

impl Default for World {
    fn default() -> World {
        World::new()
    }
}

impl TaskId {
    /// Its place among the slots: small, and used again after the task is released.
    pub fn index(self) -> usize {
        Id::index(self)
    }
}

impl NsId {
    /// Its place among the slots: small, and used again after the namespace is gone.
    pub fn index(self) -> usize {
        Id::index(self)
    }
}
