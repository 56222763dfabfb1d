//! A run as a text that can be read aloud: the step, what it gave, why, and the world after it.
//!
//! The world is drawn as a matrix: the process tree downwards, one column a namespace, and in it the number that the
//! process has there. Reading along a row gives all numbers of one process; reading down a column gives what one
//! namespace can see.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use pidlab_scenario::{Diagnostics, Observation, Refused, Scenario, one_line, printable};
use pidlab_sim::rule::Kind;
use pidlab_sim::{Because, Rule};

use crate::compare::{Compared, Problem, Verdict};
use crate::table::world;
use crate::words;

const HEADING: Style = Style::new().bold();
const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();

/// How the table is read; `pidlab explain` knows each word of it.
const LEGEND: &str = "(How to read this: one column for each PID namespace, called after its init, outermost first; in it the PID that a \
    process has there, if it has one. ppid, pgid and sid are what the process itself is told: 0 is what its own namespace does not see. A \
    process without a state is running. `pidlab explain WORD` explains words, calls and rules.)";

/// The whole run: title, text, every step with the world after it. What is wrong is for [`problem`].
///
/// The text holds ANSI styles; write it through a stream that strips them where they are not wanted.
pub fn run(scenario: &Scenario, verdict: &Verdict) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{}", styled(HEADING, &one_line(&scenario.name)));
    paragraph(&mut text, "", &one_line(&scenario.title));
    if !scenario.about.trim().is_empty() {
        text.push('\n');
        for part in scenario.about.trim().split("\n\n") {
            paragraph(&mut text, "  ", &part.split_whitespace().collect::<Vec<_>>().join(" "));
        }
    }
    let mut known = BTreeSet::new();
    for (number, compared) in verdict.steps.iter().enumerate() {
        text.push('\n');
        step(&mut text, scenario, number, compared, &mut known);
        if number == 0 {
            paragraph(&mut text, "     ", LEGEND);
        }
    }
    text
}

/// One step in one line: who calls what, what it gives, and the ids of the rules that decided.
pub fn line(scenario: &Scenario, number: usize, compared: &Compared) -> String {
    let who = match number.checked_sub(1).and_then(|index| scenario.steps.get(index)) {
        Some(step) => format!("{}: {}", scenario.role_name(step.by), words::call(scenario, &step.call)),
        None => "the start".to_owned(),
    };
    let rules: Vec<&str> = reasons(scenario, compared.because()).into_iter().map(|(rule, _)| rule.id).collect();
    let line = format!("{number:>2}. {who} -> {} | {}", given(scenario, compared.observation()), rules.join(" "));
    line.trim_end().to_owned()
}

/// One step: who calls what, what it gives, why, whether the kernel agreed, and the world after it. A reason is given in full where it
/// is not `known` yet, and by its id from then on.
fn step(
    text: &mut String,
    scenario: &Scenario,
    number: usize,
    compared: &Compared,
    known: &mut BTreeSet<&'static str>,
) {
    let observation = compared.observation();
    match number.checked_sub(1).map(|index| &scenario.steps[index]) {
        None => {
            let _ = writeln!(text, "{}", styled(HEADING, "At the start"));
        }
        Some(step) => {
            let call = words::call(scenario, &step.call);
            let who = format!("{number}. {}: {call}", scenario.role_name(step.by));
            for line in textwrap::wrap(&who, words::page().subsequent_indent("   ")) {
                let _ = writeln!(text, "{}", styled(HEADING, &line));
            }
            if let Some(question) = &step.ask {
                paragraph(text, "   asked  ", question);
            }
            if let Some(outcome) = &observation.outcome {
                paragraph(text, "   result ", &words::outcome(scenario, outcome));
            }
        }
    }
    for returned in &observation.returned {
        let (who, what) = (scenario.role_name(returned.by), words::outcome(scenario, &returned.outcome));
        paragraph(text, "   later  ", &format!("{who}'s {} {what}", returned.call));
    }
    why(text, scenario, reasons(scenario, compared.because()), known);
    if let (Some(kernel), Some(model)) = (&compared.kernel, &compared.model) {
        if *kernel == model.observation {
            let _ = writeln!(text, "   kernel {}", styled(GOOD, "agrees"));
        } else {
            let _ = writeln!(text, "   kernel {}", styled(BAD, "DIFFERS"));
        }
    }
    text.push_str(&world(scenario, observation, "     "));
}

/// Whether a rule is about how PIDs are given out, which happens at every birth and is seldom what a step is about.
fn is_routine(rule: &Rule) -> bool {
    rule.id.starts_with("alloc.")
}

/// The reasons of a step: first those that the scenario is about, last what comes with every birth, and what only describes. A reason that
/// the reader knows already is named by its id; if the scenario is about it, in its place.
fn why(text: &mut String, scenario: &Scenario, reasons: Vec<Reason>, known: &mut BTreeSet<&'static str>) {
    let is_about = |rule: &Rule| scenario.rules.iter().any(|id| id == rule.id);
    let mut reasons = reasons;
    reasons.sort_by_key(|(rule, _)| (!is_about(rule), is_routine(rule), rule.kind == Kind::Describes));
    let mut before = Vec::new();
    let mut label = "   why    as before: ";
    for (rule, about) in reasons {
        if known.insert(rule.id) {
            label = "   also   ";
            paragraph(text, "   why    ", &format!("{} [{}: {about}]", rule.sentence, rule.id));
        } else if is_about(rule) {
            label = "   also   ";
            paragraph(text, "   why    ", &format!("as before: {} ({about})", rule.id));
        } else {
            before.push(rule.id);
        }
    }
    if !before.is_empty() {
        paragraph(text, label, &before.join(", "));
    }
}

/// A rule that decided, and about whom.
type Reason = (&'static Rule, String);

/// The rules that decided, each once, with all its subjects.
fn reasons<'a>(scenario: &'a Scenario, because: &[Because]) -> Vec<Reason> {
    let mut reasons: Vec<(&'static Rule, Vec<&'a str>)> = Vec::new();
    for reason in because {
        let about = scenario.role_name(reason.about);
        match reasons.iter_mut().find(|(rule, _)| rule.id == reason.rule.id) {
            Some((_, subjects)) if subjects.contains(&about) => {}
            Some((_, subjects)) => subjects.push(about),
            None => reasons.push((reason.rule, vec![about])),
        }
    }
    reasons.into_iter().map(|(rule, subjects)| (rule, subjects.join(", "))).collect()
}

/// What is wrong, with both sides of it.
pub fn problem(scenario: &Scenario, problem: &Problem) -> String {
    let mut text = String::new();
    match problem {
        Problem::Difference { step, allowed, complete, kernel } => {
            let place = place(scenario, *step);
            let _ = writeln!(text, "{} {place}", styled(BAD, "difference"));
            for (index, answer) in allowed.iter().enumerate() {
                let which = if index == 0 { "the model says" } else { "or (also allowed)" };
                let _ = writeln!(text, "   {which} {}", given(scenario, &answer.observation));
                text.push_str(&world(scenario, &answer.observation, "     "));
            }
            if !complete {
                let words = "or something else: many orders of events are possible here, and not all are listed; what this kernel did is in none";
                paragraph(&mut text, "   ", words);
            }
            let _ = writeln!(text, "   this kernel says {}", given(scenario, kernel));
            text.push_str(&world(scenario, kernel, "     "));
            if let Some(first) = allowed.first() {
                let _ = writeln!(text, "   rules fired in this step");
                for (rule, about) in reasons(scenario, &first.because) {
                    paragraph(&mut text, "     ", &format!("{} ({about}): {}", rule.id, rule.sentence));
                }
            }
        }
        Problem::NotDecided { step, worlds } => {
            let _ = writeln!(text, "{} {}", styled(BAD, "not decided"), place(scenario, *step));
            let words = format!(
                "what this kernel did may be allowed or not: several things happen at once here, and after {worlds} worlds not all \
                 orders of them were tried"
            );
            paragraph(&mut text, "   ", &words);
        }
        Problem::OneRefused { side, refused } => {
            let place = place(scenario, refused.step);
            let words = format!("only the {} could not take it: {}", side.word(), refusal(scenario, refused));
            let _ = writeln!(text, "{} {place}", styled(BAD, "difference"));
            paragraph(&mut text, "   ", &words);
        }
        Problem::ClaimFailed(failed) => {
            let _ = writeln!(text, "{} {}", styled(BAD, "claim failed"), place(scenario, failed.step));
            paragraph(&mut text, "   ", &format!("the scenario claims: {}", failed.claim.written(scenario).pair()));
            for (on, truth) in failed.told(scenario) {
                paragraph(&mut text, "   ", &format!("{on}: {truth}"));
            }
        }
        Problem::RuleNotShown { rule, instead } => {
            let words = format!("the scenario says that it shows `{rule}`, and the run did not exercise it");
            let _ = writeln!(text, "{}", styled(BAD, "rule not shown"));
            paragraph(&mut text, "   ", &words);
            if !instead.is_empty() {
                paragraph(&mut text, "   ", &format!("of its family the run exercised {}", instead.join(", ")));
            }
        }
    }
    text
}

/// Why a step could not be taken.
pub fn refusal(scenario: &Scenario, refused: &Refused) -> String {
    let diagnostics = Diagnostics::refused(scenario, &scenario.name, "", refused);
    diagnostics.iter().map(|mistake| mistake.message.clone()).collect()
}

/// `at step 4, mid: exit(0)`.
pub(crate) fn place(scenario: &Scenario, step: usize) -> String {
    match step.checked_sub(1).and_then(|index| scenario.steps.get(index)) {
        Some(taken) => {
            format!("at step {step}, {}: {}", scenario.role_name(taken.by), words::call(scenario, &taken.call))
        }
        None => "at the start".to_owned(),
    }
}

/// The outcome of the step and of earlier calls that returned in it.
fn given(scenario: &Scenario, observation: &Observation) -> String {
    let mut parts = Vec::new();
    parts.extend(observation.outcome.as_ref().map(|outcome| words::outcome(scenario, outcome)));
    for returned in &observation.returned {
        let (who, what) = (scenario.role_name(returned.by), words::outcome(scenario, &returned.outcome));
        parts.push(format!("{who}'s {} {what}", returned.call));
    }
    if parts.is_empty() { "that it looks like this".to_owned() } else { parts.join("; ") }
}

/// A paragraph, its first line after `label`, the others below the text.
fn paragraph(text: &mut String, label: &str, words: &str) {
    let hanging = " ".repeat(label.chars().count());
    let options = words::page().initial_indent(label).subsequent_indent(&hanging);
    for line in textwrap::wrap(&printable(words), options) {
        let _ = writeln!(text, "{}", line.trim_end());
    }
}

/// The text in a style, for a stream that keeps or strips it.
pub(crate) fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}
