//! The same scenario shows the same, however and how often it is run.

mod common;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use common::scenario;
use pidlab_realkernel::{Lab, LabOptions, Sharing, allowed_cpus, bare};
use pidlab_scenario::{Fact, Machine, Run, Scenario, library};

/// Scenarios of which Linux leaves the outcome open: how many signals a handler hears of, and of whom.
const OPEN: &[&str] = &["death/six-deaths-and-one-handler", "signals/continued-to-its-death", "reboot/its-last-words"];

/// Every scenario of the library that this kernel can run and that has one outcome.
fn scenarios(lab: &Lab) -> Vec<Scenario> {
    let facts = &lab.kernel().facts;
    let parsed =
        library::files().map(|file| Scenario::parse(&file.name, &file.path, file.text).expect("the library is right"));
    parsed
        .filter(|scenario| scenario.needs.iter().all(|need| need.is_met(facts) && !need.is_for_the_model_alone()))
        .filter(|scenario| !OPEN.contains(&&scenario.name[..]))
        .collect()
}

fn runs(lab: &mut Lab, scenarios: &[Scenario]) -> Vec<Run> {
    scenarios.iter().map(|scenario| lab.run(scenario).expect("the run comes to its end")).collect()
}

/// A scenario with what a slip of the observer would show first: a death that several are told of, a call that returns late, an
/// init that cannot die yet.
fn delicate() -> Scenario {
    scenario(
        r#"
        { by = "host", call = "sigaction", signal = "SIGCHLD", action = "handle" },
        { by = "host", call = "unshare" },
        { by = "host", call = "fork", child = "init" },
        { by = "host", call = "fork", child = "member" },
        { by = "init", call = "fork", child = "father" },
        { by = "father", call = "fork", child = "leaf" },
        { by = "init", call = "sigaction", signal = "SIGCHLD", action = "ignore" },
        { by = "init", call = "wait", pid = "any" },
        { by = "leaf", call = "exit", status = 1 },
        { by = "father", call = "exit", status = 2 },
        { by = "init", call = "exit", status = 3 },
        { by = "host", call = "wait", pid = "member" },
        { by = "host", call = "wait", pid = "init" },
        "#,
    )
}

#[test]
fn with_shared_and_with_own_memory() {
    let Some(mut shared) = Lab::or_skip(LabOptions::default().with_sharing(Sharing::Shared)) else { return };
    let Some(mut own) = Lab::or_skip(LabOptions::default().with_sharing(Sharing::Own)) else { return };
    let scenarios = scenarios(&shared);
    for scenario in scenarios.iter().chain([&delicate(), &bare::scenario()]) {
        assert_eq!(shared.run(scenario).expect("a run"), own.run(scenario).expect("a run"), "{}", scenario.name);
    }
}

#[test]
fn as_root_and_as_an_ordinary_user() {
    let Some(mut first) = Lab::or_skip(LabOptions::default()) else { return };
    let Some(mut user) = Lab::or_skip(LabOptions::default().as_ordinary_user(true)) else { return };
    assert!(user.kernel().user_namespace);
    // One kernel, but an ordinary user has only the one user, and is not the machine's root.
    const OF_ROOT: [Fact; 2] = [Fact::AnotherUser, Fact::MachineRoot];
    let alike = |lab: &Lab| OF_ROOT.into_iter().fold(lab.kernel().facts.clone(), |facts, fact| facts.with(fact, false));
    assert_eq!(alike(&first), alike(&user));
    assert!(OF_ROOT.iter().all(|fact| !user.kernel().facts.holds(*fact)));
    let scenarios = scenarios(&user);
    for scenario in &scenarios {
        assert_eq!(first.run(scenario).expect("a run"), user.run(scenario).expect("a run"), "{}", scenario.name);
    }
}

#[test]
fn with_results_only() {
    let Some(mut lab) = Lab::or_skip(LabOptions::default()) else { return };
    for scenario in scenarios(&lab).iter().chain([&delicate()]) {
        let full = lab.run(scenario).expect("a run");
        let results = lab.run_results_only(scenario).expect("a run");
        assert_eq!(full.refused, results.refused);
        let said = |run: &Run| -> Vec<_> {
            run.observations.iter().map(|seen| (seen.outcome.clone(), seen.returned.clone())).collect()
        };
        assert_eq!(said(&full), said(&results), "{}", scenario.name);
        // Handlers are reported since the last look, and here that is longer ago.
        let world = |run: &Run| {
            let mut processes = run.observations.last().expect("a run has a start").processes.clone();
            processes.iter_mut().for_each(|process| process.handled.clear());
            processes
        };
        if full.refused.is_none() {
            let numbers =
                |run: &Run| world(run).into_iter().map(|view| (view.role, view.state, view.pids)).collect::<Vec<_>>();
            assert_eq!(numbers(&full), numbers(&results), "{}", scenario.name);
        }
    }
}

#[test]
fn by_two_labs_at_once() {
    let cpus = allowed_cpus();
    let labs: Option<Vec<Lab>> =
        (0..2).map(|index| Lab::or_skip(LabOptions::default().on_cpu(cpus.get(index % cpus.len()).copied()))).collect();
    let Some(labs) = labs else { return };
    let scenarios = scenarios(&labs[0]);
    let told: Vec<Vec<Run>> = thread::scope(|scope| {
        let scenarios = &scenarios;
        let running: Vec<_> = labs.into_iter().map(|mut lab| scope.spawn(move || runs(&mut lab, scenarios))).collect();
        running.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    assert_eq!(told[0], told[1]);
}

/// A thousand runs, each compared with the first.
fn a_thousand_times(scenario: &Scenario, lab: &mut Lab) {
    let first = lab.run(scenario).expect("a run");
    assert_eq!(first.refused, None);
    for number in 1..1000 {
        assert_eq!(lab.run(scenario).expect("a run"), first, "run {number}");
    }
}

#[test]
fn a_thousand_times_in_a_row() {
    let Some(mut lab) = Lab::or_skip(LabOptions::default()) else { return };
    a_thousand_times(&bare::scenario(), &mut lab);
    a_thousand_times(&delicate(), &mut lab);
}

#[test]
fn a_thousand_times_beside_a_busy_loop_on_every_cpu() {
    let Some(mut lab) = Lab::or_skip(LabOptions::default()) else { return };
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in allowed_cpus() {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        a_thousand_times(&delicate(), &mut lab);
        stop.store(true, Ordering::Relaxed);
    });
}
