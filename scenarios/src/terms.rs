//! What the arguments of calls are made of: whom they name, and the words of which they take one.

use serde::{Deserialize, Serialize};

use crate::{Role, Signal};

/// A process as a call names it: by role, or by a bare number.
///
/// A role stands for the number that the process has, or last had, in the caller's PID namespace.
///
/// Exhaustive on purpose: a machine that runs scenarios knows what each of them is, and the compiler says where a new one is missing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Target {
    /// The number of this process in the caller's namespace.
    Role(Role),
    /// This number, as written.
    Number(i32),
}

/// A process as a call names it that takes a pidfd.
///
/// Exhaustive on purpose: a machine that runs scenarios knows what each of them is, and the compiler says where a new one is missing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum PidfdTarget {
    /// `pid = …`: whoever has this number when the call is made. The pidfd is opened for it.
    Pid(Target),
    /// `pidfd = …`: a pidfd that has been held since this process was born.
    Held(Role),
    /// `proc = …`: the directory `/proc/PID` of this process, which is opened for the call.
    Directory(Role),
}

impl PidfdTarget {
    /// The process or number that is named, whichever way.
    pub(crate) fn named(self) -> Target {
        match self {
            PidfdTarget::Pid(target) => target,
            PidfdTarget::Held(role) | PidfdTarget::Directory(role) => Target::Role(role),
        }
    }
}

/// Whose namespace setns(2) is for.
///
/// Exhaustive on purpose: a machine that runs scenarios knows what each of them is, and the compiler says where a new one is missing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Entrance {
    /// `to = …`: this process, by whichever file.
    Process(Role),
    /// `ns = …`: the one that is kept open under the name of this process.
    Kept(Role),
    /// `pid = …`, `pidfd = …`: the one that a pidfd refers to.
    Pidfd(PidfdTarget),
}

/// What kill(2) is aimed at.
///
/// Exhaustive on purpose: a machine that runs scenarios knows what each of them is, and the compiler says where a new one is missing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum KillTarget {
    /// `pid = …`: one process; as a number also 0 (the own group) and -1 (everybody).
    Pid(Target),
    /// `group = …`: the process group with this number.
    Group(Target),
}

/// Which children a wait is for.
///
/// Exhaustive on purpose: a machine that runs scenarios knows what each of them is, and the compiler says where a new one is missing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum WaitTarget {
    /// `pid = "any"`: every child.
    Any,
    /// `pid = …`: the child with this number.
    Pid(Target),
    /// `group = "own"`: the children in the caller's process group.
    OwnGroup,
    /// `group = …`: the children in the process group with this number.
    Group(Target),
    /// `pidfd = …`: the child that a pidfd refers to.
    Pidfd(Role),
}

/// The exit signal that a clone asks for: what the parent gets when the child ends.
///
/// Exhaustive on purpose: a machine that runs scenarios knows what each of them is, and the compiler says where a new one is missing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum ExitSignal {
    /// Not written: `SIGCHLD`, or none where clone3(2) takes none (`CLONE_PARENT`, `CLONE_THREAD`).
    Default,
    /// `exit_signal = 0`.
    None,
    /// `exit_signal = "SIGUSR1"`.
    Signal(Signal),
}

/// A set of words, one of which an argument is.
pub(crate) trait Word: Copy + 'static {
    /// Every word, in the order of the documentation; the first is what an argument is if it is absent and may be.
    const WORDS: &'static [&'static str];

    /// What each of them means, in the same order.
    const MEANINGS: &'static [&'static str];

    /// The value that a word stands for.
    fn read(word: &str) -> Option<Self>;

    /// The word that stands for it.
    fn written(self) -> &'static str;
}

macro_rules! words {
    ($(#[$meta:meta])* $type:ident { $($(#[doc = $doc:literal])* $variant:ident = $word:literal),* $(,)? }) => {
        $(#[$meta])*
        ///
        /// Exhaustive on purpose: whoever runs, draws or probes what such a word stands for knows each, and the compiler says where a new
        /// one is missing.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        pub enum $type {
            $($(#[doc = $doc])* $variant),*
        }

        impl $type {
            /// Every value, in the order of the documentation.
            pub const ALL: &[$type] = &[$($type::$variant),*];

            /// Their words, in the same order.
            pub const WORDS: &[&str] = &[$($word),*];

            /// What each of them means, in the same order: its documentation.
            pub const MEANINGS: &[&str] = &[$(concat!($($doc),*).trim_ascii()),*];

            /// What it means.
            pub const fn meaning(self) -> &'static str {
                $type::MEANINGS[self as usize]
            }

            /// The word that stands for it in a scenario file.
            pub const fn word(self) -> &'static str {
                match self { $($type::$variant => $word),* }
            }

            /// The value that this word stands for.
            pub fn from_word(word: &str) -> Option<$type> {
                $type::ALL.iter().copied().find(|value| value.word() == word)
            }
        }

        impl $crate::terms::Word for $type {
            const WORDS: &'static [&'static str] = $type::WORDS;

            const MEANINGS: &'static [&'static str] = $type::MEANINGS;

            fn read(word: &str) -> Option<$type> {
                $type::from_word(word)
            }

            fn written(self) -> &'static str {
                self.word()
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.word())
            }
        }
    };
}

words! {
    /// How setns(2) is told which namespace to join.
    SetnsVia {
        /// `/proc/PID/ns/pid`: the namespace that the process is in.
        NsPid = "ns/pid",
        /// A pidfd: the namespace that the process is in.
        Pidfd = "pidfd",
        /// `/proc/PID/ns/pid_for_children`: the namespace that its next child will be in.
        PidForChildren = "ns/pid_for_children",
        /// A pidfd, asked for the namespace of the next child (ioctl_pidfd(2), `PIDFD_GET_PID_FOR_CHILDREN_NAMESPACE`).
        PidfdForChildren = "pidfd/pid_for_children",
        /// `/proc/PID/ns/user`: the user namespace that the process is in.
        NsUser = "ns/user",
        /// `/proc/PID/ns/uts`: a namespace of another kind.
        OtherKind = "ns/uts",
    }
}

words! {
    /// Which namespace of a process is kept open, and by which file it is come by.
    NsLink {
        /// `/proc/PID/ns/pid`: the PID namespace that it is in.
        Pid = "ns/pid",
        /// `/proc/PID/ns/pid_for_children`: the one that its next child will be in.
        PidForChildren = "ns/pid_for_children",
        /// The same by a pidfd (ioctl_pidfd(2), `PIDFD_GET_PID_FOR_CHILDREN_NAMESPACE`), also before anybody is in it.
        PidfdForChildren = "pidfd/pid_for_children",
        /// `/proc/PID/ns/user`: the user namespace that it is in.
        User = "ns/user",
    }
}

words! {
    /// What keeps a namespace open.
    Keeper {
        /// A file descriptor (open(2)).
        Descriptor = "descriptor",
        /// A bind mount of the file (open_tree(2), `OPEN_TREE_CLONE`), in no place but a descriptor.
        Mount = "mount",
    }
}

words! {
    /// What sigaction(2) sets.
    SignalAction {
        /// `SIG_DFL`.
        Default = "default",
        /// `SIG_IGN`.
        Ignore = "ignore",
        /// A handler, without `SA_RESTART`, with every signal blocked while it runs; it notes the signal and returns.
        Handle = "handle",
        /// The same with `SA_RESTART`: a wait that it interrupts starts over.
        HandleRestart = "handle-restart",
        /// `SIG_DFL` with `SA_NOCLDWAIT`.
        NoCldWait = "nocldwait",
    }
}

words! {
    /// What a `siginfo_t` that the sender has made itself says that the signal comes from (sigaction(2), `si_code`).
    SigCode {
        /// sigqueue(3).
        Queue = "SI_QUEUE",
        /// kill(2).
        User = "SI_USER",
        /// tkill(2) or tgkill(2).
        Tkill = "SI_TKILL",
    }
}

words! {
    /// What sigprocmask(2) does.
    MaskChange {
        /// `SIG_BLOCK`.
        Block = "block",
        /// `SIG_UNBLOCK`.
        Unblock = "unblock",
    }
}

words! {
    /// The files below `/proc/sys` that belong to PID namespaces, or to the user namespaces that own them.
    Sysctl {
        /// `kernel/ns_last_pid`.
        NsLastPid = "ns_last_pid",
        /// `kernel/pid_max`.
        PidMax = "pid_max",
        /// `user/max_pid_namespaces`, of the caller's user namespace. Written only in one that the scenario made.
        MaxPidNamespaces = "max_pid_namespaces",
    }
}

words! {
    /// A capability that a thread can give up (capabilities(7)).
    Capability {
        /// Making namespaces, joining them, and much more.
        SysAdmin = "CAP_SYS_ADMIN",
        /// Choosing numbers.
        CheckpointRestore = "CAP_CHECKPOINT_RESTORE",
        /// Signalling others' processes.
        Kill = "CAP_KILL",
    }
}

words! {
    /// What reboot(2) is asked for.
    RebootHow {
        /// `LINUX_REBOOT_CMD_RESTART`.
        Restart = "restart",
        /// `LINUX_REBOOT_CMD_HALT`.
        Halt = "halt",
        /// `LINUX_REBOOT_CMD_POWER_OFF`.
        PowerOff = "power_off",
    }
}

words! {
    /// Whom a filter of seccomp(2) kills.
    SeccompScope {
        /// The process (`SECCOMP_RET_KILL_PROCESS`).
        Process = "process",
        /// The calling thread alone, unless it is the last one (`SECCOMP_RET_KILL_THREAD`).
        Thread = "thread",
    }
}

words! {
    /// Through what a process looks at another. Where procfs is read, it is one that the caller mounted itself, so it belongs to the
    /// caller's PID namespace.
    LookVia {
        /// `/proc/PID/status`.
        Proc = "proc",
        /// The numbers in the listing of `/proc`.
        Listing = "listing",
        /// `/proc/PID/task/PID/children`: the children of a thread, in order.
        Children = "children",
        /// `/proc/self/fdinfo` of a pidfd.
        Fdinfo = "fdinfo",
        /// The translation ioctls of ioctl_nsfs(2), on the PID namespace of the process looked at.
        Translate = "translate",
        /// The credentials of a message that the other sends over a socket (unix(7), `SCM_CREDENTIALS`).
        Credentials = "credentials",
        /// The credentials of a socket that the other has made (unix(7), `SO_PEERCRED`).
        Peercred = "peercred",
        /// The owner of a file, which the other has made itself (F_GETOWN(2const)).
        FileOwner = "file-owner",
        /// What a pidfd says of its process (ioctl_pidfd(2), `PIDFD_GET_INFO`).
        PidfdInfo = "pidfd-info",
        /// How the process of a pidfd ended, once it is reaped (ioctl_pidfd(2), `PIDFD_INFO_EXIT`).
        PidfdExit = "pidfd-exit",
        /// Whether a signal can be sent through a pidfd that was handed over: signal 0 is (pidfd_send_signal(2)).
        PidfdSignal = "pidfd-signal",
        /// Whether the namespace around the PID namespace of the process can be had (ioctl_nsfs(2), `NS_GET_PARENT`).
        NsParent = "ns-parent",
        /// Whether the namespace that `NS_GET_PARENT` of its PID namespace gives is the caller's own: 1 if so, 0 if not (ioctl_nsfs(2)).
        NsParentFile = "ns-parent-file",
        /// Whether the user namespace that owns its PID namespace is the caller's own: 1 if so, 0 if not (ioctl_nsfs(2), `NS_GET_USERNS`).
        NsOwner = "ns-owner",
        /// Whether the parent of its user namespace is the caller's own: 1 if so, 0 if not (ioctl_nsfs(2), `NS_GET_PARENT`).
        UserNsParent = "user-ns-parent",
        /// A procfs of the PID namespace of the process: its listing, and where its link `self` leads (proc(5), `pidns`).
        TheirProcfs = "their-procfs",
        /// Where the links `self` and `thread-self` of `/proc` lead the caller (proc_pid(5)), which is about nobody else.
        Myself = "self",
        /// The last field of `/proc/loadavg`, which is about no process.
        Loadavg = "loadavg",
        /// Whether `/proc/PID/ns/pid` is the same file as the caller's own: 1 if so, 0 if not.
        NsFile = "ns-file",
        /// Where the clone that made the process has its TID written (clone(2), `CLONE_PARENT_SETTID` and `CLONE_CHILD_SETTID`).
        TidWords = "tid-words",
    }
}

pub(crate) use words;
