//! Whatever ends the program, nothing of a lab outlives it.

mod common;

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs};

use common::scenario;
use pidlab_realkernel::{Lab, LabError, LabOptions, Sharing};
use pidlab_scenario::Machine;

/// Set in a program that these tests start in order to end it.
const ENDLESS: &str = "PIDLAB_TEST_ENDLESS";

/// The numbers of all processes below one, itself included, zombies not.
fn family(of: u32) -> Vec<u32> {
    let mut processes = Vec::new();
    for entry in fs::read_dir("/proc").expect("procfs is mounted").flatten() {
        let Some(number) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        // A process may end while the folder is read.
        let Ok(stat) = fs::read_to_string(format!("/proc/{number}/stat")) else { continue };
        let mut fields = stat.rsplit(')').next().expect("split gives one").split_ascii_whitespace();
        let (state, parent) = (fields.next().expect("a state"), fields.next().expect("a parent"));
        if !["Z", "X"].contains(&state) {
            processes.push((number, parent.parse::<u32>().expect("a number")));
        }
    }
    let mut found: Vec<u32> = processes.iter().map(|(number, _)| *number).filter(|number| *number == of).collect();
    let mut next = 0;
    while let Some(parent) = found.get(next).copied() {
        found.extend(processes.iter().filter(|(_, above)| *above == parent).map(|(number, _)| number));
        next += 1;
    }
    found
}

/// Waits until none of the processes runs any more. Each has been killed already or will be by the kernel.
fn all_end(processes: &[u32]) {
    let started = Instant::now();
    for process in processes {
        while family(*process).contains(process) {
            assert!(started.elapsed() < Duration::from_secs(30), "process {process} lives on");
            std::thread::yield_now();
        }
    }
}

/// Runs scenarios for ever, if it is started for that; a test without anything to test otherwise.
#[test]
fn endless_program() {
    if env::var_os(ENDLESS).is_none() {
        return;
    }
    let mut lab = Lab::or_skip(LabOptions::default()).expect("whoever starts this program has opened a lab before");
    println!("\nhelper {}", lab.helper_pid().expect("a lab has a helper"));
    let scenario = scenario(
        r#"
        { by = "host", call = "clone", child = "init", flags = ["CLONE_NEWPID"] },
        { by = "init", call = "fork", child = "a" },
        { by = "init", call = "clone", child = "inner", flags = ["CLONE_NEWPID"] },
        { by = "inner", call = "fork", child = "b" },
        { by = "init", call = "wait", pid = "a" },
        { by = "b", call = "exit", status = 0 },
        "#,
    );
    loop {
        lab.run(&scenario).expect("the run comes to its end");
        println!("\nrun");
    }
}

/// The endless program, after a few runs, and everything below it.
fn endless(runs: usize) -> (Child, Vec<u32>) {
    // Who starts something in the background of a script leaves it with SIGINT ignored, and so what that starts.
    let mut program = Command::new("env")
        .arg("--default-signal=INT")
        .arg(env::current_exe().expect("this program has a path"))
        .args(["--exact", "endless_program", "--nocapture"])
        .env(ENDLESS, "1")
        .process_group(0)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("this program can be started again");
    let mut lines = BufReader::new(program.stdout.take().expect("it is piped")).lines().map_while(Result::ok);
    let helper = lines.find_map(|line| line.strip_prefix("helper ")?.parse::<u32>().ok()).expect("it has a helper");
    assert_eq!(lines.by_ref().filter(|line| line == "run").take(runs).count(), runs);
    // The rest of what it says is not read: the pipe must stay open, or it would end by itself.
    std::mem::forget(lines);
    let family = family(program.id());
    assert!(family.contains(&helper) && family.len() >= 3, "{family:?} holds the program, {helper} and a conductor");
    (program, family)
}

fn kill(signal: &str, target: &str) {
    let status = Command::new("sh").args(["-c", "kill -s \"$0\" -- \"$1\"", signal, target]).status();
    assert!(status.expect("there is a shell").success());
}

/// Everything that had a copy of the program's standard error has closed it, and has ended.
fn nothing_is_left(mut program: Child, family: &[u32]) {
    program.wait().expect("it is our child");
    let mut said = String::new();
    program.stderr.take().expect("it is piped").read_to_string(&mut said).expect("a pipe can be read");
    assert!(!said.contains("panicked"), "{said}");
    all_end(family);
}

/// A helper that somebody has stopped gives no answer.
#[test]
fn a_run_that_takes_too_long_is_given_up_and_leaves_nothing() {
    let Some(mut lab) = Lab::or_skip(LabOptions::default()) else { return };
    let scenario = scenario(r#"{ by = "host", call = "clone", child = "init", flags = ["CLONE_NEWPID"] },"#);
    lab.run(&scenario).expect("the run comes to its end");
    let family = family(lab.helper_pid().expect("a lab has a helper"));
    assert!(family.len() >= 2, "{family:?} holds a guard and a conductor");
    for process in &family {
        kill("STOP", &process.to_string());
    }
    lab.limit_time(Some(Duration::from_millis(20)));
    let given_up = lab.run(&scenario);
    assert!(matches!(given_up, Err(LabError::TimedOut)), "{given_up:?}");
    all_end(&family);
    lab.limit_time(None);
    lab.run(&scenario).expect("the next run has a new helper");
}

#[test]
fn a_killed_program_leaves_nothing() {
    if Lab::or_skip(LabOptions::default()).is_none() {
        return;
    }
    for runs in 0..8 {
        let (mut program, family) = endless(runs);
        program.kill().expect("it runs");
        nothing_is_left(program, &family);
    }
}

#[test]
fn an_interrupted_program_leaves_nothing() {
    if Lab::or_skip(LabOptions::default()).is_none() {
        return;
    }
    let (program, family) = endless(3);
    // As a terminal does it: the whole group at once.
    kill("INT", &format!("-{}", program.id()));
    nothing_is_left(program, &family);
}

#[test]
fn a_dropped_lab_leaves_nothing() {
    let Some(mut lab) = Lab::or_skip(LabOptions::default()) else { return };
    lab.run(&scenario(r#"{ by = "host", call = "getpid" }"#)).expect("a run");
    let family = family(lab.helper_pid().expect("a lab has a helper"));
    assert_eq!(family.len(), 2, "a guard and a conductor");
    drop(lab);
    all_end(&family);
}

#[test]
fn a_lab_whose_helper_is_killed_gets_another() {
    let Some(mut lab) = Lab::or_skip(LabOptions::default()) else { return };
    let scenario = scenario(r#"{ by = "host", call = "getpid" }"#);
    let before = lab.run(&scenario).expect("a run");
    let helper = lab.helper_pid().expect("a lab has a helper");
    let family = family(helper);
    kill("KILL", &helper.to_string());
    // Dropping the helper reaps it; until the kill has gone through, runs may still succeed.
    let why = loop {
        if let Err(why) = lab.run(&scenario) {
            break why;
        }
    };
    assert!(matches!(&why, LabError::Lacking(why) if why.reason.contains("SIGKILL")), "{why}");
    all_end(&family);
    assert_eq!(lab.run(&scenario).expect("a run"), before);
    assert_ne!(lab.helper_pid(), Some(helper));
}

/// Signals that a program was started with are not those of a scenario's processes.
#[test]
fn inherited_signals_do_not_reach_a_scenario() {
    if env::var_os(ENDLESS).is_some() || Lab::or_skip(LabOptions::default()).is_none() {
        return;
    }
    let program = env::current_exe().expect("this program has a path");
    let status = Command::new("sh")
        .args(["-c", "trap '' INT HUP TERM; exec \"$0\" --exact a_signal_at_its_default_kills"])
        .arg(program)
        .stdout(Stdio::null())
        .status();
    assert!(status.expect("there is a shell").success());
}

#[test]
fn a_signal_at_its_default_kills() {
    let Some(mut lab) = Lab::or_skip(LabOptions::default()) else { return };
    let scenario = scenario(
        r#"
        { by = "host", call = "fork", child = "a" },
        { by = "host", call = "kill", pid = "a", signal = "SIGINT" },
        { by = "host", call = "fork", child = "b" },
        { by = "host", call = "kill", pid = "b", signal = "SIGTERM" },
        { by = "host", call = "wait", pid = "a" },
        { by = "host", call = "wait", pid = "b" },
        "#,
    );
    let run = lab.run(&scenario).expect("the run comes to its end");
    assert_eq!(run.observations.last().map(|seen| seen.processes.len()), Some(1), "{run:?}");
}

/// Whoever waits for a long run hears of it.
#[test]
fn a_long_run_gives_signs_of_life() {
    let Some(mut lab) = Lab::or_skip(LabOptions::default()) else { return };
    let long = scenario(&"{ by = \"host\", call = \"getpid\" },\n".repeat(100));
    let mut told = Vec::new();
    let run = lab.run_told(&long, Sharing::Auto, |steps| told.push(steps)).expect("the run comes to its end");
    assert_eq!((told, run.observations.len()), (vec![32, 64, 96], 101));
}
