//! What was answered, and the file in which that is kept.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// How a question was answered, the last time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Answered {
    /// How many answers it took.
    pub tries: u32,
    /// Whether the last of them was right.
    pub right: bool,
}

impl Answered {
    /// After so many answers, of which the last was right or not.
    pub fn after(tries: u32, right: bool) -> Answered {
        Answered { tries, right }
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

/// Where progress is kept.
#[derive(Clone, Debug)]
pub struct Store {
    /// Nothing: it is not kept.
    path: Option<PathBuf>,
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
            return (Store { path: None }, Progress::default(), Some(why.to_owned()));
        };
        let read = fs::read_to_string(&path).map_err(|error| (error.kind(), error.to_string()));
        let progress = match read {
            Ok(text) => serde_json::from_str(&text).map_err(|error| error.to_string()),
            Err((ErrorKind::NotFound, _)) => Ok(Progress::default()),
            Err((_, error)) => Err(error),
        };
        match progress {
            Ok(progress) => (Store { path: Some(path) }, progress, None),
            Err(error) => {
                let why = format!(
                    "progress in {} cannot be read, and is not kept this time: {error}; `pidlab learn reset` begins anew",
                    path.display()
                );
                (Store { path: None }, Progress::default(), Some(why))
            }
        }
    }

    /// Keeps progress: a new file takes the place of the old one, so that there is always a whole one.
    ///
    /// # Errors
    /// If the file cannot be written. The old one is as it was.
    pub fn save(&self, progress: &Progress) -> io::Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        let folder = path.parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(folder)?;
        let new = folder.join(format!("learn.json.{}", std::process::id()));
        let text = serde_json::to_string_pretty(progress)?;
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
