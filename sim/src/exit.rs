//! The end of a process: from the decision to the free number.
//!
//! ```text
//!  Alive ──doomed──▶ (Leaving) ──▶ [Zapping: an init only] ──▶ Zombie ──wait──▶ Detached or Vacant
//! ```
//!
//! In one go, as under the kernel's `tasklist_lock`: its children find a new parent, its process group may become
//! orphaned, it becomes a zombie, its parent is told.

use pidlab_scenario::{Signal, WaitOptions, WaitStatus};

use crate::namespace::Phase;
use crate::process::{InCall, Life};
use crate::signal::Origin;
use crate::wait::Who;
use crate::{Misconception, ProcessId, Rule, World, rule};

impl World {
    /// _exit(2) by the whole process.
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// _exit(2); kernel/exit.c:do_group_exit
    pub fn exit(&mut self, caller: ProcessId, status: i32) {
        self.assert_acts(caller);
        self.because(&rule::EXIT_STATUS, caller);
        let leader = self.leader(caller);
        self.seal_fate(leader, WaitStatus::Exited((status & 0xff) as u8));
        if self.has_threads(leader) {
            self.wake_threads(leader);
        }
        // It is the caller's turn already: nobody is in the queue before it.
        self.run_exit(caller);
        self.settle();
    }

    pub(crate) fn begin_exit(&mut self, caller: ProcessId, status: i32) {
        self.because(&rule::EXIT_STATUS, caller);
        self.doom(caller, WaitStatus::Exited((status & 0xff) as u8));
    }

    /// Decides the end of a thread's process; nothing that comes later changes how it ends.
    pub(crate) fn doom(&mut self, id: ProcessId, status: WaitStatus) {
        let leader = self.leader(id);
        self.seal_fate(leader, status);
        self.wake_threads(leader);
    }

    fn wake_threads(&mut self, leader: ProcessId) {
        let threads: Vec<ProcessId> = self.threads(leader).collect();
        for thread in threads {
            if self.process(thread).life < Life::Zapping {
                self.wake(thread);
            }
        }
    }

    fn seal_fate(&mut self, leader: ProcessId, status: WaitStatus) {
        if self.has_threads(leader) {
            self.because(&rule::THR_GROUP_EXIT, leader);
            let threads: Vec<ProcessId> = self.threads(leader).collect();
            for thread in threads {
                if self.process(thread).life == Life::Alive {
                    self.condemn(thread);
                }
            }
            if let Some(team) = self.process_mut(leader).team_mut() {
                team.stopping = 0;
            }
        } else {
            self.condemn(leader);
        }
        let process = self.process_mut(leader);
        debug_assert!(!process.sealed, "the first decision stays");
        process.sealed = true;
        process.status = status;
        process.stop_report = None;
        process.continue_report = false;
        process.tell_continued = false;
    }

    /// A doomed process runs its exit.
    ///
    /// # References
    /// kernel/exit.c:do_exit
    pub(crate) fn run_exit(&mut self, id: ProcessId) {
        debug_assert!(self.process(id).life <= Life::Leaving && self.process(id).doomed);
        self.leave_queue(id);
        if self.process(id).extra.is_some() {
            if self.release_vfork_parent(id) {
                self.because(&rule::EXIT_ORDER_INSIDE, id);
                if self.ns(self.process(id).ns).reaper() == Some(id) {
                    self.because(&rule::ZAP_VFORK_PARENT, id);
                }
                // Its memory is gone, which is what the parent waits for; that it has ended comes later.
                self.process_mut(id).life = Life::Leaving;
                self.wake(id);
                return;
            }
            self.end_call(id);
            self.forget_signals(id);
        }
        self.explain_unsharer(id);
        self.drop_target(id);
        self.process_mut(id).life = Life::Leaving;
        if self.process(id).thread_of.is_some() || self.has_threads(id) {
            self.leave_team(id);
        }
        let ns = self.process(id).ns;
        if self.ns(ns).reaper() != Some(id) {
            self.finish_exit(id);
        } else if let Some(heir) = self.other_live_thread(id) {
            // The namespace lives as long as a thread of its init does (kernel: find_child_reaper).
            self.because(&rule::REAP_INIT_MT, heir);
            self.ns_mut(ns).phase = Phase::Open(heir);
            self.finish_exit(id);
        } else {
            self.start_zap(id);
        }
    }

    /// What the other threads notice of one that exits: signals that it would have taken are theirs, and a stop waits no
    /// longer for it.
    ///
    /// # References
    /// kernel/signal.c:exit_signals
    fn leave_team(&mut self, id: ProcessId) {
        let leader = self.leader(id);
        if self.process(leader).sealed {
            return;
        }
        let others: Vec<ProcessId> = self.threads(leader).filter(|thread| *thread != id).collect();
        for thread in others {
            if self.process(thread).life == Life::Alive && !self.takeable(thread).is_empty() {
                self.alert(thread);
            }
        }
        if std::mem::take(&mut self.process_mut(id).stop_pending) {
            self.take_part_in_stop(leader);
        }
    }

    fn explain_unsharer(&mut self, id: ProcessId) {
        if !self.explains() {
            return;
        }
        let record = self.process(id);
        let target = record.target.filter(|target| *target != record.ns);
        let is_init_there = |child: &ProcessId| {
            let child = self.process(*child);
            child.unkillable && Some(child.ns) == target
        };
        if target.is_some() && self.children(id).any(|child| is_init_there(&child)) {
            self.because(&rule::REAP_UNSHARER, id);
        }
    }

    /// Everything that happens under the kernel's `tasklist_lock`.
    ///
    /// # References
    /// kernel/exit.c:exit_notify
    pub(crate) fn finish_exit(&mut self, id: ProcessId) {
        if let Some(first) = self.process(id).first_child {
            self.forget_original_parent(id, first);
        }
        debug_assert!(matches!(self.process(id).life, Life::Leaving | Life::Zapping));
        if self.process(id).thread_of.is_some() || self.has_threads(id) {
            self.finish_thread(id);
            return;
        }
        self.kill_orphaned_group(id, None);
        if self.explains() && self.process(id).session_leader && self.process(id).session_members > 1 {
            self.because(&rule::PG_SESSION_LEADER_EXIT, id);
        }
        self.process_mut(id).life = Life::Zombie;
        self.finish_process(id);
    }

    /// One of several threads ends: the process does with the last one, and only then does anybody hear of it.
    ///
    /// # References
    /// kernel/exit.c:exit_notify, release_task
    fn finish_thread(&mut self, id: ProcessId) {
        let leader = self.leader(id);
        self.process_mut(id).life = Life::Zombie;
        let last = self.threads(leader).all(|thread| self.process(thread).life == Life::Zombie);
        if last {
            self.kill_orphaned_group(leader, None);
        }
        if id != leader {
            self.release_thread(id);
        }
        let waits = |thread: &ProcessId| matches!(self.process(*thread).call(), Some(InCall::Exec));
        let waiting = self.threads(leader).find(waits);
        if let Some(waiting) = waiting {
            self.wake(waiting);
        }
        if last {
            self.finish_process(leader);
        }
    }

    /// The process is a zombie, and has no threads left: its parent is told.
    fn finish_process(&mut self, leader: ProcessId) {
        if self.notify_parent(leader) {
            let parent = self.process(leader).parent.expect("somebody reaped it");
            self.release(parent, leader);
        }
    }

    /// Hands the children of a dying process on.
    ///
    /// # References
    /// kernel/exit.c:forget_original_parent, reparent_leader
    #[inline(never)]
    fn forget_original_parent(&mut self, father: ProcessId, first: ProcessId) {
        if let Some(heir) = self.other_live_thread(father) {
            self.hand_on_to_thread(father, heir);
            return;
        }
        let (reaper, rule) = self.find_new_reaper(father);
        let mut next = Some(first);
        while let Some(child) = next {
            next = self.process(child).next_sibling;
            self.process_mut(child).parent = Some(reaper);
            self.because(rule, child);
            self.explain_adoption(father, child);
            self.send_pdeath_signals(father, child);
            if self.process(child).exit_signal != Some(Signal::CHLD) {
                self.because(&rule::EXIT_SIGNAL_RESET, child);
                self.process_mut(child).exit_signal = Some(Signal::CHLD);
            }
            let mut gone = false;
            if self.is_over(child) {
                self.because(&rule::REAP_ZOMBIE_HANDOVER, child);
                if self.parent(father) == Some(self.leader(reaper)) {
                    self.because(&rule::EXIT_SIGCHLD_ORDER, child);
                }
                gone = self.notify_parent(child);
            }
            self.kill_orphaned_group(child, Some(father));
            if gone {
                self.release(father, child);
            }
        }
        self.splice_children(father, reaper);
    }

    /// Children stay in the family: a thread's go to another one of the same process, and nobody is told.
    fn hand_on_to_thread(&mut self, father: ProcessId, heir: ProcessId) {
        let children: Vec<ProcessId> = self.children(father).collect();
        for child in children {
            self.process_mut(child).parent = Some(heir);
            self.because(&rule::REAP_THREAD_FIRST, child);
            self.send_pdeath_signals(father, child);
        }
        self.splice_children(father, heir);
    }

    /// The parent-death signals that the threads of a child have asked for.
    fn send_pdeath_signals(&mut self, father: ProcessId, child: ProcessId) {
        if self.process(child).team().is_none() {
            self.send_pdeath_signal(father, child);
            return;
        }
        let threads: Vec<ProcessId> = self.threads(child).collect();
        for thread in threads {
            self.send_pdeath_signal(father, thread);
        }
    }

    fn send_pdeath_signal(&mut self, father: ProcessId, thread: ProcessId) {
        let Some(signal) = self.process(thread).pdeath_signal else { return };
        self.because(&rule::PDEATH_WHEN, thread);
        if !self.may_signal(father, thread, Some(signal)) {
            self.because(&rule::PDEATH_PERMISSION, thread);
            return;
        }
        self.because(&rule::PDEATH_SIGINFO, thread);
        if self.lead(thread).unkillable {
            self.because(&rule::PDEATH_INIT, thread);
        }
        self.send(signal, thread, &mut Origin::Dying(self.leader(father)));
    }

    fn explain_adoption(&mut self, father: ProcessId, child: ProcessId) {
        if !self.explains() {
            return;
        }
        let record = self.process(child);
        let (inside, init) = (record.ns == self.process(father).ns, record.unkillable);
        let lives = record.life < Life::Zombie;
        let stop_waits = record.stopped && record.stop_report.is_some();
        if init {
            self.because(&rule::REAP_NS_INIT, child);
        } else if !inside {
            self.because(&rule::REAP_INJECTED_CHILD, child);
        }
        if lives {
            self.because(&rule::REAP_LIVE_CHILD_SILENT, child);
        }
        if stop_waits {
            self.because(&rule::WAIT_STOP_AFTER_ADOPTION, child);
        }
        self.because(&rule::REAP_ORDER, child);
    }

    /// Appends the list of one parent to another's, in its order.
    pub(crate) fn splice_children(&mut self, from: ProcessId, to: ProcessId) {
        let (Some(first), Some(last)) = (self.process(from).first_child, self.process(from).last_child) else { return };
        self.process_mut(from).first_child = None;
        self.process_mut(from).last_child = None;
        let tail = self.process(to).last_child;
        self.process_mut(first).previous_sibling = tail;
        match tail {
            Some(tail) => self.process_mut(tail).next_sibling = Some(first),
            None => self.process_mut(to).first_child = Some(first),
        }
        self.process_mut(to).last_child = Some(last);
    }

    /// Who adopts the children of a dying process: a subreaper above it in *its own* namespace, else that namespace's
    /// init. The namespace of the children does not matter. Also answers which rule decided.
    ///
    /// # References
    /// kernel/exit.c:find_new_reaper
    fn find_new_reaper(&mut self, father: ProcessId) -> (ProcessId, &'static Rule) {
        let ns = self.process(father).ns;
        let init = self.ns(ns).reaper().expect("a namespace with a member has an init");
        if self.lead(father).subreaper {
            self.because(&rule::REAP_CHAIN, father);
        }
        let mut met_init = false;
        let mut at = self.lead(father).parent.map(|parent| self.leader(parent));
        if self.believes(Misconception::OrphansGoToGrandparent)
            && let Some(grandparent) = at.filter(|grandparent| self.process(*grandparent).life == Life::Alive)
        {
            return (grandparent, &rule::REAP_NS_IS_FATHERS);
        }
        while let Some(ancestor) = at {
            let candidate = self.process(ancestor);
            // A namespace contains its members' children, so leaving it upward means leaving it for good.
            if candidate.ns != ns && !self.believes(Misconception::SubreaperReachesInside) {
                if candidate.subreaper {
                    self.because(&rule::REAP_NO_CROSS_BOUNDARY, father);
                }
                if !met_init {
                    self.because(&rule::REAP_CHILD_OF_INJECTED, father);
                }
                break;
            }
            at = candidate.parent.map(|parent| self.leader(parent));
            met_init |= ancestor == self.leader(init);
            // One that has begun to leave does not adopt; one that is only doomed does, and hands on later.
            if candidate.subreaper
                && let Some(thread) = self.threads(ancestor).find(|thread| self.process(*thread).life == Life::Alive)
            {
                return (thread, &rule::REAP_SUBREAPER);
            }
        }
        (init, &rule::REAP_NS_IS_FATHERS)
    }

    /// Tells the parent that a child has ended. Answers whether the child is to vanish at once.
    ///
    /// # References
    /// kernel/signal.c:do_notify_parent
    #[inline(always)]
    fn notify_parent(&mut self, child: ProcessId) -> bool {
        let Some(mother) = self.process(child).parent else { return false };
        let parent = self.leader(mother);
        if self.threads(parent).any(|thread| self.process(thread).life == Life::Zapping) {
            self.because(&rule::REAP_DYING_INIT_ADOPTS, child);
            return true;
        }
        let mut signal = self.process(child).exit_signal;
        // No signal at all counts as another one.
        if self.process(child).parent_execed && signal != Some(Signal::CHLD) {
            self.because(&rule::EXIT_SIGNAL_RESET, child);
            signal = Some(Signal::CHLD);
        }
        let mut told = signal;
        let mut vanishes = false;
        if signal == Some(Signal::CHLD) {
            let parent = self.process(parent);
            vanishes = parent.ignored.contains(Signal::CHLD) || parent.no_child_wait;
            if parent.ignored.contains(Signal::CHLD) {
                told = None;
            }
        }
        if vanishes {
            self.because(&rule::EXIT_AUTOREAP, child);
        } else if signal != Some(Signal::CHLD) && self.process(parent).ignored.contains(Signal::CHLD) {
            self.because(&rule::EXIT_AUTOREAP_NOT_FOR_CLONE_CHILDREN, child);
        }
        if told == Some(Signal::CHLD)
            && !self.explains()
            && !self.has_threads(parent)
            && self.process(parent).lets_sigchld_pass()
        {
            told = None;
        }
        if let Some(signal) = told {
            let si_pid = self.pid_in(child, self.process(parent).ns).map_or(0, crate::Pid::get);
            self.because(&rule::EXIT_SIGNAL_SENT, child);
            if self.process(parent).caught.contains(signal) {
                self.because(&rule::VIEW_SIGINFO_SIGCHLD, child);
            }
            let lived = !self.process(parent).sealed;
            // The thread that made the child is asked first.
            let status = self.told_status(child);
            self.send(signal, mother, &mut Origin::Child { si_pid, status });
            if lived && self.process(parent).sealed {
                self.because(&rule::EXIT_SIGNAL_CAN_KILL_PARENT, parent);
            }
        }
        self.wake_waiter(mother, child);
        vanishes
    }

    /// What a SIGCHLD says of a child that has ended; a wait may be told something else.
    fn told_status(&mut self, child: ProcessId) -> WaitStatus {
        let told = self.process(child).extra.as_ref().and_then(|extra| extra.own_status);
        if told.is_some_and(|told| told != self.process(child).status) {
            self.because(&rule::REBOOT_SIGINFO_DIFFERS, child);
            self.because(&rule::WAIT_STATUS_SOURCE, child);
        }
        told.unwrap_or(self.process(child).status)
    }

    /// Wakes a parent that sleeps in a wait which this child could end.
    ///
    /// # References
    /// kernel/exit.c:__wake_up_parent, child_wait_callback
    #[inline]
    pub(crate) fn wake_waiter(&mut self, parent: ProcessId, child: ProcessId) {
        let leader = self.leader(parent);
        if !self.has_threads(leader) {
            self.wake_if_waiting(parent, parent, child);
            return;
        }
        let threads: Vec<ProcessId> = self.threads(leader).collect();
        for thread in threads {
            self.wake_if_waiting(thread, parent, child);
        }
    }

    #[inline]
    fn wake_if_waiting(&mut self, thread: ProcessId, parent: ProcessId, child: ProcessId) {
        let record = self.process(thread);
        let Some(InCall::Wait(query)) = record.call() else { return };
        let asked = thread == parent || !query.options.contains(WaitOptions::__WNOTHREAD);
        // A stopped process has left the queue of waiters.
        if asked && !record.stopped && !record.resumed && self.is_waited_for(child, query.who) {
            self.wake(thread);
        }
    }

    /// A zombie goes for good. `owner` heads the list that it is in.
    ///
    /// # References
    /// kernel/exit.c:release_task
    pub(crate) fn release(&mut self, owner: ProcessId, id: ProcessId) {
        debug_assert_eq!(self.process(id).life, Life::Zombie);
        debug_assert!(self.process(id).first_child.is_none(), "its children were handed on");
        self.leave_queue(id);
        self.unlink_child(owner, id);
        let record = self.process_mut(id);
        record.life = Life::Detached;
        record.parent = None;
        record.extra = None;
        let group = self.leave_group(id);
        let session = self.leave_session(id);
        let record = self.process(id);
        let (leads_group, leads_session) = (record.first_member.is_some(), record.session_members > 0);
        if leads_group || leads_session {
            self.because(&rule::ALLOC_FREED_WHEN, id);
            if leads_group {
                self.because(&rule::PG_GROUP_OUTLIVES_LEADER, id);
            }
        } else {
            self.free_pid(id);
        }
        if group != id {
            self.free_if_unused(group);
        }
        if session != id && session != group {
            self.free_if_unused(session);
        }
    }

    /// Frees the number of a reaped leader once its group and its session are empty.
    #[inline]
    pub(crate) fn free_if_unused(&mut self, leader: ProcessId) {
        let record = self.process(leader);
        if record.life == Life::Detached && record.first_member.is_none() && record.session_members == 0 {
            self.free_pid(leader);
        }
    }

    /// Ends the call that a process is in, without a result.
    pub(crate) fn end_call(&mut self, id: ProcessId) -> Option<InCall> {
        let call = self.process_mut(id).extra.as_mut()?.call.take()?;
        self.process_mut(id).trim();
        if let InCall::Vfork(child) = &call
            && let Some(extra) = self.process_mut(*child).extra.as_mut()
        {
            extra.vfork_waiter = None;
            self.process_mut(*child).trim();
        }
        if let InCall::Wait(query) = &call
            && let Who::Group(group) = query.who
        {
            let group_record = self.process_mut(group);
            group_record.pins -= 1;
            if group_record.pins == 0 && group_record.life == Life::Vacant {
                self.vacate(group);
            }
        }
        Some(call)
    }
}
