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
    // One asks for who is outside the log, and one was recorded by another user, which is only in what `pidlab record` writes.
    all.retain(|(name, _)| name != "setsid" && name != "nobody");
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
    let of = |time: &str| Log::merged(&[(41, file("12:00:00.1 ")), (42, file(time))]);
    for time in ["", "12:00:00 ", "     0.000123 ", "    10.000123 ", "+0.000123 "] {
        let came = of(time);
        assert!(matches!(came, Err((42, Unreadable { line: 1, why: Fault::NoTimes, .. }))), "{time}: {came:?}");
    }
    let whole = of("42 12:00:00.1 ");
    assert!(matches!(whole, Err((42, Unreadable { line: 1, why: Fault::Whole, .. }))), "{whole:?}");
    let with_remarks = [(41, format!("strace: Process 41 attached\n\n# mine\n{}", file("12:00:00.1 ")))];
    assert_eq!(Log::merged(&with_remarks).map(|text| text.lines().count()), Ok(2));
}

/// A signal may have been taken any time after the line before: here before the second was sent, which would have been lost otherwise.
#[test]
fn a_signal_may_be_taken_before_its_line() {
    let signal = "41 --- SIGUSR1 {si_signo=SIGUSR1, si_code=SI_USER, si_pid=42, si_uid=0} ---";
    let lines = [
        "41 rt_sigaction(SIGUSR1, {sa_handler=0x401000, sa_mask=[], sa_flags=SA_RESTORER, sa_restorer=0x7f0000000000}, NULL, 8) = 0",
        "41 fork() = 42",
        "41 pause() = ? ERESTARTNOHAND (To be restarted if no handler)",
        "42 kill(41, SIGUSR1) = 0",
        "42 kill(41, SIGUSR1) = 0",
        "42 getpid() = 42",
        signal,
        "41 rt_sigreturn({mask=[]}) = -1 EINTR (Interrupted system call)",
        signal,
        "41 rt_sigreturn({mask=[]}) = 0",
        "42 exit_group(0) = ?",
        "42 +++ exited with 0 +++",
        "41 --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=42, si_uid=0, si_status=0} ---",
        "41 exit_group(0) = ?",
        "41 +++ exited with 0 +++",
    ];
    let timed = |(number, line): (usize, &str)| line.replacen(' ', &format!(" 1700000000.{number:06} "), 1) + "\n";
    let found = finding(&lines.into_iter().enumerate().map(timed).collect::<String>(), &options());
    assert!(matches!(found, Ok(Finding::Accepted)), "{found:?}");
}

/// Lines that were never apart are in order, whatever times they have; where they may have been, only times tell.
#[test]
fn times_of_a_log_of_its_own_are_no_mistake() {
    let log = |time: &str| {
        let lines = [
            "41 fork() = 42",
            "42 exit_group(0) = ?",
            "42 +++ exited with 0 +++",
            "41 exit_group(0) = ?",
            "41 +++ exited with 0 +++",
        ];
        let sigchld = "41 --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=42, si_uid=0, si_status=0} ---";
        let lines = lines[..3].iter().chain([&sigchld]).chain(&lines[3..]);
        lines.map(|line| line.replacen(' ', &format!(" {time}"), 1) + "\n").collect::<String>()
    };
    for time in ["", "     0.000123 ", "    10.000123 ", "+0.000123 ", "12:00:00.123456 "] {
        let found = finding(&log(time), &options());
        assert!(matches!(found, Ok(Finding::Accepted)), "{time}: {found:?}");
    }
    let found = finding(&log("12:00:00 "), &options());
    assert!(matches!(found, Err(Unreadable { line: 1, why: Fault::NoTimes, .. })), "{found:?}");
}
