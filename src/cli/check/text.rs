//! The report for people.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use pidlab_scenario::{Scenario, one_line};

use super::checked::{Checked, Word};
use super::report::Report;
use super::totals::Totals;
use crate::compare::Compared;
use crate::words;

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const SKIPPED: Style = AnsiColor::Yellow.on_default();

/// How much is said of what agrees.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Amount {
    /// Nothing.
    Quiet,
    /// A line for each chapter.
    Chapters,
    /// Every step.
    Steps,
}

/// Failures in full as they come, and once more at the end by their commands.
pub(super) struct Text {
    amount: Amount,
    chapter: Option<Chapter>,
}

/// What has come out of the chapter at hand.
struct Chapter {
    name: String,
    scenarios: usize,
    steps: usize,
    words: Vec<(Word, usize)>,
}

impl Text {
    pub(super) fn new(amount: Amount) -> Text {
        Text { amount, chapter: None }
    }

    /// Counts a scenario to its chapter, and writes the line of the chapter that it does not belong to any more.
    fn count(&mut self, out: &mut dyn Write, checked: &Checked<'_>) -> io::Result<()> {
        if self.chapter.as_ref().is_some_and(|chapter| chapter.name != checked.chapter()) {
            self.end_chapter(out)?;
        }
        let chapter = self.chapter.get_or_insert_with(|| Chapter {
            name: checked.chapter().to_owned(),
            scenarios: 0,
            steps: 0,
            words: Vec::new(),
        });
        chapter.scenarios += 1;
        chapter.steps += checked.steps();
        match chapter.words.iter_mut().find(|(word, _)| *word == checked.word) {
            Some((_, count)) => *count += 1,
            None => chapter.words.push((checked.word, 1)),
        }
        Ok(())
    }

    fn end_chapter(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let Some(Chapter { name, scenarios, steps, words }) = self.chapter.take() else { return Ok(()) };
        let name = if name.is_empty() { "(no chapter)" } else { &*one_line(&name) };
        let plural = if scenarios == 1 { " " } else { "s" };
        write!(out, "{name:<14} {scenarios:>4} scenario{plural} {steps:>5} steps")?;
        for (word, count) in words.iter().filter(|(word, _)| *word != Word::Agrees) {
            let style = style(*word);
            write!(out, ", {style}{} {count}{style:#}", word.text())?;
        }
        writeln!(out)
    }

    /// The word, the name and the title; then what is wrong.
    fn in_full(&self, out: &mut dyn Write, checked: &Checked<'_>) -> io::Result<()> {
        let style = style(checked.word);
        let word = if checked.word == Word::ModelOnly { "model" } else { checked.word.text() };
        writeln!(out, "{style}{word:<12}{style:#} {}", one_line(checked.name))?;
        if let Some(scenario) = checked.scenario.filter(|_| checked.word != Word::Invalid) {
            let options = words::page().initial_indent("             ").subsequent_indent("             ");
            writeln!(out, "{}", textwrap::fill(&one_line(&scenario.title), options))?;
        }
        if let (Amount::Steps, Some(scenario), Some(verdict)) = (self.amount, checked.scenario, &checked.verdict) {
            for (number, compared) in verdict.steps.iter().enumerate().skip(1) {
                out.write_all(step_line(scenario, number, compared).as_bytes())?;
            }
        }
        for problem in &checked.problems {
            out.write_all(problem.as_bytes())?;
        }
        if let Some(skip) = &checked.skipped {
            writeln!(out, "             {}", skip.why)?;
        }
        if checked.word.is_failure() {
            writeln!(out, "   replay: {}\n", checked.replay)?;
        }
        Ok(())
    }
}

impl Report for Text {
    fn take(&mut self, out: &mut dyn Write, checked: &Checked<'_>) -> io::Result<()> {
        if self.amount == Amount::Chapters {
            self.count(out, checked)?;
        }
        if checked.word.is_failure() || self.amount == Amount::Steps { self.in_full(out, checked) } else { Ok(()) }
    }

    fn finish(&mut self, out: &mut dyn Write, totals: &Totals) -> io::Result<()> {
        self.end_chapter(out)?;
        if self.amount == Amount::Chapters {
            writeln!(out)?;
        }
        for line in skips(totals) {
            writeln!(out, "{line}")?;
        }
        if self.amount != Amount::Quiet && totals.count(Word::ModelOnly) > 0 {
            writeln!(out, "{}", model_only(totals))?;
        }
        // Of one scenario all that there is to see stands right above.
        if !totals.failures.is_empty() && totals.planned > 1 {
            writeln!(out, "failures, and how to see each")?;
        }
        for (word, replay) in totals.failures.iter().filter(|_| totals.planned > 1) {
            let style = style(*word);
            writeln!(out, "  {style}{:<12}{style:#} {replay}", word.text())?;
        }
        writeln!(out, "{}", totals.sentence())
    }
}

fn style(word: Word) -> Style {
    match word {
        Word::Agrees => GOOD,
        Word::ModelOnly | Word::Skipped => SKIPPED,
        _ => BAD,
    }
}

/// Why the kernel did not run something: each reason once.
fn skips(totals: &Totals) -> Vec<String> {
    let mut lines = Vec::new();
    for ((_, skip), count) in totals.skips.iter().filter(|((word, _), _)| *word == Word::Skipped) {
        lines.push(format!("SKIPPED {count}: {}", skip.why));
        lines.extend(skip.remedy.as_ref().map(|remedy| format!("  remedy: {remedy}")));
    }
    lines
}

/// What the kernels are like that this one is not.
fn model_only(totals: &Totals) -> String {
    let skips = totals.skips.keys().filter(|(word, _)| *word == Word::ModelOnly);
    let needs: BTreeSet<&str> = skips.flat_map(|(_, skip)| skip.needs.iter().map(String::as_str)).collect();
    let needs = needs.into_iter().collect::<Vec<_>>().join(", ");
    textwrap::fill(&format!("model only: about kernels that are {needs}"), words::page().subsequent_indent("  "))
}

/// A step in one line: who, what, what it gave, and the rules that decided.
fn step_line(scenario: &Scenario, number: usize, compared: &Compared) -> String {
    let step = &scenario.steps[number - 1];
    let call = words::call(scenario, &step.call);
    let outcome = compared.observation().outcome.as_ref();
    let gave = outcome.map(|outcome| words::outcome(scenario, outcome)).unwrap_or_default();
    let mut rules: Vec<&str> = Vec::new();
    for because in compared.because() {
        if !rules.contains(&because.rule.id) {
            rules.push(because.rule.id);
        }
    }
    let mut head = format!("{number:>10}  {}: {call}, {gave}", scenario.role_name(step.by));
    for returned in &compared.observation().returned {
        let (who, what) = (scenario.role_name(returned.by), words::outcome(scenario, &returned.outcome));
        let _ = write!(head, "\n            later {who}'s {} {what}", returned.call);
    }
    let reasons = rules.join(" ");
    if reasons.is_empty() {
        return format!("{head}\n");
    }
    let options = words::page().initial_indent("              ").subsequent_indent("              ");
    format!("{head}\n{}\n", textwrap::fill(&reasons, options))
}
