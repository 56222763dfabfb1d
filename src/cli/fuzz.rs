//! `pidlab fuzz`: random scenarios on both sides.

mod corpus;
mod rare;
mod tally;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use pidlab_realkernel::{Priority, RunOptions, Sharing};
use pidlab_scenario::Scenario;
use pidlab_scenario::random::Choice;
use pidlab_sim::{Model, rule};

use self::corpus::{Corpus, Kept};
use self::rare::{Draw, Rare};
use self::tally::Tally;
use super::elsewhere::{self, Elsewhere, Files};
use super::outcomes::{self, Counted, Open};
use super::shard::Shard;
use super::{Belief, End, Format, Looking, Out};
use crate::compare::{Problem, Verdict};
use crate::kernel::{self, Judged, Labs, On, Plan, Worker};
use crate::random::{self, Choices};
use crate::{standalone, tell};

/// Replays that shrinking one scenario may take.
const REPLAYS: usize = 200;
/// Differences that are told with --keep-going; more of them say no more.
const MOST_FOUND: usize = 100;
/// How many scenarios a place may not let run before it is given up, if they are most of all.
const MOST_SKIPPED: u64 = 100;

#[derive(Args)]
#[command(after_help = "\
The same seed makes the same scenarios. One that differs is shrunk, and printed
as a scenario file.

Examples:
  pidlab fuzz                                  2000 steps of a new seed
  pidlab fuzz --time 600 --save found.toml     ten minutes
  pidlab fuzz --time 3600 --keep-going --corpus found   all that an hour finds
  pidlab fuzz --seed 1 --steps 20000 --rules   which rules came up
  pidlab fuzz --misconception init-dies-from-inside")]
pub(super) struct Arguments {
    #[command(flatten)]
    belief: Belief,
    #[command(flatten)]
    elsewhere: Elsewhere,
    #[command(flatten)]
    looking: Looking,
    /// How many steps to run at least [default: 2000, or as many as there is time for].
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    steps: Option<u64>,
    /// Start no further scenario after so many seconds.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    time: Option<u64>,
    /// Seed of the random generator; chosen and printed if absent.
    #[arg(long)]
    seed: Option<u64>,
    /// How many steps a scenario has at most.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=200))]
    length: u16,
    /// Which side runs.
    #[arg(long, value_enum, default_value = "both")]
    on: On,
    /// How many scenarios run at once [default: one per CPU].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// How the results are written.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Also print how often each rule fired, which never did, and which two never did in one scenario.
    #[arg(long)]
    rules: bool,
    /// Also count the outcomes that the model allows where it allows several, and name those that the kernel never takes (slower).
    #[arg(long)]
    outcomes: bool,
    /// Run only one of so many parts of the scenarios: 1/4 is the first of four.
    #[arg(long, value_name = "K/N", requires = "seed")]
    shard: Option<Shard>,
    /// Write the shrunk scenario that differs into this file.
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Keep every scenario that differs in this folder, and run those that are in it first.
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["kernel", "shard"])]
    corpus: Option<PathBuf>,
    /// Go on after a difference, up to a hundred that shrink to different steps.
    #[arg(long, conflicts_with = "save")]
    keep_going: bool,
}

/// One case: what ran, or the smallest scenario that still goes wrong.
enum Case {
    Ran(Scenario, Verdict, Vec<Open>),
    /// One of the corpus, in which nothing is wrong any more, or that is not decided.
    Mended {
        decided: bool,
    },
    /// The surroundings did not let it run.
    Skipped(Skip),
    Wrong(Found),
}

/// Why a scenario was not seen to its end, and what to do.
struct Skip {
    reason: String,
    remedy: String,
}

/// Why a scenario gave no verdict that is right.
enum Not {
    Right(String),
    Run(Skip),
    /// It is for other kernels.
    Asked,
}

/// A scenario that goes wrong.
struct Found {
    scenario: Scenario,
    report: String,
    /// The same as a C program; or which step has no C form.
    program: Result<String, String>,
    replays: usize,
    /// How many steps it had as it was drawn; none if it was not.
    drawn: u64,
    options: RunOptions,
    /// The file of the corpus that it is in.
    file: Option<PathBuf>,
}

/// All that goes wrong.
#[derive(Default)]
struct Finds {
    found: Vec<Found>,
    /// How often one of these came again, as others shrank to the same steps.
    again: u64,
    /// How many scenarios were in the corpus, if there is one.
    corpus: Option<usize>,
}

impl Finds {
    /// Takes a find in; a new one is kept in the corpus, if there is one.
    fn take(&mut self, mut found: Found, corpus: Option<&Corpus>) -> io::Result<()> {
        if self.found.iter().any(|known| known.scenario.steps == found.scenario.steps) {
            // One of the corpus that differs both times is one.
            self.again += u64::from(found.file.is_none());
            return Ok(());
        }
        if let (None, Some(corpus)) = (&found.file, corpus) {
            found.file = Some(corpus.keep(&found.scenario)?);
        }
        self.found.push(found);
        Ok(())
    }
}

/// Steps that are run where neither their number nor a time is given.
const STEPS: u64 = 2000;

pub(super) fn fuzz(out: &mut Out, arguments: &Arguments) -> io::Result<End> {
    let files = Files { written: arguments.save.clone(), ..Files::default() };
    if let Some(ended) = arguments.elsewhere.enter(out, &files) {
        return ended;
    }
    let jobs = arguments.jobs.map_or_else(super::default_jobs, usize::from);
    let Ok(labs) = super::open_labs(arguments.on, jobs, arguments.looking.options()) else { return Ok(End::NoKernel) };
    let seed = arguments.seed.unwrap_or_else(|| fastrand::u64(..));
    let shard = arguments.shard.unwrap_or(Shard::WHOLE);
    let machines = machines(&labs, arguments.on);
    let json = arguments.format == Format::Json;
    if !json {
        writeln!(out, "seed {seed}: random scenarios of up to {} steps on {machines}", arguments.length)?;
        out.flush()?;
    }
    let corpus = match arguments.corpus.as_deref().map(Corpus::open).transpose() {
        Ok(corpus) => corpus,
        Err(why) => {
            super::complain(&why);
            return Ok(End::BadInput);
        }
    };
    let kept = corpus.as_ref().map_or(0, Corpus::runs);
    let rare = Rare::of(seed, usize::from(arguments.length), &mut Model::new(labs.facts()));
    let mut tally = Tally::default();
    let mut counted = Counted::default();
    let mut finds = Finds { corpus: corpus.as_ref().map(Corpus::len), ..Finds::default() };
    let mut written = Ok(());
    // Of scenarios that differ, as they were drawn.
    let mut steps_that_differ = 0;
    let mut skipped: Option<(u64, Skip)> = None;
    let end = arguments.time.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let is_in_time = || end.is_none_or(|end| Instant::now() < end);
    let wanted = arguments.steps.unwrap_or(if end.is_some() { u64::MAX } else { STEPS });
    let progress = progress(wanted, arguments.time);
    kernel::spread(
        labs,
        jobs,
        Plan { on: arguments.on, belief: arguments.belief.believe },
        usize::try_from(wanted).unwrap_or(usize::MAX).saturating_add(kept),
        |worker, index| match corpus.as_ref().and_then(|corpus| corpus.run(index)) {
            Some(kept) => known(worker, kept),
            None => Trial::new(seed, shard.index(index - kept) as u64).run(worker, arguments, &rare),
        },
        |index, case| {
            let goes_on = match case {
                Case::Ran(scenario, verdict, open) => {
                    tally.add(&scenario, &verdict);
                    counted.add(open);
                    true
                }
                Case::Mended { decided } => {
                    tally.not_decided += u64::from(!decided);
                    true
                }
                // A place in which hardly anything runs is no place to wait in; the corpus has an end.
                Case::Skipped(why) => {
                    let count = skipped.as_ref().map_or(0, |(count, _)| *count) + 1;
                    skipped = Some((count, why));
                    index < kept || count < MOST_SKIPPED || count < 2 * tally.scenarios
                }
                Case::Wrong(found) => {
                    steps_that_differ += found.drawn;
                    written = finds.take(found, corpus.as_ref());
                    arguments.keep_going && written.is_ok() && finds.found.len() < MOST_FOUND
                }
            };
            let steps = tally.steps + steps_that_differ;
            progress.set_position(steps.min(wanted));
            goes_on && steps < wanted && is_in_time()
        },
    );
    progress.finish_and_clear();
    written?;
    if json {
        return written_as_json(out, arguments, seed, &tally, &finds, skipped.as_ref());
    }
    if let Some(count) = finds.corpus {
        writeln!(out, "of the corpus {count}, which come first")?;
    }
    write!(out, "{}", tally.text(arguments.rules))?;
    if arguments.outcomes {
        write!(out, "{}", counted.text())?;
    }
    if finds.found.is_empty() {
        writeln!(out, "differences 0, not decided {}", tally.not_decided)?;
        if let Some((count, why)) = &skipped {
            writeln!(out, "skipped {count}, the last one: {}\nremedy: {}", why.reason, why.remedy)?;
        }
        return Ok(tally.end(skipped.is_some()));
    }
    let count = finds.found.len();
    for (number, found) in (1..).zip(&finds.found) {
        let which =
            if arguments.keep_going { format!("difference {number} of {count}") } else { "differences 1".to_owned() };
        tell_found(out, arguments, seed, &which, found)?;
    }
    if finds.again > 0 {
        writeln!(out, "\n{} more scenarios shrank to the same steps", finds.again)?;
    }
    Ok(End::Differ)
}

/// A scenario of the corpus. What this kernel is not for, or the surroundings do not let run, is no difference.
fn known(worker: &mut Worker, kept: Kept<'_>) -> Case {
    let Kept { scenario, file, options } = kept;
    let trial = Trial { name: scenario.name.clone(), draw: Draw { options, ..Draw::new(0, 0) } };
    match trial.wrong(worker, scenario) {
        Ok(verdict) => Case::Mended { decided: !verdict.is_not_decided() },
        Err(Not::Asked) => Case::Mended { decided: true },
        Err(Not::Run(why)) => Case::Skipped(why),
        Err(Not::Right(report)) => {
            let program = standalone::program(worker.model(), scenario, plain(&report).trim_end());
            Case::Wrong(Found {
                scenario: scenario.clone(),
                report,
                program,
                replays: 0,
                drawn: 0,
                options,
                file: Some(file.to_owned()),
            })
        }
    }
}

/// A bar on standard error, drawn only on a terminal: how many steps of how many, or how long.
fn progress(wanted: u64, time: Option<u64>) -> ProgressBar {
    let (bar, template) = match time {
        Some(seconds) => (
            ProgressBar::new_spinner().with_message(format!("{seconds}s")),
            "{spinner} {pos} steps, {elapsed} of {msg}",
        ),
        None => (ProgressBar::new(wanted), "{bar:30} {pos} of {len} steps, {eta} left"),
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// The difference if there is one, and what the scenarios were made of.
fn written_as_json(
    out: &mut Out,
    arguments: &Arguments,
    seed: u64,
    tally: &Tally,
    finds: &Finds,
    skipped: Option<&(u64, Skip)>,
) -> io::Result<End> {
    for found in &finds.found {
        let report = plain(&found.report);
        let scenario = found.scenario.to_toml();
        if let Some(file) = &arguments.save {
            fs::write(file, &scenario)?;
        }
        let replay = found.replay(arguments, seed);
        let mut difference =
            serde_json::json!({ "scenario": scenario, "report": report, "replays": found.replays, "replay": replay });
        match &found.program {
            Ok(program) => difference["program"] = program.as_str().into(),
            Err(why) => difference["no_program"] = why.as_str().into(),
        }
        if let Some(file) = &found.file {
            difference["file"] = file.display().to_string().into();
        }
        writeln!(out, "{}", serde_json::json!({ "difference": difference }))?;
    }
    let mut summary = serde_json::json!({
        "seed": seed, "scenarios": tally.scenarios, "steps": tally.steps, "differences": finds.found.len(), "again": finds.again,
        "not_decided": tally.not_decided, "calls": tally.calls, "answers": tally.answers,
        "rules_fired": tally.rules.len(), "rules": rule::CATALOGUE.len(),
    });
    if let Some(count) = finds.corpus {
        summary["corpus"] = count.into();
    }
    if arguments.rules {
        let counts = rule::CATALOGUE.iter().map(|rule| (rule.id, tally.rules.get(rule.id).copied().unwrap_or(0)));
        summary["fired"] = serde_json::json!(counts.collect::<BTreeMap<&str, u64>>());
    }
    if let Some((count, why)) = skipped {
        summary["skipped"] = serde_json::json!(count);
        summary["skipped_last"] = serde_json::json!({ "reason": why.reason, "remedy": why.remedy });
    }
    writeln!(out, "{}", serde_json::json!({ "summary": summary }))?;
    Ok(if finds.found.is_empty() { tally.end(skipped.is_some()) } else { End::Differ })
}

fn tell_found(out: &mut Out, arguments: &Arguments, seed: u64, which: &str, found: &Found) -> io::Result<()> {
    let Found { scenario, report, replays, file, .. } = found;
    match file {
        Some(file) if *replays == 0 => writeln!(out, "\n{which}, of the corpus, {}:\n", file.display())?,
        _ => writeln!(out, "\n{which}, shrunk to {} steps in {replays} replays:\n", scenario.steps.len())?,
    }
    writeln!(out, "{}", scenario.to_toml())?;
    write!(out, "{report}")?;
    if let Some(file) = &arguments.save {
        fs::write(file, scenario.to_toml())?;
    }
    if let (Some(file), 1..) = (file, *replays) {
        writeln!(out, "kept: {}", file.display())?;
    }
    writeln!(out, "replay: {}", found.replay(arguments, seed))?;
    match &found.program {
        Ok(_) => writeln!(out, "without pidlab: pidlab show --c FILE has it as a C program"),
        Err(why) => writeln!(out, "there is no C program: {why}"),
    }
}

/// A report without its styles.
fn plain(report: &str) -> String {
    anstream::adapter::strip_str(report).to_string()
}

impl Found {
    /// What to type to see it again.
    fn replay(&self, arguments: &Arguments, seed: u64) -> String {
        let mut options = elsewhere::again();
        if let Some(misconception) = arguments.belief.believe {
            options += &format!(" --misconception {}", misconception.word());
        }
        let run = if self.options.sharing == Sharing::Own { "pidlab run --own-memory" } else { "pidlab run" };
        let run = format!("{run}{options}{}", arguments.looking.again(self.options.priority));
        match self.file.as_ref().or(arguments.save.as_ref()) {
            Some(file) if self.replays == 0 => format!("{run} {}", file.display()),
            Some(file) => format!("{run} {}   # seed {seed}", file.display()),
            None => {
                let length = arguments.length;
                let priority = arguments.looking.again(Priority::Auto);
                format!(
                    "pidlab fuzz --seed {seed} --length {length} --time 600{options}{priority} --save FILE, then {run} FILE"
                )
            }
        }
    }
}

fn machines(labs: &Labs, on: On) -> String {
    match (on, labs.kernel()) {
        (On::Kernel, Some(kernel)) => format!("Linux {}", kernel.release),
        (_, Some(kernel)) => format!("the model and Linux {}", kernel.release),
        (_, None) => "the model".to_owned(),
    }
}

/// One scenario: what it is called, and where it comes from.
struct Trial {
    name: String,
    draw: Draw,
}

impl Trial {
    fn new(seed: u64, index: u64) -> Trial {
        Trial { name: format!("random/{seed}-{index}"), draw: Draw::new(seed, index) }
    }

    fn run(&self, worker: &mut Worker, arguments: &Arguments, rare: &Rare) -> Case {
        let choices = rare.choices(self.draw, usize::from(arguments.length), worker.model());
        let scenario = self.scenario(worker, &choices);
        match self.wrong(worker, &scenario) {
            Ok(verdict) => {
                let counted = arguments.outcomes && verdict.agrees();
                let open = if counted { outcomes::of_run(worker.model(), &scenario, &verdict) } else { Vec::new() };
                Case::Ran(scenario, verdict, open)
            }
            Err(Not::Run(why)) => Case::Skipped(why),
            Err(Not::Asked) => {
                let reason = "it is for another kernel, which no random scenario should be".to_owned();
                Case::Skipped(Skip { reason, remedy: "report it, with the seed".to_owned() })
            }
            Err(Not::Right(report)) => Case::Wrong(self.smallest(worker, scenario.steps.len() as u64, choices, report)),
        }
    }

    fn scenario(&self, worker: &mut Worker, choices: &[Choice]) -> Scenario {
        random::scenario(choices, self.draw.theme, worker.model(), &self.name)
    }

    /// The verdict where all is well, else what is wrong, in words.
    fn wrong(&self, worker: &mut Worker, scenario: &Scenario) -> Result<Verdict, Not> {
        match worker.judge_with(scenario, self.draw.options) {
            Judged::Verdict(verdict) if verdict.problems.is_empty() || verdict.is_not_decided() => Ok(verdict),
            Judged::Verdict(verdict) => {
                let problems = verdict.problems.iter().map(|problem: &Problem| tell::problem(scenario, problem));
                Err(Not::Right(problems.collect()))
            }
            Judged::Lacking(..) | Judged::ModelOnly(..) => Err(Not::Asked),
            Judged::Skipped(why, _) => Err(Not::Run(Skip { reason: why.reason, remedy: why.remedy })),
            // What was not seen is no difference: a machine under load may have given the processes no time.
            Judged::Failed(why) => {
                let reason = format!("the kernel side gave no result: {why}");
                let again = format!("pidlab fuzz --seed {} again", self.draw.seed);
                let remedy = format!("{again}, with less beside it: if it comes again, it is not the load");
                Err(Not::Run(Skip { reason, remedy }))
            }
        }
    }

    /// What is wrong with a scenario, if it ran and something is.
    fn report(&self, worker: &mut Worker, scenario: &Scenario) -> Option<String> {
        match self.wrong(worker, scenario) {
            Err(Not::Right(report)) => Some(report),
            Ok(_) | Err(Not::Run(_) | Not::Asked) => None,
        }
    }

    fn smallest(&self, worker: &mut Worker, drawn: u64, choices: Choices, first: String) -> Found {
        let mut report = first;
        let (choices, replays) = random::shrink(choices, REPLAYS, |choices| {
            let scenario = self.scenario(worker, choices);
            self.report(worker, &scenario).map(|found| report = found).is_some()
        });
        let mut scenario = self.scenario(worker, &choices);
        let more = random::shrink_steps(&mut scenario, REPLAYS, |scenario| {
            self.report(worker, scenario).map(|found| report = found).is_some()
        });
        if self.report(worker, &scenario).is_none() {
            report += "not seen again with the same steps: the outcome depends on something uncontrolled\n";
        }
        let program = standalone::program(worker.model(), &scenario, plain(&report).trim_end());
        Found { scenario, report, program, replays: replays + more, drawn, options: self.draw.options, file: None }
    }
}
