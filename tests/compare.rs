//! What the comparison calls a difference, and what a mistake of the scenario.

use std::collections::BTreeSet;

use pidlab::compare::{Problem, Side, Verdict, kernel_only, with_model};
use pidlab_scenario::{
    CallName, ChildStatus, Errno, Facts, Handled, Harm, Machine, NamespaceId, Observation, Outcome, ProcessView,
    Refusal, Refused, Role, Run, Scenario, Signal, State, Unmodelled, WaitStatus,
};
use pidlab_sim::Model;

fn model() -> Model {
    Model::new(Facts::newest())
}

fn scenario(last: &str) -> Scenario {
    let text = format!("title = \"A claim\"\nsteps = [ {{ by = \"host\", call = \"getpid\" }}, {last} ]");
    Scenario::parse("compare", "compare.toml", &text).unwrap_or_else(|wrong| panic!("{wrong}"))
}

/// The verdict on a kernel that takes the first step as the model does, and refuses the second.
fn refused_by_the_kernel(last: &str, why: Refusal) -> Verdict {
    let first = model().run(&scenario(r#"{ by = "host", call = "getpid" }"#)).map(|run| run.observations);
    let Ok(mut observations) = first;
    observations.truncate(2);
    let run = Run { observations, refused: Some(Refused { step: 2, why }) };
    with_model(&mut model(), &scenario(last), Some(&run))
}

#[test]
fn what_one_machine_alone_does_not_know_is_a_difference() {
    let call = CallName::Setuid;
    let unknown = |uid| Refusal::NotModelled { call, what: Unmodelled::User(uid) };
    let only_kernel = refused_by_the_kernel(r#"{ by = "host", call = "getpid" }"#, unknown(7));
    assert!(matches!(only_kernel.problems[..], [Problem::OneRefused { side: Side::Kernel, .. }]), "{only_kernel:?}");
    let other_reasons = refused_by_the_kernel(r#"{ by = "host", call = "setuid", uid = 7 }"#, unknown(8));
    assert!(matches!(other_reasons.problems[..], [Problem::OneRefused { side: Side::Model, .. }]), "{other_reasons:?}");
    let both = refused_by_the_kernel(r#"{ by = "host", call = "setuid", uid = 7 }"#, unknown(7));
    assert!(both.problems.is_empty() && both.mistake.is_some(), "{both:?}");
}

#[test]
fn what_only_the_model_knows_is_a_difference_too() {
    let step = r#"{ by = "host", call = "setuid", uid = 7 }"#;
    let Ok(run) = model().run(&scenario(r#"{ by = "host", call = "getpid" }"#));
    let verdict = with_model(&mut model(), &scenario(step), Some(&run));
    assert!(matches!(verdict.problems[..], [Problem::OneRefused { side: Side::Model, .. }]), "{verdict:?}");
}

#[test]
fn what_a_machine_refuses_for_safety_the_model_may_run() {
    let why = Refusal::Harmful { call: CallName::Abort, harm: Harm::EndlessAbort };
    let verdict = refused_by_the_kernel(r#"{ by = "host", call = "getpid" }"#, why);
    assert!(verdict.problems.is_empty() && verdict.mistake == Some(Refused { step: 2, why }), "{verdict:?}");
}

/// A scenario in which everything that an observation can show is shown.
const RICH: &str = r#"
title = "Something of everything"
steps = [
  { by = "host",   call = "clone",     child = "init", flags = ["CLONE_NEWPID"] },
  { by = "init",   call = "sigaction", signal = "SIGCHLD", action = "handle" },
  { by = "init",   call = "clone",     child = "thread", flags = ["CLONE_VM", "CLONE_SIGHAND", "CLONE_THREAD"] },
  { by = "init",   call = "fork",      child = "long" },
  { by = "long",   call = "setsid" },
  { by = "init",   call = "fork",      child = "short" },
  { by = "host",   call = "kill",      pid = "long", signal = "SIGSTOP" },
  { by = "thread", call = "wait",      pid = "long", blocks = true },
  { by = "host",   call = "kill",      pid = "long", signal = "SIGKILL" },
  { by = "short",  call = "exit",      status = 3 },
  { by = "init",   call = "wait",      pid = "short", returns = "short" },
  { by = "init",   call = "sigpending" },
]"#;

fn rich() -> (Scenario, Run) {
    let scenario = Scenario::parse("rich", "rich.toml", RICH).unwrap_or_else(|wrong| panic!("{wrong}"));
    let Ok(run) = model().run(&scenario);
    assert!(run.refused.is_none(), "{run:?}");
    (scenario, run)
}

/// One thing that is shown otherwise; it answers whether it was there to be changed.
type Change<T> = (&'static str, fn(&mut T) -> bool);

const OF_THE_WORLD: &[Change<Observation>] = &[
    ("the outcome", |seen| seen.outcome.replace(Outcome::Err(Errno::EPERM)).is_some()),
    ("a status", |seen| match &mut seen.outcome {
        Some(Outcome::Waited { status, .. }) => {
            std::mem::replace(status, WaitStatus::Exited(77)) != WaitStatus::Exited(77)
        }
        _ => false,
    }),
    ("a child", |seen| match &mut seen.outcome {
        Some(Outcome::Waited { child, .. }) => std::mem::replace(child, Role::HOST) != Role::HOST,
        _ => false,
    }),
    ("a number", |seen| match &mut seen.outcome {
        Some(Outcome::Waited { number, .. } | Outcome::Ok(number)) => std::mem::replace(number, 77) != 77,
        _ => false,
    }),
    ("one call less that returned", |seen| seen.returned.pop().is_some()),
    ("another call that returned", |seen| {
        seen.returned.first_mut().map(|returned| returned.outcome = Outcome::Ok(77)).is_some()
    }),
    ("one process less", |seen| seen.processes.pop().is_some()),
    ("one process more", |seen| {
        let more = seen.processes.last().cloned().map(|last| ProcessView { role: Role(last.role.0 + 1), ..last });
        more.map(|more| seen.processes.push(more)).is_some()
    }),
];

const OF_A_PROCESS: &[Change<ProcessView>] = &[
    ("a role", |view| {
        view.role = Role(view.role.0 + 77);
        true
    }),
    ("whose thread it is", |view| std::mem::replace(&mut view.thread_of, Some(Role(77))) != Some(Role(77))),
    ("running for stopped", |view| std::mem::replace(&mut view.state, State::Running) == State::Stopped),
    ("stopped for running", |view| std::mem::replace(&mut view.state, State::Stopped) == State::Running),
    ("blocked for a zombie", |view| std::mem::replace(&mut view.state, State::Blocked) == State::Zombie),
    ("its numbers", |view| view.pids.last_mut().map(|number| *number += 77).is_some()),
    ("its namespaces", |view| view.namespaces.last_mut().map(|id| *id = NamespaceId(77)).is_some()),
    ("its parent", |view| std::mem::replace(&mut view.parent, Some(Role(77))) != Some(Role(77))),
    ("its parent's number", |view| std::mem::replace(&mut view.ppid, 77) != 77),
    ("its group", |view| std::mem::replace(&mut view.pgid, 77) != 77),
    ("its session", |view| std::mem::replace(&mut view.sid, 77) != 77),
    ("a signal less", |view| view.handled.pop().is_some()),
    ("a signal more", |view| {
        view.handled.push(Handled { signal: Signal::USR1, si_pid: 0, child: None });
        true
    }),
    ("another sender", |view| view.handled.last_mut().map(|handled| handled.si_pid += 77).is_some()),
    ("another end of a child", |view| {
        view.handled.last_mut().map(|handled| handled.child = Some(ChildStatus::Exited(77))).is_some()
    }),
];

/// Whether the model, held against this run, finds the first difference at this step.
fn differs_at(scenario: &Scenario, run: &Run, at: usize) -> bool {
    let verdict = with_model(&mut model(), scenario, Some(run));
    matches!(verdict.problems[..], [Problem::Difference { step, .. }, ..] if step == at)
}

#[test]
fn whatever_is_shown_otherwise_is_a_difference() {
    let (scenario, run) = rich();
    let verdict = with_model(&mut model(), &scenario, Some(&run));
    assert!(verdict.agrees() && verdict.compared == scenario.steps.len(), "{verdict:?}");
    let mut tried = BTreeSet::new();
    for step in 0..run.observations.len() {
        for (what, change) in OF_THE_WORLD {
            let mut other = run.clone();
            if change(&mut other.observations[step]) {
                assert!(differs_at(&scenario, &other, step), "{what} at step {step}");
                tried.insert(*what);
            }
        }
        for process in 0..run.observations[step].processes.len() {
            for (what, change) in OF_A_PROCESS {
                let mut other = run.clone();
                if change(&mut other.observations[step].processes[process]) {
                    assert!(differs_at(&scenario, &other, step), "{what} of process {process} at step {step}");
                    tried.insert(*what);
                }
            }
        }
    }
    assert_eq!(tried.len(), OF_THE_WORLD.len() + OF_A_PROCESS.len(), "only {tried:?} could be shown otherwise");
}

/// Eighteen deaths have more orders than are looked at, and none of them makes host a member of session 77.
#[test]
fn a_search_that_is_given_up_is_no_agreement() {
    let mut text = String::from(
        "title = \"Too many orders\"\nsteps = [ { by = \"host\", call = \"clone\", child = \"init\", flags = [\"CLONE_NEWPID\"] },",
    );
    for member in 0..18 {
        text += &format!("{{ by = \"init\", call = \"fork\", child = \"m{member}\" }},");
    }
    text += "{ by = \"host\", call = \"kill\", pid = \"init\", signal = \"SIGKILL\" } ]";
    let scenario = Scenario::parse("many", "many.toml", &text).unwrap_or_else(|wrong| panic!("{wrong}"));
    let Ok(mut run) = model().run(&scenario);
    run.observations.last_mut().expect("a run has a start").processes[0].sid = 77;
    let verdict = with_model(&mut model(), &scenario, Some(&run));
    assert!(matches!(verdict.problems[..], [Problem::NotDecided { step: 20, .. }]), "{:?}", verdict.problems);
    assert!(verdict.is_not_decided() && !verdict.agrees());
}

#[test]
fn a_claim_is_held_against_the_kernel_too() {
    let scenario = scenario(r#"{ by = "host", call = "getpid", returns = 1 }"#);
    let Ok(mut run) = model().run(&scenario);
    assert!(kernel_only(&scenario, run.clone()).agrees());
    run.observations[2].outcome = Some(Outcome::Ok(7));
    let verdict = kernel_only(&scenario, run);
    assert!(matches!(verdict.problems[..], [Problem::Expectation { step: 2, side: Side::Kernel, .. }]), "{verdict:?}");
}
