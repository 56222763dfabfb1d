//! Wrong turns where a process leaves children behind.

use pidlab_scenario::Signal;

use crate::Misconception;
use crate::objects::ids::{NsId, TaskId};
use crate::objects::signal_struct::SignalFlags;
use crate::objects::sigpending::To;
use crate::objects::task::ExitState;
use crate::signal::info::Info;
use crate::signal::send::send_signal;
use crate::world::World;

/// The children of a task are about to be handed on.
#[inline]
pub(crate) fn leave_behind(w: &mut World, father: TaskId) {
    if let Some(misconception) = w.misconception {
        leave_wrongly(w, misconception, father);
    }
}

#[cold]
fn leave_wrongly(w: &mut World, misconception: Misconception, father: TaskId) {
    if alive_thread(w, father).is_some() {
        return;
    }
    let children: Vec<TaskId> = w.children(father).collect();
    match misconception {
        Misconception::DescendantsGoToInit => all_descendants(w, father),
        Misconception::ChildrenDieWithParent => {
            for child in children {
                send_signal(w, Signal::KILL, &mut Info::Current, child, To::Process);
            }
        }
        Misconception::InitReapsByItself => {
            for child in children {
                w.process_mut(child).flags.insert(SignalFlags::AUTOREAP);
            }
        }
        _ => {}
    }
}

/// Puts all descendants into the list of children of one, as far as its namespace reaches.
fn all_descendants(w: &mut World, father: TaskId) {
    let ns = w.active_ns(father);
    let mut at = w.task(father).first_child;
    while let Some(child) = at {
        if w.active_ns(child) == ns {
            for thread in w.thread_list(child) {
                append_children(w, thread, father);
            }
        }
        at = w.task(child).next_sibling;
    }
}

/// Appends the list of one parent to another's; whose children they are is for the caller to say.
fn append_children(w: &mut World, from: TaskId, to: TaskId) {
    let task = w.task_mut(from);
    let (Some(first), Some(last)) = (task.first_child.take(), task.last_child.take()) else { return };
    let tail = w.task_mut(to).last_child.replace(last).expect("it has the parent of these among its children");
    w.task_mut(first).prev_sibling = Some(tail);
    w.task_mut(tail).next_sibling = Some(first);
}

/// Who adopts the children of a task, where that is decided wrongly.
#[inline]
pub(crate) fn adopter(w: &World, father: TaskId) -> Option<TaskId> {
    let misconception = w.misconception?;
    wrong_adopter(w, misconception, father)
}

#[cold]
fn wrong_adopter(w: &World, misconception: Misconception, father: TaskId) -> Option<TaskId> {
    match misconception {
        Misconception::OrphansGoToGrandparent => alive_thread(w, w.task(father).real_parent?),
        Misconception::MembersOutliveInit
        | Misconception::InitTakesOnlyItsChildren
        | Misconception::NestedNamespacesSurvive
        | Misconception::InitDoesNotWait => {
            let own = w.active_ns(father);
            let ended = |reaper: TaskId| reaper == father || w.task(reaper).exit_state != ExitState::None;
            if w.ns(own).reaper().is_some_and(|reaper| !ended(reaper)) {
                return None;
            }
            reaper_around(w, own)
        }
        _ => None,
    }
}

/// The init of the nearest ancestor of a namespace that has one which has not ended.
fn reaper_around(w: &World, ns: NsId) -> Option<TaskId> {
    let around = std::iter::successors(w.ns(ns).parent, |ns| w.ns(*ns).parent);
    let mut reapers = around.filter_map(|ns| w.ns(ns).reaper());
    reapers.find(|reaper| w.task(*reaper).exit_state == ExitState::None)
}

/// The first thread of a task's process that has not begun to exit.
fn alive_thread(w: &World, task: TaskId) -> Option<TaskId> {
    w.threads_of(w.task(task).signal).find(|thread| w.task(*thread).is_alive())
}
