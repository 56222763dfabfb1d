//! Who is told of a message.

use pidlab_scenario::Signal;

use super::ids::TaskId;

/// In a message queue (`struct mqueue_inode_info`: `notify_owner`, `notify`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Notify {
    /// The first thread of the process. In the kernel it is that one's `struct pid`, which another thread takes over if it calls exec.
    pub(crate) owner: TaskId,
    /// What it gets.
    pub(crate) signal: Signal,
}
