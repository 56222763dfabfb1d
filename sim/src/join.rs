//! Choosing where the next child is born: a new namespace (unshare), or one that is there (setns).

use pidlab_scenario::{CloneFlags, Errno};

use crate::{NsId, ProcessId, ProcessState, World, rule};

impl World {
    /// unshare(2): with `CLONE_NEWPID` the caller's next children are born in a new namespace, with `CLONE_NEWUSER` the caller
    /// itself is in a new user namespace. Without either nothing happens.
    ///
    /// # Errors
    /// `EINVAL`: the target namespace is not the caller's own, or its owner is no ancestor of the caller's user namespace, or the
    /// caller of `CLONE_NEWUSER` has other threads; `EPERM`: no capabilities, or no number in the caller's user namespace;
    /// `ENOSPC`: namespaces are nested too deep, or a user has too many.
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// unshare(2); kernel/fork.c:ksys_unshare; kernel/pid_namespace.c:copy_pid_ns
    pub fn unshare(&mut self, caller: ProcessId, flags: CloneFlags) -> Result<(), Errno> {
        self.assert_acts(caller);
        let new_user = flags.contains(CloneFlags::CLONE_NEWUSER);
        if new_user && self.process(self.leader(caller)).team().is_some() {
            self.because(&rule::UNSHARE_NEWUSER_SINGLE_THREAD, caller);
            return Err(Errno::EINVAL);
        }
        let who = self.new_credentials(caller, flags)?;
        if flags.contains(CloneFlags::CLONE_NEWPID) {
            match self.nest(caller, who, &rule::UNSHARE_TWICE) {
                Ok(ns) => self.turn_to_new(caller, ns),
                Err(errno) => {
                    if new_user {
                        self.because(&rule::UNSHARE_ATOMIC, caller);
                    }
                    self.drop_credentials(caller, who);
                    return Err(errno);
                }
            }
        }
        self.process_mut(caller).set_credentials(who);
        Ok(())
    }

    /// The caller's next children are born in a namespace that it has just made.
    fn turn_to_new(&mut self, caller: ProcessId, ns: NsId) {
        self.because(&rule::UNSHARE_CHILDREN_ONLY, caller);
        self.because(&rule::UNSHARE_NO_NUMBER_NO_INIT, caller);
        if self.lead(caller).unkillable {
            self.because(&rule::UNSHARE_BY_INIT, caller);
        }
        if self.has_threads(self.leader(caller)) {
            self.because(&rule::UNSHARE_PER_THREAD, caller);
        }
        self.retarget(caller, ns);
    }

    /// setns(2): the caller's next children are born in `ns`.
    ///
    /// # Errors
    /// `EPERM`: no capabilities in the user namespace that owns `ns`, or in the caller's own; `EINVAL`: `ns` is neither the
    /// caller's own namespace nor below it.
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// setns(2); kernel/pid_namespace.c:pidns_install
    pub fn setns(&mut self, caller: ProcessId, ns: NsId) -> Result<(), Errno> {
        self.assert_acts(caller);
        let own = self.process(caller).ns;
        let within = self.is_within(ns, own);
        if !self.rules_over(caller, ns) || !self.credentials(caller).capable {
            self.because(&rule::SETNS_PERM, caller);
            if !within {
                self.because(&rule::SETNS_CAP_BEFORE_RELATION, caller);
            }
            return Err(Errno::EPERM);
        }
        if !within {
            self.because(&rule::SETNS_DESCENDANT_ONLY, caller);
            return Err(Errno::EINVAL);
        }
        if !self.ns(ns).is_open() {
            self.because(&rule::SETNS_DEAD_NS, caller);
            self.because(&rule::NS_LIFETIME, caller);
            self.because(&rule::ZAP_NO_NEW_PIDS, caller);
        } else if ns == own {
            self.because(&rule::SETNS_JUDGED_BY_ACTIVE, caller);
        }
        self.because(&rule::SETNS_CHILDREN_ONLY, caller);
        self.retarget(caller, ns);
        Ok(())
    }

    /// setns(2) with `/proc/PID/ns/pid` of `to`, which works for zombies too.
    ///
    /// # Errors
    /// `ENOENT`: `to` is reaped; `EACCES`: the caller may not look into it; and as [`World::setns`].
    ///
    /// # References
    /// setns(2); fs/proc/namespaces.c
    pub fn setns_path(&mut self, caller: ProcessId, to: Option<ProcessId>) -> Result<(), Errno> {
        let Some(to) = to.filter(|to| self.process(*to).is_task()) else {
            self.because(&rule::SETNS_REAPED_PATH, caller);
            return Err(Errno::ENOENT);
        };
        self.may_follow_link(caller, to)?;
        if self.state(to) == Some(ProcessState::Zombie) {
            self.because(&rule::SETNS_ZOMBIE_INIT_PATH, to);
            if self.process(to).unkillable {
                self.because(&rule::ZAP_ZOMBIE_INIT_NS, to);
            }
        }
        self.setns(caller, self.process(to).ns)
    }

    /// The links below `/proc/PID/ns` are not for everybody.
    ///
    /// # References
    /// fs/proc/namespaces.c:proc_ns_get_link
    pub(crate) fn may_follow_link(&mut self, caller: ProcessId, of: ProcessId) -> Result<(), Errno> {
        if self.may_look_into(caller, of) {
            return Ok(());
        }
        self.because(&rule::PROC_NS_LINK, of);
        Err(Errno::EACCES)
    }

    /// setns(2) with a pidfd of `to`: its own namespace, and only while it lives.
    ///
    /// # Errors
    /// `ESRCH`: `to` has ended; `EPERM`: the caller may not look into it; and as [`World::setns`].
    ///
    /// # References
    /// setns(2); kernel/nsproxy.c:validate_nsset
    pub fn setns_pidfd(&mut self, caller: ProcessId, to: Option<ProcessId>) -> Result<(), Errno> {
        if let Some(to) = to.filter(|to| !self.may_look_into(caller, *to)) {
            self.because(&rule::SETNS_PIDFD_PERM, to);
            return Err(Errno::EPERM);
        }
        let Some(to) = to.filter(|to| self.process(*to).target.is_some()) else {
            self.because(&rule::SETNS_PIDFD_ERRORS, caller);
            return Err(Errno::ESRCH);
        };
        if self.process(to).target != Some(self.process(to).ns) {
            self.because(&rule::SETNS_PIDFD_USES_ACTIVE, to);
        }
        self.setns(caller, self.process(to).ns)
    }

    /// setns(2) with `/proc/PID/ns/pid_for_children` of `to`.
    ///
    /// # Errors
    /// `ENOENT`: `to` has ended, or nobody has been born in its target namespace yet; `EACCES`: the caller may not look into it;
    /// and as [`World::setns`].
    ///
    /// # References
    /// kernel/pid_namespace.c:pidns_for_children_get
    pub fn setns_for_children(&mut self, caller: ProcessId, to: Option<ProcessId>) -> Result<(), Errno> {
        if let Some(to) = to {
            self.may_follow_link(caller, to)?;
        }
        let target = to.and_then(|to| self.process(to).target);
        let empty = target.is_some_and(|target| self.ns(target).is_unpeopled());
        let Some(target) = target.filter(|_| !empty || self.pid_for_children_before_init) else {
            self.because(if empty { &rule::PFC_NO_INIT_YET } else { &rule::PFC_READLINK }, to.unwrap_or(caller));
            return Err(Errno::ENOENT);
        };
        if empty {
            self.because(&rule::PFC_BEFORE_INIT, caller);
        }
        self.setns(caller, target)
    }

    /// setns(2), for a PID namespace, with `/proc/PID/ns/uts` of `to`, which leads to a namespace of another kind.
    ///
    /// # Errors
    /// `ENOENT`: `to` has ended; `EACCES`: the caller may not look into it; `EINVAL` otherwise.
    ///
    /// # References
    /// setns(2), ERRORS; kernel/nsproxy.c:setns
    pub fn setns_other_kind(&mut self, caller: ProcessId, to: Option<ProcessId>) -> Errno {
        self.assert_acts(caller);
        self.because(&rule::SETNS_NSTYPE, caller);
        let Some(to) = to else { return Errno::ENOENT };
        match self.may_follow_link(caller, to) {
            Err(errno) => errno,
            Ok(()) if self.process(to).target.is_none() => Errno::ENOENT,
            Ok(()) => Errno::EINVAL,
        }
    }

    /// setns(2) with what `PIDFD_GET_PID_FOR_CHILDREN_NAMESPACE` of a pidfd of `to` gives.
    ///
    /// # Errors
    /// `ENOTTY`: the kernel has no such call; `ESRCH`: `to` has ended; `EACCES`: the caller may not look into it; and as
    /// [`World::setns`].
    ///
    /// # References
    /// ioctl_pidfd(2); fs/pidfs.c:pidfd_ioctl
    pub fn setns_pidfd_for_children(&mut self, caller: ProcessId, to: Option<ProcessId>) -> Result<(), Errno> {
        if !self.pidfd_namespaces {
            self.because(&rule::PFC_PIDFD_NONE, to.unwrap_or(caller));
            return Err(Errno::ENOTTY);
        }
        self.because(&rule::PFC_PIDFD_BYPASS, to.unwrap_or(caller));
        let (to, target) = to.and_then(|to| Some((to, self.process(to).target?))).ok_or(Errno::ESRCH)?;
        self.may_follow_link(caller, to)?;
        self.setns(caller, target)
    }

    fn retarget(&mut self, caller: ProcessId, ns: NsId) {
        self.ns_mut(ns).references += 1;
        if let Some(old) = self.process_mut(caller).target.replace(ns) {
            self.put_namespace(old);
        }
    }

    /// Drops what a process holds that only a live one needs.
    #[inline]
    pub(crate) fn drop_target(&mut self, process: ProcessId) {
        if let Some(old) = self.process_mut(process).target.take() {
            self.put_namespace(old);
        }
    }
}
