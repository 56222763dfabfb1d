//! The one place where a step gets its meaning.

use super::kinds::{PtraceRequest, Syscall, WaitId};
use super::look::{Look, Subject};
use super::roles::Roles;
use super::who::{LookedAt, Pidfd};
use crate::{
    ANOTHER_USER, Call, CloneFlags, Entrance, ExitSignal, Fact, Keeper, KillTarget, LookVia, NamespaceTypes, NsLink,
    PidfdTarget, Refusal, Role, SetnsVia, Signal, State, Step, Sysctl, Target, Unmodelled, WaitOptions, WaitTarget,
};

/// More numbers than this in `set_tid` the kernel refuses itself (include/linux/pid_namespace.h, `MAX_PID_NS_LEVEL`).
const MAX_PID_NS_LEVEL: usize = 32;

/// Flags of clone3(2) with which it takes no exit signal.
const WITHOUT_EXIT_SIGNAL: CloneFlags =
    CloneFlags::CLONE_PARENT.union(CloneFlags::CLONE_THREAD).union(CloneFlags::CLONE_AUTOREAP);

/// The system call that a step is, for who can act now.
///
/// # Errors
/// The step cannot be taken: its caller cannot act, it names who is not there to be named, or it asks for what no machine gives.
pub fn lower(step: &Step, roles: &impl Roles) -> Result<Syscall, Refusal> {
    let lowering = Lowering { step, roles };
    lowering.acts(step.by)?;
    let syscall = lowering.syscall()?;
    if let Some(speaker) = syscall.speaker() {
        lowering.acts(speaker)?;
    }
    Ok(syscall)
}

struct Lowering<'a, R> {
    step: &'a Step,
    roles: &'a R,
}

impl<R: Roles> Lowering<'_, R> {
    fn syscall(&self) -> Result<Syscall, Refusal> {
        Ok(match &self.step.call {
            Call::Fork { child } => self.clone3(*child, CloneFlags::empty(), ExitSignal::Default, &[])?,
            Call::Vfork { child } => {
                self.clone3(*child, CloneFlags::CLONE_VM | CloneFlags::CLONE_VFORK, ExitSignal::Default, &[])?
            }
            Call::Clone { child, flags, exit_signal, set_tid } => self.clone3(*child, *flags, *exit_signal, set_tid)?,
            Call::FailedFork => Syscall::FailedClone3,
            Call::Exit { status } => Syscall::ExitGroup { status: *status },
            Call::ExitThread { status } => Syscall::Exit { status: *status },
            Call::Exec if !self.roles.is_root(self.step.by) && !self.roles.is_recorded() => {
                return Err(self.not_modelled(Unmodelled::ExecByAnotherUser));
            }
            Call::Exec | Call::Abort | Call::Fault if self.roles.is_traced(self.step.by) => {
                return Err(self.not_modelled(Unmodelled::ByTracee));
            }
            Call::Exec => Syscall::Execve,
            Call::Abort => Syscall::Abort,
            Call::Fault => Syscall::Fault,
            Call::BrokenPipe => Syscall::BrokenPipe,
            Call::SeccompKill { scope } => Syscall::SeccompKill { scope: *scope },
            Call::Wait { target, options } => self.wait(*target, *options)?,
            Call::Waitid { target, options } => Syscall::Waitid { id: self.wait_id(*target)?, options: *options },
            Call::Kill { target, signal } => Syscall::Kill { pid: self.receivers(*target)?, signal: *signal },
            Call::Tgkill { pid, signal, tgid } => {
                let tid = self.number(*pid)?;
                Syscall::Tgkill { tgid: self.process_number(tgid.unwrap_or(*pid))?, tid, signal: *signal }
            }
            Call::Tkill { pid, signal } => Syscall::Tkill { tid: self.number(*pid)?, signal: *signal },
            Call::Sigqueue { pid, signal, si_pid, si_code } => {
                Syscall::RtSigqueueinfo { pid: self.number(*pid)?, signal: *signal, si_pid: *si_pid, si_code: *si_code }
            }
            Call::Tgsigqueueinfo { pid, signal, si_pid, si_code, tgid } => {
                let tid = self.number(*pid)?;
                let tgid = self.process_number(tgid.unwrap_or(*pid))?;
                Syscall::RtTgsigqueueinfo { tgid, tid, signal: *signal, si_pid: *si_pid, si_code: *si_code }
            }
            Call::PidfdOpen { pid, flags } => Syscall::PidfdOpen { pid: self.number(*pid)?, flags: *flags },
            Call::PidfdSendSignal { of, signal, flags } => {
                let pidfd = match of {
                    PidfdTarget::Directory(role) => Pidfd::Directory(self.born(*role)?),
                    of => self.pidfd(*of)?,
                };
                Syscall::PidfdSendSignal { pidfd, signal: *signal, flags: *flags }
            }
            Call::PidfdPoll { of } => Syscall::PidfdPoll(self.pidfd(*of)?),
            Call::Unshare { flags } => self.unshare(*flags)?,
            Call::Setns { to, via, nstype } => self.setns(*to, *via, *nstype)?,
            Call::OpenNs { of, via: NsLink::PidfdForChildren, keep: Keeper::Mount } => {
                self.born(*of)?;
                return Err(self.not_modelled(Unmodelled::KeptByFile));
            }
            Call::OpenNs { of, via, keep } => {
                let of = if *via == NsLink::PidfdForChildren { self.held(*of)? } else { self.born(*of)? };
                Syscall::OpenNs { of, link: *via, keep: *keep }
            }
            Call::CloseNs { of } => Syscall::CloseNs { of: self.born(*of)? },
            Call::ClosePidfd { of } => Syscall::ClosePidfd { of: self.born(*of)? },
            Call::MqNotify { signal } => Syscall::MqNotify { signal: *signal },
            Call::MqSend { to } => Syscall::MqTimedsend { to: self.born(*to)? },
            Call::SetChildSubreaper { on } => Syscall::PrctlSetChildSubreaper { on: *on },
            Call::GetChildSubreaper => Syscall::PrctlGetChildSubreaper,
            Call::SetPdeathsig { signal } => Syscall::PrctlSetPdeathsig { signal: *signal },
            Call::GetPdeathsig => Syscall::PrctlGetPdeathsig,
            Call::Sigaction { signal, action } => Syscall::RtSigaction { signal: *signal, action: *action },
            Call::Sigprocmask { how, signal } => Syscall::RtSigprocmask { how: *how, signal: *signal },
            Call::Sigpending => Syscall::RtSigpending,
            Call::Sigwait { signals } => Syscall::RtSigtimedwait { signals: signals.clone(), waits: true },
            Call::Sigtimedwait { signals } => Syscall::RtSigtimedwait { signals: signals.clone(), waits: false },
            Call::Signalfd { signals } => Syscall::SignalfdRead { signals: signals.clone() },
            Call::PtraceSeize { pid, exitkill } => self.ptrace(PtraceRequest::Seize { exitkill: *exitkill }, *pid)?,
            Call::PtraceAttach { pid } => self.ptrace(PtraceRequest::Attach, *pid)?,
            Call::PtraceCont { pid, signal } => self.ptrace(PtraceRequest::Cont(*signal), *pid)?,
            Call::PtraceDetach { pid, signal } => self.ptrace(PtraceRequest::Detach(*signal), *pid)?,
            Call::Setuid { uid: uid @ (0 | ANOTHER_USER) } => Syscall::Setuid { uid: *uid },
            Call::Setuid { uid } if self.roles.is_recorded() => Syscall::Setuid { uid: *uid },
            Call::Setuid { uid } => return Err(self.not_modelled(Unmodelled::User(*uid))),
            Call::Look { at, via } => Syscall::Look(self.look(*at, *via)?),
            Call::DropCapability { capability } => Syscall::CapsetWithout { capability: *capability },
            Call::Setsid => Syscall::Setsid,
            Call::Getpid => Syscall::Getpid,
            Call::Gettid => Syscall::Gettid,
            Call::Getppid => Syscall::Getppid,
            Call::Setpgid { pid, group } => Syscall::Setpgid { pid: self.number(*pid)?, pgid: self.number(*group)? },
            Call::Getpgid { pid } => Syscall::Getpgid { pid: self.number(*pid)? },
            Call::Getsid { pid } => Syscall::Getsid { pid: self.number(*pid)? },
            Call::Sysctl { name: Sysctl::MaxPidNamespaces, .. } if !self.roles.has_own_user_namespace(self.step.by) => {
                return Err(self.not_modelled(Unmodelled::MachinesPidNamespaceLimit));
            }
            Call::Sysctl { name, write } => Syscall::Sysctl { name: *name, write: *write },
            Call::Reboot { how } => Syscall::Reboot { how: *how },
        })
    }

    fn clone3(
        &self,
        child: Role,
        flags: CloneFlags,
        exit_signal: ExitSignal,
        set_tid: &[i32],
    ) -> Result<Syscall, Refusal> {
        if self.roles.is_born(child) {
            return Err(Refusal::BornTwice { role: child });
        }
        self.may_make_user_namespaces(flags)?;
        if flags.contains(CloneFlags::CLONE_VFORK | CloneFlags::CLONE_THREAD) {
            return Err(self.not_modelled(Unmodelled::VforkOfThread));
        }
        // Who sleeps in a vfork cannot give its copy of the pidfd away.
        if flags.contains(CloneFlags::CLONE_VFORK | CloneFlags::CLONE_PIDFD_AUTOKILL) {
            return Err(self.not_modelled(Unmodelled::Flags(CloneFlags::CLONE_PIDFD_AUTOKILL)));
        }
        if flags.contains(CloneFlags::CLONE_THREAD) && self.roles.is_traced(self.step.by) {
            return Err(self.not_modelled(Unmodelled::ThreadOfTracee));
        }
        if !set_tid.is_empty() {
            let levels =
                self.roles.levels_for_children(self.step.by) + usize::from(flags.contains(CloneFlags::CLONE_NEWPID));
            if (levels + 1..=MAX_PID_NS_LEVEL).contains(&set_tid.len()) {
                return Err(self.not_modelled(Unmodelled::SetTidOutside));
            }
        }
        let exit_signal = match exit_signal {
            ExitSignal::Signal(signal) => Some(signal),
            ExitSignal::None => None,
            // clone3(2) takes none with these.
            ExitSignal::Default if flags.intersects(WITHOUT_EXIT_SIGNAL) => None,
            ExitSignal::Default => Some(Signal::CHLD),
        };
        Ok(Syscall::Clone3 { child, flags, exit_signal, set_tid: set_tid.to_vec() })
    }

    fn ptrace(&self, request: PtraceRequest, target: Target) -> Result<Syscall, Refusal> {
        let pid = self.number(target)?;
        if request.attaches() && !self.roles.is_recorded() && self.roles.is_among_threads(self.step.by, pid) {
            return Err(self.not_modelled(Unmodelled::ThreadOfTracee));
        }
        Ok(Syscall::Ptrace { request, pid })
    }

    fn unshare(&self, flags: CloneFlags) -> Result<Syscall, Refusal> {
        let others = flags - (CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWUSER);
        if !others.is_empty() {
            return Err(self.not_modelled(Unmodelled::Flags(others)));
        }
        self.may_make_user_namespaces(flags)?;
        Ok(Syscall::Unshare { flags })
    }

    /// wait4(2) takes no pidfd: waitid(2) is asked for what it would report.
    fn wait(&self, target: WaitTarget, options: WaitOptions) -> Result<Syscall, Refusal> {
        let pid = match target {
            WaitTarget::Any => -1,
            WaitTarget::OwnGroup => 0,
            WaitTarget::Pid(target) => self.number(target)?,
            WaitTarget::Group(target) => self.number(target)?.wrapping_neg(),
            WaitTarget::Pidfd(_) => {
                return Ok(Syscall::Waitid { id: self.wait_id(target)?, options: options | WaitOptions::WEXITED });
            }
        };
        Ok(Syscall::Wait4 { pid, options })
    }

    fn wait_id(&self, target: WaitTarget) -> Result<WaitId, Refusal> {
        Ok(match target {
            WaitTarget::Any => WaitId::All,
            WaitTarget::OwnGroup => WaitId::Pgid(0),
            WaitTarget::Pid(target) => WaitId::Pid(self.number(target)?),
            WaitTarget::Group(target) => WaitId::Pgid(self.number(target)?),
            WaitTarget::Pidfd(child) => WaitId::Pidfd(self.held(child)?),
        })
    }

    /// kill(2)'s first argument.
    fn receivers(&self, target: KillTarget) -> Result<i32, Refusal> {
        match target {
            KillTarget::Pid(target) => self.number(target),
            KillTarget::Group(target) => Ok(self.number(target)?.wrapping_neg()),
        }
    }

    fn pidfd(&self, of: PidfdTarget) -> Result<Pidfd, Refusal> {
        Ok(match of {
            PidfdTarget::Held(role) => Pidfd::Held(self.held(role)?),
            PidfdTarget::Directory(_) => return Err(self.not_modelled(Unmodelled::DirectoryForPidfd)),
            PidfdTarget::Pid(target) => Pidfd::Opened(self.number(target)?),
        })
    }

    fn setns(&self, to: Entrance, via: SetnsVia, nstype: Option<NamespaceTypes>) -> Result<Syscall, Refusal> {
        if let Entrance::Kept(of) = to {
            if via != SetnsVia::NsPid {
                return Err(self.not_modelled(Unmodelled::KeptByFile));
            }
            return Ok(Syscall::SetnsKept { of: self.born(of)?, nstype: nstype.unwrap_or(NamespaceTypes::empty()) });
        }
        let nstype = nstype.unwrap_or(match via {
            SetnsVia::NsUser => NamespaceTypes::CLONE_NEWUSER,
            _ => NamespaceTypes::CLONE_NEWPID,
        });
        if via == SetnsVia::OtherKind && nstype.is_empty() {
            return Err(self.not_modelled(Unmodelled::OtherKindJoined));
        }
        let (pidfd, for_children) = match (to, via) {
            (Entrance::Process(role), SetnsVia::Pidfd) => (Pidfd::Held(self.held(role)?), false),
            (Entrance::Process(role), SetnsVia::PidfdForChildren) => (Pidfd::Held(self.held(role)?), true),
            (Entrance::Process(role), _) => {
                return Ok(Syscall::Setns { to: self.born(role)?, via, nstype });
            }
            // Absent it is `ns/pid`: the file that it names is the pidfd then.
            (Entrance::Pidfd(of), SetnsVia::Pidfd | SetnsVia::NsPid) => (self.pidfd(of)?, false),
            (Entrance::Pidfd(of), SetnsVia::PidfdForChildren) => (self.pidfd(of)?, true),
            (Entrance::Kept(_), _) => unreachable!("what is kept needs no process"),
            (Entrance::Pidfd(_), SetnsVia::PidForChildren | SetnsVia::NsUser | SetnsVia::OtherKind) => {
                return Err(self.not_modelled(Unmodelled::PidfdForFile));
            }
        };
        Ok(Syscall::SetnsPidfd { pidfd, for_children, nstype })
    }

    fn look(&self, at: PidfdTarget, via: LookVia) -> Result<Look, Refusal> {
        let caller = self.step.by;
        let at = if at == PidfdTarget::Pid(Target::Number(0)) { PidfdTarget::Pid(Target::Role(caller)) } else { at };
        let by_pidfd = Look::is_by_pidfd(via);
        let pidfd = if by_pidfd { Some(self.pidfd(at)?) } else { None };
        let (subject, lacks) = match at {
            PidfdTarget::Pid(Target::Role(role)) => {
                let number = self.roles.number(caller, self.born(role)?).unwrap_or(0);
                let whoever = Some(LookedAt::Role(role));
                (Subject { role: Some(role), whoever, number: Some(number), pidfd }, Unmodelled::NumberForProcess)
            }
            PidfdTarget::Pid(Target::Number(number)) => {
                let whoever = Some(LookedAt::Number(number));
                (Subject { role: None, whoever, number: Some(number), pidfd }, Unmodelled::NumberForProcess)
            }
            PidfdTarget::Held(_) | PidfdTarget::Directory(_) => {
                (Subject { role: None, whoever: None, number: None, pidfd }, Unmodelled::PidfdForFile)
            }
        };
        Look::through(via, &subject).ok_or_else(|| self.not_modelled(lacks))
    }

    /// The number that stands for a process in the call.
    fn number(&self, target: Target) -> Result<i32, Refusal> {
        self.number_by(target, R::number)
    }

    /// The number that stands for its process. A bare number is taken for one of a process.
    fn process_number(&self, target: Target) -> Result<i32, Refusal> {
        self.number_by(target, R::process_number)
    }

    fn number_by(&self, target: Target, number: fn(&R, Role, Role) -> Option<i32>) -> Result<i32, Refusal> {
        match target {
            Target::Number(number) => Ok(number),
            Target::Role(role) => {
                let caller = self.step.by;
                number(self.roles, caller, self.born(role)?).ok_or(Refusal::NoNumber { role, caller })
            }
        }
    }

    fn born(&self, role: Role) -> Result<Role, Refusal> {
        if self.roles.is_born(role) { Ok(role) } else { Err(Refusal::NotBorn { role }) }
    }

    /// Whose pidfd has been held since it was born: a process, and where the kernel has such pidfds, a thread.
    fn held(&self, role: Role) -> Result<Role, Refusal> {
        let (role, fact) = (self.born(role)?, Fact::PidfdThread);
        if self.roles.was_born_a_thread(role) && !self.roles.holds(fact) {
            return Err(Refusal::NeedsFact { call: self.step.call.name(), fact });
        }
        Ok(role)
    }

    fn acts(&self, role: Role) -> Result<(), Refusal> {
        match self.roles.state(self.born(role)?) {
            Some(State::Running) => Ok(()),
            state => Err(Refusal::CannotAct { role, state }),
        }
    }

    fn may_make_user_namespaces(&self, flags: CloneFlags) -> Result<(), Refusal> {
        let fact = Fact::UserNamespaces;
        if flags.contains(CloneFlags::CLONE_NEWUSER) && !self.roles.holds(fact) {
            return Err(Refusal::NeedsFact { call: self.step.call.name(), fact });
        }
        Ok(())
    }

    fn not_modelled(&self, what: Unmodelled) -> Refusal {
        Refusal::NotModelled { call: self.step.call.name(), what }
    }
}
