//! `pidlab rules` and `pidlab explain`: the catalogue, and every word that one may meet.

use std::io::{self, Write};

use clap::Args;
use pidlab_scenario::{Scenario, library, nearest};
use pidlab_sim::{Rule, rule};
use serde::Serialize;

use super::coverage::{self, RulesArguments};
use super::topics::{self, Shelf, Topic};
use super::{End, Format, Out};
use crate::reference::Reference;

#[derive(Args)]
#[command(after_help = "\
A word that begins several names lists them; no word lists all there is.

Examples:
  pidlab explain                        which calls and words there are
  pidlab explain clone                  a call: arguments, errors, rules
  pidlab explain zombie                 a word
  pidlab explain process group          a word of two
  pidlab explain CLONE_NEWPID           a flag
  pidlab explain ECHILD                 an error, and who gives it when
  pidlab explain reap.ns-is-fathers     a rule
  pidlab explain reap.                  all rules about adoption
  pidlab explain kill-removes-zombies   a misconception, and what refutes it")]
pub(super) struct Arguments {
    /// A call, a word, a state or column of the tables, a fact, a flag, an error, a misconception, or the id of a rule.
    #[arg(value_name = "WORD")]
    words: Vec<String>,
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
            json(out, rule, topics::shown_by(rule, &library))?;
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
    let asked = arguments.words.join(" ");
    let wanted = asked.to_lowercase();
    let all = Topic::all();
    if asked.is_empty() {
        return index(out, &all, arguments.format);
    }
    let matching = |fits: &dyn Fn(&str) -> bool| -> Vec<Topic> {
        all.iter().copied().filter(|topic| topic.names().iter().any(|name| fits(&name.to_lowercase()))).collect()
    };
    let exact = matching(&|name| name == wanted);
    let begun = matching(&|name| name.starts_with(&wanted));
    // More of a thing is that thing, even where something else begins so.
    let singular = || wanted.strip_suffix('s').map(|one| matching(&|name| name == one)).unwrap_or_default();
    let exact = if exact.is_empty() { singular() } else { exact };
    let (full, more) = match (&exact[..], &begun[..]) {
        ([], []) => return Ok(unknown(&asked, &all)),
        ([], [one]) => (vec![*one], Vec::new()),
        ([], several) => (Vec::new(), several.to_vec()),
        (exact, several) => {
            let others = several.iter().filter(|topic| !exact.iter().any(|exact| exact.name() == topic.name()));
            (exact.to_vec(), others.copied().collect())
        }
    };
    let needs_calls = full.iter().any(|topic| matches!(topic, Topic::Call(_)));
    let reference = if needs_calls { Reference::of_the_library() } else { Reference::default() };
    let shelf = Shelf::new(parsed_library(), reference);
    if arguments.format == Format::Json {
        for topic in full.iter().chain(&more) {
            match topic {
                Topic::Rule(rule) => json(out, rule, shelf.shown_by(rule))?,
                topic => writeln!(out, "{}", topics::json(*topic, &shelf))?,
            }
        }
        return Ok(End::Agree);
    }
    for (index, topic) in full.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        topics::text(out, *topic, &shelf)?;
    }
    if !full.is_empty() && !more.is_empty() {
        let told = |topic: &&Topic| full.iter().any(|full| shelf.tells(*full, **topic));
        let names: Vec<&str> = more.iter().filter(|topic| !told(topic)).map(|topic| topic.name()).collect();
        let page = crate::words::page().subsequent_indent("  ");
        if !names.is_empty() {
            writeln!(out, "\n{}", textwrap::fill(&format!("other words that begin so: {}", names.join(", ")), page))?;
        }
        return Ok(End::Agree);
    }
    for topic in more {
        let page = crate::words::page().subsequent_indent("    ");
        let line = format!("{} ({})  {}", topic.name(), topic.kind(), topic.meaning());
        writeln!(out, "{}", textwrap::fill(&line, page))?;
    }
    Ok(End::Agree)
}

/// The names of all there is but the rules, which have a command of their own.
fn index(out: &mut Out, all: &[Topic], format: Format) -> io::Result<End> {
    let topics = || all.iter().filter(|topic| !matches!(topic, Topic::Rule(_)));
    if format == Format::Json {
        for topic in topics() {
            let (kind, name, meaning) = (topic.kind(), topic.name(), topic.meaning());
            writeln!(out, "{}", serde_json::json!({ "topic": kind, "name": name, "meaning": meaning }))?;
        }
        return Ok(End::Agree);
    }
    let mut kinds: Vec<&str> = Vec::new();
    for kind in topics().map(|topic| topic.kind()) {
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    for kind in kinds {
        let names: Vec<&str> = topics().filter(|topic| topic.kind() == kind).map(|topic| topic.name()).collect();
        let page = crate::words::page().initial_indent("  ").subsequent_indent("  ");
        writeln!(out, "{kind}s\n{}\n", textwrap::fill(&names.join(", "), page))?;
    }
    writeln!(out, "`pidlab explain WORD` explains each, `pidlab rules` lists the rules.")?;
    Ok(End::Agree)
}

/// Nothing has this name: what was most likely meant.
fn unknown(asked: &str, all: &[Topic]) -> End {
    eprintln!("error: there is no call, word, fact, rule or misconception `{}`", asked.escape_debug());
    match nearest(asked, all.iter().flat_map(|topic| topic.names())) {
        Some(name) => eprintln!("help: did you mean `{name}`?"),
        None => eprintln!("help: `pidlab explain` lists the calls and words, `pidlab rules` the rules"),
    }
    End::BadInput
}

fn json(out: &mut Out, rule: &Rule, scenarios: Vec<String>) -> io::Result<()> {
    let Rule { id, sentence, kernel, manual, since, until, note, .. } = *rule;
    let line = RuleLine { id, sentence, kernel, manual, since, until, note, scenarios };
    writeln!(out, "{}", serde_json::to_string(&line)?)
}

fn parsed_library() -> Vec<Scenario> {
    // The library's files are tested to parse; here one that did not would only be missing from a list.
    library::files().filter_map(|file| Scenario::parse(&file.name, &file.path, file.text).ok()).collect()
}
