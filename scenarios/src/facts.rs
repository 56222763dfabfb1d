use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::terms::words;

/// The second user of scenarios, beside root.
pub const ANOTHER_USER: u32 = 1000;

words! {
    /// Something that differs between kernels and that a scenario can see.
    ///
    /// A fact is probed on a kernel by behaviour, never by version number alone, and handed to the model.
    Fact {
        /// Each PID namespace has a `pid_max` of its own, 4194304 when it is made (Linux 6.14).
        PidMaxPerNamespace = "pid_max-per-namespace",
        /// pidfd_open(2) of a thread that is not a leader says `ENOENT`; before, `EINVAL` (Linux 6.15).
        PidfdOpenThreadIsEnoent = "pidfd_open-thread-enoent",
        /// poll(2) of a pidfd says `POLLHUP` once the process is reaped (Linux 6.9).
        PidfdHangsUp = "pidfd-hangs-up",
        /// The translation ioctls of PID namespaces exist (Linux 6.11).
        PidTranslation = "pid-translation",
        /// A process whose threads end one by one ends with the status of the last one; before, with the leader's (Linux 6.0).
        LastThreadStatus = "last-thread-status",
        /// clone3(2) checks all of `set_tid` before it takes the first number (Linux 7.0).
        SetTidCheckedFirst = "set_tid-checked-first",
        /// `pid_for_children` shows a namespace that has no init yet (Linux 7.1).
        PidForChildrenBeforeInit = "pid_for_children-before-init",
        /// A pidfd gives the namespaces of its process (Linux 6.11).
        PidfdNamespaces = "pidfd-namespaces",
        /// Who may not look into a process is told so by its pidfd, also once it has ended: `EACCES`; before, `ESRCH` (Linux 7.2, and
        /// stable kernels).
        PidfdAccessFirst = "pidfd-access-first",
        /// A pidfd says who its process is (Linux 6.13).
        PidfdInfo = "pidfd-info",
        /// A pidfd of a process that is not visible says `EREMOTE` of it; before, `ESRCH` (Linux 7.0, and stable kernels).
        PidfdInfoIsRemote = "pidfd-info-eremote",
        /// A procfs can be mounted for another PID namespace than the mounter's (Linux 6.18).
        ProcfsPidns = "procfs-pidns",
        /// A first fork that fails late does not end the unshared namespace (Linux 7.1).
        FirstForkMayFail = "first-fork-may-fail",
        /// The machine lets a process become another user, uid 1000. An ordinary user's lab has only one.
        AnotherUser = "another-user",
        /// The machine lets processes of a scenario make user namespaces.
        UserNamespaces = "user-namespaces",
        /// Root is that of the machine: what was closed when a process ended is open to root alone, and to root of a user namespace it is
        /// not, which a lab needs where it is not root's, or root has no PID namespaces left.
        MachineRoot = "machine-root",
        /// Whose memory was not to be dumped stays closed to processes of its user after its death, when the memory is gone (Linux
        /// 7.1, and stable kernels of 2026).
        ClosedAfterDeath = "closed-after-death",
        /// A receiver of a signal to a group that cannot see the sender leaves the number that the next receiver is told alone; before,
        /// who came after it was told 0 (Linux 7.2, and stable kernels of 2026).
        SenderForEach = "sender-for-each",
        /// kill(2) names its sender by the number that the sender has in the receiver's namespace, also to receivers further out; before,
        /// by the one that the sender has in its own (Linux 7.3).
        SenderTranslated = "sender-translated",
        /// There is a `ns_last_pid` (a kernel that is built with CONFIG_CHECKPOINT_RESTORE).
        NsLastPid = "ns_last_pid",
        /// There is a `/proc/PID/task/TID/children` (a kernel that is built with CONFIG_PROC_CHILDREN).
        ChildrenFile = "children-file",
        /// The SIGCHLD of a process whose first thread left early carries the status of the process; before, that of the thread
        /// (Linux 6.15).
        SigchldTellsProcess = "sigchld-process-status",
        /// There are pidfds of threads (`PIDFD_THREAD`), and flags of pidfd_send_signal(2) that say for whom the signal is; before, both
        /// are `EINVAL` (Linux 6.9).
        PidfdThread = "pidfd-thread",
        /// A pidfd says how its process ended once that is reaped (`PIDFD_INFO_EXIT`); before, `ESRCH` (Linux 6.15).
        PidfdExit = "pidfd-exit",
        /// A pidfd also says who its process is where the process's parent is outside the asker's namespace; before, `ESRCH`
        /// (Linux 6.16, and 6.15.3).
        PidfdInfoOfGuest = "pidfd-info-guest",
        /// A child can be made that is reaped by its own end (`CLONE_AUTOREAP`, Linux 7.1); before, `EINVAL`.
        CloneAutoreap = "clone-autoreap",
        /// A child can be made that is killed when the pidfd that came with it is closed (`CLONE_PIDFD_AUTOKILL`, Linux 7.1); before,
        /// `EINVAL`.
        PidfdAutokill = "pidfd-autokill",
        /// A core dump ends the process that dumps; before, all that shared its memory with it (Linux 5.16).
        CoreDumpAlone = "core-dump-alone",
        /// A thread that exec terminates hands on the signals of its process that were left to it; before, nobody looked at them
        /// (Linux 5.17).
        ExecHandsOn = "exec-hands-on",
        /// A signal that a tracer puts in the place of another, and that its tracee blocks, is pending where the other was, for the process or for
        /// the thread; before, always for the thread (Linux 5.17).
        PutInPlace = "put-in-place",
        /// A signal for one thread does nothing once that thread has ended; before, SIGCONT continued its process, and a stop signal took a
        /// pending SIGCONT back (Linux 7.3, and stable kernels of 2026).
        EndedThreadDeaf = "ended-thread-deaf",
        /// An init of which one thread blocks a signal, and another does not, survives the signal from inside where its default is to
        /// terminate. No kernel of kernel.org up to 7.3 is like that; some vendors' are.
        InitThreadsSpared = "init-threads-spared",
        /// PID namespaces nest 30 levels below a scenario's outermost one: as deep as on a machine that is in no container.
        ThirtyLevels = "thirty-levels",
    }
}

/// The least `pid_max` that may be written on a kernel with few processors (kernel/pid.c, `pid_max_min`): beyond 37 it is 8 for each.
pub const LEAST_PID_MAX: u32 = 301;

impl Fact {
    /// Whether it is about the place where scenarios run (who runs them, what an administrator allows) and not about the kernel:
    /// what is lacking then can be had on the same kernel.
    pub const fn is_of_place(self) -> bool {
        matches!(self, Fact::AnotherUser | Fact::UserNamespaces | Fact::MachineRoot | Fact::ThirtyLevels)
    }

    /// Whether it is a vendor's own: the kernel of kernel.org has never been like that, however new, so neither [`Facts::newest`] nor
    /// [`Facts::oldest`] has it.
    pub const fn is_of_a_vendor(self) -> bool {
        matches!(self, Fact::InitThreadsSpared)
    }
}

/// What a scenario needs: a kernel on which a fact holds, or, written with a `!` before it, one on which it does not.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Need {
    /// About what.
    pub fact: Fact,
    /// Which side of it.
    pub holds: bool,
}

impl Need {
    /// The need with this name in a scenario file.
    pub fn from_name(name: &str) -> Option<Need> {
        let (name, holds) = name.strip_prefix('!').map_or((name, true), |name| (name, false));
        Fact::from_word(name).map(|fact| Need { fact, holds })
    }

    /// Whether a kernel with these facts has it.
    pub fn is_met(self, facts: &Facts) -> bool {
        facts.holds(self.fact) == self.holds
    }

    /// Whether no machine can show it without harm: a `pid_max` for all namespaces in common is the whole machine's.
    pub const fn is_for_the_model_alone(self) -> bool {
        matches!(self, Need { fact: Fact::PidMaxPerNamespace, holds: false })
    }
}

impl From<Fact> for Need {
    fn from(fact: Fact) -> Need {
        Need { fact, holds: true }
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.holds { "" } else { "!" }, self.fact)
    }
}

/// What a kernel is like: each [`Fact`] true or false, how deep it lets PID namespaces nest below a scenario, and how low `pid_max`
/// may be.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Facts {
    /// Those that do not hold. `ThirtyLevels` is never here: it follows from the number.
    lacking: BTreeSet<Fact>,
    levels_above: u32,
    least_pid_max: u32,
}

/// The namespaces around a scenario's outermost one on a machine that is in no container: the machine's own, and the one that keeps
/// the scenario's processes together.
const LEVELS_ABOVE: u32 = 2;

impl Facts {
    /// The newest kernel of kernel.org that the model knows: every fact holds but those of a vendor.
    pub fn newest() -> Facts {
        let lacking = Fact::ALL.iter().copied().filter(|fact| fact.is_of_a_vendor()).collect();
        Facts { lacking, levels_above: LEVELS_ABOVE, least_pid_max: LEAST_PID_MAX }
    }

    /// The oldest kernel that the model knows: no fact about kernels holds, but those about the place do.
    pub fn oldest() -> Facts {
        Fact::ALL.iter().fold(Facts::newest(), |facts, fact| facts.with(*fact, fact.is_of_place()))
    }

    /// The same with one fact changed.
    #[must_use]
    pub fn with(mut self, fact: Fact, holds: bool) -> Facts {
        match fact {
            Fact::ThirtyLevels if holds => self.levels_above = LEVELS_ABOVE,
            Fact::ThirtyLevels if self.levels_above == LEVELS_ABOVE => self.levels_above += 1,
            Fact::ThirtyLevels => {}
            _ if holds => {
                self.lacking.remove(&fact);
            }
            _ => {
                self.lacking.insert(fact);
                // What came later stands on what came first: no kernel has the one without the other.
                let later = match fact {
                    Fact::PidfdOpenThreadIsEnoent => Some(Fact::PidfdInfoOfGuest),
                    Fact::SenderForEach => Some(Fact::SenderTranslated),
                    _ => None,
                };
                self.lacking.extend(later);
            }
        }
        self
    }

    /// The same, changed to what a scenario needs.
    #[must_use]
    pub fn with_all(self, needs: &[Need]) -> Facts {
        needs.iter().fold(self, |facts, need| facts.with(need.fact, need.holds))
    }

    /// The same on a machine with this many namespaces around a scenario's outermost one.
    #[must_use]
    pub fn with_levels_above(self, levels_above: u32) -> Facts {
        Facts { levels_above, ..self }
    }

    /// The same on a machine where `pid_max` may be this low, and no lower.
    #[must_use]
    pub fn with_least_pid_max(self, least_pid_max: u32) -> Facts {
        Facts { least_pid_max, ..self }
    }

    /// The least `pid_max` that may be written: [`LEAST_PID_MAX`], or 8 for each processor that the kernel has made room for, whichever
    /// is more (kernel/pid.c, `pid_idr_init`).
    pub fn least_pid_max(&self) -> u32 {
        self.least_pid_max
    }

    /// How many namespaces are around a scenario's outermost one; they count for the limit of 32 levels.
    pub fn levels_above(&self) -> u32 {
        self.levels_above
    }

    /// Whether the fact holds.
    pub fn holds(&self, fact: Fact) -> bool {
        match fact {
            Fact::ThirtyLevels => self.levels_above == LEVELS_ABOVE,
            _ => !self.lacking.contains(&fact),
        }
    }

    /// Every fact with its value, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Fact, bool)> + '_ {
        Fact::ALL.iter().map(|fact| (*fact, self.holds(*fact)))
    }
}

impl Default for Facts {
    fn default() -> Facts {
        Facts::newest()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirty_levels_are_a_number_of_levels() {
        let in_a_container = Facts::newest().with_levels_above(4);
        assert!(!in_a_container.holds(Fact::ThirtyLevels));
        let needs = [Need::from(Fact::ThirtyLevels)];
        assert_eq!(in_a_container.clone().with_all(&needs).levels_above(), 2);
        assert_eq!(in_a_container.clone().with(Fact::ThirtyLevels, false), in_a_container);
        assert_ne!(Facts::newest().with(Fact::ThirtyLevels, false).levels_above(), 2);
    }

    #[test]
    fn what_a_vendor_has_is_neither_new_nor_old() {
        let spared = Fact::InitThreadsSpared;
        assert!(!Facts::newest().holds(spared) && !Facts::oldest().holds(spared));
        assert!(Facts::newest().with(spared, true).holds(spared));
        assert!(Fact::ALL.iter().all(|fact| Facts::newest().holds(*fact) != fact.is_of_a_vendor()));
    }

    #[test]
    fn a_need_has_two_sides() {
        let old = Need::from_name("!pid-translation").expect("the fact exists");
        assert_eq!(old, Need { fact: Fact::PidTranslation, holds: false });
        assert_eq!(old.to_string(), "!pid-translation");
        assert!(!old.is_met(&Facts::newest()) && old.is_met(&Facts::newest().with_all(&[old])));
        assert_eq!(Need::from_name("!!pid-translation"), None);
        assert!(Facts::oldest().holds(Fact::AnotherUser) && !Facts::oldest().holds(Fact::PidTranslation));
    }
}
