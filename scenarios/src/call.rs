//! The table of calls: the one place that says which there are, and how a scenario file is written.
//!
//! Everything else about the language follows from it: the parser and its messages, the writer, what is told of a step, and
//! the JSON Schema.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::argument::{Alternatives, Argument, CallWords};
use crate::arguments::Arguments;
use crate::form::{Form, GivenArgument};
use crate::terms::words;
use crate::{
    Capability, CloneFlags, Entrance, Errno, ExitSignal, Keeper, KillTarget, LookVia, MaskChange, NamespaceTypes,
    NsLink, PidfdFlags, PidfdTarget, RebootHow, Role, SeccompScope, SetnsVia, SigCode, Signal, SignalAction, Sysctl,
    Target, WaitOptions, WaitTarget, form,
};

macro_rules! calls {
    ($($(#[doc = $doc:literal])* $variant:ident = $word:literal $about:literal $returns:ident $({
        $($(#[$field_doc:meta])* $field:ident: $type:ty = $form:expr),* $(,)?
    })? $(| $errno:ident $when:literal)*)*) => {
        /// One system call with its arguments; [`CallName`] is the same without them.
        #[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum Call {
            $($(#[doc = $doc])* $variant $({ $($(#[$field_doc])* $field: $type),* })?),*
        }

        words! {
            /// The name of a call, as a scenario writes it.
            CallName {
                $($(#[doc = $doc])* $variant = $word),*
            }
        }

        impl Call {
            /// Its name.
            pub const fn name(&self) -> CallName {
                match self { $(Call::$variant { .. } => CallName::$variant),* }
            }

            /// The arguments that a step gives it: those that say no more than their absence are left out.
            pub fn arguments(&self) -> Vec<GivenArgument> {
                match self {
                    $(Call::$variant { $($($field),*)? } => {
                        let given: Vec<Option<GivenArgument>> = vec![$($($form.given(stringify!($field), $field)),*)?];
                        given.into_iter().flatten().collect()
                    })*
                }
            }

            /// The call of this name; nothing where an argument is missing or wrong. All are read, for all their mistakes.
            fn of(name: CallName, from: &mut Arguments<'_, '_>) -> Option<Call> {
                match name {
                    $(CallName::$variant => {
                        $($(let $field = $form.read(from, stringify!($field));)*)?
                        Some(Call::$variant { $($($field: $field?),*)? })
                    })*
                }
            }
        }

        impl CallName {
            /// Whether it can come back to its caller, so that something can be expected of it.
            pub const fn returns(self) -> bool {
                match self { $(CallName::$variant => returns!($returns)),* }
            }
        }

        static TABLE: LazyLock<Vec<CallWords>> = LazyLock::new(|| {
            vec![$(CallWords {
                name: $word,
                arguments: {
                    let rows: Vec<Vec<Argument>> = vec![$($({
                        let form: Form<$type> = $form;
                        form.rows(stringify!($field))
                    }),*)?];
                    rows.concat()
                },
                one_of: {
                    let groups: Vec<Option<Alternatives>> = vec![$($({
                        let form: Form<$type> = $form;
                        form.one_of()
                    }),*)?];
                    groups.into_iter().flatten().next()
                },
                returns: returns!($returns),
                about: $about,
                errors: &[$((Errno::$errno, $when)),*],
            }),*]
        });
    };
}

macro_rules! returns {
    (returns) => {
        true
    };
    (ends) => {
        false
    };
}

calls! {
    /// fork(2).
    Fork = "fork" "fork(2): makes a child; returns its PID in the caller's namespace" returns {
        /// The new process.
        child: Role = form::new_process(),
    }
    | EAGAIN "no PID is free in a namespace where the child would have one"
    | ENOMEM "the init of the namespace where the child would be born has terminated, or is about to"
    /// vfork(2).
    Vfork = "vfork"
        "vfork(2): makes a child, and sleeps until it has terminated or runs another program; returns its PID in the caller's namespace" returns {
        /// The new process.
        child: Role = form::new_process(),
    }
    | EAGAIN "no PID is free in a namespace where the child would have one"
    | ENOMEM "the init of the namespace where the child would be born has terminated, or is about to"
    /// clone(2), as clone3.
    Clone = "clone"
        "clone(2), as clone3: makes a child or a thread; returns its PID in the caller's namespace" returns {
        /// The new process or thread.
        child: Role = form::new_process(),
        /// Its flags.
        flags: CloneFlags = form::clone_flags("what is new, and what is shared with the caller"),
        /// What the parent gets when the child ends.
        exit_signal: ExitSignal = form::exit_signal("the signal that the parent gets when the child terminates; SIGCHLD if absent, none with CLONE_PARENT, CLONE_THREAD or CLONE_AUTOREAP"),
        /// The numbers asked for, innermost namespace first; empty asks for none.
        set_tid: Vec<i32> = form::set_tid("the PIDs asked for, innermost namespace first; chosen by the kernel if absent"),
    }
    | EINVAL "flags that do not go together; CLONE_PARENT by an init; CLONE_NEWPID or CLONE_THREAD while the caller's children are born in another namespace; a bad set_tid"
    | EPERM "no capabilities for a new namespace, for set_tid, or for CLONE_PIDFD_AUTOKILL"
    | ENOSPC "namespaces are nested too deep, or the user has too many"
    | EEXIST "a PID of set_tid is taken"
    | EAGAIN "no PID is free in a namespace where the child would have one"
    | ENOMEM "the init of the namespace where the child would be born has terminated, or is about to"
    /// clone(2) that fails at its very end, with numbers already given out: there is nowhere to write its pidfd.
    FailedFork = "failed_fork" "clone(2) that fails at its very end: there is nowhere to write its pidfd" returns
    | EFAULT "always, unless something makes it fail earlier"
    | EAGAIN "no PID is free in a namespace where the child would have one"
    | ENOMEM "the init of the namespace where the child would be born has terminated, or is about to"
    /// _exit(2): the whole process ends.
    Exit = "exit" "_exit(2): the whole process terminates" ends {
        /// The status, of which wait(2) reports the low eight bits.
        status: i32 = form::status("the status, 0 if absent"),
    }
    /// The calling thread ends.
    ExitThread = "exit_thread" "_exit(2) as a bare system call: the calling thread terminates" ends {
        /// The thread's status.
        status: i32 = form::status("the status, 0 if absent"),
    }
    /// execve(2).
    Exec = "exec" "execve(2): runs another program in the same process; of its threads only the caller is left" returns
    /// abort(3).
    Abort = "abort" "abort(3): raises SIGABRT, and terminates the process if a handler returns" returns
    /// An access to memory that is not there.
    Fault = "fault"
        "an access to memory that is not there: a real SIGSEGV; returns 0 if a handler lets it go on" returns
    /// A write into a pipe that nobody reads any more.
    BrokenPipe = "broken_pipe" "a write into a pipe that nobody reads any more: SIGPIPE" returns
    | EPIPE "SIGPIPE did not terminate the caller"
    /// seccomp(2): the next call of the thread is one that a filter kills for.
    SeccompKill = "seccomp_kill"
        "seccomp(2): a call that a filter answers with SECCOMP_RET_KILL_PROCESS or SECCOMP_RET_KILL_THREAD; leaves a line in the kernel's log" ends {
        /// Whom it kills.
        scope: SeccompScope = form::word("whom it kills"),
    }
    /// wait4(2).
    Wait = "wait"
        "wait4(2): waits for a child and reaps it; returns its PID in the caller's namespace, 0 with WNOHANG if none is ready" returns {
        /// Which children.
        target: WaitTarget = form::children(),
        /// Its options; ended children are always reported.
        options: WaitOptions = form::wait_options("options; terminated children are always asked for"),
    }
    | ECHILD "the caller has no such child"
    | EINTR "a handler ran while it waited"
    | EINVAL "an option that only waitid(2) takes"
    | ESRCH "the number is the lowest that there is"
    /// waitid(2).
    Waitid = "waitid"
        "waitid(2): waits for a child, and reaps it unless WNOWAIT is given; returns its PID in the caller's namespace, 0 with WNOHANG if none is ready" returns {
        /// Which children.
        target: WaitTarget = form::children(),
        /// Its options, exactly.
        options: WaitOptions = form::waitid_options("options, exactly these"),
    }
    | ECHILD "the caller has no such child"
    | EINTR "a handler ran while it waited"
    | EINVAL "none of WEXITED, WSTOPPED, WCONTINUED, or a number that nobody can have"
    /// kill(2).
    Kill = "kill" "kill(2): sends a signal to a process, to a group, or to all that the caller sees" returns {
        /// One process, a group, or many.
        target: KillTarget = form::receivers(),
        /// `None` is signal 0.
        signal: Option<Signal> = form::signal_or_zero("the signal, or 0 to probe"),
    }
    | ESRCH "nobody in the caller's namespace is meant"
    | EPERM "the caller may signal none of those meant"
    /// tgkill(2) at the leader of a process, or at a thread.
    Tgkill = "tgkill" "tgkill(2): sends a signal to one thread, here the first one of a process" returns {
        /// The process or thread. A name gives both numbers of the call, the process's and the thread's; a bare number is both.
        pid: Target = form::target("the process"),
        /// `None` is signal 0.
        signal: Option<Signal> = form::signal_or_zero("the signal, or 0 to probe"),
        /// The process that the thread must be one of; `None`: as `pid` says.
        tgid: Option<Target> = form::target_if_given("the process that the thread must be one of; that of `pid` if absent"),
    }
    | EINVAL "a number is not positive"
    | ESRCH "no such thread in the caller's namespace, or none of that process"
    | EPERM "the caller may not signal it"
    /// tkill(2).
    Tkill = "tkill" "tkill(2): sends a signal to one thread" returns {
        /// The thread.
        pid: Target = form::target("the thread"),
        /// `None` is signal 0.
        signal: Option<Signal> = form::signal_or_zero("the signal, or 0 to probe"),
    }
    | EINVAL "a number is not positive"
    | ESRCH "no such thread in the caller's namespace"
    | EPERM "the caller may not signal it"
    /// pidfd_send_signal(2).
    PidfdSendSignal = "pidfd_send_signal"
        "pidfd_send_signal(2): sends a signal through a pidfd, which the caller opens for it" returns {
        /// The process that the pidfd refers to.
        of: PidfdTarget = form::pidfd_or_directory(),
        /// `None` is signal 0.
        signal: Option<Signal> = form::signal_or_zero("the signal, or 0 to probe"),
        /// For whom it is, where that is not what kind of pidfd it is says.
        flags: PidfdFlags = form::pidfd_scopes("for whom; if absent, what the pidfd is of"),
    }
    | EINVAL "a number that is not positive, or one of a thread"
    | ENOENT "the number of a thread, from Linux 6.15 on; the process is reaped and has no directory"
    | ESRCH "the process is reaped, or nobody has this PID in the caller's namespace"
    | EPERM "the caller may not signal it"
    /// rt_sigqueueinfo(2), with a sender of the caller's choice.
    Sigqueue = "sigqueue" "rt_sigqueueinfo(2): sends a signal with a sender of the caller's choice" returns {
        /// The process.
        pid: Target = form::target("the process"),
        /// `None` is signal 0.
        signal: Option<Signal> = form::signal_or_zero("the signal, or 0 to probe"),
        /// The number that it gives for the sender.
        si_pid: u32 = form::number("the number given for the sender"),
        /// What it says that the signal comes from.
        si_code: SigCode = form::word_or_first("what it is said to come from; SI_QUEUE if absent"),
    }
    | ESRCH "nobody has this PID in the caller's namespace"
    | EPERM "the caller may not signal it, or may not pose as another sender"
    /// rt_tgsigqueueinfo(2): the same, at one thread.
    Tgsigqueueinfo = "tgsigqueueinfo" "rt_tgsigqueueinfo(2): a signal for one thread, with a sender of the caller's choice" returns {
        /// The thread, as in tgkill.
        pid: Target = form::target("the thread"),
        /// `None` is signal 0.
        signal: Option<Signal> = form::signal_or_zero("the signal, or 0 to probe"),
        /// The number that it gives for the sender.
        si_pid: u32 = form::number("the number given for the sender"),
        /// What it says that the signal comes from.
        si_code: SigCode = form::word_or_first("what it is said to come from; SI_QUEUE if absent"),
        /// The process that the thread must be one of; `None`: as `pid` says.
        tgid: Option<Target> = form::target_if_given("the process that the thread must be one of; that of `pid` if absent"),
    }
    | EINVAL "a number is not positive"
    | ESRCH "nobody has this PID in the caller's namespace"
    | EPERM "the caller may not signal it, or may not pose as another sender"
    /// pidfd_open(2).
    PidfdOpen = "pidfd_open" "pidfd_open(2): opens a pidfd and closes it again; returns 0" returns {
        /// The process.
        pid: Target = form::target("the process"),
        /// `PIDFD_THREAD`, or none.
        flags: PidfdFlags = form::pidfd_open_flags("flags of pidfd_open(2)"),
    }
    | EINVAL "a number that is not positive; before Linux 6.15 also the TID of a thread that is not the first"
    | ENOENT "the TID of a thread that is not the first (from Linux 6.15 on)"
    | ESRCH "nobody has this PID in the caller's namespace"
    /// unshare(2).
    Unshare = "unshare"
        "unshare(2): with CLONE_NEWPID, the caller's children are born in a new PID namespace; the caller stays where it is" returns {
        /// What is unshared.
        flags: CloneFlags = form::clone_flags_or_newpid("what is unshared; CLONE_NEWPID if absent"),
    }
    | EINVAL "the caller's children are born in another namespace already; flags that need a process of one thread"
    | EPERM "no capabilities for a new namespace"
    | ENOSPC "namespaces are nested too deep, or the user has too many"
    /// setns(2).
    Setns = "setns"
        "setns(2): the caller's children are born in another PID namespace from now on, and the caller stays where it is; or the caller is in another user namespace" returns {
        /// Whose namespace.
        to: Entrance = form::entrance(),
        /// By which file.
        via: SetnsVia = form::word_or_first("by which file; ns/pid if absent, with a pidfd that itself"),
        /// What setns(2) is told to join; `None`: what the file is, or of a pidfd the PID namespace.
        nstype: Option<NamespaceTypes> = form::namespace_types("the types that setns(2) is told, none of them as 0; if absent CLONE_NEWPID, with ns/user CLONE_NEWUSER, and 0 for one that is kept"),
    }
    | EINVAL "the PID namespace is neither the caller's own nor a descendant of it; the user namespace is the caller's own, or the caller has other threads; another type was told; the kernel has no such way"
    | EPERM "no capabilities in the user namespace that owns it, or in the caller's own; or the caller may not look into the process"
    | EACCES "the caller may not look into the process"
    | ESRCH "the process has terminated (a pidfd)"
    | ENOENT "the process is gone (a file), or nobody has been born yet where its children will be"
    | ENOTTY "the kernel cannot be asked this of a pidfd"
    | EBADF "no namespace is kept under this name"
    /// open(2) of a namespace file.
    OpenNs = "open_ns"
        "open(2) of a file in /proc/PID/ns: the namespace is kept open under the name of the process, in place of one that is kept there" returns {
        /// Whose file; the namespace is kept under this name.
        of: Role = form::keeper("whose file; the namespace is kept under this name"),
        /// Which file.
        via: NsLink = form::word_or_first("which file; ns/pid if absent"),
        /// What keeps it open.
        keep: Keeper = form::word_or_first("what keeps it open; a descriptor if absent"),
    }
    | ENOENT "the process is gone, or nobody has been born yet where its children will be"
    | EACCES "the caller may not look into the process"
    | EPERM "the caller may make no mount"
    | ESRCH "the process has terminated (a pidfd)"
    | ENOTTY "the kernel cannot be asked this of a pidfd"
    /// close(2) of a namespace that is kept open.
    CloseNs = "close_ns" "close(2): a namespace is kept open no longer" returns {
        /// Under whose name it is kept.
        of: Role = form::keeper("under whose name it is kept"),
    }
    | EBADF "no namespace is kept under this name"
    /// close(2) of the pidfd that a clone with `CLONE_PIDFD_AUTOKILL` gave.
    ClosePidfd = "close_pidfd"
        "close(2) of the only pidfd that a clone with CLONE_PIDFD_AUTOKILL gave: it stays open till then, whoever terminates" returns {
        /// Of whom.
        of: Role = form::keeper("of whom"),
    }
    | EBADF "it was made without CLONE_PIDFD_AUTOKILL, or the pidfd is closed"
    /// mq_notify(3) on a message queue of the caller's own.
    MqNotify = "mq_notify"
        "mq_notify(3): the caller's process gets a signal when a message comes to its queue, once; the queue is made if there is none" returns {
        /// `None` is a null pointer: no longer.
        signal: Option<Signal> = form::signal_or_zero("the signal, or 0 to be told no longer"),
    }
    | EBUSY "its process is to be told already"
    /// mq_send(3), of a message that is taken out of the queue again.
    MqSend = "mq_send" "mq_send(3): a message to the queue of another, which takes it out again" returns {
        /// Who has made the queue.
        to: Role = form::keeper("who has made the queue"),
    }
    | EBADF "it has made none"
    /// prctl(2), `PR_SET_CHILD_SUBREAPER`.
    SetChildSubreaper = "set_child_subreaper"
        "prctl(2), PR_SET_CHILD_SUBREAPER: whether the caller adopts orphans among its descendants" returns {
        /// Set or cleared.
        on: bool = form::flag("set or cleared; true if absent"),
    }
    /// prctl(2), `PR_GET_CHILD_SUBREAPER`.
    GetChildSubreaper = "get_child_subreaper" "prctl(2), PR_GET_CHILD_SUBREAPER: 1 if the process adopts, 0 if not" returns
    /// prctl(2), `PR_SET_PDEATHSIG`.
    SetPdeathsig = "set_pdeathsig"
        "prctl(2), PR_SET_PDEATHSIG: the signal that the caller gets when its parent terminates" returns {
        /// `None` clears it.
        signal: Option<Signal> = form::signal_or_zero("the signal, or 0 for none"),
    }
    /// prctl(2), `PR_GET_PDEATHSIG`.
    GetPdeathsig = "get_pdeathsig" "prctl(2), PR_GET_PDEATHSIG: returns the signal's number, 0 for none" returns
    /// sigaction(2).
    Sigaction = "sigaction" "sigaction(2): what the caller's process does with a signal" returns {
        /// For which signal.
        signal: Signal = form::signal("for which signal"),
        /// What happens with it.
        action: SignalAction = form::word("what happens with it"),
    }
    | EINVAL "SIGKILL and SIGSTOP, unless it is to stay as it is"
    /// sigprocmask(2).
    Sigprocmask = "sigprocmask" "sigprocmask(2): blocks a signal for the calling thread, or unblocks it" returns {
        /// Block or unblock.
        how: MaskChange = form::word("block or unblock"),
        /// Which signal.
        signal: Signal = form::signal("which signal"),
    }
    /// sigpending(2).
    Sigpending = "sigpending" "sigpending(2): which signals are blocked and pending" returns
    /// rt_sigtimedwait(2) without a timeout.
    Sigwait = "sigwait" "rt_sigtimedwait(2) without a timeout" returns {
        /// Which signals are taken.
        signals: Vec<Signal> = form::signals("which signals are taken"),
    }
    | EINTR "a handler ran for another signal, or a stop has ended"
    /// rt_sigtimedwait(2) with a timeout of zero.
    Sigtimedwait = "sigtimedwait" "rt_sigtimedwait(2) with a timeout of zero" returns {
        /// Which signals are taken.
        signals: Vec<Signal> = form::signals("which signals are taken"),
    }
    | EAGAIN "none of them is pending"
    /// read(2) of a new signalfd(2) that does not wait.
    Signalfd = "signalfd" "read(2) of a new signalfd(2), without waiting" returns {
        /// Which signals are taken.
        signals: Vec<Signal> = form::signals("which signals are taken"),
    }
    | EAGAIN "none of them is pending"
    /// poll(2) of a pidfd.
    PidfdPoll = "pidfd_poll"
        "poll(2) of a pidfd: returns 1 and POLLIN once the process has terminated, POLLHUP once it is reaped; else 0" returns {
        /// The process that the pidfd refers to.
        of: PidfdTarget = form::pidfd(),
    }
    | EINVAL "no pidfd can be had: as pidfd_open"
    | ENOENT "no pidfd can be had: the TID of a thread that is not the first (from Linux 6.15 on)"
    | ESRCH "no pidfd can be had: the process is reaped, or nobody has this PID in the caller's namespace"
    /// ptrace(2), `PTRACE_SEIZE`.
    PtraceSeize = "ptrace_seize" "ptrace(2), PTRACE_SEIZE: the calling thread becomes the tracer of a process, which goes on" returns {
        /// The process.
        pid: Target = form::target("the process"),
        /// `PTRACE_O_EXITKILL`.
        exitkill: bool = form::flag_unset("whether the tracee gets SIGKILL when its tracer terminates (PTRACE_O_EXITKILL); false if absent"),
    }
    | ESRCH "nobody has this PID in the caller's namespace"
    | EPERM "a thread of the caller's own process; traced already, or terminated; or the caller may not look into it"
    /// ptrace(2), `PTRACE_ATTACH`.
    PtraceAttach = "ptrace_attach" "ptrace(2), PTRACE_ATTACH: the calling thread becomes the tracer of a process, which gets SIGSTOP from the kernel" returns {
        /// The process.
        pid: Target = form::target("the process"),
    }
    | ESRCH "nobody has this PID in the caller's namespace"
    | EPERM "a thread of the caller's own process; traced already, or terminated; or the caller may not look into it"
    /// ptrace(2), `PTRACE_CONT`.
    PtraceCont = "ptrace_cont" "ptrace(2), PTRACE_CONT: lets a tracee go on that its tracer holds, with a signal or without" returns {
        /// The tracee.
        pid: Target = form::target("the tracee"),
        /// What takes the place of the signal that it was held for; `None`: nothing.
        signal: Option<Signal> = form::signal_if_given("what it takes in place of the signal that it was held for; 0, which is nothing, if absent"),
    }
    | ESRCH "nobody has this PID in the caller's namespace; or the calling thread is not its tracer, or does not hold it"
    /// ptrace(2), `PTRACE_DETACH`.
    PtraceDetach = "ptrace_detach" "ptrace(2), PTRACE_DETACH: lets a tracee go on that its tracer holds, and traces it no more" returns {
        /// The tracee.
        pid: Target = form::target("the tracee"),
        /// What takes the place of the signal that it was held for; `None`: nothing.
        signal: Option<Signal> = form::signal_if_given("what it takes in place of the signal that it was held for; 0, which is nothing, if absent"),
    }
    | ESRCH "nobody has this PID in the caller's namespace; or the calling thread is not its tracer, or does not hold it"
    /// setuid(2).
    Setuid = "setuid" "setuid(2): the caller becomes another user" returns {
        /// The new user id.
        uid: u32 = form::uid("the new user id"),
    }
    | EINVAL "the user namespace has no such user"
    | EPERM "the caller may not become this user"
    /// capset(2): one capability less, of the calling thread.
    DropCapability = "drop_capability" "capset(2): the calling thread gives up one capability" returns {
        /// Which one.
        capability: Capability = form::word("which capability"),
    }
    /// What the caller sees of another process.
    Look = "look" "what the caller sees of another process" returns {
        /// The process looked at; 0 is the caller.
        at: PidfdTarget = form::looked_at(),
        /// Through what.
        via: LookVia = form::word_or_first("through what; proc if absent"),
    }
    | ESRCH "the process is not visible from the caller, or gone"
    | ENOENT "there is no such file"
    | EPERM "it is not the caller's to see"
    | EINVAL "the kernel cannot show it this way"
    | ENOTTY "the kernel has no such ioctl"
    | EREMOTE "a pidfd of a process that the caller does not see"
    | EACCES "the caller may not look into the process"
    /// setsid(2).
    Setsid = "setsid"
        "setsid(2): makes a session and a process group, which the caller leads; returns its number" returns
    | EPERM "the caller leads a process group already"
    /// getpid(2).
    Getpid = "getpid" "getpid(2): returns the caller's PID in its own namespace" returns
    /// gettid(2).
    Gettid = "gettid" "gettid(2): returns the caller's TID in its own namespace" returns
    /// getppid(2).
    Getppid = "getppid" "getppid(2): returns the parent's PID, 0 if the caller's namespace does not see it" returns
    /// setpgid(2).
    Setpgid = "setpgid" "setpgid(2): puts the caller or a child of it into a process group" returns {
        /// Which process; 0 is the caller.
        pid: Target = form::target_or_zero("the process; the caller if absent or 0"),
        /// Into which group; 0 is the process's own number.
        group: Target = form::target_or_zero("the group; the process's own number if absent or 0"),
    }
    | EINVAL "the group is negative, or the number is the TID of another thread"
    | ESRCH "neither the caller nor a child of it"
    | EACCES "a child that runs another program already"
    | EPERM "a session leader, a child in another session, or no such group in the session"
    /// getpgid(2).
    Getpgid = "getpgid" "getpgid(2): returns the process group, 0 if the caller's namespace does not see it" returns {
        /// Which process; 0 is the caller.
        pid: Target = form::target_or_zero("the process; the caller if absent or 0"),
    }
    | ESRCH "nobody has this PID in the caller's namespace"
    /// getsid(2).
    Getsid = "getsid" "getsid(2): returns the session, 0 if the caller's namespace does not see it" returns {
        /// Which process; 0 is the caller.
        pid: Target = form::target_or_zero("the process; the caller if absent or 0"),
    }
    | ESRCH "nobody has this PID in the caller's namespace"
    /// A file below `/proc/sys`, read or written.
    Sysctl = "sysctl" "a file below /proc/sys, read or written; returns its value when it is read" returns {
        /// Which file.
        name: Sysctl = form::word("which file below /proc/sys"),
        /// The value written; `None` reads.
        write: Option<i64> = form::value("the value written; absent: read"),
    }
    | EINVAL "a value that the file does not take"
    | EPERM "no capabilities in the user namespace that owns the PID namespace"
    | EACCES "the caller may not write this file"
    | ENOENT "the kernel has no such file"
    /// reboot(2).
    Reboot = "reboot" "reboot(2): in a PID namespace other than the machine's own, terminates its init" returns {
        /// What is asked for.
        how: RebootHow = form::word("what is asked for"),
    }
    | EPERM "no capabilities in the user namespace that owns the PID namespace"
}

impl Call {
    /// The process or thread that the call makes, if it is one that does.
    pub fn child(&self) -> Option<Role> {
        match self {
            Call::Fork { child } | Call::Vfork { child } | Call::Clone { child, .. } => Some(*child),
            _ => None,
        }
    }

    /// The call that a step's arguments make, unless one is missing or wrong.
    pub(crate) fn read(name: CallName, mut from: Arguments<'_, '_>) -> Option<Call> {
        let complete = from.complete();
        Call::of(name, &mut from).filter(|_| complete)
    }
}

/// Every call of the language, in the order of the documentation.
pub fn calls() -> &'static [CallWords] {
    &TABLE
}

impl CallName {
    /// How the call is written.
    pub fn words(self) -> &'static CallWords {
        &TABLE[self as usize]
    }
}
