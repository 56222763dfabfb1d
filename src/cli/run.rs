//! `pidlab run`: one run, explained step by step, or as JSON lines.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use pidlab_page::Film;
use pidlab_realkernel::{Kernel, Sharing};
use pidlab_scenario::{BecauseLine, Header, KernelHeader, Line, Need, Observation, Scenario, escaped_json};
use pidlab_sim::Because;

use super::elsewhere::{Elsewhere, Files};
use super::{Belief, End, Looking, Out, failed, picture};
use crate::compare::Verdict;
use crate::input::Source;
use crate::kernel::{self, Judged, Labs, On, Plan};
use crate::{tell, words};

#[derive(Args)]
#[command(after_help = "\
A reason is given in full the first time; `pidlab explain ID` says it again,
with its place in the kernel and in the manual.

Examples:
  pidlab run orphans/adopted-by-own-init     a scenario of the library
  pidlab run mine.toml --on model            without this kernel
  pidlab run mine.toml --format json         one JSON object per line and step
  pidlab run mine.toml --format html > mine.html
                                             a page to step through, and to guess
  pidlab run mine.toml --format svg --step 4 > four.svg
                                             the world after step 4, as a picture
  pidlab run mine.toml --misconception orphans-go-to-grandparent")]
pub(super) struct Arguments {
    #[command(flatten)]
    belief: Belief,
    #[command(flatten)]
    elsewhere: Elsewhere,
    #[command(flatten)]
    looking: Looking,
    /// What to run: files, folders, names, chapters or patterns of the library, or rules.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Which side runs.
    #[arg(long, value_enum, default_value = "both")]
    on: On,
    /// Give every process of the kernel side a memory of its own, as programs have it; else they share one, which is faster.
    #[arg(long)]
    own_memory: bool,
    /// How the run is written.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// The moment that is drawn: after this step; 0 is the start [default: the last].
    #[arg(long, value_name = "N")]
    step: Option<usize>,
}

/// How a run is written.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
    /// A page to step through, in one file.
    Html,
    /// A picture of one moment.
    Svg,
}

pub(super) fn run(out: &mut Out, arguments: &Arguments) -> io::Result<End> {
    let words = arguments.files.iter().map(|file| file.clone().into_os_string()).collect();
    if let Some(ended) = arguments.elsewhere.enter(out, &Files { words, ..Files::default() }) {
        return ended;
    }
    let sources = match super::read(&arguments.files) {
        Ok(sources) => sources,
        Err(end) => return Ok(end),
    };
    if let Some(wrong) = arguments.wrong(sources.len()) {
        eprintln!("error: {wrong}");
        return Ok(End::BadInput);
    }
    let (labs, on, mut end) = match super::open_labs(arguments.on, 1, arguments.looking.options()) {
        Ok(labs) => (labs, arguments.on, End::Agree),
        Err(_) if arguments.on == On::Kernel => return Ok(End::NoKernel),
        Err(_) => (Labs::none(), On::Model, End::NoKernel),
    };
    let kernel = labs.kernel().cloned();
    let mut films = Vec::new();
    let sharing = if arguments.own_memory { Sharing::Own } else { Sharing::Auto };
    let mut written = Ok(());
    kernel::spread(
        labs,
        1,
        Plan { on, belief: arguments.belief.believe },
        sources.len(),
        |worker, index| worker.judge_with(&sources[index].scenario, sharing),
        |index, judged| {
            if index > 0 && arguments.format == Format::Text {
                written = writeln!(out);
            }
            let mut show = Show { out, arguments, kernel: kernel.as_ref(), films: &mut films };
            match show.one(&sources[index], judged) {
                Ok(one) => end = worse(end, one),
                Err(error) => written = Err(error),
            }
            written.is_ok()
        },
    );
    written?;
    if arguments.format == Format::Html {
        out.write_all(pidlab_page::page::film(&films).as_bytes())?;
    }
    Ok(end)
}

impl Arguments {
    /// What cannot be asked for at once.
    fn wrong(&self, count: usize) -> Option<&'static str> {
        match self.format {
            Format::Svg if count != 1 => Some("a picture is of one scenario"),
            Format::Svg => None,
            _ if self.step.is_some() => Some("`--step` is for `--format svg`"),
            _ => None,
        }
    }
}

/// Of two ends, the one that the user must know: a mistake, then a difference, then a skip.
pub(super) fn worse(left: End, right: End) -> End {
    [End::BadInput, End::Differ, End::NotDecided, End::NoKernel]
        .into_iter()
        .find(|end| [left, right].contains(end))
        .unwrap_or(End::Agree)
}

/// Where runs are shown, and how.
struct Show<'a> {
    out: &'a mut Out,
    arguments: &'a Arguments,
    kernel: Option<&'a Kernel>,
    films: &'a mut Vec<Film>,
}

impl Show<'_> {
    fn one(&mut self, source: &Source, judged: Judged) -> io::Result<End> {
        let (verdict, end) = match judged {
            Judged::Failed(why) => {
                eprintln!("error: {}: the kernel side gave no result: {why}", source.scenario.name);
                return Ok(End::Differ);
            }
            Judged::Skipped(why, verdict) => {
                eprintln!("the kernel side is skipped: {}\nremedy: {}", why.reason, why.remedy);
                match verdict {
                    Some(verdict) => (verdict, End::NoKernel),
                    None => return Ok(End::NoKernel),
                }
            }
            Judged::Lacking(facts, verdict) => {
                eprintln!(
                    "the kernel side is skipped: the scenario is for machines {}{}",
                    words::needs(&facts),
                    hint(&facts)
                );
                match verdict {
                    Some(verdict) => (verdict, End::NoKernel),
                    None => return Ok(End::NoKernel),
                }
            }
            Judged::ModelOnly(needs, verdict) => {
                eprintln!("on the model only: the scenario is about kernels {}{}", words::needs(&needs), hint(&needs));
                (verdict, End::Agree)
            }
            Judged::Verdict(verdict) => (verdict, End::Agree),
        };
        match self.arguments.format {
            Format::Text => {
                self.out.write_all(tell::run(&source.scenario, &verdict).as_bytes())?;
                for problem in &verdict.problems {
                    write!(self.out, "\n{}\n", failed::problem(source, problem).trim_end())?;
                }
            }
            Format::Json => json(self.out, &source.scenario, &verdict, self.kernel.map(kernel_header).as_ref())?,
            Format::Html => self.films.push(picture::film(source, &verdict, self.kernel)),
            Format::Svg => {
                if let Err(wrong) = picture::svg(self.out, source, &verdict, self.arguments.step)? {
                    eprintln!("error: {wrong}");
                    return Ok(End::BadInput);
                }
            }
        }
        if let Some(refused) = &verdict.mistake {
            self.out.flush()?;
            eprintln!("{}", failed::refused(source, &verdict, refused).render(true));
            if verdict.problems.is_empty() {
                return Ok(End::BadInput);
            }
        }
        if !verdict.agrees() && self.arguments.format != Format::Text {
            self.out.flush()?;
            for problem in &verdict.problems {
                eprintln!("{}", failed::problem(source, problem).trim_end());
            }
        }
        Ok(match verdict.agrees() {
            true => end,
            false if verdict.is_not_decided() => worse(end, End::NotDecided),
            false => worse(end, End::Differ),
        })
    }
}

/// Where to read what is lacking.
fn hint(needs: &[Need]) -> String {
    needs.first().map(|need| format!(" (`pidlab explain {}` says what that is)", need.fact)).unwrap_or_default()
}

fn kernel_header(kernel: &Kernel) -> KernelHeader {
    KernelHeader::new(&kernel.release, &kernel.facts)
}

/// The model's run, then the kernel's, each with its header.
fn json(out: &mut Out, scenario: &Scenario, verdict: &Verdict, kernel: Option<&KernelHeader>) -> io::Result<()> {
    let model: Vec<(&Observation, Option<&[Because]>)> = verdict
        .steps
        .iter()
        .filter_map(|step| step.model.as_ref())
        .map(|answer| (&answer.observation, Some(&answer.because[..])))
        .collect();
    let seen: Vec<(&Observation, Option<&[Because]>)> =
        verdict.steps.iter().filter_map(|step| step.kernel.as_ref()).map(|seen| (seen, None)).collect();
    for (lines, kernel) in [(model, None), (seen, kernel)] {
        if lines.is_empty() {
            continue;
        }
        let header = Header::new(scenario, kernel.cloned());
        writeln!(out, "{}", escaped_json(&serde_json::to_string(&header)?))?;
        for (step, (observation, because)) in lines.into_iter().enumerate() {
            let mut line = Line::new(scenario, step, observation);
            line.because =
                because.map(|because| because.iter().map(|because| because_line(scenario, because)).collect());
            writeln!(out, "{}", serde_json::to_string(&line)?)?;
        }
    }
    Ok(())
}

fn because_line(scenario: &Scenario, because: &Because) -> BecauseLine {
    BecauseLine::new(because.rule.id, scenario.role_name(because.about))
}
