//! The course as a learner meets it: whole sessions by pipe, and the file in which progress is kept.

mod tool;

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use pidlab::realkernel::{Lab, LabOptions};
use pidlab::scenario::{Facts, Machine};
use pidlab::sim::Model;
use pidlab::{compare, tell};
use pidlab_learn::course;
use pidlab_page::LESSONS;
use serde_json::Value;
use tool::{Ended, Folder, GOOD, command, ended, pidlab};

/// A learner, who keeps progress in a folder of the test.
struct Learner(Folder);

impl Learner {
    fn new(test: &str) -> Learner {
        Learner(Folder::new(test))
    }

    fn state(&self) -> PathBuf {
        self.0.0.join("state/pidlab/learn.json")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command(&self.0.0, &[&["learn"], arguments].concat());
        command.env("XDG_STATE_HOME", fs::canonicalize(&self.0.0).expect("it is there").join("state"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn says(&self, arguments: &[&str], answers: &str) -> Ended {
        let mut child = self.command(arguments).spawn().expect("pidlab starts");
        // Who has left reads no more.
        let _ = child.stdin.take().expect("it has one").write_all(answers.as_bytes());
        ended(child.wait_with_output().expect("it ends"))
    }

    fn progress(&self) -> Value {
        serde_json::from_str(&fs::read_to_string(self.state()).expect("progress is kept")).expect("it is JSON")
    }
}

/// How people name a choice.
fn letter(number: usize) -> char {
    ['a', 'b', 'c', 'd'][number - 1]
}

/// The numbers of the right answers of a lesson, and of wrong ones.
fn answers(word: &str) -> Vec<(usize, usize)> {
    let lesson = &LESSONS[course::find(word).expect("there is one")];
    let place = |item: &course::Item, right: bool| {
        item.question.choices.iter().position(|choice| choice.right == right).expect("there is one") + 1
    };
    course::of_lesson(lesson).iter().map(|item| (place(item, true), place(item, false))).collect()
}

#[test]
fn a_lesson_is_learnt_wrong_then_right_and_kept() {
    let learner = Learner::new("lesson");
    let all = answers("parents");
    let (right, wrong) = all[0];
    let first = learner.says(&[], &format!("{}\n{}\n", letter(wrong), letter(right)));
    assert_eq!((first.code, &first.err[..]), (Some(0), ""), "{}", first.out);
    assert!(first.out.starts_with("Lesson 1 of 12, parents:"), "{}", first.out);
    let told =
        ["process", "Next are:", "No. ", "The rule at stake", "Try again.", "Right.", "[kernel/", "To be continued"];
    let mut rest = &first.out[..];
    for part in told {
        rest = rest.split_once(part).unwrap_or_else(|| panic!("no `{part}` in its place:\n{}", first.out)).1;
    }
    assert!(first.out.lines().all(|line| line.chars().count() <= 120), "{}", first.out);
    assert_eq!(learner.progress()["answered"].as_object().map(|all| all.len()), Some(1));
    let listed = learner.says(&["list"], "").out;
    assert!(listed.starts_with(">  1 parents") && listed.lines().count() == 12, "{listed}");
    assert!(learner.says(&["hint"], "").out.contains("The rule at stake"));
    // It goes on where it was left, and then with the next lesson.
    let lines: String = all[1..].iter().map(|(right, _)| format!("{}\n", letter(*right))).collect();
    let second = learner.says(&["next"], &lines);
    assert!(second.out.contains(&format!("The lesson is done: {} of {}", all.len() - 1, all.len())), "{}", second.out);
    assert!(learner.says(&[], "").out.starts_with("Lesson 2 of 12"));
    let forgotten = learner.says(&["reset"], "");
    assert!(forgotten.out.starts_with("forgotten") && !learner.state().exists());
    assert!(learner.says(&["reset"], "").out.starts_with("there was nothing"));
    assert!(learner.says(&[], "").out.starts_with("Lesson 1 of 12"));
}

#[test]
fn programs_learn_too() {
    let learner = Learner::new("programs");
    let lines: String = answers("deaf").iter().map(|(right, _)| format!("{right}\n")).collect();
    let done = learner.says(&["7", "--format", "json"], &lines);
    let objects: Vec<Value> = done.out.lines().map(|line| serde_json::from_str(line).expect("an object")).collect();
    assert_eq!(objects.last().map(|last| &last["done"]), Some(&"deaf".into()), "{}", done.out);
    let listed = learner.says(&["list", "--format", "json"], "").out;
    let seventh: Value = serde_json::from_str(listed.lines().nth(6).expect("the seventh")).expect("an object");
    assert_eq!((&seventh["lesson"], &seventh["answered"]), (&"deaf".into(), &seventh["questions"]), "{seventh}");
}

#[test]
fn what_is_not_there_is_told() {
    let learner = Learner::new("lost");
    learner.0.file("other.toml", GOOD);
    assert!(pidlab(&learner.0.0, &["learn", "--help"]).out.contains("pidlab learn goals"));
    for (arguments, message) in [
        (&["nothing"][..], "there is no lesson `nothing`"),
        (&["0"], "there is no lesson `0`"),
        (&["deaf", "more"], "`deaf` takes no other word, only `goal` does"),
        (&["goal"], "which goal?"),
        (&["goal", "none"], "goals are an-orphan-inside"),
        (&["goal", "freeze", "nowhere.toml"], "nowhere.toml"),
        (&["goal", "free-it", "other.toml"], "a solution begins with these steps"),
    ] {
        let Ended { code, err, .. } = learner.says(arguments, "");
        assert_eq!(code, Some(2), "{arguments:?}: {err}");
        assert!(err.contains(message), "{arguments:?}: {err}");
    }
}

#[test]
fn a_file_that_is_broken_or_cannot_be_written_stops_nobody() {
    let learner = Learner::new("broken");
    learner.0.file("state/pidlab/learn.json", "{ broken");
    let all: String = answers("ends").iter().map(|(right, _)| format!("{}\n", letter(*right))).collect();
    let learnt = learner.says(&["ends"], &all);
    assert_eq!(learnt.code, Some(0), "{}", learnt.err);
    assert!(
        learnt.err.contains("cannot be read, and is not kept this time") && learnt.out.contains("The lesson is done")
    );
    assert_eq!(fs::read_to_string(learner.state()).expect("it is there"), "{ broken");
    assert!(learner.says(&["reset"], "").out.starts_with("forgotten"));
    // A file in the place of the folder.
    let learner = Learner::new("unwritable");
    learner.0.file("state", "");
    let learnt = learner.says(&["ends"], &all);
    assert_eq!(learnt.code, Some(0), "{}", learnt.err);
    assert_eq!(learnt.err.lines().count(), 1, "it is said once: {}", learnt.err);
}

/// Ctrl-C at the prompt: what was answered is kept, and the file is whole.
#[test]
fn an_end_by_a_signal_leaves_progress_whole() {
    let learner = Learner::new("interrupted");
    let mut child = learner.command(&["deaf", "--format", "json"]).spawn().expect("pidlab starts");
    let mut input = child.stdin.take().expect("it has one");
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().expect("it has one")));
    let mut answered = 0;
    for (right, _) in answers("deaf").into_iter().take(2) {
        assert!(lines.next().expect("a question").expect("it is text").contains("choices"));
        writeln!(input, "{right}").expect("it listens");
        input.flush().expect("it listens");
        assert!(lines.next().expect("a verdict").expect("it is text").contains("\"right\":true"));
        answered += 1;
    }
    // The third question: the second answer has been kept.
    assert!(lines.next().expect("a question").expect("it is text").contains("choices"));
    let pid = rustix::process::Pid::from_child(&child);
    // Not SIGINT: whoever runs the tests in the background of a script has it ignored, and so has the child.
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it lives");
    let ended = child.wait().expect("it ends");
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&ended), Some(15), "{ended}");
    assert_eq!(learner.progress()["answered"].as_object().map(|all| all.len()), Some(answered));
    let beside = fs::read_dir(learner.state().parent().expect("it has one")).expect("it is there").count();
    assert_eq!(beside, 1, "nothing is left beside it");
}

#[test]
fn nobody_reads_any_more() {
    let learner = Learner::new("closed");
    let mut child = learner.command(&["deaf"]).spawn().expect("pidlab starts");
    drop(child.stdout.take());
    let mut input = child.stdin.take().expect("it has one");
    let _ = input.write_all(b"1\n1\n1\n1\n");
    drop(input);
    let ended = child.wait_with_output().expect("it ends");
    assert_eq!(ended.status.code(), Some(141), "{}", String::from_utf8_lossy(&ended.stderr));
}

#[test]
fn goals_are_checked() {
    let learner = Learner::new("goals");
    let shown = learner.says(&["goal", "free-it"], "").out;
    let (_, template) = shown.split_once("\n\ntitle").expect("a file to begin with");
    let template = format!("title{template}");
    let with = |more: &str| template.trim_end().trim_end_matches(']').to_owned() + more + "]\n";
    learner.0.file("no.toml", with("  { by = \"host\", call = \"kill\", pid = \"init\", signal = \"SIGKILL\" },\n"));
    let reap = |by: &str| format!("  {{ by = \"{by}\", call = \"wait\", pid = \"any\" }},\n");
    learner.0.file("yes.toml", with(&(reap("exec") + &reap("host"))));
    let Ended { code, out, .. } = learner.says(&["goal", "free-it", "no.toml"], "");
    assert_eq!(code, Some(1), "{out}");
    assert!(out.starts_with("Not reached") && out.contains("init") && out.contains("Hint: "), "{out}");
    assert_eq!(learner.says(&["goal", "free-it", "yes.toml"], "").out, "Reached: the model says so.\n");
    // What there is to begin with is no mistake, and nothing is reached by it.
    let shown = learner.says(&["goal", "freeze"], "").out;
    let (_, template) = shown.split_once("\n\ntitle").expect("a file to begin with");
    learner.0.file("new.toml", format!("title{template}"));
    let Ended { code, out, err } = learner.says(&["goal", "freeze", "new.toml"], "");
    assert_eq!(
        (code, &out[..], err.trim_end()),
        (Some(2), "", "nothing is written yet: steps come between the brackets")
    );
    let listed = learner.says(&["goals"], "").out;
    assert_eq!(listed.matches("(reached)").count(), 1, "{listed}");
    if Lab::or_skip(LabOptions::default()).is_some() {
        let on_both = learner.says(&["goal", "free-it", "yes.toml", "--on", "kernel"], "");
        assert_eq!(on_both.out, "Reached: the model and this kernel say so.\n", "{}", on_both.err);
        let Ended { code, out, .. } = learner.says(&["goal", "free-it", "no.toml", "--on", "kernel"], "");
        assert!(code == Some(1) && out.contains("kernel"), "{out}");
    }
}

/// What is right, in words, of each question of a scenario.
fn right_words(name: &str, facts: &Facts) -> Vec<String> {
    let items = course::items(&course::scenario(name).0, facts);
    let right = |item: course::Item| item.question.choices.into_iter().find(|choice| choice.right);
    items.into_iter().filter_map(right).map(|choice| choice.words).collect()
}

/// What the course calls right is what this kernel does: each scenario of a lesson is run on it, and the model, of which the questions are
/// made, agrees with every step.
#[test]
fn every_right_answer_is_the_kernels() {
    let Some(mut lab) = Lab::or_skip(LabOptions::default()) else { return };
    let facts = lab.kernel().facts.clone();
    for name in LESSONS.iter().flat_map(|lesson| lesson.scenarios) {
        let (scenario, _) = course::scenario(name);
        let run = lab.run(&scenario).unwrap_or_else(|error| panic!("{name}: {error}"));
        let verdict = compare::with_model(&mut Model::new(facts.clone()), &scenario, Some(&run));
        let problems: Vec<String> = verdict.problems.iter().map(|one| tell::problem(&scenario, one)).collect();
        assert!(problems.is_empty(), "{name}: {problems:?}");
        // The questions are those of the newest kernel that the model knows; wrong answers may be others.
        assert_eq!(right_words(name, &facts), right_words(name, &Facts::newest()), "{name}");
        let model = verdict.steps.iter().filter_map(|step| step.model.as_ref()).map(|answer| &answer.observation);
        assert!(model.eq(run.observations.iter()), "{name}: another outcome that is allowed");
    }
    let learner = Learner::new("on-kernel");
    for lesson in LESSONS {
        let lines: Vec<String> = lesson.scenarios.iter().flat_map(|name| right_words(name, &facts)).collect();
        let Ended { code, out, err } = learner.says(&[lesson.word, "--on", "kernel"], &lines.join("\n"));
        assert_eq!((code, &err[..]), (Some(0), ""), "{out}");
        assert!(out.contains("(Linux ") && out.contains("The lesson is done") && !out.contains("Note:"), "{out}");
    }
}
