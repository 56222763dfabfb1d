//! `--kernel`: the same command inside another kernel.
//!
//! The program boots that kernel with itself in it, and what it writes there comes out here. Files that the command reads are taken along
//! under their paths, and those that it writes are brought back.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anstream::{AutoStream, ColorChoice};
use pidlab_kernels::{Bounds, Ending, Event, Kernel, Order};

use super::{End, Out};
use crate::input;

/// In which kernel a command runs.
#[derive(clap::Args)]
pub(super) struct Elsewhere {
    /// Run inside another kernel: a name that `pidlab kernels` lists, or the path of a bzImage or of a user-mode Linux.
    #[arg(long = "kernel", value_name = "NAME|PATH")]
    kernel: Option<String>,
}

/// What a command reads and writes.
#[derive(Default)]
pub(super) struct Files {
    /// Files and folders with scenarios, or other words.
    pub(super) words: Vec<OsString>,
    /// A file that it may write.
    pub(super) written: Option<PathBuf>,
    /// What else the guest is given, under these paths.
    pub(super) more: Vec<(PathBuf, Vec<u8>)>,
}

/// The variable that tells the program in a guest what its kernel was called.
const VARIABLE: &str = "PIDLAB_KERNEL";

/// The option that is needed to be asked for the same kernel again, with a space before it.
pub(super) fn again() -> String {
    std::env::var(VARIABLE).map(|name| format!(" --kernel {name}")).unwrap_or_default()
}

/// The same variable, for a guest with this kernel.
pub(super) fn named(kernel: &str) -> (String, String) {
    (VARIABLE.to_owned(), kernel.to_owned())
}

/// Whether this is such a guest.
pub(super) fn is_guest() -> bool {
    std::env::var_os(VARIABLE).is_some()
}

impl Elsewhere {
    /// Whether there is another kernel to be.
    pub(super) fn is_wanted(&self) -> bool {
        self.kernel.is_some()
    }

    /// Runs the command in the other kernel, if there is one to be.
    pub(super) fn enter(&self, out: &mut Out, files: &Files) -> Option<io::Result<End>> {
        let word = self.kernel.as_ref()?;
        Some(match pidlab_kernels::find(word) {
            Ok(kernel) => enter(out, &kernel, word, files),
            Err(why) => {
                eprintln!("error: {why}");
                Ok(End::BadInput)
            }
        })
    }
}

fn enter(out: &mut Out, kernel: &Kernel, word: &str, files: &Files) -> io::Result<End> {
    let folder = std::env::current_dir()?;
    let colour = match AutoStream::choice(&io::stdout()) {
        ColorChoice::Never => ("NO_COLOR", "1"),
        _ => ("CLICOLOR_FORCE", "1"),
    };
    let given: Result<Vec<String>, OsString> = std::env::args_os().skip(1).map(OsString::into_string).collect();
    let given = match given {
        Ok(given) => given,
        Err(word) => {
            eprintln!("error: {}: with --kernel, every word has to be text", word.display());
            return Ok(End::BadInput);
        }
    };
    let order = Order {
        arguments: arguments(given.into_iter()),
        variables: vec![(colour.0.to_owned(), colour.1.to_owned()), named(word)],
        bring: files.written.iter().map(|path| folder.join(path)).collect(),
        folder: folder.clone(),
    };
    let input = match files.words.iter().any(|word| word == "-") {
        true => Some(input::bytes_of_standard_input()?),
        false => None,
    };
    let mut taken = taken(&folder, &files.words);
    taken.extend(files.more.iter().cloned());
    let mut written = Ok(());
    let past = pidlab_kernels::run(kernel, order, input.as_deref(), &taken, Bounds::here(), |event| {
        let done = match event {
            Event::Out(line) => writeln!(out, "{line}").and_then(|()| out.flush()),
            Event::Err(line) => {
                eprintln!("{line}");
                Ok(())
            }
            Event::File(path, text) => fs::write(path, text),
        };
        if written.is_ok() {
            written = done;
        }
    })?;
    written.map(|()| end(kernel, &past.ending))
}

/// How a command ends whose guest ended so.
pub(super) fn end(kernel: &Kernel, ending: &Ending) -> End {
    let name = &kernel.name;
    match ending {
        Ending::Ended(code) => match End::of_code(*code) {
            Some(end) => return end,
            None => eprintln!("error: {name}: the program in the guest ended with {code}"),
        },
        Ending::Unavailable(reason, remedy) => {
            eprintln!("error: {name}: {reason}\nremedy: {remedy}");
            return End::NoKernel;
        }
        Ending::Cut(why, console) => {
            eprintln!("error: {name}: the guest {why}; nothing is known of what was to run in it");
            if !console.is_empty() {
                eprintln!("the last lines of its console:");
            }
            console.iter().for_each(|line| eprintln!("  {line}"));
        }
    }
    End::NotDecided
}

/// The command line without `--kernel`.
fn arguments(given: impl Iterator<Item = String>) -> Vec<String> {
    let (mut kept, mut given) = (Vec::new(), given);
    while let Some(argument) = given.next() {
        match argument.as_str() {
            "--" => {
                kept.push(argument);
                kept.extend(given);
                return kept;
            }
            "--kernel" => drop(given.next()),
            with_value if with_value.starts_with("--kernel=") => {}
            _ => kept.push(argument),
        }
    }
    kept
}

/// The scenario files that these words name, with their paths. What cannot be read is missed in the guest, and told of there.
fn taken(folder: &Path, words: &[OsString]) -> Vec<(PathBuf, Vec<u8>)> {
    let found = words.iter().filter_map(|word| input::files_below(Path::new(word)).ok());
    let files = found.flat_map(|(files, _)| files);
    files.filter_map(|file| Some((folder.join(&file), input::bytes_of_file(&file)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::arguments;

    #[test]
    fn the_command_goes_on_without_the_kernel() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let kept = |text| arguments(words(text).into_iter());
        assert_eq!(kept("check --kernel x orphans -q"), words("check orphans -q"));
        assert_eq!(kept("check --kernel=x orphans"), words("check orphans"));
        assert_eq!(kept("run -- --kernel x"), words("run -- --kernel x"));
    }
}
