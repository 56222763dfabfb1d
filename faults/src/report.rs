//! What came of the trials, as a text or as JSON.

use std::io::{self, Write};

use serde::Serialize;

use crate::table::{Fault, Kind};
use crate::trial::Seen;

/// What noticed one fault.
#[derive(Serialize)]
pub(crate) struct Row<'a> {
    pub(crate) id: &'a str,
    pub(crate) what: &'a str,
    pub(crate) kind: Kind,
    pub(crate) library: Seen,
    /// One a seed.
    pub(crate) fuzz: Vec<Seen>,
    /// Tests that fail, and do not without the fault; nothing where none were asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tests: Option<Vec<String>>,
    /// Kinds of outcomes that are never seen, and not offered without the fault; nothing where they were not counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) outcomes: Option<Vec<String>>,
    /// What the explorer's sentences notice; nothing where it was noticed before, or is not asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sentences: Option<Seen>,
    /// Whether the explorer's spaces are the same as without it; nothing where it was noticed before, or is not asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) equal: Option<bool>,
    /// Why nothing can notice it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unseen: Option<&'a str>,
}

impl<'a> Row<'a> {
    pub(crate) fn new(fault: &'a Fault, library: Seen, fuzz: Vec<Seen>) -> Row<'a> {
        let Fault { id, what, kind, unseen, .. } = fault;
        Row {
            id,
            what,
            kind: *kind,
            library,
            fuzz,
            tests: None,
            outcomes: None,
            sentences: None,
            equal: None,
            unseen: unseen.as_deref(),
        }
    }

    fn by_fuzz(&self) -> bool {
        self.fuzz.iter().any(Seen::is_noticed)
    }

    fn by_tests(&self) -> bool {
        self.tests.as_ref().is_some_and(|failing| !failing.is_empty())
    }

    fn by_outcomes(&self) -> bool {
        self.outcomes.as_ref().is_some_and(|kinds| !kinds.is_empty())
    }

    pub(crate) fn is_noticed(&self) -> bool {
        let by_sentences = self.sentences.as_ref().is_some_and(Seen::is_noticed);
        self.library.is_noticed() || self.by_fuzz() || self.by_tests() || self.by_outcomes() || by_sentences
    }

    /// One line: a mark for each that was asked.
    pub(crate) fn line(&self) -> String {
        let fuzz: Vec<&str> = self.fuzz.iter().map(mark).collect();
        let asked = |asked: bool, noticed: bool| match (asked, noticed) {
            (false, _) => "",
            (true, true) => "noticed",
            (true, false) => "-",
        };
        let (tests, outcomes) =
            (asked(self.tests.is_some(), self.by_tests()), asked(self.outcomes.is_some(), self.by_outcomes()));
        let line = format!("{:<34} {:<8} {:<24} {tests:<8} {outcomes}", self.id, mark(&self.library), fuzz.join(" "));
        line.trim_end().to_owned()
    }
}

fn mark(seen: &Seen) -> &'static str {
    match seen {
        Seen::Nothing => "-",
        Seen::Noticed(_) => "noticed",
        Seen::Panics(_) => "panics",
        Seen::Hangs => "hangs",
    }
}

/// The heading of the lines.
pub(crate) fn heading() -> String {
    format!("{:<34} {:<8} {:<24} {:<8} {}", "fault", "library", "random steps", "tests", "outcomes")
}

/// How many of one kind were noticed, and by what.
#[derive(Serialize)]
struct Sum {
    kind: &'static str,
    planted: usize,
    noticed: usize,
    library: usize,
    fuzz: usize,
    library_or_fuzz: usize,
    tests: usize,
    outcomes: usize,
}

fn sums(rows: &[Row<'_>]) -> Vec<Sum> {
    let sum = |name, kind: Option<Kind>| {
        let of: Vec<&Row<'_>> = rows.iter().filter(|row| kind.is_none_or(|kind| row.kind == kind)).collect();
        let count = |holds: &dyn Fn(&Row<'_>) -> bool| of.iter().filter(|row| holds(row)).count();
        Sum {
            kind: name,
            planted: of.len(),
            noticed: count(&|row| row.is_noticed()),
            library: count(&|row| row.library.is_noticed()),
            fuzz: count(&|row| row.by_fuzz()),
            library_or_fuzz: count(&|row| row.library.is_noticed() || row.by_fuzz()),
            tests: count(&|row| row.by_tests()),
            outcomes: count(&|row| row.by_outcomes()),
        }
    };
    let mut sums: Vec<Sum> = Kind::ALL.map(|kind| sum(kind.words(), Some(kind))).into();
    sums.push(sum("all", None));
    sums
}

/// The counts by kind, and whom nothing noticed.
pub(crate) fn summary(out: &mut impl Write, rows: &[Row<'_>]) -> io::Result<()> {
    let head =
        ["planted", "noticed", "library", "random", "either", "tests", "outcomes"].map(|word| format!("{word:>8}"));
    writeln!(out, "\n{:<46}{}", "kind", head.concat())?;
    for sum in sums(rows).iter().filter(|sum| sum.planted > 0) {
        let Sum { kind, planted, noticed, library, fuzz, library_or_fuzz, tests, outcomes } = sum;
        let counts =
            [planted, noticed, library, fuzz, library_or_fuzz, tests, outcomes].map(|count| format!("{count:>8}"));
        writeln!(out, "{kind:<46}{}", counts.concat())?;
    }
    list(out, "noticed by nothing", rows, |row| !row.is_noticed())?;
    list(out, "listed as what nothing can notice, and noticed", rows, |row| row.unseen.is_some() && row.is_noticed())?;
    list(out, "a rule that the library does not notice", rows, |row| {
        row.kind == Kind::Rule && row.is_noticed() && !row.library.is_noticed()
    })
}

fn list(out: &mut impl Write, title: &str, rows: &[Row<'_>], which: impl Fn(&Row<'_>) -> bool) -> io::Result<()> {
    let listed: Vec<&Row<'_>> = rows.iter().filter(|row| which(row)).collect();
    if listed.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{title}")?;
    for row in listed {
        let mut text = row.id.to_owned();
        if !row.what.is_empty() {
            text += &format!(": {}", row.what);
        }
        if let Some(why) = row.unseen {
            text += &format!(" ({why})");
        }
        match row.equal {
            Some(true) => text += "; the explorer's spaces are the same",
            Some(false) => text += "; the explorer's spaces are OTHERS",
            None => {}
        }
        let options = textwrap::Options::new(80).initial_indent("  ").subsequent_indent("    ");
        writeln!(out, "{}", textwrap::fill(&text, options))?;
    }
    Ok(())
}

/// One row as an object.
pub(crate) fn json(row: &Row<'_>) -> String {
    serde_json::to_string(row).expect("a row has only texts")
}

/// The counts by kind as an object.
pub(crate) fn json_summary(rows: &[Row<'_>]) -> String {
    serde_json::json!({ "summary": sums(rows) }).to_string()
}

#[cfg(test)]
mod tests {
    use super::{Row, sums};
    use crate::table::{Fault, Kind};
    use crate::trial::Seen;

    /// What the explorer's sentences notice is noticed; that a space is the same, or another one, is not.
    #[test]
    fn a_sentence_notices_and_another_space_does_not() {
        let fault = Fault { id: "n".into(), what: String::new(), kind: Kind::Rule, unseen: None, edits: Vec::new() };
        let row = |sentences: Option<Seen>, equal| {
            let row = Row::new(&fault, Seen::Nothing, vec![Seen::Nothing]);
            Row { sentences, equal, tests: Some(Vec::new()), ..row }
        };
        let rows = [
            row(None, None),
            row(Some(Seen::Nothing), Some(true)),
            row(Some(Seen::Nothing), Some(false)),
            row(Some(Seen::Hangs), None),
            row(Some(Seen::Noticed("a sentence".into())), None),
        ];
        assert_eq!(rows.each_ref().map(Row::is_noticed), [false, false, false, true, true]);
        let all = sums(&rows).pop().expect("the last one is of all");
        assert_eq!((all.planted, all.noticed, all.library), (5, 2, 0));
    }
}
