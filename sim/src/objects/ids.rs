//! The names of objects, by which they refer to one another. In the kernel these are pointers.

use crate::storage::arena::id;

id! {
    /// A PID namespace of a [`World`](crate::World), for as long as something keeps it in existence.
    pub NsId
}

impl NsId {
    /// The outermost namespace of a world.
    pub const OUTERMOST: NsId = NsId::FIRST;
}

id! {
    /// A `struct pid`.
    pub(crate) PidId
}

id! {
    /// A task of a [`World`](crate::World): a thread, from its birth until it is released. Not a number: those belong to
    /// namespaces. The first thread of a process stands for the process.
    #[doc(alias = "task_struct")]
    pub TaskId
}

id! {
    /// A process: what its threads share.
    pub(crate) SignalId
}

id! {
    /// A table of signal actions.
    pub(crate) SighandId
}

impl SighandId {
    /// The table of those who have nothing set and share with nobody.
    pub(crate) const DEFAULT: SighandId = SighandId::FIRST;
}

/// A memory that processes share (`struct mm_struct`), by the order in which they began to be shared.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct MmId(pub(crate) std::num::NonZeroU32);

/// A user namespace, by the order in which they are made.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct UserNsId(pub(crate) u32);

impl UserNsId {
    pub(crate) const OUTERMOST: UserNsId = UserNsId(0);
}

/// Which credentials: an index into the list of those that a world has met.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct CredId(pub(crate) u32);

impl CredId {
    /// Root of the outermost user namespace, with all capabilities.
    pub(crate) const ROOT: CredId = CredId(0);
}
