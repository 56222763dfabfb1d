//! The shortest scenario that shows a difference, and a program that shows it without this one.

use pidlab_scenario::Scenario;
use serde::Serialize;

use crate::compare::Problem;
use crate::kernel::{Judged, TimedOut, Worker};
use crate::{random, standalone, tell};

/// Replays that shortening one scenario may take.
const REPLAYS: usize = 100;

/// A difference for somebody who has to look into it.
#[derive(Serialize)]
pub(super) struct Finding {
    /// The shortest scenario found, as a file.
    scenario: String,
    /// How the model and the kernel differ in it.
    report: String,
    /// The same as a C program; or which step has no C form.
    #[serde(skip_serializing_if = "Option::is_none")]
    program: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    no_program: Option<String>,
}

/// The finding that a scenario leads to, if model and kernel differ in it.
pub(super) fn of(worker: &mut Worker, scenario: &Scenario, judged: &Result<Judged, TimedOut>) -> Option<Finding> {
    let judged = judged.as_ref().ok()?;
    let mut report = difference(scenario, judged)?;
    let mut shortest = scenario.clone();
    // What was claimed of a longer one may be false of a shorter one.
    shortest.rules.clear();
    shortest.steps.iter_mut().for_each(|step| {
        step.expect = None;
        step.claims.clear();
    });
    let mut differs = |scenario: &Scenario| {
        let judged = worker.judge(scenario);
        difference(scenario, &judged).map(|found| report = found).is_some()
    };
    // Once more from the end: what a later step needed may be gone with it.
    for _ in 0..2 {
        random::shrink_steps(&mut shortest, REPLAYS, &mut differs);
    }
    let report = anstream::adapter::strip_str(&report).to_string().trim_end().to_owned();
    let program = standalone::program(worker.model(), &shortest, &report);
    let (program, no_program) = match program {
        Ok(program) => (Some(program), None),
        Err(why) => (None, Some(why)),
    };
    Some(Finding { scenario: shortest.to_toml(), report, program, no_program })
}

/// How model and kernel differ, in words.
fn difference(scenario: &Scenario, judged: &Judged) -> Option<String> {
    let Judged::Verdict(verdict) = judged else { return None };
    let problem = verdict.problems.iter().find(|problem| Problem::is_difference(problem))?;
    Some(tell::problem(scenario, problem))
}
