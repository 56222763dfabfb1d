//! Threads: one record each, beside the record of their leader, which also stands for the process.
//!
//! ```text
//!  leader's record   what all share: signal actions, group, session, status, shared pending signals   (signal_struct)
//!                    and what is the leader's own: numbers, children, mask, target namespace          (task_struct)
//!  a thread's record only what is its own
//! ```
//!
//! A process of one thread has only the leader's record and no [`Team`], so that threads cost nothing where there are none.

use pidlab_scenario::{Signal, WaitStatus};

use crate::namespace::Phase;
use crate::process::{InCall, Life, Process, Return};
use crate::signal::SignalSet;
use crate::user::{Credentials, UserNsId};
use crate::{ProcessId, ProcessState, World, rule};

/// What a process with more than one thread has beside.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Team {
    /// The threads without the leader, in the order in which they were made.
    pub(crate) others: Vec<ProcessId>,
    /// From whom on a thread is looked for that takes a signal which the addressed thread does not want (kernel:
    /// `curr_target`).
    pub(crate) turn: ProcessId,
    /// How many threads have still to stop, of a stop that is under way (kernel: `group_stop_count`).
    pub(crate) stopping: u32,
    /// The signal of that stop.
    pub(crate) stop_signal: Signal,
}

impl World {
    /// The leader of a thread's process, whose record stands for the process; itself for a leader.
    #[doc(alias = "tgid")]
    #[doc(alias = "group_leader")]
    #[inline]
    pub fn leader(&self, thread: ProcessId) -> ProcessId {
        self.process(thread).thread_of.unwrap_or(thread)
    }

    /// The record that stands for a thread's process.
    #[inline]
    pub(crate) fn lead(&self, thread: ProcessId) -> &Process {
        self.process(self.leader(thread))
    }

    /// The record that stands for a thread's process, to change it.
    #[inline]
    pub(crate) fn lead_mut(&mut self, thread: ProcessId) -> &mut Process {
        let leader = self.leader(thread);
        self.process_mut(leader)
    }

    /// The threads of a process that are not released, the leader first (dead or alive), then in the order in which they were
    /// made.
    pub fn threads(&self, leader: ProcessId) -> impl Iterator<Item = ProcessId> + '_ {
        let others = self.process(leader).team().map_or(&[][..], |team| &team.others);
        std::iter::once(leader).chain(others.iter().copied())
    }

    /// Whether a process has threads beside its leader.
    #[inline]
    pub(crate) fn has_threads(&self, leader: ProcessId) -> bool {
        self.process(leader).team().is_some()
    }

    /// The first other thread of the same process that has not begun to exit.
    ///
    /// # References
    /// kernel/exit.c:find_alive_thread
    pub(crate) fn other_live_thread(&self, thread: ProcessId) -> Option<ProcessId> {
        let leader = self.leader(thread);
        if !self.has_threads(leader) {
            return None;
        }
        self.threads(leader).find(|other| *other != thread && self.process(*other).life == Life::Alive)
    }

    /// Whether a process has ended: the leader, and every other thread.
    pub(crate) fn is_over(&self, leader: ProcessId) -> bool {
        let record = self.process(leader);
        record.life == Life::Zombie && record.team().is_none()
    }

    /// Takes a new thread in.
    pub(crate) fn join_team(&mut self, leader: ProcessId, thread: ProcessId) {
        let team = self.process_mut(leader).extra().team.get_or_insert_with(|| {
            Box::new(Team { others: Vec::new(), turn: leader, stopping: 0, stop_signal: Signal::STOP })
        });
        team.others.push(thread);
        self.because(&rule::THR_PIDS, thread);
        self.because(&rule::ALLOC_THREADS_SHARE_SPACE, thread);
    }

    /// The end of one thread: `exit` as a bare system call.
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// _exit(2), C library/kernel differences; kernel/exit.c:do_exit, synchronize_group_exit
    #[doc(alias = "pthread_exit")]
    pub fn exit_thread(&mut self, caller: ProcessId, status: i32) {
        self.assert_acts(caller);
        self.begin_exit_thread(caller, status);
        self.settle();
    }

    pub(crate) fn begin_exit_thread(&mut self, caller: ProcessId, status: i32) {
        let status = WaitStatus::Exited((status & 0xff) as u8);
        let leader = self.leader(caller);
        if self.other_live_thread(caller).is_some() {
            self.because(&rule::THR_EXIT, caller);
            if caller == leader {
                self.process_mut(leader).status = status;
                self.because(&rule::WAIT_LEADER_DEAD_THREADS_ALIVE, leader);
            }
        } else {
            self.end_by_last_thread(caller, status);
        }
        self.process_mut(caller).doomed = true;
        self.wake(caller);
    }

    /// Nobody is left when this thread has gone: its status is the process's, unless that was decided before.
    pub(crate) fn end_by_last_thread(&mut self, caller: ProcessId, status: WaitStatus) {
        let leader = self.leader(caller);
        if self.process(leader).sealed {
            return;
        }
        let leader_went_first = caller != leader;
        let last_counts = self.last_thread_status;
        let record = self.process_mut(leader);
        record.sealed = true;
        if last_counts || !leader_went_first {
            record.status = status;
        }
        self.because(&rule::EXIT_STATUS, caller);
        if leader_went_first {
            self.because(if last_counts { &rule::WAIT_MT_EXIT_CODE } else { &rule::WAIT_MT_EXIT_CODE_LEADER }, caller);
        }
    }

    /// A thread that is not a leader goes for good; nobody waits for it.
    ///
    /// # References
    /// kernel/exit.c:release_task
    pub(crate) fn release_thread(&mut self, thread: ProcessId) {
        let leader = self.leader(thread);
        self.leave_queue(thread);
        let record = self.process_mut(thread);
        record.life = Life::Detached;
        record.extra = None;
        if let Some(mut team) = self.process_mut(leader).take_team() {
            if team.turn == thread {
                let at = team.others.iter().position(|other| *other == thread).unwrap_or(0);
                team.turn = team.others.get(at + 1).copied().unwrap_or(leader);
            }
            team.others.retain(|other| *other != thread);
            if !team.others.is_empty() {
                self.process_mut(leader).extra().team = Some(team);
            }
        }
        self.free_pid(thread);
    }

    /// Everybody whose actions for signals are in the same table: processes made with `CLONE_SIGHAND`.
    pub(crate) fn sharers_of_handlers(&self, leader: ProcessId) -> Vec<ProcessId> {
        let table = self.process(leader).handlers();
        if table == 0 {
            return vec![leader];
        }
        self.processes().filter(|other| self.process(*other).handlers() == table).collect()
    }

    /// execve(2): a new program in the same process. Of its threads only the caller is left, and it has the leader's number.
    ///
    /// Where there are other threads, they have to end first; then the answer of the call is among those that return later.
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// execve(2); fs/exec.c:begin_new_exec, de_thread
    #[doc(alias = "execve")]
    pub fn exec(&mut self, caller: ProcessId) {
        self.assert_acts(caller);
        self.begin_exec(caller);
        self.settle();
    }

    /// Answers whether the new program runs already.
    pub(crate) fn begin_exec(&mut self, caller: ProcessId) -> bool {
        let leader = self.leader(caller);
        if !self.has_threads(leader) && caller == leader {
            self.become_new_program(caller);
            return true;
        }
        self.because(&rule::THR_MT_EXEC, caller);
        self.process_mut(caller).extra().call = Some(InCall::Exec);
        let others: Vec<ProcessId> = self.threads(leader).filter(|thread| *thread != caller).collect();
        for thread in others {
            if self.process(thread).life == Life::Alive {
                self.condemn(thread);
                self.wake(thread);
            }
        }
        self.wake(caller);
        false
    }

    /// A thread is to exit without anything being decided about its process.
    pub(crate) fn condemn(&mut self, thread: ProcessId) {
        let record = self.process_mut(thread);
        record.doomed = true;
        // It wakes inside the stop, not in the call that the stop interrupted: a wait does not look again.
        record.resumed |= record.stopped;
        record.stopped = false;
        record.stop_pending = false;
    }

    /// Goes on with an exec once the other threads have ended. Answers the record that the caller has from now on.
    pub(crate) fn continue_exec(&mut self, caller: ProcessId) -> Option<ProcessId> {
        let leader = self.leader(caller);
        let alone = self
            .threads(leader)
            .all(|thread| thread == caller || (thread == leader && self.process(leader).life == Life::Zombie));
        if !alone {
            return None;
        }
        self.end_call(caller);
        if caller != leader {
            self.take_leaders_place(caller, leader);
        }
        self.become_new_program(leader);
        self.process_mut(leader).extra().call = Some(InCall::Returning(Return::Told));
        Some(leader)
    }

    /// The only thread left takes the leader's number and place; its own number is free again.
    fn take_leaders_place(&mut self, thread: ProcessId, leader: ProcessId) {
        debug_assert!(self.process(leader).first_child.is_none(), "a dead leader's children were handed on");
        self.leave_queue(thread);
        let own = self.process_mut(thread);
        let (target, blocked, pdeath_signal, private) =
            (own.target.take(), own.blocked, own.pdeath_signal, own.extra.take());
        let record = self.process_mut(leader);
        record.life = Life::Alive;
        record.doomed = false;
        record.alerted = false;
        record.take_team();
        record.target = target;
        record.blocked = blocked;
        record.pdeath_signal = pdeath_signal;
        record.set_credentials(private.as_ref().and_then(|private| private.credentials).unwrap_or(Credentials::ROOT));
        if let Some(private) = private {
            let extra = record.extra();
            extra.pending.extend(private.pending);
            extra.handled.extend(private.handled);
        }
        record.trim();
        let children: Vec<ProcessId> = self.children(thread).collect();
        for child in children {
            self.process_mut(child).parent = Some(leader);
        }
        self.splice_children(thread, leader);
        let ns = self.process(thread).ns;
        if self.ns(ns).phase == Phase::Open(thread) {
            self.ns_mut(ns).phase = Phase::Open(leader);
            self.because(&rule::ZAP_EXEC_INIT, leader);
        }
        self.process_mut(thread).life = Life::Detached;
        self.free_pid(thread);
        self.replaced.push((thread, leader));
        self.because(&rule::WAIT_ORDER_MT_EXEC, leader);
    }

    /// What a new program does not take over from the old one, and what its parent sees of it.
    fn become_new_program(&mut self, process: ProcessId) {
        self.because(&rule::EXEC_KEEPS_PROCESS, process);
        if self.process(process).unkillable {
            self.because(&rule::ZAP_EXEC_INIT, process);
        }
        if self.process(process).exit_signal != Some(Signal::CHLD) {
            self.because(&rule::EXIT_SIGNAL_RESET, process);
        }
        if !self.process(process).caught.is_empty() {
            self.because(&rule::EXEC_RESETS_HANDLERS, process);
        }
        let record = self.process_mut(process);
        record.caught = SignalSet::EMPTY;
        record.no_child_wait = false;
        if let Some(extra) = record.extra.as_mut() {
            extra.handlers = 0;
            extra.memory = 0;
            extra.undumpable = false;
            extra.closed = false;
            record.trim();
        }
        self.keep_or_drop_capabilities(process);
        let record = self.process_mut(process);
        record.exit_signal = Some(Signal::CHLD);
        record.execed = true;
        let children: Vec<ProcessId> = self.children(process).collect();
        for child in children {
            self.process_mut(child).parent_execed = true;
        }
        self.release_vfork_parent(process);
    }

    /// A new program has the capabilities that its user id gives: all for root, none for others, nor where nobody has a number.
    ///
    /// # References
    /// capabilities(7), Capabilities and execution of programs by root; security/commoncap.c:cap_bprm_creds_from_file
    fn keep_or_drop_capabilities(&mut self, process: ProcessId) {
        let Some(who) = self.process(process).credentials() else { return };
        let capable = who.user == 0 && who.user_ns == UserNsId::OUTERMOST;
        if who.capable && !capable {
            self.because(&rule::USER_EXEC_DROPS, process);
        }
        self.process_mut(process).set_credentials(Credentials { capable, ..who });
    }

    /// Whoever sleeps in a vfork for this child goes on. Answers whether there was somebody.
    ///
    /// # References
    /// kernel/fork.c:mm_release, complete_vfork_done
    pub(crate) fn release_vfork_parent(&mut self, child: ProcessId) -> bool {
        let record = self.process_mut(child);
        let Some(waiter) = record.extra.as_mut().and_then(|extra| extra.vfork_waiter.take()) else { return false };
        record.trim();
        self.because(&rule::VFORK_STATE, waiter);
        self.process_mut(waiter).extra().call = Some(InCall::Returning(Return::Told));
        self.wake(waiter);
        true
    }

    /// Whether a process sleeps in a vfork that it has just made.
    pub(crate) fn sleeps_in_vfork(&self, process: ProcessId) -> bool {
        matches!(self.process(process).call(), Some(InCall::Vfork(_)))
    }

    /// Whether a signal for the process is left to a thread that cannot take it yet, and the caller, which could, has not been
    /// told. A fork would make it look (kernel/fork.c:copy_process, `recalc_sigpending`).
    pub(crate) fn hides_a_signal(&self, caller: ProcessId) -> bool {
        self.has_threads(self.leader(caller)) && !self.takeable(caller).is_empty()
    }

    /// What a process or thread is seen to be doing. Which thread of an init is its last, and waits for the members of the
    /// namespace, can be open where several end at once: so the process is seen on its way out, and the thread has ended.
    pub(crate) fn shown_state(&self, id: ProcessId) -> Option<ProcessState> {
        let exiting = |thread: ProcessId| self.process(thread).life == Life::Zapping;
        if self.process(id).thread_of.is_some() {
            return self.state(id).filter(|_| !exiting(id));
        }
        if self.threads(id).any(exiting) { Some(ProcessState::Exiting) } else { self.state(id) }
    }
}
