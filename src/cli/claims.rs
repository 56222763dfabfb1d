//! `pidlab claims`: sentences of teaching material on trial.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;

use anstream::{AutoStream, ColorChoice};
use clap::{Args, ValueEnum};
use pidlab_claims::{Case, CaseLine, Heard, Hearing, Overall, Ruling, Verdict, library, page, text};
use pidlab_scenario::{Facts, Run, escaped_json, nearest};

use super::elsewhere::{Elsewhere, Files};
use super::run::worse;
use super::{End, Looking, Out, PageFormat};
use crate::kernel::{self, Judged, Labs, On, Plan, Worker};
use crate::words;
use crate::{input, measured};

#[derive(Args)]
#[command(after_help = "\
A sentence is true where all that it predicts of a scenario comes. Nothing is
decided beforehand: the scenarios run on this kernel, and on the model of this
one and of those in the table. Where the kernel side cannot run, the verdicts
are those of the newest Linux that the model knows, and the exit code is 4.

Exit codes:
  0  the sentences were heard, whatever came of them
  1  this kernel and the model of it come to different verdicts
  2  bad usage, no such claim, or a file that is none
  3  a trial decides nothing
  4  the kernel side could not run

Examples:
  pidlab claims                              all of them
  pidlab claims sigterm-terminates-pid-1     one, and what decides it
  pidlab claims --verdict false              what is not so
  pidlab claims --verdict depends            what is so on some kernels only
  pidlab claims --met namespaces(7)          what a source says
  pidlab claims mine.toml                    a sentence of your own
  pidlab claims --kernel uml-6.1             on another kernel")]
pub(super) struct Arguments {
    #[command(flatten)]
    elsewhere: Elsewhere,
    #[command(flatten)]
    looking: Looking,
    /// Claims to be told in full: ids, files, or `-` for standard input; without, all are listed.
    #[arg(value_name = "ID|FILE")]
    what: Vec<OsString>,
    /// Only what is this on the kernel at hand, or depends on the kernel; may be given several times.
    #[arg(long, value_enum, value_name = "VERDICT")]
    verdict: Vec<Asked>,
    /// Only what is met where this stands in the name of the source.
    #[arg(long, value_name = "TEXT")]
    met: Option<String>,
    /// Which machines run.
    #[arg(long, value_enum, default_value = "both")]
    on: On,
    /// How the claims are written.
    #[arg(long, value_enum, default_value = "text")]
    format: PageFormat,
}

/// Which verdict is asked for.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Asked {
    /// All that is predicted comes.
    True,
    /// Nothing of it does.
    False,
    /// It comes in one scenario and not in another.
    NotAlways,
    /// Kernels differ.
    Depends,
    /// No scenario can decide it.
    NotHere,
}

pub(super) fn claims(out: &mut Out, arguments: &Arguments) -> io::Result<End> {
    let files = Files { words: arguments.what.clone(), ..Files::default() };
    if let Some(ended) = arguments.elsewhere.enter(out, &files) {
        return ended;
    }
    let cases = match arguments.cases() {
        Ok(cases) => cases,
        Err(end) => return Ok(end),
    };
    let (labs, on, mut end) = match super::open_labs(arguments.on, super::default_jobs(), arguments.looking.options()) {
        Ok(labs) => (labs, arguments.on, End::Agree),
        Err(_) if arguments.on == On::Kernel => return Ok(End::NoKernel),
        Err(_) => (Labs::none(), On::Model, End::NoKernel),
    };
    let (hearings, heard) = hear(cases, labs, on);
    end = worse(end, heard);
    let shown: Vec<Hearing> = hearings.into_iter().filter(|hearing| arguments.is_asked_for(hearing)).collect();
    show(out, arguments, &shown)?;
    Ok(end)
}

impl Arguments {
    /// The sentences that are named, or all; each mistake in the words on standard error.
    fn cases(&self) -> Result<Vec<Case>, End> {
        if self.what.is_empty() {
            return Ok(library::cases());
        }
        let cases: Vec<Option<Case>> = self.what.iter().map(one).collect();
        cases.into_iter().collect::<Option<_>>().ok_or(End::BadInput)
    }

    fn is_asked_for(&self, hearing: &Hearing) -> bool {
        let is = |asked: &Asked| match asked {
            Asked::True => hearing.here.ruling == Ruling::Verdict(Verdict::True),
            Asked::False => hearing.here.ruling == Ruling::Verdict(Verdict::False),
            Asked::NotAlways => hearing.here.ruling == Ruling::Verdict(Verdict::NotAlways),
            Asked::Depends => matches!(hearing.record.overall, Overall::Depends(_)),
            Asked::NotHere => hearing.record.overall == Overall::NotHere,
        };
        let is_met = |text: &String| {
            let text = text.to_lowercase();
            hearing.case.met.iter().any(|place| place.to_lowercase().contains(&text))
        };
        (self.verdict.is_empty() || self.verdict.iter().any(is)) && self.met.as_ref().is_none_or(is_met)
    }
}

/// The sentence that a word names, or on standard error why there is none.
fn one(word: &OsString) -> Option<Case> {
    let is_file = |name: &str| name == "-" || name.ends_with(".toml") || name.contains('/');
    let Some(id) = word.to_str().filter(|name| !is_file(name)) else {
        let path = Path::new(word);
        let text = input::text_of(path).inspect_err(super::complain).ok()?;
        let id = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let case = Case::parse(&id, &path.display().to_string(), &text);
        return case
            .inspect_err(|wrong| eprintln!("{}", wrong.render(AutoStream::choice(&io::stderr()) != ColorChoice::Never)))
            .ok();
    };
    let found = library::find(id);
    if found.is_none() {
        eprintln!("error: there is no claim `{}`", id.escape_debug());
        let ids: Vec<String> = library::files().into_iter().map(|file| file.id).collect();
        match nearest(id, ids.iter().map(String::as_str)) {
            Some(near) => eprintln!("help: did you mean `{near}`?"),
            None => eprintln!("help: `pidlab claims` lists them; the name of a file ends with `.toml`"),
        }
    }
    found
}

/// Hears all of them on the machines asked for, in order.
fn hear(cases: Vec<Case>, labs: Labs, on: On) -> (Vec<Hearing>, End) {
    let kernels = measured::kernels();
    let facts = labs.facts();
    let place = match labs.kernel() {
        Some(kernel) => format!("Linux {}", kernel.release),
        None => "the newest Linux that the model knows".to_owned(),
    };
    let (mut hearings, mut end) = (Vec::new(), End::Agree);
    let count = cases.len();
    kernel::spread(
        labs,
        1,
        Plan { on: if on == On::Model { On::Model } else { On::Kernel }, belief: None },
        count,
        |worker, index| {
            let case = cases[index].clone();
            let (here, ended) = match on {
                On::Model => (on_model(&case, &facts), End::Agree),
                _ => on_kernel(worker, &case, &facts, on),
            };
            (here.and_then(|here| Hearing::new(case, &place, here, &kernels).map_err(|wrong| complain(&wrong))), ended)
        },
        |_, (heard, ended)| {
            end = worse(end, ended);
            match heard {
                Ok(hearing) => hearings.push(hearing),
                Err(ended) => end = worse(end, ended),
            }
            true
        },
    );
    (hearings, end)
}

fn complain(wrong: &pidlab_claims::Undecided) -> End {
    eprintln!("error: {wrong}");
    End::NotDecided
}

fn on_model(case: &Case, facts: &Facts) -> Result<Heard, End> {
    case.on_facts(facts).map_err(|wrong| complain(&wrong))
}

/// What the kernel says of a sentence, held against what the model of this kernel says where both are asked.
fn on_kernel(worker: &mut Worker, case: &Case, facts: &Facts, on: On) -> (Result<Heard, End>, End) {
    // What is not asked of a kernel for safety is asked of its model.
    let Ok(trials) = case.trials_on(facts) else { return (on_model(case, facts), End::Agree) };
    let mut runs = Vec::new();
    for (_, trial) in trials {
        match run(worker, case, trial) {
            Ok(run) => runs.push(run),
            Err(end) => return (on_model(case, facts), end),
        }
    }
    let heard = case.on_runs(facts, &runs).map_err(|wrong| complain(&wrong));
    if let (On::Both, Ok(heard)) = (on, &heard)
        && let Ok(modelled) = on_model(case, facts)
        && modelled.ruling != heard.ruling
    {
        eprintln!("error: {}: this kernel and the model of it come to different verdicts", case.id);
        case.trials.iter().for_each(|trial| eprintln!("help: `pidlab check {}` may show where", trial.written.name));
        return (Ok(heard.clone()), End::Differ);
    }
    (heard, End::Agree)
}

/// What this kernel gives in a trial, or on standard error why it gives nothing.
fn run(worker: &mut Worker, case: &Case, trial: &pidlab_claims::Trial) -> Result<Run, End> {
    match worker.judge(&trial.scenario) {
        Judged::Verdict(verdict) => {
            let observations = verdict.steps.into_iter().filter_map(|step| step.kernel).collect();
            Ok(Run { observations, refused: verdict.mistake })
        }
        Judged::Skipped(why, _) => {
            eprintln!("{}: the kernel side is skipped: {}\nremedy: {}", case.id, why.reason, why.remedy);
            Err(End::NoKernel)
        }
        Judged::Failed(why) => {
            eprintln!("error: {}: the kernel side gave no result: {why}", case.id);
            Err(End::Differ)
        }
        Judged::Lacking(..) | Judged::ModelOnly(..) => Err(End::Agree),
    }
}

fn show(out: &mut Out, arguments: &Arguments, hearings: &[Hearing]) -> io::Result<()> {
    let kernels = measured::kernels();
    let in_full = !arguments.what.is_empty();
    match arguments.format {
        PageFormat::Json => {
            for hearing in hearings {
                writeln!(out, "{}", escaped_json(&serde_json::to_string(&CaseLine::new(hearing, &kernels))?))?;
            }
        }
        PageFormat::Markdown if in_full => {
            for hearing in hearings {
                writeln!(out, "## {}\n\n{}", hearing.case.id, page::one(hearing, &kernels))?;
            }
        }
        PageFormat::Markdown => write!(out, "{}", page::claims(hearings, &kernels))?,
        PageFormat::Text if in_full => {
            for (index, hearing) in hearings.iter().enumerate() {
                let gap = if index > 0 { "\n" } else { "" };
                write!(out, "{gap}{}", text::one(hearing, &kernels, words::width()))?;
            }
        }
        PageFormat::Text => write!(out, "{}", text::list(hearings, words::width()))?,
    }
    Ok(())
}
