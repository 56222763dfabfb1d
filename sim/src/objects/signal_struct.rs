//! What the threads of a process share: how it ends, whether it is stopped, what is pending for all of them, its group and session.
//!
//! "The process" is this record. A process of one thread has it like one of a hundred.
//!
//! In the kernel: `struct signal_struct`, include/linux/sched/signal.h.

use bitflags::bitflags;
use pidlab_scenario::{Signal, WaitStatus};

use super::ids::{MmId, PidId, SighandId, SignalId, TaskId};
use crate::storage::arena::Slot;

bitflags! {
    /// The `flags` of a process, and its two flags that have a word of their own in the kernel.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
    pub(crate) struct SignalFlags: u16 {
        /// Its end is decided, and `group_exit_code` says how.
        const GROUP_EXIT = 1;
        /// All threads are stopped.
        const STOP_STOPPED = 1 << 1;
        /// It went on since the last wait that asked for that.
        const STOP_CONTINUED = 1 << 2;
        /// The first thread that wakes up tells the parent of a stop …
        const CLD_STOPPED = 1 << 3;
        /// … or that it went on.
        const CLD_CONTINUED = 1 << 4;
        /// The init of a namespace: signals from inside do nothing by default.
        const UNKILLABLE = 1 << 5;
        /// A thread of it is in exec and waits for the others to end (`group_exec_task`).
        const GROUP_EXEC = 1 << 6;
        /// It adopts orphans below it (`is_child_subreaper`).
        const CHILD_SUBREAPER = 1 << 7;
        /// It leads a session (`leader`).
        const SESSION_LEADER = 1 << 8;
        /// Its end reaps it (`autoreap`).
        const AUTOREAP = 1 << 9;
        /// The pidfd that it was born with kills it by its last close (`PIDFD_AUTOKILL`, which the kernel has in the file).
        const AUTOKILL = 1 << 10;

        /// `SIGNAL_CLD_MASK`.
        const CLD_MASK = Self::CLD_STOPPED.bits() | Self::CLD_CONTINUED.bits();
        /// `SIGNAL_STOP_MASK`.
        const STOP_MASK = Self::CLD_MASK.bits() | Self::STOP_STOPPED.bits() | Self::STOP_CONTINUED.bits();
    }
}

/// How a task or process ended, or by what it is stopped, in the encoding of wait(2): the low seven bits a signal, above them the
/// status of _exit(2).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct ExitCode(u16);

impl ExitCode {
    pub(crate) const ZERO: ExitCode = ExitCode(0);

    /// Ended by itself.
    pub(crate) fn exited(status: i32) -> ExitCode {
        ExitCode(((status & 0xff) as u16) << 8)
    }

    /// Killed by a signal; for a stop: stopped by it.
    pub(crate) fn signal(signal: Signal) -> ExitCode {
        ExitCode(u16::from(signal.number()))
    }

    /// The signal in it.
    #[inline]
    pub(crate) fn get_signal(self) -> Option<Signal> {
        Signal::new((self.0 & 0x7f).into())
    }

    /// What wait(2) and SIGCHLD say of somebody who ended with it.
    #[inline]
    pub(crate) fn status(self) -> WaitStatus {
        match self.get_signal() {
            Some(signal) => WaitStatus::Killed(signal),
            None => WaitStatus::Exited((self.0 >> 8) as u8),
        }
    }
}

/// A process: what its threads share.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct SignalStruct {
    /// The first thread, whose PID is the process's (`group_leader`). The others follow by
    /// [`Task::next_thread`](super::task::Task), in the order in which they were made.
    pub(crate) leader: TaskId,
    /// The end of that list.
    pub(crate) last_thread: TaskId,
    /// How many threads are not released, dead ones included.
    pub(crate) nr_threads: u32,
    /// From whom on a thread is looked for that takes a signal which the addressed one does not want.
    pub(crate) curr_target: TaskId,
    /// How many threads have still to stop, of a stop that is under way.
    pub(crate) group_stop_count: u32,
    pub(crate) flags: SignalFlags,
    /// With [`SignalFlags::GROUP_EXIT`] how it ends; with [`SignalFlags::STOP_STOPPED`] what stopped it, until a wait has told.
    pub(crate) group_exit_code: ExitCode,
    /// Its process group (`pids[PIDTYPE_PGID]`).
    pub(crate) pgrp: PidId,
    /// Its session (`pids[PIDTYPE_SID]`).
    pub(crate) session: PidId,
    /// The next older member of the process group.
    pub(crate) pgrp_next: Option<SignalId>,
    /// The next newer one.
    pub(crate) pgrp_prev: Option<SignalId>,
    /// What it does with signals. The kernel has it in each task; threads always share it.
    pub(crate) sighand: SighandId,
    /// Which processes share its memory: those with the same number; `None` is with nobody. The kernel has it in each task; threads
    /// always share it.
    pub(crate) mm: Option<MmId>,
}

impl SignalStruct {
    #[inline]
    pub(crate) fn has(&self, flags: SignalFlags) -> bool {
        self.flags.contains(flags)
    }

    /// Replaces everything that is about stopping (`signal_set_stop_flags`).
    pub(crate) fn set_stop_flags(&mut self, flags: SignalFlags) {
        debug_assert!(!self.has(SignalFlags::GROUP_EXIT), "who ends does not stop");
        self.flags = (self.flags - SignalFlags::STOP_MASK) | flags;
    }

    /// Decides how the process ends. It is neither stopped nor stopping any more.
    pub(crate) fn set_group_exit(&mut self, code: ExitCode) {
        debug_assert!(!self.has(SignalFlags::GROUP_EXIT), "the first decision stays");
        self.flags = (self.flags - SignalFlags::STOP_MASK) | SignalFlags::GROUP_EXIT;
        self.group_exit_code = code;
        self.group_stop_count = 0;
    }
}

impl Slot for SignalStruct {
    const VACANT: SignalStruct = SignalStruct {
        leader: TaskId::FIRST,
        last_thread: TaskId::FIRST,
        nr_threads: 0,
        curr_target: TaskId::FIRST,
        group_stop_count: 0,
        flags: SignalFlags::empty(),
        group_exit_code: ExitCode::ZERO,
        pgrp: PidId::FIRST,
        session: PidId::FIRST,
        pgrp_next: None,
        pgrp_prev: None,
        sighand: SighandId::DEFAULT,
        mm: None,
    };
}
