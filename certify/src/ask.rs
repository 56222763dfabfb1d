//! The caller's side: a duty is asked of a program, and whatever happens nothing is left of it.

use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use pidlab_scenario::Facts;

use crate::attach::{self, AttachError, Running, Whom};
use crate::conductor::{LAUNCHER, Part, Task, Told};
use crate::duty::{Duty, Profile};
use crate::observer::OBSERVER;
use crate::own::OwnDuty;
use crate::recorder::{self, Recorder};
use crate::report::{Recorded, Report, Verdict};
use crate::table::DUTIES;

/// How long the conductor may take beyond its bound to say that it is reached.
const GRACE: Duration = Duration::from_secs(30);

/// A program under test: its words, of which `{}` is the command that it is to start; or a PID 1 that runs already.
#[derive(Clone, Debug)]
pub struct Subject {
    words: Vec<String>,
    running: Option<Running>,
    may_make_orphans: bool,
    /// Whether it has left a zombie: then no more orphans are made for it. Whoever asks holds it, so that one comes after another.
    leaves_zombies: Arc<Mutex<bool>>,
    bound: Duration,
}

/// What a program is asked: a duty of the table, or one of a user's own.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Asked<'a> {
    /// One of [`DUTIES`].
    BuiltIn(&'a Duty),
    /// A user's own.
    Own(&'a OwnDuty),
}

impl<'a> From<&'a Duty> for Asked<'a> {
    fn from(duty: &'a Duty) -> Asked<'a> {
        Asked::BuiltIn(duty)
    }
}

impl<'a> From<&'a OwnDuty> for Asked<'a> {
    fn from(duty: &'a OwnDuty) -> Asked<'a> {
        Asked::Own(duty)
    }
}

impl<'a> Asked<'a> {
    /// Its name.
    pub fn name(self) -> &'a str {
        match self {
            Asked::BuiltIn(duty) => duty.name,
            Asked::Own(duty) => duty.name(),
        }
    }

    /// What the program does that does it.
    pub fn sentence(self) -> &'a str {
        match self {
            Asked::BuiltIn(duty) => duty.sentence,
            Asked::Own(duty) => duty.sentence(),
        }
    }

    /// The rules of Linux that it is about.
    pub fn rules(self) -> Vec<&'a str> {
        match self {
            Asked::BuiltIn(duty) => duty.rules.to_vec(),
            Asked::Own(duty) => duty.rules().iter().map(String::as_str).collect(),
        }
    }

    /// What to do about it; empty where nobody knows.
    pub fn help(self) -> &'a str {
        match self {
            Asked::BuiltIn(duty) => duty.help,
            Asked::Own(_) => "",
        }
    }

    fn is_for_started(self) -> bool {
        match self {
            Asked::BuiltIn(duty) => duty.is_for_started(),
            Asked::Own(_) => true,
        }
    }

    fn is_for_running(self) -> bool {
        match self {
            Asked::BuiltIn(duty) => duty.is_for_running(),
            Asked::Own(_) => false,
        }
    }

    fn orphans(self) -> u8 {
        match self {
            Asked::BuiltIn(duty) => duty.orphans(),
            Asked::Own(_) => 0,
        }
    }

    fn needs_command(self) -> bool {
        match self {
            Asked::BuiltIn(duty) => duty.needs_command,
            Asked::Own(_) => true,
        }
    }

    fn part(self) -> Part {
        match self {
            Asked::BuiltIn(duty) => Part::BuiltIn(duty.name.to_owned()),
            Asked::Own(duty) => Part::Own { name: duty.name().to_owned(), script: duty.script.clone() },
        }
    }
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
        Subject {
            words: words.into_iter().map(Into::into).collect(),
            running: None,
            may_make_orphans: true,
            leaves_zombies: Arc::default(),
            bound: Duration::from_secs(60),
        }
    }

    /// The PID 1 that runs already in the PID namespace of this process, which is below the caller's. Others use its container, and so it is asked
    /// what can be seen of it, and what it does with at most so many orphans as a duty [says](Duty::orphans), one after another. An orphan
    /// that it does not reap stays as a zombie for as long as the container is there; from the first of those on nothing is asked any
    /// more that makes one.
    ///
    /// # Errors
    /// There is no such process, it is in no container seen from here, or this user may not look.
    pub fn running(pid: i32) -> Result<Subject, AttachError> {
        let running = attach::find(pid)?;
        Ok(Subject { running: Some(running), ..Subject::new([""; 0]) })
    }

    /// The PID, as it is seen from here, and the name of the PID 1 that runs already.
    pub fn attached_to(&self) -> Option<(i32, &str)> {
        self.running.as_ref().map(|running| (running.whom.init, &*running.name))
    }

    /// How long one duty may take before it is given up as not decided. 60 seconds, if it is not said.
    pub fn with_bound(self, bound: Duration) -> Subject {
        Subject { bound, ..self }
    }

    /// Whether orphans are made for it in a container that runs already; they are, if it is not said.
    pub fn with_orphans(self, may_make_orphans: bool) -> Subject {
        Subject { may_make_orphans, ..self }
    }

    /// Whether it is said where its command goes.
    pub fn starts_a_command(&self) -> bool {
        self.words.iter().any(|word| word.contains("{}"))
    }

    /// What it is asked as one of this profile: the duties, and what is told.
    pub fn duties(&self, profile: Profile) -> impl Iterator<Item = &'static Duty> {
        let (starts, runs) = (self.starts_a_command(), self.running.is_some());
        let is_told = move |duty: &Duty| duty.profiles.is_empty() && (runs || starts || !duty.needs_command);
        let is_for_it = move |duty: &Duty| if runs { duty.is_for_running() } else { duty.is_for_started() };
        DUTIES.iter().filter(move |duty| is_for_it(duty) && (duty.profiles.contains(&profile) || is_told(duty)))
    }

    /// Its words, as they were given.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// Asks one duty of it: of a program in namespaces that are gone when it is answered, of one that runs already from beside its container.
    ///
    /// # Errors
    /// If such namespaces cannot be had here, or if the lab fails.
    pub fn ask<'a>(&self, duty: impl Into<Asked<'a>>) -> Result<Report, AskError> {
        let duty = duty.into();
        let Some(running) = &self.running else { return self.ask_started(duty) };
        if !duty.is_for_running() {
            let why = "it would disturb a container that others use: it is asked of a program that is started for it";
            return Ok(stopped(duty, Verdict::NotAsked, why.to_owned()));
        }
        if duty.orphans() > 0 && !self.may_make_orphans {
            let why = "an orphan would have to be made in its container, and was not asked for (--orphans)";
            return Ok(stopped(duty, Verdict::NotAsked, why.to_owned()));
        }
        // Whoever failed while he held it has seen nothing.
        let mut leaves_zombies = self.leaves_zombies.lock().unwrap_or_else(PoisonError::into_inner);
        if duty.orphans() > 0 && *leaves_zombies {
            let why = "zombies stay, as was seen before: no more orphans are made";
            return Ok(stopped(duty, Verdict::NotAsked, why.to_owned()));
        }
        let report = self.told(duty, Some(running.whom))?;
        let may_stay = duty.orphans() > 0 && report.verdict != Verdict::Holds;
        *leaves_zombies |= may_stay || (duty.name() == attach::ZOMBIES && report.verdict == Verdict::Fails);
        Ok(report)
    }

    fn ask_started(&self, duty: Asked<'_>) -> Result<Report, AskError> {
        if !duty.is_for_started() {
            let why = "it is asked of a PID 1 that runs already";
            return Ok(stopped(duty, Verdict::NotAsked, why.to_owned()));
        }
        if duty.needs_command() && !self.starts_a_command() {
            let why = "it starts no command: no `{}` is among its words";
            return Ok(stopped(duty, Verdict::NotAsked, why.to_owned()));
        }
        self.told(duty, None)
    }

    /// Plays a duty once more, recorded by strace, for the calls of a PID 1 that does not do it; facts about the kernel go into the logs, for
    /// `pidlab judge`. Of one that runs already nothing is recorded: nobody is traced there.
    ///
    /// # Errors
    /// If such namespaces cannot be had here, or if the lab fails. That there is no strace, or that it may not trace, is an answer.
    pub fn record<'a>(&self, duty: impl Into<Asked<'a>>, facts: Option<&Facts>) -> Result<Recorded, AskError> {
        let not = |why: &str| Ok(Recorded::Not { why: why.to_owned() });
        if self.running.is_some() {
            return not("nobody is traced in a container that runs already");
        }
        let Some(strace) = recorder::strace() else { return not("there is no strace here") };
        let recorder = Some(Recorder { strace, facts: facts.cloned() });
        match self.run(&Task { recorder, ..self.task(duty.into(), None)? })? {
            Ok(Told::Recorded(recorded)) => Ok(recorded),
            Ok(Told::Report(report)) => Ok(Recorded::Not { why: report.seen }),
            Ok(Told::Unavailable { reason, remedy }) => Err(AskError::Unavailable { reason, remedy }),
            Err(why) => Ok(Recorded::Not { why }),
        }
    }

    fn task(&self, duty: Asked<'_>, running: Option<Whom>) -> io::Result<Task> {
        let program = std::env::current_exe()?;
        let (words, asked, bound) = (self.words.clone(), duty.part(), self.bound);
        Ok(Task { words, asked, bound, program, running, recorder: None })
    }

    fn told(&self, duty: Asked<'_>, running: Option<Whom>) -> Result<Report, AskError> {
        match self.run(&self.task(duty, running)?)? {
            Ok(Told::Report(report)) => Ok(report),
            Ok(Told::Recorded(_)) => {
                Ok(stopped(duty, Verdict::NotDecided, "it was recorded, and not asked".to_owned()))
            }
            Ok(Told::Unavailable { reason, remedy }) => Err(AskError::Unavailable { reason, remedy }),
            Err(why) => Ok(stopped(duty, Verdict::NotDecided, why)),
        }
    }

    /// What the conductor tells, or why it does not.
    fn run(&self, task: &Task) -> io::Result<Result<Told, String>> {
        let mut command = Command::new(own_program());
        command.arg0(if task.running.is_some() { OBSERVER } else { LAUNCHER }).arg(serde_json::to_string(task)?);
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

fn stopped(duty: Asked<'_>, verdict: Verdict, seen: String) -> Report {
    Report { duty: duty.name().to_owned(), verdict, seen, heard: Vec::new(), output: String::new() }
}
