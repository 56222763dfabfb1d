//! A matrix as it is told: kernels, facts and differences.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use serde_json::{Value, json};

use super::column::Column;
use crate::cli::End;

/// All kernels, and what no fact explains.
pub(super) struct Matrix {
    pub(super) columns: Vec<Column>,
    pub(super) findings: Vec<Finding>,
}

/// A difference that no fact explains, wherever it was seen.
pub(super) struct Finding {
    /// What it is called: the scenario that it was found with.
    pub(super) name: String,
    /// The columns in which it was seen.
    pub(super) seen: BTreeSet<usize>,
    /// The shortest scenario.
    pub(super) scenario: String,
    pub(super) report: String,
    /// A C program that shows it alone, or why there is none.
    pub(super) program: Result<String, String>,
}

/// One row of a table over kernels: a name, and a word for each kernel.
pub(super) struct Row<'a> {
    pub(super) name: &'a str,
    pub(super) cells: Vec<&'a str>,
}

impl Matrix {
    pub(super) fn new(columns: Vec<Column>) -> Matrix {
        let mut findings: Vec<Finding> = Vec::new();
        for (index, column) in columns.iter().enumerate() {
            let checked =
                column.scenarios.iter().filter_map(|line| Some((text(line, "scenario"), line.get("finding")?)));
            let random = column.random.iter().filter_map(|line| Some(("random".to_owned(), line.get("difference")?)));
            for (name, found) in checked.chain(random) {
                let scenario = text(found, "scenario");
                // What is found with two scenarios and comes to the same steps is one finding.
                match findings.iter_mut().find(|known| steps(&known.scenario) == steps(&scenario)) {
                    Some(known) => {
                        known.seen.insert(index);
                    }
                    None => findings.push(Finding {
                        name,
                        seen: [index].into(),
                        report: text(found, "report"),
                        program: found["program"].as_str().map(str::to_owned).ok_or_else(|| text(found, "no_program")),
                        scenario,
                    }),
                }
            }
        }
        Matrix { columns, findings }
    }

    /// How it ends: a difference, then what is not known.
    pub(super) fn end(&self) -> End {
        let is =
            |word: &str| self.columns.iter().flat_map(|column| &column.scenarios).any(|line| line["result"] == word);
        if !self.findings.is_empty() || is("differs") || is("claim-failed") {
            End::Differ
        } else if is("not-decided") || is("no-result") || self.columns.iter().any(|column| column.cut.is_some()) {
            End::NotDecided
        } else {
            End::Agree
        }
    }

    /// Each fact, and whether it holds: `+`, `.`, or `?` where nothing is known.
    pub(super) fn facts(&self) -> Vec<Row<'_>> {
        let names: BTreeSet<&String> = self.columns.iter().flat_map(|column| column.facts.keys()).collect();
        let cell = |column: &Column, name: &String| match column.facts.get(name) {
            Some(true) => "+",
            Some(false) => ".",
            None => "?",
        };
        let row = |name: &'_ String| self.columns.iter().map(|column| cell(column, name)).collect();
        names.into_iter().map(|name| Row { name, cells: row(name) }).collect()
    }

    /// The scenarios that did not agree everywhere, and how each came out.
    pub(super) fn differences(&self) -> Vec<Row<'_>> {
        let failed = |line: &&Value| !matches!(line["result"].as_str(), Some("agrees" | "model-only" | "skipped"));
        let failing = self.columns.iter().flat_map(|column| column.scenarios.iter().filter(failed));
        let names: BTreeSet<&str> = failing.filter_map(|line| line["scenario"].as_str()).collect();
        let of = |column: &'_ Column| -> BTreeMap<String, String> {
            column.scenarios.iter().map(|line| (text(line, "scenario"), text(line, "result"))).collect()
        };
        let results: Vec<BTreeMap<String, String>> = self.columns.iter().map(of).collect();
        let cell = |results: &BTreeMap<String, String>, name: &str| match results.get(name).map(String::as_str) {
            Some("agrees") => "+",
            Some("model-only") => "m",
            Some("skipped") => "s",
            Some("differs") => "D",
            Some("claim-failed") => "C",
            Some("not-decided") => "N",
            Some(_) => "!",
            None => "?",
        };
        let row = |name: &str| results.iter().map(|results| cell(results, name)).collect();
        names.into_iter().map(|name| Row { name, cells: row(name) }).collect()
    }

    /// Writes a scenario, a report and a C program for each finding.
    pub(super) fn write_findings(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        for (index, finding) in self.findings.iter().enumerate() {
            let name = format!("{:02}-{}", index + 1, finding.name.replace('/', "-"));
            fs::write(folder.join(format!("{name}.toml")), &finding.scenario)?;
            fs::write(folder.join(format!("{name}.md")), self.page(finding))?;
            if let Ok(program) = &finding.program {
                fs::write(folder.join(format!("{name}.c")), program)?;
            }
        }
        Ok(())
    }

    /// A finding as a page that says what a maintainer would ask.
    fn page(&self, finding: &Finding) -> String {
        let seen = |wanted: bool| -> Vec<String> {
            let columns = self.columns.iter().enumerate();
            let wanted =
                columns.filter(|(index, column)| finding.seen.contains(index) == wanted && column.cut.is_none());
            wanted.map(|(_, column)| format!("- {}\n", described(column))).collect()
        };
        let program = match &finding.program {
            Ok(program) => format!("## As a C program\n\n```c\n{program}```\n"),
            Err(why) if why.is_empty() => String::new(),
            Err(why) => format!("There is no C program: {why}.\n"),
        };
        format!(
            "# {}\n\nSeen on\n\n{}\nnot on\n\n{}\n## The shortest scenario\n\n```toml\n{}```\n\n```text\n{}\n```\n\n{program}",
            finding.name,
            seen(true).concat(),
            seen(false).concat(),
            finding.scenario,
            finding.report,
        )
    }

    pub(super) fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        for column in &self.columns {
            let random = column.random.iter().find_map(|line| line.get("summary"));
            let line = json!({
                "kernel": column.name, "release": column.release, "from": column.from, "facts": column.facts,
                "summary": column.summary, "random": random, "cut": column.cut, "scenarios": column.scenarios,
                "boot_seconds": column.boot.map(|boot| boot.as_secs_f64()), "seconds": column.took.as_secs_f64(),
            });
            writeln!(out, "{line}")?;
        }
        for finding in &self.findings {
            let kernels: Vec<&str> = finding.seen.iter().map(|index| self.columns[*index].name.as_str()).collect();
            let line = json!({ "finding": {
                "name": finding.name, "kernels": kernels, "scenario": finding.scenario, "report": finding.report,
                "program": finding.program.as_ref().ok(),
            }});
            writeln!(out, "{line}")?;
        }
        let cut = self.columns.iter().filter(|column| column.cut.is_some()).count();
        let summary = json!({ "kernels": self.columns.len(), "findings": self.findings.len(), "cut": cut });
        writeln!(out, "{}", json!({ "summary": summary }))
    }
}

/// A kernel in a line.
pub(super) fn described(column: &Column) -> String {
    let release = column.release.as_deref().unwrap_or("?");
    let from = column.from.as_ref().map(|from| format!(", {from}")).unwrap_or_default();
    format!("{} (Linux {release}{from})", column.name)
}

/// How many scenarios came out so.
pub(super) fn count(column: &Column, word: &str) -> u64 {
    column.summary[word].as_u64().unwrap_or_default()
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

/// The steps of a scenario's file, without what it is called.
fn steps(scenario: &str) -> &str {
    scenario.find("steps").map_or(scenario, |at| &scenario[at..])
}
