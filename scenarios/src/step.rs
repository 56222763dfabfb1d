//! One step of a file: who, which call, its arguments by the table of calls, and what is expected of it.

use std::collections::BTreeMap;

use toml::de::{DeArray, DeTable};

use crate::argument::CallWords;
use crate::arguments::Arguments;
use crate::mistakes::{Mistakes, Place, clean, list};
use crate::names::Names;
use crate::spelling::nearest;
use crate::values::{Fields, Key, Value, integer, text_of, wrong_type};
use crate::{Call, CallName, Errno, Expect, ReturnValue, Role, Step};

/// Keys that every step may have beside the arguments of its call.
const COMMON: [&str; 6] = ["by", "call", "returns", "fails", "blocks", "ask"];

/// Reads the steps of one file in order, and gives the processes their roles.
pub(crate) struct Reader {
    names: Names,
}

impl Reader {
    pub(crate) fn new(steps: &DeArray<'_>) -> Reader {
        Reader { names: Names::new(steps) }
    }

    pub(crate) fn into_roles(self) -> Vec<String> {
        self.names.into_roles()
    }

    /// The step that a table stands for, unless it has mistakes.
    pub(crate) fn step<'a>(&mut self, table: &'a DeTable<'a>, span: Place, mistakes: &mut Mistakes) -> Option<Step> {
        let fields: Fields<'a> = table.iter().map(|(key, value)| (&**key.get_ref(), (key, value))).collect();
        let by = self.by(&fields, &span, mistakes);
        let Some(name) = call_name(&fields, &span, mistakes) else {
            // Whatever call was meant, later steps may speak of its child: one mistake is enough.
            self.names.assume(fields.get("child").map(|(_, value)| *value));
            return None;
        };
        let meant = unknown_keys(&fields, name.words(), mistakes);
        self.names.assume(meant.get("child").copied());
        let roles = &mut self.names;
        let arguments = Arguments { fields: &fields, meant: &meant, words: name.words(), span: &span, roles, mistakes };
        let call = Call::read(name, arguments);
        let expect = self.expect(&fields, name, mistakes);
        if let (Some(child), false) = (call.as_ref().and_then(Call::child), matches!(expect, Some(Expect::Fails(_)))) {
            let place = fields.get("child").map_or_else(|| span.clone(), |(_, value)| value.span());
            self.names.made(child, place);
        }
        let ask = fields.get("ask").and_then(|(_, value)| text_of(value, "`ask`", mistakes));
        Some(Step { by: by?, call: call?, expect, ask, span })
    }

    fn by(&self, fields: &Fields<'_>, span: &Place, mistakes: &mut Mistakes) -> Option<Role> {
        let Some((_, value)) = fields.get("by") else {
            mistakes
                .add(span.clone(), "the step does not say who acts", "`by` is missing")
                .help("add `by = \"host\"`, or another process: who makes the call");
            return None;
        };
        let child = fields.get("child").and_then(|(_, child)| child.get_ref().as_str());
        if let Some(name) = value.get_ref().as_str().filter(|name| child == Some(*name))
            && !self.names.contains(name)
        {
            mistakes
                .add(value.span(), format!("`{}` cannot make itself", clean(name)), "there is no such process yet")
                .help("`by` is who makes the call; `child` is the new process");
            return None;
        }
        self.names.process(value, "by", mistakes)
    }

    fn expect(&self, fields: &Fields<'_>, call: CallName, mistakes: &mut Mistakes) -> Option<Expect> {
        let given: Vec<&Key<'_>> =
            ["returns", "fails", "blocks"].iter().filter_map(|key| fields.get(key)).map(|(key, _)| *key).collect();
        if let [_, second, ..] = given[..] {
            mistakes
                .add(second.span(), "a step can return, fail or block, not two of them", "a second expectation")
                .also(given[0].span(), "the first")
                .help("keep the one that is true");
            return None;
        }
        if let (Some(key), false) = (given.first(), call.returns()) {
            mistakes
                .add(key.span(), format!("`{call}` never returns"), "nothing to expect")
                .help("leave it out; a later step can ask what came of it");
            return None;
        }
        if let Some((_, value)) = fields.get("returns") {
            return self.returns(value, mistakes).map(Expect::Returns);
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
        let (_, value) = fields.get("blocks")?;
        match value.get_ref().as_bool() {
            Some(true) => Some(Expect::Blocks),
            Some(false) => {
                mistakes
                    .add(value.span(), "`blocks` can only be `true`", "says nothing")
                    .help("leave it out, or say what the call `returns`");
                None
            }
            None => {
                wrong_type(value, "`blocks`", "`true`", mistakes);
                None
            }
        }
    }

    fn returns(&self, value: &Value<'_>, mistakes: &mut Mistakes) -> Option<ReturnValue> {
        if let Some(name) = value.get_ref().as_str() {
            return self.names.known(name, value.span(), mistakes).map(ReturnValue::Role);
        }
        let expected = "a number, or the name of a process";
        integer(value, "`returns`", expected, i64::MIN..=i64::MAX, mistakes).map(ReturnValue::Number)
    }
}

fn call_name(fields: &Fields<'_>, span: &Place, mistakes: &mut Mistakes) -> Option<CallName> {
    let Some((_, value)) = fields.get("call") else {
        mistakes
            .add(span.clone(), "the step does not say what happens", "`call` is missing")
            .help("add `call = \"…\"`: the name of a system call");
        return None;
    };
    let Some(name) = value.get_ref().as_str() else {
        wrong_type(value, "`call`", "the name of a call in quotes", mistakes);
        return None;
    };
    let call = CallName::from_word(name);
    if call.is_none() {
        mistakes.unknown(value.span(), "call", name, CallName::WORDS);
    }
    call
}

/// Reports keys that this call does not have; gives the values of those that are most likely misspelt, by the right key.
fn unknown_keys<'a>(
    fields: &Fields<'a>,
    words: &CallWords,
    mistakes: &mut Mistakes,
) -> BTreeMap<&'static str, &'a Value<'a>> {
    let own: Vec<&'static str> = words.arguments.iter().map(|argument| argument.name).collect();
    let allowed: Vec<&'static str> = own.iter().chain(&COMMON).copied().collect();
    let mut meant = BTreeMap::new();
    for (name, (key, value)) in fields.iter().filter(|(name, _)| !allowed.contains(*name)) {
        let call = words.name;
        let near = nearest(name, allowed.iter().copied().filter(|allowed| !fields.contains_key(*allowed)));
        let near = near.and_then(|near| allowed.iter().copied().find(|allowed| *allowed == near));
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None if own.is_empty() => format!("`{call}` takes no arguments"),
            None => format!("`{call}` takes {}", list(&own)),
        };
        meant.extend(near.map(|near| (near, *value)));
        let message = format!("`{call}` has no argument `{}`", clean(name));
        mistakes.add(key.span(), message, "unknown argument").help(help);
    }
    meant
}
