//! What comes out: data, for programs and for the text that is made of it.

use pidlab_scenario::Signal;
use rustix::process::WaitStatus;
use serde::{Deserialize, Serialize};

/// How a duty came out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Verdict {
    /// It is done.
    Holds,
    /// It is not done.
    Fails,
    /// The bound was reached before anything was certain.
    NotDecided,
    /// It cannot be asked of this program.
    NotAsked,
    /// No duty: this is what the program does.
    Told,
    /// The program could not be run.
    NoProgram,
}

impl Verdict {
    /// Its name, as JSON has it.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Holds => "holds",
            Verdict::Fails => "fails",
            Verdict::NotDecided => "not-decided",
            Verdict::NotAsked => "not-asked",
            Verdict::Told => "told",
            Verdict::NoProgram => "no-program",
        }
    }
}

/// A signal that a puppet got.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Heard {
    /// Who got it: `command`, or another by its name.
    pub by: String,
    /// Its name.
    pub signal: String,
    /// The sender as the receiver sees it: 0 is somebody outside its PID namespace, or the kernel.
    pub si_pid: i32,
    #[serde(skip)]
    pub(crate) number: i32,
}

impl Heard {
    pub(crate) fn new(by: &str, number: i32, si_pid: i32, code: i32) -> Heard {
        // What the kernel sends itself has no sender; the field holds something else then (sigaction(2)).
        let from_the_kernel = code > 0 && number != libc::SIGCHLD;
        Heard { by: by.to_owned(), signal: name(number), si_pid: if from_the_kernel { 0 } else { si_pid }, number }
    }
}

/// A signal's name.
pub(crate) fn name(number: i32) -> String {
    Signal::new(number.into()).map_or_else(|| number.to_string(), |signal| signal.to_string())
}

/// How a process ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ended {
    Exited(i32),
    Killed(i32),
}

impl Ended {
    pub(crate) fn of(status: WaitStatus) -> Ended {
        match (status.exit_status(), status.terminating_signal()) {
            (Some(status), _) => Ended::Exited(status),
            (None, signal) => Ended::Killed(signal.unwrap_or(0)),
        }
    }

    pub(crate) fn in_words(self) -> String {
        match self {
            Ended::Exited(status) => format!("it ended with status {status}"),
            Ended::Killed(signal) => format!("it was killed by {}", name(signal)),
        }
    }
}

/// A duty that was not done, played once more under strace. That changes nothing of the first verdict.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Recorded {
    /// It was recorded.
    Played(Recording),
    /// It was not.
    Not {
        /// Why.
        why: String,
    },
}

/// What a second play gave.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Recording {
    /// How the duty came out: strace is slow, and a program that races with itself may run otherwise.
    pub verdict: Verdict,
    /// What was seen.
    pub seen: String,
    /// The last calls of the PID 1, as strace writes them, where the duty failed: up to the moment at which that was said.
    pub calls: Vec<String>,
    /// A log for each start of the program.
    pub logs: Vec<Log>,
}

/// A log of strace, as `pidlab record` makes them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Log {
    /// All of it.
    pub text: String,
    /// Whether the calls that are told are from this one.
    pub shown: bool,
}

/// One duty, asked of one program.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Report {
    /// The duty's name.
    pub duty: String,
    /// How it came out.
    pub verdict: Verdict,
    /// What was seen, or why it is not decided or not asked.
    pub seen: String,
    /// The signals that the command and the others got, each in its order; SIGCHLD is left out.
    pub heard: Vec<Heard>,
    /// The end of what the program wrote, if it fails.
    pub output: String,
}
