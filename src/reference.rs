//! The calls of the language as a reference: arguments, values, errors, an example, and the rules about each.
//!
//! What a call takes and how it fails stands in the table of calls. Which rules are about it is found out: a rule is about the calls at
//! whose steps it fires, in the scenarios of the library on the model.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use pidlab_scenario::words::{Argument, CallWords, Kind, calls};
use pidlab_scenario::{Errno, Expect, Facts, Outcome, Scenario, library};
use pidlab_sim::{Model, Rule, rule};

use crate::compare::{self, Verdict};

/// A rule is about a call if at least one in so many of its firings is at a step with that call.
const SHARE: usize = 4;

/// A step of the library that makes a call.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Example {
    /// The scenario that it is from.
    pub scenario: String,
    /// As it is written there.
    pub row: String,
}

/// What the library knows of the calls.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Reference {
    /// With what each is worth as an example.
    examples: BTreeMap<&'static str, (u8, Example)>,
    /// How often each rule fired at steps with each call.
    fired: BTreeMap<&'static str, BTreeMap<&'static str, usize>>,
    errors: BTreeSet<(&'static str, Errno)>,
}

impl Reference {
    /// Runs the library on the model, each scenario as on the newest kernel that it is about.
    pub fn of_the_library() -> Reference {
        let mut reference = Reference::default();
        for file in library::files() {
            // That the library's files parse is tested; here one that did not would only give no example.
            let Ok(scenario) = Scenario::parse(&file.name, &file.path, file.text) else { continue };
            let mut model = Model::new(Facts::newest().with_all(&scenario.needs));
            let verdict = compare::with_model(&mut model, &scenario, None);
            reference.add(&scenario, &verdict);
            reference.add_examples(&scenario, file.text);
        }
        reference
    }

    /// Takes in which rules fired at which calls, and which errors there were.
    pub fn add(&mut self, scenario: &Scenario, verdict: &Verdict) {
        for (step, compared) in scenario.steps.iter().zip(verdict.steps.iter().skip(1)) {
            let name = step.call.name().word();
            for because in compared.because() {
                *self.fired.entry(because.rule.id).or_default().entry(name).or_default() += 1;
            }
            let observation = compared.observation();
            let own = observation.outcome.iter().map(|outcome| (name, outcome));
            let later = observation.returned.iter().map(|returned| (returned.call.word(), &returned.outcome));
            self.errors.extend(own.chain(later).filter_map(|(call, outcome)| match outcome {
                Outcome::Err(errno) => Some((call, *errno)),
                _ => None,
            }));
        }
    }

    /// The first step with each call that says what it returns, or else the first that does not fail, or else the first.
    fn add_examples(&mut self, scenario: &Scenario, text: &str) {
        for step in &scenario.steps {
            let Some(row) = text.get(step.span.clone()) else { continue };
            let name = step.call.name().word();
            let worth = match step.expect {
                Some(Expect::Returns(_)) => 3,
                None => 2,
                Some(Expect::Blocks | Expect::Ends) => 1,
                Some(Expect::Fails(_)) => 0,
            };
            if self.examples.get(name).is_none_or(|(old, _)| *old < worth) {
                self.examples.insert(name, (worth, Example { scenario: scenario.name.clone(), row: one_line(row) }));
            }
        }
    }

    /// A step that makes the call.
    pub fn example(&self, call: &str) -> Option<&Example> {
        self.examples.get(call).map(|(_, example)| example)
    }

    /// The rules about a call, in teaching order.
    pub fn rules(&self, call: &str) -> Vec<&'static Rule> {
        let is_about = |rule: &&&'static Rule| {
            let Some(fired) = self.fired.get(rule.id) else { return false };
            let here = fired.get(call).copied().unwrap_or(0);
            here > 0 && here * SHARE >= fired.values().sum::<usize>()
        };
        rule::CATALOGUE.iter().filter(is_about).copied().collect()
    }

    /// The errors that calls failed with.
    pub fn errors(&self) -> &BTreeSet<(&'static str, Errno)> {
        &self.errors
    }
}

/// The text with each run of blanks as one.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a step must have an argument, in words.
pub fn presence(call: &CallWords, argument: &Argument) -> &'static str {
    match &call.one_of {
        Some((names, needed)) if names.contains(&argument.name) => match needed {
            true => "one of these",
            false => "at most one of these",
        },
        _ if argument.required => "required",
        _ => "optional",
    }
}

/// All calls as a page.
pub fn page(reference: &Reference) -> String {
    let mut text = String::from(
        "# The calls\n\n\
         Every call that a step can make, with its arguments, its errors, a step of the library, and the rules about it.\n\
         `pidlab explain CALL` says the same. Made from the table in `scenarios/src/call.rs` and from the library; a test\n\
         keeps it fresh. [The glossary](glossary.md) has the words, [the page of rules](rules.md) the rules.\n\n\
         Each step also has `by`, the name of the process that makes the call, and may have what its author expects:\n\
         `returns` (a number, or the name of the process whose PID it is), `fails` (an errno) or `blocks = true`, of which\n\
         at most one; and `ask`, the question that the step puts to a learner. A process is named where a number is\n\
         wanted: the name stands for the PID that it has, or last had, in the caller's namespace.\n\n",
    );
    let names: Vec<String> = calls().iter().map(|call| format!("[{0}](#{0})", call.name)).collect();
    let _ = writeln!(text, "{}", textwrap::fill(&names.join(" · "), textwrap::Options::new(120).break_words(false)));
    for call in calls() {
        let _ = write!(text, "\n## {}\n\n{}.\n", call.name, call.about);
        arguments(&mut text, call);
        if !call.errors.is_empty() {
            text.push_str("\n| fails with | when |\n|---|---|\n");
            for (errno, when) in call.errors {
                let _ = writeln!(text, "| `{errno}` | {when} |");
            }
        }
        if !call.returns {
            text.push_str("\nIt does not return: claim `ends = true` and `then`.\n");
        }
        if let Some(example) = reference.example(call.name) {
            let _ = write!(text, "\n```toml\n{}   # {}\n```\n", example.row, example.scenario);
        }
        let rules: Vec<String> = reference.rules(call.name).iter().map(|rule| format!("`{}`", rule.id)).collect();
        if !rules.is_empty() {
            let page =
                textwrap::Options::new(120).break_words(false).word_splitter(textwrap::WordSplitter::NoHyphenation);
            let _ = write!(text, "\n{}\n", textwrap::fill(&format!("Rules: {}.", rules.join(", ")), page));
        }
    }
    text
}

fn arguments(text: &mut String, call: &CallWords) {
    if call.arguments.is_empty() {
        return;
    }
    text.push_str("\n| argument | | value | |\n|---|---|---|---|\n");
    for argument in &call.arguments {
        let (name, presence) = (argument.name, presence(call, argument));
        let _ = writeln!(text, "| `{name}` | {presence} | {} | {} |", argument.kind.words(), argument.about);
        let quote = if matches!(argument.kind, Kind::Word(_)) { "\"" } else { "" };
        for (word, meaning) in argument.words() {
            let _ = writeln!(text, "| | | `{quote}{word}{quote}` | {meaning} |");
        }
    }
}
