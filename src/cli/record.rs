//! `pidlab record`: runs a command under strace, with the options whose log [`judge`](super::judge) understands best.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use pidlab_judge::{Surroundings, options, options_with_reads};
use pidlab_realkernel::{LabOptions, Look};
use pidlab_scenario::Facts;

use super::{End, Out};
use crate::kernel::Labs;

#[derive(Args)]
#[command(after_help = "\
strace does the recording, and slows down what it records; this command only
finds it, tells it which calls are needed, and writes down before what the
command has from outside: its session, its process group, its user, what is
blocked, and what this kernel is like. The log holds no environment, but paths of
programs, their arguments, and PIDs, and with --reads the beginning of whatever
is read: look through it before you show it to others.

Exit codes: those of the command, 128 and the signal if one killed it
  2  bad usage, or the log cannot be written
  4  there is no strace

Examples:
  pidlab record -- make -j4
  pidlab record --reads -- catatonit -- sleep 1
  pidlab record -o build.log -- docker-init -s -- sh -c 'sleep 1 & wait'
  pidlab judge build.log")]
pub(super) struct Arguments {
    /// Where the log is written.
    #[arg(short, long, value_name = "FILE", default_value = "pidlab.log")]
    output: PathBuf,
    /// Do not ask this kernel what it is like: the log is judged as one of any kernel.
    #[arg(long)]
    no_facts: bool,
    /// Record read(2) too, with the first 256 bytes of each: what a program reads from a signalfd(2) is judged then.
    #[arg(long)]
    reads: bool,
    /// The command, and its arguments.
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

pub(super) fn record(_: &mut Out, arguments: &Arguments) -> io::Result<End> {
    let facts = if arguments.no_facts { None } else { facts() };
    let written =
        fs::File::create(&arguments.output).and_then(|mut log| writeln!(log, "{}", surroundings(facts)?.line()));
    if let Err(error) = written {
        eprintln!("error: {} cannot be written: {error}", arguments.output.display());
        return Ok(End::BadInput);
    }
    let error = strace(arguments);
    if error.kind() == io::ErrorKind::NotFound {
        eprintln!("error: there is no strace here");
        eprintln!("remedy: install it (apt-get install strace, dnf install strace, apk add strace)");
    } else {
        eprintln!("error: strace does not start: {error}");
    }
    // What was begun is no log.
    let _ = fs::remove_file(&arguments.output);
    Ok(End::NoKernel)
}

/// What this kernel is like, where that can be asked.
fn facts() -> Option<Facts> {
    let labs = Labs::open(1, LabOptions::default().looking(Look::Procfs)).ok()?;
    labs.kernel().map(|kernel| kernel.facts.clone())
}

/// What strace has from this process, in whose place it comes.
fn surroundings(facts: Option<Facts>) -> io::Result<Surroundings> {
    let status = fs::read_to_string("/proc/self/status")?;
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    Ok(Surroundings::of(std::process::id(), &status, &kernel, facts))
}

/// Becomes strace, so that a terminal, signals and the status are the command's own. Comes back only where that fails.
#[cfg(unix)]
fn strace(arguments: &Arguments) -> io::Error {
    use std::os::unix::process::CommandExt;

    let mut strace = std::process::Command::new("strace");
    let options = if arguments.reads { options_with_reads() } else { options() };
    strace.args(options).arg("-o").arg(&arguments.output).arg("--").args(&arguments.command);
    strace.exec()
}

#[cfg(not(unix))]
fn strace(_: &Arguments) -> io::Error {
    io::ErrorKind::NotFound.into()
}
