use pidlab_scenario::{Capability, Errno, Signal};

use crate::objects::ids::TaskId;
use crate::objects::pid::Nr;
use crate::objects::signal_struct::SignalFlags;
use crate::sys::{pgrp, prctl, users};
use crate::world::World;

/// # Groups, sessions, and what a task sets for itself
///
/// ```
/// use pidlab_sim::World;
///
/// let mut world = World::new();
/// let host = world.host();
/// let shell = world.fork(host)?;
/// let job = world.fork(shell)?;
/// world.setpgid(shell, 3, 0)?;
/// assert_eq!(world.getpgid(host, 3)?.map(|group| group.get()), Some(3));
/// assert_eq!(world.getppid(job).map(|parent| parent.get()), Some(2));
/// # Ok::<(), pidlab_scenario::Errno>(())
/// ```
impl World {
    /// getpid(2): the number of the caller's process in its own namespace, for life.
    ///
    /// # References
    /// getpid(2); kernel/sys.c
    #[track_caller]
    pub fn getpid(&mut self, caller: TaskId) -> Nr {
        self.begin(caller);
        prctl::sys_getpid(self, caller)
    }

    /// gettid(2): the calling thread's own number in its namespace; the process's for a first thread.
    ///
    /// # References
    /// gettid(2); kernel/sys.c
    #[track_caller]
    pub fn gettid(&mut self, caller: TaskId) -> Nr {
        self.begin(caller);
        prctl::sys_gettid(self, caller)
    }

    /// getppid(2): `None` (Linux says 0) where the parent has no number in the caller's namespace.
    ///
    /// # References
    /// getpid(2); kernel/sys.c
    #[track_caller]
    pub fn getppid(&mut self, caller: TaskId) -> Option<Nr> {
        self.begin(caller);
        prctl::sys_getppid(self, caller)
    }

    /// The parent's number as a task itself sees it, whatever it is doing.
    ///
    /// # Panics
    /// If the task is released.
    #[track_caller]
    pub fn visible_parent(&self, task: TaskId) -> Option<Nr> {
        prctl::visible_parent(self, self.named(task))
    }

    /// getpgid(2); `pid` 0 is the caller. `None` (Linux says 0): the group has no number in the caller's namespace.
    ///
    /// # Errors
    /// `ESRCH`: nobody has this number in the caller's namespace.
    ///
    /// # References
    /// getpgid(2); kernel/sys.c:do_getpgid
    #[track_caller]
    pub fn getpgid(&mut self, caller: TaskId, pid: i32) -> Result<Option<Nr>, Errno> {
        self.begin(caller);
        pgrp::sys_getpgid(self, caller, pid)
    }

    /// getsid(2); as [`World::getpgid`].
    ///
    /// # Errors
    /// `ESRCH`: nobody has this number in the caller's namespace.
    ///
    /// # References
    /// getsid(2); kernel/sys.c
    #[track_caller]
    pub fn getsid(&mut self, caller: TaskId, pid: i32) -> Result<Option<Nr>, Errno> {
        self.begin(caller);
        pgrp::sys_getsid(self, caller, pid)
    }

    /// setsid(2): a new session and a new group, both with the caller's number.
    ///
    /// # Errors
    /// `EPERM`: the caller leads a session, or a group has its number.
    ///
    /// # References
    /// setsid(2); kernel/sys.c:ksys_setsid
    #[track_caller]
    pub fn setsid(&mut self, caller: TaskId) -> Result<Nr, Errno> {
        self.begin(caller);
        let result = pgrp::sys_setsid(self, caller);
        self.finish(caller, result)
    }

    /// setpgid(2); 0 is the caller, and the process's own number.
    ///
    /// # Errors
    /// `EINVAL`: the group is negative; `ESRCH`: not the caller and not a child of it; `EACCES`: a child that runs another program; `EPERM`:
    /// a session leader, a child in another session, or no such group in the caller's session.
    ///
    /// # References
    /// setpgid(2); kernel/sys.c:setpgid
    #[track_caller]
    pub fn setpgid(&mut self, caller: TaskId, pid: i32, pgid: i32) -> Result<(), Errno> {
        self.begin(caller);
        let result = pgrp::sys_setpgid(self, caller, pid, pgid);
        self.finish(caller, result)
    }

    /// Whether a setpgid(2) would succeed and put an init into a group that can keep its own namespace from ending. The world models this;
    /// nobody should try it on a machine.
    ///
    /// # Panics
    /// If the task is released.
    #[track_caller]
    pub fn would_never_end(&self, caller: TaskId, pid: i32, pgid: i32) -> bool {
        pgrp::would_never_end(self, self.named(caller), pid, pgid)
    }

    /// prctl(2), `PR_SET_CHILD_SUBREAPER`: whether the caller's process adopts the orphans below it.
    ///
    /// # References
    /// PR_SET_CHILD_SUBREAPER(2const); kernel/sys.c:prctl
    #[track_caller]
    pub fn set_child_subreaper(&mut self, caller: TaskId, on: bool) {
        self.begin(caller);
        prctl::set_child_subreaper(self, caller, on);
    }

    /// Whether a task's process adopts the orphans below it, for whoever looks from outside: nothing is noted.
    ///
    /// # Panics
    /// If the task is released.
    #[track_caller]
    pub fn is_child_subreaper(&self, task: TaskId) -> bool {
        self.process(self.named(task)).has(SignalFlags::CHILD_SUBREAPER)
    }

    /// prctl(2), `PR_GET_CHILD_SUBREAPER`: what [`World::set_child_subreaper`] has set.
    ///
    /// # References
    /// PR_GET_CHILD_SUBREAPER(2const); kernel/sys.c:prctl
    #[track_caller]
    pub fn child_subreaper(&mut self, caller: TaskId) -> bool {
        self.begin(caller);
        prctl::child_subreaper(self, caller)
    }

    /// prctl(2), `PR_SET_PDEATHSIG`: what the calling thread gets when the task ends that is its parent.
    ///
    /// # References
    /// PR_SET_PDEATHSIG(2const); kernel/sys.c:prctl
    #[track_caller]
    pub fn set_pdeathsig(&mut self, caller: TaskId, signal: Option<Signal>) {
        self.begin(caller);
        prctl::set_pdeathsig(self, caller, signal);
    }

    /// prctl(2), `PR_GET_PDEATHSIG`: what [`World::set_pdeathsig`] has set, if nothing has taken it back.
    ///
    /// # References
    /// PR_GET_PDEATHSIG(2const); kernel/sys.c:prctl
    #[track_caller]
    pub fn pdeathsig(&mut self, caller: TaskId) -> Option<Signal> {
        self.begin(caller);
        prctl::pdeathsig(self, caller)
    }

    /// capset(2), of the calling thread alone: one capability less.
    ///
    /// # References
    /// capset(2); kernel/capability.c:capset
    #[track_caller]
    pub fn drop_capability(&mut self, caller: TaskId, capability: Capability) {
        self.begin(caller);
        users::drop_capability(self, caller, capability);
    }

    /// setuid(2), of the calling thread alone, as the system call is.
    ///
    /// # Errors
    /// `EINVAL`: the user namespace has no such user; `EPERM`: the caller is somebody else and may not change that.
    ///
    /// # References
    /// setuid(2); kernel/sys.c:__sys_setuid
    #[track_caller]
    pub fn setuid(&mut self, caller: TaskId, uid: u32) -> Result<(), Errno> {
        self.begin(caller);
        users::sys_setuid(self, caller, uid)
    }
}
