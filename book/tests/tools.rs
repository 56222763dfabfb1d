//! What is said that commands write, they write: those of the incidents, and those beside the lessons.
//!
//! Each runs in a PID namespace and a mount namespace of its own, with a procfs of its own, as the texts tell a reader to do; it ends with them.
#![forbid(unsafe_code)]
#![cfg(target_os = "linux")]

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command as Program, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use pidlab_book::{Command, beside, incidents};

/// Every command, with where it stands.
fn commands() -> Vec<(String, Command)> {
    let incidents = incidents().expect("every file is an incident");
    let told =
        incidents.into_iter().flat_map(|one| one.commands.into_iter().map(move |command| (one.id.clone(), command)));
    let beside = beside().expect("every file is read");
    let tried = beside
        .into_iter()
        .flat_map(|one| one.commands.into_iter().map(move |command| (format!("lesson {}", one.lesson), command)));
    told.chain(tried).collect()
}

/// Tools that every Linux machine has: util-linux, procps, coreutils, grep and the like. All others may be lacking.
const EVERYWHERE: [&str; 23] = [
    "awk", "bash", "cat", "cut", "grep", "head", "ls", "lsns", "nsenter", "pgrep", "pkill", "ps", "readlink", "sed",
    "setpriv", "setsid", "tail", "uniq", "unshare", "xargs", "mount", "kill", "sleep",
];

fn is_installed(tool: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(tool).is_file())
}

/// A command that takes longer than this has lost its way. It decides nothing but that.
const TOO_LONG: Duration = Duration::from_secs(120);

/// What a command writes, line by line, with single blanks; nothing if it does not end.
fn written(run: &str) -> Option<Vec<String>> {
    let mut lab = lab(run).expect("unshare can be run");
    let mut out = lab.stdout.take().expect("it is piped");
    let (sender, receiver) = mpsc::channel();
    let reader = thread::spawn(move || {
        let mut text = Vec::new();
        // What cannot be read was not written.
        let _ = out.read_to_end(&mut text);
        // Nobody listens any more where it took too long.
        let _ = sender.send(String::from_utf8_lossy(&text).into_owned());
    });
    let text = receiver.recv_timeout(TOO_LONG).ok();
    if text.is_none() {
        // Its end is that of all that is in there.
        lab.kill().expect("it is our child");
    }
    lab.wait().expect("it is our child");
    reader.join().expect("the reader does not panic");
    text.map(|text| lines(&text))
}

/// A shell that runs the command as somebody types it: PID 1 is another shell, which reaps.
fn lab(run: &str) -> std::io::Result<Child> {
    let init = "sh -c \"$0\" 2>&1 </dev/null; exit $?";
    Program::new("unshare")
        .args(["--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-c", init, run])
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
}

fn lines(text: &str) -> Vec<String> {
    text.trim().lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

/// Whether a line is as was said: `<n>` is a number, `<any>` anything.
fn fits(said: &str, line: &str) -> bool {
    let Some(at) = said.find('<') else { return said == line };
    let Some(line) = line.strip_prefix(&said[..at]) else { return false };
    if let Some(rest) = said[at..].strip_prefix("<n>") {
        let digits = line.chars().take_while(char::is_ascii_digit).count();
        return digits > 0 && fits(rest, &line[digits..]);
    }
    if let Some(rest) = said[at..].strip_prefix("<any>") {
        return (0..=line.len()).any(|skip| line.is_char_boundary(skip) && fits(rest, &line[skip..]));
    }
    line.strip_prefix('<').is_some_and(|line| fits(&said[at + 1..], line))
}

/// What a command wrote, if it is not what was said.
fn differs(command: &Command) -> Option<String> {
    let said = lines(&command.sees);
    let Some(written) = written(&command.run) else { return Some(format!("`{}` does not end", command.run)) };
    let is_so = said.len() == written.len() && said.iter().zip(&written).all(|(said, line)| fits(said, line));
    (!is_so).then(|| format!("`{}`\n   said:    {said:?}\n   written: {written:?}", command.run))
}

/// Whether this is root. It is asked outside of the namespaces in which the commands run.
fn is_root() -> bool {
    let told = std::process::Command::new("id").arg("-u").output();
    told.is_ok_and(|told| told.stdout == b"0\n")
}

/// Whether root can make a PID namespace with what every machine has; if not, what unshare(1) says. Root may have used up those that it can have at once
/// (user.max_pid_namespaces), and these commands are typed as they stand, in no user namespace.
fn makes_namespaces() -> Result<(), String> {
    let made = std::process::Command::new("unshare").args(["--pid", "--fork", "true"]).output();
    let made = made.map_err(|error| format!("unshare: {error}"))?;
    if made.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&made.stderr).trim().to_owned()) }
}

fn required() -> bool {
    pidlab_realkernel::must_not_skip()
}

/// A terminal that is gone is no reason to fail.
fn tell(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

#[test]
fn what_is_seen_is_what_was_said() {
    let commands = commands();
    assert!(commands.len() >= 12, "{} commands", commands.len());
    if !is_root() {
        assert!(!required(), "the commands are for root");
        tell(&format!("skipped: {} commands are for root", commands.len()));
        return;
    }
    if let Err(why) = makes_namespaces() {
        assert!(!required(), "no PID namespace can be made: {why}");
        tell(&format!("skipped: {} commands make PID namespaces, and none can be made: {why}", commands.len()));
        return;
    }
    let mut lacking: BTreeMap<String, usize> = BTreeMap::new();
    let (mut wrong, mut ran) = (Vec::new(), 0);
    for (place, command) in &commands {
        // runc writes the rules of a cgroup, and that is for the machine's root.
        let can_be_used = |tool: &str| tool != "runc" || pidlab_realkernel::is_in_first_user_namespace();
        let cannot = |tool: &&String| !is_installed(tool) || !can_be_used(tool);
        let absent: Vec<&String> = command.needs.iter().filter(cannot).collect();
        if !absent.is_empty() {
            absent.iter().for_each(|tool| *lacking.entry((*tool).clone()).or_default() += 1);
            continue;
        }
        ran += 1;
        wrong.extend(differs(command).map(|wrong| format!("{place}: {wrong}")));
    }
    for (tool, count) in &lacking {
        tell(&format!("skipped: {tool} is not installed or cannot be used here, and {count} commands need it"));
    }
    tell(&format!("{ran} of {} commands were run", commands.len()));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let basic: Vec<&String> = lacking.keys().filter(|tool| EVERYWHERE.contains(&tool.as_str())).collect();
    assert!(!required() || basic.is_empty(), "these belong to every machine: {basic:?}");
}

#[test]
fn every_tool_that_a_command_uses_is_named() {
    let known: BTreeSet<&str> = EVERYWHERE
        .into_iter()
        .chain(["tini", "dumb-init", "catatonit", "runc", "bwrap"])
        .filter(|tool| *tool != "kill" && *tool != "sleep")
        .collect();
    let mut wrong = Vec::new();
    for (place, command) in commands() {
        let is_part = |letter: char| letter.is_ascii_alphanumeric() || "-_/".contains(letter);
        let words: BTreeSet<&str> = command.run.split(|letter| !is_part(letter)).collect();
        let named: BTreeSet<&str> = command.needs.iter().map(String::as_str).collect();
        let used: Vec<&&str> = known.iter().filter(|tool| words.contains(*tool) && !named.contains(*tool)).collect();
        let idle: Vec<&&str> = named.iter().filter(|tool| !words.contains(*tool)).collect();
        if !used.is_empty() || !idle.is_empty() {
            wrong.push(format!("{place}: `{}` uses {used:?} too, and not {idle:?}", command.run));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn another_output_is_noticed() {
    assert!(fits("PID <n>, PPID 0", "PID 12, PPID 0") && fits("Z<any> sleep", "Z+ sleep") && fits("a < b", "a < b"));
    assert!(!fits("PID <n>", "PID x") && !fits("PID <n>", "PID 1 2") && !fits("1", "12") && !fits("<any>x", "y"));
    if !is_root() {
        return;
    }
    let text = "+++\ntitle = \"t\"\nthreads = []\nscenarios = []\nrules = []\n[[commands]]\nrun = \"echo $$\"\nneeds = []\nsees = \"1\"\nshows = \"s\"\n+++\na\n\n## What to do\n\nb\n";
    let incident = pidlab_book::Incident::parse("x", text, None).expect("it is an incident");
    let wrong = differs(&incident.commands[0]).expect("the shell that is typed into is not PID 1");
    assert!(wrong.contains("said:    [\"1\"]") && wrong.contains("written: [\""), "{wrong}");
    assert!(Path::new("/proc/self").exists(), "the machine's procfs is as it was");
}
