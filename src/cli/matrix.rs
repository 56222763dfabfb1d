//! `pidlab matrix`: the same library on many kernels.

mod column;
mod report;
mod written;

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;

use clap::{Args, ValueEnum};
use pidlab_kernels::Kernel;

use self::column::{Column, Place};
use self::report::Matrix;
use super::{End, Out};

#[derive(Args)]
#[command(after_help = "\
Each kernel is booted with this program in it, two at a time, and the library
is run on the model and on it. What a fact explains is explained: the model
is told of it. What is left is a finding, with the shortest scenario and with a
C program that shows it alone.

Examples:
  pidlab matrix                             this machine, and all that there are
  pidlab matrix native uml-6.1 qemu-7.3
  pidlab matrix --findings found            a scenario and a program for each
  pidlab matrix --fuzz 3000 --format json   random scenarios, too")]
pub(super) struct Arguments {
    /// Kernels: `native`, names that `pidlab kernels` lists, or paths [default: all of them].
    #[arg(value_name = "NAME|PATH")]
    kernels: Vec<String>,
    /// Only these scenarios, chapters, patterns or rules of the library; may be given several times.
    #[arg(long = "only", value_name = "WHAT")]
    only: Vec<String>,
    /// Run at least so many steps of random scenarios on each, too.
    #[arg(long, value_name = "STEPS", value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    fuzz: Option<u64>,
    /// Seed of the random scenarios.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many guests run at once.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=64))]
    jobs: u16,
    /// How the results are written.
    #[arg(long, value_enum, default_value = "text")]
    format: Form,
    /// Write each finding's scenario, report and C program into this folder.
    #[arg(long, value_name = "DIR")]
    findings: Option<PathBuf>,
}

/// How a matrix is written.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// For people.
    Text,
    /// One JSON object per line: the kernels, then the findings, then the summary.
    Json,
    /// The kernel's Test Anything Protocol, a subtest a kernel, written as each is done: it can be read up to a crash.
    Ktap,
    /// JUnit's XML, a test suite a kernel; at the end, for its head counts, and half of it is no XML.
    Junit,
    /// One page.
    Html,
    /// Markdown, for a page of documentation.
    Markdown,
}

pub(super) fn matrix(out: &mut Out, arguments: &Arguments) -> io::Result<End> {
    let places = match places(&arguments.kernels) {
        Ok(places) => places,
        Err(why) => {
            eprintln!("error: {why}");
            return Ok(End::BadInput);
        }
    };
    let (names, count): (Vec<String>, _) = (places.iter().map(|place| place.name().to_owned()).collect(), places.len());
    let mut columns: Vec<Option<Column>> = names.iter().map(|_| None).collect();
    let queue = Mutex::new(places.into_iter().enumerate().collect::<VecDeque<_>>());
    let (say, hear) = mpsc::channel();
    let mut failed = None;
    let bar = super::spinner();
    if arguments.format == Form::Ktap {
        written::ktap_head(out, count)?;
    }
    thread::scope(|scope| {
        for _ in 0..usize::from(arguments.jobs).min(count) {
            let (queue, say) = (&queue, say.clone());
            scope.spawn(move || {
                loop {
                    let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                    let Some((index, place)) = next else { return };
                    if say.send((index, column::of(&place, arguments))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(say);
        let mut done = 0;
        for (index, column) in hear {
            done += 1;
            bar.set_message(format!("{done} of {count} kernels, {} is done", names[index]));
            let told = column.and_then(|column| {
                if arguments.format == Form::Ktap {
                    written::ktap(out, done, &column)?;
                }
                columns[index] = Some(column);
                Ok(())
            });
            if let Err(error) = told {
                // Those that run come to their end, and no other begins.
                failed = Some(error);
                break;
            }
        }
    });
    bar.finish_and_clear();
    if let Some(error) = failed {
        return Err(error);
    }
    let matrix = Matrix::new(columns.into_iter().flatten().collect());
    if let Some(folder) = &arguments.findings {
        matrix.write_findings(folder)?;
    }
    match arguments.format {
        Form::Text => matrix.text(out)?,
        Form::Json => matrix.json(out)?,
        Form::Ktap => {}
        Form::Junit => matrix.junit(out)?,
        Form::Html => matrix.html(out)?,
        Form::Markdown => matrix.markdown(out)?,
    }
    Ok(matrix.end())
}

/// Where to run: what was named, or everything.
fn places(words: &[String]) -> Result<Vec<Place>, String> {
    if words.is_empty() {
        let images = |kernel: &Kernel| kernel.from.is_some() || !kernel.name.starts_with('/');
        let all = pidlab_kernels::all().into_iter().filter(images).map(Place::Guest);
        return Ok([Place::Native].into_iter().chain(all).collect());
    }
    let place = |word: &String| match word.as_str() {
        "native" => Ok(Place::Native),
        word => pidlab_kernels::find(word).map(Place::Guest),
    };
    words.iter().map(place).collect()
}
