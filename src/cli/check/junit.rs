//! The report as JUnit's XML: a suite for each chapter, a case for each scenario.

use std::io::{self, Write};

use pidlab_scenario::{one_line, printable};
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use super::checked::{Checked, Word};
use super::json::plain;
use super::report::Report;
use super::totals::Totals;

/// What has come out so far: the file is written at the end, since its head counts.
#[derive(Default)]
pub(super) struct Junit {
    suites: Vec<TestSuite>,
}

impl Report for Junit {
    fn take(&mut self, _out: &mut dyn Write, checked: &Checked<'_>) -> io::Result<()> {
        let name = if checked.chapter().is_empty() { "(no chapter)" } else { checked.chapter() };
        let name = one_line(name).into_owned();
        if self.suites.last().is_none_or(|suite| suite.name.as_str() != name) {
            self.suites.push(TestSuite::new(name.clone()));
        }
        let Some(suite) = self.suites.last_mut() else { return Ok(()) };
        let mut case = TestCase::new(one_line(checked.name).into_owned(), status(checked));
        case.set_classname(format!("pidlab.{name}")).set_time(checked.took);
        suite.add_test_case(case);
        suite.set_time(suite.time.unwrap_or_default() + checked.took);
        Ok(())
    }

    fn finish(&mut self, out: &mut dyn Write, totals: &Totals) -> io::Result<()> {
        let mut report = quick_junit::Report::new("pidlab check");
        let mut suites = std::mem::take(&mut self.suites);
        for suite in &mut suites {
            suite.add_property(("machines", &*totals.machines()));
        }
        report.set_time(suites.iter().filter_map(|suite| suite.time).sum());
        report.add_test_suites(suites);
        let xml = report.to_string().map_err(io::Error::other)?;
        writeln!(out, "{}", xml.trim_end())
    }
}

fn status(checked: &Checked<'_>) -> TestCaseStatus {
    let mut status = match checked.word {
        Word::Agrees => return TestCaseStatus::success(),
        Word::Differs | Word::ClaimFailed => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Word::NoResult | Word::Invalid => TestCaseStatus::non_success(NonSuccessKind::Error),
        Word::Skipped | Word::ModelOnly | Word::NotDecided => TestCaseStatus::skipped(),
    };
    let said: Vec<String> = checked.problems.iter().map(|problem| plain(problem)).collect();
    let said = said.join("\n");
    let message = match &checked.skipped {
        Some(skip) => skip.why.clone(),
        None => said.lines().next().unwrap_or_default().to_owned(),
    };
    status.set_type(checked.word.name()).set_message(one_line(&message).into_owned());
    if checked.word.is_failure() {
        status.set_description(format!("{}\nreplay: {}", printable(&said), checked.replay));
    }
    status
}
