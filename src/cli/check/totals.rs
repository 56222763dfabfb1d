//! What a check comes to.

use std::collections::{BTreeMap, BTreeSet};

use pidlab_realkernel::Kernel;
use pidlab_sim::rule;
use serde_json::{Value, json};

use super::checked::{Checked, Skip, Word};
use crate::cli::End;
use crate::kernel::On;

/// Counts, and what has to be said at the end.
pub(super) struct Totals {
    on: On,
    kernel: Option<Kernel>,
    /// Whether the whole library was meant, so that it says something how many rules were shown.
    all: bool,
    /// How many scenarios there were to check.
    pub(super) planned: usize,
    words: BTreeMap<Word, usize>,
    steps: usize,
    compared: usize,
    rules_shown: BTreeSet<&'static str>,
    /// Each failure, with the command that shows it.
    pub(super) failures: Vec<(Word, String)>,
    /// Why the kernel did not run scenarios, and how many.
    pub(super) skips: BTreeMap<(Word, Skip), usize>,
}

impl Totals {
    pub(super) fn new(on: On, kernel: Option<Kernel>, all: bool, planned: usize) -> Totals {
        Totals {
            on,
            kernel,
            all,
            planned,
            words: BTreeMap::new(),
            steps: 0,
            compared: 0,
            rules_shown: BTreeSet::new(),
            failures: Vec::new(),
            skips: BTreeMap::new(),
        }
    }

    pub(super) fn take(&mut self, checked: &Checked<'_>) {
        *self.words.entry(checked.word).or_default() += 1;
        self.steps += checked.steps();
        if let Some(verdict) = &checked.verdict {
            self.compared += verdict.compared;
            self.rules_shown.extend(&verdict.fired);
        }
        if checked.word.is_failure() {
            self.failures.push((checked.word, checked.replay.clone()));
        }
        if let Some(skip) = &checked.skipped {
            *self.skips.entry((checked.word, skip.clone())).or_default() += 1;
        }
    }

    /// How many came out so.
    pub(super) fn count(&self, word: Word) -> usize {
        self.words.get(&word).copied().unwrap_or_default()
    }

    fn scenarios(&self) -> usize {
        self.words.values().sum()
    }

    /// How many were left out after a failure.
    pub(super) fn not_run(&self) -> usize {
        self.planned - self.scenarios()
    }

    /// How a check ends: what is wrong with files, then what differs, then what is not known, then what did not run.
    pub(super) fn end(&self, no_skip: bool) -> End {
        let any = |words: &[Word]| words.iter().any(|word| self.count(*word) > 0);
        if any(&[Word::Invalid]) {
            End::BadInput
        } else if any(&[Word::Differs, Word::ClaimFailed]) || (no_skip && any(&[Word::Skipped])) {
            End::Differ
        } else if any(&[Word::NotDecided]) {
            End::NotDecided
        } else if any(&[Word::NoResult]) || self.is_place_lacking() {
            End::NoKernel
        } else {
            End::Agree
        }
    }

    /// Whether a scenario was skipped for the place that this program runs in, or all were.
    fn is_place_lacking(&self) -> bool {
        let of_place = self.skips.keys().any(|(_, skip)| skip.of_place);
        of_place || (self.count(Word::Skipped) > 0 && self.count(Word::Skipped) == self.scenarios())
    }

    /// Who ran: `the model and Linux 6.18.44`.
    pub(super) fn machines(&self) -> String {
        match (self.on, &self.kernel) {
            (On::Both, Some(kernel)) => format!("the model and Linux {}", kernel.release),
            (On::Kernel, Some(kernel)) => format!("Linux {} alone", kernel.release),
            _ => "the model alone".to_owned(),
        }
    }

    /// The summary for people, in two lines or three.
    pub(super) fn sentence(&self) -> String {
        let mut text = format!("{}: scenarios {}, steps {}", self.machines(), self.scenarios(), self.steps);
        if self.compared > 0 {
            text += &format!(", compared {}", self.compared);
        }
        if self.all && self.on != On::Kernel {
            text += &format!(", rules shown {} of {}", self.rules_shown.len(), rule::CATALOGUE.len());
        }
        let counted = |word: &Word| *word != Word::NoResult || self.count(Word::NoResult) > 0;
        let counts = Word::ALL.into_iter().filter(counted).map(|word| {
            let name = if word == Word::Agrees { "agree" } else { word.text() };
            format!("{} {}", name, self.count(word)).replace(' ', "\u{a0}")
        });
        let mut counts = counts.collect::<Vec<_>>().join(", ");
        if self.not_run() > 0 {
            counts += &format!(", not\u{a0}run\u{a0}{}", self.not_run());
        }
        // A count stays with its word.
        let fill = |text: &str| textwrap::fill(text, crate::words::page()).replace('\u{a0}', " ");
        format!("{}\n{}", fill(&text), fill(&counts))
    }

    /// The same for programs.
    pub(super) fn json(&self) -> Value {
        let on = match self.on {
            On::Model => "model",
            On::Kernel => "kernel",
            On::Both => "both",
        };
        let words = Word::ALL.iter().map(|word| (word.name().replace('-', "_"), json!(self.count(*word))));
        let mut summary: serde_json::Map<String, Value> = words.collect();
        summary.insert("on".to_owned(), json!(on));
        summary.insert("kernel".to_owned(), json!(self.kernel.as_ref().map(|kernel| &kernel.release)));
        if let Some(kernel) = &self.kernel {
            let facts: BTreeMap<&str, bool> = kernel.facts.iter().map(|(fact, holds)| (fact.word(), holds)).collect();
            summary.insert("facts".to_owned(), json!(facts));
        }
        for (name, count) in [
            ("scenarios", self.scenarios()),
            ("not_run", self.not_run()),
            ("steps", self.steps),
            ("steps_compared", self.compared),
            ("rules_shown", self.rules_shown.len()),
            ("rules", rule::CATALOGUE.len()),
        ] {
            summary.insert(name.to_owned(), json!(count));
        }
        Value::Object(summary)
    }
}
