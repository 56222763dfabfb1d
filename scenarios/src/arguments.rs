//! The arguments of one step, read as the table of calls says, and the [`Call`] that they make.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use crate::limits::MOST_LEVELS;
use crate::parse::{Mistakes, Place, Value, clean, list, texts, wrong_type};
use crate::step::{Fields, Reader};
use crate::words::{Argument, CallWords, Kind, nearest};
use crate::{
    Call, CallName, CloneFlags, ExitSignal, KillTarget, LookVia, MaskChange, RebootHow, Role, SetnsVia, Signal,
    SignalAction, Sysctl, Target, WaitOptions, WaitTarget,
};

/// What reading one step needs.
pub(crate) struct Arguments<'a, 'b> {
    pub(crate) fields: &'b Fields<'a>,
    /// Arguments that are there under a misspelt name, which has been reported.
    pub(crate) meant: &'b BTreeMap<&'static str, &'a Value<'a>>,
    pub(crate) words: &'static CallWords,
    pub(crate) span: &'b Place,
    pub(crate) reader: &'b mut Reader,
    pub(crate) mistakes: &'b mut Mistakes,
}

impl<'a> Arguments<'a, '_> {
    /// The call, unless an argument is missing or wrong.
    pub(crate) fn call(mut self) -> Option<Call> {
        let complete = self.complete();
        let call = self.read();
        call.filter(|_| complete)
    }

    /// Whether every argument that must be there is, and no two that exclude each other.
    fn complete(&mut self) -> bool {
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
        let Some((names, needed)) = self.words.one_of else { return complete };
        let given: Vec<&str> = names.iter().copied().filter(|name| self.fields.contains_key(name)).collect();
        match given[..] {
            [] if needed && !names.iter().any(|name| self.meant.contains_key(name)) => {
                let message = format!("`{}` needs one of {}", self.words.name, list(names));
                let abouts = self.words.arguments.iter().filter(|argument| names.contains(&argument.name));
                let abouts: Vec<String> = abouts.map(|one| format!("`{}` ({})", one.name, one.about)).collect();
                self.mistakes
                    .add(self.span.clone(), message, "none is given")
                    .help(format!("add {}", abouts.join(" or ")));
                false
            }
            [] => complete && !needed,
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

    fn read(&mut self) -> Option<Call> {
        Some(match self.words.name {
            CallName::Fork => Call::Fork { child: self.child()? },
            CallName::Vfork => Call::Vfork { child: self.child()? },
            CallName::Clone => self.clone()?,
            CallName::FailedFork => Call::FailedFork,
            CallName::BrokenPipe => Call::BrokenPipe,
            CallName::Exit => Call::Exit { status: self.status()? },
            CallName::ExitThread => Call::ExitThread { status: self.status()? },
            CallName::Exec => Call::Exec,
            CallName::Abort => Call::Abort,
            CallName::Fault => Call::Fault,
            CallName::Wait => {
                let (target, options) = (self.children(), self.wait_options());
                Call::Wait { target: target?, options: options? }
            }
            CallName::Waitid => {
                let (target, options) = (self.children(), self.wait_options());
                Call::Waitid { target: target?, options: options? }
            }
            CallName::Kill => {
                let (target, signal) = (self.receivers(), self.signal_or_zero("signal"));
                Call::Kill { target: target?, signal: signal? }
            }
            CallName::Tgkill => {
                let (pid, signal) = (self.target("pid"), self.signal_or_zero("signal"));
                Call::Tgkill { pid: pid?, signal: signal? }
            }
            CallName::PidfdSendSignal => {
                let (pid, signal) = (self.target("pid"), self.signal_or_zero("signal"));
                Call::PidfdSendSignal { pid: pid?, signal: signal? }
            }
            CallName::Sigqueue => {
                let (pid, signal) = (self.target("pid"), self.signal_or_zero("signal"));
                let si_pid = self.integer("si_pid", 0..=i64::from(i32::MAX));
                Call::Sigqueue { pid: pid?, signal: signal?, si_pid: u32::try_from(si_pid?).ok()? }
            }
            CallName::PidfdOpen => Call::PidfdOpen { pid: self.target("pid")? },
            CallName::Unshare => Call::Unshare { flags: self.clone_flags(CloneFlags::CLONE_NEWPID)? },
            CallName::Setns => {
                let (to, via) = (self.process("to"), self.word("via", SetnsVia::from_word, Some(SetnsVia::NsPid)));
                Call::Setns { to: to?, via: via? }
            }
            CallName::SetChildSubreaper => Call::SetChildSubreaper { on: self.flag("on")? },
            CallName::SetPdeathsig => Call::SetPdeathsig { signal: self.signal_or_zero("signal")? },
            CallName::Sigaction => {
                let (signal, action) = (self.signal("signal"), self.word("action", SignalAction::from_word, None));
                Call::Sigaction { signal: signal?, action: action? }
            }
            CallName::Sigprocmask => {
                let (how, signal) = (self.word("how", MaskChange::from_word, None), self.signal("signal"));
                Call::Sigprocmask { how: how?, signal: signal? }
            }
            CallName::Sigpending => Call::Sigpending,
            CallName::PidfdPoll => Call::PidfdPoll { pid: self.target("pid")? },
            CallName::Setuid => Call::Setuid { uid: u32::try_from(self.integer("uid", 0..=0xffff_fffe)?).ok()? },
            CallName::Look => {
                let (pid, via) =
                    (self.target_or_zero("pid"), self.word("via", LookVia::from_word, Some(LookVia::Proc)));
                Call::Look { pid: pid?, via: via? }
            }
            CallName::Setsid => Call::Setsid,
            CallName::Getpid => Call::Getpid,
            CallName::Gettid => Call::Gettid,
            CallName::Getppid => Call::Getppid,
            CallName::Setpgid => {
                let (pid, group) = (self.target_or_zero("pid"), self.target_or_zero("group"));
                Call::Setpgid { pid: pid?, group: group? }
            }
            CallName::Getpgid => Call::Getpgid { pid: self.target_or_zero("pid")? },
            CallName::Getsid => Call::Getsid { pid: self.target_or_zero("pid")? },
            CallName::Sysctl => {
                let name = self.word("name", Sysctl::from_word, None);
                let write = if self.value("write").is_some() {
                    Some(self.integer("write", i64::from(i32::MIN)..=i64::from(i32::MAX))?)
                } else {
                    None
                };
                Call::Sysctl { name: name?, write }
            }
            CallName::Reboot => Call::Reboot { how: self.word("how", RebootHow::from_word, None)? },
        })
    }

    fn value(&self, name: &str) -> Option<&'a Value<'a>> {
        self.fields.get(name).map(|(_, value)| *value)
    }

    fn child(&mut self) -> Option<Role> {
        let value = self.value("child")?;
        self.reader.new_process(value, self.mistakes)
    }

    fn process(&mut self, name: &str) -> Option<Role> {
        let value = self.value(name)?;
        self.reader.process(value, name, self.mistakes)
    }

    fn clone(&mut self) -> Option<Call> {
        let (flags, exit_signal, set_tid) = (self.clone_flags(CloneFlags::empty()), self.exit_signal(), self.set_tid());
        let child = self.child();
        Some(Call::Clone { child: child?, flags: flags?, exit_signal: exit_signal?, set_tid: set_tid? })
    }

    fn integer(&mut self, name: &str, range: RangeInclusive<i64>) -> Option<i64> {
        integer(self.value(name)?, &format!("`{name}`"), "a number", range, self.mistakes)
    }

    fn status(&mut self) -> Option<i32> {
        match self.value("status") {
            None => Some(0),
            Some(_) => i32::try_from(self.integer("status", i64::from(i32::MIN)..=i64::from(i32::MAX))?).ok(),
        }
    }

    fn flag(&mut self, name: &str) -> Option<bool> {
        let Some(value) = self.value(name) else { return Some(true) };
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            wrong_type(value, &format!("`{name}`"), "`true` or `false`", self.mistakes);
        }
        flag
    }

    /// One word of a fixed set; `absent` where the argument is not given.
    fn word<T>(&mut self, name: &str, read: impl Fn(&str) -> Option<T>, absent: Option<T>) -> Option<T> {
        let Some(value) = self.value(name) else { return absent };
        let words = match self.words.arguments.iter().find(|argument| argument.name == name).map(|found| found.kind) {
            Some(Kind::Word(words)) => words,
            _ => &[],
        };
        let Some(word) = value.get_ref().as_str() else {
            wrong_type(value, &format!("`{name}`"), &format!("one of {}", list(words)), self.mistakes);
            return None;
        };
        let found = read(word);
        if found.is_none() {
            let help = match nearest(word, words.iter().copied()) {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => format!("use one of {}", list(words)),
            };
            let message = format!("`{name}` cannot be `{}`", clean(word));
            self.mistakes.add(value.span(), message, "unknown word").help(help);
        }
        found
    }

    /// A process by name, or a number.
    fn target(&mut self, name: &str) -> Option<Target> {
        let value = self.value(name)?;
        if let Some(process) = value.get_ref().as_str() {
            return self.reader.known(process, value.span(), self.mistakes).map(Target::Role);
        }
        let range = i64::from(i32::MIN)..=i64::from(i32::MAX);
        let what = format!("`{name}`");
        let number = integer(value, &what, "the name of a process, or a number", range, self.mistakes)?;
        i32::try_from(number).ok().map(Target::Number)
    }

    fn target_or_zero(&mut self, name: &str) -> Option<Target> {
        if self.value(name).is_none() { Some(Target::Number(0)) } else { self.target(name) }
    }

    fn receivers(&mut self) -> Option<KillTarget> {
        if self.value("group").is_some() {
            return self.target("group").map(KillTarget::Group);
        }
        self.target("pid").map(KillTarget::Pid)
    }

    fn children(&mut self) -> Option<WaitTarget> {
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
        let each = if what == "flag" { "a flag" } else { "an option" };
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

    fn clone_flags(&mut self, absent: CloneFlags) -> Option<CloneFlags> {
        if self.value("flags").is_none() {
            return Some(absent);
        }
        let known: Vec<(&str, CloneFlags)> = CloneFlags::all().iter_names().collect();
        self.flags("flags", "flag", &known).map(|flags| flags.into_iter().collect())
    }

    fn wait_options(&mut self) -> Option<WaitOptions> {
        self.flags("options", "option", &wait_options(self.words.name)).map(|options| options.into_iter().collect())
    }

    /// A signal by name or number, `None` for 0.
    fn signal_or_zero(&mut self, name: &str) -> Option<Option<Signal>> {
        let value = self.value(name)?;
        if let Some(word) = value.get_ref().as_str() {
            return self.named_signal(value, word).map(Some);
        }
        let number = integer(value, &format!("`{name}`"), "a signal by name or number", 0..=64, self.mistakes)?;
        Some(Signal::new(number))
    }

    fn signal(&mut self, name: &str) -> Option<Signal> {
        let signal = self.signal_or_zero(name)?;
        if signal.is_none() {
            let span = self.value(name).map_or_else(|| self.span.clone(), Value::span);
            self.mistakes
                .add(span, "0 is not a signal", "only a probe")
                .help("a signal has a name, or a number from 1 to 64");
        }
        signal
    }

    fn named_signal(&mut self, value: &Value<'_>, word: &str) -> Option<Signal> {
        let found = Signal::from_name(word);
        if found.is_none() {
            let names = Signal::named().map(|(_, name)| name).chain(["SIGRTMIN", "SIGRTMAX"]);
            let upper = word.to_uppercase();
            let with_prefix = if upper.starts_with("SIG") { upper } else { format!("SIG{upper}") };
            let help = match nearest(&with_prefix, names) {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => "signal(7) lists them; a number from 1 to 64 will do too".to_owned(),
            };
            self.mistakes
                .add(value.span(), format!("there is no signal `{}`", clean(word)), "unknown signal")
                .help(help);
        }
        found
    }

    fn exit_signal(&mut self) -> Option<ExitSignal> {
        if self.value("exit_signal").is_none() {
            return Some(ExitSignal::Default);
        }
        Some(self.signal_or_zero("exit_signal")?.map_or(ExitSignal::None, ExitSignal::Signal))
    }

    fn set_tid(&mut self) -> Option<Vec<i32>> {
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

/// The options of a wait by name. wait4(2) calls `WSTOPPED` `WUNTRACED`, and always asks for ended children.
pub(crate) fn wait_options(call: CallName) -> Vec<(&'static str, WaitOptions)> {
    let mut known: Vec<(&str, WaitOptions)> = WaitOptions::all().iter_names().collect();
    known.push(("WUNTRACED", WaitOptions::WSTOPPED));
    known.retain(|(_, option)| call == CallName::Waitid || *option != WaitOptions::WEXITED);
    known
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
