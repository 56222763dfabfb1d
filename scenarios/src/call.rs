use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{CloneFlags, Role, Signal, WaitOptions};

/// A process as a call names it: by role, or by a bare number.
///
/// A role stands for the number that the process has, or last had, in the caller's PID namespace.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Target {
    /// The number of this process in the caller's namespace.
    Role(Role),
    /// This number, as written.
    Number(i32),
}

/// What kill(2) is aimed at.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum KillTarget {
    /// `pid = …`: one process; as a number also 0 (the own group) and -1 (everybody).
    Pid(Target),
    /// `group = …`: the process group with this number.
    Group(Target),
}

/// Which children a wait is for.
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
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum ExitSignal {
    /// Not written: `SIGCHLD`, or none where clone3(2) takes none (`CLONE_PARENT`, `CLONE_THREAD`).
    Default,
    /// `exit_signal = 0`.
    None,
    /// `exit_signal = "SIGUSR1"`.
    Signal(Signal),
}

macro_rules! words {
    ($(#[$meta:meta])* $type:ident { $($(#[$doc:meta])* $variant:ident = $word:literal),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        pub enum $type {
            $($(#[$doc])* $variant),*
        }

        impl $type {
            /// Every value, in the order of the documentation.
            pub const ALL: &[$type] = &[$($type::$variant),*];

            /// Their words, in the same order.
            pub const WORDS: &[&str] = &[$($word),*];

            /// The word that stands for it in a scenario file.
            pub const fn word(self) -> &'static str {
                match self { $($type::$variant => $word),* }
            }

            /// The value that this word stands for.
            pub fn from_word(word: &str) -> Option<$type> {
                $type::ALL.iter().copied().find(|value| value.word() == word)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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
        /// `/proc/PID/ns/uts`: a namespace of another kind.
        OtherKind = "ns/uts",
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
        /// `SIG_DFL` with `SA_NOCLDWAIT`.
        NoCldWait = "nocldwait",
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
    /// Through what a process looks at another. Where procfs is read, it is one that the caller mounted itself, so it belongs to the
    /// caller's PID namespace.
    LookVia {
        /// `/proc/PID/status`.
        Proc = "proc",
        /// The numbers in the listing of `/proc`.
        Listing = "listing",
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
        /// Whether a signal can be sent through a pidfd that was handed over: signal 0 is (pidfd_send_signal(2)).
        PidfdSignal = "pidfd-signal",
        /// Whether the namespace around the PID namespace of the process can be had (ioctl_nsfs(2), `NS_GET_PARENT`).
        NsParent = "ns-parent",
        /// A procfs of the PID namespace of the process: its listing, and where its link `self` leads (proc(5), `pidns`).
        TheirProcfs = "their-procfs",
        /// The last field of `/proc/loadavg`, which is about no process.
        Loadavg = "loadavg",
        /// Whether `/proc/PID/ns/pid` is the same file as the caller's own: 1 if so, 0 if not.
        NsFile = "ns-file",
    }
}

macro_rules! calls {
    ($($(#[$doc:meta])* $variant:ident $({ $($(#[$fdoc:meta])* $field:ident: $type:ty),* $(,)? })? = $word:literal),* $(,)?) => {
        /// One system call with its arguments; [`CallName`] is the same without them.
        #[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
        pub enum Call {
            $($(#[$doc])* $variant $({ $($(#[$fdoc])* $field: $type),* })?),*
        }

        words! {
            /// The name of a call, as a scenario writes it.
            CallName {
                $($(#[$doc])* $variant = $word),*
            }
        }

        impl Call {
            /// Its name.
            pub const fn name(&self) -> CallName {
                match self { $(Call::$variant { .. } => CallName::$variant),* }
            }
        }
    };
}

calls! {
    /// fork(2).
    Fork {
        /// The new process.
        child: Role,
    } = "fork",
    /// vfork(2).
    Vfork {
        /// The new process.
        child: Role,
    } = "vfork",
    /// clone(2), as clone3.
    Clone {
        /// The new process or thread.
        child: Role,
        /// Its flags.
        flags: CloneFlags,
        /// What the parent gets when the child ends.
        exit_signal: ExitSignal,
        /// The numbers asked for, innermost namespace first; empty asks for none.
        set_tid: Vec<i32>,
    } = "clone",
    /// clone(2) that fails at its very end, with numbers already given out: there is nowhere to write its pidfd.
    FailedFork = "failed_fork",
    /// _exit(2): the whole process ends.
    Exit {
        /// The status, of which wait(2) reports the low eight bits.
        status: i32,
    } = "exit",
    /// The calling thread ends.
    ExitThread {
        /// The thread's status.
        status: i32,
    } = "exit_thread",
    /// execve(2).
    Exec = "exec",
    /// abort(3).
    Abort = "abort",
    /// An access to memory that is not there.
    Fault = "fault",
    /// A write into a pipe that nobody reads any more.
    BrokenPipe = "broken_pipe",
    /// wait4(2).
    Wait {
        /// Which children.
        target: WaitTarget,
        /// Its options; ended children are always reported.
        options: WaitOptions,
    } = "wait",
    /// waitid(2).
    Waitid {
        /// Which children.
        target: WaitTarget,
        /// Its options, exactly.
        options: WaitOptions,
    } = "waitid",
    /// kill(2).
    Kill {
        /// One process, a group, or many.
        target: KillTarget,
        /// `None` is signal 0.
        signal: Option<Signal>,
    } = "kill",
    /// tgkill(2) at the leader of a process, or at a thread.
    Tgkill {
        /// The process or thread. A name gives both numbers of the call, the process's and the thread's; a bare number is both.
        pid: Target,
        /// `None` is signal 0.
        signal: Option<Signal>,
    } = "tgkill",
    /// pidfd_send_signal(2).
    PidfdSendSignal {
        /// The process that the pidfd refers to.
        pid: Target,
        /// `None` is signal 0.
        signal: Option<Signal>,
    } = "pidfd_send_signal",
    /// rt_sigqueueinfo(2), with a sender of the caller's choice.
    Sigqueue {
        /// The process.
        pid: Target,
        /// `None` is signal 0.
        signal: Option<Signal>,
        /// The number that it gives for the sender.
        si_pid: u32,
    } = "sigqueue",
    /// pidfd_open(2).
    PidfdOpen {
        /// The process.
        pid: Target,
    } = "pidfd_open",
    /// unshare(2).
    Unshare {
        /// What is unshared.
        flags: CloneFlags,
    } = "unshare",
    /// setns(2).
    Setns {
        /// Whose namespace.
        to: Role,
        /// By which file.
        via: SetnsVia,
    } = "setns",
    /// prctl(2), `PR_SET_CHILD_SUBREAPER`.
    SetChildSubreaper {
        /// Set or cleared.
        on: bool,
    } = "set_child_subreaper",
    /// prctl(2), `PR_SET_PDEATHSIG`.
    SetPdeathsig {
        /// `None` clears it.
        signal: Option<Signal>,
    } = "set_pdeathsig",
    /// sigaction(2).
    Sigaction {
        /// For which signal.
        signal: Signal,
        /// What happens with it.
        action: SignalAction,
    } = "sigaction",
    /// sigprocmask(2).
    Sigprocmask {
        /// Block or unblock.
        how: MaskChange,
        /// Which signal.
        signal: Signal,
    } = "sigprocmask",
    /// sigpending(2).
    Sigpending = "sigpending",
    /// poll(2) of a pidfd.
    PidfdPoll {
        /// The process that the pidfd refers to.
        pid: Target,
    } = "pidfd_poll",
    /// setuid(2).
    Setuid {
        /// The new user id.
        uid: u32,
    } = "setuid",
    /// What the caller sees of another process.
    Look {
        /// The process looked at; 0 is the caller.
        pid: Target,
        /// Through what.
        via: LookVia,
    } = "look",
    /// setsid(2).
    Setsid = "setsid",
    /// getpid(2).
    Getpid = "getpid",
    /// gettid(2).
    Gettid = "gettid",
    /// getppid(2).
    Getppid = "getppid",
    /// setpgid(2).
    Setpgid {
        /// Which process; 0 is the caller.
        pid: Target,
        /// Into which group; 0 is the process's own number.
        group: Target,
    } = "setpgid",
    /// getpgid(2).
    Getpgid {
        /// Which process; 0 is the caller.
        pid: Target,
    } = "getpgid",
    /// getsid(2).
    Getsid {
        /// Which process; 0 is the caller.
        pid: Target,
    } = "getsid",
    /// A file below `/proc/sys`, read or written.
    Sysctl {
        /// Which file.
        name: Sysctl,
        /// The value written; `None` reads.
        write: Option<i64>,
    } = "sysctl",
    /// reboot(2).
    Reboot {
        /// What is asked for.
        how: RebootHow,
    } = "reboot",
}

impl Call {
    /// The process or thread that the call makes, if it is one that does.
    pub fn child(&self) -> Option<Role> {
        match self {
            Call::Fork { child } | Call::Vfork { child } | Call::Clone { child, .. } => Some(*child),
            _ => None,
        }
    }
}
