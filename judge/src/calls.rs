//! A call of a log in the words of the scenario language, where it has words for it.

use pidlab_scenario::{
    Call, CloneFlags, Entrance, ExitSignal, KillTarget, NsLink, PidfdFlags, PidfdTarget, Role, SetnsVia, SigCode,
    Signal, SignalAction, Target, WaitOptions, WaitTarget,
};

use crate::event::{Answer, Deed, MaskHow};
use crate::shown::shown;
use crate::words::{field, number, set, set_field, signal, wait_status};

/// A call as a log has it.
#[derive(Clone, Copy)]
pub(crate) struct Logged<'a> {
    pub(crate) name: &'a str,
    pub(crate) arguments: &'a [String],
    pub(crate) result: Option<&'a str>,
}

/// Who is behind what a call is given that is no number.
pub(crate) trait Known {
    /// Whom the call has made, and what number it has.
    fn child(&self) -> Option<(Role, Option<u32>)>;
    /// Whose call it is.
    fn caller(&self) -> Role;
    /// Who has this number as strace sees it.
    fn by_outer_number(&self, number: u32) -> Option<Role>;
    /// By which link of whom a namespace was opened.
    fn opened(&self, inode: &str) -> Option<(Role, NsLink)>;
    /// Whether a number could be that of somebody in the log.
    fn may_be_known(&self, number: i64) -> bool;
}

/// What a call is to the model: `Err` where the language has no words for what it does to processes.
pub(crate) fn deed(call: &Logged<'_>, known: &impl Known) -> Result<Deed, ()> {
    let arg = |at: usize| call.arguments.get(at).map_or("", String::as_str);
    let num = |at: usize| number(arg(at)).and_then(|number| i32::try_from(number).ok());
    let zeroth = Target::Number(num(0).unwrap_or(0));
    Ok(Deed::Call(match call.name {
        "clone" | "clone3" | "fork" | "vfork" => return birth(call, known),
        "execve" | "execveat" if call.result.is_some_and(|result| result.starts_with('0')) => Call::Exec,
        "execve" | "execveat" => return Ok(Deed::Passes),
        "exit_group" => Call::Exit { status: num(0).unwrap_or(0) },
        "exit" => Call::ExitThread { status: num(0).unwrap_or(0) },
        "wait4" | "waitid" => return wait(call, known),
        "kill" | "tkill" | "tgkill" | "pidfd_send_signal" | "rt_sigqueueinfo" => return send(call, known),
        "pidfd_open" if known.may_be_known(num(0).unwrap_or(0).into()) => {
            let flags = if arg(1).contains("PIDFD_THREAD") { PidfdFlags::PIDFD_THREAD } else { PidfdFlags::empty() };
            Call::PidfdOpen { pid: zeroth, flags }
        }
        "unshare" => return unshare(arg(0)),
        "setns" => return setns(call, known),
        "setpgid" => Call::Setpgid { pid: zeroth, group: Target::Number(num(1).unwrap_or(0)) },
        "setsid" => Call::Setsid,
        "getpid" => Call::Getpid,
        "gettid" => Call::Gettid,
        "getppid" => Call::Getppid,
        "getpgrp" => Call::Getpgid { pid: Target::Number(0) },
        "getpgid" if known.may_be_known(num(0).unwrap_or(0).into()) => Call::Getpgid { pid: zeroth },
        "getsid" if known.may_be_known(num(0).unwrap_or(0).into()) => Call::Getsid { pid: zeroth },
        "prctl" => return Ok(prctl(arg(0), arg(1))),
        "rt_sigaction" => return Ok(action(arg(0), arg(1))),
        "rt_sigprocmask" => return Ok(mask(arg(0), arg(1))),
        "rt_sigreturn" => {
            return Ok(set_field(arg(0), "mask").map_or(Deed::Passes, |set| Deed::Restore { set }));
        }
        "rt_sigsuspend" => return Ok(set(arg(0)).map_or(Deed::Passes, |set| Deed::Suspend { set })),
        "ppoll" => return Ok(set(arg(3)).map_or(Deed::Passes, |set| Deed::Suspend { set })),
        "epoll_pwait" | "epoll_pwait2" => return Ok(set(arg(4)).map_or(Deed::Passes, |set| Deed::Suspend { set })),
        "pselect6" => {
            return Ok(set_field(arg(5), "sigmask").map_or(Deed::Passes, |set| Deed::Suspend { set }));
        }
        "rt_sigtimedwait" => return Ok(Deed::Call(sigwait(call))),
        "ptrace" => return trace(call, known),
        "getpgid" | "getsid" | "pidfd_open" => return Err(()),
        _ => return lacks(call),
    }))
}

/// What a call gave.
pub(crate) fn answer(call: &Logged<'_>) -> Answer {
    let Some(result) = call.result else { return Answer::Never };
    if let Some(rest) = result.strip_prefix('?') {
        return if rest.contains("ERESTART") { Answer::Interrupted } else { Answer::Never };
    }
    // Killed on its way in, it has done nothing.
    if result.starts_with("-1 (errno ") {
        return Answer::Never;
    }
    if let Some(rest) = result.strip_prefix("-1 ") {
        return Answer::Fails(rest.split_whitespace().next().unwrap_or_default().to_owned());
    }
    let Some(number) = number(result) else { return Answer::Succeeds };
    let arg = |at: usize| call.arguments.get(at).map_or("", String::as_str);
    match call.name {
        "wait4" if number > 0 => Answer::Waited { number, status: wait_status(arg(1)) },
        "waitid" => {
            let info = arg(2);
            let pid = field(info, "si_pid").and_then(crate::words::number).unwrap_or(0);
            let status = crate::words::child_status(info).and_then(|status| status.waited());
            if pid == 0 { Answer::Number(0) } else { Answer::Waited { number: pid, status } }
        }
        "rt_sigtimedwait" => shown(arg(1), None).map_or(Answer::Succeeds, Answer::Took),
        "pidfd_open" | "execve" | "execveat" => Answer::Succeeds,
        _ => Answer::Number(number),
    }
}

fn birth(call: &Logged<'_>, known: &impl Known) -> Result<Deed, ()> {
    if matches!(answer(call), Answer::Interrupted) {
        return Ok(Deed::Passes);
    }
    let Some((child, number)) = known.child() else { return Ok(Deed::Passes) };
    let text = call.arguments.join(",");
    let words: Vec<&str> = field(&text, "flags").map(|flags| flags.split('|').collect()).unwrap_or_default();
    let mut flags: CloneFlags = words.iter().filter_map(|word| CloneFlags::from_name(word)).collect();
    flags &= modelled();
    let exit_signal = match call.name {
        "clone" => words.iter().find_map(|word| signal(word)),
        "clone3" => field(&text, "exit_signal").and_then(signal),
        _ => Some(Signal::CHLD),
    };
    if call.name == "vfork" {
        flags = CloneFlags::CLONE_VM | CloneFlags::CLONE_VFORK;
    }
    let without = CloneFlags::CLONE_PARENT | CloneFlags::CLONE_THREAD;
    let exit_signal = match exit_signal {
        _ if flags.intersects(without) => ExitSignal::Default,
        Some(Signal::CHLD) => ExitSignal::Default,
        Some(signal) => ExitSignal::Signal(signal),
        None => ExitSignal::None,
    };
    let vfork = CloneFlags::CLONE_VM | CloneFlags::CLONE_VFORK;
    let plain = exit_signal == ExitSignal::Default;
    let call = match flags {
        flags if plain && flags == vfork => Call::Vfork { child },
        flags if plain && flags.is_empty() => Call::Fork { child },
        flags => Call::Clone { child, flags, exit_signal, set_tid: Vec::new() },
    };
    Ok(Deed::Birth { call, child, number })
}

/// The flags that matter to processes.
fn modelled() -> CloneFlags {
    CloneFlags::CLONE_VM
        | CloneFlags::CLONE_SIGHAND
        | CloneFlags::CLONE_VFORK
        | CloneFlags::CLONE_PARENT
        | CloneFlags::CLONE_THREAD
        | CloneFlags::CLONE_NEWUSER
        | CloneFlags::CLONE_NEWPID
        | CloneFlags::CLONE_CLEAR_SIGHAND
}

fn wait(call: &Logged<'_>, known: &impl Known) -> Result<Deed, ()> {
    let arg = |at: usize| call.arguments.get(at).map_or("", String::as_str);
    let is_waitid = call.name == "waitid";
    let options = arg(if is_waitid { 3 } else { 2 });
    let options = options.split('|').filter_map(|word| match word.trim() {
        "WUNTRACED" => Some(WaitOptions::WSTOPPED),
        word => WaitOptions::from_name(word),
    });
    let options: WaitOptions = options.collect();
    let pid = number(arg(usize::from(is_waitid))).and_then(|number| i32::try_from(number).ok());
    let one = || pid.map(Target::Number).ok_or(());
    let target = match (is_waitid, arg(0)) {
        (true, "P_ALL") => WaitTarget::Any,
        (true, "P_PID") => WaitTarget::Pid(one()?),
        (true, "P_PGID") if pid == Some(0) => WaitTarget::OwnGroup,
        (true, "P_PGID") => WaitTarget::Group(one()?),
        (true, "P_PIDFD") => WaitTarget::Pidfd(pidfd(arg(1), known).ok_or(())?),
        (true, _) => return Err(()),
        (false, _) => match pid {
            None => return Ok(Deed::Passes),
            Some(-1) => WaitTarget::Any,
            Some(0) => WaitTarget::OwnGroup,
            Some(pid) if pid < 0 => WaitTarget::Group(Target::Number(-pid)),
            Some(pid) => WaitTarget::Pid(Target::Number(pid)),
        },
    };
    Ok(Deed::Call(if is_waitid { Call::Waitid { target, options } } else { Call::Wait { target, options } }))
}

/// Whose pidfd it is: `4<pid:22042>`.
fn pidfd(text: &str, known: &impl Known) -> Option<Role> {
    let (_, rest) = text.split_once("<pid:")?;
    let pid = number(rest)?;
    known.by_outer_number(u32::try_from(pid).ok()?)
}

fn send(call: &Logged<'_>, known: &impl Known) -> Result<Deed, ()> {
    let arg = |at: usize| call.arguments.get(at).map_or("", String::as_str);
    let num = |at: usize| number(arg(at)).and_then(|number| i32::try_from(number).ok());
    let named = |at: usize| if arg(at) == "0" { Ok(None) } else { signal(arg(at)).map(Some).ok_or(()) };
    let outside = |number: i32| !known.may_be_known(number.into());
    let pid = Target::Number(num(0).unwrap_or(0));
    Ok(Deed::Call(match call.name {
        "kill" => {
            let signal = named(1)?;
            match num(0).ok_or(())? {
                number if number > 0 && outside(number) || number < -1 && outside(-number) => return Err(()),
                number if number < -1 => Call::Kill { target: KillTarget::Group(Target::Number(-number)), signal },
                number => Call::Kill { target: KillTarget::Pid(Target::Number(number)), signal },
            }
        }
        "tkill" | "rt_sigqueueinfo" if outside(num(0).unwrap_or(0)) => return Err(()),
        "tkill" => Call::Tkill { pid, signal: named(1)? },
        "tgkill" if outside(num(1).unwrap_or(0)) => return Err(()),
        "tgkill" => {
            let thread = Target::Number(num(1).unwrap_or(0));
            Call::Tgkill { pid: thread, signal: named(2)?, tgid: Some(pid).filter(|tgid| *tgid != thread) }
        }
        "pidfd_send_signal" => {
            let of = PidfdTarget::Held(pidfd(arg(0), known).ok_or(())?);
            Call::PidfdSendSignal { of, signal: named(1)?, flags: PidfdFlags::empty() }
        }
        _ => {
            let si_pid = field(arg(2), "si_pid").and_then(number).and_then(|pid| u32::try_from(pid).ok()).ok_or(())?;
            let code = field(arg(2), "si_code").and_then(SigCode::from_word).ok_or(())?;
            Call::Sigqueue { pid, signal: named(1)?, si_pid, si_code: code }
        }
    }))
}

/// Everybody in a log has a tracer, and nobody has two. So nobody in it traces another, and who asks for it is refused.
fn trace(call: &Logged<'_>, known: &impl Known) -> Result<Deed, ()> {
    let arg = |at: usize| call.arguments.get(at).map_or("", String::as_str);
    match answer(call) {
        Answer::Fails(errno) if errno != "EPERM" && errno != "ESRCH" => return Err(()),
        Answer::Interrupted => return Ok(Deed::Passes),
        _ => {}
    }
    // That there is one already is found out by the same question as for who asks to trace itself, which is no tracer.
    if arg(0) == "PTRACE_TRACEME" {
        return Ok(Deed::Call(Call::PtraceAttach { pid: Target::Role(known.caller()) }));
    }
    let pid = number(arg(1)).filter(|pid| *pid > 1 && known.may_be_known(*pid)).ok_or(())?;
    let pid = Target::Number(i32::try_from(pid).map_err(|_| ())?);
    Ok(Deed::Call(match arg(0) {
        "PTRACE_ATTACH" => Call::PtraceAttach { pid },
        "PTRACE_SEIZE" => Call::PtraceSeize { pid, exitkill: false },
        // Only a tracer may ask for anything else (kernel/ptrace.c:ptrace_check_attach).
        _ => Call::PtraceCont { pid, signal: None },
    }))
}

/// Whether a call makes its caller another user, or tries to.
pub(crate) fn changes_user(name: &str) -> bool {
    matches!(name, "setuid" | "setreuid" | "setresuid")
}

/// Whether it depends on who the caller is if a call is permitted.
pub(crate) fn needs_permission(name: &str) -> bool {
    matches!(
        name,
        "kill"
            | "tkill"
            | "tgkill"
            | "rt_sigqueueinfo"
            | "pidfd_send_signal"
            | "unshare"
            | "setns"
            | "clone"
            | "clone3"
            | "ptrace"
    )
}

fn unshare(flags: &str) -> Result<Deed, ()> {
    let flags: CloneFlags = flags.split('|').filter_map(CloneFlags::from_name).collect();
    let flags = flags & (CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWUSER);
    Ok(if flags.is_empty() { Deed::Passes } else { Deed::Call(Call::Unshare { flags }) })
}

fn setns(call: &Logged<'_>, known: &impl Known) -> Result<Deed, ()> {
    let arg = |at: usize| call.arguments.get(at).map_or("", String::as_str);
    let asks = arg(1).contains("CLONE_NEWPID");
    if let Some(to) = pidfd(arg(0), known).filter(|_| asks) {
        return Ok(Deed::Call(Call::Setns { to: Entrance::Process(to), via: SetnsVia::Pidfd, nstype: None }));
    }
    let Some((_, rest)) = arg(0).split_once("<pid:[") else {
        return if asks { Err(()) } else { Ok(Deed::Passes) };
    };
    let inode = rest.split(']').next().unwrap_or_default();
    let (to, link) = known.opened(inode).ok_or(())?;
    let via = match link {
        NsLink::Pid => SetnsVia::NsPid,
        _ => SetnsVia::PidForChildren,
    };
    Ok(Deed::Call(Call::Setns { to: Entrance::Process(to), via, nstype: None }))
}

fn prctl(what: &str, value: &str) -> Deed {
    match what {
        "PR_SET_CHILD_SUBREAPER" => Deed::Call(Call::SetChildSubreaper { on: value != "0" }),
        "PR_SET_PDEATHSIG" => Deed::Call(Call::SetPdeathsig { signal: signal(value) }),
        _ => Deed::Passes,
    }
}

fn action(name: &str, given: &str) -> Deed {
    let (Some(signal), Some(handler)) = (signal(name), field(given, "sa_handler")) else { return Deed::Passes };
    let action = match handler {
        "SIG_IGN" => SignalAction::Ignore,
        "SIG_DFL" if signal == Signal::CHLD && given.contains("SA_NOCLDWAIT") => SignalAction::NoCldWait,
        "SIG_DFL" => SignalAction::Default,
        // Where a wait starts over, the log shows it as a call of its own.
        _ => SignalAction::Handle,
    };
    Deed::Call(Call::Sigaction { signal, action })
}

fn mask(how: &str, given: &str) -> Deed {
    let how = match how {
        "SIG_BLOCK" => MaskHow::Block,
        "SIG_UNBLOCK" => MaskHow::Unblock,
        _ => MaskHow::Set,
    };
    set(given).map_or(Deed::Passes, |set| Deed::Mask { how, set })
}

/// A time-out that has come is one moment at which nothing was there.
fn sigwait(call: &Logged<'_>) -> Call {
    let arg = |at: usize| call.arguments.get(at).map_or("", String::as_str);
    let signals = set(arg(0)).unwrap_or_default();
    let at_once = arg(2).contains("tv_sec=0, tv_nsec=0}");
    let timed_out = answer(call) == Answer::Fails("EAGAIN".to_owned());
    if at_once || timed_out { Call::Sigtimedwait { signals } } else { Call::Sigwait { signals } }
}

/// Calls that concern processes and for which the language has no words, beside those that do nothing here.
fn lacks(call: &Logged<'_>) -> Result<Deed, ()> {
    match call.name {
        "signalfd" | "signalfd4" | "reboot" | "seccomp" | "rt_tgsigqueueinfo" | "rt_sigpending"
        | "process_mrelease" => Err(()),
        _ => Ok(Deed::Passes),
    }
}
