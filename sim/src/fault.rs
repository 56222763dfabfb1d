//! Ends that a process brings upon itself in other ways than by exit: a fault of the CPU, abort(3), reboot(2).

use pidlab_scenario::{Errno, RebootHow, Signal, WaitStatus};

use crate::signal::{Handled, Origin};
use crate::{ProcessId, World, rule};

impl World {
    /// A real SIGSEGV: the caller touches memory that is not there. Answers whether it survives, which takes a handler.
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// signal(7), "Synchronous signals"; kernel/signal.c:force_sig_info_to_task
    pub fn fault(&mut self, caller: ProcessId) -> bool {
        let survives = self.begin_fault(caller);
        self.settle();
        survives
    }

    pub(crate) fn begin_fault(&mut self, caller: ProcessId) -> bool {
        self.assert_acts(caller);
        self.force(caller, Signal::SEGV)
    }

    /// A signal that the kernel itself forces on a thread for what it did: neither a mask nor an ignored signal stops it, nor
    /// the protection of an init.
    fn force(&mut self, caller: ProcessId, signal: Signal) -> bool {
        let blocked = self.process(caller).blocked.contains(signal);
        if self.lead(caller).caught.contains(signal) && !blocked {
            self.because(&rule::SIG_HANDLER, caller);
            // The address that could not be touched stands where si_pid does, and it was 0.
            self.process_mut(caller).extra().handled.push(Handled { signal, si_pid: 0, child: None });
            return true;
        }
        let rule = if self.lead(caller).unkillable { &rule::SIG_INIT_FAULT } else { &rule::SIG_FAULT };
        self.because(rule, caller);
        self.doom(caller, WaitStatus::Killed(signal));
        false
    }

    /// write(2) into a pipe that nobody reads any more: SIGPIPE, and `EPIPE` for who survives it.
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// pipe(7); fs/pipe.c:anon_pipe_write
    pub fn broken_pipe(&mut self, caller: ProcessId) -> Errno {
        let errno = self.begin_broken_pipe(caller);
        self.settle();
        errno
    }

    pub(crate) fn begin_broken_pipe(&mut self, caller: ProcessId) -> Errno {
        self.assert_acts(caller);
        let init = self.lead(caller).unkillable;
        self.because(if init { &rule::SIG_INIT_SIGPIPE } else { &rule::SIG_SIGPIPE }, caller);
        self.send(Signal::PIPE, caller, &mut self.own_signal(caller, true));
        Errno::EPIPE
    }

    /// abort(3): SIGABRT, whatever the process has made of it; an init, which it does not end, runs into an instruction that
    /// traps.
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// abort(3), DESCRIPTION
    pub fn abort(&mut self, caller: ProcessId) {
        self.begin_abort(caller);
        self.settle();
    }

    pub(crate) fn begin_abort(&mut self, caller: ProcessId) {
        self.assert_acts(caller);
        self.process_mut(caller).blocked.remove(Signal::ABRT);
        if self.lead(caller).unkillable {
            // Neither raise does anything, so the C library goes on to the instruction.
            self.because(&rule::SIG_INIT_ABORT, caller);
            self.force(caller, Signal::SEGV);
            return;
        }
        self.because(&rule::SIG_ABORT, caller);
        self.doom(caller, WaitStatus::Killed(Signal::ABRT));
    }

    /// Whether abort would never end the caller: an init whose handler returns to the trapping instruction, again and again.
    pub(crate) fn aborts_for_ever(&self, caller: ProcessId) -> bool {
        let lead = self.lead(caller);
        lead.unkillable && lead.caught.contains(Signal::SEGV)
    }

    /// reboot(2): ends the init of the caller's namespace, and the caller.
    ///
    /// # Errors
    /// `EPERM`: the caller has no capabilities in the user namespace that owns its PID namespace.
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// reboot(2), "Behavior inside PID namespaces"; kernel/pid_namespace.c:reboot_pid_ns
    pub fn reboot(&mut self, caller: ProcessId, how: RebootHow) -> Result<(), Errno> {
        let result = self.begin_reboot(caller, how);
        self.settle();
        result
    }

    pub(crate) fn begin_reboot(&mut self, caller: ProcessId, how: RebootHow) -> Result<(), Errno> {
        self.assert_acts(caller);
        let ns = self.process(caller).ns;
        if !self.rules_over(caller, ns) {
            self.because(&rule::REBOOT_PERMISSION, caller);
            return Err(Errno::EPERM);
        }
        let signal = match how {
            RebootHow::Restart => Signal::HUP,
            RebootHow::Halt | RebootHow::PowerOff => Signal::INT,
        };
        self.ns_mut(ns).reboot = Some(signal);
        self.because(&rule::REBOOT_SCOPE, caller);
        self.because(&rule::REBOOT_CALLER, caller);
        if let Some(init) = self.ns(ns).reaper() {
            self.send(Signal::KILL, init, &mut Origin::Kernel);
        }
        if self.ns(ns).reaper() == Some(caller) {
            // It has been killed, and leaves with 0 all the same.
            self.process_mut(caller).extra().own_status = Some(WaitStatus::Exited(0));
        }
        // The caller leaves through do_exit: only the thread, with 0.
        if !self.process(caller).doomed {
            self.begin_exit_thread(caller, 0);
        }
        Ok(())
    }
}
