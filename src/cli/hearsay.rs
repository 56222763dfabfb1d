//! `pidlab hearsay`: scenarios as C programs, and what those tell held against the model.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use pidlab_realkernel::{LabOptions, Look};
use pidlab_scenario::{Facts, Scenario, one_line};
use pidlab_sim::Model;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::elsewhere::{self, Elsewhere, Files};
use super::{End, Format, Out};
use crate::hearsay::{self, Heard};
use crate::input::Source;
use crate::select::Words;
use crate::{standalone, words};

#[derive(Args)]
#[command(after_help = "\
A scenario becomes a C program, which is compiled (cc), run, and held against
the model by what it tells. That is less than `pidlab check` sees, and nothing
of it is proven: a process that is slow is taken for one that sleeps. What
differs is run a second time before it is told. Root is needed.

Examples:
  pidlab hearsay --under 'runsc --ignore-cgroups --network=none do'    gVisor
  pidlab hearsay --like oldest --kernel vmlinuz-5.4    inside an older Linux
  pidlab hearsay init-signals    here: whether hearsay is to be believed")]
pub(super) struct Arguments {
    #[command(flatten)]
    words: Words,
    #[command(flatten)]
    elsewhere: Elsewhere,
    /// Run each program by this command: words, with the program's path behind them.
    #[arg(long, value_name = "COMMAND", conflicts_with = "kernel")]
    under: Option<String>,
    /// Which Linux the model follows, where the one at hand cannot be asked.
    #[arg(long, value_enum, default_value = "newest")]
    like: Like,
    /// How many programs run at once [default: two per CPU].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: Option<u16>,
    /// How the results are written.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// Which Linux the model follows.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Like {
    /// The newest that it knows.
    Newest,
    /// The oldest.
    Oldest,
}

/// Where a guest finds the programs: it has no compiler.
const PLACE: &str = "/hearsay";
/// For how many naps of a millisecond a program waits for a call, where it is asked again.
const PATIENT: &str = "3000";
/// A program that has not ended after so long is killed: each step takes a second at most where nothing is wrong.
const BOUND: Duration = Duration::from_secs(120);

/// One scenario, and its program if there is one.
struct Case<'a> {
    scenario: &'a Scenario,
    program: Result<PathBuf, String>,
}

pub(super) fn hearsay(out: &mut Out, arguments: &Arguments) -> io::Result<End> {
    let sources = match super::selected(arguments.words.select()).and_then(super::all_good) {
        Ok(sources) => sources,
        Err(end) => return Ok(end),
    };
    let facts = arguments.facts();
    let folder = tempfile::tempdir()?;
    // What a guest is like is known there.
    let asked = (!arguments.elsewhere.is_wanted()).then_some(&facts);
    let cases = match cases(&sources, asked, &folder) {
        Ok(cases) => cases,
        Err(why) => {
            eprintln!("error: {why}");
            return Ok(End::NoKernel);
        }
    };
    if arguments.elsewhere.is_wanted() {
        let words = arguments.words.what.clone();
        let more = cases.iter().filter_map(|case| taken(case.program.as_ref().ok()?)).collect();
        let files = Files { words, more, ..Files::default() };
        return arguments.elsewhere.enter(out, &files).unwrap_or(Ok(End::BadInput));
    }
    let mut told = Told { out, format: arguments.format, counts: BTreeMap::new(), release: None };
    run_all(arguments, &facts, &cases, &mut told)?;
    told.finish()
}

impl Arguments {
    fn facts(&self) -> Facts {
        let asked = self.under.is_none() && !self.elsewhere.is_wanted();
        let here = asked
            .then(|| crate::kernel::Labs::open(1, LabOptions::default().looking(Look::Procfs)).ok())
            .flatten()
            .map(|labs| labs.facts());
        let facts = here.unwrap_or_else(|| match self.like {
            Like::Newest => Facts::newest(),
            Like::Oldest => Facts::oldest(),
        });
        // The runner has one namespace more around a scenario than a C program.
        let levels = facts.levels_above().saturating_sub(1);
        facts.with_levels_above(levels)
    }
}

/// The programs of all scenarios: those that were brought, or what the compiler makes of them.
///
/// # Errors
/// In words: there is no compiler, or it fails. A scenario that has no C form is none.
fn cases<'a>(sources: &'a [Source], facts: Option<&Facts>, folder: &TempDir) -> Result<Vec<Case<'a>>, String> {
    let brought = elsewhere::is_guest();
    if !brought && Command::new("cc").arg("--version").output().is_err() {
        return Err("there is no C compiler: hearsay needs `cc`".to_owned());
    }
    let program = |source: &'a Source| {
        let scenario = &source.scenario;
        let unmet = scenario.needs.iter().find(|need| facts.is_some_and(|facts| !need.is_met(facts)));
        let program = match unmet {
            Some(need) => Err(format!("it is about kernels {}", words::needs(&[*need]))),
            None => {
                let facts = facts.cloned().unwrap_or_else(Facts::newest).with_all(&scenario.needs);
                standalone::program(&mut Model::new(facts), scenario, "")
            }
        };
        let name = scenario.name.replace('/', "%");
        let program = match (program, brought) {
            (Err(why), _) => Err(why),
            (Ok(_), true) => Ok(Path::new(PLACE).join(name)),
            (Ok(text), false) => Ok(compiled(&text, &folder.path().join(name))?),
        };
        Ok(Case { scenario, program })
    };
    sources.iter().map(program).collect()
}

fn compiled(text: &str, path: &Path) -> Result<PathBuf, String> {
    let said = |error: io::Error| format!("cc: {error}");
    let mut compiler = Command::new("cc")
        .args(["-x", "c", "-w", "-DSETTLE=20", "-o"])
        .args([path, Path::new("-")])
        .stdin(Stdio::piped())
        .spawn()
        .map_err(said)?;
    if let Some(mut input) = compiler.stdin.take() {
        input.write_all(text.as_bytes()).map_err(said)?;
    }
    match compiler.wait().map_err(said)?.success() {
        true => Ok(path.to_owned()),
        false => Err(format!("cc made no {}", path.display())),
    }
}

/// A program as a guest gets it.
fn taken(program: &Path) -> Option<(PathBuf, Vec<u8>)> {
    Some((Path::new(PLACE).join(program.file_name()?), fs::read(program).ok()?))
}

/// Runs them all, and tells of each in order.
fn run_all(arguments: &Arguments, facts: &Facts, cases: &[Case<'_>], told: &mut Told<'_>) -> io::Result<()> {
    let jobs = arguments.jobs.map_or_else(|| 2 * super::default_jobs(), usize::from);
    let (next, (say, hear)) = (AtomicUsize::new(0), mpsc::channel());
    thread::scope(|scope| {
        for _ in 0..jobs.min(cases.len()) {
            let (say, next) = (say.clone(), &next);
            scope.spawn(move || {
                let mut model = Model::new(facts.clone());
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(case) = cases.get(index) else { return };
                    let heard = case.program.as_ref().ok().map(|path| case.heard(&mut model, arguments, path));
                    if say.send((index, heard)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(say);
        let mut waiting = BTreeMap::new();
        let mut at = 0;
        for (index, heard) in hear {
            waiting.insert(index, heard);
            while let Some(heard) = waiting.remove(&at) {
                told.take(&cases[at], heard)?;
                at += 1;
            }
        }
        Ok(())
    })
}

/// What a program told: of which kernel, and how it came out.
struct Outcome {
    release: Option<String>,
    heard: Result<Heard, String>,
}

impl Case<'_> {
    /// Runs the program, and once more if what it told is not right: slowness is not the kernel's answer.
    fn heard(&self, model: &mut Model, arguments: &Arguments, path: &Path) -> Outcome {
        let first = self.heard_once(model, arguments, path, None);
        match first.heard {
            Ok(Heard::Agrees) => first,
            _ => self.heard_once(model, arguments, path, Some(PATIENT)),
        }
    }

    fn heard_once(&self, model: &mut Model, arguments: &Arguments, path: &Path, patience: Option<&str>) -> Outcome {
        match told(arguments.under.as_deref(), path, patience) {
            Ok(text) => Outcome {
                release: hearsay::release(&text).map(str::to_owned),
                heard: Ok(hearsay::judge(model, self.scenario, &text)),
            },
            Err(error) => Outcome { release: None, heard: Err(error.to_string()) },
        }
    }
}

/// What a program writes up to its end, or up to the bound.
fn told(under: Option<&str>, path: &Path, patience: Option<&str>) -> io::Result<String> {
    let mut words = under.unwrap_or_default().split_whitespace().map(Path::new).chain([path]);
    let mut command = Command::new(words.next().unwrap_or(path));
    let mut child =
        command.args(words).args(patience).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let Some(mut text) = child.stdout.take() else { return Ok(String::new()) };
    let (say, hear) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read before an error is told, too, and is not whole.
        let _ = text.read_to_end(&mut bytes);
        say.send(bytes)
    });
    let begun = Instant::now();
    let bytes = hear.recv_timeout(BOUND).unwrap_or_default();
    end(&mut child, begun)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn end(child: &mut Child, begun: Instant) -> io::Result<()> {
    if begun.elapsed() >= BOUND {
        child.kill()?;
    }
    child.wait().map(drop)
}

/// What was told so far.
struct Told<'a> {
    out: &'a mut Out,
    format: Format,
    counts: BTreeMap<&'static str, u64>,
    release: Option<String>,
}

/// A result in a word, and what there is to say of it.
fn result(case: &Case<'_>, heard: Option<&Result<Heard, String>>) -> (&'static str, Value) {
    match (heard, &case.program) {
        (Some(Ok(Heard::Agrees)), _) => ("agrees", json!({})),
        (Some(Ok(Heard::Differs { step, model, told })), _) => {
            ("differs", json!({ "step": step, "model": model, "told": told }))
        }
        (Some(Ok(Heard::NotDecided { step })), _) => ("not-decided", json!({ "step": step })),
        (Some(Ok(Heard::Cut { step })), _) => ("cut", json!({ "step": step })),
        (Some(Err(why)), _) => ("cut", json!({ "why": why })),
        (None, Err(why)) => ("not-run", json!({ "why": why })),
        (None, Ok(_)) => ("not-run", json!({})),
    }
}

/// What there is to say of a result, for people.
fn detail_in_words(case: &Case<'_>, detail: &Value) -> String {
    let mut text = String::new();
    if let Some(step) = detail["step"].as_u64().and_then(|step| usize::try_from(step).ok()) {
        let taken = &case.scenario.steps[step - 1];
        let (who, call) = (case.scenario.role_name(taken.by), words::call(case.scenario, &taken.call));
        text += &format!("   at step {step}, {who}: {call}\n");
    }
    for (key, what) in [("model", "the model says"), ("told", "the program tells"), ("why", "it ended:")] {
        if let Some(told) = detail[key].as_str() {
            let page = words::page().initial_indent("   ").subsequent_indent("     ");
            text += &textwrap::fill(&format!("{what} {}", one_line(told)), page);
            text.push('\n');
        }
    }
    text
}

impl Told<'_> {
    fn take(&mut self, case: &Case<'_>, outcome: Option<Outcome>) -> io::Result<()> {
        let name = &case.scenario.name;
        let (word, mut detail) = result(case, outcome.as_ref().map(|outcome| &outcome.heard));
        self.release = self.release.take().or(outcome.and_then(|outcome| outcome.release));
        *self.counts.entry(word).or_default() += 1;
        match self.format {
            Format::Json => {
                detail["scenario"] = json!(name);
                detail["result"] = json!(word);
                detail["unproven"] = json!(true);
                writeln!(self.out, "{detail}")?;
            }
            Format::Text if matches!(word, "agrees" | "not-run") => {}
            Format::Text => {
                writeln!(self.out, "{:<12} {}", word.to_uppercase(), one_line(name))?;
                write!(self.out, "{}", detail_in_words(case, &detail))?;
            }
        }
        self.out.flush()
    }

    fn finish(self) -> io::Result<End> {
        let count = |word: &str| self.counts.get(word).copied().unwrap_or_default();
        let (agrees, differs, cut) = (count("agrees"), count("differs"), count("cut"));
        let (open, not_run) = (count("not-decided"), count("not-run"));
        match self.format {
            Format::Json => {
                let summary = json!({
                    "kernel": self.release, "unproven": true, "agrees": agrees, "differs": differs, "cut": cut,
                    "not_decided": open, "not_run": not_run,
                });
                writeln!(self.out, "{}", json!({ "summary": summary }))?;
            }
            Format::Text => {
                let release = self.release.as_deref().unwrap_or("of no name");
                let sentence = format!(
                    "hearsay of Linux {release}, unproven: agree {agrees}, differ {differs}, cut off {cut}, not decided \
                     {open}, not run {not_run}"
                );
                writeln!(self.out, "{}", textwrap::fill(&sentence, words::page()))?;
            }
        }
        Ok(match () {
            () if differs > 0 => End::Differ,
            () if cut > 0 || open > 0 => End::NotDecided,
            () if agrees == 0 => End::NoKernel,
            () => End::Agree,
        })
    }
}
