//! The command line: `pidlab check`, `run`, `list`, `explain` and so on.
//!
//! Exit codes: 0 all agree; 1 a difference or a failed claim; 2 bad usage, a bad scenario, or output that cannot be written; 3 not decided,
//! or a guest that did not end as it should;
//! 4 the kernel side, or some scenario on it, could not run here; 141 nobody reads the output any more.
//!
//! All that is written goes through `Out` or, for standard error, `message`: neither lets a character through that acts on a terminal.

/// As the macro of std, but for every command: characters that act on a terminal do not pass, and a full disk is no panic.
macro_rules! eprintln {
    ($($text:tt)*) => { $crate::cli::message(format_args!($($text)*)) };
}

mod book;
mod check;
mod claims;
mod coverage;
mod elsewhere;
mod explain;
mod explore;
mod facts;
mod failed;
mod fix;
#[cfg(test)]
mod fleets;
mod fuzz;
mod generate;
mod guests;
mod hearsay;
mod incidents;
mod init;
mod judge;
mod kernels;
mod learn;
mod list;
mod matrix;
mod merge;
mod outcomes;
mod pairs;
mod picture;
mod record;
mod run;
mod shard;
mod topics;
mod why;

use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anstream::{AutoStream, ColorChoice};
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{CommandFactory, Parser, Subcommand, ValueEnum};
use indicatif::ProgressBar;
use pidlab_realkernel::{LabOptions, Look, Priority, Unavailable};
use pidlab_scenario::printable_styled;
use pidlab_sim::Misconception;

use crate::input::{Invalid, Source};
use crate::kernel::{Labs, On};
use crate::select::{self, Selection};

/// A laboratory for nested Linux PID namespaces: one scenario, run on a model and on this kernel, compared step by step,
/// with a reason for every answer.
#[derive(Parser)]
#[command(name = "pidlab", version, max_term_width = 80, after_help = AFTER_HELP)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// When to write in colour.
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value = "auto")]
    color: Color,
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
  1  a difference, or a failed claim
  2  bad usage, an invalid scenario, or output that cannot be written
  3  not decided: too many orders of events to tell, or a guest that did not
     end as it should
  4  the kernel side, or some scenario on it, could not run here
  141  nobody reads the output any more";

/// When to write in colour.
#[derive(Clone, Copy, ValueEnum)]
enum Color {
    /// On a terminal, unless NO_COLOR says otherwise.
    Auto,
    Always,
    Never,
}

impl Color {
    fn set(self) {
        match self {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        }
        .write_global();
    }
}

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
    /// A course: predict what a step does, then see it; tasks, too.
    Learn(learn::Arguments),
    /// Explain a call, a word, a state, a fact or a rule.
    Explain(explain::Arguments),
    /// List the rules that the model decides by.
    Rules(coverage::RulesArguments),
    /// Put sentences of teaching material on trial: which are true on this kernel.
    Claims(claims::Arguments),
    /// Say what this kernel is like: each fact in which kernels differ.
    Facts(facts::Arguments),
    /// Run random scenarios on both sides and compare; shrink one that differs.
    Fuzz(fuzz::Arguments),
    /// Try every scenario up to a bound, on the model.
    Explore(explore::Arguments),
    /// List the kernels that can be booted here, and fetch others.
    Kernels(kernels::Arguments),
    /// Run the library on many kernels, and say where they differ.
    Matrix(matrix::Arguments),
    /// Run scenarios as C programs, where this program cannot look: in gVisor, or on an older Linux.
    Hearsay(hearsay::Arguments),
    /// Say why a PID namespace of this machine does not go away.
    Why(why::Arguments),
    /// Tell what has gone wrong for others, why, and what to do.
    Incidents(incidents::Arguments),
    /// Write all there is to learn as a static site.
    Book(book::Arguments),
    /// Hold a program that is to be PID 1 against the duties of an init.
    Init(init::Arguments),
    /// Say whether a recording by strace is what Linux allows.
    Judge(judge::Arguments),
    /// Run a command under strace, for a recording that can be judged.
    Record(record::Arguments),
    /// Put the results of the parts of a check together.
    Merge(merge::Arguments),
    /// Print a completion script for a shell.
    Completions(generate::CompletionsArguments),
    /// Print the manual page, or write one for each command.
    Man(generate::ManArguments),
}

/// What the model takes for true though it is not.
#[derive(clap::Args)]
struct Belief {
    /// Let the model follow a misconception, to see what refutes it; `pidlab explain` lists them.
    #[arg(long = "misconception", alias = "believe", value_name = "MISCONCEPTION", value_parser = belief())]
    #[arg(hide_possible_values = true)]
    believe: Option<Misconception>,
}

/// Reads a misconception by its word.
fn belief() -> impl TypedValueParser<Value = Misconception> {
    let value = |belief: &Misconception| PossibleValue::new(belief.word()).help(belief.claim());
    PossibleValuesParser::new(Misconception::ALL.iter().map(value))
        .map(|word| Misconception::from_word(&word).expect("only words of misconceptions are possible"))
}

/// How the kernel side looks at processes.
#[derive(clap::Args, Clone, Copy)]
struct Looking {
    /// How processes are looked at on the kernel side. What is seen is the same by all ways; `auto` is the fastest that there is here.
    #[arg(long, value_name = "WAY", default_value = "auto", value_parser = look())]
    look: Look,
    /// Whether the processes of the kernel side have real-time priorities (sched(7)), which make it faster. `auto` is wherever they may be given, but for a quarter of
    /// the random scenarios: with ordinary ones Linux shows more of the orders that it may choose.
    #[arg(long, value_name = "KIND", default_value = "auto", value_parser = priority())]
    priority: Priority,
}

impl Looking {
    fn options(self) -> LabOptions {
        LabOptions::default().looking(self.look).with_priority(self.priority)
    }

    /// What to type to run a scenario again as it was run: what was asked for holds for every run.
    fn again(self, of_run: Priority) -> String {
        match [self.priority, of_run].into_iter().find(|priority| *priority != Priority::Auto) {
            Some(priority) => format!(" --priority {}", priority.word()),
            None => String::new(),
        }
    }
}

/// Reads a way to look by its word.
fn look() -> impl TypedValueParser<Value = Look> {
    let by_word = |word: String| Look::ALL.into_iter().find(|look| look.word() == word);
    PossibleValuesParser::new(Look::ALL.map(Look::word))
        .map(move |word| by_word(word).expect("only words of ways are possible"))
}

/// Reads a priority by its word.
fn priority() -> impl TypedValueParser<Value = Priority> {
    let by_word = |word: String| Priority::ALL.into_iter().find(|priority| priority.word() == word);
    PossibleValuesParser::new(Priority::ALL.map(Priority::word))
        .map(move |word| by_word(word).expect("only words of priorities are possible"))
}

/// How results are written.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

/// How results are written that are also a page.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PageFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
    /// Markdown, for a page of documentation.
    Markdown,
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

impl End {
    /// How a command ended that left this code.
    fn of_code(code: u8) -> Option<End> {
        [End::Agree, End::Differ, End::BadInput, End::NotDecided, End::NoKernel].get(usize::from(code)).copied()
    }
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

/// The code of a program that a broken pipe has ended, as shells give it: 128 and SIGPIPE. What was not read was not looked at either.
const NOBODY_READS: u8 = 141;

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    if pidlab_kernels::guest::is_init() {
        pidlab_kernels::guest::init();
    }
    if let Some(code) = pidlab_kernels::enter_if_warden() {
        return code;
    }
    if let Some(code) = pidlab_certify::enter_if_part() {
        return code;
    }
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(asked) => return usage(&asked),
    };
    arguments.color.set();
    if let Some((terminal_size::Width(columns), _)) = terminal_size::terminal_size_of(io::stdout()) {
        crate::words::set_width(usize::from(columns));
    }
    let mut out = Out::new();
    let ended = match &arguments.command {
        Command::Check(arguments) => check::check(&mut out, arguments),
        Command::Run(arguments) => run::run(&mut out, arguments),
        Command::Fuzz(arguments) => fuzz::fuzz(&mut out, arguments),
        Command::Explore(arguments) => explore::explore(&mut out, arguments),
        Command::List(arguments) => list::list(&mut out, arguments),
        Command::Show(arguments) => list::show(&mut out, arguments),
        Command::New(arguments) => list::new(&mut out, arguments),
        Command::Learn(arguments) => learn::learn(&mut out, arguments),
        Command::Explain(arguments) => explain::explain(&mut out, arguments),
        Command::Rules(arguments) => explain::rules(&mut out, arguments),
        Command::Claims(arguments) => claims::claims(&mut out, arguments),
        Command::Facts(arguments) => facts::facts(&mut out, arguments),
        Command::Kernels(arguments) => kernels::kernels(&mut out, arguments),
        Command::Matrix(arguments) => matrix::matrix(&mut out, arguments),
        Command::Hearsay(arguments) => hearsay::hearsay(&mut out, arguments),
        Command::Why(arguments) => why::why(&mut out, arguments),
        Command::Incidents(arguments) => incidents::incidents_command(&mut out, arguments),
        Command::Book(arguments) => book::book(&mut out, arguments),
        Command::Init(arguments) => init::init(&mut out, arguments),
        Command::Judge(arguments) => judge::judge(&mut out, arguments),
        Command::Record(arguments) => record::record(&mut out, arguments),
        Command::Merge(arguments) => merge::merge(&mut out, arguments),
        Command::Completions(arguments) => generate::completions(&mut out, arguments, Arguments::command()),
        Command::Man(arguments) => generate::man(&mut out, arguments, Arguments::command()),
    };
    match ended.and_then(|end| out.flush().map(|()| end)) {
        Ok(_) if LOST.load(Ordering::Relaxed) => End::BadInput.into(),
        Ok(end) => end.into(),
        Err(error) => unwritten(&error),
    }
}

/// Help, the version, or what is wrong with the command line.
fn usage(asked: &clap::Error) -> ExitCode {
    match asked.print().and_then(|()| io::stdout().flush()) {
        Ok(()) => ExitCode::from(u8::try_from(asked.exit_code()).unwrap_or(2)),
        Err(error) => unwritten(&error),
    }
}

/// The end of a program whose output did not arrive.
fn unwritten(error: &io::Error) -> ExitCode {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return ExitCode::from(NOBODY_READS);
    }
    eprintln!("error: cannot write the results: {error}");
    End::BadInput.into()
}

/// Whether something could not be written on standard error.
static LOST: AtomicBool = AtomicBool::new(false);

/// Writes a message on standard error.
fn message(text: fmt::Arguments<'_>) {
    let text = format!("{text}\n");
    if anstream::stderr().write_all(printable_styled(&text).as_bytes()).is_err() {
        LOST.store(true, Ordering::Relaxed);
    }
}

/// Standard output: buffered, with styles only where they are wanted, and without what would act on a terminal.
struct Out(Shown<io::BufWriter<AutoStream<io::Stdout>>>);

impl Out {
    fn new() -> Out {
        Out(Shown(io::BufWriter::new(AutoStream::auto(io::stdout()))))
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

/// Text on its way to a reader: whatever was overlooked where it was made, nothing but styles passes of what acts on a terminal.
struct Shown<W>(W);

impl<W: Write> Write for Shown<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // All of it is text, and comes in whole pieces of text.
        self.0.write_all(printable_styled(&String::from_utf8_lossy(bytes)).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// How many scenarios run at once when the user does not say.
fn default_jobs() -> usize {
    pidlab_realkernel::allowed_cpus().len().max(1)
}

/// The scenarios that these words mean, or every mistake in them on standard error: for who runs all or nothing.
fn read(words: &[PathBuf]) -> Result<Vec<Source>, End> {
    all_good(selected(select::words(words))?)
}

/// The scenarios of a selection, if it is nothing else.
fn all_good(selection: Selection) -> Result<Vec<Source>, End> {
    let (good, bad): (Vec<_>, Vec<_>) = selection.entries.into_iter().partition(Result::is_ok);
    bad.iter().filter_map(|invalid| invalid.as_ref().err()).for_each(complain);
    if bad.is_empty() { Ok(good.into_iter().flatten().collect()) } else { Err(End::BadInput) }
}

/// A sign of life on standard error, drawn only on a terminal; it moves where a thread can be made that moves it.
fn spinner() -> ProgressBar {
    let spinner = ProgressBar::new_spinner();
    if std::thread::Builder::new().spawn(|| ()).is_ok() {
        spinner.enable_steady_tick(Duration::from_millis(100));
    }
    spinner
}

/// What is wrong with a file, on standard error.
fn complain(invalid: &Invalid) {
    let colour = AutoStream::choice(&io::stderr()) != ColorChoice::Never;
    eprintln!("{}", invalid.message(colour));
}

/// What was selected, or on standard error each word that matches nothing.
fn selected(selection: Result<Selection, Vec<String>>) -> Result<Selection, End> {
    selection.map_err(|wrong| {
        for wrong in wrong {
            eprintln!("error: {wrong}");
        }
        End::BadInput
    })
}

/// The labs that a command needs; where there can be none, the reason on standard error.
fn open_labs(on: On, jobs: usize, options: LabOptions) -> Result<Labs, Unavailable> {
    if on == On::Model {
        return Ok(Labs::none());
    }
    Labs::open(jobs, options).inspect_err(|unavailable| {
        eprintln!("the kernel side is skipped: {}", unavailable.reason);
        eprintln!("remedy: {}", unavailable.remedy);
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::{Look, Looking, Priority, Shown};

    #[test]
    fn a_run_is_repeated_with_its_priority() {
        let again = |asked, of_run| Looking { look: Look::Auto, priority: asked }.again(of_run);
        assert_eq!(again(Priority::Auto, Priority::Auto), "");
        assert_eq!(again(Priority::Auto, Priority::Ordinary), " --priority ordinary");
        assert_eq!(again(Priority::RealTime, Priority::Ordinary), " --priority real-time");
    }

    #[test]
    fn nothing_but_styles_passes_of_what_acts_on_a_terminal() {
        let mut shown = Shown(Vec::new());
        let title = "x\u{1b}[2J\u{202e}\u{9b}é";
        writeln!(shown, "\u{1b}[1m{title}\u{1b}[0m").expect("a vector takes it");
        let text = String::from_utf8(shown.0).expect("it is text");
        assert_eq!(text, "\u{1b}[1mx\u{fffd}[2J\u{fffd}\u{fffd}é\u{1b}[0m\n");
    }
}
