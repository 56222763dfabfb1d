//! Wrong turns of kill(2): who is meant, and what comes of it.

use pidlab_scenario::{Errno, Signal};

use crate::Misconception;
use crate::exit::release::release_task;
use crate::objects::ids::{NsId, TaskId};
use crate::objects::task::ExitState;
use crate::pid::find_task_by_pid_ns;
use crate::signal::notify::wake_up_parent;
use crate::tracing;
use crate::world::World;

/// Whom a call means, after it was found who is.
#[inline]
pub(crate) fn aim(w: &World, caller: TaskId, pid: i32, targets: &mut Vec<TaskId>) {
    if let Some(misconception) = w.misconception {
        aim_wrongly(w, misconception, caller, pid, targets);
    }
}

#[cold]
fn aim_wrongly(w: &World, misconception: Misconception, caller: TaskId, pid: i32, targets: &mut Vec<TaskId>) {
    let own = w.active_ns(caller);
    match misconception {
        Misconception::KillAllKillsTheCaller if pid == -1 => targets.push(w.group_leader(caller)),
        Misconception::KillAllReachesOutside if pid == -1 => {
            *targets = w.processes().filter(|process| !w.same_thread_group(*process, caller)).collect();
        }
        Misconception::PidsAreGlobal if pid > 0 => {
            *targets = find_task_by_pid_ns(w, NsId::OUTERMOST, pid).into_iter().collect();
        }
        Misconception::OutsideCannotSignalInside if pid > 0 => targets.retain(|target| w.active_ns(*target) == own),
        Misconception::GroupsEndAtTheBorder if pid < -1 || pid == 0 => {
            targets.retain(|target| w.active_ns(*target) == own);
        }
        _ => {}
    }
}

/// What a call fails with that does not.
///
/// # Errors
/// `EPERM`.
#[inline]
pub(crate) fn refuse(w: &World, caller: TaskId, pid: i32, target: TaskId, signal: Option<Signal>) -> Result<(), Errno> {
    if !w.believes(Misconception::DroppedSignalsAreErrors) || pid <= 0 {
        return Ok(());
    }
    let from_above = w.active_ns(target) != w.active_ns(caller);
    let dropped = signal.is_some_and(|signal| w.sighand(target).is_default(signal) && signal != Signal::CHLD);
    if w.is_unkillable(target) && dropped && !from_above { Err(Errno::EPERM) } else { Ok(()) }
}

/// Whether a signal takes a zombie away.
#[inline]
pub(crate) fn removes(w: &mut World, target: TaskId, signal: Signal) -> bool {
    w.believes(Misconception::KillRemovesZombies) && signal == Signal::KILL && remove(w, target)
}

#[cold]
fn remove(w: &mut World, target: TaskId) -> bool {
    let leader = w.group_leader(target);
    if w.task(leader).exit_state != ExitState::Zombie || !w.thread_group_empty(leader) || tracing::is_traced(w, leader)
    {
        return false;
    }
    w.because(&crate::rule::EXIT_ZOMBIE_IS_ADDRESSABLE, leader);
    if let Some(parent) = w.task(leader).real_parent {
        wake_up_parent(w, leader, parent);
    }
    w.task_mut(leader).exit_state = ExitState::Dead;
    release_task(w, leader);
    true
}
