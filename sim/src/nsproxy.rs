//! Where the next child is born: a new namespace (unshare, clone), or one that is there (setns).
//!
//! A task never changes its own PID namespace. What it can change is a plan: `pid_ns_for_children`, which its children are born with and
//! its later threads are refused for.
//!
//! In the kernel: kernel/nsproxy.c, kernel/pid_namespace.c.

use pidlab_scenario::{Capability, CloneFlags, Errno, Fact};

use crate::alloc::put_pid_ns;
use crate::capable::{
    check_ucounts, copy_creds, inc_pid_namespaces, may_own_below, ns_capable, ptrace_may_access, put_creds,
};
use crate::objects::cred::Cred;
use crate::objects::ids::{NsId, TaskId, UserNsId};
use crate::objects::pid_namespace::{ChildReaper, MAX_PID_NS_LEVEL, PID_MAX_LIMIT, PidNamespace};
use crate::objects::task::ExitState;
use crate::pid::is_within;
use crate::storage::idr::Idr;
use crate::storage::unseen::Unseen;
use crate::world::World;
use crate::{Rule, describe, rule};

/// What a kernel without a `pid_max` for each namespace has for all of them.
const DEFAULT_PID_MAX: u32 = 32_768;

/// A new namespace in the caller's own, made by who has these credentials: the caller, or what it will be in its new user namespace.
///
/// # Errors
/// `EPERM`: no capabilities; `EINVAL`: the caller's children are born elsewhere, or see [`may_own_below`]; `ENOSPC`: too deep, or too
/// many.
///
/// # References
/// kernel/nsproxy.c:copy_namespaces; kernel/pid_namespace.c:copy_pid_ns, create_pid_namespace
pub(crate) fn copy_pid_ns(w: &mut World, caller: TaskId, maker: Cred, differs: &'static Rule) -> Result<NsId, Errno> {
    let own = w.active_ns(caller);
    let elsewhere = w.task(caller).pid_ns_for_children != Some(own);
    if !maker.has(Some(Capability::SysAdmin)) {
        w.because(&rule::OWNER_UNPRIVILEGED, caller);
        if elsewhere {
            w.because(&rule::CLONE_ERROR_PRECEDENCE, caller);
        }
        return Err(Errno::EPERM);
    }
    if elsewhere {
        w.because(differs, caller);
        return Err(Errno::EINVAL);
    }
    may_own_below(w, caller, maker, own)?;
    if w.ns(own).level + w.levels_above >= MAX_PID_NS_LEVEL {
        w.because(&rule::LIMIT_DEPTH, caller);
        if w.levels_above > 0 {
            w.because(&rule::LIMIT_DEPTH_ABSOLUTE, caller);
        }
        return Err(Errno::ENOSPC);
    }
    check_ucounts(w, caller, maker)?;
    if maker.user_ns != w.cred(caller).user_ns {
        w.because(&rule::CLONE_NEWUSER_NEWPID, caller);
    }
    if maker.user_ns != UserNsId::OUTERMOST {
        w.because(&rule::OWNER_WHO, caller);
    }
    if w.holds(Fact::PidMaxPerNamespace) && w.ns(own).pid_max != PID_MAX_LIMIT {
        w.because(&rule::LIMIT_PIDMAX_NO_INHERIT, caller);
    }
    Ok(create_pid_namespace(w, Some(own), maker))
}

/// A namespace that nobody has been born in.
pub(crate) fn create_pid_namespace(w: &mut World, parent: Option<NsId>, maker: Cred) -> NsId {
    inc_pid_namespaces(w, maker.user_ns, maker.uid);
    let own_pid_max = w.holds(Fact::PidMaxPerNamespace);
    let namespace = PidNamespace {
        id: w.namespaces.next(),
        parent,
        level: parent.map_or(0, |parent| w.ns(parent).level + 1),
        child_reaper: ChildReaper::Unborn,
        adding: true,
        pid_allocated: 0,
        idr: Unseen(Idr::EMPTY),
        cursor: 0,
        pid_max: match parent {
            _ if own_pid_max => PID_MAX_LIMIT,
            Some(parent) => w.ns(parent).pid_max,
            None => DEFAULT_PID_MAX,
        },
        reboot: None,
        user_ns: maker.user_ns,
        ucounts: maker.uid,
        count: 0,
        serial: w.namespaces_made,
    };
    w.namespaces_made += 1;
    if let Some(parent) = parent {
        w.ns_mut(parent).count += 1;
    }
    w.namespaces.insert(namespace)
}

/// The caller's next children are born in `ns`.
fn switch_task_namespaces(w: &mut World, caller: TaskId, ns: NsId) {
    w.ns_mut(ns).count += 1;
    if let Some(old) = w.task_mut(caller).pid_ns_for_children.replace(ns) {
        put_pid_ns(w, old);
    }
}

/// unshare(2).
///
/// # Errors
/// As [`copy_pid_ns`] and [`copy_creds`]; `EINVAL`: `CLONE_NEWUSER` by one who has other threads.
///
/// # References
/// kernel/fork.c:ksys_unshare
pub(crate) fn sys_unshare(w: &mut World, caller: TaskId, flags: CloneFlags) -> Result<(), Errno> {
    let new_user = flags.contains(CloneFlags::CLONE_NEWUSER);
    if new_user && !w.thread_group_empty(caller) {
        w.because(&rule::UNSHARE_NEWUSER_SINGLE_THREAD, caller);
        return Err(Errno::EINVAL);
    }
    let who = copy_creds(w, caller, flags)?;
    if flags.contains(CloneFlags::CLONE_NEWPID) {
        match copy_pid_ns(w, caller, who, &rule::UNSHARE_TWICE) {
            Ok(ns) => {
                describe::plan(w, caller);
                switch_task_namespaces(w, caller, ns);
            }
            Err(errno) => {
                if new_user {
                    w.because(&rule::UNSHARE_ATOMIC, caller);
                }
                put_creds(w, caller, who);
                return Err(errno);
            }
        }
    }
    let cred = w.cred_id(who);
    w.task_mut(caller).cred = cred;
    Ok(())
}

/// setns(2) to a PID namespace that somebody holds open.
///
/// # Errors
/// `EPERM`: no capabilities in the user namespace that owns `ns`, or in the caller's own; `EINVAL`: `ns` is neither the caller's own
/// namespace nor a descendant of it.
///
/// # References
/// kernel/pid_namespace.c:pidns_install
pub(crate) fn pidns_install(w: &mut World, caller: TaskId, ns: NsId) -> Result<(), Errno> {
    let own = w.active_ns(caller);
    let within = is_within(w, ns, own);
    let admin = Some(Capability::SysAdmin);
    if !ns_capable(w, caller, w.ns(ns).user_ns, admin) || !w.cred(caller).has(admin) {
        w.because(&rule::SETNS_PERM, caller);
        if !within {
            w.because(&rule::SETNS_CAP_BEFORE_RELATION, caller);
        }
        return Err(Errno::EPERM);
    }
    if !within {
        w.because(&rule::SETNS_DESCENDANT_ONLY, caller);
        return Err(Errno::EINVAL);
    }
    if !w.ns(ns).adding {
        w.because(&rule::SETNS_DEAD_NS, caller);
        w.because(&rule::NS_LIFETIME, caller);
        w.because(&rule::ZAP_NO_NEW_PIDS, caller);
    } else if ns == own {
        w.because(&rule::SETNS_JUDGED_BY_ACTIVE, caller);
    }
    w.because(&rule::SETNS_CHILDREN_ONLY, caller);
    switch_task_namespaces(w, caller, ns);
    Ok(())
}

/// The links below `/proc/PID/ns` are not for everybody.
///
/// # Errors
/// `EACCES`.
///
/// # References
/// fs/proc/namespaces.c:proc_ns_get_link
pub(crate) fn may_follow_link(w: &mut World, caller: TaskId, of: TaskId) -> Result<(), Errno> {
    if ptrace_may_access(w, caller, of) {
        return Ok(());
    }
    w.because(&rule::PROC_NS_LINK, of);
    Err(Errno::EACCES)
}

/// setns(2) with `/proc/PID/ns/pid` of `to`, which works for zombies too; `None`: it is reaped.
///
/// # Errors
/// `ENOENT`: `to` is reaped; `EACCES`: the caller may not look into it; and as [`pidns_install`].
///
/// # References
/// fs/proc/namespaces.c
pub(crate) fn setns_path(w: &mut World, caller: TaskId, to: Option<TaskId>) -> Result<(), Errno> {
    let Some(to) = to.filter(|to| w.task(*to).exit_state != ExitState::Vacant) else {
        w.because(&rule::SETNS_REAPED_PATH, caller);
        return Err(Errno::ENOENT);
    };
    may_follow_link(w, caller, to)?;
    if w.task(to).exit_state == ExitState::Zombie {
        w.because(&rule::SETNS_ZOMBIE_INIT_PATH, to);
        if w.is_unkillable(to) {
            w.because(&rule::ZAP_ZOMBIE_INIT_NS, to);
        }
    }
    pidns_install(w, caller, w.active_ns(to))
}

/// setns(2) with a pidfd of `to`: its own namespace, and only while it lives.
///
/// # Errors
/// `ESRCH`: `to` has ended; `EPERM`: the caller may not look into it; and as [`pidns_install`].
///
/// # References
/// kernel/nsproxy.c:validate_nsset
pub(crate) fn setns_pidfd(w: &mut World, caller: TaskId, to: Option<TaskId>) -> Result<(), Errno> {
    if let Some(to) = to
        && !ptrace_may_access(w, caller, to)
    {
        w.because(&rule::SETNS_PIDFD_PERM, to);
        return Err(Errno::EPERM);
    }
    let lives = to.and_then(|to| Some((to, w.task(to).pid_ns_for_children?)));
    let Some((to, plan)) = lives else {
        w.because(&rule::SETNS_PIDFD_ERRORS, caller);
        return Err(Errno::ESRCH);
    };
    let ns = w.active_ns(to);
    if plan != ns {
        w.because(&rule::SETNS_PIDFD_USES_ACTIVE, to);
    }
    pidns_install(w, caller, ns)
}

/// setns(2) with `/proc/PID/ns/pid_for_children` of `to`.
///
/// # Errors
/// `ENOENT`: `to` has ended, or nobody has been born yet where its children will be; `EACCES`: the caller may not look into it; and as
/// [`pidns_install`].
///
/// # References
/// kernel/pid_namespace.c:pidns_for_children_get
pub(crate) fn setns_for_children(w: &mut World, caller: TaskId, to: Option<TaskId>) -> Result<(), Errno> {
    if let Some(to) = to {
        may_follow_link(w, caller, to)?;
    }
    let plan = to.and_then(|to| w.task(to).pid_ns_for_children);
    let unborn = plan.is_some_and(|plan| w.ns(plan).is_unborn());
    let shown = plan.filter(|_| !unborn || w.holds(Fact::PidForChildrenBeforeInit));
    let Some(plan) = shown else {
        w.because(if unborn { &rule::PFC_NO_INIT_YET } else { &rule::PFC_READLINK }, to.unwrap_or(caller));
        return Err(Errno::ENOENT);
    };
    if unborn {
        w.because(&rule::PFC_BEFORE_INIT, caller);
    }
    pidns_install(w, caller, plan)
}

/// setns(2), for a PID namespace, with `/proc/PID/ns/uts` of `to`, which leads to a namespace of another kind.
///
/// # References
/// kernel/nsproxy.c:setns
pub(crate) fn setns_other_kind(w: &mut World, caller: TaskId, to: Option<TaskId>) -> Errno {
    w.because(&rule::SETNS_NSTYPE, caller);
    let Some(to) = to else { return Errno::ENOENT };
    match may_follow_link(w, caller, to) {
        Err(errno) => errno,
        Ok(()) if w.task(to).pid_ns_for_children.is_none() => Errno::ENOENT,
        Ok(()) => Errno::EINVAL,
    }
}

/// setns(2) with what `PIDFD_GET_PID_FOR_CHILDREN_NAMESPACE` of a pidfd of `to` gives.
///
/// # Errors
/// `ENOTTY`: the kernel has no such call; `ESRCH`: `to` has ended; `EACCES`: the caller may not look into it; and as [`pidns_install`].
///
/// # References
/// fs/pidfs.c:pidfd_ioctl
pub(crate) fn setns_pidfd_for_children(w: &mut World, caller: TaskId, to: Option<TaskId>) -> Result<(), Errno> {
    if !w.holds(Fact::PidfdNamespaces) {
        w.because(&rule::PFC_PIDFD_NONE, to.unwrap_or(caller));
        return Err(Errno::ENOTTY);
    }
    w.because(&rule::PFC_PIDFD_BYPASS, to.unwrap_or(caller));
    let (to, plan) = to.and_then(|to| Some((to, w.task(to).pid_ns_for_children?))).ok_or(Errno::ESRCH)?;
    may_follow_link(w, caller, to)?;
    pidns_install(w, caller, plan)
}
