//! A run as a text that can be read aloud: the step, what it gave, why, and the world after it.
//!
//! The world is drawn as a matrix: the process tree downwards, one column a namespace, and in it the number that the
//! process has there. Reading along a row gives all numbers of one process; reading down a column gives what one
//! namespace can see.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use pidlab_scenario::{
    Diagnostics, NamespaceId, Observation, ProcessView, Refused, Role, Scenario, State, one_line, printable,
};
use pidlab_sim::{Because, Rule};

use crate::compare::{Compared, Problem, Verdict};
use crate::words;

/// More namespaces than this are drawn as a list of numbers in place of one column each.
const MOST_COLUMNS: usize = 6;

const HEADING: Style = Style::new().bold();
const QUIET: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();

/// The whole run: title, text, every step with the world after it, and what is wrong.
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
    for (number, compared) in verdict.steps.iter().enumerate() {
        text.push('\n');
        step(&mut text, scenario, number, compared);
    }
    for problem in &verdict.problems {
        text.push('\n');
        text.push_str(&self::problem(scenario, problem));
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

/// One step: who calls what, what it gives, why, whether the kernel agreed, and the world after it.
fn step(text: &mut String, scenario: &Scenario, number: usize, compared: &Compared) {
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
    for (rule, about) in reasons(scenario, compared.because()) {
        paragraph(text, "   why    ", &format!("{} [{}: {about}]", rule.sentence, rule.id));
    }
    if let (Some(kernel), Some(model)) = (&compared.kernel, &compared.model) {
        if *kernel == model.observation {
            let _ = writeln!(text, "   kernel {}", styled(GOOD, "agrees"));
        } else {
            let _ = writeln!(text, "   kernel {}", styled(BAD, "DIFFERS"));
        }
    }
    text.push_str(&world(scenario, observation, "     "));
}

/// The rules that decided, each once, with all its subjects.
fn reasons<'a>(scenario: &'a Scenario, because: &[Because]) -> Vec<(&'static Rule, String)> {
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
        Problem::Difference { step, allowed, kernel } => {
            let place = place(scenario, *step);
            let _ = writeln!(text, "{} {place}", styled(BAD, "difference"));
            for (index, answer) in allowed.iter().enumerate() {
                let which = if index == 0 { "the model says" } else { "or, as well allowed," };
                let _ = writeln!(text, "   {which} {}", given(scenario, &answer.observation));
                text.push_str(&world(scenario, &answer.observation, "     "));
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
        Problem::RuleNotShown { rule } => {
            let words = format!("the scenario says that it shows `{rule}`, and the run never fired it");
            let _ = writeln!(text, "{}", styled(BAD, "rule not shown"));
            paragraph(&mut text, "   ", &words);
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

/// The world after a step, as the matrix of processes and namespaces.
pub fn world(scenario: &Scenario, observation: &Observation, indent: &str) -> String {
    let namespaces = namespaces(observation);
    let columns = if namespaces.len() <= MOST_COLUMNS { namespaces } else { Vec::new() };
    let mut rows = vec![heading(scenario, observation, &columns)];
    for (role, prefix) in forest(observation) {
        let Some(process) = observation.process(role) else { continue };
        rows.push(row(scenario, process, &prefix, &columns));
    }
    let mut text = String::new();
    for (index, row) in align(&rows).into_iter().enumerate() {
        let line = format!("{indent}{}", row.trim_end());
        let _ = writeln!(text, "{}", if index == 0 { styled(QUIET, &line) } else { line });
    }
    text
}

/// The namespaces that some process has a number in, outermost first.
fn namespaces(observation: &Observation) -> Vec<NamespaceId> {
    let mut found: Vec<NamespaceId> = Vec::new();
    for namespace in observation.processes.iter().flat_map(|process| &process.namespaces) {
        if !found.contains(namespace) {
            found.push(*namespace);
        }
    }
    found.sort_unstable();
    found
}

fn heading(scenario: &Scenario, observation: &Observation, columns: &[NamespaceId]) -> Vec<String> {
    let mut cells = vec!["process".to_owned()];
    if columns.is_empty() {
        cells.push("numbers, outermost first".to_owned());
    }
    cells.extend(columns.iter().map(|column| namespace_name(scenario, observation, *column)));
    cells.extend(["ppid", "pgid", "sid", "state"].map(str::to_owned));
    cells
}

/// A namespace is called after its init: `in init's`.
fn namespace_name(scenario: &Scenario, observation: &Observation, namespace: NamespaceId) -> String {
    let init = observation
        .processes
        .iter()
        .find(|process| process.namespaces.last() == Some(&namespace) && process.pids.last() == Some(&1));
    match init {
        Some(init) => format!("{}'s", scenario.role_name(init.role)),
        None => format!("ns {}", namespace.0),
    }
}

fn row(scenario: &Scenario, process: &ProcessView, prefix: &str, columns: &[NamespaceId]) -> Vec<String> {
    let mut cells = vec![format!("{prefix}{}", scenario.role_name(process.role))];
    if columns.is_empty() {
        cells.push(process.pids.iter().map(u32::to_string).collect::<Vec<_>>().join(" "));
    }
    for column in columns {
        let at = process.namespaces.iter().position(|namespace| namespace == column);
        cells.push(at.map(|level| process.pids[level].to_string()).unwrap_or_default());
    }
    cells.extend([process.ppid, process.pgid, process.sid].map(|number| number.to_string()));
    cells.push(state(process));
    cells
}

/// The state, and the signals that a handler got since the last step.
fn state(process: &ProcessView) -> String {
    let thread = process.thread_of.map(|_| "thread".to_owned());
    let doing = (process.state != State::Running).then(|| process.state.to_string());
    let mut text = thread.into_iter().chain(doing).collect::<Vec<_>>().join(", ");
    for handled in &process.handled {
        let comma = if text.is_empty() { "" } else { ", " };
        let _ = write!(text, "{comma}handled {} from {}", handled.signal, handled.si_pid);
        if let Some(status) = handled.child {
            let _ = write!(text, " ({status})");
        }
    }
    text
}

/// The process forest in drawing order, each process with the branches before its name.
fn forest(observation: &Observation) -> Vec<(Role, String)> {
    let is_shown = |role: Role| observation.process(role).is_some();
    let children = |of: Option<Role>| -> Vec<Role> {
        // A thread is drawn below its process, before the children.
        let above = |process: &ProcessView| process.thread_of.or(process.parent);
        let parent = |process: &ProcessView| above(process).filter(|above| is_shown(*above));
        let mut below: Vec<&ProcessView> =
            observation.processes.iter().filter(|process| parent(process) == of).collect();
        below.sort_by_key(|process| process.thread_of.is_none());
        below.into_iter().map(|process| process.role).collect()
    };
    let mut drawn = Vec::new();
    // A stack in place of recursion: a scenario may nest as deep as it likes.
    let mut open: Vec<(Role, String, String)> =
        children(None).into_iter().rev().map(|root| (root, String::new(), String::new())).collect();
    while let Some((role, prefix, below)) = open.pop() {
        let mut next = children(Some(role));
        let last = next.pop();
        let branches =
            next.into_iter().map(|child| (child, "├─ ", "│  ")).chain(last.map(|child| (child, "└─ ", "   ")));
        let mut rows: Vec<_> =
            branches.map(|(child, branch, gap)| (child, format!("{below}{branch}"), format!("{below}{gap}"))).collect();
        rows.reverse();
        open.extend(rows);
        drawn.push((role, prefix));
    }
    drawn
}

/// Columns as wide as their widest cell; the first and last to the left, numbers to the right.
fn align(rows: &[Vec<String>]) -> Vec<String> {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let last = rows.first().map_or(0, Vec::len).saturating_sub(1);
    rows.iter()
        .map(|row| {
            let mut line = String::new();
            for (column, cell) in row.iter().enumerate() {
                let room = width(column);
                let _ = match column {
                    0 => write!(line, "{cell:<room$}"),
                    _ if column == last => write!(line, "  {cell}"),
                    _ => write!(line, "  {cell:>room$}"),
                };
            }
            line
        })
        .collect()
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
