//! The scenario library on the model: every file is a true claim, told in a snapshot that a reviewer can read.

use std::collections::BTreeSet;

use pidlab::compare::Problem;
use pidlab::scenario::{Facts, Scenario, library};
use pidlab::sim::{Misconception, Model, rule};
use pidlab::{compare, tell};

fn scenarios() -> Vec<Scenario> {
    library::files()
        .map(|file| match Scenario::parse(&file.name, &file.path, file.text) {
            Ok(scenario) => scenario,
            Err(diagnostics) => panic!("{}", diagnostics.render(false)),
        })
        .collect()
}

/// The newest kernel that the scenario is about.
fn facts_for(scenario: &Scenario) -> Facts {
    Facts::newest().with_all(&scenario.needs)
}

#[test]
fn every_scenario_holds_on_the_model() {
    for scenario in scenarios() {
        assert_eq!(compare::unknown_rules(&scenario), Vec::<&str>::new(), "{}", scenario.name);
        let verdict = compare::with_model(&mut Model::new(facts_for(&scenario)), &scenario, None);
        let told = anstream::adapter::strip_str(&tell::run(&scenario, &verdict)).to_string();
        assert!(verdict.agrees(), "{}: {:?}\n{told}", scenario.name, verdict.mistake);
        insta::with_settings!({
            snapshot_path => "snapshots/library",
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, {
            insta::assert_snapshot!(scenario.name.replace('/', "__"), told);
        });
    }
}

#[test]
fn the_library_is_large_enough_and_each_file_claims_something() {
    let scenarios = scenarios();
    assert!(scenarios.len() >= 40, "only {} scenarios", scenarios.len());
    for scenario in &scenarios {
        let name = &scenario.name;
        assert!(scenario.steps.iter().any(|step| step.expect.is_some()), "{name}: no expectation");
        assert!(scenario.steps.iter().any(|step| step.ask.is_some()), "{name}: no question");
        assert!(!scenario.rules.is_empty(), "{name}: shows no rule");
        assert!(scenario.about.split_whitespace().count() >= 10, "{name}: does not say why it matters");
    }
    let titles: BTreeSet<&str> = scenarios.iter().map(|scenario| &scenario.title[..]).collect();
    assert_eq!(titles.len(), scenarios.len(), "two scenarios make the same claim");
}

/// Without any kernel: on each kind of kernel the reasons are those of that kind.
#[test]
fn no_rule_fires_on_the_other_side_of_its_fact() {
    for scenario in scenarios() {
        for kind in [facts_for(&scenario), Facts::oldest().with_all(&scenario.needs)] {
            let verdict = compare::with_model(&mut Model::new(kind.clone()), &scenario, None);
            for id in verdict.fired {
                let rule = rule::find(id).expect("what fires is in the catalogue");
                let is_so = rule.about.is_none_or(|(fact, holds)| kind.holds(fact) == holds);
                assert!(is_so, "{}: `{id}` fired where it is not so", scenario.name);
            }
        }
    }
}

/// Without any kernel: what an author wrote by hand is enough to refute each belief.
#[test]
fn every_misconception_is_refuted_by_the_expectations_of_some_scenario() {
    for belief in Misconception::ALL {
        let refuted = scenarios().iter().any(|scenario| {
            let mut model = Model::misconceived(facts_for(scenario), *belief);
            let verdict = compare::with_model(&mut model, scenario, None);
            verdict.problems.iter().any(|problem| matches!(problem, Problem::Expectation { .. }))
        });
        assert!(refuted, "{} survives the library", belief.word());
    }
}

#[test]
fn every_rule_is_shown_by_a_scenario() {
    let claimed: BTreeSet<String> = scenarios().into_iter().flat_map(|scenario| scenario.rules).collect();
    let unshown: Vec<&str> = rule::CATALOGUE.iter().map(|rule| rule.id).filter(|id| !claimed.contains(*id)).collect();
    assert_eq!(unshown, Vec::<&str>::new());
}
