//! Who a task is, and the user namespaces that say over what a user has power.
//!
//! Nearly every task of a scenario is root of the outermost user namespace, and may do everything. The others:
//!
//! ```text
//!   setuid(1000)     the same user namespace, another user, no capabilities
//!   CLONE_NEWUSER    a new user namespace below, the same user, all capabilities there and none above
//! ```
//!
//! Each PID namespace is owned by a user namespace, and power over it is power in its owner. Nobody here writes a map of users, so
//! no user of a new user namespace has a number in it.
//!
//! In the kernel: `struct cred`, include/linux/cred.h; `struct user_namespace`, `struct ucounts`, include/linux/user_namespace.h.

use pidlab_scenario::Capability;

use super::ids::UserNsId;
use std::collections::BTreeMap;

/// A user id, as the outermost user namespace has it (`kuid_t`).
pub(crate) type Kuid = u32;

/// Who a task is, and what it may do.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Cred {
    /// Its real, effective and saved user id.
    pub(crate) uid: Kuid,
    pub(crate) user_ns: UserNsId,
    /// It has every capability in its user namespace, but for those that it has dropped; otherwise none.
    pub(crate) capable: bool,
    /// What it has dropped; nothing if it has none.
    pub(crate) dropped: CapSet,
}

/// Some of the capabilities that can be given up one by one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct CapSet(u8);

impl CapSet {
    pub(crate) const EMPTY: CapSet = CapSet(0);

    pub(crate) fn contains(self, capability: Capability) -> bool {
        self.0 & 1 << capability as u8 != 0
    }

    pub(crate) fn is_subset(self, of: CapSet) -> bool {
        self.0 & !of.0 == 0
    }

    #[must_use]
    pub(crate) fn with(self, capability: Capability) -> CapSet {
        CapSet(self.0 | 1 << capability as u8)
    }
}

/// What is asked for: one of the capabilities that can be given up one by one, or any other one.
pub(crate) type Cap = Option<Capability>;

impl Cred {
    pub(crate) const ROOT: Cred = Cred { uid: 0, user_ns: UserNsId::OUTERMOST, capable: true, dropped: CapSet::EMPTY };

    /// Whether it has a capability in its own user namespace.
    pub(crate) fn has(self, capability: Cap) -> bool {
        self.capable && !capability.is_some_and(|capability| self.dropped.contains(capability))
    }
}

/// How many PID namespaces are counted for one user of a user namespace.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Ucount {
    /// That exist.
    pub(crate) live: u32,
    /// That are gone, but that Linux may still count: it forgets them some time later.
    pub(crate) gone: u32,
}

/// A user namespace.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct UserNamespace {
    /// `None` for the outermost.
    pub(crate) parent: Option<UserNsId>,
    /// The user that made it.
    pub(crate) owner: Kuid,
    /// How many PID namespaces each of its users may have (`ucount_max`).
    pub(crate) max_pid_namespaces: u32,
    /// Whether somebody has written a map of its users in which its maker is root. No step does; who follows a recording says so.
    pub(crate) mapped: bool,
    pub(crate) ucounts: BTreeMap<Kuid, Ucount>,
}

/// What a new user namespace has as its limit.
pub(crate) const NO_LIMIT: u32 = i32::MAX as u32;

impl UserNamespace {
    /// A user namespace that nobody has counted anything in.
    pub(crate) fn new(parent: Option<UserNsId>, owner: Kuid) -> UserNamespace {
        UserNamespace { parent, owner, max_pid_namespaces: NO_LIMIT, mapped: false, ucounts: BTreeMap::new() }
    }
}
