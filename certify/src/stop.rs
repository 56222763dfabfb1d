//! Why a duty is given up.

use std::io;

/// Why a duty comes to no end of its own.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The bound was reached, or would be.
    Undecided(String),
    /// It cannot be asked of this program.
    NotAsked(String),
    /// The program could not be run at all.
    NoProgram(String),
    /// strace does not do its part.
    NotRecorded(String),
    /// The lab itself failed.
    Broken(String),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        Stop::Broken(error.to_string())
    }
}

impl From<rustix::io::Errno> for Stop {
    fn from(error: rustix::io::Errno) -> Stop {
        Stop::Broken(io::Error::from(error).to_string())
    }
}
