//! A tracee: who traces it, and what it is held for.
//!
//! In the kernel: `ptrace`, `parent`, `exit_code` and `last_siginfo` of `struct task_struct`.

use pidlab_scenario::Signal;

use super::ids::TaskId;
use super::sigpending::{SigInfo, To};

/// How a task is traced (`ptrace`, and `parent` where it is not `real_parent`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Tracing {
    pub(crate) tracer: TaskId,
    /// `PT_SEIZED`.
    pub(crate) seized: bool,
    /// `PT_EXITKILL`.
    pub(crate) exitkill: bool,
}

/// What a task sleeps in `ptrace_stop` for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Trap {
    /// The signal that it has taken, and whose it was; `None` where it takes part in a stop.
    pub(crate) held: Option<(SigInfo, To)>,
    /// `exit_code`: the signal that a wait tells of, and then the one that the task goes on with.
    pub(crate) code: Option<Signal>,
}
