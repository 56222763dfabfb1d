//! Runs in few words, to be compared with what is written down by hand.

use pidlab_realkernel::{Lab, LabOptions, Sharing};
use pidlab_scenario::{Machine, Observation, Outcome, Run, Scenario, State, WaitStatus};

use crate::common::scenario;

/// How often each lab runs each scenario: `PIDLAB_TEST_ROUNDS`, or a few times.
fn rounds() -> usize {
    std::env::var("PIDLAB_TEST_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(3)
}

/// A run in few words: a line for the start, and one for each step.
fn told(scenario: &Scenario, run: &Run) -> Vec<String> {
    run.observations.iter().map(|observation| line(scenario, observation)).collect()
}

/// `outcome; returned | name state pids parent/ppid pgid sid handled, …`; `+` is running, `?` blocked, `.` stopped, `t`
/// traced, `Z` zombie, `X` exiting, and `pids@leader` a thread.
fn line(scenario: &Scenario, observation: &Observation) -> String {
    let name = |role| scenario.role_name(role);
    let mut text = observation.outcome.as_ref().map_or("start".to_owned(), |gave| outcome(scenario, gave));
    for returned in &observation.returned {
        text += &format!("; {} {} {}", name(returned.by), returned.call, outcome(scenario, &returned.outcome));
    }
    text += " |";
    for process in &observation.processes {
        let state = match process.state {
            State::Running => '+',
            State::Blocked => '?',
            State::Stopped => '.',
            State::Traced => 't',
            State::Zombie => 'Z',
            State::Exiting => 'X',
        };
        let pids: Vec<String> = process.pids.iter().map(u32::to_string).collect();
        let parent = process.parent.map_or("-", name);
        let handled: String =
            process.handled.iter().map(|handled| format!(" {}<{}", handled.signal, handled.si_pid)).collect();
        let (ppid, pgid, sid) = (process.ppid, process.pgid, process.sid);
        let thread_of = process.thread_of.map_or(String::new(), |role| format!("@{}", name(role)));
        let numbers = format!("{}{thread_of} {parent}/{ppid} {pgid} {sid}", pids.join("."));
        text += &format!(" {}{state}{numbers}{handled},", name(process.role));
    }
    text.trim_end_matches(',').to_owned()
}

fn outcome(scenario: &Scenario, outcome: &Outcome) -> String {
    match outcome {
        Outcome::Ok(number) => number.to_string(),
        Outcome::Err(errno) => errno.to_string(),
        Outcome::Never => "never".to_owned(),
        Outcome::Blocks => "blocks".to_owned(),
        Outcome::Pending(_) | Outcome::Taken(_) | Outcome::Polled(_) | Outcome::Seen(_) => format!("{outcome:?}"),
        Outcome::Waited { number, child, status } => {
            let status = match status {
                WaitStatus::Exited(status) => format!("exited {status}"),
                WaitStatus::Killed(signal) => format!("killed {signal}"),
                WaitStatus::Stopped(signal) => format!("stopped {signal}"),
                WaitStatus::Continued => "continued".to_owned(),
            };
            format!("{number} {} {status}", scenario.role_name(*child))
        }
    }
}

/// Runs the steps in every kind of lab, and compares with what they must show: as root and as an ordinary user, and with shared
/// and with own memory where no step is about that.
#[track_caller]
pub(crate) fn shows(steps: &str, expected: &[&str]) {
    let about_memory = ["CLONE_VM", "CLONE_SIGHAND", "CLONE_THREAD"].iter().any(|flag| steps.contains(flag));
    let memory = if about_memory { &[Sharing::Auto][..] } else { &[Sharing::Shared, Sharing::Own] };
    for unprivileged in [false, true] {
        for sharing in memory.iter().copied() {
            let Some(mut lab) =
                Lab::or_skip(LabOptions::default().as_ordinary_user(unprivileged).with_sharing(sharing))
            else {
                return;
            };
            same(&scenario(steps), expected, &mut lab);
        }
    }
}

#[track_caller]
fn same(scenario: &Scenario, expected: &[&str], lab: &mut Lab) {
    for _ in 0..rounds() {
        let run = lab.run(scenario).expect("the run comes to its end");
        assert_eq!(run.refused, None);
        assert_eq!(told(scenario, &run), expected);
    }
}
