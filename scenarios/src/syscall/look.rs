//! The ways of looking at others: one variant each, and what a step's `via` comes to.

use serde::{Deserialize, Serialize};

use super::who::{LookedAt, Pidfd};
use crate::{LookVia, Role};

/// How a process looks at others. Where procfs is read, it is one that the caller mounted itself.
///
/// Exhaustive on purpose: a machine that runs scenarios knows what each of them is, and the compiler says where a new one is missing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Look {
    /// `/proc/PID/status`; 0 is nobody's number.
    Status {
        /// Whoever has this number.
        pid: i32,
    },
    /// The numbers in the listing of `/proc`.
    Listing,
    /// `/proc/PID/task/PID/children`; 0 is nobody's number.
    Children {
        /// Of whoever has this number: a thread, or the first one of a process.
        pid: i32,
    },
    /// `/proc/self/fdinfo` of a pidfd.
    Fdinfo(Pidfd),
    /// The translation ioctls of the PID namespace of a process (ioctl_nsfs(2)).
    Translate(LookedAt),
    /// `NS_GET_PARENT` of that namespace.
    NsParent(LookedAt),
    /// The same, and whether it is the caller's own.
    NsParentFile(LookedAt),
    /// `NS_GET_USERNS` of that namespace, and whether it is the caller's own.
    NsOwner(LookedAt),
    /// `NS_GET_PARENT` of the user namespace of a process, and whether it is the caller's own.
    UserNsParent(LookedAt),
    /// A procfs of that namespace.
    TheirProcfs(LookedAt),
    /// Whether `/proc/PID/ns/pid` is the same file as the caller's own.
    NsFile(LookedAt),
    /// `SCM_CREDENTIALS` of a message that this process sends first.
    Credentials(Role),
    /// `SO_PEERCRED` of a socket that this process makes first.
    Peercred(Role),
    /// `F_GETOWN_EX` of a file that this process makes first.
    FileOwner(Role),
    /// `PIDFD_GET_INFO` of a pidfd.
    PidfdInfo(Pidfd),
    /// `PIDFD_GET_INFO` that asks for `PIDFD_INFO_EXIT` too.
    PidfdExit(Pidfd),
    /// Signal 0 through such a pidfd.
    PidfdSignal(Pidfd),
    /// The two words that the clone which made this process was given for its TID.
    TidWords(Role),
    /// The links `self` and `thread-self` of `/proc`.
    Myself,
    /// `/proc/loadavg`.
    Loadavg,
}

/// Who is looked at, in the words of whichever call the look takes.
pub(super) struct Subject {
    /// The process; nothing if a bare number, or a pidfd, was given.
    pub(super) role: Option<Role>,
    /// The same, or whoever has the number.
    pub(super) whoever: Option<LookedAt>,
    /// Its number in the caller's namespace. Who has none there is looked for under 0, which nobody has.
    pub(super) number: Option<i32>,
    /// The pidfd of it; nothing where no number leads to one.
    pub(super) pidfd: Option<Pidfd>,
}

impl Look {
    /// The look at somebody; nothing where it cannot take what was given: the process itself, its number, or a pidfd.
    pub(super) fn through(via: LookVia, at: &Subject) -> Option<Look> {
        Some(match via {
            LookVia::Proc => Look::Status { pid: at.number? },
            LookVia::Listing => Look::Listing,
            LookVia::Children => Look::Children { pid: at.number? },
            LookVia::Fdinfo => Look::Fdinfo(at.pidfd?),
            LookVia::Translate => Look::Translate(at.whoever?),
            LookVia::NsParent => Look::NsParent(at.whoever?),
            LookVia::NsParentFile => Look::NsParentFile(at.whoever?),
            LookVia::NsOwner => Look::NsOwner(at.whoever?),
            LookVia::UserNsParent => Look::UserNsParent(at.whoever?),
            LookVia::TheirProcfs => Look::TheirProcfs(at.whoever?),
            LookVia::NsFile => Look::NsFile(at.whoever?),
            LookVia::Credentials => Look::Credentials(at.role?),
            LookVia::Peercred => Look::Peercred(at.role?),
            LookVia::FileOwner => Look::FileOwner(at.role?),
            LookVia::PidfdInfo => Look::PidfdInfo(at.pidfd?),
            LookVia::PidfdExit => Look::PidfdExit(at.pidfd?),
            LookVia::PidfdSignal => Look::PidfdSignal(at.pidfd?),
            LookVia::TidWords => Look::TidWords(at.role?),
            LookVia::Myself => Look::Myself,
            LookVia::Loadavg => Look::Loadavg,
        })
    }

    /// Who has to act before the caller can look.
    pub(super) fn speaker(&self) -> Option<Role> {
        match self {
            Look::Credentials(role) | Look::Peercred(role) | Look::FileOwner(role) => Some(*role),
            _ => None,
        }
    }

    /// Whether it goes through a pidfd.
    pub(super) fn is_by_pidfd(via: LookVia) -> bool {
        matches!(via, LookVia::Fdinfo | LookVia::PidfdInfo | LookVia::PidfdExit | LookVia::PidfdSignal)
    }

    /// Whether it is through a procfs that the caller has to mount.
    pub(super) fn mounts_procfs(&self) -> bool {
        matches!(
            self,
            Look::Status { .. }
                | Look::Listing
                | Look::Children { .. }
                | Look::Fdinfo(_)
                | Look::TheirProcfs(_)
                | Look::Myself
        )
    }
}
