//! The caller's side: a duty is asked of a program, and whatever happens nothing is left of it.

use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::conductor::{LAUNCHER, Task, Told};
use crate::duty::{Duty, Profile};
use crate::report::{Report, Verdict};
use crate::table::DUTIES;

/// How long the conductor may take beyond its bound to say that it is reached.
const GRACE: Duration = Duration::from_secs(30);

/// A program under test: its words, of which `{}` is the command that it is to start.
#[derive(Clone, Debug)]
pub struct Subject {
    words: Vec<String>,
    bound: Duration,
}

/// Why nothing could be asked.
#[derive(Debug)]
#[non_exhaustive]
pub enum AskError {
    /// There is no place here where it could be asked.
    Unavailable {
        /// What stands in the way.
        reason: String,
        /// What would help.
        remedy: String,
    },
    /// The lab itself failed.
    Broken(io::Error),
}

impl From<io::Error> for AskError {
    fn from(error: io::Error) -> AskError {
        AskError::Broken(error)
    }
}

impl std::fmt::Display for AskError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            AskError::Unavailable { reason, remedy } => write!(out, "{reason} ({remedy})"),
            AskError::Broken(error) => write!(out, "the lab failed: {error}"),
        }
    }
}

impl std::error::Error for AskError {}

impl Subject {
    /// A program with its arguments. A word `{}` becomes the words of the command that it is to start; within a word `{}` becomes the same
    /// as a shell reads it. Without either, it starts nothing, and a process from outside joins it.
    pub fn new(words: impl IntoIterator<Item = impl Into<String>>) -> Subject {
        Subject { words: words.into_iter().map(Into::into).collect(), bound: Duration::from_secs(60) }
    }

    /// How long one duty may take before it is given up as not decided. 60 seconds, if it is not said.
    pub fn with_bound(self, bound: Duration) -> Subject {
        Subject { bound, ..self }
    }

    /// Whether it is said where its command goes.
    pub fn starts_a_command(&self) -> bool {
        self.words.iter().any(|word| word.contains("{}"))
    }

    /// What it is asked as one of this profile: the duties, and what is told.
    pub fn duties(&self, profile: Profile) -> impl Iterator<Item = &'static Duty> {
        let starts = self.starts_a_command();
        let is_told = move |duty: &Duty| duty.profiles.is_empty() && (starts || !duty.needs_command);
        DUTIES.iter().filter(move |duty| duty.profiles.contains(&profile) || is_told(duty))
    }

    /// Its words, as they were given.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// Asks one duty of it, in namespaces that are gone when it is answered.
    ///
    /// # Errors
    /// If such namespaces cannot be had here, or if the lab fails.
    pub fn ask(&self, duty: &Duty) -> Result<Report, AskError> {
        if duty.needs_command && !self.starts_a_command() {
            let why = "it starts no command: no `{}` is among its words";
            return Ok(stopped(duty, Verdict::NotAsked, why.to_owned()));
        }
        let program = std::env::current_exe()?;
        let task = Task { words: self.words.clone(), duty: duty.name.to_owned(), bound: self.bound, program };
        match self.run(&task)? {
            Ok(Told::Report(report)) => Ok(report),
            Ok(Told::Unavailable { reason, remedy }) => Err(AskError::Unavailable { reason, remedy }),
            Err(why) => Ok(stopped(duty, Verdict::NotDecided, why)),
        }
    }

    /// What the conductor tells, or why it does not.
    fn run(&self, task: &Task) -> io::Result<Result<Told, String>> {
        let mut command = Command::new(own_program());
        command.arg0(LAUNCHER).arg(serde_json::to_string(task)?);
        let mut launcher = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let watched = launcher.stdin.take();
        let Some(mut answer) = launcher.stdout.take() else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let (say, hear) = mpsc::channel();
        thread::spawn(move || {
            let mut bytes = Vec::new();
            // What was cut off is no answer.
            let _ = answer.read_to_end(&mut bytes);
            say.send(bytes)
        });
        let heard = hear.recv_timeout(self.bound.saturating_add(GRACE));
        // Now the conductor ends, if it has not, and all with it.
        drop(watched);
        launcher.wait()?;
        Ok(match heard {
            Ok(bytes) => {
                serde_json::from_slice(&bytes).map_err(|_| "the lab was ended before it had an answer".to_owned())
            }
            Err(_) => Err(format!("no answer came within {} s", self.bound.as_secs())),
        })
    }
}

fn own_program() -> PathBuf {
    PathBuf::from("/proc/self/exe")
}

fn stopped(duty: &Duty, verdict: Verdict, seen: String) -> Report {
    Report { duty: duty.name.to_owned(), verdict, seen, heard: Vec::new(), output: String::new() }
}
