//! One step of a file: who, which call, its arguments by the table of calls, and what is expected of it.

use std::collections::BTreeMap;

use toml::de::{DeArray, DeTable};

use crate::arguments::Arguments;
use crate::limits::MOST_ROLES;
use crate::parse::{Key, Mistakes, Place, Value, clean, list, text_of, wrong_type};
use crate::words::{CALLS, CallWords, nearest, words};
use crate::{Call, CallName, Errno, Expect, ReturnValue, Role, Step};

/// Keys that every step may have beside the arguments of its call.
const COMMON: [&str; 6] = ["by", "call", "returns", "fails", "blocks", "ask"];
/// Words with a meaning of their own where a process may be named.
pub(crate) const RESERVED: [&str; 3] = ["host", "any", "own"];
const LONGEST_NAME: usize = 32;

/// Reads the steps of one file in order, and gives the processes their roles.
pub(crate) struct Reader {
    roles: Vec<String>,
    by_name: BTreeMap<String, Role>,
    /// Processes whose making is not said to fail, and where they are made.
    made: BTreeMap<Role, Place>,
    /// Every name that some step of the file gives to a new process, and where first.
    named: BTreeMap<String, Place>,
}

/// A step's keys and values.
pub(crate) type Fields<'a> = BTreeMap<&'a str, (&'a Key<'a>, &'a Value<'a>)>;

impl Reader {
    pub(crate) fn new(steps: &DeArray<'_>) -> Reader {
        let roles = vec!["host".to_owned()];
        let by_name = BTreeMap::from([("host".to_owned(), Role::HOST)]);
        let mut named = BTreeMap::new();
        for value in steps.iter().filter_map(|step| step.get_ref().as_table()?.get("child")) {
            if let Some(name) = value.get_ref().as_str() {
                named.entry(name.to_owned()).or_insert_with(|| value.span());
            }
        }
        Reader { roles, by_name, made: BTreeMap::new(), named }
    }

    pub(crate) fn into_roles(self) -> Vec<String> {
        self.roles
    }

    /// The step that a table stands for, unless it has mistakes.
    pub(crate) fn step<'a>(&mut self, table: &'a DeTable<'a>, span: Place, mistakes: &mut Mistakes) -> Option<Step> {
        let fields: Fields<'a> = table.iter().map(|(key, value)| (&**key.get_ref(), (key, value))).collect();
        let by = self.by(&fields, &span, mistakes);
        let Some(words) = call_words(&fields, &span, mistakes) else {
            // Whatever call was meant, later steps may speak of its child: one mistake is enough.
            self.assume(fields.get("child").map(|(_, value)| *value));
            return None;
        };
        let meant = unknown_keys(&fields, words, mistakes);
        self.assume(meant.get("child").copied());
        let call = Arguments { fields: &fields, meant: &meant, words, span: &span, reader: self, mistakes }.call();
        let expect = self.expect(&fields, words.name, mistakes);
        if let (Some(child), false) = (call.as_ref().and_then(Call::child), matches!(expect, Some(Expect::Fails(_)))) {
            let place = fields.get("child").map_or_else(|| span.clone(), |(_, value)| value.span());
            self.made.insert(child, place);
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
            && !self.by_name.contains_key(name)
        {
            mistakes
                .add(value.span(), format!("`{}` cannot make itself", clean(name)), "there is no such process yet")
                .help("`by` is who makes the call; `child` is the new process");
            return None;
        }
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
        if let Some(place) = self.named.get(name).filter(|place| place.start > span.start) {
            mistakes
                .add(span, format!("`{}` is used before it is made", clean(name)), "there is no such process yet")
                .also(place.clone(), "made here")
                .help("move this step down, or the other up");
            return None;
        }
        let help = match nearest(name, self.roles.iter().map(String::as_str)) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None if name.parse::<i64>().is_ok() => format!("a number stands without quotes: `{name}`"),
            None => "an earlier step must make it: `child = \"…\"` of a fork or clone".to_owned(),
        };
        mistakes.add(span, format!("there is no process `{}`", clean(name)), "unknown process").help(help);
        None
    }

    /// The role of a name that this step makes.
    pub(crate) fn new_process(&mut self, value: &Value<'_>, mistakes: &mut Mistakes) -> Option<Role> {
        let Some(name) = value.get_ref().as_str() else {
            wrong_type(value, "`child`", "a name for the new process, in quotes", mistakes);
            return None;
        };
        if RESERVED.contains(&name) {
            mistakes
                .add(value.span(), format!("a process cannot be called `{name}`"), "this word has a meaning of its own")
                .help(match name {
                    "host" => "`host` is the process that exists at the start",
                    "any" => "`pid = \"any\"` in a wait means every child",
                    _ => "`group = \"own\"` in a wait means the caller's group",
                });
            self.assume(Some(value));
            return None;
        }
        if !is_name(name) {
            mistakes
                .add(value.span(), format!("`{}` is not a name", clean(name)), "not a name")
                .help(format!("a name is a letter, then letters, digits, `-` or `_`; at most {LONGEST_NAME}"));
            self.assume(Some(value));
            return None;
        }
        if let Some(role) = self.by_name.get(name) {
            if let Some(place) = self.made.get(role) {
                mistakes
                    .add(value.span(), format!("`{name}` is made twice"), "made again")
                    .also(place.clone(), "made here first")
                    .help("give it a name of its own; only after a step that `fails` a name can come again");
                return None;
            }
            return Some(*role);
        }
        if self.roles.len() >= MOST_ROLES {
            mistakes
                .add(value.span(), "the scenario makes too many processes", "one too many")
                .help(format!("a scenario has at most {MOST_ROLES} processes, `host` included"));
            return None;
        }
        Some(self.register(name))
    }

    fn register(&mut self, name: &str) -> Role {
        let role = Role(u16::try_from(self.roles.len()).expect("there are at most 1024 roles"));
        self.roles.push(name.to_owned());
        self.by_name.insert(name.to_owned(), role);
        role
    }

    /// Takes it that a step with a mistake makes this process, so that later steps are not reproached for naming it.
    fn assume(&mut self, value: Option<&Value<'_>>) {
        let name = value.and_then(|value| value.get_ref().as_str());
        if let Some(name) = name.filter(|name| !self.by_name.contains_key(*name) && self.roles.len() < MOST_ROLES) {
            self.register(name);
        }
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
        if let (Some(key), false) = (given.first(), words(call).returns) {
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
        mistakes
            .add(span.clone(), "the step does not say what happens", "`call` is missing")
            .help("add `call = \"…\"`: the name of a system call");
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
