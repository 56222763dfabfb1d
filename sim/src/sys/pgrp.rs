//! Process groups and sessions: ids that are the number of a process, alive or gone.
//!
//! A group or session is a `struct pid` that processes use, and its id is what that `struct pid` is called in each namespace. So a group
//! can have members in several namespaces, and an id of 0 for those who cannot see it.
//!
//! In the kernel: kernel/sys.c.

use pidlab_scenario::Errno;

use crate::alloc::free_if_unused;
use crate::objects::ids::{PidId, SignalId, TaskId};
use crate::objects::pid::Nr;
use crate::objects::signal_struct::SignalFlags;
use crate::objects::task::TaskFlags;
use crate::pid::{attach_pgrp, detach_pgrp, find_pid_ns, find_task_by_pid_ns, is_within, own_number, pid_nr_ns};
use crate::rule;
use crate::world::World;

/// getpgid(2); `pid` 0 is the caller. `None` (Linux says 0): the group has no number in the caller's namespace.
///
/// # Errors
/// `ESRCH`: nobody has this number in the caller's namespace.
///
/// # References
/// kernel/sys.c:do_getpgid
pub(crate) fn sys_getpgid(w: &mut World, caller: TaskId, pid: i32) -> Result<Option<Nr>, Errno> {
    let task = find_or_self(w, caller, pid)?;
    Ok(seen(w, caller, task, w.process(task).pgrp))
}

/// getsid(2); as [`sys_getpgid`].
///
/// # Errors
/// `ESRCH`: nobody has this number in the caller's namespace.
pub(crate) fn sys_getsid(w: &mut World, caller: TaskId, pid: i32) -> Result<Option<Nr>, Errno> {
    let task = find_or_self(w, caller, pid)?;
    Ok(seen(w, caller, task, w.process(task).session))
}

fn find_or_self(w: &mut World, caller: TaskId, pid: i32) -> Result<TaskId, Errno> {
    if pid == 0 {
        return Ok(caller);
    }
    let found = find_task_by_pid_ns(w, w.active_ns(caller), pid);
    if found.is_none() {
        w.because(&rule::VIEW_LOOKUP_OWN_NS, caller);
    }
    found.ok_or(Errno::ESRCH)
}

fn seen(w: &mut World, caller: TaskId, task: TaskId, id: PidId) -> Option<Nr> {
    let number = pid_nr_ns(w, id, w.active_ns(caller));
    w.because(if number.is_some() { &rule::VIEW_TRANSLATE } else { &rule::VIEW_PGID_SID_OUTSIDE }, task);
    number
}

/// setsid(2): a new session and a new group, both with the caller's number.
///
/// # Errors
/// `EPERM`: the caller leads a session, or a group has its number.
///
/// # References
/// kernel/sys.c:ksys_setsid
pub(crate) fn sys_setsid(w: &mut World, caller: TaskId) -> Result<Nr, Errno> {
    let leader = w.group_leader(caller);
    w.because(&rule::PG_SETSID, leader);
    if w.is_unkillable(leader) {
        w.because(&rule::VIEW_INIT_SETSID, leader);
    }
    let (process, own) = (w.task(leader).signal, w.task(leader).thread_pid);
    if w.sig(process).has(SignalFlags::SESSION_LEADER) || w.pids[own].pgrp.is_some() {
        return Err(Errno::EPERM);
    }
    w.sig_mut(process).flags.insert(SignalFlags::SESSION_LEADER);
    change_session(w, process, own);
    change_pgrp(w, process, own);
    Ok(own_number(w, leader))
}

fn change_session(w: &mut World, process: SignalId, session: PidId) {
    let old = std::mem::replace(&mut w.sig_mut(process).session, session);
    w.pids[session].session += 1;
    w.pids[old].session -= 1;
    free_if_unused(w, old);
}

/// Moves a process into another group.
///
/// # References
/// kernel/pid.c:change_pid
fn change_pgrp(w: &mut World, process: SignalId, pgrp: PidId) {
    let old = w.sig(process).pgrp;
    if old == pgrp {
        return;
    }
    detach_pgrp(w, process);
    attach_pgrp(w, process, pgrp);
    free_if_unused(w, old);
}

/// setpgid(2); 0 is the caller, and the process's own number.
///
/// # Errors
/// `EINVAL`: the group is negative, or `pid` is a thread; `ESRCH`: not the caller and not a child of it; `EACCES`: a child that runs
/// another program; `EPERM`: a session leader, a child in another session, or no such group in the caller's session.
///
/// # References
/// kernel/sys.c:setpgid
pub(crate) fn sys_setpgid(w: &mut World, caller: TaskId, pid: i32, pgid: i32) -> Result<(), Errno> {
    w.because(&rule::PG_RULES, caller);
    let (task, pgrp) = check_setpgid(w, caller, pid, pgid)?;
    let ns = w.active_ns(task);
    if ns != w.active_ns(caller) {
        w.because(&rule::VIEW_SETPGID_CROSS, task);
    }
    let process = w.task(task).signal;
    let old = w.sig(process).pgrp;
    if pid_nr_ns(w, old, ns).is_none() {
        w.because(&rule::PG_ONE_WAY, task);
    }
    if old != pgrp && w.pids[pgrp].ns != ns {
        w.because(&rule::PG_CROSS_JOIN, task);
    }
    change_pgrp(w, process, pgrp);
    Ok(())
}

/// Whom a setpgid(2) moves, and where.
fn check_setpgid(w: &mut World, caller: TaskId, pid: i32, pgid: i32) -> Result<(TaskId, PidId), Errno> {
    let leader = w.group_leader(caller);
    let ns = w.active_ns(caller);
    let own = i32::try_from(own_number(w, leader).get()).expect("numbers fit pid_t");
    let pid = if pid == 0 { own } else { pid };
    let pgid = if pgid == 0 { pid } else { pgid };
    if pgid < 0 {
        return Err(Errno::EINVAL);
    }
    let task = find_task_by_pid_ns(w, ns, pid).ok_or(Errno::ESRCH)?;
    if w.group_leader(task) != task {
        w.because(&rule::PG_NO_THREAD, task);
        return Err(Errno::EINVAL);
    }
    let session = w.process(leader).session;
    if w.task(task).real_parent.is_some_and(|parent| w.same_thread_group(parent, leader)) {
        if w.process(task).session != session {
            return Err(Errno::EPERM);
        }
        if w.task(task).has(TaskFlags::EXECED) {
            w.because(&rule::PG_EXECED, task);
            return Err(Errno::EACCES);
        }
    } else if task != leader {
        return Err(Errno::ESRCH);
    }
    if w.process(task).has(SignalFlags::SESSION_LEADER) {
        return Err(Errno::EPERM);
    }
    if pgid == pid {
        return Ok((task, w.task(task).thread_pid));
    }
    let Some(pgrp) = find_pid_ns(w, ns, pgid) else {
        w.because(&rule::PG_ONE_WAY, task);
        return Err(Errno::EPERM);
    };
    let member = w.pids[pgrp].pgrp.ok_or(Errno::EPERM)?;
    if w.sig(member).session != session {
        return Err(Errno::EPERM);
    }
    Ok((task, pgrp))
}

/// Whether a setpgid(2) would succeed and put the init of a namespace into a group that is led from inside its own namespace, or from
/// one beside it.
///
/// On Linux such an init may never end: it waits in `zap_pid_ns_processes` for a number that its own membership keeps in use (or, in a
/// circle, another such init), no signal reaches it, and if its parent is ending too, then nothing but a restart of the machine removes
/// it. The world models this; nobody should try it on a machine.
pub(crate) fn would_never_end(w: &World, caller: TaskId, pid: i32, pgid: i32) -> bool {
    let mut copy = w.clone();
    copy.log.recording = false;
    let Ok((task, pgrp)) = check_setpgid(&mut copy, caller, pid, pgid) else { return false };
    let (own, leaders) = (w.active_ns(task), w.pids[pgrp].ns);
    let beneath = is_within(w, own, leaders) && own != leaders;
    w.is_unkillable(task) && pgrp != w.task(task).thread_pid && !beneath
}
