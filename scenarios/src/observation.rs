//! What is observed after a step.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{CallName, Errno, Role, Signal};

/// The whole world after a step, once it is quiet.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Observation {
    /// What the step's call gave; `None` only for the start.
    pub outcome: Option<Outcome>,
    /// Calls of earlier steps that had blocked and returned in this one, in the order of their callers' roles.
    pub returned: Vec<Returned>,
    /// Every process that is not reaped yet, in the order of roles.
    pub processes: Vec<ProcessView>,
}

impl Observation {
    /// The process in this role, unless it is reaped or not made yet.
    pub fn process(&self, role: Role) -> Option<&ProcessView> {
        self.processes.iter().find(|process| process.role == role)
    }
}

/// What a call gives.
///
/// Exhaustive on purpose: whoever shows or compares what was observed knows each, and the compiler says where a new one is missing.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Outcome {
    /// It returned this number.
    Ok(i64),
    /// A wait returned a child.
    Waited {
        /// The child's number in the caller's namespace.
        number: i64,
        /// The child.
        child: Role,
        /// What the wait says of it.
        status: WaitStatus,
    },
    /// sigpending gave this set, in the order of numbers.
    Pending(Vec<Signal>),
    /// A signal was taken without a handler; the call returned its number, or read it.
    Taken(Handled),
    /// poll(2) of a pidfd reported these events; none: it would have gone on waiting.
    Polled(Vec<PollEvent>),
    /// What a look showed.
    Seen(Seen),
    /// It failed.
    Err(Errno),
    /// It does not return: the caller is gone.
    Never,
    /// It has not returned yet.
    Blocks,
}

/// What poll(2) can report of a pidfd (pidfd_open(2)).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub enum PollEvent {
    /// The process has ended (all its threads).
    #[serde(rename = "POLLIN")]
    In,
    /// It has been reaped.
    #[serde(rename = "POLLHUP")]
    Hup,
}

/// What a look showed: numbers, each as the observer gets it.
///
/// Exhaustive on purpose: whoever shows or compares what was observed knows each, and the compiler says where a new one is missing.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Seen {
    /// `/proc/PID/status`. The lists are by level, from the observer's namespace inward; a group or session without a number at a
    /// level is 0 there.
    Status {
        /// `Tgid`.
        tgid: u32,
        /// `Pid`.
        pid: u32,
        /// `PPid`.
        ppid: u32,
        /// `TracerPid`; 0 where nobody traces it whom the observer sees.
        tracer: u32,
        /// `NStgid`.
        nstgid: Vec<u32>,
        /// `NSpid`.
        nspid: Vec<u32>,
        /// `NSpgid`.
        nspgid: Vec<u32>,
        /// `NSsid`.
        nssid: Vec<u32>,
    },
    /// Numbers, in the order in which they are shown.
    Listing(Vec<u32>),
    /// `Pid` and `NSpid` of a pidfd's fdinfo: 0 where the process is not visible, -1 once it is reaped.
    Fdinfo {
        /// `Pid`.
        pid: i64,
        /// `NSpid`.
        nspid: Vec<i64>,
    },
    /// The translation ioctls on the PID namespace of the process looked at.
    Translated {
        /// `NS_GET_PID_FROM_PIDNS`: the process's own number there, as a number in the caller's namespace.
        from: Result<u32, Errno>,
        /// `NS_GET_PID_IN_PIDNS`: the caller's own number, as a number in that namespace.
        into: Result<u32, Errno>,
    },
    /// The sender of a message.
    Credentials {
        /// `pid`; 0 where the sender is not visible.
        pid: u32,
        /// `uid`.
        uid: u32,
    },
    /// The owner of a file; 0 where it is not visible.
    Owner {
        /// Its number.
        pid: u32,
    },
    /// What a pidfd says of its process.
    PidfdInfo {
        /// `pid`.
        pid: u32,
        /// `tgid`.
        tgid: u32,
        /// `ppid`; 0 where the parent is not visible.
        ppid: u32,
        /// Which parts of the answer the kernel says that it has filled in: of the bits `PIDFD_INFO_PID` (1), `PIDFD_INFO_CREDS` (2) and
        /// `PIDFD_INFO_EXIT` (8). The others say how the kernel was built, or are newer.
        mask: u32,
    },
    /// How the process of a pidfd ended.
    PidfdExit {
        /// As for `PidfdInfo`.
        mask: u32,
        /// Its status; `None` before it is reaped.
        status: Option<WaitStatus>,
    },
    /// A procfs of another namespace.
    Procfs {
        /// The numbers in its listing, in order.
        listing: Vec<u32>,
        /// The number that its link `self` leads the caller to; 0 where the caller has none there.
        myself: u32,
    },
    /// Where a clone has the TID of whom it makes written; 0 where nothing stands.
    TidWords {
        /// Where `CLONE_PARENT_SETTID` writes.
        parent_tid: u32,
        /// Where `CLONE_CHILD_SETTID` writes, and `CLONE_CHILD_CLEARTID`.
        child_tid: u32,
    },
    /// The caller's own links in a procfs.
    Myself {
        /// The number that `self` leads to.
        myself: u32,
        /// The last number of where `thread-self` leads to.
        thread: u32,
    },
    /// The last field of `/proc/loadavg`.
    LastPid(i64),
}

/// What a wait says of a child (wait(2), the `W…` macros).
///
/// Exhaustive on purpose: whoever shows or compares what was observed knows each, and the compiler says where a new one is missing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum WaitStatus {
    /// Ended by itself, with this status (0 to 255).
    Exited(u8),
    /// Killed by this signal.
    Killed(Signal),
    /// Stopped by this signal.
    Stopped(Signal),
    /// Continued.
    Continued,
}

/// A call that had blocked and now returned.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Returned {
    /// Whose call.
    pub by: Role,
    /// Which call.
    pub call: CallName,
    /// What it gave.
    pub outcome: Outcome,
}

/// One process as it stands after a step, or one thread that is not the leader of its process.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct ProcessView {
    /// Which process or thread.
    pub role: Role,
    /// For a thread that is not the leader of its process: the role that stands for the process.
    pub thread_of: Option<Role>,
    /// What it is doing.
    pub state: State,
    /// Its numbers, from the scenario's outermost namespace inward; the last is its own getpid(2).
    pub pids: Vec<u32>,
    /// The namespaces of those numbers, in the same order: `namespaces[0]` is the scenario's outermost, the last is
    /// its own.
    pub namespaces: Vec<NamespaceId>,
    /// Its real parent, which is a process, whichever of its threads made it; `None` outside the scenario.
    pub parent: Option<Role>,
    /// Its parent's number as the process itself sees it, 0 where not visible (getppid(2)).
    pub ppid: u32,
    /// Its process group as the process itself sees it, 0 where not visible (getpgrp(2)).
    pub pgid: u32,
    /// Its session as the process itself sees it, 0 where not visible (getsid(2)).
    pub sid: u32,
    /// The thread that traces it, if one does.
    pub tracer: Option<Role>,
    /// The signals that its handlers received since the last step, in order.
    pub handled: Vec<Handled>,
}

/// A PID namespace of a run: 0 is the scenario's outermost, then 1, 2, … in the order in which an observation first
/// shows a process with a number there (processes by role, each from its outermost namespace inward).
///
/// It stands for the identity of the namespace (in the kernel: the inode of `/proc/PID/ns/pid`), so that two machines
/// can be compared on which namespace a process is in, and not only on its numbers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct NamespaceId(pub u16);

/// A signal that a handler received.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Handled {
    /// Which signal.
    pub signal: Signal,
    /// The sender's number as `siginfo_t` gives it (sigaction(2), `si_pid`).
    pub si_pid: u32,
    /// What a SIGCHLD that the kernel sent says of the child (`si_code` and `si_status`).
    pub child: Option<ChildStatus>,
}

/// What a SIGCHLD says of a child (sigaction(2), `si_code` and `si_status`). It can say one thing that no wait does: a SIGCONT in the
/// middle of a stop of several threads is told as a stop by 0 (kernel/signal.c, `prepare_signal`, `do_notify_parent_cldstop`).
///
/// Exhaustive on purpose: whoever shows or compares what was observed knows each, and the compiler says where a new one is missing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum ChildStatus {
    /// Ended by itself, with this status (0 to 255).
    Exited(u8),
    /// Killed by this signal.
    Killed(Signal),
    /// Stopped by this signal; by 0 if there is none.
    Stopped(Option<Signal>),
    /// A tracee, held for this signal; for 0 if that was taken back.
    Trapped(Option<Signal>),
    /// Continued.
    Continued,
}

impl From<WaitStatus> for ChildStatus {
    fn from(status: WaitStatus) -> ChildStatus {
        match status {
            WaitStatus::Exited(status) => ChildStatus::Exited(status),
            WaitStatus::Killed(signal) => ChildStatus::Killed(signal),
            WaitStatus::Stopped(signal) => ChildStatus::Stopped(Some(signal)),
            WaitStatus::Continued => ChildStatus::Continued,
        }
    }
}

impl ChildStatus {
    /// The same as a wait says it, if one can.
    pub fn waited(self) -> Option<WaitStatus> {
        match self {
            ChildStatus::Exited(status) => Some(WaitStatus::Exited(status)),
            ChildStatus::Killed(signal) => Some(WaitStatus::Killed(signal)),
            // A wait says it in the same words, whoever stopped the child.
            ChildStatus::Stopped(signal) | ChildStatus::Trapped(signal) => signal.map(WaitStatus::Stopped),
            ChildStatus::Continued => Some(WaitStatus::Continued),
        }
    }
}

/// What a process is doing.
///
/// Exhaustive on purpose: whoever shows or compares what was observed knows each, and the compiler says where a new one is missing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Able to act.
    Running,
    /// Inside a call that has not returned.
    Blocked,
    /// Stopped by a signal.
    Stopped,
    /// Held by its tracer, for a signal or in a stop.
    Traced,
    /// Ended, not waited for.
    Zombie,
    /// An init that has ended and waits in the kernel's `zap_pid_ns_processes` for the last member of its namespace.
    Exiting,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            State::Running => "running",
            State::Blocked => "blocked",
            State::Stopped => "stopped",
            State::Traced => "traced",
            State::Zombie => "zombie",
            State::Exiting => "exiting",
        })
    }
}

impl fmt::Display for PollEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PollEvent::In => "POLLIN",
            PollEvent::Hup => "POLLHUP",
        })
    }
}

impl fmt::Display for ChildStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (*self, self.waited()) {
            (ChildStatus::Trapped(Some(signal)), _) => write!(f, "trapped by {signal}"),
            (ChildStatus::Trapped(None), _) => f.write_str("trapped by 0"),
            (_, Some(status)) => status.fmt(f),
            (_, None) => f.write_str("stopped by 0"),
        }
    }
}

impl fmt::Display for WaitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WaitStatus::Exited(status) => write!(f, "exited with {status}"),
            WaitStatus::Killed(signal) => write!(f, "killed by {signal}"),
            WaitStatus::Stopped(signal) => write!(f, "stopped by {signal}"),
            WaitStatus::Continued => f.write_str("continued"),
        }
    }
}
