//! The report as KTAP, version 1 (Documentation/dev-tools/ktap.rst): one test for each scenario, flat, so that readers of plain TAP take it, too.

use std::io::{self, Write};

use pidlab_scenario::one_line;

use super::checked::{Checked, Word};
use super::json::plain;
use super::report::Report;
use super::totals::Totals;

/// A line for each scenario.
#[derive(Default)]
pub(super) struct Ktap {
    names: Vec<String>,
    done: usize,
}

impl Ktap {
    /// `ok 1 orphans/told-in-order # SKIP why`
    fn result(&mut self, out: &mut dyn Write, good: bool, name: &str, directive: &str) -> io::Result<()> {
        self.done += 1;
        let word = if good { "ok" } else { "not ok" };
        let blank = if directive.is_empty() { "" } else { " # " };
        // In a name, `#` would begin a directive.
        let name = one_line(name).replace('#', "_");
        writeln!(out, "{word} {} {name}{blank}{}", self.done, one_line(directive))
    }
}

impl Report for Ktap {
    fn start(&mut self, out: &mut dyn Write, names: &[&str], totals: &Totals) -> io::Result<()> {
        self.names = names.iter().map(|name| (*name).to_owned()).collect();
        writeln!(out, "KTAP version 1\n1..{}\n# {}", names.len(), totals.machines())
    }

    fn take(&mut self, out: &mut dyn Write, checked: &Checked<'_>) -> io::Result<()> {
        if checked.word.is_failure() {
            writeln!(out, "# {}", checked.word.text())?;
        }
        for line in
            checked.problems.iter().flat_map(|problem| plain(problem).lines().map(str::to_owned).collect::<Vec<_>>())
        {
            writeln!(out, "# {}", one_line(&line))?;
        }
        if checked.word.is_failure() {
            writeln!(out, "# replay: {}", checked.replay)?;
        }
        let why = checked.skipped.as_ref().map_or("", |skip| &skip.why);
        let (good, directive) = match checked.word {
            Word::Agrees => (true, String::new()),
            Word::Skipped | Word::ModelOnly => (true, format!("SKIP {why}")),
            Word::NotDecided => (true, "SKIP not decided".to_owned()),
            Word::Differs | Word::ClaimFailed => (false, String::new()),
            Word::NoResult => (false, "ERROR no result".to_owned()),
            Word::Invalid => (false, "ERROR invalid scenario".to_owned()),
        };
        self.result(out, good, checked.name, &directive)
    }

    fn finish(&mut self, out: &mut dyn Write, totals: &Totals) -> io::Result<()> {
        for index in self.done..self.names.len() {
            let name = self.names[index].clone();
            self.result(out, true, &name, "SKIP not run after a failure")?;
        }
        let count = |words: &[Word]| words.iter().map(|word| totals.count(*word)).sum::<usize>();
        writeln!(
            out,
            "# Totals: pass:{} fail:{} xfail:0 xpass:0 skip:{} error:{}",
            count(&[Word::Agrees]),
            count(&[Word::Differs, Word::ClaimFailed]),
            count(&[Word::Skipped, Word::ModelOnly, Word::NotDecided]) + totals.not_run(),
            count(&[Word::NoResult, Word::Invalid]),
        )
    }
}
