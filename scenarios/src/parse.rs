//! From the text of a file to a [`Scenario`]: first what the file says (TOML, with places), then what it means.
//!
//! Every mistake is collected, so that a user mends a file in one go. The table of calls in [`crate::words`] says what a
//! step may hold; [`crate::step`] reads one step by it.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use crate::diagnose::{Diagnostic, Diagnostics};
use crate::limits::{MOST_BYTES, MOST_STEPS};
use crate::words::nearest;
use crate::{Fact, Need, Scenario, Step, step};

/// One mistake in the grammar makes many of what follows; more than these would only hide it.
const MOST_TOML_ERRORS: usize = 3;

const LIST_OF_TEXTS: &str = "a list of texts in quotes";
const STEP_HELP: &str = "a step looks like `{ by = \"host\", call = \"fork\", child = \"a\" }`";

const KEYS: [&str; 5] = ["title", "about", "rules", "needs", "steps"];

/// A key or value with its place.
pub(crate) type Place = Range<usize>;
pub(crate) type Key<'a> = Spanned<DeString<'a>>;
pub(crate) type Value<'a> = Spanned<DeValue<'a>>;

/// Mistakes, as they are found.
#[derive(Default)]
pub(crate) struct Mistakes(Vec<Diagnostic>);

impl Mistakes {
    pub(crate) fn add(&mut self, span: Place, message: impl Into<String>, label: impl Into<String>) -> &mut Diagnostic {
        self.0.push(Diagnostic::new(span, message, label));
        self.0.last_mut().expect("one was just added")
    }

    /// How many there are so far.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// A word that is not among those allowed: suggests the nearest, or lists them.
    pub(crate) fn unknown(&mut self, span: Place, what: &str, word: &str, allowed: &[&str]) {
        let help = match nearest(word, allowed.iter().copied()) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None if allowed.len() == 1 => format!("the only one is `{}`", allowed[0]),
            None => format!("use one of {}", list(allowed)),
        };
        self.add(span, format!("there is no {what} `{}`", clean(word)), format!("unknown {what}")).help(help);
    }
}

/// Words as a list for reading.
pub(crate) fn list(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// A text without characters that would act on a terminal.
fn visible(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// A user's word made fit for a message: visible, and no more than a line's worth.
pub(crate) fn clean(word: &str) -> String {
    let mut cleaned: String = visible(word).chars().take(40).collect();
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
        for error in errors.iter().take(MOST_TOML_ERRORS) {
            let span = error.span().unwrap_or(0..0);
            let message = format!("this is not TOML: {}", visible(error.message()));
            mistakes.add(span, message, "here").help("a scenario is a TOML file; toml.io has the grammar");
        }
        if mistakes.count() > 0 {
            return Err(fail(mistakes));
        }
        let end = text.trim_end().len();
        let scenario = file(name, table.get_ref(), end, &mut mistakes);
        if mistakes.count() == 0 { Ok(scenario) } else { Err(fail(mistakes)) }
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
    let (title, about) = (title(fields.get("title").copied(), end, mistakes), fields.get("about"));
    let about = about.and_then(|value| text_of(value, "`about`", mistakes)).unwrap_or_default();
    let rules = fields.get("rules").map(|value| rules(value, mistakes)).unwrap_or_default();
    let needs = fields.get("needs").map(|value| needs(value, mistakes)).unwrap_or_default();
    let (steps, roles) = match fields.get("steps") {
        Some(value) => steps(value, mistakes),
        None => {
            mistakes
                .add(end..end, "`steps` is missing", "the file ends without it")
                .help("add `steps = [ { by = \"host\", call = \"fork\", child = \"a\" }, … ]`");
            (Vec::new(), Vec::new())
        }
    };
    Scenario { name: name.to_owned(), title, about, rules, needs, roles, steps }
}

fn title(value: Option<&Value<'_>>, end: usize, mistakes: &mut Mistakes) -> String {
    let help = "say in one line what the scenario claims: `title = \"…\"`";
    let Some(value) = value else {
        mistakes.add(end..end, "`title` is missing", "the file ends without it").help(help);
        return String::new();
    };
    let title = text_of(value, "`title`", mistakes);
    if title.as_ref().is_some_and(|title| title.trim().is_empty()) {
        mistakes.add(value.span(), "the title is empty", "says nothing").help(help);
    }
    title.unwrap_or_default()
}

/// Ids of rules. Whether there are such rules is not known here.
fn rules(value: &Value<'_>, mistakes: &mut Mistakes) -> Vec<String> {
    let mut ids = texts(value, "`rules`", "a rule", mistakes);
    ids.retain(|(id, span)| {
        let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_".contains(&byte);
        let good = !id.is_empty() && id.bytes().all(letter);
        if !good {
            mistakes
                .add(span.clone(), format!("`{}` is not the id of a rule", clean(id)), "not an id")
                .help("an id has small letters, digits, `.` and `-`: `pidlab rules` lists them");
        }
        good
    });
    ids.into_iter().map(|(id, _)| id).collect()
}

fn needs(value: &Value<'_>, mistakes: &mut Mistakes) -> Vec<Need> {
    let mut needs: Vec<Need> = Vec::new();
    for (word, span) in texts(value, "`needs`", "a fact", mistakes) {
        match Need::from_name(&word) {
            Some(need) if needs.iter().any(|other| other.fact == need.fact && other.holds != need.holds) => {
                let fact = need.fact;
                mistakes
                    .add(span, format!("the scenario needs `{fact}` and `!{fact}`"), "no kernel has both")
                    .help("show each side in a scenario of its own");
            }
            Some(need) => needs.push(need),
            None => {
                let known: Vec<&str> = Fact::ALL.iter().map(|fact| fact.name()).collect();
                mistakes.unknown(span, "fact", word.trim_start_matches('!'), &known);
            }
        }
    }
    needs
}

/// The steps, and the names of their processes.
fn steps(value: &Value<'_>, mistakes: &mut Mistakes) -> (Vec<Step>, Vec<String>) {
    let Some(array) = value.get_ref().as_array() else {
        wrong_type(value, "`steps`", "a list of steps", mistakes);
        return (Vec::new(), Vec::new());
    };
    if array.is_empty() {
        mistakes.add(value.span(), "the scenario has no steps", "nothing happens").help(STEP_HELP);
    }
    if array.len() > MOST_STEPS {
        mistakes
            .add(array[MOST_STEPS].span(), format!("the scenario has {} steps", array.len()), "one too many")
            .help(format!("a scenario has at most {MOST_STEPS} steps"));
        return (Vec::new(), Vec::new());
    }
    let mut reader = step::Reader::new(array);
    let mut steps = Vec::new();
    for value in array.iter() {
        match value.get_ref().as_table() {
            Some(table) => steps.extend(reader.step(table, value.span(), mistakes)),
            None => {
                wrong_type(value, "a step", "a table", mistakes).help(STEP_HELP);
            }
        }
    }
    (steps, reader.into_roles())
}

/// A value of the wrong type.
pub(crate) fn wrong_type<'m>(
    value: &Value<'_>,
    what: &str,
    expected: &str,
    mistakes: &'m mut Mistakes,
) -> &'m mut Diagnostic {
    let found = match value.get_ref() {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "a truth value",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    };
    let mistake = mistakes.add(value.span(), format!("{what} must be {expected}"), format!("this is {found}"));
    if let Some(number) = value.get_ref().as_str().filter(|text| text.parse::<i64>().is_ok()) {
        mistake.help(format!("a number stands without quotes: `{number}`"));
    } else if let (Some(word), true) = (value.get_ref().as_str(), expected == LIST_OF_TEXTS) {
        mistake.help(format!("write a list, also of one: `[\"{}\"]`", clean(word)));
    }
    mistake
}

/// The text that a value is; `what` names it in a message.
pub(crate) fn text_of(value: &Value<'_>, what: &str, mistakes: &mut Mistakes) -> Option<String> {
    let text = value.get_ref().as_str();
    if text.is_none() {
        wrong_type(value, what, "a text in quotes", mistakes);
    }
    text.map(str::to_owned)
}

/// A list of texts, each with its place; `what` names the list, `each` one of them.
pub(crate) fn texts(value: &Value<'_>, what: &str, each: &str, mistakes: &mut Mistakes) -> Vec<(String, Place)> {
    let Some(array) = value.get_ref().as_array() else {
        wrong_type(value, what, LIST_OF_TEXTS, mistakes);
        return Vec::new();
    };
    array.iter().filter_map(|item| Some((text_of(item, each, mistakes)?, item.span()))).collect()
}
