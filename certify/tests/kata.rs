//! The kata: each step can be done, and shows that the next is not; and four languages do them all.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use pidlab_certify::{AskError, DUTIES, Profile, STEPS, Subject, Verdict, find};
use pidlab_realkernel::must_not_skip;
use pidlab_scenario::library;

fn main() -> ExitCode {
    if let Some(code) = pidlab_certify::enter_if_part() {
        return code;
    }
    let arguments = Arguments::from_args();
    let mut trials = vec![
        Trial::test("each_duty_of_a_container_is_in_one_step", each_duty_is_in_one_step),
        Trial::test("each_step_has_a_scenario_that_there_is", each_step_has_a_scenario),
    ];
    for done in 0..=STEPS.len() {
        trials.push(Trial::test(format!("after_step_{done}_in_c_the_next_is_not_done"), move || stands_at(done)));
    }
    for language in LANGUAGES {
        // What is not installed is told as ignored.
        let is_lacking = !is_installed(language.needs);
        let name = format!("all_steps_in_{}", language.name);
        trials.push(Trial::test(name, move || does_all(language)).with_ignored_flag(is_lacking));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn each_duty_is_in_one_step() -> Result<(), Failed> {
    let of_steps: Vec<&str> = STEPS.iter().flat_map(|step| step.duties).copied().collect();
    let of_a_container =
        DUTIES.iter().filter(|duty| duty.profiles.contains(&Profile::Container) && duty.is_for_started());
    let of_a_container: BTreeSet<&str> = of_a_container.map(|duty| duty.name).collect();
    if of_steps.len() != of_a_container.len() || of_steps.into_iter().collect::<BTreeSet<_>>() != of_a_container {
        return Err("the steps' duties are not those of a container".into());
    }
    Ok(())
}

fn each_step_has_a_scenario() -> Result<(), Failed> {
    match STEPS.iter().find(|step| !library::files().any(|file| file.name == step.scenario)) {
        Some(step) => Err(format!("{}: there is no {}", step.title, step.scenario).into()),
        None => Ok(()),
    }
}

/// Where the programs are that are held against the steps.
fn source(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("kata").join(file)
}

/// A place for a program that is built.
fn built(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn build(command: &mut Command) -> Result<(), Failed> {
    let output = command.output()?;
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned().into()),
    }
}

/// How long a duty may take: a machine may be so loaded that nobody runs for a minute.
const BOUND: Duration = Duration::from_secs(600);

/// The first of these duties that is not done; nothing if all are, or if they cannot be asked here.
fn problem(subject: &Subject, duties: impl IntoIterator<Item = &'static str>) -> Result<Option<String>, Failed> {
    for duty in duties {
        let duty = find(duty).ok_or("there is no such duty")?;
        match subject.ask(duty) {
            Ok(report) if report.verdict == Verdict::Holds => {}
            Ok(report) => return Ok(Some(format!("{report:?}"))),
            Err(AskError::Unavailable { .. }) if !must_not_skip() => return Ok(None),
            Err(error) => return Err(error.to_string().into()),
        }
    }
    Ok(None)
}

/// Whether anything can be asked here.
fn can_ask(subject: &Subject) -> Result<bool, Failed> {
    let duty = find("starts").ok_or("there is no such duty")?;
    match subject.ask(duty) {
        Ok(_) => Ok(true),
        Err(AskError::Unavailable { .. }) if !must_not_skip() => Ok(false),
        Err(error) => Err(error.to_string().into()),
    }
}

fn stands_at(done: usize) -> Result<(), Failed> {
    let program = built(&format!("kata-c-{done}"));
    let step = format!("-DSTEP={done}");
    build(Command::new("cc").args(["-Wall", "-Werror", &step, "-o"]).arg(&program).arg(source("init.c")))?;
    let subject = Subject::new([program.to_string_lossy().as_ref(), "{}"]).with_bound(BOUND);
    if !can_ask(&subject)? {
        return Ok(());
    }
    if let Some(step) = done.checked_sub(1).map(|last| &STEPS[last])
        && let Some(why) = problem(&subject, step.duties.iter().copied())?
    {
        return Err(format!("step {done} is done, and yet: {why}").into());
    }
    match STEPS.get(done) {
        Some(next) if problem(&subject, next.duties.iter().copied())?.is_none() => {
            Err(format!("step {} is done, too", done + 1).into())
        }
        _ => Ok(()),
    }
}

/// A language in which the whole is written.
#[derive(Clone, Copy)]
struct Language {
    name: &'static str,
    needs: &'static str,
    /// What makes a program of the source: `IN` and `OUT` are put in. Nothing where it is run as it is.
    build: &'static [&'static str],
    /// What is not asked here.
    left_out: &'static [&'static str],
}

const LANGUAGES: [Language; 3] = [
    Language { name: "py", needs: "python3", build: &[], left_out: &[] },
    Language { name: "rs", needs: "rustc", build: &["rustc", "--edition", "2024", "-o", "OUT", "IN"], left_out: &[] },
    Language {
        name: "go",
        needs: "go",
        build: &["go", "build", "-o", "OUT", "IN"],
        // The runtime unblocks all signals before it has a handler for any, and that is the end of the first. It sleeps a minute at a
        // time, which has to be awaited wherever the others are to come to rest first.
        left_out: &[
            "early-term",
            "stays",
            "thousand",
            "crowd",
            "stopped-command",
            "job-control",
            "foreground",
            "ctrl-c",
            "resize",
            "hangup",
        ],
    },
];

fn is_installed(program: &str) -> bool {
    let version = if program == "go" { "version" } else { "--version" };
    let ran = Command::new(program).arg(version).stdout(Stdio::null()).stderr(Stdio::null()).status();
    ran.is_ok_and(|status| status.success())
}

fn does_all(language: Language) -> Result<(), Failed> {
    let (source, program) = (source(&format!("init.{}", language.name)), built(&format!("kata-{}", language.name)));
    let (source, program) = (source.to_string_lossy(), program.to_string_lossy());
    let filled = |word: &&str| match *word {
        "IN" => source.to_string(),
        "OUT" => program.to_string(),
        other => other.to_owned(),
    };
    let words: Vec<String> = language.build.iter().map(filled).collect();
    let subject = match words.split_first() {
        Some((compiler, arguments)) => {
            build(Command::new(compiler).args(arguments).env("GOCACHE", built("go-cache")))?;
            Subject::new([&*program, "{}"])
        }
        None => Subject::new([language.needs, &*source, "{}"]),
    };
    let subject = subject.with_bound(BOUND);
    for step in STEPS {
        let duties = step.duties.iter().copied().filter(|duty| !language.left_out.contains(duty));
        if let Some(why) = problem(&subject, duties)? {
            return Err(format!("{}: {why}", step.title).into());
        }
    }
    Ok(())
}
