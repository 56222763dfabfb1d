//! The system calls, with what they are given.

use serde::{Deserialize, Serialize};

use super::look::Look;
use super::who::Pidfd;
use crate::{
    Capability, CloneFlags, Keeper, MaskChange, NamespaceTypes, NsLink, PidfdFlags, RebootHow, Role, SeccompScope,
    SetnsVia, SigCode, Signal, SignalAction, Sysctl, WaitOptions,
};

/// One system call, with all its arguments. A number is one of the caller's PID namespace.
///
/// Roles are left only where no number can stand for a process: a new one, and one that is held by a pidfd or a file.
///
/// Exhaustive on purpose: a machine that runs scenarios knows what each of them is, and the compiler says where a new one is missing.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Syscall {
    /// clone3(2); also what fork(2) and vfork(2) come to.
    Clone3 {
        /// The new process or thread.
        child: Role,
        /// Its flags.
        flags: CloneFlags,
        /// What the parent gets when the child ends; `None` is 0.
        exit_signal: Option<Signal>,
        /// The numbers asked for, innermost namespace first.
        set_tid: Vec<i32>,
    },
    /// clone3(2) that fails at its very end, with numbers already given out: there is nowhere to write its pidfd.
    FailedClone3,
    /// exit_group(2).
    ExitGroup {
        /// Its low eight bits are what wait(2) reports.
        status: i32,
    },
    /// exit(2), which ends the calling thread alone.
    Exit {
        /// As for the whole process.
        status: i32,
    },
    /// execve(2), of the program that every process runs.
    Execve,
    /// The calls of abort(3): `SIGABRT` unblocked and raised; raised again with its default action; an instruction that traps.
    Abort,
    /// No call: an access to memory that is not there.
    Fault,
    /// write(2) into a pipe that nobody reads any more.
    BrokenPipe,
    /// seccomp(2), and a call that its filter kills for.
    SeccompKill {
        /// Whom it kills.
        scope: SeccompScope,
    },
    /// wait4(2).
    Wait4 {
        /// As there: a number, 0 for the own group, -1 for any, `-g` for a group.
        pid: i32,
        /// Its options.
        options: WaitOptions,
    },
    /// waitid(2).
    Waitid {
        /// Which children.
        id: WaitId,
        /// Its options, `WEXITED` too only if it is here.
        options: WaitOptions,
    },
    /// kill(2).
    Kill {
        /// As there: a number, 0 for the own group, -1 for everybody, `-g` for a group.
        pid: i32,
        /// `None` is 0.
        signal: Option<Signal>,
    },
    /// tgkill(2).
    Tgkill {
        /// The process of which the thread must be one.
        tgid: i32,
        /// The thread.
        tid: i32,
        /// `None` is 0.
        signal: Option<Signal>,
    },
    /// tkill(2).
    Tkill {
        /// The thread.
        tid: i32,
        /// `None` is 0.
        signal: Option<Signal>,
    },
    /// rt_tgsigqueueinfo(2).
    RtTgsigqueueinfo {
        /// The process of which the thread must be one.
        tgid: i32,
        /// The thread.
        tid: i32,
        /// `None` is 0.
        signal: Option<Signal>,
        /// The number that is given for the sender.
        si_pid: u32,
        /// What the signal is said to come from.
        si_code: SigCode,
    },
    /// rt_sigqueueinfo(2).
    RtSigqueueinfo {
        /// The process.
        pid: i32,
        /// `None` is 0.
        signal: Option<Signal>,
        /// The number that is given for the sender.
        si_pid: u32,
        /// What the signal is said to come from.
        si_code: SigCode,
    },
    /// pidfd_open(2) of a process; the pidfd is closed again.
    PidfdOpen {
        /// The process.
        pid: i32,
        /// Its flags.
        flags: PidfdFlags,
    },
    /// pidfd_send_signal(2).
    PidfdSendSignal {
        /// To whom.
        pidfd: Pidfd,
        /// `None` is 0.
        signal: Option<Signal>,
        /// Its flags.
        flags: PidfdFlags,
    },
    /// poll(2) of a pidfd, without waiting.
    PidfdPoll(Pidfd),
    /// unshare(2).
    Unshare {
        /// `CLONE_NEWPID`, `CLONE_NEWUSER`, or both.
        flags: CloneFlags,
    },
    /// setns(2).
    Setns {
        /// Whose namespace.
        to: Role,
        /// By which file of that process.
        via: SetnsVia,
        /// What it is told to join; nothing is 0.
        nstype: NamespaceTypes,
    },
    /// setns(2) by a pidfd.
    SetnsPidfd {
        /// Of which process.
        pidfd: Pidfd,
        /// To the namespace of its next child (ioctl_pidfd(2), `PIDFD_GET_PID_FOR_CHILDREN_NAMESPACE`), not its own.
        for_children: bool,
        /// What it is told to join; nothing is 0.
        nstype: NamespaceTypes,
    },
    /// setns(2) to the namespace that is kept open under the name of a process.
    SetnsKept {
        /// Of this one.
        of: Role,
        /// What it is told to join; nothing is 0.
        nstype: NamespaceTypes,
    },
    /// open(2) of a namespace file, kept open under the name of its process.
    OpenNs {
        /// Of this one.
        of: Role,
        /// Which file.
        link: NsLink,
        /// By a file descriptor, or a bind mount.
        keep: Keeper,
    },
    /// close(2) of the namespace that is kept open under the name of a process.
    CloseNs {
        /// Of this one.
        of: Role,
    },
    /// close(2) of the pidfd that a clone with `CLONE_PIDFD_AUTOKILL` gave.
    ClosePidfd {
        /// Of whom.
        of: Role,
    },
    /// mq_notify(2), on the caller's own message queue, which is made if there is none.
    MqNotify {
        /// `None` is a null pointer.
        signal: Option<Signal>,
    },
    /// mq_timedsend(2), and mq_timedreceive(2) of what was sent.
    MqTimedsend {
        /// Who has made the queue.
        to: Role,
    },
    /// prctl(2), `PR_SET_CHILD_SUBREAPER`.
    PrctlSetChildSubreaper {
        /// Set or cleared.
        on: bool,
    },
    /// prctl(2), `PR_GET_CHILD_SUBREAPER`.
    PrctlGetChildSubreaper,
    /// prctl(2), `PR_SET_PDEATHSIG`.
    PrctlSetPdeathsig {
        /// `None` clears it.
        signal: Option<Signal>,
    },
    /// prctl(2), `PR_GET_PDEATHSIG`.
    PrctlGetPdeathsig,
    /// ptrace(2).
    Ptrace {
        /// What is asked for.
        request: PtraceRequest,
        /// The tracee.
        pid: i32,
    },
    /// setuid(2).
    Setuid {
        /// 0 or [`ANOTHER_USER`](crate::ANOTHER_USER).
        uid: u32,
    },
    /// capset(2), with one capability less than the caller has.
    CapsetWithout {
        /// That one.
        capability: Capability,
    },
    /// rt_sigaction(2).
    RtSigaction {
        /// For which signal.
        signal: Signal,
        /// What happens with it.
        action: SignalAction,
    },
    /// rt_sigprocmask(2).
    RtSigprocmask {
        /// Block or unblock.
        how: MaskChange,
        /// Which signal.
        signal: Signal,
    },
    /// rt_sigpending(2).
    RtSigpending,
    /// rt_sigtimedwait(2).
    RtSigtimedwait {
        /// Which signals it takes.
        signals: Vec<Signal>,
        /// For ever, or not at all.
        waits: bool,
    },
    /// read(2) of a new signalfd(2) that does not wait.
    SignalfdRead {
        /// Which signals it takes.
        signals: Vec<Signal>,
    },
    /// setsid(2).
    Setsid,
    /// setpgid(2).
    Setpgid {
        /// Which process; 0 is the caller.
        pid: i32,
        /// Into which group; 0 is the process's own number.
        pgid: i32,
    },
    /// getpgid(2).
    Getpgid {
        /// Which process; 0 is the caller.
        pid: i32,
    },
    /// getsid(2).
    Getsid {
        /// Which process; 0 is the caller.
        pid: i32,
    },
    /// getpid(2).
    Getpid,
    /// gettid(2).
    Gettid,
    /// getppid(2).
    Getppid,
    /// read(2) or write(2) of a file below `/proc/sys`.
    Sysctl {
        /// Which file.
        name: Sysctl,
        /// The value written; `None` reads.
        write: Option<i64>,
    },
    /// reboot(2).
    Reboot {
        /// What is asked for.
        how: RebootHow,
    },
    /// The calls by which a process looks at others.
    Look(Look),
}

/// Which children waitid(2) is for.
///
/// Exhaustive on purpose: a machine that runs scenarios knows what each of them is, and the compiler says where a new one is missing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum WaitId {
    /// `P_ALL`.
    All,
    /// `P_PID`.
    Pid(i32),
    /// `P_PGID`; 0 is the caller's own group.
    Pgid(i32),
    /// `P_PIDFD`, with the pidfd that has been held since this process was born.
    Pidfd(Role),
}

/// What ptrace(2) is asked for.
///
/// Exhaustive on purpose: a machine that runs scenarios knows what each of them is, and the compiler says where a new one is missing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum PtraceRequest {
    /// `PTRACE_SEIZE`.
    Seize {
        /// `PTRACE_O_EXITKILL`.
        exitkill: bool,
    },
    /// `PTRACE_ATTACH`.
    Attach,
    /// `PTRACE_CONT`, with this signal; `None` is 0.
    Cont(Option<Signal>),
    /// `PTRACE_DETACH`, with this signal; `None` is 0.
    Detach(Option<Signal>),
}

impl PtraceRequest {
    /// Whether it makes the caller a tracer.
    pub fn attaches(self) -> bool {
        matches!(self, PtraceRequest::Seize { .. } | PtraceRequest::Attach)
    }
}

impl Syscall {
    /// The process or thread that it makes, if it is one that does.
    pub fn child(&self) -> Option<Role> {
        match self {
            Syscall::Clone3 { child, .. } => Some(*child),
            _ => None,
        }
    }

    /// Who has to act before the caller can make this call: the sender of the message that it receives. [`lower`](super::lower) makes sure
    /// that it can.
    pub fn speaker(&self) -> Option<Role> {
        match self {
            Syscall::Look(look) => look.speaker(),
            _ => None,
        }
    }

    /// Whether the caller sleeps until the child has ended or runs another program.
    pub fn is_vfork(&self) -> bool {
        matches!(self, Syscall::Clone3 { flags, .. } if flags.contains(CloneFlags::CLONE_VFORK))
    }

    /// Whether it asks for ended, stopped or continued children.
    pub fn is_wait(&self) -> bool {
        matches!(self, Syscall::Wait4 { .. } | Syscall::Waitid { .. })
    }

    /// Whether it can sleep until somebody else does something, in a sleep that signals end.
    pub fn may_sleep(&self) -> bool {
        self.is_wait() || matches!(self, Syscall::RtSigtimedwait { waits: true, .. })
    }

    /// Whether it is a look through a procfs that the caller has to mount.
    pub fn mounts_procfs(&self) -> bool {
        matches!(self, Syscall::Look(look) if look.mounts_procfs())
    }
}
