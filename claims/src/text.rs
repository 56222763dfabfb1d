//! For people who read a terminal.

use std::fmt::Write as _;

use pidlab_scenario::one_line;
use textwrap::{Options, WordSplitter, fill};

use crate::record::{Hearing, Kernel, Overall};
use crate::told;
use crate::trial::Tried;

/// A list of sentences, two or three lines each, and how many are what.
pub fn list(hearings: &[Hearing], width: usize) -> String {
    let mut text = String::new();
    for hearing in hearings {
        let verdict = told::ruling(&hearing.here.ruling);
        let hangs = match &hearing.record.overall {
            Overall::Depends(_) => format!(" ({})", told::overall(&hearing.record.overall)),
            Overall::Always(_) | Overall::NotHere => String::new(),
        };
        let head = format!("{}  {verdict}{hangs}", one_line(&hearing.case.id));
        let _ = writeln!(text, "{}", fill(&head, page(width, "  ")));
        let _ =
            writeln!(text, "{}", fill(&one_line(&hearing.case.sentence), page(width, "    ").initial_indent("    ")));
    }
    let _ = writeln!(text, "\n{}", fill(&format!("{}.", told::summary(hearings.iter())), page(width, "")));
    text
}

/// One sentence in full.
pub fn one(hearing: &Hearing, kernels: &[Kernel], width: usize) -> String {
    let case = &hearing.case;
    let mut text = format!("{}\n\n", one_line(&case.id));
    let mut paragraph = |words: &str, indent: &str| {
        let _ = writeln!(text, "{}", fill(&one_line(words), page(width, indent)));
    };
    paragraph(&format!("\"{}\"", case.sentence), "");
    paragraph(&format!("Met: {}", case.met.join("; ")), "  ");
    if let Some(why) = &case.not_here {
        paragraph(&format!("Not decided here: {why}"), "");
        paragraph(&format!("What is known: {}", case.correction), "");
        return text;
    }
    paragraph(&format!("Verdict on {}: {}", hearing.place, told::ruling(&hearing.here.ruling)), "  ");
    for line in verdicts(hearing, kernels) {
        let _ = writeln!(text, "{}", fill(&line, page(width, "  ")));
    }
    for tried in &hearing.here.trials {
        trial(&mut text, tried, width);
    }
    text.push('\n');
    let _ = writeln!(text, "{}", fill(&format!("What is so: {}", one_line(&case.correction)), page(width, "")));
    for rule in &case.rules {
        let line = format!("{}: {} ({})", rule.id, rule.sentence, rule.kernel);
        let _ = writeln!(text, "{}", fill(&line, page(width, "    ").initial_indent("  ")));
    }
    text
}

/// What it is elsewhere.
fn verdicts(hearing: &Hearing, kernels: &[Kernel]) -> Vec<String> {
    let groups = told::kernels(hearing, kernels);
    let mut lines = match (&hearing.record.overall, groups.is_empty()) {
        (Overall::Depends(_), _) => vec![format!("It {}.", told::overall(&hearing.record.overall))],
        (_, true) if !kernels.is_empty() => vec![format!("The same on all {} kernels of the table.", kernels.len())],
        _ => Vec::new(),
    };
    lines.extend(groups);
    lines
}

fn trial(text: &mut String, tried: &Tried, width: usize) {
    let trial = &tried.trial;
    let about = trial.about.as_ref().map(|about| format!("{}: ", one_line(about))).unwrap_or_default();
    let holds = if tried.holds() { "as predicted" } else { "not as predicted" };
    let by = match trial.in_library {
        true => one_line(&trial.scenario.name).into_owned(),
        false => "a scenario of its own".to_owned(),
    };
    let _ = writeln!(text, "\n{}", fill(&format!("{about}{by}: {holds}"), page(width, "  ")));
    let steps = if trial.in_library { 0 } else { trial.scenario.steps.len() };
    let mut told = told::by_step(tried).peekable();
    for number in 1..=steps.max(trial.last()) {
        let held = told.next_if(|(step, _)| *step == number);
        if held.is_none() && trial.in_library {
            continue;
        }
        let line = format!("step {number}  {}", told::step(trial, number));
        let _ = writeln!(text, "{}", fill(&line, page(width, "      ").initial_indent("  ")));
        for held in held.into_iter().flat_map(|(_, held)| held) {
            let (predicted, came) = told::pairs(trial, held);
            let lines = match came {
                None => vec![format!("predicted, and came  {predicted}")],
                Some(came) => vec![format!("predicted  {predicted}"), format!("came       {came}")],
            };
            for line in lines {
                let _ = writeln!(text, "{}", fill(&line, page(width, "        ").initial_indent("      ")));
            }
        }
    }
}

/// How paragraphs are set: names are not broken at their hyphens.
fn page(width: usize, indent: &str) -> Options<'_> {
    Options::new(width).subsequent_indent(indent).word_splitter(WordSplitter::NoHyphenation)
}
