//! The queue: processes that have something to do, and what each does when its turn comes.
//!
//! Nothing reacts inside an event. Whoever is signalled, woken or doomed is put into the queue; [`World::settle`] takes
//! the first one out and lets it run until it sleeps, stops or ends. On Linux the order is the scheduler's choice; the
//! [`Model`](crate::Model) tries them all.

use pidlab_scenario::{Errno, Signal, WaitStatus};

use crate::process::{InCall, Life, Return};
use crate::signal::{DefaultAction, Handled, Origin, Pending, default_action, is_kernel_only};
use crate::{ProcessId, World, rule};

/// How taking signals ended.
#[derive(PartialEq, Eq)]
enum Taken {
    /// No more of them.
    All,
    /// The process stops.
    Stopped,
    /// The process ends.
    Doomed,
}

impl World {
    /// Puts a process into the queue, once.
    pub(crate) fn wake(&mut self, id: ProcessId) {
        if !std::mem::replace(&mut self.process_mut(id).queued, true) {
            self.runnable.push_back(id);
        }
    }

    /// Lets everything happen that is about to, first come first served.
    #[inline]
    pub(crate) fn settle(&mut self) {
        while let Some(next) = self.runnable.pop_front() {
            self.run(next);
        }
    }

    /// Takes a process that will never run again out of the queue: one that dies by a signal in its own turn has put itself
    /// there, and its record may be another's soon.
    #[inline]
    pub(crate) fn leave_queue(&mut self, id: ProcessId) {
        if std::mem::take(&mut self.process_mut(id).queued) {
            self.runnable.retain(|queued| *queued != id);
        }
    }

    /// Takes a particular process out of the queue and lets it run.
    pub(crate) fn run_queued(&mut self, id: ProcessId) {
        self.runnable.retain(|queued| *queued != id);
        self.run(id);
    }

    fn run(&mut self, id: ProcessId) {
        self.process_mut(id).queued = false;
        match self.process(id).life {
            Life::Alive => self.run_live(id),
            Life::Leaving => self.run_exit(id),
            Life::Zapping => self.continue_zap(id),
            Life::Zombie | Life::Detached | Life::Vacant => {}
        }
    }

    /// A process that is only about to leave says so (kernel: `PF_EXITING`), which takes it out of the running as an
    /// adopter before it has handed on its own children.
    pub(crate) fn start_leaving(&mut self, id: ProcessId) {
        self.process_mut(id).life = Life::Leaving;
    }

    /// Whether the process is about to exit and could be asked to adopt meanwhile.
    pub(crate) fn is_doomed_subreaper(&self, id: ProcessId) -> bool {
        let record = self.process(id);
        record.life == Life::Alive && record.doomed && record.subreaper
    }

    fn run_live(&mut self, id: ProcessId) {
        let resumed = std::mem::take(&mut self.process_mut(id).resumed);
        if !resumed && !self.process(id).stopped {
            self.look_again(id);
        }
        if self.process(id).doomed {
            self.run_exit(id);
            return;
        }
        if std::mem::take(&mut self.process_mut(id).tell_continued) {
            self.notify_parent_of_stop(id);
        }
        if self.process(id).stopped {
            return;
        }
        match self.take_signals(id) {
            Taken::Doomed => self.run_exit(id),
            Taken::Stopped => {}
            Taken::All => {
                if resumed {
                    self.restart_wait(id);
                }
                self.come_back(id);
            }
        }
    }

    /// Back in user mode: a call that is done returns.
    fn come_back(&mut self, id: ProcessId) {
        let what = match self.process(id).call() {
            Some(InCall::Returning(what)) => what.clone(),
            Some(InCall::Interrupted) => {
                self.because(&rule::WAIT_EINTR, id);
                Return::Wait(Err(Errno::EINTR))
            }
            Some(InCall::Wait(_)) | None => return,
        };
        self.end_call(id);
        let place = self.returned.partition_point(|(other, _)| *other < id);
        self.returned.insert(place, (id, what));
    }

    /// Takes every pending signal that is not blocked.
    ///
    /// # References
    /// kernel/signal.c:get_signal
    fn take_signals(&mut self, id: ProcessId) -> Taken {
        while let Some(Pending { signal, si_pid, .. }) = self.dequeue(id) {
            let record = self.process_mut(id);
            if record.caught.contains(signal) {
                record.extra().handled.push(Handled { signal, si_pid });
                let unkillable = record.unkillable;
                self.because(&rule::SIG_HANDLER, id);
                if unkillable {
                    self.because(&rule::SIG_INIT_HANDLER, id);
                }
                self.interrupt(id);
                continue;
            }
            if record.ignored.contains(signal) {
                continue;
            }
            let unkillable = record.unkillable;
            match default_action(signal) {
                DefaultAction::Ignore | DefaultAction::Continue => {}
                _ if unkillable && !is_kernel_only(signal) => self.because(&rule::SIG_INIT_BLOCKED, id),
                DefaultAction::Stop => {
                    if signal != Signal::STOP && self.is_orphaned_group(id) {
                        self.because(&rule::PG_TSTP_ORPHANED, id);
                    } else {
                        self.stop(id, signal);
                        return Taken::Stopped;
                    }
                }
                DefaultAction::Terminate | DefaultAction::Dump => {
                    self.because(&rule::SIG_FATAL, id);
                    self.doom(id, WaitStatus::Killed(signal));
                    return Taken::Doomed;
                }
            }
        }
        Taken::All
    }

    /// A handler ran: a wait that sleeps fails, for the handlers here are installed without `SA_RESTART`.
    fn interrupt(&mut self, id: ProcessId) {
        if matches!(self.process(id).call(), Some(InCall::Wait(_))) {
            self.end_call(id);
            self.process_mut(id).extra().call = Some(InCall::Interrupted);
        }
    }

    /// The next signal: those for the thread first, then faults, then the lowest number.
    ///
    /// # References
    /// kernel/signal.c:dequeue_signal, next_signal
    fn dequeue(&mut self, id: ProcessId) -> Option<Pending> {
        let record = self.process_mut(id);
        if record.pending.without(record.blocked).is_empty() {
            return None;
        }
        let blocked = record.blocked;
        let queue = &mut record.extra().pending;
        // SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGSYS (kernel: `SYNCHRONOUS_MASK`).
        let fault = |signal: Signal| matches!(signal.number(), 4 | 5 | 7 | 8 | 11 | 31);
        let (index, _) = queue
            .iter()
            .enumerate()
            .filter(|(_, pending)| !blocked.contains(pending.signal))
            .min_by_key(|(_, pending)| (!pending.private, !fault(pending.signal), pending.signal))?;
        let pending = queue.remove(index);
        if !queue.is_empty() {
            self.because(&rule::SIG_LOWEST_FIRST, id);
        }
        let record = self.process_mut(id);
        record.count_pending();
        record.trim();
        Some(pending)
    }

    /// # References
    /// kernel/signal.c:do_signal_stop
    fn stop(&mut self, id: ProcessId, signal: Signal) {
        self.because(&rule::SIG_STOPS, id);
        let record = self.process_mut(id);
        record.stopped = true;
        record.stop_report = Some(signal);
        record.continue_report = false;
        self.notify_parent_of_stop(id);
    }

    /// SIGCHLD for a child that stopped or went on, and a look for a parent that waits.
    ///
    /// # References
    /// kernel/signal.c:do_notify_parent_cldstop
    fn notify_parent_of_stop(&mut self, child: ProcessId) {
        let Some(parent) = self.process(child).parent else { return };
        if !self.process(parent).ignored.contains(Signal::CHLD) {
            let si_pid = self.pid_in(child, self.process(parent).ns).map_or(0, crate::Pid::get);
            self.send(Signal::CHLD, parent, &mut Origin::Child { si_pid });
        }
        self.wake_waiter(parent, child);
    }
}
