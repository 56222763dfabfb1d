//! Whether processes have real-time priorities is as it was asked for, and nobody keeps the CPU with them.

mod common;
#[expect(dead_code, reason = "another test wants more of it")]
#[path = "common/proc.rs"]
mod proc;

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::{env, fs};

use common::scenario;
use pidlab_realkernel::{Lab, LabError, LabOptions, Priority, RunOptions, Sharing};
use pidlab_scenario::{Machine, Scenario};

use proc::World;

const FAMILY: &str = r#"
    { by = "host", call = "fork",  child = "a" },
    { by = "a",    call = "clone", child = "b", flags = ["CLONE_NEWPID"] },
    { by = "b",    call = "exec" },
    { by = "b",    call = "fork",  child = "c" },
"#;

/// Policy and real-time priority of a process (proc_pid_stat(5), fields 41 and 40).
fn policy(number: u32) -> (u32, u32) {
    let stat = fs::read_to_string(format!("/proc/{number}/stat")).expect("it stands still");
    let (_, fields) = stat.rsplit_once(')').expect("a name stands before");
    let field = |number: usize| fields.split_ascii_whitespace().nth(number - 3).expect("it has it");
    let number = |index| field(index).parse().expect("a number");
    (number(41), number(40))
}

/// What a process may have of CPU time without going to sleep, in microseconds.
fn real_time_limit(number: u32) -> String {
    let limits = fs::read_to_string(format!("/proc/{number}/limits")).expect("it stands still");
    let line = limits.lines().find_map(|line| line.strip_prefix("Max realtime timeout")).expect("Linux has that limit");
    line.split_ascii_whitespace().next().expect("it says how much").to_owned()
}

/// The policies of all processes of a run.
fn policies(lab: &mut Lab, scenario: &Scenario) -> BTreeSet<(u32, u32)> {
    let guard = lab.helper_pid().expect("a lab has a helper");
    let (mut policies, mut most) = (BTreeSet::new(), 0);
    let run = lab.run_held(scenario, |_| {
        let world = World::below(guard);
        let shown = world.shown();
        most = most.max(shown.len());
        for task in shown {
            if task.pids == [1] {
                // Below all others, or one that interrupts nobody when it is woken.
                let below = if policy(task.number).0 == SCHED_FIFO { (SCHED_FIFO, 1) } else { (SCHED_BATCH, 0) };
                assert_eq!(policy(task.parent), below, "the conductor's");
            }
            policies.insert(policy(task.number));
            if policy(task.number).0 == SCHED_FIFO {
                assert_eq!(real_time_limit(task.number), "5000000");
            }
        }
    });
    assert_eq!(run.expect("it runs").observations.len(), 5);
    assert_eq!(most, 4, "host and three more are seen");
    policies
}

/// Whether another program can have a real-time priority here.
fn may_be_real_time() -> bool {
    Command::new("chrt").args(["--fifo", "2", "true"]).stderr(Stdio::null()).status().is_ok_and(|ended| ended.success())
}

const SCHED_OTHER: u32 = 0;
const SCHED_FIFO: u32 = 1;
const SCHED_BATCH: u32 = 3;

#[test]
fn it_is_as_it_was_asked_for() {
    let scenario = scenario(FAMILY);
    for sharing in [Sharing::Shared, Sharing::Own] {
        let options = LabOptions::default().with_sharing(sharing);
        let Some(mut lab) = Lab::or_skip(options) else { return };
        let real_time = lab.kernel().real_time;
        assert!(real_time || lab.kernel().user_namespace || !may_be_real_time(), "chrt(1) may, and the runner may not");
        let fastest = if real_time { (SCHED_FIFO, 2) } else { (SCHED_OTHER, 0) };
        assert_eq!(policies(&mut lab, &scenario), BTreeSet::from([fastest]));
        let Some(mut lab) = Lab::or_skip(options.with_priority(Priority::Ordinary)) else { return };
        assert_eq!(policies(&mut lab, &scenario), BTreeSet::from([(SCHED_OTHER, 0)]));
    }
}

/// One run may be another way, and the next is as ever.
#[test]
fn what_is_seen_is_the_same_in_turns() {
    let Some(mut lab) = Lab::or_skip(LabOptions::default()) else { return };
    let scenario = scenario(FAMILY);
    let first = lab.run(&scenario).expect("it runs");
    for priority in [Priority::Ordinary, Priority::Auto, Priority::Ordinary, Priority::Auto] {
        let options = RunOptions::default().with_priority(priority);
        assert_eq!(lab.run_with(&scenario, options).expect("it runs"), first, "{priority:?}");
    }
}

/// What was asked for when the lab was opened holds for each run.
#[test]
fn a_lab_that_was_told_keeps_to_it() {
    let scenario = scenario(FAMILY);
    let Some(mut lab) = Lab::or_skip(LabOptions::default().as_ordinary_user(true)) else { return };
    let real_time = RunOptions::default().with_priority(Priority::RealTime);
    assert!(lab.run_with(&scenario, real_time).is_err(), "it may not");
    let Some(mut lab) = Lab::or_skip(LabOptions::default().as_ordinary_user(true).with_priority(Priority::Ordinary))
    else {
        return;
    };
    assert!(lab.run_with(&scenario, real_time).is_ok(), "it does not try");
}

/// Who was started with less than an ordinary priority may not take that, and has to do without.
#[test]
fn who_is_idle_stays_so() {
    const INSIDE: &str = "PIDLAB_TEST_IDLE";
    if env::var_os(INSIDE).is_some() {
        let Some(mut lab) = Lab::or_skip(LabOptions::default().as_ordinary_user(true)) else { return };
        assert!(lab.run(&scenario(FAMILY)).is_ok());
        return;
    }
    let own = env::current_exe().expect("a test has a program");
    let mut idle = Command::new("chrt");
    idle.args(["--idle", "0"]).arg(own).args(["--exact", "who_is_idle_stays_so"]).env(INSIDE, "1");
    let Ok(ended) = idle.output() else {
        return pidlab_realkernel::cannot_run("there is no chrt(1) to give a lower priority with");
    };
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stdout));
}

#[test]
fn who_may_not_give_them_is_told() {
    let ordinary = LabOptions::default().as_ordinary_user(true);
    let Some(mut lab) = Lab::or_skip(ordinary) else { return };
    assert!(!lab.kernel().real_time);
    let options = RunOptions::default().with_priority(Priority::RealTime);
    match lab.run_with(&scenario(FAMILY), options) {
        Err(LabError::Lacking(why)) => {
            assert!(why.reason.contains("real-time") && why.remedy.contains("--priority"), "{why}");
        }
        other => panic!("{other:?}"),
    }
    assert!(lab.run(&scenario(FAMILY)).is_ok(), "without it can go on");
    // Who wants nothing else is told at once.
    match Lab::open(ordinary.with_priority(Priority::RealTime)) {
        Err(why) => assert!(why.reason.contains("real-time") && why.remedy.contains("--priority"), "{why}"),
        Ok(_) => panic!("it can have none"),
    }
}
