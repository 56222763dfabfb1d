//! kill(2) and its relatives: who is meant, who may be signalled, and what they are told of the sender.
//!
//! kill(2) knows only numbers of the caller's own namespace. One call can mean a process, a group with members in several namespaces,
//! or everybody the caller can see but itself and number 1.
//!
//! In the kernel: kernel/signal.c:kill_something_info, do_send_specific; kernel/pid.c:pidfd_open.

use pidlab_scenario::{Errno, Fact, PidfdFlags, SigCode, Signal, WaitStatus};

use super::info::Info;
use super::send::send_signal;
use crate::capable::check_kill_permission;
use crate::objects::ids::{NsId, PidId, TaskId};
use crate::objects::signal_struct::SignalFlags;
use crate::objects::sigpending::{To, is_stop};
use crate::objects::task::ExitState;
use crate::pid::{
    find_pid_ns, find_task_by_pid_ns, is_within, own_number, pgrp_members, task_pid_nr_ns, task_tgid_nr_ns,
};
use crate::world::World;
use crate::{Rule, describe, misconceived, rule};

/// What kill(2) says of its sender.
///
/// # References
/// kernel/signal.c:prepare_kill_siginfo
fn kill_info(w: &World, caller: TaskId) -> Info {
    if w.holds(Fact::SenderTranslated) { Info::Current } else { tgid_info(w, caller) }
}

/// The caller's own number, as it sees it itself.
fn tgid_info(w: &World, caller: TaskId) -> Info {
    Info::User { si_pid: own_number(w, w.group_leader(caller)).get() }
}

/// kill(2).
///
/// # Errors
/// `ESRCH`: nobody in the caller's namespace is meant; `EPERM`: the caller may signal none of those meant.
///
/// # References
/// kernel/signal.c:kill_something_info
pub(crate) fn sys_kill(w: &mut World, caller: TaskId, pid: i32, signal: Option<Signal>) -> Result<(), Errno> {
    let ns = w.active_ns(caller);
    let mut targets = match pid {
        i32::MIN => Vec::new(),
        -1 => everybody_but(w, caller, ns),
        0 => group_members(w, Some(w.process(caller).pgrp)),
        group if group < 0 => group_members(w, find_pid_ns(w, ns, -group)),
        pid => find_task_by_pid_ns(w, ns, pid).into_iter().collect(),
    };
    misconceived::targets::aim(w, caller, pid, &mut targets);
    if targets.is_empty() {
        w.because(&rule::SIG_VISIBLE_ONLY, caller);
        return Err(Errno::ESRCH);
    }
    misconceived::targets::refuse(w, caller, pid, targets[0], signal)?;
    if w.explains() {
        describe::targets(w, caller, pid, &targets);
    }
    let allowed: Vec<TaskId> =
        targets.iter().copied().filter(|target| check_kill_permission(w, caller, *target, signal)).collect();
    if allowed.len() < targets.len() {
        if pid == -1 {
            w.because(&rule::SIG_KILL_MINUS1_REFUSED, caller);
        } else if allowed.is_empty() {
            return Err(Errno::EPERM);
        } else {
            w.because(&rule::SIG_PGRP_REFUSED, caller);
        }
    }
    let info = kill_info(w, caller);
    send_to_all(w, caller, &allowed, signal, info, To::Process);
    Ok(())
}

fn group_members(w: &World, group: Option<PidId>) -> Vec<TaskId> {
    group.map_or_else(Vec::new, |group| pgrp_members(w, group).map(|member| w.sig(member).leader).collect())
}

/// Everybody whose number in the caller's namespace is above 1, without the caller, in the order of birth.
fn everybody_but(w: &World, caller: TaskId, ns: NsId) -> Vec<TaskId> {
    let mut all: Vec<(u32, TaskId)> = Vec::new();
    for (_, pid) in w.ns(ns).idr.holders(2) {
        let record = &w.pids[pid];
        let Some(task) = record.task.filter(|task| w.group_leader(*task) == *task) else { continue };
        if !w.same_thread_group(task, caller) {
            all.push((record.born, task));
        }
    }
    all.sort_unstable();
    all.into_iter().map(|(_, task)| task).collect()
}

/// Sends one signal to each. Where one `siginfo_t` goes round, what one receiver does to it the next ones see.
fn send_to_all(w: &mut World, caller: TaskId, targets: &[TaskId], signal: Option<Signal>, mut info: Info, whom: To) {
    let Some(signal) = signal else {
        w.because(&rule::SIG_EXISTENCE, caller);
        return;
    };
    for target in targets {
        if w.explains() {
            name_the_sender(w, caller, *target, signal, info, whom, targets.len() > 1);
        }
        if misconceived::targets::removes(w, *target, signal) {
            continue;
        }
        if whom == To::Thread && has_ended_alone(w, *target) {
            if w.holds(Fact::EndedThreadDeaf) {
                w.because(&rule::SIG_ENDED_THREAD_DEAF, *target);
                continue;
            }
            if is_stop(signal) || signal == Signal::CONT {
                w.because(&rule::SIG_ENDED_THREAD_HEARS, *target);
            }
        }
        let mut own = info;
        send_signal(w, signal, &mut own, *target, whom);
        if !w.holds(Fact::SenderForEach) {
            info = own;
        }
    }
}

/// Whether a thread has ended, and its process goes on.
fn has_ended_alone(w: &World, thread: TaskId) -> bool {
    w.task(thread).exit_state != ExitState::None && !w.process(thread).has(SignalFlags::GROUP_EXIT)
}

#[cold]
fn name_the_sender(w: &mut World, caller: TaskId, target: TaskId, signal: Signal, info: Info, whom: To, many: bool) {
    let ns = w.active_ns(target);
    if whom == To::Process && w.group_leader(target) != target {
        w.because(&rule::SIG_KILL_BY_TID, target);
    }
    if w.sighand(target).caught.contains(signal) {
        w.because(&rule::VIEW_SIGINFO_SENDER, target);
    }
    let upward = !is_within(w, ns, w.active_ns(caller));
    let seen = task_pid_nr_ns(w, caller, ns).is_some();
    match info {
        Info::User { si_pid } if si_pid != 0 && !seen => {
            let sticks = many && !w.holds(Fact::SenderForEach);
            w.because(if sticks { &rule::SIG_SI_PID_STICKY_ZERO } else { &rule::SIG_SI_PID_DOWN }, target);
            if many && !sticks {
                w.because(&rule::SIG_SI_PID_EACH, target);
            }
        }
        Info::User { .. } if upward => w.because(&rule::SIG_SI_PID_UP_UNTRANSLATED, target),
        Info::Current if upward => w.because(&rule::SIG_SI_PID_UP_TRANSLATED, target),
        Info::Current if !seen => {
            w.because(&rule::SIG_SI_PID_DOWN, target);
            if many && w.holds(Fact::SenderForEach) {
                w.because(&rule::SIG_SI_PID_EACH, target);
            }
        }
        _ => {}
    }
}

/// tgkill(2): a signal for the thread `tid` of the process `tgid`.
///
/// # Errors
/// `EINVAL`: a number is not positive; `ESRCH`: nobody has `tid` in the caller's namespace, or it is not of that process; `EPERM`: the
/// caller may not signal it.
///
/// # References
/// kernel/signal.c:do_send_specific
pub(crate) fn sys_tgkill(
    w: &mut World,
    caller: TaskId,
    tgid: i32,
    tid: i32,
    signal: Option<Signal>,
) -> Result<(), Errno> {
    let info = tgid_info(w, caller);
    do_send_specific(w, caller, (Some(tgid), tid), signal, info, &rule::SIG_TGKILL)
}

/// tkill(2): a signal for the thread `tid`, whose ever it is.
///
/// # Errors
/// Those of [`sys_tgkill`]; there is no second number that has to go with the first.
///
/// # References
/// kernel/signal.c:do_send_specific
pub(crate) fn sys_tkill(w: &mut World, caller: TaskId, tid: i32, signal: Option<Signal>) -> Result<(), Errno> {
    let info = tgid_info(w, caller);
    do_send_specific(w, caller, (None, tid), signal, info, &rule::SIG_TKILL)
}

/// At one thread, if it is one of this process. The rule says how it was named.
///
/// # References
/// kernel/signal.c:do_send_specific
fn do_send_specific(
    w: &mut World,
    caller: TaskId,
    (tgid, tid): (Option<i32>, i32),
    signal: Option<Signal>,
    info: Info,
    named: &'static Rule,
) -> Result<(), Errno> {
    if tid <= 0 || tgid.is_some_and(|tgid| tgid <= 0) {
        w.because(named, caller);
        return Err(Errno::EINVAL);
    }
    let ns = w.active_ns(caller);
    let Some(target) = find_task_by_pid_ns(w, ns, tid) else {
        w.because(&rule::SIG_VISIBLE_ONLY, caller);
        return Err(Errno::ESRCH);
    };
    let process = task_tgid_nr_ns(w, target, ns).map(|number| i64::from(number.get()));
    if tgid.is_some_and(|tgid| process != Some(i64::from(tgid))) {
        w.because(&rule::SIG_TGKILL_BOTH, target);
        return Err(Errno::ESRCH);
    }
    w.because(named, target);
    if w.group_leader(target) != target {
        w.because(&rule::SIG_TO_THREAD, target);
    }
    if !check_kill_permission(w, caller, target, signal) {
        return Err(Errno::EPERM);
    }
    send_to_all(w, caller, &[target], signal, info, To::Thread);
    Ok(())
}

/// A sender that has made its `siginfo_t` itself (include/uapi/asm-generic/siginfo.h).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Queued {
    /// The number that it gives for the sender.
    pub(crate) si_pid: u32,
    /// What it says that the signal comes from.
    pub(crate) si_code: SigCode,
}

/// That a signal comes from kill(2) or tgkill(2) may be said without one only to the calling thread itself.
fn may_say(w: &mut World, caller: TaskId, pid: i32, said: Queued) -> Result<(), Errno> {
    if said.si_code == SigCode::Queue {
        return Ok(());
    }
    w.because(&rule::SIG_FORGED_CODE, caller);
    let own = i64::from(own_number(w, caller).get());
    if own == i64::from(pid) { Ok(()) } else { Err(Errno::EPERM) }
}

/// rt_tgsigqueueinfo(2): as [`sys_tgkill`], with what the caller says of the sender.
///
/// # Errors
/// Those of [`sys_tgkill`]; `EPERM`: see [`sys_rt_sigqueueinfo`].
///
/// # References
/// kernel/signal.c:do_rt_tgsigqueueinfo
pub(crate) fn sys_rt_tgsigqueueinfo(
    w: &mut World,
    caller: TaskId,
    tgid: i32,
    tid: i32,
    signal: Option<Signal>,
    said: Queued,
) -> Result<(), Errno> {
    if tid > 0 && tgid > 0 {
        may_say(w, caller, tid, said)?;
    }
    let info = Info::User { si_pid: said.si_pid };
    do_send_specific(w, caller, (Some(tgid), tid), signal, info, &rule::SIG_TGSIGQUEUE)
}

/// rt_sigqueueinfo(2), with what the caller says of the sender.
///
/// # Errors
/// `ESRCH`: nobody has the number in the caller's namespace; `EPERM`: the caller may not signal it, or it is not the calling thread and is
/// told that the signal comes from kill(2) or tgkill(2).
///
/// # References
/// kernel/signal.c:do_rt_sigqueueinfo
pub(crate) fn sys_rt_sigqueueinfo(
    w: &mut World,
    caller: TaskId,
    pid: i32,
    signal: Option<Signal>,
    said: Queued,
) -> Result<(), Errno> {
    may_say(w, caller, pid, said)?;
    let Some(target) = find_task_by_pid_ns(w, w.active_ns(caller), pid) else {
        w.because(&rule::SIG_VISIBLE_ONLY, caller);
        return Err(Errno::ESRCH);
    };
    if !check_kill_permission(w, caller, target, signal) {
        return Err(Errno::EPERM);
    }
    if signal.is_some_and(|signal| w.sighand(target).caught.contains(signal)) {
        w.because(&rule::VIEW_SIGINFO_FORGED, target);
    }
    send_to_all(w, caller, &[target], signal, Info::User { si_pid: said.si_pid }, To::Process);
    Ok(())
}

/// To whom a pidfd refers.
pub(crate) struct Referred {
    /// The task; `None` once it is released.
    pub(crate) task: Option<TaskId>,
    /// What bears its numbers, which may be a process group's when it is released; `None` once nobody has them.
    pub(crate) pid: Option<PidId>,
    /// Whether it has, or had, a number in the caller's namespace.
    pub(crate) had_number: bool,
    /// Whether it is a pidfd of a thread (`PIDFD_THREAD`).
    pub(crate) is_thread: bool,
    /// How the task ended, once it is released.
    pub(crate) ended: Option<WaitStatus>,
}

impl Referred {
    /// By a pidfd of a process that has just been opened by its number.
    pub(crate) fn opened(task: TaskId, pid: PidId) -> Referred {
        Referred { task: Some(task), pid: Some(pid), had_number: true, is_thread: false, ended: None }
    }
}

/// pidfd_send_signal(2).
///
/// # Errors
/// `EINVAL`: more than one flag, or any where the kernel has none, or the process was not in the caller's namespace or a descendant of it;
/// `ESRCH`: it is reaped, or nobody is in the group; `EPERM`: the caller may not signal it.
///
/// # References
/// kernel/signal.c:pidfd_send_signal
pub(crate) fn sys_pidfd_send_signal(
    w: &mut World,
    caller: TaskId,
    referred: &Referred,
    signal: Option<Signal>,
    flags: PidfdFlags,
) -> Result<(), Errno> {
    if !flags.is_empty() {
        let known = w.holds(Fact::PidfdThread);
        w.because(if known { &rule::PIDFD_SCOPE_FLAGS } else { &rule::PIDFD_NO_THREADS }, caller);
        if !known || flags.bits().count_ones() > 1 {
            return Err(Errno::EINVAL);
        }
    }
    if !referred.had_number {
        w.because(&rule::VIEW_PIDFD_SIGNAL_SCOPE, referred.task.unwrap_or(caller));
        return Err(Errno::EINVAL);
    }
    let info = tgid_info(w, caller);
    if flags == PidfdFlags::PIDFD_SIGNAL_PROCESS_GROUP {
        w.because(&rule::PIDFD_SCOPE_GROUP, caller);
        let members = group_members(w, referred.pid);
        let allowed = those_allowed(w, caller, &members, signal)?;
        send_to_all(w, caller, &allowed, signal, info, To::Process);
        return Ok(());
    }
    let Some(target) = referred.task else {
        w.because(&rule::SIG_PIDFD_REAPED, caller);
        return Err(Errno::ESRCH);
    };
    w.because(&rule::SIG_PIDFD_NS, caller);
    if !check_kill_permission(w, caller, target, signal) {
        return Err(Errno::EPERM);
    }
    let alone = flags == PidfdFlags::PIDFD_SIGNAL_THREAD || (flags.is_empty() && referred.is_thread);
    if alone && flags.is_empty() {
        w.because(&rule::PIDFD_SCOPE_THREAD, target);
    }
    send_to_all(w, caller, &[target], signal, info, if alone { To::Thread } else { To::Process });
    Ok(())
}

/// Those of a process group whom the caller may signal.
///
/// # Errors
/// `ESRCH`: the group is empty; `EPERM`: it may signal nobody.
fn those_allowed(w: &mut World, caller: TaskId, all: &[TaskId], signal: Option<Signal>) -> Result<Vec<TaskId>, Errno> {
    if all.is_empty() {
        return Err(Errno::ESRCH);
    }
    let mut some = all.to_vec();
    some.retain(|target| check_kill_permission(w, caller, *target, signal));
    if some.is_empty() {
        return Err(Errno::EPERM);
    }
    if some.len() < all.len() {
        w.because(&rule::SIG_PGRP_REFUSED, caller);
    }
    Ok(some)
}

/// pidfd_open(2), with flags.
///
/// # Errors
/// As [`pidfd_open`]; `EINVAL`: the kernel has no pidfds of threads.
///
/// # References
/// kernel/pid.c:pidfd_open
pub(crate) fn sys_pidfd_open(w: &mut World, caller: TaskId, pid: i32, flags: PidfdFlags) -> Result<TaskId, Errno> {
    if flags.is_empty() {
        return pidfd_open(w, caller, pid);
    }
    if !w.holds(Fact::PidfdThread) {
        w.because(&rule::PIDFD_NO_THREADS, caller);
        return Err(Errno::EINVAL);
    }
    w.because(&rule::VIEW_LOOKUP_OWN_NS, caller);
    if pid <= 0 {
        return Err(Errno::EINVAL);
    }
    let found = find_pid_ns(w, w.active_ns(caller), pid).ok_or(Errno::ESRCH)?;
    let thread = w.pids[found].task;
    if let Some(thread) = thread {
        w.because(&rule::PIDFD_OF_THREAD, thread);
    }
    // As of any number that is not of the kind that is asked for.
    thread.ok_or(if w.holds(Fact::PidfdOpenThreadIsEnoent) { Errno::ESRCH } else { Errno::EINVAL })
}

/// pidfd_open(2); there are no descriptors here, only whom it would refer to.
///
/// # Errors
/// `EINVAL`: the number is not positive; `ESRCH`: nobody has it in the caller's namespace; `ENOENT`, on older kernels `EINVAL`: it is
/// not the number of a process.
///
/// # References
/// kernel/fork.c:pidfd_prepare
pub(crate) fn pidfd_open(w: &mut World, caller: TaskId, pid: i32) -> Result<TaskId, Errno> {
    w.because(&rule::VIEW_LOOKUP_OWN_NS, caller);
    if pid <= 0 {
        return Err(Errno::EINVAL);
    }
    let found = find_pid_ns(w, w.active_ns(caller), pid).ok_or(Errno::ESRCH)?;
    let newer = w.holds(Fact::PidfdOpenThreadIsEnoent);
    match w.pids[found].task {
        Some(task) if w.group_leader(task) == task => Ok(task),
        Some(thread) if newer => {
            w.because(&rule::VIEW_PIDFD_OPEN_KINDS, thread);
            Err(Errno::ENOENT)
        }
        None if newer => Err(Errno::ESRCH),
        Some(_) | None => {
            w.because(&rule::VIEW_PIDFD_OPEN_ANY_NUMBER, caller);
            Err(Errno::EINVAL)
        }
    }
}
