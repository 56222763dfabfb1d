//! `pidlab judge`: is what was recorded what Linux allows?

use std::fs;
use std::io::{self, Read as _, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use pidlab_judge::{Finding, Log, Options, Refuted, Verdict, judge as judge_log, scenario};
use pidlab_scenario::{Facts, Scenario, escaped_json, one_line};
use pidlab_sim::{Model, rule};

use super::{Belief, End, Out, picture};
use crate::{compare, input, words};

#[derive(Args)]
#[command(after_help = "\
The log is one of strace -f -o LOG; pidlab record makes such a log with all
calls that are needed. Of strace -ff -ttt -o LOG, which writes LOG.PID for each
process, all files are put together. It is judged on the model alone: no kernel is needed, and
nothing is run.

Exit codes:
  0  accepted: some order of the events explains every answer
  1  refuted: no order does
  2  bad usage, or no whole log of strace
  3  not decided: too many orders to tell

Examples:
  pidlab record -o build.log -- make -j4
  pidlab judge build.log
  pidlab judge --format json build.log
  pidlab judge --format html build.log > build.html")]
pub(super) struct Arguments {
    /// The log, `-` for standard input, or what the names of its files begin with.
    log: PathBuf,
    /// Judge what there is of a log that ends before its processes do.
    #[arg(long)]
    partial: bool,
    /// Tell the order that explains the log, with the rules that decided.
    #[arg(long)]
    order: bool,
    /// Write a scenario with the same answers.
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Give up after so many worlds.
    #[arg(long, value_name = "NUMBER", default_value_t = Options::default().most_worlds)]
    worlds: usize,
    #[command(flatten)]
    belief: Belief,
    /// How the verdict is written.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// How a verdict is written.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// One JSON object.
    Json,
    /// A page to step through what was recorded, if it is accepted and a scenario has the same answers.
    Html,
}

pub(super) fn judge(out: &mut Out, arguments: &Arguments) -> io::Result<End> {
    let path = arguments.log.display();
    let text = match text_of(&arguments.log) {
        Ok(text) => text,
        Err(why) => {
            eprintln!("error: {why}");
            return Ok(End::BadInput);
        }
    };
    let mut options = Options::default();
    options.partial = arguments.partial;
    options.most_worlds = arguments.worlds;
    options.order = arguments.order;
    options.misconception = arguments.belief.believe;
    let log = Log::read(&text, arguments.partial);
    let judged = log.and_then(|log| judge_log(&log, &options).map(|verdict| (log, verdict)));
    let (log, verdict) = match judged {
        Ok(judged) => judged,
        Err(unreadable) => {
            eprintln!("error: {path}: {unreadable}");
            return Ok(End::BadInput);
        }
    };
    match arguments.format {
        Format::Json => writeln!(out, "{}", escaped_json(&serde_json::to_string(&verdict)?))?,
        Format::Text => tell(out, &verdict)?,
        Format::Html if matches!(verdict.finding, Finding::Accepted) => {}
        Format::Html => eprintln!("{path} is not accepted, and cannot be played: `pidlab judge` says where it stands"),
    }
    Ok(match verdict.finding {
        Finding::Accepted => accepted(out, arguments, &log, &options)?,
        Finding::Refuted(_) => End::Differ,
        Finding::NotDecided { .. } => End::NotDecided,
    })
}

/// What a log says. A folder's file that is not there may stand for several, one of each process.
fn text_of(path: &Path) -> Result<String, String> {
    if path.as_os_str() == "-" {
        let mut bytes = Vec::new();
        let read = io::stdin().lock().read_to_end(&mut bytes);
        read.map_err(|error| format!("standard input cannot be read: {error}"))?;
        return Ok(String::from_utf8_lossy(&bytes).into_owned());
    }
    let of = |path: &Path| match fs::read(path) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) => Err(format!("{} cannot be read: {error}", path.display())),
    };
    let files = if path.exists() { Vec::new() } else { files_of_processes(path) };
    if files.is_empty() {
        return of(path);
    }
    let read = |(pid, file): &(u32, PathBuf)| Ok((*pid, of(file)?));
    let texts: Vec<(u32, String)> = files.iter().map(read).collect::<Result<_, String>>()?;
    Log::merged(&texts).map_err(|(pid, unreadable)| format!("{}.{pid}: {unreadable}", path.display()))
}

/// `LOG.PID` for each process, by PID.
fn files_of_processes(path: &Path) -> Vec<(u32, PathBuf)> {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return Vec::new() };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let pid = |file: &Path| file.file_name()?.to_str()?.strip_prefix(name)?.strip_prefix('.')?.parse().ok();
    let mut files: Vec<(u32, PathBuf)> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter_map(|file| Some((pid(&file)?, file)))
        .collect();
    files.sort();
    files
}

/// What is to be done with a log that is accepted.
fn accepted(out: &mut Out, arguments: &Arguments, log: &Log, options: &Options) -> io::Result<End> {
    let plays = arguments.format == Format::Html;
    if arguments.save.is_none() && !plays {
        return Ok(End::Agree);
    }
    let recorded = match recorded(&arguments.log, log, options) {
        Ok(recorded) => recorded,
        Err(end) => return Ok(end),
    };
    if let Some(file) = &arguments.save
        && let Err(error) = fs::write(file, recorded.to_toml())
    {
        eprintln!("error: {} cannot be written: {error}", file.display());
        return Ok(End::BadInput);
    }
    if plays { play(out, arguments, log, &recorded) } else { Ok(End::Agree) }
}

/// The scenario of a log that is accepted; otherwise it is said why there is none.
fn recorded(of: &Path, log: &Log, options: &Options) -> Result<Scenario, End> {
    let name = of.file_stem().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    match scenario(log, options, &format!("A recording: {name}")) {
        Ok(Some(scenario)) => Ok(scenario),
        Ok(None) => {
            eprintln!("{}: no scenario has the same answers: it needs calls that overlap", of.display());
            Err(End::NotDecided)
        }
        Err(unreadable) => {
            eprintln!("error: {}: {unreadable}", of.display());
            Err(End::BadInput)
        }
    }
}

/// Writes a page of what was recorded: the model, which gives every recorded answer, with its reasons.
fn play(out: &mut Out, arguments: &Arguments, log: &Log, recorded: &Scenario) -> io::Result<End> {
    let path = arguments.log.display().to_string();
    let source = match input::of_text(&recorded.name, &path, &recorded.to_toml()) {
        Ok(source) => source,
        Err(invalid) => {
            eprintln!("{}", invalid.message(false));
            return Ok(End::BadInput);
        }
    };
    let known = log.facts().map(|facts| vec![facts.clone()]);
    let mut runs = known.unwrap_or_else(|| vec![Facts::newest(), Facts::oldest()]).into_iter().map(|facts| {
        let verdict = compare::with_model(&mut Model::new(facts.clone()), &source.scenario, None);
        (facts, verdict)
    });
    let Some((facts, verdict)) = runs.find(|(_, verdict)| verdict.agrees()) else {
        eprintln!("{path}: the scenario with the same answers does not hold on the model");
        return Ok(End::NotDecided);
    };
    let kernel =
        log.kernel().map_or_else(|| "a recording".to_owned(), |kernel| format!("a recording on Linux {kernel}"));
    let film =
        picture::film_of(&source, &verdict, &format!("{}; the model gives every answer", one_line(&kernel)), &facts);
    out.write_all(pidlab_page::page::film(&[film]).as_bytes())?;
    Ok(End::Agree)
}

fn tell(out: &mut Out, verdict: &Verdict) -> io::Result<()> {
    match &verdict.finding {
        Finding::Accepted => say(
            out,
            "",
            &format!(
                "accepted: an order of the {} events explains all {} answers of the kernel",
                verdict.events, verdict.answers
            ),
        )?,
        Finding::Refuted(refuted) => {
            let Refuted { line, by, .. } = refuted;
            say(out, "", &format!("refuted: no order of the events explains line {line}, of {by}"))?;
            tell_stuck(out, refuted)?;
        }
        Finding::NotDecided { stuck } => {
            let line = stuck.line;
            let orders = "not decided: there are too many orders to try them all";
            say(out, "", &format!("{orders}; those that were tried end at line {line}, of {}", stuck.by))?;
            tell_stuck(out, stuck)?;
        }
    }
    for told in &verdict.order {
        writeln!(out, "{:>6}  {}: {}", told.line, told.by, one_line(&told.text))?;
        if !told.rules.is_empty() {
            say(out, "        ", &told.rules.join(" "))?;
        }
    }
    for (call, times) in &verdict.not_judged {
        let times = if *times == 1 { "once".to_owned() } else { format!("{times} times") };
        say(out, "  ", &format!("not judged: {call}, {times}: the language has no words for what it does"))?;
    }
    writeln!(out, "  {} worlds were looked at", verdict.worlds)
}

/// What stands there, and what would have been allowed.
fn tell_stuck(out: &mut Out, stuck: &Refuted) -> io::Result<()> {
    writeln!(out, "  {}", one_line(&stuck.text))?;
    for allowed in &stuck.allowed {
        say(out, "  ", &format!("Linux would have allowed: {}", allowed.what))?;
        for id in &allowed.rules {
            let sentence = rule::find(id).map_or("", |rule| rule.sentence);
            say(out, "    ", &format!("{id}: {sentence}"))?;
        }
    }
    Ok(())
}

/// Writes a paragraph.
fn say(out: &mut Out, indent: &str, text: &str) -> io::Result<()> {
    let rest = format!("{indent}  ");
    let options = textwrap::Options::new(words::width()).initial_indent(indent).subsequent_indent(&rest);
    writeln!(out, "{}", textwrap::fill(&one_line(text), options))
}
