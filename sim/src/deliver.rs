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

    /// Whether the thread is about to exit and could be asked to adopt meanwhile: as a subreaper, or for another thread of its
    /// process.
    pub(crate) fn may_adopt_while_doomed(&self, id: ProcessId) -> bool {
        let record = self.process(id);
        let lead = self.lead(id);
        record.life == Life::Alive && record.doomed && (lead.subreaper || lead.team().is_some())
    }

    fn run_live(&mut self, id: ProcessId) {
        match self.process(id).call() {
            // Only its end wakes it.
            Some(InCall::Vfork(_)) if !self.process(id).doomed => return,
            Some(InCall::Exec) if !self.process(id).doomed => {
                if let Some(leader) = self.continue_exec(id) {
                    self.run_live(leader);
                }
                return;
            }
            _ => {}
        }
        let resumed = std::mem::take(&mut self.process_mut(id).resumed);
        if !resumed && !self.process(id).stopped {
            self.look_again(id);
        }
        if self.process(id).doomed {
            self.run_exit(id);
            return;
        }
        if self.process(id).thread_of.is_some() || self.has_threads(id) {
            self.run_live_thread(id, resumed);
            return;
        }
        if std::mem::take(&mut self.process_mut(id).tell_continued) {
            self.notify_parent_of_stop(id, WaitStatus::Continued);
        }
        if self.process(id).stopped {
            return;
        }
        // It may be the last of several threads, and was told when there were more.
        self.process_mut(id).alerted = false;
        let taken = self.take_signals(id);
        self.leave_kernel(id, &taken, resumed);
    }

    /// One of several threads: it takes part in a stop, and looks for signals only if it was told that there are some.
    fn run_live_thread(&mut self, id: ProcessId, resumed: bool) {
        let leader = self.leader(id);
        if std::mem::take(&mut self.process_mut(leader).tell_continued) {
            self.notify_parent_of_stop(leader, WaitStatus::Continued);
        }
        if self.process(id).stopped {
            return;
        }
        if std::mem::take(&mut self.process_mut(id).stop_pending) {
            self.process_mut(id).stopped = true;
            self.take_part_in_stop(leader);
            return;
        }
        let alerted = std::mem::take(&mut self.process_mut(id).alerted);
        let taken = if alerted || resumed { self.take_signals(id) } else { Taken::All };
        self.leave_kernel(id, &taken, resumed);
    }

    /// What comes after signals: the end, a stop, or the way back to user mode.
    fn leave_kernel(&mut self, id: ProcessId, taken: &Taken, resumed: bool) {
        match taken {
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

    /// One thread less that has still to stop; with the last one the process has stopped.
    ///
    /// # References
    /// kernel/signal.c:task_participate_group_stop
    pub(crate) fn take_part_in_stop(&mut self, leader: ProcessId) {
        let Some(team) = self.process_mut(leader).team_mut() else { return };
        if team.stopping == 0 {
            return;
        }
        team.stopping -= 1;
        if team.stopping == 0 {
            let signal = team.stop_signal;
            let record = self.process_mut(leader);
            record.stop_report = Some(signal);
            record.continue_report = false;
            self.notify_parent_of_stop(leader, WaitStatus::Stopped(signal));
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
            Some(InCall::Wait(_) | InCall::Vfork(_) | InCall::Exec) | None => return,
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
        if let Some(extra) = self.process_mut(id).extra.as_mut() {
            extra.handled.append(&mut extra.framed);
        }
        while let Some(Pending { signal, si_pid, child, .. }) = self.dequeue(id) {
            let lead = self.lead(id);
            let (caught, ignored, unkillable) =
                (lead.caught.contains(signal), lead.ignored.contains(signal), lead.unkillable);
            if caught {
                let stops_first = self.takeable(id).contains(Signal::STOP);
                let extra = self.process_mut(id).extra();
                let place = if stops_first { &mut extra.framed } else { &mut extra.handled };
                place.push(Handled { signal, si_pid, child });
                self.because(&rule::SIG_HANDLER, id);
                if unkillable {
                    self.because(&rule::SIG_INIT_HANDLER, id);
                }
                self.interrupt(id);
                continue;
            }
            if ignored {
                continue;
            }
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
        if self.takeable(id).is_empty() {
            return None;
        }
        let blocked = self.process(id).blocked;
        let own = self.process(id).extra.as_ref().map_or(&[][..], |extra| &extra.pending);
        let takes_own = own.iter().any(|pending| pending.private && !blocked.contains(pending.signal));
        let holder = if takes_own { id } else { self.leader(id) };
        let others_own = holder != id;
        let queue = &mut self.process_mut(holder).extra().pending;
        // SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGSYS (kernel: `SYNCHRONOUS_MASK`).
        let fault = |signal: Signal| matches!(signal.number(), 4 | 5 | 7 | 8 | 11 | 31);
        let (index, _) = queue
            .iter()
            .enumerate()
            .filter(|(_, pending)| !blocked.contains(pending.signal) && (!others_own || !pending.private))
            .min_by_key(|(_, pending)| (!pending.private, !fault(pending.signal), pending.signal))?;
        let pending = queue.remove(index);
        if !queue.is_empty() {
            self.because(&rule::SIG_LOWEST_FIRST, id);
        }
        let record = self.process_mut(holder);
        record.trim();
        Some(pending)
    }

    /// # References
    /// kernel/signal.c:do_signal_stop
    fn stop(&mut self, id: ProcessId, signal: Signal) {
        self.because(&rule::SIG_STOPS, id);
        let leader = self.leader(id);
        if self.has_threads(leader) {
            self.stop_threads(id, leader, signal);
            return;
        }
        let record = self.process_mut(id);
        record.stopped = true;
        record.stop_report = Some(signal);
        record.continue_report = false;
        self.notify_parent_of_stop(id, WaitStatus::Stopped(signal));
    }

    /// The thread that took the signal stops, and the others are told to.
    fn stop_threads(&mut self, id: ProcessId, leader: ProcessId, signal: Signal) {
        let others: Vec<ProcessId> = self
            .threads(leader)
            .filter(|thread| *thread != id)
            .filter(|thread| {
                let record = self.process(*thread);
                record.life == Life::Alive && !record.doomed && !record.stopped
            })
            .collect();
        for thread in &others {
            self.because(&rule::THR_STOP, *thread);
            self.process_mut(*thread).stop_pending = true;
            self.wake(*thread);
        }
        self.process_mut(id).stopped = true;
        if let Some(team) = self.process_mut(leader).team_mut() {
            team.stop_signal = signal;
            team.stopping = 1 + others.len() as u32;
        }
        self.take_part_in_stop(leader);
    }

    /// SIGCHLD for a child that stopped or went on, and a look for a parent that waits.
    ///
    /// # References
    /// kernel/signal.c:do_notify_parent_cldstop
    fn notify_parent_of_stop(&mut self, child: ProcessId, status: WaitStatus) {
        let Some(parent) = self.process(child).parent else { return };
        if !self.lead(parent).ignored.contains(Signal::CHLD) {
            let si_pid = self.pid_in(child, self.process(parent).ns).map_or(0, crate::Pid::get);
            self.send(Signal::CHLD, parent, &mut Origin::Child { si_pid, status });
        }
        self.wake_waiter(parent, child);
    }
}
