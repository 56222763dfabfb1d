//! wait4(2) and waitid(2): which child, in which order, and when to sleep.
//!
//! A wait goes through the parent's list of children from its head, whoever died first, and then through those of the other threads.
//! What a child has to report depends on what is asked for; it sleeps only if some child could still become that.
//!
//! In the kernel: kernel/exit.c:do_wait, wait_consider_task.

use pidlab_scenario::{Errno, Signal, WaitOptions, WaitStatus};

use crate::exit::release::release_task;
use crate::objects::ids::TaskId;
use crate::objects::signal_struct::{ExitCode, SignalFlags};
use crate::objects::task::{At, ExitState, TaskFlags};
use crate::objects::wait_opts::{WaitFor, WaitOpts, Waited, Who};
use crate::pid::{find_pid_ns, task_pid_nr_ns};
use crate::signal::notify::{do_notify_parent, eligible_pid};
use crate::world::{InCall, Return, World};
use crate::{Next, describe, rule, tracing};

/// wait4(2).
///
/// # Errors
/// `ECHILD`: no child can ever match; `EINVAL`: an option of waitid(2); `ESRCH`: `pid` is the lowest number there is.
///
/// # References
/// kernel/exit.c:kernel_wait4
#[inline(always)]
pub(crate) fn sys_wait4(w: &mut World, caller: TaskId, pid: i32, options: WaitOptions) -> Result<Waited, Errno> {
    if options.intersects(WaitOptions::WNOWAIT | WaitOptions::WEXITED) {
        w.because(&rule::WAIT_ARGS, caller);
        return Err(Errno::EINVAL);
    }
    let asked = match pid {
        i32::MIN => {
            w.because(&rule::WAIT_ARGS, caller);
            return Err(Errno::ESRCH);
        }
        -1 => WaitFor::Any,
        0 => WaitFor::OwnGroup,
        pid if pid < 0 => WaitFor::Group(-pid),
        pid => WaitFor::Pid(pid),
    };
    do_wait(w, caller, asked, options | WaitOptions::WEXITED)
}

/// waitid(2).
///
/// # Errors
/// `ECHILD`: no child can ever match; `EINVAL`: an unknown option, none of `WEXITED`, `WSTOPPED`, `WCONTINUED`, or a number that can be
/// nobody's.
///
/// # References
/// kernel/exit.c:kernel_waitid
pub(crate) fn sys_waitid(w: &mut World, caller: TaskId, asked: WaitFor, options: WaitOptions) -> Result<Waited, Errno> {
    let events = WaitOptions::WEXITED | WaitOptions::WSTOPPED | WaitOptions::WCONTINUED;
    let impossible = match asked {
        WaitFor::Pid(number) => number <= 0,
        WaitFor::Group(number) => number < 0,
        WaitFor::Any | WaitFor::OwnGroup | WaitFor::Pidfd(_) => false,
    };
    if impossible || !options.intersects(events) {
        w.because(&rule::WAIT_ARGS, caller);
        return Err(Errno::EINVAL);
    }
    let asked = if asked == WaitFor::Group(0) { WaitFor::OwnGroup } else { asked };
    let result = do_wait(w, caller, asked, options);
    if let (WaitFor::Pidfd(Some(_)), Ok(Waited::Child { child, .. })) = (asked, &result) {
        w.because(&rule::CLONE_PIDFD, *child);
    }
    result
}

/// Looks once, and goes to sleep if there is something to wait for.
///
/// # References
/// kernel/exit.c:do_wait
#[inline(always)]
fn do_wait(w: &mut World, caller: TaskId, asked: WaitFor, options: WaitOptions) -> Result<Waited, Errno> {
    let wo = WaitOpts { who: look_up(w, caller, asked), asked, options };
    let result = look(w, caller, &wo);
    if matches!(result, Ok(Waited::Blocks)) {
        fall_asleep(w, caller, wo);
    }
    result
}

fn fall_asleep(w: &mut World, caller: TaskId, wo: WaitOpts) {
    w.because(&rule::WAIT_BLOCKS, caller);
    if w.explains() {
        describe::deadlock(w, caller, wo.who);
    }
    w.enter(caller, At::Wait, InCall::Wait(wo));
}

/// The number means what it means in the caller's namespace, at the time of the call.
#[inline(always)]
fn look_up(w: &World, caller: TaskId, asked: WaitFor) -> Who {
    let found = match asked {
        WaitFor::Any => Some(Who::Any),
        WaitFor::Pid(number) => find_pid_ns(w, w.active_ns(caller), number).map(Who::Pid),
        WaitFor::OwnGroup => Some(Who::Pgrp(w.process(caller).pgrp)),
        WaitFor::Group(number) => find_pid_ns(w, w.active_ns(caller), number).map(Who::Pgrp),
        WaitFor::Pidfd(task) => w.there(task).map(|task| Who::Pid(w.task(task).thread_pid)),
    };
    found.unwrap_or(Who::Nobody)
}

/// A waiter that was waked looks again, before it takes any signal. Only if there is nothing does a signal end the wait.
pub(crate) fn go_on(w: &mut World, caller: TaskId) -> Next {
    let Some(InCall::Wait(wo)) = w.calls.get(&caller) else { unreachable!("it is in a wait") };
    let wo = *wo;
    let result = look(w, caller, &wo);
    if result == Ok(Waited::Blocks) {
        if !w.task(caller).has(TaskFlags::SIGPENDING) {
            return Next::Sleeps;
        }
        w.task_mut(caller).at = At::WaitInterrupted;
        return Next::GoesOn;
    }
    if result == Err(Errno::ECHILD) {
        w.because(&rule::EXIT_AUTOREAP_WAKES_WAIT, caller);
    }
    w.enter(caller, At::Returning, InCall::Returning(Return::Wait(result)));
    Next::GoesOn
}

/// A wait that was cut short without a handler starts over, its numbers looked up anew.
pub(crate) fn restart(w: &mut World, caller: TaskId) {
    let Some(InCall::Wait(wo)) = w.calls.get(&caller) else { unreachable!("it was in a wait") };
    let WaitOpts { who, asked, options } = *wo;
    // A pidfd goes on referring to what it referred to.
    let who = if matches!(asked, WaitFor::Pidfd(_)) { who } else { look_up(w, caller, asked) };
    w.enter(caller, At::Wait, InCall::Wait(WaitOpts { who, asked, options }));
}

/// One pass over the children.
///
/// # References
/// kernel/exit.c:__do_wait
#[inline(always)]
fn look(w: &mut World, caller: TaskId, wo: &WaitOpts) -> Result<Waited, Errno> {
    let mut some_lives = false;
    let mut thread = caller;
    loop {
        let mut next = w.task(thread).first_child;
        while let Some(child) = next {
            next = w.task(child).next_sibling;
            if let Some(waited) = consider(w, caller, thread, child, wo, As::Parent, &mut some_lives) {
                return Ok(waited);
            }
        }
        if !w.ptraced.is_empty()
            && let Some(waited) = ptrace_do_wait(w, caller, thread, wo, &mut some_lives)
        {
            return Ok(waited);
        }
        // The caller's own children first, then those of the next threads in turn.
        if wo.options.contains(WaitOptions::__WNOTHREAD) {
            break;
        }
        thread = w.task(thread).next_thread.unwrap_or_else(|| w.group_leader(caller));
        if thread == caller {
            break;
        }
    }
    nobody_yet(w, caller, wo, some_lives)
}

/// The tracees of a thread.
///
/// # References
/// kernel/exit.c:ptrace_do_wait
fn ptrace_do_wait(
    w: &mut World,
    caller: TaskId,
    thread: TaskId,
    wo: &WaitOpts,
    some_lives: &mut bool,
) -> Option<Waited> {
    let tracees: Vec<TaskId> = tracing::tracees(w, thread).collect();
    for tracee in &tracees {
        let waited = consider(w, caller, thread, *tracee, wo, As::Tracer, some_lives);
        if waited.is_some() {
            if tracees.len() > 1 {
                w.because(&rule::PTRACE_WAIT_ORDER, *tracee);
            }
            return waited;
        }
    }
    None
}

/// What a wait comes to when nobody has anything to report.
fn nobody_yet(w: &mut World, caller: TaskId, wo: &WaitOpts, some_lives: bool) -> Result<Waited, Errno> {
    if wo.options.contains(WaitOptions::__WNOTHREAD) && !w.thread_group_empty(caller) {
        w.because(&rule::WAIT_NOTHREAD, caller);
    }
    if !some_lives {
        w.because(&rule::WAIT_ECHILD, caller);
        return Err(Errno::ECHILD);
    }
    if wo.options.contains(WaitOptions::WNOHANG) {
        w.because(&rule::WAIT_NOHANG, caller);
        return Ok(Waited::Nothing);
    }
    Ok(Waited::Blocks)
}

/// As what somebody is waited for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum As {
    /// By its real parent.
    Parent,
    /// By its tracer.
    Tracer,
}

/// What one child or tracee has to report, if it is asked.
///
/// # References
/// kernel/exit.c:wait_consider_task, eligible_child
#[inline(always)]
fn consider(
    w: &mut World,
    caller: TaskId,
    thread: TaskId,
    child: TaskId,
    wo: &WaitOpts,
    mut asked_as: As,
    some_lives: &mut bool,
) -> Option<Waited> {
    if w.task(child).exit_state == ExitState::Dead || !eligible_pid(w, wo.who, child) {
        return None;
    }
    // A "clone child" has another exit signal than SIGCHLD.
    let clone_child = w.task(child).exit_signal != Some(Signal::CHLD);
    let every_kind = asked_as == As::Tracer || wo.options.contains(WaitOptions::__WALL);
    if !every_kind && clone_child != wo.options.contains(WaitOptions::__WCLONE) {
        w.because(&rule::WAIT_KINDS, child);
        return None;
    }
    let traced = tracing::is_traced(w, child);
    if traced && !tracing::ptrace_reparented(w, child) {
        // Its parent traces it: what it asks as the one it is told as the other.
        asked_as = As::Tracer;
    }
    let over = w.is_over(child);
    let untold = over && w.task(child).has(TaskFlags::UNTOLD);
    let status = if over && traced && asked_as == As::Parent || untold {
        w.because(&rule::PTRACE_ZOMBIE_HELD, child);
        *some_lives = true;
        return None;
    } else if over {
        if !wo.options.contains(WaitOptions::WEXITED) {
            w.because(&rule::WAIT_STOPPED_ZOMBIE_ONLY, child);
            return None;
        }
        exit_status(w, child)
    } else {
        if w.task(child).exit_state == ExitState::Zombie {
            w.because(&rule::WAIT_LEADER_DEAD_THREADS_ALIVE, child);
        }
        *some_lives = true;
        stop_status(w, child, asked_as, wo.options)?
    };
    if thread != caller {
        w.because(&rule::WAIT_ORDER_THREADS, child);
    }
    Some(report(w, caller, child, status, asked_as, wo))
}

/// How a process ended.
///
/// # References
/// kernel/exit.c:wait_task_zombie
#[inline]
fn exit_status(w: &World, child: TaskId) -> WaitStatus {
    let process = w.process(child);
    let decided = process.has(SignalFlags::GROUP_EXIT);
    if decided { process.group_exit_code.status() } else { w.task(child).exit_code.status() }
}

/// Whether a process that lives has stopped or gone on, as far as that is asked for and was not told before.
///
/// # References
/// kernel/exit.c:wait_task_stopped, wait_task_continued
fn stop_status(w: &mut World, child: TaskId, asked_as: As, options: WaitOptions) -> Option<WaitStatus> {
    if asked_as == As::Tracer
        && let Some(signal) = tracing::trap_code(w, child)
    {
        w.because(&rule::PTRACE_WAIT, child);
        return Some(WaitStatus::Stopped(signal));
    }
    let process = w.process(child);
    if asked_as == As::Parent
        && options.contains(WaitOptions::WSTOPPED)
        && process.has(SignalFlags::STOP_STOPPED)
        && let Some(signal) = process.group_exit_code.get_signal()
    {
        return Some(WaitStatus::Stopped(signal));
    }
    let continued = options.contains(WaitOptions::WCONTINUED) && process.has(SignalFlags::STOP_CONTINUED);
    continued.then_some(WaitStatus::Continued)
}

/// Tells of a child, and takes what is told unless it is only to be looked at.
#[inline(always)]
fn report(w: &mut World, caller: TaskId, child: TaskId, status: WaitStatus, asked_as: As, wo: &WaitOpts) -> Waited {
    let number = task_pid_nr_ns(w, child, w.active_ns(caller)).expect("a child is visible to its parent");
    if w.explains() {
        describe::report(w, caller, child, status, wo);
    }
    if !wo.options.contains(WaitOptions::WNOWAIT) {
        match status {
            WaitStatus::Stopped(_) if asked_as == As::Tracer => tracing::take_trap_code(w, child),
            WaitStatus::Stopped(_) => w.process_mut(child).group_exit_code = ExitCode::ZERO,
            WaitStatus::Continued => w.process_mut(child).flags.remove(SignalFlags::STOP_CONTINUED),
            WaitStatus::Exited(_) | WaitStatus::Killed(_) if tracing::ptrace_reparented(w, child) => {
                hand_back(w, child);
            }
            WaitStatus::Exited(_) | WaitStatus::Killed(_) => {
                w.task_mut(child).exit_state = ExitState::Dead;
                release_task(w, child);
            }
        }
    }
    Waited::Child { child, number, status }
}

/// A tracer has waited for a tracee that has ended: now it is a zombie for its real parent, which is told.
///
/// # References
/// kernel/exit.c:wait_task_zombie
fn hand_back(w: &mut World, child: TaskId) {
    w.because(&rule::PTRACE_HANDED_BACK, child);
    tracing::ptrace_unlink(w, child);
    let signal = w.task(child).exit_signal;
    if do_notify_parent(w, child, signal) {
        w.task_mut(child).exit_state = ExitState::Dead;
        release_task(w, child);
    }
}
