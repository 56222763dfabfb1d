//! What of the machine a mistake of this runner could change, watched from outside.
//!
//! A scenario writes limits, and these are its own: of namespaces that it has made. Whether they are is asked of the kernel
//! (`probe`), and again right before a write (`conductor`). Should all of that be wrong one day, on a kernel that nobody has seen
//! yet, then this is the second lock: what a run could have hit is compared before and after it, put back by the guard, and the lab
//! runs nothing any more.
//!
//! The files are opened by the guard before anything is unshared. A file of procfs stands for the namespace of who opened it, so
//! the conductor, which inherits them, sees through them the machine's values and not its own. `ns_last_pid` is not among them: it
//! is each namespace's own wherever it exists, and outside it changes with every fork of the machine.
//!
//! Only a value that the scenario itself writes is put back. Any other change was somebody else's.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;

use pidlab_scenario::{Call, Scenario, Sysctl};

use crate::sys::os;

/// What is watched, and where it is.
const WATCHED: [(Sysctl, &str); 2] =
    [(Sysctl::PidMax, "/proc/sys/kernel/pid_max"), (Sysctl::MaxPidNamespaces, "/proc/sys/user/max_pid_namespaces")];

/// The machine's own limits, open for reading, and a note of what a run is about to write.
pub(crate) struct Outside {
    files: Vec<(Sysctl, File, String)>,
    /// Memory that guard and conductor share: a line for each value that the run at hand may write, with the value before it.
    notes: File,
    /// What the run at hand may write, as it is in the notes.
    noted: Vec<Note>,
}

/// One write that is about to happen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Note {
    watched: usize,
    before: i64,
    written: i64,
}

impl Outside {
    /// Opens what there is to watch. For the guard, before it unshares anything.
    ///
    /// # Errors
    /// Where there is no memory.
    pub(crate) fn open() -> io::Result<Outside> {
        Outside::of(WATCHED.map(|(name, path)| (name, path.to_owned())))
    }

    fn of(watched: impl IntoIterator<Item = (Sysctl, String)>) -> io::Result<Outside> {
        let notes = File::from(os::memory_file(c"pidlab-notes", true)?);
        let open = |(name, path)| Some((name, File::open(&path).ok()?, path));
        Ok(Outside { files: watched.into_iter().filter_map(open).collect(), notes, noted: Vec::new() })
    }

    /// Whether a change of this limit would be noticed.
    pub(crate) fn watches(&self, name: Sysctl) -> bool {
        self.files.iter().any(|(watched, ..)| *watched == name)
    }

    /// Notes what a scenario is about to write. For the conductor.
    ///
    /// # Errors
    /// What could not be read or noted: then the run must not begin.
    pub(crate) fn before(&mut self, scenario: &Scenario) -> Result<(), String> {
        let mut noted = Vec::new();
        for step in &scenario.steps {
            let Call::Sysctl { name, write: Some(written) } = step.call else { continue };
            let files = self.files.iter().enumerate().filter(|(_, (watched, ..))| *watched == name);
            for (watched, (_, file, path)) in files {
                let before = number(file).ok_or_else(|| format!("{path} cannot be read"))?;
                noted.push(Note { watched, before, written });
            }
        }
        if noted != self.noted {
            self.note(&noted).map_err(|error| format!("what a scenario writes cannot be noted: {error}"))?;
            self.noted = noted;
        }
        Ok(())
    }

    fn note(&self, noted: &[Note]) -> io::Result<()> {
        let line = |note: &Note| format!("{} {} {}\n", note.watched, note.before, note.written);
        let text: String = noted.iter().map(line).collect();
        self.notes.set_len(0)?;
        self.notes.write_all_at(text.as_bytes(), 0)
    }

    /// What the run at hand has changed of the machine, in words. For the conductor.
    pub(crate) fn changed(&self) -> Option<String> {
        let hit = self.noted.iter().find(|note| self.is_hit(note))?;
        let (_, _, path) = self.files.get(hit.watched)?;
        Some(format!("a scenario changed {path} of the machine from {} to {}", hit.before, hit.written))
    }

    fn is_hit(&self, note: &Note) -> bool {
        let now = self.files.get(note.watched).and_then(|(_, file, _)| number(file));
        now == Some(note.written) && note.written != note.before
    }

    /// Puts back what a run has changed. For the guard, when the conductor and all below it have ended.
    pub(crate) fn put_back(&self) {
        let length = self.notes.metadata().map_or(0, |notes| notes.len());
        let mut text = vec![0; usize::try_from(length).unwrap_or(0)];
        if self.notes.read_exact_at(&mut text, 0).is_err() {
            return;
        }
        let text = String::from_utf8_lossy(&text);
        for note in text.lines().filter_map(Note::parse).filter(|note| self.is_hit(note)) {
            let Some((_, _, path)) = self.files.get(note.watched) else { continue };
            // Who could change it can change it back.
            let _ = fs::write(path, note.before.to_string());
        }
    }
}

impl Note {
    fn parse(line: &str) -> Option<Note> {
        let mut fields = line.split(' ');
        let watched = fields.next()?.parse().ok()?;
        Some(Note { watched, before: fields.next()?.parse().ok()?, written: fields.next()?.parse().ok()? })
    }
}

/// The number in a file of procfs, as it is now.
fn number(file: &File) -> Option<i64> {
    let mut text = [0; 32];
    let length = os::pread(file.as_fd(), &mut text)?;
    std::str::from_utf8(text.get(..length)?).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file that stands for a limit of the machine, and removes itself.
    struct Limit(String);

    impl Limit {
        fn new(name: &str) -> Limit {
            let limit = Limit(format!("{}/pidlab-{name}-{}", std::env::temp_dir().display(), std::process::id()));
            limit.set(32768);
            limit
        }

        fn set(&self, value: i64) {
            fs::write(&self.0, format!("{value}\n")).expect("the file is ours");
        }

        fn value(&self) -> String {
            fs::read_to_string(&self.0).expect("the file is ours").trim().to_owned()
        }
    }

    impl Drop for Limit {
        fn drop(&mut self) {
            let _ = fs::remove_file(&self.0);
        }
    }

    fn writes(values: &[i64]) -> Scenario {
        let step =
            |value: &i64| format!("{{ by = \"host\", call = \"sysctl\", name = \"pid_max\", write = {value} }},");
        let steps: String = values.iter().map(step).collect();
        let text = format!("title = \"A test\"\nsteps = [{steps} {{ by = \"host\", call = \"getpid\" }}]\n");
        Scenario::parse("test", "test.toml", &text).expect("the scenario is well formed")
    }

    #[test]
    fn what_a_run_hits_is_noticed_and_put_back() {
        let limit = Limit::new("hit");
        let mut outside = Outside::of([(Sysctl::PidMax, limit.0.clone())]).expect("there is memory");
        outside.before(&writes(&[500, 301])).expect("it is read and noted");
        assert_eq!(outside.changed(), None);
        limit.set(301);
        let told = outside.changed().expect("301 is what the scenario writes");
        assert!(told.ends_with("of the machine from 32768 to 301"), "{told}");
        outside.put_back();
        assert_eq!((limit.value(), outside.changed()), ("32768".to_owned(), None));
    }

    #[test]
    fn what_others_change_stays_as_it_is() {
        let limit = Limit::new("others");
        let mut outside = Outside::of([(Sysctl::PidMax, limit.0.clone())]).expect("there is memory");
        outside.before(&writes(&[301])).expect("it is read and noted");
        limit.set(65536);
        assert_eq!(outside.changed(), None);
        // The next run begins with what is there, and has nothing to do with what the last one wrote.
        outside.before(&writes(&[])).expect("there is nothing to note");
        limit.set(301);
        assert_eq!(outside.changed(), None);
        outside.put_back();
        assert_eq!(limit.value(), "301");
    }

    #[test]
    fn what_cannot_be_watched_is_said() {
        let outside = Outside::of([(Sysctl::PidMax, "/proc/self/nothing".to_owned())]).expect("there is memory");
        assert!(!outside.watches(Sysctl::PidMax));
    }
}
