//! wait4(2) and waitid(2): which child, in which order, and when to sleep.
//!
//! A wait goes through the parent's list of children from its head, whoever died first. It sleeps only if some child
//! could still become what is asked for.

use pidlab_scenario::{Errno, Signal, WaitOptions, WaitStatus};

use crate::process::{InCall, Life, Return};
use crate::{Pid, ProcessId, World, rule};

/// Which children a wait is for, as the system calls have it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum WaitFor {
    /// Every child (`-1`, `P_ALL`).
    Any,
    /// The child with this number (`P_PID`).
    Pid(i32),
    /// The children in the caller's group (`0`, `P_PGID` with 0).
    OwnGroup,
    /// The children in the group with this number (`P_PGID`).
    Group(i32),
    /// This child, by a pidfd (`P_PIDFD`); `None` for a pidfd of a process that is reaped.
    Pidfd(Option<ProcessId>),
}

/// What a wait gives.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Waited {
    /// This child.
    Child {
        /// The child; with an ended one, its id now means nothing any more (unless `WNOWAIT`).
        process: ProcessId,
        /// Its number in the caller's namespace.
        number: Pid,
        /// What became of it.
        status: WaitStatus,
    },
    /// `WNOHANG`, and no child is ready.
    Nothing,
    /// It sleeps; [`World::take_returned`] will have the result.
    Blocks,
}

/// [`WaitFor`], looked up.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Who {
    Any,
    Process(ProcessId),
    Group(ProcessId),
    Nobody,
}

/// A wait that sleeps.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct WaitQuery {
    pub(crate) who: Who,
    asked: WaitFor,
    pub(crate) options: WaitOptions,
}

impl World {
    /// wait4(2).
    ///
    /// # Errors
    /// `ECHILD`: no child can ever match; `EINVAL`: an option of waitid(2); `ESRCH`: `pid` is the lowest number there is.
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// wait(2), wait4(2); kernel/exit.c:kernel_wait4
    #[doc(alias = "waitpid")]
    pub fn wait4(&mut self, caller: ProcessId, pid: i32, options: WaitOptions) -> Result<Waited, Errno> {
        let result = self.begin_wait4(caller, pid, options);
        self.settle();
        result
    }

    /// waitid(2).
    ///
    /// # Errors
    /// `ECHILD`: no child can ever match; `EINVAL`: an unknown option, none of `WEXITED`, `WSTOPPED`, `WCONTINUED`, or a
    /// number that can be nobody's.
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// waitid(2); kernel/exit.c:kernel_waitid
    pub fn waitid(&mut self, caller: ProcessId, target: WaitFor, options: WaitOptions) -> Result<Waited, Errno> {
        let result = self.begin_waitid(caller, target, options);
        self.settle();
        result
    }

    pub(crate) fn begin_wait4(&mut self, caller: ProcessId, pid: i32, options: WaitOptions) -> Result<Waited, Errno> {
        if options.intersects(WaitOptions::WNOWAIT | WaitOptions::WEXITED) {
            self.because(&rule::WAIT_ARGS, caller);
            return Err(Errno::EINVAL);
        }
        let asked = match pid {
            i32::MIN => {
                self.because(&rule::WAIT_ARGS, caller);
                return Err(Errno::ESRCH);
            }
            -1 => WaitFor::Any,
            0 => WaitFor::OwnGroup,
            pid if pid < 0 => WaitFor::Group(-pid),
            pid => WaitFor::Pid(pid),
        };
        self.begin_wait(caller, asked, options | WaitOptions::WEXITED)
    }

    pub(crate) fn begin_waitid(
        &mut self,
        caller: ProcessId,
        asked: WaitFor,
        options: WaitOptions,
    ) -> Result<Waited, Errno> {
        let events = WaitOptions::WEXITED | WaitOptions::WSTOPPED | WaitOptions::WCONTINUED;
        let impossible = match asked {
            WaitFor::Pid(number) => number <= 0,
            WaitFor::Group(number) => number < 0,
            WaitFor::Any | WaitFor::OwnGroup | WaitFor::Pidfd(_) => false,
        };
        if impossible || !options.intersects(events) {
            self.because(&rule::WAIT_ARGS, caller);
            return Err(Errno::EINVAL);
        }
        let asked = if asked == WaitFor::Group(0) { WaitFor::OwnGroup } else { asked };
        let result = self.begin_wait(caller, asked, options);
        if let (WaitFor::Pidfd(Some(_)), Ok(Waited::Child { process, .. })) = (asked, &result) {
            self.because(&rule::CLONE_PIDFD, *process);
        }
        result
    }

    fn begin_wait(&mut self, caller: ProcessId, asked: WaitFor, options: WaitOptions) -> Result<Waited, Errno> {
        self.assert_acts(caller);
        let query = WaitQuery { who: self.look_up(caller, asked), asked, options };
        let result = self.scan(caller, &query);
        if result == Ok(Waited::Blocks) {
            self.sleep_in_wait(caller, query);
        }
        result
    }

    #[cold]
    fn sleep_in_wait(&mut self, caller: ProcessId, query: WaitQuery) {
        self.because(&rule::WAIT_BLOCKS, caller);
        if let Who::Process(init) = query.who
            && self.process(init).life == Life::Zapping
            && self.children(caller).any(|child| self.is_held_up_by(init, child))
        {
            self.because(&rule::ZAP_CLASSIC_DEADLOCK, caller);
        }
        self.fall_asleep(caller, query);
    }

    /// Whether the zombie `member` keeps `init` from ending.
    fn is_held_up_by(&self, init: ProcessId, member: ProcessId) -> bool {
        let record = self.process(member);
        record.life == Life::Zombie && self.is_within(record.ns, self.process(init).ns)
    }

    /// Whether a process sleeps until this one child has ended.
    pub(crate) fn sleeps_for(&self, process: ProcessId, child: ProcessId) -> bool {
        matches!(self.process(process).call(), Some(InCall::Wait(query)) if query.who == Who::Process(child))
    }

    fn fall_asleep(&mut self, caller: ProcessId, query: WaitQuery) {
        if let Who::Group(group) = query.who {
            self.process_mut(group).pins += 1;
        }
        self.process_mut(caller).extra().call = Some(InCall::Wait(query));
    }

    /// The number means what it means in the caller's namespace, at the time of the call.
    #[inline(always)]
    fn look_up(&self, caller: ProcessId, asked: WaitFor) -> Who {
        let group = self.lead(caller).group;
        let caller = self.process(caller);
        let found = match asked {
            WaitFor::Any => Some(Who::Any),
            WaitFor::Pid(number) => self.find_pid(caller.ns, number).map(Who::Process),
            WaitFor::OwnGroup => group.map(Who::Group),
            WaitFor::Group(number) => self.find_pid(caller.ns, number).map(Who::Group),
            WaitFor::Pidfd(process) => process.map(Who::Process),
        };
        found.unwrap_or(Who::Nobody)
    }

    /// Kernel: `eligible_pid`.
    #[inline]
    pub(crate) fn is_waited_for(&self, child: ProcessId, who: Who) -> bool {
        match who {
            Who::Any => true,
            Who::Process(process) => child == process,
            Who::Group(group) => self.process(child).group == Some(group),
            Who::Nobody => false,
        }
    }

    /// Whether the kind of the child is asked for: a "clone child" has another exit signal than `SIGCHLD`.
    fn is_right_kind(&self, child: ProcessId, options: WaitOptions) -> bool {
        let clone_child = self.process(child).exit_signal != Some(Signal::CHLD);
        options.contains(WaitOptions::__WALL) || clone_child == options.contains(WaitOptions::__WCLONE)
    }

    /// One pass over the children. Whether it blocks is for the caller to carry out.
    ///
    /// # References
    /// kernel/exit.c:do_wait, wait_consider_task
    fn scan(&mut self, caller: ProcessId, query: &WaitQuery) -> Result<Waited, Errno> {
        let mut some_lives = false;
        let mut thread = caller;
        let mut next = self.process(thread).first_child;
        loop {
            let Some(child) = next else {
                // The caller's own children first, then those of the next threads in turn.
                match self.next_thread(thread, caller, query.options) {
                    Some(other) => thread = other,
                    None => break,
                }
                next = self.process(thread).first_child;
                continue;
            };
            next = self.process(child).next_sibling;
            if !self.is_waited_for(child, query.who) {
                continue;
            }
            if !self.is_right_kind(child, query.options) {
                self.because(&rule::WAIT_KINDS, child);
                continue;
            }
            if let Some(status) = self.report(child, query.options) {
                if thread != caller {
                    self.because(&rule::WAIT_ORDER_THREADS, child);
                }
                return Ok(self.take_report(caller, child, status, query));
            }
            let over = self.is_over(child);
            if over {
                self.because(&rule::WAIT_STOPPED_ZOMBIE_ONLY, child);
            } else if self.process(child).life == Life::Zombie {
                self.because(&rule::WAIT_LEADER_DEAD_THREADS_ALIVE, child);
            }
            some_lives |= !over;
        }
        if query.options.contains(WaitOptions::__WNOTHREAD) && self.has_threads(self.leader(caller)) {
            self.because(&rule::WAIT_NOTHREAD, caller);
        }
        if !some_lives {
            self.because(&rule::WAIT_ECHILD, caller);
            return Err(Errno::ECHILD);
        }
        if query.options.contains(WaitOptions::WNOHANG) {
            self.because(&rule::WAIT_NOHANG, caller);
            return Ok(Waited::Nothing);
        }
        Ok(Waited::Blocks)
    }

    /// The thread whose children a wait looks at after those of `thread`.
    fn next_thread(&self, thread: ProcessId, caller: ProcessId, options: WaitOptions) -> Option<ProcessId> {
        let leader = self.leader(caller);
        if !self.has_threads(leader) || options.contains(WaitOptions::__WNOTHREAD) {
            return None;
        }
        let after = self.threads(leader).skip_while(|other| *other != thread).nth(1);
        Some(after.unwrap_or(leader)).filter(|next| *next != caller)
    }

    /// What the child has to report, of what is asked for.
    fn report(&self, child: ProcessId, options: WaitOptions) -> Option<WaitStatus> {
        if self.is_over(child) {
            return options.contains(WaitOptions::WEXITED).then_some(self.process(child).status);
        }
        let child = self.process(child);
        if child.sealed {
            return None;
        }
        if options.contains(WaitOptions::WSTOPPED)
            && let Some(signal) = child.stop_report
        {
            return Some(WaitStatus::Stopped(signal));
        }
        (options.contains(WaitOptions::WCONTINUED) && child.continue_report).then_some(WaitStatus::Continued)
    }

    fn take_report(&mut self, caller: ProcessId, child: ProcessId, status: WaitStatus, query: &WaitQuery) -> Waited {
        let number = self.pid_in(child, self.process(caller).ns).expect("a child is visible to its parent");
        if self.explains() {
            self.explain_report(caller, child, status, query);
        }
        if query.options.contains(WaitOptions::WNOWAIT) {
            return Waited::Child { process: child, number, status };
        }
        match status {
            WaitStatus::StopUndone => unreachable!("no wait reports it"),
            WaitStatus::Stopped(_) => self.process_mut(child).stop_report = None,
            WaitStatus::Continued => self.process_mut(child).continue_report = false,
            WaitStatus::Exited(_) | WaitStatus::Killed(_) => {
                let owner = self.process(child).parent.unwrap_or(caller);
                self.release(owner, child);
            }
        }
        Waited::Child { process: child, number, status }
    }

    #[cold]
    fn explain_report(&mut self, caller: ProcessId, child: ProcessId, status: WaitStatus, query: &WaitQuery) {
        let rule = match (status, query.who) {
            (WaitStatus::Stopped(_) | WaitStatus::Continued, _) => &rule::WAIT_STOPPED,
            (_, Who::Group(_)) => &rule::WAIT_PGID_ACROSS_NS,
            (_, Who::Any) => &rule::WAIT_ORDER,
            (_, Who::Process(_) | Who::Nobody) => &rule::WAIT_PID_NUMBER_SPACE,
        };
        self.because(rule, child);
        if matches!(query.who, Who::Group(_)) {
            self.because(&rule::WAIT_PGID_ORDER, child);
        }
        if self.process(child).ns != self.process(caller).ns {
            self.because(&rule::VIEW_SIGINFO_SIGCHLD, child);
        }
        if query.options.contains(WaitOptions::WNOWAIT) {
            self.because(&rule::WAIT_NOWAIT, child);
        }
    }

    /// A sleeping waiter woke up: it looks first, before it takes any signal.
    pub(crate) fn look_again(&mut self, caller: ProcessId) {
        let Some(InCall::Wait(query)) = self.process(caller).call() else { return };
        let query = query.clone();
        let result = self.scan(caller, &query);
        if result != Ok(Waited::Blocks) {
            if result == Err(Errno::ECHILD) {
                self.because(&rule::EXIT_AUTOREAP_WAKES_WAIT, caller);
            }
            self.end_call(caller);
            self.process_mut(caller).extra().call = Some(InCall::Returning(Return::Wait(result)));
        }
    }

    /// The first half of a woken waiter's turn: it reaps, and is switched off before it takes its signals. Whoever waited for
    /// the number that is free now may go on in between. Answers whether there was such a half.
    pub(crate) fn only_looks(&mut self, caller: ProcessId) -> bool {
        let record = self.process(caller);
        let sleeps = matches!(record.call(), Some(InCall::Wait(_)));
        if record.life != Life::Alive || record.stopped || record.resumed || !sleeps {
            return false;
        }
        self.look_again(caller);
        matches!(self.process(caller).call(), Some(InCall::Returning(_)))
    }

    /// A wait that was cut short without a handler starts over, its numbers looked up anew.
    pub(crate) fn restart_wait(&mut self, caller: ProcessId) {
        let Some(InCall::Wait(query)) = self.process(caller).call() else { return };
        let WaitQuery { asked, options, .. } = query.clone();
        self.end_call(caller);
        let query = WaitQuery { who: self.look_up(caller, asked), asked, options };
        self.fall_asleep(caller, query);
        self.look_again(caller);
    }
}
