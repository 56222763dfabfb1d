//! Signals that a task brings upon itself: a fault of the CPU, a broken pipe, abort(3).
//!
//! A fault cannot be put off, so a signal for it is *forced*: where it is blocked or ignored, its action goes back to the default, in
//! the table that others may share, and it is unblocked; and where its action is the default, even an init is not shielded.
//!
//! abort(3) is no system call but a few lines of the C library: unblock SIGABRT and raise it; if that came back, set its default action
//! and raise it again; and for those whom even that does not end, an instruction that traps.
//!
//! In the kernel: kernel/signal.c:force_sig_info_to_task; fs/pipe.c:anon_pipe_write.

use pidlab_scenario::{SeccompScope, Signal, SignalAction};

use super::action::{change_action, set_current_blocked};
use super::info::Info;
use super::pending::signal_wake_up;
use super::send::send_signal;
use crate::exit::do_exit::do_exit;
use crate::objects::ids::TaskId;
use crate::objects::signal_struct::{ExitCode, SignalFlags};
use crate::objects::sigpending::To;
use crate::objects::task::{At, TaskFlags};
use crate::world::{InCall, World};
use crate::{Next, misconceived, rule, tracing};

/// A signal that the kernel forces on a thread for what it did.
///
/// # References
/// kernel/signal.c:force_sig_info_to_task
pub(crate) fn force_sig(w: &mut World, task: TaskId, signal: Signal) {
    let blocked = w.task(task).blocked.contains(signal);
    if blocked || w.sighand(task).ignored.contains(signal) {
        w.because(&rule::SIG_FORCED_RESETS, task);
        change_action(w, task, signal, SignalAction::Default);
        w.task_mut(task).blocked.remove(signal);
    }
    let spared = tracing::is_traced(w, task) || misconceived::shield::outlasts_fault(w, task);
    if w.sighand(task).is_default(signal) && !w.watched && !spared {
        let rule = if w.is_unkillable(task) { &rule::SIG_INIT_FAULT } else { &rule::SIG_FAULT };
        w.because(rule, task);
        w.process_mut(task).flags.remove(SignalFlags::UNKILLABLE);
    }
    send_signal(w, signal, &mut Info::Fault, task, To::Thread);
    if !w.task(task).has(TaskFlags::SIGPENDING) {
        signal_wake_up(w, task, false);
    }
}

/// A call for which a filter kills.
///
/// # References
/// seccomp(2), SECCOMP_RET_KILL_PROCESS; kernel/seccomp.c:__seccomp_filter; kernel/signal.c:force_fatal_sig
pub(crate) fn seccomp_kill(w: &mut World, task: TaskId, scope: SeccompScope) -> Next {
    let others = w.threads_of(w.task(task).signal).any(|thread| thread != task && w.task(thread).is_alive());
    if scope == SeccompScope::Thread && others {
        w.because(&rule::SECCOMP_KILLS_THREAD, task);
        return do_exit(w, task, ExitCode::signal(Signal::SYS));
    }
    w.because(&rule::SECCOMP_KILLS_PROCESS, task);
    if w.is_unkillable(task) {
        w.because(&rule::SECCOMP_KILLS_INIT, task);
    }
    if tracing::is_traced(w, task) {
        w.because(&rule::SECCOMP_NOT_HELD, task);
    }
    change_action(w, task, Signal::SYS, SignalAction::Default);
    w.task_mut(task).blocked.remove(Signal::SYS);
    w.process_mut(task).flags.remove(SignalFlags::UNKILLABLE);
    send_signal(w, Signal::SYS, &mut Info::Seccomp, task, To::Thread);
    Next::GoesOn
}

/// What a write into a pipe that nobody reads leads to: SIGPIPE.
pub(crate) fn sigpipe(w: &mut World, task: TaskId) {
    let init = w.is_unkillable(task);
    w.because(if init { &rule::SIG_INIT_SIGPIPE } else { &rule::SIG_SIGPIPE }, task);
    send_signal(w, Signal::PIPE, &mut Info::Current, task, To::Thread);
}

/// Enters abort(3).
pub(crate) fn begin_abort(w: &mut World, task: TaskId) {
    if w.sighand(task).caught.contains(Signal::ABRT) {
        w.because(&rule::SIG_ABORT_HANDLER, task);
    }
    w.because(if w.is_unkillable(task) { &rule::SIG_INIT_ABORT } else { &rule::SIG_ABORT }, task);
    w.enter(task, At::Abort, InCall::Abort(0));
    w.wake_up(task);
}

/// The next of its steps, each a system call or an instruction, after which signals are looked for.
pub(crate) fn go_on_aborting(w: &mut World, task: TaskId) {
    let Some(InCall::Abort(step)) = w.calls.get_mut(&task) else { unreachable!("it is in abort") };
    let now = *step;
    *step = step.saturating_add(1);
    match now {
        0 => {
            let mut blocked = w.task(task).blocked;
            blocked.remove(Signal::ABRT);
            set_current_blocked(w, task, blocked);
        }
        2 => {
            change_action(w, task, Signal::ABRT, SignalAction::Default);
        }
        1 | 3 => send_signal(w, Signal::ABRT, &mut own_number(w, task), task, To::Thread),
        // The instruction is executed again whenever its handler returns.
        _ => force_sig(w, task, Signal::SEGV),
    }
}

fn own_number(w: &World, task: TaskId) -> Info {
    Info::User { si_pid: crate::pid::own_number(w, w.group_leader(task)).get() }
}

/// Whether abort would never end the caller: an init whose handler returns to the trapping instruction, again and again.
pub(crate) fn aborts_for_ever(w: &World, task: TaskId) -> bool {
    w.is_unkillable(task) && w.sighand(task).caught.contains(Signal::SEGV)
}
