//! From the text of a file to a [`Scenario`]: first what the file says (TOML, with places), then what it means.
//!
//! Every mistake is collected, so that a user mends a file in one go. The table of calls in [`crate::words`] says what a
//! step may hold; [`crate::step`] reads one step by it.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use crate::diagnose::{Diagnostic, Diagnostics};
use crate::words::nearest;
use crate::{Fact, Scenario, step};

/// A larger file is not a scenario.
const MOST_BYTES: usize = 1 << 20;
/// More steps than this are refused.
const MOST_STEPS: usize = 4096;

const KEYS: [&str; 5] = ["title", "about", "rules", "needs", "steps"];

/// A key or value with its place.
pub(crate) type Place = Range<usize>;
pub(crate) type Key<'a> = Spanned<DeString<'a>>;
pub(crate) type Value<'a> = Spanned<DeValue<'a>>;

/// Mistakes, as they are found.
#[derive(Default)]
pub(crate) struct Mistakes(Vec<Diagnostic>);

impl Mistakes {
    pub(crate) fn add(&mut self, span: Place, message: impl Into<String>, label: impl Into<String>) {
        self.0.push(Diagnostic { message: message.into(), span, label: label.into(), help: None });
    }

    pub(crate) fn add_with_help(
        &mut self,
        span: Place,
        message: impl Into<String>,
        label: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.0.push(Diagnostic { message: message.into(), span, label: label.into(), help: Some(help.into()) });
    }

    /// How many there are so far.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// A word that is not among those allowed: suggests the nearest, or lists them.
    pub(crate) fn unknown(&mut self, span: Place, what: &str, word: &str, allowed: &[&str]) {
        let help = match nearest(word, allowed.iter().copied()) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None if allowed.len() <= 16 => format!("use one of {}", list(allowed)),
            None => format!("see the documentation of the scenario language for every {what}"),
        };
        self.add_with_help(span, format!("there is no {what} `{}`", clean(word)), format!("unknown {what}"), help);
    }
}

/// Words as a list for reading.
pub(crate) fn list(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// A user's word made fit for a message: no control characters, no more than a line's worth.
pub(crate) fn clean(word: &str) -> String {
    let mut cleaned: String = word.chars().take(40).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if word.chars().nth(40).is_some() {
        cleaned.push('…');
    }
    cleaned
}

impl Scenario {
    /// Reads a scenario file. `name` is what the scenario is called (`chapter/name`), `path` what the user knows the file by.
    ///
    /// # Errors
    /// Everything that is wrong with the file.
    pub fn parse(name: &str, path: &str, text: &str) -> Result<Scenario, Diagnostics> {
        let fail = |mistakes: Mistakes| Diagnostics::new(path, text, mistakes.0);
        let mut mistakes = Mistakes::default();
        if text.len() > MOST_BYTES {
            mistakes.add(0..0, format!("the file is larger than {MOST_BYTES} bytes"), "not a scenario");
            return Err(fail(mistakes));
        }
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            let span = error.span().unwrap_or(0..0);
            mistakes.add_with_help(
                span,
                error.message().to_owned(),
                "not TOML",
                "a scenario is a TOML file: see toml.io",
            );
        }
        if !mistakes.0.is_empty() {
            return Err(fail(mistakes));
        }
        let scenario = file(name, table.get_ref(), text.len(), &mut mistakes);
        if mistakes.0.is_empty() { Ok(scenario) } else { Err(fail(mistakes)) }
    }
}

fn file(name: &str, table: &DeTable<'_>, end: usize, mistakes: &mut Mistakes) -> Scenario {
    let mut fields: BTreeMap<&str, &Value<'_>> = BTreeMap::new();
    for (key, value) in table {
        if KEYS.contains(&&**key.get_ref()) {
            fields.insert(key.get_ref(), value);
        } else {
            mistakes.unknown(key.span(), "key", key.get_ref(), &KEYS);
        }
    }
    let mut scenario = Scenario {
        name: name.to_owned(),
        title: String::new(),
        about: String::new(),
        rules: Vec::new(),
        needs: Vec::new(),
        roles: vec!["host".to_owned()],
        steps: Vec::new(),
    };
    match fields.get("title") {
        Some(value) => {
            scenario.title = text_of(value, "title", mistakes).unwrap_or_default();
            if scenario.title.trim().is_empty() && value.get_ref().is_str() {
                mistakes.add(value.span(), "the title is empty", "say what the scenario claims");
            }
        }
        None => mistakes.add_with_help(
            end..end,
            "`title` is missing",
            "the file ends without it",
            "add `title = \"…\"`: what the scenario claims, in one line",
        ),
    }
    if let Some(value) = fields.get("about") {
        scenario.about = text_of(value, "about", mistakes).unwrap_or_default();
    }
    for (id, span) in fields.get("rules").map(|value| texts(value, "rules", mistakes)).unwrap_or_default() {
        if id.is_empty()
            || !id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_".contains(&byte))
        {
            mistakes.add(
                span,
                format!("`{}` is not the id of a rule", clean(&id)),
                "expected an id like `reap.subreaper`",
            );
        } else {
            scenario.rules.push(id);
        }
    }
    for (word, span) in fields.get("needs").map(|value| texts(value, "needs", mistakes)).unwrap_or_default() {
        match Fact::from_name(&word) {
            Some(fact) => scenario.needs.push(fact),
            None => {
                let known: Vec<&str> = Fact::ALL.iter().map(|fact| fact.name()).collect();
                mistakes.unknown(span, "fact", &word, &known);
            }
        }
    }
    match fields.get("steps") {
        Some(value) => steps(&mut scenario, value, mistakes),
        None => mistakes.add_with_help(
            end..end,
            "`steps` is missing",
            "the file ends without it",
            "add `steps = [ { by = \"host\", call = \"fork\", child = \"a\" }, … ]`",
        ),
    }
    scenario
}

fn steps(scenario: &mut Scenario, value: &Value<'_>, mistakes: &mut Mistakes) {
    let Some(array) = value.get_ref().as_array() else {
        wrong_type(value, "`steps`", "a list of steps", mistakes);
        return;
    };
    if array.is_empty() {
        mistakes.add(value.span(), "the scenario has no steps", "nothing happens");
    }
    if array.len() > MOST_STEPS {
        mistakes.add(value.span(), format!("the scenario has {} steps", array.len()), format!("at most {MOST_STEPS}"));
        return;
    }
    let mut reader = step::Reader::new();
    for value in array.iter() {
        match value.get_ref().as_table() {
            Some(table) => scenario.steps.extend(reader.step(table, value.span(), mistakes)),
            None => wrong_type(
                value,
                "a step",
                "a table like `{ by = \"host\", call = \"fork\", child = \"a\" }`",
                mistakes,
            ),
        }
    }
    scenario.roles = reader.into_roles();
}

/// A value of the wrong type.
pub(crate) fn wrong_type(value: &Value<'_>, what: &str, expected: &str, mistakes: &mut Mistakes) {
    let found = value.get_ref().type_str();
    mistakes.add(value.span(), format!("{what} is of the wrong type"), format!("expected {expected}, found {found}"));
}

fn text_of(value: &Value<'_>, key: &str, mistakes: &mut Mistakes) -> Option<String> {
    let text = value.get_ref().as_str();
    if text.is_none() {
        wrong_type(value, &format!("`{key}`"), "a text in quotes", mistakes);
    }
    text.map(str::to_owned)
}

/// A list of texts, each with its place.
pub(crate) fn texts(value: &Value<'_>, key: &str, mistakes: &mut Mistakes) -> Vec<(String, Place)> {
    let Some(array) = value.get_ref().as_array() else {
        wrong_type(value, &format!("`{key}`"), "a list of texts in quotes", mistakes);
        return Vec::new();
    };
    array.iter().filter_map(|item| Some((text_of(item, key, mistakes)?, item.span()))).collect()
}
