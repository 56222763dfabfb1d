//! `pidlab init --kata`: a PID 1 is written in steps, and the first that is not done says what to do.

use std::io::{self, Write};

use pidlab_certify::{STEPS, Step, find};
use serde_json::json;

use super::{End, Format, Out, Question, Telling, ask};
use crate::words;

/// The duties in the order of the steps.
pub(super) fn duties() -> Vec<Question> {
    STEPS.iter().flat_map(of).collect()
}

fn of(step: &Step) -> Vec<Question> {
    step.duties.iter().filter_map(|name| find(name)).map(Question::BuiltIn).collect()
}

fn heading(index: usize) -> String {
    format!("Step {} of {}: {}", index + 1, STEPS.len(), STEPS[index].title)
}

/// Asks step after step, and ends with the first that is not done.
pub(super) fn go(out: &mut Out, mut telling: Telling<'_>, jobs: usize, format: Format) -> io::Result<End> {
    for (index, step) in STEPS.iter().enumerate() {
        telling.heading = (format == Format::Text).then(|| heading(index));
        let stopped = ask(out, &mut telling, &of(step), jobs)?;
        if stopped.is_some() {
            return telling.end(out, stopped);
        }
        if telling.counts.end() != End::Agree {
            match format {
                Format::Text => next_in_words(out, index)?,
                _ => writeln!(
                    out,
                    "{}",
                    json!({ "next": {
                        "step": index + 1, "of": STEPS.len(), "title": step.title, "text": step.text, "scenario": step.scenario,
                    } })
                )?,
            }
            return telling.end(out, None);
        }
    }
    if format == Format::Text {
        writeln!(out, "\nAll {} steps are done: this is a PID 1.", STEPS.len())?;
    }
    telling.end(out, None)
}

/// What is to be written next.
fn next_in_words(out: &mut dyn Write, index: usize) -> io::Result<()> {
    let step = &STEPS[index];
    writeln!(out, "\nNext. {}\n", heading(index))?;
    writeln!(out, "{}\n", textwrap::fill(step.text, words::page()))?;
    writeln!(out, "What is behind it: pidlab run {}", step.scenario)
}

/// The steps, and what is asked at each.
pub(super) fn list(out: &mut dyn Write) -> io::Result<()> {
    for (index, step) in STEPS.iter().enumerate() {
        writeln!(out, "{}", heading(index))?;
        let page = words::page().initial_indent("  ").subsequent_indent("  ");
        writeln!(out, "{}", textwrap::fill(step.text, &page))?;
        writeln!(out, "{}\n", textwrap::fill(&format!("Asked: {}", step.duties.join(", ")), &page))?;
    }
    Ok(())
}
