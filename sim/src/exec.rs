//! A new program in the same process.
//!
//! Of its threads only the caller is left. If that was not the first, it takes the first one's place: the two exchange their numbers,
//! and the old first thread is released under the other's.
//!
//! ```text
//!   before   leader 2   t 3 (in exec)         all others get SIGKILL, t waits
//!   after    t 2                              3 is free, and what was pending for the old leader alone is gone with it
//! ```
//!
//! In the kernel: fs/exec.c:begin_new_exec, de_thread.

use pidlab_scenario::Signal;

use crate::Next;
use crate::cred::commit_creds;
use crate::exit::do_exit::complete_vfork_done;
use crate::exit::release::release_task;
use crate::objects::cred::{CapSet, Cred};
use crate::objects::ids::{TaskId, UserNsId};
use crate::objects::signal_struct::SignalFlags;
use crate::objects::task::{At, ExitState, TaskFlags};
use crate::setns::{Sharer, shares_fs_with};
use crate::signal::action::flush_signal_handlers;
use crate::signal::send::kill_threads;
use crate::world::{InCall, Return, World};
use crate::{Misconception, mqueue, rule, tid_words};

/// execve(2). Answers whether the new program runs already.
///
/// # References
/// fs/exec.c:bprm_execve, check_unsafe_exec
pub(crate) fn sys_execve(w: &mut World, caller: TaskId) -> bool {
    let shares = shares_fs_with(w, caller, Sharer::Process);
    w.task_mut(caller).flags.set(TaskFlags::UNSAFE_SHARE, shares);
    if w.thread_group_empty(caller) {
        begin_new_exec(w, caller);
        return true;
    }
    w.because(&rule::THR_MT_EXEC, caller);
    let process = w.task(caller).signal;
    w.sig_mut(process).flags.insert(SignalFlags::GROUP_EXEC);
    w.sig_mut(process).group_stop_count = 0;
    w.task_mut(caller).at = At::DeThread;
    kill_threads(w, process, Some(caller));
    w.wake_up(caller);
    false
}

/// Goes on once the other threads have ended.
///
/// # References
/// fs/exec.c:de_thread
pub(crate) fn go_on(w: &mut World, caller: TaskId) -> Next {
    let process = w.task(caller).signal;
    if w.task(caller).has(TaskFlags::KILLED) {
        w.sig_mut(process).flags.remove(SignalFlags::GROUP_EXEC);
        w.task_mut(caller).at = At::User;
        return Next::GoesOn;
    }
    let record = w.sig(process);
    let (leader, threads) = (record.leader, record.nr_threads);
    let others = threads - 1 - u32::from(leader != caller);
    if others > 0 || (leader != caller && w.task(leader).exit_state == ExitState::None) {
        return Next::Sleeps;
    }
    if leader != caller {
        take_leaders_place(w, caller, leader);
    }
    w.sig_mut(process).flags.remove(SignalFlags::GROUP_EXEC);
    begin_new_exec(w, caller);
    w.enter(caller, At::Returning, InCall::Returning(Return::Told));
    Next::GoesOn
}

/// The caller becomes the first thread, with that one's numbers and place among its parent's children.
fn take_leaders_place(w: &mut World, caller: TaskId, leader: TaskId) {
    let process = w.task(caller).signal;
    if !w.pending(leader).is_empty() {
        w.because(&rule::THR_EXEC_DROPS_LEADERS_SIGNALS, caller);
    }
    // exchange_tids
    let (own, first) = (w.task(caller).thread_pid, w.task(leader).thread_pid);
    w.task_mut(caller).thread_pid = first;
    w.task_mut(leader).thread_pid = own;
    w.pids[first].task = Some(caller);
    w.pids[own].task = Some(leader);
    mqueue::owner_by_pid(w, leader, caller);
    replace_sibling(w, leader, caller);
    w.task_mut(caller).next_thread = Some(leader);
    w.task_mut(leader).next_thread = None;
    let record = w.sig_mut(process);
    record.leader = caller;
    record.last_thread = leader;
    w.task_mut(leader).exit_state = ExitState::Dead;
    if w.ns(w.active_ns(caller)).reaper() == Some(caller) {
        w.because(&rule::ZAP_EXEC_INIT, caller);
    }
    release_task(w, leader);
    w.because(&rule::WAIT_ORDER_MT_EXEC, caller);
}

/// `list_replace_init(&leader->sibling, &tsk->sibling)`.
fn replace_sibling(w: &mut World, old: TaskId, new: TaskId) {
    let record = w.task_mut(old);
    let (parent, prev, next) = (record.real_parent, record.prev_sibling.take(), record.next_sibling.take());
    let record = w.task_mut(new);
    record.prev_sibling = prev;
    record.next_sibling = next;
    match (prev, parent) {
        (Some(prev), _) => w.task_mut(prev).next_sibling = Some(new),
        (None, Some(parent)) => w.task_mut(parent).first_child = Some(new),
        (None, None) => {}
    }
    match (next, parent) {
        (Some(next), _) => w.task_mut(next).prev_sibling = Some(new),
        (None, Some(parent)) => w.task_mut(parent).last_child = Some(new),
        (None, None) => {}
    }
}

/// What a new program does not take over from the old one, and what its parent sees of it.
fn begin_new_exec(w: &mut World, task: TaskId) {
    w.because(&rule::EXEC_KEEPS_PROCESS, task);
    if w.is_unkillable(task) {
        w.because(&rule::ZAP_EXEC_INIT, task);
    }
    if w.task(task).exit_signal != Some(Signal::CHLD) {
        w.because(&rule::EXIT_SIGNAL_RESET, task);
    }
    let handlers = w.sighand(task).caught;
    if !handlers.is_empty() {
        w.because(&rule::EXEC_RESETS_HANDLERS, task);
    }
    let process = w.task(task).signal;
    if !w.believes(Misconception::HandlersSurviveExec) {
        flush_signal_handlers(w, process);
    }
    if !w.tid_words.is_empty() {
        tid_words::mm_release(w, task);
    }
    w.sig_mut(process).mm = None;
    if !w.queues.is_empty() {
        mqueue::mqueue_flush_files(w, task, &rule::MQ_EXEC_CLOSES);
    }
    keep_or_drop_capabilities(w, task);
    let record = w.task_mut(task);
    record.exit_signal = Some(Signal::CHLD);
    record.flags.insert(TaskFlags::EXECED);
    let mut next = record.first_child;
    while let Some(child) = next {
        let child = w.task_mut(child);
        child.flags.insert(TaskFlags::PARENT_EXECED);
        next = child.next_sibling;
    }
    if w.task(task).has(TaskFlags::VFORK_DONE) {
        complete_vfork_done(w, task);
    }
}

/// A new program has the capabilities that its user id gives: all for root, none for others, nor where nobody has a number; in a user namespace
/// with a map, all for its maker.
///
/// # References
/// capabilities(7), Capabilities and execution of programs by root; security/commoncap.c:cap_bprm_creds_from_file
fn keep_or_drop_capabilities(w: &mut World, task: TaskId) {
    let who = w.cred(task);
    let outermost = who.user_ns == UserNsId::OUTERMOST;
    let capable = if outermost { who.uid == 0 } else { w.user_namespaces[who.user_ns.0 as usize].mapped };
    if who.capable && !capable {
        w.because(&rule::USER_EXEC_DROPS, task);
    }
    let (mut capable, mut dropped) = (capable, CapSet::EMPTY);
    if capable && (!who.capable || who.dropped != CapSet::EMPTY) {
        if w.task(task).has(TaskFlags::UNSAFE_SHARE) {
            w.because(&rule::USER_EXEC_SHARED, task);
            (capable, dropped) = (who.capable, who.dropped);
        } else if who.dropped != CapSet::EMPTY {
            w.because(&rule::USER_EXEC_REGAINS, task);
        }
    }
    w.task_mut(task).flags.remove(TaskFlags::UNSAFE_SHARE);
    if commit_creds(w, task, Cred { capable, dropped, ..who }) {
        w.because(&rule::USER_EXEC_GAINS, task);
    }
}
