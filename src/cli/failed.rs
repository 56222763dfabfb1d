//! A claim that failed, shown in its file.

use pidlab_scenario::{Diagnostic, Diagnostics, Outcome, Place, Refusal, Refused, Scenario};

use crate::claims::{ClaimLine, FailedClaim};
use crate::compare::{Problem, Verdict};
use crate::input::Source;
use crate::tell;

/// What is wrong, as a text; a failed claim with the row of its file.
pub(super) fn problem(source: &Source, problem: &Problem) -> String {
    match problem {
        Problem::ClaimFailed(failed) => diagnostics(source, failed).render(true) + "\n\n",
        Problem::RuleNotShown { rule, instead } => not_shown(source, rule, instead).render(true) + "\n\n",
        other => tell::problem(&source.scenario, other),
    }
}

/// A rule that the file names and the run did not exercise, with what it says and what may have been meant.
fn not_shown(source: &Source, rule: &str, instead: &[&str]) -> Diagnostics {
    let meaning = pidlab_sim::rule::find(rule).map(|rule| format!("it says: {}", rule.sentence));
    let help = match instead {
        [] => "the run exercised no rule of its family: `pidlab run` shows which it did".to_owned(),
        instead => format!("of its family the run exercised {}", instead.join(", ")),
    };
    let mistake = Diagnostic {
        message: format!("rule not shown: the run did not exercise `{rule}`"),
        span: Place::of_rule(&source.text, rule).unwrap_or_default(),
        label: meaning.unwrap_or_default(),
        also: None,
        help: Some(help),
    };
    Diagnostics::of_claims(&source.path, &source.text, vec![mistake])
}

/// A step that could not be taken; where the process was never made, why not.
pub(super) fn refused(source: &Source, verdict: &Verdict, refused: &Refused) -> Diagnostics {
    let Source { scenario, path, text, .. } = source;
    let diagnostics = Diagnostics::refused(scenario, path, text, refused);
    let Refusal::NotBorn { role } = refused.why else { return diagnostics };
    let steps = scenario.steps.iter().zip(verdict.steps.iter().skip(1));
    let failed = steps.enumerate().rfind(|(_, (step, _))| step.call.child() == Some(role));
    let Some((index, (_, compared))) = failed else { return diagnostics };
    let Some(Outcome::Err(errno)) = compared.observation().outcome else { return diagnostics };
    let reason = compared.because().last();
    let why = reason.map(|because| format!(": {} [{}]", because.rule.sentence, because.rule.id)).unwrap_or_default();
    let help = format!("{} failed with {errno}{why}", tell::place(scenario, index + 1).trim_start_matches("at "));
    let explained = diagnostics.iter().cloned().map(|mistake| Diagnostic { help: Some(help.clone()), ..mistake });
    Diagnostics::of_claims(path, text, explained.collect())
}

/// The failed claims of a verdict, for programs.
pub(super) fn lines(scenario: &Scenario, verdict: Option<&Verdict>) -> Vec<ClaimLine> {
    verdict.into_iter().flat_map(Verdict::failed_claims).map(|failed| failed.line(scenario)).collect()
}

/// The row, what came instead, and the claim that would be true.
pub(super) fn diagnostics(source: &Source, failed: &FailedClaim) -> Diagnostics {
    let Source { scenario, path, text, .. } = source;
    Diagnostics::of_claims(path, text, vec![failed.diagnostic(scenario, text)])
}
