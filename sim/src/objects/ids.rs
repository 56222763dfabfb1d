//! The names of objects, by which they refer to one another. In the kernel these are pointers.

use crate::storage::arena::id;

id! {
    /// A PID namespace of a [`World`](crate::World), for as long as something keeps it in existence. No other namespace of this world
    /// ever has the same name.
    pub NsId, 9
}

impl NsId {
    /// The outermost namespace of a world.
    pub const OUTERMOST: NsId = NsId::FIRST;
}

id! {
    /// A `struct pid`.
    pub(crate) PidId, 0
}

id! {
    /// A task of a [`World`](crate::World): a thread, from its birth until it is released. Not a number: those belong to
    /// namespaces. The first thread of a process stands for the process.
    ///
    /// No other task of this world ever has the same name: that of one who is released is nobody's, for good.
    ///
    /// ```
    /// use pidlab_scenario::WaitOptions;
    /// use pidlab_sim::World;
    ///
    /// let mut world = World::new();
    /// let host = world.host();
    /// let first = world.fork(host)?;
    /// world.exit(first, 0);
    /// world.wait4(host, -1, WaitOptions::empty())?;
    /// let second = world.fork(host)?;
    /// assert_ne!(first, second);
    /// assert_eq!(world.state(first), None);
    /// # Ok::<(), pidlab_scenario::Errno>(())
    /// ```
    #[doc(alias = "task_struct")]
    pub TaskId, 9
}

id! {
    /// A process: what its threads share.
    pub(crate) SignalId, 0
}

id! {
    /// A table of signal actions.
    pub(crate) SighandId, 0
}

impl SighandId {
    /// The table of those who have nothing set and share with nobody.
    pub(crate) const DEFAULT: SighandId = SighandId::FIRST;
}

/// A memory that processes share (`struct mm_struct`), by the order in which they began to be shared.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct MmId(pub(crate) std::num::NonZeroU32);

/// Filesystem information that tasks share (`struct fs_struct`), by the order in which it began to be shared.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct FsId(pub(crate) std::num::NonZeroU32);

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
