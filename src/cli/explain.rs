//! `pidlab rules` and `pidlab explain`: the catalogue.

use std::io::{self, Write};

use clap::Args;
use pidlab_scenario::{Scenario, library, nearest};
use pidlab_sim::{Rule, rule};
use serde::Serialize;

use super::coverage::{self, RulesArguments};
use super::{End, Format, Out};

#[derive(Args)]
pub(super) struct Arguments {
    /// The rule's id, as in the output of `rules`.
    id: String,
    /// How it is written.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// A rule in JSON.
#[derive(Serialize)]
struct RuleLine<'a> {
    id: &'a str,
    sentence: &'a str,
    kernel: &'a str,
    manual: Option<&'a str>,
    since: Option<&'a str>,
    until: Option<&'a str>,
    note: Option<&'a str>,
    scenarios: Vec<String>,
}

pub(super) fn rules(out: &mut Out, arguments: &RulesArguments) -> io::Result<End> {
    if arguments.coverage {
        return coverage::coverage(out, arguments);
    }
    let asked = match arguments.asked() {
        Ok(asked) => asked,
        Err(end) => return Ok(end),
    };
    let library = parsed_library();
    let mut family = "";
    for rule in rule::CATALOGUE.iter().filter(|rule| asked.is_about(rule)) {
        if arguments.format == Format::Json {
            json(out, rule, &library)?;
            continue;
        }
        let own = rule.id.split('.').next().unwrap_or(rule.id);
        if own != family {
            if !family.is_empty() {
                writeln!(out)?;
            }
            family = own;
        }
        let options = crate::words::page().subsequent_indent("    ");
        writeln!(out, "{}", textwrap::fill(&format!("{}  {}", rule.id, rule.sentence), options))?;
    }
    Ok(End::Agree)
}

pub(super) fn explain(out: &mut Out, arguments: &Arguments) -> io::Result<End> {
    let Some(rule) = rule::find(&arguments.id) else {
        eprintln!("error: there is no rule `{}`", arguments.id);
        match nearest(&arguments.id, rule::CATALOGUE.iter().map(|rule| rule.id)) {
            Some(id) => eprintln!("help: did you mean `{id}`?"),
            None => eprintln!("help: `pidlab rules` lists them"),
        }
        return Ok(End::BadInput);
    };
    let library = parsed_library();
    if arguments.format == Format::Json {
        json(out, rule, &library)?;
        return Ok(End::Agree);
    }
    writeln!(out, "{}", rule.id)?;
    entry(out, "", rule.sentence)?;
    writeln!(out)?;
    entry(out, "kernel   ", rule.kernel)?;
    for (label, text) in
        [("manual   ", rule.manual), ("since    ", rule.since), ("until    ", rule.until), ("note     ", rule.note)]
    {
        if let Some(text) = text {
            entry(out, label, text)?;
        }
    }
    for name in shown_by(rule, &library) {
        entry(out, "shown by ", &name)?;
    }
    Ok(End::Agree)
}

fn entry(out: &mut Out, label: &str, text: &str) -> io::Result<()> {
    let initial = format!("  {label}");
    let hanging = " ".repeat(initial.len());
    let options = crate::words::page().initial_indent(&initial).subsequent_indent(&hanging);
    writeln!(out, "{}", textwrap::fill(text, options))
}

fn json(out: &mut Out, rule: &Rule, library: &[Scenario]) -> io::Result<()> {
    let Rule { id, sentence, kernel, manual, since, until, note, .. } = *rule;
    let scenarios = shown_by(rule, library);
    let line = RuleLine { id, sentence, kernel, manual, since, until, note, scenarios };
    writeln!(out, "{}", serde_json::to_string(&line)?)
}

fn parsed_library() -> Vec<Scenario> {
    // The library's files are tested to parse; here one that did not would only be missing from a list.
    library::files().filter_map(|file| Scenario::parse(&file.name, &file.path, file.text).ok()).collect()
}

/// The scenarios of the library that say they show the rule.
fn shown_by(rule: &Rule, library: &[Scenario]) -> Vec<String> {
    library
        .iter()
        .filter(|scenario| scenario.rules.iter().any(|id| id == rule.id))
        .map(|scenario| scenario.name.clone())
        .collect()
}
