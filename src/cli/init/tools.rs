//! The answers for programs: JSON lines, JUnit's XML, KTAP.

use std::io::{self, Write};

use pidlab_certify::{Recorded, Verdict};
use pidlab_scenario::{escaped_json, one_line, printable};
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};
use serde_json::json;

use super::{Answer, Counts, Run, Writer, record, title};

/// A line about the run, one for each duty, and one with the counts.
pub(super) struct Json;

impl Writer for Json {
    fn start(&mut self, out: &mut dyn Write, run: &Run) -> io::Result<()> {
        let head = match run.subject.attached_to() {
            Some((pid, name)) => json!({ "attach": pid, "name": name, "kernel": run.kernel }),
            None => json!({ "command": run.subject.words(), "profile": run.profile, "kernel": run.kernel }),
        };
        writeln!(out, "{}", escaped_json(&head.to_string()))
    }

    fn take(&mut self, out: &mut dyn Write, _: &Run, answer: &Answer) -> io::Result<()> {
        let (duty, report) = (answer.question.asked(), &answer.report);
        let mut line = json!({
            "duty": duty.name(), "verdict": report.verdict, "expected": duty.sentence(), "seen": report.seen,
            "heard": report.heard, "seconds": answer.took.as_secs_f64(),
        });
        if report.verdict == Verdict::Fails {
            line["rules"] = json!(duty.rules());
            line["help"] = json!(duty.help());
            line["output"] = json!(report.output);
            match &answer.recorded {
                Some(Recorded::Played(recording)) => {
                    let files: Vec<String> = answer.logs.iter().map(|log| log.display().to_string()).collect();
                    line["recorded"] = json!({
                        "verdict": recording.verdict, "seen": recording.seen, "calls": recording.calls, "logs": files,
                        "shown": recording.logs.iter().position(|log| log.shown),
                    });
                }
                Some(Recorded::Not { why }) => line["not_recorded"] = json!(why),
                _ => {}
            }
        }
        writeln!(out, "{}", escaped_json(&line.to_string()))
    }

    fn finish(&mut self, out: &mut dyn Write, counts: &Counts) -> io::Result<()> {
        writeln!(out, "{}", json!({ "summary": counts.0 }))
    }
}

/// What there is to say of a duty that is not done.
fn in_words(answer: &Answer) -> String {
    let (duty, report) = (answer.question.asked(), &answer.report);
    let mut text = format!("expected: {}\nseen: {}\n", duty.sentence(), report.seen);
    for heard in &report.heard {
        text += &format!("{} got {} from PID {}\n", heard.by, heard.signal, heard.si_pid);
    }
    if !report.output.is_empty() {
        text += &format!("it wrote: {}\n", report.output);
    }
    match &answer.recorded {
        Some(Recorded::Played(recording)) => {
            let calls = recording.calls.iter().map(|call| format!("strace: {call}"));
            for line in calls.chain(record::in_words(answer, recording)) {
                text += &format!("{line}\n");
            }
        }
        Some(Recorded::Not { why }) => text += &format!("calls not recorded: {why}\n"),
        _ => {}
    }
    for (what, said) in [("rules", duty.rules().join(", ")), ("what helps", duty.help().to_owned())] {
        if !said.is_empty() {
            text += &format!("{what}: {said}\n");
        }
    }
    text.trim_end().to_owned()
}

/// A case for each duty, in one suite.
#[derive(Default)]
pub(super) struct Junit {
    suite: Option<TestSuite>,
}

impl Writer for Junit {
    fn start(&mut self, _: &mut dyn Write, run: &Run) -> io::Result<()> {
        let mut suite = TestSuite::new(title(&run.subject));
        suite.add_property(("kernel", &*run.kernel));
        self.suite = Some(suite);
        Ok(())
    }

    fn take(&mut self, _: &mut dyn Write, _: &Run, answer: &Answer) -> io::Result<()> {
        let report = &answer.report;
        let mut status = match report.verdict {
            Verdict::Holds | Verdict::Told => TestCaseStatus::success(),
            Verdict::Fails => TestCaseStatus::non_success(NonSuccessKind::Failure),
            _ => TestCaseStatus::skipped(),
        };
        if !matches!(report.verdict, Verdict::Holds | Verdict::Told) {
            status.set_type(report.verdict.word()).set_message(one_line(&report.seen).into_owned());
        }
        if report.verdict == Verdict::Fails {
            status.set_description(printable(&in_words(answer)).into_owned());
        }
        let mut case = TestCase::new(one_line(answer.question.asked().name()), status);
        case.set_classname("pidlab.init").set_time(answer.took);
        if let Some(suite) = &mut self.suite {
            suite.add_test_case(case);
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut dyn Write, _: &Counts) -> io::Result<()> {
        let mut report = quick_junit::Report::new("pidlab init");
        report.add_test_suites(self.suite.take());
        let xml = report.to_string().map_err(io::Error::other)?;
        writeln!(out, "{}", xml.trim_end())
    }
}

/// A test for each duty (Documentation/dev-tools/ktap.rst).
#[derive(Default)]
pub(super) struct Ktap {
    done: usize,
}

impl Writer for Ktap {
    fn start(&mut self, out: &mut dyn Write, run: &Run) -> io::Result<()> {
        writeln!(out, "KTAP version 1\n1..{}", run.duties.len())?;
        writeln!(out, "# {} on Linux {}", title(&run.subject), run.kernel)
    }

    fn take(&mut self, out: &mut dyn Write, _: &Run, answer: &Answer) -> io::Result<()> {
        self.done += 1;
        let report = &answer.report;
        if report.verdict == Verdict::Fails {
            for line in in_words(answer).lines() {
                writeln!(out, "# {}", one_line(line))?;
            }
        } else if report.verdict == Verdict::Told {
            writeln!(out, "# {}", one_line(&report.seen))?;
        }
        let (word, directive) = match report.verdict {
            Verdict::Holds | Verdict::Told => ("ok", String::new()),
            Verdict::Fails => ("not ok", String::new()),
            other => ("ok", format!(" # SKIP {}: {}", other.word(), one_line(&report.seen))),
        };
        writeln!(out, "{word} {} {}{directive}", self.done, one_line(answer.question.asked().name()))
    }

    fn finish(&mut self, out: &mut dyn Write, counts: &Counts) -> io::Result<()> {
        let [pass, told, fail] = [Verdict::Holds, Verdict::Told, Verdict::Fails].map(|verdict| counts.of(verdict));
        let skip = counts.of(Verdict::NotDecided) + counts.of(Verdict::NotAsked);
        writeln!(out, "# Totals: pass:{} fail:{fail} xfail:0 xpass:0 skip:{skip} error:0", pass + told)
    }
}
