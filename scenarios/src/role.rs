use serde::{Deserialize, Serialize};

/// A process of a scenario: an index into its table of names. Role 0 is `host`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Role(pub u16);

impl Role {
    /// The process that exists at the start: PID 1 of the scenario's outermost namespace.
    pub const HOST: Role = Role(0);

    /// Its place in tables that have one row a role.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}
