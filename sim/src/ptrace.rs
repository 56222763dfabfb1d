//! Tracing: a second parent, and stops that only it ends.
//!
//! ```text
//!   real parent ──▶ tracee ◀── tracer        told of the tracee's end first, and alone able to wait for it
//!                     │
//!   a signal to take? └──▶ ptrace_stop: it sleeps until the tracer says what it takes instead, lets go, or ends
//! ```
//!
//! A zombie with a tracer is a zombie for the tracer alone. When that has waited, or is gone, it becomes one for the real parent.
//!
//! Only processes of one thread are traced here.
//!
//! In the kernel: kernel/ptrace.c; kernel/signal.c:ptrace_stop, ptrace_signal, do_jobctl_trap.

use pidlab_scenario::syscall::PtraceRequest;
use pidlab_scenario::{Errno, Fact, Signal};

use crate::capable::ptrace_may_access;
use crate::exit::release::release_task;
use crate::objects::ids::{NsId, TaskId};
use crate::objects::signal_struct::SignalFlags;
use crate::objects::sigpending::{SigInfo, To};
use crate::objects::task::{ExitState, TaskFlags};
use crate::objects::tracing::{Tracing, Trap};
use crate::pid::{find_task_by_pid_ns, task_pid_nr_ns};
use crate::signal::info::{Cld, Info};
use crate::signal::notify::{Told, do_notify_parent, do_notify_parent_cldstop, ignoring_children, wake_up_parent};
use crate::signal::pending::{has_pending, queues_again, signal_wake_up};
use crate::signal::send::{prepare_signal, send_signal};
use crate::signal::stop::participate_group_stop;
use crate::tracing::{is_traced, parent, ptrace_reparented, ptrace_unlink, set_trap, tracees};
use crate::world::World;
use crate::{Next, rule};

/// What a task that was held goes on with.
pub(crate) enum Resumed {
    /// This signal.
    Signal(SigInfo),
    /// No signal.
    Nothing,
    /// It had taken part in a stop.
    Stop,
}

/// ptrace(2).
///
/// # Errors
/// `ESRCH`: nobody has this number in the caller's namespace; or the caller is not its tracer, or does not hold it. `EPERM`: the caller
/// may not trace it.
///
/// # References
/// kernel/ptrace.c:ptrace_attach, ptrace_check_attach, ptrace_resume, ptrace_detach
pub(crate) fn sys_ptrace(w: &mut World, caller: TaskId, request: PtraceRequest, pid: i32) -> Result<(), Errno> {
    let Some(task) = find_task_by_pid_ns(w, w.active_ns(caller), pid) else {
        w.because(&rule::PTRACE_NUMBER, caller);
        return Err(Errno::ESRCH);
    };
    match request {
        PtraceRequest::Seize { exitkill } => ptrace_attach(w, Tracing { tracer: caller, seized: true, exitkill }, task),
        PtraceRequest::Attach => ptrace_attach(w, Tracing { tracer: caller, seized: false, exitkill: false }, task),
        PtraceRequest::Cont(signal) => {
            resume_with(w, caller, task, signal)?;
            w.task_mut(task).flags.remove(TaskFlags::TRACED);
            w.wake_up(task);
            Ok(())
        }
        PtraceRequest::Detach(signal) => {
            resume_with(w, caller, task, signal)?;
            w.because(&rule::PTRACE_DETACH, task);
            ptrace_unlink(w, task);
            Ok(())
        }
    }
}

fn ptrace_attach(w: &mut World, tracing: Tracing, task: TaskId) -> Result<(), Errno> {
    let caller = tracing.tracer;
    if w.same_thread_group(caller, task) {
        w.because(&rule::PTRACE_OWN_THREAD, caller);
        return Err(Errno::EPERM);
    }
    if !ptrace_may_access(w, caller, task) {
        w.because(&rule::PTRACE_PERMISSION, task);
        return Err(Errno::EPERM);
    }
    // Whoever a tracer outside of the world watches it traces.
    let watched = w.watched && w.init(NsId::OUTERMOST) != Some(task);
    if w.task(task).exit_state != ExitState::None || is_traced(w, task) || watched {
        w.because(&rule::PTRACE_ONE_TRACER, task);
        return Err(Errno::EPERM);
    }
    assert!(w.group_leader(task) == task && w.thread_group_empty(task), "only processes of one thread are traced");
    w.tracing.insert(task, tracing);
    let place = w.ptraced.partition_point(|(tracer, _)| *tracer < caller);
    w.ptraced.insert(place, (caller, task));
    w.because(&rule::PTRACE_REAL_PARENT, task);
    if !tracing.seized {
        w.because(&rule::PTRACE_ATTACH_STOPS, task);
        send_signal(w, Signal::STOP, &mut Info::Priv, task, To::Thread);
    }
    // ptrace_set_stopped
    if w.task(task).has(TaskFlags::STOPPED) && set_trap(w, task, TaskFlags::TRAP_STOP) {
        w.task_mut(task).flags.remove(TaskFlags::STOPPED);
        signal_wake_up(w, task, false);
    }
    Ok(())
}

/// What a tracee goes on with, if the caller holds it.
///
/// # References
/// kernel/ptrace.c:ptrace_check_attach
fn resume_with(w: &mut World, caller: TaskId, task: TaskId, signal: Option<Signal>) -> Result<(), Errno> {
    let traces = w.tracing.get(&task).is_some_and(|tracing| tracing.tracer == caller);
    let held = w.traps.get_mut(&task).filter(|_| traces && w.tasks[task].has(TaskFlags::TRACED));
    match held {
        Some(trap) => {
            trap.code = signal;
            Ok(())
        }
        None => {
            w.because(&rule::PTRACE_HOLDS, task);
            Err(Errno::ESRCH)
        }
    }
}

/// A tracer exits: it lets go of everybody. A zombie that it has held is told of to its real parent.
///
/// # References
/// kernel/ptrace.c:exit_ptrace, __ptrace_detach
#[inline(always)]
pub(crate) fn exit_ptrace(w: &mut World, tracer: TaskId) {
    if !w.ptraced.is_empty() {
        let_go_of_all(w, tracer);
    }
}

fn let_go_of_all(w: &mut World, tracer: TaskId) {
    let mut dead = Vec::new();
    for task in tracees(w, tracer).collect::<Vec<_>>() {
        if w.tracing[&task].exitkill {
            w.because(&rule::PTRACE_EXITKILL, task);
            send_signal(w, Signal::KILL, &mut Info::Priv, task, To::Process);
        } else if w.task(task).has(TaskFlags::TRACED) {
            let lost = w.traps.get(&task).is_some_and(|trap| trap.held.is_some() && trap.code.is_none());
            w.because(if lost { &rule::PTRACE_SIGNAL_LOST } else { &rule::PTRACE_TRACER_ENDS }, task);
        }
        ptrace_unlink(w, task);
        if w.task(task).exit_state != ExitState::Zombie {
            continue;
        }
        let own = w.task(task).real_parent.is_some_and(|real| w.same_thread_group(real, tracer));
        let gone = if !own {
            w.because(&rule::PTRACE_HANDED_BACK, task);
            let signal = w.task(task).exit_signal;
            do_notify_parent(w, task, signal)
        } else {
            let ignored = ignoring_children(w, tracer) || w.process(task).has(SignalFlags::AUTOREAP);
            if ignored {
                w.because(&rule::PTRACE_VANISHES_LATE, task);
                wake_up_parent(w, task, tracer);
            }
            ignored
        };
        if gone {
            w.task_mut(task).exit_state = ExitState::Dead;
            dead.push(task);
        }
    }
    for task in dead {
        release_task(w, task);
    }
}

/// A tracee that has taken a signal is held for it.
///
/// # References
/// kernel/signal.c:ptrace_signal
pub(crate) fn hold(w: &mut World, task: TaskId, info: SigInfo, whom: To) -> Next {
    w.because(&rule::PTRACE_HELD, task);
    w.task_mut(task).flags.insert(TaskFlags::STOP_DEQUEUED);
    ptrace_stop(w, task, Trap { held: Some((info, whom)), code: Some(info.signal) }, Cld::Trapped)
}

/// A tracee takes part in a stop of its process, or tells that it went on.
///
/// # References
/// kernel/signal.c:do_jobctl_trap
pub(crate) fn do_jobctl_trap(w: &mut World, task: TaskId) -> Next {
    let process = w.process(task);
    let stopping = process.group_stop_count > 0 || process.has(SignalFlags::STOP_STOPPED);
    let seized = w.tracing.get(&task).is_some_and(|tracing| tracing.seized);
    let code = if seized && !stopping { Some(Signal::TRAP) } else { w.task(task).stop_signal };
    w.because(&rule::PTRACE_STOP, task);
    ptrace_stop(w, task, Trap { held: None, code }, Cld::Stopped)
}

/// A tracee sleeps until its tracer lets it go on. There are two to be told: the tracer of every such stop, the real parent of the
/// completion of a stop of the process.
///
/// # References
/// kernel/signal.c:ptrace_stop
fn ptrace_stop(w: &mut World, task: TaskId, trap: Trap, why: Cld) -> Next {
    w.traps.insert(task, trap);
    let mut complete = false;
    if trap.held.is_none() && w.task(task).has(TaskFlags::STOP_PENDING) {
        complete = participate_group_stop(w, task);
    }
    let record = w.task_mut(task);
    record.flags.insert(TaskFlags::TRACED | TaskFlags::IN_TRAP);
    record.flags.remove(TaskFlags::TRAP_STOP);
    if trap.held.is_none() {
        record.flags.remove(TaskFlags::TRAP_NOTIFY);
    }
    do_notify_parent_cldstop(w, task, Told::Tracer, why);
    if complete && ptrace_reparented(w, task) {
        do_notify_parent_cldstop(w, task, Told::RealParent, why);
    }
    Next::Sleeps
}

/// A task goes on that was held.
///
/// # References
/// kernel/signal.c:ptrace_stop, ptrace_signal
pub(crate) fn resume(w: &mut World, task: TaskId) -> Resumed {
    w.task_mut(task).flags.remove(TaskFlags::IN_TRAP);
    let Trap { held, code } = w.traps.remove(&task).expect("it was held");
    if has_pending(w, task) {
        w.task_mut(task).flags.insert(TaskFlags::SIGPENDING);
    }
    let Some((info, whom)) = held else { return Resumed::Stop };
    let Some(signal) = code.filter(|_| !w.task(task).has(TaskFlags::KILLED)) else { return Resumed::Nothing };
    let info = if signal == info.signal { info } else { of_tracer(w, task, signal) };
    if w.task(task).blocked.contains(signal) {
        requeue(w, task, info, whom);
        return Resumed::Nothing;
    }
    Resumed::Signal(info)
}

/// Puts a signal back that a tracee was to take and that it blocks.
///
/// # References
/// kernel/signal.c:ptrace_signal
fn requeue(w: &mut World, task: TaskId, info: SigInfo, whom: To) {
    w.because(&rule::PTRACE_INJECTED_BLOCKED, task);
    let in_place = w.holds(Fact::PutInPlace);
    w.because(if in_place { &rule::PTRACE_PUT_IN_PLACE } else { &rule::PTRACE_PUT_TO_THREAD }, task);
    let whom = if in_place { whom } else { To::Thread };
    if !prepare_signal(w, info.signal, task, false) {
        return;
    }
    let queue = w.queue(task, whom);
    if w.pending.set(queue).contains(info.signal) && !queues_again(w, info.signal, task) {
        return;
    }
    w.pending.push(queue, info);
}

/// A signal that a tracer has put in the place of another: it comes from whoever is the parent now.
fn of_tracer(w: &mut World, task: TaskId, signal: Signal) -> SigInfo {
    w.because(&rule::PTRACE_INJECTED_SENDER, task);
    let sender = parent(w, task).and_then(|parent| task_pid_nr_ns(w, parent, w.active_ns(task)));
    SigInfo { signal, si_pid: sender.map_or(0, |number| number.get()), child: None, fault: false, immutable: false }
}
