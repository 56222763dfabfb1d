//! `pidlab rules --coverage`: how well each rule is covered.

use std::collections::BTreeSet;
use std::io::{self, Write};

use clap::Args;
use pidlab_realkernel::LabOptions;
use pidlab_scenario::Scenario;
use pidlab_sim::Rule;
use pidlab_sim::rule::Kind;
use serde::Serialize;

use super::{End, Format, Out};
use crate::coverage::{self, Coverage, LENGTH, Row};
use crate::kernel::{self, Judged, Labs, On, Plan};
use crate::select::Words;
use crate::{tell, words};

#[derive(Args)]
#[command(after_help = "\
Examples:
  pidlab rules
  pidlab rules --format json
  pidlab rules --coverage")]
pub(super) struct RulesArguments {
    /// Only these rules, or those that these scenarios show.
    #[command(flatten)]
    words: Words,
    /// How the list is written.
    #[arg(long, value_enum, default_value = "text")]
    pub(super) format: Format,
    /// Instead of what they say, how well they are covered: by the scenarios of the library, by random runs, and by this kernel's
    /// agreement. Ends with 1 if a rule lacks one of these.
    #[arg(long)]
    pub(super) coverage: bool,
    /// Which side takes part in that.
    #[arg(long, value_enum, default_value = "both", requires = "coverage")]
    on: On,
    /// How many random steps the model takes for each kind of kernel; a tenth of them runs on this kernel.
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000), requires = "coverage")]
    steps: u64,
    /// Seed of the random generator.
    #[arg(long, default_value_t = 1, requires = "coverage")]
    seed: u64,
}

/// Which rules are asked about, and the scenarios that may show them.
pub(super) struct Asked {
    scenarios: Vec<Scenario>,
    /// The rules; all if absent.
    rules: Option<BTreeSet<String>>,
}

impl Asked {
    /// Whether it is about this rule.
    pub(super) fn is_about(&self, rule: &Rule) -> bool {
        self.rules.as_ref().is_none_or(|rules| rules.contains(rule.id))
    }
}

impl RulesArguments {
    /// What the words mean: the rules that they name, or else those that the scenarios say they show.
    pub(super) fn asked(&self) -> Result<Asked, End> {
        let selection = super::selected(self.words.select())?;
        let named: BTreeSet<String> = selection.rules.iter().map(|id| (*id).to_owned()).collect();
        let scenarios: Vec<Scenario> = super::all_good(selection)?.into_iter().map(|source| source.scenario).collect();
        let rules = match (self.words.are_none(), named.is_empty()) {
            (true, _) => None,
            (false, false) => Some(named),
            (false, true) => Some(scenarios.iter().flat_map(|scenario| scenario.rules.iter().cloned()).collect()),
        };
        Ok(Asked { scenarios, rules })
    }
}

/// A rule in JSON.
#[derive(Serialize)]
struct RowLine<'a> {
    id: &'a str,
    kind: &'static str,
    scenarios: usize,
    random: u64,
    agreed: Option<u64>,
    elsewhere: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lacks: Vec<&'static str>,
}

pub(super) fn coverage(out: &mut Out, arguments: &RulesArguments) -> io::Result<End> {
    if arguments.on == On::Kernel {
        eprintln!("error: only the model knows which rules fire");
        eprintln!("help: use `--on both`, or `--on model` where there is no kernel to test on");
        return Ok(End::BadInput);
    }
    let asked = match arguments.asked() {
        Ok(asked) => asked,
        Err(end) => return Ok(end),
    };
    let jobs = super::default_jobs();
    let Ok(labs) = super::open_labs(arguments.on, jobs, LabOptions::default()) else { return Ok(End::NoKernel) };
    let release = labs.kernel().map(|kernel| kernel.release.clone());
    let at_hand = labs.facts();
    let mut coverage = Coverage::new(release.is_some());
    let progress = super::spinner();
    let cases = arguments.steps.div_ceil(LENGTH as u64);
    for facts in coverage::kinds_of_kernels(&at_hand) {
        progress.set_message("random scenarios on the model");
        coverage.add_random(&coverage::random_on_the_model(&facts, arguments.seed, cases, jobs as u64));
    }
    progress.set_message("the library, and random scenarios on the kernel");
    let wrong = on_the_machines(&mut coverage, &asked.scenarios, labs, jobs, arguments, cases.div_ceil(10));
    progress.finish_and_clear();
    write!(out, "{wrong}")?;
    if arguments.format == Format::Text {
        writeln!(out, "{:<36}{:>10}{:>10}{:>10}  kind", "rule", "scenarios", "random", "agreed")?;
    }
    for row in coverage.rows().iter().filter(|row| asked.is_about(row.rule)) {
        match arguments.format {
            Format::Text => text(out, &coverage, row)?,
            Format::Json => json(out, &coverage, row)?,
        }
    }
    if arguments.format == Format::Text {
        let kernels = coverage::kinds_of_kernels(&at_hand).len() as u64;
        writeln!(out, "\nrandom steps on the model: about {}", arguments.steps * kernels)?;
        for kind in [Kind::Decides, Kind::Describes] {
            let sentence = sentence(&coverage, &asked, kind, release.as_deref());
            writeln!(out, "{}", textwrap::fill(&sentence, words::page().subsequent_indent("  ")))?;
        }
    }
    Ok(if wrong.is_empty() && !coverage.lacking().any(|row| asked.is_about(row.rule)) {
        End::Agree
    } else {
        End::Differ
    })
}

/// Runs the scenarios and, where there is a kernel, random scenarios on it. Answers what went wrong.
fn on_the_machines(
    coverage: &mut Coverage,
    library: &[Scenario],
    labs: Labs,
    jobs: usize,
    arguments: &RulesArguments,
    cases: u64,
) -> String {
    let with_kernel = coverage.with_kernel;
    let cases = if with_kernel { usize::try_from(cases).unwrap_or(usize::MAX) } else { 0 };
    let mut wrong = String::new();
    let mut take = |coverage: &mut Coverage, scenario: &Scenario, judged: &Judged, random: bool| match judged {
        Judged::Verdict(verdict) if !verdict.problems.is_empty() => {
            wrong += &format!("{}: the machines do not agree\n", scenario.name);
            wrong.extend(verdict.problems.iter().map(|problem| tell::problem(scenario, problem)));
        }
        Judged::Verdict(verdict) if random => coverage.add_agreed(&verdict.fired),
        Judged::Verdict(verdict) => coverage.add_scenario(scenario, verdict, with_kernel),
        // What is lacking in this place is said once for each: the rules lack this kernel's agreement then.
        Judged::Skipped(why, verdict) => {
            wrong += &format!("{}: the kernel side is skipped: {why}\n", scenario.name);
            if let Some(verdict) = verdict.as_ref().filter(|_| !random) {
                coverage.add_scenario(scenario, verdict, false);
            }
        }
        Judged::ModelOnly(_, verdict) | Judged::Lacking(_, Some(verdict)) => {
            coverage.add_scenario(scenario, verdict, false);
        }
        Judged::Lacking(_, None) => {}
        Judged::Failed(why) => wrong += &format!("{}: the kernel side gave no result: {why}\n", scenario.name),
    };
    kernel::spread(
        labs,
        jobs,
        Plan { on: arguments.on, belief: None },
        library.len() + cases,
        |worker, index| {
            let scenario = match library.get(index) {
                Some(scenario) => scenario.clone(),
                None => {
                    let case = (index - library.len()) as u64;
                    coverage::random_scenario(worker.model(), arguments.seed, case)
                }
            };
            let judged = worker.judge(&scenario);
            (scenario, judged)
        },
        |index, (scenario, judged)| {
            take(coverage, &scenario, &judged, index >= library.len());
            true
        },
    );
    wrong
}

fn agreed(coverage: &Coverage, row: &Row) -> String {
    match row.agreed {
        _ if !coverage.with_kernel => "-".to_owned(),
        0 if row.elsewhere => "elsewhere".to_owned(),
        agreed => agreed.to_string(),
    }
}

fn text(out: &mut Out, coverage: &Coverage, row: &Row) -> io::Result<()> {
    let agreed = agreed(coverage, row);
    let kind = word(row.rule.kind);
    writeln!(out, "{:<36}{:>10}{:>10}{agreed:>10}  {kind}", row.rule.id, row.scenarios, row.random)?;
    let lacks = coverage.lacks(row);
    if lacks.is_empty() { Ok(()) } else { writeln!(out, "    lacks {}", lacks.join(", ")) }
}

fn json(out: &mut Out, coverage: &Coverage, row: &Row) -> io::Result<()> {
    let line = RowLine {
        id: row.rule.id,
        kind: word(row.rule.kind),
        scenarios: row.scenarios,
        random: row.random,
        agreed: coverage.with_kernel.then_some(row.agreed),
        elsewhere: coverage.with_kernel && row.agreed == 0 && row.elsewhere,
        lacks: coverage.lacks(row),
    };
    writeln!(out, "{}", serde_json::to_string(&line)?)
}

/// What it means that a rule fired: for one that describes, only that the situation came up.
const fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Decides => "decides",
        Kind::Describes => "describes",
    }
}

/// How well the rules of one kind are covered.
fn sentence(coverage: &Coverage, asked: &Asked, kind: Kind, release: Option<&str>) -> String {
    let rows = || coverage.rows().iter().filter(|row| row.rule.kind == kind && asked.is_about(row.rule));
    let count = |which: &dyn Fn(&Row) -> bool| rows().filter(|row| which(row)).count();
    let what = match kind {
        Kind::Decides => "rules that decide",
        Kind::Describes => "rules that describe what others decide",
    };
    let mut text = format!(
        "{what} {}: shown by scenarios {}, fired by random runs {}",
        count(&|_| true),
        count(&|row| row.scenarios > 0),
        count(&|row| row.random > 0),
    );
    if let Some(release) = release {
        let agreed = count(&|row| row.agreed > 0);
        let elsewhere = count(&|row| row.agreed == 0 && row.elsewhere);
        text += &format!(", agreed on Linux {release} {agreed}, about other kernels or machines {elsewhere}");
    }
    text + &format!(", lacking {}", count(&|row| !coverage.lacks(row).is_empty()))
}
