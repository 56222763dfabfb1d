//! Sending a signal: what becomes of it is decided here and now, by the sender; the receiver only carries it out.

use pidlab_scenario::{Signal, WaitStatus};

use crate::process::Life;
use crate::{Misconception, ProcessId, World, rule};

/// A set of signals.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct SignalSet(u64);

impl SignalSet {
    pub(crate) const EMPTY: SignalSet = SignalSet(0);

    pub(crate) fn contains(self, signal: Signal) -> bool {
        self.0 & SignalSet::bit(signal) != 0
    }

    pub(crate) fn insert(&mut self, signal: Signal) {
        self.0 |= SignalSet::bit(signal);
    }

    pub(crate) fn remove(&mut self, signal: Signal) {
        self.0 &= !SignalSet::bit(signal);
    }

    pub(crate) fn without(self, other: SignalSet) -> SignalSet {
        SignalSet(self.0 & !other.0)
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    fn bit(signal: Signal) -> u64 {
        1 << (signal.number() - 1)
    }
}

/// A signal that waits to be taken.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Pending {
    pub(crate) signal: Signal,
    pub(crate) si_pid: u32,
    /// For the thread, not for the process (tgkill); taken first.
    pub(crate) private: bool,
}

/// A signal that a handler got.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Handled {
    /// Which signal.
    pub signal: Signal,
    /// The sender's number, as `siginfo_t` has it.
    pub si_pid: u32,
}

/// Where a signal comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Origin {
    /// kill(2): one `siginfo_t` for all receivers of the call.
    User {
        /// The caller.
        sender: ProcessId,
        /// The sender's number in its own namespace, until a receiver that cannot see it zeroes it for good.
        si_pid: u32,
        /// tgkill(2).
        private: bool,
    },
    /// The dying parent of the receiver (`PR_SET_PDEATHSIG`).
    Dying(ProcessId),
    /// The kernel itself.
    Kernel,
    /// A child that ended, stopped or went on.
    Child {
        /// Its number in the parent's namespace.
        si_pid: u32,
    },
}

/// What a signal does by default (signal(7), "Standard signals").
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum DefaultAction {
    Ignore,
    Stop,
    Continue,
    Terminate,
    /// As terminate, but not before the receiver takes it.
    Dump,
}

pub(crate) fn default_action(signal: Signal) -> DefaultAction {
    match signal {
        Signal::CHLD | Signal::URG | Signal::WINCH => DefaultAction::Ignore,
        Signal::CONT => DefaultAction::Continue,
        Signal::STOP | Signal::TSTP | Signal::TTIN | Signal::TTOU => DefaultAction::Stop,
        // QUIT, ILL, TRAP, ABRT, BUS, FPE, SEGV, XCPU, XFSZ, SYS.
        _ if matches!(signal.number(), 3..=8 | 11 | 24 | 25 | 31) => DefaultAction::Dump,
        _ => DefaultAction::Terminate,
    }
}

/// Signals that no process can catch, block or ignore (kernel: `sig_kernel_only`).
pub(crate) fn is_kernel_only(signal: Signal) -> bool {
    signal == Signal::KILL || signal == Signal::STOP
}

fn is_stop(signal: Signal) -> bool {
    default_action(signal) == DefaultAction::Stop
}

impl World {
    /// Sends one signal to one process.
    ///
    /// # References
    /// kernel/signal.c:send_signal_locked, __send_signal_locked
    pub(crate) fn send(&mut self, signal: Signal, to: ProcessId, origin: &mut Origin) {
        let (si_pid, forced, private) = self.address(to, origin);
        if !self.process(to).takes_signals() {
            self.explain_drop(to);
            return;
        }
        self.cancel_opposite(signal, to);
        if self.is_dropped(signal, to, forced) {
            return;
        }
        let already = {
            let record = self.process(to);
            let pending = record.extra.as_ref().map_or(&[][..], |extra| &extra.pending);
            pending.iter().any(|pending| pending.signal == signal && pending.private == private)
        };
        if already && signal.number() < 32 {
            self.because(&rule::EXIT_SIGCHLD_COALESCES, to);
            return;
        }
        self.complete(signal, to, Pending { signal, si_pid, private });
    }

    /// What the receiver sees of the sender, and whether the sender stands above it.
    fn address(&mut self, to: ProcessId, origin: &mut Origin) -> (u32, bool, bool) {
        let ns = self.process(to).ns;
        match origin {
            Origin::User { sender, si_pid, private } => {
                let from_above = self.pid_in(*sender, ns).is_none();
                if from_above {
                    *si_pid = 0;
                }
                (*si_pid, from_above, *private)
            }
            Origin::Dying(father) => {
                let number = self.pid_in(*father, ns).map_or(0, crate::Pid::get);
                (number, number == 0, false)
            }
            Origin::Kernel => (0, true, false),
            Origin::Child { si_pid } => (*si_pid, false, false),
        }
    }

    fn explain_drop(&mut self, to: ProcessId) {
        match self.process(to).life {
            Life::Zombie => self.because(&rule::EXIT_ZOMBIE_IS_ADDRESSABLE, to),
            Life::Zapping => self.because(&rule::ZAP_STUCK_IMMUNE, to),
            _ => self.because(&rule::EXIT_FIRST_FATAL_WINS, to),
        }
    }

    /// A stop signal takes back a pending SIGCONT; SIGCONT takes back pending stops and ends a stop, before anything
    /// asks whether it is ignored.
    ///
    /// # References
    /// kernel/signal.c:prepare_signal
    fn cancel_opposite(&mut self, signal: Signal, to: ProcessId) {
        if is_stop(signal) {
            if self.process(to).pending.contains(Signal::CONT) {
                self.because(&rule::SIG_STOP_CONT_CANCEL, to);
            }
            self.flush(to, |pending| pending == Signal::CONT);
        } else if signal == Signal::CONT {
            let pending = self.process(to).pending;
            self.flush(to, is_stop);
            if self.process(to).pending != pending || self.process(to).stop_report.is_some() {
                self.because(&rule::SIG_STOP_CONT_CANCEL, to);
            }
            if self.process(to).stopped {
                self.because(&rule::SIG_CONT_RESUMES, to);
                if self.process(to).unkillable {
                    self.because(&rule::SIG_INIT_CONT, to);
                }
                let record = self.process_mut(to);
                record.stopped = false;
                record.stop_report = None;
                record.continue_report = true;
                record.tell_continued = true;
                record.resumed = true;
                self.wake(to);
            }
        }
    }

    /// Takes back pending signals.
    pub(crate) fn flush(&mut self, process: ProcessId, which: impl Fn(Signal) -> bool) {
        let record = self.process_mut(process);
        if record.pending.is_empty() {
            return;
        }
        record.extra().pending.retain(|pending| !which(pending.signal));
        record.count_pending();
        record.trim();
    }

    /// Whether the receiver ignores the signal at once.
    ///
    /// # References
    /// kernel/signal.c:sig_ignored, sig_task_ignored
    fn is_dropped(&mut self, signal: Signal, to: ProcessId, forced: bool) -> bool {
        let record = self.process(to);
        let default = !record.ignored.contains(signal) && !record.caught.contains(signal);
        let unkillable = record.unkillable;
        if record.blocked.contains(signal) {
            // A blocked signal may find another action when it is unblocked.
            self.because(if unkillable { &rule::SIG_INIT_BLOCKED } else { &rule::SIG_BLOCKED_QUEUES }, to);
            return false;
        }
        if unkillable && self.process(to).stopped {
            self.because(&rule::SIG_INIT_STOPPED, to);
        }
        if unkillable && default {
            if is_kernel_only(signal) && (forced || self.believes(Misconception::InitDiesFromInside)) {
                self.because(&rule::SIG_INIT_OUTER_FORCED, to);
                return false;
            }
            if !matches!(default_action(signal), DefaultAction::Ignore | DefaultAction::Continue) {
                let rule = if forced { &rule::SIG_INIT_OUTER_DROPPED } else { &rule::SIG_INIT_IMMUNE_INSIDE };
                self.because(rule, to);
            }
            return true;
        }
        if self.process(to).ignored.contains(signal) {
            self.because(&rule::SIG_IGNORED, to);
            return true;
        }
        default && matches!(default_action(signal), DefaultAction::Ignore | DefaultAction::Continue)
    }

    /// Queues the signal and, if the process is able to take it, says so; a deadly one is final at once.
    ///
    /// # References
    /// kernel/signal.c:complete_signal
    fn complete(&mut self, signal: Signal, to: ProcessId, pending: Pending) {
        let record = self.process_mut(to);
        let busy = !record.pending.without(record.blocked).is_empty();
        let blocked = record.blocked.contains(signal);
        let wanted = !blocked && (signal == Signal::KILL || !(record.stopped || busy));
        let default = !record.ignored.contains(signal) && !record.caught.contains(signal);
        if wanted && default && default_action(signal) == DefaultAction::Terminate {
            // It need not be queued: whoever is doomed takes no signal any more.
            self.because(&rule::SIG_FATAL, to);
            self.doom(to, WaitStatus::Killed(signal));
            return;
        }
        record.extra().pending.push(pending);
        record.pending.insert(signal);
        if wanted {
            self.wake(to);
        } else if !blocked && self.process(to).stopped {
            self.because(&rule::SIG_STOPPED_WAITS, to);
        }
    }
}

impl crate::process::Process {
    /// The set of pending signals, from the queue.
    pub(crate) fn count_pending(&mut self) {
        self.pending = SignalSet::EMPTY;
        for pending in self.extra.as_ref().map_or(&[][..], |extra| &extra.pending) {
            self.pending.insert(pending.signal);
        }
    }
}
