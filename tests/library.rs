//! The scenario library on the model: every file is a true claim, told in a snapshot that a reviewer can read.

use std::collections::{BTreeMap, BTreeSet};

use pidlab::scenario::words::{Kind, calls};
use pidlab::scenario::{Fact, Facts, Given, Scenario, library};
use pidlab::sim::{Misconception, Model, rule};
use pidlab::{compare, coverage, misconceptions, tell};

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

/// Scenarios that are told in full: the text that a reader of `pidlab run` sees.
const TOLD: [&str; 10] = [
    "creation/the-child-is-the-init",
    "death/an-init-takes-everybody-along",
    "death/the-classic-deadlock",
    "init-signals/kill-9-1-does-nothing",
    "joining/setns-moves-the-children",
    "numbers/three-levels-three-numbers",
    "orphans/a-subreaper-adopts",
    "orphans/adopted-by-own-init",
    "threads/stop-all",
    "waiting/a-wait-that-blocks",
];

/// Ten scenarios in full, and for each chapter all others in a line a step.
#[test]
fn every_scenario_holds_on_the_model() {
    let mut chapters: BTreeMap<String, String> = BTreeMap::new();
    let mut told = BTreeSet::new();
    insta::with_settings!({
        snapshot_path => "snapshots/library",
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        for scenario in scenarios() {
            let name = &scenario.name[..];
            assert_eq!(compare::unknown_rules(&scenario), Vec::<&str>::new(), "{name}");
            let verdict = compare::with_model(&mut Model::new(facts_for(&scenario)), &scenario, None);
            let text = anstream::adapter::strip_str(&tell::run(&scenario, &verdict)).to_string();
            assert!(verdict.agrees(), "{name}: {:?}\n{text}", verdict.mistake);
            // However deep it nests: where a tree has no room it is drawn as a list.
            assert!(text.lines().all(|line| line.chars().count() <= 80), "{name} is wider than a page:\n{text}");
            if TOLD.contains(&name) {
                told.insert(name.to_owned());
                insta::assert_snapshot!(name.replace('/', "__"), text);
                continue;
            }
            let (chapter, title) = name.split_once('/').expect("a scenario is in a chapter");
            let steps = (1..verdict.steps.len()).map(|step| tell::line(&scenario, step, &verdict.steps[step]));
            let lines: Vec<String> = steps.map(|line| format!("  {line}\n")).collect();
            *chapters.entry(chapter.to_owned()).or_default() += &format!("{title}\n{}\n", lines.concat());
        }
        for (chapter, lines) in chapters {
            insta::assert_snapshot!(chapter, lines);
        }
    });
    assert!(told.iter().eq(TOLD.iter()), "not in the library: {:?}", TOLD.iter().filter(|name| !told.contains(**name)));
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

/// Kernels of every kind: the newest and the oldest, and each of them with one fact turned round.
fn kinds_of_kernels() -> Vec<Facts> {
    let ends = [Facts::newest(), Facts::oldest()];
    let turned =
        |end: &Facts| Fact::ALL.iter().map(|fact| end.clone().with(*fact, !end.holds(*fact))).collect::<Vec<_>>();
    ends.iter().flat_map(turned).chain(ends.clone()).collect()
}

/// Without any kernel: on each kind of kernel the reasons are those of that kind, in the library and in random scenarios.
#[test]
fn no_rule_fires_on_the_other_side_of_its_fact() {
    let mut library = scenarios();
    // What is claimed is held against every outcome, which takes time and fires nothing.
    for step in library.iter_mut().flat_map(|scenario| &mut scenario.steps) {
        step.expect = None;
        step.claims.clear();
    }
    let mut fired = BTreeSet::new();
    for kind in kinds_of_kernels() {
        let mut model = Model::new(kind.clone());
        let random: Vec<Scenario> = (0..300).map(|case| coverage::random_scenario(&mut model, 6, case)).collect();
        for scenario in library.iter().chain(&random) {
            for id in compare::with_model(&mut model, scenario, None).fired {
                let rule = rule::find(id).expect("what fires is in the catalogue");
                let is_so = rule.about.is_none_or(|(fact, holds)| kind.holds(fact) == holds);
                assert!(is_so, "`{id}` fired where it is not so:\n{}", scenario.to_toml());
                fired.insert(id);
            }
        }
    }
    let of_facts = rule::CATALOGUE.iter().filter(|rule| rule.about.is_some()).map(|rule| rule.id);
    assert_eq!(of_facts.filter(|id| !fired.contains(id)).collect::<Vec<_>>(), Vec::<&str>::new(), "never fired");
}

/// Without any kernel: what an author wrote by hand is enough to refute each belief.
#[test]
fn every_misconception_is_refuted_by_the_expectations_of_some_scenario() {
    let scenarios = scenarios();
    for belief in Misconception::ALL {
        let found = misconceptions::refuted_by(*belief, &scenarios);
        let found = found.unwrap_or_else(|| panic!("{} survives the library", belief.word()));
        let mut believer = Model::misconceived(facts_for(found.scenario), *belief);
        let verdict = compare::with_model(&mut believer, found.scenario, None);
        let fails = verdict.failed_claims().any(|failed| failed.step == found.step);
        assert!(fails, "{} passes step {} of {}", belief.word(), found.step, found.scenario.name);
        let verdict = compare::with_model(&mut Model::new(facts_for(found.scenario)), found.scenario, None);
        assert!(verdict.agrees(), "{} refutes the truth as well", found.scenario.name);
    }
}

#[test]
fn every_rule_is_shown_by_a_scenario() {
    let claimed: BTreeSet<String> = scenarios().into_iter().flat_map(|scenario| scenario.rules).collect();
    let unshown: Vec<&str> = rule::CATALOGUE.iter().map(|rule| rule.id).filter(|id| !claimed.contains(*id)).collect();
    assert_eq!(unshown, Vec::<&str>::new());
}

/// Nothing that the language can say is without an example.
#[test]
fn every_call_and_every_word_is_in_the_library() {
    let given: BTreeSet<(&str, &str)> = scenarios()
        .iter()
        .flat_map(|scenario| &scenario.steps)
        .flat_map(|step| {
            let word = |given: Given| if let Given::Word(word) = given { Some(word) } else { None };
            let words: Vec<&str> = step.call.arguments().into_iter().filter_map(|(_, given)| word(given)).collect();
            words.into_iter().chain([""]).map(|word| (step.call.name().word(), word)).collect::<Vec<_>>()
        })
        .collect();
    for words in calls() {
        assert!(given.contains(&(words.name, "")), "no scenario calls `{}`", words.name);
        for argument in &words.arguments {
            let Kind::Word(all) = argument.kind else { continue };
            let lacking: Vec<&str> = all.iter().copied().filter(|word| !given.contains(&(words.name, word))).collect();
            assert_eq!(lacking, Vec::<&str>::new(), "`{}` of `{}`", argument.name, words.name);
        }
    }
}
