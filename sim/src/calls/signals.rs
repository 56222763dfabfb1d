use pidlab_scenario::{Errno, MaskChange, PidfdFlags, SeccompScope, SigCode, Signal, SignalAction};

use crate::mqueue::{sys_mq_notify, sys_mq_timedsend};
use crate::objects::ids::TaskId;
use crate::order::{orders, turn};
use crate::signal::action::{do_sigaction, do_sigpending, sigprocmask};
use crate::signal::force::{begin_abort, force_sig, seccomp_kill, sigpipe};
use crate::signal::kill::{
    Queued, Referred, pidfd_open, sys_kill, sys_pidfd_send_signal, sys_rt_sigqueueinfo, sys_rt_tgsigqueueinfo,
    sys_tgkill, sys_tkill,
};
use crate::signal::sigwait::do_sigtimedwait;
use crate::world::{Handled, World};

/// # Signals
///
/// ```
/// use pidlab_scenario::{Errno, Signal, SignalAction};
/// use pidlab_sim::World;
///
/// let mut world = World::new();
/// let host = world.host();
/// let child = world.fork(host)?;
/// world.sigaction(child, Signal::USR1, SignalAction::Handle)?;
/// world.kill(host, 2, Some(Signal::USR1))?;
/// assert_eq!(world.handled(child).map(|handled| handled.si_pid).collect::<Vec<_>>(), [1]);
/// assert_eq!(world.kill(child, 99, None), Err(Errno::ESRCH));
/// # Ok::<(), Errno>(())
/// ```
impl World {
    /// kill(2). `pid` as there: a number, 0 for the caller's group, -1 for everybody, `-g` for a group; `signal` `None` only asks whether
    /// there is somebody. Afterwards the caller may be stopped or dead, if it was among the receivers.
    ///
    /// # Errors
    /// `ESRCH`: nobody in the caller's namespace is meant; `EPERM`: the caller may signal none of those meant.
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// kill(2); kernel/signal.c:kill_something_info
    #[track_caller]
    pub fn kill(&mut self, caller: TaskId, pid: i32, signal: Option<Signal>) -> Result<(), Errno> {
        self.begin(caller);
        let result = sys_kill(self, caller, pid, signal);
        self.finish(caller, result)
    }

    /// tgkill(2): at the thread `tid`, if it is one of the process `tgid`.
    ///
    /// # Errors
    /// `EINVAL`: a number is not positive; `ESRCH`: no such thread in the caller's namespace; `EPERM`: the caller may not signal it.
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// tgkill(2); kernel/signal.c:do_send_specific
    #[track_caller]
    pub fn tgkill(&mut self, caller: TaskId, tgid: i32, tid: i32, signal: Option<Signal>) -> Result<(), Errno> {
        self.begin(caller);
        let result = sys_tgkill(self, caller, tgid, tid, signal);
        self.finish(caller, result)
    }

    /// tkill(2): at the thread `tid`, whose ever it is.
    ///
    /// # Errors
    /// `EINVAL`: the number is not positive; `ESRCH`: no such thread in the caller's namespace; `EPERM`: the caller may not signal it.
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// tkill(2); kernel/signal.c:do_send_specific
    #[track_caller]
    pub fn tkill(&mut self, caller: TaskId, tid: i32, signal: Option<Signal>) -> Result<(), Errno> {
        self.begin(caller);
        let result = sys_tkill(self, caller, tid, signal);
        self.finish(caller, result)
    }

    /// rt_tgsigqueueinfo(2), at the thread `tid`, if it is one of the process `tgid`, with `si_pid` as the number of the sender.
    ///
    /// # Errors
    /// Those of [`World::tgkill`]; `EPERM` too: `code` is another than `SI_QUEUE`, and `tid` not the calling thread.
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// rt_sigqueueinfo(2); kernel/signal.c:do_rt_tgsigqueueinfo
    #[track_caller]
    #[doc(alias = "rt_tgsigqueueinfo")]
    pub fn tgsigqueue(
        &mut self,
        caller: TaskId,
        (tgid, tid): (i32, i32),
        signal: Option<Signal>,
        si_pid: u32,
        si_code: SigCode,
    ) -> Result<(), Errno> {
        self.begin(caller);
        let result = sys_rt_tgsigqueueinfo(self, caller, tgid, tid, signal, Queued { si_pid, si_code });
        self.finish(caller, result)
    }

    /// rt_sigqueueinfo(2), with `si_pid` as the number of the sender.
    ///
    /// # Errors
    /// `ESRCH`: nobody has the number in the caller's namespace; `EPERM`: the caller may not signal it, or `code` is another than
    /// `SI_QUEUE`, and `pid` not the calling thread.
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// rt_sigqueueinfo(2); kernel/signal.c:do_rt_sigqueueinfo
    #[track_caller]
    #[doc(alias = "rt_sigqueueinfo")]
    pub fn sigqueue(
        &mut self,
        caller: TaskId,
        pid: i32,
        signal: Option<Signal>,
        si_pid: u32,
        si_code: SigCode,
    ) -> Result<(), Errno> {
        self.begin(caller);
        let result = sys_rt_sigqueueinfo(self, caller, pid, signal, Queued { si_pid, si_code });
        self.finish(caller, result)
    }

    /// mq_notify(2) on a message queue, which is made if there is none under this number of the caller's choice: its process gets `signal` when
    /// the next message comes; `None`: no longer.
    ///
    /// ```
    /// use pidlab_scenario::{CloneFlags, Signal};
    /// use pidlab_sim::{CloneArgs, State, World};
    ///
    /// let mut world = World::new();
    /// let host = world.host();
    /// let init = world.clone3(host, &CloneArgs::new(CloneFlags::CLONE_NEWPID))?;
    /// world.mq_notify(init, 7, Some(Signal::KILL))?;
    /// world.mq_send(host, 7)?;
    /// assert_eq!(world.state(init), Some(State::Zombie), "it asked for it");
    /// # Ok::<(), pidlab_scenario::Errno>(())
    /// ```
    ///
    /// # Errors
    /// `EBUSY`: somebody is to be told already.
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// mq_notify(3); ipc/mqueue.c:do_mq_notify
    #[track_caller]
    pub fn mq_notify(&mut self, caller: TaskId, number: u16, signal: Option<Signal>) -> Result<(), Errno> {
        self.begin(caller);
        let result = sys_mq_notify(self, caller, number, signal);
        self.finish(caller, result)
    }

    /// mq_send(3): a message to the queue under this number, which the caller takes out again.
    ///
    /// # Errors
    /// `EBADF`: there is no such queue.
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// mq_send(3); ipc/mqueue.c:do_mq_timedsend
    #[track_caller]
    pub fn mq_send(&mut self, caller: TaskId, number: u16) -> Result<(), Errno> {
        self.begin(caller);
        let result = sys_mq_timedsend(self, caller, number);
        self.finish(caller, result)
    }

    /// pidfd_open(2); there are no descriptors here, only the answer.
    ///
    /// # Errors
    /// `EINVAL`: the number is not positive; `ESRCH`: nobody has it in the caller's namespace; `ENOENT`: it is a thread's (`EINVAL` on
    /// older kernels, for whatever is no process).
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// pidfd_open(2); kernel/fork.c:pidfd_prepare
    #[track_caller]
    pub fn pidfd_open(&mut self, caller: TaskId, pid: i32) -> Result<TaskId, Errno> {
        self.begin(caller);
        pidfd_open(self, caller, pid)
    }

    /// pidfd_send_signal(2), through a pidfd that is opened for it.
    ///
    /// # Errors
    /// Those of [`World::pidfd_open`] and [`World::kill`].
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// pidfd_send_signal(2); kernel/signal.c:pidfd_send_signal
    #[track_caller]
    pub fn pidfd_send_signal(&mut self, caller: TaskId, pid: i32, signal: Option<Signal>) -> Result<(), Errno> {
        self.begin(caller);
        let of = pidfd_open(self, caller, pid);
        let result = of.and_then(|of| {
            let referred = Referred::opened(of, self.task(of).thread_pid);
            sys_pidfd_send_signal(self, caller, &referred, signal, PidfdFlags::empty())
        });
        self.finish(caller, result)
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
    #[track_caller]
    pub fn sigaction(&mut self, caller: TaskId, signal: Signal, action: SignalAction) -> Result<(), Errno> {
        self.begin(caller);
        let result = do_sigaction(self, caller, signal, action);
        self.finish(caller, result)
    }

    /// sigprocmask(2) for one signal.
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// sigprocmask(2); kernel/signal.c:sigprocmask
    #[track_caller]
    pub fn sigprocmask(&mut self, caller: TaskId, how: MaskChange, signal: Signal) {
        self.begin(caller);
        sigprocmask(self, caller, how, signal);
        self.finish(caller, ());
    }

    /// sigpending(2): the signals that wait for the calling thread or its process and that the thread blocks, by number.
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// sigpending(2); kernel/signal.c:do_sigpending
    #[track_caller]
    pub fn sigpending(&mut self, caller: TaskId) -> Vec<Signal> {
        self.begin(caller);
        do_sigpending(self, caller)
    }

    /// sigtimedwait(2), without a timeout or with one of zero: the signal that was taken; `None`, if the caller sleeps in it, and
    /// [`World::take_signals`] will have it.
    ///
    /// # Errors
    /// `EAGAIN`: none of the signals waits, and the caller does not.
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// sigwaitinfo(2); kernel/signal.c:do_sigtimedwait
    #[track_caller]
    #[doc(alias = "sigwait")]
    pub fn sigtimedwait(&mut self, caller: TaskId, signals: &[Signal], waits: bool) -> Result<Option<Handled>, Errno> {
        self.begin(caller);
        let result = do_sigtimedwait(self, caller, signals, waits);
        self.finish(caller, result)
    }

    /// A real SIGSEGV: the caller touches memory that is not there.
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// signal(7), Standard signals; kernel/signal.c:force_sig_info_to_task
    #[track_caller]
    pub fn fault(&mut self, caller: TaskId) {
        self.begin(caller);
        force_sig(self, caller, Signal::SEGV);
        self.finish(caller, ());
    }

    /// A call that a filter of seccomp(2) kills for: the process, or the calling thread alone.
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// seccomp(2), SECCOMP_RET_KILL_PROCESS; kernel/seccomp.c:__seccomp_filter
    #[track_caller]
    pub fn seccomp_kill(&mut self, caller: TaskId, scope: SeccompScope) {
        self.begin(caller);
        sys_seccomp_kill(self, caller, scope);
        orders::settle(self);
        self.current.0 = None;
    }

    /// write(2) into a pipe that nobody reads any more: SIGPIPE, and `EPIPE` for who survives it.
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// pipe(7); fs/pipe.c:anon_pipe_write
    #[track_caller]
    pub fn broken_pipe(&mut self, caller: TaskId) -> Errno {
        self.begin(caller);
        sigpipe(self, caller);
        self.finish(caller, Errno::EPIPE)
    }

    /// abort(3): SIGABRT, whatever the process has made of it; an init, which that does not end, runs into an instruction that traps.
    ///
    /// # Panics
    /// If the caller cannot act; if it would never end: an init that handles SIGSEGV returns to the instruction again and again.
    ///
    /// # References
    /// abort(3), DESCRIPTION
    #[track_caller]
    pub fn abort(&mut self, caller: TaskId) {
        self.begin(caller);
        assert!(!crate::signal::force::aborts_for_ever(self, caller), "this abort would never end");
        begin_abort(self, caller);
        self.finish(caller, ());
    }

    /// Whether [`World::abort`] would never end.
    ///
    /// # Panics
    /// If the task is released.
    #[track_caller]
    pub fn aborts_for_ever(&self, caller: TaskId) -> bool {
        crate::signal::force::aborts_for_ever(self, self.named(caller))
    }
}

/// The first turn of an end by a filter.
pub(crate) fn sys_seccomp_kill(w: &mut World, caller: TaskId, scope: SeccompScope) {
    turn::first(w, caller, |w| seccomp_kill(w, caller, scope));
}
