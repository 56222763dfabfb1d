//! `pidlab learn`: a course in which one predicts what a step does, and then sees it.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use pidlab_learn::{Beside, KernelRun, Progress, Session, Stage, Store, course};
use pidlab_page::LESSONS;
use pidlab_page::goal::{self, GOALS, Goal, Verdict};
use pidlab_realkernel::{Lab, LabError};
use pidlab_scenario::held::Whose;
use pidlab_scenario::{Facts, Machine, Observation, Scenario, escaped_json, one_line};
use pidlab_sim::Model;
use serde_json::json;

use super::{End, Looking, Out};
use crate::{compare, input, table, words};

#[derive(Args)]
#[command(after_help = "\
A lesson plays scenarios of the library and asks before the step that decides.
Answer by letter or in words; `hint` helps, `quit` leaves. What was answered is
kept in $XDG_STATE_HOME/pidlab/learn.json, else below ~/.local/state.

Examples:
  pidlab learn                     the next question
  pidlab learn list                the lessons, and how far you are
  pidlab learn deaf                one lesson, by word or number
  pidlab learn hint                the rule at stake in the next question
  pidlab learn --on kernel         this kernel gives the answers
  pidlab learn goals               tasks: make this picture
  pidlab learn goal free-it        one of them, with a file to begin with
  pidlab learn goal free-it mine.toml
                                   whether mine.toml reaches it
  pidlab learn reset               forget what was answered")]
pub(super) struct Arguments {
    /// A lesson by word or number, or `next`, `list`, `hint`, `reset`, `goals`, `goal`.
    #[arg(default_value = "next")]
    what: String,
    /// Which goal.
    goal: Option<String>,
    /// A scenario that is to reach it.
    #[arg(requires = "goal")]
    file: Option<PathBuf>,
    /// Who gives the answers.
    #[arg(long, value_enum, default_value = "model")]
    on: On,
    #[command(flatten)]
    looking: Looking,
    /// How it is written.
    #[arg(long, value_enum, default_value = "text")]
    format: super::Format,
}

/// Who gives the answers.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum On {
    /// The model.
    Model,
    /// This kernel.
    Kernel,
}

pub(super) fn learn(out: &mut Out, arguments: &Arguments) -> io::Result<End> {
    let path = Store::path(std::env::var_os("XDG_STATE_HOME"), std::env::var_os("HOME"));
    match &arguments.what[..] {
        "goal" => {}
        "reset" => return reset(out, path),
        "goals" if arguments.goal.is_none() => {}
        _ if arguments.goal.is_some() => {
            eprintln!("error: `{}` takes no other word, only `goal` does", one_line(&arguments.what));
            return Ok(End::BadInput);
        }
        _ => {}
    }
    let (store, mut progress, notice) = Store::open(path);
    if let Some(notice) = notice {
        eprintln!("note: {}", one_line(&notice));
    }
    let mut keep = Keep { store, told: false };
    match &arguments.what[..] {
        "list" => list(out, arguments, &progress),
        "hint" => hint(out, &progress),
        "goals" => goals(out, arguments, &progress),
        "goal" => task(out, arguments, &mut progress, &mut keep),
        what => lesson(out, arguments, what, &mut progress, &mut keep),
    }
}

/// Keeps progress, and says once if that cannot be done.
struct Keep {
    store: Store,
    told: bool,
}

impl Keep {
    fn save(&mut self, progress: &Progress) {
        if let Err(error) = self.store.save(progress)
            && !self.told
        {
            self.told = true;
            eprintln!("note: progress cannot be kept: {error}");
        }
    }
}

fn reset(out: &mut Out, path: Option<PathBuf>) -> io::Result<End> {
    let Some(path) = path else {
        writeln!(out, "nothing is kept: neither XDG_STATE_HOME nor HOME is an absolute path")?;
        return Ok(End::Agree);
    };
    match Store::reset(&path) {
        Ok(true) => writeln!(out, "forgotten: {}", path.display())?,
        Ok(false) => writeln!(out, "there was nothing to forget")?,
        Err(error) => {
            eprintln!("error: {} cannot be removed: {error}", path.display());
            return Ok(End::BadInput);
        }
    }
    Ok(End::Agree)
}

fn list(out: &mut Out, arguments: &Arguments, progress: &Progress) -> io::Result<End> {
    let next = progress.next_lesson();
    for (index, lesson) in LESSONS.iter().enumerate() {
        let (answered, at_once, all) = progress.of_lesson(lesson);
        if arguments.format == super::Format::Json {
            let object = json!({
                "lesson": lesson.word, "number": index + 1, "title": lesson.title, "questions": all, "answered": answered,
                "at_once": at_once, "next": next == Some(index),
            });
            writeln!(out, "{}", escaped_json(&object.to_string()))?;
            continue;
        }
        let mark = if next == Some(index) { '>' } else { ' ' };
        let name = format!("{:>2} {:<8}", index + 1, lesson.word);
        writeln!(out, "{mark} {name} {:<42} {answered:>2} of {all:>2}, {at_once} at once", lesson.title)?;
    }
    Ok(End::Agree)
}

fn hint(out: &mut Out, progress: &Progress) -> io::Result<End> {
    match progress.hint() {
        Some(hint) => hint.lines().try_for_each(|line| writeln!(out, "{}", textwrap::fill(line, words::page())))?,
        None => writeln!(out, "every question was answered")?,
    }
    Ok(End::Agree)
}

fn lesson(
    out: &mut Out,
    arguments: &Arguments,
    what: &str,
    progress: &mut Progress,
    keep: &mut Keep,
) -> io::Result<End> {
    let index = match (what, progress.next_lesson()) {
        ("next", Some(next)) => next,
        ("next", None) => {
            writeln!(out, "every question was answered; `pidlab learn LESSON` asks those of a lesson again")?;
            return Ok(End::Agree);
        }
        (word, _) => match course::find(word) {
            Some(index) => index,
            None => {
                let lessons = LESSONS.iter().map(|lesson| lesson.word).collect::<Vec<_>>().join(", ");
                eprintln!("error: there is no lesson `{}`\nhelp: lessons are {lessons}", one_line(word));
                return Ok(End::BadInput);
            }
        },
    };
    let mut show = match Show::open(arguments) {
        Ok(show) => show,
        Err(end) => return Ok(end),
    };
    let mut save = |progress: &Progress| keep.save(progress);
    let mut session = Session {
        input: io::stdin().lock(),
        output: &mut *out,
        format: match arguments.format {
            super::Format::Text => pidlab_learn::Format::Text,
            super::Format::Json => pidlab_learn::Format::Json,
        },
        progress,
        save: &mut save,
        stage: &mut show,
        width: words::width(),
    };
    session.lesson(index)?;
    Ok(if show.differs { End::Differ } else { End::Agree })
}

/// How worlds are drawn, and the kernel where it gives the answers.
struct Show {
    lab: Option<Lab>,
    facts: Facts,
    /// Whether the kernel has given something that the model does not allow.
    differs: bool,
}

impl Show {
    fn open(arguments: &Arguments) -> Result<Show, End> {
        if arguments.on == On::Model {
            return Ok(Show { lab: None, facts: Facts::newest(), differs: false });
        }
        match Lab::open(arguments.looking.options()) {
            Ok(lab) => Ok(Show { facts: lab.kernel().facts.clone(), lab: Some(lab), differs: false }),
            Err(why) => {
                eprintln!("error: this kernel cannot give answers: {}\nremedy: {}", why.reason, why.remedy);
                Err(End::NoKernel)
            }
        }
    }

    /// The kernel's run, with where it departs from the model.
    fn run(&mut self, scenario: &Scenario) -> Option<Result<KernelRun, String>> {
        let lab = self.lab.as_mut()?;
        let name = format!("Linux {}", lab.kernel().release);
        let run = match lab.run(scenario) {
            Ok(run) => run,
            Err(LabError::Lacking(why) | LabError::Unavailable(why)) => return Some(Err(why.reason)),
            Err(error) => return Some(Err(error.to_string())),
        };
        let mut model = Model::new(self.facts.clone().with_all(&scenario.needs));
        let verdict = compare::with_model(&mut model, scenario, Some(&run));
        let differs = verdict.problems.iter().find(|problem| problem.is_difference());
        self.differs |= differs.is_some();
        let differs = differs.map(|problem| {
            let text = anstream::adapter::strip_str(&crate::tell::problem(scenario, problem)).to_string();
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        });
        Some(Ok(KernelRun { name, observations: run.observations, differs }))
    }
}

impl Stage for &mut Show {
    fn facts(&self) -> Facts {
        self.facts.clone()
    }

    fn world(&self, scenario: &Scenario, seen: &Observation) -> String {
        table::world(scenario, seen, "  ")
    }

    fn beside(&self, lesson: usize) -> Option<Beside> {
        // What the program was built with is tested.
        let found = pidlab_book::beside().ok()?.into_iter().find(|beside| beside.lesson == lesson + 1)?;
        let commands = found.commands.into_iter().map(|command| (command.run.trim().to_owned(), command.shows));
        Some(Beside { how: pidlab_book::HOW_TO_TYPE.replace('`', ""), commands: commands.collect() })
    }

    fn kernel(&mut self, scenario: &Scenario) -> Option<Result<KernelRun, String>> {
        self.run(scenario)
    }
}

fn goals(out: &mut Out, arguments: &Arguments, progress: &Progress) -> io::Result<End> {
    for goal in GOALS {
        let reached = progress.goals.contains(goal.word);
        if arguments.format == super::Format::Json {
            let object = json!({ "goal": goal.word, "text": goal.text, "start": goal.template(), "reached": reached });
            writeln!(out, "{}", escaped_json(&object.to_string()))?;
            continue;
        }
        let mark = if reached { "  (reached)" } else { "" };
        writeln!(out, "{}{mark}\n{}\n", goal.word, textwrap::fill(goal.text, indented()))?;
    }
    Ok(End::Agree)
}

fn indented() -> textwrap::Options<'static> {
    words::page().initial_indent("  ").subsequent_indent("  ")
}

/// Shows a goal, or holds a file against it.
fn task(out: &mut Out, arguments: &Arguments, progress: &mut Progress, keep: &mut Keep) -> io::Result<End> {
    let Some(goal) = arguments.goal.as_deref().and_then(goal::find) else {
        let all = GOALS.iter().map(|goal| goal.word).collect::<Vec<_>>().join(", ");
        let wrong = arguments.goal.as_deref().map(|word| format!("there is no goal `{}`", one_line(word)));
        eprintln!("error: {}\nhelp: goals are {all}", wrong.as_deref().unwrap_or("which goal?"));
        return Ok(End::BadInput);
    };
    let Some(file) = &arguments.file else {
        writeln!(out, "{}\n", textwrap::fill(goal.text, words::page()))?;
        writeln!(
            out,
            "A file to begin with; `pidlab learn goal {} FILE` checks it, `pidlab explain clone` tells how a call is written:\n\n{}",
            goal.word,
            goal.template()
        )?;
        return Ok(End::Agree);
    };
    // Mistakes are told with their places in the learner's file; that nothing is written yet is none.
    let path = file.display().to_string();
    let text = input::text_of(file).and_then(|text| match goal.is_unwritten(&text) {
        true => Ok(text),
        false => input::of_text(&path, &path, &text).map(|source| source.text),
    });
    let text = match text {
        Ok(text) => text,
        Err(invalid) => {
            eprintln!("{}", invalid.message(false));
            return Ok(End::BadInput);
        }
    };
    let mut show = match Show::open(arguments) {
        Ok(show) => show,
        Err(end) => return Ok(end),
    };
    let missed = match held(goal, &text, &mut show) {
        Ok(missed) => missed,
        Err(why) => {
            eprintln!("{}", why.trim_end());
            return Ok(End::BadInput);
        }
    };
    let say = if show.lab.is_some() { "the model and this kernel say" } else { "the model says" };
    let Verdict { reached, words: told, missed, hint, .. } = Verdict::new(goal, missed, say);
    if reached {
        progress.goals.insert(goal.word.to_owned());
        keep.save(progress);
    }
    if arguments.format == super::Format::Json {
        let object = json!({ "goal": goal.word, "reached": reached, "missed": missed, "hint": hint });
        writeln!(out, "{}", escaped_json(&object.to_string()))?;
    } else {
        writeln!(out, "{}", textwrap::fill(&told, words::page()))?;
        missed.iter().try_for_each(|line| writeln!(out, "  {line}"))?;
        if let Some(hint) = hint {
            writeln!(out, "{}", textwrap::fill(&format!("Hint: {hint}"), words::page()))?;
        }
    }
    Ok(if reached { End::Agree } else { End::Differ })
}

/// What is otherwise than wanted, on the model or on the kernel.
fn held(goal: &Goal, text: &str, show: &mut Show) -> Result<Vec<String>, String> {
    let attempt = goal.attempt(text).map_err(|why| why.to_string())?;
    let mut missed = attempt.on_model(&show.facts).map_err(|why| why.to_string())?;
    match show.run(&attempt.scenario) {
        None => {}
        Some(run) => missed.extend(attempt.missed(&run?.observations, Whose::Kernel)),
    }
    Ok(missed)
}
