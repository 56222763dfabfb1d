//! `pidlab why`: why a PID namespace does not go away.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use pidlab_scenario::escaped_json;
use pidlab_why::{Procfs, Report};
use serde_json::json;

use super::{End, Format, Out};
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
  pidlab why --format json       all of it, for programs")]
pub(super) struct Arguments {
    /// An init that should be gone, a zombie, or another process that does not go [default: every init of a PID namespace that should be gone].
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pid: Option<u32>,
    /// Look again, until nothing is stuck; each change is told.
    #[arg(long)]
    watch: bool,
    /// Where the procfs is mounted.
    #[arg(long, value_name = "DIR", default_value = "/proc")]
    proc: PathBuf,
    /// How it is written.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// How long something must be there to count as stuck. It decides nothing but whether a second look is taken: two looks tell.
const MOMENT: Duration = Duration::from_millis(100);

/// How often `--watch` looks where no end of a process wakes it.
const NAP: Duration = Duration::from_secs(1);

pub(super) fn why(out: &mut Out, arguments: &Arguments) -> io::Result<End> {
    let procfs = Procfs::at(&arguments.proc);
    let mut told: Option<Report> = None;
    loop {
        let report = match procfs.look(arguments.pid, MOMENT) {
            Ok(Some(report)) => report,
            // It was there when the watch began.
            Ok(None) if told.is_some() => return gone(out, arguments.format),
            Ok(None) => {
                eprintln!("error: no process {} is seen from here", arguments.pid.unwrap_or(0));
                return Ok(End::BadInput);
            }
            Err(error) => {
                eprintln!("error: {} cannot be read: {error}", arguments.proc.display());
                return Ok(End::BadInput);
            }
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

/// The end of a watch over a process that has gone.
fn gone(out: &mut Out, format: Format) -> io::Result<End> {
    match format {
        Format::Text => writeln!(out, "\nIt is gone.")?,
        Format::Json => writeln!(out, "{}", json!({ "stuck": false, "findings": 0 }))?,
    }
    Ok(End::Agree)
}

fn tell(out: &mut Out, report: &Report, format: Format) -> io::Result<()> {
    if format == Format::Text {
        return out.write_all(pidlab_why::text(report, words::width()).as_bytes());
    }
    let head = json!({ "stuck": report.is_stuck(), "findings": report.findings.len(), "view": report.view });
    writeln!(out, "{head}")?;
    for finding in &report.findings {
        writeln!(out, "{}", escaped_json(&serde_json::to_string(finding)?))?;
    }
    Ok(())
}
