//! What an exploration found, for people and for programs.

use std::io::{self, Write};
use std::time::Duration;

use pidlab_explore::{Checked, Space, When};
use pidlab_sim::Numbers;
use serde_json::json;

use crate::cli::{End, Out};
use crate::words;

/// A space, and what it says of the properties.
pub(super) struct Found<'a> {
    pub(super) space: &'a Space,
    pub(super) properties: Vec<Checked>,
    pub(super) took: Duration,
}

impl Found<'_> {
    /// A property that should always hold and does not is a difference; one that is sometimes so and was not met may need more steps.
    pub(super) fn end(&self) -> End {
        let wrong = |checked: &Checked| checked.property.when == When::Always && !checked.is_right();
        if self.properties.iter().any(wrong) {
            End::Differ
        } else if self.space.given_up() > 0 {
            End::NotDecided
        } else {
            End::Agree
        }
    }

    pub(super) fn text(&self, out: &mut Out) -> io::Result<()> {
        let (space, plan) = (self.space, self.space.plan());
        let bounds = plan.bounds;
        let line = format!(
            "up to {} steps, {} processes, {} further threads, {} namespaces; {} kinds of calls; PIDs {}",
            bounds.steps,
            bounds.processes,
            bounds.threads,
            bounds.namespaces,
            plan.alphabet.words().count(),
            if plan.numbers == Numbers::Exact { "as they are" } else { "renamed" },
        );
        writeln!(out, "{}", textwrap::fill(&line, words::page()))?;
        let (open, ways) = space.open();
        writeln!(out, "states       {}{}", grouped(space.graph().node_count() as u128), self.closed())?;
        writeln!(out, "transitions  {}", grouped(space.graph().edge_count() as u128))?;
        writeln!(out, "left open    {} moves, with {} outcomes", grouped(open as u128), grouped(ways as u128))?;
        let scenarios = space.scenarios();
        let all = scenarios.iter().fold(0u128, |sum, count| sum.saturating_add(*count));
        match all {
            u128::MAX => writeln!(out, "scenarios    more than 10^38")?,
            all => writeln!(out, "scenarios    {}", grouped(all))?,
        }
        writeln!(out, "hash         {}", space.hash())?;
        writeln!(out, "seconds      {:.1}", self.took.as_secs_f64())?;
        let depths: Vec<String> = space.depths().iter().map(|count| grouped(*count as u128)).collect();
        let line = format!("new states by steps: {}", depths.join(", "));
        writeln!(out, "{}", textwrap::fill(&line, words::page().subsequent_indent("  ")))?;
        self.refused(out)?;
        for when in [When::Always, When::Sometimes] {
            self.properties_text(out, when)?;
        }
        Ok(())
    }

    fn closed(&self) -> String {
        match self.space.is_closed() {
            true => format!(
                "; none is new after {} steps: longer scenarios lead nowhere else",
                self.space.depths().len() - 1
            ),
            false => String::new(),
        }
    }

    fn refused(&self, out: &mut Out) -> io::Result<()> {
        if self.space.given_up() > 0 {
            writeln!(
                out,
                "not decided: of {} moves not all outcomes were found",
                grouped(self.space.given_up().into())
            )?;
        }
        if self.space.refused().is_empty() {
            return Ok(());
        }
        writeln!(out, "no steps:")?;
        for (why, count) in self.space.refused() {
            let line = format!("{} {why}", grouped((*count).into()));
            writeln!(out, "{}", textwrap::fill(&line, words::page().initial_indent("  ").subsequent_indent("    ")))?;
        }
        Ok(())
    }

    fn properties_text(&self, out: &mut Out, when: When) -> io::Result<()> {
        writeln!(out, "{}", if when == When::Always { "always" } else { "sometimes" })?;
        for checked in self.properties.iter().filter(|checked| checked.property.when == when) {
            let sentence = checked.property.sentence;
            let mark = match (when, &checked.shown) {
                (When::Always, None) => "ok   ".to_owned(),
                (When::Always, Some(_)) => "WRONG".to_owned(),
                (_, Some(scenario)) => format!("in {:2}", scenario.steps.len()),
                (_, None) => "never".to_owned(),
            };
            let line = format!("{mark} {sentence}");
            writeln!(
                out,
                "{}",
                textwrap::fill(&line, words::page().initial_indent("  ").subsequent_indent("        "))
            )?;
            if let (When::Always, Some(scenario)) = (when, &checked.shown) {
                writeln!(out, "\n{}", scenario.to_toml())?;
            }
        }
        Ok(())
    }

    pub(super) fn json(&self, out: &mut Out) -> io::Result<()> {
        for checked in &self.properties {
            let when = if checked.property.when == When::Always { "always" } else { "sometimes" };
            let shown = checked.shown.as_ref().map(pidlab_scenario::Scenario::to_toml);
            let line = json!({
                "property": checked.property.id, "sentence": checked.property.sentence, "when": when,
                "right": checked.is_right(), "shortest": shown,
            });
            writeln!(out, "{line}")?;
        }
        let mut space = self.summary();
        space["seconds"] = json!(self.took.as_secs_f64());
        writeln!(out, "{}", json!({ "space": space }))
    }

    /// What the space is: the same wherever it is explored.
    pub(super) fn summary(&self) -> serde_json::Value {
        let (space, plan) = (self.space, self.space.plan());
        let (open, ways) = space.open();
        let bounds = plan.bounds;
        let scenarios: Vec<String> = space.scenarios().iter().map(u128::to_string).collect();
        json!({
            "steps": bounds.steps, "processes": bounds.processes, "threads": bounds.threads,
            "namespaces": bounds.namespaces, "kinds": plan.alphabet.words().collect::<Vec<_>>(),
            "exact": plan.numbers == Numbers::Exact, "states": space.graph().node_count(),
            "transitions": space.graph().edge_count(), "open_moves": open, "open_outcomes": ways,
            "scenarios_by_length": scenarios, "states_by_depth": space.depths(), "closed": space.is_closed(),
            "hash": space.hash(), "refused": space.refused(), "given_up": space.given_up(),
        })
    }
}

/// A number with commas between its thousands.
pub(super) fn grouped(number: u128) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
