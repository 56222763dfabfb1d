//! What a step changed, in words, from the two moments around it.

use pidlab_scenario::{HandledLine, Line, ProcessLine, ResultLine, State, StatusLine};
use serde::Serialize;

use crate::scene::Spaces;

/// Something that a step changed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub struct Change {
    /// What kind of change.
    pub kind: ChangeKind,
    /// About which process.
    pub about: String,
    /// What, in words that follow its name.
    pub words: String,
}

/// What kind of change it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ChangeKind {
    /// A process was made.
    Born,
    /// A process is there no more.
    Gone,
    /// It has another parent.
    Adopted,
    /// It terminated, stopped, sleeps or goes on.
    State,
    /// A call that had blocked returned.
    Returned,
    /// A handler got a signal.
    Signal,
    /// Something else that the process itself can see.
    Sees,
}

/// All that is different between two moments.
pub(crate) fn between(before: &Line, after: &Line, spaces: &Spaces) -> Vec<Change> {
    let mut changes = Changes { all: Vec::new(), after, spaces };
    for process in &after.processes {
        match before.processes.iter().find(|was| was.name == process.name) {
            None => changes.born(process),
            Some(was) => changes.process(was, process),
        }
    }
    for was in before.processes.iter().filter(|was| after.processes.iter().all(|process| process.name != was.name)) {
        changes.gone(was);
    }
    for returned in &after.returned {
        let words = format!("returns from {}: {}", returned.call, result(&returned.result));
        changes.add(ChangeKind::Returned, &returned.by, words);
    }
    for process in &after.processes {
        for handled in &process.handled {
            changes.add(ChangeKind::Signal, &process.name, self::handled(handled));
        }
    }
    changes.all
}

struct Changes<'a> {
    all: Vec<Change>,
    after: &'a Line,
    spaces: &'a Spaces,
}

impl Changes<'_> {
    fn add(&mut self, kind: ChangeKind, about: &str, words: impl Into<String>) {
        self.all.push(Change { kind, about: about.to_owned(), words: words.into() });
    }

    fn born(&mut self, process: &ProcessLine) {
        let numbers = numbers(process, self.spaces);
        match &process.thread_of {
            Some(leader) => {
                self.add(ChangeKind::Born, &process.name, format!("is a new thread of {leader}: TID {numbers}"))
            }
            None => {
                let parent = process.parent.as_deref().map(|parent| format!(", child of {parent}")).unwrap_or_default();
                self.add(ChangeKind::Born, &process.name, format!("is new: PID {numbers}{parent}"));
            }
        }
    }

    fn gone(&mut self, was: &ProcessLine) {
        let what = match (was.state, &was.thread_of) {
            (_, Some(_)) => "has ended",
            (State::Zombie, None) => "is reaped",
            _ => "has terminated and is reaped",
        };
        let number = if was.pids.len() == 1 { "its PID is free" } else { "its PIDs are free" };
        self.add(ChangeKind::Gone, &was.name, format!("{what}: {number}"));
    }

    fn process(&mut self, was: &ProcessLine, process: &ProcessLine) {
        let name = &process.name;
        if was.state != process.state {
            self.add(ChangeKind::State, name, self.state(was, process));
        }
        if was.parent != process.parent {
            let words = match (&process.parent, &was.parent) {
                (Some(parent), Some(was)) => format!("is adopted by {parent}; it was {was}'s"),
                (Some(parent), None) => format!("is adopted by {parent}"),
                (None, _) => "has a parent that is outside of the scenario".to_owned(),
            };
            self.add(ChangeKind::Adopted, name, words);
        }
        if was.pids != process.pids {
            self.add(ChangeKind::Sees, name, format!("has now PID {}", numbers(process, self.spaces)));
        }
        let ids = [
            ("getppid", was.ppid, process.ppid),
            ("getpgid", was.pgid, process.pgid),
            ("getsid", was.sid, process.sid),
        ];
        for (call, was, now) in ids.into_iter().filter(|(_, was, now)| was != now) {
            self.add(ChangeKind::Sees, name, format!("gets {now} from {call} now, and no longer {was}"));
        }
        match (&process.tracer, &was.tracer) {
            (now, before) if now == before => {}
            (Some(tracer), _) => self.add(ChangeKind::Sees, name, format!("is traced by {tracer}")),
            (None, _) => self.add(ChangeKind::Sees, name, "is traced no more"),
        }
    }

    fn state(&self, was: &ProcessLine, process: &ProcessLine) -> String {
        match process.state {
            State::Zombie if process.thread_of.is_some() => "has ended".to_owned(),
            State::Zombie => match process.parent.as_deref() {
                Some(parent) => format!("has terminated: a zombie until {parent} waits for it"),
                None => "has terminated: a zombie until its parent waits for it".to_owned(),
            },
            State::Exiting => {
                let space = process.namespaces.last().copied().unwrap_or_default();
                let others = self.after.processes.iter().filter(|other| other.namespaces.contains(&space)).count() - 1;
                let left = if others == 1 { "one other is".to_owned() } else { format!("{others} others are") };
                format!("is terminating, and waits until its namespace is empty: {left} left")
            }
            State::Blocked => match (&self.after.by, &self.after.call) {
                (Some(by), Some(call)) if *by == process.name => format!("sleeps in {call}"),
                _ => "sleeps in its call".to_owned(),
            },
            State::Stopped => "is stopped".to_owned(),
            State::Traced => "is held by its tracer".to_owned(),
            State::Running if was.state == State::Blocked => "is awake".to_owned(),
            State::Running => "goes on".to_owned(),
        }
    }
}

/// `3 in host's, 2 in init's`.
pub(crate) fn numbers(process: &ProcessLine, spaces: &Spaces) -> String {
    let places = process.pids.iter().zip(&process.namespaces);
    places.map(|(number, space)| format!("{number} in {}'s", spaces.label(*space))).collect::<Vec<_>>().join(", ")
}

fn handled(handled: &HandledLine) -> String {
    let status =
        handled.status.as_ref().map(|status| format!(", which says: {}", self::status(status))).unwrap_or_default();
    format!("has its handler run for {} from {}{status}", handled.signal.0, handled.si_pid)
}

fn result(result: &ResultLine) -> String {
    match result {
        ResultLine { err: Some(errno), .. } => format!("fails with {errno}"),
        ResultLine { ok: Some(number), child: Some(child), status: Some(status), .. } => {
            format!("{number}, {child} {}", self::status(status))
        }
        ResultLine { ok: Some(number), .. } => number.to_string(),
        _ => "nothing".to_owned(),
    }
}

fn status(status: &StatusLine) -> String {
    use pidlab_scenario::SignalOrZero::{Signal, Zero};
    match status {
        StatusLine::Exited(status) => format!("exited with {status}"),
        StatusLine::Killed(signal) => format!("killed by {}", signal.0),
        StatusLine::Stopped(Signal(signal)) => format!("stopped by {}", signal.0),
        StatusLine::Trapped(Signal(signal)) => format!("trapped by {}", signal.0),
        StatusLine::Stopped(Zero(_)) => "stopped by 0".to_owned(),
        StatusLine::Trapped(Zero(_)) => "trapped by 0".to_owned(),
        StatusLine::Continued(_) => "continued".to_owned(),
    }
}
