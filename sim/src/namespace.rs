//! A PID namespace, as the model keeps it (kernel: `struct pid_namespace`).

use crate::ids::IdTable;
use crate::{NsId, ProcessId};

/// The largest value that `pid_max` can have, and the one that a new namespace starts with.
pub(crate) const PID_MAX_LIMIT: u32 = 4_194_304;
/// Below this number nothing is given out again once the cursor has passed it (kernel: `RESERVED_PIDS`).
pub(crate) const RESERVED_PIDS: u32 = 300;
/// How deep namespaces nest: the deepest level (kernel: `MAX_PID_NS_LEVEL`).
pub(crate) const MAX_LEVEL: u32 = 32;

/// The life of a namespace is the life of its init.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Phase {
    /// Made by unshare(2); nobody has been born in it.
    Empty,
    /// Its init lives and adopts its orphans.
    Open(ProcessId),
    /// Its init has ended and waits in `zap_pid_ns_processes`; no number is given out any more.
    Closing(ProcessId),
    /// Its init is a zombie or gone; no number is given out any more.
    Dead,
}

#[derive(Clone)]
pub(crate) struct Namespace {
    pub(crate) parent: Option<NsId>,
    /// Depth below the world's outermost namespace, which has 0.
    pub(crate) level: u32,
    pub(crate) phase: Phase,
    pub(crate) ids: IdTable,
    /// The number that is tried next (kernel: `idr_next`).
    pub(crate) cursor: u32,
    pub(crate) pid_max: u32,
    /// How many numbers are held (kernel: `pid_allocated`).
    pub(crate) allocated: u32,
    /// What keeps the namespace in existence: holders of a number here, tasks that will fork here, child namespaces.
    pub(crate) references: u32,
    /// Never reused, unlike the id.
    pub(crate) serial: u64,
}

impl Namespace {
    /// The init, alive or on its way out; `None` before it is born and after it has ended.
    pub(crate) fn reaper(&self) -> Option<ProcessId> {
        match self.phase {
            Phase::Open(init) | Phase::Closing(init) => Some(init),
            Phase::Empty | Phase::Dead => None,
        }
    }

    /// Whether a fork into it can succeed.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Empty | Phase::Open(_))
    }
}
