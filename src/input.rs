//! Finding and reading scenarios: from paths, or from the library inside the program.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use pidlab_scenario::{Diagnostics, Scenario, library, nearest};

use crate::compare;

/// A scenario with the text that it came from, for messages that point into it.
pub(crate) struct Source {
    /// What the user sees as its place.
    pub(crate) path: String,
    /// The file's text.
    pub(crate) text: String,
    /// Its meaning.
    pub(crate) scenario: Scenario,
    /// Whether it is in the library inside the program, and not a file that can be written.
    pub(crate) built_in: bool,
}

/// What is wrong with the input: nothing is run then.
pub(crate) enum BadInput {
    /// A path cannot be read, or holds no scenario.
    Path(PathBuf, String),
    /// A file is not a scenario.
    Scenario(Diagnostics),
}

/// Every scenario below these paths, in the order given; without paths the library.
///
/// # Errors
/// Everything that is wrong, so that a user can mend it in one go.
pub(crate) fn sources(paths: &[PathBuf]) -> Result<Vec<Source>, Vec<BadInput>> {
    let mut sources = Vec::new();
    let mut bad = Vec::new();
    let mut add = |name: &str, path: &str, text: &str, built_in| match source(name, path, text) {
        Ok(source) => sources.push(Source { built_in, ..source }),
        Err(wrong) => bad.push(wrong),
    };
    if paths.is_empty() {
        for file in library::files() {
            add(&file.name, &file.path, file.text, true);
        }
    }
    let mut unreadable = Vec::new();
    for path in paths {
        match files_below(path) {
            Ok(files) if files.is_empty() => {
                unreadable.push(BadInput::Path(path.clone(), "there is no scenario (`.toml`) in it".to_owned()));
            }
            Ok(files) => {
                for file in files {
                    match fs::read_to_string(&file) {
                        Ok(text) => add(&scenario_name(&file), &file.display().to_string(), &text, false),
                        Err(error) => unreadable.push(BadInput::Path(file, error.to_string())),
                    }
                }
            }
            Err(error) => match library_file(path) {
                Some(file) => add(&file.name, &file.path, file.text, true),
                None => unreadable.push(BadInput::Path(path.clone(), format!("{error}{}", library_hint(path)))),
            },
        }
    }
    bad.extend(unreadable);
    if bad.is_empty() { Ok(sources) } else { Err(bad) }
}

/// The scenario that a text is.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn source(name: &str, path: &str, text: &str) -> Result<Source, BadInput> {
    let scenario = Scenario::parse(name, path, text).map_err(BadInput::Scenario)?;
    let unknown = compare::unknown_rules(&scenario);
    if unknown.is_empty() {
        Ok(Source { path: path.to_owned(), text: text.to_owned(), scenario, built_in: false })
    } else {
        Err(BadInput::Scenario(Diagnostics::unknown_rules(path, text, &unknown, &|id| nearest_rule(id))))
    }
}

/// The rule whose id a mistyped one most likely means.
fn nearest_rule(id: &str) -> Option<String> {
    nearest(id, pidlab_sim::rule::CATALOGUE.iter().map(|rule| rule.id)).map(str::to_owned)
}

/// A name of the library where a path was asked for: `orphans/adopted-by-own-init`.
fn library_file(path: &Path) -> Option<library::LibraryFile> {
    let name = path.to_str()?;
    // The place of a library file in the source tree, as messages give it, is a name of it everywhere.
    let name = name.strip_prefix("scenarios/library/").unwrap_or(name);
    library::find(name.strip_suffix(".toml").unwrap_or(name))
}

/// What to say to somebody who may have mistyped a name of the library.
fn library_hint(path: &Path) -> String {
    let names: Vec<String> = library::files().map(|file| file.name).collect();
    let meant = path.to_str().and_then(|typed| nearest(typed, names.iter().map(String::as_str)));
    meant.map(|name| format!("\nhelp: the library has `{name}`")).unwrap_or_default()
}

/// The scenario files of a folder and the folders in it, sorted; a file stands for itself.
fn files_below(path: &Path) -> io::Result<Vec<PathBuf>> {
    if !fs::metadata(path)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    let mut open = vec![path.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            let path = entry.path();
            if kind.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "toml")
                && path.file_name().is_some_and(|name| name != "Cargo.toml")
            {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The last folder and the file's stem: `orphans/adopted-by-own-init`.
fn scenario_name(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    match path.parent().and_then(Path::file_name) {
        Some(folder) => format!("{}/{stem}", folder.to_string_lossy()),
        None => stem,
    }
}
