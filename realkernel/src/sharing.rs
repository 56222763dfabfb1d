//! Who shares memory with whom.

use pidlab_scenario::{Call, CloneFlags, Entrance, KillTarget, NamespaceTypes, Scenario, SetnsVia};
use serde::{Deserialize, Serialize};

/// Whether the processes of a scenario share their memory.
///
/// Processes that share it are three times cheaper to make. Those that do not are what most real programs are, and they take
/// longer to end: the CPU is more often given to another process on the way. Linux allows the same outcomes for both, but of several
/// allowed ones the likely one may be another. So the tests and the random scenarios run both.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Sharing {
    /// Shared, unless the scenario holds a step after which sharing could be seen: a core dump of one process ends all that
    /// share its memory on some kernels, and flags that want shared memory are refused where it is not.
    #[default]
    Auto,
    /// One memory for all (`CLONE_VM`), unless the scenario itself says who shares what.
    Shared,
    /// Each its own.
    Own,
}

impl Sharing {
    /// What it comes to for a scenario.
    pub(crate) fn of(self, scenario: &Scenario) -> Sharing {
        match self {
            Sharing::Auto if scenario.steps.iter().any(|step| can_dump_core(&step.call)) => Sharing::Own,
            Sharing::Auto | Sharing::Shared if scenario.steps.iter().any(|step| is_about_memory(&step.call)) => {
                Sharing::Own
            }
            Sharing::Auto | Sharing::Shared => Sharing::Shared,
            Sharing::Own => Sharing::Own,
        }
    }
}

/// Whether the call says who shares memory, needs shared memory, or leaves a mark in the memory (a change of user, or of the
/// user namespace, does,
/// PR_SET_DUMPABLE(2const)).
fn is_about_memory(call: &Call) -> bool {
    // Whether 0 is written at an end depends on who else uses the memory.
    const FLAGS: CloneFlags = CloneFlags::CLONE_VM
        .union(CloneFlags::CLONE_SIGHAND)
        .union(CloneFlags::CLONE_THREAD)
        .union(CloneFlags::CLONE_CHILD_CLEARTID);
    match call {
        Call::Clone { flags, .. } => flags.intersects(FLAGS),
        Call::Setuid { .. } => true,
        Call::Setns { to, via, nstype } => {
            matches!(to, Entrance::Kept(_))
                || *via == SetnsVia::NsUser
                || nstype.is_some_and(|types| types.contains(NamespaceTypes::CLONE_NEWUSER))
        }
        _ => false,
    }
}

/// Whether the call can end a process in a way that dumps its core (signal(7), action "Core").
fn can_dump_core(call: &Call) -> bool {
    const CORE: [u8; 10] = [3, 4, 5, 6, 7, 8, 11, 24, 25, 31];
    let signal = match call {
        Call::Kill { signal, target: KillTarget::Pid(_) | KillTarget::Group(_) }
        | Call::Tgkill { signal, .. }
        | Call::Tkill { signal, .. }
        | Call::Tgsigqueueinfo { signal, .. }
        | Call::PidfdSendSignal { signal, .. }
        | Call::Sigqueue { signal, .. }
        | Call::SetPdeathsig { signal }
        | Call::MqNotify { signal } => *signal,
        Call::Clone { exit_signal: pidlab_scenario::ExitSignal::Signal(signal), .. } => Some(*signal),
        Call::Exec | Call::Abort | Call::Fault => return true,
        _ => None,
    };
    signal.is_some_and(|signal| CORE.contains(&signal.number()))
}
