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

use pidlab_scenario::{ChildStatus, Fact, Signal};

use crate::objects::signal_struct::{ExitCode, SignalFlags, SignalId};
use crate::objects::sigpending::{DefaultAction, SigInfo, SigSet, default_action, is_kernel_only, is_stop};
use crate::objects::task::{At, TaskFlags, TaskId};
use crate::pid::{task_pid_nr_ns, task_tgid_nr_ns};
use crate::world::World;
use crate::{Misconception, rule};

/// For whom a signal is (`enum pid_type`): one thread, or the process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum To {
    /// `PIDTYPE_PID`: the thread.
    Thread,
    /// `PIDTYPE_TGID` and above: the process.
    Process,
}

/// What a signal says of its sender (`struct kernel_siginfo`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Info {
    /// A number that the sender gave, its own or another: `has_si_pid_and_uid`. A receiver that cannot see the sender gets 0.
    User {
        /// What the receiver will be told.
        si_pid: u32,
    },
    /// `SEND_SIG_NOINFO`: the kernel fills in the sender, for the receiver.
    NoInfo,
    /// `SEND_SIG_PRIV`: the kernel itself, to which no init is deaf.
    Priv,
    /// A child of the receiver that ended, stopped or went on: its first thread, and what happened.
    Child(TaskId, Cld),
    /// What an instruction of the receiver did.
    Fault,
}

/// What a SIGCHLD is about (sigaction(2), `si_code`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Cld {
    /// `CLD_EXITED`, `CLD_KILLED`, `CLD_DUMPED`.
    Exited,
    /// `CLD_STOPPED`.
    Stopped,
    /// `CLD_CONTINUED`.
    Continued,
}

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
        Info::NoInfo => from_above,
        Info::Priv | Info::Fault => true,
        Info::Child(..) => false,
    };
    send_signal_force(w, signal, *info, to, whom, force);
}

/// The same where it is known whether an init could ignore a signal that cannot be ignored.
///
/// # References
/// kernel/signal.c:__send_signal_locked
pub(crate) fn send_signal_force(w: &mut World, signal: Signal, info: Info, to: TaskId, whom: To, force: bool) {
    if !prepare_signal(w, signal, to, force) {
        return;
    }
    let queue = match whom {
        To::Thread => &w.task(to).pending,
        To::Process => &w.process(to).shared_pending,
    };
    if queue.set().contains(signal) {
        if signal.number() < 32 {
            w.because(&rule::EXIT_SIGCHLD_COALESCES, to);
            return;
        }
        w.because(&rule::SIG_RT_QUEUES, to);
    }
    complete_signal(w, signal, info, to, whom);
}

/// What the receiver will find in its `siginfo_t`.
fn siginfo(w: &World, signal: Signal, info: Info, to: TaskId) -> SigInfo {
    let plain = SigInfo { signal, si_pid: 0, child: None, fault: false };
    match info {
        Info::User { si_pid } => SigInfo { si_pid, ..plain },
        Info::NoInfo => {
            let sender = w.current.0.and_then(|sender| task_tgid_nr_ns(w, sender, w.active_ns(to)));
            SigInfo { si_pid: sender.map_or(0, |number| number.get()), ..plain }
        }
        Info::Priv => plain,
        Info::Child(child, why) => {
            let number = task_pid_nr_ns(w, child, w.active_ns(to));
            let child = (signal == Signal::CHLD).then(|| child_status(w, child, why));
            SigInfo { si_pid: number.map_or(0, |number| number.get()), child, ..plain }
        }
        // The address that could not be touched stands where si_pid does, and it was 0.
        Info::Fault => SigInfo { fault: true, ..plain },
    }
}

/// What a SIGCHLD says of a child.
fn child_status(w: &World, child: TaskId, why: Cld) -> ChildStatus {
    match why {
        Cld::Exited => w.task(child).exit_code.status().into(),
        Cld::Continued => ChildStatus::Continued,
        // 0 where it is continued in the middle of the stop.
        Cld::Stopped => ChildStatus::Stopped(w.process(child).group_exit_code.get_signal()),
    }
}

/// What a signal does by being sent, whether anybody takes it or not; then, whether it is to be queued at all.
///
/// # References
/// kernel/signal.c:prepare_signal
fn prepare_signal(w: &mut World, signal: Signal, to: TaskId, force: bool) -> bool {
    if w.process(to).has(SignalFlags::GROUP_EXIT) {
        name_the_deaf(w, to);
        return false;
    }
    if is_stop(signal) {
        take_back_continue(w, to);
    } else if signal == Signal::CONT {
        take_back_stops(w, to);
    }
    !sig_ignored(w, signal, to, force)
}

/// A process in the middle of dying takes no signal.
fn name_the_deaf(w: &mut World, to: TaskId) {
    if !w.explains() {
        return;
    }
    let leader = w.group_leader(to);
    let zaps = w.threads_of(w.task(to).signal).any(|thread| w.task(thread).at == At::Zap);
    let rule = if w.is_over(leader) {
        &rule::EXIT_ZOMBIE_IS_ADDRESSABLE
    } else if zaps {
        &rule::ZAP_STUCK_IMMUNE
    } else {
        &rule::EXIT_FIRST_FATAL_WINS
    };
    w.because(rule, to);
}

/// Takes back signals that wait for a process or one of its threads.
pub(crate) fn flush_all(w: &mut World, process: SignalId, which: impl Fn(Signal) -> bool + Copy) -> bool {
    let mut any = w.sig_mut(process).shared_pending.flush(which);
    let mut at = Some(w.sig(process).leader);
    while let Some(thread) = at {
        at = w.task(thread).next_thread;
        any |= w.task_mut(thread).pending.flush(which);
    }
    any
}

fn take_back_continue(w: &mut World, to: TaskId) {
    if flush_all(w, w.task(to).signal, |pending| pending == Signal::CONT) {
        w.because(&rule::SIG_STOP_CONT_CANCEL, to);
    }
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
        record.flags.remove(TaskFlags::STOP_BITS);
        if record.has(TaskFlags::STOPPED) {
            record.flags.remove(TaskFlags::STOPPED);
            w.wake_up(thread);
        }
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
fn sig_ignored(w: &mut World, signal: Signal, to: TaskId, force: bool) -> bool {
    let unkillable = w.is_unkillable(to);
    if w.task(to).blocked.contains(signal) {
        w.because(if unkillable { &rule::SIG_INIT_BLOCKED } else { &rule::SIG_BLOCKED_QUEUES }, to);
        return false;
    }
    if unkillable && w.task(to).has(TaskFlags::STOPPED) {
        w.because(&rule::SIG_INIT_STOPPED, to);
    }
    let sighand = w.sighand(to);
    let (ignored, default) = (sighand.ignored.contains(signal), sighand.is_default(signal));
    let harmless = default_action(signal) == DefaultAction::Ignore;
    if unkillable && default {
        if is_kernel_only(signal) && (force || w.believes(Misconception::InitDiesFromInside)) {
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
    if chosen.is_some() && sig_fatal(w, signal, to) {
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
    match whom {
        To::Thread => w.task_mut(to).pending.push(queued),
        To::Process => w.process_mut(to).shared_pending.push(queued),
    }
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
    if task.has(TaskFlags::STOPPED) {
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
        task.flags.remove(TaskFlags::STOP_BITS);
        if task.exit_state == crate::objects::task::ExitState::None {
            task.flags.insert(TaskFlags::KILLED);
            signal_wake_up(w, thread, true);
        }
    }
}

/// Tells a task that there is a signal, and wakes it if it sleeps where signals reach it.
///
/// # References
/// kernel/signal.c:signal_wake_up_state
pub(crate) fn signal_wake_up(w: &mut World, thread: TaskId, fatal: bool) {
    let task = w.task_mut(thread);
    task.flags.insert(TaskFlags::SIGPENDING);
    if fatal && task.has(TaskFlags::STOPPED) {
        task.flags.remove(TaskFlags::STOPPED);
    }
    let reaches = match task.at {
        _ if task.has(TaskFlags::STOPPED) => false,
        At::User | At::Abort | At::Returning | At::Wait | At::WaitInterrupted => true,
        // TASK_KILLABLE.
        At::Vfork | At::DeThread => fatal,
        At::ExitMm | At::ExitNotify | At::Zap => false,
    };
    if reaches {
        w.wake_up(thread);
    }
}

/// Whether there is something for a thread to take.
///
/// # References
/// kernel/signal.c:recalc_sigpending_tsk
pub(crate) fn recalc_sigpending(w: &mut World, thread: TaskId) {
    let pending = has_pending(w, thread);
    w.task_mut(thread).flags.set(TaskFlags::SIGPENDING, pending);
}

fn has_pending(w: &World, thread: TaskId) -> bool {
    let task = w.task(thread);
    task.has(TaskFlags::KILLED)
        || task.has(TaskFlags::STOP_PENDING)
        || !pending_for(w, thread).without(task.blocked).is_empty()
}

/// The signals that wait for a thread or for its process.
pub(crate) fn pending_for(w: &World, thread: TaskId) -> SigSet {
    w.task(thread).pending.set().or(w.process(thread).shared_pending.set())
}

/// Leaves signals of the process that a thread will not take to others who can.
///
/// # References
/// kernel/signal.c:retarget_shared_pending
pub(crate) fn retarget_shared_pending(w: &mut World, thread: TaskId, which: SigSet) {
    let mut retarget = w.process(thread).shared_pending.set().and(which);
    for other in w.thread_list(thread) {
        if retarget.is_empty() {
            return;
        }
        let task = w.task(other);
        if other == thread || !task.is_alive() || retarget.without(task.blocked).is_empty() {
            continue;
        }
        retarget = retarget.and(task.blocked);
        if !task.has(TaskFlags::SIGPENDING) {
            signal_wake_up(w, other, false);
        }
    }
}
