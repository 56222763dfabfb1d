use pidlab_scenario::{CloneFlags, Errno, WaitOptions};

use crate::autoreap::pidfd_release;
use crate::exit::do_exit::{do_exit, do_group_exit};
use crate::exit::reparent::find_alive_thread;
use crate::failed_clone::failed_clone3;
use crate::fork::kernel_clone;
use crate::objects::clone_args::CloneArgs;
use crate::objects::ids::TaskId;
use crate::objects::signal_struct::ExitCode;
use crate::objects::wait_opts::{WaitFor, Waited};
use crate::order::turn;
use crate::wait::{sys_wait4, sys_waitid};
use crate::world::World;
use crate::{exec, rule};

/// # Making, ending and waiting for processes
///
/// ```
/// use pidlab_scenario::{Errno, WaitOptions, WaitStatus};
/// use pidlab_sim::{Waited, World};
///
/// let mut world = World::new();
/// let host = world.host();
/// let child = world.fork(host)?;
/// world.exit(child, 7);
/// let waited = world.wait4(host, -1, WaitOptions::empty())?;
/// assert!(matches!(waited, Waited::Child { status: WaitStatus::Exited(7), .. }));
/// assert_eq!(world.wait4(host, -1, WaitOptions::empty()), Err(Errno::ECHILD));
/// # Ok::<(), Errno>(())
/// ```
impl World {
    /// fork(2): a child where the caller's children are born.
    ///
    /// # Errors
    /// `EAGAIN`: no number is free at some level; `ENOMEM`: the child reaper of that namespace has begun to exit.
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// fork(2); kernel/fork.c:copy_process
    #[track_caller]
    #[inline]
    pub fn fork(&mut self, caller: TaskId) -> Result<TaskId, Errno> {
        self.clone3(caller, &CloneArgs::new(CloneFlags::empty()))
    }

    /// close(2) of the last descriptor of the pidfd that `of` was born with: it kills who was made with `CLONE_PIDFD_AUTOKILL`, and does nothing
    /// to others; `None`: `of` is reaped.
    ///
    /// ```
    /// use pidlab_scenario::CloneFlags;
    /// use pidlab_sim::{CloneArgs, World};
    ///
    /// let mut world = World::new();
    /// let host = world.host();
    /// let flags = CloneFlags::CLONE_AUTOREAP | CloneFlags::CLONE_PIDFD_AUTOKILL;
    /// let child = world.clone3(host, &CloneArgs::new(flags).with_exit_signal(None))?;
    /// world.close_pidfd(host, Some(child));
    /// assert_eq!(world.state(child), None);
    /// # Ok::<(), pidlab_scenario::Errno>(())
    /// ```
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// pidfd_open(2); fs/pidfs.c:pidfs_file_release
    #[track_caller]
    pub fn close_pidfd(&mut self, caller: TaskId, of: Option<TaskId>) {
        self.begin(caller);
        if let Some(of) = self.there(of) {
            pidfd_release(self, of);
        }
        self.finish(caller, ())
    }

    /// vfork(2): the caller sleeps until the child has ended or runs another program.
    ///
    /// # Errors
    /// As [`World::fork`].
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// vfork(2); kernel/fork.c:kernel_clone
    #[track_caller]
    pub fn vfork(&mut self, caller: TaskId) -> Result<TaskId, Errno> {
        let flags = CloneFlags::CLONE_VFORK | CloneFlags::CLONE_VM;
        self.clone3(caller, &CloneArgs::new(flags))
    }

    /// clone3(2).
    ///
    /// # Errors
    /// `EINVAL`: flags that do not go together, `CLONE_PARENT` by an init or with an exit signal, `CLONE_NEWPID` or `CLONE_THREAD` while
    /// the caller's children are born elsewhere, a bad `set_tid`; `EPERM`: no capabilities; `ENOSPC`: namespaces are nested too deep, or
    /// a user has too many; `EEXIST`: a number of `set_tid` is taken; and as [`World::fork`].
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// clone(2); kernel/fork.c:copy_process; kernel/pid_namespace.c:copy_pid_ns
    #[track_caller]
    #[inline]
    pub fn clone3(&mut self, caller: TaskId, args: &CloneArgs<'_>) -> Result<TaskId, Errno> {
        self.begin(caller);
        let result = kernel_clone(self, caller, args);
        self.finish(caller, result)
    }

    /// clone3(2) that fails at its very end, with numbers given out at every level: there is nowhere to write its pidfd. Whatever makes a
    /// fork fail earlier does so here, too.
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// clone(2), ERRORS; kernel/fork.c:copy_process; kernel/pid.c:free_pid
    #[track_caller]
    pub fn failed_clone3(&mut self, caller: TaskId) -> Errno {
        self.begin(caller);
        let errno = failed_clone3(self, caller);
        self.finish(caller, errno)
    }

    /// exit_group(2): the whole process ends.
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// _exit(2); kernel/exit.c:do_group_exit
    #[track_caller]
    #[doc(alias = "exit_group")]
    pub fn exit(&mut self, caller: TaskId, status: i32) {
        self.begin(caller);
        sys_exit_group(self, caller, status);
        crate::order::orders::settle(self);
    }

    /// exit(2) as a bare system call: the calling thread ends.
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// _exit(2), C library/kernel differences; kernel/exit.c:do_exit
    #[track_caller]
    #[doc(alias = "pthread_exit")]
    pub fn exit_thread(&mut self, caller: TaskId, status: i32) {
        self.begin(caller);
        sys_exit(self, caller, status);
        crate::order::orders::settle(self);
    }

    /// execve(2): a new program in the same process. Of its threads only the caller is left, and it has the process's number.
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// execve(2); fs/exec.c:begin_new_exec, de_thread
    #[track_caller]
    #[doc(alias = "execve")]
    pub fn exec(&mut self, caller: TaskId) {
        self.begin(caller);
        exec::sys_execve(self, caller);
        self.finish(caller, ());
    }

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
    #[track_caller]
    #[doc(alias = "waitpid")]
    pub fn wait4(&mut self, caller: TaskId, pid: i32, options: WaitOptions) -> Result<Waited, Errno> {
        self.begin(caller);
        let result = sys_wait4(self, caller, pid, options);
        self.finish(caller, result)
    }

    /// waitid(2).
    ///
    /// # Errors
    /// `ECHILD`: no child can ever match; `EINVAL`: none of `WEXITED`, `WSTOPPED`, `WCONTINUED`, or a number that can be nobody's.
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// waitid(2); kernel/exit.c:kernel_waitid
    #[track_caller]
    pub fn waitid(&mut self, caller: TaskId, asked: WaitFor, options: WaitOptions) -> Result<Waited, Errno> {
        self.begin(caller);
        let result = sys_waitid(self, caller, asked, options);
        self.finish(caller, result)
    }
}

/// The first turn of an exit of the whole process.
#[inline(always)]
pub(crate) fn sys_exit_group(w: &mut World, caller: TaskId, status: i32) {
    w.because(&rule::EXIT_STATUS, caller);
    turn::first(w, caller, |w| do_group_exit(w, caller, ExitCode::exited(status)));
}

/// The first turn of an exit of one thread.
pub(crate) fn sys_exit(w: &mut World, caller: TaskId, status: i32) {
    let others = w.threads(caller).any(|thread| thread != caller && w.task(thread).is_alive());
    if others && find_alive_thread(w, caller).is_some() {
        w.because(&rule::THR_EXIT, caller);
        if w.leader(caller) == caller {
            w.because(&rule::WAIT_LEADER_DEAD_THREADS_ALIVE, caller);
        }
    } else if w.leader(caller) == caller {
        w.because(&rule::EXIT_STATUS, caller);
    }
    turn::first(w, caller, |w| do_exit(w, caller, ExitCode::exited(status)));
}
