//! `pidlab check`: the main job.

mod checked;
mod finding;
mod json;
mod junit;
mod ktap;
mod report;
mod text;
mod totals;

use std::io::{self, Write};
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use pidlab_realkernel::Priority;
use pidlab_scenario::one_line;

use self::checked::{Asked, Checked};
use self::report::Report;
use self::text::{Amount, Text};
use self::totals::Totals;
use super::elsewhere::{self, Elsewhere, Files};
use super::shard::Shard;
use super::{Belief, End, Looking, Out, fix};
use crate::input::{Invalid, Source};
use crate::kernel::{self, Labs, On, Plan};
use crate::select::Words;

#[derive(Args)]
#[command(after_help = "\
Examples:
  pidlab check                          the whole library
  pidlab check mine.toml -v             a file, with every step
  pidlab check orphans 'death/*init*'   a chapter, and a pattern
  pidlab check --rule reap.subreaper    what shows a rule
  pidlab check mine.toml --fix          write the claims that are true
  pidlab check --format ktap            for the kernel's test tools")]
pub(super) struct Arguments {
    #[command(flatten)]
    belief: Belief,
    #[command(flatten)]
    words: Words,
    #[command(flatten)]
    elsewhere: Elsewhere,
    #[command(flatten)]
    looking: Looking,
    /// Which machines run.
    #[arg(long, value_enum, default_value = "both")]
    on: On,
    /// How results are written.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// How many scenarios run at once [default: one per CPU].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// Show every step of every scenario.
    #[arg(long, short, conflicts_with = "quiet")]
    verbose: bool,
    /// Show only failures and the summary.
    #[arg(long, short)]
    quiet: bool,
    /// Treat skipped scenarios as failures.
    #[arg(long)]
    no_skip: bool,
    /// Write into the files, in place of the claims that fail, those that are true.
    #[arg(long, conflicts_with_all = ["format", "quiet", "verbose", "no_skip", "believe", "fail_fast", "timeout", "kernel"])]
    fix: bool,
    /// Shorten what differs, and add it to the JSON as a scenario and as a C program.
    #[arg(long, conflicts_with_all = ["fix", "timeout"])]
    shortest: bool,
    /// Stop at the first failure.
    #[arg(long)]
    fail_fast: bool,
    /// Run only one of so many parts of the scenarios: 1/4 is the first of four. `pidlab merge` puts the results together.
    #[arg(long, value_name = "K/N")]
    shard: Option<Shard>,
    /// Give up a scenario after this time: it is not decided then.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<Duration>,
}

/// How results are written.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
    /// The kernel's Test Anything Protocol.
    Ktap,
    /// JUnit's XML.
    Junit,
}

/// Reads a time limit.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(limit) if !limit.is_zero() => Ok(limit),
        _ => Err("not a time that can pass".to_owned()),
    }
}

pub(super) fn check(out: &mut Out, arguments: &Arguments) -> io::Result<End> {
    let files = Files { words: arguments.words.what.clone(), ..Files::default() };
    if let Some(ended) = arguments.elsewhere.enter(out, &files) {
        return ended;
    }
    let entries = match super::selected(arguments.words.select()) {
        Ok(selection) => selection.entries,
        Err(end) => return Ok(end),
    };
    let shard = arguments.shard.unwrap_or(Shard::WHOLE);
    let part = entries.into_iter().enumerate().filter(|(index, _)| shard.takes(*index));
    let entries: Vec<_> = part.map(|(_, entry)| entry).collect();
    let jobs = arguments.jobs.map_or_else(super::default_jobs, usize::from).min(entries.len().max(1));
    let (labs, on, no_kernel) = match super::open_labs(arguments.on, jobs, arguments.looking.options()) {
        Ok(labs) => (labs, arguments.on, false),
        Err(_) if arguments.on == On::Kernel => return Ok(End::NoKernel),
        Err(_) => (Labs::none(), On::Model, true),
    };
    if arguments.fix {
        return fix::fix(out, &entries, labs, on);
    }
    let asked = Asked { replay: replay(arguments), no_kernel };
    let kernel = labs.kernel().cloned();
    let totals = Totals::new(on, kernel, arguments.words.are_none() && shard == Shard::WHOLE, entries.len());
    let bar = progress(entries.len());
    let mut written = Written { out, report: arguments.report(), totals, progress: bar.clone() };
    let mut going = written.start(&entries);
    kernel::spread(
        labs,
        jobs,
        Plan { on, belief: arguments.belief.believe },
        if going.is_ok() { entries.len() } else { 0 },
        |worker, index| {
            let begun = Instant::now();
            let judged = entries[index].as_ref().ok().map(|Source { scenario, .. }| {
                let (name, all) = (one_line(&scenario.name), scenario.steps.len());
                let told = |steps| bar.set_message(format!("{name}: step {steps} of {all}"));
                let judged = worker.judge_within(scenario, arguments.timeout, told);
                let found = arguments.shortest.then(|| finding::of(worker, scenario, &judged)).flatten();
                (judged, found)
            });
            (judged, begun.elapsed())
        },
        |index, (judged, took)| {
            let (judged, found) = judged.unzip();
            let mut checked = match (&entries[index], judged) {
                (Ok(source), Some(judged)) => Checked::judged(source, judged, took, &asked),
                (Err(invalid), _) => Checked::invalid(invalid, &asked),
                (Ok(_), None) => unreachable!("what is a scenario is judged"),
            };
            checked.found = found.flatten();
            going = written.take(&checked);
            going.is_ok() && !(arguments.fail_fast && checked.word.is_failure())
        },
    );
    going?;
    written.finish(arguments.no_skip)
}

impl Arguments {
    fn report(&self) -> Box<dyn Report> {
        match self.format {
            Format::Text if self.verbose => Box::new(Text::new(Amount::Steps)),
            Format::Text if self.quiet => Box::new(Text::new(Amount::Quiet)),
            Format::Text => Box::new(Text::new(Amount::Chapters)),
            Format::Json => Box::new(json::Json),
            Format::Ktap => Box::new(ktap::Ktap::default()),
            Format::Junit => Box::new(junit::Junit::default()),
        }
    }
}

/// The command that shows one scenario as it was checked, up to its name.
fn replay(arguments: &Arguments) -> String {
    let mut command = format!("pidlab run{}", elsewhere::again());
    if arguments.on != On::Both {
        command += if arguments.on == On::Model { " --on model" } else { " --on kernel" };
    }
    if let Some(belief) = arguments.belief.believe {
        command += &format!(" --misconception {}", belief.word());
    }
    command + &arguments.looking.again(Priority::Auto)
}

/// A bar on standard error, drawn only on a terminal.
fn progress(scenarios: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {pos} of {len} {msg}");
    let bar = ProgressBar::new(scenarios as u64);
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// The report as it is written, what was counted, and how far it is.
struct Written<'a> {
    out: &'a mut Out,
    report: Box<dyn Report>,
    totals: Totals,
    progress: ProgressBar,
}

impl Written<'_> {
    fn start<'e>(&mut self, entries: &'e [Result<Source, Invalid>]) -> io::Result<()> {
        let name = |entry: &'e Result<Source, Invalid>| match entry {
            Ok(source) => &*source.scenario.name,
            Err(invalid) => &*invalid.name,
        };
        let names: Vec<&str> = entries.iter().map(name).collect();
        self.report.start(self.out, &names, &self.totals)
    }

    fn take(&mut self, checked: &Checked<'_>) -> io::Result<()> {
        self.progress.inc(1);
        self.progress.set_message(one_line(checked.name).into_owned());
        self.totals.take(checked);
        // What is written comes at once, and not into the bar.
        self.progress.suspend(|| self.report.take(self.out, checked).and_then(|()| self.out.flush()))
    }

    fn finish(mut self, no_skip: bool) -> io::Result<End> {
        self.progress.finish_and_clear();
        self.report.finish(self.out, &self.totals)?;
        Ok(self.totals.end(no_skip))
    }
}
