//! Releasing a task: a zombie is gone, and its numbers are free, unless a group or a session still bears them.
//!
//! A thread that leads nobody is released by its own exit. If it was the last beside a first thread that had ended before, the process
//! has ended now, and only now the parent is told.
//!
//! In the kernel: kernel/exit.c:release_task, __unhash_process.

use pidlab_scenario::Fact;

use crate::alloc::free_if_unused;
use crate::objects::ids::TaskId;
use crate::objects::pid_namespace::ChildReaper;
use crate::objects::signal_struct::SignalFlags;
use crate::objects::sigpending::Queue;
use crate::objects::task::{At, ExitState};
use crate::pid::detach_pgrp;
use crate::signal::action::put_sighand;
use crate::signal::notify::tell_real_parent;
use crate::tracing::ptrace_unlink;
use crate::world::World;
use crate::{describe, rule};

/// Releases a task that has ended, and its process if it was the last.
///
/// # References
/// kernel/exit.c:release_task
#[inline(always)]
pub(crate) fn release_task(w: &mut World, task: TaskId) {
    let leader = w.group_leader(task);
    if task == leader {
        release_leader(w, task);
        return;
    }
    release_thread(w, task);
    // The last thread beside a first one that has ended already: the process ends with it.
    if w.thread_group_empty(leader) && w.task(leader).exit_state == ExitState::Zombie {
        let process = w.process(leader);
        let code = process.group_exit_code;
        if process.has(SignalFlags::GROUP_EXIT) && w.holds(Fact::SigchldTellsProcess) {
            if code != w.task(leader).exit_code {
                w.because(&rule::EXIT_SIGCHLD_PROCESS_STATUS, leader);
            }
            w.task_mut(leader).exit_code = code;
        }
        if tell_real_parent(w, leader) {
            w.task_mut(leader).exit_state = ExitState::Dead;
            release_leader(w, leader);
        }
    }
}

fn release_thread(w: &mut World, thread: TaskId) {
    let process = w.task(thread).signal;
    let next = w.task(thread).next_thread;
    let mut prev = w.sig(process).leader;
    while w.task(prev).next_thread != Some(thread) {
        prev = w.task(prev).next_thread.expect("a thread is in its process's list");
    }
    w.task_mut(prev).next_thread = next;
    let record = w.sig_mut(process);
    if record.last_thread == thread {
        record.last_thread = prev;
    }
    if record.curr_target == thread {
        record.curr_target = next.unwrap_or(record.leader);
    }
    record.nr_threads -= 1;
    let waits = record.has(SignalFlags::GROUP_EXEC);
    detach_task(w, thread);
    if waits {
        wake_exec(w, process);
    }
}

/// Whoever is in exec and waits for the others looks whether they are gone.
pub(crate) fn wake_exec(w: &mut World, process: crate::objects::ids::SignalId) {
    let waiting = w.threads_of(process).find(|thread| w.task(*thread).at == At::DeThread);
    if let Some(waiting) = waiting {
        w.wake_up(waiting);
    }
}

#[inline(always)]
fn release_leader(w: &mut World, leader: TaskId) {
    debug_assert!(w.task(leader).first_child.is_none(), "its children were handed on");
    ptrace_unlink(w, leader);
    unlink_child(w, leader);
    let process = w.task(leader).signal;
    let (pid, pgrp, session) = (w.task(leader).thread_pid, w.sig(process).pgrp, w.sig(process).session);
    detach_pgrp(w, process);
    w.pids[session].session -= 1;
    put_sighand(w, w.sig(process).sighand);
    w.signals.remove(process);
    w.pending.drop(Queue::Process(process));
    if w.explains() {
        describe::what_bears_it(w, leader);
    }
    detach_task(w, leader);
    if pgrp != pid {
        free_if_unused(w, pgrp);
    }
    if session != pid && session != pgrp {
        free_if_unused(w, session);
    }
}

/// The task lets go of its numbers, and is nobody any more.
#[inline(always)]
fn detach_task(w: &mut World, task: TaskId) {
    let pid = w.task(task).thread_pid;
    if let Some(released) = &mut w.released {
        // In the order of what they bore, whoever came first: else two worlds would differ in that alone.
        let place = released.partition_point(|(other, _)| *other < pid);
        released.insert(place, (pid, w.tasks[task].exit_code));
    }
    let ns = w.ns_mut(w.pids[pid].ns);
    if ns.child_reaper == ChildReaper::Task(task) {
        ns.child_reaper = ChildReaper::Gone;
    }
    w.pids[pid].task = None;
    w.tasks.remove(task);
    w.pending.drop(Queue::Thread(task));
    free_if_unused(w, pid);
}

/// Takes a process out of the list of children that it is in.
#[inline(always)]
fn unlink_child(w: &mut World, child: TaskId) {
    let record = w.task_mut(child);
    let (parent, prev, next) = (record.real_parent, record.prev_sibling.take(), record.next_sibling.take());
    match (prev, parent) {
        (Some(prev), _) => w.task_mut(prev).next_sibling = next,
        (None, Some(parent)) => w.task_mut(parent).first_child = next,
        (None, None) => {}
    }
    match (next, parent) {
        (Some(next), _) => w.task_mut(next).prev_sibling = prev,
        (None, Some(parent)) => w.task_mut(parent).last_child = prev,
        (None, None) => {}
    }
}
