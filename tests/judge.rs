//! `pidlab judge` and `pidlab record`, as a user meets them. What is accepted and refuted is tested in `judge/tests/`.
#![forbid(unsafe_code)]

mod tool;

use std::fs;
use std::path::Path;

use serde_json::Value;
use tool::{Ended, Folder, GOOD, pidlab};

/// A recording of the library of recordings.
fn recording(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("judge/tests/recordings");
    fs::read_to_string(folder.join(name)).expect("it is kept")
}

fn json(ended: &Ended) -> Value {
    serde_json::from_str(&ended.out).unwrap_or_else(|error| panic!("{error}: {}{}", ended.out, ended.err))
}

#[test]
fn a_recording_is_accepted_and_an_altered_one_refuted() {
    let folder = Folder::new("judge");
    let text = recording("tini.log");
    folder.file("tini.log", &text);
    let accepted = pidlab(&folder.0, &["judge", "tini.log"]);
    assert_eq!(accepted.code, Some(0), "{}{}", accepted.out, accepted.err);
    assert!(accepted.out.starts_with("accepted: "), "{}", accepted.out);
    let told = json(&pidlab(&folder.0, &["judge", "tini.log", "--order", "--format", "json"]));
    assert_eq!(told["verdict"], "accepted");
    assert!(told["answers"].as_u64() > Some(50) && told["order"].as_array().is_some_and(|order| order.len() > 80));

    let altered = text.replacen("+++ exited with 7 +++", "+++ exited with 8 +++", 1);
    assert_ne!(altered, text);
    folder.file("altered.log", &altered);
    let refuted = pidlab(&folder.0, &["judge", "altered.log"]);
    assert_eq!(refuted.code, Some(1), "{}{}", refuted.out, refuted.err);
    assert!(refuted.out.contains("exited with 8") && refuted.out.contains("exited with 7"), "{}", refuted.out);
    let told = json(&pidlab(&folder.0, &["judge", "altered.log", "--format", "json"]));
    assert!(told["verdict"] == "refuted" && told["line"].as_u64() > Some(0), "{told}");
    assert!(told["allowed"][0]["what"].is_string(), "{told}");
    let given_up = pidlab(&folder.0, &["judge", "tini.log", "--worlds", "20"]);
    assert_eq!(given_up.code, Some(3), "{}{}", given_up.out, given_up.err);
}

#[test]
fn what_is_no_log_is_bad_input() {
    let folder = Folder::new("judge-bad");
    let text = recording("tini.log");
    // Somebody ends in every log; what stands before that line is a part of one.
    let end = text.find("+++").and_then(|end| text[..end].rfind('\n')).expect("somebody ends");
    for (name, text, said) in [
        ("empty.log", "", "nothing in the log"),
        ("foreign.log", "cc -c a.c\n", "line 1 is none of strace's"),
        ("scenario.log", GOOD, "line 1 is none of strace's"),
        ("cut.log", &text[..text.len() - 9], "ends in the middle"),
        ("half.log", &text[..=end], "ends at line"),
    ] {
        folder.file(name, text);
        let ended = pidlab(&folder.0, &["judge", name]);
        assert_eq!(ended.code, Some(2), "{name}: {}{}", ended.out, ended.err);
        assert!(ended.err.contains(said) && ended.err.contains(name), "{name}: {}", ended.err);
    }
    let none = pidlab(&folder.0, &["judge", "none.log"]);
    assert!(none.code == Some(2) && none.err.contains("cannot be read"), "{}", none.err);
}

#[test]
fn files_of_processes_are_one_log() {
    let folder = Folder::new("judge-files");
    let parent = "\
1.1 fork() = 42
1.3 wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 3}], 0, NULL) = 42
1.6 --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=42, si_uid=0, si_status=3} ---
1.7 exit_group(0) = ?
1.8 +++ exited with 0 +++
";
    folder.file("log.41", parent.replace("1.", "1700000000."));
    let child = "1.2 getppid() = 41\n1.4 exit_group(3) = ?\n1.5 +++ exited with 3 +++\n".replace("1.", "1700000000.");
    folder.file("log.42", &child);
    folder.file("log.42.old", "something else\n");
    // The wait stands before the end of whom it waited for.
    let judged = pidlab(&folder.0, &["judge", "log"]);
    assert_eq!(judged.code, Some(0), "{}{}", judged.out, judged.err);
    assert!(judged.out.starts_with("accepted: "), "{}", judged.out);
    folder.file("log.42", child.replace("= 41", "= 40"));
    let judged = pidlab(&folder.0, &["judge", "log"]);
    assert_eq!(judged.code, Some(1), "{}{}", judged.out, judged.err);
    assert!(judged.out.contains("getppid() = 40"), "{}", judged.out);
    folder.file("log.42", child.replace("1700000000.2 ", ""));
    let judged = pidlab(&folder.0, &["judge", "log"]);
    assert_eq!(judged.code, Some(2), "{}{}", judged.out, judged.err);
    assert!(judged.err.contains("log.42: line 1: ") && judged.err.contains("-ttt"), "{}", judged.err);
}

#[test]
fn a_saved_scenario_holds_on_the_model() {
    let folder = Folder::new("judge-save");
    for name in ["sh-wait", "nested", "nsenter", "python", "xargs"] {
        let log = format!("{name}.log");
        folder.file(&log, recording(&log));
        let file = format!("{name}.toml");
        let saved = pidlab(&folder.0, &["judge", &log, "--save", &file]);
        assert_eq!(saved.code, Some(0), "{name}: {}{}", saved.out, saved.err);
        let checked = pidlab(&folder.0, &["check", "--on", "model", &file]);
        assert_eq!(checked.code, Some(0), "{name}: {}{}", checked.out, checked.err);
    }
}

#[test]
fn a_recording_is_a_page() {
    let folder = Folder::new("judge-page");
    folder.file("nested.log", recording("nested.log"));
    let page = pidlab(&folder.0, &["judge", "nested.log", "--format", "html", "--save", "nested.toml"]);
    assert_eq!(page.code, Some(0), "{}", page.err);
    assert!(
        page.out.starts_with("<!doctype html>") && page.out.trim_end().ends_with("</html>"),
        "{}",
        &page.out[..200]
    );
    assert!(page.out.contains("the model gives every answer"));
    // The same steps as in the scenario that is saved.
    let saved = fs::read_to_string(folder.0.join("nested.toml")).expect("it was saved");
    let played = pidlab(&folder.0, &["run", "--on", "model", "--format", "json", "nested.toml"]);
    assert_eq!(played.code, Some(0), "{}", played.err);
    assert_eq!(played.out.lines().count() - 2, saved.matches("{ by = ").count(), "a header, and the start");
    // One that is not accepted, and one that no scenario has.
    folder.file("altered.log", recording("nested.log").replace("WEXITSTATUS(s) == 0", "WEXITSTATUS(s) == 1"));
    folder.file("make.log", recording("make.log"));
    for (log, code, said) in [("altered.log", 1, "cannot be played"), ("make.log", 3, "calls that overlap")] {
        let ended = pidlab(&folder.0, &["judge", log, "--format", "html"]);
        assert_eq!(ended.code, Some(code), "{log}: {}", ended.err);
        assert!(ended.out.is_empty() && ended.err.contains(said), "{log}: {}", ended.err);
    }
}

/// Where strace is, what it records of this kernel is accepted.
#[test]
fn what_is_recorded_here_is_accepted() {
    let folder = Folder::new("record");
    let recorded = pidlab(&folder.0, &["record", "-o", "here.log", "--", "sh", "-c", "true & sleep 0 & wait; exit 3"]);
    if recorded.code == Some(4) {
        assert!(recorded.err.contains("remedy: install it"), "{}", recorded.err);
        eprintln!("skipped: no strace here");
        return;
    }
    let log = fs::read_to_string(folder.0.join("here.log")).expect("it was recorded");
    if recorded.code != Some(3) {
        eprintln!("skipped: strace may not trace here: {}", recorded.err);
        return;
    }
    assert!(log.starts_with("# pidlab record: tracer=") && !log.contains("read("), "{log}");
    let uid = format!(" uid={} ", rustix::process::getuid().as_raw());
    assert!(log.lines().next().is_some_and(|line| line.contains(&uid)), "{log}");
    let judged = pidlab(&folder.0, &["judge", "here.log"]);
    assert_eq!(judged.code, Some(0), "{}{}\n{log}", judged.out, judged.err);

    // With what is read, whatever it is.
    folder.file("some", "what is read");
    let recorded = pidlab(&folder.0, &["record", "--reads", "-o", "reads.log", "--", "cat", "some"]);
    assert_eq!((recorded.code, &recorded.out[..]), (Some(0), "what is read"), "{}", recorded.err);
    let log = fs::read_to_string(folder.0.join("reads.log")).expect("it was recorded");
    assert!(log.lines().any(|line| line.contains("read(") && line.contains("\"what is read\"")), "{log}");
    let judged = pidlab(&folder.0, &["judge", "reads.log"]);
    assert_eq!(judged.code, Some(0), "{}{}\n{log}", judged.out, judged.err);
}
