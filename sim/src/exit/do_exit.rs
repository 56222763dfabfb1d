//! A task exits, in three turns between which others may run, and a fourth before them if it ends a process of several threads.
//!
//! ```text
//!   do_exit       PF_EXITING is set; signals that it would have taken are left to other threads
//!   exit_mm       its memory is gone: whoever sleeps in the vfork that made it goes on
//!   exit_notify   its children are handed on, it is a zombie, its parent is told; a thread that leads nobody is released
//! ```
//!
//! The child reaper of a namespace does not come to the end of the third before the namespace is empty (`zap`).
//!
//! In the kernel: kernel/exit.c:do_exit, do_group_exit, exit_notify; kernel/signal.c:exit_signals.

use pidlab_scenario::Fact;

use super::orphaned_pgrp::kill_orphaned_pgrp;
use super::release::{release_task, wake_exec};
use super::reparent::{find_alive_thread, forget_original_parent};
use super::zap::{collect_zombies, finish_zap, is_alone, zap_pid_ns_processes};
use crate::alloc::put_pid_ns;
use crate::objects::ids::TaskId;
use crate::objects::pid_namespace::ChildReaper;
use crate::objects::signal_struct::{ExitCode, SignalFlags};
use crate::objects::task::{At, ExitState, TaskFlags};
use crate::ptrace::exit_ptrace;
use crate::signal::info::Cld;
use crate::signal::notify::{Told, do_notify_parent_cldstop, tell_of_end};
use crate::signal::pending::{hands_on, retarget_shared_pending};
use crate::signal::send::kill_threads;
use crate::signal::stop::participate_group_stop;
use crate::world::{InCall, Return, World};
use crate::{Next, describe, misconceived, rule, tid_words};

/// Ends the whole process. What was decided before stays.
///
/// # References
/// kernel/exit.c:do_group_exit
#[inline(always)]
pub(crate) fn do_group_exit(w: &mut World, task: TaskId, code: ExitCode) -> Next {
    let process = w.task(task).signal;
    let record = w.sig(process);
    let code = if record.has(SignalFlags::GROUP_EXIT) {
        record.group_exit_code
    } else if record.has(SignalFlags::GROUP_EXEC) {
        ExitCode::ZERO
    } else {
        w.sig_mut(process).set_group_exit(code);
        if w.sig(process).nr_threads > 1 {
            w.because(&rule::THR_GROUP_EXIT, task);
            kill_threads(w, process, Some(task));
            w.task_mut(task).at = At::GroupExit;
            return Next::GoesOn;
        }
        code
    };
    do_exit(w, task, code)
}

/// One thread exits. If it is the last, its status is the process's, unless that was decided before.
///
/// # References
/// kernel/exit.c:do_exit, synchronize_group_exit
#[inline(always)]
pub(crate) fn do_exit(w: &mut World, task: TaskId, code: ExitCode) -> Next {
    let process = w.task(task).signal;
    let leader = w.sig(process).leader;
    if leader != task || w.task(task).next_thread.is_some() {
        among_threads(w, task, leader, code);
    } else {
        w.task_mut(task).flags.insert(TaskFlags::GROUP_DEAD);
        if !w.sig(process).has(SignalFlags::GROUP_EXIT) && w.holds(Fact::LastThreadStatus) {
            w.sig_mut(process).set_group_exit(code);
        }
    }
    let record = w.task_mut(task);
    record.flags.insert(TaskFlags::EXITING);
    record.exit_code = code;
    record.at = At::ExitMm;
    record.flags.remove(TaskFlags::FRAMED);
    let awaited = record.has(TaskFlags::VFORK_DONE);
    w.forget_asides(task);
    // A turn ends where somebody could notice that it has begun to exit. A tracer outside of the world stops it here (`PTRACE_EVENT_EXIT`).
    let process = w.sig(process);
    let others = process.nr_threads > 1 || process.has(SignalFlags::CHILD_SUBREAPER);
    let noticed = others || awaited || w.watched || !w.tid_words.is_empty();
    if noticed { Next::GoesOn } else { exit_mm(w, task) }
}

/// What changes for the other threads.
///
/// # References
/// kernel/signal.c:exit_signals
#[cold]
fn among_threads(w: &mut World, task: TaskId, leader: TaskId, code: ExitCode) {
    let process = w.task(task).signal;
    let others_exit = w.threads_of(process).all(|thread| thread == task || !w.task(thread).is_alive());
    if others_exit {
        w.task_mut(task).flags.insert(TaskFlags::GROUP_DEAD);
        if !w.sig(process).has(SignalFlags::GROUP_EXIT) {
            last_of_several(w, task, leader, code);
        }
    }
    if w.sig(process).nr_threads <= 1 || w.sig(process).has(SignalFlags::GROUP_EXIT) {
        return;
    }
    w.task_mut(task).flags.insert(TaskFlags::EXITING);
    if w.task(task).has(TaskFlags::SIGPENDING) && hands_on(w, task) {
        let taken = w.task(task).blocked;
        let all = w.shared_pending(process);
        retarget_shared_pending(w, task, all.without(taken));
        if w.task(task).has(TaskFlags::STOP_PENDING) && participate_group_stop(w, task) {
            do_notify_parent_cldstop(w, task, Told::RealParent, Cld::Stopped);
        }
    }
}

fn last_of_several(w: &mut World, task: TaskId, leader: TaskId, code: ExitCode) {
    w.because(&rule::EXIT_STATUS, task);
    if task != leader {
        let last = w.holds(Fact::LastThreadStatus);
        w.because(if last { &rule::WAIT_MT_EXIT_CODE } else { &rule::WAIT_MT_EXIT_CODE_LEADER }, task);
    }
    if w.holds(Fact::LastThreadStatus) {
        w.process_mut(task).set_group_exit(code);
    }
}

/// The task gives up its memory and its plans.
///
/// # References
/// kernel/exit.c:exit_mm; kernel/fork.c:mm_release; kernel/nsproxy.c:exit_task_namespaces
#[inline(always)]
pub(crate) fn exit_mm(w: &mut World, task: TaskId) -> Next {
    if !w.tid_words.is_empty() {
        tid_words::mm_release(w, task);
    }
    let record = w.task_mut(task);
    record.at = At::ExitNotify;
    let ns = record.pid_ns_for_children.take();
    if w.process(task).mm.is_some_and(|mm| w.undumpable.contains(&mm)) {
        w.task_mut(task).flags.insert(TaskFlags::CLOSED);
    }
    if w.explains() {
        describe::unsharer(w, task, ns);
    }
    if let Some(ns) = ns {
        put_pid_ns(w, ns);
    }
    if w.task(task).has(TaskFlags::VFORK_DONE) && complete_vfork_done(w, task) {
        w.because(&rule::EXIT_ORDER_INSIDE, task);
        if w.ns(w.active_ns(task)).reaper() == Some(task) {
            w.because(&rule::ZAP_VFORK_PARENT, task);
        }
        return Next::GoesOn;
    }
    exit_notify(w, task)
}

/// Whoever sleeps in the vfork that made this task goes on. Answers whether there was somebody.
///
/// # References
/// kernel/fork.c:complete_vfork_done
pub(crate) fn complete_vfork_done(w: &mut World, child: TaskId) -> bool {
    w.task_mut(child).flags.remove(TaskFlags::VFORK_DONE);
    let waiter = w.calls.iter().find(|(_, call)| **call == InCall::Vfork(child)).map(|(task, _)| *task);
    let Some(waiter) = waiter else { return false };
    w.because(&rule::VFORK_STATE, waiter);
    w.enter(waiter, At::Returning, InCall::Returning(Return::Told));
    w.wake_up(waiter);
    true
}

/// The task is about to be seen as ended. A child reaper ends its namespace first, unless another thread of it lives on.
///
/// # References
/// kernel/exit.c:exit_notify, find_child_reaper
#[inline(always)]
pub(crate) fn exit_notify(w: &mut World, task: TaskId) -> Next {
    exit_ptrace(w, task);
    let ns = w.active_ns(task);
    if w.ns(ns).reaper() != Some(task) || misconceived::ends::leaves_alone(w, task) {
        return finish_exit(w, task);
    }
    if let Some(heir) = find_alive_thread(w, task) {
        // The namespace lives as long as a thread of its init does.
        w.because(&rule::REAP_INIT_MT, heir);
        w.ns_mut(ns).child_reaper = ChildReaper::Task(heir);
        return finish_exit(w, task);
    }
    zap_pid_ns_processes(w, task);
    go_on_zapping(w, task)
}

/// Reaps its children as they end, and sleeps until the namespace is empty.
pub(crate) fn go_on_zapping(w: &mut World, reaper: TaskId) -> Next {
    collect_zombies(w, reaper);
    if !is_alone(w, reaper) {
        return Next::Sleeps;
    }
    finish_zap(w, reaper);
    finish_exit(w, reaper)
}

/// Everything that happens under the kernel's `tasklist_lock`, and the releasing that follows.
#[inline(always)]
fn finish_exit(w: &mut World, task: TaskId) -> Next {
    let mut dead = Vec::new();
    if w.task(task).first_child.is_some() {
        forget_original_parent(w, task, &mut dead);
    }
    let leader = w.group_leader(task);
    if w.task(task).has(TaskFlags::GROUP_DEAD) {
        kill_orphaned_pgrp(w, leader, None);
        if w.explains() {
            describe::session_leader(w, leader);
        }
    }
    w.task_mut(task).exit_state = ExitState::Zombie;
    let autoreap = tell_of_end(w, task);
    if w.process(task).has(SignalFlags::GROUP_EXEC) {
        wake_exec(w, w.task(task).signal);
    }
    // Who is released is nobody any more, so its turn ends first.
    w.task_mut(task).flags.remove(TaskFlags::ON_RQ);
    for child in dead {
        release_task(w, child);
    }
    if autoreap {
        w.task_mut(task).exit_state = ExitState::Dead;
        release_task(w, task);
    }
    Next::Ended
}
