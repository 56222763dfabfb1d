//! One fault on trial: what notices it?

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::plant::VARIABLE;

/// Nothing takes as long that comes to an end. It is the last guard: a mistaken model can go round for ever.
const LONGEST: Duration = Duration::from_secs(600);

/// The same where nobody has looked at the faults, and many of them go round for ever.
const LONGEST_OF_WILD: Duration = Duration::from_secs(120);

/// As much memory as a program may ask for, in KiB, where nobody has thought about the mistake: one that goes round for ever may fill all there is.
const MOST_MEMORY: &str = "8000000";

/// The spaces of `pidlab explore` in which a change that nothing notices is looked for: every call, and long scenarios of the core calls.
const SPACES: [&[&str]; 2] =
    [&["--calls", "all", "--steps", "3"], &["--steps", "6", "--processes", "4", "--namespaces", "3"]];

/// The line of `pidlab explore --format json` that has the counts.
#[derive(Deserialize)]
struct Explored {
    space: Space,
}

/// What is there in a space, whatever the machine.
#[derive(Deserialize, PartialEq, Eq, Debug)]
pub(crate) struct Space {
    /// Of all states and transitions, with what each transition gives.
    hash: String,
    states_by_depth: Vec<u64>,
    scenarios_by_length: Vec<String>,
}

/// What a program said and how it ended.
struct Ended {
    /// Nothing for one that was ended because it did not end.
    code: Option<i32>,
    said: String,
}

/// What came of one program with one fault.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Seen {
    /// It ran as if there were no fault.
    Nothing,
    /// It noticed the fault: what it said.
    Noticed(String),
    /// It ended in a panic.
    Panics(String),
    /// It did not end.
    Hangs,
}

impl Seen {
    pub(crate) fn is_noticed(&self) -> bool {
        *self != Seen::Nothing
    }
}

/// The programs that may notice a fault.
pub(crate) struct Bench {
    pub(crate) pidlab: PathBuf,
    pub(crate) tests: Vec<(PathBuf, PathBuf)>,
    /// How many scenarios run at once.
    pub(crate) jobs: Option<u16>,
    pub(crate) steps: u64,
    /// Whether nobody has looked at the faults.
    pub(crate) wild: bool,
}

impl Bench {
    /// The whole library on the model and the kernel, looked at in this way.
    pub(crate) fn library(&self, fault: usize, look: &str) -> Seen {
        let ended = self.pidlab(fault, &["check", "--quiet", "--look", look]);
        let name = |line: &'_ str| {
            let words = ["DIFFERS", "CLAIM FAILED", "NOT DECIDED", "NO RESULT", "INVALID"];
            words.iter().find_map(|word| line.strip_prefix(word)).map(|name| name.trim().to_owned())
        };
        let names: Vec<String> = ended.said.lines().filter_map(name).collect();
        let others = if names.len() > 1 { format!(" and {} more", names.len() - 1) } else { String::new() };
        seen(&ended, format!("{}{others}", names.first().map_or("?", String::as_str)))
    }

    /// The whole library on the model alone: what the scenarios claim.
    pub(crate) fn claims(&self, fault: usize) -> Seen {
        let ended = self.pidlab(fault, &["check", "--quiet", "--on", "model"]);
        seen(&ended, "a claim".to_owned())
    }

    /// Random steps of one seed, up to the first difference.
    pub(crate) fn fuzz(&self, fault: usize, seed: u64) -> Seen {
        let (steps, seed) = (self.steps.to_string(), seed.to_string());
        let ended = self.pidlab(fault, &["fuzz", "--steps", &steps, "--seed", &seed]);
        // Some scenarios are skipped where this is not root.
        if self.wild && ended.code == Some(4) && ended.said.lines().any(|line| line.starts_with("differences 0,")) {
            return Seen::Nothing;
        }
        let line = |start| ended.said.lines().find(|line: &&str| line.starts_with(start));
        let after = line("scenarios").unwrap_or_default();
        let shrunk = line("differences 1").or(line("differences 0")).unwrap_or_default();
        seen(&ended, format!("after {after}: {shrunk}"))
    }

    /// The kinds of outcomes that are allowed and never seen in so many random steps.
    pub(crate) fn outcomes(&self, fault: usize, steps: u64) -> Result<BTreeSet<String>, Seen> {
        let steps = steps.to_string();
        let ended = self.pidlab(fault, &["fuzz", "--outcomes", "--steps", &steps, "--seed", "1"]);
        if ended.code != Some(0) {
            return Err(seen(&ended, "it ended early".to_owned()));
        }
        let unseen = ended.said.lines().skip_while(|line| *line != "allowed and never seen").skip(1);
        let kinds = unseen.take_while(|line| line.starts_with("  ")).filter_map(|line| line.split("; ").next());
        Ok(kinds.map(|kind| kind.trim().to_owned()).collect())
    }

    /// What there is in each of [`SPACES`], or what is wrong with it.
    pub(crate) fn spaces(&self, fault: usize) -> Result<Vec<Space>, Seen> {
        let space = |arguments: &&[&str]| {
            let ended = self.pidlab(fault, &[&["explore", "--format", "json"], *arguments].concat());
            let wrong = seen(&ended, "a sentence about every state".to_owned());
            if wrong.is_noticed() {
                return Err(wrong);
            }
            let space = ended.said.lines().find_map(|line| Some(serde_json::from_str::<Explored>(line).ok()?.space));
            space.ok_or_else(|| Seen::Noticed("there is no space".to_owned()))
        };
        SPACES.iter().map(space).collect()
    }

    /// The names of the tests that fail.
    pub(crate) fn failing(&self, fault: usize, is_asked: impl Fn(&Path) -> bool) -> BTreeSet<String> {
        let mut failing = BTreeSet::new();
        for (program, folder) in self.tests.iter().filter(|(_, folder)| is_asked(folder)) {
            let mut command = Command::new(program);
            command.current_dir(folder);
            // Random tests make the same choices every time, and leave nothing behind.
            command.env("PROPTEST_RNG_SEED", "1").env("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "true");
            command.env("INSTA_UPDATE", "no");
            let ended = run(command, fault, self.longest());
            let name = program.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let name = name.rsplit_once('-').map_or(&name[..], |(name, _)| name).to_owned();
            let failed = |line: &str| Some(line.strip_prefix("test ")?.strip_suffix(" ... FAILED")?.to_owned());
            let before = failing.len();
            failing.extend(ended.said.lines().filter_map(failed).map(|test| format!("{name}: {test}")));
            if ended.code != Some(0) && failing.len() == before {
                failing.insert(format!("{name}: ends with {:?}", ended.code));
            }
        }
        failing
    }

    fn pidlab(&self, fault: usize, arguments: &[&str]) -> Ended {
        let mut command = if self.wild {
            let mut command = Command::new("sh");
            command.args(["-c", &format!("ulimit -v {MOST_MEMORY}; exec \"$0\" \"$@\"")]).arg(&self.pidlab);
            command
        } else {
            Command::new(&self.pidlab)
        };
        command.args(arguments);
        if let Some(jobs) = self.jobs {
            command.args(["--jobs", &jobs.to_string()]);
        }
        run(command, fault, self.longest())
    }

    fn longest(&self) -> Duration {
        if self.wild { LONGEST_OF_WILD } else { LONGEST }
    }
}

fn seen(ended: &Ended, noticed: String) -> Seen {
    match ended.code {
        Some(0) => Seen::Nothing,
        None => Seen::Hangs,
        Some(101) => {
            let panic = ended.said.lines().skip_while(|line| !line.contains("panicked at")).nth(1);
            Seen::Panics(panic.unwrap_or("it says nothing").to_owned())
        }
        Some(_) => Seen::Noticed(noticed),
    }
}

/// Runs a program with a fault, both of its outputs together.
fn run(mut command: Command, fault: usize, longest: Duration) -> Ended {
    command.env(VARIABLE, fault.to_string()).env("NO_COLOR", "1").env("RUST_BACKTRACE", "0");
    let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = match spawned {
        Ok(child) => child,
        Err(error) => return Ended { code: Some(-1), said: error.to_string() },
    };
    let (said, inbox) = mpsc::channel();
    let outputs: [Option<Box<dyn Read + Send>>; 2] = [
        child.stdout.take().map(|output| Box::new(output) as Box<dyn Read + Send>),
        child.stderr.take().map(|output| Box::new(output) as Box<dyn Read + Send>),
    ];
    for mut output in outputs.into_iter().flatten() {
        let said = said.clone();
        thread::spawn(move || {
            let mut bytes = Vec::new();
            // What was read until then is what it said.
            let _ = output.read_to_end(&mut bytes);
            let _ = said.send(String::from_utf8_lossy(&bytes).into_owned());
        });
    }
    drop(said);
    let mut texts = String::new();
    let hangs = loop {
        match inbox.recv_timeout(longest) {
            Ok(text) => texts += &text,
            Err(mpsc::RecvTimeoutError::Disconnected) => break false,
            Err(mpsc::RecvTimeoutError::Timeout) => break true,
        }
    };
    if hangs {
        // It may have ended at this very moment; then there is nothing to end.
        let _ = child.kill();
    }
    let status = child.wait();
    let code = if hangs { None } else { Some(status.ok().and_then(|status| status.code()).unwrap_or(-1)) };
    Ended { code, said: texts }
}
