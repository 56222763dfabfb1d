//! What a process does with signals, and which of them a thread blocks.
//!
//! The table of actions belongs to the process, and to those that share it; the mask belongs to the thread. An action that ignores a
//! signal takes back those that wait, in the process of the caller alone.
//!
//! In the kernel: kernel/signal.c:do_sigaction, sigprocmask, __set_task_blocked; kernel/fork.c:copy_sighand.

use pidlab_scenario::{Errno, MaskChange, Signal, SignalAction};

use super::pending::{flush_all, pending_for, recalc_sigpending, retarget_shared_pending, signal_wake_up};
use crate::objects::ids::{SighandId, SignalId, TaskId};
use crate::objects::sighand::Sighand;
use crate::objects::sigpending::{DefaultAction, SigSet, default_action, is_kernel_only};
use crate::objects::task::{ExitState, TaskFlags};
use crate::rule;
use crate::storage::arena::Slot;
use crate::world::World;

/// Sets an action in the table of a task, for all who share it.
pub(crate) fn change_action(w: &mut World, task: TaskId, signal: Signal, action: SignalAction) {
    let table = own_sighand(w, w.task(task).signal);
    w.sighands[table].set(signal, action);
    if w.explains() && w.sighands[table].count > 1 {
        name_the_sharers(w, task);
    }
}

fn name_the_sharers(w: &mut World, task: TaskId) {
    let leader = w.group_leader(task);
    let table = w.process(task).sighand;
    let shares = |other: &TaskId| *other != leader && w.process(*other).sighand == table;
    let sharers: Vec<TaskId> = w.processes().filter(shares).collect();
    for sharer in sharers {
        w.because(&rule::CLONE_SIGHAND_SHARES, sharer);
    }
}

/// The table of a process, one that can be changed.
pub(crate) fn own_sighand(w: &mut World, process: SignalId) -> SighandId {
    let table = w.sig(process).sighand;
    if table != SighandId::DEFAULT {
        return table;
    }
    let own = w.sighands.insert(Sighand { count: 1, ..w.sighands[table].clone() });
    w.sig_mut(process).sighand = own;
    own
}

/// The table of a child: the maker's own, or one that is equal.
///
/// # References
/// kernel/fork.c:copy_sighand
#[inline]
pub(crate) fn copy_sighand(w: &mut World, maker: SignalId, shared: bool) -> SighandId {
    if !shared && w.sig(maker).sighand == SighandId::DEFAULT {
        return SighandId::DEFAULT;
    }
    copy_set_sighand(w, maker, shared)
}

#[cold]
fn copy_set_sighand(w: &mut World, maker: SignalId, shared: bool) -> SighandId {
    if shared {
        let table = own_sighand(w, maker);
        w.sighands[table].count += 1;
        return table;
    }
    let table = &w.sighands[w.sig(maker).sighand];
    if table.is_all_default() {
        return SighandId::DEFAULT;
    }
    let copy = Sighand { count: 1, ..table.clone() };
    w.sighands.insert(copy)
}

/// A process has the table no more.
#[inline]
pub(crate) fn put_sighand(w: &mut World, table: SighandId) {
    if table == SighandId::DEFAULT {
        return;
    }
    w.sighands[table].count -= 1;
    if w.sighands[table].count == 0 {
        w.sighands.remove(table);
    }
}

/// A new program shares its table with nobody, and has no handlers.
///
/// # References
/// fs/exec.c:unshare_sighand; kernel/signal.c:flush_signal_handlers
pub(crate) fn flush_signal_handlers(w: &mut World, process: SignalId) {
    let old = w.sig(process).sighand;
    let new = cleared_sighand(w, process);
    w.sig_mut(process).sighand = new;
    put_sighand(w, old);
}

/// A table like that of a process, but without handlers (`CLONE_CLEAR_SIGHAND`).
pub(crate) fn cleared_sighand(w: &mut World, like: SignalId) -> SighandId {
    let ignored = w.sighands[w.sig(like).sighand].ignored;
    if ignored.is_empty() {
        return SighandId::DEFAULT;
    }
    w.sighands.insert(Sighand { ignored, count: 1, ..Sighand::VACANT })
}

/// sigaction(2).
///
/// # Errors
/// `EINVAL`: `SIGKILL` and `SIGSTOP` cannot be changed.
///
/// # References
/// kernel/signal.c:do_sigaction
pub(crate) fn do_sigaction(w: &mut World, task: TaskId, signal: Signal, action: SignalAction) -> Result<(), Errno> {
    if is_kernel_only(signal) {
        w.because(&rule::SIG_UNCATCHABLE, task);
        return Err(Errno::EINVAL);
    }
    change_action(w, task, signal, action);
    if signal == Signal::CHLD && matches!(action, SignalAction::Ignore | SignalAction::NoCldWait) {
        let zombies: Vec<TaskId> =
            w.children(task).filter(|child| w.task(*child).exit_state == ExitState::Zombie).collect();
        for zombie in zombies {
            w.because(&rule::EXIT_AUTOREAP_NOT_RETROACTIVE, zombie);
        }
    }
    let ignores = match action {
        SignalAction::Ignore => true,
        SignalAction::Default | SignalAction::NoCldWait => default_action(signal) == DefaultAction::Ignore,
        SignalAction::Handle | SignalAction::HandleRestart => false,
    };
    if ignores {
        flush_all(w, w.task(task).signal, |pending| pending == signal);
    }
    Ok(())
}

/// sigprocmask(2) for one signal.
///
/// # References
/// kernel/signal.c:sigprocmask
pub(crate) fn sigprocmask(w: &mut World, task: TaskId, how: MaskChange, signal: Signal) {
    if is_kernel_only(signal) {
        // Silently left out of every mask.
        w.because(&rule::SIG_UNCATCHABLE, task);
        return;
    }
    let mut blocked = w.task(task).blocked;
    match how {
        MaskChange::Block => blocked.insert(signal),
        MaskChange::Unblock => blocked.remove(signal),
    }
    set_current_blocked(w, task, blocked);
}

/// Sets the mask of a thread. What it does not take any more is left to the others. Where nothing changes nothing happens, and a signal
/// that the thread was not told of stays unseen.
///
/// # References
/// kernel/signal.c:__set_current_blocked, __set_task_blocked
pub(crate) fn set_current_blocked(w: &mut World, task: TaskId, blocked: SigSet) {
    let old = w.task(task).blocked;
    if blocked == old {
        return;
    }
    if w.task(task).has(TaskFlags::SIGPENDING) && !w.thread_group_empty(task) {
        retarget_shared_pending(w, task, blocked.without(old));
    }
    w.task_mut(task).blocked = blocked;
    recalc_sigpending(w, task);
    if w.task(task).has(TaskFlags::SIGPENDING) {
        signal_wake_up(w, task, false);
    }
}

/// The signals that wait for the calling thread or its process and that the thread blocks.
///
/// # References
/// kernel/signal.c:do_sigpending
pub(crate) fn do_sigpending(w: &mut World, task: TaskId) -> Vec<Signal> {
    w.because(&rule::SIG_PENDING_SET, task);
    let waiting = pending_for(w, task).and(w.task(task).blocked);
    (1..=64).filter_map(Signal::new).filter(|signal| waiting.contains(*signal)).collect()
}
