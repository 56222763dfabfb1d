//! The search held against one that is too simple to be wrong: every order of turns, one after the other, nothing remembered, nothing
//! given up.

use std::collections::HashSet;

use pidlab_scenario::random::{self, RandomConfig, Theme};
use pidlab_scenario::{
    Call, Errno, Facts, KillTarget, Machine as _, Observation, Outcome, Role, Scenario, Signal, SignalAction, Step,
    Target, WaitOptions,
};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use super::cast::Branch;
use super::{Judgement, Model};
use crate::World;
use crate::order::orders;
use crate::order::spare::Spare;

/// How many scenarios are tried in every order.
const SCENARIOS: usize = 300;
const STEPS: usize = 8;

/// How many turns the orders of one step may have together. Scenarios with more are left out.
const MOST_TURNS: usize = 20_000;

/// What a step comes to in some order of turns; `None` if there are too many orders.
fn every_order(model: &Model, step: &Step) -> Option<HashSet<Observation>> {
    let mut outcomes = HashSet::new();
    let mut turns = 0;
    for branch in &model.branches {
        let Ok(begun) = branch.begin_all(step, &mut Spare::default()) else { continue };
        let mut open: Vec<Branch> = begun;
        while let Some(mut branch) = open.pop() {
            if branch.world.run_queue.is_empty() {
                outcomes.insert(branch.conclude(step).observation);
                continue;
            }
            for next in branch.world.run_queue.iter().copied() {
                turns += 1;
                let mut ran = branch.clone();
                orders::choose(&mut ran.world, next);
                open.push(ran);
            }
            if turns > MOST_TURNS {
                return None;
            }
        }
    }
    Some(outcomes)
}

/// Observations that are like this one but for one thing.
fn changed(seen: &Observation) -> Vec<Observation> {
    let mut all = Vec::new();
    let mut change = |change: &dyn Fn(&mut Observation)| {
        let mut other = seen.clone();
        change(&mut other);
        all.extend(Some(other).filter(|other| other != seen));
    };
    change(&|other| other.outcome = Some(Outcome::Ok(777)));
    change(&|other| drop(other.returned.pop()));
    change(&|other| drop(other.processes.pop()));
    for index in 0..seen.processes.len() {
        change(&|other| other.processes[index].ppid += 7);
        change(&|other| other.processes[index].parent = None);
        change(&|other| other.processes[index].handled.reverse());
        change(&|other| other.processes[index].handled.truncate(seen.processes[index].handled.len().saturating_sub(1)));
        change(&|other| {
            let again = other.processes[index].handled.clone();
            other.processes[index].handled.extend(again);
        });
    }
    all
}

/// How many steps were tried, and how many of them had more than one outcome.
#[derive(Default)]
struct Tried {
    steps: usize,
    open: usize,
}

/// Tries every step of a scenario in every order; goes on from one of the outcomes. `None` if some step has too many orders.
fn try_scenario(scenario: &Scenario, choice: usize) -> Option<Tried> {
    let mut tried = Tried::default();
    let mut model = Model::new(Facts::newest());
    model.start(scenario);
    for (index, step) in scenario.steps.iter().enumerate() {
        let naive = every_order(&model, step)?;
        // After a choice that Linux leaves open the generator's next step may be impossible: in every world, or there is an outcome.
        let Ok(outcomes) = model.outcomes(step, 4096) else {
            assert!(naive.is_empty(), "{}", scenario.to_toml());
            continue;
        };
        let found: HashSet<Observation> = outcomes.answers.iter().map(|answer| answer.observation.clone()).collect();
        assert_eq!(found.len(), outcomes.answers.len(), "an outcome is listed twice");
        let missing: Vec<&Observation> = naive.symmetric_difference(&found).collect();
        assert!(outcomes.complete && missing.is_empty(), "step {}: {missing:#?}\n{}", index + 1, scenario.to_toml());
        for seen in &naive {
            let judged = model.clone().judge(scenario, step, seen);
            let agrees = matches!(&judged, Ok(Judgement::Agrees(answer)) if answer.observation == *seen);
            assert!(agrees, "step {}: {judged:?} of {seen:?}\n{}", index + 1, scenario.to_toml());
            for other in changed(seen).into_iter().filter(|other| !naive.contains(other)) {
                let judged = model.clone().judge(scenario, step, &other);
                let differs = matches!(judged, Ok(Judgement::Differs(_)));
                assert!(differs, "step {}: {judged:?} of {other:?}\n{}", index + 1, scenario.to_toml());
            }
        }
        tried.steps += 1;
        tried.open += usize::from(naive.len() > 1);
        let next = &outcomes.answers[(choice + index) % outcomes.answers.len()].observation;
        assert!(matches!(model.judge(scenario, step, next), Ok(Judgement::Agrees(_))));
    }
    Some(tried)
}

/// Everybody that host can kill dies at the end, and everybody handles SIGCHLD, unless the scenario says otherwise.
fn heard_of(scenario: &mut Scenario) {
    let step = |call| Step::new(Role::HOST, call);
    scenario.steps.insert(0, step(Call::Sigaction { signal: Signal::CHLD, action: SignalAction::Handle }));
    let everybody = KillTarget::Pid(Target::Number(-1));
    scenario.steps.push(step(Call::Kill { target: everybody, signal: Some(Signal::KILL) }));
}

#[test]
fn the_search_finds_what_every_order_leads_to() {
    let mut runner = TestRunner::deterministic();
    let choices = random::choices(STEPS);
    let (mut scenarios, mut left_out, mut all) = (0, 0, Tried::default());
    for case in 0.. {
        if scenarios == SCENARIOS {
            break;
        }
        let choices = choices.new_tree(&mut runner).expect("lists of bytes can always be had").current();
        let config = RandomConfig::about(Theme::ALL[case % Theme::ALL.len()]);
        let mut scenario = random::scenario(&choices, &mut Model::new(Facts::newest()), &config);
        scenario.steps.truncate(STEPS - 2);
        if case % 4 > 0 {
            heard_of(&mut scenario);
        }
        match try_scenario(&scenario, case) {
            None => left_out += 1,
            Some(tried) => {
                scenarios += 1;
                all.steps += tried.steps;
                all.open += tried.open;
            }
        }
    }
    println!("{} steps, {} with several outcomes; {left_out} scenarios had too many orders", all.steps, all.open);
    assert!(all.open >= 40, "only {} steps had several outcomes", all.open);
    assert!(left_out < SCENARIOS / 4, "{left_out} scenarios had too many orders");
}

/// Seen on user-mode Linux 7.2.7: a process with a parent-death signal hears of every thread that it is handed on from, if the thread that
/// ends the process is the last of the three to go.
#[test]
fn who_ends_a_process_may_be_its_last_thread() {
    let text = r#"
        title = "Three threads go one after another"
        steps = [
          { by = "host",  call = "fork",          child = "app" },
          { by = "app",   call = "clone",         child = "maker", flags = ["CLONE_VM", "CLONE_SIGHAND", "CLONE_THREAD"] },
          { by = "maker", call = "fork",          child = "kid" },
          { by = "kid",   call = "set_pdeathsig", signal = "SIGUSR1" },
          { by = "kid",   call = "sigaction",     signal = "SIGUSR1", action = "handle" },
          { by = "app",   call = "clone",         child = "ender", flags = ["CLONE_VM", "CLONE_SIGHAND", "CLONE_THREAD"] },
          { by = "ender", call = "exit",          status = 1 },
        ]
    "#;
    let scenario = Scenario::parse("three", "three.toml", text).expect("it is a scenario");
    let (last, before) = scenario.steps.split_last().expect("it has steps");
    let mut model = Model::new(Facts::newest());
    model.start(&scenario);
    for step in before {
        model.step(&scenario, step).expect("it can be taken");
    }
    let kid = scenario.role("kid").expect("it has that role");
    let answers = model.outcomes(last, 1000).expect("it can be taken").answers;
    let heard = answers.iter().map(|answer| answer.observation.process(kid).map_or(0, |view| view.handled.len()));
    assert_eq!(heard.collect::<std::collections::BTreeSet<_>>(), [1, 2, 3].into());
}

/// Found by a random scenario: worlds that differ in nothing but how somebody ended who is in none of them any more went on as one.
#[test]
fn how_one_ended_is_told_apart_for_as_long_as_somebody_can_ask() {
    let text = r#"
        title = "An exit signal comes before the end of the namespace, or after it"
        steps = [
          { by = "host",  call = "clone",   child = "init", flags = ["CLONE_NEWPID"] },
          { by = "init",  call = "clone",   child = "other", flags = ["CLONE_VM", "CLONE_SIGHAND", "CLONE_THREAD"] },
          { by = "init",  call = "fork",    child = "shell" },
          { by = "shell", call = "clone",   child = "tool", exit_signal = "SIGTERM" },
          { by = "tool",  call = "reboot",  how = "power_off" },
          { by = "host",  call = "getppid" },
          { by = "host",  call = "wait",    pid = "init" },
          { by = "host",  call = "look",    pidfd = "shell", via = "pidfd-exit" },
        ]
    "#;
    let scenario = Scenario::parse("asked", "asked.toml", text).expect("it is a scenario");
    let (last, before) = scenario.steps.split_last().expect("it has steps");
    let mut model = Model::new(Facts::newest());
    let seen = Model::new(Facts::newest()).run(&scenario).expect("the model runs everything");
    model.start(&scenario);
    for (step, seen) in before.iter().zip(&seen.observations[1..]) {
        assert!(matches!(model.judge(&scenario, step, seen), Ok(Judgement::Agrees(_))));
    }
    let mut statuses: Vec<String> = model
        .outcomes(last, 1000)
        .expect("it can be taken")
        .answers
        .iter()
        .map(|answer| format!("{:?}", answer.observation.outcome))
        .collect();
    statuses.sort();
    assert_eq!(statuses.len(), 2, "{statuses:?}");
    assert!(statuses[0].contains("Signal(15)") && statuses[1].contains("Signal(9)"), "{statuses:?}");
}

/// The order of births is that in which kill(-1) goes round.
#[test]
fn after_the_last_count_births_keep_their_order() -> Result<(), Errno> {
    let mut world = World::new();
    let host = world.host();
    let oldest = world.fork(host)?;
    let reaped = world.fork(host)?;
    world.exit(reaped, 0);
    world.wait4(host, -1, WaitOptions::empty())?;
    world.births = u32::MAX - 1;
    let last = world.fork(host)?;
    let next = world.fork(host)?;
    let born = [host, oldest, last, next].map(|task| world.pids[world.task(task).thread_pid].born);
    assert_eq!(born, [1, 2, 3, 4]);
    assert_eq!(world.births, 4);
    Ok(())
}
