//! Files below /proc/sys that belong to PID namespaces, or to the user namespaces that own them.
//!
//! In the kernel: kernel/pid.c:pid_table_root_lookup; kernel/pid_namespace.c:pid_ns_ctl_handler; kernel/ucount.c.

use pidlab_scenario::{Capability, Errno, Fact};

use crate::capable::{checkpoint_restore_ns_capable, ns_capable};
use crate::objects::cred::NO_LIMIT;
use crate::objects::ids::{NsId, TaskId, UserNsId};
use crate::objects::pid_namespace::PID_MAX_LIMIT;
use crate::rule;
use crate::world::World;

/// `ns_last_pid` of the caller's namespace: the cursor less one.
///
/// # Errors
/// `ENOENT`: the kernel has no such file.
///
/// # References
/// kernel/pid_namespace.c:pid_ns_ctl_handler
pub(crate) fn ns_last_pid(w: &mut World, caller: TaskId) -> Result<i64, Errno> {
    has_last_pid(w, caller)?;
    w.because(&rule::LASTPID_READ, caller);
    Ok(i64::from(w.ns(w.active_ns(caller)).cursor) - 1)
}

fn has_last_pid(w: &mut World, caller: TaskId) -> Result<(), Errno> {
    if w.holds(Fact::NsLastPid) {
        return Ok(());
    }
    w.because(&rule::LASTPID_ABSENT, caller);
    Err(Errno::ENOENT)
}

/// Writes `ns_last_pid` of the caller's namespace: the next number is the lowest free one above.
///
/// # Errors
/// `EPERM`: the caller has no capabilities in the user namespace that owns it; `EINVAL`: below 0 or above `pid_max`; `ENOENT`.
pub(crate) fn set_ns_last_pid(w: &mut World, caller: TaskId, value: i64) -> Result<(), Errno> {
    has_last_pid(w, caller)?;
    let ns = w.active_ns(caller);
    if !checkpoint_restore_ns_capable(w, caller, w.ns(ns).user_ns) {
        w.because(&rule::LASTPID_PERM, caller);
        return Err(Errno::EPERM);
    }
    w.because(&rule::LASTPID_WRITE, caller);
    let namespace = w.ns_mut(ns);
    let last = u32::try_from(value).ok().filter(|value| *value <= namespace.pid_max).ok_or(Errno::EINVAL)?;
    namespace.cursor = last + 1;
    Ok(())
}

/// `pid_max` of the caller's namespace.
///
/// # References
/// kernel/pid.c:pid_table_root_lookup
pub(crate) fn pid_max(w: &mut World, caller: TaskId) -> u32 {
    let per_ns = w.holds(Fact::PidMaxPerNamespace);
    w.because(if per_ns { &rule::LIMIT_PIDMAX_PER_NS } else { &rule::LIMIT_PIDMAX_COMMON }, caller);
    w.ns(w.active_ns(caller)).pid_max
}

/// Writes `pid_max` of the caller's namespace.
///
/// # Errors
/// `EACCES`: the caller has no capabilities in the user namespace that owns it, and is not root there either; `EINVAL`: below the least
/// that is allowed, or above 4194304.
///
/// # References
/// kernel/pid.c:pid_table_root_permissions
pub(crate) fn set_pid_max(w: &mut World, caller: TaskId, value: i64) -> Result<(), Errno> {
    let per_ns = w.holds(Fact::PidMaxPerNamespace);
    let own = w.active_ns(caller);
    if !may_write_pid_max(w, caller, if per_ns { own } else { NsId::OUTERMOST }) {
        w.because(if per_ns { &rule::LIMIT_PIDMAX_PERM } else { &rule::LIMIT_PIDMAX_PERM_COMMON }, caller);
        return Err(Errno::EACCES);
    }
    w.because(&rule::LIMIT_PIDMAX_RANGE, caller);
    let allowed = i64::from(w.least_pid_max)..=i64::from(PID_MAX_LIMIT);
    let value = u32::try_from(value).ok().filter(|value| allowed.contains(&i64::from(*value))).ok_or(Errno::EINVAL)?;
    if value < w.ns(own).pid_max {
        w.because(&rule::LIMIT_PIDMAX_LOWERING, caller);
    }
    if per_ns {
        w.ns_mut(own).pid_max = value;
        return Ok(());
    }
    w.because(&rule::LIMIT_PIDMAX_COMMON, caller);
    for namespace in w.namespaces.iter_mut().filter(|namespace| namespace.count > 0) {
        namespace.pid_max = value;
    }
    Ok(())
}

/// Root of the owning user namespace needs no capability, and nobody is root where users have no numbers.
fn may_write_pid_max(w: &World, caller: TaskId, ns: NsId) -> bool {
    let owner = w.ns(ns).user_ns;
    (owner == UserNsId::OUTERMOST && w.cred(caller).uid == 0)
        || ns_capable(w, caller, owner, Some(Capability::SysAdmin))
}

/// `user.max_pid_namespaces` of the caller's user namespace. What it is in the outermost one is the machine's affair; here there is no
/// limit.
///
/// # References
/// kernel/ucount.c:setup_userns_sysctls
pub(crate) fn max_pid_namespaces(w: &mut World, caller: TaskId) -> u32 {
    w.because(&rule::LIMIT_UCOUNT_DEFAULT, caller);
    w.user_namespaces[w.cred(caller).user_ns.0 as usize].max_pid_namespaces
}

/// Writes `user.max_pid_namespaces` of the caller's user namespace. For the outermost one nothing happens here.
///
/// # Errors
/// `EACCES`: the caller has no capabilities; `EINVAL`: above 2147483647.
///
/// # References
/// kernel/ucount.c:set_permissions
pub(crate) fn set_max_pid_namespaces(w: &mut World, caller: TaskId, value: i64) -> Result<(), Errno> {
    let who = w.cred(caller);
    if !who.capable {
        w.because(&rule::LIMIT_UCOUNT_PERM, caller);
        return Err(Errno::EACCES);
    }
    w.because(&rule::LIMIT_UCOUNT_DEFAULT, caller);
    let value = u32::try_from(value).ok().filter(|value| *value <= NO_LIMIT).ok_or(Errno::EINVAL)?;
    if who.user_ns != UserNsId::OUTERMOST {
        w.user_namespaces[who.user_ns.0 as usize].max_pid_namespaces = value;
    }
    Ok(())
}
