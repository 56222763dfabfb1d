//! What many believe and Linux does not do, told to people: what is said, what is so, which rule it breaks, and what refutes it.
//!
//! The beliefs themselves are in the model ([`Misconception`]). A scenario refutes one if its author's claims fail on a model that follows it.

use std::fmt::Write as _;

use pidlab_page::LESSONS;
use pidlab_scenario::{Facts, Scenario};
use pidlab_sim::{Misconception, Model};

use crate::compare;

/// A scenario that refutes a belief.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Refutation<'a> {
    /// Which.
    pub scenario: &'a Scenario,
    /// The first step whose claim fails for who believes it.
    pub step: usize,
}

/// The best scenario of these that refutes the belief: one about the rule that it breaks before others, one of a lesson
/// before others, one about few rules before one about many, and then the shortest. Each is played as on the newest kernel
/// that it is about.
pub fn refuted_by(belief: Misconception, scenarios: &[Scenario]) -> Option<Refutation<'_>> {
    let mut ordered: Vec<&Scenario> = scenarios.iter().collect();
    let is_elsewhere = |scenario: &Scenario| scenario.rules.iter().all(|id| id != belief.rule().id);
    let is_taught = |scenario: &Scenario| LESSONS.iter().any(|lesson| lesson.scenarios.contains(&&*scenario.name));
    ordered.sort_by_key(|scenario| {
        let (rules, steps) = (scenario.rules.len(), scenario.steps.len());
        (is_elsewhere(scenario), !is_taught(scenario), rules, steps, &scenario.name)
    });
    ordered.into_iter().find_map(|scenario| {
        let mut model = Model::misconceived(Facts::newest().with_all(&scenario.needs), belief);
        let verdict = compare::with_model(&mut model, scenario, None);
        let step = verdict.failed_claims().map(|failed| failed.step).min()?;
        Some(Refutation { scenario, step })
    })
}

/// What is said and what is so, as two sentences.
pub fn told(belief: Misconception) -> String {
    format!("\"{}.\" {}.", belief.claim(), belief.truth())
}

/// All of them as a page in Markdown, each with what refutes it among these scenarios.
pub fn page(scenarios: &[Scenario]) -> String {
    let mut text = String::from(
        "# Misconceptions\n\n\
         What many believe of PID namespaces and Linux does not do. The model can be told to follow each, to see what refutes it:\n\
         `pidlab check --misconception init-dies-from-inside`; `pidlab explain WORD` says the same. Made from\n\
         `sim/src/misconception.rs` and the library; a test keeps it fresh.\n",
    );
    for belief in Misconception::ALL {
        let _ = writeln!(text, "\n**{}**: \"{}.\"  ", belief.word(), belief.claim());
        let _ = write!(text, "{}. Rule: `{}`.", belief.truth(), belief.rule().id);
        if let Some(Refutation { scenario, step }) = refuted_by(*belief, scenarios) {
            let _ = write!(text, " Refuted by `{}`, step {step}.", scenario.name);
        }
        text.push('\n');
    }
    text
}
