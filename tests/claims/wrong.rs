//! Each claim of the library is worth something: another one in its place makes its scenario fail.

use std::collections::BTreeSet;

use pidlab::claims::Whose;
use pidlab::compare::{self, Problem};
use pidlab::scenario::{
    CallName, ChildStatus, Claim, Errno, Expect, Fact, Facts, HandledClaim, Machine, OutcomeClaim, PollEvent,
    ProcessClaim, ReturnValue, ReturnedClaim, Role, Scenario, SeenValue, Signal, State, WaitStatus, library,
};
use pidlab::sim::Model;

fn outcome(claim: &OutcomeClaim) -> OutcomeClaim {
    match claim {
        OutcomeClaim::Result(Expect::Returns(ReturnValue::Number(number))) => {
            OutcomeClaim::Result(Expect::Returns(ReturnValue::Number(number + 1)))
        }
        OutcomeClaim::Result(Expect::Returns(ReturnValue::Role(_))) => {
            OutcomeClaim::Result(Expect::Returns(ReturnValue::Number(-7)))
        }
        OutcomeClaim::Result(Expect::Fails(Errno::EPERM)) => OutcomeClaim::Result(Expect::Fails(Errno::ESRCH)),
        OutcomeClaim::Result(Expect::Fails(_)) => OutcomeClaim::Result(Expect::Fails(Errno::EPERM)),
        OutcomeClaim::Result(Expect::Blocks) => OutcomeClaim::Result(Expect::Ends),
        OutcomeClaim::Result(Expect::Ends) => OutcomeClaim::Result(Expect::Blocks),
        OutcomeClaim::Status(status) => OutcomeClaim::Status(match status {
            WaitStatus::Exited(status) => WaitStatus::Exited(status.wrapping_add(1)),
            WaitStatus::Killed(signal) => WaitStatus::Stopped(*signal),
            WaitStatus::Stopped(signal) => WaitStatus::Killed(*signal),
            WaitStatus::Continued => WaitStatus::Exited(0),
        }),
        OutcomeClaim::Sees(field) => {
            let mut field = field.clone();
            match &mut field.value {
                SeenValue::Number(number) => *number += 1,
                SeenValue::Numbers(numbers) => numbers.push(77),
                SeenValue::Status(status) => {
                    *status = if status.is_none() { Some(WaitStatus::Continued) } else { None };
                }
                SeenValue::Translated(Ok(number)) => *number += 1,
                SeenValue::Translated(Err(_)) => field.value = SeenValue::Translated(Ok(0)),
            }
            OutcomeClaim::Sees(field)
        }
        OutcomeClaim::Pending(signals) => {
            let mut signals = signals.clone();
            if signals.pop().is_none() {
                signals.push(Signal::USR1);
            }
            OutcomeClaim::Pending(signals)
        }
        OutcomeClaim::Events(events) => {
            let mut events = events.clone();
            if events.pop().is_none() {
                events.push(PollEvent::Hup);
            }
            OutcomeClaim::Events(events)
        }
        OutcomeClaim::Took(claim) => OutcomeClaim::Took(handled(*claim).swap_remove(0)),
    }
}

/// Every part of a handled signal that is claimed, made wrong by itself.
fn handled(claim: HandledClaim) -> Vec<HandledClaim> {
    let signal = if claim.signal == Signal::HUP { Signal::INT } else { Signal::HUP };
    let mut wrong = vec![HandledClaim { signal, ..claim }];
    wrong.extend(claim.si_pid.map(|number| HandledClaim { si_pid: Some(number + 1), ..claim }));
    wrong.extend(claim.status.map(|status| {
        let status = if status == Some(ChildStatus::Continued) { None } else { Some(ChildStatus::Continued) };
        HandledClaim { status: Some(status), ..claim }
    }));
    wrong
}

fn process(role: Role, claim: &ProcessClaim) -> Vec<ProcessClaim> {
    let longer = |numbers: &[u32]| [numbers, &[77]].concat();
    let other = if role == Role::HOST { Some(Role(1)) } else { Some(role) };
    vec![match claim {
        ProcessClaim::State(State::Running) => ProcessClaim::State(State::Zombie),
        ProcessClaim::State(_) => ProcessClaim::State(State::Running),
        ProcessClaim::Pids(numbers) => ProcessClaim::Pids(longer(numbers)),
        ProcessClaim::Namespaces(numbers) => ProcessClaim::Namespaces([&numbers[..], &[77]].concat()),
        ProcessClaim::Parent(_) => ProcessClaim::Parent(other),
        ProcessClaim::Ppid(number) => ProcessClaim::Ppid(number + 1),
        ProcessClaim::Pgid(number) => ProcessClaim::Pgid(number + 1),
        ProcessClaim::Sid(number) => ProcessClaim::Sid(number + 1),
        ProcessClaim::ThreadOf(_) => ProcessClaim::ThreadOf(other),
        ProcessClaim::Tracer(_) => ProcessClaim::Tracer(Some(role)),
        ProcessClaim::Handled(all) => {
            let added = HandledClaim { signal: Signal::HUP, si_pid: None, status: None };
            let mut wrong = vec![ProcessClaim::Handled([&all[..], &[added]].concat())];
            for (index, one) in all.iter().enumerate() {
                let fewer = all.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, one)| *one);
                wrong.push(ProcessClaim::Handled(fewer.collect()));
                for other in handled(*one) {
                    let mut changed = all.clone();
                    changed[index] = other;
                    wrong.push(ProcessClaim::Handled(changed));
                }
            }
            return wrong;
        }
        ProcessClaim::Returned(None) => {
            ProcessClaim::Returned(Some(ReturnedClaim { call: Some(CallName::Wait), outcome: Vec::new() }))
        }
        ProcessClaim::Returned(Some(claim)) => {
            let mut wrong = vec![ProcessClaim::Returned(None)];
            for (index, one) in claim.outcome.iter().enumerate() {
                let mut changed = claim.clone();
                changed.outcome[index] = outcome(one);
                wrong.push(ProcessClaim::Returned(Some(changed)));
            }
            return wrong;
        }
    }]
}

/// What is not so if this is.
fn wrong(claim: &Claim) -> Vec<Claim> {
    match claim {
        Claim::Outcome(claim) => vec![Claim::Outcome(outcome(claim))],
        Claim::Gone(role) => vec![Claim::Process(*role, ProcessClaim::State(State::Zombie))],
        Claim::Process(role, claim) => {
            let mut wrong = vec![Claim::Gone(*role)];
            if matches!(claim, ProcessClaim::Returned(_)) {
                wrong.clear();
            }
            wrong.extend(process(*role, claim).into_iter().map(|claim| Claim::Process(*role, claim)));
            wrong
        }
    }
}

#[test]
fn another_claim_in_the_place_of_one_makes_its_scenario_fail() {
    let mut tried = 0;
    for file in library::files() {
        let scenario = Scenario::parse(&file.name, &file.path, file.text).unwrap_or_else(|wrong| panic!("{wrong}"));
        let mut model = Model::new(Facts::newest().with_all(&scenario.needs));
        for (index, step) in scenario.steps.iter().enumerate() {
            for (place, claim) in step.claimed().enumerate() {
                for other in wrong(&claim) {
                    // The claims of other steps only take time.
                    let mut changed = scenario.clone();
                    for (_, step) in changed.steps.iter_mut().enumerate().filter(|(other, _)| *other != index) {
                        step.expect = None;
                        step.claims.clear();
                    }
                    match (place, &other) {
                        (0, Claim::Outcome(OutcomeClaim::Result(expect))) if step.expect.is_some() => {
                            changed.steps[index].expect = Some(*expect);
                        }
                        _ => changed.steps[index].claims[place - usize::from(step.expect.is_some())] = other.clone(),
                    }
                    let verdict = compare::with_model(&mut model, &changed, None);
                    let found = verdict.problems.iter().any(|problem| {
                        matches!(problem, Problem::ClaimFailed(failed) if failed.step == index + 1 && failed.claim == other)
                    });
                    assert!(found, "{}, step {}: {other:?} holds", file.name, index + 1);
                    tried += 1;
                }
            }
        }
    }
    assert!(tried >= 1500, "only {tried}");
}

/// A claim is about every kernel that the scenario is about: who needs a fact says so.
#[test]
fn the_claims_of_the_library_hold_on_every_kind_of_kernel() {
    let scenarios = library::files()
        .map(|file| Scenario::parse(&file.name, &file.path, file.text).unwrap_or_else(|wrong| panic!("{wrong}")));
    let scenarios: Vec<Scenario> = scenarios.collect();
    let newest = Facts::newest();
    let turned = Fact::ALL.iter().map(|fact| newest.clone().with(*fact, !newest.holds(*fact)));
    let (mut wrong, mut held) = (BTreeSet::new(), 0);
    for kind in turned.chain([newest.clone(), Facts::oldest()]) {
        let mut model = Model::new(kind.clone());
        for scenario in scenarios.iter().filter(|scenario| scenario.needs.iter().all(|need| need.is_met(&kind))) {
            let Ok(run) = model.run(scenario);
            let looked = run.observations.iter().map(|observation| (Whose::Model, observation));
            for failed in pidlab::claims::on_one(scenario, looked) {
                let claim = failed.claim.written(scenario).pair();
                wrong.insert(format!("{}, step {}: {claim}: {:?}", scenario.name, failed.step, failed.told(scenario)));
            }
            held += 1;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.into_iter().collect::<Vec<_>>().join("\n"));
    assert!(held >= 1000, "only {held}");
}

/// Nothing that can be claimed is without an example, but for what looks show beside the point.
#[test]
fn every_kind_of_claim_is_in_the_library() {
    let mut made = BTreeSet::new();
    for file in library::files() {
        let scenario = Scenario::parse(&file.name, &file.path, file.text).unwrap_or_else(|wrong| panic!("{wrong}"));
        for claim in scenario.steps.iter().flat_map(|step| step.claimed()) {
            let written = claim.written(&scenario);
            made.insert(match written.value.as_str() {
                "\"gone\"" => "gone".to_owned(),
                _ => written.keys.last().expect("a claim has a key").clone(),
            });
        }
    }
    let outcomes = ["returns", "fails", "blocks", "ends", "status", "pending", "events", "gone"];
    let seen = [
        "tgid",
        "pid",
        "ppid",
        "tracer_pid",
        "uid",
        "nspid",
        "nspgid",
        "nssid",
        "listing",
        "self",
        "last_pid",
        "from",
        "into",
    ];
    let of_a_process =
        ["state", "pids", "namespaces", "parent", "pgid", "sid", "thread_of", "tracer", "handled", "returned"];
    let all = outcomes.iter().chain(&seen).chain(&of_a_process);
    let lacking: Vec<&&str> = all.filter(|kind| !made.contains(**kind)).collect();
    assert_eq!(lacking, Vec::<&&str>::new(), "no scenario claims them");
}
