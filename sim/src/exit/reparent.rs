//! Who adopts the children of a task that exits.
//!
//! ```text
//!   another thread of the same process, if one is left: nobody is told
//!   a subreaper above the dead parent, in the dead parent's own PID namespace
//!   the child reaper of that namespace
//! ```
//!
//! The namespace of the children does not matter, only that of the parent they lose. A child that has ended already is told of to its
//! new parent, who may be one that wants no zombies.
//!
//! In the kernel: kernel/exit.c:forget_original_parent, find_new_reaper, reparent_leader.

use pidlab_scenario::Signal;

use super::orphaned_pgrp::kill_orphaned_pgrp;
use crate::capable::check_kill_permission;
use crate::objects::ids::TaskId;
use crate::objects::signal_struct::SignalFlags;
use crate::objects::sigpending::To;
use crate::objects::task::ExitState;
use crate::signal::info::Info;
use crate::signal::notify::do_notify_parent;
use crate::signal::send::send_signal;
use crate::tracing::is_held;
use crate::world::World;
use crate::{Misconception, Rule, describe, misconceived, rule};

/// The first thread of a task's process that has not begun to exit.
///
/// # References
/// kernel/exit.c:find_alive_thread
pub(crate) fn find_alive_thread(w: &World, task: TaskId) -> Option<TaskId> {
    w.threads_of(w.task(task).signal).find(|thread| w.task(*thread).is_alive())
}

/// Hands the children of a task on. Those that vanish with that are put into `dead`.
///
/// # References
/// kernel/exit.c:forget_original_parent
pub(crate) fn forget_original_parent(w: &mut World, father: TaskId, dead: &mut Vec<TaskId>) {
    let Some(first) = w.task(father).first_child else { return };
    misconceived::orphans::leave_behind(w, father);
    let (reaper, rule) = find_new_reaper(w, father);
    let same = w.same_thread_group(reaper, father);
    let mut next = Some(first);
    while let Some(child) = next {
        next = w.task(child).next_sibling;
        let mut at = Some(child);
        while let Some(thread) = at {
            at = w.task(thread).next_thread;
            w.task_mut(thread).real_parent = Some(reaper);
            send_pdeath_signal(w, father, thread);
        }
        w.because(rule, child);
        if !same {
            reparent_leader(w, father, child, dead);
        }
    }
    splice_children(w, father, reaper);
}

/// A child has a parent in another process now.
///
/// # References
/// kernel/exit.c:reparent_leader
fn reparent_leader(w: &mut World, father: TaskId, child: TaskId, dead: &mut Vec<TaskId>) {
    if w.explains() {
        describe::adoption(w, father, child);
    }
    if w.task(child).exit_signal != Some(Signal::CHLD) {
        w.because(&rule::EXIT_SIGNAL_RESET, child);
        w.task_mut(child).exit_signal = Some(Signal::CHLD);
    }
    if w.task(child).exit_state == ExitState::Zombie && w.thread_group_empty(child) && !is_held(w, child) {
        w.because(&rule::REAP_ZOMBIE_HANDOVER, child);
        if do_notify_parent(w, child, Some(Signal::CHLD)) {
            w.task_mut(child).exit_state = ExitState::Dead;
            dead.push(child);
        }
    }
    kill_orphaned_pgrp(w, child, Some(father));
}

/// The signal that a thread has asked for, for the end of the task that is its parent.
fn send_pdeath_signal(w: &mut World, father: TaskId, thread: TaskId) {
    let Some(signal) = w.task(thread).pdeath_signal else { return };
    w.because(&rule::PDEATH_WHEN, thread);
    if !check_kill_permission(w, father, thread, Some(signal)) {
        w.because(&rule::PDEATH_PERMISSION, thread);
        return;
    }
    w.because(&rule::PDEATH_SIGINFO, thread);
    if w.is_unkillable(thread) {
        w.because(&rule::PDEATH_INIT, thread);
    }
    send_signal(w, signal, &mut Info::Current, thread, To::Process);
}

/// Appends the list of one parent to another's, in its order.
pub(crate) fn splice_children(w: &mut World, from: TaskId, to: TaskId) {
    let task = w.task_mut(from);
    let (Some(first), Some(last)) = (task.first_child.take(), task.last_child.take()) else { return };
    let tail = w.task_mut(to).last_child.replace(last);
    w.task_mut(first).prev_sibling = tail;
    match tail {
        Some(tail) => w.task_mut(tail).next_sibling = Some(first),
        None => w.task_mut(to).first_child = Some(first),
    }
}

/// Who adopts the children of a task. Also answers which rule decided.
///
/// # References
/// kernel/exit.c:find_new_reaper
fn find_new_reaper(w: &mut World, father: TaskId) -> (TaskId, &'static Rule) {
    if let Some(thread) = find_alive_thread(w, father) {
        return (thread, &rule::REAP_THREAD_FIRST);
    }
    if let Some(adopter) = misconceived::orphans::adopter(w, father) {
        return (adopter, &rule::REAP_NS_IS_FATHERS);
    }
    let ns = w.active_ns(father);
    let child_reaper = w.ns(ns).reaper().expect("a namespace with a member has a child reaper");
    if w.process(father).has(SignalFlags::CHILD_SUBREAPER) {
        w.because(&rule::REAP_CHAIN, father);
    }
    let mut at = w.task(father).real_parent;
    let mut met_init = false;
    while let Some(ancestor) = at {
        let process = w.process(ancestor);
        let subreaper = process.has(SignalFlags::CHILD_SUBREAPER);
        // A namespace contains its members' children, so leaving it upward means leaving it for good.
        if w.active_ns(ancestor) != ns && !w.believes(Misconception::SubreaperReachesInside) {
            if subreaper {
                w.because(&rule::REAP_NO_CROSS_BOUNDARY, father);
            }
            if !met_init {
                w.because(&rule::REAP_CHILD_OF_INJECTED, father);
            }
            break;
        }
        met_init |= w.same_thread_group(ancestor, child_reaper);
        at = w.task(process.leader).real_parent;
        // One that has begun to exit does not adopt; one that is only killed does, and hands on later.
        if subreaper && let Some(thread) = find_alive_thread(w, ancestor) {
            return (thread, &rule::REAP_SUBREAPER);
        }
    }
    (child_reaper, &rule::REAP_NS_IS_FATHERS)
}
