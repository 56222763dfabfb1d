//! Misconceptions: each is wrong in the library, in a scenario that the rule decides which it breaks; and whatever one does to a world that
//! follows one, it goes on.

use std::collections::{BTreeMap, BTreeSet};

use pidlab_scenario::held::{Whose, on_one};
use pidlab_scenario::random::{Choice, RandomConfig, Theme, scenario};
use pidlab_scenario::{Facts, Scenario, library};
use pidlab_sim::{Answer, Misconception, Model};

/// A run as far as it goes: the start, then one answer a step.
fn run(scenario: &Scenario, mut model: Model) -> Vec<Answer> {
    let start = model.start(scenario);
    let steps = scenario.steps.iter().map_while(|step| model.step(scenario, step).ok());
    std::iter::once(start).chain(steps).collect()
}

/// The first step that the wrong run takes otherwise.
fn departs(truth: &[Answer], wrong: &[Answer]) -> Option<usize> {
    let step = truth.iter().zip(wrong).position(|(one, other)| one.observation != other.observation);
    step.or_else(|| (truth.len() != wrong.len()).then_some(truth.len().min(wrong.len())))
}

#[test]
fn every_misconception_is_refuted_by_the_library_where_its_rule_is_named() {
    let mut open: BTreeMap<&str, Vec<String>> = Misconception::ALL.iter().map(|one| (one.word(), Vec::new())).collect();
    for file in library::files() {
        let scenario = Scenario::parse(&file.name, &file.path, file.text).expect("the library is sound");
        let facts = Facts::newest().with_all(&scenario.needs);
        let truth = run(&scenario, Model::new(facts.clone()));
        for misconception in Misconception::ALL {
            if !open.contains_key(misconception.word()) {
                continue;
            }
            let wrong = run(&scenario, Model::misconceived(facts.clone(), *misconception));
            let Some(step) = departs(&truth, &wrong) else { continue };
            let seen = wrong.iter().map(|answer| (Whose::Model, &answer.observation));
            let refuted = !on_one(&scenario, seen).is_empty();
            let fired = truth.iter().flat_map(|answer| &answer.because);
            let fired: BTreeSet<&str> = fired.map(|because| because.rule.id).collect();
            if refuted && fired.contains(misconception.rule().id) {
                open.remove(misconception.word());
            } else if let Some(near) = open.get_mut(misconception.word()) {
                near.push(format!("{} at step {step}, refuted {refuted}", scenario.name));
            }
        }
    }
    assert!(open.is_empty(), "not refuted by a claim where the rule is named: {open:#?}");
}

/// Random choices, the same each time.
fn choices(case: u64, steps: usize) -> Vec<Choice> {
    let mut state = (case + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut byte = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..=steps).map(|_| Choice::default().map(|_| byte())).collect()
}

/// Says which it was when a model panics.
struct Named(&'static str, u64);

impl Drop for Named {
    fn drop(&mut self) {
        eprintln!("{} in case {}", self.0, self.1);
    }
}

/// All of them in so many random scenarios, then those that nothing has noticed yet.
const FIRST: u64 = 250;
const MOST: u64 = 2000;

#[test]
fn random_scenarios_notice_each_and_stop_none() {
    let mut noticed: BTreeMap<&str, u64> = BTreeMap::new();
    for case in 0..MOST {
        let left = |one: &&Misconception| case < FIRST || !noticed.contains_key(one.word());
        let left: Vec<Misconception> = Misconception::ALL.iter().filter(left).copied().collect();
        if left.is_empty() {
            break;
        }
        let mut model = Model::new(Facts::newest());
        let scenario = scenario(&choices(case, 24), &mut model, &RandomConfig::about(Theme::of(case)));
        let truth = run(&scenario, Model::new(Facts::newest()));
        for misconception in left {
            let on_panic = Named(misconception.word(), case);
            let wrong = run(&scenario, Model::misconceived(Facts::newest(), misconception));
            std::mem::forget(on_panic);
            if departs(&truth, &wrong).is_some() {
                noticed.entry(misconception.word()).or_insert(case);
            }
        }
    }
    println!("first noticed in case: {noticed:?}");
    let all = Misconception::ALL.iter().map(|one| one.word());
    assert_eq!(all.filter(|word| !noticed.contains_key(word)).collect::<Vec<_>>(), Vec::<&str>::new());
}

#[test]
fn every_misconception_is_told_in_sentences() {
    let mut seen = BTreeSet::new();
    for misconception in Misconception::ALL {
        let (word, claim, truth) = (misconception.word(), misconception.claim(), misconception.truth());
        assert_eq!(Misconception::from_word(word), Some(*misconception));
        assert!(seen.insert(word) && seen.insert(claim) && seen.insert(truth), "{word} is told twice");
        assert!(word.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-'));
        for sentence in [claim, truth] {
            assert!(!sentence.ends_with('.') && sentence.split(' ').count() >= 4, "{word}: {sentence}");
        }
    }
    assert!(Misconception::ALL.len() >= 25);
}
