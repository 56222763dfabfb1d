//! What a signal says: who sent it, what has become of a child.
//!
//! In the kernel: `struct kernel_siginfo`, include/linux/signal_types.h.

use pidlab_scenario::{ChildStatus, Signal};

use crate::Misconception;
use crate::objects::ids::TaskId;
use crate::objects::sigpending::SigInfo;
use crate::pid::{task_pid_nr_ns, task_tgid_nr_ns};
use crate::tracing::trap_code;
use crate::world::World;

/// What a signal says of its sender (`struct kernel_siginfo`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Info {
    /// A number that the sender gave, its own or another: `has_si_pid_and_uid`. A receiver that cannot see the sender gets 0.
    User {
        /// What the receiver will be told.
        si_pid: u32,
    },
    /// `SEND_SIG_NOINFO`: the kernel fills in the sender, for the receiver.
    Current,
    /// `SEND_SIG_PRIV`: the kernel itself, to which no init is deaf.
    Priv,
    /// A child of the receiver that ended, stopped or went on: its first thread, and what happened.
    Child(TaskId, Cld),
    /// What an instruction of the receiver did.
    Fault,
    /// What a filter of the receiver's calls says: nothing can change what it does (`SA_IMMUTABLE`).
    Seccomp,
}

/// What a SIGCHLD is about (sigaction(2), `si_code`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Cld {
    /// `CLD_EXITED`, `CLD_KILLED`, `CLD_DUMPED`.
    Exited,
    /// `CLD_STOPPED`.
    Stopped,
    /// `CLD_TRAPPED`.
    Trapped,
    /// `CLD_CONTINUED`.
    Continued,
}

/// What the receiver will find in its `siginfo_t`.
pub(crate) fn siginfo(w: &World, signal: Signal, info: Info, to: TaskId) -> SigInfo {
    let plain = SigInfo { signal, si_pid: 0, child: None, fault: false, immutable: false };
    match info {
        Info::User { si_pid } => SigInfo { si_pid, ..plain },
        Info::Current => {
            let untranslated = w.believes(Misconception::SenderAsItSeesItself);
            let seen = |sender| if untranslated { w.active_ns(sender) } else { w.active_ns(to) };
            let sender = w.current.0.and_then(|sender| task_tgid_nr_ns(w, sender, seen(sender)));
            SigInfo { si_pid: sender.map_or(0, |number| number.get()), ..plain }
        }
        Info::Priv => plain,
        Info::Child(child, why) => {
            let number = task_pid_nr_ns(w, child, w.active_ns(to));
            let child = (signal == Signal::CHLD).then(|| child_status(w, child, why));
            SigInfo { si_pid: number.map_or(0, |number| number.get()), child, ..plain }
        }
        // The address that could not be touched stands where si_pid does, and it was 0.
        Info::Fault => SigInfo { fault: true, ..plain },
        Info::Seccomp => SigInfo { fault: true, immutable: true, ..plain },
    }
}

/// What a SIGCHLD says of a child.
fn child_status(w: &World, child: TaskId, why: Cld) -> ChildStatus {
    match why {
        Cld::Exited => w.task(child).exit_code.status().into(),
        Cld::Continued => ChildStatus::Continued,
        Cld::Trapped => ChildStatus::Trapped(trap_code(w, child)),
        // 0 where it is continued in the middle of the stop.
        Cld::Stopped => ChildStatus::Stopped(w.process(child).group_exit_code.get_signal()),
    }
}
