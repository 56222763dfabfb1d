//! Making a task: what is checked, what is inherited, where it is born.
//!
//! ```text
//!   flags that do not go together       EINVAL, before anything else
//!   new credentials, a new namespace    EPERM, EINVAL, ENOSPC
//!   a number at every level             pid::alloc_pid
//!   the task                            in its process, or in a process of its own that is somebody's child
//! ```
//!
//! In the kernel: kernel/fork.c:copy_process, kernel_clone.

use pidlab_scenario::{CloneFlags, Errno, Signal};

use crate::capable::{copy_creds, put_creds};
use crate::nsproxy::copy_pid_ns;
use crate::objects::cred::Cred;
use crate::objects::pid_namespace::{ChildReaper, MAX_PID_NS_LEVEL, NsId};
use crate::objects::signal_struct::{ExitCode, MmId, SignalFlags, SignalStruct};
use crate::objects::sigpending::SigPending;
use crate::objects::task::{At, ExitState, Task, TaskFlags, TaskId};
use crate::pid::{alloc_pid, attach_pgrp, free_pid, put_pid_ns};
use crate::rule;
use crate::signal::action::copy_sighand;
use crate::signal::stop::task_join_group_stop;
use crate::storage::arena::Slot;
use crate::world::{InCall, World};

/// What clone3(2) is asked for.
#[derive(Clone, Debug)]
pub struct CloneArgs<'a> {
    /// Its flags; `CLONE_FILES` and `CLONE_FS` change nothing here.
    pub flags: CloneFlags,
    /// What the parent gets when the child ends; `None` is 0.
    pub exit_signal: Option<Signal>,
    /// The numbers asked for, innermost namespace first.
    pub set_tid: &'a [i32],
}

/// clone3(2).
///
/// # Errors
/// See [`World::clone3`](crate::World::clone3).
///
/// # References
/// kernel/fork.c:kernel_clone, copy_process
#[inline]
pub(crate) fn kernel_clone(w: &mut World, caller: TaskId, args: &CloneArgs<'_>) -> Result<TaskId, Errno> {
    if args.flags.is_empty() && args.set_tid.is_empty() {
        let ns = w.task(caller).pid_ns_for_children.expect("who can act has a plan for its children");
        return copy_process(w, caller, args, ns, None);
    }
    clone_with_flags(w, caller, args)
}

fn clone_with_flags(w: &mut World, caller: TaskId, args: &CloneArgs<'_>) -> Result<TaskId, Errno> {
    check_flags(w, caller, args)?;
    let who = copy_creds(w, caller, args.flags)?;
    let made = with_creds(w, caller, args, who);
    if made.is_err() {
        put_creds(w, caller, who);
    }
    made
}

fn with_creds(w: &mut World, caller: TaskId, args: &CloneArgs<'_>, who: Cred) -> Result<TaskId, Errno> {
    let new_ns = args.flags.contains(CloneFlags::CLONE_NEWPID);
    let ns = if new_ns {
        copy_pid_ns(w, caller, who, &rule::CLONE_NEWPID_TARGET_DIFFERS)?
    } else {
        w.task(caller).pid_ns_for_children.expect("who can act has a plan for its children")
    };
    let new_cred = args.flags.contains(CloneFlags::CLONE_NEWUSER).then_some(who);
    let made = copy_process(w, caller, args, ns, new_cred);
    if made.is_err() && new_ns {
        w.ns_mut(ns).count += 1;
        put_pid_ns(w, ns);
    }
    let child = made?;
    if args.flags.contains(CloneFlags::CLONE_VFORK) {
        w.because(&rule::VFORK_STATE, caller);
        w.task_mut(child).flags.insert(TaskFlags::VFORK_DONE);
        w.enter(caller, At::Vfork, InCall::Vfork(child));
    }
    Ok(child)
}

/// What clone3(2) refuses before anything is made.
///
/// # References
/// kernel/fork.c:clone3_args_valid, copy_process
fn check_flags(w: &mut World, caller: TaskId, args: &CloneArgs<'_>) -> Result<(), Errno> {
    let flags = args.flags;
    let thread = flags.contains(CloneFlags::CLONE_THREAD);
    let sibling = flags.contains(CloneFlags::CLONE_PARENT);
    let needs_more = |flag, other| flags.contains(flag) && !flags.contains(other);
    let own = w.active_ns(caller);
    let rule = if args.set_tid.len() > MAX_PID_NS_LEVEL as usize {
        &rule::SETTID_SIZE
    } else if (sibling || thread) && args.exit_signal.is_some() {
        &rule::CP_NO_EXIT_SIGNAL
    } else if needs_more(CloneFlags::CLONE_THREAD, CloneFlags::CLONE_SIGHAND)
        || needs_more(CloneFlags::CLONE_SIGHAND, CloneFlags::CLONE_VM)
        || flags.contains(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_FS)
    {
        &rule::CLONE_FLAG_BASICS
    } else if sibling && w.is_unkillable(caller) {
        &rule::CLONE_PARENT_BY_INIT
    } else if thread && flags.intersects(CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWUSER) {
        &rule::CLONE_NEWPID_THREAD
    } else if thread && w.task(caller).pid_ns_for_children != Some(own) {
        &rule::CLONE_THREAD_TARGET_DIFFERS
    } else {
        return Ok(());
    };
    w.because(rule, caller);
    Err(Errno::EINVAL)
}

/// The task itself.
#[inline]
fn copy_process(
    w: &mut World,
    caller: TaskId,
    args: &CloneArgs<'_>,
    ns: NsId,
    new_cred: Option<Cred>,
) -> Result<TaskId, Errno> {
    let pid = match alloc_pid(w, ns, args.set_tid, caller) {
        Ok(pid) => pid,
        Err(errno) => {
            if errno == Errno::ENOMEM && ns != w.active_ns(caller) {
                w.because(&rule::UNSHARE_AFTER_INIT_DIED, caller);
            }
            return Err(errno);
        }
    };
    let cred = match new_cred {
        Some(cred) => w.cred_id(cred),
        None => w.task(caller).cred,
    };
    // As a plan for its children.
    w.ns_mut(ns).count += 1;
    let maker = w.task(caller);
    let task = Task {
        signal: maker.signal,
        thread_pid: pid,
        pid_ns_for_children: Some(ns),
        cred,
        blocked: maker.blocked,
        exit_state: ExitState::None,
        ..Task::VACANT
    };
    let thread = args.flags.contains(CloneFlags::CLONE_THREAD);
    let child = w.tasks.insert(task);
    w.pids[pid].task = Some(child);
    if thread {
        join_thread_group(w, caller, child);
        if !args.set_tid.is_empty() {
            w.because(&rule::SETTID_THREAD, child);
        }
        name_the_depth(w, child, ns, false);
    } else {
        new_process(w, caller, child, args);
        if w.explains() {
            name_the_birth(w, caller, child, args.flags);
        }
    }
    Ok(child)
}

/// A thread beside the others of its maker's process.
fn join_thread_group(w: &mut World, caller: TaskId, thread: TaskId) {
    let real_parent = w.task(caller).real_parent;
    w.task_mut(thread).real_parent = real_parent;
    let process = w.process_mut(caller);
    process.nr_threads += 1;
    let last = std::mem::replace(&mut process.last_thread, thread);
    w.task_mut(last).next_thread = Some(thread);
    task_join_group_stop(w, thread);
    w.because(&rule::THR_PIDS, thread);
    w.because(&rule::ALLOC_THREADS_SHARE_SPACE, thread);
}

/// A process of one thread: somebody's child, in its maker's group and session, and the child reaper of its namespace if it is the
/// first there.
#[inline]
fn new_process(w: &mut World, caller: TaskId, child: TaskId, args: &CloneArgs<'_>) {
    let maker = w.task(caller).signal;
    let shares_vm = args.flags.contains(CloneFlags::CLONE_VM);
    let sighand = copy_sighand(w, maker, args.flags.contains(CloneFlags::CLONE_SIGHAND));
    let mm = copy_mm(w, maker, shares_vm);
    let of = w.sig(maker);
    let (pgrp, session) = (of.pgrp, of.session);
    let process = w.signals.insert(SignalStruct {
        leader: child,
        last_thread: child,
        nr_threads: 1,
        curr_target: child,
        group_stop_count: 0,
        flags: SignalFlags::empty(),
        group_exit_code: ExitCode::ZERO,
        pgrp,
        session,
        pgrp_next: None,
        pgrp_prev: None,
        sighand,
        mm,
        shared_pending: SigPending::EMPTY,
    });
    if args.flags.contains(CloneFlags::CLONE_SIGHAND) {
        w.because(&rule::CLONE_SIGHAND_SHARES, child);
    }
    let (parent, exit_signal, parent_execed) = if args.flags.contains(CloneFlags::CLONE_PARENT) {
        let leader = w.task(w.group_leader(caller));
        let parent = leader.real_parent.expect("only an init has its parent outside, and it has no siblings");
        (parent, leader.exit_signal, leader.has(TaskFlags::PARENT_EXECED))
    } else {
        (caller, args.exit_signal, false)
    };
    let task = w.task_mut(child);
    task.signal = process;
    task.real_parent = Some(parent);
    task.exit_signal = exit_signal;
    task.flags.set(TaskFlags::PARENT_EXECED, parent_execed);
    let pid = task.thread_pid;
    append_child(w, parent, child);
    attach_pgrp(w, process, pgrp);
    w.pids[session].session += 1;
    let ns = w.ns_mut(w.pids[pid].ns);
    if ns.is_unborn() {
        ns.child_reaper = ChildReaper::Task(child);
        w.sig_mut(process).flags.insert(SignalFlags::UNKILLABLE);
    }
}

/// The memory of a child: its maker's, or a copy, which is closed if the original is.
///
/// # References
/// kernel/fork.c:copy_mm
#[inline]
fn copy_mm(w: &mut World, maker: crate::objects::signal_struct::SignalId, shared: bool) -> Option<MmId> {
    let mm = w.sig(maker).mm;
    if shared {
        return Some(own_mm(w, maker));
    }
    let closed = mm.is_some_and(|mm| w.undumpable.contains(&mm));
    if !closed {
        return None;
    }
    let copy = next_mm(w);
    w.undumpable.push(copy);
    Some(copy)
}

fn next_mm(w: &mut World) -> MmId {
    w.mms_shared += 1;
    MmId(std::num::NonZeroU32::new(w.mms_shared).expect("it was just counted"))
}

/// The memory of a process, with a name by which others can share it.
pub(crate) fn own_mm(w: &mut World, process: crate::objects::signal_struct::SignalId) -> MmId {
    if let Some(mm) = w.sig(process).mm {
        return mm;
    }
    let mm = next_mm(w);
    w.sig_mut(process).mm = Some(mm);
    mm
}

/// A child comes to the end of its parent's list.
#[inline]
fn append_child(w: &mut World, parent: TaskId, child: TaskId) {
    let last = w.task_mut(parent).last_child.replace(child);
    w.task_mut(child).prev_sibling = last;
    match last {
        Some(last) => w.task_mut(last).next_sibling = Some(child),
        None => w.task_mut(parent).first_child = Some(child),
    }
}

/// clone(2) that fails at its very end, with numbers given out at every level: there is nowhere to write its pidfd. Whatever makes a
/// fork fail earlier does so here, too.
///
/// # References
/// kernel/fork.c:copy_process; kernel/pid.c:free_pid
pub(crate) fn failed_clone3(w: &mut World, caller: TaskId) -> Errno {
    let ns = w.task(caller).pid_ns_for_children.expect("who can act has a plan for its children");
    let fresh = w.ns(ns).is_unborn();
    let pid = match alloc_pid(w, ns, &[], caller) {
        Ok(pid) => pid,
        Err(errno) => return errno,
    };
    w.because(&rule::ALLOC_POST_ALLOC_FAILURE_BURNS, caller);
    free_pid(w, pid);
    if fresh {
        let spoilt = !w.ns(ns).adding;
        let rule = if spoilt {
            &rule::ALLOC_POST_ALLOC_FAILURE_KILLS_FRESH_NS
        } else {
            &rule::ALLOC_POST_ALLOC_FAILURE_TRIED_AGAIN
        };
        w.because(rule, caller);
    }
    Errno::EFAULT
}

#[cold]
fn name_the_birth(w: &mut World, caller: TaskId, child: TaskId, flags: CloneFlags) {
    let new_ns = flags.contains(CloneFlags::CLONE_NEWPID);
    let ns = w.active_ns(child);
    let elsewhere = ns != w.active_ns(caller);
    if w.is_unkillable(child) {
        w.because(if new_ns { &rule::CLONE_NEWPID_INIT } else { &rule::UNSHARE_FIRST_CHILD_INIT }, child);
        w.because(&rule::PG_INIT_INITIAL, child);
    } else if elsewhere {
        w.because(&rule::SETNS_INJECTED_CHILD, child);
    }
    if elsewhere {
        w.because(&rule::CLONE_RETURN_VIEW, child);
        w.because(&rule::UNSHARE_CHILD_INHERITS_TARGET, child);
        if flags.contains(CloneFlags::CLONE_VM) {
            w.because(if new_ns { &rule::CLONE_NEWPID_VM } else { &rule::CLONE_VM_TARGET_DIFFERS }, child);
        }
    }
    name_the_depth(w, child, ns, new_ns);
    if flags.contains(CloneFlags::CLONE_PARENT) {
        name_the_sibling(w, caller, child, new_ns);
    }
    name_the_inheritance(w, caller, child);
}

fn name_the_depth(w: &mut World, child: TaskId, ns: NsId, new_ns: bool) {
    if !new_ns && w.ns(ns).level + w.levels_above == MAX_PID_NS_LEVEL {
        w.because(&rule::LIMIT_DEPTH_OTHER_OPS, child);
    }
}

fn name_the_sibling(w: &mut World, caller: TaskId, child: TaskId, new_ns: bool) {
    w.because(&rule::CP_SIBLING, child);
    w.because(&rule::WAIT_ORDER_CLONE_PARENT, child);
    let own = w.active_ns(caller);
    let parent = w.task(w.group_leader(caller)).real_parent;
    if parent.is_some_and(|parent| w.active_ns(parent) != own) {
        w.because(&rule::CLONE_PARENT_INJECTED, child);
        w.because(&rule::CP_INJECTED, child);
    }
    if new_ns {
        w.because(&rule::CLONE_NEWPID_PARENT, child);
    } else if w.active_ns(child) != own {
        w.because(&rule::CLONE_PARENT_TARGET_DIFFERS, child);
    }
}

/// What a child has from its maker, and what it has not.
fn name_the_inheritance(w: &mut World, caller: TaskId, child: TaskId) {
    let ignores = w.sighand(child).ignored.contains(Signal::CHLD);
    let subreaper = w.process(caller).has(SignalFlags::CHILD_SUBREAPER);
    let pdeath = w.task(w.group_leader(caller)).pdeath_signal.is_some();
    let of_init = w.is_unkillable(caller) && !w.is_unkillable(child);
    for (holds, rule) in [
        (ignores, &rule::EXIT_IGN_INHERITED),
        (subreaper, &rule::REAP_FLAG_SCOPE),
        (pdeath, &rule::PDEATH_LIFETIME),
        (of_init, &rule::SIG_INIT_FLAG_SCOPE),
    ] {
        if holds {
            w.because(rule, child);
        }
    }
}
