//! What is said of a log.

use std::collections::BTreeMap;

use pidlab_scenario::{Fact, Facts, Outcome, Role, Scenario, WaitStatus};
use pidlab_sim::{Misconception, Moment, Position};
use serde::Serialize;

use crate::event::{Answer, Deed, Event};
use crate::log::{Log, Unreadable};
use crate::node::Mismatch;
use crate::program::Program;
use crate::search::{Found, Stuck, begin, search};
use crate::settled;
use crate::told::{Told, tell};

/// How a log is judged.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// The log may end before its processes do.
    pub partial: bool,
    /// So many worlds are looked at before it is given up.
    pub most_worlds: usize,
    /// The order that explains the log is told.
    pub order: bool,
    /// What the model takes for true though it is not.
    pub misconception: Option<Misconception>,
    /// What the kernel is like, where the log does not say so.
    pub facts: Option<Facts>,
}

impl Default for Options {
    fn default() -> Options {
        Options { partial: false, order: false, most_worlds: 2_000_000, misconception: None, facts: None }
    }
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Verdict {
    /// The verdict itself.
    #[serde(flatten)]
    pub finding: Finding,
    /// How many events the log has.
    pub events: usize,
    /// How many of them are answers of the kernel that the model was held against.
    pub answers: usize,
    /// How many worlds were looked at.
    pub worlds: usize,
    /// Calls that concern processes and for which the language has no words: they were passed over.
    pub not_judged: BTreeMap<String, usize>,
    /// The order that explains the log, if it was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub order: Vec<Told>,
}

/// Whether it is what Linux allows.
///
/// Exhaustive on purpose: there is no fourth answer.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "verdict", rename_all = "kebab-case")]
pub enum Finding {
    /// Some order explains every answer.
    Accepted,
    /// No order does.
    Refuted(Refuted),
    /// The search was given up.
    NotDecided {
        /// Where the orders that were looked at do not go on.
        stuck: Refuted,
    },
}

/// The first event that no order explains.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Refuted {
    /// Its line in the log.
    pub line: usize,
    /// What stands there.
    pub text: String,
    /// Whose it is.
    pub by: String,
    /// What Linux would have allowed, in the worlds that explain everything before it.
    pub allowed: Vec<Allowed>,
}

/// Something that Linux would have allowed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub struct Allowed {
    /// What.
    pub what: String,
    /// The rules that say so, by their ids.
    pub rules: Vec<&'static str>,
}

/// Says whether a log is what Linux allows.
///
/// # Errors
/// The log is no whole log of strace.
pub fn judge(log: &Log, options: &Options) -> Result<Verdict, Unreadable> {
    let program = Program::of(log, options.partial)?;
    let mut last = None;
    for facts in kernels(log, options) {
        let verdict = with(log, &program, &facts, options);
        if matches!(verdict.finding, Finding::Accepted) {
            return Ok(verdict);
        }
        last.get_or_insert(verdict);
    }
    Ok(last.expect("there is a kernel"))
}

/// A scenario in which a log's answers are the same, with one step after the other; `None` if none is found.
///
/// # Errors
/// The log is no whole log of strace.
pub fn scenario(log: &Log, options: &Options, title: &str) -> Result<Option<Scenario>, Unreadable> {
    let program = Program::of(log, options.partial)?;
    let found =
        kernels(log, options).iter().find_map(|facts| settled::scenario(&program, Position::start(facts, None), title));
    Ok(found)
}

/// The kernels that the log may be of: the one that it names, or the newest and the oldest that the model knows.
pub(crate) fn kernels(log: &Log, options: &Options) -> Vec<Facts> {
    match log.header.facts.as_ref().or(options.facts.as_ref()) {
        Some(facts) => vec![facts.clone()],
        None => vec![Facts::newest(), Facts::oldest()],
    }
}

fn with(log: &Log, program: &Program, facts: &Facts, options: &Options) -> Verdict {
    // Who could be another user there, or make a user namespace, the log itself tells.
    let facts = facts.clone().with(Fact::AnotherUser, true).with(Fact::UserNamespaces, true);
    let start = begin(program, Moment::start(&facts, options.misconception, &program.named()))
        .expect("whoever was there before can be made");
    let found = search(program, start.clone(), options.most_worlds);
    let finding = if found.order.is_some() {
        Finding::Accepted
    } else if !found.complete {
        Finding::NotDecided { stuck: refuted(log, program, &found) }
    } else {
        Finding::Refuted(refuted(log, program, &found))
    };
    Verdict {
        finding,
        events: program.len(),
        answers: program.judged(),
        worlds: found.worlds,
        not_judged: program.lacking.clone(),
        order: found.order.filter(|_| options.order).map_or_else(Vec::new, |order| tell(log, program, start, &order)),
    }
}

/// The event by which it does not go on.
fn refuted(log: &Log, program: &Program, found: &Found) -> Refuted {
    let first = found.stuck.first();
    let whose = first.and_then(|stuck| {
        let roles = (0..program.roles.len()).map(|index| Role(u16::try_from(index).unwrap_or(u16::MAX)));
        roles
            .filter_map(|role| stuck.node.next(program, role).map(|event| (role, event)))
            .find(|(_, event)| event.last == found.explained)
    });
    let Some((role, event)) = whose else {
        return Refuted { line: 0, text: String::new(), by: String::new(), allowed: Vec::new() };
    };
    let mut allowed = Vec::new();
    for stuck in &found.stuck {
        alternatives(program, stuck, role, event, &mut allowed);
    }
    Refuted {
        line: event.line,
        text: log.lines.get(event.line - 1).cloned().unwrap_or_default(),
        by: program.roles[role.index()].name.clone(),
        allowed,
    }
}

/// What the model has for a role in a place from which it does not go on.
fn alternatives(program: &Program, stuck: &Stuck, role: Role, event: &Event, allowed: &mut Vec<Allowed>) {
    let mut add = |what: String, rules: Vec<&'static str>| {
        if !allowed.iter().any(|known| known.what == what) {
            allowed.push(Allowed { what, rules });
        }
    };
    let mut any = false;
    for (chosen, mismatch) in &stuck.mismatches {
        let what = match mismatch {
            Mismatch::Outcome(by, outcome) if *by == role => gives(program, outcome),
            Mismatch::Signal(by, signal) if *by == role => {
                format!("{} from {} is taken", signal.signal, signal.si_pid)
            }
            Mismatch::End(by, status) if *by == role => format!("it has {}", ended(*status)),
            _ => continue,
        };
        any = true;
        add(what, stuck.node.reasons(program, *chosen).into_iter().map(|rule| rule.id).collect());
    }
    if any {
        return;
    }
    let what = match &event.deed {
        _ if stuck.node.begun[role.index()] => "the call does not return",
        Deed::Signal { .. } => "no such signal is there to be taken",
        Deed::Ended { .. } if stuck.node.moment.is_alive(role) => "it is alive, and nothing ends it",
        Deed::Ended { .. } => "it does not come to its end",
        _ if event.answer == Answer::Never => "it cannot make this call",
        _ => "it cannot make this call now",
    };
    add(what.to_owned(), Vec::new());
}

fn gives(program: &Program, outcome: &Outcome) -> String {
    let name = |role: Role| program.roles.get(role.index()).map_or("somebody", |actor| actor.name.as_str());
    match outcome {
        Outcome::Ok(number) => format!("it returns {number}"),
        Outcome::Waited { number, child, status } => {
            format!("it returns {number}, {}, which has {}", name(*child), ended(*status))
        }
        Outcome::Taken(taken) => format!("it takes {} from {}", taken.signal, taken.si_pid),
        Outcome::Err(errno) => format!("it fails with {errno}"),
        _ => "it gives something else".to_owned(),
    }
}

fn ended(status: WaitStatus) -> String {
    match status {
        WaitStatus::Killed(signal) => format!("been killed by {signal}"),
        WaitStatus::Stopped(signal) => format!("been stopped by {signal}"),
        WaitStatus::Exited(_) | WaitStatus::Continued => status.to_string(),
    }
}
