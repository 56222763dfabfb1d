//! A file that leads to a namespace, or a mount of it.

use pidlab_scenario::NamespaceTypes;

use super::ids::{NsId, UserNsId};

/// The namespace that a file is of (`struct ns_common`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum NsFile {
    Pid(NsId),
    User(UserNsId),
}

impl NsFile {
    /// What setns(2) may be told that it is.
    pub(crate) fn nstype(self) -> NamespaceTypes {
        match self {
            NsFile::Pid(_) => NamespaceTypes::CLONE_NEWPID,
            NsFile::User(_) => NamespaceTypes::CLONE_NEWUSER,
        }
    }
}
