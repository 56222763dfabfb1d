//! A task: one thread, with what is its own.
//!
//! ```text
//!   struct task_struct ──signal──▶ struct signal_struct    what the threads of a process share
//!        │      └─────thread_pid─▶ struct pid              its numbers
//!        ├─real_parent───────────▶ the task that made it, or adopted it
//!        ├─children              ▶ whom it made or adopted, each a process
//!        └─pid_ns_for_children ──▶ where the next one is born
//! ```
//!
//! In the kernel: `struct task_struct`, include/linux/sched.h.

use bitflags::bitflags;
use pidlab_scenario::Signal;

use super::ids::{CredId, FsId, NsId, PidId, SignalId, TaskId};
use super::signal_struct::ExitCode;
use super::sigpending::SigSet;
use crate::storage::arena::Slot;

bitflags! {
    /// What is true of a task: its `flags`, its `jobctl`, and the bits of its thread information.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
    pub(crate) struct TaskFlags: u32 {
        /// `PF_EXITING`: it has begun to exit; no signal for the process is given to it, and it adopts nobody.
        const EXITING = 1;
        /// Not `PF_FORKNOEXEC`: it runs another program than the one that it was born with.
        const EXECED = 1 << 1;
        /// `TIF_SIGPENDING`: it is to look for signals before it is back in user mode.
        const SIGPENDING = 1 << 2;
        /// SIGKILL in its own pending set (`fatal_signal_pending`); nothing comes with it, so it needs no place in the queue.
        const KILLED = 1 << 3;
        /// `JOBCTL_STOP_PENDING`: it has still to take part in a stop of its process.
        const STOP_PENDING = 1 << 4;
        /// `JOBCTL_STOP_CONSUME`: and it counts in `group_stop_count`.
        const STOP_CONSUME = 1 << 5;
        /// `JOBCTL_STOPPED`: it sleeps in `do_signal_stop`.
        const STOPPED = 1 << 6;
        /// It was waked inside `get_signal` and goes on there, without asking whether there is a signal.
        const IN_GET_SIGNAL = 1 << 7;
        /// A signal frame is set up: its handler runs as soon as the task is back in user mode.
        const FRAMED = 1 << 8;
        /// Somebody sleeps in the vfork that made it (`vfork_done`).
        const VFORK_DONE = 1 << 9;
        /// Its parent runs another program than when it was born (`parent_exec_id` differs from the parent's `self_exec_id`).
        const PARENT_EXECED = 1 << 10;
        /// It was the last thread of its process to begin its exit (`group_dead`).
        const GROUP_DEAD = 1 << 11;
        /// Its memory was not to be dumped when it gave it up (not `user_dumpable`).
        const CLOSED = 1 << 12;
        /// It is on the run queue, or running.
        const ON_RQ = 1 << 13;
        /// `JOBCTL_TRACED`: it sleeps in `ptrace_stop`.
        const TRACED = 1 << 14;
        /// It slept there, or still does, and goes on there.
        const IN_TRAP = 1 << 15;
        /// `JOBCTL_TRAP_STOP`: a tracee is to be held, for it is stopped or stops.
        const TRAP_STOP = 1 << 16;
        /// `JOBCTL_TRAP_NOTIFY`: a tracee is to be held, for it may go on.
        const TRAP_NOTIFY = 1 << 17;
        /// `JOBCTL_STOP_DEQUEUED`: no SIGCONT has come since it was held for a signal.
        const STOP_DEQUEUED = 1 << 18;
        /// Its process has ended, and the tracer outside of the world has not waited for it: it is no zombie for its real parent yet.
        const UNTOLD = 1 << 19;
        /// `LSM_UNSAFE_SHARE`: another process shared its filesystem information when its exec began.
        const UNSAFE_SHARE = 1 << 20;

        /// `JOBCTL_PENDING_MASK`, as far as stops go.
        const STOP_BITS = Self::STOP_PENDING.bits() | Self::STOP_CONSUME.bits();
        /// `JOBCTL_TRAP_MASK`.
        const TRAP_BITS = Self::TRAP_STOP.bits() | Self::TRAP_NOTIFY.bits();
    }
}

/// Where a task is between two turns: the system call that it is in, or how far its exit has come.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum At {
    /// In user mode, or on the way back there.
    User,
    /// In abort(3), a piece of user mode that goes on by itself.
    Abort,
    /// The work of its call is done; it has not come back to user mode.
    Returning,
    /// Asleep in `do_wait`, or waked and about to look again.
    Wait,
    /// `do_wait` was cut short by a signal (`-ERESTARTSYS`): it starts over unless a handler runs.
    WaitInterrupted,
    /// `do_wait` was cut short, and the handler that has it start over is to run first.
    WaitRestarts,
    /// Asleep in `do_sigtimedwait`, or waked and about to take what is there.
    Sigwait,
    /// Asleep in `wait_for_vfork_done`: only the child, or its own end, wakes it.
    Vfork,
    /// Asleep in `de_thread` until the other threads of its process have ended: only that, or its own end, wakes it.
    DeThread,
    /// In `do_exit`, `PF_EXITING` is set; its memory is next.
    ExitMm,
    /// In `do_exit`, before `exit_notify`.
    ExitNotify,
    /// In `zap_pid_ns_processes`: a child reaper that waits until it is alone.
    Zap,
    /// In `do_group_exit`: the other threads are told to exit, and it has still to begin with that itself.
    GroupExit,
    /// In `reboot_pid_ns`: the init is killed, and its own exit is next.
    Reboot,
}

/// `exit_state`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum ExitState {
    /// It has not ended.
    None,
    /// `EXIT_ZOMBIE`.
    Zombie,
    /// `EXIT_DEAD`: it is about to be released.
    Dead,
    /// Nobody: the slot is free.
    Vacant,
}

/// A task.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Task {
    /// The process that it is a thread of.
    pub(crate) signal: SignalId,
    /// Its numbers.
    pub(crate) thread_pid: PidId,
    /// The task that made or adopted its process; `None` for the first process of a world, whose parent is outside.
    pub(crate) real_parent: Option<TaskId>,
    /// The oldest of its children; born and adopted ones come at the tail.
    pub(crate) first_child: Option<TaskId>,
    pub(crate) last_child: Option<TaskId>,
    /// Its neighbours in the parent's list (`sibling`).
    pub(crate) next_sibling: Option<TaskId>,
    pub(crate) prev_sibling: Option<TaskId>,
    /// The next younger thread of its process (`thread_node`).
    pub(crate) next_thread: Option<TaskId>,
    /// Where its children are born (`nsproxy->pid_ns_for_children`); `None` once it has given that up.
    pub(crate) pid_ns_for_children: Option<NsId>,
    pub(crate) cred: CredId,
    /// The filesystem information that it shares with others (`CLONE_FS`); `None`: with nobody.
    pub(crate) fs: Option<FsId>,
    pub(crate) blocked: SigSet,
    pub(crate) flags: TaskFlags,
    pub(crate) exit_code: ExitCode,
    /// What the parent gets when its process ends; `None` is 0, and what threads have that lead nobody.
    pub(crate) exit_signal: Option<Signal>,
    /// What it gets when the task ends that is its parent.
    pub(crate) pdeath_signal: Option<Signal>,
    /// The signal of the last stop that it took part in (`JOBCTL_STOP_SIGMASK`), until it is continued.
    pub(crate) stop_signal: Option<Signal>,
    pub(crate) at: At,
    pub(crate) exit_state: ExitState,
}

impl Task {
    #[inline]
    pub(crate) fn has(&self, flags: TaskFlags) -> bool {
        self.flags.contains(flags)
    }

    /// Whether it could make a call now.
    #[inline]
    pub(crate) fn is_running(&self) -> bool {
        let held = self.flags.intersects(TaskFlags::STOPPED | TaskFlags::TRACED);
        self.at == At::User && self.exit_state == ExitState::None && !held
    }

    /// Whether it has not begun to exit.
    #[inline]
    pub(crate) fn is_alive(&self) -> bool {
        self.exit_state == ExitState::None && !self.has(TaskFlags::EXITING)
    }
}

impl Slot for Task {
    const VACANT: Task = Task {
        signal: SignalId::FIRST,
        thread_pid: PidId::FIRST,
        real_parent: None,
        first_child: None,
        last_child: None,
        next_sibling: None,
        prev_sibling: None,
        next_thread: None,
        pid_ns_for_children: None,
        cred: CredId::ROOT,
        fs: None,
        blocked: SigSet::EMPTY,
        flags: TaskFlags::empty(),
        exit_code: ExitCode::ZERO,
        exit_signal: None,
        pdeath_signal: None,
        stop_signal: None,
        at: At::User,
        exit_state: ExitState::Vacant,
    };
}
