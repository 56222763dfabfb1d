//! From a system call to the command that an agent gets.

use std::io;
use std::os::fd::OwnedFd;

use pidlab_scenario::syscall::{Pidfd, PtraceRequest, Syscall, WaitId};
use pidlab_scenario::{
    Capability, CloneFlags, Harm, Keeper, MaskChange, NamespaceTypes, NsLink, RebootHow, Refusal, Role, SeccompScope,
    SetnsVia, SigCode, Signal, SignalAction, Sysctl, WaitOptions,
};

use crate::agent::Operation;
use crate::command::{Caller, Command, NOTHING};
use crate::program;
use crate::sys::arena::LEVELS;
use crate::sys::sockets;

/// Makes commands for the system calls of one process.
pub(crate) struct Translator<'a> {
    pub(crate) caller: Caller<'a>,
    /// `CLONE_VM` where agents share their memory, else nothing.
    pub(crate) sharing: u64,
    /// Whether writing `pid_max` changes the writer's namespace, and not the whole machine.
    pub(crate) pid_max_is_local: bool,
}

impl Translator<'_> {
    /// The command for a system call.
    ///
    /// # Errors
    /// The call would harm the machine, or is about a pidfd that this kernel does not give.
    pub(crate) fn command(&self, syscall: &Syscall) -> Result<Command, Refusal> {
        use Syscall as S;
        let bare = |operation| Command::new(operation, &[]);
        let plain = |number, arguments: &[i32]| {
            let arguments: Vec<i64> = arguments.iter().map(|argument| i64::from(*argument)).collect();
            Command::plain(number, &arguments)
        };
        Ok(match syscall {
            S::Clone3 { child, flags, exit_signal, set_tid } => self.clone3(*child, *flags, *exit_signal, set_tid),
            S::FailedClone3 => bare(Operation::FailedFork),
            S::ExitGroup { status } => Command::new(Operation::Exit, &[i64::from(*status)]),
            S::Exit { status } => Command::new(Operation::ExitThread, &[i64::from(*status)]),
            S::Execve => self.execve(),
            S::Abort => self.abort()?,
            S::Fault => bare(Operation::Fault),
            S::BrokenPipe => bare(Operation::BrokenPipe),
            S::SeccompKill { scope } => {
                // linux/seccomp.h: SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD
                let action = match scope {
                    SeccompScope::Process => 0x8000_0000,
                    SeccompScope::Thread => 0,
                };
                Command::new(Operation::SeccompKill, &[action])
            }
            S::Wait4 { pid, options } => Command::new(Operation::Wait4, &[i64::from(*pid), options.bits().into()]),
            S::Waitid { id, options } => self.waitid(*id, *options)?,
            S::Kill { pid, signal } => plain(libc::SYS_kill, &[*pid, number(*signal)]),
            S::Tgkill { tgid, tid, signal } => plain(libc::SYS_tgkill, &[*tgid, *tid, number(*signal)]),
            S::Tkill { tid, signal } => plain(libc::SYS_tkill, &[*tid, number(*signal)]),
            S::RtSigqueueinfo { pid, signal, si_pid, si_code } => {
                let arguments = [i64::from(*pid), number(*signal).into(), i64::from(*si_pid), code(*si_code)];
                Command::new(Operation::Sigqueue, &arguments)
            }
            S::RtTgsigqueueinfo { tgid, tid, signal, si_pid, si_code } => {
                let whom = [i64::from(*tid), number(*signal).into(), i64::from(*si_pid), code(*si_code)];
                Command::new(Operation::SigqueueThread, &[whom[0], whom[1], whom[2], whom[3], i64::from(*tgid)])
            }
            S::PidfdOpen { pid, flags } => Command::new(Operation::Pidfd, &[i64::from(*pid), flags.bits().into()]),
            S::PidfdSendSignal { pidfd: Pidfd::Directory(role), signal, flags } => {
                let process = self.caller.processes.get(*role).filter(|process| !process.gone);
                let mut command =
                    Command::new(Operation::DirectorySignal, &[number(*signal).into(), flags.bits().into()]);
                // Nobody has the number 0.
                command.text = format!("/proc/{}", process.map_or(0, |process| process.number));
                command
            }
            S::PidfdSendSignal { pidfd, signal, flags } => {
                let arguments = [number(*signal).into(), flags.bits().into()];
                self.caller.with_any_pidfd(Operation::PidfdSignal, *pidfd, &arguments)?
            }
            S::PidfdPoll(pidfd) => self.caller.pidfd_poll(*pidfd)?,
            S::Unshare { flags } => Command::plain(libc::SYS_unshare, &[flags.bits() as i64]),
            S::Setns { to, via, nstype } => self.setns(*to, *via, *nstype)?,
            S::SetnsPidfd { pidfd, for_children, nstype } => {
                let operation = if *for_children { Operation::SetnsForChildren } else { Operation::SetnsPidfd };
                self.caller.with_any_pidfd(operation, *pidfd, &[nstype.bits().into()])?
            }
            S::SetnsKept { of, nstype } => self.with_kept(Operation::SetnsKept, *of, &[nstype.bits().into()]),
            S::OpenNs { of, link, keep } => self.open_ns(*of, *link, *keep)?,
            S::CloseNs { of } => self.with_kept(Operation::CloseHanded, *of, &[]),
            S::ClosePidfd { of } => with_handed(Operation::CloseHanded, self.caller.processes.leash(*of), &[]),
            S::MqNotify { signal } => Command::new(Operation::MqNotify, &[number(*signal).into()]),
            S::MqTimedsend { to } => with_handed(Operation::MqSend, self.caller.processes.queue(*to), &[]),
            S::PrctlSetChildSubreaper { on } => plain(libc::SYS_prctl, &[libc::PR_SET_CHILD_SUBREAPER, i32::from(*on)]),
            S::PrctlGetChildSubreaper => Command::new(Operation::PrctlNumber, &[libc::PR_GET_CHILD_SUBREAPER.into()]),
            S::PrctlSetPdeathsig { signal } => plain(libc::SYS_prctl, &[libc::PR_SET_PDEATHSIG, number(*signal)]),
            S::PrctlGetPdeathsig => Command::new(Operation::PrctlNumber, &[libc::PR_GET_PDEATHSIG.into()]),
            S::Ptrace { request, pid } => ptrace(*request, *pid),
            S::Setuid { uid } => Command::plain(libc::SYS_setuid, &[i64::from(*uid)]),
            S::CapsetWithout { capability } => {
                // linux/capability.h
                let number = match capability {
                    Capability::Kill => 5,
                    Capability::SysAdmin => 21,
                    Capability::CheckpointRestore => 40,
                };
                Command::new(Operation::DropCapability, &[number])
            }
            S::RtSigaction { signal, action } => sigaction(*signal, *action),
            S::RtSigprocmask { how, signal } => sigprocmask(*how, *signal),
            S::RtSigpending => self.caller.sigpending(),
            S::RtSigtimedwait { signals, waits } => {
                Command::new(Operation::TakeSignal, &[set(signals), i64::from(*waits)])
            }
            S::SignalfdRead { signals } => Command::new(Operation::ReadSignal, &[set(signals)]),
            S::Setsid => plain(libc::SYS_setsid, &[]),
            S::Setpgid { pid, pgid } => self.setpgid(*pid, *pgid)?,
            S::Getpgid { pid } => plain(libc::SYS_getpgid, &[*pid]),
            S::Getsid { pid } => plain(libc::SYS_getsid, &[*pid]),
            S::Getpid => plain(libc::SYS_getpid, &[]),
            S::Gettid => plain(libc::SYS_gettid, &[]),
            S::Getppid => plain(libc::SYS_getppid, &[]),
            S::Sysctl { name, write } => self.sysctl(*name, *write)?,
            S::Reboot { how } => reboot(*how),
            S::Look(look) => self.caller.look(*look)?,
        })
    }

    fn clone3(&self, child: Role, flags: CloneFlags, exit_signal: Option<Signal>, set_tid: &[i32]) -> Command {
        let flags = (flags.bits() | self.sharing) as i64;
        let count = set_tid.len().min(LEVELS) as i64;
        let mut command =
            Command::new(Operation::Clone, &[flags, number(exit_signal).into(), i64::from(child.0), count]);
        command.numbers = set_tid.to_vec();
        command
    }

    fn execve(&self) -> Command {
        let mut command = Command::new(Operation::Exec, &[program::descriptor().into()]);
        command.text = program::environment(self.caller.by.0);
        command
    }

    fn abort(&self) -> Result<Command, Refusal> {
        if self.abort_is_endless() {
            return Err(self.harmful(Harm::EndlessAbort));
        }
        Ok(Command::new(Operation::Abort, &[]))
    }

    fn setpgid(&self, pid: i32, pgid: i32) -> Result<Command, Refusal> {
        if self.makes_undying(pid, pgid) {
            return Err(self.harmful(Harm::UndyingInit));
        }
        Ok(Command::plain(libc::SYS_setpgid, &[pid.into(), pgid.into()]))
    }

    fn sysctl(&self, name: Sysctl, write: Option<i64>) -> Result<Command, Refusal> {
        if name == Sysctl::PidMax && !self.pid_max_is_local {
            return Err(self.harmful(Harm::MachinesPidMax));
        }
        Ok(sysctl(name, write))
    }

    fn harmful(&self, harm: Harm) -> Refusal {
        Refusal::Harmful { call: self.caller.call, harm }
    }

    /// Whether a setpgid puts an init into a group that is led from inside its own namespace, or from one beside it. Such an init
    /// can wait for ever for a number that its own membership holds (kernel/pid_namespace.c, `zap_pid_ns_processes`), and with it
    /// all namespaces around it: it would outlive this program, and only a restart of the machine would remove it.
    fn makes_undying(&self, pid: i32, group: i32) -> bool {
        let Some(caller) = self.caller.processes.leader_of(self.caller.by) else { return false };
        // A number may have been another's before: a process is the one that lives, a group may be led by any that had it.
        let had = |number: i32| {
            let number = u32::try_from(number).ok();
            self.caller.processes.iter().filter(move |process| number.is_some() && process.number_for(caller) == number)
        };
        let init = if pid == 0 { Some(caller) } else { had(pid).find(|process| !process.gone) };
        let Some(init) = init.filter(|init| init.pids.last() == Some(&1) && group != 0) else { return false };
        // What setpgid(2) refuses anyhow does no harm.
        let allowed = init.role == caller.role || init.seen.parent == caller.number;
        let leads_session = init.seen.session == init.number;
        let traps = had(group).any(|leader| {
            let above = init.is_within(leader.namespace()) && init.namespace() != leader.namespace();
            let in_session = self.caller.processes.iter().any(|process| {
                !process.gone && process.seen.group == leader.number && process.seen.session == init.seen.session
            });
            leader.role != init.role && !above && in_session
        });
        traps && allowed && !leads_session
    }

    /// Whether the caller is an init that handles SIGSEGV: its handler returns to the instruction that traps, for ever.
    fn abort_is_endless(&self) -> bool {
        let process = self.caller.processes.leader_of(self.caller.by);
        process.is_some_and(|process| process.pids.last() == Some(&1) && process.handles(libc::SIGSEGV))
    }

    fn waitid(&self, id: WaitId, options: WaitOptions) -> Result<Command, Refusal> {
        let (kind, id) = match id {
            WaitId::All => (libc::P_ALL, 0),
            WaitId::Pid(pid) => (libc::P_PID, pid),
            WaitId::Pgid(pgid) => (libc::P_PGID, pgid),
            WaitId::Pidfd(role) if self.caller.has_own_files() => {
                let options = [sockets::handed_over_at().into(), 0, options.bits().into()];
                return self.caller.with_handed_pidfd(Operation::WaitidHanded, &options, role);
            }
            WaitId::Pidfd(role) => (libc::P_PIDFD, self.caller.pidfd(role)?),
        };
        Ok(Command::new(Operation::Waitid, &[kind.into(), id.into(), options.bits().into()]))
    }

    /// A command for what is kept open under the name of a process: the socket at which it is handed over comes first.
    fn with_kept(&self, operation: Operation, of: Role, arguments: &[i64]) -> Command {
        with_handed(operation, self.caller.processes.kept(of), arguments)
    }

    fn open_ns(&self, of: Role, link: NsLink, keep: Keeper) -> Result<Command, Refusal> {
        let file = match link {
            NsLink::PidfdForChildren => {
                return self.caller.with_any_pidfd(Operation::KeepForChildren, Pidfd::Held(of), &[]);
            }
            NsLink::Pid => "pid",
            NsLink::PidForChildren => "pid_for_children",
            NsLink::User => "user",
        };
        let process = self.caller.processes.get(of).ok_or(Refusal::NotBorn { role: of })?;
        let mut command = Command::new(Operation::KeepPath, &[i64::from(keep == Keeper::Mount)]);
        command.text = format!("/proc/{}/ns/{file}", process.number);
        Ok(command)
    }

    fn setns(&self, to: Role, via: SetnsVia, nstype: NamespaceTypes) -> Result<Command, Refusal> {
        let file = match via {
            SetnsVia::Pidfd | SetnsVia::PidfdForChildren => unreachable!("a pidfd is no file of a process"),
            SetnsVia::NsPid => "pid",
            SetnsVia::PidForChildren => "pid_for_children",
            SetnsVia::NsUser => "user",
            SetnsVia::OtherKind => "uts",
        };
        let process = self.caller.processes.get(to).ok_or(Refusal::NotBorn { role: to })?;
        let mut command = Command::new(Operation::SetnsPath, &[nstype.bits().into()]);
        command.text = format!("/proc/{}/ns/{file}", process.number);
        Ok(command)
    }
}

fn sigaction(signal: Signal, action: SignalAction) -> Command {
    let action = match action {
        SignalAction::Default => 0,
        SignalAction::Ignore => 1,
        SignalAction::Handle => 2,
        SignalAction::NoCldWait => 3,
        SignalAction::HandleRestart => 4,
    };
    Command::new(Operation::Sigaction, &[signal.number().into(), action])
}

fn sigprocmask(how: MaskChange, signal: Signal) -> Command {
    let how = match how {
        MaskChange::Block => libc::SIG_BLOCK,
        MaskChange::Unblock => libc::SIG_UNBLOCK,
    };
    Command::new(Operation::Sigprocmask, &[how.into(), signal.number().into()])
}

/// Reads a limit, or writes it.
pub(crate) fn sysctl(name: Sysctl, write: Option<i64>) -> Command {
    let mut command = match write {
        None => Command::new(Operation::ReadNumber, &[]),
        Some(value) => Command::new(Operation::WriteNumber, &[value]),
    };
    let folder = match name {
        Sysctl::NsLastPid | Sysctl::PidMax => "kernel",
        Sysctl::MaxPidNamespaces => "user",
    };
    command.text = format!("/proc/sys/{folder}/{}", name.word());
    command
}

/// reboot(2). Every agent is in a PID namespace that the runner made, where the call ends that namespace's init and nothing else;
/// the conductor makes sure of that before the first scenario (`Conductor::new`).
fn reboot(how: RebootHow) -> Command {
    let command = match how {
        RebootHow::Restart => libc::LINUX_REBOOT_CMD_RESTART,
        RebootHow::Halt => libc::LINUX_REBOOT_CMD_HALT,
        RebootHow::PowerOff => libc::LINUX_REBOOT_CMD_POWER_OFF,
    };
    let numbers = [libc::LINUX_REBOOT_MAGIC1, libc::LINUX_REBOOT_MAGIC2, command];
    Command::plain(libc::SYS_reboot, &numbers.map(|number| i64::from(number as u32)))
}

/// A command for a descriptor that the conductor has, or has not: the socket at which it is handed over comes first.
fn with_handed(operation: Operation, descriptor: Option<io::Result<OwnedFd>>, arguments: &[i64]) -> Command {
    let socket = if descriptor.is_some() { sockets::handed_over_at().into() } else { NOTHING };
    let mut command = Command::new(operation, &[&[socket], arguments].concat());
    command.descriptor = descriptor;
    command
}

fn ptrace(request: PtraceRequest, pid: i32) -> Command {
    let (request, data) = match request {
        PtraceRequest::Seize { exitkill } => (libc::PTRACE_SEIZE, if exitkill { libc::PTRACE_O_EXITKILL } else { 0 }),
        PtraceRequest::Attach => (libc::PTRACE_ATTACH, 0),
        PtraceRequest::Cont(signal) => (libc::PTRACE_CONT, number(signal)),
        PtraceRequest::Detach(signal) => (libc::PTRACE_DETACH, number(signal)),
    };
    Command::plain(libc::SYS_ptrace, &[i64::from(request), pid.into(), 0, data.into()])
}

fn number(signal: Option<Signal>) -> i32 {
    signal.map_or(0, |signal| i32::from(signal.number()))
}

/// `si_code` (sigaction(2)).
fn code(code: SigCode) -> i64 {
    i64::from(match code {
        SigCode::Queue => libc::SI_QUEUE,
        SigCode::User => libc::SI_USER,
        SigCode::Tkill => libc::SI_TKILL,
    })
}

/// The set of these signals: the lowest bit is signal 1.
fn set(signals: &[Signal]) -> i64 {
    signals.iter().fold(0, |set, signal| set | 1 << (signal.number() - 1))
}
