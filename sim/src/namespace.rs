//! A PID namespace, as the model keeps it (kernel: `struct pid_namespace`).

use pidlab_scenario::Signal;

use crate::ids::IdTable;
use crate::user::UserNsId;
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
    /// Its first fork failed late: nobody has been born in it, and nobody will be.
    Stillborn,
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
    /// What its init's end is reported as, once reboot(2) was called in it.
    pub(crate) reboot: Option<Signal>,
    /// The user namespace that owns it, for ever (kernel: `user_ns`).
    pub(crate) owner: UserNsId,
    /// The user for whom it is counted there.
    pub(crate) counted_for: u32,
    /// Never reused, unlike the id.
    pub(crate) serial: u64,
}

/// A number, and how it was found.
#[derive(Clone, Copy)]
pub(crate) struct Found {
    pub(crate) number: u32,
    /// Where the search began.
    pub(crate) start: u32,
    /// The floor from which it began again, if it did.
    pub(crate) wrapped: Option<u32>,
}

impl Namespace {
    /// Takes the lowest free number from the cursor on, else from the floor: 1, or `restart` once the cursor has passed the
    /// reserved numbers.
    ///
    /// # References
    /// kernel/pid.c:alloc_pid; lib/idr.c:idr_alloc_cyclic
    #[inline]
    pub(crate) fn take_next(&mut self, restart: u32, holder: ProcessId) -> Option<Found> {
        let floor = if self.cursor > RESERVED_PIDS { restart } else { 1 };
        let start = self.cursor.max(floor);
        let last = self.pid_max - 1;
        let (number, wrapped) = match self.ids.insert_first(start, last, holder) {
            Some(number) => (number, None),
            None if start > floor => (self.ids.insert_first(floor, last, holder)?, Some(floor)),
            None => return None,
        };
        self.cursor = number + 1;
        self.allocated += 1;
        Some(Found { number, start, wrapped })
    }

    /// Takes this free number, which moves no cursor.
    pub(crate) fn take(&mut self, number: u32, holder: ProcessId) {
        self.ids.insert(number, holder);
        self.allocated += 1;
    }

    /// Gives a number back.
    #[inline]
    pub(crate) fn give_back(&mut self, number: u32) {
        self.ids.remove(number);
        self.allocated -= 1;
    }

    /// Whether no number is left that [`Namespace::take_next`] could take.
    pub(crate) fn is_exhausted(&self, restart: u32) -> bool {
        let floor = if self.cursor > RESERVED_PIDS { restart } else { 1 };
        self.ids.first_free(floor, self.pid_max - 1).is_none()
    }

    /// The init, alive or on its way out; `None` before it is born and after it has ended.
    pub(crate) fn reaper(&self) -> Option<ProcessId> {
        match self.phase {
            Phase::Open(init) | Phase::Closing(init) => Some(init),
            Phase::Empty | Phase::Stillborn | Phase::Dead => None,
        }
    }

    /// Whether nobody has ever been born in it.
    pub(crate) fn is_unpeopled(&self) -> bool {
        matches!(self.phase, Phase::Empty | Phase::Stillborn)
    }

    /// Whether a fork into it can succeed.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Empty | Phase::Open(_))
    }
}
