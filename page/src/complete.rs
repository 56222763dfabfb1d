//! How a scenario's text can go on where the caret is.
//!
//! It need not be a scenario yet, and mostly is not: what stands before the caret on its step is enough.

use pidlab_scenario::words::{CallWords, Kind, calls};
use pidlab_scenario::{Errno, Fact, Signal, State};
use pidlab_sim::rule;
use serde::Serialize;

/// What could stand at the caret.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub(crate) struct Completions {
    /// What would be replaced: from here,
    pub(crate) from: usize,
    /// to here.
    pub(crate) to: usize,
    /// What there is to choose.
    pub(crate) options: Vec<Completion>,
}

/// One way to go on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(crate) struct Completion {
    /// What is written.
    pub(crate) insert: String,
    /// What it means.
    pub(crate) about: String,
}

/// Words that steps have beside the arguments of their call.
const COMMON: [(&str, &str); 8] = [
    ("by", "who makes the call"),
    ("call", "the system call"),
    ("returns", "a claim: what it returns"),
    ("fails", "a claim: the error that it fails with"),
    ("blocks", "a claim: it has not returned yet"),
    ("ends", "a claim: its caller ends in it"),
    ("then", "a claim: how the world looks after the step"),
    ("ask", "the question that the step is"),
];

/// More are no help.
const MOST: usize = 60;

/// What could stand at this byte.
pub(crate) fn at(text: &str, caret: usize) -> Completions {
    let before = &text[..caret];
    let step = &before[step_start(before)..];
    let place = Place::of(step);
    let from = caret - place.typed.len();
    let tail = text[caret..].find(|letter: char| !is_word(letter)).unwrap_or(text.len() - caret);
    let head = place.typed.to_lowercase();
    let mut options: Vec<Completion> = place
        .options(before, step)
        .into_iter()
        .filter(|(word, _)| word.to_lowercase().contains(&head) && *word != place.typed)
        .map(|(word, about)| Completion { insert: word, about })
        .collect();
    // What begins as typed comes first.
    options.sort_by_key(|option| !option.insert.to_lowercase().starts_with(&head));
    options.truncate(MOST);
    Completions { from, to: caret + tail, options }
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.' | '/' | '!')
}

/// Where the step begins that the caret is in; or the line, where it is in none.
fn step_start(before: &str) -> usize {
    let line = before.rfind('\n').map_or(0, |newline| newline + 1);
    let step = before.rfind("{ by").max(before.rfind("{by"));
    step.filter(|step| is_open(&before[*step..])).unwrap_or(line)
}

/// Whether a step that begins so has not come to its end.
fn is_open(step: &str) -> bool {
    step.matches('{').count() > step.matches('}').count()
}

/// What the caret is at.
struct Place<'a> {
    /// What is typed of the word already.
    typed: &'a str,
    /// Whether it is in quotes.
    quoted: bool,
    /// The key whose value it is, if it is in a value.
    key: Option<&'a str>,
}

impl<'a> Place<'a> {
    fn of(step: &'a str) -> Place<'a> {
        let quoted = step.matches('"').count() % 2 == 1;
        let start = match quoted {
            true => step.rfind('"').map_or(0, |quote| quote + 1),
            false => step
                .rfind(|letter: char| !is_word(letter))
                .map_or(0, |at| at + step[at..].chars().next().map_or(1, char::len_utf8)),
        };
        let lead = step[..start].trim_end_matches('"').trim_end();
        Place { typed: &step[start..], quoted, key: key_of(lead) }
    }

    fn options(&self, before: &str, step: &str) -> Vec<(String, String)> {
        let call = word_after(step, "call").and_then(|name| calls().iter().find(|call| call.name == name));
        match self.key {
            None if !self.quoted => keys(call, step),
            Some(key) if self.quoted => values(key, call, before),
            _ => Vec::new(),
        }
    }
}

/// The key of the value that comes next: before the `=`, whatever list has begun since.
fn key_of(lead: &str) -> Option<&str> {
    let lead = match lead.rfind('[') {
        Some(open) if !lead[open..].contains(']') => lead[..open].trim_end(),
        _ => lead,
    };
    let lead = lead.strip_suffix('=')?.trim_end();
    Some(&lead[lead.rfind(|letter: char| !is_word(letter)).map_or(0, |at| at + 1)..])
}

/// The quoted word that a key of the step has.
fn word_after<'a>(step: &'a str, key: &str) -> Option<&'a str> {
    let rest = step.split(key).nth(1)?.trim_start().strip_prefix('=')?.trim_start().strip_prefix('"')?;
    rest.split('"').next()
}

fn pair(word: &str, about: &str) -> (String, String) {
    (word.to_owned(), about.to_owned())
}

fn keys(call: Option<&CallWords>, step: &str) -> Vec<(String, String)> {
    if step.contains('}') && !is_open(step) {
        return Vec::new();
    }
    if !step.contains('{') {
        let keys = [
            ("title", "what the scenario claims, in one line"),
            ("about", "why it matters"),
            ("rules", "ids of rules that it shows"),
            ("needs", "facts that a kernel must have, or with `!` must not have"),
            ("steps", "what happens"),
        ];
        return keys.iter().map(|(word, about)| pair(word, about)).collect();
    }
    let missing = |word: &str| !step.contains(&format!("{word} =")) && !step.contains(&format!("{word}="));
    let own = call.into_iter().flat_map(|call| &call.arguments).map(|argument| (argument.name, argument.about));
    own.chain(COMMON).filter(|(word, _)| missing(word)).map(|(word, about)| pair(word, about)).collect()
}

fn values(key: &str, call: Option<&CallWords>, before: &str) -> Vec<(String, String)> {
    match key {
        "call" => return calls().iter().map(|call| pair(call.name, call.about)).collect(),
        "rules" => return rule::CATALOGUE.iter().map(|rule| pair(rule.id, rule.sentence)).collect(),
        "needs" => return facts(),
        "fails" => return errors(call),
        "state" => return states(),
        "by" | "returns" | "parent" => return processes(before),
        _ => {}
    }
    let Some(argument) = call.and_then(|call| call.arguments.iter().find(|argument| argument.name == key)) else {
        return Vec::new();
    };
    match argument.kind {
        Kind::Signal | Kind::SignalOrZero | Kind::Signals => Signal::named().map(|(_, name)| pair(name, "")).collect(),
        Kind::Process | Kind::Target => processes(before),
        Kind::WaitPid => [pair("any", "any child")].into_iter().chain(processes(before)).collect(),
        Kind::WaitGroup => [pair("own", "the caller's own group")].into_iter().chain(processes(before)).collect(),
        _ => argument.words().iter().map(|(word, about)| pair(word, about)).collect(),
    }
}

fn facts() -> Vec<(String, String)> {
    let sides = Fact::ALL.iter().map(|fact| pair(fact.word(), fact.meaning()));
    sides.collect()
}

fn errors(call: Option<&CallWords>) -> Vec<(String, String)> {
    let own: Vec<(Errno, &str)> = call.map(|call| call.errors.to_vec()).unwrap_or_default();
    let others =
        Errno::ALL.iter().filter(|errno| own.iter().all(|(known, _)| known != *errno)).map(|errno| (*errno, ""));
    own.iter().copied().chain(others).map(|(errno, about)| pair(errno.name(), about)).collect()
}

fn states() -> Vec<(String, String)> {
    let all = [
        (State::Running, "able to act"),
        (State::Blocked, "inside a call that has not returned"),
        (State::Stopped, "stopped by a signal"),
        (State::Traced, "held by its tracer"),
        (State::Zombie, "terminated, not waited for"),
        (State::Exiting, "an init that waits for the last member of its namespace"),
    ];
    all.iter().map(|(state, about)| pair(&state.to_string(), about)).collect()
}

/// The processes that the text has made so far.
fn processes(before: &str) -> Vec<(String, String)> {
    let mut names = vec![pair("host", "PID 1 of the outermost namespace")];
    for (start, _) in before.match_indices("child") {
        if let Some(name) =
            word_after(&before[start..], "child").filter(|name| names.iter().all(|(known, _)| known != name))
        {
            names.push(pair(name, ""));
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::at;

    /// The options at the `|` of a text, and what they replace.
    fn options(text: &str) -> (Vec<String>, String) {
        let caret = text.find('|').expect("the caret is somewhere");
        let text = text.replace('|', "");
        let found = at(&text, caret);
        (found.options.into_iter().map(|option| option.insert).collect(), text[found.from..found.to].to_owned())
    }

    #[test]
    fn calls_arguments_and_names_are_completed() {
        let (calls, typed) = options("steps = [\n  { by = \"host\", call = \"cl|");
        assert_eq!((calls[0].as_str(), typed.as_str()), ("clone", "cl"));
        let (keys, _) = options("steps = [\n  { by = \"host\", call = \"clone\", |");
        assert_eq!(keys[..4], ["child", "flags", "exit_signal", "set_tid"]);
        let (flags, typed) =
            options("steps = [\n  { by = \"host\", call = \"clone\", flags = [\"CLONE_PIDFD\", \"CLONE_NEW|\"] },");
        assert_eq!((flags.contains(&"CLONE_NEWPID".to_owned()), typed.as_str()), (true, "CLONE_NEW"));
        let made = "steps = [\n  { by = \"host\", call = \"fork\", child = \"mid\" },\n  { by = \"|\" },";
        assert_eq!(options(made).0, ["host", "mid"]);
        let (errors, _) = options("steps = [{ by = \"host\", call = \"kill\", pid = 1, signal = 0, fails = \"|\" }");
        assert_eq!(errors[..2], ["ESRCH", "EPERM"]);
        let (rules, typed) = options("rules = [\"reap.ns|\"]");
        assert_eq!((rules[0].as_str(), typed.as_str()), ("reap.ns-is-fathers", "reap.ns"));
        assert_eq!(options("ti|").0, ["title"]);
        assert!(options("title = \"a|").0.is_empty());
        let closed = "steps = [\n  { by = \"host\", call = \"fork\", child = \"mid\" },|";
        assert!(options(closed).0.is_empty());
    }
}
