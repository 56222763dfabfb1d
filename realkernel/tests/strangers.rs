//! A program that this crate is linked into starts as it ever does, whatever its environment says, if no runner has started it.

mod common;

use std::env;
use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

use common::scenario;
use pidlab_realkernel::{Lab, LabOptions};
use pidlab_scenario::{Machine, Outcome};

const REACHED: &str = "this program has reached its main";

/// What the stranger does: says that it runs, and, where it can, runs a scenario whose host runs another program.
#[test]
fn a_stranger() {
    println!("\n{REACHED}");
    let Some(mut lab) = Lab::or_skip(LabOptions::default()) else { return };
    let run = lab.run(&scenario("{ by = \"host\", call = \"exec\" }, { by = \"host\", call = \"getpid\" },"));
    let run = run.expect("its own helper and agents are none of the strangers");
    assert_eq!(run.observations[2].outcome, Some(Outcome::Ok(1)));
}

/// Starts the stranger and sees that it reaches its end.
fn runs(variable: &str, value: &str, stdin: Stdio) {
    let mut program = Command::new(env::current_exe().expect("this program has a path"));
    let program = program.args(["--exact", "a_stranger", "--nocapture"]).env(variable, value).stdin(stdin);
    let output = program.output().expect("it starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && text.contains(REACHED), "with {variable}={value}: {output:?}");
}

#[test]
fn no_agent_without_a_conductor() {
    for value in ["", "1", "0 1 2 3 4 5", "0 -1 -1 -1 -1 -1", "0 99 3 4 5 6", "99999 0 3 4 5 6"] {
        runs("PIDLAB_AGENT", value, Stdio::null());
    }
    // A file that is there, but is not the memory of agents.
    runs("PIDLAB_AGENT", "0 0 3 4 5 6", File::open("/proc/self/exe").expect("this program can be read").into());
}

#[test]
fn no_helper_without_a_greeting() {
    for value in ["", "1", "- 0", "0 1"] {
        runs("PIDLAB_HELPER", value, Stdio::null());
    }
    let socket = |says: &[u8]| {
        let (mut ours, theirs) = UnixStream::pair().expect("there are sockets");
        ours.write_all(says).expect("there is room");
        (ours, Stdio::from(OwnedFd::from(theirs)))
    };
    for says in [&b""[..], b"hello", b"something that is longer than a greeting"] {
        let (_ours, theirs) = socket(says);
        runs("PIDLAB_HELPER", "- 0", theirs);
    }
}
