//! No file makes the program break down: scenarios of the library with words moved about, as a tired author would, read, run on the model and
//! judged. `PROPTEST_CASES=700000 cargo test --release --test mutated` asks more.
#![forbid(unsafe_code)]

use std::sync::LazyLock;

use pidlab::compare::{self, Verdict};
use pidlab::scenario::{Diagnostics, Facts, Scenario, library};
use pidlab::sim::Model;
use proptest::prelude::*;
use proptest::sample::Index;

/// The library, each file as its words and what is between them.
static FILES: LazyLock<Vec<Vec<&'static str>>> =
    LazyLock::new(|| library::files().map(|file| words(file.text)).collect());

/// A text in pieces: words and numbers, and each other character alone.
fn words(text: &str) -> Vec<&str> {
    let is_word = |c: char| c.is_alphanumeric() || "_-".contains(c);
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = match is_word(first) {
            true => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            false => first.len_utf8(),
        };
        pieces.push(&rest[..end]);
        rest = &rest[end..];
    }
    pieces
}

/// One change to a file.
#[derive(Clone, Debug)]
enum Change {
    /// A word in place of another one of the same file.
    Put { at: Index, from: Index },
    /// A word of another file in its place.
    PutForeign { at: Index, file: Index, from: Index },
    /// A number in its place.
    Number { at: Index, number: i64 },
    /// A row less.
    Drop { row: Index },
    /// A row twice.
    Twice { row: Index },
    /// Two rows, each in the other's place.
    Swap { row: Index, other: Index },
}

fn change() -> impl Strategy<Value = Change> {
    let index = any::<Index>;
    let number = prop_oneof![-2i64..40, 290i64..400, any::<i64>()];
    prop_oneof![
        4 => (index(), index()).prop_map(|(at, from)| Change::Put { at, from }),
        2 => (index(), index(), index()).prop_map(|(at, file, from)| Change::PutForeign { at, file, from }),
        2 => (index(), number).prop_map(|(at, number)| Change::Number { at, number }),
        2 => index().prop_map(|row| Change::Drop { row }),
        1 => index().prop_map(|row| Change::Twice { row }),
        2 => (index(), index()).prop_map(|(row, other)| Change::Swap { row, other }),
    ]
}

/// Where the words of the steps are among the pieces: what comes before is title and text.
fn places(pieces: &[String]) -> Vec<usize> {
    let steps = pieces.iter().position(|piece| piece == "steps").unwrap_or(0);
    let is_word = |piece: &str| piece.chars().any(char::is_alphanumeric);
    (steps + 1..pieces.len()).filter(|place| is_word(&pieces[*place])).collect()
}

/// The first and the last piece of each row of the steps.
fn rows(pieces: &[String]) -> Vec<(usize, usize)> {
    let steps = pieces.iter().position(|piece| piece == "steps").unwrap_or(0);
    let ends: Vec<usize> = (steps..pieces.len()).filter(|place| pieces[*place] == "\n").collect();
    ends.windows(2).map(|pair| (pair[0] + 1, pair[1])).collect()
}

fn changed(mut pieces: Vec<String>, change: &Change) -> Vec<String> {
    let (places, rows) = (places(&pieces), rows(&pieces));
    if places.is_empty() || rows.is_empty() {
        return pieces;
    }
    match change {
        Change::Put { at, from } => pieces[*at.get(&places)] = pieces[*from.get(&places)].clone(),
        Change::PutForeign { at, file, from } => {
            let foreign: &Vec<&str> = file.get(&FILES[..]);
            pieces[*at.get(&places)] = (*from.get(foreign)).to_owned();
        }
        Change::Number { at, number } => pieces[*at.get(&places)] = number.to_string(),
        Change::Drop { row } => {
            let (first, last) = *row.get(&rows);
            pieces.drain(first..=last);
        }
        Change::Twice { row } => {
            let (first, last) = *row.get(&rows);
            let row = pieces[first..=last].to_vec();
            pieces.splice(first..first, row);
        }
        Change::Swap { row, other } => {
            let (one, two) = (*row.get(&rows), *other.get(&rows));
            let (one, two) = (one.min(two), one.max(two));
            if one != two {
                let (first, second) = (pieces[one.0..=one.1].to_vec(), pieces[two.0..=two.1].to_vec());
                pieces.splice(two.0..=two.1, first);
                pieces.splice(one.0..=one.1, second);
            }
        }
    }
    pieces
}

#[test]
fn a_change_of_a_file_is_often_a_scenario_still() {
    // Otherwise the property below would only try the parser.
    let pieces: Vec<String> = FILES[0].iter().copied().map(str::to_owned).collect();
    let rows = rows(&pieces);
    let without = |(first, last): (usize, usize)| [&pieces[..first], &pieces[last + 1..]].concat().concat();
    let parses = |row: &(usize, usize)| Scenario::parse("x", "x.toml", &without(*row)).is_ok();
    assert!(rows.len() > 4 && rows.iter().any(parses), "{} rows", rows.len());
}

fn on_the_model(scenario: &Scenario) -> Verdict {
    let facts = Facts::newest().with_all(&scenario.needs);
    compare::with_model(&mut Model::new(facts), scenario, None)
}

proptest! {
    #[test]
    fn no_change_of_a_file_breaks_the_program(file in any::<Index>(), changes in prop::collection::vec(change(), 1..4)) {
        let pieces: Vec<String> = file.get(&FILES[..]).iter().copied().map(str::to_owned).collect();
        let text = changes.iter().fold(pieces, changed).concat();
        let scenario = match Scenario::parse("mutated", "mutated.toml", &text) {
            Ok(scenario) => scenario,
            Err(diagnostics) => {
                for mistake in diagnostics.iter() {
                    prop_assert!(mistake.span.start <= mistake.span.end && mistake.span.end <= text.len());
                }
                prop_assert!(!diagnostics.render(false).is_empty());
                return Ok(());
            }
        };
        let verdict = on_the_model(&scenario);
        // What is written of it is the same scenario, however odd: it comes to the same.
        let written = Scenario::parse("mutated", "mutated.toml", &scenario.to_toml());
        let written = written.map_err(|diagnostics| TestCaseError::fail(diagnostics.render(false)))?;
        let told = |verdict: &Verdict| verdict.steps.iter().map(|step| step.observation().clone()).collect::<Vec<_>>();
        prop_assert_eq!(told(&verdict), told(&on_the_model(&written)));
        if let Some(refused) = &verdict.mistake {
            prop_assert!(!Diagnostics::refused(&scenario, "mutated.toml", &text, refused).render(false).is_empty());
        }
    }
}
