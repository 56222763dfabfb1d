//! Signals: sets of them, what each does by default, and the queues in which they wait.
//!
//! A task has a queue of its own (tgkill(2), faults) and its process has one for all threads. A signal is in a queue once; only the
//! real-time ones, from 32 on, can wait several times.
//!
//! In the kernel: `sigset_t`, `struct sigpending`, `struct kernel_siginfo`, include/linux/signal_types.h; `sig_kernel_…`,
//! include/linux/signal.h.

use std::collections::BTreeMap;

use pidlab_scenario::{ChildStatus, Signal};

use super::ids::{SignalId, TaskId};

/// A set of signals.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct SigSet(u64);

impl SigSet {
    pub(crate) const EMPTY: SigSet = SigSet(0);
    /// Every signal but SIGKILL and SIGSTOP, which nothing blocks: what is blocked while a handler runs.
    pub(crate) const MASKED: SigSet = SigSet(!(1 << 8 | 1 << 18));
    /// Signals of what an instruction did (`SYNCHRONOUS_MASK`): SEGV, BUS, ILL, TRAP, FPE, SYS.
    pub(crate) const SYNCHRONOUS: SigSet = SigSet(1 << 3 | 1 << 4 | 1 << 6 | 1 << 7 | 1 << 10 | 1 << 30);

    #[inline]
    const fn bit(signal: Signal) -> u64 {
        1 << (signal.number() - 1)
    }

    #[inline]
    pub(crate) fn contains(self, signal: Signal) -> bool {
        self.0 & SigSet::bit(signal) != 0
    }

    pub(crate) fn insert(&mut self, signal: Signal) {
        self.0 |= SigSet::bit(signal);
    }

    pub(crate) fn remove(&mut self, signal: Signal) {
        self.0 &= !SigSet::bit(signal);
    }

    #[inline]
    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Every other signal.
    #[must_use]
    pub(crate) fn complement(self) -> SigSet {
        SigSet(!self.0)
    }

    #[must_use]
    pub(crate) fn without(self, other: SigSet) -> SigSet {
        SigSet(self.0 & !other.0)
    }

    #[must_use]
    pub(crate) fn and(self, other: SigSet) -> SigSet {
        SigSet(self.0 & other.0)
    }

    #[must_use]
    pub(crate) fn or(self, other: SigSet) -> SigSet {
        SigSet(self.0 | other.0)
    }
}

/// What a signal does where nothing is set for it (signal(7), Standard signals).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum DefaultAction {
    /// `sig_kernel_ignore`; SIGCONT among them, whose work is done when it is sent.
    Ignore,
    /// `sig_kernel_stop`.
    Stop,
    /// The process terminates, at once.
    Terminate,
    /// `sig_kernel_coredump`: it terminates when a thread takes the signal, and not before.
    Dump,
}

pub(crate) fn default_action(signal: Signal) -> DefaultAction {
    match signal {
        Signal::CHLD | Signal::URG | Signal::WINCH | Signal::CONT => DefaultAction::Ignore,
        _ if is_stop(signal) => DefaultAction::Stop,
        // QUIT, ILL, TRAP, ABRT, BUS, FPE, SEGV, XCPU, XFSZ, SYS.
        _ if matches!(signal.number(), 3..=8 | 11 | 24 | 25 | 31) => DefaultAction::Dump,
        _ => DefaultAction::Terminate,
    }
}

/// SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU (`sig_kernel_stop`).
pub(crate) fn is_stop(signal: Signal) -> bool {
    matches!(signal, Signal::STOP | Signal::TSTP | Signal::TTIN | Signal::TTOU)
}

/// Signals that no process can catch, block or ignore (`sig_kernel_only`).
pub(crate) fn is_kernel_only(signal: Signal) -> bool {
    matches!(signal, Signal::KILL | Signal::STOP)
}

/// For whom a signal is (`enum pid_type`): one thread, or the process.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum To {
    /// `PIDTYPE_PID`: the thread.
    Thread,
    /// `PIDTYPE_TGID` and above: the process.
    Process,
}

/// What comes with a signal.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct SigInfo {
    pub(crate) signal: Signal,
    /// The sender's number, as the receiver is told it; 0 for none.
    pub(crate) si_pid: u32,
    /// What a SIGCHLD of the kernel says of the child (`si_code`, `si_status`).
    pub(crate) child: Option<ChildStatus>,
    /// An instruction of the receiver caused it (`si_code > 0`).
    pub(crate) fault: bool,
    /// Not even a tracer is asked about it (`SA_IMMUTABLE`, which the kernel has in the action).
    pub(crate) immutable: bool,
}

/// Whose queue: that of a thread alone (`pending`), or of a process for all its threads (`shared_pending`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Queue {
    Thread(TaskId),
    Process(SignalId),
}

/// The queues of signals. Every thread and every process has one, and nearly all are empty: those stand nowhere, and cost nothing.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct SigPending(BTreeMap<Queue, Vec<SigInfo>>);

impl SigPending {
    /// What is in a queue; `None` if it is empty.
    #[inline]
    pub(crate) fn of(&self, queue: Queue) -> Option<&Vec<SigInfo>> {
        if self.0.is_empty() { None } else { self.0.get(&queue) }
    }

    /// Which signals wait.
    #[inline]
    pub(crate) fn set(&self, queue: Queue) -> SigSet {
        let mut set = SigSet::EMPTY;
        for info in self.of(queue).into_iter().flatten() {
            set.insert(info.signal);
        }
        set
    }

    pub(crate) fn push(&mut self, queue: Queue, info: SigInfo) {
        self.0.entry(queue).or_default().push(info);
    }

    /// Takes back signals that wait. Answers whether there were any.
    pub(crate) fn flush(&mut self, queue: Queue, which: impl Fn(Signal) -> bool) -> bool {
        let Some(waiting) = self.0.get_mut(&queue) else { return false };
        let before = waiting.len();
        waiting.retain(|info| !which(info.signal));
        let after = waiting.len();
        self.normalize(queue, after);
        after < before
    }

    /// Whose queue it is is gone.
    #[inline(always)]
    pub(crate) fn drop(&mut self, queue: Queue) {
        if !self.0.is_empty() {
            self.0.remove(&queue);
        }
    }

    /// Takes the next signal that is not blocked: those of faults first, then by number, then by age.
    ///
    /// # References
    /// kernel/signal.c:__dequeue_signal, next_signal
    pub(crate) fn dequeue(&mut self, queue: Queue, blocked: SigSet) -> Option<SigInfo> {
        let rank = |info: &SigInfo| (!SigSet::SYNCHRONOUS.contains(info.signal), info.signal);
        self.take(queue, |info| !blocked.contains(info.signal), rank)
    }

    /// Takes the oldest signal that an instruction caused.
    ///
    /// # References
    /// kernel/signal.c:dequeue_synchronous_signal
    pub(crate) fn dequeue_synchronous(&mut self, queue: Queue, blocked: SigSet) -> Option<SigInfo> {
        self.take(queue, |info| info.fault && SigSet::SYNCHRONOUS.without(blocked).contains(info.signal), |_| ())
    }

    fn take<K: Ord>(
        &mut self,
        queue: Queue,
        which: impl Fn(&SigInfo) -> bool,
        rank: impl Fn(&SigInfo) -> K,
    ) -> Option<SigInfo> {
        let waiting = self.0.get_mut(&queue)?;
        let (at, _) = waiting.iter().enumerate().filter(|(_, info)| which(info)).min_by_key(|(_, info)| rank(info))?;
        let info = waiting.remove(at);
        let left = waiting.len();
        self.normalize(queue, left);
        Some(info)
    }

    fn normalize(&mut self, queue: Queue, left: usize) {
        if left == 0 {
            self.0.remove(&queue);
        }
    }
}
