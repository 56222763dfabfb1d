//! What a new process is to be like (`struct kernel_clone_args`).

use pidlab_scenario::{CloneFlags, Signal};

/// What clone3(2) is asked for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CloneArgs<'a> {
    /// Its flags; `CLONE_FILES` changes nothing here.
    pub flags: CloneFlags,
    /// What the parent gets when the child ends; `None` is 0.
    pub exit_signal: Option<Signal>,
    /// The numbers asked for, innermost namespace first.
    pub set_tid: &'a [i32],
}

impl CloneArgs<'static> {
    /// A child made with these flags, that sends SIGCHLD when it ends and has the numbers that come next.
    pub const fn new(flags: CloneFlags) -> CloneArgs<'static> {
        CloneArgs { flags, exit_signal: Some(Signal::CHLD), set_tid: &[] }
    }
}

impl<'a> CloneArgs<'a> {
    /// With another signal for the parent, or none.
    #[must_use]
    pub const fn with_exit_signal(self, exit_signal: Option<Signal>) -> CloneArgs<'a> {
        CloneArgs { exit_signal, ..self }
    }

    /// With these numbers, innermost namespace first.
    #[must_use]
    pub const fn with_set_tid(self, set_tid: &[i32]) -> CloneArgs<'_> {
        CloneArgs { flags: self.flags, exit_signal: self.exit_signal, set_tid }
    }
}
