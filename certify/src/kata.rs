//! The duties of a container's PID 1 in the order in which they are best learnt.

/// A step on the way from an empty program to one that does all its duties.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Step {
    /// What it is about.
    pub title: &'static str,
    /// What to write, and why.
    pub text: &'static str,
    /// The duties that are done when it is done: each of a container's in one step.
    pub duties: &'static [&'static str],
    /// A scenario of the library that shows what is behind it.
    pub scenario: &'static str,
}

/// All steps, from the empty program on.
pub const STEPS: &[Step] = &[
    Step {
        title: "It starts its command",
        text: "The words behind your program are a command: fork(2), and in the child execvp(3). PID 1 stays for now: \
               pause(2), again and again.",
        duties: &["starts"],
        scenario: "creation/the-child-is-the-init",
    },
    Step {
        title: "It ends as its command does",
        text: "Wait for the command with waitpid(2), and exit with its status: what it exited with, or 128 and the number of \
               the signal that killed it. Where exec fails the child exits with 127 if the command was not found, else with \
               126. Whoever is left then need not be waited for: the kernel kills them when PID 1 ends.",
        duties: &["status", "status-killed", "not-found", "not-executable", "leftovers"],
        scenario: "death/the-status-is-its-own",
    },
    Step {
        title: "It reaps those whom it did not start",
        text: "Orphans become children of PID 1, and stay zombies until it waits for them. Wait for any child, waitpid(-1, …), \
               and end only when the one that came is the command.",
        duties: &[
            "orphan",
            "stays",
            "dead-orphan",
            "thousand",
            "crowd",
            "status-in-crowd",
            "exec-orphan",
            "stopped-command",
            "subreaper",
            "nested",
        ],
        scenario: "zombies/adoption-is-not-reaping",
    },
    Step {
        title: "It passes signals on",
        text: "Whoever stops the container sends SIGTERM to PID 1, for whom the kernel drops what has no handler. Handle every \
               signal but SIGCHLD, and send it on to the command with kill(2); waitpid then fails with EINTR, and is called again.",
        duties: &["passes-on", "twice", "from-inside", "stop", "stop-clean"],
        scenario: "init-signals/term-from-outside-is-dropped",
    },
    Step {
        title: "It begins as if nothing had been",
        text: "Blocked and ignored signals come over exec(2) from whoever started PID 1, pending ones as well. Block every signal \
               first; set SIGCHLD to its default; fork; let the child set every signal to its default and unblock all right before \
               exec. PID 1 takes signals with sigwaitinfo(2), and on SIGCHLD it waits with WNOHANG until nobody is left.",
        duties: &["early-term", "blocked-term", "blocked-chld", "chld-ignored", "clean-mask", "clean-ignored"],
        scenario: "exec/a-mask-comes-along",
    },
    Step {
        title: "It gives the terminal to its command",
        text: "Put the command into a process group of its own, setpgid(2) from both sides, and into the foreground, tcsetpgrp(3) \
               where there is a terminal. Then Ctrl-C and a new window size come to the command by themselves: what the terminal \
               sent (si_code is SI_KERNEL) is not passed on once more, and a hangup, which only PID 1 gets, is.",
        duties: &["job-control", "foreground", "ctrl-c", "resize", "hangup"],
        scenario: "groups/tstp-without-job-control",
    },
];
