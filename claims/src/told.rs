//! The words that all pages of a sentence have in common.

use std::fmt::Write as _;

use pidlab_scenario::{Fact, told};

use crate::case::Trial;
use crate::record::{Hearing, Kernel, Overall};
use crate::trial::{Held, Tried};
use crate::verdict::Ruling;

/// A ruling in a word or two.
pub(crate) fn ruling(ruling: &Ruling) -> String {
    match ruling {
        Ruling::Verdict(verdict) => verdict.word().to_owned(),
        Ruling::Lacks(needs) => {
            let words: Vec<String> = needs
                .iter()
                .map(|need| format!("{} {}", if need.holds { "with" } else { "without" }, need.fact))
                .collect();
            format!("only to be decided {}", words.join(", "))
        }
        Ruling::NotHere => "not decided here".to_owned(),
    }
}

/// What a sentence is in all, in words: `depends on pid_max-per-namespace`.
pub(crate) fn overall(overall: &Overall) -> String {
    match overall {
        Overall::Always(verdict) => verdict.word().to_owned(),
        Overall::Depends(facts) => format!("depends on {}", facts_of(facts)),
        Overall::NotHere => "not decided here".to_owned(),
    }
}

/// The names of facts.
fn facts_of(facts: &[Fact]) -> String {
    facts.iter().map(|fact| fact.word()).collect::<Vec<_>>().join(", ")
}

/// The kernels of the table by what the sentence is on them, if that is not the same on all: `true on qemu-7.3, qemu-7.2`.
pub(crate) fn kernels(hearing: &Hearing, kernels: &[Kernel]) -> Vec<String> {
    let mut groups: Vec<(&Ruling, Vec<&str>)> = Vec::new();
    for (kernel, ruling) in kernels.iter().zip(&hearing.record.rulings) {
        match groups.iter_mut().find(|(other, _)| *other == ruling) {
            Some((_, names)) => names.push(&kernel.name),
            None => groups.push((ruling, vec![&kernel.name])),
        }
    }
    if groups.len() < 2 {
        return Vec::new();
    }
    groups.into_iter().map(|(ruling, names)| format!("{} on {}", self::ruling(ruling), names.join(", "))).collect()
}

/// A step as it is read aloud: `host: kill(init, SIGTERM)`.
pub(crate) fn step(trial: &Trial, number: usize) -> String {
    let step = &trial.scenario.steps[number - 1];
    format!("{}: {}", trial.scenario.role_name(step.by), told::call(&trial.scenario, &step.call))
}

/// The predictions of a trial, step by step.
pub(crate) fn by_step(tried: &Tried) -> impl Iterator<Item = (usize, &[Held])> {
    tried.held.chunk_by(|left, right| left.step == right.step).map(|held| (held[0].step, held))
}

/// What was predicted, and what came, as pairs of a scenario file.
pub(crate) fn pairs(trial: &Trial, held: &Held) -> (String, Option<String>) {
    let pair = |claim: &pidlab_scenario::Claim| claim.written(&trial.scenario).pair();
    (pair(&held.predicted), held.came.as_ref().map(pair))
}

/// How many sentences are what: `60 claims: 20 true, 40 false`.
pub(crate) fn summary<'a>(hearings: impl Iterator<Item = &'a Hearing>) -> String {
    let (mut counts, mut all, mut not_here) = ([0; 4], 0, 0);
    for hearing in hearings {
        let place = match &hearing.record.overall {
            Overall::Always(verdict) => *verdict as usize,
            Overall::Depends(_) => 3,
            Overall::NotHere => {
                not_here += 1;
                continue;
            }
        };
        all += 1;
        counts[place] += 1;
    }
    let words = ["true", "false", "not always", "different from kernel to kernel"];
    let parts: Vec<String> = counts
        .iter()
        .zip(words)
        .filter(|(count, _)| **count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    let mut text = format!("{all} {}", if all == 1 { "claim" } else { "claims" });
    if !parts.is_empty() {
        let _ = write!(text, ": {}", parts.join(", "));
    }
    if not_here > 0 {
        let _ = write!(text, "; {not_here} that cannot be decided here");
    }
    text
}
