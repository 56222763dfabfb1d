//! What is expected of a call itself: `returns`, `fails`, `blocks`, `ends`.

use crate::mistakes::Mistakes;
use crate::names::Names;
use crate::values::{Fields, Key, Value, integer, wrong_type};
use crate::{CallName, Errno, Expect, ReturnValue};

/// What a call itself can come to; a step says at most one of them.
pub(crate) const OUTCOMES: [&str; 4] = ["returns", "fails", "blocks", "ends"];

/// What is expected of a step, or of a call that had blocked, which is `None` where it is not named.
pub(crate) fn expect(
    fields: &Fields<'_>,
    call: Option<CallName>,
    names: &Names,
    mistakes: &mut Mistakes,
) -> Option<Expect> {
    let given: Vec<&Key<'_>> = OUTCOMES.iter().filter_map(|key| fields.get(key)).map(|(key, _)| *key).collect();
    for (name, (_, value)) in ["blocks", "ends"].into_iter().filter_map(|name| Some((name, fields.get(name)?))) {
        if !only_true(value, name, mistakes) {
            return None;
        }
    }
    if let [_, second, ..] = given[..] {
        mistakes
            .add(second.span(), "a step can return, fail or block, not two of them", "a second expectation")
            .also(given[0].span(), "the first")
            .help("keep the one that is true");
        return None;
    }
    if let (Some(key), Some(call)) = (given.first().filter(|key| &**key.get_ref() != "ends"), call)
        && !call.returns()
    {
        mistakes
            .add(key.span(), format!("`{call}` never returns"), "nothing to expect")
            .help("`ends = true` and `then` can be claimed");
        return None;
    }
    if let Some((_, value)) = fields.get("returns") {
        return returns(value, names, mistakes).map(Expect::Returns);
    }
    if let Some((_, value)) = fields.get("fails") {
        let Some(name) = value.get_ref().as_str() else {
            wrong_type(value, "`fails`", "the name of an errno in quotes, like `\"ESRCH\"`", mistakes);
            return None;
        };
        if Errno::from_name(name).is_none() {
            let known: Vec<&str> = Errno::ALL.iter().map(|errno| errno.name()).collect();
            mistakes.unknown(value.span(), "errno", name, &known);
        }
        return Errno::from_name(name).map(Expect::Fails);
    }
    if fields.get("ends").is_some() {
        return Some(Expect::Ends);
    }
    fields.get("blocks").map(|_| Expect::Blocks)
}

/// `true`, and nothing else.
fn only_true(value: &Value<'_>, key: &str, mistakes: &mut Mistakes) -> bool {
    match value.get_ref().as_bool() {
        Some(true) => return true,
        Some(false) => {
            mistakes
                .add(value.span(), format!("`{key}` can only be `true`"), "says nothing")
                .help("leave it out, or say what the call `returns`");
        }
        None => {
            wrong_type(value, &format!("`{key}`"), "`true`", mistakes);
        }
    }
    false
}

fn returns(value: &Value<'_>, names: &Names, mistakes: &mut Mistakes) -> Option<ReturnValue> {
    if let Some(name) = value.get_ref().as_str() {
        return names.known(name, value.span(), mistakes).map(ReturnValue::Role);
    }
    let expected = "a number, or the name of a process";
    integer(value, "`returns`", expected, i64::MIN..=i64::MAX, mistakes).map(ReturnValue::Number)
}
