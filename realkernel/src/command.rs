//! From a scenario's call to the command that an agent gets, and from what came of it back to an outcome.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::Ordering;

use libc::c_long;
use pidlab_scenario::{
    ANOTHER_USER, Call, CallName, ChildStatus, CloneFlags, Errno, ExitSignal, KillTarget, MaskChange, Outcome,
    RebootHow, Refusal, Role, SetnsVia, Signal, SignalAction, Sysctl, Target, WaitOptions, WaitStatus, WaitTarget,
};

use crate::agent::Operation;
use crate::look;
use crate::processes::Processes;
use crate::program;
use crate::sys::arena::{LEVELS, Slot, TEXT};
use crate::sys::sockets;

/// A command for one agent.
#[derive(Debug)]
pub(crate) struct Command {
    operation: Operation,
    arguments: [i64; 5],
    pub(crate) text: String,
    numbers: Vec<i32>,
    /// A descriptor that the agent is handed.
    pub(crate) descriptor: Option<io::Result<OwnedFd>>,
}

impl Command {
    pub(crate) fn new(operation: Operation, arguments: &[i64]) -> Command {
        let mut all = [0; 5];
        all[..arguments.len()].copy_from_slice(arguments);
        Command { operation, arguments: all, text: String::new(), numbers: Vec::new(), descriptor: None }
    }

    /// A system call without pointers.
    pub(crate) fn plain(number: c_long, arguments: &[i64]) -> Command {
        let mut all = vec![number];
        all.extend(arguments);
        Command::new(Operation::Plain, &all)
    }

    /// Puts the command into an agent's slot. The agent must have done its last one.
    ///
    /// # Errors
    /// If its descriptor cannot be handed over.
    pub(crate) fn give(&self, slot: &Slot) -> Result<(), String> {
        look::hand_over(self.descriptor.as_ref())?;
        slot.operation.store(self.operation as u32, Ordering::Relaxed);
        for (argument, value) in slot.arguments.iter().zip(self.arguments) {
            argument.store(value, Ordering::Relaxed);
        }
        for (byte, value) in slot.text.iter().zip(self.text.bytes().chain([0]).take(TEXT)) {
            byte.store(value, Ordering::Relaxed);
        }
        for (number, value) in slot.numbers.iter().zip(&self.numbers) {
            number.store(*value, Ordering::Relaxed);
        }
        slot.command.fetch_add(1, Ordering::Release);
        crate::sys::raw::futex_wake(&slot.command);
        Ok(())
    }
}

/// Makes commands for the calls of one process.
pub(crate) struct Translator<'a> {
    pub(crate) processes: &'a Processes,
    pub(crate) by: Role,
    /// `CLONE_VM` where agents share their memory, else nothing.
    pub(crate) sharing: u64,
    /// Whether writing `pid_max` changes the writer's namespace, and not the whole machine.
    pub(crate) pid_max_is_local: bool,
}

impl Translator<'_> {
    /// The command for a call.
    ///
    /// # Errors
    /// A mistake of the scenario, or a call that this runner does not know.
    pub(crate) fn command(&self, call: &Call) -> Result<Command, Refusal> {
        let sigchld = i64::from(Signal::CHLD.number());
        Ok(match call {
            Call::Fork { child } => self.clone(*child, CloneFlags::empty(), sigchld, &[])?,
            Call::Vfork { child } => {
                self.clone(*child, CloneFlags::CLONE_VM | CloneFlags::CLONE_VFORK, sigchld, &[])?
            }
            Call::Clone { child, flags, exit_signal, set_tid } => {
                let without = CloneFlags::CLONE_PARENT | CloneFlags::CLONE_THREAD;
                let exit_signal = match exit_signal {
                    ExitSignal::Default if flags.intersects(without) => 0,
                    ExitSignal::Default => sigchld,
                    ExitSignal::None => 0,
                    ExitSignal::Signal(signal) => i64::from(signal.number()),
                };
                self.clone(*child, *flags, exit_signal, set_tid)?
            }
            Call::Exit { status } => Command::new(Operation::Exit, &[i64::from(*status)]),
            Call::ExitThread { status } => Command::new(Operation::ExitThread, &[i64::from(*status)]),
            Call::Wait { target: WaitTarget::Pidfd(role), options } => {
                self.waitid(WaitTarget::Pidfd(*role), *options | WaitOptions::WEXITED)?
            }
            Call::Wait { target, options } => self.wait4(*target, *options)?,
            Call::Waitid { target, options } => self.waitid(*target, *options)?,
            Call::Kill { target, signal } => {
                let pid = match target {
                    KillTarget::Pid(target) => self.target(*target)?,
                    KillTarget::Group(target) => self.target(*target)?.wrapping_neg(),
                };
                Command::plain(libc::SYS_kill, &[pid.into(), number(*signal)])
            }
            Call::Tgkill { pid, signal } => {
                let thread = self.target(*pid)?;
                let process = self.process_of(*pid, thread)?;
                Command::plain(libc::SYS_tgkill, &[process.into(), thread.into(), number(*signal)])
            }
            Call::PidfdSendSignal { pid, signal } => {
                Command::new(Operation::Pidfd, &[self.target(*pid)?.into(), number(*signal)])
            }
            Call::PidfdOpen { pid } => Command::new(Operation::Pidfd, &[self.target(*pid)?.into(), -1]),
            Call::Unshare { flags } => {
                only(call.name(), *flags, CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWUSER)?;
                Command::plain(libc::SYS_unshare, &[flags.bits() as i64])
            }
            Call::Setns { to, via } => self.setns(*to, *via)?,
            Call::SetChildSubreaper { on } => {
                let option = i64::from(libc::PR_SET_CHILD_SUBREAPER);
                Command::plain(libc::SYS_prctl, &[option, i64::from(*on)])
            }
            Call::SetPdeathsig { signal } => {
                Command::plain(libc::SYS_prctl, &[i64::from(libc::PR_SET_PDEATHSIG), number(*signal)])
            }
            Call::Sigaction { signal, action } => {
                let action = match action {
                    SignalAction::Default => 0,
                    SignalAction::Ignore => 1,
                    SignalAction::Handle => 2,
                    SignalAction::NoCldWait => 3,
                };
                Command::new(Operation::Sigaction, &[signal.number().into(), action])
            }
            Call::Sigprocmask { how, signal } => {
                let how = match how {
                    MaskChange::Block => libc::SIG_BLOCK,
                    MaskChange::Unblock => libc::SIG_UNBLOCK,
                };
                Command::new(Operation::Sigprocmask, &[how.into(), signal.number().into()])
            }
            Call::Setsid => Command::plain(libc::SYS_setsid, &[]),
            Call::Getpid => Command::plain(libc::SYS_getpid, &[]),
            Call::Gettid => Command::plain(libc::SYS_gettid, &[]),
            Call::Getppid => Command::plain(libc::SYS_getppid, &[]),
            Call::Setpgid { pid, group } => {
                let (pid, group) = (self.target(*pid)?, self.target(*group)?);
                self.refuse_undying(pid, group)?;
                Command::plain(libc::SYS_setpgid, &[pid.into(), group.into()])
            }
            Call::Getpgid { pid } => Command::plain(libc::SYS_getpgid, &[self.target(*pid)?.into()]),
            Call::Getsid { pid } => Command::plain(libc::SYS_getsid, &[self.target(*pid)?.into()]),
            Call::Sysctl { name: Sysctl::PidMax, .. } if !self.pid_max_is_local => {
                let what = "`pid_max`, of which this kernel has one for the whole machine".to_owned();
                return Err(Refusal::NotModelled { call: call.name(), what: Some(what) });
            }
            Call::Sysctl { name: Sysctl::MaxPidNamespaces, write } => self.max_pid_namespaces(*write)?,
            Call::Sysctl { name, write } => sysctl(*name, *write),
            Call::Fault => Command::new(Operation::Fault, &[]),
            Call::FailedFork => Command::new(Operation::FailedFork, &[]),
            Call::BrokenPipe => Command::new(Operation::BrokenPipe, &[]),
            Call::Sigqueue { pid, signal, si_pid } => {
                let arguments = [self.target(*pid)?.into(), number(*signal), i64::from(*si_pid)];
                Command::new(Operation::Sigqueue, &arguments)
            }
            Call::Abort => {
                self.refuse_endless_abort()?;
                Command::new(Operation::Abort, &[])
            }
            Call::Reboot { how } => reboot(*how),
            Call::Sigpending => self.sigpending(),
            Call::PidfdPoll { pid } => self.pidfd_poll(*pid)?,
            Call::Look { pid, via } => self.look(*pid, *via)?,
            Call::Exec => {
                self.refuse_exec_by_another_user()?;
                let mut command = Command::new(Operation::Exec, &[program::descriptor().into()]);
                command.text = program::environment(self.by.0);
                command
            }
            Call::Setuid { uid } if [0, ANOTHER_USER].contains(uid) => {
                Command::plain(libc::SYS_setuid, &[i64::from(*uid)])
            }
            Call::Setuid { .. } => {
                let what = format!("a user beside 0 and {ANOTHER_USER}");
                return Err(Refusal::NotModelled { call: call.name(), what: Some(what) });
            }
        })
    }

    fn clone(&self, child: Role, flags: CloneFlags, exit_signal: i64, set_tid: &[i32]) -> Result<Command, Refusal> {
        if self.processes.get(child).is_some() {
            return Err(Refusal::BornTwice { role: child });
        }
        if flags.contains(CloneFlags::CLONE_VFORK | CloneFlags::CLONE_THREAD) {
            // The conductor could not find a thread whose maker does not return.
            let what = "a vfork of a thread".to_owned();
            return Err(Refusal::NotModelled { call: CallName::Clone, what: Some(what) });
        }
        let levels =
            self.processes.levels_for_children(self.by) + usize::from(flags.contains(CloneFlags::CLONE_NEWPID));
        // Beyond the scenario's outermost namespace are this runner's, and the machine's. More than the kernel's 32 are a
        // mistake that it answers itself.
        if (levels + 1..LEVELS).contains(&set_tid.len()) {
            let what = "`set_tid` for namespaces outside the scenario".to_owned();
            return Err(Refusal::NotModelled { call: CallName::Clone, what: Some(what) });
        }
        let flags = (flags.bits() | self.sharing) as i64;
        let count = set_tid.len().min(LEVELS) as i64;
        let mut command = Command::new(Operation::Clone, &[flags, exit_signal, i64::from(child.0), count]);
        command.numbers = set_tid.to_vec();
        Ok(command)
    }

    /// Refuses to put an init into a group that is led from inside its own namespace, or from one beside it. Such an init can
    /// wait for ever for a number that its own membership holds (kernel/pid_namespace.c, `zap_pid_ns_processes`), and with it all
    /// namespaces around it: it would outlive this program, and only a restart of the machine would remove it.
    fn refuse_undying(&self, pid: i32, group: i32) -> Result<(), Refusal> {
        let Some(caller) = self.processes.leader_of(self.by) else { return Ok(()) };
        // A number may have been another's before: a process is the one that lives, a group may be led by any that had it.
        let had = |number: i32| {
            let number = u32::try_from(number).ok();
            self.processes.iter().filter(move |process| number.is_some() && process.number_for(caller) == number)
        };
        let init = if pid == 0 { Some(caller) } else { had(pid).find(|process| !process.gone) };
        let Some(init) = init.filter(|init| init.pids.last() == Some(&1) && group != 0) else { return Ok(()) };
        // What setpgid(2) refuses anyhow does no harm.
        let allowed = init.role == caller.role || init.seen.parent == caller.number;
        let leads_session = init.seen.session == init.number;
        let traps = had(group).any(|leader| {
            let above = init.is_within(leader.namespace()) && init.namespace() != leader.namespace();
            let in_session = self.processes.iter().any(|process| {
                !process.gone && process.seen.group == leader.number && process.seen.session == init.seen.session
            });
            leader.role != init.role && !above && in_session
        });
        if !traps || !allowed || leads_session {
            return Ok(());
        }
        let what = "an init in a group that can keep its own namespace from ending".to_owned();
        Err(Refusal::NotModelled { call: CallName::Setpgid, what: Some(what) })
    }

    /// Refuses the abort of an init that handles SIGSEGV: its handler returns to the instruction that traps, for ever.
    fn refuse_endless_abort(&self) -> Result<(), Refusal> {
        let Some(process) = self.processes.leader_of(self.by) else { return Ok(()) };
        if process.pids.last() == Some(&1) && process.handles(libc::SIGSEGV) {
            let what = "an init that handles SIGSEGV, whose abort never ends".to_owned();
            return Err(Refusal::NotModelled { call: CallName::Abort, what: Some(what) });
        }
        Ok(())
    }

    /// The limit of the caller's user namespace. It must be one that the scenario made: the runner's is the whole machine's.
    fn max_pid_namespaces(&self, write: Option<i64>) -> Result<Command, Refusal> {
        let caller = self.processes.get(self.by).ok_or(Refusal::NotBorn { role: self.by })?;
        if caller.has_own_user_namespace() {
            return Ok(sysctl(Sysctl::MaxPidNamespaces, write));
        }
        let what = "`max_pid_namespaces` of the machine's user namespace".to_owned();
        Err(Refusal::NotModelled { call: CallName::Sysctl, what: Some(what) })
    }

    /// Refuses what depends on the permissions of this program's own file.
    fn refuse_exec_by_another_user(&self) -> Result<(), Refusal> {
        let caller = self.processes.get(self.by).ok_or(Refusal::NotBorn { role: self.by })?;
        if caller.is_conductors_user() {
            return Ok(());
        }
        let what = "a program run by another user than the runner's".to_owned();
        Err(Refusal::NotModelled { call: CallName::Exec, what: Some(what) })
    }

    fn wait4(&self, target: WaitTarget, options: WaitOptions) -> Result<Command, Refusal> {
        let pid = match target {
            WaitTarget::Any | WaitTarget::Pidfd(_) => -1,
            WaitTarget::OwnGroup => 0,
            WaitTarget::Pid(target) => self.target(target)?,
            WaitTarget::Group(target) => self.target(target)?.wrapping_neg(),
        };
        Ok(Command::new(Operation::Wait4, &[pid.into(), options.bits().into()]))
    }

    fn waitid(&self, target: WaitTarget, options: WaitOptions) -> Result<Command, Refusal> {
        let (kind, id) = match target {
            WaitTarget::Any => (libc::P_ALL, 0),
            WaitTarget::OwnGroup => (libc::P_PGID, 0),
            WaitTarget::Pid(target) => (libc::P_PID, self.target(target)?),
            WaitTarget::Group(target) => (libc::P_PGID, self.target(target)?),
            WaitTarget::Pidfd(role) if self.has_own_files() => {
                let options = [sockets::handed_over_at().into(), 0, options.bits().into()];
                return self.with_handed_pidfd(Operation::WaitidHanded, &options, role, CallName::Waitid);
            }
            WaitTarget::Pidfd(role) => (libc::P_PIDFD, self.pidfd(role, CallName::Waitid)?),
        };
        Ok(Command::new(Operation::Waitid, &[kind.into(), id.into(), options.bits().into()]))
    }

    fn setns(&self, to: Role, via: SetnsVia) -> Result<Command, Refusal> {
        let newpid = i64::from(libc::CLONE_NEWPID);
        let file = match via {
            SetnsVia::Pidfd if self.has_own_files() => {
                let arguments = [sockets::handed_over_at().into(), newpid];
                return self.with_handed_pidfd(Operation::SetnsHanded, &arguments, to, CallName::Setns);
            }
            SetnsVia::PidfdForChildren => {
                let arguments = [sockets::handed_over_at().into(), newpid];
                return self.with_handed_pidfd(Operation::SetnsForChildren, &arguments, to, CallName::Setns);
            }
            SetnsVia::Pidfd => {
                return Ok(Command::plain(libc::SYS_setns, &[self.pidfd(to, CallName::Setns)?.into(), newpid]));
            }
            SetnsVia::NsPid => "pid",
            SetnsVia::PidForChildren => "pid_for_children",
            SetnsVia::OtherKind => "uts",
        };
        let process = self.processes.get(to).ok_or(Refusal::NotBorn { role: to })?;
        let mut command = Command::new(Operation::SetnsPath, &[newpid]);
        command.text = format!("/proc/{}/ns/{file}", process.number);
        Ok(command)
    }

    /// Whether the caller's table of files is not the conductor's.
    fn has_own_files(&self) -> bool {
        self.processes.get(self.by).is_some_and(|process| process.own_files)
    }

    /// A command for an agent that does not find the conductor's pidfd in its own table: it is handed over.
    fn with_handed_pidfd(
        &self,
        operation: Operation,
        arguments: &[i64],
        role: Role,
        call: CallName,
    ) -> Result<Command, Refusal> {
        self.pidfd(role, call)?;
        let pidfd = self.processes.get(role).and_then(|process| process.pidfd.as_ref());
        let mut command = Command::new(operation, arguments);
        command.descriptor = pidfd.map(OwnedFd::try_clone);
        Ok(command)
    }

    /// The conductor's pidfd of a process, which agents find in the shared table.
    fn pidfd(&self, role: Role, call: CallName) -> Result<i32, Refusal> {
        use std::os::fd::AsRawFd;
        let process = self.processes.get(role).ok_or(Refusal::NotBorn { role })?;
        let what = || Some("a pidfd of a thread, which this kernel does not have".to_owned());
        let pidfd = process.pidfd.as_ref().ok_or_else(|| Refusal::NotModelled { call, what: what() })?;
        Ok(pidfd.as_raw_fd())
    }

    /// The number of the process that a target, whose own number in the caller's namespace is given, is a thread of.
    fn process_of(&self, target: Target, number: i32) -> Result<i32, Refusal> {
        let role = match target {
            Target::Role(role) => Some(role),
            Target::Number(_) => self.processes.alive_by_number(self.by, number),
        };
        match role.and_then(|role| self.processes.leader_of(role)) {
            Some(leader) => self.target(Target::Role(leader.role)),
            None => Ok(number),
        }
    }

    /// The number that stands for a target in the caller's namespace.
    fn target(&self, target: Target) -> Result<i32, Refusal> {
        let role = match target {
            Target::Number(number) => return Ok(number),
            Target::Role(role) => role,
        };
        let process = self.processes.get(role).ok_or(Refusal::NotBorn { role })?;
        let caller = self.processes.get(self.by).ok_or(Refusal::NotBorn { role: self.by })?;
        let number = process.number_for(caller).and_then(|number| i32::try_from(number).ok());
        number.ok_or(Refusal::NoNumber { role, caller: self.by })
    }
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
/// the conductor makes sure of that before the first scenario (`try_prepare`).
fn reboot(how: RebootHow) -> Command {
    let command = match how {
        RebootHow::Restart => libc::LINUX_REBOOT_CMD_RESTART,
        RebootHow::Halt => libc::LINUX_REBOOT_CMD_HALT,
        RebootHow::PowerOff => libc::LINUX_REBOOT_CMD_POWER_OFF,
    };
    let numbers = [libc::LINUX_REBOOT_MAGIC1, libc::LINUX_REBOOT_MAGIC2, command];
    Command::plain(libc::SYS_reboot, &numbers.map(|number| i64::from(number as u32)))
}

/// Refuses flags that this runner does not know.
fn only(call: CallName, flags: CloneFlags, known: CloneFlags) -> Result<(), Refusal> {
    match flags.difference(known).iter_names().next() {
        None => Ok(()),
        Some((flag, _)) => Err(Refusal::NotModelled { call, what: Some(format!("flag `{flag}`")) }),
    }
}

fn number(signal: Option<Signal>) -> i64 {
    signal.map_or(0, |signal| i64::from(signal.number()))
}

/// What a call that returned gave. `child_of` finds the child that a wait's number means.
///
/// # Errors
/// An answer that this runner cannot read.
pub(crate) fn outcome(call: &Call, slot: &Slot, child_of: impl Fn(i64) -> Option<Role>) -> Result<Outcome, String> {
    let result = slot.result.load(Ordering::Acquire);
    let value = slot.value.load(Ordering::Relaxed);
    if result < 0 {
        let number = i32::try_from(-result).map_err(|_| format!("the call returned {result}"))?;
        let errno = Errno::new(number).ok_or_else(|| format!("the call failed with errno {number}"))?;
        return Ok(Outcome::Err(errno));
    }
    if let Some(seen) = look::outcome(call, result, slot)? {
        return Ok(seen);
    }
    let status = match call {
        Call::Sysctl { write: None, .. } => return Ok(Outcome::Ok(value)),
        Call::Wait { target: WaitTarget::Pidfd(_), .. } | Call::Waitid { .. } if result > 0 => {
            child_status(slot.code.load(Ordering::Relaxed), value).and_then(ChildStatus::waited)
        }
        Call::Wait { .. } if result > 0 => wait_status(value as i32),
        _ => return Ok(Outcome::Ok(result)),
    };
    let child = child_of(result).ok_or_else(|| format!("a wait returned {result}, which is no process"))?;
    let status = status.ok_or_else(|| format!("a wait returned the status {value}"))?;
    Ok(Outcome::Waited { number: result, child, status })
}

/// The status of wait4(2), by the macros of wait(2).
fn wait_status(status: i32) -> Option<WaitStatus> {
    let signal = |number: i32| Signal::new(i64::from(number));
    if libc::WIFEXITED(status) {
        u8::try_from(libc::WEXITSTATUS(status)).ok().map(WaitStatus::Exited)
    } else if libc::WIFSIGNALED(status) {
        signal(libc::WTERMSIG(status)).map(WaitStatus::Killed)
    } else if libc::WIFSTOPPED(status) {
        signal(libc::WSTOPSIG(status)).map(WaitStatus::Stopped)
    } else {
        libc::WIFCONTINUED(status).then_some(WaitStatus::Continued)
    }
}

/// The code and status of waitid(2), and of a SIGCHLD.
pub(crate) fn child_status(code: i32, status: i64) -> Option<ChildStatus> {
    match code {
        libc::CLD_EXITED => u8::try_from(status).ok().map(ChildStatus::Exited),
        libc::CLD_KILLED | libc::CLD_DUMPED => Signal::new(status).map(ChildStatus::Killed),
        libc::CLD_STOPPED if status == 0 => Some(ChildStatus::Stopped(None)),
        libc::CLD_STOPPED => Signal::new(status).map(|signal| ChildStatus::Stopped(Some(signal))),
        libc::CLD_CONTINUED => Some(ChildStatus::Continued),
        _ => None,
    }
}
