//! The command line: `pidlab check`, `run`, `list`, `explain` and so on.
//!
//! Exit codes: 0 all agree; 1 a difference or a failed expectation; 2 bad usage or a bad scenario; 3 not decided; 4 the kernel side
//! could not run.

mod check;
mod coverage;
mod explain;
mod facts;
mod fuzz;
mod generate;
mod list;
mod outcomes;
mod pairs;
mod run;
mod select;
mod topics;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anstream::AutoStream;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{CommandFactory, Parser, Subcommand, ValueEnum};
use pidlab_realkernel::Unavailable;
use pidlab_sim::Misconception;

use crate::input::{self, BadInput, Source};
use crate::kernel::{Labs, On};

/// A laboratory for nested Linux PID namespaces: one scenario, run on a model and on this kernel, compared step by step,
/// with a reason for every answer.
#[derive(Parser)]
#[command(name = "pidlab", version, max_term_width = 80, after_help = AFTER_HELP)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Examples:
  pidlab check                             the whole library, on both sides
  pidlab list orphans                      which scenarios there are
  pidlab run orphans/adopted-by-own-init   one of them, step by step
  pidlab new mine.toml                     a first one of your own
  pidlab explain zombie                    what a word means

Exit codes:
  0  all agree
  1  a difference, or a failed expectation
  2  bad usage, or an invalid scenario
  3  not decided: too many orders of events to tell
  4  the kernel side could not run; the reason is on standard error";

#[derive(Subcommand)]
enum Command {
    /// Run scenarios on the model and on this kernel, and compare every step.
    Check(check::Arguments),
    /// Explain one run step by step: call, result, reasons, and the world after it.
    Run(run::Arguments),
    /// List the scenarios of the library.
    List(list::ListArguments),
    /// Print a scenario of the library as it is.
    Show(list::ShowArguments),
    /// Write a small scenario to begin with.
    New(list::NewArguments),
    /// Explain a call, a word, a state, a fact or a rule.
    Explain(explain::Arguments),
    /// List the rules that the model decides by.
    Rules(coverage::RulesArguments),
    /// Say what this kernel is like: each fact in which kernels differ.
    Facts(facts::Arguments),
    /// Run random scenarios on both sides and compare; shrink one that differs.
    Fuzz(fuzz::Arguments),
    /// Print a completion script for a shell.
    Completions(generate::CompletionsArguments),
    /// Print the manual page, or write one for each command.
    Man(generate::ManArguments),
}

/// What the model takes for true though it is not.
#[derive(clap::Args)]
struct Belief {
    /// Let the model follow a misconception, to see what refutes it.
    #[arg(long = "misconception", alias = "believe", value_name = "MISCONCEPTION", value_parser = belief())]
    believe: Option<Misconception>,
}

/// Reads a misconception by its word.
fn belief() -> impl TypedValueParser<Value = Misconception> {
    PossibleValuesParser::new(Misconception::ALL.iter().map(|belief| belief.word()))
        .map(|word| Misconception::from_word(&word).expect("only words of misconceptions are possible"))
}

/// How results are written.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// One JSON object per line.
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
    if let Some((terminal_size::Width(columns), _)) = terminal_size::terminal_size_of(io::stdout()) {
        crate::words::set_width(usize::from(columns));
    }
    let mut out = Out::new();
    let ended = match &arguments.command {
        Command::Check(arguments) => check::check(&mut out, arguments),
        Command::Run(arguments) => run::run(&mut out, arguments),
        Command::Fuzz(arguments) => fuzz::fuzz(&mut out, arguments),
        Command::List(arguments) => list::list(&mut out, arguments),
        Command::Show(arguments) => list::show(&mut out, arguments),
        Command::New(arguments) => list::new(&mut out, arguments),
        Command::Explain(arguments) => explain::explain(&mut out, arguments),
        Command::Rules(arguments) => explain::rules(&mut out, arguments),
        Command::Facts(arguments) => facts::facts(&mut out, arguments),
        Command::Completions(arguments) => generate::completions(&mut out, arguments, Arguments::command()),
        Command::Man(arguments) => generate::man(&mut out, arguments, Arguments::command()),
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
