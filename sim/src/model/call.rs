//! A scenario's system calls, as those of the world.

use pidlab_scenario::syscall::{Look, LookedAt, Pidfd, Roles, Syscall, WaitId, lower};
use pidlab_scenario::{
    CallName, CloneFlags, Errno, Harm, Keeper, NamespaceTypes, NsLink, Outcome, Refusal, Role, SetnsVia, Signal, Step,
    Sysctl, Unmodelled,
};

use super::cast::Branch;
use super::step::{Done, taken_signal};
use crate::calls::namespaces::sys_reboot;
use crate::calls::processes::{sys_exit, sys_exit_group};
use crate::calls::signals::sys_seccomp_kill;
use crate::failed_clone::failed_clone3;
use crate::fork::kernel_clone;
use crate::objects::clone_args::CloneArgs;
use crate::objects::ids::TaskId;
use crate::objects::pid::Nr;
use crate::objects::task::At;
use crate::objects::wait_opts::{WaitFor, Waited};
use crate::signal::kill::{Queued, Referred};
use crate::signal::pending::pending_for;
use crate::signal::{action, force, kill, sigwait};
use crate::sys::{pgrp, prctl, sysctl, users};
use crate::world::{Handled, World};
use crate::{autoreap, exec, mqueue, nsproxy, ptrace, rule, setns, tid_words, wait};

impl Branch {
    /// Why no machine with real processes takes a step, though the model does.
    pub(super) fn refuse_harm(&self, step: &Step) -> Result<(), Refusal> {
        let (Syscall::Setpgid { pid, pgid }, Some(caller)) = (lower(step, self)?, self.task(step.by)) else {
            return Ok(());
        };
        match pgrp::would_never_end(&self.world, caller, pid, pgid) {
            true => Err(Refusal::Harmful { call: step.call.name(), harm: Harm::UndyingInit }),
            false => Ok(()),
        }
    }

    /// Does the work of a call; what it sets going is left on the run queue.
    pub(super) fn begin(&mut self, step: &Step, caller: TaskId, syscall: &Syscall) -> Result<Done, Refusal> {
        let name = step.call.name();
        let world = &mut self.world;
        let done = match syscall {
            Syscall::Clone3 { .. } => self.make(name, caller, syscall)?,
            Syscall::FailedClone3 => {
                refuse_hidden_signal(name, world, caller)?;
                Done::Outcome(Outcome::Err(failed_clone3(world, caller)))
            }
            Syscall::ExitGroup { status } => {
                sys_exit_group(world, caller, *status);
                Done::Never
            }
            Syscall::Exit { status } => {
                sys_exit(world, caller, *status);
                Done::Never
            }
            Syscall::Execve if exec::sys_execve(world, caller) => Done::Outcome(Outcome::Ok(0)),
            Syscall::Execve => Done::Later(Outcome::Ok(0)),
            Syscall::Fault => {
                force::force_sig(world, caller, Signal::SEGV);
                Done::Outcome(Outcome::Ok(0))
            }
            Syscall::BrokenPipe => {
                force::sigpipe(world, caller);
                Done::Outcome(Outcome::Err(Errno::EPIPE))
            }
            Syscall::SeccompKill { scope } => {
                sys_seccomp_kill(world, caller, *scope);
                Done::Never
            }
            Syscall::Abort if force::aborts_for_ever(world, caller) => {
                return Err(Refusal::Harmful { call: name, harm: Harm::EndlessAbort });
            }
            Syscall::Abort => {
                force::begin_abort(world, caller);
                Done::Never
            }
            Syscall::Reboot { how } => match sys_reboot(world, caller, *how) {
                Ok(()) => Done::Never,
                Err(errno) => Done::Outcome(Outcome::Err(errno)),
            },
            Syscall::Wait4 { .. } | Syscall::Waitid { .. } => self.wait(caller, syscall),
            Syscall::RtSigtimedwait { signals, waits } => {
                took(sigwait::do_sigtimedwait(world, caller, signals, *waits))
            }
            Syscall::SignalfdRead { signals } => took(sigwait::do_sigtimedwait(world, caller, signals, false)),
            Syscall::Look(look) => Done::Outcome(self.look(step.by, caller, *look)?),
            Syscall::Setns { to, via, nstype } => Done::Outcome(nothing(self.setns(caller, *to, *via, *nstype))),
            Syscall::OpenNs { of, link, keep } => Done::Outcome(nothing(self.open_ns(caller, *of, *link, *keep))),
            Syscall::ClosePidfd { of } => {
                if !self.let_go(*of) {
                    return Ok(Done::Outcome(Outcome::Err(Errno::EBADF)));
                }
                if let Some(of) = self.held(*of) {
                    autoreap::pidfd_release(&mut self.world, of);
                }
                Done::Outcome(Outcome::Ok(0))
            }
            Syscall::MqNotify { signal } => {
                Done::Outcome(nothing(mqueue::sys_mq_notify(world, caller, step.by.0, *signal)))
            }
            Syscall::SetnsPidfd { .. } | Syscall::PidfdPoll(_) | Syscall::PidfdSendSignal { .. } => {
                Done::Outcome(self.by_pidfd(step.by, caller, syscall).unwrap_or_else(Outcome::Err))
            }
            _ => Done::Outcome(small(world, caller, syscall)),
        };
        Ok(done)
    }

    fn make(&mut self, name: CallName, caller: TaskId, syscall: &Syscall) -> Result<Done, Refusal> {
        let Syscall::Clone3 { child, flags, exit_signal, set_tid } = syscall else {
            unreachable!("only calls that make a process come here")
        };
        refuse_hidden_signal(name, &self.world, caller)?;
        let args = CloneArgs { flags: *flags, exit_signal: *exit_signal, set_tid };
        let written = self.world.tid_words.len();
        Ok(match kernel_clone(&mut self.world, caller, &args) {
            Ok(task) => {
                self.born(*child, task);
                self.note_tid_words(*child, written);
                if flags.contains(CloneFlags::CLONE_PIDFD_AUTOKILL) {
                    self.put_on_a_leash(*child);
                }
                let seen = number(self.world.pid_in(task, self.world.namespace(caller)));
                if self.world.task(caller).at == At::Vfork { Done::Later(seen) } else { Done::Outcome(seen) }
            }
            Err(errno) => Done::Outcome(Outcome::Err(errno)),
        })
    }

    fn wait(&mut self, caller: TaskId, syscall: &Syscall) -> Done {
        let result = match syscall {
            Syscall::Wait4 { pid, options } => wait::sys_wait4(&mut self.world, caller, *pid, *options),
            Syscall::Waitid { id, options } => {
                let asked = match id {
                    WaitId::All => WaitFor::Any,
                    WaitId::Pgid(0) => WaitFor::OwnGroup,
                    WaitId::Pid(pid) => WaitFor::Pid(*pid),
                    WaitId::Pgid(pgid) => WaitFor::Group(*pgid),
                    WaitId::Pidfd(child) => WaitFor::Pidfd(self.held(*child)),
                };
                wait::sys_waitid(&mut self.world, caller, asked, *options)
            }
            _ => unreachable!("only waits come here"),
        };
        match result {
            Ok(Waited::Blocks) => Done::Blocks,
            Ok(waited) => Done::Outcome(self.waited(waited)),
            Err(errno) => Done::Outcome(Outcome::Err(errno)),
        }
    }

    fn setns(&mut self, caller: TaskId, to: Role, via: SetnsVia, nstype: NamespaceTypes) -> Result<(), Errno> {
        let (to, world) = (self.task(to), &mut self.world);
        let file = match via {
            SetnsVia::NsPid => setns::open_pid(world, caller, to)?,
            SetnsVia::PidForChildren => setns::open_for_children(world, caller, to)?,
            SetnsVia::NsUser => setns::open_user(world, caller, to)?,
            SetnsVia::OtherKind => return Err(setns::setns_other_kind(world, caller, to)),
            SetnsVia::Pidfd | SetnsVia::PidfdForChildren => unreachable!("a pidfd is no file of a process"),
        };
        setns::setns_file(world, caller, file, nstype)
    }

    /// Keeps a namespace open, under the number of the role that it was opened for.
    fn open_ns(&mut self, caller: TaskId, of: Role, link: NsLink, keep: Keeper) -> Result<(), Errno> {
        let task = if link == NsLink::PidfdForChildren { self.held(of) } else { self.task(of) };
        let file = setns::open_ns(&mut self.world, caller, task, link, keep)?;
        setns::keep(&mut self.world, of.0, file);
        Ok(())
    }

    /// To whom a pidfd refers.
    fn pidfd(&mut self, by: Role, caller: TaskId, pidfd: Pidfd) -> Result<Referred, Errno> {
        match pidfd {
            Pidfd::Held(role) => {
                let of = self.held(role);
                if of != self.task(role) {
                    self.world.because(&rule::PIDFD_OUTLIVES_EXEC, of.unwrap_or(caller));
                }
                let (pid, is_thread) = (self.held_pid(role), self.was_born_a_thread(role));
                let had_number = self.number_of(by, role).is_some();
                Ok(Referred { task: of, pid, had_number, is_thread, ended: self.ended(role) })
            }
            Pidfd::Directory(role) => {
                let of = self.task(role);
                let task = setns::in_procfs(&mut self.world, caller, of)?;
                self.world.because(&rule::PIDFD_PROC_DIRECTORY, task);
                let had_number = self.number_of(by, role).is_some();
                Ok(Referred { had_number, ..Referred::opened(task, self.world.task(task).thread_pid) })
            }
            Pidfd::Opened(number) => {
                let task = kill::pidfd_open(&mut self.world, caller, number)?;
                Ok(Referred::opened(task, self.world.task(task).thread_pid))
            }
        }
    }

    fn by_pidfd(&mut self, by: Role, caller: TaskId, syscall: &Syscall) -> Result<Outcome, Errno> {
        let (Syscall::PidfdPoll(pidfd) | Syscall::PidfdSendSignal { pidfd, .. } | Syscall::SetnsPidfd { pidfd, .. }) =
            syscall
        else {
            unreachable!("only calls that take a pidfd come here")
        };
        let referred = self.pidfd(by, caller, *pidfd)?;
        let (of, world) = (referred.task, &mut self.world);
        Ok(match syscall {
            Syscall::PidfdSendSignal { signal, flags, .. } => {
                nothing(kill::sys_pidfd_send_signal(world, caller, &referred, *signal, *flags))
            }
            Syscall::SetnsPidfd { for_children: false, nstype, .. } => {
                nothing(setns::setns_pidfd(world, caller, of, *nstype))
            }
            Syscall::SetnsPidfd { nstype, .. } => {
                let file = setns::pidfd_for_children(world, caller, of)?;
                nothing(setns::setns_file(world, caller, file, *nstype))
            }
            _ => Outcome::Polled(world.poll(caller, of, referred.is_thread)),
        })
    }

    fn look(&mut self, by: Role, caller: TaskId, look: Look) -> Result<Outcome, Refusal> {
        if Syscall::Look(look).mounts_procfs() && !self.world.can_mount(caller) {
            return Err(Refusal::NotModelled { call: CallName::Look, what: Unmodelled::NoProcfs });
        }
        let whoever_is = |branch: &Branch, at: LookedAt| match at {
            LookedAt::Role(role) => branch.task(role),
            LookedAt::Number(number) => branch.world.looked_at(caller, number),
        };
        let speaker = |branch: &Branch, role| branch.task(role).expect("who speaks first can act");
        let seen = match look {
            Look::Listing => Ok(self.world.look_at_listing(caller)),
            Look::Status { pid } => {
                let at = if pid == 0 { None } else { self.world.looked_at(caller, pid) };
                self.world.look_at_status(caller, at)
            }
            Look::Children { pid } => {
                let at = if pid == 0 { None } else { self.world.looked_at(caller, pid) };
                self.world.look_at_children(caller, at)
            }
            Look::Translate(at) => self.world.translate(caller, whoever_is(self, at)),
            Look::Credentials(role) => Ok(self.world.look_at_credentials(caller, speaker(self, role))),
            Look::Peercred(role) => Ok(self.world.look_at_peercred(caller, speaker(self, role))),
            Look::FileOwner(role) => Ok(self.world.look_at_owner(caller, speaker(self, role))),
            Look::Fdinfo(pidfd) | Look::PidfdInfo(pidfd) | Look::PidfdExit(pidfd) | Look::PidfdSignal(pidfd) => {
                let Referred { task: of, had_number, ended, .. } = match self.pidfd(by, caller, pidfd) {
                    Ok(found) => found,
                    Err(errno) => return Ok(Outcome::Err(errno)),
                };
                match look {
                    Look::Fdinfo(_) => Ok(self.world.look_at_fdinfo(caller, of)),
                    Look::PidfdInfo(_) => self.world.look_at_pidfd_info(caller, of, had_number),
                    Look::PidfdExit(_) => self.world.look_at_pidfd_exit(caller, of, had_number, ended),
                    _ => return Ok(nothing(self.world.look_at_pidfd_signal(caller, of, had_number))),
                }
            }
            Look::NsParent(at) => return Ok(nothing(self.world.look_at_ns_parent(caller, whoever_is(self, at)))),
            Look::NsParentFile(at) | Look::NsOwner(at) | Look::UserNsParent(at) => {
                let of = whoever_is(self, at);
                let own = match look {
                    Look::NsParentFile(_) => self.world.look_at_ns_parent_file(caller, of),
                    Look::NsOwner(_) => self.world.look_at_ns_owner(caller, of),
                    _ => self.world.look_at_user_ns_parent(caller, of),
                };
                return Ok(own.map_or_else(Outcome::Err, |own| Outcome::Ok(i64::from(own))));
            }
            Look::NsFile(at) => {
                let same = self.world.look_at_ns_file(caller, whoever_is(self, at));
                return Ok(same.map_or_else(Outcome::Err, |same| Outcome::Ok(i64::from(same))));
            }
            Look::TheirProcfs(at) => self.world.look_at_their_procfs(caller, whoever_is(self, at)),
            Look::TidWords(role) => Ok(tid_words::look(self.tid_words(role))),
            Look::Myself => Ok(self.world.look_at_myself(caller)),
            Look::Loadavg => Ok(self.world.look_at_loadavg(caller)),
        };
        Ok(seen.map_or_else(Outcome::Err, Outcome::Seen))
    }
}

/// Calls that return at once.
fn small(w: &mut World, caller: TaskId, syscall: &Syscall) -> Outcome {
    let or_number = |result: Result<Option<Nr>, Errno>| result.map_or_else(Outcome::Err, number);
    match syscall {
        Syscall::Kill { pid, signal } => nothing(kill::sys_kill(w, caller, *pid, *signal)),
        Syscall::Tgkill { tgid, tid, signal } => nothing(kill::sys_tgkill(w, caller, *tgid, *tid, *signal)),
        Syscall::Tkill { tid, signal } => nothing(kill::sys_tkill(w, caller, *tid, *signal)),
        Syscall::RtSigqueueinfo { pid, signal, si_pid, si_code } => {
            let said = Queued { si_pid: *si_pid, si_code: *si_code };
            nothing(kill::sys_rt_sigqueueinfo(w, caller, *pid, *signal, said))
        }
        Syscall::RtTgsigqueueinfo { tgid, tid, signal, si_pid, si_code } => {
            let said = Queued { si_pid: *si_pid, si_code: *si_code };
            nothing(kill::sys_rt_tgsigqueueinfo(w, caller, *tgid, *tid, *signal, said))
        }
        Syscall::RtSigaction { signal, action } => nothing(action::do_sigaction(w, caller, *signal, *action)),
        Syscall::RtSigprocmask { how, signal } => {
            action::sigprocmask(w, caller, *how, *signal);
            Outcome::Ok(0)
        }
        Syscall::RtSigpending => Outcome::Pending(action::do_sigpending(w, caller)),
        Syscall::Unshare { flags } => nothing(nsproxy::sys_unshare(w, caller, *flags)),
        Syscall::SetnsKept { of, nstype } => nothing(setns::setns_kept(w, caller, of.0, *nstype)),
        Syscall::MqTimedsend { to } => nothing(mqueue::sys_mq_timedsend(w, caller, to.0)),
        Syscall::CloseNs { of } => nothing(setns::close_ns(w, caller, of.0)),
        Syscall::Setsid => or_number(pgrp::sys_setsid(w, caller).map(Some)),
        Syscall::Setpgid { pid, pgid } => nothing(pgrp::sys_setpgid(w, caller, *pid, *pgid)),
        Syscall::Getpgid { pid } => or_number(pgrp::sys_getpgid(w, caller, *pid)),
        Syscall::Getsid { pid } => or_number(pgrp::sys_getsid(w, caller, *pid)),
        Syscall::PidfdOpen { pid, flags } => nothing(kill::sys_pidfd_open(w, caller, *pid, *flags).map(drop)),
        Syscall::PrctlSetChildSubreaper { on } => {
            prctl::set_child_subreaper(w, caller, *on);
            Outcome::Ok(0)
        }
        Syscall::PrctlGetChildSubreaper => Outcome::Ok(prctl::child_subreaper(w, caller).into()),
        Syscall::PrctlSetPdeathsig { signal } => {
            prctl::set_pdeathsig(w, caller, *signal);
            Outcome::Ok(0)
        }
        Syscall::PrctlGetPdeathsig => {
            Outcome::Ok(prctl::pdeathsig(w, caller).map_or(0, |signal| signal.number().into()))
        }
        Syscall::Getpid => number(Some(prctl::sys_getpid(w, caller))),
        Syscall::Gettid => number(Some(prctl::sys_gettid(w, caller))),
        Syscall::Getppid => number(prctl::sys_getppid(w, caller)),
        Syscall::Sysctl { name, write } => file(w, caller, *name, *write),
        Syscall::Ptrace { request, pid } => nothing(ptrace::sys_ptrace(w, caller, *request, *pid)),
        Syscall::CapsetWithout { capability } => {
            users::drop_capability(w, caller, *capability);
            Outcome::Ok(0)
        }
        Syscall::Setuid { uid } => nothing(users::sys_setuid(w, caller, *uid)),
        // Named, so that a new call is missed here and not only when it is made.
        Syscall::Clone3 { .. }
        | Syscall::FailedClone3
        | Syscall::ExitGroup { .. }
        | Syscall::Exit { .. }
        | Syscall::Execve
        | Syscall::Abort
        | Syscall::Fault
        | Syscall::BrokenPipe
        | Syscall::SeccompKill { .. }
        | Syscall::Wait4 { .. }
        | Syscall::Waitid { .. }
        | Syscall::PidfdSendSignal { .. }
        | Syscall::SetnsPidfd { .. }
        | Syscall::PidfdPoll(_)
        | Syscall::RtSigtimedwait { .. }
        | Syscall::SignalfdRead { .. }
        | Syscall::Setns { .. }
        | Syscall::OpenNs { .. }
        | Syscall::MqNotify { .. }
        | Syscall::ClosePidfd { .. }
        | Syscall::Reboot { .. }
        | Syscall::Look(_) => unreachable!("these calls went elsewhere"),
    }
}

/// A file below `/proc/sys`, read or written.
fn file(w: &mut World, caller: TaskId, name: Sysctl, write: Option<i64>) -> Outcome {
    let Some(value) = write else {
        return match name {
            Sysctl::NsLastPid => sysctl::ns_last_pid(w, caller).map_or_else(Outcome::Err, Outcome::Ok),
            Sysctl::PidMax => Outcome::Ok(sysctl::pid_max(w, caller).into()),
            Sysctl::MaxPidNamespaces => Outcome::Ok(sysctl::max_pid_namespaces(w, caller).into()),
        };
    };
    nothing(match name {
        Sysctl::NsLastPid => sysctl::set_ns_last_pid(w, caller, value),
        Sysctl::PidMax => sysctl::set_pid_max(w, caller, value),
        Sysctl::MaxPidNamespaces => sysctl::set_max_pid_namespaces(w, caller, value),
    })
}

/// A signal for the process is left to a thread that cannot take it yet, and the caller, which could, has not been told. A fork would make
/// it look, and then start over (kernel/fork.c:copy_process, `recalc_sigpending`).
fn refuse_hidden_signal(call: CallName, w: &World, caller: TaskId) -> Result<(), Refusal> {
    if pending_for(w, caller).without(w.task(caller).blocked).is_empty() {
        return Ok(());
    }
    Err(Refusal::NotModelled { call, what: Unmodelled::HiddenSignal })
}

/// A signal that was taken, if one was.
fn took(result: Result<Option<Handled>, Errno>) -> Done {
    match result {
        Ok(None) => Done::Blocks,
        Ok(Some(taken)) => Done::Outcome(taken_signal(&taken)),
        Err(errno) => Done::Outcome(Outcome::Err(errno)),
    }
}

/// What is not visible is printed as 0.
fn number(number: Option<Nr>) -> Outcome {
    Outcome::Ok(number.map_or(0, |number| i64::from(number.get())))
}

fn nothing(result: Result<(), Errno>) -> Outcome {
    result.map_or_else(Outcome::Err, |()| Outcome::Ok(0))
}
