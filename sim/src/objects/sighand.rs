//! What a process does with each signal: a table that processes can share (`CLONE_SIGHAND`).
//!
//! Threads always share it. A process whose table is all default and shared with nobody, as most are, has no record of its own: they
//! all refer to the first one, which never changes.
//!
//! In the kernel: `struct sighand_struct`, include/linux/sched/signal.h.

use pidlab_scenario::{Signal, SignalAction};

use super::sigpending::SigSet;
use crate::storage::arena::Slot;

/// A table of signal actions.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Sighand {
    /// `SIG_IGN`.
    pub(crate) ignored: SigSet,
    /// A handler.
    pub(crate) caught: SigSet,
    /// A handler with `SA_RESTART`.
    pub(crate) restart: SigSet,
    /// `SA_NOCLDWAIT` of SIGCHLD.
    pub(crate) no_cld_wait: bool,
    /// How many processes have it.
    pub(crate) count: u32,
}

impl Sighand {
    /// Sets what is done with one signal.
    pub(crate) fn set(&mut self, signal: Signal, action: SignalAction) {
        self.ignored.remove(signal);
        self.caught.remove(signal);
        self.restart.remove(signal);
        match action {
            SignalAction::Ignore => self.ignored.insert(signal),
            SignalAction::Handle => self.caught.insert(signal),
            SignalAction::HandleRestart => {
                self.caught.insert(signal);
                self.restart.insert(signal);
            }
            SignalAction::Default | SignalAction::NoCldWait => {}
        }
        if signal == Signal::CHLD {
            self.no_cld_wait = action == SignalAction::NoCldWait;
        }
    }

    /// Whether nothing is set for this signal.
    #[inline]
    pub(crate) fn is_default(&self, signal: Signal) -> bool {
        !self.ignored.contains(signal) && !self.caught.contains(signal)
    }

    /// Whether nothing is set for any.
    pub(crate) fn is_all_default(&self) -> bool {
        self.ignored.is_empty() && self.caught.is_empty() && !self.no_cld_wait
    }
}

impl Slot for Sighand {
    const VACANT: Sighand =
        Sighand { ignored: SigSet::EMPTY, caught: SigSet::EMPTY, restart: SigSet::EMPTY, no_cld_wait: false, count: 0 };
}
