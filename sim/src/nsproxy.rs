//! Where the next child is born: in a new namespace (unshare, clone); [`setns`](crate::setns) has those that are there.
//!
//! A task never changes its own PID namespace. What it can change is a plan: `pid_ns_for_children`, which its children are born with and
//! its later threads are refused for.
//!
//! In the kernel: kernel/nsproxy.c, kernel/pid_namespace.c.

use pidlab_scenario::{Capability, CloneFlags, Errno, Fact};

use crate::alloc::put_pid_ns;
use crate::capable::{check_ucounts, copy_creds, inc_pid_namespaces, may_own_below, put_creds};
use crate::cred::commit_creds;
use crate::objects::cred::Cred;
use crate::objects::ids::{FsId, NsId, TaskId, UserNsId};
use crate::objects::pid_namespace::{ChildReaper, MAX_PID_NS_LEVEL, PID_MAX_LIMIT, PidNamespace};
use crate::storage::idr::Idr;
use crate::storage::unseen::Unseen;
use crate::world::World;
use crate::{Misconception, Rule, describe, misconceived, rule};

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
    if elsewhere && !w.believes(Misconception::UnshareWorksTwice) {
        w.because(differs, caller);
        return Err(Errno::EINVAL);
    }
    may_own_below(w, caller, maker, own)?;
    if w.ns(own).level + w.levels_above >= MAX_PID_NS_LEVEL && !w.believes(Misconception::DepthHasNoLimit) {
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
pub(crate) fn switch_task_namespaces(w: &mut World, caller: TaskId, ns: NsId) {
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
                if w.believes(Misconception::UnshareMovesTheCaller) {
                    misconceived::places::enter(w, caller, ns);
                }
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
    commit_creds(w, caller, who);
    if new_user {
        // It also has filesystem information of its own from now on (`unshare_fs`).
        w.task_mut(caller).fs = None;
    }
    Ok(())
}

/// The filesystem information of a task, with a name by which others can share it.
///
/// # References
/// kernel/fork.c:copy_fs
#[cold]
pub(crate) fn shared_fs(w: &mut World, task: TaskId) -> FsId {
    if let Some(fs) = w.task(task).fs {
        return fs;
    }
    w.fs_shared += 1;
    let fs = FsId(std::num::NonZeroU32::new(w.fs_shared).expect("it was just counted"));
    w.task_mut(task).fs = Some(fs);
    fs
}
