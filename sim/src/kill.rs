//! kill(2) and its relatives, and what a process does with signals: actions and masks.

use pidlab_scenario::{Errno, MaskChange, Signal, SignalAction};

use crate::process::Life;
use crate::signal::{DefaultAction, Origin, SignalSet, default_action, is_kernel_only};
use crate::{ProcessId, World, rule};

impl World {
    /// kill(2). `pid` as there: a number, 0 for the caller's group, -1 for everybody, `-g` for a group; `signal` `None`
    /// only asks whether there is somebody.
    ///
    /// Afterwards the caller may be stopped or dead, if it was among the receivers.
    ///
    /// # Errors
    /// `ESRCH`: nobody in the caller's namespace is meant; `EPERM`: the caller may signal none of those meant.
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// kill(2); kernel/signal.c:kill_something_info
    pub fn kill(&mut self, caller: ProcessId, pid: i32, signal: Option<Signal>) -> Result<(), Errno> {
        let result = self.begin_kill(caller, pid, signal);
        self.settle();
        result
    }

    pub(crate) fn begin_kill(&mut self, caller: ProcessId, pid: i32, signal: Option<Signal>) -> Result<(), Errno> {
        self.assert_acts(caller);
        let ns = self.process(caller).ns;
        let targets = match pid {
            i32::MIN => Vec::new(),
            -1 => self.everybody_but(caller),
            0 => self.group(caller).map_or_else(Vec::new, |group| self.members(group)),
            pid if pid < 0 => self.find_pid(ns, -pid).map_or_else(Vec::new, |group| self.members(group)),
            pid => self.find(ns, pid).into_iter().collect(),
        };
        if targets.is_empty() {
            self.because(&rule::SIG_VISIBLE_ONLY, caller);
            return Err(Errno::ESRCH);
        }
        self.explain_targets(caller, pid, &targets);
        let allowed: Vec<ProcessId> =
            targets.iter().copied().filter(|target| self.may_signal(caller, *target, signal)).collect();
        if allowed.len() < targets.len() {
            if pid == -1 {
                self.because(&rule::SIG_KILL_MINUS1_REFUSED, caller);
            } else if allowed.is_empty() {
                return Err(Errno::EPERM);
            } else {
                self.because(&rule::SIG_PGRP_REFUSED, caller);
            }
        }
        self.send_to_all(caller, &allowed, signal, self.own_signal(caller, false));
        Ok(())
    }

    fn explain_targets(&mut self, caller: ProcessId, pid: i32, targets: &[ProcessId]) {
        if !self.explains() {
            return;
        }
        let ns = self.process(caller).ns;
        if pid == -1 && self.ns(ns).level > 0 {
            self.because(&rule::SIG_KILL_MINUS1_OUTSIDE, caller);
        }
        if (pid == 0 || pid < -1) && targets.len() > 1 {
            self.because(&rule::SIG_PGRP_ORDER, caller);
        }
        if pid < -1
            && let Some(leader) = self.find_pid(ns, -pid)
            && self.process(leader).life >= Life::Zombie
        {
            self.because(&rule::PG_GROUP_OUTLIVES_LEADER, leader);
        }
        match pid {
            -1 => self.because(&rule::SIG_KILL_MINUS1, caller),
            0 if targets.iter().any(|target| !self.is_within(self.process(*target).ns, ns)) => {
                self.because(&rule::SIG_KILL0_ESCAPES, caller);
            }
            pid if pid <= 0 && targets.iter().any(|target| self.process(*target).ns != ns) => {
                self.because(&rule::SIG_PGRP_MIXED_NS, caller);
            }
            _ => {}
        }
    }

    /// tgkill(2): at the thread `tid`, if it is one of the process `tgid`.
    ///
    /// # Errors
    /// `EINVAL`: a number is not positive; `ESRCH`: no such thread in the caller's namespace; `EPERM`: the caller may not signal
    /// it.
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// tgkill(2); kernel/signal.c:do_tkill
    pub fn tgkill(&mut self, caller: ProcessId, tgid: i32, tid: i32, signal: Option<Signal>) -> Result<(), Errno> {
        let result = self.begin_tgkill(caller, tgid, tid, signal);
        self.settle();
        result
    }

    pub(crate) fn begin_tgkill(
        &mut self,
        caller: ProcessId,
        tgid: i32,
        tid: i32,
        signal: Option<Signal>,
    ) -> Result<(), Errno> {
        self.assert_acts(caller);
        if tgid <= 0 || tid <= 0 {
            self.because(&rule::SIG_TGKILL, caller);
            return Err(Errno::EINVAL);
        }
        let ns = self.process(caller).ns;
        let is_of =
            |thread: &ProcessId| self.pid_in(self.leader(*thread), ns).is_some_and(|pid| pid.get() == tgid as u32);
        let Some(target) = self.find(ns, tid).filter(is_of) else {
            self.because(&rule::SIG_VISIBLE_ONLY, caller);
            return Err(Errno::ESRCH);
        };
        self.because(&rule::SIG_TGKILL, target);
        if self.process(target).thread_of.is_some() {
            self.because(&rule::SIG_TO_THREAD, target);
        }
        if !self.may_signal(caller, target, signal) {
            return Err(Errno::EPERM);
        }
        self.send_to_all(caller, &[target], signal, self.own_signal(caller, true));
        Ok(())
    }

    /// rt_sigqueueinfo(2), with `si_pid` as the number of the sender.
    ///
    /// # Errors
    /// `ESRCH`: nobody has the number in the caller's namespace; `EPERM`: the caller may not signal it.
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// rt_sigqueueinfo(2); kernel/signal.c:do_rt_sigqueueinfo
    pub fn sigqueue(&mut self, caller: ProcessId, pid: i32, signal: Option<Signal>, si_pid: u32) -> Result<(), Errno> {
        let result = self.begin_sigqueue(caller, pid, signal, si_pid);
        self.settle();
        result
    }

    pub(crate) fn begin_sigqueue(
        &mut self,
        caller: ProcessId,
        pid: i32,
        signal: Option<Signal>,
        si_pid: u32,
    ) -> Result<(), Errno> {
        self.assert_acts(caller);
        let Some(target) = self.find(self.process(caller).ns, pid) else {
            self.because(&rule::SIG_VISIBLE_ONLY, caller);
            return Err(Errno::ESRCH);
        };
        if !self.may_signal(caller, target, signal) {
            return Err(Errno::EPERM);
        }
        if signal.is_some_and(|signal| self.lead(target).caught.contains(signal)) {
            self.because(&rule::VIEW_SIGINFO_FORGED, target);
        }
        self.send_to_all(caller, &[target], signal, Origin::User { sender: caller, si_pid, private: false });
        Ok(())
    }

    /// pidfd_open(2) and then pidfd_send_signal(2).
    ///
    /// # Errors
    /// Those of [`World::pidfd_open`] and [`World::kill`].
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// pidfd_send_signal(2); kernel/signal.c:pidfd_send_signal
    pub fn pidfd_send_signal(&mut self, caller: ProcessId, pid: i32, signal: Option<Signal>) -> Result<(), Errno> {
        let result = self.begin_pidfd_send_signal(caller, pid, signal);
        self.settle();
        result
    }

    pub(crate) fn begin_pidfd_send_signal(
        &mut self,
        caller: ProcessId,
        pid: i32,
        signal: Option<Signal>,
    ) -> Result<(), Errno> {
        self.pidfd_open(caller, pid)?;
        self.because(&rule::SIG_PIDFD_NS, caller);
        self.begin_kill(caller, pid, signal)
    }

    /// pidfd_open(2); there are no descriptors here, only the answer.
    ///
    /// # Errors
    /// `EINVAL`: the number is not positive; `ESRCH`: nobody has it in the caller's namespace.
    ///
    /// # References
    /// pidfd_open(2); kernel/pid.c:pidfd_open
    pub fn pidfd_open(&mut self, caller: ProcessId, pid: i32) -> Result<(), Errno> {
        self.assert_acts(caller);
        self.because(&rule::VIEW_LOOKUP_OWN_NS, caller);
        if pid <= 0 {
            return Err(Errno::EINVAL);
        }
        let found = self.find(self.process(caller).ns, pid).ok_or(Errno::ESRCH)?;
        if self.process(found).thread_of.is_some() {
            self.because(&rule::VIEW_PIDFD_OPEN_KINDS, found);
            return Err(if self.pidfd_open_thread_is_enoent { Errno::ENOENT } else { Errno::EINVAL });
        }
        Ok(())
    }

    /// A signal that says truly whom it comes from.
    pub(crate) fn own_signal(&self, caller: ProcessId, private: bool) -> Origin {
        let si_pid = self.pids(self.leader(caller)).last().copied().unwrap_or(0);
        Origin::User { sender: caller, si_pid, private }
    }

    /// One `siginfo_t` goes round, so what one receiver does to it the next ones see.
    fn send_to_all(&mut self, caller: ProcessId, targets: &[ProcessId], signal: Option<Signal>, mut origin: Origin) {
        let private = matches!(origin, Origin::User { private: true, .. });
        let Some(signal) = signal else {
            self.because(&rule::SIG_EXISTENCE, caller);
            return;
        };
        for target in targets {
            let before = origin;
            if !private && self.process(*target).thread_of.is_some() {
                self.because(&rule::SIG_KILL_BY_TID, *target);
            }
            if self.lead(*target).caught.contains(signal) {
                self.because(&rule::VIEW_SIGINFO_SENDER, *target);
            }
            self.send(signal, *target, &mut origin);
            if before != origin {
                let rule = if targets.len() > 1 { &rule::SIG_SI_PID_STICKY_ZERO } else { &rule::SIG_SI_PID_DOWN };
                self.because(rule, *target);
            } else if self.process(*target).is_task()
                && !self.is_within(self.process(*target).ns, self.process(caller).ns)
            {
                self.because(&rule::SIG_SI_PID_UP_UNTRANSLATED, *target);
            }
        }
    }

    /// Everybody whose number in the caller's namespace is above 1, without the caller, in the order of birth.
    fn everybody_but(&self, caller: ProcessId) -> Vec<ProcessId> {
        let ns = self.process(caller).ns;
        let own = self.leader(caller);
        let is_meant = |id: &ProcessId| {
            let record = self.process(*id);
            *id != own && record.thread_of.is_none() && record.is_task()
        };
        let mut all: Vec<ProcessId> = self.ns(ns).ids.holders(2).map(|(_, holder)| holder).filter(is_meant).collect();
        all.sort_by_key(|id| self.process(*id).born);
        all
    }

    /// sigaction(2).
    ///
    /// # Errors
    /// `EINVAL`: `SIGKILL` and `SIGSTOP` cannot be changed.
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// sigaction(2); kernel/signal.c:do_sigaction
    pub fn sigaction(&mut self, caller: ProcessId, signal: Signal, action: SignalAction) -> Result<(), Errno> {
        self.assert_acts(caller);
        if is_kernel_only(signal) {
            self.because(&rule::SIG_UNCATCHABLE, caller);
            return Err(Errno::EINVAL);
        }
        let leader = self.leader(caller);
        for sharer in self.sharers_of_handlers(leader) {
            if sharer != leader {
                self.because(&rule::CLONE_SIGHAND_SHARES, sharer);
            }
            let record = self.process_mut(sharer);
            record.ignored.remove(signal);
            record.caught.remove(signal);
            match action {
                SignalAction::Ignore => record.ignored.insert(signal),
                SignalAction::Handle => record.caught.insert(signal),
                SignalAction::Default | SignalAction::NoCldWait => {}
            }
            if signal == Signal::CHLD {
                record.no_child_wait = action == SignalAction::NoCldWait;
            }
        }
        if signal == Signal::CHLD && matches!(action, SignalAction::Ignore | SignalAction::NoCldWait) {
            let zombies = self.children(caller).filter(|child| self.process(*child).life == Life::Zombie);
            for zombie in zombies.collect::<Vec<_>>() {
                self.because(&rule::EXIT_AUTOREAP_NOT_RETROACTIVE, zombie);
            }
        }
        let harmless = matches!(default_action(signal), DefaultAction::Ignore | DefaultAction::Continue);
        let takes_back = match action {
            SignalAction::Ignore => true,
            SignalAction::Default | SignalAction::NoCldWait => harmless,
            SignalAction::Handle => false,
        };
        if takes_back {
            let threads: Vec<ProcessId> = self.threads(leader).collect();
            for thread in threads {
                self.flush(thread, |pending| pending == signal);
            }
        }
        Ok(())
    }

    /// sigprocmask(2) for one signal.
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// sigprocmask(2); kernel/signal.c:sigprocmask
    pub fn sigprocmask(&mut self, caller: ProcessId, how: MaskChange, signal: Signal) {
        self.begin_sigprocmask(caller, how, signal);
        self.settle();
    }

    pub(crate) fn begin_sigprocmask(&mut self, caller: ProcessId, how: MaskChange, signal: Signal) {
        self.assert_acts(caller);
        if is_kernel_only(signal) {
            // Silently left out of every mask.
            self.because(&rule::SIG_UNCATCHABLE, caller);
            return;
        }
        let record = self.process_mut(caller);
        match how {
            MaskChange::Block => record.blocked.insert(signal),
            MaskChange::Unblock => record.blocked.remove(signal),
        }
        if self.takeable(caller) != SignalSet::EMPTY {
            self.alert_or_wake(caller);
        }
    }

    /// A thread looks for signals when it comes back from this call.
    fn alert_or_wake(&mut self, caller: ProcessId) {
        if self.has_threads(self.leader(caller)) {
            self.alert(caller);
        } else {
            self.wake(caller);
        }
    }
}
