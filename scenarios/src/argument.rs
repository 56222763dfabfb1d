//! How the calls of a scenario file are written: the rows of the table of calls.

use crate::{CloneFlags, Errno, PidfdFlags, WaitOptions};

/// How one argument is written.
///
/// Exhaustive on purpose: whoever makes arguments up, or checks them, knows each, and the compiler says where a new one is missing.
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
    /// A list of types of namespaces.
    NamespaceTypes,
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
#[non_exhaustive]
pub struct Argument {
    /// Its name, the key in the file.
    pub name: &'static str,
    /// How it is written.
    pub kind: Kind,
    /// Whether a step must have it.
    pub required: bool,
    /// What it means, in a few words.
    pub about: &'static str,
    /// What each word of [`Kind::Word`] means, in the same order; else nothing.
    pub meanings: &'static [&'static str],
}

impl Argument {
    /// The words that it takes, or of which it takes a list, each with what it means; nothing where it takes no words.
    pub fn words(&self) -> Vec<(&'static str, &'static str)> {
        let options = |options: Vec<(&'static str, WaitOptions)>| -> Vec<(&'static str, &'static str)> {
            let meaning = |(name, _): (&'static str, _)| {
                (name, WaitOptions::meaning(name).unwrap_or("`WSTOPPED`, as wait4(2) calls it"))
            };
            options.into_iter().map(meaning).collect()
        };
        match self.kind {
            Kind::Word(words) => words.iter().copied().zip(self.meanings.iter().copied()).collect(),
            Kind::CloneFlags => CloneFlags::all()
                .iter_names()
                .filter_map(|(name, _)| Some((name, CloneFlags::meaning(name)?)))
                .collect(),
            Kind::WaitOptions => options(WaitOptions::of_wait()),
            Kind::WaitidOptions => options(WaitOptions::of_waitid()),
            _ => Vec::new(),
        }
    }
}

impl Kind {
    /// How a value of this kind is written, in a few words.
    pub const fn words(self) -> &'static str {
        match self {
            Kind::NewProcess => "a new name",
            Kind::Process => "the name of a process",
            Kind::Target => "the name of a process, or a number",
            Kind::WaitPid => "`\"any\"`, the name of a process, or a number",
            Kind::WaitGroup => "`\"own\"`, the name of a process, or a number",
            Kind::CloneFlags | Kind::PidfdFlags(_) | Kind::NamespaceTypes => "a list of flags",
            Kind::Signals => "a list of signals by name or number",
            Kind::WaitOptions | Kind::WaitidOptions => "a list of options",
            Kind::Signal => "a signal by name or number",
            Kind::SignalOrZero => "a signal by name or number, or 0",
            Kind::Numbers => "a list of numbers",
            Kind::Status | Kind::Value => "a number",
            Kind::Uid => "a user ID",
            Kind::Number => "a number, 0 or more",
            Kind::Flag => "`true` or `false`",
            Kind::Word(_) => "a word",
        }
    }
}

/// Names of arguments, and whether a step must have one of them.
pub type Alternatives = (Vec<&'static str>, bool);

/// One call with its arguments.
#[derive(Clone, Debug)]
#[non_exhaustive]
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
    /// The errors that it can fail with, each with when.
    pub errors: &'static [(Errno, &'static str)],
}
