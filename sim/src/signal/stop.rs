//! Stopping a process: every thread of it, one after the other.
//!
//! ```text
//!   a thread takes SIGSTOP ──▶ all others: JOBCTL_STOP_PENDING, group_stop_count = how many
//!   each of them, on its way to user mode ──▶ group_stop_count - 1, and it sleeps
//!   the last one ──▶ SIGNAL_STOP_STOPPED: only now the process is stopped, and the parent hears of it
//! ```
//!
//! A thread that is in vfork, or on its way out, is not there to take part; the stop waits for the one and not for the other.
//!
//! In the kernel: kernel/signal.c:do_signal_stop, task_participate_group_stop.

use pidlab_scenario::Signal;

use super::info::Cld;
use super::notify::{Told, do_notify_parent_cldstop};
use super::pending::signal_wake_up;
use crate::objects::ids::TaskId;
use crate::objects::signal_struct::{ExitCode, SignalFlags};
use crate::objects::task::TaskFlags;
use crate::world::World;
use crate::{rule, tracing};

/// Asks a thread to take part in a stop by this signal. Answers whether it will.
///
/// # References
/// kernel/signal.c:task_set_jobctl_pending
fn set_stop_pending(w: &mut World, thread: TaskId, signal: Signal) -> bool {
    let task = w.task_mut(thread);
    if task.has(TaskFlags::KILLED) || !task.is_alive() {
        return false;
    }
    task.flags.insert(TaskFlags::STOP_BITS);
    task.stop_signal = Some(signal);
    true
}

/// One thread less that has still to stop. Answers whether with it the process has stopped.
///
/// # References
/// kernel/signal.c:task_participate_group_stop
pub(crate) fn participate_group_stop(w: &mut World, thread: TaskId) -> bool {
    let counts = w.task(thread).has(TaskFlags::STOP_CONSUME);
    w.task_mut(thread).flags.remove(TaskFlags::STOP_BITS);
    if !counts {
        return false;
    }
    let process = w.process_mut(thread);
    process.group_stop_count = process.group_stop_count.saturating_sub(1);
    let complete = process.group_stop_count == 0 && !process.has(SignalFlags::STOP_STOPPED);
    if complete {
        let unreported = process.has(SignalFlags::STOP_CONTINUED);
        process.set_stop_flags(SignalFlags::STOP_STOPPED);
        if unreported {
            w.because(&rule::WAIT_CONTINUED_ONCE, thread);
        }
    }
    complete
}

/// Stops a thread: with a signal that it has taken, which begins a stop of the process, or to join one that is under way. Answers whether
/// it sleeps now: a tracee is held instead, when it comes to that.
///
/// # References
/// kernel/signal.c:do_signal_stop
pub(crate) fn do_signal_stop(w: &mut World, thread: TaskId, signal: Option<Signal>) -> bool {
    if let Some(signal) = signal.filter(|_| !w.task(thread).has(TaskFlags::STOP_PENDING)) {
        w.because(&rule::SIG_STOPS, thread);
        begin_group_stop(w, thread, signal);
    }
    if tracing::is_traced(w, thread) {
        w.task_mut(thread).flags.insert(TaskFlags::TRAP_STOP);
        return false;
    }
    let complete = participate_group_stop(w, thread);
    w.task_mut(thread).flags.insert(TaskFlags::STOPPED);
    if complete {
        do_notify_parent_cldstop(w, thread, Told::RealParent, Cld::Stopped);
    }
    true
}

fn begin_group_stop(w: &mut World, thread: TaskId, signal: Signal) {
    let process = w.process_mut(thread);
    if !process.has(SignalFlags::STOP_STOPPED) {
        process.group_exit_code = ExitCode::signal(signal);
    }
    process.group_stop_count = 0;
    let mut count = u32::from(set_stop_pending(w, thread, signal));
    if !w.thread_group_empty(thread) {
        for other in w.thread_list(thread) {
            if other != thread && !w.task(other).has(TaskFlags::STOPPED) && set_stop_pending(w, other, signal) {
                w.because(&rule::THR_STOP, other);
                count += 1;
                signal_wake_up(w, other, false);
            }
        }
    }
    w.process_mut(thread).group_stop_count = count;
}
