//! The values of a TOML file, and what is wrong with one of the wrong type.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use toml::Spanned;
use toml::de::{DeString, DeValue};

use crate::diagnose::Diagnostic;
use crate::mistakes::{Mistakes, Place, clean};

/// A key with its place.
pub(crate) type Key<'a> = Spanned<DeString<'a>>;

/// A value with its place.
pub(crate) type Value<'a> = Spanned<DeValue<'a>>;

/// A step's keys and values.
pub(crate) type Fields<'a> = BTreeMap<&'a str, (&'a Key<'a>, &'a Value<'a>)>;

const LIST_OF_TEXTS: &str = "a list of texts in quotes";

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

/// A number in a range.
pub(crate) fn integer(
    value: &Value<'_>,
    what: &str,
    expected: &str,
    range: RangeInclusive<i64>,
    mistakes: &mut Mistakes,
) -> Option<i64> {
    let Some(written) = value.get_ref().as_integer() else {
        wrong_type(value, what, expected, mistakes);
        return None;
    };
    let number = i64::from_str_radix(written.as_str(), written.radix()).ok().filter(|number| range.contains(number));
    if number.is_none() {
        let help = format!("use a number from {} to {}", range.start(), range.end());
        let label = if written.as_str().starts_with('-') { "too small" } else { "too large" };
        mistakes.add(value.span(), format!("{what} is out of range"), label).help(help);
    }
    number
}
