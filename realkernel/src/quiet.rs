//! When is the world quiet? Proven, not awaited.
//!
//! The conductor and every process of a scenario are bound to one CPU. A *pass* looks at all of them, one after another. If the
//! conductor's own count of context switches is the same before and after the pass, then the CPU was the conductor's all the
//! while, so no process of the scenario ran during the pass: what the pass saw stood still, and it is a snapshot of one moment.
//! (And nobody held the lock of the process tree then: the pass begins with a call that takes it.)
//!
//! The moment is quiet if nobody in it can go on without the conductor. Each process must be in one of these states:
//!
//! - asleep in its command loop, its last command done;
//! - asleep inside a call that may block (wait4, waitid, vfork), which only another process can end;
//! - stopped, which only a signal ends, or held by a tracer, which that ends, a signal, or its own end;
//! - a zombie, or released, with its number free again or held as the group or session of another process;
//! - an init on its way out, asleep (as only `zap_pid_ns_processes` and the wait in it let it be), with a *reason*: a member of its
//!   namespace (or of one below) that is not released, or a process outside that has a released member's number as its group or
//!   session. Both are held by processes, and these are quiet themselves.
//!
//! Everything else (runnable, on its way out, a command not yet taken) means: let others run, and look again.
//!
//! # Traps
//!
//! Each of these was fallen into, or is only a preemption away.
//!
//! - *Asleep is not what `S` says.* A task sets its state to sleeping, does the last of its work, and only then gives up the CPU.
//!   wait4(2) reaps a child in that state; a task that stops tells its parent in it. When such a task is switched off in
//!   between, procfs shows `S` or `T` for a task that will go on. So the state counts only together with a place in
//!   `/proc/PID/wchan`, which is empty while the task is on a run queue. A sleeper on no queue has to be woken, and waking makes
//!   it runnable before the call that woke it (kill(2), the end of a child) returns.
//! - *Three ways to look, one proof.* Where a program in the kernel looks ([`crate::bpf`]), a pass is one call; where calls do ([`crate::lean`]), the place in `wchan` says the state,
//!   too. All of this holds for them.
//! - *Not every kernel says where.* What it says of a process that surely sleeps is asked first ([`crate::asleep::Witness`]).
//! - *Released is not finished.* A task that reaps itself vanishes from procfs before its number is free and the init that waits
//!   for that number is woken. While it is on that way nothing shows it, except its number: `F_SETOWN` still finds it.
//!   A zombie that its father will release on this way is in state `X`, which is not `Z`.
//! - *An exiting init without a reason* will become a zombie, however long it takes; with one it cannot. It sleeps in state `S`, or
//!   in `I` where its sleep may be frozen (kernel/pid_namespace.c, 2026).
//! - *Yielding is a wish.* sched_yield(2) may come back at once while others want to run, above all in a virtual machine. Who
//!   naps gives the CPU away for certain.
//!
//! - *Not everybody may look at an exiting init.* With its memory it has lost who had the say over it, and if that memory was closed, only
//!   the machine's root is told where it sleeps. In a user namespace such a run is given up as one for which the place lacks something.
//!
//! No nap and no time-out decides anything. A last guard ends a run that never becomes quiet with an error.

use std::collections::BTreeMap;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use pidlab_scenario::{Role, State};

use crate::agent::Operation;
use crate::asleep::hand_over;
use crate::needs;
use crate::process::Process;
use crate::processes::Processes;
use crate::sys::arena;
use crate::sys::{os, raw};
use crate::trouble::Trouble;

/// How long a run may be restless before it is given up as an error, in milliseconds: long, until it is known how fast this machine is.
static GUARD: AtomicU64 = AtomicU64::new(60_000);

/// As many passes there must have been by then: a machine that hardly lets the conductor run is slow, and not restless.
const PASSES: u32 = 4096;

/// Says how long this machine takes to make and reap a process.
pub(crate) fn one_life_takes(time: Duration) {
    const LIVES: u128 = 1000;
    const AT_LEAST: u128 = 2000;
    let guard = (time.as_millis() * LIVES).max(AT_LEAST);
    GUARD.store(u64::try_from(guard).unwrap_or(u64::MAX), Ordering::Relaxed);
}

/// Whether a run that is restless since then, for so many passes, is to be given up.
fn is_too_long(since: Instant, passes: u32) -> bool {
    passes > PASSES && since.elapsed() > Duration::from_millis(GUARD.load(Ordering::Relaxed))
}

/// How long an agent is waited for before anybody is looked at, in nanoseconds. It only saves looks, and decides nothing: a call
/// that blocks, or that its caller does not survive, is never done. Waiting is better than yielding, which the scheduler may
/// answer with the same process again.
const HEAD_START: i64 = 50_000;

/// The same for an exit. A look too early is more than useless there: who reads another's `stat` holds its memory for a moment
/// (fs/proc/array.c:do_task_stat), and a process that ends meanwhile takes that for somebody with whom it shares it, and writes a 0 for CLONE_CHILD_CLEARTID
/// (kernel/fork.c:mm_release). Seen in a guest whose CPU is a program.
const FOR_AN_EXIT: i64 = 1_000_000;

/// The same for a clone that is no vfork: who makes a process lives to say so. A time beyond the next tick of the scheduler costs nothing,
/// where an earlier one makes the kernel set the CPU's timer and set it back, each an exit of a virtual machine.
const FOR_A_CLONE: i64 = 20_000_000;

/// Lets the world run until it is quiet, and says what each process is doing then. `actor` is the likeliest to be restless
/// still, and then `maker`, if that is another; `may_block` tells whose call may block, and in which state procfs shows it then.
///
/// # Errors
/// What was not quiet after a very long time, or that it cannot be seen here.
pub(crate) fn settle(
    processes: &mut Processes,
    [actor, maker]: [Role; 2],
    may_block: impl Fn(Role) -> Option<u8>,
) -> Result<BTreeMap<Role, State>, Trouble> {
    let mut started = None;
    for pass in 0u32.. {
        if pass == 0 {
            soon_done(processes, actor);
        } else {
            hand_over(pass);
        }
        let before = os::context_switches();
        os::tree_barrier();
        let restless = match look(processes, [actor, maker], &may_block) {
            Ok(states) if os::context_switches() == before => return Ok(states),
            Ok(_) => "the CPU is never the conductor's for as long as a look takes".to_owned(),
            Err(restless) => restless,
        };
        if pass % 1024 == 1023 && processes.iter().any(Process::is_hidden) {
            return Err(needs::the_machines_root().into());
        }
        if pass % 256 == 255 && is_too_long(*started.get_or_insert_with(Instant::now), pass) {
            return Err(format!("the world did not become quiet: {restless}").into());
        }
    }
    unreachable!("the guard ends the passes long before they are counted out")
}

/// Lets others run until something is so.
///
/// # Errors
/// `what`, if it is not so after a very long time.
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) -> Result<(), String> {
    let started = Instant::now();
    for pass in 0u32.. {
        if is_so() {
            return Ok(());
        }
        if is_too_long(started, pass) {
            break;
        }
        hand_over(pass);
    }
    Err(what.to_owned())
}

/// Gives an agent some time, and says whether it has done its last command. With real-time priorities it has had all that it can use.
pub(crate) fn soon_done(processes: &Processes, role: Role) -> bool {
    let Some(process) = processes.get(role) else { return false };
    if processes.real_time {
        return is_done(role);
    }
    let slot = arena::slot(process.role.index());
    let done = slot.done.load(Ordering::Acquire);
    if done == slot.command.load(Ordering::Acquire) {
        os::yield_cpu();
    } else {
        let ends = [Operation::Exit, Operation::ExitThread].map(Operation::number);
        match &process.pidfd {
            Some(pidfd) if ends.contains(&slot.operation.load(Ordering::Relaxed)) => {
                // A failure, like a time-out, only means that the looks begin early.
                let _ = os::poll_shortly(pidfd.as_fd(), FOR_AN_EXIT);
            }
            _ => {
                let is_clone = slot.operation.load(Ordering::Relaxed) == Operation::Clone.number();
                raw::futex_wait_at_most(&slot.done, done, if is_clone { FOR_A_CLONE } else { HEAD_START });
            }
        }
    }
    is_done(role)
}

/// Whether an agent has done its last command.
pub(crate) fn is_done(role: Role) -> bool {
    let slot = arena::slot(role.index());
    slot.done.load(Ordering::Acquire) == slot.command.load(Ordering::Acquire)
}

/// One pass; the error says who was not settled.
fn look(
    processes: &mut Processes,
    first: [Role; 2],
    may_block: impl Fn(Role) -> Option<u8>,
) -> Result<BTreeMap<Role, State>, String> {
    let mut states = BTreeMap::new();
    processes.look_at_all();
    // The likeliest to be restless still come first: then the others need not be looked at.
    for process in processes.alive_mut(first) {
        if process.look() {
            let state = settled(process, &may_block)?;
            states.insert(process.role, state);
        }
    }
    for (role, state) in &states {
        if *state == State::Exiting && !processes.get(*role).is_some_and(|init| has_reason(init, processes)) {
            return Err(format!("role {} was on its way out with nothing to wait for", role.0));
        }
    }
    match processes.half_released() {
        Some(role) => Err(format!("role {} was gone, and its number not free", role.0)),
        None => Ok(as_processes(states, processes)),
    }
}

/// An init's last thread is the one that waits for the members of its namespace. Which one is the last is open where several end
/// at once, so what it does is said of the process: the role that stands for it is on its way out, and the thread has ended.
fn as_processes(mut states: BTreeMap<Role, State>, processes: &Processes) -> BTreeMap<Role, State> {
    let exiting = |process: &&Process| states.get(&process.role) == Some(&State::Exiting);
    let last: Vec<(Role, Role)> =
        processes.iter().filter(exiting).filter_map(|process| Some((process.role, process.thread_of?))).collect();
    for (thread, leader) in last {
        states.remove(&thread);
        states.insert(leader, State::Exiting);
    }
    states
}

/// What a process is doing, if it needs somebody else to go on from there. Whether an exiting init has a reason is still to be
/// seen.
fn settled(process: &Process, may_block: impl Fn(Role) -> Option<u8>) -> Result<State, String> {
    let restless = || in_words(process);
    let state = by_state_letter(process, may_block).ok_or_else(restless)?;
    if state == State::Zombie {
        return Ok(state);
    }
    if process.is_asleep() { Ok(state) } else { Err(restless()) }
}

/// What keeps a process from being quiet, for who asks why a run was given up.
fn in_words(process: &Process) -> String {
    let who = format!("process {} (its name is the {}. of the scenario)", process.number, process.role.0 + 1);
    let state = char::from(process.seen.state);
    let asleep = process.no_sign_of_sleep();
    match process.seen.state {
        b'S' | b'D' | b'T' | b'I' => format!("{who} was in state {state}, with {asleep}, or its call was not to block"),
        _ => format!("{who} was in state {state}"),
    }
}

/// What a process seems to be doing; nothing if it is going on.
fn by_state_letter(process: &Process, may_block: impl Fn(Role) -> Option<u8>) -> Option<State> {
    match process.seen.state {
        // Only a leader waits to be waited for.
        b'Z' if process.thread_of.is_none() => Some(State::Zombie),
        b'S' | b'I' if process.seen.exiting => Some(State::Exiting),
        b'T' => Some(State::Stopped),
        b't' => Some(State::Traced),
        b'S' if is_done(process.role) => Some(State::Running),
        letter if may_block(process.role) == Some(letter) => {
            let slot = arena::slot(process.role.index());
            let taken = slot.taken.load(Ordering::Acquire) == slot.command.load(Ordering::Acquire);
            taken.then_some(State::Blocked)
        }
        _ => None,
    }
}

/// Whether anything keeps this init from becoming a zombie.
fn has_reason(init: &Process, processes: &Processes) -> bool {
    let namespace = init.namespace();
    let is_other = |process: &Process| process.leader() != init.leader();
    let member_numbers: Vec<i32> = processes
        .iter()
        .filter(|process| is_other(process) && process.is_within(namespace))
        .map(|process| process.number)
        .collect();
    processes.iter().filter(|process| !process.gone && is_other(process)).any(|process| {
        process.is_within(namespace)
            || member_numbers.contains(&process.seen.group)
            || member_numbers.contains(&process.seen.session)
    })
}
