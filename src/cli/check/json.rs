//! The report as JSON: one object a line, then the summary.

use std::io::{self, Write};

use pidlab_scenario::escaped_json;
use serde::Serialize;
use serde_json::json;

use super::checked::Checked;
use super::finding::Finding;
use super::report::Report;
use super::totals::Totals;
use crate::claims::ClaimLine;
use crate::cli::failed;

/// One JSON object for each scenario.
pub(super) struct Json;

/// One scenario's result.
#[derive(Serialize)]
struct Line<'a> {
    scenario: &'a str,
    result: &'static str,
    steps: usize,
    steps_compared: usize,
    rules: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<String>,
    /// The claims of the file that are false.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    claims: Vec<ClaimLine>,
    /// Why the kernel did not run it.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replay: Option<&'a str>,
    /// The shortest that differs in the same way.
    #[serde(skip_serializing_if = "Option::is_none")]
    finding: Option<&'a Finding>,
}

impl Report for Json {
    fn take(&mut self, out: &mut dyn Write, checked: &Checked<'_>) -> io::Result<()> {
        let verdict = checked.verdict.as_ref();
        let line = Line {
            scenario: checked.name,
            result: checked.word.name(),
            steps: checked.scenario.map_or(0, |scenario| scenario.steps.len()),
            steps_compared: verdict.map_or(0, |verdict| verdict.compared),
            rules: verdict.map_or_else(Vec::new, |verdict| verdict.fired.iter().copied().collect()),
            problems: checked.problems.iter().map(|problem| plain(problem)).collect(),
            claims: checked.scenario.map_or_else(Vec::new, |scenario| failed::lines(scenario, verdict)),
            why: checked.skipped.as_ref().map(|skip| &*skip.why),
            replay: checked.word.is_failure().then_some(&checked.replay),
            finding: checked.found.as_ref(),
        };
        writeln!(out, "{}", escaped_json(&serde_json::to_string(&line)?))
    }

    fn finish(&mut self, out: &mut dyn Write, totals: &Totals) -> io::Result<()> {
        writeln!(out, "{}", serde_json::to_string(&json!({ "summary": totals.json() }))?)
    }
}

/// A text without styles, and without the end of its last line.
pub(super) fn plain(styled: &str) -> String {
    anstream::adapter::strip_str(styled).to_string().trim_end().to_owned()
}
