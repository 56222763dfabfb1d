//! `pidlab init`: does this PID 1 do its duties?

mod kata;
mod own;
mod record;
mod text;
mod tools;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use pidlab_certify::{AskError, Asked, AttachError, Duty, OwnDuty, Profile, Recorded, Report, Subject, Verdict, find};
use pidlab_scenario::one_line;

use record::Record;

use super::{End, Out};

#[derive(Args)]
#[command(after_help = "\
COMMAND is run as PID 1 of a PID namespace. A word {} in it becomes the words
of the command that it is to start: this program, which does as it is told and
tells which signals it gets. Within a word, {} becomes the same as a shell reads
it. Without {}, COMMAND starts nothing, and a process from outside joins it, as
with `docker exec`.

COMMAND sees the files of this machine, and changes none: what it writes to
/etc, /run, /tmp and /var is gone with it. No verdict hangs on time: that
something does not happen is said when nothing more can happen. What does not
come to rest within the bound is not decided.

A duty that is not done is played once more under strace, where that is
installed, and the last calls of PID 1 are told. The verdict is that of the
first play, which nobody watches. --record DIR keeps the logs of all calls,
for `pidlab judge`.

A duty of your own is a scenario: COMMAND plays its role `init`, and {} the
first child that `init` makes. Other steps inside are done as written, those of
`host` from outside. Those of `init` are not done: they say what a good PID 1
does by itself, and it is waited until nothing more happens. Claims of a step
are held against what is so then. `pidlab run FILE` runs the same with a good
init; docs/init.md says what can be played and claimed.

With --attach the PID 1 of a container that runs already is asked, from outside
of the container; any process in it will do. It is looked at, and nothing is
sent, traced or written. Duties for which an orphan is made there are asked with
--orphans, or by their names: an orphan that is not reaped stays as a zombie for
as long as the container is there, three of them at most; and a PID 1 that takes
any child for its command ends with the first, and its container with it.

Exit codes:
  0  every duty of the profile is done
  1  one is not done
  2  bad usage, or COMMAND cannot be run, or there is no such container, or a
     log cannot be written
  3  one is not decided
  4  it cannot be asked here

Examples:
  pidlab init -- tini -- {}
  pidlab init -- sh -c '{}; exit $?'
  pidlab init --profile pause -- sleep infinity
  pidlab init --duty orphan --duty early-term -- dumb-init {}
  pidlab init --duty early-term --record logs -- dumb-init {}
  pidlab init --duty my-duty.toml -- ./my-init {}
  pidlab init --kata -- ./my-init {}
  pidlab init --attach 4242
  pidlab init --attach 4242 --orphans
  pidlab init --list")]
pub(super) struct Arguments {
    /// What it is for, which says what its duties are [default: container, and pause where there is no {}].
    #[arg(long, value_enum)]
    profile: Option<For>,
    /// Ask this duty alone, which is one of the list, or one of your own: a scenario in a file, or - for standard input; can be given more
    /// than once.
    #[arg(long = "duty", value_name = "NAME|FILE", value_parser = known)]
    duties: Vec<Named>,
    /// Write a PID 1 of your own: ask step by step what a container's must do, up to the first step that is not done.
    #[arg(long, conflicts_with_all = ["profile", "duties"])]
    kata: bool,
    /// Ask the PID 1 of a container that runs already: PID is any process in it, as it is seen from here.
    #[arg(long, value_name = "PID", conflicts_with_all = ["kata", "profile", "command", "jobs"], value_parser = clap::value_parser!(i32).range(1..))]
    attach: Option<i32>,
    /// Ask it what it does with orphans as well: one that it does not reap stays as a zombie for as long as the container is there.
    #[arg(long, requires = "attach", conflicts_with = "command")]
    orphans: bool,
    /// Keep the logs of duties that are not done in this folder, as DUTY.log, or DUTY-1.log and so on where COMMAND is started several times.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["attach", "list", "no_record"])]
    record: Option<PathBuf>,
    /// Do not play what is not done once more.
    #[arg(long)]
    no_record: bool,
    /// List the duties, and ask none; with --kata the steps.
    #[arg(long)]
    list: bool,
    /// How it is written.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// After how many seconds a duty is given up as not decided.
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = clap::value_parser!(u64).range(1..=3600))]
    bound: u64,
    /// How many duties are asked at once [default: one per CPU].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    jobs: Option<u16>,
    /// The program, and its arguments.
    #[arg(last = true, required_unless_present_any = ["list", "attach"])]
    command: Vec<OsString>,
}

/// What the program is for.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum For {
    /// Starts one command in a container, and ends with it.
    Container,
    /// Keeps services running.
    Supervisor,
    /// Holds a namespace open, and starts nothing.
    Pause,
}

impl From<For> for Profile {
    fn from(profile: For) -> Profile {
        match profile {
            For::Container => Profile::Container,
            For::Supervisor => Profile::Supervisor,
            For::Pause => Profile::Pause,
        }
    }
}

/// How it is written.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
    /// JUnit's XML.
    Junit,
    /// KTAP, version 1.
    Ktap,
}

/// A duty as it is named.
#[derive(Clone)]
enum Named {
    /// One of the table.
    BuiltIn(&'static Duty),
    /// The file of a user's own, or `-`.
    File(PathBuf),
}

/// A word that looks like a path is one: no name of a duty does.
fn known(name: &str) -> Result<Named, String> {
    if name == "-" || name.contains('/') || Path::new(name).extension().is_some_and(|end| end == "toml") {
        return Ok(Named::File(PathBuf::from(name)));
    }
    let none = "there is no such duty: see `pidlab init --list`; one of your own is a file, `./FILE` or `FILE.toml`";
    find(name).map(Named::BuiltIn).ok_or_else(|| none.to_owned())
}

/// What the program is asked.
#[derive(Clone)]
enum Question {
    BuiltIn(&'static Duty),
    Own(Arc<OwnDuty>),
}

impl Question {
    fn asked(&self) -> Asked<'_> {
        match self {
            Question::BuiltIn(duty) => (*duty).into(),
            Question::Own(duty) => (&**duty).into(),
        }
    }
}

/// A run: what is asked of whom.
struct Run {
    subject: Subject,
    profile: Profile,
    kernel: String,
    duties: Vec<Question>,
    record: Record,
}

/// A duty's answer, and how long it took.
struct Answer {
    question: Question,
    report: Report,
    /// How long that took, without its recording.
    took: Duration,
    /// What a second play gave, if it is not done.
    recorded: Option<Recorded>,
    /// The files of its logs, if they are kept.
    logs: Vec<PathBuf>,
}

/// Where answers are written to.
trait Writer {
    fn start(&mut self, out: &mut dyn Write, run: &Run) -> io::Result<()>;
    fn take(&mut self, out: &mut dyn Write, run: &Run, answer: &Answer) -> io::Result<()>;
    fn finish(&mut self, out: &mut dyn Write, counts: &Counts) -> io::Result<()>;
}

/// How many came out how.
#[derive(Default)]
struct Counts(BTreeMap<&'static str, usize>);

impl Counts {
    fn of(&self, verdict: Verdict) -> usize {
        self.0.get(verdict.word()).copied().unwrap_or(0)
    }

    fn end(&self) -> End {
        match () {
            () if self.of(Verdict::Fails) > 0 => End::Differ,
            () if self.of(Verdict::NotDecided) > 0 => End::NotDecided,
            () => End::Agree,
        }
    }
}

pub(super) fn init(out: &mut Out, arguments: &Arguments) -> io::Result<End> {
    if arguments.list {
        if arguments.kata {
            kata::list(out)?
        } else {
            text::list(out)?
        }
        return Ok(End::Agree);
    }
    if let Some(wrong) = own::wrong(arguments) {
        eprintln!("error: {wrong}");
        return Ok(End::BadInput);
    }
    let subject = match arguments.attach {
        Some(pid) => attached(pid),
        None => started(&arguments.command),
    };
    let subject = match subject {
        Ok(subject) => subject.with_bound(Duration::from_secs(arguments.bound)),
        Err(end) => return Ok(end),
    };
    if arguments.kata && !matches!(arguments.format, Format::Text | Format::Json) {
        eprintln!("error: the steps are told as text or as json");
        return Ok(End::BadInput);
    }
    if arguments.kata && !subject.starts_a_command() {
        eprintln!(
            "error: no `{{}}` is among the words, which is where the command goes: pidlab init --kata -- ./my-init {{}}"
        );
        return Ok(End::BadInput);
    }
    let other = if subject.starts_a_command() { Profile::Container } else { Profile::Pause };
    let profile = arguments.profile.map_or(other, Profile::from);
    let duties: Vec<Question> = match &arguments.duties[..] {
        _ if arguments.kata => kata::duties(),
        [] => subject.duties(profile).map(Question::BuiltIn).collect(),
        some => match own::questions(some) {
            Ok(questions) => questions,
            Err(end) => return Ok(end),
        },
    };
    // Named is meant.
    let has_orphans = arguments.orphans || !arguments.duties.is_empty();
    let record = match Record::new(arguments) {
        Ok(record) => record,
        Err(why) => {
            eprintln!("error: {why}");
            return Ok(End::BadInput);
        }
    };
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned();
    let subject = subject.with_orphans(has_orphans);
    let run = Run { subject, profile, kernel, duties, record };
    let writer: Box<dyn Writer> = match arguments.format {
        Format::Text => Box::new(text::Text::default()),
        Format::Json => Box::new(tools::Json),
        Format::Junit => Box::new(tools::Junit::default()),
        Format::Ktap => Box::new(tools::Ktap::default()),
    };
    // In a container that others use, one comes after another.
    let jobs = match arguments.attach {
        Some(_) => 1,
        None => arguments.jobs.map_or_else(super::default_jobs, usize::from),
    };
    let mut telling = Telling { run: &run, writer, counts: Counts::default(), begun: false, heading: None };
    if arguments.kata {
        return kata::go(out, telling, jobs, arguments.format);
    }
    let asked = ask(out, &mut telling, &run.duties, jobs)?;
    telling.end(out, asked)
}

/// A program that is started. How this ends, where it cannot be.
fn started(command: &[OsString]) -> Result<Subject, End> {
    let words: Option<Vec<&str>> = command.iter().map(|word| word.to_str()).collect();
    words.map(Subject::new).ok_or_else(|| {
        eprintln!("error: the command is no UTF-8");
        End::BadInput
    })
}

/// The PID 1 of a container that runs already. How this ends, where there is none.
fn attached(pid: i32) -> Result<Subject, End> {
    Subject::running(pid).map_err(|error| {
        eprintln!("error: PID {pid}: {error}");
        match error {
            AttachError::NotPermitted(_) => {
                eprintln!("remedy: run as root, or as the user whose container it is");
                End::NoKernel
            }
            _ => End::BadInput,
        }
    })
}

/// Whom it is about, in words.
fn title(subject: &Subject) -> String {
    let name = match subject.attached_to() {
        Some((pid, name)) => format!("PID {pid} ({name})"),
        None => subject.words().join(" "),
    };
    one_line(&name).into_owned()
}

/// What has been told so far of a run.
struct Telling<'a> {
    run: &'a Run,
    writer: Box<dyn Writer>,
    counts: Counts,
    begun: bool,
    /// What stands above the next answer.
    heading: Option<String>,
}

impl Telling<'_> {
    fn take(&mut self, out: &mut Out, answer: &Answer) -> io::Result<()> {
        // Not before there is an answer: there may be nobody to ask.
        if !self.begun {
            self.writer.start(out, self.run)?;
            self.begun = true;
        }
        if let Some(heading) = self.heading.take() {
            writeln!(out, "{heading}")?;
        }
        *self.counts.0.entry(answer.report.verdict.word()).or_default() += 1;
        self.writer.take(out, self.run, answer)?;
        out.flush()
    }

    /// How it ended, if all that was to be asked could be.
    fn end(mut self, out: &mut Out, stopped: Option<End>) -> io::Result<End> {
        if let Some(stopped) = stopped {
            return Ok(stopped);
        }
        self.writer.finish(out, &self.counts)?;
        Ok(self.counts.end())
    }
}

/// Asks these, several at once, and tells the answers in their order. Why it cannot go on, if it cannot.
fn ask(out: &mut Out, telling: &mut Telling<'_>, duties: &[Question], jobs: usize) -> io::Result<Option<End>> {
    let run = telling.run;
    let (next, (say, hear)) = (AtomicUsize::new(0), mpsc::channel());
    thread::scope(|scope| {
        for _ in 0..jobs.min(duties.len()) {
            let (say, next) = (say.clone(), &next);
            scope.spawn(move || {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(question) = duties.get(index).cloned() else { return };
                    let begun = Instant::now();
                    let asked = run.subject.ask(question.asked()).and_then(|report| {
                        let took = begun.elapsed();
                        let recorded = run.record.of(&run.subject, question.asked(), &report)?;
                        Ok(Answer { question, report, took, recorded, logs: Vec::new() })
                    });
                    if say.send((index, asked)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(say);
        let told = tell(out, telling, &hear);
        // Whoever is not heard any more asks nothing more.
        next.store(duties.len(), Ordering::Relaxed);
        told
    })
}

type Came = (usize, Result<Answer, AskError>);

fn tell(out: &mut Out, telling: &mut Telling<'_>, hear: &mpsc::Receiver<Came>) -> io::Result<Option<End>> {
    let (mut waiting, mut at) = (BTreeMap::new(), 0);
    for (index, asked) in hear {
        let mut answer = match asked {
            Ok(answer) => answer,
            Err(AskError::Unavailable { reason, remedy }) => {
                eprintln!("it cannot be asked here: {reason}\nremedy: {remedy}");
                return Ok(Some(End::NoKernel));
            }
            Err(error) => {
                eprintln!("error: {error}");
                return Ok(Some(End::NoKernel));
            }
        };
        if answer.report.verdict == Verdict::NoProgram {
            eprintln!("error: {}", answer.report.seen);
            return Ok(Some(End::BadInput));
        }
        match telling.run.record.keep(&answer) {
            Ok(logs) => answer.logs = logs,
            Err(why) => {
                eprintln!("error: {why}");
                return Ok(Some(End::BadInput));
            }
        }
        waiting.insert(index, answer);
        while let Some(answer) = waiting.remove(&at) {
            telling.take(out, &answer)?;
            at += 1;
        }
    }
    Ok(None)
}
