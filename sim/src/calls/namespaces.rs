use pidlab_scenario::{CloneFlags, Errno, Keeper, NamespaceTypes, NsLink, RebootHow};

use crate::objects::ids::{NsId, TaskId};
use crate::objects::task::At;
use crate::order::{orders, turn};
use crate::setns;
use crate::sys::{reboot, sysctl};
use crate::world::World;
use crate::{Next, nsproxy};

/// # Namespaces
///
/// ```
/// use pidlab_scenario::{CloneFlags, Errno};
/// use pidlab_sim::World;
///
/// let mut world = World::new();
/// let host = world.host();
/// world.unshare(host, CloneFlags::CLONE_NEWPID)?;
/// assert_eq!(world.getpid(host).get(), 1, "the caller stays where it is");
/// let init = world.fork(host)?;
/// assert_eq!(world.pids(init), [2, 1]);
/// world.setns(host, world.namespace(host))?;
/// # Ok::<(), Errno>(())
/// ```
impl World {
    /// unshare(2): with `CLONE_NEWPID` the caller's next children are born in a new namespace, with `CLONE_NEWUSER` the caller itself is
    /// in a new user namespace. Without either nothing happens.
    ///
    /// # Errors
    /// `EINVAL`: the caller's children are born elsewhere, or the owner of its namespace is no ancestor of its user namespace, or the caller
    /// of `CLONE_NEWUSER` has other threads; `EPERM`: no capabilities, or no number in the caller's user namespace; `ENOSPC`: namespaces
    /// are nested too deep, or a user has too many.
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// unshare(2); kernel/fork.c:ksys_unshare; kernel/pid_namespace.c:copy_pid_ns
    #[track_caller]
    pub fn unshare(&mut self, caller: TaskId, flags: CloneFlags) -> Result<(), Errno> {
        self.begin(caller);
        let result = nsproxy::sys_unshare(self, caller, flags);
        self.finish(caller, result)
    }

    /// setns(2): the caller's next children are born in `ns`.
    ///
    /// # Errors
    /// `EPERM`: no capabilities in the user namespace that owns `ns`, or in the caller's own; `EINVAL`: `ns` is neither the caller's own
    /// namespace nor a descendant of it.
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// setns(2); kernel/pid_namespace.c:pidns_install
    #[track_caller]
    pub fn setns(&mut self, caller: TaskId, ns: NsId) -> Result<(), Errno> {
        self.begin(caller);
        let ns = self.named_ns(ns).id;
        setns::setns_pid_ns(self, caller, ns)
    }

    /// setns(2) with `/proc/PID/ns/pid` of `to`, which works for zombies too; `None`: it is reaped.
    ///
    /// # Errors
    /// `ENOENT`: `to` is reaped; `EACCES`: the caller may not look into it; and as [`World::setns`].
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// setns(2); fs/proc/namespaces.c:proc_ns_get_link
    #[track_caller]
    pub fn setns_path(&mut self, caller: TaskId, to: Option<TaskId>) -> Result<(), Errno> {
        self.begin(caller);
        let to = self.there(to);
        let file = setns::open_pid(self, caller, to)?;
        setns::setns_file(self, caller, file, NamespaceTypes::CLONE_NEWPID)
    }

    /// setns(2) with `/proc/PID/ns/user` of `to`, a zombie or not; `None`: it is reaped. The caller is in that user namespace from now on,
    /// with every capability there.
    ///
    /// ```
    /// use pidlab_scenario::{CloneFlags, Errno};
    /// use pidlab_sim::{CloneArgs, World};
    ///
    /// let mut world = World::new();
    /// let host = world.host();
    /// let flags = CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWPID;
    /// let init = world.clone3(host, &CloneArgs::new(flags))?;
    /// world.setns_user(host, Some(init))?;
    /// assert_eq!(world.setns_path(host, Some(host)), Err(Errno::EPERM), "all power there, and none here");
    /// world.setns_path(host, Some(init))?;
    /// # Ok::<(), Errno>(())
    /// ```
    ///
    /// # Errors
    /// `ENOENT`: `to` is reaped; `EACCES`: the caller may not look into it; `EINVAL`: it is in the caller's own user namespace, or the
    /// caller has other threads, or shares filesystem information (`CLONE_FS`) with another process; `EPERM`: no capabilities there.
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// setns(2); kernel/user_namespace.c:userns_install
    #[track_caller]
    pub fn setns_user(&mut self, caller: TaskId, to: Option<TaskId>) -> Result<(), Errno> {
        self.begin(caller);
        let to = self.there(to);
        let file = setns::open_user(self, caller, to)?;
        setns::setns_file(self, caller, file, NamespaceTypes::CLONE_NEWUSER)
    }

    /// setns(2) with a pidfd of `to`: its own namespaces of these types, all of them or none, and only while it lives; `None`: it is
    /// reaped.
    ///
    /// # Errors
    /// `EINVAL`: no type is told, or one that is none; `ESRCH`: `to` has ended; `EPERM`: the caller may not look into it; and as
    /// [`World::setns`] and [`World::setns_user`].
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// setns(2); kernel/nsproxy.c:validate_nsset
    #[track_caller]
    pub fn setns_pidfd(&mut self, caller: TaskId, to: Option<TaskId>, nstype: NamespaceTypes) -> Result<(), Errno> {
        self.begin(caller);
        let to = self.there(to);
        setns::setns_pidfd(self, caller, to, nstype)
    }

    /// setns(2) with `/proc/PID/ns/pid_for_children` of `to`; `None`: it is reaped.
    ///
    /// # Errors
    /// `ENOENT`: `to` has ended, or nobody has been born yet where its children will be; `EACCES`: the caller may not look into it; and as
    /// [`World::setns`].
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// namespaces(7); kernel/pid_namespace.c:pidns_for_children_get
    #[track_caller]
    pub fn setns_for_children(&mut self, caller: TaskId, to: Option<TaskId>) -> Result<(), Errno> {
        self.begin(caller);
        let to = self.there(to);
        let file = setns::open_for_children(self, caller, to)?;
        setns::setns_file(self, caller, file, NamespaceTypes::CLONE_NEWPID)
    }

    /// setns(2) with what `PIDFD_GET_PID_FOR_CHILDREN_NAMESPACE` of a pidfd of `to` gives; `None`: it is reaped.
    ///
    /// # Errors
    /// `ENOTTY`: the kernel has no such call; `ESRCH`: `to` has ended; `EACCES`: the caller may not look into it; and as [`World::setns`].
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// ioctl_pidfd(2); fs/pidfs.c:pidfd_ioctl
    #[track_caller]
    pub fn setns_pidfd_for_children(&mut self, caller: TaskId, to: Option<TaskId>) -> Result<(), Errno> {
        self.begin(caller);
        let to = self.there(to);
        let file = setns::pidfd_for_children(self, caller, to)?;
        setns::setns_file(self, caller, file, NamespaceTypes::CLONE_NEWPID)
    }

    /// Opens a file that leads to a namespace of `of`, and keeps it open under a number of the caller's choice, in place of what was kept
    /// under it; `None`: `of` is reaped.
    ///
    /// ```
    /// use pidlab_scenario::{Errno, Keeper, NamespaceTypes, NsLink};
    /// use pidlab_sim::World;
    ///
    /// let mut world = World::new();
    /// let host = world.host();
    /// world.unshare(host, pidlab_scenario::CloneFlags::CLONE_NEWPID)?;
    /// let init = world.fork(host)?;
    /// world.open_ns(host, 7, Some(init), NsLink::Pid, Keeper::Descriptor)?;
    /// world.exit(init, 0);
    /// world.setns_kept(host, 7, NamespaceTypes::CLONE_NEWPID)?;
    /// assert_eq!(world.fork(host), Err(Errno::ENOMEM), "it can be joined, and nobody is born in it");
    /// assert_eq!(world.close_ns(host, 7), Ok(()));
    /// assert_eq!(world.close_ns(host, 7), Err(Errno::EBADF));
    /// # Ok::<(), Errno>(())
    /// ```
    ///
    /// # Errors
    /// `ENOENT`: `of` is reaped, or nobody has been born yet where its children will be; `EACCES`: the caller may not look into it;
    /// `EPERM`: the caller may make no mount; of a pidfd `ESRCH`: `of` has ended; `ENOTTY`: the kernel has no such call.
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// namespaces(7), Namespace lifetime; fs/nsfs.c:ns_get_path
    #[track_caller]
    pub fn open_ns(
        &mut self,
        caller: TaskId,
        number: u16,
        of: Option<TaskId>,
        link: NsLink,
        keep: Keeper,
    ) -> Result<(), Errno> {
        self.begin(caller);
        let of = self.there(of);
        let file = setns::open_ns(self, caller, of, link, keep)?;
        setns::keep(self, number, file);
        Ok(())
    }

    /// Keeps a namespace open no longer.
    ///
    /// # Errors
    /// `EBADF`: none is kept under this number.
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// close(2); fs/nsfs.c:nsfs_evict
    #[track_caller]
    pub fn close_ns(&mut self, caller: TaskId, number: u16) -> Result<(), Errno> {
        self.begin(caller);
        setns::close_ns(self, caller, number)
    }

    /// setns(2) to a namespace that is kept open.
    ///
    /// # Errors
    /// `EBADF`: none is kept under this number; `EINVAL`: another type is told; and as [`World::setns`] and [`World::setns_user`].
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// setns(2); kernel/nsproxy.c:setns
    #[track_caller]
    pub fn setns_kept(&mut self, caller: TaskId, number: u16, nstype: NamespaceTypes) -> Result<(), Errno> {
        self.begin(caller);
        setns::setns_kept(self, caller, number, nstype)
    }

    /// Reads `ns_last_pid` of the caller's namespace: the number that its next search begins behind.
    ///
    /// # Errors
    /// `ENOENT`: the kernel has no such file.
    ///
    /// # References
    /// pid_namespaces(7), /proc files; kernel/pid_namespace.c:pid_ns_ctl_handler
    #[track_caller]
    pub fn ns_last_pid(&mut self, caller: TaskId) -> Result<i64, Errno> {
        self.begin(caller);
        sysctl::ns_last_pid(self, caller)
    }

    /// Writes `ns_last_pid` of the caller's namespace: the next number is the lowest free one above.
    ///
    /// # Errors
    /// `EPERM`: no capabilities in the user namespace that owns it; `EINVAL`: below 0 or above `pid_max`; `ENOENT`: the kernel has no such
    /// file.
    ///
    /// # References
    /// pid_namespaces(7), /proc files; kernel/pid_namespace.c:pid_ns_ctl_handler
    #[track_caller]
    pub fn set_ns_last_pid(&mut self, caller: TaskId, value: i64) -> Result<(), Errno> {
        self.begin(caller);
        sysctl::set_ns_last_pid(self, caller, value)
    }

    /// Reads `pid_max` of the caller's namespace.
    ///
    /// # References
    /// proc_sys_kernel(5), pid_max; kernel/pid.c:pid_table_root_lookup
    #[track_caller]
    pub fn pid_max(&mut self, caller: TaskId) -> u32 {
        self.begin(caller);
        sysctl::pid_max(self, caller)
    }

    /// Writes `pid_max` of the caller's namespace.
    ///
    /// # Errors
    /// `EACCES`: no capabilities in the user namespace that owns it, and not root there either; `EINVAL`: below the least that is allowed
    /// (301 with up to 37 possible CPUs), or above 4194304.
    ///
    /// # References
    /// proc_sys_kernel(5), pid_max; kernel/pid.c:pid_table_root_permissions
    #[track_caller]
    pub fn set_pid_max(&mut self, caller: TaskId, value: i64) -> Result<(), Errno> {
        self.begin(caller);
        sysctl::set_pid_max(self, caller, value)
    }

    /// Reads `user.max_pid_namespaces` of the caller's user namespace. What it is in the outermost one is the machine's affair; here there
    /// is no limit.
    ///
    /// # References
    /// namespaces(7), The /proc/sys/user directory; kernel/ucount.c
    #[track_caller]
    pub fn max_pid_namespaces(&mut self, caller: TaskId) -> u32 {
        self.begin(caller);
        sysctl::max_pid_namespaces(self, caller)
    }

    /// Writes `user.max_pid_namespaces` of the caller's user namespace. For the outermost one nothing happens here.
    ///
    /// # Errors
    /// `EACCES`: the caller has no capabilities; `EINVAL`: above 2147483647.
    ///
    /// # References
    /// namespaces(7), The /proc/sys/user directory; kernel/ucount.c:set_permissions
    #[track_caller]
    pub fn set_max_pid_namespaces(&mut self, caller: TaskId, value: i64) -> Result<(), Errno> {
        self.begin(caller);
        sysctl::set_max_pid_namespaces(self, caller, value)
    }

    /// reboot(2): ends the init of the caller's namespace, and the caller.
    ///
    /// # Errors
    /// `EPERM`: no capabilities in the user namespace that owns the caller's PID namespace.
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// reboot(2), Behavior inside PID namespaces; kernel/pid_namespace.c:reboot_pid_ns
    #[track_caller]
    pub fn reboot(&mut self, caller: TaskId, how: RebootHow) -> Result<(), Errno> {
        self.begin(caller);
        let result = sys_reboot(self, caller, how);
        orders::settle(self);
        result
    }
}

/// The call; the exit of its caller follows.
pub(crate) fn sys_reboot(w: &mut World, caller: TaskId, how: RebootHow) -> Result<(), Errno> {
    reboot::reboot_pid_ns(w, caller, how)?;
    // The init that is killed may end everybody else before the caller's own exit is heard of.
    turn::first(w, caller, |w| {
        w.task_mut(caller).at = At::Reboot;
        Next::GoesOn
    });
    Ok(())
}
