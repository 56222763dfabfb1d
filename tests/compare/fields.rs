//! The comparison overlooks nothing: whatever is changed in what a kernel shows, at any step, is a difference there.

use std::collections::{BTreeMap, BTreeSet};

use pidlab::compare::{Problem, with_model};
use pidlab_scenario::{Facts, Machine, Observation, Run, Scenario, library};
use pidlab_sim::Model;
use serde_json::Value;

use crate::places::walk;

const FEWER: &str = " one fewer";
const MORE: &str = " one more";

/// Values by their place in an observation, in which `*` stands for any index.
type Pool = BTreeMap<String, Vec<Value>>;

/// A scenario without a choice, and the model's run of it.
struct Case {
    scenario: Scenario,
    facts: Facts,
    run: Run,
}

/// The scenarios of the library in which Linux leaves nothing open.
fn cases() -> Vec<Case> {
    let scenarios = library::files()
        .map(|file| Scenario::parse(&file.name, &file.path, file.text).unwrap_or_else(|wrong| panic!("{wrong}")));
    let case = |scenario: Scenario| {
        let facts = Facts::newest().with_all(&scenario.needs);
        let mut model = Model::new(facts.clone());
        model.start(&scenario);
        let closed = scenario.steps.iter().all(|step| {
            let outcomes = model.outcomes(step, 2).expect("the library makes no mistake");
            outcomes.answers.len() == 1 && outcomes.complete && model.step(&scenario, step).is_ok()
        });
        let Ok(run) = Model::new(facts.clone()).run(&scenario);
        closed.then_some(Case { scenario, facts, run })
    };
    scenarios.filter_map(case).collect()
}

fn value(observation: &Observation) -> Value {
    serde_json::to_value(observation).expect("an observation can be written")
}

/// The values at each place in these observations, each once.
fn pool<'a>(observations: impl Iterator<Item = &'a Observation>) -> Pool {
    let mut pool = Pool::new();
    for observation in observations {
        walk(&value(observation), "", "", &mut |_, place, value| {
            let known = pool.entry(place.to_owned()).or_default();
            if !value.is_array() && known.len() < 64 && !known.contains(value) {
                known.push(value.clone());
            }
        });
    }
    pool
}

/// Other values for one, each with the kind of change that it is.
fn others(value: &Value, known: &[Value]) -> Vec<(&'static str, Value)> {
    let mut others: Vec<(&'static str, Value)> = Vec::new();
    match value {
        Value::Array(items) => {
            if let Some((last, rest)) = items.split_last() {
                others.push((FEWER, Value::Array(rest.to_vec())));
                others.push((MORE, items.iter().chain([last]).cloned().collect()));
            }
            if items.len() > 1 && items[0] != items[1] {
                others.push((" in another order", items.iter().rev().cloned().collect()));
            }
        }
        Value::Number(number) => {
            let number = number.as_i64().expect("numbers are whole");
            others.extend([number + 1, number - 1].map(|other| ("", Value::from(other))));
        }
        _ => {}
    }
    let tag = |value: &Value| match value {
        Value::Object(fields) if fields.len() == 1 => fields.keys().next().cloned(),
        Value::String(word) => Some(word.clone()),
        _ => None,
    };
    // One of another kind, and one of the same.
    let other_kind = known.iter().find(|other| tag(other) != tag(value) || other.is_null() != value.is_null());
    let same_kind = known.iter().find(|other| *other != value && tag(other) == tag(value));
    others.extend(other_kind.into_iter().chain(same_kind).map(|other| ("", other.clone())));
    others
}

/// Asserts that a kernel that shows this after a step, and for the rest what the model does, differs there.
fn differs(case: &Case, step: usize, changed: Observation, what: &str) {
    let mut run = case.run.clone();
    run.observations[step] = changed;
    let verdict = with_model(&mut Model::new(case.facts.clone()), &case.scenario, Some(&run));
    let found = matches!(verdict.problems[..], [Problem::Difference { step: at, .. }, ..] if at == step);
    assert!(found, "{}, step {step}, changed {what}: {:?}", case.scenario.name, verdict.problems);
}

/// How a kind of change is named: an enum's plain variants stand beside those that hold something.
fn name(place: &str, value: &Value, kind: &str) -> String {
    let is_enum = ["/outcome", "/status", "/child", "/state"].iter().any(|end| place.ends_with(end));
    match value {
        Value::String(word) if is_enum => format!("{place}/{word}{kind}"),
        Value::Null => format!("{place}/null{kind}"),
        _ => format!("{place}{kind}"),
    }
}

/// Tries each kind of change in a case, where it can first be made.
fn change_everything(case: &Case, pool: &Pool) -> BTreeSet<String> {
    let mut tried = BTreeSet::new();
    for (step, observation) in case.run.observations.iter().enumerate() {
        let whole = value(observation);
        walk(&whole, "", "", &mut |pointer, place, part| {
            for (kind, other) in others(part, &pool[place]) {
                let what = name(place, part, kind);
                if tried.contains(&what) {
                    continue;
                }
                let mut changed = whole.clone();
                *changed.pointer_mut(pointer).expect("it was just there") = other;
                // What no machine can say, it cannot say by mistake.
                match serde_json::from_value::<Observation>(changed) {
                    Ok(changed) if changed != *observation => {
                        differs(case, step, changed, &what);
                        tried.insert(what);
                    }
                    _ => {}
                }
            }
        });
    }
    tried
}

/// Every list and every value that is not made of others, in all observations.
fn fields(cases: &[Case]) -> BTreeSet<String> {
    let mut fields = BTreeSet::new();
    for observation in cases.iter().flat_map(|case| &case.run.observations) {
        walk(&value(observation), "", "", &mut |_, place, value| match value {
            Value::Array(items) if items.is_empty() => {}
            Value::Array(_) => fields.extend([FEWER, MORE].map(|kind| name(place, value, kind))),
            Value::Object(_) => {}
            _ => fields.extend([name(place, value, "")]),
        });
    }
    fields
}

#[test]
fn a_change_of_anything_is_a_difference() {
    let cases = cases();
    let pool = pool(cases.iter().flat_map(|case| &case.run.observations));
    let tried: BTreeSet<String> = cases.iter().flat_map(|case| change_everything(case, &pool)).collect();
    let fields = fields(&cases);
    assert_eq!(fields.difference(&tried).collect::<Vec<_>>(), Vec::<&String>::new(), "shown, and never changed");
    // What observations hold: a new field, or one that no scenario shows any more, is seen here.
    let listed: Vec<&str> = fields.iter().map(String::as_str).collect();
    insta::assert_snapshot!("fields", listed.join("\n"));
}
