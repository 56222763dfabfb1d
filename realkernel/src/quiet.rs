//! When is the world quiet? Proven, not awaited.
//!
//! The conductor and every process of a scenario are bound to one CPU. A *pass* looks at all of them, one after another. If the
//! conductor's own count of context switches is the same before and after the pass, then the CPU was the conductor's all the
//! while, so no process of the scenario ran during the pass: what the pass saw stood still, and it is a snapshot of one moment.
//!
//! The moment is quiet if nobody in it can go on without the conductor. Each process must be in one of these states:
//!
//! - asleep in its command loop, its last command done;
//! - asleep inside a call that may block (wait4, waitid), which only another process can end;
//! - stopped, which only a signal ends;
//! - a zombie, or released;
//! - an init on its way out, asleep in `zap_pid_ns_processes` or in the wait that belongs to it, with a *reason*: a member of its
//!   namespace (or of one below) that is not released, or a process outside that has a released member's number as its group or
//!   session. Both are held by processes, and these are quiet themselves.
//!
//! Everything else (runnable, on its way out, a command not yet taken) means: let others run, and look again.
//!
//! Why asleep can be trusted: a signal that will act makes its receiver runnable before kill(2) returns, and so does the end of
//! what a waiter waits for. Without the reason an exiting init is never believed: the last member vanishes from procfs before
//! its number is free and init is woken, and the task that does this can be switched off the CPU in between, unseen. Then
//! there is no reason left to wait, and the next passes find init a zombie.
//!
//! What remains: a task that was released (it no longer shows anywhere) and has not yet given back its number. It shows only to
//! a clone that would get just this number, after the numbers have wrapped around.
//!
//! There is no sleep and no time-out that decides anything. A last guard ends a run that never becomes quiet with an error.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use pidlab_scenario::{Role, State};

use crate::processes::{Process, Processes};
use crate::sys::arena;
use crate::sys::os;

/// How long a run may be restless before it is given up as an error.
const GUARD: Duration = Duration::from_secs(20);

/// What a pass says of one process.
enum Look {
    Settled(State),
    /// An init on its way out: settled if it has a reason.
    Zapping,
    Restless,
}

/// Lets the world run until it is quiet, and says what each process is doing then. `may_block` tells whose call may.
///
/// # Errors
/// What was not quiet after a very long time.
pub(crate) fn settle(
    processes: &mut Processes,
    may_block: impl Fn(Role) -> bool,
) -> Result<BTreeMap<Role, State>, String> {
    let mut started = None;
    for pass in 0u64.. {
        os::yield_cpu();
        let before = os::context_switches();
        let looked = look(processes, &may_block);
        if let Ok(states) = looked {
            if os::context_switches() == before {
                return Ok(states);
            }
        } else if let Err(restless) = looked
            && pass % 256 == 255
            && started.get_or_insert_with(Instant::now).elapsed() > GUARD
        {
            return Err(restless);
        }
    }
    unreachable!("the passes are not counted out in a lifetime")
}

/// One pass; the error says who was not settled.
fn look(processes: &mut Processes, may_block: impl Fn(Role) -> bool) -> Result<BTreeMap<Role, State>, String> {
    let mut states = BTreeMap::new();
    let mut zapping = Vec::new();
    for process in processes.alive_mut() {
        if !process.look() {
            continue;
        }
        match classify(process, &may_block) {
            Look::Settled(state) => {
                states.insert(process.role, state);
            }
            Look::Zapping => {
                zapping.push(process.role);
                states.insert(process.role, State::Exiting);
            }
            Look::Restless => return Err(format!("role {} was {:?}", process.role.0, process.seen)),
        }
    }
    match zapping.into_iter().find(|init| !has_reason(*init, processes)) {
        Some(init) => Err(format!("role {} was exiting with nothing to wait for", init.0)),
        None => Ok(states),
    }
}

fn classify(process: &Process, may_block: impl Fn(Role) -> bool) -> Look {
    let seen = process.seen;
    match seen.state {
        b'Z' => Look::Settled(State::Zombie),
        b'S' | b'D' if seen.exiting => {
            let place = process.sleeps_in();
            let in_zap = ["zap_pid_ns_processes", "do_wait"].contains(&place.trim());
            if seen.state == b'S' && in_zap { Look::Zapping } else { Look::Restless }
        }
        b'T' => Look::Settled(State::Stopped),
        b'S' => {
            let slot = arena::slot(process.role.index());
            let command = slot.command.load(Ordering::Acquire);
            if slot.done.load(Ordering::Acquire) == command {
                Look::Settled(State::Running)
            } else if slot.taken.load(Ordering::Acquire) == command && may_block(process.role) {
                Look::Settled(State::Blocked)
            } else {
                Look::Restless
            }
        }
        _ => Look::Restless,
    }
}

/// Whether anything keeps this init from becoming a zombie.
fn has_reason(init: Role, processes: &Processes) -> bool {
    let Some(init) = processes.get(init) else { return false };
    let namespace = init.namespace();
    let member_numbers: Vec<i32> = processes
        .iter()
        .filter(|process| process.role != init.role && process.is_within(namespace))
        .map(|process| process.number)
        .collect();
    processes.iter().filter(|process| !process.gone && process.role != init.role).any(|process| {
        process.is_within(namespace)
            || member_numbers.contains(&process.seen.group)
            || member_numbers.contains(&process.seen.session)
    })
}
