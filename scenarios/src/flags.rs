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
        /// The child is a thread of the caller's process.
        const CLONE_THREAD = 0x1_0000;
        /// The child starts in a new user namespace.
        const CLONE_NEWUSER = 0x1000_0000;
        /// The child is the init of a new PID namespace.
        const CLONE_NEWPID = 0x2000_0000;
    }
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
