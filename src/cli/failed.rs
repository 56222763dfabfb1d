//! A claim that failed, shown in its file.

use pidlab_scenario::{Diagnostic, Diagnostics, Scenario};

use crate::claims::{ClaimLine, FailedClaim};
use crate::compare::{Problem, Verdict};
use crate::input::Source;
use crate::tell;

/// What is wrong, as a text; a failed claim with the row of its file.
pub(super) fn problem(source: &Source, problem: &Problem) -> String {
    match problem {
        Problem::ClaimFailed(failed) => diagnostics(source, failed).render(true) + "\n\n",
        other => tell::problem(&source.scenario, other),
    }
}

/// The failed claims of a verdict, for programs.
pub(super) fn lines(scenario: &Scenario, verdict: Option<&Verdict>) -> Vec<ClaimLine> {
    verdict.into_iter().flat_map(Verdict::failed_claims).map(|failed| failed.line(scenario)).collect()
}

/// The row, what came instead, and the claim that would be true.
pub(super) fn diagnostics(source: &Source, failed: &FailedClaim) -> Diagnostics {
    let Source { scenario, path, text, .. } = source;
    let place = failed.place(scenario, text);
    let span = place.map_or_else(|| scenario.steps[failed.step - 1].span.clone(), |place| place.pair);
    let told: Vec<String> = failed.told(scenario).into_iter().map(|(on, truth)| format!("{on}: {truth}")).collect();
    let help = match &failed.truth {
        Some(truth) => format!("true is `{}`", truth.written(scenario).pair()),
        None if failed.machines_differ => "model and kernel differ in this: the difference says how".to_owned(),
        None => "no claim about this holds everywhere: leave it out, or claim what is always so".to_owned(),
    };
    let mistake = Diagnostic {
        message: format!("claim failed {}", tell::place(scenario, failed.step)),
        span,
        label: told.join("; "),
        also: None,
        help: Some(help),
    };
    Diagnostics::of_claims(path, text, vec![mistake])
}
