//! Holding a run of the kernel against the model, step by step.
//!
//! Linux leaves some outcomes open, and the kernel shows one of them. The model is asked whether that one is allowed, and answers yes,
//! no or not decided. No is a [`Problem::Difference`], and the comparison ends there, since from then on the two worlds are not the same;
//! so it does where it was not decided, which is neither agreement nor a difference. After a yes the model goes on from that outcome only.

use std::collections::BTreeSet;

use pidlab_scenario::{Observation, Refused, Run, Scenario, Step};
use pidlab_sim::{Answer, Because, Judgement, Model, rule};

use crate::claims::{self, FailedClaim, Looked, Whose};

/// What came of one scenario.
#[derive(Debug)]
#[non_exhaustive]
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
#[non_exhaustive]
pub struct Compared {
    /// The model's answer; where Linux leaves a choice, the one that the kernel took.
    pub model: Option<Answer>,
    /// The kernel's.
    pub kernel: Option<Observation>,
    /// What the model allows as well, where the step claims something that must hold whatever Linux chooses.
    pub others: Others,
}

/// Outcomes of a step that are allowed, and did not come.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Others {
    /// How the world would look.
    pub observations: Vec<Observation>,
    /// Whether these are all.
    pub complete: bool,
}

/// So many outcomes of a step are looked at.
const MOST_OUTCOMES: usize = 64;

impl Others {
    /// None.
    pub(crate) fn none() -> Others {
        Others { observations: Vec::new(), complete: true }
    }

    /// Every outcome that the model allows for a step that it is about to take, if the step claims something.
    fn before(model: &Model, step: &Step) -> Others {
        if step.claimed().next().is_none() {
            return Others::none();
        }
        match model.outcomes(step, MOST_OUTCOMES) {
            Ok(outcomes) => Others {
                complete: outcomes.complete,
                observations: outcomes.answers.into_iter().map(|answer| answer.observation).collect(),
            },
            Err(_) => Others::none(),
        }
    }

    /// The same without the outcome that came.
    fn but(mut self, came: &Observation) -> Others {
        self.observations.retain(|observation| observation != came);
        self
    }
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

    /// What the claims of the step must hold on.
    fn looked(&self) -> Looked<'_> {
        let kernel = self.kernel.as_ref().map(|observation| (Whose::Kernel, observation));
        let model = self.model.as_ref().map(|answer| (Whose::Model, &answer.observation));
        let others = self.others.observations.iter().map(|observation| (Whose::Allowed, observation));
        Looked { observations: kernel.into_iter().chain(model).chain(others).collect(), complete: self.others.complete }
    }

    /// The rules that decided, in order; none without the model.
    pub fn because(&self) -> &[Because] {
        self.model.as_ref().map_or(&[], |answer| &answer.because)
    }
}

/// One of the two machines.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
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
#[non_exhaustive]
pub enum Problem {
    /// The kernel's observation is not among those that the model allows.
    Difference {
        /// After which step; 0 is the start.
        step: usize,
        /// What the model allows, the most expected first.
        allowed: Vec<Answer>,
        /// Whether these are all: else they are those that were found soon.
        complete: bool,
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
    /// A claim of the scenario's author is false.
    ClaimFailed(FailedClaim),
    /// The scenario says that it shows this rule, and the model never fired it.
    RuleNotShown {
        /// The rule's id.
        rule: String,
        /// Ids of the rules that were fired and begin as it does.
        instead: Vec<&'static str>,
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
        let others = Others::before(model, step);
        match kernel {
            None => match model.step(scenario, step) {
                Ok(answer) => {
                    let others = others.but(&answer.observation);
                    verdict.push(answer, None, others);
                }
                Err(why) => verdict.mistake = Some(Refused { step: number, why }),
            },
            Some(run) => verdict.hold(model, scenario, (number, others), run),
        }
    }
    let is_whole = verdict.agrees();
    verdict.check_claims(scenario);
    if is_whole {
        verdict.check_rules(scenario);
    }
    Some(verdict)
}

/// The verdict on a run of the kernel alone: the claims of the scenario's author.
pub fn kernel_only(scenario: &Scenario, run: Run) -> Verdict {
    let mut verdict = Verdict::new();
    let compared = |seen| Compared { model: None, kernel: Some(seen), others: Others::none() };
    verdict.steps = run.observations.into_iter().map(compared).collect();
    verdict.mistake = run.refused;
    verdict.check_claims(scenario);
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

    /// Whether nothing is wrong but what the scenario's author says: the machines that ran agree with one another.
    pub fn is_claim_failed(&self) -> bool {
        let wrong = |problem: &Problem| matches!(problem, Problem::ClaimFailed(_) | Problem::RuleNotShown { .. });
        !self.problems.is_empty() && self.problems.iter().all(wrong)
    }

    /// The claims that failed.
    pub fn failed_claims(&self) -> impl Iterator<Item = &FailedClaim> {
        self.problems.iter().filter_map(|problem| match problem {
            Problem::ClaimFailed(failed) => Some(failed),
            _ => None,
        })
    }

    /// Whether the machines that ran agree with one another and with the scenario.
    pub fn agrees(&self) -> bool {
        self.problems.is_empty() && self.mistake.is_none()
    }

    /// Takes the two starts in.
    fn start(&mut self, answer: Answer, kernel: Option<&Run>) {
        let seen = kernel.and_then(|run| run.observations.first());
        if let Some(seen) = seen.filter(|seen| **seen != answer.observation) {
            let problem =
                Problem::Difference { step: 0, allowed: vec![answer.clone()], complete: true, kernel: seen.clone() };
            self.problems.push(problem);
        }
        self.push(answer, seen.cloned(), Others::none());
    }

    /// Holds what the kernel did in a step, or that it did not take it, against the model.
    fn hold(&mut self, model: &mut Model, scenario: &Scenario, (number, others): (usize, Others), run: &Run) {
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
                self.push(answer, Some(seen.clone()), others.but(seen));
                self.compared += 1;
            }
            Ok(Judgement::Differs(outcomes)) => {
                let first = outcomes.answers.first().cloned();
                self.problems.push(Problem::Difference {
                    step: number,
                    allowed: outcomes.answers,
                    complete: outcomes.complete,
                    kernel: seen.clone(),
                });
                if let Some(first) = first {
                    self.push(first, Some(seen.clone()), Others::none());
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

    fn push(&mut self, answer: Answer, kernel: Option<Observation>, others: Others) {
        self.fired.extend(answer.because.iter().map(|because| because.rule.id));
        self.steps.push(Compared { model: Some(answer), kernel, others });
    }

    fn check_claims(&mut self, scenario: &Scenario) {
        let failed = claims::failed(scenario, self.steps.iter().map(Compared::looked));
        self.problems.extend(failed.into_iter().map(Problem::ClaimFailed));
    }

    fn check_rules(&mut self, scenario: &Scenario) {
        for id in &scenario.rules {
            if !self.fired.contains(id.as_str()) && self.steps.iter().any(|step| step.model.is_some()) {
                let family = id.split_inclusive('.').next().unwrap_or(id);
                let instead = self.fired.iter().copied().filter(|fired| fired.starts_with(family)).collect();
                self.problems.push(Problem::RuleNotShown { rule: id.clone(), instead });
            }
        }
    }
}
