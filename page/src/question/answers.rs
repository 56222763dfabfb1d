//! Answers in words: the right one, and those that are as plausible before one knows.

use pidlab_scenario::{
    CallName, Errno, Given, Line, Observation, Outcome, ProcessLine, Scenario, Step, Target, told, words,
};

use pidlab_sim::Misconception;

use super::Choice;
use crate::changes::{self, Change, ChangeKind};
use crate::scene::Spaces;

/// More effects than these are summed up.
const MOST_EFFECTS: usize = 4;

/// Answers, the right one first, each once.
pub(super) struct Pool {
    choices: Vec<Choice>,
    /// What may come as well: it is not wrong.
    allowed: Vec<String>,
}

impl Pool {
    pub(super) fn new(right: String) -> Pool {
        Pool {
            choices: vec![Choice { words: right, right: true, misconception: None, claim: None }],
            allowed: Vec::new(),
        }
    }

    /// Linux may do this as well, so it is no wrong answer.
    pub(super) fn allow(&mut self, words: String) {
        self.allowed.push(words);
    }

    /// An answer that is wrong, unless it is there already.
    pub(super) fn add(&mut self, words: String) {
        self.push(words, None);
    }

    /// An answer that a misconception leads to.
    pub(super) fn mistaken(&mut self, words: String, misconception: Misconception) {
        self.push(words, Some(misconception));
    }

    fn push(&mut self, words: String, wrong: Option<Misconception>) {
        if self.choices.iter().all(|choice| choice.words != words) && !self.allowed.contains(&words) {
            let (misconception, claim) = (wrong.map(Misconception::word), wrong.map(Misconception::claim));
            self.choices.push(Choice { words, right: false, misconception, claim });
        }
    }

    /// Whether a misconception leads to one of them.
    pub(super) fn has_mistaken(&self) -> bool {
        self.choices.iter().any(|choice| choice.misconception.is_some())
    }

    /// The first so many, in an order that says nothing; nothing if there is no choice.
    pub(super) fn choices(self, most: usize, mut seed: u32) -> Option<Vec<Choice>> {
        let mut choices: Vec<Choice> = self.choices.into_iter().take(most).collect();
        for last in (1..choices.len()).rev() {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            choices.swap(last, (seed >> 16) as usize % (last + 1));
        }
        (choices.len() > 1).then_some(choices)
    }
}

/// What a reader reads, in words; a PID with the name of who has it.
pub(super) fn reading(scenario: &Scenario, step: &Step, seen: &Observation) -> String {
    match seen.outcome {
        Some(Outcome::Ok(number)) if is_of_process(step) => {
            let line = Line::new(scenario, 0, seen);
            let caller = line.processes.iter().find(|one| one.name == scenario.role_name(step.by));
            named(number, caller, &line)
        }
        Some(ref outcome) => told::outcome(scenario, outcome),
        None => "nothing".to_owned(),
    }
}

/// Whether the call gives the PID of a process.
fn is_of_process(step: &Step) -> bool {
    matches!(step.call.name(), CallName::Getpid | CallName::Gettid | CallName::Getppid)
}

/// `2: mid`, as a caller sees it.
fn named(number: i64, caller: Option<&ProcessLine>, line: &Line) -> String {
    if number == 0 {
        return "0: one that its namespace does not see".to_owned();
    }
    let space = caller.and_then(|caller| caller.namespaces.last());
    let who = line.processes.iter().find(|one| {
        let place = one.namespaces.iter().position(|other| Some(other) == space);
        place.is_some_and(|place| i64::from(one.pids[place]) == number)
    });
    match who {
        Some(who) if caller.is_some_and(|caller| caller.name == who.name) => number.to_string(),
        Some(who) => format!("{number}: {}", who.name),
        None => number.to_string(),
    }
}

/// Other numbers that a reader of PIDs might read: the caller's at other levels, those of others, and 0.
pub(super) fn other_readings(scenario: &Scenario, step: &Step, seen: &Observation) -> Vec<String> {
    let number = |outcome: i64| Outcome::Ok(outcome);
    let errors =
        words::calls().iter().find(|call| call.name == step.call.name().word()).map_or(&[][..], |call| call.errors);
    let errors = errors.iter().map(|(errno, _)| told::outcome(scenario, &Outcome::Err(*errno)));
    if !matches!(seen.outcome, Some(Outcome::Ok(_))) {
        return errors.collect();
    }
    let line = Line::new(scenario, 0, seen);
    let Some(caller) = line.processes.iter().find(|one| one.name == scenario.role_name(step.by)) else {
        return Vec::new();
    };
    let own = caller.pids.iter().rev().copied();
    let level = caller.namespaces.len() - 1;
    let others = line.processes.iter().filter(|one| one.namespaces.get(level) == caller.namespaces.last());
    let others = others.filter(|one| one.name != caller.name).map(|one| one.pids[level]);
    let parents = caller.parent.as_ref().and_then(|parent| line.processes.iter().find(|one| one.name == *parent));
    let parents = parents.into_iter().flat_map(|parent| parent.pids.iter().copied());
    let is_of_process = is_of_process(step);
    let numbers = if step.call.name() == CallName::Getppid {
        others.chain(parents).chain([0]).collect::<Vec<u32>>()
    } else {
        own.chain([1]).chain(others).chain([0]).collect()
    };
    let words = |one: u32| match is_of_process {
        true => named(i64::from(one), Some(caller), &line),
        false => told::outcome(scenario, &number(i64::from(one))),
    };
    numbers.into_iter().map(words).chain(errors).collect()
}

/// What a step gives and does, in words.
pub(super) fn outcome(scenario: &Scenario, seen: &Observation, before: &Line, after: &Line, spaces: &Spaces) -> String {
    let effects = effects(&changes::between(before, after, spaces), after);
    match gave(scenario, seen) {
        // Somebody was made, which is what the call was for.
        Some(gave) if effects.is_empty() && after.processes.len() > before.processes.len() => gave,
        gave => sentence(gave, &effects),
    }
}

/// What a call gave; nothing where it does not return, which is no news of an exit.
fn gave(scenario: &Scenario, seen: &Observation) -> Option<String> {
    seen.outcome.as_ref().filter(|outcome| **outcome != Outcome::Never).map(|outcome| told::outcome(scenario, outcome))
}

fn sentence(gave: Option<String>, effects: &[String]) -> String {
    let mut shown: Vec<String> = effects.iter().take(MOST_EFFECTS).cloned().collect();
    if effects.len() > shown.len() {
        shown.push(format!("and {} more", effects.len() - shown.len()));
    }
    match (gave, shown.is_empty()) {
        (Some(gave), true) => format!("{gave}; nothing changes"),
        (Some(gave), false) => format!("{gave}; {}", shown.join("; ")),
        (None, true) => "nothing changes".to_owned(),
        (None, false) => shown.join("; "),
    }
}

/// What became of everybody, each in a few words. Who is made is what the call was for, and numbers follow from parents.
fn effects(changes: &[Change], after: &Line) -> Vec<String> {
    let tells = |change: &&Change| match change.kind {
        ChangeKind::Sees => false,
        ChangeKind::Born => after.by.as_ref() != Some(&change.about) && after.call.as_deref() == Some("exec"),
        ChangeKind::State => !(change.words.starts_with("sleeps") && after.by.as_ref() == Some(&change.about)),
        _ => true,
    };
    let told = changes.iter().filter(tells);
    told.map(|change| format!("{} {}", change.about, short(&change.words))).collect()
}

fn short(words: &str) -> &str {
    // What a call returned is told whole, and what a handler was told.
    let is_whole = words.starts_with("returns ") || words.starts_with("has its handler run ");
    if is_whole { words } else { words.split([':', ';']).next().unwrap_or(words) }
}

/// Other things that might come of a step.
pub(super) fn other_outcomes(
    scenario: &Scenario,
    step: &Step,
    seen: &Observation,
    (before, after): (&Line, &Line),
    spaces: &Spaces,
    told: bool,
) -> Vec<String> {
    // Where a misconception has killed somebody already, it is not said twice.
    let kills = !told && may_kill(step);
    let gave = gave(scenario, seen);
    let changes = changes::between(before, after, spaces);
    let all = effects(&changes, after);
    let mut others = adopters(gave.as_ref(), &changes, after);
    // The same answer, and nothing of what follows; or a death where nothing happens.
    if !all.is_empty() {
        let own = |effect: &&String| after.by.as_ref().is_some_and(|by| effect.starts_with(&format!("{by} ")));
        let own: Vec<String> = all.iter().filter(own).cloned().collect();
        others.push(sentence(gave.clone(), &own));
        others.push(sentence(gave.clone(), &[]));
    }
    let errors =
        words::calls().iter().find(|call| call.name == step.call.name().word()).map_or(&[][..], |call| call.errors);
    let words = |outcome: &Outcome| Some(told::outcome(scenario, outcome));
    match seen.outcome {
        Some(Outcome::Err(_)) => others.push(sentence(words(&Outcome::Ok(0)), &[])),
        Some(Outcome::Ok(number)) if step.call.child().is_some() => {
            let numbers = [number + 1, 1, number - 1, 2].into_iter().filter(|other| *other > 0);
            let gave = numbers.map(|number| told::outcome(scenario, &Outcome::Ok(number)));
            others.extend(gave.map(|gave| if all.is_empty() { gave } else { sentence(Some(gave), &all) }));
        }
        Some(Outcome::Ok(_)) if all.is_empty() && kills => others.extend(victim(scenario, step, gave.clone(), before)),
        Some(Outcome::Waited { .. }) => {
            others.push(sentence(words(&Outcome::Blocks), &[]));
            others.push(sentence(words(&Outcome::Err(Errno::ECHILD)), &[]));
        }
        Some(Outcome::Blocks) => others.push(sentence(words(&Outcome::Ok(0)), &[])),
        _ => {}
    }
    others.extend(errors.iter().map(|(errno, _)| sentence(words(&Outcome::Err(*errno)), &[])));
    others
}

/// The same with other adopters: whoever else there is.
fn adopters(gave: Option<&String>, changes: &[Change], after: &Line) -> Vec<String> {
    let adopted: Vec<&Change> = changes.iter().filter(|change| change.kind == ChangeKind::Adopted).collect();
    let Some(first) = adopted.first() else { return Vec::new() };
    let orphan = after.processes.iter().find(|one| one.name == first.about);
    let adopter = orphan.and_then(|orphan| orphan.parent.clone()).unwrap_or_default();
    let lives = |one: &&ProcessLine| one.state != pidlab_scenario::State::Zombie && one.thread_of.is_none();
    let others = after.processes.iter().filter(lives).filter(|one| one.name != adopter && one.name != first.about);
    let effects = effects(changes, after);
    let with = |other: &ProcessLine| {
        let said =
            |effect: &String| effect.replace(&format!("adopted by {adopter}"), &format!("adopted by {}", other.name));
        sentence(gave.cloned(), &effects.iter().map(said).collect::<Vec<_>>())
    };
    others.map(with).collect()
}

fn may_kill(step: &Step) -> bool {
    matches!(
        step.call.name(),
        CallName::Kill
            | CallName::Tgkill
            | CallName::Tkill
            | CallName::PidfdSendSignal
            | CallName::Sigqueue
            | CallName::Reboot
    )
}

/// Where a signal does nothing: that it kills whoever it is for.
fn victim(scenario: &Scenario, step: &Step, gave: Option<String>, before: &Line) -> Option<String> {
    let caller = before.processes.iter().find(|one| one.name == scenario.role_name(step.by))?;
    let space = caller.namespaces.last()?;
    let has = |one: &ProcessLine, number: i32| {
        let place = one.namespaces.iter().position(|other| other == space);
        place.is_some_and(|place| i64::from(one.pids[place]) == i64::from(number))
    };
    let victim = step.call.arguments().into_iter().find_map(|(_, given)| match given {
        Given::Receiver(Target::Role(role)) | Given::Target(Target::Role(role)) | Given::Pidfd(role) => {
            before.processes.iter().find(|one| one.name == scenario.role_name(role))
        }
        Given::Receiver(Target::Number(number)) | Given::Target(Target::Number(number)) => {
            before.processes.iter().find(|one| has(one, number))
        }
        _ => None,
    })?;
    Some(sentence(gave, &[format!("{} has terminated", victim.name)]))
}
