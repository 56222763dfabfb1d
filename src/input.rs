//! Reading scenarios: from files, from standard input, or from the library inside the program.
//!
//! Nothing that a folder may hold makes a reader wait or run out of memory: only regular files are opened, and read up to the size that a
//! scenario may have.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use pidlab_scenario::{Diagnostics, MOST_BYTES, Scenario, library, nearest, one_line};

use crate::compare;

/// A scenario with the text that it came from, for messages that point into it.
pub(crate) struct Source {
    /// What the user sees as its place.
    pub(crate) path: String,
    /// What names it on a command line.
    pub(crate) word: String,
    /// The file's text.
    pub(crate) text: String,
    /// Its meaning.
    pub(crate) scenario: Scenario,
    /// Whether it is in the library inside the program, and not a file that can be written.
    pub(crate) built_in: bool,
}

/// What cannot be run: a file that is no scenario, or that cannot be read, or a folder that cannot.
#[derive(Debug)]
pub(crate) struct Invalid {
    /// What it would be called.
    pub(crate) name: String,
    /// What the user sees as its place.
    pub(crate) path: String,
    why: Why,
}

#[derive(Debug)]
enum Why {
    Unreadable(String),
    NoScenario(Diagnostics),
}

impl Invalid {
    pub(crate) fn unreadable(path: &Path, why: impl ToString) -> Invalid {
        Invalid { name: scenario_name(path), path: path.display().to_string(), why: Why::Unreadable(why.to_string()) }
    }

    /// What is wrong with it, as a user is told, with ANSI colours or without.
    pub(crate) fn message(&self, colour: bool) -> String {
        match &self.why {
            Why::Unreadable(why) => format!("error: {}: {why}", one_line(&self.path)),
            Why::NoScenario(diagnostics) => diagnostics.render(colour),
        }
    }
}

/// The scenario of a file's text. `name` is what it is called, `path` what the user knows the file by.
///
/// # Errors
/// What is wrong with the text; also a rule that does not exist.
pub(crate) fn of_text(name: &str, path: &str, text: &str) -> Result<Source, Invalid> {
    let invalid =
        |diagnostics| Invalid { name: name.to_owned(), path: path.to_owned(), why: Why::NoScenario(diagnostics) };
    let scenario = Scenario::parse(name, path, text).map_err(invalid)?;
    let unknown = compare::unknown_rules(&scenario);
    if unknown.is_empty() {
        Ok(Source { path: path.to_owned(), word: path.to_owned(), text: text.to_owned(), scenario, built_in: false })
    } else {
        Err(invalid(Diagnostics::unknown_rules(path, text, &unknown, &|id| nearest_rule(id))))
    }
}

/// The rule whose id a mistyped one most likely means.
fn nearest_rule(id: &str) -> Option<String> {
    nearest(id, pidlab_sim::rule::CATALOGUE.iter().map(|rule| rule.id)).map(str::to_owned)
}

/// A file of the library.
pub(crate) fn of_library(file: &library::LibraryFile) -> Result<Source, Invalid> {
    let source = of_text(&file.name, &file.path, file.text)?;
    Ok(Source { word: file.name.clone(), built_in: true, ..source })
}

/// The scenario in a file.
///
/// # Errors
/// If it cannot be read, is no regular file, is too large, no text, or no scenario.
pub(crate) fn of_file(path: &Path) -> Result<Source, Invalid> {
    let mut file = open(path).map_err(|why| Invalid::unreadable(path, why))?;
    let bytes = read_limited(&mut file).map_err(|error| Invalid::unreadable(path, error))?;
    of_bytes(&scenario_name(path), &path.display().to_string(), &bytes)
}

/// The scenario on standard input, which may be anything that can be read.
///
/// # Errors
/// As [`of_file`].
pub(crate) fn of_standard_input() -> Result<Source, Invalid> {
    let bytes = read_limited(&mut io::stdin().lock()).map_err(|error| Invalid {
        name: STANDARD_INPUT.to_owned(),
        path: "-".to_owned(),
        why: Why::Unreadable(error.to_string()),
    })?;
    of_bytes(STANDARD_INPUT, "-", &bytes)
}

/// What a scenario is called that came in by standard input.
const STANDARD_INPUT: &str = "standard-input";

/// What is in a file that may hold a scenario, as far as tells that it is too much; nothing if it cannot be read, or is no regular file.
pub(crate) fn bytes_of_file(path: &Path) -> Option<Vec<u8>> {
    read_limited(&mut open(path).ok()?).ok()
}

/// The same of standard input, which may be anything that can be read.
pub(crate) fn bytes_of_standard_input() -> io::Result<Vec<u8>> {
    read_limited(&mut io::stdin().lock())
}

/// The text of a file that holds no scenario, or of standard input where that is named `-`.
///
/// # Errors
/// As [`of_file`], but for what a scenario is.
pub(crate) fn text_of(path: &Path) -> Result<String, Invalid> {
    let unreadable = |error: io::Error| Invalid::unreadable(path, error);
    let bytes = match path.as_os_str() == "-" {
        true => bytes_of_standard_input().map_err(unreadable)?,
        false => {
            let mut file = open(path).map_err(|why| Invalid::unreadable(path, why))?;
            read_limited(&mut file).map_err(unreadable)?
        }
    };
    let shown = path.display().to_string();
    let invalid = |diagnostics| Invalid { name: shown.clone(), path: shown.clone(), why: Why::NoScenario(diagnostics) };
    if bytes.len() > MOST_BYTES {
        return Err(invalid(Diagnostics::too_large(&shown)));
    }
    String::from_utf8(bytes).map_err(|error| {
        let (bytes, error) = (error.as_bytes().to_owned(), error.utf8_error());
        invalid(Diagnostics::not_utf8(&shown, &bytes, error))
    })
}

fn of_bytes(name: &str, path: &str, bytes: &[u8]) -> Result<Source, Invalid> {
    let invalid =
        |diagnostics| Invalid { name: name.to_owned(), path: path.to_owned(), why: Why::NoScenario(diagnostics) };
    if bytes.len() > MOST_BYTES {
        return Err(invalid(Diagnostics::too_large(path)));
    }
    let text = str::from_utf8(bytes).map_err(|error| invalid(Diagnostics::not_utf8(path, bytes, error)))?;
    of_text(name, path, text)
}

/// Reads no more than tells that it is too much.
fn read_limited(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(MOST_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Opens a regular file. A FIFO would be waited for and a device may do anything when it is opened, so they are not; what the file has become
/// between the two looks is looked at again.
fn open(path: &Path) -> Result<File, String> {
    let said = |error: io::Error| error.to_string();
    regular(&fs::metadata(path).map_err(said)?)?;
    let mut options = fs::OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK);
    let file = options.open(path).map_err(said)?;
    regular(&file.metadata().map_err(said)?)?;
    Ok(file)
}

fn regular(metadata: &Metadata) -> Result<(), String> {
    if metadata.is_file() {
        return Ok(());
    }
    Err(format!("this is {}, and no file with a scenario\nhelp: `-` reads standard input", kind(metadata)))
}

/// What something is that is no regular file.
fn kind(metadata: &Metadata) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        let kind = metadata.file_type();
        if kind.is_fifo() {
            return "a FIFO";
        } else if kind.is_socket() {
            return "a socket";
        } else if kind.is_char_device() || kind.is_block_device() {
            return "a device";
        }
    }
    if metadata.is_dir() { "a folder" } else { "something else" }
}

/// The scenario files of a folder and the folders in it, sorted, and what could not be looked into; a file stands for itself. What a
/// symbolic link in a folder leads to is not followed, unless it is a file.
///
/// # Errors
/// If there is nothing with this path.
pub(crate) fn files_below(path: &Path) -> io::Result<(Vec<PathBuf>, Vec<Invalid>)> {
    if !fs::metadata(path)?.is_dir() {
        return Ok((vec![path.to_owned()], Vec::new()));
    }
    let (mut found, mut closed) = (Vec::new(), Vec::new());
    let mut open = vec![path.to_owned()];
    while let Some(folder) = open.pop() {
        if let Err(error) = look_into(&folder, &mut found, &mut open) {
            closed.push(Invalid::unreadable(&folder, error));
        }
    }
    found.sort();
    Ok((found, closed))
}

/// Adds a folder's scenario files and its folders.
fn look_into(folder: &Path, files: &mut Vec<PathBuf>, folders: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            folders.push(path);
        } else if path.extension().is_some_and(|extension| extension == "toml")
            && path.file_name().is_some_and(|name| name != "Cargo.toml")
        {
            files.push(path);
        }
    }
    Ok(())
}

/// The last folder and the file's stem: `orphans/adopted-by-own-init`.
fn scenario_name(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    match path.parent().and_then(Path::file_name) {
        Some(folder) => format!("{}/{stem}", folder.to_string_lossy()),
        None => stem,
    }
}

#[cfg(test)]
mod tests {
    use super::{Read, of_bytes, read_limited};
    use pidlab_scenario::MOST_BYTES;

    #[test]
    fn no_more_is_read_than_tells_that_it_is_too_much() {
        let mut endless = std::io::repeat(b'x');
        let bytes = read_limited(&mut endless).expect("it can be read");
        assert_eq!(bytes.len(), MOST_BYTES + 1);
        let Err(invalid) = of_bytes("x", "x.toml", &bytes) else { panic!("it is accepted") };
        assert!(invalid.message(false).contains("larger than 1048576 bytes"), "{}", invalid.message(false));
        let mut small = (&b"title"[..]).chain(std::io::empty());
        assert_eq!(read_limited(&mut small).expect("it can be read"), b"title");
    }

    #[test]
    fn what_is_no_text_is_shown_with_its_place() {
        let Err(invalid) = of_bytes("x", "x.toml", b"title = \"a\"\nabout = \"\xc3\xa9 \xff\"\n") else {
            panic!("it is accepted")
        };
        let message = invalid.message(false);
        assert!(message.contains("the file is not UTF-8: byte 25 is 0xff"), "{message}");
        assert!(message.contains("x.toml:2:12"), "{message}");
    }
}
