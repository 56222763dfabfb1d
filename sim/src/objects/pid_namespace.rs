//! A PID namespace: the numbers taken in it, who adopts its orphans, and the namespace around it.
//!
//! ```text
//!   level 0   ┌ 1  2  3  4 ┐     numbers 2 to 4 here
//!   level 1   │    └ 1  2 ┘│     are numbers 1 and 2 there
//! ```
//!
//! Its life is the life of one task, its *child reaper*: the first task born in it, with number 1. Until then the namespace is
//! there (unshare(2) made it) and has nobody. When the child reaper exits, numbers stop being given out for good
//! (`PIDNS_ADDING` is cleared), everybody inside is killed, and what is left is a namespace that somebody may still point to.
//!
//! In the kernel: `struct pid_namespace`, include/linux/pid_namespace.h.

use pidlab_scenario::Signal;

use super::ids::{NsId, TaskId, UserNsId};
use crate::storage::arena::Slot;
use crate::storage::idr::Idr;
use crate::storage::unseen::Unseen;

/// The largest value that `pid_max` can have (include/linux/threads.h, `PID_MAX_LIMIT`).
pub(crate) const PID_MAX_LIMIT: u32 = 4_194_304;
/// Below this number nothing is given out again once the cursor has passed it (kernel/pid.c, `RESERVED_PIDS`).
pub(crate) const RESERVED_PIDS: u32 = 300;
/// How deep namespaces nest: the deepest level (include/linux/pid_namespace.h, `MAX_PID_NS_LEVEL`).
pub(crate) const MAX_PID_NS_LEVEL: u32 = 32;

/// Who adopts the orphans of a namespace.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum ChildReaper {
    /// Nobody has been born here.
    Unborn,
    /// This task; also while it exits.
    Task(TaskId),
    /// It is reaped. The kernel leaves a pointer that nobody follows any more.
    Gone,
}

/// A PID namespace.
#[derive(PartialEq, Eq, Hash, Debug)]
pub(crate) struct PidNamespace {
    /// Its name in the world: who still has that of another that was in the same slot is told so.
    pub(crate) id: NsId,
    /// The namespace around it; `None` for the outermost of a world.
    pub(crate) parent: Option<NsId>,
    /// How deep it is; the outermost of a world has 0.
    pub(crate) level: u32,
    pub(crate) child_reaper: ChildReaper,
    /// Whether numbers are still given out here (`PIDNS_ADDING`).
    pub(crate) adding: bool,
    /// How many numbers are taken.
    pub(crate) pid_allocated: u32,
    /// Which are; follows from the `struct pid`s.
    pub(crate) idr: Unseen<Idr>,
    /// The number that is tried next (`idr_get_cursor`).
    pub(crate) cursor: u32,
    /// No number reaches it.
    pub(crate) pid_max: u32,
    /// What the end of its child reaper is reported as, once reboot(2) was called here.
    pub(crate) reboot: Option<Signal>,
    /// The user namespace that owns it, for ever.
    pub(crate) user_ns: UserNsId,
    /// For whom it is counted there (`ucounts`).
    pub(crate) ucounts: u32,
    /// What keeps it in existence: numbers in it, tasks whose children are born in it, namespaces in it, whoever keeps it open
    /// (`ns.count`). With 0 the slot is free.
    pub(crate) count: u32,
    /// How many namespaces were made before it.
    pub(crate) serial: u64,
}

impl PidNamespace {
    /// The task that adopts its orphans.
    #[inline]
    pub(crate) fn reaper(&self) -> Option<TaskId> {
        match self.child_reaper {
            ChildReaper::Task(task) => Some(task),
            ChildReaper::Unborn | ChildReaper::Gone => None,
        }
    }

    /// Whether nobody has ever been born in it.
    #[inline]
    pub(crate) fn is_unborn(&self) -> bool {
        self.child_reaper == ChildReaper::Unborn
    }
}

impl Slot for PidNamespace {
    const VACANT: PidNamespace = PidNamespace {
        id: NsId::OUTERMOST,
        parent: None,
        level: 0,
        child_reaper: ChildReaper::Unborn,
        adding: false,
        pid_allocated: 0,
        idr: Unseen(Idr::EMPTY),
        cursor: 0,
        pid_max: 0,
        reboot: None,
        user_ns: UserNsId::OUTERMOST,
        ucounts: 0,
        count: 0,
        serial: 0,
    };
}
