//! One kernel of a matrix: what the program in it said.

use std::collections::BTreeMap;
use std::io;
use std::process::Command;
use std::time::{Duration, Instant};

use pidlab_kernels::{Bounds, Ending, Kernel};
use serde_json::Value;

use super::Arguments;
use crate::cli::guests::{self, Known};

/// Where a column comes from.
pub(super) enum Place {
    /// This machine's own kernel.
    Native,
    /// Another one.
    Guest(Kernel),
}

impl Place {
    pub(super) fn name(&self) -> &str {
        match self {
            Place::Native => "native",
            Place::Guest(kernel) => &kernel.name,
        }
    }
}

/// What came of one kernel.
pub(super) struct Column {
    pub(super) name: String,
    pub(super) release: Option<String>,
    pub(super) from: Option<String>,
    pub(super) facts: BTreeMap<String, bool>,
    /// Each scenario of the library, and how it came out, as `pidlab check` writes it.
    pub(super) scenarios: Vec<Value>,
    pub(super) summary: Value,
    /// What random scenarios came to, as `pidlab fuzz` writes it.
    pub(super) random: Vec<Value>,
    /// Why nothing is known, if it is so.
    pub(super) cut: Option<String>,
    pub(super) boot: Option<Duration>,
    pub(super) took: Duration,
}

/// Runs the library on a kernel, and random scenarios if they are wanted.
pub(super) fn of(place: &Place, arguments: &Arguments) -> io::Result<Column> {
    let begun = Instant::now();
    let mut check = vec!["check", "--format", "json", "--shortest"];
    check.extend(arguments.only.iter().map(String::as_str));
    let mut told = asked(place, &check)?;
    let mut column = Column {
        name: place.name().to_owned(),
        release: told.release.take(),
        from: match place {
            Place::Native => None,
            Place::Guest(kernel) => kernel.from.clone(),
        },
        facts: BTreeMap::new(),
        scenarios: Vec::new(),
        summary: Value::Null,
        random: Vec::new(),
        cut: told.cut,
        boot: told.boot,
        took: Duration::ZERO,
    };
    for line in told.lines {
        match line.get("summary") {
            Some(summary) => column.summary = summary.clone(),
            None => column.scenarios.push(line),
        }
    }
    column.release = column.summary["kernel"].as_str().map(str::to_owned).or(column.release);
    if let Some(facts) = column.summary["facts"].as_object() {
        column.facts = facts.iter().map(|(name, holds)| (name.clone(), *holds == true)).collect();
    }
    if let (Place::Guest(kernel), Some(release), false) = (place, &column.release, column.facts.is_empty()) {
        Known::remember(kernel, release, &column.facts);
    }
    if let (Some(steps), None) = (arguments.fuzz, &column.cut) {
        let (steps, seed) = (steps.to_string(), arguments.seed.to_string());
        let told = asked(place, &["fuzz", "--format", "json", "--steps", &steps, "--seed", &seed])?;
        column.random = told.lines;
        column.cut = told.cut.map(|why| format!("with random scenarios: {why}"));
    }
    column.took = begun.elapsed();
    Ok(column)
}

/// What a command said.
struct Said {
    lines: Vec<Value>,
    release: Option<String>,
    boot: Option<Duration>,
    cut: Option<String>,
}

fn asked(place: &Place, command: &[&str]) -> io::Result<Said> {
    let kernel = match place {
        Place::Guest(kernel) => kernel,
        Place::Native => return native(command),
    };
    let told = guests::ask(kernel, command, Bounds::here())?;
    let cut = match &told.past.ending {
        Ending::Ended(0..=4) => told.errors.first().filter(|_| told.lines.is_empty()).cloned(),
        Ending::Ended(code) => Some(format!("the program in the guest ended with {code}: {}", told.errors.join("; "))),
        Ending::Unavailable(reason, remedy) => Some(format!("{reason} ({remedy})")),
        Ending::Cut(why, console) => {
            let last = console.iter().rev().take(5).rev().cloned().collect::<Vec<_>>().join("\n");
            Some(format!("the guest {why}\n{last}"))
        }
    };
    Ok(Said { lines: told.lines, release: told.past.release, boot: told.past.boot, cut })
}

fn native(command: &[&str]) -> io::Result<Said> {
    let output = Command::new("/proc/self/exe").args(command).env("NO_COLOR", "1").output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let complaint = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    let cut = lines.is_empty().then_some(complaint);
    Ok(Said { lines, release: None, boot: None, cut })
}
