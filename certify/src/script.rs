//! A duty of a user's own, as it is played: what is left of a scenario once it is known that it can be.

use pidlab_scenario::{Call, Claim, Role};
use serde::{Deserialize, Serialize};

/// What happens, turn by turn.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Script {
    /// What the user knows its file by.
    pub(crate) path: String,
    /// The names of the roles.
    pub(crate) roles: Vec<String>,
    /// The role that the program under test plays.
    pub(crate) init: Role,
    /// Signals that are blocked and ignored when the program starts.
    pub(crate) blocked: Vec<i32>,
    pub(crate) ignored: Vec<i32>,
    pub(crate) turns: Vec<Turn>,
}

/// What somebody does, and all that PID 1 then does by itself before somebody else goes on. Nobody can look in between: a program does not wait
/// to be asked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Turn {
    /// Who acts; in the first turn that is `host`, who starts the program.
    pub(crate) by: Role,
    pub(crate) call: Call,
    pub(crate) at: At,
    /// PID 1 does something then.
    pub(crate) has_steps_of_init: bool,
    /// As whom the program starts its command in this turn, each time.
    pub(crate) starts: Vec<(Role, At)>,
    /// Whether it goes on.
    pub(crate) afterwards: Afterwards,
    pub(crate) claims: Vec<Claimed>,
}

/// What becomes of the program in a turn.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum Afterwards {
    /// It goes on.
    GoesOn,
    /// It ends by itself, with this status.
    Exits(i32, At),
    /// It was killed from outside, or had ended before.
    IsOver,
}

/// A claim of a step.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Claimed {
    pub(crate) by: Role,
    pub(crate) claim: Claim,
    pub(crate) at: At,
}

/// A step, as a sentence names it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct At {
    /// The first is 1.
    pub(crate) step: usize,
    /// `step 4, orphan: exit(0)`
    pub(crate) words: String,
    /// Its line in the file.
    pub(crate) line: usize,
}

impl Script {
    pub(crate) fn name(&self, role: Role) -> &str {
        self.roles.get(role.index()).map_or("", String::as_str)
    }
}
