//! How the calls of a scenario file are written: the rows of the table of calls.

use crate::PidfdFlags;

/// How one argument is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// The name of a process that the step makes.
    NewProcess,
    /// The name of a process.
    Process,
    /// A process by name, or a number.
    Target,
    /// `"any"`, a process by name, or a number.
    WaitPid,
    /// `"own"`, a process by name, or a number.
    WaitGroup,
    /// A list of `CLONE_…` flags.
    CloneFlags,
    /// A list of flags of a call that takes a pidfd.
    PidfdFlags(PidfdFlags),
    /// A list of options of wait4(2).
    WaitOptions,
    /// A list of options of waitid(2).
    WaitidOptions,
    /// A signal by name or number.
    Signal,
    /// A signal by name or number, or 0.
    SignalOrZero,
    /// A list of signals by name or number.
    Signals,
    /// A list of numbers.
    Numbers,
    /// An exit status: any `int`.
    Status,
    /// A user id.
    Uid,
    /// The number of a process, or 0.
    Number,
    /// A number to write.
    Value,
    /// `true` or `false`.
    Flag,
    /// One of these words.
    Word(&'static [&'static str]),
}

/// One argument of a call.
#[derive(Clone, Copy, Debug)]
pub struct Argument {
    /// Its name, the key in the file.
    pub name: &'static str,
    /// How it is written.
    pub kind: Kind,
    /// Whether a step must have it.
    pub required: bool,
    /// What it means, in a few words.
    pub about: &'static str,
}

/// Names of arguments, and whether a step must have one of them.
pub type Alternatives = (Vec<&'static str>, bool);

/// One call with its arguments.
#[derive(Clone, Debug)]
pub struct CallWords {
    /// The call, by its word.
    pub name: &'static str,
    /// Its arguments, in the order in which a file is written.
    pub arguments: Vec<Argument>,
    /// Arguments of which a step has exactly one (`true`) or at most one (`false`).
    pub one_of: Option<Alternatives>,
    /// Whether it can come back to the caller, so that something can be expected of it.
    pub returns: bool,
    /// What the call does, in a few words.
    pub about: &'static str,
}
