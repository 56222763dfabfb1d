//! Wrong turns where the init of a namespace ends.

use pidlab_scenario::Signal;

use crate::objects::ids::{NsId, TaskId};
use crate::objects::sigpending::To;
use crate::objects::task::ExitState;
use crate::signal::info::Info;
use crate::signal::send::send_signal;
use crate::world::World;
use crate::{Misconception, rule};

/// Whether an init that exits leaves its namespace alone, but for its own children perhaps. The outermost one never does.
#[inline]
pub(crate) fn leaves_alone(w: &mut World, reaper: TaskId) -> bool {
    w.misconception.is_some_and(|misconception| leaves_wrongly(w, misconception, reaper))
}

#[cold]
fn leaves_wrongly(w: &mut World, misconception: Misconception, reaper: TaskId) -> bool {
    let ns = w.active_ns(reaper);
    let lives = w.threads_of(w.task(reaper).signal).any(|thread| w.task(thread).is_alive());
    if lives || w.ns(ns).parent.is_none() {
        return false;
    }
    match misconception {
        Misconception::MembersOutliveInit => {}
        Misconception::InitTakesOnlyItsChildren => {
            let children: Vec<TaskId> = w.thread_list(reaper).into_iter().flat_map(|one| w.children(one)).collect();
            for child in children {
                send_signal(w, Signal::KILL, &mut Info::Priv, child, To::Process);
            }
        }
        _ => return false,
    }
    w.because(&rule::ZAP_TRIGGER, reaper);
    true
}

/// Whether the end of a namespace spares a member.
#[inline]
pub(crate) fn spares(w: &World, ns: NsId, member: TaskId) -> bool {
    w.believes(Misconception::NestedNamespacesSurvive) && w.active_ns(member) != ns
}

/// Whether an init ends although others have numbers in its namespace.
#[inline]
pub(crate) fn does_not_wait(w: &World, reaper: TaskId) -> bool {
    w.misconception.is_some_and(|misconception| waits_for_too_few(w, misconception, reaper))
}

#[cold]
fn waits_for_too_few(w: &World, misconception: Misconception, reaper: TaskId) -> bool {
    let ns = w.active_ns(reaper);
    let others = w.ns(ns).idr.holders(0).filter_map(|(_, pid)| w.pids[pid].task);
    let mut others = others.filter(|other| !w.same_thread_group(*other, reaper));
    match misconception {
        Misconception::NestedNamespacesSurvive => others.all(|other| w.active_ns(other) != ns),
        // For those that it can wait for it does: whose parents are inside.
        Misconception::InitDoesNotWait => others.all(|other| {
            let parent = w.task(w.group_leader(other)).real_parent;
            let outside = parent.is_some_and(|parent| crate::pid::task_pid_nr_ns(w, parent, ns).is_none());
            outside || w.task(other).exit_state == ExitState::Dead
        }),
        _ => false,
    }
}
