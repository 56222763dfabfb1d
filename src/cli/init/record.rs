//! The calls of a PID 1 that does not do a duty: what is recorded, and where it is kept.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use pidlab_certify::{AskError, Asked, Recorded, Recording, Report, Subject, Verdict};
use pidlab_realkernel::{LabOptions, Look};
use pidlab_scenario::Facts;

use super::{Answer, Arguments};
use crate::kernel::Labs;

/// Whether what is not done is recorded.
pub(super) struct Record {
    plays: bool,
    folder: Option<PathBuf>,
    /// What this kernel is like, which is asked when it is first needed.
    facts: OnceLock<Option<Facts>>,
}

impl Record {
    /// Why the logs could not be kept, if they cannot.
    pub(super) fn new(arguments: &Arguments) -> Result<Record, String> {
        let folder = arguments.record.clone();
        if let Some(folder) = &folder {
            fs::create_dir_all(folder).map_err(|error| format!("{} cannot be made: {error}", folder.display()))?;
        }
        let plays = !arguments.no_record && arguments.attach.is_none();
        Ok(Record { plays, folder, facts: OnceLock::new() })
    }

    /// What a second play gives of a duty that is not done.
    pub(super) fn of(&self, subject: &Subject, duty: Asked<'_>, report: &Report) -> Result<Option<Recorded>, AskError> {
        if !self.plays || report.verdict != Verdict::Fails {
            return Ok(None);
        }
        // Only a log that is kept is judged.
        let asked = || {
            Labs::open(1, LabOptions::default().looking(Look::Procfs)).ok()?.kernel().map(|kernel| kernel.facts.clone())
        };
        let facts = self.folder.as_ref().and_then(|_| self.facts.get_or_init(asked).as_ref());
        subject.record(duty, facts).map(Some)
    }

    /// Writes the logs, and says where they are.
    pub(super) fn keep(&self, answer: &Answer) -> Result<Vec<PathBuf>, String> {
        let (Some(folder), Some(Recorded::Played(Recording { logs, .. }))) = (&self.folder, &answer.recorded) else {
            return Ok(Vec::new());
        };
        // Those of a user's own are called as their files are, with the folder.
        let duty = answer.question.asked().name().replace('/', "-");
        let name = |index: usize| match logs.len() {
            1 => format!("{duty}.log"),
            _ => format!("{duty}-{}.log", index + 1),
        };
        let write = |(index, text): (usize, &str)| {
            let file: PathBuf = Path::new(folder).join(name(index));
            match fs::write(&file, text) {
                Ok(()) => Ok(file),
                Err(error) => Err(format!("{} cannot be written: {error}", file.display())),
            }
        };
        logs.iter().map(|log| &*log.text).enumerate().map(write).collect()
    }
}

/// What there is to say of a recording, in a sentence each: how it came out, and where it is kept.
pub(super) fn in_words(answer: &Answer, recording: &Recording) -> Vec<String> {
    let mut said = Vec::new();
    if recording.verdict != answer.report.verdict {
        let how = match recording.verdict {
            Verdict::Holds => "it holds",
            Verdict::NotDecided => "it is not decided",
            _ => "it cannot be asked",
        };
        let seen = if recording.seen.is_empty() { String::new() } else { format!(": {}", recording.seen) };
        said.push(format!("played once more under strace {how}{seen}"));
    }
    let shown = recording.logs.iter().position(|log| log.shown);
    if let Some(log) = shown.and_then(|shown| answer.logs.get(shown)) {
        let others = match answer.logs.len() {
            1 => "",
            _ => ", and others beside it",
        };
        said.push(format!("recorded: {}{others}", log.display()));
    }
    said
}
