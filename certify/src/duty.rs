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
    #[serde(skip)]
    pub(crate) play: fn(&mut Bench) -> Played,
}
