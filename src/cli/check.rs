//! `pidlab check`: the main job.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::PathBuf;

use anstyle::{AnsiColor, Style};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use pidlab_realkernel::Sharing;
use pidlab_scenario::{Diagnostics, Scenario};
use pidlab_sim::rule;
use serde::Serialize;

use super::{Belief, End, Format, Out};
use crate::compare::{Compared, Problem, Verdict};
use crate::input::Source;
use crate::kernel::{self, Judged, Labs, On, Plan};
use crate::{tell, words};

#[derive(Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    belief: Belief,
    /// Scenario files, folders of them, or names of the library; the whole library if absent.
    paths: Vec<PathBuf>,
    /// Which machines run.
    #[arg(long, value_enum, default_value = "both")]
    on: On,
    /// How results are written.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// How many scenarios run at once [default: one a CPU].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// One line a scenario.
    #[arg(long, short)]
    quiet: bool,
    /// Take a skip for a failure.
    #[arg(long)]
    no_skip: bool,
}

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const SKIPPED: Style = AnsiColor::Yellow.on_default();

pub(super) fn check(out: &mut Out, arguments: &Arguments) -> io::Result<End> {
    let sources = match super::read(&arguments.paths) {
        Ok(sources) => sources,
        Err(end) => return Ok(end),
    };
    let jobs = arguments.jobs.map_or_else(super::default_jobs, usize::from).min(sources.len().max(1));
    let (labs, on, kernel_skipped) = match super::open_labs(arguments.on, jobs) {
        Ok(labs) => (labs, arguments.on, false),
        Err(_) if arguments.on == On::Kernel => return Ok(End::NoKernel),
        Err(_) => (Labs::none(), On::Model, true),
    };
    let bar = progress(sources.len());
    let mut report = Report {
        out,
        quiet: arguments.quiet,
        json: arguments.format == Format::Json,
        totals: Totals {
            on: on_word(on),
            kernel: labs.kernel().map(|kernel| kernel.release.clone()),
            ..Totals::default()
        },
        progress: bar.clone(),
        rules_shown: BTreeSet::new(),
        kernel_skipped,
        written: Ok(()),
    };
    kernel::spread(
        labs,
        jobs,
        Plan { on, belief: arguments.belief.believe },
        sources.len(),
        |worker, index| {
            let scenario = &sources[index].scenario;
            let all = scenario.steps.len();
            let told = |steps| bar.set_message(format!("{}: step {steps} of {all}", scenario.name));
            worker.judge_told(scenario, Sharing::Auto, told)
        },
        |index, judged| report.take(&sources[index], judged),
    );
    report.finish(arguments.no_skip)
}

fn on_word(on: On) -> &'static str {
    match on {
        On::Model => "model",
        On::Kernel => "kernel",
        On::Both => "both",
    }
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

/// What a check comes to.
#[derive(Default, Serialize)]
struct Totals {
    on: &'static str,
    kernel: Option<String>,
    scenarios: usize,
    steps_compared: usize,
    rules_shown: usize,
    rules: usize,
    differences: usize,
    not_decided: usize,
    failed: usize,
    mistakes: usize,
    skipped: usize,
    /// Of these, those that the surroundings did not let run: a capability, a limit, a sandbox.
    skipped_for_the_place: usize,
    /// Scenarios about kernels unlike this one, which the model alone ran.
    model_only: usize,
}

/// Writes results as they come, and counts.
struct Report<'a> {
    out: &'a mut Out,
    quiet: bool,
    json: bool,
    totals: Totals,
    progress: ProgressBar,
    rules_shown: BTreeSet<&'static str>,
    kernel_skipped: bool,
    written: io::Result<()>,
}

/// One scenario's result in JSON.
#[derive(Serialize)]
struct ScenarioLine<'a> {
    scenario: &'a str,
    result: &'static str,
    steps: usize,
    steps_compared: usize,
    rules: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<String>,
}

impl Report<'_> {
    /// Takes one result; false once nobody reads any more.
    fn take(&mut self, source: &Source, judged: Judged) -> bool {
        self.totals.scenarios += 1;
        self.progress.inc(1);
        self.progress.set_message(source.scenario.name.clone());
        let written = match &judged {
            Judged::Verdict(verdict) => {
                self.totals.skipped += usize::from(self.kernel_skipped);
                self.verdict(source, verdict, None)
            }
            Judged::Lacking(facts, verdict) => {
                self.totals.skipped += 1;
                let why = format!("this is for machines {}", words::needs(facts));
                match verdict {
                    Some(verdict) => self.verdict(source, verdict, Some(("skip", &why))),
                    None => self.line(source, SKIPPED, "skip", &why, None),
                }
            }
            Judged::Skipped(why, verdict) => {
                self.totals.skipped += 1;
                self.totals.skipped_for_the_place += 1;
                let why = format!("the kernel side is skipped: {}\n        remedy: {}", why.reason, why.remedy);
                match verdict {
                    Some(verdict) => self.verdict(source, verdict, Some(("skip", &why))),
                    None => self.line(source, SKIPPED, "skip", &why, None),
                }
            }
            Judged::ModelOnly(needs, verdict) => {
                self.totals.model_only += 1;
                let why = format!("on the model only: this is about kernels {}", words::needs(needs));
                self.verdict(source, verdict, Some(("model", &why)))
            }
            Judged::Failed(why) => {
                self.totals.failed += 1;
                self.line(source, BAD, "FAILED", &format!("the kernel side gave no result: {why}"), None)
            }
        };
        self.written = written;
        self.written.is_ok()
    }

    fn verdict(&mut self, source: &Source, verdict: &Verdict, instead: Option<(&'static str, &str)>) -> io::Result<()> {
        self.totals.steps_compared += verdict.compared;
        self.rules_shown.extend(&verdict.fired);
        // A step that cannot be taken after something went wrong is a consequence, and no mistake of the scenario.
        if let Some(refused) = verdict.mistake.as_ref().filter(|_| verdict.problems.is_empty()) {
            self.totals.mistakes += 1;
            let diagnostics = Diagnostics::refused(&source.scenario, &source.path, &source.text, refused);
            let message = diagnostics.render(false);
            return self.line(source, BAD, "MISTAKE", &message, Some(verdict));
        }
        if verdict.problems.iter().any(Problem::is_difference) {
            self.totals.differences += 1;
        } else if verdict.is_not_decided() {
            self.totals.not_decided += 1;
        } else if !verdict.problems.is_empty() {
            self.totals.failed += 1;
        }
        if !verdict.agrees() {
            let problems: Vec<String> =
                verdict.problems.iter().map(|problem| tell::problem(&source.scenario, problem)).collect();
            let replay = format!("   replay: pidlab run {}\n", source.path);
            let word = if verdict.is_not_decided() { "UNKNOWN" } else { "DIFFERS" };
            return self.line(source, BAD, word, &(problems.concat() + &replay), Some(verdict));
        }
        match instead {
            Some((word, why)) => self.line(source, SKIPPED, word, why, Some(verdict)),
            None => self.line(source, GOOD, "ok", "", Some(verdict)),
        }
    }

    fn line(
        &mut self,
        source: &Source,
        style: Style,
        word: &'static str,
        detail: &str,
        verdict: Option<&Verdict>,
    ) -> io::Result<()> {
        let scenario = &source.scenario;
        if self.json {
            let line = ScenarioLine {
                scenario: &scenario.name,
                result: word,
                steps: scenario.steps.len(),
                steps_compared: verdict.map_or(0, |verdict| verdict.compared),
                rules: verdict.map_or_else(Vec::new, |verdict| verdict.fired.iter().copied().collect()),
                problems: if detail.is_empty() {
                    Vec::new()
                } else {
                    vec![anstream::adapter::strip_str(detail).to_string()]
                },
            };
            return writeln!(self.out, "{}", serde_json::to_string(&line)?);
        }
        writeln!(self.out, "{style}{word:<7}{style:#} {}", scenario.name)?;
        if !self.quiet {
            writeln!(self.out, "        {}", scenario.title)?;
            let steps = verdict.map_or(&[][..], |verdict| &verdict.steps);
            for (number, compared) in steps.iter().enumerate().skip(1) {
                self.out.write_all(step_line(scenario, number, compared).as_bytes())?;
            }
        }
        if !detail.is_empty() {
            writeln!(self.out, "{}", detail.trim_end())?;
        }
        Ok(())
    }

    fn finish(mut self, no_skip: bool) -> io::Result<End> {
        self.progress.finish_and_clear();
        self.written?;
        self.totals.rules = rule::CATALOGUE.len();
        self.totals.rules_shown = self.rules_shown.len();
        let totals = &self.totals;
        if self.json {
            writeln!(self.out, "{}", serde_json::to_string(&serde_json::json!({ "summary": totals }))?)?;
        } else {
            writeln!(self.out, "\n{}", totals.sentence())?;
        }
        Ok(if totals.mistakes > 0 {
            End::BadInput
        } else if totals.differences + totals.failed > 0 || (no_skip && totals.skipped > 0) {
            End::Differ
        } else if totals.not_decided > 0 {
            End::NotDecided
        } else if totals.skipped_for_the_place > 0 || (totals.scenarios > 0 && totals.skipped == totals.scenarios) {
            End::NoKernel
        } else {
            End::Agree
        })
    }
}

impl Totals {
    fn sentence(&self) -> String {
        let machines = match (self.on, &self.kernel) {
            ("both", Some(release)) => format!("the model and Linux {release}"),
            ("kernel", Some(release)) => format!("Linux {release} alone"),
            _ => "the model alone".to_owned(),
        };
        let mut text = format!(
            "{machines}: scenarios {}, steps compared {},\nrules shown {} of {}, differences {}, skipped {}",
            self.scenarios, self.steps_compared, self.rules_shown, self.rules, self.differences, self.skipped
        );
        for (count, word) in [
            (self.not_decided, "not decided"),
            (self.model_only, "on the model only"),
            (self.failed, "failed"),
            (self.mistakes, "mistakes"),
        ] {
            if count > 0 {
                text.push_str(&format!(", {word} {count}"));
            }
        }
        text
    }
}

/// A step in one line: who, what, what it gave, and the rules that decided.
fn step_line(scenario: &Scenario, number: usize, compared: &Compared) -> String {
    let step = &scenario.steps[number - 1];
    let call = words::call(scenario, &step.call);
    let outcome = compared.observation().outcome.as_ref();
    let gave = outcome.map(|outcome| words::outcome(scenario, outcome)).unwrap_or_default();
    let mut rules: Vec<&str> = Vec::new();
    for because in compared.because() {
        if !rules.contains(&because.rule.id) {
            rules.push(because.rule.id);
        }
    }
    let head = format!("{number:>10}  {}: {call}, {gave}", scenario.role_name(step.by));
    let reasons = rules.join(" ");
    if reasons.is_empty() {
        return format!("{head}\n");
    }
    let options = words::page().initial_indent("              ").subsequent_indent("              ");
    format!("{head}\n{}\n", textwrap::fill(&reasons, options))
}
