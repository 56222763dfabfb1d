//! Whatever signal comes, and whenever: the program ends, says nothing false, and nothing of it is left.
//!
//! `PIDLAB_MOMENTS=200 cargo test --release --test moments` tries two hundred moments instead of a few.
#![forbid(unsafe_code)]

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

/// Numbers that look random and are the same every time (the step of SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        ((mixed ^ (mixed >> 27)) >> 11) % end
    }
}

fn start(arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pidlab"));
    command.current_dir(env!("CARGO_TARGET_TMPDIR")).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("pidlab starts")
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
    let takes = COMMANDS.map(|arguments| {
        let undisturbed = || {
            let started = Instant::now();
            let (status, said) = end(start(arguments));
            assert_eq!(status.code(), Some(0), "{arguments:?}: {said}");
            started.elapsed()
        };
        undisturbed();
        undisturbed()
    });

    let mut numbers = Numbers(1);
    let mut in_time = 0;
    for moment in 0..moments {
        let which = moment % COMMANDS.len();
        let signal = SIGNALS[(moment / COMMANDS.len()) % SIGNALS.len()];
        let micros = u64::try_from(takes[which].as_micros()).expect("it is short");
        let program = start(COMMANDS[which]);
        let pid = Pid::from_child(&program);
        thread::sleep(Duration::from_micros(numbers.below(micros)));
        kill_process(pid, signal).expect("a child that is not waited for can be sent a signal");
        if signal == Signal::STOP {
            kill_process(pid, Signal::CONT).expect("it is still there");
        }
        let (status, said) = end(program);
        let tried = format!("{signal:?} for {:?}: {status:?}, {said}", COMMANDS[which]);
        assert!(!said.contains("panicked"), "{tried}");
        // It was killed, or it was faster than the signal; a pause changes nothing.
        let is_killed = status.signal() == Some(signal.as_raw());
        assert!(status.code() == Some(0) || (signal != Signal::STOP && is_killed), "{tried}");
        in_time += usize::from(is_killed);
    }
    // Otherwise no moment was one of the run.
    assert!(in_time * 4 > moments, "of {moments} runs, {in_time} were met");
}
