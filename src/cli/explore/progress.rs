//! `--resume`: what is done of a verification, in a file, so that one that was cut short goes on where it was.
//!
//! The first line says what the file is about; each further one is a walk that has come to its end, in the order of the walks. A line is written at
//! once, so whatever ends the program leaves whole lines and at most one that is not; that one is cut off, and its walk is gone again. What
//! gave no result is not written down: the next time it may.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use petgraph::graph::EdgeIndex;
use pidlab_explore::{Followed, Space, Walk};
use pidlab_realkernel::Kernel;
use pidlab_scenario::{Scenario, one_line};
use serde_json::{Map, Value, json};

use super::went::{Went, Wrong};
use crate::cli::shard::Shard;

/// So much work may be lost if the machine loses its power.
const KEPT_EVERY: Duration = Duration::from_secs(5);

/// What is done, and where it is written down.
pub(super) struct Progress {
    file: Option<(PathBuf, File)>,
    /// What the file said at the beginning: by rounds, walks with what came of them.
    done: BTreeMap<usize, Vec<(usize, Went)>>,
    kept: Instant,
}

impl Progress {
    /// It is not written down.
    pub(super) fn none() -> Progress {
        Progress { file: None, done: BTreeMap::new(), kept: Instant::now() }
    }

    /// Reads a file, or begins it.
    ///
    /// # Errors
    /// If it cannot be read or written, is another one's at the moment, or is not about the same.
    pub(super) fn open(
        path: &Path,
        space: &Space,
        kernel: Option<&Kernel>,
        shard: Shard,
        walks: &[Walk],
    ) -> Result<Progress, String> {
        let failed = |error: io::Error| error.to_string();
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let mut file = file.map_err(failed)?;
        if !file.metadata().map_err(failed)?.is_file() {
            return Err("it is no ordinary file".to_owned());
        }
        lock(&file)?;
        let about = about(space, kernel, shard, walks);
        let mut reader = BufReader::new(&file);
        let mut line = Vec::new();
        let mut whole = reader.read_until(b'\n', &mut line).map_err(failed)? as u64;
        let mut done: BTreeMap<usize, Vec<(usize, Went)>> = BTreeMap::new();
        if whole > 0 {
            is_about(&line, &about)?;
            for number in 2.. {
                line.clear();
                let length = reader.read_until(b'\n', &mut line).map_err(failed)? as u64;
                if length == 0 || line.last() != Some(&b'\n') {
                    break;
                }
                let (round, walk, went) = record(&line, space).ok_or_else(|| {
                    format!(
                        "line {number} is not a walk of this exploration: what is before it can be kept, without it"
                    )
                })?;
                done.entry(round).or_default().push((walk, went));
                whole += length;
            }
        }
        file.set_len(whole).map_err(failed)?;
        file.seek(SeekFrom::Start(whole)).map_err(failed)?;
        if whole == 0 {
            writeln!(file, "{about}").and_then(|()| file.sync_all()).map_err(failed)?;
        }
        let walks: usize = done.values().map(Vec::len).sum();
        if walks > 0 {
            eprintln!("goes on after {walks} walks that {} has", one_line(&path.display().to_string()));
        }
        Ok(Progress { file: Some((path.to_owned(), file)), done, kept: Instant::now() })
    }

    /// What the file has of a round.
    pub(super) fn done(&mut self, round: usize) -> Vec<(usize, Went)> {
        self.done.remove(&round).unwrap_or_default()
    }

    /// Writes down what came of a walk.
    pub(super) fn write(&mut self, round: usize, walk: usize, went: &Went) {
        let Some(line) = line(round, walk, went) else { return };
        let keeps = self.kept.elapsed() >= KEPT_EVERY;
        self.with_file(|file| {
            file.write_all(line.as_bytes())?;
            if keeps { file.sync_data() } else { Ok(()) }
        });
        if keeps {
            self.kept = Instant::now();
        }
    }

    /// Has all of it where no loss of power takes it away.
    pub(super) fn end(mut self) {
        self.with_file(|file| file.sync_all());
    }

    /// A file that cannot be written any more is left as it is: the results are worth having without it.
    fn with_file(&mut self, act: impl FnOnce(&mut File) -> io::Result<()>) {
        let Some((path, file)) = &mut self.file else { return };
        if let Err(error) = act(file) {
            let path = one_line(&path.display().to_string()).into_owned();
            eprintln!("warning: {path}: {error}; what is done from here on is not kept");
            self.file = None;
        }
    }
}

/// Keeps others from the file until the program ends, however that comes. The lock is the process's own: helpers do not inherit it.
fn lock(file: &File) -> Result<(), String> {
    #[cfg(unix)]
    rustix::fs::fcntl_lock(file, rustix::fs::FlockOperation::NonBlockingLockExclusive).map_err(
        |error| match error {
            rustix::io::Errno::AGAIN | rustix::io::Errno::ACCESS => {
                "another program writes it at the moment".to_owned()
            }
            other => io::Error::from(other).to_string(),
        },
    )?;
    let _ = file;
    Ok(())
}

/// What has to be the same for a walk that was gone to count.
fn about(space: &Space, kernel: Option<&Kernel>, shard: Shard, walks: &[Walk]) -> Value {
    let holding = kernel.iter().flat_map(|kernel| kernel.facts.iter()).filter(|(_, holds)| *holds);
    let facts: Vec<&str> = holding.map(|(fact, _)| fact.word()).collect();
    json!({ "verifies": {
        "space": space.hash(),
        "walks": space.fingerprint(walks),
        "shard": shard.to_string(),
        "kernel": build(kernel),
        "look": kernel.map(|kernel| kernel.look.word()),
        "facts": facts,
    } })
}

/// The kernel with the time of its build: a release alone can be built twice.
fn build(kernel: Option<&Kernel>) -> String {
    let release = kernel.map(|kernel| kernel.release.clone()).unwrap_or_default();
    std::fs::read_to_string("/proc/version").map_or(release, |version| version.trim_end().to_owned())
}

/// What the parts of the first line are about, in words.
const PARTS: &[(&str, &str)] = &[
    ("shard", "another part of the walks"),
    ("kernel", "another kernel"),
    ("look", "another way to look at processes"),
    ("facts", "a place where other facts hold"),
    ("space", "another space: other calls, bounds or rules of the model"),
    ("walks", "other walks through the same space: of another length, or laid by another build"),
];

fn is_about(line: &[u8], about: &Value) -> Result<(), String> {
    let known: Value = serde_json::from_slice(line).unwrap_or_default();
    let Some(known) = known["verifies"].as_object() else {
        return Err("it was not written by `pidlab explore --verify --resume`, and stays as it is".to_owned());
    };
    let differs = |(part, _): &&(&str, &str)| known.get(*part).unwrap_or(&Value::Null) != &about["verifies"][*part];
    match PARTS.iter().find(differs) {
        None => Ok(()),
        Some((part, other)) => {
            let short = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let (then, now) = (short(&known.get(*part).cloned().unwrap_or_default()), short(&about["verifies"][*part]));
            Err(format!("it is about {other}: `{}`, and here it is `{}`", one_line(&then), one_line(&now)))
        }
    }
}

/// A walk and what came of it; nothing where no result came.
fn line(round: usize, walk: usize, went: &Went) -> Option<String> {
    let mut value = json!({ "round": round, "walk": walk });
    match went {
        Went::Skipped(_) => return None,
        Went::NotDecided => value["not_decided"] = json!(true),
        Went::Well(steps, followed) => {
            value["steps"] = json!(steps);
            if let Some(Followed { moves, chosen, left, .. }) = followed {
                let numbers = |edges: &[EdgeIndex]| edges.iter().map(|edge| edge.index()).collect::<Vec<usize>>();
                value["moves"] = json!(numbers(moves));
                value["chosen"] = json!(numbers(chosen));
                value["left"] = json!(left);
            }
        }
        Went::Wrong(wrong) => {
            value["differs"] =
                json!({ "scenario": wrong.scenario.to_toml(), "report": wrong.report, "replays": wrong.replays });
        }
    }
    Some(format!("{value}\n"))
}

/// Reads a line again.
fn record(line: &[u8], space: &Space) -> Option<(usize, usize, Went)> {
    let value: Map<String, Value> = serde_json::from_slice(line).ok()?;
    let number = |name: &str| usize::try_from(value.get(name)?.as_u64()?).ok();
    let went = if let Some(wrong) = value.get("differs") {
        let scenario = Scenario::parse("walk", "walk.toml", wrong["scenario"].as_str()?).ok()?;
        let replays = usize::try_from(wrong["replays"].as_u64()?).ok()?;
        Went::Wrong(Box::new(Wrong { scenario, report: wrong["report"].as_str()?.to_owned(), replays }))
    } else if value.contains_key("not_decided") {
        Went::NotDecided
    } else {
        let edges = |name: &str| -> Option<Vec<EdgeIndex>> {
            let edge = |value: &Value| usize::try_from(value.as_u64()?).ok().map(EdgeIndex::new);
            let all: Option<Vec<EdgeIndex>> = value.get(name)?.as_array()?.iter().map(edge).collect();
            all.filter(|all| all.iter().all(|edge| edge.index() < space.graph().edge_count()))
        };
        let followed = match value.get("left") {
            None => None,
            Some(left) => {
                let mut followed = Followed::default();
                (followed.moves, followed.chosen, followed.left) = (edges("moves")?, edges("chosen")?, left.as_bool()?);
                Some(followed)
            }
        };
        Went::Well(number("steps")?, followed)
    };
    Some((number("round")?, number("walk")?, went))
}
