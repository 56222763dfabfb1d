//! `pidlab why`: why a PID namespace does not go away.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use pidlab_scenario::escaped_json;
use pidlab_why::{Nest, Procfs, Report, Snapshot, explain, explain_process, nests};
use serde_json::json;

use super::{End, Out};
use crate::words;

#[derive(Args)]
#[command(after_help = "\
It reads /proc and nothing else, and changes nothing. What is seen once and is
gone a moment later is not told: it was only on its way. PIDs are those of the
procfs. As root everything is seen; others are told what is hidden from them.

Exit codes:
  0  nothing is stuck
  1  something is stuck
  2  bad usage, no such process, or no procfs

Examples:
  pidlab why                     every PID namespace that should be gone
  pidlab why 4711                the namespace of this init, or this zombie
  pidlab why --watch             until nothing is stuck any more
  pidlab why --all               all PID namespaces, and who is in them
  pidlab why --format json       one line about each, for programs
  pidlab why --all --format svg > pids.svg")]
pub(super) struct Arguments {
    /// An init that should be gone, a zombie, or another process that does not go [default: every init of a PID namespace that should be gone].
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pid: Option<u32>,
    /// Look again, until nothing is stuck; each change is told.
    #[arg(long)]
    watch: bool,
    /// Show all PID namespaces that are seen, with all PIDs of each process.
    #[arg(long, conflicts_with_all = ["pid", "watch"])]
    all: bool,
    /// Where the procfs is mounted.
    #[arg(long, value_name = "DIR", default_value = "/proc")]
    proc: PathBuf,
    /// How it is written.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// How it is written.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
    /// A picture: nested boxes.
    Svg,
    /// A graph for Graphviz.
    Dot,
}

/// How long something must be there to count as stuck. It decides nothing but whether a second look is taken: two looks tell.
const MOMENT: Duration = Duration::from_millis(100);

/// How often `--watch` looks where no end of a process wakes it.
const NAP: Duration = Duration::from_secs(1);

pub(super) fn why(out: &mut Out, arguments: &Arguments) -> io::Result<End> {
    let procfs = Procfs::at(&arguments.proc);
    let is_picture = matches!(arguments.format, Format::Svg | Format::Dot);
    if is_picture && arguments.watch {
        eprintln!("error: a picture is of one moment: leave out --watch, or write text or JSON");
        return Ok(End::BadInput);
    }
    let done = match (arguments.all, is_picture) {
        (true, _) => procfs.read().map(|snapshot| Some((nests(&snapshot, None), false))),
        (false, true) => procfs.read().map(|snapshot| picture_of(&snapshot, arguments.pid)),
        (false, false) => return watch(out, arguments, &procfs),
    };
    match done {
        Ok(Some((nests, is_stuck))) => {
            draw(out, &nests, arguments.format)?;
            Ok(if is_stuck { End::Differ } else { End::Agree })
        }
        Ok(None) => Ok(nobody(arguments)),
        Err(error) => Ok(blind(arguments, &error)),
    }
}

/// Whoever is mentioned, and whether anything is stuck; nothing if there is no such process.
fn picture_of(snapshot: &Snapshot, pid: Option<u32>) -> Option<(Vec<Nest>, bool)> {
    let report = match pid {
        Some(pid) => explain_process(snapshot, pid)?,
        None => explain(snapshot),
    };
    Some((nests(snapshot, Some(&report)), report.is_stuck()))
}

fn draw(out: &mut Out, nests: &[Nest], format: Format) -> io::Result<()> {
    let text = match format {
        Format::Text => pidlab_why::tree(nests, words::width()),
        Format::Svg => pidlab_why::svg(nests),
        Format::Dot => pidlab_why::dot(nests),
        Format::Json => {
            for nest in nests {
                writeln!(out, "{}", escaped_json(&serde_json::to_string(nest)?))?;
            }
            return Ok(());
        }
    };
    out.write_all(text.as_bytes())
}

fn nobody(arguments: &Arguments) -> End {
    eprintln!("error: no process {} is seen from here", arguments.pid.unwrap_or(0));
    End::BadInput
}

fn blind(arguments: &Arguments, error: &io::Error) -> End {
    eprintln!("error: {} cannot be read: {error}", arguments.proc.display());
    End::BadInput
}

/// Tells what is stuck, once or until it is not.
fn watch(out: &mut Out, arguments: &Arguments, procfs: &Procfs) -> io::Result<End> {
    let mut told: Option<Report> = None;
    loop {
        let report = match procfs.look(arguments.pid, MOMENT) {
            // It was there when the look began, or the watch.
            Ok(Some(report)) if arguments.pid.is_some() && report.findings.is_empty() => {
                return gone(out, arguments.format, told.is_some());
            }
            Ok(None) if told.is_some() => return gone(out, arguments.format, true),
            Ok(Some(report)) => report,
            Ok(None) => return Ok(nobody(arguments)),
            Err(error) => return Ok(blind(arguments, &error)),
        };
        if told.as_ref() != Some(&report) {
            if told.is_some() && arguments.format == Format::Text {
                writeln!(out)?;
            }
            tell(out, &report, arguments.format)?;
            out.flush()?;
        }
        match (report.is_stuck(), arguments.watch) {
            (true, true) => pidlab_why::rest(&report, NAP),
            (true, false) => return Ok(End::Differ),
            (false, _) => return Ok(End::Agree),
        }
        told = Some(report);
    }
}

/// A process has gone of which something was told before, or nothing yet.
fn gone(out: &mut Out, format: Format, after_others: bool) -> io::Result<End> {
    match format {
        Format::Json => writeln!(out, "{}", json!({ "stuck": false, "findings": 0 }))?,
        _ if after_others => writeln!(out, "\nIt is gone.")?,
        _ => writeln!(out, "It is gone.")?,
    }
    Ok(End::Agree)
}

fn tell(out: &mut Out, report: &Report, format: Format) -> io::Result<()> {
    if format != Format::Json {
        return out.write_all(pidlab_why::text(report, words::width()).as_bytes());
    }
    let head = json!({ "stuck": report.is_stuck(), "findings": report.findings.len(), "view": report.view });
    writeln!(out, "{head}")?;
    for finding in &report.findings {
        writeln!(out, "{}", escaped_json(&serde_json::to_string(finding)?))?;
    }
    Ok(())
}
