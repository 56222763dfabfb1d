//! Recordings with a file for each process, as `strace -ff -ttt` makes them: what is known of a call is when it began.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use pidlab_judge::{Fault, Finding, Log, Options, Unreadable, judge};

mod alter;

/// Each kept recording as it would be in files, and its name.
fn recordings() -> Vec<(String, Vec<(u32, String)>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings");
    let mut all: Vec<(String, String)> = fs::read_dir(folder)
        .expect("recordings are kept")
        .map(|entry| entry.expect("it can be read").path())
        .map(|path| {
            let name = path.file_stem().expect("a log has a name").to_string_lossy().into_owned();
            (name, fs::read_to_string(path).expect("a log is text"))
        })
        .collect();
    // One asks for who is outside the log, which is only in what `pidlab record` writes.
    all.retain(|(name, _)| name != "setsid");
    all.sort();
    all.into_iter().map(|(name, text)| (name, files(&text))).collect()
}

/// A log of `strace -f` as files, each line with the time at which its call began.
fn files(text: &str) -> Vec<(u32, String)> {
    let mut files: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.starts_with('#')) {
        let (pid, rest) = line.split_once(' ').expect("a number stands first");
        let of_it = files.entry(pid.parse().expect("it is a number")).or_default();
        let rest = rest.trim_start();
        match rest.strip_prefix("<... ").and_then(|resumed| resumed.split_once(" resumed>")) {
            Some((_, rest)) => {
                let begun = of_it.last_mut().expect("it has begun");
                *begun = begun.strip_suffix(" <unfinished ...>").expect("it is unfinished").to_owned() + rest;
            }
            None => of_it.push(format!("1700000000.{number:06} {rest}")),
        }
    }
    files.into_iter().map(|(pid, lines)| (pid, lines.join("\n") + "\n")).collect()
}

fn finding(text: &str, options: &Options) -> Result<Finding, Unreadable> {
    Ok(judge(&Log::read(text, false)?, options)?.finding)
}

/// Beyond, a log is not decided. Where programs with many threads are recorded like this there are too many orders to try them all.
const MOST_WORLDS: usize = 20_000;

fn options() -> Options {
    let mut options = Options::default();
    options.most_worlds = MOST_WORLDS;
    options
}

#[test]
fn files_of_processes_are_put_together_and_accepted() {
    for (name, files) in recordings() {
        let text = Log::merged(&files).unwrap_or_else(|(pid, why)| panic!("{name}, {pid}: {why}"));
        let found = finding(&text, &options()).unwrap_or_else(|why| panic!("{name}: {why}"));
        match found {
            Finding::Accepted => {}
            Finding::NotDecided { .. } if name.starts_with("runc") => {}
            found => panic!("{name}: {found:#?}"),
        }
    }
}

#[test]
fn altered_answers_are_refuted_though_less_is_known() {
    let (mut refuted, mut missed) = (0, Vec::new());
    for (name, files) in recordings().into_iter().filter(|(name, _)| !name.starts_with("runc")) {
        let text = Log::merged(&files).unwrap_or_else(|(pid, why)| panic!("{name}, {pid}: {why}"));
        for (what, text) in alter::some(&text, &name) {
            match finding(&text, &options()) {
                Ok(Finding::Refuted(_)) => refuted += 1,
                came => missed.push(format!("{name}: {what}: {came:?}")),
            }
        }
    }
    assert!(missed.is_empty(), "{} of {refuted}:\n{}", missed.len(), missed.join("\n"));
    assert!(refuted >= 300, "{refuted} refuted");
}

#[test]
fn times_have_to_tell_which_was_first() {
    let file = |time: &str| format!("{time}exit_group(0) = ?\n{time}+++ exited with 0 +++\n");
    for time in ["", "12:00:00 ", "1700000000 ", "     0.000123 ", "+0.000123 "] {
        let came = Log::merged(&[(41, file("12:00:00.1 ")), (42, file(time))]);
        assert!(matches!(came, Err((42, Unreadable { line: 1, .. }))), "{time}: {came:?}");
    }
    let text = "41 12:00:00 fork() = 42\n42 12:00:00 exit_group(0) = ?\n42 12:00:00 +++ exited with 0 +++\n\
                41 12:00:00 exit_group(0) = ?\n41 12:00:00 +++ exited with 0 +++\n";
    let came = Log::read(text, false).map(drop);
    assert!(matches!(came, Err(Unreadable { line: 1, why: Fault::NoTimes, .. })), "{came:?}");
}
