//! A scenario's system calls, as calls of the world.

use pidlab_scenario::syscall::{Look, LookedAt, Pidfd, Syscall, WaitId};
use pidlab_scenario::{CallName, Errno, Harm, Outcome, Refusal, Role, SetnsVia, Step, Sysctl, Unmodelled};

use super::branch::{Branch, Done};
use crate::wait::{WaitFor, Waited};
use crate::{CloneArgs, Pid, ProcessId};

impl Branch {
    /// Does the work of a call; what it sets going is left in the queue.
    pub(super) fn begin(&mut self, step: &Step, caller: ProcessId, syscall: &Syscall) -> Result<Done, Refusal> {
        let name = step.call.name();
        let done = match syscall {
            Syscall::Clone3 { .. } => match self.make(name, caller, syscall)? {
                outcome if self.world.sleeps_in_vfork(caller) => Done::Later(outcome),
                outcome => Done::Outcome(outcome),
            },
            Syscall::Exit { status } => {
                self.world.begin_exit_thread(caller, *status);
                Done::Never
            }
            Syscall::Fault => {
                if self.world.begin_fault(caller) {
                    Done::Outcome(Outcome::Ok(0))
                } else {
                    Done::Never
                }
            }
            Syscall::BrokenPipe => Done::Outcome(Outcome::Err(self.world.begin_broken_pipe(caller))),
            Syscall::FailedClone3 if self.world.hides_a_signal(caller) => {
                return Err(Refusal::NotModelled { call: name, what: Unmodelled::HiddenSignal });
            }
            Syscall::FailedClone3 => Done::Outcome(Outcome::Err(self.world.failed_fork(caller))),
            Syscall::Abort if self.world.aborts_for_ever(caller) => {
                return Err(Refusal::Harmful { call: name, harm: Harm::EndlessAbort });
            }
            Syscall::Abort => {
                self.world.begin_abort(caller);
                Done::Never
            }
            Syscall::Reboot { how } => match self.world.begin_reboot(caller, *how) {
                Ok(()) => Done::Never,
                Err(errno) => Done::Outcome(Outcome::Err(errno)),
            },
            Syscall::Execve if self.world.begin_exec(caller) => Done::Outcome(Outcome::Ok(0)),
            Syscall::Execve => Done::Later(Outcome::Ok(0)),
            Syscall::ExitGroup { status } => {
                self.world.begin_exit(caller, *status);
                Done::Never
            }
            Syscall::Wait4 { .. } | Syscall::Waitid { .. } => self.wait(caller, syscall),
            Syscall::Setpgid { pid, pgid } if self.world.would_never_end(caller, *pid, *pgid) => {
                return Err(Refusal::Harmful { call: name, harm: Harm::UndyingInit });
            }
            Syscall::Look(look) => Done::Outcome(self.look(step.by, caller, *look)?),
            _ => Done::Outcome(self.small(caller, syscall)),
        };
        Ok(done)
    }

    fn make(&mut self, name: CallName, caller: ProcessId, syscall: &Syscall) -> Result<Outcome, Refusal> {
        let Syscall::Clone3 { child, flags, exit_signal, set_tid } = syscall else {
            unreachable!("only calls that make a process come here")
        };
        if self.world.hides_a_signal(caller) {
            return Err(Refusal::NotModelled { call: name, what: Unmodelled::HiddenSignal });
        }
        let args = CloneArgs { flags: *flags, exit_signal: *exit_signal, set_tid };
        Ok(match self.world.clone_process(caller, &args) {
            Ok(process) => {
                self.born(*child, process);
                let seen = self.world.pid_in(process, self.world.namespace(caller));
                number(seen)
            }
            Err(errno) => Outcome::Err(errno),
        })
    }

    fn wait(&mut self, caller: ProcessId, syscall: &Syscall) -> Done {
        let result = match syscall {
            Syscall::Wait4 { pid, options } => self.world.begin_wait4(caller, *pid, *options),
            Syscall::Waitid { id, options } => {
                let asked = match id {
                    WaitId::All => WaitFor::Any,
                    WaitId::Pgid(0) => WaitFor::OwnGroup,
                    WaitId::Pid(pid) => WaitFor::Pid(*pid),
                    WaitId::Pgid(pgid) => WaitFor::Group(*pgid),
                    WaitId::Pidfd(child) => WaitFor::Pidfd(self.process(*child)),
                };
                self.world.begin_waitid(caller, asked, *options)
            }
            _ => unreachable!("only waits come here"),
        };
        match result {
            Ok(Waited::Blocks) => Done::Blocks,
            Ok(waited) => Done::Outcome(self.waited(waited)),
            Err(errno) => Done::Outcome(Outcome::Err(errno)),
        }
    }

    /// Calls that return at once.
    fn small(&mut self, caller: ProcessId, syscall: &Syscall) -> Outcome {
        let world = &mut self.world;
        let or_number = |result: Result<Option<Pid>, Errno>| result.map_or_else(Outcome::Err, number);
        match syscall {
            Syscall::Kill { pid, signal } => nothing(world.begin_kill(caller, *pid, *signal)),
            Syscall::Tgkill { tgid, tid, signal } => nothing(world.begin_tgkill(caller, *tgid, *tid, *signal)),
            Syscall::PidfdSendSignal { pidfd: Pidfd::Opened(pid), signal } => {
                nothing(world.begin_pidfd_send_signal(caller, *pid, *signal))
            }
            Syscall::RtSigqueueinfo { pid, signal, si_pid } => {
                nothing(world.begin_sigqueue(caller, *pid, *signal, *si_pid))
            }
            Syscall::RtSigaction { signal, action } => nothing(world.sigaction(caller, *signal, *action)),
            Syscall::RtSigprocmask { how, signal } => {
                world.begin_sigprocmask(caller, *how, *signal);
                Outcome::Ok(0)
            }
            Syscall::RtSigpending => Outcome::Pending(world.sigpending(caller)),
            Syscall::Unshare { flags } => nothing(world.unshare(caller, *flags)),
            Syscall::Setns { to, via } => self.setns(caller, *to, *via),
            Syscall::Setsid => or_number(world.begin_setsid(caller).map(Some)),
            Syscall::Setpgid { pid, pgid } => nothing(world.begin_setpgid(caller, *pid, *pgid)),
            Syscall::Getpgid { pid } => or_number(world.getpgid(caller, *pid)),
            Syscall::Getsid { pid } => or_number(world.getsid(caller, *pid)),
            Syscall::PidfdPoll(pidfd) => self.pidfd_poll(caller, *pidfd),
            Syscall::PidfdOpen { pid } => nothing(world.pidfd_open(caller, *pid)),
            Syscall::PrctlSetChildSubreaper { on } => {
                world.set_child_subreaper(caller, *on);
                Outcome::Ok(0)
            }
            Syscall::PrctlSetPdeathsig { signal } => {
                world.set_pdeathsig(caller, *signal);
                Outcome::Ok(0)
            }
            Syscall::Getpid => number(Some(world.getpid(caller))),
            Syscall::Gettid => number(Some(world.gettid(caller))),
            Syscall::Getppid => number(world.getppid(caller)),
            Syscall::Sysctl { name, write: None } => Outcome::Ok(match name {
                Sysctl::NsLastPid => world.ns_last_pid(caller),
                Sysctl::PidMax => world.pid_max(caller).into(),
                Sysctl::MaxPidNamespaces => world.max_pid_namespaces(caller).into(),
            }),
            Syscall::Sysctl { name, write: Some(value) } => nothing(match name {
                Sysctl::NsLastPid => world.set_ns_last_pid(caller, *value),
                Sysctl::PidMax => world.set_pid_max(caller, *value),
                Sysctl::MaxPidNamespaces => world.set_max_pid_namespaces(caller, *value),
            }),
            Syscall::Setuid { uid } => nothing(world.setuid(caller, *uid)),
            _ => unreachable!("all other calls went elsewhere"),
        }
    }

    fn setns(&mut self, caller: ProcessId, to: Role, via: SetnsVia) -> Outcome {
        let to = self.process(to);
        nothing(match via {
            SetnsVia::NsPid => self.world.setns_path(caller, to),
            SetnsVia::Pidfd => self.world.setns_pidfd(caller, to),
            SetnsVia::PidForChildren => self.world.setns_for_children(caller, to),
            SetnsVia::OtherKind => Err(self.world.setns_other_kind(caller, to)),
            SetnsVia::PidfdForChildren => self.world.setns_pidfd_for_children(caller, to),
        })
    }

    fn pidfd_poll(&mut self, caller: ProcessId, pidfd: Pidfd) -> Outcome {
        let of = match pidfd {
            Pidfd::Held(role) => self.process(role),
            Pidfd::Opened(number) => match self.world.pidfd_open(caller, number) {
                Ok(()) => self.world.looked_at(caller, number),
                Err(errno) => return Outcome::Err(errno),
            },
        };
        Outcome::Polled(self.world.pidfd_poll(caller, of))
    }

    fn look(&mut self, by: Role, caller: ProcessId, look: Look) -> Result<Outcome, Refusal> {
        if Syscall::Look(look).mounts_procfs() && !self.world.can_mount(caller) {
            return Err(Refusal::NotModelled { call: CallName::Look, what: Unmodelled::NoProcfs });
        }
        let whoever_is = |branch: &Branch, at: LookedAt| match at {
            LookedAt::Role(role) => branch.process(role),
            LookedAt::Number(number) => branch.world.looked_at(caller, number),
        };
        let speaker = |branch: &Branch, role| branch.process(role).expect("who speaks first can act");
        let seen = match look {
            Look::Listing => Ok(self.world.look_at_listing(caller)),
            Look::Status { pid } => {
                let at = if pid == 0 { None } else { self.world.looked_at(caller, pid) };
                self.world.look_at_status(caller, at)
            }
            Look::Translate(at) => self.world.translate(caller, whoever_is(self, at)),
            Look::Fdinfo(Pidfd::Held(role)) => Ok(self.world.look_at_fdinfo(caller, self.process(role))),
            Look::Fdinfo(Pidfd::Opened(number)) => self.world.pidfd_open(caller, number).map(|()| {
                let at = self.world.looked_at(caller, number);
                self.world.look_at_fdinfo(caller, at)
            }),
            Look::Credentials(role) => Ok(self.world.look_at_credentials(caller, speaker(self, role))),
            Look::Peercred(role) => Ok(self.world.look_at_peercred(caller, speaker(self, role))),
            Look::FileOwner(role) => Ok(self.world.look_at_owner(caller, speaker(self, role))),
            Look::PidfdInfo(role) => {
                let had_number = self.number(by, role).is_some();
                self.world.look_at_pidfd_info(caller, self.process(role), had_number)
            }
            Look::PidfdSignal(role) => {
                let had_number = self.number(by, role).is_some();
                return Ok(nothing(self.world.look_at_pidfd_signal(caller, self.process(role), had_number)));
            }
            Look::NsParent(at) => return Ok(nothing(self.world.look_at_ns_parent(caller, whoever_is(self, at)))),
            Look::NsFile(at) => {
                let same = self.world.look_at_ns_file(caller, whoever_is(self, at));
                return Ok(same.map_or_else(Outcome::Err, |same| Outcome::Ok(i64::from(same))));
            }
            Look::TheirProcfs(at) => self.world.look_at_their_procfs(caller, whoever_is(self, at)),
            Look::Loadavg => Ok(self.world.look_at_loadavg(caller)),
        };
        Ok(seen.map_or_else(Outcome::Err, Outcome::Seen))
    }
}

/// What is not visible is printed as 0.
fn number(pid: Option<Pid>) -> Outcome {
    Outcome::Ok(pid.map_or(0, |pid| i64::from(pid.get())))
}

fn nothing(result: Result<(), Errno>) -> Outcome {
    result.map_or_else(Outcome::Err, |()| Outcome::Ok(0))
}
