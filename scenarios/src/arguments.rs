//! The arguments of one step, read one by one as the table of calls says.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use crate::argument::{Argument, CallWords};
use crate::limits::MOST_LEVELS;
use crate::mistakes::{Mistakes, Place, clean, list};
use crate::names::Names;
use crate::spelling::nearest;
use crate::terms::Word;
use crate::values::{Fields, Value, integer, texts, wrong_type};
use crate::{
    CloneFlags, ExitSignal, KillTarget, NamespaceTypes, PidfdFlags, PidfdTarget, Role, Signal, Target, WaitOptions,
    WaitTarget,
};

/// What reading one step needs.
pub(crate) struct Arguments<'a, 'b> {
    pub(crate) fields: &'b Fields<'a>,
    /// Arguments that are there under a misspelt name, which has been reported.
    pub(crate) meant: &'b BTreeMap<&'static str, &'a Value<'a>>,
    pub(crate) words: &'static CallWords,
    pub(crate) span: &'b Place,
    pub(crate) roles: &'b mut Names,
    pub(crate) mistakes: &'b mut Mistakes,
}

impl<'a> Arguments<'a, '_> {
    /// Whether every argument that must be there is, and no two that exclude each other.
    pub(crate) fn complete(&mut self) -> bool {
        let mut complete = true;
        for Argument { name, about, .. } in self.words.arguments.iter().filter(|argument| argument.required) {
            if !self.fields.contains_key(name) {
                complete = false;
                if !self.meant.contains_key(name) {
                    let message = format!("`{}` needs `{name}`", self.words.name);
                    let label = format!("`{name}` is missing");
                    self.mistakes.add(self.span.clone(), message, label).help(format!("add `{name}`: {about}"));
                }
            }
        }
        let Some((names, needed)) = &self.words.one_of else { return complete };
        let given: Vec<&str> = names.iter().copied().filter(|name| self.fields.contains_key(name)).collect();
        match given[..] {
            [] if *needed && !names.iter().any(|name| self.meant.contains_key(name)) => {
                let message = format!("`{}` needs one of {}", self.words.name, list(names));
                let abouts = self.words.arguments.iter().filter(|argument| names.contains(&argument.name));
                let abouts: Vec<String> = abouts.map(|one| format!("`{}` ({})", one.name, one.about)).collect();
                self.mistakes
                    .add(self.span.clone(), message, "none is given")
                    .help(format!("add {}", abouts.join(" or ")));
                false
            }
            [] => complete && !*needed,
            [_] => complete,
            [first, second, ..] => {
                let message = format!("`{}` takes only one of {}", self.words.name, list(names));
                self.mistakes
                    .add(self.fields[second].0.span(), message, "a second one")
                    .also(self.fields[first].0.span(), "the first")
                    .help("leave one out");
                false
            }
        }
    }

    pub(crate) fn value(&self, name: &str) -> Option<&'a Value<'a>> {
        self.fields.get(name).map(|(_, value)| *value)
    }

    pub(crate) fn child(&mut self) -> Option<Role> {
        let value = self.value("child")?;
        self.roles.new_process(value, self.mistakes)
    }

    pub(crate) fn process(&mut self, name: &str) -> Option<Role> {
        let value = self.value(name)?;
        self.roles.process(value, name, self.mistakes)
    }

    pub(crate) fn integer(&mut self, name: &str, range: RangeInclusive<i64>) -> Option<i64> {
        integer(self.value(name)?, &format!("`{name}`"), "a number", range, self.mistakes)
    }

    pub(crate) fn status(&mut self) -> Option<i32> {
        match self.value("status") {
            None => Some(0),
            Some(_) => i32::try_from(self.integer("status", i64::from(i32::MIN)..=i64::from(i32::MAX))?).ok(),
        }
    }

    pub(crate) fn flag(&mut self, name: &str) -> Option<bool> {
        let Some(value) = self.value(name) else { return Some(true) };
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            wrong_type(value, &format!("`{name}`"), "`true` or `false`", self.mistakes);
        }
        flag
    }

    /// One word of a set.
    pub(crate) fn word<T: Word>(&mut self, name: &str) -> Option<T> {
        let value = self.value(name)?;
        let Some(word) = value.get_ref().as_str() else {
            wrong_type(value, &format!("`{name}`"), &format!("one of {}", list(T::WORDS)), self.mistakes);
            return None;
        };
        let found = T::read(word);
        if found.is_none() {
            let help = match nearest(word, T::WORDS.iter().copied()) {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => format!("use one of {}", list(T::WORDS)),
            };
            let message = format!("`{name}` cannot be `{}`", clean(word));
            self.mistakes.add(value.span(), message, "unknown word").help(help);
        }
        found
    }

    /// A process by name, or a number.
    pub(crate) fn target(&mut self, name: &str) -> Option<Target> {
        let value = self.value(name)?;
        if let Some(process) = value.get_ref().as_str() {
            return self.roles.known(process, value.span(), self.mistakes).map(Target::Role);
        }
        let range = i64::from(i32::MIN)..=i64::from(i32::MAX);
        let what = format!("`{name}`");
        let number = integer(value, &what, "the name of a process, or a number", range, self.mistakes)?;
        i32::try_from(number).ok().map(Target::Number)
    }

    pub(crate) fn target_or_zero(&mut self, name: &str) -> Option<Target> {
        if self.value(name).is_none() { Some(Target::Number(0)) } else { self.target(name) }
    }

    pub(crate) fn receivers(&mut self) -> Option<KillTarget> {
        if self.value("group").is_some() {
            return self.target("group").map(KillTarget::Group);
        }
        self.target("pid").map(KillTarget::Pid)
    }

    pub(crate) fn pidfd(&mut self) -> Option<PidfdTarget> {
        if self.value("pidfd").is_some() {
            return self.process("pidfd").map(PidfdTarget::Held);
        }
        self.target("pid").map(PidfdTarget::Pid)
    }

    pub(crate) fn children(&mut self) -> Option<WaitTarget> {
        if self.value("pidfd").is_some() {
            return self.process("pidfd").map(WaitTarget::Pidfd);
        }
        if let Some(value) = self.value("group") {
            if value.get_ref().as_str() == Some("own") {
                return Some(WaitTarget::OwnGroup);
            }
            return self.target("group").map(WaitTarget::Group);
        }
        match self.value("pid") {
            None => Some(WaitTarget::Any),
            Some(value) if value.get_ref().as_str() == Some("any") => Some(WaitTarget::Any),
            Some(_) => self.target("pid").map(WaitTarget::Pid),
        }
    }

    /// A list of flags, each by name.
    fn flags<T: Copy>(&mut self, name: &str, what: &str, known: &[(&'static str, T)]) -> Option<Vec<T>> {
        let each = match what {
            "flag" => "a flag",
            "type" => "a type",
            _ => "an option",
        };
        let Some(value) = self.value(name) else { return Some(Vec::new()) };
        let before = self.mistakes.count();
        let mut found = Vec::new();
        for (word, span) in texts(value, &format!("`{name}`"), each, self.mistakes) {
            match known.iter().find(|(known, _)| *known == word) {
                Some((_, flag)) => found.push(*flag),
                None if word == "WEXITED" => {
                    self.mistakes
                        .add(span, "`wait` does not take `WEXITED`", "only `waitid` takes it")
                        .help("leave it out: `wait` always asks for children that have ended");
                }
                None => {
                    let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
                    self.mistakes.unknown(span, what, &word, &words);
                }
            }
        }
        (self.mistakes.count() == before).then_some(found)
    }

    pub(crate) fn clone_flags(&mut self, absent: CloneFlags) -> Option<CloneFlags> {
        if self.value("flags").is_none() {
            return Some(absent);
        }
        let known: Vec<(&str, CloneFlags)> = CloneFlags::all().iter_names().collect();
        self.flags("flags", "flag", &known).map(|flags| flags.into_iter().collect())
    }

    pub(crate) fn pidfd_flags(&mut self, all: PidfdFlags) -> Option<PidfdFlags> {
        let known: Vec<(&str, PidfdFlags)> = all.iter_names().collect();
        self.flags("flags", "flag", &known).map(|flags| flags.into_iter().collect())
    }

    pub(crate) fn namespace_types(&mut self, name: &str) -> Option<NamespaceTypes> {
        let known: Vec<(&str, NamespaceTypes)> = NamespaceTypes::all().iter_names().collect();
        self.flags(name, "type", &known).map(|types| types.into_iter().collect())
    }

    pub(crate) fn options(&mut self, known: &[(&'static str, WaitOptions)]) -> Option<WaitOptions> {
        self.flags("options", "option", known).map(|options| options.into_iter().collect())
    }

    /// A signal by name or number, `None` for 0.
    pub(crate) fn signal_or_zero(&mut self, name: &str) -> Option<Option<Signal>> {
        let value = self.value(name)?;
        if let Some(word) = value.get_ref().as_str() {
            return named_signal(value, word, self.mistakes).map(Some);
        }
        let number = integer(value, &format!("`{name}`"), "a signal by name or number", 0..=64, self.mistakes)?;
        Some(Signal::new(number))
    }

    pub(crate) fn signal(&mut self, name: &str) -> Option<Signal> {
        let signal = self.signal_or_zero(name)?;
        if signal.is_none() {
            let span = self.value(name).map_or_else(|| self.span.clone(), Value::span);
            self.mistakes
                .add(span, "0 is not a signal", "only a probe")
                .help("a signal has a name, or a number from 1 to 64");
        }
        signal
    }

    /// A list of signals, each by name or number, at least one.
    pub(crate) fn signals(&mut self, name: &str) -> Option<Vec<Signal>> {
        const WANTED: &str = "a list of signals, like `[\"SIGTERM\"]`";
        let value = self.value(name)?;
        let Some(array) = value.get_ref().as_array() else {
            wrong_type(value, &format!("`{name}`"), WANTED, self.mistakes);
            return None;
        };
        if array.is_empty() {
            self.mistakes.add(value.span(), format!("`{name}` is empty"), "no signal").help("name at least one signal");
            return None;
        }
        let mut found = Vec::new();
        let mut complete = true;
        for item in array.iter() {
            let signal = match item.get_ref().as_str() {
                Some(word) => named_signal(item, word, self.mistakes),
                None => {
                    let what = format!("an entry of `{name}`");
                    integer(item, &what, "a signal by name or number", 1..=64, self.mistakes).and_then(Signal::new)
                }
            };
            complete &= signal.is_some();
            found.extend(signal);
        }
        complete.then_some(found)
    }

    pub(crate) fn exit_signal(&mut self) -> Option<ExitSignal> {
        if self.value("exit_signal").is_none() {
            return Some(ExitSignal::Default);
        }
        Some(self.signal_or_zero("exit_signal")?.map_or(ExitSignal::None, ExitSignal::Signal))
    }

    pub(crate) fn set_tid(&mut self) -> Option<Vec<i32>> {
        let Some(value) = self.value("set_tid") else { return Some(Vec::new()) };
        let Some(array) = value.get_ref().as_array() else {
            wrong_type(value, "`set_tid`", "a list of numbers, innermost namespace first", self.mistakes);
            return None;
        };
        if array.is_empty() || array.len() > MOST_LEVELS {
            let label = format!("expected 1 to {MOST_LEVELS} numbers");
            self.mistakes
                .add(value.span(), format!("`set_tid` has {} numbers", array.len()), label)
                .help("one number for each namespace, innermost first; without `set_tid` the kernel chooses");
            return None;
        }
        let range = i64::from(i32::MIN)..=i64::from(i32::MAX);
        let numbers: Option<Vec<i64>> = array
            .iter()
            .map(|item| integer(item, "an entry of `set_tid`", "a number", range.clone(), self.mistakes))
            .collect();
        numbers?.into_iter().map(|number| i32::try_from(number).ok()).collect()
    }
}

/// A signal by its name.
pub(crate) fn named_signal(value: &Value<'_>, word: &str, mistakes: &mut Mistakes) -> Option<Signal> {
    let found = Signal::from_name(word);
    if found.is_none() {
        let names = Signal::named().map(|(_, name)| name).chain(["SIGRTMIN", "SIGRTMAX"]);
        let upper = word.to_uppercase();
        let with_prefix = if upper.starts_with("SIG") { upper } else { format!("SIG{upper}") };
        let help = match nearest(&with_prefix, names) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => "signal(7) lists them; a number from 1 to 64 will do too".to_owned(),
        };
        mistakes.add(value.span(), format!("there is no signal `{}`", clean(word)), "unknown signal").help(help);
    }
    found
}
