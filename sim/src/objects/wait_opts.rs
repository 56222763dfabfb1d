//! What a wait is for, and what it gives.
//!
//! In the kernel: `struct wait_opts`, kernel/exit.h.

use pidlab_scenario::{WaitOptions, WaitStatus};

use super::ids::{PidId, TaskId};
use super::pid::Nr;

/// Which children a wait is for, as the system calls have it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum WaitFor {
    /// Every child (`-1`, `P_ALL`).
    Any,
    /// The child with this number (`P_PID`).
    Pid(i32),
    /// The children in the caller's group (`0`, `P_PGID` with 0).
    OwnGroup,
    /// The children in the group with this number (`P_PGID`).
    Group(i32),
    /// This child, by a pidfd (`P_PIDFD`); `None`, or a task that is released, for a pidfd of a process that is reaped.
    Pidfd(Option<TaskId>),
}

/// What a wait gives.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Waited {
    /// This child.
    Child {
        /// The child; with an ended one, its id now means nothing any more (unless `WNOWAIT`).
        child: TaskId,
        /// Its number in the caller's namespace.
        number: Nr,
        /// What became of it.
        status: WaitStatus,
    },
    /// `WNOHANG`, and no child is ready.
    Nothing,
    /// It sleeps; [`World::take_returned`](crate::World::take_returned) will have the result.
    Blocks,
}

/// [`WaitFor`], looked up (`wo_type` and `wo_pid`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Who {
    Any,
    Pid(PidId),
    Pgrp(PidId),
    /// What was meant has no number any more.
    Nobody,
}

/// A wait.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct WaitOpts {
    pub(crate) who: Who,
    /// As it was asked, to be looked up anew if the call starts over.
    pub(crate) asked: WaitFor,
    pub(crate) options: WaitOptions,
}
