//! Outcomes that the model allows: is each kind of them ever shown by a kernel?
//!
//! A model that allows too much agrees with every kernel. What gives it away is an outcome that it offers again and again and that no
//! kernel takes. Two outcomes of a step are held against one another by what differs in them, so that what two scenarios have in common
//! can be counted.

use std::collections::{BTreeMap, BTreeSet};

use pidlab_scenario::{Handled, Observation, Outcome, ProcessView, Scenario, Signal};
use pidlab_sim::{Answer, Judgement, Model};

use crate::compare::Verdict;

/// How many outcomes of one step are told apart.
const MOST: usize = 64;
/// Who was offered as often and never taken is named.
const OFTEN: u64 = 20;

/// A step that can come to more than one outcome, each by how it differs from the first, which is the one where who comes first is
/// served first.
pub(super) struct Open {
    call: &'static str,
    others: Vec<Other>,
    /// Which one the kernel took: 0 is the first, then the others; nothing where it is not among those that were told apart.
    taken: Option<usize>,
    complete: bool,
}

struct Other {
    /// What differs.
    kind: String,
    /// The rules that decided in one of the two.
    rules: BTreeSet<&'static str>,
}

/// The open steps of a run that the kernel and the model agree on.
pub(super) fn of_run(model: &mut Model, scenario: &Scenario, verdict: &Verdict) -> Vec<Open> {
    model.start(scenario);
    let mut open = Vec::new();
    for (step, compared) in scenario.steps.iter().zip(verdict.steps.iter().skip(1)) {
        let Some(seen) = &compared.kernel else { break };
        let Ok(outcomes) = model.outcomes(step, MOST) else { break };
        if let Some((first, others)) = outcomes.answers.split_first().filter(|(_, others)| !others.is_empty()) {
            open.push(Open {
                call: step.call.name().word(),
                others: others.iter().map(|other| Other::new(first, other)).collect(),
                taken: outcomes.answers.iter().position(|answer| answer.observation == *seen),
                complete: outcomes.complete,
            });
        }
        if !matches!(model.judge(scenario, step, seen), Ok(Judgement::Agrees(_))) {
            break;
        }
    }
    open
}

impl Other {
    fn new(first: &Answer, other: &Answer) -> Other {
        let ids = |answer: &Answer| answer.because.iter().map(|because| because.rule.id).collect::<BTreeSet<_>>();
        let kind = differences(&first.observation, &other.observation);
        Other {
            kind: kind.into_iter().collect::<Vec<_>>().join(" + "),
            rules: ids(first).symmetric_difference(&ids(other)).copied().collect(),
        }
    }
}

/// What differs, without who it differs in.
fn differences(first: &Observation, other: &Observation) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    if first.outcome != other.outcome {
        let word = |of: &Observation| of.outcome.as_ref().map_or_else(String::new, word);
        let (first, other) = (word(first), word(other));
        found.insert(if first == other { format!("another {other}") } else { format!("{other} for {first}") });
    }
    if first.returned != other.returned {
        let word = |of: &Observation| of.returned.iter().map(|returned| word(&returned.outcome)).collect::<Vec<_>>();
        let (first, other) = (word(first), word(other));
        let nothing = |words: Vec<String>| if words.is_empty() { "nothing".to_owned() } else { words.join(" ") };
        found.insert(format!("returned {} for {}", nothing(other), nothing(first)));
    }
    let roles: BTreeSet<_> = first.processes.iter().chain(&other.processes).map(|process| process.role).collect();
    for role in roles {
        match (first.process(role), other.process(role)) {
            (Some(first), Some(other)) => views(first, other, &mut found),
            (Some(first), None) => drop(found.insert(format!("gone for {}", first.state))),
            (None, Some(other)) => drop(found.insert(format!("{} for gone", other.state))),
            (None, None) => {}
        }
    }
    found
}

fn word(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Ok(_) => "success".to_owned(),
        Outcome::Waited { .. } => "child".to_owned(),
        Outcome::Pending(_) => "set".to_owned(),
        Outcome::Taken(_) => "signal".to_owned(),
        Outcome::Polled(_) => "events".to_owned(),
        Outcome::Seen(_) => "look".to_owned(),
        Outcome::Err(errno) => errno.to_string(),
        Outcome::Never => "no return".to_owned(),
        Outcome::Blocks => "sleep".to_owned(),
    }
}

fn views(first: &ProcessView, other: &ProcessView, found: &mut BTreeSet<String>) {
    if first.state != other.state {
        found.insert(format!("{} for {}", other.state, first.state));
    }
    // The parent's number follows from the parent.
    let parents = first.parent != other.parent;
    for (differs, word) in [
        (first.thread_of != other.thread_of, "thread of another"),
        (first.pids != other.pids, "another PID"),
        (first.namespaces != other.namespaces, "another namespace"),
        (parents, "another parent"),
        (!parents && first.ppid != other.ppid, "another PPID"),
        (first.pgid != other.pgid, "another group"),
        (first.sid != other.sid, "another session"),
        (first.tracer != other.tracer, "another tracer"),
    ] {
        if differs {
            found.insert(word.to_owned());
        }
    }
    if first.handled != other.handled {
        found.insert(handlers(&first.handled, &other.handled));
    }
}

/// What differs in what the handlers of a process received.
fn handlers(first: &[Handled], other: &[Handled]) -> String {
    let left = |of: &[Handled], without: &[Handled]| {
        let mut left = of.to_vec();
        for handled in without {
            if let Some(at) = left.iter().position(|known| known == handled) {
                left.remove(at);
            }
        }
        left
    };
    let signals = |of: &[Handled]| {
        let signals: BTreeSet<Signal> = of.iter().map(|handled| handled.signal).collect();
        signals.iter().map(Signal::to_string).collect::<Vec<_>>().join(" ")
    };
    let (fewer, more) = (left(first, other), left(other, first));
    match (&fewer[..], &more[..]) {
        ([], []) => "handled in another order".to_owned(),
        ([], more) => format!("handled also {}", signals(more)),
        (fewer, []) => format!("not handled {}", signals(fewer)),
        (fewer, more) if signals(fewer) == signals(more) => format!("handled another {}", signals(more)),
        (fewer, more) => format!("handled {} for {}", signals(more), signals(fewer)),
    }
}

/// What was offered, and what was taken.
#[derive(Default)]
pub(super) struct Counted {
    steps: u64,
    not_all: u64,
    first: u64,
    another: u64,
    kinds: BTreeMap<(&'static str, String), Kind>,
}

/// One kind of difference between the first outcome and another.
#[derive(Default)]
struct Kind {
    /// At how many steps there was such a one.
    offered: u64,
    taken: u64,
    /// At how many of these steps the first was taken.
    first: u64,
    rules: BTreeSet<&'static str>,
}

impl Counted {
    pub(super) fn add(&mut self, open: Vec<Open>) {
        for Open { call, others, taken, complete } in open {
            self.steps += 1;
            self.not_all += u64::from(!complete);
            self.first += u64::from(taken == Some(0));
            self.another += u64::from(taken.is_some_and(|taken| taken > 0));
            let took = taken.and_then(|taken| others.get(taken.checked_sub(1)?)).map(|other| other.kind.clone());
            let mut met = BTreeSet::new();
            for Other { kind, rules } in others {
                let known = self.kinds.entry((call, kind.clone())).or_default();
                known.rules.extend(rules);
                if met.insert(kind.clone()) {
                    known.offered += 1;
                    known.first += u64::from(taken == Some(0));
                    known.taken += u64::from(took.as_ref() == Some(&kind));
                }
            }
        }
    }

    pub(super) fn text(&self) -> String {
        let Counted { steps, not_all, first, another, kinds } = self;
        let mut text = format!("open steps {steps}: the first outcome taken {first}, another {another}\n");
        if *not_all > 0 {
            text += &format!("with more outcomes than were told apart {not_all}\n");
        }
        text += "outcomes offered beside the first\n";
        for ((call, kind), counts) in kinds {
            text += &format!("  {call}: {kind}\n      {}\n", counts.counts());
        }
        let never: Vec<String> = kinds.iter().filter_map(|((call, kind), counts)| counts.never(call, kind)).collect();
        if !never.is_empty() {
            text += &format!("allowed and never seen\n{}", never.concat());
        }
        text
    }
}

impl Kind {
    fn counts(&self) -> String {
        format!("offered {}, taken {}, the first taken {}", self.offered, self.taken, self.first)
    }

    /// The side of it that was offered often and never taken.
    fn never(&self, call: &str, kind: &str) -> Option<String> {
        let what = match (self.taken, self.first) {
            _ if self.offered < OFTEN => return None,
            (0, _) => format!("{call}: {kind}"),
            (_, 0) => format!("{call}: the first, for {kind}"),
            _ => return None,
        };
        let rules = self.rules.iter().copied().collect::<Vec<_>>().join(" ");
        let options = crate::words::page().initial_indent("      ").subsequent_indent("      ");
        Some(format!("  {what}\n      {}\n{}\n", self.counts(), textwrap::fill(&rules, options)))
    }
}
