//! Names that come from outside, and whether they still stand for somebody.
//!
//! Inside the model a name always does. Whoever uses a world may keep one of a task that is released by now, or take one from another
//! world. No slot gives the same name twice (`storage::arena`), so such a name is never mistaken for a stranger's.

use crate::objects::ids::{NsId, TaskId};
use crate::objects::pid_namespace::PidNamespace;
use crate::world::World;

impl World {
    /// Whether this is the name of a task that is not released: what is in its slot bears numbers that say so.
    #[inline(always)]
    pub(crate) fn is_there(&self, task: TaskId) -> bool {
        self.tasks.in_slot_of(task).is_some_and(|record| self.pids[record.thread_pid].task == Some(task))
    }

    /// A task that somebody outside has named.
    #[track_caller]
    #[inline]
    pub(crate) fn named(&self, task: TaskId) -> TaskId {
        assert!(self.is_there(task), "{task:?} is released, or of another world");
        task
    }

    /// The same of one that may be gone.
    pub(crate) fn there(&self, task: Option<TaskId>) -> Option<TaskId> {
        task.filter(|task| self.is_there(*task))
    }

    /// A namespace that somebody outside has named.
    #[track_caller]
    pub(crate) fn named_ns(&self, ns: NsId) -> &PidNamespace {
        self.existing(ns).unwrap_or_else(|| panic!("{ns:?} is gone, or of another world"))
    }

    /// The namespace of this name; `None` once it is gone.
    pub(crate) fn existing(&self, ns: NsId) -> Option<&PidNamespace> {
        self.namespaces.in_slot_of(ns).filter(|namespace| namespace.count > 0 && namespace.id == ns)
    }
}
