//! The search through the orders of events decides, and quickly, where very many outcomes are possible: children of one handler that
//! die at once. With `--nocapture` it says how many worlds were looked at, and how long that took.
#![expect(clippy::unwrap_used, reason = "a failed expectation is a failed test")]

use std::collections::BTreeSet;
use std::time::Instant;

use pidlab_scenario::{CallName, Facts, Handled, Observation, Role, Scenario, Step};
use pidlab_sim::{Judgement, Model};

/// Children of host in the namespace of an init that ends; host handles SIGCHLD. The init's end is the last step.
fn deaths(children: usize) -> Scenario {
    let mut built = Scenario::builder("Deaths at once")
        .step("host", CallName::Clone)
        .with("child", "i")
        .with("flags", ["CLONE_NEWPID"])
        .step("host", CallName::Sigaction)
        .with("signal", "SIGCHLD")
        .with("action", "handle")
        .step("host", CallName::Setns)
        .with("to", "i");
    for child in 0..children {
        built = built.step("host", CallName::Fork).with("child", format!("c{child}"));
    }
    built.step("i", CallName::Exit).build().unwrap()
}

/// The model before the last step, and that step.
fn before(scenario: &Scenario) -> (Model, &Step) {
    let mut model = Model::new(Facts::newest());
    model.start(scenario);
    let (last, before) = scenario.steps.split_last().unwrap();
    for step in before {
        model.step(scenario, step).unwrap();
    }
    (model, last)
}

/// The children that host's handler heard of, in order.
fn heard(observation: &Observation) -> Vec<u32> {
    observation.process(Role::HOST).unwrap().handled.iter().map(|got| got.si_pid).collect()
}

/// The numbers of these children, as host has them: host is 1, and the init 2.
fn numbers(children: impl IntoIterator<Item = usize>) -> Vec<u32> {
    children.into_iter().map(|child| u32::try_from(child).unwrap() + 3).collect()
}

/// Every list of some of the children, each at most once, but the empty one.
fn ordered_subsets(children: usize) -> BTreeSet<Vec<u32>> {
    let mut all = BTreeSet::new();
    let mut open = vec![Vec::new()];
    while let Some(list) = open.pop() {
        for next in numbers(0..children).into_iter().filter(|next| !list.contains(next)) {
            let longer: Vec<u32> = list.iter().copied().chain([next]).collect();
            open.push(longer.clone());
            all.insert(longer);
        }
    }
    all
}

/// Judges a world in which the handler heard of these at the last step. Says what that took; panics if it is not decided.
fn is_allowed(children: usize, numbers: &[u32]) -> bool {
    let scenario = deaths(children);
    let (mut model, last) = before(&scenario);
    let mut seen = model.clone().step(&scenario, last).unwrap().observation;
    let host = seen.processes.iter_mut().find(|view| view.role == Role::HOST).unwrap();
    let like = host.handled[0];
    host.handled = numbers.iter().map(|number| Handled { si_pid: *number, ..like }).collect();
    let since = Instant::now();
    let judged = model.judge(&scenario, last, &seen).unwrap();
    println!("{children} deaths, {numbers:?}: {} worlds, {:?}", model.looked_at(), since.elapsed());
    match judged {
        Judgement::Agrees(answer) => {
            assert_eq!(answer.observation, seen);
            true
        }
        Judgement::Differs(outcomes) => {
            assert!(outcomes.answers.iter().all(|answer| answer.observation != seen), "{numbers:?}");
            false
        }
        Judgement::NotDecided { worlds } => panic!("{numbers:?}: not decided after {worlds} worlds"),
    }
}

/// Stories that Linux may show: first come first served, in order, in no order, and with most deaths unheard of.
fn possible(children: usize) -> Vec<Vec<u32>> {
    let scenario = deaths(children);
    let (mut model, last) = before(&scenario);
    let canonical = heard(&model.step(&scenario, last).unwrap().observation);
    let mixed = (0..children / 2).flat_map(|child| [child, children - 1 - child]);
    let mut all = vec![
        canonical,
        numbers(0..children),
        numbers((0..children).rev()),
        numbers(mixed),
        numbers((0..children).step_by(2)),
        numbers([children - 1, 0]),
    ];
    all.extend((0..children).map(|child| numbers([child])));
    all
}

/// Stories that it may not show.
fn impossible(children: usize) -> [Vec<u32>; 5] {
    [
        // Nobody heard of: a signal is lost only to one that is pending.
        vec![],
        // A child dies once.
        numbers([0, 0]),
        numbers((0..children).chain([0])),
        // That number is nobody's.
        numbers([1, children]),
        // The init is not dead yet: it waits for the children to be reaped.
        vec![2],
    ]
}

#[test]
fn six_deaths_are_decided() {
    assert!(possible(6).iter().all(|numbers| is_allowed(6, numbers)));
    assert!(!impossible(6).iter().any(|numbers| is_allowed(6, numbers)));
}

/// To say what would have been allowed instead takes longest, so one impossible story will do.
#[test]
fn eight_deaths_are_decided() {
    assert!(possible(8).iter().all(|numbers| is_allowed(8, numbers)));
    assert!(!is_allowed(8, &impossible(8)[1]));
}

/// What is allowed, and what is listed, is the same: each subset of the children in each order.
#[test]
fn six_deaths_have_as_many_outcomes_as_there_are_ordered_subsets() {
    let scenario = deaths(6);
    let (model, last) = before(&scenario);
    let since = Instant::now();
    let outcomes = model.outcomes(last, 10_000).unwrap();
    println!("6 deaths: {} outcomes, {:?}", outcomes.answers.len(), since.elapsed());
    assert!(outcomes.complete);
    let found: BTreeSet<Vec<u32>> = outcomes.answers.iter().map(|answer| heard(&answer.observation)).collect();
    assert_eq!(found.len(), outcomes.answers.len(), "the outcomes differ in nothing else");
    assert_eq!(found.len(), 1956);
    assert!(found == ordered_subsets(6));
    // Who asks for fewer is told that there are more.
    assert!(!model.outcomes(last, 1955).unwrap().complete);
}

/// Who makes a scenario's first process its own by an exec is host from then on, and whoever gets the old one's place is not.
#[test]
fn deaths_below_a_host_that_is_another_thread_are_as_open() {
    let thread = ["CLONE_THREAD", "CLONE_SIGHAND", "CLONE_VM"];
    let mut built = Scenario::builder("Another thread is host")
        .step("host", CallName::Clone)
        .with("child", "t")
        .with("flags", thread)
        .step("t", CallName::Exec)
        .step("t", CallName::Clone)
        .with("child", "i")
        .with("flags", ["CLONE_NEWPID"])
        .step("t", CallName::Sigaction)
        .with("signal", "SIGCHLD")
        .with("action", "handle")
        .step("t", CallName::Setns)
        .with("to", "i");
    for child in ["a", "b", "c"] {
        built = built.step("t", CallName::Fork).with("child", child);
    }
    let scenario = built.step("i", CallName::Exit).build().unwrap();
    let (model, last) = before(&scenario);
    let outcomes = model.outcomes(last, 100).unwrap();
    assert_eq!((outcomes.answers.len(), outcomes.complete), (3 + 6 + 6, true));
}
