//! What a scenario's author claims, held against everything that can come: the kernel's observation, the model's, and each outcome
//! that the model allows beside.
//!
//! A failed claim is told once, with what came in its place, as a claim that could be pasted over it.

use serde::Serialize;

use crate::{Claim, Diagnostic, Numbers, Observation, Place, Scenario, Written, told};

/// A claim that is false somewhere.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct FailedClaim {
    /// Of which step.
    pub step: usize,
    /// What is claimed.
    pub claim: Claim,
    /// Where it is false, and what is so instead. There is at least one.
    pub instead: Vec<(Whose, Claim)>,
    /// The claim that is true wherever it was looked, if there is one, and nothing was left unlooked at.
    pub truth: Option<Claim>,
    /// Whether model and kernel differ in what it is about: then no claim can be true, and the scenario need not be wrong.
    pub machines_differ: bool,
}

/// Whose observation a claim was held against.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Whose {
    /// The kernel's.
    Kernel,
    /// The model's.
    Model,
    /// Nobody's: an outcome that Linux may choose as well.
    Allowed,
}

/// The claims of a scenario that fail in one run alone, of which the first observation is the start.
pub fn on_one<'a>(scenario: &Scenario, run: impl Iterator<Item = (Whose, &'a Observation)>) -> Vec<FailedClaim> {
    failed(scenario, run.map(|seen| Looked { observations: vec![seen], complete: true }))
}

/// What the claims of a step must hold on.
#[derive(Clone, Debug)]
pub struct Looked<'a> {
    /// Every observation, that which the run went on from first.
    pub observations: Vec<(Whose, &'a Observation)>,
    /// Whether Linux can give nothing else.
    pub complete: bool,
}

/// The claims of a scenario that fail in a run, of which the first is the start.
pub fn failed<'a>(scenario: &Scenario, run: impl Iterator<Item = Looked<'a>>) -> Vec<FailedClaim> {
    let mut failed = Vec::new();
    let mut numbers = Numbers::default();
    for (number, looked) in run.enumerate() {
        if let Some(step) = number.checked_sub(1).and_then(|index| scenario.steps.get(index)) {
            let after = |observation: &'a Observation| (observation, numbers.clone().after(observation));
            let seen: Vec<_> = looked.observations.iter().map(|(whose, seen)| (*whose, after(seen))).collect();
            for claim in step.claimed() {
                let truth = |(whose, (observation, numbers)): &(Whose, (&Observation, Numbers))| {
                    (*whose, claim.truth(step.by, observation, numbers))
                };
                let truths = seen.iter().map(truth).collect();
                failed.extend(failure(number, claim, truths, looked.complete));
            }
        }
        if let Some((_, observation)) = looked.observations.first() {
            numbers = numbers.after(observation);
        }
    }
    failed
}

fn failure(step: usize, claim: Claim, truths: Vec<(Whose, Claim)>, complete: bool) -> Option<FailedClaim> {
    let (_, first) = truths.first()?;
    let truth = (complete && truths.iter().all(|(_, truth)| truth == first)).then(|| first.clone());
    let of = |whose| truths.iter().find(|(other, _)| *other == whose).map(|(_, truth)| truth);
    let machines_differ =
        matches!((of(Whose::Kernel), of(Whose::Model)), (Some(kernel), Some(model)) if kernel != model);
    let mut instead: Vec<(Whose, Claim)> = Vec::new();
    for wrong in truths.into_iter().filter(|(_, truth)| *truth != claim) {
        if !instead.contains(&wrong) {
            instead.push(wrong);
        }
    }
    (!instead.is_empty()).then_some(FailedClaim { step, claim, instead, truth, machines_differ })
}

impl FailedClaim {
    /// Where it is false, in words, with what is so there: once for both machines where they say the same.
    pub fn told(&self, scenario: &Scenario) -> Vec<(&'static str, String)> {
        let pair = |claim: &Claim| claim.written(scenario).pair();
        match &self.instead[..] {
            [(Whose::Kernel, kernel), (Whose::Model, model), others @ ..] if kernel == model => {
                let others = others
                    .iter()
                    .filter(|(_, claim)| claim != kernel)
                    .map(|(_, claim)| (Whose::Allowed.on(), pair(claim)));
                [("on both machines", pair(kernel))].into_iter().chain(others).collect()
            }
            all => all.iter().map(|(whose, claim)| (whose.on(), pair(claim))).collect(),
        }
    }

    /// The claim with its row of the file, what came instead, and the claim that would be true.
    pub fn diagnostic(&self, scenario: &Scenario, text: &str) -> Diagnostic {
        let step = &scenario.steps[self.step - 1];
        let span = self.place(scenario, text).map_or_else(|| step.span.clone(), |place| place.pair);
        let told: Vec<String> = self.told(scenario).into_iter().map(|(on, truth)| format!("{on}: {truth}")).collect();
        let help = match &self.truth {
            Some(truth) => format!("true is `{}`", truth.written(scenario).pair()),
            None if self.machines_differ => "model and kernel differ in this: the difference says how".to_owned(),
            None => "no claim about this holds everywhere: leave it out, or claim what is always so".to_owned(),
        };
        let (who, call) = (scenario.role_name(step.by), told::call(scenario, &step.call));
        let message = format!("claim failed at step {}, {who}: {call}", self.step);
        Diagnostic { message, span, label: told.join("; "), also: None, help: Some(help) }
    }

    /// Where the claim stands in the file.
    pub fn place(&self, scenario: &Scenario, text: &str) -> Option<Place> {
        Place::find(text, self.step, &self.claim.written(scenario).keys)
    }

    /// For programs.
    pub fn line(&self, scenario: &Scenario) -> ClaimLine {
        let instead =
            self.instead.iter().map(|(on, claim)| InsteadLine { on: *on, claim: claim.written(scenario).into() });
        ClaimLine {
            step: self.step,
            claim: self.claim.written(scenario).into(),
            instead: instead.collect(),
            truth: self.truth.as_ref().map(|truth| truth.written(scenario).into()),
        }
    }
}

impl Whose {
    fn on(self) -> &'static str {
        match self {
            Whose::Kernel => "on the kernel",
            Whose::Model => "on the model",
            Whose::Allowed => "and Linux may as well give",
        }
    }
}

/// A failed claim in JSON.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub struct ClaimLine {
    /// Of which step.
    pub step: usize,
    /// What is claimed.
    pub claim: PairLine,
    /// Where it is false, and what is so instead.
    pub instead: Vec<InsteadLine>,
    /// What would be true everywhere, or `null`.
    pub truth: Option<PairLine>,
}

/// What came in place of what is claimed, in JSON.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub struct InsteadLine {
    /// `kernel`, `model`, or `allowed` where Linux may choose it.
    pub on: Whose,
    /// As a claim.
    pub claim: PairLine,
}

/// A claim in JSON, as a file writes it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub struct PairLine {
    /// The keys that lead to it in the table of its step.
    pub keys: Vec<String>,
    /// Its value, in TOML.
    pub value: String,
}

impl From<Written> for PairLine {
    fn from(written: Written) -> PairLine {
        PairLine { keys: written.keys, value: written.value }
    }
}
