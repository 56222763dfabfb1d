//! The shortest scenario that tells two models apart: it does, no step before the last one does, and its claims are true of the first alone.

use pidlab_explore::{Alphabet, Bounds, Other, Plan, tell_apart};
use pidlab_scenario::{Fact, Machine, Numbers, Observation, Scenario};
use pidlab_sim::{Misconception, Model};

fn plan(calls: &str, steps: u16) -> Plan {
    let mut bounds = Bounds::default();
    (bounds.steps, bounds.processes) = (steps, 4);
    Plan::new(Alphabet::from_words(calls).expect("there are these calls"), bounds)
}

fn run(model: Model, scenario: &Scenario) -> Vec<Observation> {
    let mut model = model;
    let run = model.run(scenario).expect("the model always runs");
    assert_eq!(run.refused, None);
    run.observations
}

/// How many of the claims of the last step hold on what it showed, of how many.
fn hold(scenario: &Scenario, observations: &[Observation]) -> (usize, usize) {
    let step = scenario.steps.last().expect("it has steps");
    let numbers = observations.iter().fold(Numbers::default(), |numbers, seen| numbers.after(seen));
    let last = observations.last().expect("it was observed");
    let claims: Vec<_> = step.claimed().collect();
    let true_ones = claims.iter().filter(|claim| claim.truth(step.by, last, &numbers) == **claim);
    (true_ones.count(), claims.len())
}

#[test]
fn misconceptions_are_told_from_the_truth_by_the_shortest_scenario() {
    let wanted = [
        (Misconception::OrphansGoToGrandparent, "fork,exit", 4),
        (Misconception::SubreaperReachesInside, "fork,clone CLONE_NEWPID,kill SIGKILL,set_child_subreaper", 5),
        (Misconception::InitDiesFromInside, "core", 1),
        (Misconception::NumbersRestartAtTwo, "fork,sysctl", 2),
    ];
    for (misconception, calls, length) in wanted {
        let plan = plan(calls, 6);
        let apart = tell_apart(&plan, &Other::misconceived(&plan, misconception), |_, _| ());
        let scenario = apart.scenario.unwrap_or_else(|| panic!("{misconception:?} is told apart"));
        assert_eq!((scenario.steps.len(), usize::from(apart.searched)), (length, length - 1), "{misconception:?}");
        assert_eq!(apart.given_up, 0);
        let truth = run(Model::new(plan.facts.clone()), &scenario);
        let belief = run(Model::misconceived(plan.facts.clone(), misconception), &scenario);
        assert_eq!(truth[..length], belief[..length], "{misconception:?}: only the last step tells");
        assert_ne!(truth, belief);
        let (held, claims) = hold(&scenario, &truth);
        assert!(claims > 0 && held == claims, "{}", scenario.to_toml());
        assert!(hold(&scenario, &belief).0 < claims, "{}", scenario.to_toml());
        let again = Scenario::parse("again", "again.toml", &scenario.to_toml()).expect("it is a scenario");
        assert_eq!(again.steps.len(), length);
    }
}

#[test]
fn a_fact_is_told_by_what_it_is_about() {
    let plan = plan("look", 2);
    let apart = tell_apart(&plan, &Other::unlike(&plan, Fact::PidTranslation), |_, _| ());
    let scenario = apart.scenario.expect("a look shows it");
    assert_eq!(scenario.steps.len(), 1);
    assert_eq!(scenario.needs.len(), 1);
}

/// The call has two flags, and each is a fact of its own: a kernel that knows only one of them fails it.
#[test]
fn what_else_the_claims_need_is_said() {
    let plan = plan("clone CLONE_AUTOREAP CLONE_PIDFD_AUTOKILL", 1);
    let apart = tell_apart(&plan, &Other::unlike(&plan, Fact::PidfdAutokill), |_, _| ());
    let scenario = apart.scenario.expect("it fails without");
    let needs: Vec<(Fact, bool)> = scenario.needs.iter().map(|need| (need.fact, need.holds)).collect();
    assert_eq!(needs, [(Fact::PidfdAutokill, true), (Fact::CloneAutoreap, true)]);
}

#[test]
fn a_model_is_not_told_from_itself() {
    let mut plan = plan("core", 3);
    plan.jobs = 2;
    let mut same = Other::misconceived(&plan, Misconception::NumbersRestartAtTwo);
    same.misconception = None;
    let apart = tell_apart(&plan, &same, |_, _| ());
    assert_eq!(apart.scenario, None);
    assert_eq!(apart.searched, 3);
    assert!(apart.pairs > 200 && apart.moves > 800);
}
