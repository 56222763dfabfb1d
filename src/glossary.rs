//! The words of this program and of its scenarios, each with what it means: for `pidlab explain`, and as a page.

use std::fmt::Write as _;

/// What a word is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Kind {
    /// A word of Linux.
    Linux,
    /// A word of this program.
    Program,
    /// What a step can claim, and what can be claimed of a process.
    Claim,
    /// A state of a process, in the tables of `run` and in the JSON lines.
    State,
    /// A column of these tables.
    Column,
}

impl Kind {
    /// Every kind, in the order of the page.
    pub const ALL: [Kind; 5] = [Kind::Linux, Kind::Program, Kind::Claim, Kind::State, Kind::Column];

    /// The kind in a word.
    pub const fn word(self) -> &'static str {
        match self {
            Kind::Linux | Kind::Program => "word",
            Kind::Claim => "claim",
            Kind::State => "state",
            Kind::Column => "column",
        }
    }

    const fn heading(self) -> &'static str {
        match self {
            Kind::Linux => "Words of Linux",
            Kind::Program => "Words of this program",
            Kind::Claim => "What a scenario can claim",
            Kind::State => "States of a process",
            Kind::Column => "Columns of the tables",
        }
    }
}

/// One word.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Entry {
    /// The word.
    pub word: &'static str,
    /// Other words for it.
    pub also: &'static [&'static str],
    /// What it is.
    pub kind: Kind,
    /// What it means.
    pub meaning: &'static str,
    /// Where to read on: other words, calls, or ids of rules.
    pub see: &'static [&'static str],
}

macro_rules! entries {
    ($($kind:ident $word:literal $(= $also:literal)* : $meaning:literal $(-> $see:literal)*;)*) => {
        /// Every word, in the order of the page.
        pub const ENTRIES: &[Entry] = &[$(Entry {
            word: $word,
            also: &[$($also),*],
            kind: Kind::$kind,
            meaning: $meaning,
            see: &[$($see),*],
        }),*];
    };
}

entries! {
    Linux "PID namespace" = "namespace" = "pidns": "A set of PIDs of its own, which begins at 1. A process sees the processes of its own namespace and of the descendants of it, \
        and of nothing else. pid_namespaces(7)." -> "init" -> "level" -> "alloc.one-per-level";
    Linux "PID" = "process ID": "The number of a process in one PID namespace. A process has one in its own namespace and one in each ancestor of that." -> "alloc.one-per-level" -> "TID";
    Linux "cursor" = "counter" = "last PID": "Where a PID namespace looks next for a free PID: one above the last that it gave out. A PID that is free again comes back \
        when the cursor has been all the way round. root of the namespace may set it, by /proc/sys/kernel/ns_last_pid." -> "PID" -> "alloc.cyclic";
    Linux "TID" = "thread ID": "The number of a thread. That of a process's first thread is the process's PID." -> "thread" -> "gettid";
    Linux "ancestor": "Of a namespace: the one in which it was made, the one in which that was made, and so on to the machine's own. Of a process: its parent, the parent of that, and so on." -> "descendant" -> "level";
    Linux "descendant": "The opposite of ancestor. Members of an ancestor see those of a descendant; never the other way round." -> "ancestor";
    Linux "level" = "depth": "How many ancestors a PID namespace has. Scenarios count from their outermost namespace, level 0. PID namespaces nest up to 32 levels below the machine's own." -> "limit.depth";
    Linux "init" = "PID 1" = "child reaper": "The first process of a PID namespace, PID 1 there. It adopts the orphans of its namespace, signals from inside do nothing to it unless it handles them, \
        and when it terminates, all others of its namespace are killed." -> "reap.ns-is-fathers" -> "sig.init-immune-inside" -> "namespace teardown";
    Linux "namespace teardown" = "teardown" = "zap" = "zap_pid_ns_processes": "What an init does while it terminates: it kills every other member of its namespace and waits until none is left. \
        The rules about it begin with `zap.`, after the kernel's function." -> "zap.kills-all" -> "exiting";
    Linux "namespace for children" = "target namespace" = "pid_for_children" = "pid_ns_for_children" = "plan": "The PID namespace in which the children of a process are born. It is the process's own, unless \
        unshare or setns has changed it: these never move the caller itself." -> "unshare" -> "setns";
    Linux "parent" = "real parent": "The process that is told when a child terminates, and can wait for it. At first the one that made it; an orphan gets another." -> "orphan" -> "ppid";
    Linux "orphan": "A process whose parent has terminated. It is adopted at once, by a subreaper among its dead parent's ancestors or else by the init of its dead parent's namespace." -> "reaper" -> "reap.ns-is-fathers";
    Linux "guest": "A process whose parent is in another PID namespace, outside of its own: somebody joined the namespace by setns and made it there. It sees 0 as its parent." -> "setns" -> "ppid";
    Linux "reaper" = "adopt": "Who adopts orphans: an init, or a subreaper." -> "init" -> "subreaper";
    Linux "subreaper": "A process that adopts the orphans among its descendants in its own PID namespace, since it said so by prctl(2)." -> "set_child_subreaper" -> "reap.subreaper";
    Linux "reap" = "reaped": "To wait for a zombie: the parent gets its status, and its PIDs are free." -> "wait" -> "zombie";
    Linux "thread": "What the kernel runs. A process has one or more; they share memory, signal handlers and the PID, and each has a TID. Made by `clone` with `flags = [\"CLONE_VM\", \"CLONE_SIGHAND\", \"CLONE_THREAD\"]`." -> "clone" -> "exit_thread";
    Linux "leader" = "first thread": "Of a process: the thread that was there first, whose TID is the PID. Of a process group or session: the process whose PID is its number." -> "thread" -> "session";
    Linux "process group" = "group" = "PGID": "Processes that signals can be sent to together, by one number, the PGID." -> "setpgid" -> "pgid";
    Linux "session" = "SID": "Process groups that belong together, by one number, the SID." -> "setsid" -> "sid";
    Linux "fatal signal" = "fatal": "A signal that terminates the process that gets it: its default action is to terminate, and it is neither handled nor ignored nor blocked; or it is SIGKILL." -> "sig.fatal";
    Linux "terminate" = "terminated" = "exit status": "To come to an end: by exit, or by a fatal signal. What is left is a zombie, and a status for the parent." -> "exit" -> "wait";
    Linux "exit signal": "The signal that the parent gets when a child terminates: SIGCHLD unless clone was given another." -> "clone" -> "exit.signal-sent";
    Linux "parent-death signal" = "pdeathsig" = "promise": "The signal that a process asked for, to get it when its parent terminates." -> "set_pdeathsig";
    Linux "pidfd": "A file descriptor that means one process, and never another that has its PID later." -> "pidfd_open" -> "pidfd_poll";
    Linux "si_pid": "The PID of the sender, as a handler is told it: in the receiver's namespace, 0 if it has none there." -> "sigaction";
    Linux "clone child": "A child whose exit signal is not SIGCHLD. A wait finds it only with __WCLONE or __WALL." -> "wait";
    Linux "procfs" = "/proc": "The file system that shows processes. Each mount belongs to one PID namespace and shows the PIDs there, whoever reads it." -> "look";
    Linux "user namespace" = "owner": "Who is root where. Each PID namespace is owned by the user namespace in which it was made, and that decides who has power over it." -> "clone" -> "setuid";
    Program "scenario": "A file that says what a few named processes do, step by step, and what should come of it." -> "step" -> "host";
    Program "step": "One process makes one call. After each step the whole world is looked at." -> "observation";
    Program "host": "The process that each scenario begins with: PID 1 of a new namespace that is level 0 of the scenario, and leader of its own session and process group." -> "level";
    Program "name" = "role": "What a scenario calls a process. Where a call takes a number, a name stands for the PID that the process has, or last had, in the caller's namespace." -> "PID";
    Program "model": "The part of this program that says what Linux does, without asking Linux. It gives the reasons." -> "rule" -> "kernel side";
    Program "kernel side" = "lab" = "runner": "The part that makes the steps of a scenario happen with real processes on this kernel, in namespaces of its own." -> "quiet";
    Program "observation": "What there is after a step: what the call gave, and of each process its state, PIDs, parent, group and session." -> "quiet";
    Program "quiet": "Nobody has anything left to do: each process runs idly, sleeps in a call, is stopped, or is a zombie. Only then is the world looked at." -> "observation";
    Program "rule" = "reason" = "because": "One true sentence about Linux, with an id for ever and the place in the kernel that makes it so. The model names the rules that decided a step." -> "describes";
    Program "describes" = "decides": "A rule decides if the outcome would be another without it. One that describes says that a situation came up in which other rules decide." -> "rule";
    Program "fact": "Something in which kernels differ, found out by trying. A scenario can need one, or need that it is not so." -> "need";
    Program "need" = "needs": "What a kernel must be like for a scenario to be about it; with a `!` before it, what it must not be like." -> "fact";
    Program "claim" = "expectation": "What the author of a scenario says of a step: what its call comes to (`returns`, `fails`, `blocks`, `ends`), what that gives beside (`status`, `sees`, `pending`, `events`, `took`), and how the world is afterwards (`then`). It is checked on both sides, and on everything else that Linux may do." -> "step" -> "then";
    Program "difference": "The model says that Linux does not do what this kernel did. One of the two is wrong." -> "not decided";
    Program "not decided": "Linux leaves open in which order things happen, and there were too many orders to try them all. Neither agreement nor a difference." -> "difference";
    Program "misconception" = "belief": "Something that many believe of Linux and that is not so. The model can be told to follow it, to see what refutes it: `pidlab check --misconception`." -> "model";
    Program "seed": "The number that random scenarios are made from: the same seed makes the same scenarios." -> "fuzz";
    Program "fuzz" = "random scenario": "To run random scenarios on both sides; one that differs is made as short as possible and shown." -> "seed";
    Program "agrees" = "ok": "The model, this kernel and the claims of the scenario say the same." -> "difference" -> "claim";
    Program "skipped": "The kernel side did not run a scenario, since something is lacking here: the reason and the remedy are told. It is not agreement." -> "model only";
    Program "model only": "A scenario about kernels that this one is not like: the model alone ran it." -> "need" -> "fact";
    Program "chapter": "The scenarios of the library about one matter: the folder that they are in." -> "scenario";
    Claim "returns": "What the call gives: a number, or the name of the process whose PID that is. In `returned`: what a call gave that had blocked." -> "claim" -> "fails";
    Claim "fails": "The error of the call: `fails = \"ESRCH\"`." -> "claim" -> "returns";
    Claim "blocks": "`blocks = true`: the call does not return in this step." -> "returned" -> "blocked";
    Claim "ends": "`ends = true`: its caller ends in this step, and the call never returns." -> "then" -> "terminate";
    Claim "status": "What a wait is told of the child: `{ exited = 3 }`, `{ killed = \"SIGKILL\" }`, `{ stopped = \"SIGSTOP\" }`, `{ continued = true }`; of a handled SIGCHLD about a tracee also `{ trapped = \"SIGTERM\" }`." -> "wait" -> "returned";
    Claim "sees": "Of what a look shows, the fields that matter: `sees = { ppid = 0, nspid = [3, 2] }`." -> "look";
    Claim "pending": "All the signals that wait for the caller: `pending = [\"SIGUSR1\"]`." -> "sigpending";
    Claim "events": "All that a poll of a pidfd tells: `events = [\"POLLIN\"]`." -> "pidfd_poll";
    Claim "took": "The signal that the call took: `took = { signal = \"SIGTERM\", si_pid = 2 }`." -> "sigwait" -> "signalfd";
    Claim "then": "The world after the step, as far as one cares: `then = { leaf = { state = \"zombie\", parent = \"init\" }, mid = \"gone\" }`. A process can be claimed to have `state`, `pids`, `namespaces`, `parent`, `ppid`, `pgid`, `sid`, `thread_of`, `tracer`, `handled` and `returned`." -> "claim" -> "handled" -> "returned";
    Claim "pids": "In `then`: all PIDs of a process, outermost namespace first: `pids = [4, 2]`." -> "then" -> "namespaces";
    Claim "namespaces": "In `then`: the PID namespaces in which a process has its `pids`, as numbers: 0 is that of `host`, and the others count in the order in which they got their first process: `namespaces = [0, 1]`." -> "then" -> "pids";
    Claim "thread_of": "In `then`: the first thread of the process that a thread is of: `thread_of = \"main\"`, or `false`." -> "then" -> "thread";
    Claim "tracer": "In `then`: who traces the process: `tracer = \"debugger\"`, or `false`." -> "then" -> "ptrace_seize";
    Claim "handled": "In `then`: every signal that the handlers of a process got in this step, in order: `handled = [{ signal = \"SIGCHLD\", si_pid = 2 }]`." -> "then" -> "sigaction" -> "si_pid";
    Claim "returned": "In `then`, under the name of the caller, at the step that lets a call return that had blocked: what it gave, `then = { init = { returned = { returns = \"kid\", status = { exited = 3 } } } }`, or `false`." -> "then" -> "blocks";
    State "running": "Able to act: in a scenario it waits for its next step. Tables leave this state empty." -> "blocked";
    State "blocked": "Inside a call that has not returned, as a wait does while no child has terminated." -> "wait";
    State "stopped": "Stopped by a signal (SIGSTOP and its like) until SIGCONT comes." -> "kill";
    State "traced": "Held by its tracer, for a signal that it is to take or in a stop, until that lets it go on or is gone." -> "ptrace_cont" -> "ptrace.held";
    State "zombie" = "defunct": "Terminated, and not reaped yet. It has its PIDs still, and its status for the parent; signals to it succeed and do nothing." -> "reap" -> "exit.zombie-is-addressable";
    State "exiting" = "stuck": "An init that has terminated and waits for the last member of its namespace to go, in the kernel's zap_pid_ns_processes." -> "namespace teardown";
    Column "process": "The name of the process, in a tree of parents and children; a thread is below its process." -> "thread";
    Column "host's" = "init's" = "ns" = "column": "One column for each PID namespace, called after its init, outermost first: the PID of the process there. Empty: it has none there, so nobody there sees it." -> "PID namespace";
    Column "ppid": "The PID of the parent, as getppid(2) tells the process: 0 if its namespace does not see the parent." -> "getppid" -> "parent";
    Column "pgid": "The process group, as getpgid(2) tells the process: 0 if its namespace does not see the group." -> "getpgid" -> "process group";
    Column "sid": "The session, as getsid(2) tells the process: 0 if its namespace does not see the session." -> "getsid" -> "session";
    Column "state": "What the process is doing, if it is not running; that it is a thread; and which signals its handlers got since the last step." -> "zombie" -> "si_pid";
}

/// All words as a page.
pub fn page() -> String {
    let mut text = String::from(
        "# Glossary\n\n\
         The words of the program, of its scenarios and of its rules. `pidlab explain WORD` says the same. Made from\n\
         `src/glossary.rs`; a test keeps it fresh. The calls of scenarios have [a page of their own](calls.md), and so\n\
         have [the rules](rules.md).\n",
    );
    for kind in Kind::ALL {
        let _ = write!(text, "\n## {}\n\n", kind.heading());
        for entry in ENTRIES.iter().filter(|entry| entry.kind == kind) {
            let _ = write!(text, "**{}**", entry.word);
            if !entry.also.is_empty() {
                let _ = write!(text, " (also: {})", entry.also.join(", "));
            }
            let _ = write!(text, ": {}", entry.meaning);
            let see: Vec<String> = entry.see.iter().map(|see| format!("`{see}`")).collect();
            let _ = write!(text, " See {}.\n\n", see.join(", "));
        }
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use pidlab_scenario::words::calls;

    use super::*;

    #[test]
    fn each_word_stands_once_and_leads_on_to_something_that_is_there() {
        let words: Vec<&str> =
            ENTRIES.iter().flat_map(|entry| entry.also.iter().copied().chain([entry.word])).collect();
        let once: BTreeSet<&str> = words.iter().copied().collect();
        assert_eq!(words.len(), once.len(), "a word is there twice");
        for entry in ENTRIES {
            assert!(!entry.see.is_empty(), "{} leads nowhere", entry.word);
            for see in entry.see {
                let is_call = calls().iter().any(|call| call.name == *see);
                let is_there = once.contains(see) || is_call || pidlab_sim::rule::find(see).is_some();
                assert!(is_there && *see != entry.word, "{} leads to `{see}`", entry.word);
            }
        }
    }

    #[test]
    fn every_state_and_every_column_is_a_word() {
        use pidlab_scenario::State;
        let states = [State::Running, State::Blocked, State::Stopped, State::Traced, State::Zombie, State::Exiting]
            .map(|state| state.to_string());
        let columns = ["process", "ppid", "pgid", "sid", "state"].map(str::to_owned);
        for (kind, words) in [(Kind::State, &states[..]), (Kind::Column, &columns[..])] {
            for word in words {
                assert!(
                    ENTRIES.iter().any(|entry| entry.kind == kind && entry.word == *word),
                    "`{word}` is not explained"
                );
            }
        }
    }
}
