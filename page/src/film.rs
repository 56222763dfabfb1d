//! A run as a film: what a page shows of each moment, ready to be shown.

use std::collections::{BTreeMap, BTreeSet};

use pidlab_scenario::words::calls;
use pidlab_scenario::{Facts, Line, Observation, Outcome, ProcessLine, Scenario, Step, told};
use pidlab_sim::rule::Kind;
use pidlab_sim::{Because, Rule};
use serde::Serialize;

use crate::changes::{self, Change};
use crate::picture::{self, Moment};
use crate::question::{Question, questions};
use crate::scene::Spaces;
use crate::{markdown, places, table};

/// One moment of a run: what was observed, and why, if anybody says so.
#[derive(Clone, Copy, Debug)]
pub struct Shot<'a> {
    /// How the world looked.
    pub observation: &'a Observation,
    /// The rules that decided. A kernel has none.
    pub because: &'a [Because],
}

/// A run, ready to be shown: its fields are the data of a page.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub struct Film {
    /// The scenario's name.
    pub name: String,
    /// What it claims.
    pub title: String,
    /// Why it matters, as HTML.
    pub about: String,
    /// Its file.
    pub text: String,
    /// For every step, where the file says what comes of it: from and to, in units of UTF-16.
    pub claims: Vec<Vec<(usize, usize)>>,
    /// Who made the run, in words.
    pub origin: String,
    /// What is wrong, or worth knowing before one looks.
    pub notices: Vec<String>,
    /// The start, and the world after each step.
    pub moments: Vec<Scene>,
    /// The rules that the moments name, by id.
    pub rules: BTreeMap<&'static str, RuleCard>,
}

/// What a page shows of one moment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub struct Scene {
    /// 0 is the start.
    pub step: usize,
    /// Who acted.
    pub by: String,
    /// The call, in words.
    pub call: String,
    /// What it gave, in words.
    pub result: String,
    /// `ok`, `fails`, `blocks` or `ends`.
    pub sort: &'static str,
    /// What the author asks here.
    pub ask: Option<String>,
    /// Where the step stands in the file: its first and its last line, counted from 0.
    pub lines: Option<(usize, usize)>,
    /// What the step changed.
    pub changes: Vec<Change>,
    /// The rules that decided, those that the scenario is about first.
    pub reasons: Vec<Reason>,
    /// The world, as SVG.
    pub picture: String,
    /// The world, as an HTML table.
    pub table: String,
    /// Who can be asked what it sees: each process, and the namespace that it lives in.
    pub eyes: Vec<(String, u16)>,
    /// For each namespace, what somebody in it is told of the processes that it sees.
    pub seen: Vec<(u16, Vec<Seen>)>,
    /// What is asked before the next step.
    pub questions: Vec<Question>,
}

/// What a process sees of another, as `ps` shows it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub struct Seen {
    /// Its PID in the namespace of who looks.
    pub pid: u32,
    /// Its parent's there, 0 if the parent is not seen.
    pub ppid: u32,
    /// What it is doing.
    pub state: String,
    /// Which it is.
    pub name: String,
}

/// A rule that decided in a step.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub struct Reason {
    /// Its id.
    pub rule: &'static str,
    /// About which processes.
    pub about: Vec<String>,
    /// Whether the scenario is about it.
    pub main: bool,
    /// Whether it is named for the first time.
    pub new: bool,
}

/// What is to be known of a rule.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub struct RuleCard {
    /// What is true, as a sentence.
    pub sentence: String,
    /// Where the kernel does it.
    pub kernel: &'static str,
    /// Where the manual says it.
    pub manual: Option<&'static str>,
    /// Where they differ, or another trap.
    pub note: Option<&'static str>,
}

impl Film {
    /// The film of a run: the start, and one shot a step, as far as it went. `text` is the scenario's file, `origin` who made the run.
    ///
    /// # Panics
    /// If a shot is of another scenario, or there are more of them than steps.
    pub fn new(scenario: &Scenario, text: &str, origin: &str, shots: &[Shot<'_>]) -> Film {
        let lines: Vec<Line> =
            shots.iter().enumerate().map(|(step, shot)| Line::new(scenario, step, shot.observation)).collect();
        let spaces = Spaces::of(&lines);
        let mut film = Film {
            name: scenario.name.clone(),
            title: scenario.title.clone(),
            about: markdown::html(&scenario.about),
            text: text.to_owned(),
            claims: places::claims(scenario, text),
            origin: origin.to_owned(),
            notices: Vec::new(),
            moments: Vec::new(),
            rules: BTreeMap::new(),
        };
        let mut cut = Cut { scenario, text, spaces, sleeping: BTreeMap::new(), known: BTreeSet::new() };
        for (index, shot) in shots.iter().enumerate() {
            let before = index.checked_sub(1).map(|index| &lines[index]);
            film.moments.push(cut.scene(&lines[index], before, shot));
            film.rules.extend(shot.because.iter().map(|because| (because.rule.id, RuleCard::of(because.rule))));
        }
        film
    }

    /// The same with the scenario's questions, to be answered before the step that decides them. What is right is what the model of a kernel
    /// with these facts says.
    #[must_use]
    pub fn asking(mut self, scenario: &Scenario, facts: &Facts) -> Film {
        self.ask(questions(scenario, facts));
        self
    }

    /// Puts questions where they belong.
    fn ask(&mut self, questions: Vec<(usize, Question)>) {
        for (moment, question) in questions {
            if let Some(scene) = self.moments.get_mut(moment) {
                scene.questions.push(question);
            }
        }
    }

    /// The film as JSON, for a page.
    ///
    /// # Panics
    /// Never: it is strings and numbers.
    pub fn json(&self) -> String {
        serde_json::to_string(self).expect("a film is strings and numbers")
    }
}

/// The picture of one moment of a run, as an SVG file; 0 is the start. Nothing if the run has no such moment.
///
/// # Panics
/// If an observation is of another scenario.
pub fn svg(scenario: &Scenario, observations: &[&Observation], step: usize) -> Option<String> {
    let lines: Vec<Line> =
        observations.iter().enumerate().map(|(step, seen)| Line::new(scenario, step, seen)).collect();
    let line = lines.get(step)?;
    let mut sleeping = BTreeMap::new();
    lines[..=step].iter().for_each(|line| sleep(&mut sleeping, line));
    let spaces = Spaces::of(&lines);
    let before = step.checked_sub(1).map(|index| &lines[index]);
    let title = match step.checked_sub(1) {
        Some(index) => format!("After step {step}, {}", deed(scenario, &scenario.steps[index])),
        None => "At the start".to_owned(),
    };
    Some(picture::draw(&Moment { line, before, spaces: &spaces, sleeping: &sleeping }, &title, true) + "\n")
}

/// `mid: exit(0)`.
fn deed(scenario: &Scenario, step: &Step) -> String {
    format!("{}: {}", scenario.role_name(step.by), told::call(scenario, &step.call))
}

/// Keeps in mind who sleeps in which call.
fn sleep(sleeping: &mut BTreeMap<String, String>, line: &Line) {
    for returned in &line.returned {
        sleeping.remove(&returned.by);
    }
    let blocks = line.result.as_ref().is_some_and(|result| result.blocks == Some(true));
    if let (true, Some(by), Some(call)) = (blocks, &line.by, &line.call) {
        sleeping.insert(by.clone(), call.clone());
    }
}

/// What is known from the moments before.
struct Cut<'a> {
    scenario: &'a Scenario,
    text: &'a str,
    spaces: Spaces,
    sleeping: BTreeMap<String, String>,
    known: BTreeSet<&'static str>,
}

impl Cut<'_> {
    fn scene(&mut self, line: &Line, before: Option<&Line>, shot: &Shot<'_>) -> Scene {
        sleep(&mut self.sleeping, line);
        let step = line.step.checked_sub(1).map(|index| &self.scenario.steps[index]);
        let outcome = shot.observation.outcome.as_ref();
        let moment = Moment { line, before, spaces: &self.spaces, sleeping: &self.sleeping };
        let title = match step {
            Some(step) => format!("After step {}, {}", line.step, deed(self.scenario, step)),
            None => "At the start".to_owned(),
        };
        Scene {
            step: line.step,
            by: line.by.clone().unwrap_or_default(),
            call: step.map(|step| told::call(self.scenario, &step.call)).unwrap_or_default(),
            result: outcome.map(|outcome| told::outcome(self.scenario, outcome)).unwrap_or_default(),
            sort: outcome.map_or("ok", sort),
            ask: step.and_then(|step| step.ask.clone()),
            lines: step.and_then(|step| self.lines(step)),
            changes: before.map(|before| changes::between(before, line, &self.spaces)).unwrap_or_default(),
            picture: picture::draw(&moment, &title, false),
            table: table::html(&moment, &title),
            eyes: line.processes.iter().filter_map(|one| Some((one.name.clone(), *one.namespaces.last()?))).collect(),
            seen: seen(line),
            reasons: self.reasons(shot.because),
            questions: Vec::new(),
        }
    }

    fn lines(&self, step: &Step) -> Option<(usize, usize)> {
        let newlines = |end: usize| self.text.get(..end).map(|text| text.matches('\n').count());
        if step.span.is_empty() { None } else { Some((newlines(step.span.start)?, newlines(step.span.end - 1)?)) }
    }

    /// The rules of a step, each once: first those that the scenario is about, last what comes with every birth, and what only describes.
    fn reasons(&mut self, because: &[Because]) -> Vec<Reason> {
        let mut reasons: Vec<(&'static Rule, Reason)> = Vec::new();
        for Because { rule, about, .. } in because {
            let about = self.scenario.role_name(*about).to_owned();
            match reasons.iter_mut().find(|(known, _)| known.id == rule.id) {
                Some((_, reason)) if reason.about.contains(&about) => {}
                Some((_, reason)) => reason.about.push(about),
                None => {
                    let main = self.scenario.rules.iter().any(|id| id == rule.id);
                    let new = self.known.insert(rule.id);
                    reasons.push((rule, Reason { rule: rule.id, about: vec![about], main, new }));
                }
            }
        }
        // How PIDs are given out is decided at every birth, and is seldom what a step is about.
        let is_routine = |rule: &Rule| rule.id.starts_with("alloc.");
        reasons.sort_by_key(|(rule, reason)| (!reason.main, is_routine(rule), rule.kind == Kind::Describes));
        reasons.into_iter().map(|(_, reason)| reason).collect()
    }
}

/// What is seen from where somebody lives.
fn seen(line: &Line) -> Vec<(u16, Vec<Seen>)> {
    let homes: BTreeSet<u16> = line.processes.iter().filter_map(|process| process.namespaces.last().copied()).collect();
    let number = |process: &ProcessLine, space: u16| {
        let place = process.namespaces.iter().position(|one| *one == space)?;
        process.pids.get(place).copied()
    };
    let from = |space: u16| {
        let one = |process: &ProcessLine| {
            let parent = process.parent.as_ref().and_then(|name| line.processes.iter().find(|one| one.name == *name));
            let ppid = parent.and_then(|parent| number(parent, space)).unwrap_or(0);
            Some(Seen {
                pid: number(process, space)?,
                ppid,
                state: process.state.to_string(),
                name: process.name.clone(),
            })
        };
        // ps lists processes; a thread is none.
        let mut seen: Vec<Seen> = line.processes.iter().filter(|one| one.thread_of.is_none()).filter_map(one).collect();
        seen.sort_by_key(|seen| seen.pid);
        seen
    };
    homes.into_iter().map(|space| (space, from(space))).collect()
}

fn sort(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Err(_) => "fails",
        Outcome::Blocks => "blocks",
        Outcome::Never => "ends",
        _ => "ok",
    }
}

/// With a capital and a full stop; what begins with the name of a call keeps it as it is written.
fn sentence(words: &str) -> String {
    let first = words.split([' ', '(']).next().unwrap_or_default();
    let is_name = first.contains('_') || first == "ptrace" || calls().iter().any(|call| call.name == first);
    let mut letters = words.chars();
    match letters.next() {
        Some(letter) if !is_name => format!("{}{}.", letter.to_uppercase(), letters.as_str()),
        _ => format!("{words}."),
    }
}

impl RuleCard {
    fn of(rule: &Rule) -> RuleCard {
        RuleCard { sentence: sentence(rule.sentence), kernel: rule.kernel, manual: rule.manual, note: rule.note }
    }
}
