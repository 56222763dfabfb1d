//! From the text of a file to a [`Scenario`]: first what the file says (TOML, with places), then what it means.
//!
//! Every mistake is collected, so that a user mends a file in one go. The table of calls in [`crate::call`] says what a
//! step may hold; [`crate::step`] reads one step by it.

use std::collections::BTreeMap;

use toml::de::DeTable;

use crate::diagnose::Diagnostics;
use crate::limits::{MOST_BYTES, MOST_STEPS};
use crate::mistakes::{Mistakes, clean};
use crate::printable::one_line;
use crate::values::{Value, text_of, texts, wrong_type};
use crate::{Fact, Need, Scenario, Step, step};

/// One mistake in the grammar makes many of what follows; more than these would only hide it.
const MOST_TOML_ERRORS: usize = 3;

const STEP_HELP: &str = "a step looks like `{ by = \"host\", call = \"fork\", child = \"a\" }`";

const TITLE_LINES_HELP: &str = "say in one line what the scenario claims; what more there is to say goes into `about`";

/// What ends a line, in some program or other.
const BREAKS: [char; 7] = ['\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'];

const KEYS: [&str; 5] = ["title", "about", "rules", "needs", "steps"];

impl Scenario {
    /// Reads a scenario file. `name` is what the scenario is called (`chapter/name`), `path` what the user knows the file by.
    ///
    /// # Errors
    /// Everything that is wrong with the file.
    pub fn parse(name: &str, path: &str, text: &str) -> Result<Scenario, Diagnostics> {
        let fail = |mistakes: Mistakes| Diagnostics::new(path, text, mistakes.0);
        if text.len() > MOST_BYTES {
            return Err(Diagnostics::too_large(path));
        }
        let mut mistakes = Mistakes::default();
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in errors.iter().take(MOST_TOML_ERRORS) {
            let span = error.span().unwrap_or(0..0);
            let message = format!("this is not TOML: {}", one_line(error.message()));
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
    if title.as_ref().is_some_and(|title| title.contains(BREAKS)) {
        mistakes.add(value.span(), "the title has more than one line", "one line only").help(TITLE_LINES_HELP);
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
                mistakes.unknown(span, "fact", word.trim_start_matches('!'), Fact::WORDS);
            }
        }
    }
    needs
}

/// The steps, and the names of their processes.
pub(crate) fn steps(value: &Value<'_>, mistakes: &mut Mistakes) -> (Vec<Step>, Vec<String>) {
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
