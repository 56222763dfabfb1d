//! `pidlab why`, as a user meets it. What it finds out is tested in `why/tests/`.
#![forbid(unsafe_code)]

mod tool;

use std::io::Read;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use tool::{Ended, Folder, GOOD, command, pidlab};

/// A child that has ended, and that we have not waited for.
fn zombie() -> Child {
    let child = Command::new("true").spawn().expect("it is installed");
    let pid = Pid::from_child(&child);
    waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT).expect("it is our child");
    child
}

fn lines(output: &Ended) -> Vec<serde_json::Value> {
    output.out.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
}

#[test]
fn a_zombie_is_its_parents_affair() {
    let folder = Folder::new("why-zombie");
    let mut child = zombie();
    let pid = child.id().to_string();
    let output = pidlab(&folder.0, &["why", &pid]);
    assert_eq!(output.code, Some(1), "{}{}", output.out, output.err);
    let (own, words) = (std::process::id(), output.out.split_whitespace().collect::<Vec<_>>().join(" "));
    assert!(
        words.contains("its parent has not waited for it") && words.contains(&format!("helps: {own} (")),
        "{words}"
    );
    assert!(output.out.lines().all(|line| line.chars().count() <= 80), "{}", output.out);
    let lines = lines(&pidlab(&folder.0, &["why", &pid, "--format", "json"]));
    assert!(lines.len() == 2 && lines[0]["stuck"] == true, "{lines:?}");
    assert_eq!(lines[1]["holders"][0]["by"]["who"]["pid"], own);
    assert_eq!(lines[1]["holders"][0]["how"], "unreaped");
    for (format, begin) in [("svg", "<svg "), ("dot", "digraph ")] {
        let picture = pidlab(&folder.0, &["why", &pid, "--format", format]);
        assert!(
            picture.code == Some(1) && picture.out.starts_with(begin) && picture.out.contains(&pid),
            "{}",
            picture.out
        );
    }
    child.wait().expect("it is our child");
}

#[test]
fn a_watch_ends_when_it_is_gone() {
    let folder = Folder::new("why-watch");
    let mut child = zombie();
    let pid = child.id().to_string();
    let mut watch =
        command(&folder.0, &["why", &pid, "--watch"]).stdout(Stdio::piped()).spawn().expect("pidlab starts");
    let mut told = watch.stdout.take().expect("it is piped");
    let mut first = [0; 16];
    told.read_exact(&mut first).expect("it says what it sees");
    assert!(String::from_utf8_lossy(&first).starts_with(&pid));
    child.wait().expect("it is our child");
    let mut rest = String::new();
    told.read_to_string(&mut rest).expect("it is text");
    assert!(rest.ends_with("It is gone.\n"), "{rest}");
    assert_eq!(watch.wait().expect("it is our child").code(), Some(0));
}

#[test]
fn nobody_is_stuck_who_lives() {
    let folder = Folder::new("why-lives");
    let own = std::process::id();
    let output = pidlab(&folder.0, &["why", &own.to_string()]);
    assert!(output.code == Some(0) && output.out.starts_with("Nothing keeps "), "{}{}", output.out, output.err);
    let all = pidlab(&folder.0, &["why", "--all"]);
    assert!(all.code == Some(0) && all.out.starts_with("┌ PID namespace"), "{}", all.out);
    assert!(all.out.lines().any(|line| line.contains(&format!(" {own} "))), "{}", all.out);
    let all = lines(&pidlab(&folder.0, &["why", "--all", "--format", "json"]));
    let members = all[0]["members"].as_array().expect("somebody is there");
    assert!(members.iter().any(|member| member["numbers"][0] == own), "{members:?}");
}

#[test]
fn what_cannot_be_answered_ends_with_2() {
    let folder = Folder::new("why-wrong");
    folder.file("a-file", GOOD);
    let nowhere: [&[&str]; 8] = [
        &["why", "4194304"],
        &["why", "0"],
        &["why", "init"],
        &["why", "--proc", "."],
        &["why", "--proc", "nowhere"],
        &["why", "--proc", "a-file"],
        &["why", "--all", "--watch"],
        &["why", "--watch", "--format", "svg"],
    ];
    for arguments in nowhere {
        let output = pidlab(&folder.0, arguments);
        assert_eq!(output.code, Some(2), "{arguments:?}: {}", output.out);
        assert!(!output.err.is_empty() && output.out.is_empty(), "{arguments:?}: {}", output.out);
    }
}
