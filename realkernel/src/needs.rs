//! What a system call of a scenario needs of the place where it is made: without it, its answer would tell of that place and not of
//! the kernel, or the runner could not see what came of it.

use pidlab_scenario::syscall::{Look, Pidfd, Syscall};
use pidlab_scenario::{Keeper, NsLink, Signal};

use crate::probe::RefusedCalls;
use crate::surroundings::{self, Capabilities};
use crate::trouble::Unavailable;

/// What the place allows.
#[derive(Clone, Debug)]
pub(crate) struct Allowed {
    /// The conductor's, and so those of the processes of scenarios.
    pub(crate) capabilities: Capabilities,
    pub(crate) refused: RefusedCalls,
    /// Whether a signal that is sent can take its information along.
    pub(crate) signals_can_queue: bool,
    /// Whether names of message queues are the lab's own.
    pub(crate) in_own_ipc_namespace: bool,
}

impl Allowed {
    /// What is lacking for a call, where there are, or were, processes of another user or not; nothing if it can be made.
    pub(crate) fn lacks(&self, syscall: &Syscall, several_users: bool) -> Option<Unavailable> {
        if let Some(name) = calls(syscall).iter().find(|name| self.refused.has(name)) {
            // Without the capability for it the call is refused, too.
            return Some(self.without_capability(syscall, several_users).unwrap_or_else(|| filtered(name)));
        }
        if matches!(syscall, Syscall::MqNotify { .. }) && !self.in_own_ipc_namespace {
            return Some(Unavailable::new(
                "this kernel has no IPC namespaces: a message queue would have its name on the whole machine",
                "use a kernel that is built with CONFIG_IPC_NS",
            ));
        }
        // The same user's next program would have it back otherwise (security/commoncap.c, `cap_bprm_creds_from_file`).
        if matches!(syscall, Syscall::CapsetWithout { .. }) && surroundings::at_the_start().no_new_privileges {
            return Some(Unavailable::new(
                "no_new_privs is set here: a program that is started does not get back what its process has given up",
                "run without no_new_privs (docker without --security-opt no-new-privileges)",
            ));
        }
        if needs_queue(syscall) && !self.signals_can_queue {
            let here = surroundings::at_the_start().limit_in_words("RLIMIT_SIGPENDING");
            return Some(Unavailable::new(
                format!("signals cannot be queued here: {here}, and all processes of a user count"),
                "raise it (ulimit -i)",
            ));
        }
        self.without_capability(syscall, several_users)
    }

    fn without_capability(&self, syscall: &Syscall, several_users: bool) -> Option<Unavailable> {
        let (name, why) = match syscall {
            Syscall::Reboot { .. } => ("CAP_SYS_BOOT", "reboot(2) is refused without it"),
            Syscall::Setuid { .. } => {
                ("CAP_SYS_PTRACE", "without it the runner cannot see whether a process of another user is asleep")
            }
            // Who has fewer capabilities may not look into who has more (security/commoncap.c, `cap_ptrace_access_check`).
            Syscall::CapsetWithout { .. } => (
                "CAP_SYS_PTRACE",
                "without it a process that has given up a capability may not look into who has it, as root may",
            ),
            _ if sends_signal(syscall) && several_users => {
                ("CAP_KILL", "without it a process of another user cannot be sent a signal")
            }
            _ => return None,
        };
        let reason = || format!("{name} is lacking: {why}");
        let remedy = || format!("run with {name} (docker --cap-add), or where user namespaces are allowed");
        (!self.capabilities.has(name)).then(|| Unavailable::new(reason(), remedy()))
    }
}

/// What it takes to look into a process that has ended and whose memory was closed (kernel/ptrace.c, `task_still_dumpable`).
pub(crate) fn the_machines_root() -> Unavailable {
    Unavailable::new(
        "CAP_SYS_PTRACE over the machine is lacking: a process that has ended, and was closed, is closed to this program without it",
        "run as root outside user namespaces, with PID namespaces left to it (user.max_pid_namespaces)",
    )
}

/// What it takes to know whether a thread was in its new program already when its process ended, once all of that is waited for.
pub(crate) fn pidfds_that_tell_of_ends() -> Unavailable {
    Unavailable::new(
        "this kernel does not tell whether an exec by a thread came before the end of its process, which was waited for at once",
        "use Linux 6.15 or newer, where a pidfd tells of ends (PIDFD_INFO_EXIT)",
    )
}

/// A call that something else than the kernel answers.
pub(crate) fn filtered(name: &str) -> Unavailable {
    let here = surroundings::at_the_start();
    let by = if here.seccomp { "this process runs under a seccomp filter" } else { "something around this process" };
    Unavailable::new(
        format!("{by}{} the system call {name}", if here.seccomp { " that refuses" } else { " refuses" }),
        format!(
            "use a seccomp profile that lets {name} through (docker --security-opt seccomp=…), or run outside the sandbox"
        ),
    )
}

/// The system calls by which a process makes it, beside those without which nothing can run.
fn calls(syscall: &Syscall) -> &'static [&'static str] {
    const OPENED: &[&str] = &["pidfd_open"];
    match syscall {
        // A new program has a table of files of its own, and a descriptor out of that comes through a pidfd.
        Syscall::Execve => &["execveat", "pidfd_open"],
        Syscall::Abort => &["tgkill", "getpid", "gettid"],
        Syscall::BrokenPipe => &["pipe2"],
        Syscall::Wait4 { .. } => &["wait4"],
        Syscall::Tgkill { .. } => &["tgkill"],
        Syscall::Tkill { .. } => &["tkill"],
        Syscall::RtSigqueueinfo { .. } => &["rt_sigqueueinfo"],
        Syscall::RtTgsigqueueinfo { .. } => &["rt_tgsigqueueinfo"],
        Syscall::SignalfdRead { .. } => &["signalfd4"],
        Syscall::CapsetWithout { .. } => &["capset"],
        Syscall::SetnsPidfd { pidfd: Pidfd::Opened(_), .. } | Syscall::SetnsPidfd { for_children: true, .. } => {
            &["setns", "pidfd_open"]
        }
        Syscall::MqNotify { .. } => &["mq_open", "mq_notify"],
        Syscall::MqTimedsend { .. } => &["mq_timedsend"],
        Syscall::OpenNs { keep: Keeper::Mount, .. } => &["open_tree"],
        Syscall::OpenNs { link: NsLink::PidfdForChildren, .. } => OPENED,
        Syscall::SetnsPidfd { .. } | Syscall::SetnsKept { .. } => &["setns"],
        Syscall::PidfdOpen { .. } | Syscall::PidfdSendSignal { pidfd: Pidfd::Opened(_), .. } => OPENED,
        Syscall::PidfdPoll(Pidfd::Opened(_)) => &["ppoll", "pidfd_open"],
        Syscall::PidfdPoll(Pidfd::Held(_)) => &["ppoll"],
        Syscall::Setns { .. } => &["setns"],
        Syscall::Ptrace { .. } => &["ptrace"],
        Syscall::SeccompKill { .. } => &["seccomp"],
        Syscall::Setuid { .. } => &["setuid", "setresuid"],
        Syscall::RtSigpending => &["rt_sigpending"],
        Syscall::Getpgid { .. } => &["getpgid"],
        Syscall::Getsid { .. } => &["getsid"],
        Syscall::Getpid => &["getpid"],
        Syscall::Gettid => &["gettid"],
        Syscall::Getppid => &["getppid"],
        Syscall::Reboot { .. } => &["reboot"],
        Syscall::Look(look) => look_calls(look, syscall.mounts_procfs()),
        _ => &[],
    }
}

fn look_calls(look: &Look, mounts_procfs: bool) -> &'static [&'static str] {
    match look {
        Look::Fdinfo(_) => &["fsopen", "fsconfig", "fsmount", "pidfd_open"],
        Look::TheirProcfs(_) | Look::Myself => &["fsopen", "fsconfig", "fsmount", "readlinkat"],
        _ if mounts_procfs => &["fsopen", "fsconfig", "fsmount"],
        Look::PidfdInfo(_) | Look::PidfdExit(_) => &["pidfd_open"],
        Look::NsFile(_) | Look::NsParentFile(_) | Look::NsOwner(_) | Look::UserNsParent(_) => &["fstat"],
        Look::Peercred(_) => &["socketpair", "getsockopt", "getpid"],
        Look::FileOwner(_) => &["socketpair", "getpid"],
        _ => &[],
    }
}

/// Whether the information of a signal of this call counts for `RLIMIT_SIGPENDING` (kernel/signal.c, `__send_signal_locked`): of a
/// real-time signal always, of others unless the kernel or kill(2)
/// made it: that of tgkill(2) is not among those.
fn needs_queue(syscall: &Syscall) -> bool {
    let real_time = |signal: &Option<Signal>| signal.is_some_and(|signal| signal.number() >= 32);
    match syscall {
        Syscall::RtSigqueueinfo { .. } | Syscall::RtTgsigqueueinfo { .. } => true,
        Syscall::Tgkill { .. } | Syscall::Tkill { .. } | Syscall::Abort => true,
        // Whichever it asked for.
        Syscall::MqTimedsend { .. } => true,
        Syscall::Kill { signal, .. } | Syscall::PidfdSendSignal { signal, .. } => real_time(signal),
        // What a child's end, or a parent's, sends.
        Syscall::Clone3 { exit_signal: signal, .. } | Syscall::PrctlSetPdeathsig { signal } => real_time(signal),
        _ => false,
    }
}

fn sends_signal(syscall: &Syscall) -> bool {
    matches!(
        syscall,
        Syscall::Kill { .. }
            | Syscall::Tgkill { .. }
            | Syscall::Tkill { .. }
            | Syscall::RtSigqueueinfo { .. }
            | Syscall::RtTgsigqueueinfo { .. }
            | Syscall::PidfdSendSignal { .. }
            | Syscall::Look(Look::PidfdSignal(_))
    )
}
