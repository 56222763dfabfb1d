//! Holding a run of the kernel against the model, step by step.
//!
//! Linux leaves some outcomes open, and the kernel shows one of them. The model is asked whether that one is allowed, and answers yes,
//! no or not decided. No is a [`Problem::Difference`], and the comparison ends there, since from then on the two worlds are not the same;
//! so it does where it was not decided, which is neither agreement nor a difference. After a yes the model goes on from that outcome only.

use std::collections::BTreeSet;

use pidlab_scenario::{Expect, Observation, Outcome, Refused, ReturnValue, Role, Run, Scenario};
use pidlab_sim::{Answer, Because, Judgement, Model, rule};

/// What came of one scenario.
#[derive(Debug)]
pub struct Verdict {
    /// The start and every step that both machines (or the only one that ran) took.
    pub steps: Vec<Compared>,
    /// What is wrong, in the order in which it was met.
    pub problems: Vec<Problem>,
    /// The step that could not be taken, where the machines agree that it could not: a mistake of the scenario.
    pub mistake: Option<Refused>,
    /// Ids of the rules that the model fired.
    pub fired: BTreeSet<&'static str>,
    /// How many steps were compared between model and kernel.
    pub compared: usize,
}

/// One observation, from whoever made it.
#[derive(Debug)]
pub struct Compared {
    /// The model's answer; where Linux leaves a choice, the one that the kernel took.
    pub model: Option<Answer>,
    /// The kernel's.
    pub kernel: Option<Observation>,
}

impl Compared {
    /// The observation to show: the kernel's if there is one, for the kernel is the judge.
    pub fn observation(&self) -> &Observation {
        match (&self.kernel, &self.model) {
            (Some(kernel), _) => kernel,
            (None, Some(model)) => &model.observation,
            (None, None) => unreachable!("a compared step was observed by at least one machine"),
        }
    }

    /// The rules that decided, in order; none without the model.
    pub fn because(&self) -> &[Because] {
        self.model.as_ref().map_or(&[], |answer| &answer.because)
    }
}

/// One of the two machines.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// The model.
    Model,
    /// The kernel.
    Kernel,
}

impl Side {
    /// Its word: `model` or `kernel`.
    pub const fn word(self) -> &'static str {
        match self {
            Side::Model => "model",
            Side::Kernel => "kernel",
        }
    }
}

/// Something that a run shows to be wrong: with the model, the kernel, or the scenario's claim.
#[derive(Debug)]
pub enum Problem {
    /// The kernel's observation is not among those that the model allows.
    Difference {
        /// After which step; 0 is the start.
        step: usize,
        /// What the model allows, the most expected first.
        allowed: Vec<Answer>,
        /// What the kernel did.
        kernel: Observation,
    },
    /// Whether the kernel's observation is among those that the model allows was not found out: there are too many orders of events.
    NotDecided {
        /// After which step.
        step: usize,
        /// How many worlds were looked at.
        worlds: usize,
    },
    /// One machine took a step that the other could not take.
    OneRefused {
        /// The machine that could not.
        side: Side,
        /// The step, and why.
        refused: Refused,
    },
    /// The scenario's author expects something else.
    Expectation {
        /// At which step.
        step: usize,
        /// Of which machine.
        side: Side,
        /// What is expected.
        expected: Expect,
        /// The number that an expected process has, where a process is expected.
        number: Option<i64>,
        /// What came instead.
        got: Outcome,
    },
    /// The scenario says that it shows this rule, and the model never fired it.
    RuleNotShown {
        /// The rule's id.
        rule: String,
    },
}

impl Problem {
    /// Whether this is a difference between the two machines, and not one between the scenario and a machine.
    pub fn is_difference(&self) -> bool {
        matches!(self, Problem::Difference { .. } | Problem::OneRefused { .. })
    }
}

/// Runs the scenario on the model, held against the kernel's run where there is one.
pub fn with_model(model: &mut Model, scenario: &Scenario, kernel: Option<&Run>) -> Verdict {
    with_model_while(model, scenario, kernel, || true).unwrap_or_else(|| unreachable!("nobody gives it up"))
}

/// The same, for as long as `go_on` holds, which is asked before each step; nothing once it does not.
pub(crate) fn with_model_while(
    model: &mut Model,
    scenario: &Scenario,
    kernel: Option<&Run>,
    go_on: impl Fn() -> bool,
) -> Option<Verdict> {
    let mut verdict = Verdict::new();
    verdict.start(model.start(scenario), kernel);
    for (index, step) in scenario.steps.iter().enumerate() {
        if !go_on() {
            return None;
        }
        let number = index + 1;
        if !verdict.problems.is_empty() || verdict.mistake.is_some() {
            break;
        }
        match kernel {
            None => match model.step(scenario, step) {
                Ok(answer) => verdict.push(answer, None),
                Err(why) => verdict.mistake = Some(Refused { step: number, why }),
            },
            Some(run) => verdict.hold(model, scenario, number, run),
        }
    }
    verdict.check_expectations(scenario);
    if verdict.problems.is_empty() && verdict.mistake.is_none() {
        verdict.check_rules(scenario);
    }
    Some(verdict)
}

/// The verdict on a run of the kernel alone: the expectations of the scenario's author.
pub fn kernel_only(scenario: &Scenario, run: Run) -> Verdict {
    let mut verdict = Verdict::new();
    verdict.steps = run.observations.into_iter().map(|seen| Compared { model: None, kernel: Some(seen) }).collect();
    verdict.mistake = run.refused;
    verdict.check_expectations(scenario);
    verdict
}

/// The ids among the scenario's `rules` that are not in the catalogue.
pub fn unknown_rules(scenario: &Scenario) -> Vec<&str> {
    scenario.rules.iter().map(String::as_str).filter(|id| rule::find(id).is_none()).collect()
}

impl Verdict {
    fn new() -> Verdict {
        Verdict { steps: Vec::new(), problems: Vec::new(), mistake: None, fired: BTreeSet::new(), compared: 0 }
    }

    /// Whether nothing is wrong but that the search for some outcome was given up.
    pub fn is_not_decided(&self) -> bool {
        let given_up = |problem: &Problem| matches!(problem, Problem::NotDecided { .. });
        !self.problems.is_empty() && self.problems.iter().all(given_up)
    }

    /// Whether the machines that ran agree with one another and with the scenario.
    pub fn agrees(&self) -> bool {
        self.problems.is_empty() && self.mistake.is_none()
    }

    /// Takes the two starts in.
    fn start(&mut self, answer: Answer, kernel: Option<&Run>) {
        let seen = kernel.and_then(|run| run.observations.first());
        if let Some(seen) = seen.filter(|seen| **seen != answer.observation) {
            let problem = Problem::Difference { step: 0, allowed: vec![answer.clone()], kernel: seen.clone() };
            self.problems.push(problem);
        }
        self.push(answer, seen.cloned());
    }

    /// Holds what the kernel did in a step, or that it did not take it, against the model.
    fn hold(&mut self, model: &mut Model, scenario: &Scenario, number: usize, run: &Run) {
        let step = &scenario.steps[number - 1];
        let Some(seen) = run.observations.get(number) else {
            let Some(refused) = run.refused.as_ref().filter(|refused| refused.step == number) else {
                unreachable!("a run observes every step up to the one that it refuses");
            };
            match model.step(scenario, step) {
                Err(why) if why == refused.why => self.mistake = Some(refused.clone()),
                Err(why) => self.one_refused(Side::Model, Refused { step: number, why }),
                Ok(_) => self.one_refused(Side::Kernel, refused.clone()),
            }
            return;
        };
        match model.judge(scenario, step, seen) {
            Ok(Judgement::Agrees(answer)) => {
                self.push(answer, Some(seen.clone()));
                self.compared += 1;
            }
            Ok(Judgement::Differs(outcomes)) => {
                let first = outcomes.answers.first().cloned();
                self.problems.push(Problem::Difference {
                    step: number,
                    allowed: outcomes.answers,
                    kernel: seen.clone(),
                });
                if let Some(first) = first {
                    self.push(first, Some(seen.clone()));
                }
            }
            Ok(Judgement::NotDecided { worlds }) => self.problems.push(Problem::NotDecided { step: number, worlds }),
            Err(why) => self.one_refused(Side::Model, Refused { step: number, why }),
        }
    }

    /// What one machine runs the other should know, unless it is something that only one of them must not do.
    fn one_refused(&mut self, side: Side, refused: Refused) {
        if refused.why.is_of_one_machine() {
            self.mistake = Some(refused);
        } else {
            self.problems.push(Problem::OneRefused { side, refused });
        }
    }

    fn push(&mut self, answer: Answer, kernel: Option<Observation>) {
        self.fired.extend(answer.because.iter().map(|because| because.rule.id));
        self.steps.push(Compared { model: Some(answer), kernel });
    }

    fn check_expectations(&mut self, scenario: &Scenario) {
        let mut found = Vec::new();
        for (index, step) in scenario.steps.iter().enumerate() {
            let (Some(expected), Some(compared)) = (step.expect, self.steps.get(index + 1)) else { continue };
            let number = self.expected_number(index, step.by, expected);
            let sides = [
                (Side::Kernel, compared.kernel.as_ref()),
                (Side::Model, compared.model.as_ref().map(|answer| &answer.observation)),
            ];
            for (side, observation) in sides {
                let Some(got) = observation.and_then(|observation| observation.outcome.as_ref()) else { continue };
                if !fits(expected, number, got) {
                    let got = got.clone();
                    found.push(Problem::Expectation { step: index + 1, side, expected, number, got });
                }
            }
        }
        self.problems.extend(found);
    }

    /// The number that an expected process has, or last had, where the caller looks.
    fn expected_number(&self, index: usize, by: Role, expected: Expect) -> Option<i64> {
        match expected {
            Expect::Returns(ReturnValue::Number(number)) => Some(number),
            Expect::Returns(ReturnValue::Role(role)) => {
                let last_seen = |role| {
                    let until = (index + 1).min(self.steps.len() - 1);
                    (0..=until).rev().find_map(|step| self.steps[step].observation().process(role))
                };
                let level = last_seen(by)?.pids.len() - 1;
                last_seen(role)?.pids.get(level).map(|number| i64::from(*number))
            }
            Expect::Fails(_) | Expect::Blocks => None,
        }
    }

    fn check_rules(&mut self, scenario: &Scenario) {
        for id in &scenario.rules {
            if !self.fired.contains(id.as_str()) && self.steps.iter().any(|step| step.model.is_some()) {
                self.problems.push(Problem::RuleNotShown { rule: id.clone() });
            }
        }
    }
}

/// Whether an outcome is what was expected.
fn fits(expected: Expect, number: Option<i64>, got: &Outcome) -> bool {
    match (expected, got) {
        (Expect::Returns(_), Outcome::Ok(got) | Outcome::Waited { number: got, .. }) => number == Some(*got),
        // What these give beside the number is compared between the machines.
        (Expect::Returns(_), Outcome::Pending(_) | Outcome::Seen(_)) => number == Some(0),
        (Expect::Returns(_), Outcome::Polled(events)) => number == Some(i64::from(!events.is_empty())),
        (Expect::Fails(errno), Outcome::Err(got)) => errno == *got,
        (Expect::Blocks, Outcome::Blocks) => true,
        _ => false,
    }
}
