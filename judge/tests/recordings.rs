//! Recordings of real programs are accepted, and every altered answer is refuted.

use std::fs;
use std::path::{Path, PathBuf};

use pidlab_judge::{Fault, Finding, Log, Options, Unreadable, Verdict, judge};
use pidlab_sim::Misconception;

mod alter;

fn recordings() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings");
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).expect("recordings are kept").map(|entry| entry.expect("it can be read").path()).collect();
    paths.sort();
    let read = |path: PathBuf| {
        let name = path.file_stem().expect("a log has a name").to_string_lossy().into_owned();
        (name, fs::read_to_string(path).expect("a log is text"))
    };
    paths.into_iter().map(read).collect()
}

fn judged(text: &str) -> Result<Verdict, Unreadable> {
    judge(&Log::read(text, false)?, &Options::default())
}

#[test]
fn recordings_of_real_programs_are_accepted() {
    let mut answers = 0;
    let all = recordings();
    for (name, text) in &all {
        let verdict = judged(text).unwrap_or_else(|unreadable| panic!("{name}: {unreadable}"));
        assert!(matches!(verdict.finding, Finding::Accepted), "{name}: {verdict:#?}");
        answers += verdict.answers;
    }
    assert!(all.len() >= 15 && answers >= 1000, "{} recordings with {answers} answers", all.len());
}

/// Beyond, an altered log counts as not decided: of a program with many threads there are too many orders to try them all.
const MOST_WORLDS: usize = 20_000;

#[test]
fn every_altered_answer_is_refuted() {
    let mut options = Options::default();
    options.most_worlds = MOST_WORLDS;
    let (mut refuted, mut undecided, mut missed) = (0, 0, Vec::new());
    for (name, text) in recordings() {
        for (what, text) in alter::some(&text, &name) {
            match Log::read(&text, false).and_then(|log| judge(&log, &options)).map(|verdict| verdict.finding) {
                Ok(Finding::Refuted(_)) => refuted += 1,
                Ok(Finding::NotDecided { .. }) if name == "runc-life" => undecided += 1,
                came => missed.push(format!("{name}: {what}: {came:?}")),
            }
        }
    }
    assert!(missed.is_empty(), "{} of {refuted}:\n{}", missed.len(), missed.join("\n"));
    println!("{refuted} altered answers refuted, {undecided} not decided");
    assert!(refuted >= 400 && undecided <= 25, "{refuted} refuted, {undecided} not decided");
}

/// The text of one recording.
fn recording(name: &str) -> String {
    let all = recordings();
    all.into_iter().find(|(known, _)| known == name).expect("it is kept").1
}

#[test]
fn what_many_believe_is_refuted_by_recordings() {
    for (belief, least) in [(Misconception::OrphansGoToGrandparent, 1), (Misconception::InitDiesFromInside, 1)] {
        let mut options = Options::default();
        options.misconception = Some(belief);
        options.most_worlds = MOST_WORLDS;
        let refutes = |text: &str| {
            let verdict = judge(&Log::read(text, false).expect("it is a log"), &options).expect("it is whole");
            matches!(verdict.finding, Finding::Refuted(_))
        };
        let refuted = recordings().iter().filter(|(_, text)| refutes(text)).count();
        assert!(refuted >= least, "{}: {refuted}", belief.word());
    }
}

#[test]
fn a_refutation_says_what_would_have_been_allowed() {
    let text = recording("sh-wait");
    let altered = text.replacen("WEXITSTATUS(s) == 0}], WNOHANG", "WEXITSTATUS(s) == 1}], WNOHANG", 1);
    assert_ne!(text, altered);
    let Finding::Refuted(refuted) = judged(&altered).expect("it is a log").finding else { panic!("it is refuted") };
    assert!(refuted.text.contains("WEXITSTATUS(s) == 1") && refuted.by.starts_with("sh-"), "{refuted:#?}");
    let allowed = refuted.allowed.first().expect("something is");
    assert!(allowed.what.contains("exited with 0"), "{refuted:#?}");
    assert!(allowed.rules.iter().any(|rule| rule.starts_with("wait.")), "{refuted:#?}");
}

#[test]
fn what_is_no_whole_log_is_said_to_be_none() {
    let text = recording("tini");
    let lines: Vec<&str> = text.lines().collect();
    let with = |at: usize, line: &str| {
        let mut changed = lines.clone();
        changed.insert(at, line);
        changed.join("\n") + "\n"
    };
    let why = |text: &str| judged(text).expect_err("it is no whole log").why;
    assert_eq!(why(""), Fault::Empty);
    assert_eq!(why("Hello\n"), Fault::Foreign);
    assert_eq!(why(&with(20, "make: Nothing to be done for 'all'.")), Fault::Foreign);
    assert_eq!(why(&text[..text.len() - 12]), Fault::Cut);
    let half = lines[..lines.len() / 2].join("\n") + "\n";
    assert!(matches!(why(&half), Fault::StillThere(_)));
    assert!(matches!(why(&with(30, "7393 getpid() = 7393")), Fault::Interleaved(call) if call == "wait4"));
    assert!(matches!(why(&with(5, "7393 <... wait4 resumed>NULL, 0, NULL) = 1")), Fault::ResumedAlone(_)));
    assert!(matches!(why(&with(5, "99 getpid() = 99")), Fault::FromNowhere(99) | Fault::StillThere(99)));
    let late = text.clone() + "7393 getpid() = 7393\n";
    assert!(matches!(why(&late), Fault::FromNowhere(_) | Fault::StillThere(_)));
}

#[test]
fn what_there_is_of_a_log_can_be_judged() {
    let mut options = Options::default();
    options.partial = true;
    let text = recording("make");
    for part in [3, 5, 8] {
        let end = text.len() * part / 10;
        let log = Log::read(&text[..end], true).expect("it is a part of a log");
        let verdict = judge(&log, &options).expect("a part can be judged");
        assert!(matches!(verdict.finding, Finding::Accepted), "{part}: {verdict:#?}");
    }
}
