//! What a process may do next: each call with the arguments that are worth trying.

use pidlab_scenario::{
    Call, CallName, Capability, CloneFlags, Entrance, ExitSignal, Keeper, KillTarget, LookVia, MaskChange, NsLink,
    PidfdFlags, PidfdTarget, RebootHow, Role, SeccompScope, SetnsVia, SigCode, Signal, SignalAction, Sysctl, Target,
    WaitOptions, WaitTarget,
};

/// Whom a call is about, beside its caller.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum About {
    /// Nobody.
    Nobody,
    /// A process or thread that has a number in the caller's namespace.
    Numbered,
    /// Any process or thread that is not reaped.
    Anybody,
    /// The same, and those that are reaped: who is held by a pidfd, or as a name.
    Remembered,
}

/// What a call makes, if it works: there has to be room for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Makes {
    Nothing,
    Process,
    Thread,
    Namespace,
    ProcessAndNamespace,
}

/// The processes that a call is given.
#[derive(Clone, Copy)]
pub(crate) struct Given {
    pub(crate) at: Role,
    pub(crate) child: Role,
}

/// A call with all its arguments but the processes.
pub(crate) struct Kind {
    /// As it is told: the call's word, and what its arguments are.
    pub(crate) word: &'static str,
    pub(crate) about: About,
    pub(crate) makes: Makes,
    /// Whether it names numbers, or processes that are reaped: then numbers cannot be renamed.
    pub(crate) exact: bool,
    /// Whether it is one of the few that decide who lives and dies.
    pub(crate) core: bool,
    pub(crate) call: fn(Given) -> Call,
}

impl Kind {
    /// The name of the call.
    pub(crate) fn name(&self) -> CallName {
        (self.call)(Given { at: Role::HOST, child: Role::HOST }).name()
    }

    fn is_called(&self, word: &str) -> bool {
        self.word == word || self.name().word() == word
    }
}

macro_rules! kinds {
    ($($word:literal $about:ident $makes:ident $numbers:ident $set:ident $call:expr;)*) => {
        /// Every one, in the order in which they are tried.
        pub(crate) const KINDS: &[Kind] = &[$(Kind {
            word: $word,
            about: About::$about,
            makes: Makes::$makes,
            exact: kinds!(@ $numbers),
            core: kinds!(@ $set),
            call: $call,
        }),*];
    };
    (@ exact) => { true };
    (@ renamed) => { false };
    (@ core) => { true };
    (@ more) => { false };
}

fn clone(child: Role, flags: CloneFlags) -> Call {
    Call::Clone { child, flags, exit_signal: ExitSignal::Default, set_tid: Vec::new() }
}

fn kill(at: Role, signal: Signal) -> Call {
    Call::Kill { target: KillTarget::Pid(Target::Role(at)), signal: Some(signal) }
}

fn wait(target: WaitTarget, options: WaitOptions) -> Call {
    Call::Wait { target, options }
}

fn look(given: Given, via: LookVia) -> Call {
    Call::Look { at: PidfdTarget::Pid(Target::Role(given.at)), via }
}

fn look_at_held(given: Given, via: LookVia) -> Call {
    Call::Look { at: PidfdTarget::Held(given.at), via }
}

fn setns(at: Role, via: SetnsVia) -> Call {
    Call::Setns { to: Entrance::Process(at), via, nstype: None }
}

const THREAD: CloneFlags = CloneFlags::CLONE_VM.union(CloneFlags::CLONE_SIGHAND).union(CloneFlags::CLONE_THREAD);

kinds! {
    "fork" Nobody Process renamed core |given| Call::Fork { child: given.child };
    "clone CLONE_NEWPID" Nobody ProcessAndNamespace renamed core |given| clone(given.child, CloneFlags::CLONE_NEWPID);
    "unshare CLONE_NEWPID" Nobody Namespace renamed core |_| Call::Unshare { flags: CloneFlags::CLONE_NEWPID };
    "setns ns/pid" Anybody Nothing renamed core |given| setns(given.at, SetnsVia::NsPid);
    "exit" Nobody Nothing renamed core |_| Call::Exit { status: 0 };
    "wait any" Nobody Nothing renamed core |_| wait(WaitTarget::Any, WaitOptions::empty());
    "wait any WNOHANG" Nobody Nothing renamed core |_| wait(WaitTarget::Any, WaitOptions::WNOHANG);
    "kill SIGKILL" Numbered Nothing renamed core |given| kill(given.at, Signal::KILL);
    "kill SIGTERM" Numbered Nothing renamed core |given| kill(given.at, Signal::TERM);
    "kill -1 SIGKILL" Nobody Nothing renamed core
        |_| Call::Kill { target: KillTarget::Pid(Target::Number(-1)), signal: Some(Signal::KILL) };
    "set_child_subreaper" Nobody Nothing renamed core |_| Call::SetChildSubreaper { on: true };
    "sigaction SIGCHLD ignore" Nobody Nothing renamed core
        |_| Call::Sigaction { signal: Signal::CHLD, action: SignalAction::Ignore };

    "vfork" Nobody Process renamed more |given| Call::Vfork { child: given.child };
    "clone CLONE_PARENT" Nobody Process renamed more |given| clone(given.child, CloneFlags::CLONE_PARENT);
    "clone CLONE_THREAD" Nobody Thread renamed more |given| clone(given.child, THREAD);
    "clone set_tid" Nobody Process exact more
        |given| Call::Clone { child: given.child, flags: CloneFlags::empty(), exit_signal: ExitSignal::Default, set_tid: vec![5] };
    "failed_fork" Nobody Process exact more |_| Call::FailedFork;
    "exit_thread" Nobody Nothing renamed more |_| Call::ExitThread { status: 0 };
    "exec" Nobody Nothing exact more |_| Call::Exec;
    "abort" Nobody Nothing renamed more |_| Call::Abort;
    "fault" Nobody Nothing renamed more |_| Call::Fault;
    "broken_pipe" Nobody Nothing renamed more |_| Call::BrokenPipe;
    "seccomp_kill process" Nobody Nothing renamed more |_| Call::SeccompKill { scope: SeccompScope::Process };
    "wait pid" Numbered Nothing exact more |given| wait(WaitTarget::Pid(Target::Role(given.at)), WaitOptions::empty());
    "waitid WEXITED WNOWAIT" Nobody Nothing renamed more |_| Call::Waitid {
        target: WaitTarget::Any,
        options: WaitOptions::WEXITED | WaitOptions::WNOWAIT | WaitOptions::WNOHANG,
    };
    "kill SIGSTOP" Numbered Nothing renamed more |given| kill(given.at, Signal::STOP);
    "kill SIGCONT" Numbered Nothing renamed more |given| kill(given.at, Signal::CONT);
    "tgkill SIGUSR1" Numbered Nothing exact more
        |given| Call::Tgkill { pid: Target::Role(given.at), signal: Some(Signal::USR1), tgid: None };
    "tkill SIGTERM" Numbered Nothing exact more
        |given| Call::Tkill { pid: Target::Role(given.at), signal: Some(Signal::TERM) };
    "sigqueue SIGTERM" Numbered Nothing exact more |given| Call::Sigqueue {
        pid: Target::Role(given.at), signal: Some(Signal::TERM), si_pid: 700, si_code: SigCode::Queue,
    };
    "tgsigqueueinfo SIGTERM" Numbered Nothing exact more |given| Call::Tgsigqueueinfo {
        pid: Target::Role(given.at), signal: Some(Signal::TERM), si_pid: 700, si_code: SigCode::Queue, tgid: None,
    };
    "pidfd_open" Numbered Nothing exact more
        |given| Call::PidfdOpen { pid: Target::Role(given.at), flags: PidfdFlags::empty() };
    "pidfd_send_signal SIGKILL" Remembered Nothing exact more |given| Call::PidfdSendSignal {
        of: PidfdTarget::Held(given.at), signal: Some(Signal::KILL), flags: PidfdFlags::empty(),
    };
    "pidfd_poll" Remembered Nothing exact more |given| Call::PidfdPoll { of: PidfdTarget::Held(given.at) };
    "look proc" Numbered Nothing exact more |given| look(given, LookVia::Proc);
    "look children" Numbered Nothing exact more |given| look(given, LookVia::Children);
    "look translate" Anybody Nothing exact more |given| look(given, LookVia::Translate);
    "look credentials" Anybody Nothing exact more |given| look(given, LookVia::Credentials);
    "look ns-parent" Anybody Nothing exact more |given| look(given, LookVia::NsParent);
    "look ns-file" Anybody Nothing exact more |given| look(given, LookVia::NsFile);
    "look fdinfo" Remembered Nothing exact more |given| look_at_held(given, LookVia::Fdinfo);
    "look pidfd-info" Remembered Nothing exact more |given| look_at_held(given, LookVia::PidfdInfo);
    "look listing" Nobody Nothing exact more
        |_| Call::Look { at: PidfdTarget::Pid(Target::Number(0)), via: LookVia::Listing };
    "unshare CLONE_NEWUSER" Nobody Nothing exact more |_| Call::Unshare { flags: CloneFlags::CLONE_NEWUSER };
    "setns pidfd" Remembered Nothing exact more |given| setns(given.at, SetnsVia::Pidfd);
    "setns ns/pid_for_children" Anybody Nothing exact more |given| setns(given.at, SetnsVia::PidForChildren);
    "open_ns ns/pid" Anybody Nothing exact more
        |given| Call::OpenNs { of: given.at, via: NsLink::Pid, keep: Keeper::Descriptor };
    "close_ns" Remembered Nothing exact more |given| Call::CloseNs { of: given.at };
    "setns kept" Remembered Nothing exact more
        |given| Call::Setns { to: Entrance::Kept(given.at), via: SetnsVia::NsPid, nstype: None };
    "clone CLONE_AUTOREAP CLONE_PIDFD_AUTOKILL" Nobody Process exact more |given| clone(given.child, CloneFlags::CLONE_AUTOREAP | CloneFlags::CLONE_PIDFD_AUTOKILL);
    "close_pidfd" Remembered Nothing exact more |given| Call::ClosePidfd { of: given.at };
    "mq_notify SIGTERM" Nobody Nothing exact more |_| Call::MqNotify { signal: Some(Signal::TERM) };
    "mq_send" Remembered Nothing exact more |given| Call::MqSend { to: given.at };
    "get_child_subreaper" Nobody Nothing renamed more |_| Call::GetChildSubreaper;
    "set_pdeathsig SIGKILL" Nobody Nothing renamed more |_| Call::SetPdeathsig { signal: Some(Signal::KILL) };
    "get_pdeathsig" Nobody Nothing renamed more |_| Call::GetPdeathsig;
    "ptrace_seize" Numbered Nothing exact more |given| Call::PtraceSeize { pid: Target::Role(given.at), exitkill: false };
    "ptrace_attach" Numbered Nothing exact more |given| Call::PtraceAttach { pid: Target::Role(given.at) };
    "ptrace_cont" Numbered Nothing exact more |given| Call::PtraceCont { pid: Target::Role(given.at), signal: None };
    "ptrace_detach" Numbered Nothing exact more |given| Call::PtraceDetach { pid: Target::Role(given.at), signal: None };
    "setuid" Nobody Nothing exact more |_| Call::Setuid { uid: pidlab_scenario::ANOTHER_USER };
    "drop_capability CAP_KILL" Nobody Nothing exact more
        |_| Call::DropCapability { capability: Capability::Kill };
    "sigaction SIGTERM handle" Nobody Nothing renamed more
        |_| Call::Sigaction { signal: Signal::TERM, action: SignalAction::Handle };
    "sigaction SIGCHLD handle" Nobody Nothing exact more
        |_| Call::Sigaction { signal: Signal::CHLD, action: SignalAction::Handle };
    "sigprocmask block SIGTERM" Nobody Nothing renamed more
        |_| Call::Sigprocmask { how: MaskChange::Block, signal: Signal::TERM };
    "sigpending" Nobody Nothing renamed more |_| Call::Sigpending;
    "sigwait SIGTERM" Nobody Nothing exact more |_| Call::Sigwait { signals: vec![Signal::TERM] };
    "sigtimedwait SIGTERM" Nobody Nothing exact more |_| Call::Sigtimedwait { signals: vec![Signal::TERM] };
    "signalfd SIGTERM" Nobody Nothing exact more |_| Call::Signalfd { signals: vec![Signal::TERM] };
    "setsid" Nobody Nothing exact more |_| Call::Setsid;
    "setpgid" Numbered Nothing exact more
        |given| Call::Setpgid { pid: Target::Role(given.at), group: Target::Number(0) };
    "getpgid" Numbered Nothing exact more |given| Call::Getpgid { pid: Target::Role(given.at) };
    "getsid" Numbered Nothing exact more |given| Call::Getsid { pid: Target::Role(given.at) };
    "getpid" Nobody Nothing exact more |_| Call::Getpid;
    "gettid" Nobody Nothing exact more |_| Call::Gettid;
    "getppid" Nobody Nothing exact more |_| Call::Getppid;
    "sysctl ns_last_pid" Nobody Nothing exact more |_| Call::Sysctl { name: Sysctl::NsLastPid, write: None };
    "sysctl ns_last_pid 5" Nobody Nothing exact more |_| Call::Sysctl { name: Sysctl::NsLastPid, write: Some(5) };
    "sysctl ns_last_pid 4194303" Nobody Nothing exact more
        |_| Call::Sysctl { name: Sysctl::NsLastPid, write: Some(4_194_303) };
    "sysctl pid_max 301" Nobody Nothing exact more |_| Call::Sysctl { name: Sysctl::PidMax, write: Some(301) };
    "reboot restart" Nobody Nothing renamed more |_| Call::Reboot { how: RebootHow::Restart };
}

/// Which calls an exploration tries.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Alphabet {
    /// Places in the table.
    kinds: Vec<u16>,
}

impl Alphabet {
    /// The calls that decide who lives and dies: fork, clone and unshare with `CLONE_NEWPID`, setns, exit, wait, kill, subreapers, and an
    /// ignored SIGCHLD.
    pub fn core() -> Alphabet {
        Alphabet::of(|kind| kind.core)
    }

    /// Every call that there is.
    pub fn all() -> Alphabet {
        Alphabet::of(|_| true)
    }

    /// `core`, `all`, or the calls with these words, separated by commas: a call's name, with whatever arguments there are, or one of
    /// [`Alphabet::words`].
    ///
    /// # Errors
    /// The word that means nothing.
    pub fn from_words(words: &str) -> Result<Alphabet, String> {
        match words {
            "core" => return Ok(Alphabet::core()),
            "all" => return Ok(Alphabet::all()),
            _ => {}
        }
        let names: Vec<&str> = words.split(',').map(str::trim).collect();
        let is_known = |name: &str| KINDS.iter().any(|kind| kind.is_called(name));
        let unknown = names.iter().find(|name| !is_known(name));
        match unknown {
            Some(name) => Err((*name).to_owned()),
            None => Ok(Alphabet::of(|kind| names.iter().any(|name| kind.is_called(name)))),
        }
    }

    fn of(takes: impl Fn(&Kind) -> bool) -> Alphabet {
        let kinds = KINDS.iter().enumerate().filter(|(_, kind)| takes(kind));
        Alphabet { kinds: kinds.filter_map(|(index, _)| u16::try_from(index).ok()).collect() }
    }

    /// The calls with their arguments, in words.
    pub fn words(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.kinds().map(|(_, kind)| kind.word)
    }

    /// The names of its calls, each once or oftener.
    pub fn names(&self) -> impl Iterator<Item = CallName> + '_ {
        self.kinds().map(|(_, kind)| kind.name())
    }

    /// Whether none of them says a number, or names who is reaped.
    pub fn can_rename(&self) -> bool {
        !self.kinds().any(|(_, kind)| kind.exact)
    }

    pub(crate) fn kinds(&self) -> impl Iterator<Item = (u16, &'static Kind)> + '_ {
        self.kinds.iter().map(|index| (*index, &KINDS[usize::from(*index)]))
    }
}
