//! What random scenarios have found, kept in a folder: it is run first, the next time.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use pidlab_realkernel::{Priority, RunOptions, Sharing};
use pidlab_scenario::Scenario;

use crate::input::{self, Invalid};

/// A folder with scenarios in which model and kernel differed once.
pub(super) struct Corpus {
    folder: PathBuf,
    /// What was in it at the beginning, in the order of the names.
    cases: Vec<(PathBuf, Scenario)>,
}

/// A run of a scenario of the corpus.
pub(super) struct Kept<'c> {
    pub(super) scenario: &'c Scenario,
    pub(super) file: &'c Path,
    pub(super) options: RunOptions,
}

impl Corpus {
    /// The folder, which is made if it is not there.
    ///
    /// # Errors
    /// If it cannot be made, or something in it cannot be read, or is no scenario.
    pub(super) fn open(folder: &Path) -> Result<Corpus, Invalid> {
        fs::create_dir_all(folder).map_err(|error| Invalid::unreadable(folder, error))?;
        let (files, closed) = input::files_below(folder).map_err(|error| Invalid::unreadable(folder, error))?;
        if let Some(closed) = closed.into_iter().next() {
            return Err(closed);
        }
        let cases = files.into_iter().map(|file| input::of_file(&file).map(|source| (file, source.scenario)));
        Ok(Corpus { folder: folder.to_owned(), cases: cases.collect::<Result<_, _>>()? })
    }

    /// The ways in which each runs: what differs only among processes with a memory of their own, or only without real-time priorities, is not known by
    /// the text.
    const WAYS: [(Sharing, Priority); 4] = [
        (Sharing::Auto, Priority::Auto),
        (Sharing::Own, Priority::Auto),
        (Sharing::Auto, Priority::Ordinary),
        (Sharing::Own, Priority::Ordinary),
    ];

    /// How many runs they take.
    pub(super) fn runs(&self) -> usize {
        Corpus::WAYS.len() * self.cases.len()
    }

    /// How many scenarios were in it.
    pub(super) fn len(&self) -> usize {
        self.cases.len()
    }

    /// One of these runs.
    pub(super) fn run(&self, index: usize) -> Option<Kept<'_>> {
        let (sharing, priority) = Corpus::WAYS[index % Corpus::WAYS.len()];
        let options = RunOptions::from(sharing).with_priority(priority);
        self.cases.get(index / Corpus::WAYS.len()).map(|(file, scenario)| Kept { scenario, file, options })
    }

    /// Keeps a scenario, unless one with the same steps was there: in a file that is called after its seed and number, whole or not at all.
    /// Returns the file.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(super) fn keep(&self, scenario: &Scenario) -> io::Result<PathBuf> {
        if let Some((file, _)) = self.cases.iter().find(|(_, case)| case.steps == scenario.steps) {
            return Ok(file.clone());
        }
        let stem = scenario.name.rsplit('/').next().unwrap_or("found");
        let text = scenario.to_toml();
        let mut number = 1;
        loop {
            let name = if number == 1 { format!("{stem}.toml") } else { format!("{stem}-{number}.toml") };
            let path = self.folder.join(name);
            match fs::read_to_string(&path) {
                Ok(there) if there == text => return Ok(path),
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
                    io::Write::write_all(&mut file, text.as_bytes())?;
                    match file.persist_noclobber(&path) {
                        Ok(_) => return Ok(path),
                        Err(taken) if taken.error.kind() == ErrorKind::AlreadyExists => {}
                        Err(why) => return Err(why.error),
                    }
                }
                // Another seed's, with another length; or it is none of ours.
                Ok(_) | Err(_) => number += 1,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What differs with a memory of their own, only, is found again, and so is what differs without; and with ordinary priorities.
    #[test]
    fn each_scenario_runs_in_each_way() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        for name in ["one.toml", "other.toml"] {
            fs::write(folder.path().join(name), "title = \"One\"\nsteps = [{ by = \"host\", call = \"getpid\" }]\n")?;
        }
        let corpus = Corpus::open(folder.path()).map_err(|invalid| format!("{invalid:?}"))?;
        assert_eq!((corpus.len(), corpus.runs()), (2, 8));
        for case in &corpus.cases {
            let ways: Vec<(Sharing, Priority)> = (0..corpus.runs())
                .filter_map(|index| corpus.run(index))
                .filter(|kept| kept.file == case.0)
                .map(|kept| (kept.options.sharing, kept.options.priority))
                .collect();
            let [memory, time] = [[Sharing::Auto, Sharing::Own], [Sharing::Auto, Sharing::Own]];
            let all = memory.map(|sharing| (sharing, Priority::Auto)).into_iter();
            let all = all.chain(time.map(|sharing| (sharing, Priority::Ordinary)));
            assert_eq!(ways, all.collect::<Vec<_>>());
        }
        assert!(corpus.run(corpus.runs()).is_none());
        Ok(())
    }
}
