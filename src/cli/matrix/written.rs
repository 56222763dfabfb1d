//! The forms of a matrix for people and for the programs that collect test results.

use std::io::{self, Write};

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::column::Column;
use super::report::{Matrix, Row, count, described};

/// What the cells of a table mean.
const FACTS: &str = "facts: + holds, . does not, ? is not known";
const DIFFERENCES: &str = "differences: + agrees, D differs, C a claim failed, N not decided, m on the model only, s skipped, ! no result, ? not known";

impl Matrix {
    pub(super) fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "   kernel        Linux                       ok  differ  model  boot   all")?;
        for (letter, column) in letters().zip(&self.columns) {
            let boot = column.boot.map_or("   -".to_owned(), |boot| format!("{:4.1}", boot.as_secs_f64()));
            let release = column.release.as_deref().unwrap_or("?");
            writeln!(
                out,
                "{letter}  {:<13} {release:<26} {:>3}  {:>6}  {:>5}  {boot} {:>5.1}",
                column.name,
                count(column, "agrees"),
                differ(column),
                count(column, "model_only"),
                column.took.as_secs_f64(),
            )?;
        }
        for (rows, meaning) in [(self.facts(), FACTS), (self.differences(), DIFFERENCES)] {
            if rows.is_empty() {
                continue;
            }
            writeln!(out, "\n{}", textwrap::fill(meaning, crate::words::page()))?;
            let heads: Vec<String> = letters().take(self.columns.len()).map(String::from).collect();
            writeln!(out, "{:48}{}", "", heads.join(" "))?;
            for row in rows {
                writeln!(out, "{:<47} {}", row.name, row.cells.join(" "))?;
            }
        }
        for (number, finding) in self.findings.iter().enumerate() {
            let names: Vec<&str> = finding.seen.iter().map(|index| self.columns[*index].name.as_str()).collect();
            writeln!(out, "\nfinding {}: {} on {}", number + 1, finding.name, names.join(", "))?;
            writeln!(out, "{}\n{}", finding.scenario.trim_end(), finding.report)?;
            match &finding.program {
                Ok(_) => writeln!(out, "--findings DIR writes a C program that shows it")?,
                Err(why) if why.is_empty() => {}
                Err(why) => writeln!(out, "there is no C program: {why}")?,
            }
        }
        for column in &self.columns {
            if let Some(why) = &column.cut {
                writeln!(out, "\n{}: {why}", column.name)?;
            }
        }
        let cut = self.columns.iter().filter(|column| column.cut.is_some()).count();
        writeln!(out, "\nkernels {}, findings {}, cut off {cut}", self.columns.len(), self.findings.len())
    }

    pub(super) fn markdown(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            "| kernel | Linux | from | agree | differ | model only | to repeat it |\n|---|---|---|---|---|---|---|"
        )?;
        for column in &self.columns {
            let option = if column.name == "native" { String::new() } else { format!(" --kernel {}", column.name) };
            writeln!(
                out,
                "| {} | {} | {} | {} | {} | {} | `pidlab check{option}` |",
                column.name,
                column.release.as_deref().unwrap_or("?"),
                column.from.as_deref().unwrap_or("this machine"),
                count(column, "agrees"),
                differ(column),
                count(column, "model_only"),
            )?;
        }
        for (rows, meaning) in [(self.facts(), FACTS), (self.differences(), DIFFERENCES)] {
            if rows.is_empty() {
                continue;
            }
            let names: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
            writeln!(out, "\n{meaning}\n\n| | {} |\n|---|{}", names.join(" | "), "---|".repeat(names.len()))?;
            for Row { name, cells } in rows {
                writeln!(out, "| `{name}` | {} |", cells.join(" | "))?;
            }
        }
        Ok(())
    }

    pub(super) fn html(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            "<!DOCTYPE html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>pidlab matrix</title>\n<style>\n\
             body {{ font: 15px/1.4 sans-serif; margin: 2em; }} table {{ border-collapse: collapse; margin: 1em 0; }}\n\
             td, th {{ border: 1px solid #bbb; padding: .2em .6em; text-align: left; }} pre {{ background: #f4f4f4; padding: 1em; }}\n\
             .D, .C, .cut {{ background: #f8c8c0; }}\n</style>\n<h1>Kernels</h1>"
        )?;
        writeln!(out, "<table><tr><th>kernel<th>Linux<th>agree<th>differ<th>model only<th>seconds")?;
        for column in &self.columns {
            let (name, release) = (escaped(&column.name), escaped(column.release.as_deref().unwrap_or("?")));
            let (ok, model, took) = (count(column, "agrees"), count(column, "model_only"), column.took.as_secs_f64());
            writeln!(out, "<tr><td>{name}<td>{release}<td>{ok}<td>{}<td>{model}<td>{took:.1}", differ(column))?;
            if let Some(why) = &column.cut {
                writeln!(out, "<tr><td class=\"cut\" colspan=\"6\">{}", escaped(why))?;
            }
        }
        writeln!(out, "</table>")?;
        for (rows, title, meaning) in [(self.facts(), "Facts", FACTS), (self.differences(), "Differences", DIFFERENCES)]
        {
            writeln!(out, "<h2>{title}</h2><p>{}</p>\n<table><tr><th>", escaped(meaning))?;
            for column in &self.columns {
                write!(out, "<th>{}", escaped(&column.name))?;
            }
            for Row { name, cells } in rows {
                write!(out, "\n<tr><th>{}", escaped(name))?;
                for cell in cells {
                    write!(out, "<td class=\"{cell}\">{cell}")?;
                }
            }
            writeln!(out, "\n</table>")?;
        }
        for finding in &self.findings {
            writeln!(out, "<h2>{}</h2>", escaped(&finding.name))?;
            for text in [&finding.scenario, &finding.report].into_iter().chain(finding.program.as_ref().ok()) {
                writeln!(out, "<pre>{}</pre>", escaped(text))?;
            }
        }
        writeln!(out, "</html>")
    }

    pub(super) fn junit(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut report = Report::new("pidlab matrix");
        for column in &self.columns {
            let mut suite = TestSuite::new(described(column));
            for line in &column.scenarios {
                let status = match line["result"].as_str() {
                    Some("agrees") => TestCaseStatus::success(),
                    Some("model-only" | "skipped") => TestCaseStatus::skipped(),
                    other => {
                        let mut failure = TestCaseStatus::non_success(NonSuccessKind::Failure);
                        failure.set_type(other.unwrap_or("no-result"));
                        failure.set_description(line["finding"]["report"].as_str().unwrap_or_default());
                        failure
                    }
                };
                suite.add_test_case(TestCase::new(line["scenario"].as_str().unwrap_or_default(), status));
            }
            if let Some(why) = &column.cut {
                let mut error = TestCaseStatus::non_success(NonSuccessKind::Error);
                error.set_description(why.as_str());
                suite.add_test_case(TestCase::new("the guest", error));
            }
            report.add_test_suite(suite);
        }
        let text = report.to_string().map_err(io::Error::other)?;
        writeln!(out, "{}", text.trim_end())
    }
}

/// How KTAP begins: so many kernels will be told of.
pub(super) fn ktap_head(out: &mut dyn Write, kernels: usize) -> io::Result<()> {
    writeln!(out, "KTAP version 1\n1..{kernels}")?;
    out.flush()
}

/// A kernel in KTAP, as soon as it is done, and with the number that it has among those that are: whatever ends this program later, the
/// file can be read up to there.
pub(super) fn ktap(out: &mut dyn Write, number: usize, column: &Column) -> io::Result<()> {
    writeln!(out, "  KTAP version 1\n  1..{}", column.scenarios.len())?;
    for (number, line) in column.scenarios.iter().enumerate() {
        let name = line["scenario"].as_str().unwrap_or_default();
        let (ok, directive) = match line["result"].as_str() {
            Some("agrees") => ("ok", String::new()),
            Some(skipped @ ("model-only" | "skipped")) => ("ok", format!(" # SKIP {skipped}")),
            other => ("not ok", format!(" # {}", other.unwrap_or("no result"))),
        };
        writeln!(out, "  {ok} {} {name}{directive}", number + 1)?;
    }
    if let Some(why) = &column.cut {
        why.lines().try_for_each(|line| writeln!(out, "  # {line}"))?;
    }
    let ok = if column.cut.is_none() && differ(column) == 0 { "ok" } else { "not ok" };
    writeln!(out, "{ok} {number} {}", described(column).replace('#', "_"))?;
    out.flush()
}

/// How many scenarios did not come out as they should.
fn differ(column: &Column) -> u64 {
    ["differs", "claim_failed", "not_decided", "no_result", "invalid"].iter().map(|word| count(column, word)).sum()
}

fn letters() -> impl Iterator<Item = char> {
    ('a'..='z').chain('A'..='Z').chain(std::iter::repeat('*'))
}

/// A text as HTML has it.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
