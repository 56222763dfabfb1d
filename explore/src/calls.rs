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

/// The alphabets, each of which has all that is in those before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Set {
    /// The calls that decide who lives and dies.
    Core,
    /// Every call, with its commonest arguments.
    Each,
    /// Further arguments.
    All,
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
    /// The smallest alphabet that it is in.
    pub(crate) set: Set,
    pub(crate) call: fn(Given) -> Call,
}

impl Kind {
    /// The name of the call.
    pub(crate) fn name(&self) -> CallName {
        (self.call)(Given { at: Role::HOST, child: Role::HOST }).name()
    }

    /// Whether this word means it: its own, or the name of its call where that is no kind's own.
    fn is_called(&self, word: &str) -> bool {
        self.word == word || (self.name().word() == word && KINDS.iter().all(|kind| kind.word != word))
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
            set: Set::$set,
            call: $call,
        }),*];
    };
    (@ exact) => { true };
    (@ renamed) => { false };
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

fn look_at_none(via: LookVia) -> Call {
    Call::Look { at: PidfdTarget::Pid(Target::Number(0)), via }
}

fn setns(at: Role, via: SetnsVia) -> Call {
    Call::Setns { to: Entrance::Process(at), via, nstype: None }
}

const THREAD: CloneFlags = CloneFlags::CLONE_VM.union(CloneFlags::CLONE_SIGHAND).union(CloneFlags::CLONE_THREAD);

kinds! {
    "fork" Nobody Process renamed Core |given| Call::Fork { child: given.child };
    "clone CLONE_NEWPID" Nobody ProcessAndNamespace renamed Core |given| clone(given.child, CloneFlags::CLONE_NEWPID);
    "unshare CLONE_NEWPID" Nobody Namespace renamed Core |_| Call::Unshare { flags: CloneFlags::CLONE_NEWPID };
    "setns ns/pid" Anybody Nothing renamed Core |given| setns(given.at, SetnsVia::NsPid);
    "exit" Nobody Nothing renamed Core |_| Call::Exit { status: 0 };
    "wait any" Nobody Nothing renamed Core |_| wait(WaitTarget::Any, WaitOptions::empty());
    "wait any WNOHANG" Nobody Nothing renamed Core |_| wait(WaitTarget::Any, WaitOptions::WNOHANG);
    "kill SIGKILL" Numbered Nothing renamed Core |given| kill(given.at, Signal::KILL);
    "kill SIGTERM" Numbered Nothing renamed Core |given| kill(given.at, Signal::TERM);
    "kill -1 SIGKILL" Nobody Nothing renamed Core
        |_| Call::Kill { target: KillTarget::Pid(Target::Number(-1)), signal: Some(Signal::KILL) };
    "set_child_subreaper" Nobody Nothing renamed Core |_| Call::SetChildSubreaper { on: true };
    "sigaction SIGCHLD ignore" Nobody Nothing renamed Core
        |_| Call::Sigaction { signal: Signal::CHLD, action: SignalAction::Ignore };

    "vfork" Nobody Process renamed Each |given| Call::Vfork { child: given.child };
    "clone CLONE_PARENT" Nobody Process renamed Each |given| clone(given.child, CloneFlags::CLONE_PARENT);
    "clone CLONE_THREAD" Nobody Thread renamed Each |given| clone(given.child, THREAD);
    "clone set_tid" Nobody Process exact Each
        |given| Call::Clone { child: given.child, flags: CloneFlags::empty(), exit_signal: ExitSignal::Default, set_tid: vec![5] };
    "failed_fork" Nobody Process exact Each |_| Call::FailedFork;
    "exit_thread" Nobody Nothing renamed Each |_| Call::ExitThread { status: 0 };
    "exec" Nobody Nothing exact Each |_| Call::Exec;
    "abort" Nobody Nothing renamed Each |_| Call::Abort;
    "fault" Nobody Nothing renamed Each |_| Call::Fault;
    "broken_pipe" Nobody Nothing renamed Each |_| Call::BrokenPipe;
    "seccomp_kill process" Nobody Nothing renamed Each |_| Call::SeccompKill { scope: SeccompScope::Process };
    "wait pid" Numbered Nothing exact Each |given| wait(WaitTarget::Pid(Target::Role(given.at)), WaitOptions::empty());
    "waitid WEXITED WNOWAIT" Nobody Nothing renamed Each |_| Call::Waitid {
        target: WaitTarget::Any,
        options: WaitOptions::WEXITED | WaitOptions::WNOWAIT | WaitOptions::WNOHANG,
    };
    "kill SIGSTOP" Numbered Nothing renamed Each |given| kill(given.at, Signal::STOP);
    "kill SIGCONT" Numbered Nothing renamed Each |given| kill(given.at, Signal::CONT);
    "tgkill SIGUSR1" Numbered Nothing exact Each
        |given| Call::Tgkill { pid: Target::Role(given.at), signal: Some(Signal::USR1), tgid: None };
    "tkill SIGTERM" Numbered Nothing exact Each
        |given| Call::Tkill { pid: Target::Role(given.at), signal: Some(Signal::TERM) };
    "sigqueue SIGTERM" Numbered Nothing exact Each |given| Call::Sigqueue {
        pid: Target::Role(given.at), signal: Some(Signal::TERM), si_pid: 700, si_code: SigCode::Queue,
    };
    "tgsigqueueinfo SIGTERM" Numbered Nothing exact Each |given| Call::Tgsigqueueinfo {
        pid: Target::Role(given.at), signal: Some(Signal::TERM), si_pid: 700, si_code: SigCode::Queue, tgid: None,
    };
    "pidfd_open" Numbered Nothing exact Each
        |given| Call::PidfdOpen { pid: Target::Role(given.at), flags: PidfdFlags::empty() };
    "pidfd_send_signal SIGKILL" Remembered Nothing exact Each |given| Call::PidfdSendSignal {
        of: PidfdTarget::Held(given.at), signal: Some(Signal::KILL), flags: PidfdFlags::empty(),
    };
    "pidfd_poll" Remembered Nothing exact Each |given| Call::PidfdPoll { of: PidfdTarget::Held(given.at) };
    "look proc" Numbered Nothing exact Each |given| look(given, LookVia::Proc);
    "look children" Numbered Nothing exact Each |given| look(given, LookVia::Children);
    "look translate" Anybody Nothing exact Each |given| look(given, LookVia::Translate);
    "look credentials" Anybody Nothing exact Each |given| look(given, LookVia::Credentials);
    "look ns-parent" Anybody Nothing exact Each |given| look(given, LookVia::NsParent);
    "look ns-file" Anybody Nothing exact Each |given| look(given, LookVia::NsFile);
    "look fdinfo" Remembered Nothing exact Each |given| look_at_held(given, LookVia::Fdinfo);
    "look pidfd-info" Remembered Nothing exact Each |given| look_at_held(given, LookVia::PidfdInfo);
    "look listing" Nobody Nothing exact Each
        |_| look_at_none(LookVia::Listing);
    "unshare CLONE_NEWUSER" Nobody Nothing exact Each |_| Call::Unshare { flags: CloneFlags::CLONE_NEWUSER };
    "setns pidfd" Remembered Nothing exact Each |given| setns(given.at, SetnsVia::Pidfd);
    "setns ns/pid_for_children" Anybody Nothing exact Each |given| setns(given.at, SetnsVia::PidForChildren);
    "open_ns ns/pid" Anybody Nothing exact Each
        |given| Call::OpenNs { of: given.at, via: NsLink::Pid, keep: Keeper::Descriptor };
    "close_ns" Remembered Nothing exact Each |given| Call::CloseNs { of: given.at };
    "setns kept" Remembered Nothing exact Each
        |given| Call::Setns { to: Entrance::Kept(given.at), via: SetnsVia::NsPid, nstype: None };
    "clone CLONE_AUTOREAP CLONE_PIDFD_AUTOKILL" Nobody Process exact Each |given| clone(given.child, CloneFlags::CLONE_AUTOREAP | CloneFlags::CLONE_PIDFD_AUTOKILL);
    "close_pidfd" Remembered Nothing exact Each |given| Call::ClosePidfd { of: given.at };
    "mq_notify SIGTERM" Nobody Nothing exact Each |_| Call::MqNotify { signal: Some(Signal::TERM) };
    "mq_send" Remembered Nothing exact Each |given| Call::MqSend { to: given.at };
    "get_child_subreaper" Nobody Nothing renamed Each |_| Call::GetChildSubreaper;
    "set_pdeathsig SIGKILL" Nobody Nothing renamed Each |_| Call::SetPdeathsig { signal: Some(Signal::KILL) };
    "get_pdeathsig" Nobody Nothing renamed Each |_| Call::GetPdeathsig;
    "ptrace_seize" Numbered Nothing exact Each |given| Call::PtraceSeize { pid: Target::Role(given.at), exitkill: false };
    "ptrace_attach" Numbered Nothing exact Each |given| Call::PtraceAttach { pid: Target::Role(given.at) };
    "ptrace_cont" Numbered Nothing exact Each |given| Call::PtraceCont { pid: Target::Role(given.at), signal: None };
    "ptrace_detach" Numbered Nothing exact Each |given| Call::PtraceDetach { pid: Target::Role(given.at), signal: None };
    "setuid" Nobody Nothing exact Each |_| Call::Setuid { uid: pidlab_scenario::ANOTHER_USER };
    "drop_capability CAP_KILL" Nobody Nothing exact Each
        |_| Call::DropCapability { capability: Capability::Kill };
    "sigaction SIGTERM handle" Nobody Nothing renamed Each
        |_| Call::Sigaction { signal: Signal::TERM, action: SignalAction::Handle };
    "sigaction SIGCHLD handle" Nobody Nothing exact Each
        |_| Call::Sigaction { signal: Signal::CHLD, action: SignalAction::Handle };
    "sigprocmask block SIGTERM" Nobody Nothing renamed Each
        |_| Call::Sigprocmask { how: MaskChange::Block, signal: Signal::TERM };
    "sigpending" Nobody Nothing renamed Each |_| Call::Sigpending;
    "sigwait SIGTERM" Nobody Nothing exact Each |_| Call::Sigwait { signals: vec![Signal::TERM] };
    "sigtimedwait SIGTERM" Nobody Nothing exact Each |_| Call::Sigtimedwait { signals: vec![Signal::TERM] };
    "signalfd SIGTERM" Nobody Nothing exact Each |_| Call::Signalfd { signals: vec![Signal::TERM] };
    "setsid" Nobody Nothing exact Each |_| Call::Setsid;
    "setpgid" Numbered Nothing exact Each
        |given| Call::Setpgid { pid: Target::Role(given.at), group: Target::Number(0) };
    "getpgid" Numbered Nothing exact Each |given| Call::Getpgid { pid: Target::Role(given.at) };
    "getsid" Numbered Nothing exact Each |given| Call::Getsid { pid: Target::Role(given.at) };
    "getpid" Nobody Nothing exact Each |_| Call::Getpid;
    "gettid" Nobody Nothing exact Each |_| Call::Gettid;
    "getppid" Nobody Nothing exact Each |_| Call::Getppid;
    "sysctl ns_last_pid" Nobody Nothing exact Each |_| Call::Sysctl { name: Sysctl::NsLastPid, write: None };
    "sysctl ns_last_pid 5" Nobody Nothing exact Each |_| Call::Sysctl { name: Sysctl::NsLastPid, write: Some(5) };
    "sysctl ns_last_pid 4194303" Nobody Nothing exact Each
        |_| Call::Sysctl { name: Sysctl::NsLastPid, write: Some(4_194_303) };
    "sysctl pid_max 301" Nobody Nothing exact Each |_| Call::Sysctl { name: Sysctl::PidMax, write: Some(301) };
    "reboot restart" Nobody Nothing renamed Each |_| Call::Reboot { how: RebootHow::Restart };

    "clone CLONE_VM" Nobody Process exact All |given| clone(given.child, CloneFlags::CLONE_VM);
    "clone CLONE_VFORK CLONE_NEWPID" Nobody ProcessAndNamespace exact All
        |given| clone(given.child, CloneFlags::CLONE_VFORK | CloneFlags::CLONE_NEWPID);
    "clone CLONE_NEWUSER CLONE_NEWPID" Nobody ProcessAndNamespace exact All
        |given| clone(given.child, CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWPID);
    "clone without a signal" Nobody Process exact All |given| Call::Clone {
        child: given.child, flags: CloneFlags::empty(), exit_signal: ExitSignal::None, set_tid: Vec::new(),
    };
    "clone that writes TIDs" Nobody Process exact All |given| clone(
        given.child,
        CloneFlags::CLONE_PARENT_SETTID | CloneFlags::CLONE_CHILD_SETTID | CloneFlags::CLONE_CHILD_CLEARTID,
    );
    "exit 3" Nobody Nothing exact All |_| Call::Exit { status: 3 };
    "exit_thread 3" Nobody Nothing exact All |_| Call::ExitThread { status: 3 };
    "seccomp_kill thread" Nobody Nothing exact All |_| Call::SeccompKill { scope: SeccompScope::Thread };
    "wait __WCLONE WNOHANG" Nobody Nothing exact All
        |_| wait(WaitTarget::Any, WaitOptions::__WCLONE | WaitOptions::WNOHANG);
    "wait own group __WALL" Nobody Nothing exact All |_| wait(WaitTarget::OwnGroup, WaitOptions::__WALL);
    "wait WSTOPPED WCONTINUED WNOHANG" Nobody Nothing exact All |_| {
        wait(WaitTarget::Any, WaitOptions::WSTOPPED | WaitOptions::WCONTINUED | WaitOptions::WNOHANG)
    };
    "waitid pidfd" Remembered Nothing exact All |given| Call::Waitid {
        target: WaitTarget::Pidfd(given.at), options: WaitOptions::WEXITED | WaitOptions::WNOHANG,
    };
    "kill 0" Numbered Nothing exact All
        |given| Call::Kill { target: KillTarget::Pid(Target::Role(given.at)), signal: None };
    "kill own group SIGTERM" Nobody Nothing exact All
        |_| Call::Kill { target: KillTarget::Pid(Target::Number(0)), signal: Some(Signal::TERM) };
    "kill group SIGTERM" Numbered Nothing exact All
        |given| Call::Kill { target: KillTarget::Group(Target::Role(given.at)), signal: Some(Signal::TERM) };
    "pidfd_open PIDFD_THREAD" Numbered Nothing exact All
        |given| Call::PidfdOpen { pid: Target::Role(given.at), flags: PidfdFlags::PIDFD_THREAD };
    "pidfd_send_signal group SIGTERM" Remembered Nothing exact All |given| Call::PidfdSendSignal {
        of: PidfdTarget::Held(given.at), signal: Some(Signal::TERM), flags: PidfdFlags::PIDFD_SIGNAL_PROCESS_GROUP,
    };
    "pidfd_send_signal thread SIGTERM" Remembered Nothing exact All |given| Call::PidfdSendSignal {
        of: PidfdTarget::Held(given.at), signal: Some(Signal::TERM), flags: PidfdFlags::PIDFD_SIGNAL_THREAD,
    };
    "look peercred" Anybody Nothing exact All |given| look(given, LookVia::Peercred);
    "look file-owner" Anybody Nothing exact All |given| look(given, LookVia::FileOwner);
    "look pidfd-exit" Remembered Nothing exact All |given| look_at_held(given, LookVia::PidfdExit);
    "look pidfd-signal" Anybody Nothing exact All |given| look(given, LookVia::PidfdSignal);
    "look ns-parent-file" Anybody Nothing exact All |given| look(given, LookVia::NsParentFile);
    "look ns-owner" Anybody Nothing exact All |given| look(given, LookVia::NsOwner);
    "look user-ns-parent" Anybody Nothing exact All |given| look(given, LookVia::UserNsParent);
    "look their-procfs" Anybody Nothing exact All |given| look(given, LookVia::TheirProcfs);
    "look self" Nobody Nothing exact All |_| look_at_none(LookVia::Myself);
    "look loadavg" Nobody Nothing exact All |_| look_at_none(LookVia::Loadavg);
    "look tid-words" Anybody Nothing exact All |given| look(given, LookVia::TidWords);
    "setns pidfd/pid_for_children" Remembered Nothing exact All |given| setns(given.at, SetnsVia::PidfdForChildren);
    "setns ns/user" Anybody Nothing exact All |given| setns(given.at, SetnsVia::NsUser);
    "open_ns pidfd/pid_for_children" Anybody Nothing exact All
        |given| Call::OpenNs { of: given.at, via: NsLink::PidfdForChildren, keep: Keeper::Descriptor };
    "sigaction SIGTERM ignore" Nobody Nothing exact All
        |_| Call::Sigaction { signal: Signal::TERM, action: SignalAction::Ignore };
    "sigaction SIGCHLD nocldwait" Nobody Nothing exact All
        |_| Call::Sigaction { signal: Signal::CHLD, action: SignalAction::NoCldWait };
    "sigprocmask unblock SIGTERM" Nobody Nothing exact All
        |_| Call::Sigprocmask { how: MaskChange::Unblock, signal: Signal::TERM };
    "sigprocmask block SIGCHLD" Nobody Nothing exact All
        |_| Call::Sigprocmask { how: MaskChange::Block, signal: Signal::CHLD };
    "sigwait SIGCHLD" Nobody Nothing exact All |_| Call::Sigwait { signals: vec![Signal::CHLD] };
    "setpgid to" Numbered Nothing exact All
        |given| Call::Setpgid { pid: Target::Number(0), group: Target::Role(given.at) };
    "ptrace_seize EXITKILL" Numbered Nothing exact All
        |given| Call::PtraceSeize { pid: Target::Role(given.at), exitkill: true };
    "drop_capability CAP_SYS_ADMIN" Nobody Nothing exact All
        |_| Call::DropCapability { capability: Capability::SysAdmin };
    "sysctl max_pid_namespaces 1" Nobody Nothing exact All
        |_| Call::Sysctl { name: Sysctl::MaxPidNamespaces, write: Some(1) };
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
        Alphabet::of(|kind| kind.set == Set::Core)
    }

    /// Every call that there is, with one or a few sets of arguments.
    pub fn each() -> Alphabet {
        Alphabet::of(|kind| kind.set <= Set::Each)
    }

    /// Every call that there is, with all the arguments that are tried.
    pub fn all() -> Alphabet {
        Alphabet::of(|_| true)
    }

    /// `core`, `each`, `all`, or the calls with these words, separated by commas: one of [`Alphabet::words`] (`exit` is `exit` alone, and not `exit 3`),
    /// or else a call's name, with whatever arguments there are.
    ///
    /// # Errors
    /// The word that means nothing.
    pub fn from_words(words: &str) -> Result<Alphabet, String> {
        match words {
            "core" => return Ok(Alphabet::core()),
            "each" => return Ok(Alphabet::each()),
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
