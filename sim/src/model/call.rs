//! A scenario's calls, as calls of the world.

use pidlab_scenario::{
    ANOTHER_USER, Call, CallName, CloneFlags, Errno, ExitSignal, Fact, Harm, KillTarget, LookVia, Outcome, Refusal,
    Role, SetnsVia, Signal, Sysctl, Target, Unmodelled, WaitOptions, WaitTarget,
};

use super::branch::{Branch, Done};
use crate::wait::{WaitFor, Waited};
use crate::{CloneArgs, Pid, ProcessId};

impl Branch {
    /// Does the work of a call; what it sets going is left in the queue.
    pub(super) fn begin(&mut self, by: Role, caller: ProcessId, call: &Call) -> Result<Done, Refusal> {
        let done = match call {
            Call::Fork { .. } => Done::Outcome(self.make(caller, call)?),
            Call::Vfork { .. } | Call::Clone { .. } => match self.make(caller, call)? {
                outcome if self.world.sleeps_in_vfork(caller) => Done::Later(outcome),
                outcome => Done::Outcome(outcome),
            },
            Call::ExitThread { status } => {
                self.world.begin_exit_thread(caller, *status);
                Done::Never
            }
            Call::Fault => {
                if self.world.begin_fault(caller) {
                    Done::Outcome(Outcome::Ok(0))
                } else {
                    Done::Never
                }
            }
            Call::BrokenPipe => Done::Outcome(Outcome::Err(self.world.begin_broken_pipe(caller))),
            Call::FailedFork if self.world.hides_a_signal(caller) => {
                return Err(not_modelled(call, Unmodelled::HiddenSignal));
            }
            Call::FailedFork => Done::Outcome(Outcome::Err(self.world.failed_fork(caller))),
            Call::Abort if self.world.aborts_for_ever(caller) => {
                return Err(Refusal::Harmful { call: call.name(), harm: Harm::EndlessAbort });
            }
            Call::Abort => {
                self.world.begin_abort(caller);
                Done::Never
            }
            Call::Reboot { how } => match self.world.begin_reboot(caller, *how) {
                Ok(()) => Done::Never,
                Err(errno) => Done::Outcome(Outcome::Err(errno)),
            },
            Call::Exec if self.world.user(caller) != 0 => {
                return Err(not_modelled(call, Unmodelled::ExecByAnotherUser));
            }
            Call::Exec if self.world.begin_exec(caller) => Done::Outcome(Outcome::Ok(0)),
            Call::Exec => Done::Later(Outcome::Ok(0)),
            Call::Exit { status } => {
                self.world.begin_exit(caller, *status);
                Done::Never
            }
            Call::Wait { .. } | Call::Waitid { .. } => self.wait(by, caller, call)?,
            Call::Kill { .. } | Call::Tgkill { .. } | Call::PidfdSendSignal { .. } | Call::Sigqueue { .. } => {
                Done::Outcome(self.signal(by, caller, call)?)
            }
            Call::Sigaction { .. } | Call::Sigprocmask { .. } => Done::Outcome(self.signal(by, caller, call)?),
            Call::Unshare { .. } | Call::Setns { .. } => Done::Outcome(self.join(caller, call)?),
            Call::Setsid | Call::Setpgid { .. } | Call::Getpgid { .. } | Call::Getsid { .. } => {
                Done::Outcome(self.group(by, caller, call)?)
            }
            _ => Done::Outcome(self.small(by, caller, call)?),
        };
        Ok(done)
    }

    fn make(&mut self, caller: ProcessId, call: &Call) -> Result<Outcome, Refusal> {
        let (child, flags, exit_signal, set_tid) = match call {
            Call::Clone { child, flags, exit_signal, set_tid } => (*child, *flags, *exit_signal, set_tid.as_slice()),
            Call::Fork { child } => (*child, CloneFlags::empty(), ExitSignal::Default, &[][..]),
            Call::Vfork { child } => {
                (*child, CloneFlags::CLONE_VFORK | CloneFlags::CLONE_VM, ExitSignal::Default, &[][..])
            }
            _ => unreachable!("only calls that make a process come here"),
        };
        if self.is_born(child) {
            return Err(Refusal::BornTwice { role: child });
        }
        self.refuse_user_namespaces(call, flags)?;
        if flags.contains(CloneFlags::CLONE_VFORK | CloneFlags::CLONE_THREAD) {
            return Err(not_modelled(call, Unmodelled::VforkOfThread));
        }
        if self.world.hides_a_signal(caller) {
            return Err(not_modelled(call, Unmodelled::HiddenSignal));
        }
        let no_exit_signal = CloneFlags::CLONE_PARENT | CloneFlags::CLONE_THREAD;
        let exit_signal = match exit_signal {
            ExitSignal::Signal(signal) => Some(signal),
            ExitSignal::None => None,
            ExitSignal::Default => (!flags.intersects(no_exit_signal)).then_some(Signal::CHLD),
        };
        // More numbers than levels would name numbers outside the scenario, which are nobody's to choose.
        let target = self.world.namespace_for_children(caller);
        let levels = target.map_or(0, |ns| self.world.level(ns)) as usize
            + 1
            + usize::from(flags.contains(CloneFlags::CLONE_NEWPID));
        if set_tid.len() > levels && set_tid.len() <= 32 {
            return Err(not_modelled(call, Unmodelled::SetTidOutside));
        }
        Ok(match self.world.clone_process(caller, &CloneArgs { flags, exit_signal, set_tid }) {
            Ok(process) => {
                self.born(child, process);
                let seen = self.world.pid_in(process, self.world.namespace(caller));
                number(seen)
            }
            Err(errno) => Outcome::Err(errno),
        })
    }

    /// Refuses what this machine does not give.
    fn refuse_user_namespaces(&self, call: &Call, flags: CloneFlags) -> Result<(), Refusal> {
        if flags.contains(CloneFlags::CLONE_NEWUSER) && !self.user_namespaces {
            return Err(Refusal::NeedsFact { call: call.name(), fact: Fact::UserNamespaces });
        }
        Ok(())
    }

    fn wait(&mut self, by: Role, caller: ProcessId, call: &Call) -> Result<Done, Refusal> {
        let result = match call {
            Call::Wait { target: WaitTarget::Pidfd(child), options } => {
                let child = self.named(*child)?;
                // wait4(2) takes no pidfd; this is waitid(2) asking for what wait4(2) does.
                self.world.begin_waitid(caller, WaitFor::Pidfd(child), *options | WaitOptions::WEXITED)
            }
            Call::Wait { target, options } => {
                let pid = match target {
                    WaitTarget::Any => -1,
                    WaitTarget::OwnGroup => 0,
                    WaitTarget::Pid(target) => self.raw(by, *target)?,
                    WaitTarget::Group(target) => self.raw(by, *target)?.wrapping_neg(),
                    WaitTarget::Pidfd(_) => unreachable!("matched above"),
                };
                self.world.begin_wait4(caller, pid, *options)
            }
            Call::Waitid { target, options } => {
                let asked = match target {
                    WaitTarget::Any => WaitFor::Any,
                    WaitTarget::OwnGroup => WaitFor::OwnGroup,
                    WaitTarget::Pid(target) => WaitFor::Pid(self.raw(by, *target)?),
                    WaitTarget::Group(target) => WaitFor::Group(self.raw(by, *target)?),
                    WaitTarget::Pidfd(child) => WaitFor::Pidfd(self.named(*child)?),
                };
                self.world.begin_waitid(caller, asked, *options)
            }
            _ => unreachable!("only waits come here"),
        };
        Ok(match result {
            Ok(Waited::Blocks) => Done::Blocks,
            Ok(waited) => Done::Outcome(self.waited(waited)),
            Err(errno) => Done::Outcome(Outcome::Err(errno)),
        })
    }

    fn signal(&mut self, by: Role, caller: ProcessId, call: &Call) -> Result<Outcome, Refusal> {
        let result = match call {
            Call::Kill { target, signal } => {
                let pid = match target {
                    KillTarget::Pid(target) => self.raw(by, *target)?,
                    KillTarget::Group(target) => self.raw(by, *target)?.wrapping_neg(),
                };
                self.world.begin_kill(caller, pid, *signal)
            }
            Call::Tgkill { pid, signal } => {
                let pid = self.raw(by, *pid)?;
                self.world.begin_tgkill(caller, pid, *signal)
            }
            Call::PidfdSendSignal { pid, signal } => {
                let pid = self.raw(by, *pid)?;
                self.world.begin_pidfd_send_signal(caller, pid, *signal)
            }
            Call::Sigqueue { pid, signal, si_pid } => {
                let pid = self.raw(by, *pid)?;
                self.world.begin_sigqueue(caller, pid, *signal, *si_pid)
            }
            Call::Sigaction { signal, action } => self.world.sigaction(caller, *signal, *action),
            Call::Sigprocmask { how, signal } => {
                self.world.begin_sigprocmask(caller, *how, *signal);
                Ok(())
            }
            _ => unreachable!("only calls about signals come here"),
        };
        Ok(nothing(result))
    }

    fn join(&mut self, caller: ProcessId, call: &Call) -> Result<Outcome, Refusal> {
        let result = match call {
            Call::Unshare { flags } => {
                refuse_flags(call, *flags - (CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWUSER))?;
                self.refuse_user_namespaces(call, *flags)?;
                self.world.unshare(caller, *flags)
            }
            Call::Setns { to, via } => {
                let to = self.named(*to)?;
                match via {
                    SetnsVia::NsPid => self.world.setns_path(caller, to),
                    SetnsVia::Pidfd => self.world.setns_pidfd(caller, to),
                    SetnsVia::PidForChildren => self.world.setns_for_children(caller, to),
                    SetnsVia::OtherKind => Err(self.world.setns_other_kind(caller, to)),
                    SetnsVia::PidfdForChildren => self.world.setns_pidfd_for_children(caller, to),
                }
            }
            _ => unreachable!("only unshare and setns come here"),
        };
        Ok(nothing(result))
    }

    fn group(&mut self, by: Role, caller: ProcessId, call: &Call) -> Result<Outcome, Refusal> {
        Ok(match call {
            Call::Setsid => match self.world.begin_setsid(caller) {
                Ok(pid) => number(Some(pid)),
                Err(errno) => Outcome::Err(errno),
            },
            Call::Setpgid { pid, group } => {
                let (pid, group) = (self.raw(by, *pid)?, self.raw(by, *group)?);
                if self.world.would_never_end(caller, pid, group) {
                    return Err(Refusal::Harmful { call: call.name(), harm: Harm::UndyingInit });
                }
                nothing(self.world.begin_setpgid(caller, pid, group))
            }
            Call::Getpgid { pid } => {
                let pid = self.raw(by, *pid)?;
                self.world.getpgid(caller, pid).map_or_else(Outcome::Err, number)
            }
            Call::Getsid { pid } => {
                let pid = self.raw(by, *pid)?;
                self.world.getsid(caller, pid).map_or_else(Outcome::Err, number)
            }
            _ => unreachable!("only calls about groups come here"),
        })
    }

    /// Calls that change little or nothing, and those that are not modelled.
    fn small(&mut self, by: Role, caller: ProcessId, call: &Call) -> Result<Outcome, Refusal> {
        Ok(match call {
            Call::Sigpending => Outcome::Pending(self.world.sigpending(caller)),
            Call::PidfdPoll { pid } => self.pidfd_poll(caller, *pid)?,
            Call::Look { pid, via } => self.look(by, caller, *pid, *via)?,
            Call::PidfdOpen { pid } => {
                let pid = self.raw(by, *pid)?;
                nothing(self.world.pidfd_open(caller, pid))
            }
            Call::SetChildSubreaper { on } => {
                self.world.set_child_subreaper(caller, *on);
                Outcome::Ok(0)
            }
            Call::SetPdeathsig { signal } => {
                self.world.set_pdeathsig(caller, *signal);
                Outcome::Ok(0)
            }
            Call::Getpid => number(Some(self.world.getpid(caller))),
            Call::Gettid => number(Some(self.world.gettid(caller))),
            Call::Getppid => number(self.world.getppid(caller)),
            Call::Sysctl { name: Sysctl::NsLastPid, write: None } => Outcome::Ok(self.world.ns_last_pid(caller)),
            Call::Sysctl { name: Sysctl::NsLastPid, write: Some(value) } => {
                nothing(self.world.set_ns_last_pid(caller, *value))
            }
            Call::Sysctl { name: Sysctl::PidMax, write: None } => Outcome::Ok(i64::from(self.world.pid_max(caller))),
            Call::Sysctl { name: Sysctl::PidMax, write: Some(value) } => {
                nothing(self.world.set_pid_max(caller, *value))
            }
            Call::Sysctl { name: Sysctl::MaxPidNamespaces, write } => {
                if !self.world.is_in_own_user_namespace(caller) {
                    return Err(not_modelled(call, Unmodelled::MachinesPidNamespaceLimit));
                }
                match write {
                    None => Outcome::Ok(self.world.max_pid_namespaces(caller).into()),
                    Some(value) => nothing(self.world.set_max_pid_namespaces(caller, *value)),
                }
            }
            Call::Setuid { uid: uid @ (0 | ANOTHER_USER) } => nothing(self.world.setuid(caller, *uid)),
            Call::Setuid { uid } => return Err(not_modelled(call, Unmodelled::User(*uid))),
            _ => unreachable!("all other calls went elsewhere"),
        })
    }

    fn pidfd_poll(&mut self, caller: ProcessId, pid: Target) -> Result<Outcome, Refusal> {
        let of = match pid {
            Target::Role(role) => self.named(role)?,
            Target::Number(number) => match self.world.pidfd_open(caller, number) {
                Ok(()) => self.world.looked_at(caller, number),
                Err(errno) => return Ok(Outcome::Err(errno)),
            },
        };
        Ok(Outcome::Polled(self.world.pidfd_poll(caller, of)))
    }

    fn look(&mut self, by: Role, caller: ProcessId, pid: Target, via: LookVia) -> Result<Outcome, Refusal> {
        let at = match pid {
            Target::Role(role) => self.named(role)?,
            Target::Number(number) => self.world.looked_at(caller, number),
        };
        let through_procfs = matches!(via, LookVia::Listing | LookVia::Proc | LookVia::Fdinfo | LookVia::TheirProcfs);
        if through_procfs && !self.world.can_mount(caller) {
            return Err(Refusal::NotModelled { call: CallName::Look, what: Unmodelled::NoProcfs });
        }
        let seen = match via {
            LookVia::Listing => Ok(self.world.look_at_listing(caller)),
            LookVia::Proc => {
                // The path holds a number, whoever has it by now.
                let at = match pid {
                    Target::Role(role) => {
                        let number = self.number(by, role).and_then(|number| i32::try_from(number).ok());
                        number.and_then(|number| self.world.looked_at(caller, number))
                    }
                    Target::Number(_) => at,
                };
                self.world.look_at_status(caller, at)
            }
            LookVia::Translate => self.world.translate(caller, at),
            LookVia::Fdinfo => match pid {
                Target::Number(number) if number != 0 => {
                    self.world.pidfd_open(caller, number).map(|()| self.world.look_at_fdinfo(caller, at))
                }
                _ => Ok(self.world.look_at_fdinfo(caller, at)),
            },
            LookVia::Credentials | LookVia::Peercred | LookVia::FileOwner => {
                let role = role_or_self(pid, by)?;
                let other = self.able(role)?;
                Ok(match via {
                    LookVia::Credentials => self.world.look_at_credentials(caller, other),
                    LookVia::Peercred => self.world.look_at_peercred(caller, other),
                    _ => self.world.look_at_owner(caller, other),
                })
            }
            LookVia::PidfdInfo | LookVia::PidfdSignal => {
                let role = role_or_self(pid, by)?;
                let had_number = self.number(by, role).is_some();
                if via == LookVia::PidfdSignal {
                    return Ok(nothing(self.world.look_at_pidfd_signal(caller, at, had_number)));
                }
                self.world.look_at_pidfd_info(caller, at, had_number)
            }
            LookVia::NsParent => return Ok(nothing(self.world.look_at_ns_parent(caller, at))),
            LookVia::NsFile => {
                let same = self.world.look_at_ns_file(caller, at);
                return Ok(same.map_or_else(Outcome::Err, |same| Outcome::Ok(i64::from(same))));
            }
            LookVia::TheirProcfs => self.world.look_at_their_procfs(caller, at),
            LookVia::Loadavg => Ok(self.world.look_at_loadavg(caller)),
        };
        Ok(seen.map_or_else(Outcome::Err, Outcome::Seen))
    }

    /// The number that stands for a process in a call.
    fn raw(&self, by: Role, target: Target) -> Result<i32, Refusal> {
        match target {
            Target::Number(number) => Ok(number),
            Target::Role(role) => {
                self.named(role)?;
                let number = self.number(by, role).ok_or(Refusal::NoNumber { role, caller: by })?;
                Ok(i32::try_from(number).expect("numbers are below pid_max"))
            }
        }
    }

    /// The process of a role that a step names; `None` inside if it is reaped.
    fn named(&self, role: Role) -> Result<Option<ProcessId>, Refusal> {
        if self.is_born(role) { Ok(self.process(role)) } else { Err(Refusal::NotBorn { role }) }
    }
}

/// The role that a look needs: the process itself has to act, or somebody else has opened a pidfd of it.
fn role_or_self(pid: Target, by: Role) -> Result<Role, Refusal> {
    match pid {
        Target::Role(role) => Ok(role),
        Target::Number(0) => Ok(by),
        Target::Number(_) => Err(Refusal::NotModelled { call: CallName::Look, what: Unmodelled::NumberForProcess }),
    }
}

fn not_modelled(call: &Call, what: Unmodelled) -> Refusal {
    Refusal::NotModelled { call: call.name(), what }
}

fn refuse_flags(call: &Call, flags: CloneFlags) -> Result<(), Refusal> {
    if flags.is_empty() { Ok(()) } else { Err(not_modelled(call, Unmodelled::Flags(flags))) }
}

/// What is not visible is printed as 0.
fn number(pid: Option<Pid>) -> Outcome {
    Outcome::Ok(pid.map_or(0, |pid| i64::from(pid.get())))
}

fn nothing(result: Result<(), Errno>) -> Outcome {
    result.map_or_else(Outcome::Err, |()| Outcome::Ok(0))
}
