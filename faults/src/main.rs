//! `pidlab-faults`: is a wrong model noticed?
//!
//! The table `faults.toml` has mistakes as somebody who knows Linux might make them, each a change of a line or two. All are planted into
//! a copy of the workspace, each behind a switch, so that one build serves them all. Then each is turned on, one at a time, and the
//! library of scenarios and random steps are run on the model and on this kernel, and the tests.
#![forbid(unsafe_code)]

mod copy;
mod mutants;
mod plant;
mod report;
mod table;
mod trial;

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;

use copy::Copy;
use report::Row;
use table::{Fault, Kind, Table};
use trial::{Bench, Seen, Space};

/// Seeds of the random runs.
const SEEDS: [u64; 3] = [1, 2, 3];

/// Plants faults into a copy of pidlab, one at a time, and measures what notices them.
#[derive(Parser)]
#[command(name = "pidlab-faults", max_term_width = 80)]
struct Arguments {
    /// Only this fault; can be given more than once.
    #[arg(long, value_name = "ID")]
    only: Vec<String>,
    /// Only every N-th of them, from the first on: a sample.
    #[arg(long, value_name = "N", default_value_t = NonZeroUsize::MIN, conflicts_with = "only")]
    every: NonZeroUsize,
    /// How many scenarios run at once [default: one a CPU].
    #[arg(long, value_name = "N")]
    jobs: Option<u16>,
    /// How many random steps of each of three seeds.
    #[arg(long, default_value_t = 20_000)]
    steps: u64,
    /// Also run the tests of the crate that is mistaken, and those of the comparison.
    #[arg(long)]
    tests: bool,
    /// Where the model allows too much, also count which outcomes are never seen in so many random steps.
    #[arg(long, value_name = "STEPS")]
    outcomes: Option<u64>,
    /// Not the table, but the changes that `cargo mutants --list --json` has written into this file.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["tests", "outcomes"])]
    mutants: Option<PathBuf>,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(all_noticed) if all_noticed => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(1),
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::from(2)
        }
    }
}

/// Answers whether every fault was noticed that can be.
fn run(arguments: &Arguments) -> Result<bool, String> {
    let (table, copy) = planted(arguments)?;
    if let Some(unknown) = arguments.only.iter().find(|id| table.fault.iter().all(|fault| fault.id != **id)) {
        return Err(format!("there is no fault `{unknown}`"));
    }
    let pidlab = copy.build()?;
    let tests = match arguments {
        Arguments { mutants: Some(_), .. } => {
            let mut tests = copy.tests(&["--package", "pidlab", "--test", "library"])?;
            tests.extend(copy.tests(&["--package", "pidlab-sim", "--tests"])?);
            tests
        }
        Arguments { tests: true, .. } => tests(&copy)?,
        _ => Vec::new(),
    };
    let bench =
        Bench { pidlab, tests, jobs: arguments.jobs, steps: arguments.steps, wild: arguments.mutants.is_some() };
    let sound = Sound::of(&bench, arguments)?;
    let mut rows = Vec::new();
    let asked = table.numbered().filter(|(_, fault)| arguments.only.is_empty() || arguments.only.contains(&fault.id));
    let asked = asked.step_by(arguments.every.get());
    let mut out = io::stdout().lock();
    if !arguments.json {
        writeln!(out, "{}", report::heading()).map_err(|error| error.to_string())?;
    }
    for (number, fault) in asked {
        let row = trial(&bench, &sound, arguments, number, fault);
        let line = if arguments.json { report::json(&row) } else { row.line() };
        writeln!(out, "{line}").map_err(|error| error.to_string())?;
        rows.push(row);
    }
    let written = if arguments.json {
        writeln!(out, "{}", report::json_summary(&rows))
    } else {
        report::summary(&mut out, &rows)
    };
    written.map_err(|error| error.to_string())?;
    Ok(rows.iter().all(|row| row.unseen.is_some() || row.is_noticed()))
}

/// The faults that were asked for, and a copy in which they are planted.
fn planted(arguments: &Arguments) -> Result<(Table, Copy), String> {
    let Some(list) = &arguments.mutants else {
        let table = Table::read()?;
        let copy = Copy::make(&table)?;
        return Ok((table, copy));
    };
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("the workspace is not there any more")?;
    let (mut table, mut left_out) = mutants::table(list, workspace)?;
    loop {
        if table.fault.is_empty() {
            return Err(format!("{}: none of {left_out} changes can be planted in these sources", list.display()));
        }
        let copy = Copy::make(&table)?;
        let wrong = copy.faults_that_do_not_build()?;
        if wrong.is_empty() {
            eprintln!("{} changes; {left_out} others have no form with a switch, or do not build", table.fault.len());
            return Ok((table, copy));
        }
        left_out += wrong.len();
        let kept = (1..).zip(table.fault).filter(|(number, _)| !wrong.contains(number));
        table.fault = kept.map(|(_, fault)| fault).collect();
    }
}

fn tests(copy: &Copy) -> Result<Vec<(PathBuf, PathBuf)>, String> {
    let mut tests = copy.tests(&["--package", "pidlab-sim", "--tests"])?;
    tests.extend(copy.tests(&["--package", "pidlab-realkernel", "--tests"])?);
    tests.extend(copy.tests(&["--package", "pidlab", "--test", "compare"])?);
    Ok(tests)
}

/// How it is without any fault.
struct Sound {
    failing: BTreeSet<String>,
    unseen: BTreeSet<String>,
    /// Nothing where no space is explored.
    spaces: Vec<Space>,
}

impl Sound {
    fn of(bench: &Bench, arguments: &Arguments) -> Result<Sound, String> {
        let runs = std::iter::once(bench.library(0, "auto")).chain(SEEDS.iter().map(|seed| bench.fuzz(0, *seed)));
        for seen in runs {
            if seen != Seen::Nothing {
                return Err(format!("something is noticed without any fault: {seen:?}"));
            }
        }
        let failing = bench.failing(0, |_| true);
        for test in &failing {
            eprintln!("fails without any fault and does not count: {test}");
        }
        let unseen = match arguments.outcomes {
            Some(steps) => {
                bench.outcomes(0, steps).map_err(|seen| format!("no outcomes without any fault: {seen:?}"))?
            }
            None => BTreeSet::new(),
        };
        let spaces = if bench.wild { bench.spaces(0) } else { Ok(Vec::new()) };
        let spaces = spaces.map_err(|seen| format!("something is wrong with a space without any fault: {seen:?}"))?;
        Ok(Sound { failing, unseen, spaces })
    }
}

fn trial<'a>(bench: &Bench, sound: &Sound, arguments: &Arguments, number: usize, fault: &'a Fault) -> Row<'a> {
    if bench.wild {
        return first_that_notices(bench, sound, number, fault);
    }
    let mut library = bench.library(number, "auto");
    if fault.kind == Kind::Blind && !library.is_noticed() {
        // There are two ways to look, and what is wrong with one of them is seen with that one.
        library = bench.library(number, "procfs");
    }
    let fuzz = SEEDS.iter().map(|seed| bench.fuzz(number, *seed)).collect();
    let mut row = Row::new(fault, library, fuzz);
    if arguments.tests {
        let is_asked = |folder: &Path| is_asked(fault, folder);
        let failing = bench.failing(number, is_asked);
        row.tests = Some(failing.difference(&sound.failing).cloned().collect());
    }
    if let Some(steps) = arguments.outcomes.filter(|_| fault.kind == Kind::AllowsTooMuch) {
        row.outcomes = Some(match bench.outcomes(number, steps) {
            Ok(unseen) => unseen.difference(&sound.unseen).cloned().collect(),
            Err(_) => Vec::new(),
        });
    }
    row
}

/// The cheapest first, and no more than is needed: most of a thousand changes are noticed by what the scenarios claim.
fn first_that_notices<'a>(bench: &Bench, sound: &Sound, number: usize, fault: &'a Fault) -> Row<'a> {
    let mut row = Row::new(fault, bench.claims(number), Vec::new());
    let new = |failing: BTreeSet<String>| failing.difference(&sound.failing).cloned().collect();
    let is_sims = |folder: &Path| folder.ends_with("sim");
    if !row.is_noticed() {
        // What only changes reasons is seen in the snapshots of the library.
        row.tests = Some(new(bench.failing(number, |folder| !is_sims(folder))));
    }
    if !row.is_noticed() {
        row.library = bench.library(number, "auto");
    }
    for seed in SEEDS {
        if !row.is_noticed() {
            row.fuzz.push(bench.fuzz(number, seed));
        }
    }
    if !row.is_noticed() {
        row.tests = Some(new(bench.failing(number, is_sims)));
    }
    if !row.is_noticed() {
        match bench.spaces(number) {
            Ok(spaces) => (row.sentences, row.equal) = (Some(Seen::Nothing), Some(spaces == sound.spaces)),
            Err(seen) => row.sentences = Some(seen),
        }
    }
    row
}

/// Whether the tests in this folder are about a fault: those of the crate that it is in, and of the comparison, which is in two crates.
fn is_asked(fault: &Fault, folder: &Path) -> bool {
    let of_crate = |name: &str| fault.edits.iter().any(|edit| edit.file.starts_with(&format!("{name}/")));
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    match name {
        "sim" | "realkernel" => of_crate(name),
        _ => fault.kind == Kind::Blind,
    }
}
