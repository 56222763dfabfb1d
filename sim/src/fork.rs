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

use pidlab_scenario::{CloneFlags, Errno};

use crate::alloc::{alloc_pid, put_pid_ns};
use crate::capable::{copy_creds, put_creds};
use crate::mm::copy_mm;
use crate::nsproxy::{copy_pid_ns, shared_fs};
use crate::objects::clone_args::CloneArgs;
use crate::objects::cred::Cred;
use crate::objects::ids::{NsId, TaskId};
use crate::objects::pid_namespace::{ChildReaper, MAX_PID_NS_LEVEL};
use crate::objects::signal_struct::{ExitCode, SignalFlags, SignalStruct};
use crate::objects::task::{At, ExitState, Task, TaskFlags};
use crate::pid::attach_pgrp;
use crate::signal::action::{cleared_sighand, copy_sighand};
use crate::storage::arena::Slot;
use crate::world::{InCall, World};
use crate::{autoreap, describe, misconceived, rule, tid_words};

/// Flags that have a TID written somewhere.
const WRITES_TID: CloneFlags =
    CloneFlags::CLONE_PARENT_SETTID.union(CloneFlags::CLONE_CHILD_SETTID).union(CloneFlags::CLONE_CHILD_CLEARTID);

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
    if args.flags.intersects(WRITES_TID) {
        tid_words::write(w, caller, child, args.flags);
    }
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
    } else if flags.contains(CloneFlags::CLONE_SIGHAND | CloneFlags::CLONE_CLEAR_SIGHAND) {
        &rule::CLONE_CLEAR_OR_SHARE
    } else if (sibling || thread) && args.exit_signal.is_some() {
        &rule::CP_NO_EXIT_SIGNAL
    } else if needs_more(CloneFlags::CLONE_THREAD, CloneFlags::CLONE_SIGHAND)
        || needs_more(CloneFlags::CLONE_SIGHAND, CloneFlags::CLONE_VM)
        || flags.contains(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_FS)
    {
        &rule::CLONE_FLAG_BASICS
    } else if sibling && w.is_unkillable(caller) {
        &rule::CLONE_PARENT_BY_INIT
    } else if let Some(rule) = autoreap::refused(w, caller, args.flags, args.exit_signal) {
        rule
    } else if thread && flags.intersects(CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWUSER) {
        &rule::CLONE_NEWPID_THREAD
    } else if thread && w.task(caller).pid_ns_for_children != Some(own) {
        &rule::CLONE_THREAD_TARGET_DIFFERS
    } else if autoreap::lacks_right(w, caller, args.flags) {
        w.because(&rule::CLONE_AUTOKILL_RIGHT, caller);
        return Err(Errno::EPERM);
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
    let fs = args.flags.contains(CloneFlags::CLONE_FS).then(|| shared_fs(w, caller));
    // As a plan for its children.
    w.ns_mut(ns).count += 1;
    let maker = w.task(caller);
    let task = Task {
        signal: maker.signal,
        thread_pid: pid,
        pid_ns_for_children: Some(ns),
        cred,
        fs,
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
        describe::depth(w, child, ns, false);
    } else {
        new_process(w, caller, child, ns, args);
        if w.explains() {
            describe::birth(w, caller, child, args.flags);
        }
    }
    Ok(child)
}

/// A thread beside the others of its maker's process.
///
/// Linux has it join a stop that is under way (kernel/signal.c, `task_join_group_stop`). Here there is none: whose process stops is asked to stop as well, so that its
/// clone begins anew, and only a tracee can go on in a process that has stopped.
fn join_thread_group(w: &mut World, caller: TaskId, thread: TaskId) {
    assert!(w.tracer(caller).is_none(), "only processes of one thread are traced");
    let real_parent = w.task(caller).real_parent;
    w.task_mut(thread).real_parent = real_parent;
    let process = w.process_mut(caller);
    process.nr_threads += 1;
    let last = std::mem::replace(&mut process.last_thread, thread);
    w.task_mut(last).next_thread = Some(thread);
    w.because(&rule::THR_PIDS, thread);
    w.because(&rule::ALLOC_THREADS_SHARE_SPACE, thread);
}

/// A process of one thread: somebody's child, in its maker's group and session, and the child reaper of its namespace if it is the
/// first there.
#[inline]
fn new_process(w: &mut World, caller: TaskId, child: TaskId, ns: NsId, args: &CloneArgs<'_>) {
    let maker = w.task(caller).signal;
    let shares_vm = args.flags.contains(CloneFlags::CLONE_VM);
    let sighand = if args.flags.contains(CloneFlags::CLONE_CLEAR_SIGHAND) {
        w.because(&rule::CLONE_CLEAR_SIGHAND, child);
        cleared_sighand(w, maker)
    } else {
        copy_sighand(w, maker, args.flags.contains(CloneFlags::CLONE_SIGHAND))
    };
    let mm = copy_mm(w, maker, shares_vm);
    let mut flags = SignalFlags::empty();
    flags.set(SignalFlags::AUTOREAP, args.flags.contains(CloneFlags::CLONE_AUTOREAP));
    flags.set(SignalFlags::AUTOKILL, args.flags.contains(CloneFlags::CLONE_PIDFD_AUTOKILL));
    let of = w.sig(maker);
    let (pgrp, session) = (of.pgrp, of.session);
    let process = w.signals.insert(SignalStruct {
        leader: child,
        last_thread: child,
        nr_threads: 1,
        curr_target: child,
        group_stop_count: 0,
        flags,
        group_exit_code: ExitCode::ZERO,
        pgrp,
        session,
        pgrp_next: None,
        pgrp_prev: None,
        sighand,
        mm,
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
    append_child(w, parent, child);
    attach_pgrp(w, process, pgrp);
    w.pids[session].session += 1;
    misconceived::birth::inherit(w, caller, child);
    let namespace = w.ns_mut(ns);
    if namespace.is_unborn() {
        namespace.child_reaper = ChildReaper::Task(child);
        w.sig_mut(process).flags.insert(SignalFlags::UNKILLABLE);
    }
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
