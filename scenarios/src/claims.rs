//! The claims of a step, as a file writes them: `status`, `sees`, `pending`, `events`, `took`, `then`.

use toml::de::DeTable;

use crate::arguments::named_signal;
use crate::expect::{OUTCOMES, expect};
use crate::mistakes::{Mistakes, clean, list};
use crate::names::Names;
use crate::truth::SeenKind;
use crate::values::{Fields, Value, integer, wrong_type};
use crate::{
    CallName, ChildStatus, Claim, Errno, Expect, HandledClaim, OutcomeClaim, PollEvent, ProcessClaim, ReturnedClaim,
    Role, SeenField, SeenValue, Signal, State, WaitStatus,
};

/// What can be claimed of a process.
pub(crate) const OF_A_PROCESS: [&str; 11] =
    ["state", "pids", "namespaces", "parent", "ppid", "pgid", "sid", "thread_of", "tracer", "handled", "returned"];
/// What can be claimed of a handled signal.
pub(crate) const OF_A_SIGNAL: [&str; 3] = ["signal", "si_pid", "status"];
/// How a status is written.
pub(crate) const STATUSES: [&str; 5] = ["exited", "killed", "stopped", "trapped", "continued"];
/// Every state, as it is written.
pub(crate) const STATES: [State; 6] =
    [State::Running, State::Blocked, State::Stopped, State::Traced, State::Zombie, State::Exiting];
/// Which namespaces the numbers mean.
const NAMESPACES: &str =
    "0 is the namespace of `host`, and the others count in the order in which they got their first process: `[0, 1]`";
/// Every event.
pub(crate) const EVENTS: [PollEvent; 2] = [PollEvent::In, PollEvent::Hup];

/// The key of what a call can be claimed to give, beside its value.
pub(crate) fn key_of(call: CallName) -> Option<&'static str> {
    match call {
        CallName::Wait | CallName::Waitid => Some("status"),
        CallName::Look => Some("sees"),
        CallName::Sigpending => Some("pending"),
        CallName::PidfdPoll => Some("events"),
        CallName::Sigwait | CallName::Sigtimedwait | CallName::Signalfd => Some("took"),
        _ => None,
    }
}

/// The keys and values of a table.
pub(crate) fn fields_of<'a>(table: &'a DeTable<'a>) -> Fields<'a> {
    table.iter().map(|(key, value)| (&**key.get_ref(), (key, value))).collect()
}

/// Reads the claims of one step, with the names that are known after it.
pub(crate) struct Claims<'n, 'm> {
    pub(crate) names: &'n Names,
    pub(crate) mistakes: &'m mut Mistakes,
}

impl Claims<'_, '_> {
    /// The claims of a step beside what `returns`, `fails`, `blocks` and `ends` say; what is wrong is left out.
    pub(crate) fn of_step(&mut self, fields: &Fields<'_>, call: CallName, expect: Option<Expect>) -> Vec<Claim> {
        let mut claims: Vec<Claim> = self.of_outcome(fields, &[call], expect).into_iter().map(Claim::Outcome).collect();
        if let Some((_, value)) = fields.get("then") {
            claims.extend(self.then(value));
        }
        claims
    }

    /// What a call is claimed to give beside its value.
    fn of_outcome(&mut self, fields: &Fields<'_>, calls: &[CallName], expect: Option<Expect>) -> Vec<OutcomeClaim> {
        let mut claims = Vec::new();
        for call in calls {
            let Some((key, value)) = key_of(*call).and_then(|key| fields.get(key)) else { continue };
            if !matches!(expect, None | Some(Expect::Returns(_))) {
                let word = key_of(*call).unwrap_or_default();
                self.mistakes
                    .add(key.span(), format!("only what returns gives `{word}`"), "contradicts the step")
                    .help("leave it out, or say what the call `returns`");
                continue;
            }
            match call {
                CallName::Look => claims.extend(self.sees(value).into_iter().map(OutcomeClaim::Sees)),
                CallName::Sigpending => {
                    let signals =
                        self.each(value, "`pending`", "a list of signals", |reader, item| reader.signal(item));
                    claims.extend(signals.map(|mut signals| {
                        // A set has no order: it is written as it is observed.
                        signals.sort_unstable();
                        signals.dedup();
                        OutcomeClaim::Pending(signals)
                    }));
                }
                CallName::PidfdPoll => {
                    let events = self.each(value, "`events`", "a list of events", |reader, item| {
                        reader.word(item, "an event", "event", &EVENTS)
                    });
                    claims.extend(events.map(|mut events| {
                        events.sort_unstable();
                        events.dedup();
                        OutcomeClaim::Events(events)
                    }));
                }
                CallName::Sigwait | CallName::Sigtimedwait | CallName::Signalfd => {
                    claims.extend(self.handled(value).map(OutcomeClaim::Took));
                }
                _ => claims.extend(self.wait_status(value).map(OutcomeClaim::Status)),
            }
        }
        claims
    }

    /// `then = { leaf = { … }, mid = "gone" }`
    fn then(&mut self, value: &Value<'_>) -> Vec<Claim> {
        let help = "name processes: `then = { leaf = { state = \"zombie\" }, mid = \"gone\" }`";
        let Some(processes) = self.table(value, "`then`", help) else { return Vec::new() };
        let mut claims: Vec<(Role, Vec<Claim>)> = Vec::new();
        for (name, (key, value)) in &processes {
            let Some(role) = self.names.known(name, key.span(), self.mistakes) else { continue };
            claims.push((role, self.process(name, role, value)));
        }
        claims.sort_by_key(|(role, _)| *role);
        claims.into_iter().flat_map(|(_, claims)| claims).collect()
    }

    fn process(&mut self, name: &str, role: Role, value: &Value<'_>) -> Vec<Claim> {
        let what = format!("the claim about `{}`", clean(name));
        match value.get_ref().as_str() {
            Some("gone") => return vec![Claim::Gone(role)],
            Some(word) => {
                let help = match STATES.iter().any(|state| state.to_string() == word) {
                    true => format!("a state is written `{{ state = \"{word}\" }}`"),
                    false => "the only word is `\"gone\"`: there is no such process any more".to_owned(),
                };
                let message = format!("{what} cannot be `{}`", clean(word));
                self.mistakes.add(value.span(), message, "unknown word").help(help);
                return Vec::new();
            }
            None => {}
        }
        let help = format!("claim {}, or `\"gone\"`", list(&OF_A_PROCESS));
        let Some(fields) = self.table(value, &what, &help) else { return Vec::new() };
        self.known_keys(&fields, &OF_A_PROCESS, "claim about a process");
        let claims = OF_A_PROCESS.iter().filter_map(|key| Some((*key, fields.get(key)?.1)));
        claims.filter_map(|(key, value)| Some(Claim::Process(role, self.of_process(key, value)?))).collect()
    }

    fn of_process(&mut self, key: &'static str, value: &Value<'_>) -> Option<ProcessClaim> {
        let what = format!("`{key}`");
        Some(match key {
            "state" if value.get_ref().as_str() == Some("thread") => {
                self.mistakes
                    .add(value.span(), "`thread` is no state", "unknown state")
                    .help("a thread is claimed by `thread_of = \"…\"`, the name of its process's first thread");
                return None;
            }
            "state" => ProcessClaim::State(self.word(value, &what, "state", &STATES)?),
            "pids" => ProcessClaim::Pids(self.numbers(value, &what)?),
            "namespaces" => {
                let number = |reader: &mut Self, item: &Value<'_>| {
                    let (entry, before) = ("an entry of `namespaces`", reader.mistakes.count());
                    let number = integer(item, entry, "a number", 0..=0xffff, reader.mistakes);
                    if let Some(mistake) = reader.mistakes.since(before) {
                        mistake.help(NAMESPACES);
                    }
                    u16::try_from(number?).ok()
                };
                ProcessClaim::Namespaces(self.each(value, &what, "a list of numbers", number)?)
            }
            "parent" => ProcessClaim::Parent(self.process_or_none(value, &what)?),
            "ppid" => ProcessClaim::Ppid(self.number(value, &what)?),
            "pgid" => ProcessClaim::Pgid(self.number(value, &what)?),
            "sid" => ProcessClaim::Sid(self.number(value, &what)?),
            "thread_of" => ProcessClaim::ThreadOf(self.process_or_none(value, &what)?),
            "tracer" => ProcessClaim::Tracer(self.process_or_none(value, &what)?),
            "handled" => {
                let help = "a list of signals like `{ signal = \"SIGCHLD\", si_pid = 2 }`";
                ProcessClaim::Handled(self.each(value, &what, help, |reader, item| reader.handled(item))?)
            }
            _ => ProcessClaim::Returned(self.returned(value)?),
        })
    }

    /// `{ signal = "SIGCHLD", si_pid = 2, status = { exited = 0 } }`
    fn handled(&mut self, value: &Value<'_>) -> Option<HandledClaim> {
        let help = "write `{ signal = \"SIGCHLD\", si_pid = 2 }`";
        let fields = self.table(value, "a handled signal", help)?;
        let before = self.mistakes.count();
        self.known_keys(&fields, &OF_A_SIGNAL, "claim about a signal");
        let Some((_, signal)) = fields.get("signal") else {
            self.mistakes.add(value.span(), "a handled signal needs `signal`", "`signal` is missing").help(help);
            return None;
        };
        let signal = self.signal(signal);
        let si_pid = fields.get("si_pid").and_then(|(_, value)| self.number(value, "`si_pid`"));
        let status = fields.get("status").and_then(|(_, value)| match value.get_ref().as_bool() {
            Some(false) => Some(None),
            _ => self.status(value).map(Some),
        });
        (self.mistakes.count() == before).then_some(HandledClaim { signal: signal?, si_pid, status })
    }

    /// `{ returns = "kid", status = { exited = 3 } }`, or `false`.
    fn returned(&mut self, value: &Value<'_>) -> Option<Option<ReturnedClaim>> {
        if value.get_ref().as_bool() == Some(false) {
            return Some(None);
        }
        let help = "write what the blocked call gave: `{ returns = \"kid\" }`, or `false` if none has returned";
        let fields = self.table(value, "`returned`", help)?;
        let before = self.mistakes.count();
        let beside = [CallName::Wait, CallName::Look, CallName::Sigpending, CallName::PidfdPoll, CallName::Sigwait];
        let keys = ["call"].into_iter().chain(OUTCOMES).chain(beside.iter().filter_map(|call| key_of(*call)));
        self.known_keys(&fields, &keys.collect::<Vec<_>>(), "claim about a call");
        let call = fields.get("call").and_then(|(_, value)| self.word(value, "`call`", "call", CallName::ALL));
        let result = expect(&fields, None, self.names, self.mistakes);
        let beside = self.of_outcome(&fields, &beside, result);
        let outcome = result.map(OutcomeClaim::Result).into_iter().chain(beside).collect();
        (self.mistakes.count() == before).then_some(Some(ReturnedClaim { call, outcome }))
    }

    /// `sees = { ppid = 0, nspid = [1] }`
    fn sees(&mut self, value: &Value<'_>) -> Vec<SeenField> {
        let names = SeenField::KINDS.map(|(name, _)| name);
        let help = format!("claim {}", list(&names));
        let Some(fields) = self.table(value, "`sees`", &help) else { return Vec::new() };
        self.known_keys(&fields, &names, "field");
        let mut seen = Vec::new();
        for (name, kind) in SeenField::KINDS {
            let Some((_, value)) = fields.get(name) else { continue };
            let what = format!("`{name}`");
            let value = match kind {
                SeenKind::Number => self.any_number(value, &what).map(SeenValue::Number),
                SeenKind::Numbers => {
                    let each =
                        |reader: &mut Self, item: &Value<'_>| reader.any_number(item, &format!("an entry of `{name}`"));
                    self.each(value, &what, "a list of numbers", each).map(SeenValue::Numbers)
                }
                SeenKind::Status if value.get_ref().as_bool() == Some(false) => Some(SeenValue::Status(None)),
                SeenKind::Status => self.wait_status(value).map(|status| SeenValue::Status(Some(status))),
                SeenKind::Translated => self.translated(value, &what).map(SeenValue::Translated),
            };
            seen.extend(value.map(|value| SeenField { name: name.to_owned(), value }));
        }
        seen
    }

    /// `{ ok = 3 }` or `{ err = "ESRCH" }`
    fn translated(&mut self, value: &Value<'_>, what: &str) -> Option<Result<u32, Errno>> {
        let fields = self.table(value, what, "write `{ ok = 3 }` or `{ err = \"ESRCH\" }`")?;
        self.known_keys(&fields, &["ok", "err"], "field");
        if let Some((_, number)) = fields.get("ok") {
            return self.number(number, "`ok`").map(Ok);
        }
        let (_, errno) = fields.get("err")?;
        self.word(errno, "`err`", "errno", Errno::ALL).map(Err)
    }

    fn wait_status(&mut self, value: &Value<'_>) -> Option<WaitStatus> {
        let status = self.status(value)?;
        if matches!(status, ChildStatus::Trapped(_)) {
            self.mistakes
                .add(value.span(), "a wait says of a tracee that it was stopped", "only a SIGCHLD says more")
                .help("write `{ stopped = … }`");
            return None;
        }
        let status = status.waited();
        if status.is_none() {
            self.mistakes
                .add(value.span(), "no wait says that a child was stopped by 0", "never so")
                .help("only a SIGCHLD can say it; name the signal");
        }
        status
    }

    /// `{ exited = 3 }`, `{ killed = "SIGKILL" }`, `{ stopped = "SIGSTOP" }` or `{ continued = true }`
    fn status(&mut self, value: &Value<'_>) -> Option<ChildStatus> {
        let help =
            "write `{ exited = 3 }`, `{ killed = \"SIGKILL\" }`, `{ stopped = \"SIGSTOP\" }` or `{ continued = true }`";
        let fields = self.table(value, "`status`", help)?;
        self.known_keys(&fields, &STATUSES, "status");
        let given: Vec<(&str, &Value<'_>)> = fields
            .iter()
            .filter(|(name, _)| STATUSES.contains(*name))
            .map(|(name, (_, value))| (*name, *value))
            .collect();
        let [(name, value)] = given[..] else {
            if given.len() > 1 {
                self.mistakes.add(value.span(), "a status is one thing", "several").help(help);
            }
            return None;
        };
        match name {
            "exited" => {
                let number = integer(value, "`exited`", "a number", 0..=255, self.mistakes)?;
                u8::try_from(number).ok().map(ChildStatus::Exited)
            }
            "killed" => self.signal(value).map(ChildStatus::Killed),
            "stopped" => self.signal_or_zero(value).map(ChildStatus::Stopped),
            "trapped" => self.signal_or_zero(value).map(ChildStatus::Trapped),
            _ if value.get_ref().as_bool() == Some(true) => Some(ChildStatus::Continued),
            _ => {
                wrong_type(value, "`continued`", "`true`", self.mistakes);
                None
            }
        }
    }

    fn signal_or_zero(&mut self, value: &Value<'_>) -> Option<Option<Signal>> {
        match value.get_ref().as_integer().is_some_and(|number| number.as_str() == "0") {
            true => Some(None),
            false => self.signal(value).map(Some),
        }
    }

    /// The keys and values of a table that says something.
    fn table<'a>(&mut self, value: &'a Value<'a>, what: &str, help: &str) -> Option<Fields<'a>> {
        let Some(table) = value.get_ref().as_table() else {
            let mistake = wrong_type(value, what, "a table", self.mistakes);
            mistake.help.get_or_insert_with(|| help.to_owned());
            return None;
        };
        if table.is_empty() {
            self.mistakes.add(value.span(), format!("{what} is empty"), "says nothing").help(help);
            return None;
        }
        Some(fields_of(table))
    }

    fn known_keys(&mut self, fields: &Fields<'_>, known: &[&str], what: &str) {
        for (name, (key, _)) in fields {
            if !known.contains(name) {
                self.mistakes.unknown(key.span(), what, name, known);
            }
        }
    }

    /// A list, if each of its entries can be read.
    fn each<T>(
        &mut self,
        value: &Value<'_>,
        what: &str,
        expected: &str,
        mut read: impl FnMut(&mut Self, &Value<'_>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let Some(array) = value.get_ref().as_array() else {
            wrong_type(value, what, expected, self.mistakes);
            return None;
        };
        let read: Vec<Option<T>> = array.iter().map(|item| read(self, item)).collect();
        read.into_iter().collect()
    }

    /// One word of a set.
    fn word<T: Copy + ToString>(&mut self, value: &Value<'_>, what: &str, kind: &str, all: &[T]) -> Option<T> {
        let words: Vec<String> = all.iter().map(ToString::to_string).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let Some(word) = value.get_ref().as_str() else {
            let expected = if words.len() > 8 {
                format!("the name of a {kind} in quotes")
            } else {
                format!("one of {}", list(&words))
            };
            wrong_type(value, what, &expected, self.mistakes);
            return None;
        };
        let found = words.iter().position(|known| *known == word);
        if found.is_none() {
            self.mistakes.unknown(value.span(), kind, word, &words);
        }
        found.map(|index| all[index])
    }

    /// A signal by name or number.
    fn signal(&mut self, value: &Value<'_>) -> Option<Signal> {
        if let Some(word) = value.get_ref().as_str() {
            return named_signal(value, word, self.mistakes);
        }
        Signal::new(integer(value, "a signal", "a signal by name or number", 1..=64, self.mistakes)?)
    }

    /// The name of a process, or `false` for none.
    fn process_or_none(&mut self, value: &Value<'_>, what: &str) -> Option<Option<Role>> {
        if value.get_ref().as_bool() == Some(false) {
            return Some(None);
        }
        match value.get_ref().as_str() {
            Some(name) => self.names.known(name, value.span(), self.mistakes).map(Some),
            None => {
                wrong_type(value, what, "the name of a process in quotes, or `false` for none", self.mistakes);
                None
            }
        }
    }

    /// The number of a process, a group or a session; 0 for none.
    fn number(&mut self, value: &Value<'_>, what: &str) -> Option<u32> {
        u32::try_from(integer(value, what, "a number", 0..=i64::from(i32::MAX), self.mistakes)?).ok()
    }

    fn numbers(&mut self, value: &Value<'_>, what: &str) -> Option<Vec<u32>> {
        self.each(value, what, "a list of numbers", |reader, item| reader.number(item, &format!("an entry of {what}")))
    }

    fn any_number(&mut self, value: &Value<'_>, what: &str) -> Option<i64> {
        integer(value, what, "a number", i64::MIN..=i64::MAX, self.mistakes)
    }
}
