//! The way back to user mode: a stop, a handler, or the end.
//!
//! ```text
//!   TIF_SIGPENDING? ──▶ get_signal ──▶ tell the parent that we went on         (others may run)
//!                                 ├──▶ the end is decided: do_group_exit
//!                                 ├──▶ a stop to take part in: sleep           (others run)
//!                                 ├──▶ a signal, and a tracer: be held         (others run)
//!                                 ├──▶ a signal with a handler: set up a frame ─▶ the handler runs
//!                                 └──▶ nothing (more): back in user mode
//! ```
//!
//! Handlers of scenarios have every signal blocked while they run, so one runs after the other; only a stop can come between the
//! frame and its handler.
//!
//! In the kernel: kernel/signal.c:get_signal; kernel/entry/common.c:exit_to_user_mode_loop.

use pidlab_scenario::{Errno, Signal};

use crate::coredump::do_coredump;
use crate::exit::do_exit::do_group_exit;
use crate::exit::orphaned_pgrp::is_current_pgrp_orphaned;
use crate::objects::ids::TaskId;
use crate::objects::signal_struct::{ExitCode, SignalFlags};
use crate::objects::sigpending::{DefaultAction, SigInfo, SigSet, To, default_action, is_kernel_only};
use crate::objects::task::{At, TaskFlags};
use crate::ptrace::Resumed;
use crate::signal::action::set_current_blocked;
use crate::signal::force::go_on_aborting;
use crate::signal::info::Cld;
use crate::signal::notify::{Told, do_notify_parent_cldstop};
use crate::signal::pending::{pending_for, recalc_sigpending};
use crate::signal::stop::do_signal_stop;
use crate::wait;
use crate::world::{Frame, Handled, InCall, Return, World};
use crate::{Next, ptrace, rule, tracing};

/// A task that is not asleep in a call is on its way to user mode.
pub(crate) fn exit_to_user_mode(w: &mut World, task: TaskId) -> Next {
    if w.task(task).flags.intersects(TaskFlags::SIGPENDING | TaskFlags::IN_GET_SIGNAL | TaskFlags::IN_TRAP) {
        return get_signal(w, task);
    }
    user_mode(w, task)
}

/// Back in user mode: the handler of a frame runs, then the call returns.
fn user_mode(w: &mut World, task: TaskId) -> Next {
    if w.task(task).has(TaskFlags::FRAMED) {
        let Frame { handled, saved } = w.frames.remove(&task).expect("its frame is set up");
        w.handled.push((task, handled));
        // sigreturn(2).
        w.task_mut(task).flags.remove(TaskFlags::FRAMED);
        set_current_blocked(w, task, saved);
        return Next::GoesOn;
    }
    match w.task(task).at {
        At::Abort => {
            go_on_aborting(w, task);
            return Next::GoesOn;
        }
        At::WaitRestarts => {
            wait::restart(w, task);
            return Next::GoesOn;
        }
        At::Returning => {
            if let Some(InCall::Returning(what)) = w.leave(task) {
                let place = w.returned.partition_point(|(other, _)| *other < task);
                w.returned.insert(place, (task, what));
            }
        }
        _ => {}
    }
    Next::Sleeps
}

/// Takes the next signal, if there is one.
///
/// # References
/// kernel/signal.c:get_signal
fn get_signal(w: &mut World, task: TaskId) -> Next {
    w.task_mut(task).flags.remove(TaskFlags::IN_GET_SIGNAL);
    let resumed = w.task(task).has(TaskFlags::IN_TRAP).then(|| ptrace::resume(w, task));
    let next = match resumed {
        None | Some(Resumed::Stop) => tell_of_continuation(w, task),
        Some(Resumed::Signal(info)) => act_on(w, task, info, true),
        Some(Resumed::Nothing) => None,
    };
    if let Some(next) = next {
        return next;
    }
    loop {
        if w.process(task).flags.intersects(SignalFlags::GROUP_EXIT | SignalFlags::GROUP_EXEC) {
            w.task_mut(task).flags.remove(TaskFlags::KILLED);
            return do_group_exit(w, task, ExitCode::signal(Signal::KILL));
        }
        if w.task(task).has(TaskFlags::STOP_PENDING)
            && let Some(next) = stop(w, task, None)
        {
            return next;
        }
        if w.task(task).flags.intersects(TaskFlags::TRAP_BITS) {
            return ptrace::do_jobctl_trap(w, task);
        }
        let Some((info, whom)) = dequeue_signal(w, task) else { break };
        let is_asked_about = info.signal != Signal::KILL && !info.immutable;
        if is_asked_about && tracing::is_traced(w, task) {
            return ptrace::hold(w, task, info, whom);
        }
        if is_asked_about && w.watched {
            return shown(w, task, info);
        }
        if let Some(next) = act_on(w, task, info, false) {
            return next;
        }
    }
    // A wait that was cut short by nothing that has a handler starts over.
    if w.task(task).at == At::WaitInterrupted {
        wait::restart(w, task);
        return Next::GoesOn;
    }
    user_mode(w, task)
}

/// The first thread that wakes up in a process that was continued tells the parent, and a tracer that is not the parent.
fn tell_of_continuation(w: &mut World, task: TaskId) -> Option<Next> {
    if !w.process(task).flags.intersects(SignalFlags::CLD_MASK) {
        return None;
    }
    let continued = w.process(task).has(SignalFlags::CLD_CONTINUED);
    w.process_mut(task).flags.remove(SignalFlags::CLD_MASK);
    let why = if continued { Cld::Continued } else { Cld::Stopped };
    do_notify_parent_cldstop(w, task, Told::RealParent, why);
    let leader = w.group_leader(task);
    if tracing::ptrace_reparented(w, leader) {
        do_notify_parent_cldstop(w, leader, Told::Tracer, why);
    }
    w.task_mut(task).flags.insert(TaskFlags::IN_GET_SIGNAL);
    Some(Next::GoesOn)
}

/// A tracer outside of the world is shown a signal, and lets it through. Others may run before the task looks for the next one.
fn shown(w: &mut World, task: TaskId, info: SigInfo) -> Next {
    w.shown.push((task, Handled { signal: info.signal, si_pid: info.si_pid, child: info.child }));
    w.task_mut(task).flags.insert(TaskFlags::STOP_DEQUEUED);
    act_on(w, task, info, true).unwrap_or_else(|| {
        w.task_mut(task).flags.insert(TaskFlags::IN_GET_SIGNAL);
        Next::GoesOn
    })
}

/// What a signal does that was taken; `let_through`: which a tracer has let through. Nothing: the next is looked for.
fn act_on(w: &mut World, task: TaskId, info: SigInfo, let_through: bool) -> Option<Next> {
    let sighand = w.sighand(task);
    if sighand.caught.contains(info.signal) {
        set_up_frame(w, task, info);
        return Some(Next::GoesOn);
    }
    if sighand.ignored.contains(info.signal) {
        return None;
    }
    match default_action(info.signal) {
        DefaultAction::Ignore => None,
        _ if w.is_unkillable(task) && !is_kernel_only(info.signal) => {
            w.because(if let_through { &rule::PTRACE_INIT_SPARED } else { &rule::SIG_INIT_BLOCKED }, task);
            None
        }
        DefaultAction::Stop if info.signal != Signal::STOP && is_current_pgrp_orphaned(w, task) => {
            w.because(&rule::PG_TSTP_ORPHANED, task);
            None
        }
        // A SIGCONT has come since it was taken.
        DefaultAction::Stop if let_through && !w.task(task).has(TaskFlags::STOP_DEQUEUED) => {
            w.because(&rule::SIG_STOP_CONT_CANCEL, task);
            None
        }
        DefaultAction::Stop => {
            if let_through && w.is_unkillable(task) {
                w.because(&rule::PTRACE_INIT_INJECTED, task);
            }
            stop(w, task, Some(info.signal))
        }
        action @ (DefaultAction::Terminate | DefaultAction::Dump) => {
            let init = let_through && w.is_unkillable(task);
            w.because(if init { &rule::PTRACE_INIT_INJECTED } else { &rule::SIG_FATAL }, task);
            if action == DefaultAction::Dump {
                do_coredump(w, task, info.signal);
            }
            Some(do_group_exit(w, task, ExitCode::signal(info.signal)))
        }
    }
}

/// Stops, and goes on in here when it is waked.
fn stop(w: &mut World, task: TaskId, signal: Option<Signal>) -> Option<Next> {
    if !do_signal_stop(w, task, signal) {
        return None;
    }
    w.task_mut(task).flags.insert(TaskFlags::IN_GET_SIGNAL);
    Some(Next::Sleeps)
}

/// The next signal, and whose it was: those for the thread first, and of these what an instruction caused.
///
/// # References
/// kernel/signal.c:dequeue_signal
fn dequeue_signal(w: &mut World, task: TaskId) -> Option<(SigInfo, To)> {
    let blocked = w.task(task).blocked;
    let (own, shared) = (w.queue(task, To::Thread), w.queue(task, To::Process));
    let synchronous = w.pending.dequeue_synchronous(own, blocked);
    let own = synchronous.or_else(|| w.pending.dequeue(own, blocked)).map(|info| (info, To::Thread));
    let taken = own.or_else(|| w.pending.dequeue(shared, blocked).map(|info| (info, To::Process)));
    recalc_sigpending(w, task);
    let taken = taken?;
    if w.explains() {
        name_the_order(w, task, taken.0.signal);
    }
    Some(taken)
}

#[cold]
fn name_the_order(w: &mut World, task: TaskId, taken: Signal) {
    let left = pending_for(w, task).without(w.task(task).blocked);
    if left.is_empty() {
        return;
    }
    w.because(&rule::SIG_LOWEST_FIRST, task);
    let mut lower = (1..taken.number()).filter_map(|number| Signal::new(number.into()));
    if SigSet::SYNCHRONOUS.contains(taken) && lower.any(|signal| left.contains(signal)) {
        w.because(&rule::SIG_FAULTS_FIRST, task);
    }
}

/// A signal has a handler: it runs as soon as the task is back in user mode, with every signal blocked. A wait that it has interrupted
/// fails, unless the handler is installed with `SA_RESTART`.
///
/// # References
/// arch/x86/kernel/signal.c:handle_signal
fn set_up_frame(w: &mut World, task: TaskId, info: SigInfo) {
    w.because(&rule::SIG_HANDLER, task);
    if w.is_unkillable(task) {
        w.because(&rule::SIG_INIT_HANDLER, task);
    }
    let handled = Handled { signal: info.signal, si_pid: info.si_pid, child: info.child };
    let saved = w.task(task).blocked;
    w.task_mut(task).flags.insert(TaskFlags::FRAMED);
    w.frames.insert(task, Frame { handled, saved });
    set_current_blocked(w, task, SigSet::MASKED);
    if w.task(task).at == At::WaitInterrupted && w.sighand(task).restart.contains(info.signal) {
        w.because(&rule::WAIT_SA_RESTART, task);
        w.task_mut(task).at = At::WaitRestarts;
    } else if w.task(task).at == At::WaitInterrupted {
        w.because(&rule::WAIT_EINTR, task);
        w.enter(task, At::Returning, InCall::Returning(Return::Wait(Err(Errno::EINTR))));
    }
}
