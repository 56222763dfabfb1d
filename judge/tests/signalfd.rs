//! What is read from a signalfd: recordings of real programs are accepted, and another signal, sender or status is not.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use pidlab_judge::{Finding, Log, Options, Verdict, judge};

/// Python with one that does not wait, a C program that sleeps in read, and catatonit as PID 1.
const RECORDINGS: [&str; 3] = ["python", "c", "catatonit"];

fn recording(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/signalfd").join(format!("{name}.log"));
    fs::read_to_string(path).expect("it is kept")
}

fn judged(text: &str) -> Verdict {
    judge(&Log::read(text, false).expect("it is a log"), &Options::default()).expect("it is whole")
}

#[test]
fn what_is_read_is_judged_and_accepted() {
    for name in RECORDINGS {
        let verdict = judged(&recording(name));
        assert!(matches!(verdict.finding, Finding::Accepted), "{name}: {verdict:#?}");
        assert!(!verdict.not_judged.iter().any(|(call, _)| call.contains("signalfd")), "{name}: {verdict:#?}");
    }
    // Fewer bytes, as a strace that was not told of `-s` shows them: the signal, its code and its sender are among them.
    for name in RECORDINGS {
        let short: Vec<String> = recording(name).lines().map(cut).collect();
        let text = short.join("\n") + "\n";
        let verdict = judged(&text);
        assert!(matches!(verdict.finding, Finding::Accepted), "{name}: {verdict:#?}");
    }
}

/// A line whose string ends after its twentieth letter.
fn cut(line: &str) -> String {
    let Some((before, rest)) = line.split_once(", \"\\").or_else(|| line.split_once(" resumed>\"\\")) else {
        return line.to_owned();
    };
    let between = &line[before.len()..line.len() - rest.len()];
    match rest.find('"') {
        Some(end) if line.contains("read") => {
            let shown = &rest[..rest.match_indices("\\").nth(15).map_or(end, |(at, _)| at)];
            format!("{before}{between}{shown}\"...{}", &rest[end + 1..])
        }
        _ => line.to_owned(),
    }
}

/// The lines in which a read of a signalfd begins or comes back: other files are read, too.
fn reads_of_signalfds(lines: &[&str]) -> BTreeSet<usize> {
    let (mut found, mut asleep) = (BTreeSet::new(), BTreeSet::new());
    for (at, line) in lines.iter().enumerate() {
        let Some((pid, call)) = line.split_once(' ') else { continue };
        let begins = call.starts_with("read(3<anon_inode:[signalfd]>");
        let is_back = call.starts_with("<... read resumed>") && asleep.remove(pid);
        if begins || is_back {
            found.insert(at);
        }
        if begins && call.ends_with("<unfinished ...>") {
            asleep.insert(pid);
        }
    }
    found
}

/// Every other signal, sender or status that a line could have.
fn alterations(line: &str) -> Vec<String> {
    let mut all = Vec::new();
    // SIGTERM and SIGUSR1, as SIGUSR2. What says a child's end and is no SIGCHLD is not judged.
    for begin in ["\"\\17\\0\\0\\0", "\"\\n\\0\\0\\0"] {
        if line.contains(begin) {
            all.push(line.replace(begin, "\"\\f\\0\\0\\0"));
        }
    }
    // A sender of another number.
    for (from, to) in [("M\\0\\0\\0", "L\\0\\0\\0"), ("\\0\\0\\2\\0\\0\\0\\0\\0\\0", "\\0\\0\\5\\0\\0\\0\\0\\0\\0")] {
        all.push(line.replacen(from, to, 1));
    }
    // The status stands at byte 40.
    for (from, to) in [("\\3\\0\\0", "\\4\\0\\0"), ("\\4\\0\\0", "\\6\\0\\0"), ("\\5\\0\\0", "\\6\\0\\0")] {
        all.push(line.replacen(from, to, 1));
    }
    all.retain(|other| other != line);
    all
}

#[test]
fn another_signal_sender_or_status_is_refuted() {
    let mut refuted = 0;
    for name in RECORDINGS {
        let text = recording(name);
        let lines: Vec<&str> = text.lines().collect();
        let reads = reads_of_signalfds(&lines);
        for (at, line) in lines.iter().enumerate() {
            let altered = alterations(line).into_iter().filter(|_| reads.contains(&at));
            for other in altered {
                let mut lines = lines.clone();
                lines[at] = &other;
                let verdict = judged(&(lines.join("\n") + "\n"));
                assert!(matches!(verdict.finding, Finding::Refuted(_)), "{name}:{}: {line} became {other}", at + 1);
                refuted += 1;
            }
        }
    }
    assert!(refuted >= 15, "{refuted}");
}

#[test]
fn an_empty_signalfd_has_nothing_that_is_pending() {
    // The end of the child is pending by then: it was waited for.
    let text = recording("python");
    let at = text.find("read(3<anon_inode:[signalfd]>, \"\\21").expect("it reads the end of a child");
    let line = &text[at..at + text[at..].find('\n').expect("lines end")];
    let after = "read(3<anon_inode:[signalfd]>, 0x21c9f400, 1024) = -1 EAGAIN (Resource temporarily unavailable)";
    let verdict = judged(&text.replacen(line, after, 1));
    assert!(matches!(verdict.finding, Finding::Refuted(_)), "{verdict:#?}");
}

#[test]
fn what_cannot_be_said_is_told_and_refutes_nothing() {
    let text = recording("python");
    // Two kinds of signalfds: which of them is read the log does not say, and so an empty one proves nothing.
    let two = text.replacen(
        "signalfd4(-1, [TERM CHLD]",
        "signalfd4(-1, [USR2], 8, SFD_NONBLOCK) = 4<anon_inode:[signalfd]>\n19749 signalfd4(-1, [TERM CHLD]",
        1,
    );
    let verdict = judged(&two);
    assert!(matches!(verdict.finding, Finding::Accepted), "{verdict:#?}");
    assert!(verdict.not_judged.iter().any(|(call, times)| call == "read of a signalfd" && *times == 3), "{verdict:#?}");
    // A timer's signal is nobody's in the log: SI_TIMER is -2.
    let timer =
        text.replacen("\"\\17\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0", "\"\\17\\0\\0\\0\\0\\0\\0\\0\\376\\377\\377\\377", 1);
    assert_ne!(timer, text);
    let verdict = judged(&timer);
    assert!(verdict.not_judged.iter().any(|(call, times)| call == "read of a signalfd" && *times == 1), "{verdict:#?}");
    // The log has not what is read: nothing is said of it.
    let unread: String = text.lines().filter(|line| !line.contains("read")).map(|line| format!("{line}\n")).collect();
    let verdict = judged(&unread);
    assert!(verdict.not_judged.iter().any(|(call, _)| call == "signalfd4"), "{verdict:#?}");
}
