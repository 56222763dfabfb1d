//! What random scenarios were made of, counted.

use std::collections::BTreeMap;

use pidlab_scenario::{Outcome, Scenario};
use pidlab_sim::rule;

use crate::cli::End;
use crate::cli::pairs::Pairs;
use crate::compare::Verdict;
use crate::words;

/// What the scenarios were made of.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) scenarios: u64,
    pub(super) steps: u64,
    pub(super) not_decided: u64,
    pub(super) calls: BTreeMap<&'static str, u64>,
    pub(super) answers: BTreeMap<String, u64>,
    pub(super) rules: BTreeMap<&'static str, u64>,
    pairs: Pairs,
}

impl Tally {
    pub(super) fn add(&mut self, scenario: &Scenario, verdict: &Verdict) {
        self.scenarios += 1;
        self.not_decided += u64::from(verdict.is_not_decided());
        self.pairs.add(&verdict.fired);
        for (step, compared) in scenario.steps.iter().zip(verdict.steps.iter().skip(1)) {
            self.steps += 1;
            *self.calls.entry(step.call.name().word()).or_default() += 1;
            let answer = match &compared.observation().outcome {
                Some(Outcome::Err(errno)) => errno.to_string(),
                Some(Outcome::Blocks) => "blocks".to_owned(),
                Some(Outcome::Never) => "no return".to_owned(),
                Some(_) | None => "success".to_owned(),
            };
            *self.answers.entry(answer).or_default() += 1;
            for because in compared.because() {
                *self.rules.entry(because.rule.id).or_default() += 1;
            }
        }
    }

    pub(super) fn end(&self, skipped: bool) -> End {
        match self.not_decided {
            0 if skipped => End::NoKernel,
            0 => End::Agree,
            _ => End::NotDecided,
        }
    }

    pub(super) fn text(&self, each_rule: bool) -> String {
        let set = |words: String| textwrap::fill(&words, words::page().initial_indent("  ").subsequent_indent("  "));
        let list = |counts: Vec<(&str, u64)>| {
            set(counts.iter().map(|(word, count)| format!("{word} {count}")).collect::<Vec<_>>().join(", "))
        };
        let mut text = format!("scenarios {}, steps {}\n", self.scenarios, self.steps);
        text += &format!("calls\n{}\n", list(self.calls.iter().map(|(word, count)| (*word, *count)).collect()));
        text += &format!("answers\n{}\n", list(self.answers.iter().map(|(word, count)| (&word[..], *count)).collect()));
        if !self.rules.is_empty() {
            text += &format!("rules fired {} of {}\n", self.rules.len(), rule::CATALOGUE.len());
            if each_rule {
                text += &format!("{}\n", list(self.rules.iter().map(|(id, count)| (*id, *count)).collect()));
                text += &self.pairs.text();
            }
            let never: Vec<&str> =
                rule::CATALOGUE.iter().map(|rule| rule.id).filter(|id| !self.rules.contains_key(id)).collect();
            if each_rule && !never.is_empty() {
                text += &format!("rules not fired\n{}\n", set(never.join(", ")));
            }
        }
        text
    }
}
