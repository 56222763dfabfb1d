//! `pidlab explore` as a user meets it, and a small space on the kernel.

mod tool;

use std::fs;

use pidlab_scenario::Scenario;
use serde_json::Value;
use tool::{Ended, Folder, GOOD, pidlab};

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
