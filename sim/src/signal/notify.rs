//! Telling a parent: that a child has ended, stopped or gone on.
//!
//! Two things happen, and they are independent: a signal is sent, and a parent that sleeps in a wait for this child is waked. A parent
//! that ignores SIGCHLD, or has set `SA_NOCLDWAIT`, says with that that it will not wait: its children vanish at once.
//!
//! In the kernel: kernel/signal.c:do_notify_parent, do_notify_parent_cldstop; kernel/exit.c:__wake_up_parent.

use pidlab_scenario::{Fact, Signal, WaitOptions};

use super::info::{Cld, Info};
use super::send::{send_signal, send_signal_force};
use crate::objects::ids::TaskId;
use crate::objects::signal_struct::SignalFlags;
use crate::objects::sigpending::To;
use crate::objects::task::{At, TaskFlags};
use crate::objects::wait_opts::Who;
use crate::world::{InCall, World};
use crate::{Misconception, rule, tracing};

/// Who is told of a stop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Told {
    /// The real parent, of the process.
    RealParent,
    /// The tracer, of the task.
    Tracer,
}

/// Whether a task has said that it will not wait for its children.
///
/// # References
/// kernel/ptrace.c:ignoring_children
pub(crate) fn ignoring_children(w: &World, task: TaskId) -> bool {
    let sighand = w.sighand(task);
    sighand.ignored.contains(Signal::CHLD) || sighand.no_cld_wait
}

/// A task has ended: who is told, if anybody. Answers whether the task is to vanish at once.
///
/// # References
/// kernel/exit.c:exit_notify
#[inline(always)]
pub(crate) fn tell_of_end(w: &mut World, task: TaskId) -> bool {
    let signal = w.task(task).exit_signal;
    if tracing::is_traced(w, task) {
        w.because(&rule::PTRACE_TOLD, task);
        let signal = if tracing::ptrace_reparented(w, task) { Some(Signal::CHLD) } else { signal };
        return do_notify_parent(w, task, signal);
    }
    w.group_leader(task) != task || (w.thread_group_empty(task) && tell_real_parent(w, task))
}

/// A process that nobody inside the world traces has ended: its parent is told, but not before a tracer outside of the world has waited for
/// it. Answers whether it is to vanish at once.
#[inline(always)]
pub(crate) fn tell_real_parent(w: &mut World, leader: TaskId) -> bool {
    if w.watched {
        w.task_mut(leader).flags.insert(TaskFlags::UNTOLD);
        return false;
    }
    do_notify_parent(w, leader, w.task(leader).exit_signal)
}

/// Tells the parent (the tracer, where there is one) that a process has ended, by this signal. Answers whether the process is to vanish at
/// once (`autoreap`).
///
/// # References
/// kernel/signal.c:do_notify_parent
pub(crate) fn do_notify_parent(w: &mut World, leader: TaskId, mut signal: Option<Signal>) -> bool {
    let Some(parent) = tracing::parent(w, leader) else { return false };
    // No signal at all counts as another one.
    if signal != Some(Signal::CHLD) && w.task(leader).has(TaskFlags::PARENT_EXECED) {
        w.because(&rule::EXIT_SIGNAL_RESET, leader);
        signal = Some(Signal::CHLD);
    }
    let sighand = w.sighand(parent);
    let ignores = sighand.ignored.contains(Signal::CHLD);
    let traced = tracing::is_traced(w, leader);
    let no_cld_wait = sighand.no_cld_wait;
    let autoreap = w.process(leader).has(SignalFlags::AUTOREAP) || w.believes(Misconception::TheDeadAreGone);
    if autoreap && !traced {
        w.because(&rule::CLONE_AUTOREAP, leader);
        wake_up_parent(w, leader, parent);
        return true;
    }
    let wanted = w.believes(Misconception::IgnoringSigchldChangesNothing) && w.task(parent).at != At::Zap;
    let unwanted = signal == Some(Signal::CHLD) && (ignores || no_cld_wait) && !wanted;
    let autoreap = unwanted && !traced;
    if unwanted && traced {
        w.because(&rule::PTRACE_NO_AUTOREAP, leader);
    } else if autoreap {
        let zaps = ignores && w.threads_of(w.task(parent).signal).any(|thread| w.task(thread).at == At::Zap);
        w.because(if zaps { &rule::REAP_DYING_INIT_ADOPTS } else { &rule::EXIT_AUTOREAP }, leader);
        if ignores {
            signal = None;
        }
    } else if ignores {
        w.because(&rule::EXIT_AUTOREAP_NOT_FOR_CLONE_CHILDREN, leader);
    }
    if let Some(signal) = signal {
        send_exit_signal(w, leader, parent, signal);
    }
    wake_up_parent(w, leader, parent);
    autoreap
}

fn send_exit_signal(w: &mut World, leader: TaskId, parent: TaskId, signal: Signal) {
    let lived = !w.process(parent).has(SignalFlags::GROUP_EXIT);
    if w.explains() {
        name_the_signal(w, leader, parent, signal);
    }
    // The thread that made the child is asked first.
    send_signal_force(w, signal, Info::Child(leader, Cld::Exited), parent, To::Process, false);
    if lived && w.explains() && w.process(parent).has(SignalFlags::GROUP_EXIT) {
        w.because(&rule::EXIT_SIGNAL_CAN_KILL_PARENT, parent);
    }
}

#[cold]
fn name_the_signal(w: &mut World, leader: TaskId, parent: TaskId, signal: Signal) {
    w.because(&rule::EXIT_SIGNAL_SENT, leader);
    if w.sighand(parent).caught.contains(signal) {
        w.because(&rule::VIEW_SIGINFO_SIGCHLD, leader);
    }
    let process = w.process(leader);
    if !process.has(SignalFlags::GROUP_EXIT) || process.group_exit_code == w.task(leader).exit_code {
        return;
    }
    // The signal says how the first thread ended, and a wait how the process did.
    let rebooted = w.ns(w.active_ns(leader)).reboot.is_some() && w.is_unkillable(leader);
    if rebooted {
        w.because(&rule::REBOOT_SIGINFO_DIFFERS, leader);
        w.because(&rule::WAIT_STATUS_SOURCE, leader);
    } else if !w.holds(Fact::SigchldTellsProcess) {
        w.because(&rule::EXIT_SIGCHLD_LEADER_STATUS, leader);
    }
}

/// Tells the parent that the process of a task has stopped or gone on, or the tracer that it holds the task.
///
/// # References
/// kernel/signal.c:do_notify_parent_cldstop
pub(crate) fn do_notify_parent_cldstop(w: &mut World, task: TaskId, told: Told, why: Cld) {
    let leader = w.group_leader(task);
    let parent = match told {
        Told::RealParent => w.task(leader).real_parent,
        Told::Tracer => tracing::parent(w, leader),
    };
    let Some(parent) = parent else { return };
    if !w.sighand(parent).ignored.contains(Signal::CHLD) {
        send_signal(w, Signal::CHLD, &mut Info::Child(leader, why), parent, To::Process);
    }
    wake_up_parent(w, leader, parent);
}

/// Wakes threads of a parent that sleep in a wait which this child could end.
///
/// # References
/// kernel/exit.c:__wake_up_parent, child_wait_callback
#[inline(always)]
pub(crate) fn wake_up_parent(w: &mut World, child: TaskId, parent: TaskId) {
    let mut at = Some(w.group_leader(parent));
    while let Some(thread) = at {
        let task = w.task(thread);
        at = task.next_thread;
        if task.at == At::Zap {
            // It waits for children of every kind.
            w.wake_up(thread);
            continue;
        }
        if task.at != At::Wait {
            continue;
        }
        let Some(InCall::Wait(wo)) = w.calls.get(&thread) else { continue };
        let asked = Some(thread) == tracing::parent(w, child) || !wo.options.contains(WaitOptions::__WNOTHREAD);
        if asked && eligible_pid(w, wo.who, child) {
            w.wake_up(thread);
        }
    }
}

/// Whether a wait is for this child.
///
/// # References
/// kernel/exit.c:eligible_pid
#[inline]
pub(crate) fn eligible_pid(w: &World, who: Who, child: TaskId) -> bool {
    match who {
        Who::Any => true,
        Who::Pid(pid) => w.task(child).thread_pid == pid,
        Who::Pgrp(pgrp) => w.process(child).pgrp == pgrp,
        Who::Nobody => false,
    }
}
