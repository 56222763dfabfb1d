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
    /// What a SIGCHLD says of the child.
    pub(crate) child: Option<WaitStatus>,
}

/// A signal that a handler got.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Handled {
    /// Which signal.
    pub signal: Signal,
    /// The sender's number, as `siginfo_t` has it.
    pub si_pid: u32,
    /// What a SIGCHLD that the kernel sent says of the child.
    pub child: Option<WaitStatus>,
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
        /// What became of it.
        status: WaitStatus,
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
        if !self.takes_signals(to) {
            self.explain_drop(to);
            return;
        }
        self.cancel_opposite(signal, to);
        if self.is_dropped(signal, to, forced) {
            return;
        }
        let already = {
            let record = self.process(self.queue_of(to, private));
            let pending = record.extra.as_ref().map_or(&[][..], |extra| &extra.pending);
            pending.iter().any(|pending| pending.signal == signal && pending.private == private)
        };
        if already && signal.number() < 32 {
            self.because(&rule::EXIT_SIGCHLD_COALESCES, to);
            return;
        }
        let child = match origin {
            Origin::Child { status, .. } if signal == Signal::CHLD => Some(*status),
            _ => None,
        };
        self.complete(signal, to, Pending { signal, si_pid, private, child });
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
            Origin::Child { si_pid, .. } => (*si_pid, false, false),
        }
    }

    /// The record whose queue holds a signal: the thread's own, or that of the process.
    #[inline]
    fn queue_of(&self, to: ProcessId, private: bool) -> ProcessId {
        if private { to } else { self.leader(to) }
    }

    /// Whether signals still mean something to a thread's process.
    #[inline]
    pub(crate) fn takes_signals(&self, to: ProcessId) -> bool {
        let leader = self.leader(to);
        let record = self.process(leader);
        !record.sealed && (record.life == Life::Alive || (record.life == Life::Zombie && record.team().is_some()))
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
        if signal != Signal::CONT && !is_stop(signal) {
            return;
        }
        let to = self.leader(to);
        if self.has_threads(to) {
            self.cancel_in_threads(signal, to);
            return;
        }
        if is_stop(signal) {
            if self.process(to).pending().contains(Signal::CONT) {
                self.because(&rule::SIG_STOP_CONT_CANCEL, to);
            }
            self.flush(to, |pending| pending == Signal::CONT);
        } else if signal == Signal::CONT {
            let pending = self.process(to).pending();
            self.flush(to, is_stop);
            if self.process(to).pending() != pending || self.process(to).stop_report.is_some() {
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

    /// The same where there are several threads, each with a queue of its own.
    fn cancel_in_threads(&mut self, signal: Signal, leader: ProcessId) {
        let threads: Vec<ProcessId> = self.threads(leader).collect();
        if signal != Signal::CONT {
            for thread in threads {
                self.flush(thread, |pending| pending == Signal::CONT);
            }
            return;
        }
        let team = self.process_mut(leader).team_mut().expect("it has threads");
        let half_stopped = std::mem::take(&mut team.stopping) > 0;
        let stopped = threads.iter().any(|thread| self.process(*thread).stopped) && !half_stopped;
        for thread in threads {
            self.flush(thread, is_stop);
            let record = self.process_mut(thread);
            let held = record.stopped || record.stop_pending;
            record.stop_pending = false;
            if std::mem::take(&mut record.stopped) {
                record.resumed = true;
            }
            if held {
                self.wake(thread);
            }
        }
        if stopped || half_stopped {
            self.because(&rule::SIG_CONT_RESUMES, leader);
            if self.process(leader).unkillable {
                self.because(&rule::SIG_INIT_CONT, leader);
            }
            let record = self.process_mut(leader);
            record.stop_report = None;
            record.continue_report = true;
            record.tell_continued = true;
        }
    }

    /// Takes back pending signals.
    pub(crate) fn flush(&mut self, process: ProcessId, which: impl Fn(Signal) -> bool) {
        let record = self.process_mut(process);
        if record.pending().is_empty() {
            return;
        }
        record.extra().pending.retain(|pending| !which(pending.signal));
        record.trim();
    }

    /// Whether the receiver ignores the signal at once.
    ///
    /// # References
    /// kernel/signal.c:sig_ignored, sig_task_ignored
    fn is_dropped(&mut self, signal: Signal, to: ProcessId, forced: bool) -> bool {
        let blocked = self.process(to).blocked.contains(signal);
        let to = self.leader(to);
        let record = self.process(to);
        let default = !record.ignored.contains(signal) && !record.caught.contains(signal);
        let unkillable = record.unkillable;
        if blocked {
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
        if self.has_threads(self.leader(to)) {
            self.complete_in_threads(signal, to, pending);
            return;
        }
        let record = self.process_mut(to);
        let busy = !record.pending().without(record.blocked).is_empty();
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
        if wanted {
            self.wake(to);
        } else if !blocked && self.process(to).stopped {
            self.because(&rule::SIG_STOPPED_WAITS, to);
        }
    }
}

/// Several threads: one is chosen to take the signal.
impl World {
    fn complete_in_threads(&mut self, signal: Signal, to: ProcessId, pending: Pending) {
        let leader = self.leader(to);
        let chosen = self.choose_thread(signal, to, pending.private);
        let record = self.process(leader);
        let default = !record.ignored.contains(signal) && !record.caught.contains(signal);
        // One thread's mask let the signal through to an init's queue: whoever takes it from there drops it.
        let spared = record.unkillable && !is_kernel_only(signal);
        if chosen.is_some() && default && !spared && default_action(signal) == DefaultAction::Terminate {
            self.because(&rule::SIG_FATAL, leader);
            if self.process(leader).life == Life::Zombie {
                self.because(&rule::THR_KILLED_LEADER_DEAD, leader);
            }
            self.doom(leader, WaitStatus::Killed(signal));
            return;
        }
        let queue = self.queue_of(to, pending.private);
        let record = self.process_mut(queue);
        record.extra().pending.push(pending);
        if let Some(thread) = chosen {
            self.because(&rule::SIG_CHOOSES_THREAD, thread);
            self.alert(thread);
        }
    }

    /// The addressed thread if it wants the signal; else, for one that is for the process, the next in turn that does.
    ///
    /// # References
    /// kernel/signal.c:complete_signal, wants_signal
    fn choose_thread(&mut self, signal: Signal, to: ProcessId, private: bool) -> Option<ProcessId> {
        if self.wants(signal, to) {
            return Some(to);
        }
        if private {
            return None;
        }
        let leader = self.leader(to);
        let turn = self.process(leader).team()?.turn;
        let all: Vec<ProcessId> = self.threads(leader).collect();
        let start = all.iter().position(|thread| *thread == turn).unwrap_or(0);
        let chosen =
            all.iter().cycle().skip(start).take(all.len()).copied().find(|thread| self.wants(signal, *thread))?;
        self.process_mut(leader).team_mut()?.turn = chosen;
        Some(chosen)
    }

    fn wants(&self, signal: Signal, thread: ProcessId) -> bool {
        let record = self.process(thread);
        record.life == Life::Alive
            && !record.blocked.contains(signal)
            && (signal == Signal::KILL || !(record.stopped || record.alerted || record.doomed))
    }

    /// A thread is told that there is a signal for it.
    pub(crate) fn alert(&mut self, thread: ProcessId) {
        self.process_mut(thread).alerted = true;
        self.wake(thread);
    }

    /// The pending signals that a thread may take: its own and its process's, without those that it blocks.
    pub(crate) fn takeable(&self, thread: ProcessId) -> SignalSet {
        let record = self.process(thread);
        self.pending_for(thread).without(record.blocked)
    }

    /// The signals that are pending for a thread or for its process.
    pub(crate) fn pending_for(&self, thread: ProcessId) -> SignalSet {
        let record = self.process(thread);
        let mut all = record.pending();
        if let Some(leader) = record.thread_of {
            for pending in self.process(leader).extra.as_ref().map_or(&[][..], |extra| &extra.pending) {
                if !pending.private {
                    all.insert(pending.signal);
                }
            }
        }
        all
    }
}

impl crate::process::Process {
    /// The set of signals in the queue.
    pub(crate) fn pending(&self) -> SignalSet {
        let mut set = SignalSet::EMPTY;
        for pending in self.extra.as_ref().map_or(&[][..], |extra| &extra.pending) {
            set.insert(pending.signal);
        }
        set
    }
}
