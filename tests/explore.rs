//! `pidlab explore` as a user meets it, and a small space on the kernel.

mod tool;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use pidlab_scenario::Scenario;
use serde_json::Value;
use tool::{Ended, Folder, GOOD, command, pidlab};

/// The last line of results in JSON.
fn last(text: &str) -> Value {
    serde_json::from_str(text.lines().last().expect("there is a summary")).expect("it is JSON")
}

/// Whether the kernel side ran; where it has to and did not, the test fails.
fn ran(ended: &Ended) -> bool {
    let required = pidlab_realkernel::must_not_skip();
    assert!(ended.code != Some(4) || !required, "{}", ended.err);
    ended.code != Some(4)
}

#[test]
fn a_space_is_told_of_in_words_and_for_programs() {
    let folder = Folder::new("space");
    let text = pidlab(&folder.0, &["explore", "--steps", "3", "--jobs", "1"]);
    assert_eq!(text.code, Some(0), "{}", text.err);
    for words in ["states       225\n", "transitions  865\n", "hash         be19f1a9bb0450bbfef53aa2243ee873\n"] {
        assert!(text.out.contains(words), "{words}: {}", text.out);
    }
    assert!(text.out.lines().all(|line| line.chars().count() <= 80), "{}", text.out);
    let json = pidlab(&folder.0, &["explore", "--steps", "3", "--format", "json", "--jobs", "3"]);
    assert_eq!(json.code, Some(0), "{}", json.err);
    let space = last(&json.out)["space"].clone();
    assert_eq!(space["hash"], "be19f1a9bb0450bbfef53aa2243ee873");
    assert_eq!(space["states_by_depth"], serde_json::json!([1, 6, 32, 186]));
    let shown = json.out.lines().filter(|line| line.contains("\"property\"")).count();
    assert!(shown > 10, "{shown} properties");
}

/// Counts and hashes change with the model, and who repeats them is to get what is written. The two spaces of 4 steps take too long here.
#[test]
fn the_figures_of_the_page_are_what_comes_out() {
    let page = fs::read_to_string("docs/explore.md").expect("it is there");
    let folder = Folder::new("figures");
    let rows = page.lines().filter_map(|line| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, command, states, transitions, _, hash, _, _, _] = cells[..] else { return None };
        let arguments = command.split('`').nth(1).filter(|arguments| arguments.starts_with("--"))?;
        Some((arguments, [states, transitions, hash].map(|cell| cell.replace([',', '`'], ""))))
    });
    let rows: Vec<_> = rows.collect();
    let (left_out, tried): (Vec<_>, Vec<_>) =
        rows.into_iter().partition(|(arguments, _)| arguments.ends_with("--steps 4"));
    assert_eq!((left_out.len(), tried.len()), (2, 4));
    for (arguments, [states, transitions, hash]) in tried {
        let words: Vec<&str> = ["explore", "--format", "json"].into_iter().chain(arguments.split(' ')).collect();
        let space = last(&pidlab(&folder.0, &words).out)["space"].clone();
        let found = ["states", "transitions"].map(|count| space[count].to_string());
        assert_eq!((found, space["hash"].as_str()), ([states, transitions], Some(&*hash)), "{arguments}");
    }
}

#[test]
fn what_cannot_be_explored_is_bad_usage() {
    let folder = Folder::new("bad-space");
    for arguments in [
        &["--calls", "frok"][..],
        &["--steps", "0"],
        &["--shard", "1/2"],
        &["--tell-apart", "nonsense"],
        &["--tell-apart", "numbers-restart-at-two", "--verify"],
    ] {
        let ended = pidlab(&folder.0, &[&["explore"], arguments].concat());
        assert_eq!(ended.code, Some(2), "{arguments:?}: {}", ended.err);
    }
    let near = pidlab(&folder.0, &["explore", "--calls", "frok"]);
    assert!(near.err.contains("did you mean `fork`?"), "{}", near.err);
}

#[test]
fn a_wrong_rule_is_shown_by_a_scenario_that_is_always_wrong() {
    let folder = Folder::new("wrong-rule");
    let wrong = ["explore", "--processes", "4", "--misconception", "orphans-go-to-grandparent"];
    let ended = pidlab(&folder.0, &wrong);
    assert_eq!(ended.code, Some(1), "{}", ended.err);
    assert!(ended.out.contains("WRONG who adopts an orphan is the init of its namespace"), "{}", ended.out);
}

#[test]
fn the_scenario_that_tells_two_models_apart_is_one_that_is_checked() {
    let folder = Folder::new("apart");
    let tell = ["explore", "--tell-apart", "init-dies-from-inside", "--save", "apart.toml"];
    let ended = pidlab(&folder.0, &tell);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(ended.out.contains("told apart by 1 steps"), "{}", ended.out);
    let text = fs::read_to_string(folder.0.join("apart.toml")).expect("it was written");
    let scenario = Scenario::parse("apart", "apart.toml", &text).expect("it is a scenario");
    assert!(scenario.steps[0].claimed().next().is_some());
    let check = |more: &[&str]| pidlab(&folder.0, &[&["check", "apart.toml", "--on", "model"], more].concat()).code;
    assert_eq!(check(&[]), Some(0), "it holds");
    assert_eq!(check(&["--misconception", "init-dies-from-inside"]), Some(1), "and is not so for who believes it");
    let none =
        pidlab(&folder.0, &["explore", "--tell-apart", "numbers-restart-at-two", "--calls", "core", "--steps", "2"]);
    assert_eq!(none.code, Some(3), "{}", none.out);
}

#[test]
fn the_kernel_makes_every_move_of_a_small_space() {
    let folder = Folder::new("verified");
    let verify = ["explore", "--verify", "--steps", "3", "--format", "json"];
    let whole = pidlab(&folder.0, &verify);
    if !ran(&whole) {
        return;
    }
    assert_eq!(whole.code, Some(0), "{}{}", whole.out, whole.err);
    let all = last(&whole.out)["summary"].clone();
    assert_eq!(all["moves"], all["space"]["transitions"], "nothing is left open in so few steps");
    assert_eq!(all["moves_made"], all["moves"]);
    assert_eq!((&all["differences"], &all["not_decided"], &all["no_result"]), (&0.into(), &0.into(), &0.into()));
    assert_eq!(all["no_result_because"], serde_json::json!({}));
    for part in ["1/2", "2/2"] {
        let ended = pidlab(&folder.0, &[&verify[..], &["--shard", part]].concat());
        assert_eq!(ended.code, Some(0), "{}", ended.err);
        folder.file(&format!("{}.json", &part[..1]), ended.out);
    }
    let merged = pidlab(&folder.0, &["merge", "2.json", "1.json"]);
    assert_eq!(merged.code, Some(0), "{}", merged.err);
    assert_eq!(last(&merged.out)["summary"], all);
    folder.file("good.toml", GOOD);
    let other = pidlab(&folder.0, &["check", "good.toml", "--on", "model", "--format", "json"]);
    folder.file("check.json", other.out);
    let mixed = pidlab(&folder.0, &["merge", "1.json", "check.json"]);
    assert_eq!(mixed.code, Some(2), "a check is no part of an exploration: {}", mixed.out);
}

#[test]
fn a_wrong_rule_is_found_by_the_kernel_and_shortened() {
    let folder = Folder::new("verified-wrong");
    let wrong =
        ["explore", "--verify", "--steps", "3", "--misconception", "init-dies-from-inside", "--save", "it.toml"];
    let ended = pidlab(&folder.0, &wrong);
    if !ran(&ended) {
        return;
    }
    assert_eq!(ended.code, Some(1), "{}{}", ended.out, ended.err);
    assert!(ended.out.contains("differences 1, shortened to 1 steps"), "{}", ended.out);
    assert!(ended.out.contains("replay: pidlab run --misconception init-dies-from-inside it.toml"), "{}", ended.out);
    let run = pidlab(&folder.0, &["check", "it.toml", "--misconception", "init-dies-from-inside"]);
    assert_eq!(run.code, Some(1), "{}", run.out);
}

const VERIFY: [&str; 5] = ["explore", "--verify", "--steps", "3", "--format=json"];

/// The whole lines of a file, and what is behind the last of them.
fn whole_lines(file: &Path) -> (Vec<String>, Vec<u8>) {
    let bytes = fs::read(file).unwrap_or_default();
    let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let text = String::from_utf8(bytes[..end].to_vec()).expect("progress is text");
    (text.lines().map(str::to_owned).collect(), bytes[end..].to_vec())
}

/// The program at work, once it has written more than so many lines into its file.
fn at_work(folder: &Path, arguments: &[&str], file: &Path, lines: usize) -> Child {
    let mut command = command(folder, arguments);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("pidlab starts");
    while whole_lines(file).0.len() <= lines && child.try_wait().expect("it is a child").is_none() {
        thread::yield_now();
    }
    child
}

/// By SIGKILL, as a machine without memory does it.
fn killed(mut child: Child) {
    child.kill().expect("it is a child");
    child.wait().expect("it is a child");
}

/// The numbers of the walks that a file has.
fn walks(lines: &[String]) -> BTreeSet<usize> {
    let walk = |line: &String| serde_json::from_str::<Value>(line).expect("it is JSON")["walk"].as_u64();
    lines.iter().skip(1).map(|line| walk(line).expect("it is a walk") as usize).collect()
}

#[test]
fn a_verification_that_was_killed_goes_on_where_it_was() {
    let folder = Folder::new("resumed");
    let whole = pidlab(&folder.0, &VERIFY);
    if !ran(&whole) {
        return;
    }
    let all = last(&whole.out)["summary"].clone();
    let count = all["walks"].as_u64().expect("a number") as usize;
    assert!(count > 40, "{count} walks are too few to be killed among");
    let file = folder.0.join("done");
    let resumed = [&VERIFY[..], &["--resume", "done"]].concat();
    let mut before = Vec::new();
    for lines in [0, 1, count / 4, count / 2] {
        killed(at_work(&folder.0, &resumed, &file, lines));
        let (kept, _) = whole_lines(&file);
        assert!(kept.len() > lines && kept.starts_with(&before), "what was done stays done");
        // A walk that gave no result, as on a machine that is short of time, is not there, and gone again.
        assert_eq!(walks(&kept).len(), kept.len() - 1, "each walk once");
        before = kept;
    }
    // The power went while a line was written.
    let cut = (count / 2).min(before.len() - 1);
    let torn = format!("{}\n{}", before[..cut].join("\n"), &before[cut][..7]);
    folder.file("done", torn);
    let ended = pidlab(&folder.0, &resumed);
    assert_eq!(ended.code, Some(0), "{}{}", ended.out, ended.err);
    assert!(ended.err.contains(&format!("goes on after {} walks that done has", cut - 1)), "{}", ended.err);
    assert_eq!(last(&ended.out)["summary"], all);
    let (kept, rest) = whole_lines(&file);
    assert_eq!((walks(&kept), rest), ((0..count).collect(), Vec::new()));
    assert_eq!(kept[..cut], before[..cut]);
    // All is done: the results are there again, and nothing else happens.
    let ended = pidlab(&folder.0, &resumed);
    assert_eq!((last(&ended.out)["summary"].clone(), ended.code), (all, Some(0)), "{}", ended.err);
    assert_eq!(whole_lines(&file).0, kept);
}

#[test]
fn parts_that_were_killed_are_merged_as_the_whole() {
    let folder = Folder::new("resumed-parts");
    let whole = pidlab(&folder.0, &VERIFY);
    if !ran(&whole) {
        return;
    }
    for part in ["1/2", "2/2"] {
        let name = format!("done-{}", &part[..1]);
        let arguments = [&VERIFY[..], &["--shard", part, "--resume", &name]].concat();
        killed(at_work(&folder.0, &arguments, &folder.0.join(&name), 10));
        let ended = pidlab(&folder.0, &arguments);
        assert_eq!(ended.code, Some(0), "{}", ended.err);
        folder.file(&format!("{}.json", &part[..1]), ended.out);
    }
    let merged = pidlab(&folder.0, &["merge", "1.json", "2.json"]);
    assert_eq!(last(&merged.out)["summary"], last(&whole.out)["summary"], "{}", merged.err);
}

#[test]
fn a_file_about_something_else_is_refused_and_stays_as_it_is() {
    let folder = Folder::new("resumed-other");
    let small = ["explore", "--verify", "--steps", "2", "--resume", "done"];
    let ended = pidlab(&folder.0, &small);
    if !ran(&ended) {
        return;
    }
    let file = folder.0.join("done");
    let good = fs::read_to_string(&file).expect("it was written");
    let refused = |text: &str, arguments: &[&str], words: &str| {
        folder.file("done", text);
        let ended = pidlab(&folder.0, &[arguments, &["--resume", "done"]].concat());
        assert_eq!(ended.code, Some(2), "{words}: {}{}", ended.out, ended.err);
        assert!(ended.err.contains(words), "{words}: {}", ended.err);
        assert_eq!(fs::read_to_string(&file).expect("it is there"), text);
    };
    let verify = ["explore", "--verify", "--steps"];
    let with = |more: &[&'static str]| [&verify[..], more].concat();
    refused(&good, &with(&["3"]), "it is about another space");
    refused(&good, &with(&["2", "--misconception", "init-dies-from-inside"]), "it is about another space");
    refused(&good, &with(&["2", "--shard", "1/2"]), "it is about another part of the walks: `1/1`");
    refused(&good, &with(&["2", "--length", "3"]), "it is about other walks");
    let version = fs::read_to_string("/proc/version").expect("Linux says what it is");
    let another = good.replace(version.trim_end(), "Linux version 2.6.32");
    assert_ne!(another, good);
    refused(&another, &with(&["2"]), "it is about another kernel: `Linux version 2.6.32`");
    let look = good.replacen("\"look\":\"", "\"look\":\"un", 1);
    refused(&look, &with(&["2"]), "it is about another way to look at processes");
    refused(GOOD, &with(&["2"]), "was not written by");
    let mut lines: Vec<&str> = good.lines().collect();
    lines[2] = r#"{"round":0,"walk":1,"steps":5,"moves":[999999],"chosen":[],"left":true}"#;
    refused(&format!("{}\n", lines.join("\n")), &with(&["2"]), "line 3 is not a walk");
    for arguments in
        [&["explore", "--resume", "done"][..], &["explore", "--verify", "--kernel", "nowhere", "--resume", "done"]]
    {
        assert_eq!(pidlab(&folder.0, arguments).code, Some(2), "{arguments:?}");
    }
    assert_eq!(pidlab(&folder.0, &with(&["2", "--resume", "."])).code, Some(2), "a folder");
}

#[test]
fn two_programs_do_not_write_one_file() {
    let folder = Folder::new("resumed-twice");
    let arguments = ["explore", "--verify", "--steps", "5", "--resume", "done"];
    let file = folder.0.join("done");
    let first = at_work(&folder.0, &arguments, &file, 1);
    if !file.exists() {
        return killed(first);
    }
    // However long the other one takes to begin, this one is not done by then.
    let stopped = Command::new("kill").args(["-STOP", &first.id().to_string()]).status();
    assert!(stopped.is_ok_and(|status| status.success()), "kill stops the first");
    let second = pidlab(&folder.0, &arguments);
    killed(first);
    assert_eq!(second.code, Some(2), "{}", second.err);
    assert!(second.err.contains("another program writes it"), "{}", second.err);
}

#[test]
fn a_difference_that_was_found_is_still_there() {
    let folder = Folder::new("resumed-wrong");
    let wrong = ["explore", "--verify", "--steps", "3", "--misconception", "init-dies-from-inside", "--resume", "done"];
    let ended = pidlab(&folder.0, &wrong);
    if !ran(&ended) {
        return;
    }
    let (lines, _) = whole_lines(&folder.0.join("done"));
    let again = pidlab(&folder.0, &wrong);
    let difference = |ended: &Ended| {
        assert_eq!(ended.code, Some(1), "{}{}", ended.out, ended.err);
        ended.out.split_once("\ndifferences 1").map(|(_, rest)| rest.to_owned()).expect("it is told")
    };
    assert_eq!(difference(&again), difference(&ended));
    assert!(again.err.contains(&format!("goes on after {} walks", lines.len() - 1)), "{}", again.err);
    assert_eq!(whole_lines(&folder.0.join("done")).0, lines);
}
