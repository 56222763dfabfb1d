//! Every claim on the kernel at hand: the verdict is worked out from what the kernel gave, and is that of the model of this kernel.
#![forbid(unsafe_code)]

use pidlab_claims::{Ruling, library};
use pidlab_realkernel::{Lab, LabOptions};
use pidlab_scenario::{Machine, Run};

#[test]
fn this_kernel_and_its_model_come_to_the_same_verdicts() {
    let Some(mut lab) = Lab::or_skip(LabOptions::default()) else { return };
    let facts = lab.kernel().facts.clone();
    let (mut decided, mut wrong) = (0, Vec::new());
    for case in library::cases() {
        let Ok(trials) = case.trials_on(&facts) else { continue };
        let runs: Vec<Run> = trials
            .iter()
            .map(|(_, trial)| lab.run(&trial.scenario).unwrap_or_else(|error| panic!("{}: {error}", case.id)))
            .collect();
        let kernel = case.on_runs(&facts, &runs).unwrap_or_else(|error| panic!("{}: {error}", case.id));
        let model = case.on_facts(&facts).unwrap_or_else(|error| panic!("{}: {error}", case.id));
        decided += usize::from(matches!(kernel.ruling, Ruling::Verdict(_)));
        let what = |heard: &pidlab_claims::Heard| -> Vec<_> {
            heard.trials.iter().flat_map(|tried| tried.held.clone()).map(|held| (held.step, held.came)).collect()
        };
        if kernel.ruling != model.ruling || what(&kernel) != what(&model) {
            wrong.push(format!("{}: {:?}, the model {:?}", case.id, what(&kernel), what(&model)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(decided >= 60, "{decided} claims were decided");
}

/// A scenario of a claim's own is run as any other: what it is written to claim holds on both machines, and each of its steps is taken.
#[test]
fn every_scenario_of_a_claims_own_runs_on_both_machines() {
    let Some(mut lab) = Lab::or_skip(LabOptions::default()) else { return };
    let facts = lab.kernel().facts.clone();
    let mut own = 0;
    for case in library::cases() {
        for trial in case.trials.iter().filter(|trial| !trial.in_library) {
            if !trial.written.needs.iter().all(|need| need.is_met(&facts)) {
                continue;
            }
            let run = lab.run(&trial.written).unwrap_or_else(|error| panic!("{}: {error}", case.id));
            let mut model = pidlab_sim::Model::new(facts.clone());
            let expected = model.run(&trial.written).expect("the model always runs");
            assert_eq!(run, expected, "{}", trial.written.name);
            assert_eq!(run.observations.len(), trial.written.steps.len() + 1, "{}", trial.written.name);
            own += 1;
        }
    }
    assert!(own >= 10, "{own} scenarios");
}
