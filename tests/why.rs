//! `pidlab why`, as a user meets it. What it finds out is tested in `why/tests/`.
#![forbid(unsafe_code)]

#[path = "../why/tests/running/mod.rs"]
mod running;
mod tool;

use std::fs;
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use running::{Running, can_unshare};
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, WaitOptions, kill_process, set_child_subreaper, waitid, waitpid,
};
use tool::{Ended, Folder, GOOD, command, pidlab};

/// Nothing takes as long that comes to an end.
const LONGEST: Duration = Duration::from_secs(60);

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

/// Those that a process of one thread has made.
fn children(of: u32) -> Vec<u32> {
    let list = fs::read_to_string(format!("/proc/{of}/task/{of}/children")).expect("it is there");
    list.split_whitespace().map(|pid| pid.parse().expect("it is a PID")).collect()
}

fn number(pid: u32) -> Pid {
    Pid::from_raw(i32::try_from(pid).expect("a PID is small")).expect("it is not 0")
}

/// A watch that has told the first of what it sees.
struct Watch {
    child: Child,
    told: ChildStdout,
}

impl Watch {
    fn over(folder: &Folder, pid: u32) -> Watch {
        let pid = pid.to_string();
        let mut watch = command(&folder.0, &["why", &pid, "--watch"]);
        let mut child = watch.stdout(Stdio::piped()).spawn().expect("pidlab starts");
        let mut told = child.stdout.take().expect("it is piped");
        let mut first = [0; 16];
        told.read_exact(&mut first).expect("it says what it sees");
        assert!(String::from_utf8_lossy(&first).starts_with(&pid));
        Watch { child, told }
    }

    /// What it tells up to the end of everybody that it could have started.
    fn rest(mut self) -> (String, ExitStatus) {
        let mut rest = String::new();
        self.told.read_to_string(&mut rest).expect("it is text");
        (rest, self.child.wait().expect("it is our child"))
    }
}

#[test]
fn a_watch_that_is_killed_leaves_nothing() {
    let folder = Folder::new("why-killed");
    let mut child = zombie();
    let mut watch = Watch::over(&folder, child.id());
    assert_eq!(children(watch.child.id()), Vec::<u32>::new(), "nobody can outlive it");
    watch.child.kill().expect("it is our child");
    let (_, status) = watch.rest();
    assert_eq!(status.signal(), Some(Signal::KILL.as_raw()));
    assert_eq!(fs::read_dir(&folder.0).expect("it is there").count(), 0, "it writes no files");
    // Whom it has watched has not changed.
    assert_eq!(pidlab(&folder.0, &["why", &child.id().to_string()]).code, Some(1));
    child.wait().expect("it is our child");
}

/// The namespace of a killed init, kept by a zombie whose parent is outside. That one is killed while the watch looks, and the zombie is another's.
#[test]
fn a_watch_sees_who_is_killed_and_the_namespace_go() {
    if !can_unshare() {
        return;
    }
    let folder = Folder::new("why-goes");
    // The zombie becomes ours when its parent ends.
    set_child_subreaper(Some(rustix::process::getpid())).expect("it is allowed to everybody");
    let mut outside =
        Running::start("unshare", &["--pid", "--fork", "--kill-child", "sh", "-c", "echo up; exec sleep 1000"]);
    let init = children(outside.pid())[0];
    let target = init.to_string();
    // What writes the line is no shell any more, which would wait for its job now and then.
    let up = folder.file("up", "up\n");
    let script = format!("sleep 1000 & exec tail -n 1 -f {}", up.display());
    let mut parent = Running::start("nsenter", &["--target", &target, "--pid", "--no-fork", "sh", "-c", &script]);
    let member = children(parent.pid())[0];
    kill_process(number(init), Signal::KILL).expect("it is there");
    // Before that its members may be on their way out.
    let started = Instant::now();
    while pidlab(&folder.0, &["why", &target]).code != Some(1) {
        assert!(started.elapsed() < LONGEST, "it is held by the zombie");
    }

    let watch = Watch::over(&folder, init);
    parent.0.kill().expect("it is our child");
    parent.0.wait().expect("it is our child");
    waitpid(Some(number(member)), WaitOptions::empty()).expect("we have adopted it");
    outside.0.wait().expect("it is our child");
    let (rest, status) = watch.rest();
    assert!(rest.ends_with("It is gone.\n"), "{rest}");
    assert_eq!(status.code(), Some(0));
}

/// Each look begins with `uptime` and reads `stat` once, and here these are pipes: so it is known in which look the process is there.
#[test]
fn who_goes_between_two_looks_was_there() {
    let folder = Folder::new("why-between");
    let status = "Tgid:\t12\nPid:\t12\nPPid:\t0\nTracerPid:\t0\nNSpid:\t12\nNSpgid:\t12\nSigIgn:\t0000000000000000\n";
    folder.file("proc/12/status", status);
    let (uptime, stat) = (folder.0.join("proc/uptime"), folder.0.join("proc/12/stat"));
    assert!(Command::new("mkfifo").args([&uptime, &stat]).status().expect("mkfifo is installed").success());
    for (format, told) in [("text", "It is gone.\n"), ("json", "{\"findings\":0,\"stuck\":false}\n")] {
        let mut look = command(&folder.0, &["why", "12", "--watch", "--proc", "proc", "--format", format]);
        let look = look.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("pidlab starts");
        // To open a pipe for writing waits for who reads it.
        fs::write(&uptime, "1.00 1.00\n").expect("somebody reads");
        let (before, behind) = (" 0".repeat(11), " 0".repeat(14));
        let text = format!("12 (p12) Z 0 12 12 0 -1{before} 1 0 4711{behind} 17 0 0 0\n");
        fs::write(&stat, text).expect("somebody reads");
        let mut second = fs::OpenOptions::new().write(true).open(&uptime).expect("somebody reads");
        fs::rename(folder.0.join("proc/12"), folder.0.join("gone")).expect("it is there");
        second.write_all(b"1.00 1.00\n").expect("somebody reads");
        drop(second);
        let output = tool::ended(look.wait_with_output().expect("it is our child"));
        assert_eq!((output.code, &output.out[..]), (Some(0), told), "{}", output.err);
        fs::rename(folder.0.join("gone"), folder.0.join("proc/12")).expect("it is there");
    }
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
