//! How a call comes by the process that it is about.

use serde::{Deserialize, Serialize};

use crate::Role;

/// How a call comes by a pidfd.
///
/// Exhaustive on purpose: a machine that runs scenarios knows what each of them is, and the compiler says where a new one is missing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Pidfd {
    /// It has been held since this process was born.
    Held(Role),
    /// No pidfd, but the directory of this process in the runner's procfs, which the caller opens for this call (open(2)).
    Directory(Role),
    /// The caller opens it for this call with pidfd_open(2), and fails as that does.
    Opened(i32),
}

/// Who is looked at.
///
/// Exhaustive on purpose: a machine that runs scenarios knows what each of them is, and the compiler says where a new one is missing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum LookedAt {
    /// This process, whatever numbers it has.
    Role(Role),
    /// Whoever has this number in the caller's namespace now.
    Number(i32),
}
