//! A copy of the workspace with the faults in it, built once.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder};
use std::ops::Range;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::plant;
use crate::table::Table;

/// Optimised a little: quick to build, and quick enough to run.
const PROFILE: &str = "try";

/// The copy, in a folder of this user's below the system's temporary one. It stays there, so that the next build is short.
pub(crate) struct Copy {
    folder: PathBuf,
}

impl Copy {
    /// Copies what git knows of the workspace, or would, as it is on disk, and plants all faults. What has not changed is left alone.
    ///
    /// # Errors
    /// In words.
    pub(crate) fn make(table: &Table) -> Result<Copy, String> {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("the workspace is not there any more")?;
        let copy = Copy { folder: private_folder()? };
        let mut files = files_of(source)?;
        files.retain(|file| source.join(file).is_file());
        for file in &files {
            copy.take(table, source, file)?;
        }
        for folder in plant::crates(table) {
            files.insert(format!("{folder}/fault.rs"));
            copy.write(&format!("{folder}/fault.rs"), plant::module(table).as_bytes())?;
        }
        copy.forget_all_but(&files)?;
        Ok(copy)
    }

    fn take(&self, table: &Table, source: &Path, file: &str) -> Result<(), String> {
        let bytes = fs::read(source.join(file)).map_err(|error| format!("{file}: {error}"))?;
        let Ok(text) = String::from_utf8(bytes.clone()) else { return self.write(file, &bytes) };
        let mut text = plant::plant(table, file, &text)?;
        if plant::crates(table).iter().any(|folder| *file == format!("{folder}/lib.rs")) {
            text.push_str("\nmod fault;\n");
        }
        self.write(file, text.as_bytes())
    }

    /// Writes a file unless it says that already: cargo goes by the time of the last change.
    fn write(&self, file: &str, bytes: &[u8]) -> Result<(), String> {
        let path = self.sources().join(file);
        if fs::read(&path).is_ok_and(|known| known == bytes) {
            return Ok(());
        }
        let folder = path.parent().ok_or("a file in no folder")?;
        let written = fs::create_dir_all(folder).and_then(|()| fs::write(&path, bytes));
        written.map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Removes what a workspace before this one had.
    fn forget_all_but(&self, files: &BTreeSet<String>) -> Result<(), String> {
        let sources = self.sources();
        let mut open = vec![sources.clone()];
        while let Some(folder) = open.pop() {
            let entries = fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
            for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
                let known =
                    path.strip_prefix(&sources).ok().and_then(Path::to_str).is_some_and(|path| files.contains(path));
                if path.is_dir() {
                    open.push(path);
                } else if !known {
                    fs::remove_file(&path).map_err(|error| format!("{}: {error}", path.display()))?;
                }
            }
        }
        Ok(())
    }

    fn sources(&self) -> PathBuf {
        self.folder.join("sources")
    }

    /// Builds `pidlab`.
    ///
    /// # Errors
    /// What cargo says.
    pub(crate) fn build(&self) -> Result<PathBuf, String> {
        let done = self.cargo(&["build", "--profile", PROFILE, "--package", "pidlab"]).status();
        match done {
            Ok(status) if status.success() => Ok(self.folder.join("target").join(PROFILE).join("pidlab")),
            Ok(_) => Err(format!("the copy in {} does not build", self.folder.display())),
            Err(error) => Err(format!("cargo: {error}")),
        }
    }

    /// The faults with which the model does not build, by their number: those that the compiler complains of, or that stand before what it complains of.
    ///
    /// # Errors
    /// If it says nothing of a kind that is understood.
    pub(crate) fn faults_that_do_not_build(&self) -> Result<BTreeSet<usize>, String> {
        let mut cargo =
            self.cargo(&["check", "--profile", PROFILE, "--package", "pidlab-sim", "--message-format=json"]);
        let output = cargo.stdout(Stdio::piped()).stderr(Stdio::null()).output();
        let output = output.map_err(|error| format!("cargo: {error}"))?;
        if output.status.success() {
            return Ok(BTreeSet::new());
        }
        let lines = output.stdout.split(|byte| *byte == b'\n');
        let messages = lines.filter_map(|line| serde_json::from_slice::<serde_json::Value>(line).ok());
        let errors = messages.filter(|message| message["message"]["level"] == "error");
        let places = errors.flat_map(|error| pointed_at(&error["message"]));
        // What lies in a library is shown with where it was used.
        let texts = places.filter_map(|(file, part)| Some((fs::read_to_string(self.sources().join(file)).ok()?, part)));
        let faults: BTreeSet<usize> = texts.flat_map(|(text, part)| plant::faults_at(&text, part)).collect();
        if faults.is_empty() {
            Err("the model does not build, and no fault is to blame".to_owned())
        } else {
            Ok(faults)
        }
    }

    /// Builds tests, and answers with the programs, each with the folder that it runs in.
    ///
    /// # Errors
    /// What cargo says.
    pub(crate) fn tests(&self, arguments: &[&str]) -> Result<Vec<(PathBuf, PathBuf)>, String> {
        let mut cargo = self.cargo(&["test", "--no-run", "--message-format=json", "--profile", PROFILE]);
        let output =
            cargo.args(arguments).stdout(Stdio::piped()).output().map_err(|error| format!("cargo: {error}"))?;
        if !output.status.success() {
            return Err(format!("the tests in {} do not build", self.folder.display()));
        }
        let lines = output.stdout.split(|byte| *byte == b'\n');
        let messages = lines.filter_map(|line| serde_json::from_slice::<serde_json::Value>(line).ok());
        let program = |message: serde_json::Value| {
            let program = PathBuf::from(message["executable"].as_str()?);
            let folder = Path::new(message["manifest_path"].as_str()?).parent()?.to_owned();
            message["profile"]["test"].as_bool()?.then_some((program, folder))
        };
        Ok(messages.filter_map(program).collect())
    }

    fn cargo(&self, arguments: &[&str]) -> Command {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(arguments).current_dir(self.sources());
        // What is planted is not written as a person would.
        cargo.env("CARGO_TARGET_DIR", self.folder.join("target")).env("RUSTFLAGS", "--cap-lints=allow");
        cargo
    }
}

/// What an error of the compiler points at: files, and the bytes in them. Of a match that leaves something out the arms are to blame, and the help points at the last
/// one.
fn pointed_at(error: &serde_json::Value) -> Vec<(String, Range<usize>)> {
    let children = error["children"].as_array().map(Vec::as_slice).unwrap_or_default();
    let pointing = if error["code"]["code"] == "E0004" { children } else { std::slice::from_ref(error) };
    let spans = pointing.iter().filter_map(|one| one["spans"].as_array()).flatten();
    let place = |span: &serde_json::Value| {
        let byte = |key| usize::try_from(span[key].as_u64()?).ok();
        Some((span["file_name"].as_str()?.to_owned(), byte("byte_start")?..byte("byte_end")?))
    };
    spans.filter(|span| span["is_primary"] == true).filter_map(place).collect()
}

/// What git knows of the workspace, and what it does not ignore.
fn files_of(source: &Path) -> Result<BTreeSet<String>, String> {
    let mut git = Command::new("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(source);
    let output = git.output().map_err(|error| format!("git: {error}"))?;
    if !output.status.success() {
        return Err(format!("git: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    let names = String::from_utf8(output.stdout).map_err(|_| "a file whose name is no text".to_owned())?;
    Ok(names.split('\0').filter(|name| !name.is_empty()).map(str::to_owned).collect())
}

/// A folder that nobody else can have put there, or can write into.
fn private_folder() -> Result<PathBuf, String> {
    let user = fs::metadata("/proc/self").map_err(|error| format!("/proc/self: {error}"))?.uid();
    let folder = std::env::temp_dir().join(format!("pidlab-faults-{user}"));
    let made = DirBuilder::new().mode(0o700).create(&folder);
    if let Err(error) = made.as_ref()
        && error.kind() != std::io::ErrorKind::AlreadyExists
    {
        return Err(format!("{}: {error}", folder.display()));
    }
    let known = fs::symlink_metadata(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    if !known.is_dir() || known.uid() != user || known.permissions().mode() & 0o077 != 0 {
        return Err(format!("{} is not this user's alone", folder.display()));
    }
    fs::create_dir_all(folder.join("sources")).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::pointed_at;

    #[test]
    fn an_error_points_at_what_is_wrong_and_a_missing_arm_at_the_arms() {
        let span = |file, start, primary| json!({"file_name": file, "byte_start": start, "byte_end": start + 2, "is_primary": primary});
        let children = json!([{"spans": []}, {"spans": [span("arms", 7, true)]}]);
        let spans = json!([span("used", 3, true), span("declared", 5, false)]);
        let error = |code| json!({"code": {"code": code}, "spans": spans, "children": children});
        assert_eq!(pointed_at(&error("E0308")), [("used".to_owned(), 3..5)]);
        assert_eq!(pointed_at(&error("E0004")), [("arms".to_owned(), 7..9)]);
        assert_eq!(pointed_at(&json!({"code": null, "spans": []})), []);
    }
}
