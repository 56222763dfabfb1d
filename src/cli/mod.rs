//! The command line: `pidlab check`, `run`, `fuzz`, `rules`, `explain`.
//!
//! Exit codes: 0 all agree; 1 a difference or a failed expectation; 2 bad usage or a bad scenario; 4 the kernel side, or some
//! scenario on it, could not run here.

mod check;
mod coverage;
mod explain;
mod fuzz;
mod outcomes;
mod pairs;
mod run;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anstream::AutoStream;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Parser, Subcommand, ValueEnum};
use pidlab_realkernel::Unavailable;
use pidlab_sim::Misconception;

use crate::input::{self, BadInput, Source};
use crate::kernel::{Labs, On};

/// A laboratory for nested Linux PID namespaces: one scenario, run on a model and on this kernel, compared step by step,
/// with a reason for every answer.
#[derive(Parser)]
#[command(name = "pidlab", version, max_term_width = 80, after_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 all agree, 1 a difference or a failed expectation,
2 bad usage or a bad scenario, 4 the kernel side, or some scenario on it,
could not run here.";

#[derive(Subcommand)]
enum Command {
    /// Run scenarios on the model and on this kernel and compare every step.
    Check(check::Arguments),
    /// Tell one run, step by step: call, result, reason, and the world after it.
    Run(run::Arguments),
    /// Run random scenarios on both and compare; shrink one that differs.
    Fuzz(fuzz::Arguments),
    /// List the rules that the model decides by.
    Rules(coverage::RulesArguments),
    /// Explain one rule.
    Explain(explain::Arguments),
}

/// What the model is told to believe.
#[derive(clap::Args)]
struct Belief {
    /// Let the model follow a wrong belief, to see what proves it wrong.
    #[arg(long, value_name = "BELIEF", value_parser = belief())]
    believe: Option<Misconception>,
}

/// Reads a belief by its word.
fn belief() -> impl TypedValueParser<Value = Misconception> {
    PossibleValuesParser::new(Misconception::ALL.iter().map(|belief| belief.word()))
        .map(|word| Misconception::from_word(&word).expect("only words of beliefs are possible"))
}

/// How results are written.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// How a command ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Agree,
    Differ,
    BadInput,
    NotDecided,
    NoKernel,
}

impl From<End> for ExitCode {
    fn from(end: End) -> ExitCode {
        ExitCode::from(match end {
            End::Agree => 0,
            End::Differ => 1,
            End::BadInput => 2,
            End::NotDecided => 3,
            End::NoKernel => 4,
        })
    }
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut out = Out::new();
    let ended = match &arguments.command {
        Command::Check(arguments) => check::check(&mut out, arguments),
        Command::Run(arguments) => run::run(&mut out, arguments),
        Command::Fuzz(arguments) => fuzz::fuzz(&mut out, arguments),
        Command::Rules(arguments) => explain::rules(&mut out, arguments),
        Command::Explain(arguments) => explain::explain(&mut out, arguments),
    };
    match ended.and_then(|end| out.flush().map(|()| end)) {
        Ok(end) => end.into(),
        // Whoever reads has read enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: cannot write the results: {error}");
            End::Differ.into()
        }
    }
}

/// Standard output: buffered, with styles only where they are wanted.
struct Out(io::BufWriter<AutoStream<io::Stdout>>);

impl Out {
    fn new() -> Out {
        Out(io::BufWriter::new(AutoStream::auto(io::stdout())))
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// How many scenarios run at once when the user does not say.
fn default_jobs() -> usize {
    pidlab_realkernel::allowed_cpus().len().max(1)
}

/// The scenarios asked for, or every mistake in them on standard error.
fn read(paths: &[PathBuf]) -> Result<Vec<Source>, End> {
    input::sources(paths).map_err(|bad| {
        let colour = AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never;
        for bad in bad {
            match bad {
                BadInput::Path(path, why) => eprintln!("error: {}: {why}", path.display()),
                BadInput::Scenario(diagnostics) => anstream::eprintln!("{}", diagnostics.render(colour)),
            }
        }
        End::BadInput
    })
}

/// The labs that a command needs; where there can be none, the reason on standard error.
fn open_labs(on: On, jobs: usize) -> Result<Labs, Unavailable> {
    if on == On::Model {
        return Ok(Labs::none());
    }
    Labs::open(jobs).inspect_err(|unavailable| {
        eprintln!("the kernel side is skipped: {}", unavailable.reason);
        eprintln!("remedy: {}", unavailable.remedy);
    })
}
