//! The claims that are made of an observation hold on it, and whatever is changed in it makes one of them fail.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use pidlab::random;
use pidlab::scenario::random::Theme;
use pidlab::scenario::{
    Claim, Expect, Facts, Machine, Numbers, Observation, Outcome, OutcomeClaim, Scenario, Seen, library,
};
use pidlab::sim::Model;
use serde_json::Value;

use crate::places::walk;

/// Random scenarios; with each of them comes one of the library.
const CASES: u64 = 120;
const LENGTH: usize = 16;
/// So often the same place is changed.
const MOST_CHANGES: usize = 12;

/// A step with what was observed, and the numbers after it.
struct Moment {
    scenario: Scenario,
    number: usize,
    observation: Observation,
    numbers: Numbers,
}

impl Moment {
    fn claims(&self) -> Vec<Claim> {
        Claim::all_of(&self.scenario, self.number, &self.observation, &self.numbers)
    }

    /// The claims that fail if this had been observed.
    fn failing<'a>(&self, claims: &'a [Claim], observation: &Observation) -> Vec<&'a Claim> {
        let by = self.scenario.steps[self.number - 1].by;
        let numbers = self.numbers.clone().after(observation);
        claims.iter().filter(|claim| claim.truth(by, observation, &numbers) != **claim).collect()
    }
}

fn moments() -> Vec<Moment> {
    let mut scenarios: Vec<(Facts, Scenario)> = library::files()
        .map(|file| Scenario::parse(&file.name, &file.path, file.text).unwrap_or_else(|wrong| panic!("{wrong}")))
        .map(|scenario| (Facts::newest().with_all(&scenario.needs), scenario))
        .collect();
    let mut model = Model::new(Facts::newest());
    for case in 0..CASES {
        let choices = random::choices(11, case, LENGTH);
        scenarios.push((Facts::newest(), random::scenario(&choices, Theme::of(case), &mut model, "random/claims")));
    }
    let mut moments = Vec::new();
    for (facts, scenario) in scenarios {
        let Ok(run) = Model::new(facts).run(&scenario);
        let mut numbers = Numbers::default();
        for (number, observation) in run.observations.into_iter().enumerate() {
            numbers = numbers.after(&observation);
            if number > 0 {
                moments.push(Moment { scenario: scenario.clone(), number, observation, numbers: numbers.clone() });
            }
        }
    }
    moments
}

/// Other values for one.
fn others(value: &Value, known: &[Value]) -> Vec<Value> {
    let mut others: Vec<Value> = known.iter().filter(|other| *other != value).cloned().collect();
    match value {
        Value::Array(items) => {
            if let Some((last, rest)) = items.split_last() {
                others.push(Value::Array(rest.to_vec()));
                others.push(items.iter().chain([last]).cloned().collect());
                others.push(items.iter().rev().cloned().collect());
            }
        }
        Value::Number(number) => {
            let number = number.as_i64().expect("numbers are whole");
            others.extend([number + 1, number - 1].map(Value::from));
        }
        _ => {}
    }
    others
}

/// Whether a machine could show this: processes, and calls that returned, stand once each and in the order of roles.
fn is_in_order(observation: &Observation) -> bool {
    observation.processes.is_sorted_by(|left, right| left.role < right.role)
        && observation.returned.is_sorted_by(|left, right| left.by < right.by)
}

/// Whether two outcomes are of calls of different kinds: what a call gives beside its value is for the call to say.
fn is_another_call(left: &Outcome, right: &Outcome) -> bool {
    let kind = |outcome: &Outcome| match outcome {
        Outcome::Ok(_) => 1,
        Outcome::Waited { .. } => 2,
        Outcome::Pending(_) => 3,
        Outcome::Polled(_) => 4,
        Outcome::Seen(Seen::Status { .. }) => 5,
        Outcome::Seen(Seen::Listing(_)) => 6,
        Outcome::Seen(Seen::Fdinfo { .. }) => 7,
        Outcome::Seen(Seen::Translated { .. }) => 8,
        Outcome::Seen(Seen::Credentials { .. }) => 9,
        Outcome::Seen(Seen::PidfdExit { .. }) => 12,
        Outcome::Seen(Seen::TidWords { .. }) => 13,
        Outcome::Seen(Seen::PidfdInfo { .. }) => 14,
        Outcome::Seen(Seen::Myself { .. }) => 15,
        Outcome::Seen(_) => 10,
        Outcome::Taken(_) => 11,
        Outcome::Err(_) | Outcome::Never | Outcome::Blocks => 0,
    };
    let (left, right) = (kind(left), kind(right));
    left != right && left != 0 && right != 0
}

/// Whether the changed observation could come of the same step.
fn is_possible(old: &Observation, new: &Observation) -> bool {
    let same_call = match (&old.outcome, &new.outcome) {
        (Some(old), Some(new)) => !is_another_call(old, new),
        _ => false,
    };
    let returned = old.returned.iter().all(|old| {
        new.returned.iter().find(|new| new.by == old.by).is_none_or(|new| !is_another_call(&old.outcome, &new.outcome))
    });
    is_in_order(new) && same_call && returned
}

#[test]
fn a_change_of_anything_makes_a_claim_fail() {
    let moments = moments();
    let value = |observation: &Observation| serde_json::to_value(observation).expect("an observation can be written");
    let mut pool: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for moment in &moments {
        walk(&value(&moment.observation), "", "", &mut |_, place, value| {
            let known = pool.entry(place.to_owned()).or_default();
            if known.len() < 3 && !value.is_array() && !known.contains(value) {
                known.push(value.clone());
            }
        });
    }
    let (mut changed, mut shown) = (BTreeMap::<String, usize>::new(), BTreeSet::new());
    for moment in &moments {
        let claims = moment.claims();
        assert_eq!(moment.failing(&claims, &moment.observation), Vec::<&Claim>::new(), "{}", moment.scenario.to_toml());
        let whole = value(&moment.observation);
        walk(&whole, "", "", &mut |pointer, place, part| {
            if !part.is_object() && *part != Value::Array(Vec::new()) {
                shown.insert(place.to_owned());
            }
            if changed.get(place).is_some_and(|count| *count >= MOST_CHANGES) {
                return;
            }
            for other in others(part, &pool[place]) {
                let mut copy = whole.clone();
                *copy.pointer_mut(pointer).expect("it was just there") = other;
                let Ok(new) = serde_json::from_value::<Observation>(copy) else { continue };
                if new == moment.observation || !is_possible(&moment.observation, &new) {
                    continue;
                }
                let failing = moment.failing(&claims, &new);
                assert!(
                    !failing.is_empty(),
                    "{place}, step {}:\n{}\n{new:?}",
                    moment.number,
                    moment.scenario.to_toml()
                );
                *changed.entry(place.to_owned()).or_default() += 1;
            }
        });
    }
    let never: Vec<&String> = shown.iter().filter(|place| !changed.contains_key(*place)).collect();
    assert_eq!(never, Vec::<&String>::new(), "shown, and never changed");
    assert!(shown.len() >= 40, "only {} places: {shown:?}", shown.len());
}

/// The scenario with these claims in place of its own.
fn claiming(scenario: &Scenario, all: &[(usize, Vec<Claim>)]) -> Scenario {
    let mut scenario = scenario.clone();
    for (number, claims) in all {
        let step = &mut scenario.steps[number - 1];
        step.expect = None;
        step.claims.clear();
        for claim in claims {
            match claim {
                Claim::Outcome(OutcomeClaim::Result(expect)) => step.expect = Some(*expect),
                other => step.claims.push(other.clone()),
            }
        }
    }
    scenario
}

/// A scenario, and the claims of its steps.
type Claimed = (Scenario, Vec<(usize, Vec<Claim>)>);

#[test]
fn all_claims_survive_being_written() {
    let mut by_scenario: BTreeMap<String, Claimed> = BTreeMap::new();
    for moment in moments() {
        let text = moment.scenario.to_toml();
        let (_, all) = by_scenario.entry(text).or_insert_with(|| (moment.scenario.clone(), Vec::new()));
        all.push((moment.number, moment.claims()));
    }
    let mut kinds = HashSet::new();
    for (scenario, all) in by_scenario.values() {
        let mut made = claiming(scenario, all);
        // A failed fork makes nobody, and that is known by its `fails`, which is among the claims.
        let text = made.to_toml();
        let mut read =
            Scenario::parse(&made.name, "made.toml", &text).unwrap_or_else(|wrong| panic!("{wrong}\n{text}"));
        for step in made.steps.iter_mut().chain(&mut read.steps) {
            step.span = 0..0;
        }
        assert_eq!(read, made, "{text}");
        kinds.extend(made.steps.iter().filter_map(|step| step.expect).map(|expect| std::mem::discriminant(&expect)));
    }
    assert_eq!(kinds.len(), 4, "{:?} comes and goes", Expect::Ends);
}
