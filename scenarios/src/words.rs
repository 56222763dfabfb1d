//! The table of calls and their arguments: the one place that says how a scenario file is written.
//!
//! The parser, the JSON Schema and the messages all read it.

use crate::{CallName, LookVia, MaskChange, RebootHow, SetnsVia, SignalAction, Sysctl};

/// How one argument is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// The name of a process that the step makes.
    NewProcess,
    /// The name of a process.
    Process,
    /// A process by name, or a number.
    Target,
    /// `"any"`, a process by name, or a number.
    WaitPid,
    /// `"own"`, a process by name, or a number.
    WaitGroup,
    /// A list of `CLONE_…` flags.
    CloneFlags,
    /// A list of options of wait4(2).
    WaitOptions,
    /// A list of options of waitid(2).
    WaitidOptions,
    /// A signal by name or number.
    Signal,
    /// A signal by name or number, or 0.
    SignalOrZero,
    /// A list of numbers.
    Numbers,
    /// An exit status: any `int`.
    Status,
    /// A user id.
    Uid,
    /// The number of a process, or 0.
    Number,
    /// A number to write.
    Value,
    /// `true` or `false`.
    Flag,
    /// One of these words.
    Word(&'static [&'static str]),
}

/// One argument of a call.
#[derive(Clone, Copy, Debug)]
pub struct Argument {
    /// Its name, the key in the file.
    pub name: &'static str,
    /// How it is written.
    pub kind: Kind,
    /// Whether a step must have it.
    pub required: bool,
    /// What it means, in a few words.
    pub about: &'static str,
}

/// One call with its arguments.
#[derive(Clone, Copy, Debug)]
pub struct CallWords {
    /// The call.
    pub name: CallName,
    /// Its arguments, in the order in which a file is written.
    pub arguments: &'static [Argument],
    /// Arguments of which a step has exactly one (`true`) or at most one (`false`).
    pub one_of: Option<(&'static [&'static str], bool)>,
    /// Whether it can come back to the caller, so that something can be expected of it.
    pub returns: bool,
    /// What the call does, in a few words.
    pub about: &'static str,
}

const fn must(name: &'static str, kind: Kind, about: &'static str) -> Argument {
    Argument { name, kind, required: true, about }
}

const fn may(name: &'static str, kind: Kind, about: &'static str) -> Argument {
    Argument { name, kind, required: false, about }
}

const fn call(name: CallName, arguments: &'static [Argument], about: &'static str) -> CallWords {
    CallWords { name, arguments, one_of: None, returns: true, about }
}

const CHILD: Argument = must("child", Kind::NewProcess, "the new process");
const SIGNAL: Argument = must("signal", Kind::SignalOrZero, "the signal, or 0 to probe");
const TARGET: Argument = must("pid", Kind::Target, "the process");
const OWN_OR_TARGET: Argument = may("pid", Kind::Target, "the process; the caller if absent or 0");
const STATUS: Argument = may("status", Kind::Status, "the status, 0 if absent");

const WAIT_PID: Argument = may("pid", Kind::WaitPid, "the child; any if absent");
const WAIT_GROUP: Argument = may("group", Kind::WaitGroup, "children in this process group");
const WAIT_PIDFD: Argument = may("pidfd", Kind::Process, "the child that a pidfd refers to");

/// Every call of the language, in the order of the documentation.
pub const CALLS: &[CallWords] = &[
    call(CallName::Fork, &[CHILD], "fork(2)"),
    call(CallName::Vfork, &[CHILD], "vfork(2)"),
    call(
        CallName::Clone,
        &[
            CHILD,
            may("flags", Kind::CloneFlags, "flags of clone(2)"),
            may("exit_signal", Kind::SignalOrZero, "what the parent gets when the child ends"),
            may("set_tid", Kind::Numbers, "the numbers asked for, innermost namespace first"),
        ],
        "clone(2)",
    ),
    call(CallName::FailedFork, &[], "clone(2) that fails at its very end: there is nowhere to write its pidfd"),
    CallWords { returns: false, ..call(CallName::Exit, &[STATUS], "the whole process ends") },
    CallWords { returns: false, ..call(CallName::ExitThread, &[STATUS], "the calling thread ends") },
    call(CallName::Exec, &[], "execve(2)"),
    call(CallName::Abort, &[], "abort(3)"),
    call(CallName::Fault, &[], "an access to memory that is not there: a real SIGSEGV"),
    call(CallName::BrokenPipe, &[], "a write into a pipe that nobody reads any more"),
    CallWords {
        name: CallName::Wait,
        arguments: &[
            WAIT_PID,
            WAIT_GROUP,
            WAIT_PIDFD,
            may("options", Kind::WaitOptions, "options; ended children are always asked for"),
        ],
        one_of: Some((&["pid", "group", "pidfd"], false)),
        returns: true,
        about: "wait4(2)",
    },
    CallWords {
        name: CallName::Waitid,
        arguments: &[WAIT_PID, WAIT_GROUP, WAIT_PIDFD, may("options", Kind::WaitidOptions, "options, exactly these")],
        one_of: Some((&["pid", "group", "pidfd"], false)),
        returns: true,
        about: "waitid(2)",
    },
    CallWords {
        name: CallName::Kill,
        arguments: &[
            may("pid", Kind::Target, "the process; 0 and -1 as in kill(2)"),
            may("group", Kind::Target, "the process group"),
            SIGNAL,
        ],
        one_of: Some((&["pid", "group"], true)),
        returns: true,
        about: "kill(2)",
    },
    call(CallName::Tgkill, &[TARGET, SIGNAL], "tgkill(2)"),
    call(CallName::PidfdSendSignal, &[TARGET, SIGNAL], "pidfd_send_signal(2)"),
    call(
        CallName::Sigqueue,
        &[TARGET, SIGNAL, must("si_pid", Kind::Number, "the number given for the sender")],
        "rt_sigqueueinfo(2), with a sender of the caller's choice",
    ),
    call(CallName::PidfdOpen, &[TARGET], "pidfd_open(2)"),
    call(
        CallName::Unshare,
        &[may("flags", Kind::CloneFlags, "what is unshared; CLONE_NEWPID if absent")],
        "unshare(2)",
    ),
    call(
        CallName::Setns,
        &[
            must("to", Kind::Process, "whose namespace"),
            may("via", Kind::Word(SetnsVia::WORDS), "by which file; ns/pid if absent"),
        ],
        "setns(2)",
    ),
    call(
        CallName::SetChildSubreaper,
        &[may("on", Kind::Flag, "set or cleared; true if absent")],
        "prctl(2), PR_SET_CHILD_SUBREAPER",
    ),
    call(
        CallName::SetPdeathsig,
        &[must("signal", Kind::SignalOrZero, "the signal, or 0 for none")],
        "prctl(2), PR_SET_PDEATHSIG",
    ),
    call(
        CallName::Sigaction,
        &[
            must("signal", Kind::Signal, "for which signal"),
            must("action", Kind::Word(SignalAction::WORDS), "what happens with it"),
        ],
        "sigaction(2)",
    ),
    call(
        CallName::Sigprocmask,
        &[must("how", Kind::Word(MaskChange::WORDS), "block or unblock"), must("signal", Kind::Signal, "which signal")],
        "sigprocmask(2)",
    ),
    call(CallName::Sigpending, &[], "sigpending(2)"),
    call(CallName::PidfdPoll, &[TARGET], "poll(2) of a pidfd"),
    call(CallName::Setuid, &[must("uid", Kind::Uid, "the new user id")], "setuid(2)"),
    call(
        CallName::Look,
        &[OWN_OR_TARGET, may("via", Kind::Word(LookVia::WORDS), "through what; proc if absent")],
        "what the caller sees of another process",
    ),
    call(CallName::Setsid, &[], "setsid(2)"),
    call(CallName::Getpid, &[], "getpid(2)"),
    call(CallName::Gettid, &[], "gettid(2)"),
    call(CallName::Getppid, &[], "getppid(2)"),
    call(
        CallName::Setpgid,
        &[
            may("pid", Kind::Target, "the process; the caller if absent or 0"),
            may("group", Kind::Target, "the group; the process's own number if absent or 0"),
        ],
        "setpgid(2)",
    ),
    call(CallName::Getpgid, &[OWN_OR_TARGET], "getpgid(2)"),
    call(CallName::Getsid, &[OWN_OR_TARGET], "getsid(2)"),
    call(
        CallName::Sysctl,
        &[
            must("name", Kind::Word(Sysctl::WORDS), "which file below /proc/sys"),
            may("write", Kind::Value, "the value written; absent: read"),
        ],
        "a file below /proc/sys/kernel or /proc/sys/user",
    ),
    call(CallName::Reboot, &[must("how", Kind::Word(RebootHow::WORDS), "what is asked for")], "reboot(2)"),
];

/// The arguments of a call.
pub fn words(name: CallName) -> &'static CallWords {
    CALLS.iter().find(|words| words.name == name).expect("the table has every call; a test says so")
}

/// The candidate that a mistyped word most likely means: a few edits away, or the word with a part left out
/// (`NEWPID` for `CLONE_NEWPID`).
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let known = candidate.to_lowercase();
            let distance = strsim::damerau_levenshtein(&word, &known);
            let shorter = word.len().min(known.len());
            // An edit of every letter would make any word of any other.
            let close = distance <= 1 + shorter / 4 && distance < shorter;
            let part = word.len() >= 3 && (known.starts_with(&word) || known.ends_with(&word));
            (close || part).then_some((!close, distance, candidate))
        })
        .min_by_key(|(only_part, distance, _)| (*only_part, *distance))
        .map(|(_, _, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_every_call_once() {
        let names: Vec<CallName> = CALLS.iter().map(|words| words.name).collect();
        assert_eq!(names, CallName::ALL);
    }

    #[test]
    fn a_part_of_a_word_is_enough() {
        assert_eq!(nearest("NEWPID", ["CLONE_NEWUSER", "CLONE_NEWPID"]), Some("CLONE_NEWPID"));
        assert_eq!(nearest("sig", ["pid", "group", "signal"]), Some("signal"));
        assert_eq!(nearest("si", ["signal"]), None);
    }

    #[test]
    fn the_nearest_word_is_a_few_edits_away_or_none() {
        assert_eq!(nearest("getpid", ["fork", "getppid", "getpgid"]), Some("getppid"));
        assert_eq!(nearest("clone_newpid", ["CLONE_NEWPID", "CLONE_VM"]), Some("CLONE_NEWPID"));
        assert_eq!(nearest("frobnicate", ["fork", "clone"]), None);
        assert_eq!(nearest("b", ["a"]), None);
        assert_eq!(nearest("", ["a", "on"]), None);
    }
}
