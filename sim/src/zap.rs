//! The death of a namespace: its init has ended, and ends everybody else before anybody can see that it did.
//!
//! ```text
//!   Open ──init exits──▶ Closing: no number is given out, every member gets SIGKILL,
//!                                 init waits until only its own number is left
//!                        ──────▶ Dead: init is a zombie; forks into the namespace fail for ever
//! ```
//!
//! The wait can be long. A member whose parent is outside stays a zombie until that parent waits, and a process outside
//! can keep the number of a dead member in use as its process group.
//!
//! Everything here is in kernel/pid_namespace.c:zap_pid_ns_processes.

use pidlab_scenario::{Signal, WaitStatus};

use crate::namespace::Phase;
use crate::process::Life;
use crate::signal::Origin;
use crate::{NsId, ProcessId, World, rule};

impl World {
    pub(crate) fn start_zap(&mut self, init: ProcessId) {
        let ns = self.process(init).ns;
        self.because(&rule::ZAP_TRIGGER, init);
        self.because(&rule::ZAP_ORDER, init);
        self.ns_mut(ns).phase = Phase::Closing(init);
        self.process_mut(init).life = Life::Zapping;
        let leader = self.leader(init);
        for sharer in self.sharers_of_handlers(leader) {
            if sharer != leader {
                self.because(&rule::ZAP_SIGHAND_LEAK, sharer);
            }
            let process = self.process_mut(sharer);
            process.ignored.insert(Signal::CHLD);
            process.caught.remove(Signal::CHLD);
        }
        if leader != init {
            self.because(&rule::ZAP_MT_STATUS, init);
        }
        self.kill_members(ns);
        self.collect_zombies(init);
        if self.ns(ns).allocated > self.numbers_of_init(init) {
            self.explain_wait(init);
        }
        self.continue_zap(init);
    }

    /// How many numbers of its namespace an ending init has itself: its own, and its dead leader's if it is another thread.
    pub(crate) fn numbers_of_init(&self, init: ProcessId) -> u32 {
        if self.process(init).thread_of.is_some() { 2 } else { 1 }
    }

    /// SIGKILL for everybody with a number in the namespace, in the order of numbers; fates are sealed before the first
    /// of them dies.
    fn kill_members(&mut self, ns: NsId) {
        let members: Vec<ProcessId> = self.ns(ns).ids.holders(2).map(|(_, holder)| holder).collect();
        for member in members {
            let leads = self.process(member).thread_of.is_none() || self.lead(member).life == Life::Zombie;
            if leads && self.takes_signals(member) {
                let rule =
                    if self.process(member).unkillable { &rule::ZAP_KILLS_DESCENDANTS } else { &rule::ZAP_KILLS_ALL };
                self.because(rule, member);
                self.send(Signal::KILL, member, &mut Origin::Kernel);
            }
        }
    }

    /// Reaps the children that have ended already, of every kind (kernel: wait4 with `__WALL`).
    fn collect_zombies(&mut self, init: ProcessId) {
        let threads = self.threads(self.leader(init));
        let zombies: Vec<ProcessId> =
            threads.flat_map(|thread| self.children(thread)).filter(|child| self.is_over(*child)).collect();
        for zombie in zombies {
            self.because(&rule::ZAP_COLLECTS, zombie);
            let owner = self.process(zombie).parent.unwrap_or(init);
            self.release(owner, zombie);
        }
    }

    /// Goes on when only the init's own number is left.
    pub(crate) fn continue_zap(&mut self, init: ProcessId) {
        let ns = self.process(init).ns;
        if self.ns(ns).allocated > self.numbers_of_init(init) {
            return;
        }
        self.because(&rule::ZAP_INVARIANT, init);
        self.because(&rule::ZAP_EXIT_STATUS, init);
        let leader = self.leader(init);
        if let Some(signal) = self.ns(ns).reboot {
            self.because(&rule::REBOOT_CODES, leader);
            let record = self.process_mut(leader);
            let killed = std::mem::replace(&mut record.status, WaitStatus::Killed(signal));
            let own = record.extra().own_status.get_or_insert(killed);
            // A leader that ended before is told of by the status of the whole process (kernel: release_task).
            if leader != init {
                *own = WaitStatus::Killed(signal);
            }
        }
        if self.members(leader).iter().any(|member| *member != leader) {
            self.because(&rule::ZAP_OWN_PGID_NO_PIN, init);
        }
        self.ns_mut(ns).phase = Phase::Dead;
        self.finish_exit(init);
    }

    /// Names what an init has to wait for, where it is not only for its own children.
    fn explain_wait(&mut self, init: ProcessId) {
        if !self.explains() {
            return;
        }
        let ns = self.process(init).ns;
        let members: Vec<ProcessId> = self.ns(ns).ids.holders(2).map(|(_, holder)| holder).collect();
        let mut stuck = false;
        for member in members {
            let record = self.process(member);
            if record.thread_of.is_some() {
                continue;
            }
            let parent_outside = record.parent.is_some_and(|parent| !self.is_within(self.process(parent).ns, ns));
            if record.life == Life::Detached {
                self.because(&rule::ZAP_PGID_PIN, member);
                stuck = true;
            } else if record.is_task() && parent_outside {
                self.because(&rule::ZAP_WAITS_FOR_OUTSIDE_PARENT, member);
                stuck = true;
                self.explain_deadlock(init, member);
            }
        }
        let around = self.ns(ns).parent.map(|around| self.ns(around).phase);
        if let Some(Phase::Closing(outer)) = around.filter(|_| stuck) {
            self.because(&rule::ZAP_NESTED_STALL, outer);
        }
    }

    /// The parent of both sleeps until `init` ends, and `init` until that parent reaps `member`.
    fn explain_deadlock(&mut self, init: ProcessId, member: ProcessId) {
        let Some(parent) = self.lead(init).parent.filter(|parent| self.process(member).parent == Some(*parent)) else {
            return;
        };
        if self.sleeps_for(parent, init) {
            self.because(&rule::ZAP_CLASSIC_DEADLOCK, parent);
        }
    }
}
