use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{ANOTHER_USER, CallName, CloneFlags, Fact, Role, State};

/// Why a step cannot be taken. None of these is an answer of Linux.
///
/// The first four are mistakes of the scenario. The others say that a machine does not run what Linux would: because it cannot
/// ([`Refusal::NotModelled`]), because it must not ([`Refusal::Harmful`]), or because it is not there to be had on this kernel
/// ([`Refusal::NeedsFact`]).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Refusal {
    /// The step is for, or names, a process that has not been made (its clone failed).
    NotBorn {
        /// Which.
        role: Role,
    },
    /// The step makes a process that exists or has existed.
    BornTwice {
        /// Which.
        role: Role,
    },
    /// The step is for a process that cannot act in this state.
    CannotAct {
        /// Which.
        role: Role,
        /// Its state; `None`: it has been reaped.
        state: Option<State>,
    },
    /// The step names a process that has no number in the caller's namespace.
    NoNumber {
        /// Which.
        role: Role,
        /// In whose namespace.
        caller: Role,
    },
    /// Neither machine knows this, yet. If only one says so, that is a fault of `pidlab`.
    NotModelled {
        /// The call.
        call: CallName,
        /// What about it.
        what: Unmodelled,
    },
    /// A machine with real processes does not do this, for safety. The model may.
    Harmful {
        /// The call.
        call: CallName,
        /// What it would do.
        harm: Harm,
    },
    /// The step is for kernels, or for places, on which this fact holds.
    NeedsFact {
        /// The call.
        call: CallName,
        /// What is lacking.
        fact: Fact,
    },
}

impl Refusal {
    /// Whether both machines lack something, and the scenario makes no mistake.
    pub fn is_not_modelled(&self) -> bool {
        matches!(self, Refusal::NotModelled { .. })
    }

    /// Whether it is a refusal that only one machine may make: the other is not wrong if it takes the step.
    pub fn is_of_one_machine(&self) -> bool {
        matches!(self, Refusal::Harmful { .. } | Refusal::NeedsFact { .. })
    }
}

/// What is not modelled.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Unmodelled {
    /// These flags, with this call.
    Flags(CloneFlags),
    /// `CLONE_VFORK` together with `CLONE_THREAD`.
    VforkOfThread,
    /// More numbers asked for than there are levels of the scenario: the outer ones are nobody's to choose.
    SetTidOutside,
    /// A user that is neither root nor [`ANOTHER_USER`].
    User(u32),
    /// An exec by another user than root: it hangs on the permissions of the program.
    ExecByAnotherUser,
    /// The limit of the user namespace that the machine gave: its value is the machine's.
    MachinesPidNamespaceLimit,
    /// A look through procfs by who may not mount one.
    NoProcfs,
    /// A bare number where a process itself has to act, or has to have been held from its birth.
    NumberForProcess,
    /// A pidfd where a look or setns(2) goes by a file of the process.
    PidfdForFile,
    /// A file of a process where a namespace is kept open that no file leads to, or the other way round.
    KeptByFile,
    /// A directory of procfs where only a pidfd will do.
    DirectoryForPidfd,
    /// setns(2) to a namespace that is neither a PID nor a user namespace: whether the caller may depends on who owns it outside.
    OtherKindJoined,
    /// A clone by a thread while a signal waits for another that is in a vfork.
    HiddenSignal,
    /// A call of a tracee that ends in signals of its own: an exec, an abort, a fault.
    ByTracee,
    /// A tracee of several threads.
    ThreadOfTracee,
}

impl fmt::Display for Unmodelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unmodelled::Flags(flags) => {
                let names: Vec<String> = flags.iter_names().map(|(name, _)| format!("`{name}`")).collect();
                return write!(f, "flag {}", names.join(", "));
            }
            Unmodelled::User(_) => return write!(f, "a user beside 0 and {ANOTHER_USER}"),
            Unmodelled::VforkOfThread => "a vfork of a thread",
            Unmodelled::SetTidOutside => "`set_tid` for namespaces outside the scenario",
            Unmodelled::ExecByAnotherUser => "a program run by another user than the runner's",
            Unmodelled::MachinesPidNamespaceLimit => "`max_pid_namespaces` of the machine's user namespace",
            Unmodelled::NoProcfs => "a procfs of its own, which the caller may not mount",
            Unmodelled::NumberForProcess => "a number in place of a process",
            Unmodelled::PidfdForFile => "a pidfd in place of a process",
            Unmodelled::KeptByFile => "a file of a process for a namespace that is come by in another way",
            Unmodelled::DirectoryForPidfd => "a directory of procfs in place of a pidfd",
            Unmodelled::OtherKindJoined => "a namespace of another kind that is really joined",
            Unmodelled::ByTracee => "a tracee as its caller",
            Unmodelled::ThreadOfTracee => "a tracee of several threads",
            Unmodelled::HiddenSignal => "a signal waits for a thread that is in a vfork",
        })
    }
}

/// What a step would do to the machine that runs it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Harm {
    /// An init in a process group that can keep its own namespace from ending, and with it all namespaces around.
    UndyingInit,
    /// An abort of an init that handles `SIGSEGV`: the handler returns to the instruction that traps, for ever.
    EndlessAbort,
    /// `pid_max` where it is one for the whole machine.
    MachinesPidMax,
}

impl Harm {
    /// The document that tells the whole story, if there is one.
    pub const fn document(self) -> Option<&'static str> {
        match self {
            Harm::UndyingInit => Some("docs/an-init-that-never-ends.md"),
            Harm::EndlessAbort | Harm::MachinesPidMax => None,
        }
    }
}

impl fmt::Display for Harm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Harm::UndyingInit => "an init in a group that can keep its own namespace from ending",
            Harm::EndlessAbort => "an init that handles SIGSEGV, whose abort never ends",
            Harm::MachinesPidMax => "`pid_max`, of which this kernel has one for the whole machine",
        })
    }
}
