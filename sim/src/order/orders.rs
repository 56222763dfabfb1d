//! One order: first come, first served, and who has the CPU keeps it as long as it has something to do.

use super::turn;
use crate::objects::ids::TaskId;
use crate::objects::task::TaskFlags;
use crate::world::World;

/// Lets everything happen that is about to.
#[inline]
pub(crate) fn settle(w: &mut World) {
    while let Some(next) = w.run_queue.pop_front() {
        turn::take(w, next);
    }
    w.current.0 = None;
}

/// Puts a task at the head of the run queue.
pub(crate) fn put_first(w: &mut World, task: TaskId) {
    if w.task(task).has(TaskFlags::ON_RQ) {
        w.run_queue.retain(|other| *other != task);
    }
    w.task_mut(task).flags.insert(TaskFlags::ON_RQ);
    w.run_queue.push_front(task);
}

/// Gives this task the next turn, wherever it is on the run queue.
pub(crate) fn choose(w: &mut World, task: TaskId) {
    w.run_queue.retain(|other| *other != task);
    turn::take(w, task);
}
