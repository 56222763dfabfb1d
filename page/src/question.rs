//! What is asked before it is shown.
//!
//! A scenario's author asks at a step. Where that step only reads (`getppid`, `look`), the picture of the moment before would already give
//! the answer away; so the question stands before the step that *causes* it: the last one after which the reader would have read
//! something else. The answers to choose from are made by the model: what is so, what would be so if this or that misconception were
//! true, what was so before, and what else the call can give.

mod answers;

use std::ops::RangeInclusive;

use pidlab_scenario::{Call, CallName, Facts, Line, Observation, Scenario, Step, told};
use pidlab_sim::{Answer, Misconception, Model};
use serde::Serialize;

use crate::scene::Spaces;
use answers::Pool;

/// A question about a step that has not been shown yet.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub struct Question {
    /// In the author's words.
    pub text: String,
    /// The step that decides it, which is the next one.
    pub step: usize,
    /// That step, in words: `mid: exit(0)`.
    pub deed: String,
    /// Where it is another: the step at which the answer is read, in words.
    pub read: Option<String>,
    /// The steps that come until then, in words: first the one that decides, last the one that the question is about.
    pub ahead: Vec<String>,
    /// What to choose from; exactly one is right.
    pub choices: Vec<Choice>,
    /// The rule at stake.
    pub rule: Option<&'static str>,
}

/// An answer to choose.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub struct Choice {
    /// In words.
    pub words: String,
    /// Whether it is so.
    pub right: bool,
    /// The misconception that leads to it, if one does.
    pub misconception: Option<&'static str>,
    /// What that misconception says.
    pub claim: Option<&'static str>,
}

/// More steps than these are not rehearsed.
const MOST_STEPS: usize = 200;

/// So many outcomes that Linux may choose are looked at.
const MOST_ALLOWED: usize = 16;

/// So many answers there are to choose from.
const MOST_CHOICES: usize = 4;

/// The questions of a scenario, each with the moment at which it stands: so many steps have been taken. Where its author asks for
/// something that was so from the start, and that a picture shows, there is none.
pub fn questions(scenario: &Scenario, facts: &Facts) -> Vec<(usize, Question)> {
    let asked = scenario.steps.iter().filter(|step| step.ask.is_some()).count();
    if asked == 0 || scenario.steps.len() > MOST_STEPS {
        return Vec::new();
    }
    let truth = Rehearsal::new(scenario, Model::new(facts.clone()));
    let wrong: Vec<(Misconception, Rehearsal<'_>)> = Misconception::ALL
        .iter()
        .map(|wrong| (*wrong, Rehearsal::mistaken(scenario, Model::misconceived(facts.clone(), *wrong))))
        .collect();
    let steps = scenario.steps.iter().enumerate().take(truth.answers.len() - 1);
    steps.filter_map(|(index, step)| truth.question(&wrong, index, step)).collect()
}

/// A whole run, with the model as it was before every step.
struct Rehearsal<'a> {
    scenario: &'a Scenario,
    before: Vec<Model>,
    /// The start, then one a step.
    answers: Vec<Answer>,
    spaces: Spaces,
}

impl<'a> Rehearsal<'a> {
    fn new(scenario: &'a Scenario, model: Model) -> Rehearsal<'a> {
        Rehearsal::of(scenario, model, true)
    }

    /// Of which only the answers matter.
    fn mistaken(scenario: &'a Scenario, model: Model) -> Rehearsal<'a> {
        Rehearsal::of(scenario, model, false)
    }

    fn of(scenario: &'a Scenario, mut model: Model, keeps: bool) -> Rehearsal<'a> {
        let (mut before, mut answers) = (Vec::new(), vec![model.start(scenario)]);
        for step in &scenario.steps {
            if keeps {
                before.push(model.clone());
            }
            match model.step(scenario, step) {
                Ok(answer) => answers.push(answer),
                Err(_) => break,
            }
        }
        let lines: Vec<Line> =
            answers.iter().enumerate().map(|(step, answer)| Line::new(scenario, step, &answer.observation)).collect();
        Rehearsal { scenario, before, spaces: Spaces::of(&lines), answers }
    }

    fn line(&self, step: usize) -> Line {
        Line::new(self.scenario, step, &self.answers[step].observation)
    }

    /// What a step would give if it were taken so early.
    fn read(&self, early: usize, step: &Step) -> Option<Observation> {
        self.before.get(early)?.clone().step(self.scenario, step).ok().map(|answer| answer.observation)
    }

    /// The first step before which a reader would read what it reads in its own place, and before every step from there on.
    fn cause(&self, index: usize, step: &Step) -> usize {
        let outcome = &self.answers[index + 1].observation.outcome;
        let same = |early: &usize| self.read(*early, step).is_some_and(|seen| seen.outcome == *outcome);
        (0..index).rev().take_while(same).last().unwrap_or(index)
    }

    fn question(
        &self,
        wrong: &[(Misconception, Rehearsal<'_>)],
        index: usize,
        step: &Step,
    ) -> Option<(usize, Question)> {
        let text = step.ask.clone()?;
        let deed =
            |step: &Step| format!("{}: {}", self.scenario.role_name(step.by), told::call(self.scenario, &step.call));
        let reads = is_reading(&step.call);
        let cause = if reads { self.cause(index, step) } else { index };
        if reads && cause == 0 && is_in_picture(&step.call) {
            return None;
        }
        // What else was so from the beginning is asked in its own place.
        let stands = if reads && cause > 0 { cause - 1 } else { index };
        let pool = if reads { self.readings(wrong, index, stands, step) } else { self.outcomes(wrong, index, step) };
        let seed = self
            .scenario
            .name
            .bytes()
            .chain([0])
            .fold(index as u32, |seed, byte| seed.wrapping_mul(31).wrapping_add(u32::from(byte)));
        let choices = pool.choices(MOST_CHOICES, seed)?;
        // Where the reader could have read before, what made the answer another is at stake; else what the reading itself gives.
        let decides = if reads && self.read(stands, step).is_some() { stands } else { index };
        let rule = self.rule_at_stake(&choices, decides, stands..=index);
        let read = (stands != index).then(|| deed(step));
        let ahead: Vec<String> = self.scenario.steps[stands..=index].iter().map(deed).collect();
        Some((stands, Question { text, step: stands + 1, deed: ahead[0].clone(), read, ahead, choices, rule }))
    }

    /// The rule that decides a question: of those that fire from the step before which it stands to the one that it is about, first one
    /// that an answer to choose from would break, then one that the scenario is about, those of the step that decides before others.
    fn rule_at_stake(&self, choices: &[Choice], decides: usize, steps: RangeInclusive<usize>) -> Option<&'static str> {
        let here = self.answers[decides + 1].because.iter();
        let fired = || here.clone().chain(steps.clone().flat_map(|step| &self.answers[step + 1].because));
        let wrong = || choices.iter().filter_map(|choice| Misconception::from_word(choice.misconception?));
        let broken = fired().find(|because| wrong().any(|wrong| wrong.rule().id == because.rule.id));
        let named = || fired().find(|because| self.scenario.rules.iter().any(|id| id == because.rule.id));
        broken.or_else(named).or_else(|| fired().next()).map(|because| because.rule.id)
    }

    /// What a reader may read.
    fn readings(&self, wrong: &[(Misconception, Rehearsal<'_>)], index: usize, stands: usize, step: &Step) -> Pool {
        let words = |run: &Rehearsal<'_>, seen: &Observation| answers::reading(run.scenario, step, seen);
        let seen = &self.answers[index + 1].observation;
        let mut pool = Pool::new(words(self, seen));
        for (misconception, run) in wrong {
            if let Some(answer) = run.answers.get(index + 1) {
                pool.mistaken(words(run, &answer.observation), *misconception);
            }
        }
        if let Some(before) = self.read(stands, step) {
            pool.add(words(self, &before));
        }
        (0..stands).rev().filter_map(|early| self.read(early, step)).for_each(|seen| pool.add(words(self, &seen)));
        answers::other_readings(self.scenario, step, seen).into_iter().for_each(|words| pool.add(words));
        pool
    }

    /// What may come of a step.
    fn outcomes(&self, wrong: &[(Misconception, Rehearsal<'_>)], index: usize, step: &Step) -> Pool {
        let whole = |run: &Rehearsal<'_>| {
            let (before, after) = (run.line(index), run.line(index + 1));
            answers::outcome(run.scenario, &run.answers[index + 1].observation, &before, &after, &run.spaces)
        };
        let mut pool = Pool::new(whole(self));
        let before = self.line(index);
        for allowed in self.before[index].outcomes(step, MOST_ALLOWED).into_iter().flat_map(|outcomes| outcomes.answers)
        {
            let after = Line::new(self.scenario, index + 1, &allowed.observation);
            pool.allow(answers::outcome(self.scenario, &allowed.observation, &before, &after, &self.spaces));
        }
        for (misconception, run) in wrong {
            let is_same_so_far = || run.answers[index].observation == self.answers[index].observation;
            if run.answers.len() > index + 1 && is_same_so_far() {
                pool.mistaken(whole(run), *misconception);
            }
        }
        let after = self.line(index + 1);
        let seen = &self.answers[index + 1].observation;
        answers::other_outcomes(self.scenario, step, seen, (&before, &after), &self.spaces, pool.has_mistaken())
            .into_iter()
            .for_each(|words| pool.add(words));
        pool
    }
}

/// Whether a call only reads: taken at any moment, it changes nothing.
fn is_reading(call: &Call) -> bool {
    matches!(
        call.name(),
        CallName::Getpid
            | CallName::Gettid
            | CallName::Getppid
            | CallName::Getpgid
            | CallName::Getsid
            | CallName::GetPdeathsig
            | CallName::GetChildSubreaper
            | CallName::Look
            | CallName::Sigpending
            | CallName::PidfdPoll
    )
}

/// Whether what a call reads stands in every picture.
fn is_in_picture(call: &Call) -> bool {
    let name = call.name();
    matches!(name, CallName::Getpid | CallName::Gettid | CallName::Getppid | CallName::Getpgid | CallName::Getsid)
}
