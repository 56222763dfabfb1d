//! `pidlab incidents`: what went wrong for others, and why.

use std::io::{self, Write};

use clap::Args;
use pidlab_book::{HOW_TO_TYPE, Incident, incidents, title};
use pidlab_scenario::{escaped_json, nearest};
use pidlab_sim::rule;

use super::{End, Out, PageFormat};
use crate::words;

#[derive(Args)]
#[command(after_help = "\
Each is from public threads, which are named, and has the scenario that shows
it, the rules behind it, and what to do; many have commands to see it on a
machine, and what `pidlab why` says where something is stuck.

Examples:
  pidlab incidents                     which there are
  pidlab incidents cannot-be-removed   one of them
  pidlab incidents --format markdown   all, as a page
  pidlab incidents --format json       one line about each, for programs")]
pub(super) struct Arguments {
    /// One of them [default: a list of all].
    id: Option<String>,
    /// How it is written.
    #[arg(long, value_enum, default_value = "text")]
    format: PageFormat,
}

pub(super) fn incidents_command(out: &mut Out, arguments: &Arguments) -> io::Result<End> {
    let all = match incidents() {
        Ok(all) => all,
        Err(wrong) => {
            eprintln!("error: {wrong}");
            return Ok(End::BadInput);
        }
    };
    let chosen: Vec<&Incident> = match &arguments.id {
        Some(id) => all.iter().filter(|incident| incident.id == *id).collect(),
        None => all.iter().collect(),
    };
    if let (true, Some(id)) = (chosen.is_empty(), &arguments.id) {
        eprintln!("error: there is no incident `{}`", id.escape_debug());
        match nearest(id, all.iter().map(|incident| incident.id.as_str())) {
            Some(id) => eprintln!("help: did you mean `{id}`?"),
            None => eprintln!("help: `pidlab incidents` lists them"),
        }
        return Ok(End::BadInput);
    }
    match (arguments.format, &arguments.id) {
        (PageFormat::Json, _) => {
            for incident in chosen {
                writeln!(out, "{}", escaped_json(&serde_json::to_string(incident)?))?;
            }
        }
        (PageFormat::Markdown, None) => out.write_all(pidlab_book::page(&all).as_bytes())?,
        (PageFormat::Markdown, Some(_)) => {
            for incident in chosen {
                out.write_all(pidlab_book::markdown(incident, 1).as_bytes())?;
            }
        }
        (PageFormat::Text, None) => list(out, &all)?,
        (PageFormat::Text, Some(_)) => {
            for incident in chosen {
                told(out, incident)?;
            }
        }
    }
    Ok(End::Agree)
}

fn list(out: &mut Out, all: &[Incident]) -> io::Result<()> {
    for incident in all {
        let page = words::page().subsequent_indent("    ");
        writeln!(out, "{}", textwrap::fill(&format!("{}  {}", incident.id, incident.title), page))?;
    }
    writeln!(out, "\n`pidlab incidents ID` tells one.")
}

/// One incident, for people.
fn told(out: &mut Out, incident: &Incident) -> io::Result<()> {
    writeln!(out, "{}\n", textwrap::fill(&incident.title, words::page()))?;
    paragraphs(out, &incident.story)?;
    writeln!(out, "What to do\n")?;
    paragraphs(out, &incident.advice)?;
    if let Some(why) = &incident.why {
        writeln!(out, "What `pidlab why` says of {}, after step {} of {}\n", why.of, why.step, why.scenario)?;
        writeln!(out, "{}", indented(&why.text))?;
    }
    if !incident.commands.is_empty() {
        writeln!(out, "On a machine\n")?;
        paragraphs(out, HOW_TO_TYPE)?;
    }
    for command in &incident.commands {
        paragraphs(out, &command.shows)?;
        writeln!(out, "{}", indented(&format!("# {}\n{}", command.run.trim(), command.sees)))?;
    }
    writeln!(out, "Why\n")?;
    for id in &incident.rules {
        let sentence = rule::find(id).map_or("", |rule| rule.sentence);
        let page = words::page().initial_indent("  ").subsequent_indent("      ");
        writeln!(out, "{}", textwrap::fill(&format!("{id}  {sentence}"), page))?;
    }
    writeln!(out, "\nSee it\n")?;
    for name in &incident.scenarios {
        let page = words::page().initial_indent("  ").subsequent_indent("      ");
        writeln!(out, "{}", textwrap::fill(&format!("pidlab run {name}  {}", title(name)), page))?;
    }
    let from = format!("From {}.", incident.threads.join(", "));
    writeln!(out, "\n{}", textwrap::fill(&from, words::page()))
}

fn paragraphs(out: &mut Out, text: &str) -> io::Result<()> {
    let page = || words::page().initial_indent("  ").subsequent_indent("  ");
    for paragraph in text.split("\n\n") {
        let line = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
        writeln!(out, "{}\n", textwrap::fill(&line, page()))?;
    }
    Ok(())
}

fn indented(text: &str) -> String {
    text.trim_end().lines().map(|line| format!("    {line}").trim_end().to_owned() + "\n").collect()
}
