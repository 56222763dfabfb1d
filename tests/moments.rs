//! Whatever signal comes, and whenever: the program ends, says nothing false, and nothing of it is left.
//!
//! `PIDLAB_MOMENTS=200 cargo test --release --test moments` tries two hundred moments instead of a few.
#![forbid(unsafe_code)]

use std::fs::File;
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, kill_process, set_child_subreaper, wait};

/// Nothing takes as long that comes to an end.
const LONGEST: Duration = Duration::from_secs(60);

/// What a terminal, a shell, a service manager and a closed window send; and a pause.
const SIGNALS: [Signal; 6] = [Signal::INT, Signal::TERM, Signal::HUP, Signal::PIPE, Signal::KILL, Signal::STOP];

const COMMANDS: [&[&str]; 3] = [
    &["check", "-v", "orphans", "zombies"],
    &["check", "--jobs", "4", "--format", "json", "death"],
    &["fuzz", "--steps", "300", "--seed", "5"],
];

/// What the program that was started last has printed.
const SAID: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/moments.out");

/// The end of it.
fn said_last() -> String {
    let said = fs::read(SAID).unwrap_or_default();
    String::from_utf8_lossy(&said[said.len().saturating_sub(4000)..]).into_owned()
}

fn start(arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pidlab"));
    command.current_dir(env!("CARGO_TARGET_TMPDIR")).args(arguments);
    let said = File::create(SAID).expect("there is room");
    command.stdin(Stdio::null()).stdout(said).stderr(Stdio::piped()).spawn().expect("pidlab starts")
}

/// How the program ended and what it complained of, once every process that it made has ended, too.
fn end(mut program: Child) -> (ExitStatus, String) {
    // The pipe is at its end when the last process that has it is.
    let mut said = String::new();
    program.stderr.take().expect("it is piped").read_to_string(&mut said).expect("messages are UTF-8");
    let status = program.wait().expect("it is our child");
    // What the program leaves behind is adopted by this one.
    let (ended, all) = mpsc::channel();
    thread::spawn(move || {
        let last = loop {
            match wait(WaitOptions::empty()) {
                Ok(_) => {}
                Err(errno) => break errno,
            }
        };
        ended.send(last)
    });
    let last = all.recv_timeout(LONGEST).unwrap_or_else(|_| panic!("left behind: {:?}", children()));
    assert_eq!(last, Errno::CHILD);
    (status, said)
}

fn children() -> Vec<String> {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let children = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok()).collect::<String>();
    children.split_whitespace().map(|pid| fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default()).collect()
}

/// There is one test in this program: it waits for every child.
#[expect(clippy::disallowed_methods, reason = "a moment is what is tried; nothing is known by it")]
#[test]
fn a_signal_at_any_moment_leaves_nothing() {
    let this = Pid::from_raw(std::process::id().cast_signed()).expect("it is not 0");
    set_child_subreaper(Some(this)).expect("everybody may adopt");
    let moments = env::var("PIDLAB_MOMENTS").map_or(24, |moments| moments.parse().expect("it is a number"));

    // How long each command takes here, undisturbed; its first run is slower and not counted.
    let mut takes = COMMANDS.map(|arguments| {
        let undisturbed = || {
            let started = Instant::now();
            let (status, said) = end(start(arguments));
            assert_eq!(status.code(), Some(0), "{arguments:?}: {said}");
            started.elapsed()
        };
        undisturbed();
        undisturbed()
    });

    let mut random = fastrand::Rng::with_seed(1);
    let mut moment = 0;
    while moment < moments {
        let which = moment % COMMANDS.len();
        let signal = SIGNALS[(moment / COMMANDS.len()) % SIGNALS.len()];
        let mut program = start(COMMANDS[which]);
        thread::sleep(takes[which].mul_f64(random.f64()));
        if program.try_wait().expect("it is our child").is_some() {
            // It was faster: the next moment is an earlier one.
            takes[which] /= 2;
            end(program);
            continue;
        }
        let pid = Pid::from_child(&program);
        kill_process(pid, signal).expect("a child that is not waited for can be sent a signal");
        if signal == Signal::STOP {
            kill_process(pid, Signal::CONT).expect("it is still there");
        }
        let (status, said) = end(program);
        let tried = format!("{signal:?} for {:?}: {status:?}, {said}", COMMANDS[which]);
        assert!(!said.contains("panicked"), "{tried}");
        // It was killed, or it ended right before; a pause changes nothing.
        let is_killed = status.signal() == Some(signal.as_raw());
        let is_right = status.code() == Some(0) || (signal != Signal::STOP && is_killed);
        assert!(is_right, "{tried}\n{}", said_last());
        moment += 1;
    }
}
