use bitflags::bitflags;
use serde::{Deserialize, Serialize};

/// Flags that say what each of them means.
macro_rules! documented {
    ($(#[$meta:meta])* pub struct $type:ident: $bits:ty {
        $($(#[doc = $doc:literal])* const $flag:ident = $value:literal;)*
    }) => {
        bitflags! {
            $(#[$meta])*
            pub struct $type: $bits {
                $($(#[doc = $doc])* const $flag = $value;)*
            }
        }

        impl $type {
            /// What the flag of this name means: its documentation.
            pub fn meaning(name: &str) -> Option<&'static str> {
                match name {
                    $(stringify!($flag) => Some(concat!($($doc),*).trim_ascii()),)*
                    _ => None,
                }
            }
        }
    };
}

documented! {
    /// The flags of clone(2) and unshare(2) that a scenario can give, with the kernel's values.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
    pub struct CloneFlags: u64 {
        /// Share the memory.
        const CLONE_VM = 0x100;
        /// Share the filesystem information.
        const CLONE_FS = 0x200;
        /// Share the table of file descriptors.
        const CLONE_FILES = 0x400;
        /// Share the table of signal handlers.
        const CLONE_SIGHAND = 0x800;
        /// Suspend the caller until the child has terminated or has called execve(2).
        const CLONE_VFORK = 0x4000;
        /// The child's parent is the caller's parent.
        const CLONE_PARENT = 0x8000;
        /// The child is a thread of the caller's process; wants CLONE_SIGHAND, which wants CLONE_VM.
        const CLONE_THREAD = 0x1_0000;
        /// Its TID, as the caller sees it, is written where the caller says.
        const CLONE_PARENT_SETTID = 0x10_0000;
        /// When it ends, 0 is written where its TID stood, and who waits there is waked.
        const CLONE_CHILD_CLEARTID = 0x20_0000;
        /// Its TID, as it sees it itself, is written where the caller says.
        const CLONE_CHILD_SETTID = 0x100_0000;
        /// The child starts in a new user namespace; with unshare, the caller goes on in one.
        const CLONE_NEWUSER = 0x1000_0000;
        /// The child is the init of a new PID namespace; with unshare, the caller's next child is.
        const CLONE_NEWPID = 0x2000_0000;
        /// Signals that have a handler have their default action in the child.
        const CLONE_CLEAR_SIGHAND = 0x1_0000_0000;
        /// The child is reaped by its own end.
        const CLONE_AUTOREAP = 0x4_0000_0000;
        /// The child is killed when the pidfd that the call gives is closed for the last time.
        const CLONE_PIDFD_AUTOKILL = 0x10_0000_0000;
    }
}

documented! {
    /// The flags of pidfd_open(2) and of pidfd_send_signal(2), with the kernel's values.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
    pub struct PidfdFlags: u32 {
        /// The signal is for the thread alone (pidfd_send_signal(2)).
        const PIDFD_SIGNAL_THREAD = 0x1;
        /// The signal is for the process (pidfd_send_signal(2)).
        const PIDFD_SIGNAL_THREAD_GROUP = 0x2;
        /// The signal is for the process group that has the PID (pidfd_send_signal(2)).
        const PIDFD_SIGNAL_PROCESS_GROUP = 0x4;
        /// A pidfd of a thread (pidfd_open(2)).
        const PIDFD_THREAD = 0x80;
    }
}

documented! {
    /// The types of namespaces that setns(2) can be told, with the kernel's values.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
    pub struct NamespaceTypes: u32 {
        /// No namespace: always a mistake.
        const CLONE_THREAD = 0x1_0000;
        /// A user namespace.
        const CLONE_NEWUSER = 0x1000_0000;
        /// A PID namespace.
        const CLONE_NEWPID = 0x2000_0000;
    }
}

impl PidfdFlags {
    /// Those of pidfd_send_signal(2).
    pub const SCOPES: PidfdFlags = PidfdFlags::all().difference(PidfdFlags::PIDFD_THREAD);
}

documented! {
    /// The options of wait4(2) and waitid(2), with the kernel's values.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
    pub struct WaitOptions: u32 {
        /// Do not block.
        const WNOHANG = 0x1;
        /// Also report stopped children (`WUNTRACED` in wait4(2)).
        const WSTOPPED = 0x2;
        /// Report ended children (waitid(2) only: wait4(2) always does).
        const WEXITED = 0x4;
        /// Also report continued children.
        const WCONTINUED = 0x8;
        /// Leave the child waitable (waitid(2) only).
        const WNOWAIT = 0x0100_0000;
        /// Only the calling thread's own children.
        const __WNOTHREAD = 0x2000_0000;
        /// Children of every kind.
        const __WALL = 0x4000_0000;
        /// Only "clone children": those whose exit signal is not `SIGCHLD`.
        const __WCLONE = 0x8000_0000;
    }
}

impl WaitOptions {
    /// The options of waitid(2) by name. wait4(2) calls `WSTOPPED` `WUNTRACED`.
    pub(crate) fn of_waitid() -> Vec<(&'static str, WaitOptions)> {
        WaitOptions::all().iter_names().chain([("WUNTRACED", WaitOptions::WSTOPPED)]).collect()
    }

    /// The options of wait4(2) by name.
    pub(crate) fn of_wait() -> Vec<(&'static str, WaitOptions)> {
        WaitOptions::of_waitid().into_iter().filter(|(_, option)| *option != WaitOptions::WEXITED).collect()
    }
}
