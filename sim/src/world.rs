//! The world: all objects, what is about to happen, and the notes on why.
//!
//! Nothing happens here. The functions of the other modules take a world as their first argument and are named, and sorted into
//! files, as in the kernel; the public methods of [`World`] stand in [`calls`](crate::calls).

use std::collections::{BTreeMap, VecDeque};

use pidlab_scenario::{ChildStatus, Errno, Fact, Facts, Signal};

use crate::objects::cred::{Cred, UserNamespace};
use crate::objects::ids::{CredId, MmId, NsId, PidId, SighandId, SignalId, TaskId};
use crate::objects::notify::Notify;
use crate::objects::ns_file::NsFile;
use crate::objects::pid::Pid;
use crate::objects::pid_namespace::PidNamespace;
use crate::objects::sighand::Sighand;
use crate::objects::signal_struct::{ExitCode, SignalFlags, SignalStruct};
use crate::objects::sigpending::{Queue, SigPending, SigSet, To};
use crate::objects::task::{At, ExitState, Task, TaskFlags};
use crate::objects::tracing::{Tracing, Trap};
use crate::objects::wait_opts::{WaitOpts, Waited};
use crate::storage::again::clone_by_fields;
use crate::storage::arena::{Arena, Slot};
use crate::storage::numbers::Rows;
use crate::storage::unseen::Unseen;
use crate::{Misconception, Rule};

/// A signal that a handler got.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub struct Handled {
    /// Which signal.
    pub signal: Signal,
    /// The sender's number, as `siginfo_t` has it.
    pub si_pid: u32,
    /// What a SIGCHLD that the kernel sent says of the child.
    pub child: Option<ChildStatus>,
}

/// A signal frame that is set up: what its handler gets, and the mask that comes back when it returns.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Frame {
    pub(crate) handled: Handled,
    pub(crate) saved: SigSet,
}

/// Where one clone has the TID of whom it makes written; 0 where nothing was.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct TidWords {
    /// Who has to clear the second one, until it has given up its memory.
    pub(crate) clears: Option<TaskId>,
    pub(crate) parent_tid: u32,
    pub(crate) child_tid: u32,
}

/// What belongs to the system call that a task is in.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum InCall {
    /// [`At::Wait`], [`At::WaitInterrupted`], [`At::WaitRestarts`].
    Wait(WaitOpts),
    /// [`At::Sigwait`].
    Sigwait {
        /// The signals that it takes.
        set: SigSet,
        /// What the caller really blocks, meanwhile (`real_blocked`).
        real_blocked: SigSet,
    },
    /// [`At::Vfork`]: the child.
    Vfork(TaskId),
    /// [`At::Abort`]: how many of its steps are done.
    Abort(u8),
    /// [`At::Returning`].
    Returning(Return),
}

/// What a call that comes back gives.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Return {
    /// Whatever its caller was told when it began.
    Told,
    /// A wait that had blocked.
    Wait(Result<Waited, Errno>),
    /// A wait for signals that had blocked.
    Signal(Result<Handled, Errno>),
}

/// The kernel's facts, one bit each.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct FactSet(u64);

/// The rules that decided, each with the task that it was about.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    pub(crate) recording: bool,
    pub(crate) reasons: Vec<(&'static Rule, TaskId)>,
}

/// A world of tasks in nested PID namespaces.
///
/// It starts with one process, [`World::host`], PID 1 of the outermost namespace. Operations are named after the system calls, take
/// the calling task first, and answer with what Linux would answer. After each the world is quiet: everything that the call set going
/// has happened, first come first served.
///
/// Two worlds are equal when nothing can ever tell them apart.
///
/// ```
/// use pidlab_sim::{State, World};
///
/// let mut world = World::new();
/// let host = world.host();
/// let parent = world.fork(host)?;
/// let child = world.fork(parent)?;
/// world.exit(parent, 0);
/// assert_eq!(world.state(parent), Some(State::Zombie));
/// assert_eq!(world.parent(child), Some(host));
/// # Ok::<(), pidlab_scenario::Errno>(())
/// ```
#[derive(PartialEq, Eq, Hash)]
pub struct World {
    pub(crate) tasks: Arena<TaskId, Task>,
    pub(crate) signals: Arena<SignalId, SignalStruct>,
    pub(crate) pids: Arena<PidId, Pid>,
    pub(crate) sighands: Arena<SighandId, Sighand>,
    pub(crate) namespaces: Arena<NsId, PidNamespace>,
    /// The numbers of those at level 2 and deeper.
    pub(crate) rows: Rows,
    /// Every credentials met so far; they stay.
    pub(crate) creds: Vec<Cred>,
    /// User namespaces in the order in which they were made. They stay: nothing can tell.
    pub(crate) user_namespaces: Vec<UserNamespace>,
    /// Shared memories whose user has changed since their program began (not `dumpable`).
    pub(crate) undumpable: Vec<MmId>,
    /// Signals that wait, for a thread alone (its `pending`) or for whichever thread of a process takes them (`shared_pending`).
    pub(crate) pending: SigPending,
    /// The calls that tasks are in.
    pub(crate) calls: BTreeMap<TaskId, InCall>,
    /// The namespaces that are kept open by nothing but a descriptor or a mount, by whatever number their keeper has for each.
    pub(crate) kept: BTreeMap<u16, NsFile>,
    /// Message queues, by whatever number their maker has for each: who is told of the next message.
    pub(crate) queues: BTreeMap<u16, Option<Notify>>,
    /// Where clones had TIDs written, in the order of these clones.
    pub(crate) tid_words: Vec<TidWords>,
    /// Every task has a tracer outside of the world that lets everything go on, as a recorder does.
    pub(crate) watched: bool,
    /// What that tracer was shown of signals about to be taken, in order.
    pub(crate) shown: Vec<(TaskId, Handled)>,
    /// Who is traced, and how.
    pub(crate) tracing: BTreeMap<TaskId, Tracing>,
    /// The lists of tracees: by tracer, and of one tracer the last one first.
    pub(crate) ptraced: Vec<(TaskId, TaskId)>,
    /// What tracees are held for, or were until just now.
    pub(crate) traps: BTreeMap<TaskId, Trap>,
    /// The signal frames that are set up.
    pub(crate) frames: BTreeMap<TaskId, Frame>,
    /// What handlers got, in the order in which they ran.
    pub(crate) handled: Vec<(TaskId, Handled)>,
    /// The calls that came back.
    pub(crate) returned: Vec<(TaskId, Return)>,
    /// Who was released by the last call, by what bore its numbers, and how it ended: what a pidfd still tells. `None` where nobody
    /// holds a pidfd.
    pub(crate) released: Option<Vec<(PidId, ExitCode)>>,
    pub(crate) births: u32,
    pub(crate) namespaces_made: u64,
    pub(crate) mms_shared: u32,
    pub(crate) fs_shared: u32,
    /// For one call: PID namespaces that are gone still count for the limits on them.
    pub(crate) gone_count: bool,
    /// How many levels of namespaces are above the outermost one of this world.
    pub(crate) levels_above: u32,
    /// The least `pid_max` that can be written.
    pub(crate) least_pid_max: u32,
    facts: FactSet,
    /// Whose turn it is: the kernel's `current`.
    pub(crate) current: Unseen<Option<TaskId>>,
    /// Tasks with something to do, in the order in which it came up. Every order is possible.
    pub(crate) run_queue: Unseen<VecDeque<TaskId>>,
    pub(crate) log: Unseen<Log>,
    pub(crate) misconception: Option<Misconception>,
}

#[rustfmt::skip]
clone_by_fields!(World {
    tasks, signals, pids, sighands, namespaces, rows, creds, user_namespaces, undumpable, pending, calls,
    kept, queues, tid_words, watched, shown, tracing, ptraced, traps, frames, handled, returned, released,
    births, namespaces_made, mms_shared, fs_shared, gone_count, levels_above, least_pid_max, facts, current,
    run_queue, log, misconception,
});

impl World {
    /// A world without anybody; [`World::with`](crate::calls) puts the first process in.
    pub(crate) fn empty(facts: &Facts) -> World {
        let mut world = World {
            tasks: Arena::new(),
            signals: Arena::new(),
            pids: Arena::new(),
            sighands: Arena::new(),
            namespaces: Arena::new(),
            rows: Rows::default(),
            creds: vec![Cred::ROOT],
            user_namespaces: vec![UserNamespace::new(None, 0)],
            undumpable: Vec::new(),
            pending: SigPending::default(),
            calls: BTreeMap::new(),
            kept: BTreeMap::new(),
            queues: BTreeMap::new(),
            tid_words: Vec::new(),
            watched: false,
            shown: Vec::new(),
            tracing: BTreeMap::new(),
            ptraced: Vec::new(),
            traps: BTreeMap::new(),
            frames: BTreeMap::new(),
            handled: Vec::new(),
            returned: Vec::new(),
            released: None,
            births: 0,
            namespaces_made: 0,
            mms_shared: 0,
            fs_shared: 0,
            gone_count: false,
            levels_above: facts.levels_above(),
            least_pid_max: facts.least_pid_max(),
            facts: FactSet(facts.iter().filter(|(_, holds)| *holds).fold(0, |set, (fact, _)| set | 1 << fact as u32)),
            current: Unseen(None),
            run_queue: Unseen(VecDeque::new()),
            log: Unseen(Log::default()),
            misconception: None,
        };
        let default = world.sighands.insert(Sighand { count: 1, ..Sighand::VACANT });
        debug_assert_eq!(default, SighandId::DEFAULT);
        world
    }

    /// Whether a fact holds of the kernel that this is a world of.
    #[inline(always)]
    pub(crate) fn holds(&self, fact: Fact) -> bool {
        self.facts.0 & (1 << fact as u32) != 0
    }

    /// Makes the world follow a misconception.
    pub fn misconceive(&mut self, misconception: Misconception) {
        self.misconception = Some(misconception);
    }

    /// Whether the world follows this misconception.
    #[inline]
    pub(crate) fn believes(&self, misconception: Misconception) -> bool {
        self.misconception == Some(misconception)
    }

    /// Notes that a rule decided something about a task.
    #[inline(always)]
    pub(crate) fn because(&mut self, rule: &'static Rule, about: TaskId) {
        if self.log.recording {
            self.note(rule, about);
        }
    }

    /// The same of the task that is about to be made: an allocation is for somebody who is not there yet.
    #[inline]
    pub(crate) fn because_of_newborn(&mut self, rule: &'static Rule) {
        if self.log.recording {
            self.note(rule, self.tasks.next());
        }
    }

    /// Apart, so that what nobody asks for takes no room in the code that decides.
    #[cold]
    #[inline(never)]
    fn note(&mut self, rule: &'static Rule, about: TaskId) {
        self.log.reasons.push((rule, about));
    }

    /// Whether reasons are noted: what only serves to find them is left out otherwise.
    #[inline(always)]
    pub(crate) fn explains(&self) -> bool {
        self.log.recording
    }

    #[inline(always)]
    pub(crate) fn task(&self, task: TaskId) -> &Task {
        &self.tasks[task]
    }

    #[inline(always)]
    pub(crate) fn task_mut(&mut self, task: TaskId) -> &mut Task {
        &mut self.tasks[task]
    }

    #[inline(always)]
    pub(crate) fn sig(&self, signal: SignalId) -> &SignalStruct {
        &self.signals[signal]
    }

    #[inline(always)]
    pub(crate) fn sig_mut(&mut self, signal: SignalId) -> &mut SignalStruct {
        &mut self.signals[signal]
    }

    /// What a task shares with the other threads of its process.
    #[inline(always)]
    pub(crate) fn process(&self, task: TaskId) -> &SignalStruct {
        &self.signals[self.tasks[task].signal]
    }

    #[inline(always)]
    pub(crate) fn process_mut(&mut self, task: TaskId) -> &mut SignalStruct {
        let signal = self.tasks[task].signal;
        &mut self.signals[signal]
    }

    /// The table of signal actions of a task.
    #[inline(always)]
    pub(crate) fn sighand(&self, task: TaskId) -> &Sighand {
        &self.sighands[self.process(task).sighand]
    }

    #[inline(always)]
    pub(crate) fn ns(&self, ns: NsId) -> &PidNamespace {
        &self.namespaces[ns]
    }

    #[inline(always)]
    pub(crate) fn ns_mut(&mut self, ns: NsId) -> &mut PidNamespace {
        &mut self.namespaces[ns]
    }

    /// The namespace that a task has its own number in (`task_active_pid_ns`).
    #[inline(always)]
    pub(crate) fn active_ns(&self, task: TaskId) -> NsId {
        self.pids[self.tasks[task].thread_pid].ns
    }

    /// The first thread of a task's process (`group_leader`).
    #[inline(always)]
    pub(crate) fn group_leader(&self, task: TaskId) -> TaskId {
        self.process(task).leader
    }

    /// Whether two tasks are threads of one process (`same_thread_group`).
    #[inline]
    pub(crate) fn same_thread_group(&self, one: TaskId, other: TaskId) -> bool {
        self.task(one).signal == self.task(other).signal
    }

    /// Whether a process has no thread but one that is released yet (`thread_group_empty`).
    #[inline(always)]
    pub(crate) fn thread_group_empty(&self, task: TaskId) -> bool {
        self.process(task).nr_threads <= 1
    }

    /// Whether a process has ended: its first thread, and every other one is released.
    #[inline(always)]
    pub(crate) fn is_over(&self, leader: TaskId) -> bool {
        self.task(leader).exit_state != ExitState::None && self.thread_group_empty(leader)
    }

    /// The threads of a process that are not released, the first one first, then in the order in which they were made.
    pub(crate) fn threads_of(&self, signal: SignalId) -> impl Iterator<Item = TaskId> + '_ {
        std::iter::successors(Some(self.sig(signal).leader), |thread| self.task(*thread).next_thread)
    }

    /// The same, to go through while they change.
    pub(crate) fn thread_list(&self, task: TaskId) -> Vec<TaskId> {
        self.threads_of(self.task(task).signal).collect()
    }

    /// Every task that is not released, in the order of their slots.
    pub fn tasks(&self) -> impl Iterator<Item = TaskId> + '_ {
        let there = self.tasks.iter().filter(|task| task.exit_state != ExitState::Vacant);
        there.filter_map(|task| self.pids[task.thread_pid].task)
    }

    /// Every process that is not reaped, by its first thread.
    pub fn processes(&self) -> impl Iterator<Item = TaskId> + '_ {
        self.tasks().filter(|task| self.group_leader(*task) == *task)
    }

    /// The children of one thread, in the order of its list: born and adopted ones at the tail.
    ///
    /// # Panics
    /// If the task is released.
    #[track_caller]
    pub fn children(&self, task: TaskId) -> impl Iterator<Item = TaskId> + '_ {
        std::iter::successors(self.task(self.named(task)).first_child, |child| self.task(*child).next_sibling)
    }

    /// Who a task is.
    #[inline]
    pub(crate) fn cred(&self, task: TaskId) -> Cred {
        self.creds[self.task(task).cred.0 as usize]
    }

    /// The place of these credentials in the list.
    pub(crate) fn cred_id(&mut self, cred: Cred) -> CredId {
        let at = self.creds.iter().position(|known| *known == cred).unwrap_or_else(|| {
            self.creds.push(cred);
            self.creds.len() - 1
        });
        CredId(u32::try_from(at).expect("each is made by a call"))
    }

    /// Lets a task run (`wake_up_process`). What has ended never runs again.
    #[inline]
    pub(crate) fn wake_up(&mut self, task: TaskId) {
        let record = &mut self.tasks[task];
        if !record.has(TaskFlags::ON_RQ) && record.exit_state == ExitState::None {
            record.flags.insert(TaskFlags::ON_RQ);
            self.run_queue.push_back(task);
        }
    }

    /// Whether a task is the init of a namespace, as far as signals go (`SIGNAL_UNKILLABLE`).
    #[inline(always)]
    pub(crate) fn is_unkillable(&self, task: TaskId) -> bool {
        self.process(task).has(SignalFlags::UNKILLABLE)
    }

    /// A task that exits is in no call and held for nothing, and no handler of it runs any more. Nearly always that is so already.
    #[inline(always)]
    pub(crate) fn forget_asides(&mut self, task: TaskId) {
        if !(self.frames.is_empty() && self.calls.is_empty() && self.traps.is_empty()) {
            self.frames.remove(&task);
            self.calls.remove(&task);
            self.traps.remove(&task);
        }
    }

    /// Which signals wait for a thread alone.
    #[inline]
    pub(crate) fn pending(&self, thread: TaskId) -> SigSet {
        self.pending.set(Queue::Thread(thread))
    }

    /// Which signals wait for a process, whichever thread takes them.
    #[inline]
    pub(crate) fn shared_pending(&self, process: SignalId) -> SigSet {
        self.pending.set(Queue::Process(process))
    }

    /// The queue that a signal for a thread, or for its process, comes into.
    #[inline]
    pub(crate) fn queue(&self, of: TaskId, whom: To) -> Queue {
        match whom {
            To::Thread => Queue::Thread(of),
            To::Process => Queue::Process(self.task(of).signal),
        }
    }

    /// Puts a task into a call.
    pub(crate) fn enter(&mut self, task: TaskId, at: At, call: InCall) {
        self.task_mut(task).at = at;
        self.calls.insert(task, call);
    }

    /// Takes a task out of its call.
    pub(crate) fn leave(&mut self, task: TaskId) -> Option<InCall> {
        self.task_mut(task).at = At::User;
        self.calls.remove(&task)
    }
}
