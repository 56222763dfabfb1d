//! What waits for a thread, and telling it so.
//!
//! A thread looks for signals only if it was told that there are some (`TIF_SIGPENDING`). What is pending for the process and what a
//! thread was told of are two things: a signal can wait that nobody has been told of.
//!
//! In the kernel: kernel/signal.c:signal_wake_up_state, recalc_sigpending_tsk, retarget_shared_pending.

use pidlab_scenario::{Fact, Signal};

use crate::objects::ids::{SignalId, TaskId};
use crate::objects::signal_struct::SignalFlags;
use crate::objects::sigpending::{Queue, SigSet};
use crate::objects::task::{At, TaskFlags};
use crate::world::World;
use crate::{Misconception, rule};

/// Tells a task that there is a signal, and wakes it if it sleeps where signals reach it.
///
/// # References
/// kernel/signal.c:signal_wake_up_state
pub(crate) fn signal_wake_up(w: &mut World, thread: TaskId, fatal: bool) {
    let task = w.task_mut(thread);
    task.flags.insert(TaskFlags::SIGPENDING);
    if fatal {
        task.flags.remove(TaskFlags::STOPPED | TaskFlags::TRACED);
    }
    let reaches = match task.at {
        _ if task.flags.intersects(TaskFlags::STOPPED | TaskFlags::TRACED) => false,
        At::User | At::Abort | At::Returning | At::Wait | At::WaitInterrupted | At::WaitRestarts | At::Sigwait => true,
        // TASK_KILLABLE.
        At::Vfork | At::DeThread => fatal,
        At::GroupExit | At::Reboot | At::ExitMm | At::ExitNotify | At::Zap => false,
    };
    if reaches {
        w.wake_up(thread);
    }
}

/// The signals that wait for a thread or for its process.
pub(crate) fn pending_for(w: &World, thread: TaskId) -> SigSet {
    w.pending(thread).or(w.shared_pending(w.task(thread).signal))
}

/// Whether there is something for a thread to do before it is back in user mode.
pub(crate) fn has_pending(w: &World, thread: TaskId) -> bool {
    let task = w.task(thread);
    task.flags.intersects(TaskFlags::KILLED | TaskFlags::STOP_PENDING | TaskFlags::TRAP_BITS)
        || !pending_for(w, thread).without(task.blocked).is_empty()
}

/// Whether there is something for a thread to take.
///
/// # References
/// kernel/signal.c:recalc_sigpending_tsk
pub(crate) fn recalc_sigpending(w: &mut World, thread: TaskId) {
    let pending = has_pending(w, thread);
    w.task_mut(thread).flags.set(TaskFlags::SIGPENDING, pending);
}

/// Takes back signals that wait for a process or one of its threads.
pub(crate) fn flush_all(w: &mut World, process: SignalId, which: impl Fn(Signal) -> bool + Copy) -> bool {
    let mut any = w.pending.flush(Queue::Process(process), which);
    let mut at = Some(w.sig(process).leader);
    while let Some(thread) = at {
        at = w.task(thread).next_thread;
        any |= w.pending.flush(Queue::Thread(thread), which);
    }
    any
}

/// Whether a signal that is pending becomes so once more.
///
/// # References
/// kernel/signal.c:legacy_queue
pub(crate) fn queues_again(w: &mut World, signal: Signal, to: TaskId) -> bool {
    let is_lost = signal.number() < 32 && !w.believes(Misconception::SignalsAreCounted);
    w.because(if is_lost { &rule::EXIT_SIGCHLD_COALESCES } else { &rule::SIG_RT_QUEUES }, to);
    !is_lost
}

/// Leaves signals of the process that a thread will not take to others who can, the next one first and then around.
///
/// # References
/// kernel/signal.c:retarget_shared_pending
pub(crate) fn retarget_shared_pending(w: &mut World, thread: TaskId, which: SigSet) {
    let mut retarget = w.shared_pending(w.task(thread).signal).and(which);
    let mut others = w.thread_list(thread);
    let before = others.iter().take_while(|other| **other != thread).count();
    others.rotate_left(before);
    for other in others.into_iter().skip(1) {
        if retarget.is_empty() {
            return;
        }
        let task = w.task(other);
        if !task.is_alive() || retarget.without(task.blocked).is_empty() {
            continue;
        }
        retarget = retarget.and(task.blocked);
        if !task.has(TaskFlags::SIGPENDING) {
            signal_wake_up(w, other, false);
        }
    }
}

/// Whether a thread that ends, and was told of signals, tells others of them. Until Linux 5.16 `signal_group_exit` was asked, which an exec
/// fulfils.
///
/// # References
/// kernel/signal.c:exit_signals
pub(crate) fn hands_on(w: &mut World, task: TaskId) -> bool {
    let process = w.task(task).signal;
    if !w.sig(process).has(SignalFlags::GROUP_EXEC) {
        return true;
    }
    let heard = w.holds(Fact::ExecHandsOn);
    if !w.shared_pending(process).without(w.task(task).blocked).is_empty() {
        w.because(if heard { &rule::THR_EXEC_HANDS_ON } else { &rule::THR_EXEC_LEAVES_UNHEARD }, task);
    }
    heard
}
