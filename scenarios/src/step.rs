//! One step of a file: who, which call, its arguments by the table of calls, and what is expected of it.

use std::collections::{BTreeMap, BTreeSet};

use toml::de::DeTable;

use crate::arguments::Arguments;
use crate::parse::{Key, Mistakes, Place, Value, clean, wrong_type};
use crate::words::{CALLS, CallWords, nearest, words};
use crate::{CallName, Errno, Expect, ReturnValue, Role, Step};

/// Keys that every step may have beside the arguments of its call.
const COMMON: [&str; 6] = ["by", "call", "returns", "fails", "blocks", "ask"];
/// More processes than this are refused.
const MOST_ROLES: usize = 1024;
/// Words with a meaning of their own where a process may be named.
const RESERVED: [&str; 3] = ["host", "any", "own"];
const LONGEST_NAME: usize = 32;

/// Reads the steps of one file in order, and gives the processes their roles.
pub(crate) struct Reader {
    roles: Vec<String>,
    by_name: BTreeMap<String, Role>,
    /// Processes whose making is not said to fail.
    made: BTreeSet<Role>,
}

/// A step's keys and values.
pub(crate) type Fields<'a> = BTreeMap<&'a str, (&'a Key<'a>, &'a Value<'a>)>;

impl Reader {
    pub(crate) fn new() -> Reader {
        let roles = vec!["host".to_owned()];
        let by_name = BTreeMap::from([("host".to_owned(), Role::HOST)]);
        Reader { roles, by_name, made: BTreeSet::from([Role::HOST]) }
    }

    pub(crate) fn into_roles(self) -> Vec<String> {
        self.roles
    }

    /// The step that a table stands for, unless it has mistakes.
    pub(crate) fn step<'a>(&mut self, table: &'a DeTable<'a>, span: Place, mistakes: &mut Mistakes) -> Option<Step> {
        let fields: Fields<'a> = table.iter().map(|(key, value)| (&**key.get_ref(), (key, value))).collect();
        let by = self.by(&fields, &span, mistakes);
        let words = call_words(&fields, &span, mistakes)?;
        unknown_keys(&fields, words, mistakes);
        let expect = self.expect(&fields, mistakes);
        let call = Arguments { fields: &fields, words, span: &span, reader: self, mistakes }.call();
        if let (Some(child), false) =
            (call.as_ref().and_then(crate::Call::child), matches!(expect, Some(Expect::Fails(_))))
        {
            self.made.insert(child);
        }
        let ask = fields.get("ask").and_then(|(_, value)| {
            let text = value.get_ref().as_str();
            if text.is_none() {
                wrong_type(value, "`ask`", "a question in quotes", mistakes);
            }
            text.map(str::to_owned)
        });
        Some(Step { by: by?, call: call?, expect, ask, span })
    }

    fn by(&self, fields: &Fields<'_>, span: &Place, mistakes: &mut Mistakes) -> Option<Role> {
        let Some((_, value)) = fields.get("by") else {
            let help = "add `by = \"host\"`, or another process: who makes the call";
            mistakes.add_with_help(span.clone(), "the step does not say who acts", "`by` is missing", help);
            return None;
        };
        self.process(value, "by", mistakes)
    }

    /// A process by name.
    pub(crate) fn process(&self, value: &Value<'_>, key: &str, mistakes: &mut Mistakes) -> Option<Role> {
        match value.get_ref().as_str() {
            Some(name) => self.known(name, value.span(), mistakes),
            None => {
                wrong_type(value, &format!("`{key}`"), "the name of a process in quotes", mistakes);
                None
            }
        }
    }

    /// The role of a name that an earlier step makes.
    pub(crate) fn known(&self, name: &str, span: Place, mistakes: &mut Mistakes) -> Option<Role> {
        if let Some(role) = self.by_name.get(name) {
            return Some(*role);
        }
        let help = match nearest(name, self.roles.iter().map(String::as_str)) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => "an earlier step must make it: `child = \"…\"` of a fork or clone".to_owned(),
        };
        mistakes.add_with_help(span, format!("there is no process `{}` yet", clean(name)), "unknown process", help);
        None
    }

    /// The role of a name that this step makes.
    pub(crate) fn new_process(&mut self, value: &Value<'_>, mistakes: &mut Mistakes) -> Option<Role> {
        let Some(name) = value.get_ref().as_str() else {
            wrong_type(value, "`child`", "a name for the new process, in quotes", mistakes);
            return None;
        };
        if RESERVED.contains(&name) {
            let label = "this word has a meaning of its own";
            mistakes.add(value.span(), format!("a process cannot be called `{name}`"), label);
            return None;
        }
        if !is_name(name) {
            let label = format!("expected a letter, then letters, digits, `-` or `_`, at most {LONGEST_NAME} in all");
            mistakes.add(value.span(), format!("`{}` is not a name", clean(name)), label);
            return None;
        }
        if let Some(role) = self.by_name.get(name) {
            if self.made.contains(role) {
                let help = "give it a name of its own; a name can come again only after a step that `fails`";
                mistakes.add_with_help(value.span(), format!("`{name}` has been made before"), "made twice", help);
                return None;
            }
            return Some(*role);
        }
        if self.roles.len() >= MOST_ROLES {
            mistakes.add(value.span(), format!("more than {MOST_ROLES} processes"), "one too many");
            return None;
        }
        let role = Role(u16::try_from(self.roles.len()).expect("there are at most 1024 roles"));
        self.roles.push(name.to_owned());
        self.by_name.insert(name.to_owned(), role);
        Some(role)
    }

    fn expect(&self, fields: &Fields<'_>, mistakes: &mut Mistakes) -> Option<Expect> {
        let given: Vec<&Key<'_>> =
            ["returns", "fails", "blocks"].iter().filter_map(|key| fields.get(key)).map(|(key, _)| *key).collect();
        if let [_, second, ..] = given[..] {
            let label = "a second expectation";
            mistakes.add(second.span(), "a step can return, fail or block, not two of them", label);
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
                let help = "leave it out: a call that returns is the normal case";
                mistakes.add_with_help(value.span(), "`blocks` can only be `true`", "says nothing", help);
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
            return self.known(name, value.span(), mistakes).map(ReturnValue::Role);
        }
        crate::arguments::integer(
            value,
            "`returns`",
            "a number, or the name of a process",
            i64::MIN..=i64::MAX,
            mistakes,
        )
        .map(ReturnValue::Number)
    }
}

fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    name.len() <= LONGEST_NAME
        && bytes.next().is_some_and(|first| first.is_ascii_alphabetic())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

fn call_words(fields: &Fields<'_>, span: &Place, mistakes: &mut Mistakes) -> Option<&'static CallWords> {
    let Some((_, value)) = fields.get("call") else {
        let help = "add `call = \"…\"`: the name of a system call";
        mistakes.add_with_help(span.clone(), "the step does not say what happens", "`call` is missing", help);
        return None;
    };
    let Some(name) = value.get_ref().as_str() else {
        wrong_type(value, "`call`", "the name of a call in quotes", mistakes);
        return None;
    };
    if CallName::from_word(name).is_none() {
        let known: Vec<&str> = CALLS.iter().map(|words| words.name.word()).collect();
        mistakes.unknown(value.span(), "call", name, &known);
    }
    CallName::from_word(name).map(words)
}

/// Keys that this call does not have.
fn unknown_keys(fields: &Fields<'_>, words: &CallWords, mistakes: &mut Mistakes) {
    let own: Vec<&str> = words.arguments.iter().map(|argument| argument.name).collect();
    let allowed: Vec<&str> = own.iter().chain(&COMMON).copied().collect();
    for (name, (key, _)) in fields {
        if allowed.contains(name) {
            continue;
        }
        let call = words.name;
        let help = match nearest(name, allowed.iter().copied()) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None if own.is_empty() => format!("`{call}` takes no arguments"),
            None => format!("`{call}` takes {}", crate::parse::list(&own)),
        };
        let message = format!("`{call}` has no argument `{}`", clean(name));
        mistakes.add_with_help(key.span(), message, "unknown argument", help);
    }
}
