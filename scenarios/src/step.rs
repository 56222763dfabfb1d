//! One step of a file: who, which call, its arguments by the table of calls, and what is expected of it.

use std::collections::BTreeMap;

use toml::de::{DeArray, DeTable};

use crate::arguments::Arguments;
use crate::claims::{Claims, fields_of, key_of};
use crate::expect::expect;
use crate::mistakes::{Mistakes, Place, clean, list};
use crate::names::Names;
use crate::spelling::nearest;
use crate::values::{Fields, Value, text_of, wrong_type};
use crate::{Call, CallName, Expect, Role, Step};

/// Keys that every step may have beside the arguments of its call.
const COMMON: [&str; 8] = ["by", "call", "returns", "fails", "blocks", "ends", "then", "ask"];

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
        let fields: Fields<'a> = fields_of(table);
        let by = self.by(&fields, &span, mistakes);
        let Some(name) = call_name(&fields, &span, mistakes) else {
            // Whatever call was meant, later steps may speak of its child: one mistake is enough.
            self.names.assume(fields.get("child").map(|(_, value)| *value));
            return None;
        };
        let meant = unknown_keys(&fields, name, mistakes);
        self.names.assume(meant.get("child").copied());
        let roles = &mut self.names;
        let arguments = Arguments { fields: &fields, meant: &meant, words: name.words(), span: &span, roles, mistakes };
        let call = Call::read(name, arguments);
        let expect = expect(&fields, Some(name), &self.names, mistakes);
        if let (Some(child), false) = (call.as_ref().and_then(Call::child), matches!(expect, Some(Expect::Fails(_)))) {
            let place = fields.get("child").map_or_else(|| span.clone(), |(_, value)| value.span());
            self.names.made(child, place);
        }
        let claims = Claims { names: &self.names, mistakes }.of_step(&fields, name, expect);
        let ask = fields.get("ask").and_then(|(_, value)| text_of(value, "`ask`", mistakes));
        Some(Step { by: by?, call: call?, expect, claims, ask, span })
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
    call: CallName,
    mistakes: &mut Mistakes,
) -> BTreeMap<&'static str, &'a Value<'a>> {
    let words = call.words();
    let own: Vec<&'static str> = words.arguments.iter().map(|argument| argument.name).collect();
    let own: Vec<&'static str> = own.into_iter().chain(key_of(call)).collect();
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
