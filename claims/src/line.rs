//! A sentence in JSON.

use pidlab_sim::Rule;
use serde::Serialize;

use crate::case::Case;
use crate::record::{Hearing, Kernel, Overall};
use crate::told;
use crate::trial::Tried;
use crate::verdict::{Ruling, Verdict};

/// A sentence, what it is, and what decided it.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[non_exhaustive]
pub struct CaseLine {
    /// Its id.
    pub claim: String,
    /// What is said.
    pub sentence: String,
    /// Where it is met.
    pub met: Vec<String>,
    /// Where `verdict` is from: `Linux 6.18.44`.
    pub on: String,
    /// What it is there; `null` where it cannot be decided.
    pub verdict: Option<Verdict>,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_decided: Option<String>,
    /// The facts that the verdict hangs on.
    pub depends_on: Vec<&'static str>,
    /// What it is on the kernels of the table.
    pub kernels: Vec<KernelLine>,
    /// What decided it there.
    pub trials: Vec<TrialLine>,
    /// The rules that decide it.
    pub rules: Vec<RuleLine>,
    /// What is so.
    pub correction: String,
}

/// What a sentence is on a kernel.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub struct KernelLine {
    /// What the kernel is called.
    pub name: String,
    /// Its release.
    pub release: String,
    /// What the sentence is; `null` where it cannot be decided.
    pub verdict: Option<Verdict>,
}

/// What came of a trial.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub struct TrialLine {
    /// The scenario: of the library, or the claim's own.
    pub scenario: String,
    /// Whether it is in the library.
    pub in_library: bool,
    /// What the trial is about, where there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// Whether all came as predicted.
    pub holds: bool,
    /// Every prediction.
    pub predictions: Vec<PredictionLine>,
}

/// A prediction, and what came.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub struct PredictionLine {
    /// Of which step.
    pub step: usize,
    /// Whose step that is.
    pub by: String,
    /// What is called.
    pub call: String,
    /// As a scenario file would claim it.
    pub predicted: String,
    /// What came in its place; `null`: it came as predicted.
    pub came: Option<String>,
}

/// A rule.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub struct RuleLine {
    /// Its id.
    pub id: &'static str,
    /// What is true.
    pub sentence: &'static str,
    /// Where the kernel does it.
    pub kernel: &'static str,
}

impl CaseLine {
    /// The line of a sentence that was heard.
    pub fn new(hearing: &Hearing, kernels: &[Kernel]) -> CaseLine {
        let Case { id, sentence, met, rules, correction, not_here, .. } = &hearing.case;
        let ruling = &hearing.here.ruling;
        let depends_on = match &hearing.record.overall {
            Overall::Depends(facts) => facts.iter().map(|fact| fact.word()).collect(),
            Overall::Always(_) | Overall::NotHere => Vec::new(),
        };
        let kernels = kernels.iter().zip(&hearing.record.rulings).map(|(kernel, ruling)| KernelLine {
            name: kernel.name.clone(),
            release: kernel.release.clone(),
            verdict: ruling.verdict(),
        });
        CaseLine {
            claim: id.clone(),
            sentence: sentence.clone(),
            met: met.clone(),
            on: hearing.place.clone(),
            verdict: ruling.verdict(),
            not_decided: match ruling {
                Ruling::Verdict(_) => None,
                Ruling::Lacks(_) => Some(told::ruling(ruling)),
                Ruling::NotHere => not_here.clone(),
            },
            depends_on,
            kernels: kernels.collect(),
            trials: hearing.here.trials.iter().map(TrialLine::new).collect(),
            rules: rules.iter().map(|rule| RuleLine::new(rule)).collect(),
            correction: correction.clone(),
        }
    }
}

impl TrialLine {
    fn new(tried: &Tried) -> TrialLine {
        let trial = &tried.trial;
        let predictions = tried.held.iter().map(|held| {
            let step = &trial.scenario.steps[held.step - 1];
            let (predicted, came) = told::pairs(trial, held);
            PredictionLine {
                step: held.step,
                by: trial.scenario.role_name(step.by).to_owned(),
                call: step.call.name().word().to_owned(),
                predicted,
                came,
            }
        });
        TrialLine {
            scenario: trial.scenario.name.clone(),
            in_library: trial.in_library,
            about: trial.about.clone(),
            holds: tried.holds(),
            predictions: predictions.collect(),
        }
    }
}

impl RuleLine {
    fn new(rule: &Rule) -> RuleLine {
        RuleLine { id: rule.id, sentence: rule.sentence, kernel: rule.kernel }
    }
}
