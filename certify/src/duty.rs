//! What a duty is, and whose.

use serde::Serialize;

use crate::lab::Bench;
use crate::play::Played;

/// For which use a program is tested: it says which duties it must do.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Profile {
    /// The init of a container: starts one command, and ends with it.
    Container,
    /// Keeps services running.
    Supervisor,
    /// Holds a namespace open, and starts nothing.
    Pause,
}

/// Of whom a duty can be asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Of {
    /// Of a program that is started for it: it takes what nobody may do to a container that others use.
    Started,
    /// Of a PID 1 that runs already. So many orphans are made for it; each is a zombie for as long as the container is there, if it is not reaped.
    Running {
        /// How many.
        orphans: u8,
    },
    /// Of both.
    Both {
        /// How many, of one that runs.
        orphans: u8,
    },
}

/// One duty of an init.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Duty {
    /// Its name, for ever.
    pub name: &'static str,
    /// What the program does that does it.
    pub sentence: &'static str,
    /// Who must do it. Nobody, where it is no duty but something that is told.
    pub profiles: &'static [Profile],
    /// The rules of Linux that make it one (`pidlab explain RULE`).
    pub rules: &'static [&'static str],
    /// What to do about it.
    pub help: &'static str,
    /// It makes no sense without a command.
    pub needs_command: bool,
    /// Of whom it can be asked.
    pub of: Of,
    #[serde(skip)]
    pub(crate) play: fn(&mut Bench) -> Played,
}

impl Duty {
    /// Whether it is asked of a program that is started for it.
    pub fn is_for_started(&self) -> bool {
        !matches!(self.of, Of::Running { .. })
    }

    /// Whether it can be asked of a PID 1 that runs already.
    pub fn is_for_running(&self) -> bool {
        self.of != Of::Started
    }

    /// How many orphans are made for it in a container that runs already.
    pub fn orphans(&self) -> u8 {
        match self.of {
            Of::Running { orphans } | Of::Both { orphans } => orphans,
            Of::Started => 0,
        }
    }
}
