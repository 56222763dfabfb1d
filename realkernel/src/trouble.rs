//! Why a run cannot go on: because of the place where it runs, or because of the runner itself.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why the kernel side cannot run here, or cannot run some scenario.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Unavailable {
    /// What the kernel refused.
    pub reason: String,
    /// What a user can do about it.
    pub remedy: String,
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.reason, self.remedy)
    }
}

impl std::error::Error for Unavailable {}

impl Unavailable {
    pub(crate) fn new(reason: impl Into<String>, remedy: impl Into<String>) -> Unavailable {
        Unavailable { reason: reason.into(), remedy: remedy.into() }
    }
}

/// Why a run could not go on.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The runner could not bring it to an end.
    Broken(String),
    /// The surroundings do not let it: nothing is known about the kernel then.
    Lacks(Unavailable),
}

impl From<String> for Trouble {
    fn from(why: String) -> Trouble {
        Trouble::Broken(why)
    }
}

impl From<Unavailable> for Trouble {
    fn from(why: Unavailable) -> Trouble {
        Trouble::Lacks(why)
    }
}
