//! What was answered, and the file in which that is kept.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

/// How a question was answered, the best time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Answered {
    /// How many answers it took.
    pub tries: u32,
    /// Whether the last of them was right.
    pub right: bool,
    /// How many hints were asked for.
    #[serde(default)]
    pub hints: u32,
}

impl Answered {
    /// After so many answers, of which the last was right or not, and no hint.
    pub fn after(tries: u32, right: bool) -> Answered {
        Answered { tries, right, hints: 0 }
    }

    /// Whether the first answer was right, and without a hint.
    pub fn is_at_once(&self) -> bool {
        self.right && self.tries == 1 && self.hints == 0
    }

    /// The better of two.
    fn better(self, other: Answered) -> Answered {
        let ill = |one: &Answered| (!one.right, one.tries, one.hints);
        if ill(&other) < ill(&self) { other } else { self }
    }
}

/// What was learnt so far.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Progress {
    /// By the key of the question.
    #[serde(default)]
    pub answered: BTreeMap<String, Answered>,
    /// The goals that were reached.
    #[serde(default)]
    pub goals: BTreeSet<String>,
}

impl Progress {
    /// Adds how a question was answered. What was better before stays.
    pub fn add(&mut self, key: &str, answered: Answered) {
        let best = self.answered.get(key).map_or(answered, |before| before.better(answered));
        self.answered.insert(key.to_owned(), best);
    }
}

/// Where progress is kept.
#[derive(Clone, Debug)]
pub struct Store {
    /// Nothing: it is not kept.
    path: Option<PathBuf>,
    /// What was there in the beginning: only what is new is added to the file, in which others may have written meanwhile.
    begun: Progress,
}

impl Store {
    /// The file for progress that the XDG base directories give: `$XDG_STATE_HOME/pidlab/learn.json`, else below `~/.local/state`. A
    /// relative path in the environment does not count. Nothing if there is neither.
    pub fn path(state_home: Option<OsString>, home: Option<OsString>) -> Option<PathBuf> {
        let absolute = |name: Option<OsString>| name.map(PathBuf::from).filter(|path| path.is_absolute());
        let state = absolute(state_home).or_else(|| Some(absolute(home)?.join(".local/state")))?;
        Some(state.join("pidlab/learn.json"))
    }

    /// Opens a file for progress. What cannot be read is told, and then nothing is kept: what is in the file stays as it is.
    pub fn open(path: Option<PathBuf>) -> (Store, Progress, Option<String>) {
        let Some(path) = path else {
            let why = "progress is not kept: neither XDG_STATE_HOME nor HOME is an absolute path";
            return (Store { path: None, begun: Progress::default() }, Progress::default(), Some(why.to_owned()));
        };
        match read(&path) {
            Ok(progress) => (Store { path: Some(path), begun: progress.clone() }, progress, None),
            Err(error) => {
                let why = format!(
                    "progress in {} cannot be read, and is not kept this time: {error}; `pidlab learn reset` begins anew",
                    path.display()
                );
                (Store { path: None, begun: Progress::default() }, Progress::default(), Some(why))
            }
        }
    }

    /// Keeps what is new in this progress. A new file takes the place of the old one, so that there is always a whole one, and who else
    /// writes at this time waits, so that nobody's answers are lost.
    ///
    /// # Errors
    /// If the file cannot be written, or is no progress any more. The old one is as it was.
    pub fn save(&self, progress: &Progress) -> io::Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        let folder = path.parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(folder)?;
        // The folder stays where it is, while the file is another each time.
        let _alone = Lock::of(folder)?;
        let mut kept = read(path).map_err(io::Error::other)?;
        for (key, answered) in &progress.answered {
            if self.begun.answered.get(key) != Some(answered) {
                kept.add(key, *answered);
            }
        }
        kept.goals.extend(progress.goals.difference(&self.begun.goals).cloned());
        let new = folder.join(format!("learn.json.{}", std::process::id()));
        let text = serde_json::to_string_pretty(&kept)?;
        let written = fs::File::create(&new)
            .and_then(|mut file| writeln!(file, "{text}").and_then(|()| file.sync_all()))
            .and_then(|()| fs::rename(&new, path));
        if written.is_err() {
            // It may not even be there.
            let _ = fs::remove_file(&new);
        }
        written
    }

    /// Forgets everything. Answers whether there was something.
    ///
    /// # Errors
    /// If the file cannot be removed.
    pub fn reset(path: &Path) -> io::Result<bool> {
        match fs::remove_file(path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// The right to write; others wait for it. It is given back with the descriptor, so also by a program that is killed.
struct Lock {
    _file: fs::File,
}

impl Lock {
    fn of(folder: &Path) -> io::Result<Lock> {
        let file = fs::File::open(folder)?;
        flock(&file, FlockOperation::LockExclusive)?;
        Ok(Lock { _file: file })
    }
}

/// What is in a file for progress; no progress if there is no file. Otherwise why it cannot be read.
fn read(path: &Path) -> Result<Progress, String> {
    match fs::read_to_string(path) {
        Ok(text) => serde_json::from_str(&text).map_err(|error| error.to_string()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Progress::default()),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Answered, Progress, Store};

    #[test]
    fn progress_comes_back() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let path = folder.path().join("new/learn.json");
        let (store, mut progress, notice) = Store::open(Some(path.clone()));
        assert_eq!((&progress, notice), (&Progress::default(), None));
        progress.answered.insert("a/b#1".to_owned(), Answered::after(2, true));
        store.save(&progress).expect("the folder can be made");
        assert_eq!(Store::open(Some(path.clone())).1, progress);
        let names: Vec<_> = fs::read_dir(path.parent().expect("it has one")).expect("it is there").collect();
        assert_eq!(names.len(), 1, "nothing is left beside it: {names:?}");
        assert!(Store::reset(&path).expect("it can be removed"));
        assert!(!Store::reset(&path).expect("it is gone"));
    }

    #[test]
    fn two_at_once_lose_nothing() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let path = folder.path().join("learn.json");
        let learners: Vec<_> = (0..4).map(|_| Store::open(Some(path.clone()))).collect();
        std::thread::scope(|scope| {
            for (learner, (store, progress, _)) in learners.iter().enumerate() {
                scope.spawn(move || {
                    let mut progress = progress.clone();
                    for question in 0..20 {
                        progress.add(&format!("{learner}#{question}"), Answered::after(1, true));
                        progress.goals.insert(format!("goal-{learner}"));
                        store.save(&progress).expect("the folder can be written");
                    }
                });
            }
        });
        let all = Store::open(Some(path)).1;
        assert_eq!((all.answered.len(), all.goals.len()), (80, 4));
    }

    #[test]
    fn what_was_forgotten_meanwhile_stays_forgotten() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let path = folder.path().join("learn.json");
        let (store, mut progress, _) = Store::open(Some(path.clone()));
        progress.add("old", Answered::after(1, true));
        store.save(&progress).expect("the folder can be written");
        let (store, mut progress, _) = Store::open(Some(path.clone()));
        assert!(Store::reset(&path).expect("it can be removed"));
        progress.add("new", Answered::after(1, true));
        store.save(&progress).expect("the folder can be written");
        assert!(Store::open(Some(path)).1.answered.keys().eq(["new"]));
    }

    #[test]
    fn the_best_answer_stays() {
        let mut progress = Progress::default();
        let hinted = Answered { hints: 1, ..Answered::after(1, true) };
        for (answered, best) in [
            (Answered::after(2, false), Answered::after(2, false)),
            (Answered::after(2, true), Answered::after(2, true)),
            (hinted, hinted),
            (Answered::after(1, true), Answered::after(1, true)),
            (hinted, Answered::after(1, true)),
            (Answered::after(2, false), Answered::after(1, true)),
        ] {
            progress.add("a", answered);
            assert_eq!(progress.answered["a"], best);
        }
    }

    #[test]
    fn what_cannot_be_read_stays_as_it_is() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let path = folder.path().join("learn.json");
        fs::write(&path, "{ \"answered\": [").expect("it can be written");
        let (store, progress, notice) = Store::open(Some(path.clone()));
        assert!(notice.is_some_and(|notice| notice.contains("learn reset")));
        store.save(&progress).expect("nothing is to be done");
        assert_eq!(fs::read_to_string(&path).expect("it is there"), "{ \"answered\": [");
    }

    #[test]
    fn the_folder_is_the_one_that_xdg_says() {
        let path = |state: &str, home: &str| Store::path(Some(state.into()), Some(home.into()));
        assert_eq!(path("/s", "/h").expect("one").to_str(), Some("/s/pidlab/learn.json"));
        assert_eq!(path("s", "/h").expect("one").to_str(), Some("/h/.local/state/pidlab/learn.json"));
        assert_eq!(path("", ""), None);
    }
}
