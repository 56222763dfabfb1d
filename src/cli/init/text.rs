//! The answers for people.

use std::collections::BTreeSet;
use std::io::{self, Write};

use pidlab_certify::{DUTIES, Profile, Recorded, Verdict};
use pidlab_scenario::one_line;

use super::{Answer, Counts, Run, Writer, record, title};
use crate::words;

#[derive(Default)]
pub(super) struct Text {
    /// Why calls were not recorded: told once.
    not_recorded: BTreeSet<String>,
}

/// Under what stands beside a verdict.
const INDENT: &str = "              ";

impl Writer for Text {
    fn start(&mut self, out: &mut dyn Write, run: &Run) -> io::Result<()> {
        let what = match run.subject.attached_to() {
            Some(_) => "the PID 1 of a container that runs already",
            None => &format!("PID 1 as {}", profile(run.profile)),
        };
        let sentence = format!("{}: {what}, on Linux {}", title(&run.subject), run.kernel);
        writeln!(out, "{}\n", textwrap::fill(&sentence, words::page()))
    }

    fn take(&mut self, out: &mut dyn Write, _: &Run, answer: &Answer) -> io::Result<()> {
        let (duty, report) = (answer.question.asked(), &answer.report);
        let word = match report.verdict {
            Verdict::Holds => "holds",
            Verdict::Fails => "FAILS",
            Verdict::Told => "told",
            Verdict::NotAsked => "not asked",
            _ => "not decided",
        };
        paragraph(out, &format!("{word:<12}  "), &format!("{}: {}", duty.name(), duty.sentence()))?;
        if !report.seen.is_empty() {
            paragraph(out, INDENT, &format!("seen: {}", report.seen))?;
        }
        if report.verdict != Verdict::Fails {
            return Ok(());
        }
        for heard in &report.heard {
            paragraph(out, INDENT, &format!("{} got {} from {}", heard.by, heard.signal, sender(heard.si_pid)))?;
        }
        for line in report.output.lines() {
            paragraph(out, INDENT, &format!("it wrote: {line}"))?;
        }
        match &answer.recorded {
            Some(Recorded::Played(recording)) => {
                for call in &recording.calls {
                    paragraph(out, INDENT, &format!("strace: {call}"))?;
                }
                for sentence in record::in_words(answer, recording) {
                    paragraph(out, INDENT, &sentence)?;
                }
            }
            Some(Recorded::Not { why }) => drop(self.not_recorded.insert(why.clone())),
            _ => {}
        }
        for (what, said) in [("rules", duty.rules().join(", ")), ("what helps", duty.help().to_owned())] {
            if !said.is_empty() {
                paragraph(out, INDENT, &format!("{what}: {said}"))?;
            }
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut dyn Write, counts: &Counts) -> io::Result<()> {
        let [holds, fails, open, left] =
            [Verdict::Holds, Verdict::Fails, Verdict::NotDecided, Verdict::NotAsked].map(|verdict| counts.of(verdict));
        for why in &self.not_recorded {
            writeln!(out, "\n{}", textwrap::fill(&one_line(&format!("calls not recorded: {why}")), words::page()))?;
        }
        writeln!(out, "\nhold {holds}, fail {fails}, not decided {open}, not asked {left}")
    }
}

fn sender(si_pid: i32) -> String {
    match si_pid {
        0 => "outside its namespace".to_owned(),
        pid => format!("PID {pid}"),
    }
}

fn paragraph(out: &mut dyn Write, first: &str, text: &str) -> io::Result<()> {
    let page = words::page().initial_indent(first).subsequent_indent(INDENT);
    writeln!(out, "{}", textwrap::fill(&one_line(text), page))
}

fn profile(profile: Profile) -> &'static str {
    match profile {
        Profile::Container => "the init of a container",
        Profile::Supervisor => "a supervisor",
        _ => "one that holds a namespace open",
    }
}

/// The duties, and whose they are.
pub(super) fn list(out: &mut dyn Write) -> io::Result<()> {
    for duty in DUTIES {
        let whose: Vec<&str> = duty
            .profiles
            .iter()
            .map(|profile| match profile {
                Profile::Container => "container",
                Profile::Supervisor => "supervisor",
                _ => "pause",
            })
            .collect();
        let whose = if whose.is_empty() { "told".to_owned() } else { whose.join(", ") };
        let of = match (duty.is_for_started(), duty.is_for_running(), duty.orphans()) {
            (_, false, _) => "",
            (false, true, 0) => "; only with --attach",
            (true, true, 0) => "; also with --attach",
            (false, true, _) => "; only with --attach --orphans",
            (true, true, _) => "; also with --attach --orphans",
        };
        let page = words::page().subsequent_indent("  ");
        writeln!(out, "{}", textwrap::fill(&format!("{}: {} ({whose}{of})", duty.name, duty.sentence), page))?;
    }
    Ok(())
}
