//! Who traces whom, and for what a tracee is held: what the rest of the model has to know of tracing.
//!
//! In the kernel: the words `ptrace`, `parent`, `ptraced` and `ptrace_entry` of `struct task_struct`; kernel/ptrace.c.

use pidlab_scenario::Signal;

use crate::objects::ids::TaskId;
use crate::objects::signal_struct::SignalFlags;
use crate::objects::task::TaskFlags;
use crate::rule;
use crate::signal::pending::signal_wake_up;
use crate::world::World;

/// Who is told of a task's end and stops: its tracer, if it has one, else its real parent (`parent`).
#[inline(always)]
pub(crate) fn parent(w: &World, task: TaskId) -> Option<TaskId> {
    match w.tracing.get(&task) {
        Some(tracing) => Some(tracing.tracer),
        None => w.task(task).real_parent,
    }
}

/// Whether a task has a tracer.
#[inline(always)]
pub(crate) fn is_traced(w: &World, task: TaskId) -> bool {
    !w.tracing.is_empty() && w.tracing.contains_key(&task)
}

/// Whether a task has a tracer in another process than that of its real parent.
///
/// # References
/// include/linux/ptrace.h:ptrace_reparented
#[inline(always)]
pub(crate) fn ptrace_reparented(w: &World, task: TaskId) -> bool {
    let Some(tracing) = w.tracing.get(&task) else { return false };
    w.task(task).real_parent.is_none_or(|real| !w.same_thread_group(real, tracing.tracer))
}

/// Whether a process that has ended is a zombie for its tracer and not for a parent.
#[inline]
pub(crate) fn is_held(w: &World, task: TaskId) -> bool {
    w.task(task).has(TaskFlags::UNTOLD) || is_traced(w, task)
}

/// Whether a process has ended and its real parent is not to know yet: another process traces it, and has not waited for it.
///
/// # References
/// kernel/exit.c:wait_consider_task
#[inline]
pub(crate) fn is_held_back(w: &World, task: TaskId) -> bool {
    w.task(task).has(TaskFlags::UNTOLD) || ptrace_reparented(w, task)
}

/// Whom a thread traces, in the order of its list: the last one first.
pub(crate) fn tracees(w: &World, tracer: TaskId) -> impl Iterator<Item = TaskId> + '_ {
    w.ptraced.iter().filter(move |(by, _)| *by == tracer).map(|(_, tracee)| *tracee)
}

/// `task_set_jobctl_pending`, for traps.
pub(crate) fn set_trap(w: &mut World, task: TaskId, trap: TaskFlags) -> bool {
    let record = w.task_mut(task);
    if record.has(TaskFlags::KILLED) || !record.is_alive() {
        return false;
    }
    record.flags.insert(trap);
    true
}

/// SIGCONT came for a process that was seized: it will stop to tell so. Answers whether it is such a process.
///
/// # References
/// kernel/signal.c:ptrace_trap_notify
pub(crate) fn trap_notify(w: &mut World, task: TaskId) -> bool {
    let seized = w.tracing.get(&task).is_some_and(|tracing| tracing.seized);
    if seized && set_trap(w, task, TaskFlags::TRAP_NOTIFY) {
        w.because(&rule::PTRACE_SEIZED_CONT, task);
        signal_wake_up(w, task, false);
    }
    seized
}

/// The tracer lets go of a task, which goes on if it was held; but not if its process is stopped.
///
/// # References
/// kernel/ptrace.c:__ptrace_unlink
#[inline(always)]
pub(crate) fn ptrace_unlink(w: &mut World, task: TaskId) {
    if !w.tracing.is_empty() && w.tracing.remove(&task).is_some() {
        let_go(w, task);
    }
}

fn let_go(w: &mut World, task: TaskId) {
    w.ptraced.retain(|(_, tracee)| *tracee != task);
    w.task_mut(task).flags.remove(TaskFlags::TRAP_BITS);
    if !w.task(task).is_alive() {
        return;
    }
    let process = w.process(task);
    if process.has(SignalFlags::STOP_STOPPED) || process.group_stop_count > 0 {
        w.because(&rule::PTRACE_STILL_STOPPED, task);
        w.task_mut(task).flags.insert(TaskFlags::STOP_PENDING);
    }
    if w.task(task).flags.intersects(TaskFlags::STOP_PENDING | TaskFlags::TRACED) {
        w.task_mut(task).flags.remove(TaskFlags::TRACED);
        signal_wake_up(w, task, false);
    }
}

/// What a tracee is held for, as a wait tells it: once.
///
/// # References
/// kernel/exit.c:task_stopped_code
pub(crate) fn trap_code(w: &World, task: TaskId) -> Option<Signal> {
    w.traps.get(&task).filter(|_| w.task(task).has(TaskFlags::TRACED))?.code
}

/// A wait has told it.
pub(crate) fn take_trap_code(w: &mut World, task: TaskId) {
    if let Some(trap) = w.traps.get_mut(&task) {
        trap.code = None;
    }
}

/// Whether a tracer is asked about a signal before its tracee takes it: then it is sent also what the tracee would not be.
///
/// # References
/// kernel/signal.c:sig_ignored, get_signal
#[inline(always)]
pub(crate) fn is_asked_about(w: &World, signal: Signal, to: TaskId) -> bool {
    (w.watched || is_traced(w, to)) && signal != Signal::KILL
}

/// The same where a signal is about to be ignored.
#[inline(always)]
pub(crate) fn hears(w: &mut World, signal: Signal, to: TaskId) -> bool {
    let asked = is_asked_about(w, signal, to);
    if asked {
        w.because(if w.is_unkillable(to) { &rule::PTRACE_INIT_HEARS } else { &rule::PTRACE_HEARS }, to);
    }
    asked
}
