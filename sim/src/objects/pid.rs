//! A `struct pid`: one number at each level, and who uses it.
//!
//! ```text
//!   struct pid   level 1: 2        used as   PIDTYPE_PID   by the task that was born with it
//!                level 0: 3                  PIDTYPE_PGID  by every member of the process group
//!                                            PIDTYPE_SID   by every member of the session
//! ```
//!
//! A number is not a property of a task. The task lets go of it when it is reaped; the group and the session that bear it may last
//! longer, and as long as one of the three uses is left, the numbers are taken at every level.
//!
//! In the kernel: `struct pid`, `struct upid`, include/linux/pid.h.

use super::ids::{NsId, SignalId, TaskId};
use crate::storage::arena::Slot;
use crate::storage::numbers::Inline;

/// A PID: the number that a task, process group or session has in one namespace; never 0. What is not visible in a namespace has no
/// `Nr` there.
///
/// In the kernel: `pid_t`, the `nr` of a `struct upid`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[doc(alias = "pid_t")]
pub struct Nr(std::num::NonZeroU32);

impl Nr {
    pub(crate) fn new(number: u32) -> Option<Nr> {
        std::num::NonZeroU32::new(number).map(Nr)
    }

    /// The bare number.
    pub fn get(self) -> u32 {
        self.0.get()
    }
}

/// A `struct pid`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Pid {
    /// The innermost namespace that it has a number in.
    pub(crate) ns: NsId,
    /// Its numbers, the outermost namespace's first; read through [`pid_nr_ns`](crate::pid::pid_nr_ns).
    pub(crate) numbers: Inline,
    /// The task that has it as its own PID (`tasks[PIDTYPE_PID]`).
    pub(crate) task: Option<TaskId>,
    /// The newest member of the process group that has it (`tasks[PIDTYPE_PGID]`); the others follow by
    /// [`SignalStruct::pgrp_next`](super::signal_struct::SignalStruct).
    pub(crate) pgrp: Option<SignalId>,
    /// How many processes are in the session that has it (`tasks[PIDTYPE_SID]`).
    pub(crate) session: u32,
    /// Its place in the order of births: the order in which kill(-1) goes round (`init_task.tasks`).
    pub(crate) born: u32,
}

impl Slot for Pid {
    const VACANT: Pid = Pid { ns: NsId::OUTERMOST, numbers: [0, 0], task: None, pgrp: None, session: 0, born: 0 };
}
