//! What `pidlab explain` knows: calls, words, facts, the words and errors of calls, rules, and misconceptions.

use std::io::{self, Write};

use pidlab_scenario::words::{CallWords, Kind, calls};
use pidlab_scenario::{Errno, Fact, Scenario};
use pidlab_sim::{Misconception, Rule, rule};
use serde_json::{Value, json};

use super::{Out, facts};
use crate::glossary::{self, ENTRIES, Entry};
use crate::misconceptions::{self, Refutation};
use crate::reference::{self, Reference};

/// Something that can be explained.
#[derive(Clone, Copy)]
pub(super) enum Topic {
    /// A call.
    Call(&'static CallWords),
    /// A word of the glossary.
    Word(&'static Entry),
    /// Something in which kernels differ.
    Fact(Fact),
    /// A flag, an option, or another word that an argument takes, by its place among [`calls`] and their arguments.
    Value(&'static str, &'static str),
    /// An error.
    Errno(Errno),
    /// A rule.
    Rule(&'static Rule),
    /// What many believe and Linux does not do.
    Misconception(Misconception),
}

impl Topic {
    /// All of them: calls, words, states and columns, facts, what arguments take, errors, rules, misconceptions.
    pub(super) fn all() -> Vec<Topic> {
        let mut values: Vec<(&str, &str)> = Vec::new();
        for (word, meaning) in calls().iter().flat_map(|call| &call.arguments).flat_map(|argument| argument.words()) {
            if !values.contains(&(word, meaning)) {
                values.push((word, meaning));
            }
        }
        let words =
            glossary::Kind::ALL.into_iter().flat_map(|kind| ENTRIES.iter().filter(move |entry| entry.kind == kind));
        let mut all: Vec<Topic> = calls().iter().map(Topic::Call).collect();
        all.extend(words.map(Topic::Word));
        all.extend(Fact::ALL.iter().copied().map(Topic::Fact));
        all.extend(values.into_iter().map(|(word, meaning)| Topic::Value(word, meaning)));
        all.extend(Errno::ALL.iter().copied().map(Topic::Errno));
        all.extend(rule::CATALOGUE.iter().copied().map(Topic::Rule));
        all.extend(Misconception::ALL.iter().copied().map(Topic::Misconception));
        all
    }

    /// By what it is found.
    pub(super) fn names(self) -> Vec<&'static str> {
        match self {
            Topic::Call(call) => vec![call.name],
            Topic::Word(entry) => [&[entry.word], entry.also].concat(),
            Topic::Fact(fact) => vec![fact.word()],
            Topic::Value(word, _) => vec![word],
            Topic::Errno(errno) => vec![errno.name()],
            Topic::Rule(rule) => vec![rule.id],
            Topic::Misconception(belief) => vec![belief.word()],
        }
    }

    /// What it is called.
    pub(super) fn name(self) -> &'static str {
        self.names()[0]
    }

    /// What it is, in a word.
    pub(super) const fn kind(self) -> &'static str {
        match self {
            Topic::Call(_) => "call",
            Topic::Word(entry) => entry.kind.word(),
            Topic::Fact(_) => "fact",
            Topic::Value(..) => "argument",
            Topic::Errno(_) => "error",
            Topic::Rule(_) => "rule",
            Topic::Misconception(_) => "misconception",
        }
    }

    /// What it means, in a sentence or two.
    pub(super) fn meaning(self) -> String {
        match self {
            Topic::Call(call) => call.about.to_owned(),
            Topic::Word(entry) => entry.meaning.to_owned(),
            Topic::Fact(fact) => fact.meaning().to_owned(),
            Topic::Value(_, meaning) => meaning.to_owned(),
            Topic::Errno(errno) => format!("errno {}", errno.number()),
            Topic::Rule(rule) => rule.sentence.to_owned(),
            Topic::Misconception(belief) => misconceptions::told(belief),
        }
    }
}

/// What explaining needs of the library.
pub(super) struct Shelf {
    library: Vec<Scenario>,
    reference: Reference,
}

impl Shelf {
    pub(super) fn new(library: Vec<Scenario>, reference: Reference) -> Shelf {
        Shelf { library, reference }
    }

    /// The scenarios of the library that say they show the rule.
    pub(super) fn shown_by(&self, rule: &Rule) -> Vec<String> {
        shown_by(rule, &self.library)
    }

    /// Whether what is told of a topic tells another one with it: of a call, its flags and rules.
    pub(super) fn tells(&self, topic: Topic, other: Topic) -> bool {
        match (topic, other) {
            (Topic::Call(call), Topic::Value(word, meaning)) => {
                call.arguments.iter().any(|argument| argument.words().contains(&(word, meaning)))
            }
            (Topic::Call(call), Topic::Rule(rule)) => {
                self.reference.rules(call.name).iter().any(|told| told.id == rule.id)
            }
            _ => false,
        }
    }
}

/// The scenarios of these that say they show the rule.
pub(super) fn shown_by(rule: &Rule, library: &[Scenario]) -> Vec<String> {
    let shows = |scenario: &&Scenario| scenario.rules.iter().any(|id| id == rule.id);
    library.iter().filter(shows).map(|scenario| scenario.name.clone()).collect()
}

/// The topic in full.
pub(super) fn text(out: &mut Out, topic: Topic, shelf: &Shelf) -> io::Result<()> {
    match topic {
        Topic::Rule(rule) => writeln!(out, "{}", rule.id)?,
        _ => writeln!(out, "{} ({})", topic.name(), topic.kind())?,
    }
    entry(out, "", &topic.meaning())?;
    match topic {
        Topic::Call(call) => self::call(out, call, &shelf.reference),
        Topic::Word(word) => {
            if !word.also.is_empty() {
                entry(out, "also  ", &word.also.join(", "))?;
            }
            entry(out, "see   ", &word.see.join(", "))
        }
        Topic::Fact(fact) => self::fact(out, fact, shelf),
        Topic::Value(word, meaning) => {
            let takes = calls().iter().flat_map(|call| call.arguments.iter().map(move |argument| (call, argument)));
            let taking = takes.filter(|(_, argument)| argument.words().contains(&(word, meaning)));
            let places: Vec<String> =
                taking.map(|(call, argument)| format!("{} of {}", argument.name, call.name)).collect();
            entry(out, "for   ", &places.join(", "))
        }
        Topic::Errno(errno) => {
            for call in calls() {
                for (_, when) in call.errors.iter().filter(|(fails, _)| *fails == errno) {
                    entry(out, &format!("{:<18}", call.name), when)?;
                }
            }
            Ok(())
        }
        Topic::Rule(rule) => self::rule(out, rule, shelf),
        Topic::Misconception(belief) => misconception(out, belief, shelf),
    }
}

fn call(out: &mut Out, call: &CallWords, reference: &Reference) -> io::Result<()> {
    if !call.arguments.is_empty() {
        writeln!(out, "\n  arguments")?;
    }
    for argument in &call.arguments {
        let presence = reference::presence(call, argument);
        let what = format!("{} ({presence}): {}", argument.kind.words(), argument.about);
        entry(out, &format!("  {:<13}", argument.name), &what)?;
        let quote = if matches!(argument.kind, Kind::Word(_)) { "\"" } else { "" };
        for (word, meaning) in argument.words() {
            entry(out, "               ", &format!("{quote}{word}{quote}: {meaning}"))?;
        }
    }
    if !call.errors.is_empty() {
        writeln!(out, "\n  fails with")?;
    }
    for (errno, when) in call.errors {
        entry(out, &format!("  {:<13}", errno.name()), when)?;
    }
    if !call.returns {
        writeln!(out, "\n  It does not return: claim `ends = true` and `then`.")?;
    }
    if let Some(example) = reference.example(call.name) {
        writeln!(out, "\n  example, from {}", example.scenario)?;
        writeln!(out, "    {}", example.row)?;
    }
    let rules = reference.rules(call.name);
    if !rules.is_empty() {
        writeln!(out, "\n  rules")?;
    }
    for rule in rules {
        let page = crate::words::page().initial_indent("    ").subsequent_indent("        ");
        writeln!(out, "{}", textwrap::fill(&format!("{}  {}", rule.id, rule.sentence), page))?;
    }
    Ok(())
}

fn fact(out: &mut Out, fact: Fact, shelf: &Shelf) -> io::Result<()> {
    entry(
        out,
        "about ",
        match facts::about(fact) {
            "place" => "the machine, and who runs scenarios on it",
            "vendor" => "what only a vendor's kernel has",
            _ => "kernels: `pidlab facts` says what this one is like",
        },
    )?;
    for (holds, label) in [(true, "with  "), (false, "else  ")] {
        for rule in rule::CATALOGUE.iter().filter(|rule| rule.about == Some((fact, holds))) {
            entry(out, label, &format!("{} [{}]", rule.sentence, rule.id))?;
        }
    }
    for scenario in &shelf.library {
        if let Some(need) = scenario.needs.iter().find(|need| need.fact == fact) {
            entry(out, "shown ", &format!("{} (needs {need})", scenario.name))?;
        }
    }
    Ok(())
}

fn rule(out: &mut Out, rule: &Rule, shelf: &Shelf) -> io::Result<()> {
    writeln!(out)?;
    entry(out, "kernel   ", rule.kernel)?;
    for (label, text) in
        [("manual   ", rule.manual), ("since    ", rule.since), ("until    ", rule.until), ("note     ", rule.note)]
    {
        if let Some(text) = text {
            entry(out, label, text)?;
        }
    }
    for name in shelf.shown_by(rule) {
        entry(out, "shown by ", &name)?;
    }
    Ok(())
}

fn misconception(out: &mut Out, belief: Misconception, shelf: &Shelf) -> io::Result<()> {
    writeln!(out)?;
    let rule = belief.rule();
    entry(out, "breaks      ", &format!("{} [{}]", rule.sentence, rule.id))?;
    if let Some(Refutation { scenario, step }) = misconceptions::refuted_by(belief, &shelf.library) {
        entry(out, "refuted by  ", &format!("{}, step {step}: {}", scenario.name, scenario.title))?;
        entry(out, "see it      ", &format!("pidlab run {} --misconception {}", scenario.name, belief.word()))?;
    }
    Ok(())
}

/// A label and a paragraph beside it.
fn entry(out: &mut Out, label: &str, text: &str) -> io::Result<()> {
    let initial = format!("  {label}");
    let hanging = " ".repeat(initial.len());
    let options = crate::words::page().initial_indent(&initial).subsequent_indent(&hanging);
    writeln!(out, "{}", textwrap::fill(text, options))
}

/// The topic in JSON; a rule has a form of its own.
pub(super) fn json(topic: Topic, shelf: &Shelf) -> Value {
    let mut value = json!({ "topic": topic.kind(), "name": topic.name(), "meaning": topic.meaning() });
    match topic {
        Topic::Call(call) => {
            let argument = |argument: &pidlab_scenario::words::Argument| {
                let words: serde_json::Map<String, Value> =
                    argument.words().into_iter().map(|(word, meaning)| (word.to_owned(), json!(meaning))).collect();
                json!({
                    "name": argument.name, "value": argument.kind.words(), "presence": reference::presence(call, argument),
                    "meaning": argument.about, "words": words,
                })
            };
            let errors: serde_json::Map<String, Value> =
                call.errors.iter().map(|(errno, when)| (errno.to_string(), json!(when))).collect();
            value["arguments"] = call.arguments.iter().map(argument).collect();
            value["errors"] = json!(errors);
            value["returns"] = json!(call.returns);
            value["example"] = json!(shelf.reference.example(call.name).map(|example| &example.row));
            value["rules"] = shelf.reference.rules(call.name).iter().map(|rule| json!(rule.id)).collect();
        }
        Topic::Word(word) => {
            value["also"] = json!(word.also);
            value["see"] = json!(word.see);
        }
        Topic::Misconception(belief) => {
            value["claim"] = json!(belief.claim());
            value["truth"] = json!(belief.truth());
            value["rule"] = json!(belief.rule().id);
            let refuted = misconceptions::refuted_by(belief, &shelf.library);
            value["refuted_by"] =
                json!(refuted.map(|found| json!({ "scenario": found.scenario.name, "step": found.step })));
        }
        Topic::Fact(_) | Topic::Value(..) | Topic::Errno(_) | Topic::Rule(_) => {}
    }
    value
}
