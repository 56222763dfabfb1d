//! The names of a file's processes, and the roles that they get.

use std::collections::BTreeMap;

use toml::de::DeArray;

use crate::Role;
use crate::limits::MOST_ROLES;
use crate::mistakes::{Mistakes, Place, clean};
use crate::spelling::nearest;
use crate::values::{Value, wrong_type};

/// Words with a meaning of their own where a process may be named.
pub(crate) const RESERVED: [&str; 3] = ["host", "any", "own"];
const LONGEST_NAME: usize = 32;

/// Who has been named so far.
pub(crate) struct Names {
    roles: Vec<String>,
    by_name: BTreeMap<String, Role>,
    /// Processes whose making is not said to fail, and where they are made.
    made: BTreeMap<Role, Place>,
    /// Every name that some step of the file gives to a new process, and where first.
    named: BTreeMap<String, Place>,
}

impl Names {
    pub(crate) fn new(steps: &DeArray<'_>) -> Names {
        let roles = vec!["host".to_owned()];
        let by_name = BTreeMap::from([("host".to_owned(), Role::HOST)]);
        let mut named = BTreeMap::new();
        for value in steps.iter().filter_map(|step| step.get_ref().as_table()?.get("child")) {
            if let Some(name) = value.get_ref().as_str() {
                named.entry(name.to_owned()).or_insert_with(|| value.span());
            }
        }
        Names { roles, by_name, made: BTreeMap::new(), named }
    }

    /// The names of these processes, which are known from the start.
    pub(crate) fn of<'a>(known: impl Iterator<Item = (&'a str, Role)>) -> Names {
        let by_name: BTreeMap<String, Role> = known.map(|(name, role)| (name.to_owned(), role)).collect();
        Names { roles: by_name.keys().cloned().collect(), by_name, made: BTreeMap::new(), named: BTreeMap::new() }
    }

    pub(crate) fn into_roles(self) -> Vec<String> {
        self.roles
    }

    /// Whether a step has made, or seems to have made, a process of this name.
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    /// Notes that a step makes a process, and is not said to fail.
    pub(crate) fn made(&mut self, role: Role, place: Place) {
        self.made.insert(role, place);
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
    pub(crate) fn assume(&mut self, value: Option<&Value<'_>>) {
        let name = value.and_then(|value| value.get_ref().as_str());
        if let Some(name) = name.filter(|name| !self.by_name.contains_key(*name) && self.roles.len() < MOST_ROLES) {
            self.register(name);
        }
    }
}

fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    name.len() <= LONGEST_NAME
        && bytes.next().is_some_and(|first| first.is_ascii_alphabetic())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}
