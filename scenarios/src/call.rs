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
    Capability, CloneFlags, Entrance, ExitSignal, KillTarget, LookVia, MaskChange, PidfdFlags, PidfdTarget, RebootHow,
    Role, SetnsVia, SigCode, Signal, SignalAction, Sysctl, Target, WaitOptions, WaitTarget, form,
};

macro_rules! calls {
    ($($(#[$doc:meta])* $variant:ident = $word:literal $about:literal $returns:ident $({
        $($(#[$field_doc:meta])* $field:ident: $type:ty = $form:expr),* $(,)?
    })?)*) => {
        /// One system call with its arguments; [`CallName`] is the same without them.
        #[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
        pub enum Call {
            $($(#[$doc])* $variant $({ $($(#[$field_doc])* $field: $type),* })?),*
        }

        words! {
            /// The name of a call, as a scenario writes it.
            CallName {
                $($(#[$doc])* $variant = $word),*
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
    Fork = "fork" "fork(2)" returns {
        /// The new process.
        child: Role = form::new_process(),
    }
    /// vfork(2).
    Vfork = "vfork" "vfork(2)" returns {
        /// The new process.
        child: Role = form::new_process(),
    }
    /// clone(2), as clone3.
    Clone = "clone" "clone(2)" returns {
        /// The new process or thread.
        child: Role = form::new_process(),
        /// Its flags.
        flags: CloneFlags = form::clone_flags("flags of clone(2)"),
        /// What the parent gets when the child ends.
        exit_signal: ExitSignal = form::exit_signal("what the parent gets when the child ends"),
        /// The numbers asked for, innermost namespace first; empty asks for none.
        set_tid: Vec<i32> = form::set_tid("the numbers asked for, innermost namespace first"),
    }
    /// clone(2) that fails at its very end, with numbers already given out: there is nowhere to write its pidfd.
    FailedFork = "failed_fork" "clone(2) that fails at its very end: there is nowhere to write its pidfd" returns
    /// _exit(2): the whole process ends.
    Exit = "exit" "the whole process ends" ends {
        /// The status, of which wait(2) reports the low eight bits.
        status: i32 = form::status("the status, 0 if absent"),
    }
    /// The calling thread ends.
    ExitThread = "exit_thread" "the calling thread ends" ends {
        /// The thread's status.
        status: i32 = form::status("the status, 0 if absent"),
    }
    /// execve(2).
    Exec = "exec" "execve(2)" returns
    /// abort(3).
    Abort = "abort" "abort(3)" returns
    /// An access to memory that is not there.
    Fault = "fault" "an access to memory that is not there: a real SIGSEGV" returns
    /// A write into a pipe that nobody reads any more.
    BrokenPipe = "broken_pipe" "a write into a pipe that nobody reads any more" returns
    /// wait4(2).
    Wait = "wait" "wait4(2)" returns {
        /// Which children.
        target: WaitTarget = form::children(),
        /// Its options; ended children are always reported.
        options: WaitOptions = form::wait_options("options; ended children are always asked for"),
    }
    /// waitid(2).
    Waitid = "waitid" "waitid(2)" returns {
        /// Which children.
        target: WaitTarget = form::children(),
        /// Its options, exactly.
        options: WaitOptions = form::waitid_options("options, exactly these"),
    }
    /// kill(2).
    Kill = "kill" "kill(2)" returns {
        /// One process, a group, or many.
        target: KillTarget = form::receivers(),
        /// `None` is signal 0.
        signal: Option<Signal> = form::signal_or_zero("the signal, or 0 to probe"),
    }
    /// tgkill(2) at the leader of a process, or at a thread.
    Tgkill = "tgkill" "tgkill(2)" returns {
        /// The process or thread. A name gives both numbers of the call, the process's and the thread's; a bare number is both.
        pid: Target = form::target("the process"),
        /// `None` is signal 0.
        signal: Option<Signal> = form::signal_or_zero("the signal, or 0 to probe"),
        /// The process that the thread must be one of; `None`: as `pid` says.
        tgid: Option<Target> = form::target_if_given("the process that the thread must be one of; that of `pid` if absent"),
    }
    /// tkill(2).
    Tkill = "tkill" "tkill(2)" returns {
        /// The thread.
        pid: Target = form::target("the thread"),
        /// `None` is signal 0.
        signal: Option<Signal> = form::signal_or_zero("the signal, or 0 to probe"),
    }
    /// pidfd_send_signal(2).
    PidfdSendSignal = "pidfd_send_signal" "pidfd_send_signal(2)" returns {
        /// The process that the pidfd refers to.
        of: PidfdTarget = form::pidfd(),
        /// `None` is signal 0.
        signal: Option<Signal> = form::signal_or_zero("the signal, or 0 to probe"),
        /// For whom it is, where that is not what kind of pidfd it is says.
        flags: PidfdFlags = form::pidfd_scopes("for whom; if absent, what the pidfd is of"),
    }
    /// rt_sigqueueinfo(2), with a sender of the caller's choice.
    Sigqueue = "sigqueue" "rt_sigqueueinfo(2), with a sender of the caller's choice" returns {
        /// The process.
        pid: Target = form::target("the process"),
        /// `None` is signal 0.
        signal: Option<Signal> = form::signal_or_zero("the signal, or 0 to probe"),
        /// The number that it gives for the sender.
        si_pid: u32 = form::number("the number given for the sender"),
        /// What it says that the signal comes from.
        si_code: SigCode = form::word_or_first("what it is said to come from; SI_QUEUE if absent"),
    }
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
    /// pidfd_open(2).
    PidfdOpen = "pidfd_open" "pidfd_open(2)" returns {
        /// The process.
        pid: Target = form::target("the process"),
        /// `PIDFD_THREAD`, or none.
        flags: PidfdFlags = form::pidfd_open_flags("flags of pidfd_open(2)"),
    }
    /// unshare(2).
    Unshare = "unshare" "unshare(2)" returns {
        /// What is unshared.
        flags: CloneFlags = form::clone_flags_or_newpid("what is unshared; CLONE_NEWPID if absent"),
    }
    /// setns(2).
    Setns = "setns" "setns(2)" returns {
        /// Whose namespace.
        to: Entrance = form::entrance(),
        /// By which file.
        via: SetnsVia = form::word_or_first("by which file; ns/pid if absent, with a pidfd that itself"),
    }
    /// prctl(2), `PR_SET_CHILD_SUBREAPER`.
    SetChildSubreaper = "set_child_subreaper" "prctl(2), PR_SET_CHILD_SUBREAPER" returns {
        /// Set or cleared.
        on: bool = form::flag("set or cleared; true if absent"),
    }
    /// prctl(2), `PR_GET_CHILD_SUBREAPER`.
    GetChildSubreaper = "get_child_subreaper" "prctl(2), PR_GET_CHILD_SUBREAPER: 1 if the process adopts, 0 if not" returns
    /// prctl(2), `PR_SET_PDEATHSIG`.
    SetPdeathsig = "set_pdeathsig" "prctl(2), PR_SET_PDEATHSIG" returns {
        /// `None` clears it.
        signal: Option<Signal> = form::signal_or_zero("the signal, or 0 for none"),
    }
    /// prctl(2), `PR_GET_PDEATHSIG`.
    GetPdeathsig = "get_pdeathsig" "prctl(2), PR_GET_PDEATHSIG: the signal's number, 0 for none" returns
    /// sigaction(2).
    Sigaction = "sigaction" "sigaction(2)" returns {
        /// For which signal.
        signal: Signal = form::signal("for which signal"),
        /// What happens with it.
        action: SignalAction = form::word("what happens with it"),
    }
    /// sigprocmask(2).
    Sigprocmask = "sigprocmask" "sigprocmask(2)" returns {
        /// Block or unblock.
        how: MaskChange = form::word("block or unblock"),
        /// Which signal.
        signal: Signal = form::signal("which signal"),
    }
    /// sigpending(2).
    Sigpending = "sigpending" "sigpending(2)" returns
    /// rt_sigtimedwait(2) without a timeout.
    Sigwait = "sigwait" "rt_sigtimedwait(2) without a timeout" returns {
        /// Which signals are taken.
        signals: Vec<Signal> = form::signals("which signals are taken"),
    }
    /// rt_sigtimedwait(2) with a timeout of zero.
    Sigtimedwait = "sigtimedwait" "rt_sigtimedwait(2) with a timeout of zero" returns {
        /// Which signals are taken.
        signals: Vec<Signal> = form::signals("which signals are taken"),
    }
    /// read(2) of a new signalfd(2) that does not wait.
    Signalfd = "signalfd" "read(2) of a new signalfd(2), without waiting" returns {
        /// Which signals are taken.
        signals: Vec<Signal> = form::signals("which signals are taken"),
    }
    /// poll(2) of a pidfd.
    PidfdPoll = "pidfd_poll" "poll(2) of a pidfd" returns {
        /// The process that the pidfd refers to.
        of: PidfdTarget = form::pidfd(),
    }
    /// setuid(2).
    Setuid = "setuid" "setuid(2)" returns {
        /// The new user id.
        uid: u32 = form::uid("the new user id"),
    }
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
    /// setsid(2).
    Setsid = "setsid" "setsid(2)" returns
    /// getpid(2).
    Getpid = "getpid" "getpid(2)" returns
    /// gettid(2).
    Gettid = "gettid" "gettid(2)" returns
    /// getppid(2).
    Getppid = "getppid" "getppid(2)" returns
    /// setpgid(2).
    Setpgid = "setpgid" "setpgid(2)" returns {
        /// Which process; 0 is the caller.
        pid: Target = form::target_or_zero("the process; the caller if absent or 0"),
        /// Into which group; 0 is the process's own number.
        group: Target = form::target_or_zero("the group; the process's own number if absent or 0"),
    }
    /// getpgid(2).
    Getpgid = "getpgid" "getpgid(2)" returns {
        /// Which process; 0 is the caller.
        pid: Target = form::target_or_zero("the process; the caller if absent or 0"),
    }
    /// getsid(2).
    Getsid = "getsid" "getsid(2)" returns {
        /// Which process; 0 is the caller.
        pid: Target = form::target_or_zero("the process; the caller if absent or 0"),
    }
    /// A file below `/proc/sys`, read or written.
    Sysctl = "sysctl" "a file below /proc/sys/kernel or /proc/sys/user" returns {
        /// Which file.
        name: Sysctl = form::word("which file below /proc/sys"),
        /// The value written; `None` reads.
        write: Option<i64> = form::value("the value written; absent: read"),
    }
    /// reboot(2).
    Reboot = "reboot" "reboot(2)" returns {
        /// What is asked for.
        how: RebootHow = form::word("what is asked for"),
    }
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
