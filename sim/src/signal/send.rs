//! Sending a signal: ignored, queued or fatal is decided here and now, by the sender.
//!
//! ```text
//!   prepare_signal    a stop takes back a SIGCONT, SIGCONT takes back stops and wakes; is it ignored?
//!   legacy_queue      is it in the queue already?
//!   complete_signal   which thread takes it? If it is fatal, all threads get SIGKILL at once
//! ```
//!
//! The init of a namespace is shielded in the first of these steps: what it has no handler for is dropped, unless it is SIGKILL or
//! SIGSTOP and comes from an ancestor namespace or the kernel itself.
//!
//! In the kernel: kernel/signal.c.

use pidlab_scenario::{Fact, Signal};

use super::info::{Info, siginfo};
use super::pending::{flush_all, queues_again, signal_wake_up};
use super::sigwait;
use crate::objects::ids::{SignalId, TaskId};
use crate::objects::signal_struct::{ExitCode, SignalFlags};
use crate::objects::sigpending::{DefaultAction, To, default_action, is_kernel_only, is_stop};
use crate::objects::task::TaskFlags;
use crate::pid::task_pid_nr_ns;
use crate::world::World;
use crate::{describe, misconceived, rule, tracing};

/// Sends a signal of `current` to one task or its process.
///
/// # References
/// kernel/signal.c:send_signal_locked
pub(crate) fn send_signal(w: &mut World, signal: Signal, info: &mut Info, to: TaskId, whom: To) {
    let ns = w.active_ns(to);
    let from_above = match w.current.0 {
        Some(sender) => task_pid_nr_ns(w, sender, ns).is_none(),
        None => true,
    };
    let force = match info {
        Info::User { si_pid } => {
            if from_above {
                *si_pid = 0;
            }
            from_above
        }
        Info::Current => from_above,
        Info::Priv | Info::Fault | Info::Seccomp => true,
        Info::Child(..) => false,
    };
    send_signal_force(w, signal, *info, to, whom, force);
}

/// The same where it is known whether an init could ignore a signal that cannot be ignored.
///
/// # References
/// kernel/signal.c:__send_signal_locked
#[inline(always)]
pub(crate) fn send_signal_force(w: &mut World, signal: Signal, info: Info, to: TaskId, whom: To, force: bool) {
    if !prepare_signal(w, signal, to, force) {
        return;
    }
    send_unignored(w, signal, info, to, whom);
}

/// What is not ignored is queued, but a signal below 32 only once.
#[inline(never)]
fn send_unignored(w: &mut World, signal: Signal, info: Info, to: TaskId, whom: To) {
    if w.pending.set(w.queue(to, whom)).contains(signal) && !queues_again(w, signal, to) {
        return;
    }
    complete_signal(w, signal, info, to, whom);
}

/// What a signal does by being sent, whether anybody takes it or not; then, whether it is to be queued at all.
///
/// # References
/// kernel/signal.c:prepare_signal
#[inline(always)]
pub(crate) fn prepare_signal(w: &mut World, signal: Signal, to: TaskId, force: bool) -> bool {
    if w.process(to).has(SignalFlags::GROUP_EXIT) {
        describe::deaf(w, to);
        return false;
    }
    if is_stop(signal) {
        if flush_all(w, w.task(to).signal, |pending| pending == Signal::CONT) {
            w.because(&rule::SIG_STOP_CONT_CANCEL, to);
        }
    } else if signal == Signal::CONT {
        take_back_stops(w, to);
    }
    !sig_ignored(w, signal, to, force)
}

/// SIGCONT takes back stops and ends one, before anybody asks whether it is ignored or blocked.
fn take_back_stops(w: &mut World, to: TaskId) {
    let process = w.task(to).signal;
    let mut cancelled = flush_all(w, process, is_stop);
    let mut at = Some(w.sig(process).leader);
    while let Some(thread) = at {
        let record = w.task_mut(thread);
        at = record.next_thread;
        cancelled |= record.has(TaskFlags::STOP_PENDING);
        record.flags.remove(TaskFlags::STOP_BITS | TaskFlags::STOP_DEQUEUED);
        record.stop_signal = None;
        if record.has(TaskFlags::STOPPED) {
            record.flags.remove(TaskFlags::STOPPED);
            w.wake_up(thread);
        }
        tracing::trap_notify(w, thread);
    }
    let record = w.sig(process);
    let half = record.group_stop_count > 0;
    let why = if record.has(SignalFlags::STOP_STOPPED) {
        cancelled |= record.group_exit_code != ExitCode::ZERO;
        SignalFlags::CLD_CONTINUED
    } else if half {
        // As if the stop had been finished: its SIGCHLD and that of the continuation are one, and say that it stopped.
        w.because(&rule::SIG_STOP_BROKEN_OFF, to);
        SignalFlags::CLD_STOPPED
    } else {
        SignalFlags::empty()
    };
    if cancelled {
        w.because(&rule::SIG_STOP_CONT_CANCEL, to);
    }
    if why.is_empty() {
        return;
    }
    w.because(&rule::SIG_CONT_RESUMES, to);
    if w.is_unkillable(to) {
        w.because(&rule::SIG_INIT_CONT, to);
    }
    let record = w.sig_mut(process);
    record.set_stop_flags(why | SignalFlags::STOP_CONTINUED);
    record.group_stop_count = 0;
    record.group_exit_code = ExitCode::ZERO;
}

/// Whether the receiver ignores the signal at once. What is blocked is never ignored: it may find another action later.
///
/// # References
/// kernel/signal.c:sig_ignored, sig_task_ignored
#[inline(always)]
fn sig_ignored(w: &mut World, signal: Signal, to: TaskId, force: bool) -> bool {
    let process = w.process(to);
    let unkillable = process.has(SignalFlags::UNKILLABLE);
    let sighand = &w.sighands[process.sighand];
    let (ignored, default) = (sighand.ignored.contains(signal), sighand.is_default(signal));
    if let Some(ignored) = misconceived::shield::ignores(w, signal, to, force) {
        return ignored;
    }
    if sigwait::is_awaited(w, signal, to) {
        w.because(&rule::SIG_WAIT_KEEPS, to);
        return false;
    }
    if w.task(to).blocked.contains(signal) {
        w.because(if unkillable { &rule::SIG_INIT_BLOCKED } else { &rule::SIG_BLOCKED_QUEUES }, to);
        return false;
    }
    if tracing::hears(w, signal, to) {
        return false;
    }
    if unkillable && w.task(to).has(TaskFlags::STOPPED) {
        w.because(&rule::SIG_INIT_STOPPED, to);
    }
    let harmless = default_action(signal) == DefaultAction::Ignore;
    if unkillable && default {
        if is_kernel_only(signal) && force {
            w.because(&rule::SIG_INIT_OUTER_FORCED, to);
            return false;
        }
        if !harmless {
            w.because(if force { &rule::SIG_INIT_OUTER_DROPPED } else { &rule::SIG_INIT_IMMUNE_INSIDE }, to);
        }
        return true;
    }
    if ignored {
        w.because(&rule::SIG_IGNORED, to);
    }
    ignored || (default && harmless)
}

/// Queues the signal and tells a thread that wants it; a fatal one is final at once.
///
/// # References
/// kernel/signal.c:complete_signal
fn complete_signal(w: &mut World, signal: Signal, info: Info, to: TaskId, whom: To) {
    let chosen = choose_thread(w, signal, to, whom);
    let awaited = chosen.is_some_and(|thread| sigwait::is_awaited(w, signal, thread));
    if awaited {
        w.because(&rule::SIG_WAIT_KEEPS, to);
    }
    if chosen.is_some() && !awaited && !tracing::is_asked_about(w, signal, to) && sig_fatal(w, signal, to) {
        let process = w.task(to).signal;
        w.because(&rule::SIG_FATAL, to);
        let leader = w.sig(process).leader;
        if w.task(leader).has(TaskFlags::EXITING) {
            w.because(&rule::THR_KILLED_LEADER_DEAD, leader);
        }
        if !w.thread_group_empty(to) {
            w.because(&rule::THR_GROUP_EXIT, to);
        }
        // It need not be queued: who has SIGKILL looks at nothing else.
        w.sig_mut(process).set_group_exit(ExitCode::signal(signal));
        kill_threads(w, process, None);
        return;
    }
    let queued = siginfo(w, signal, info, to);
    let queue = w.queue(to, whom);
    w.pending.push(queue, queued);
    if let Some(thread) = chosen {
        if thread != to || !w.thread_group_empty(to) {
            w.because(&rule::SIG_CHOOSES_THREAD, thread);
        }
        signal_wake_up(w, thread, false);
    } else if w.explains() && w.threads_of(w.task(to).signal).any(|thread| w.task(thread).has(TaskFlags::STOPPED)) {
        w.because(&rule::SIG_STOPPED_WAITS, to);
    }
}

/// The addressed thread if it wants the signal; else, where it is for the process, the next in turn that does.
fn choose_thread(w: &mut World, signal: Signal, to: TaskId, whom: To) -> Option<TaskId> {
    if wants_signal(w, signal, to) {
        return Some(to);
    }
    if whom == To::Thread || w.thread_group_empty(to) {
        return None;
    }
    let process = w.task(to).signal;
    let first = w.sig(process).curr_target;
    let mut at = first;
    loop {
        if wants_signal(w, signal, at) {
            w.sig_mut(process).curr_target = at;
            return Some(at);
        }
        at = w.task(at).next_thread.unwrap_or(w.sig(process).leader);
        if at == first {
            return None;
        }
    }
}

/// Whether a thread could take a signal now.
///
/// # References
/// kernel/signal.c:wants_signal
fn wants_signal(w: &mut World, signal: Signal, thread: TaskId) -> bool {
    let task = w.task(thread);
    if task.blocked.contains(signal) || !task.is_alive() {
        return false;
    }
    if signal == Signal::KILL {
        return true;
    }
    if task.flags.intersects(TaskFlags::STOPPED | TaskFlags::TRACED) {
        return false;
    }
    if w.current.0 == Some(thread) || !task.has(TaskFlags::SIGPENDING) {
        return true;
    }
    w.because(&rule::SIG_WANTS, thread);
    false
}

/// Whether the signal ends the whole process, now: one that dumps core has to be taken by a thread first.
fn sig_fatal(w: &mut World, signal: Signal, to: TaskId) -> bool {
    if !w.sighand(to).is_default(signal) || default_action(signal) != DefaultAction::Terminate {
        return false;
    }
    if !w.is_unkillable(to) || is_kernel_only(signal) {
        return true;
    }
    // The mask of the addressed thread let the signal past the shield of an init, and another thread wants it.
    let spared = w.holds(Fact::InitThreadsSpared);
    w.because(if spared { &rule::SIG_INIT_THREAD_SPARED } else { &rule::SIG_INIT_THREAD_KILLS }, to);
    !spared
}

/// SIGKILL for the threads of a process that have not ended, but for one: `zap_other_threads`, and the end of `complete_signal`.
pub(crate) fn kill_threads(w: &mut World, process: SignalId, but: Option<TaskId>) {
    let mut at = Some(w.sig(process).leader);
    while let Some(thread) = at {
        let task = w.task_mut(thread);
        at = task.next_thread;
        if but == Some(thread) {
            continue;
        }
        task.flags.remove(TaskFlags::STOP_BITS | TaskFlags::TRAP_BITS);
        if task.exit_state == crate::objects::task::ExitState::None {
            task.flags.insert(TaskFlags::KILLED);
            signal_wake_up(w, thread, true);
        }
    }
}
