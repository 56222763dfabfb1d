//! What `pidlab check` shows: in words, in the forms that other programs read, and by how it ends.
#![forbid(unsafe_code)]

mod tool;

use std::io::Write;
use std::process::Stdio;

use tool::{Ended, Folder, GOOD, command, ended, pidlab};

/// Files of every kind: two that hold, one of which is about other kernels, one that claims something false, one that is no scenario, one
/// that makes an impossible step.
fn mixed(test: &str) -> Folder {
    let folder = Folder::new(test);
    folder.file("a/good.toml", GOOD);
    folder.file("a/lies.toml", GOOD.replace("returns = 1", "returns = 7"));
    folder.file("b/typo#1.toml", GOOD.replace("getppid", "getpppid"));
    folder.file("b/dead.toml", GOOD.replace("by = \"leaf\", call", "by = \"mid\", call"));
    folder.file("b/other.toml", GOOD.replace("steps", "needs = [\"another-user\"]\nsteps"));
    folder
}

fn check(folder: &Folder, arguments: &[&str]) -> Ended {
    pidlab(&folder.0, &[&["check", "--on", "model"], arguments].concat())
}

#[test]
fn a_line_a_chapter_then_each_failure_again_with_its_command() {
    let folder = mixed("check-text");
    let Ended { code, out, err } = check(&folder, &["a", "b"]);
    assert_eq!((code, &*err), (Some(2), ""), "{out}");
    assert!(out.contains("\na                 2 scenarios    10 steps, CLAIM FAILED 1\n"), "{out}");
    assert!(out.contains("\nb                 3 scenarios     9 steps, INVALID 2\n"), "{out}");
    assert!(out.contains("b/typo#1.toml:8:"), "what is wrong is shown in full: {out}");
    assert!(!out.contains("good"), "what agrees is not named: {out}");
    let (_, end) = out.split_once("failures, and how to see each\n").expect("there is a list");
    let lines: Vec<&str> = end.lines().collect();
    assert_eq!(
        lines,
        [
            "  CLAIM FAILED pidlab run --on model a/lies.toml",
            "  INVALID      pidlab run --on model b/dead.toml",
            "  INVALID      pidlab run --on model 'b/typo#1.toml'",
            "the model alone: scenarios 5, steps 19",
            "agree 2, DIFFERS 0, CLAIM FAILED 1, NOT DECIDED 0, SKIPPED 0, INVALID 2,",
            "model only 0",
        ]
    );
}

#[test]
fn the_command_of_a_failure_shows_it() {
    let folder = mixed("check-replay");
    let out = check(&folder, &["--misconception", "init-dies-from-inside", "a/lies.toml"]).out;
    let replay = out.lines().find_map(|line| line.strip_prefix("   replay: pidlab ")).expect("there is a command");
    let words: Vec<&str> = replay.split(' ').collect();
    assert!(words.contains(&"--misconception"), "{replay}");
    let again = pidlab(&folder.0, &words);
    assert_eq!(again.code, Some(1), "{}", again.out);
    assert!(again.out.contains("claim failed at step "), "{}", again.out);
}

#[test]
fn quiet_shows_failures_alone_and_verbose_every_step() {
    let folder = mixed("check-amount");
    let quiet = check(&folder, &["--quiet", "a/good.toml"]).out;
    assert_eq!(
        quiet,
        "the model alone: scenarios 1, steps 5\n\
         agree 1, DIFFERS 0, CLAIM FAILED 0, NOT DECIDED 0, SKIPPED 0, INVALID 0,\nmodel only 0\n"
    );
    assert!(check(&folder, &["-q", "a"]).out.starts_with("CLAIM FAILED a/lies\n"));
    let verbose = check(&folder, &["-v", "a/good.toml"]).out;
    assert!(verbose.starts_with("ok           a/good\n"), "{verbose}");
    assert!(verbose.contains("         5  leaf: getppid(), returns 1\n"), "{verbose}");
    assert_eq!(check(&folder, &["-v", "-q"]).code, Some(2));
}

#[test]
fn a_library_that_fails_names_every_failure_in_the_last_lines() {
    let folder = Folder::new("check-failing");
    let Ended { code, out, .. } = check(&folder, &["--misconception", "numbers-restart-at-two"]);
    assert_eq!(code, Some(1));
    let failed = out.lines().filter(|line| line.starts_with("CLAIM FAILED")).count();
    assert!(failed > 0, "{out}");
    let last: Vec<&str> = out.lines().rev().take(failed + 5).collect();
    let named = last.iter().filter(|line| line.starts_with("  CLAIM FAILED pidlab run ")).count();
    assert_eq!(named, failed, "{last:#?}");
}

#[test]
fn fail_fast_ends_after_the_first() {
    let folder = mixed("check-fail-fast");
    let Ended { code, out, .. } = check(&folder, &["--fail-fast", "--jobs", "2", "a", "b"]);
    assert_eq!(code, Some(1), "the files that are invalid come later: {out}");
    assert!(out.contains("model only 0, not run 3\n"), "{out}");
}

#[test]
fn a_scenario_that_takes_longer_is_not_decided() {
    let folder = mixed("check-timeout");
    let Ended { code, out, .. } = check(&folder, &["--timeout", "1e-9", "a/good.toml"]);
    assert_eq!(code, Some(3), "{out}");
    assert!(out.contains("NOT DECIDED  a/good\n"), "{out}");
    assert!(out.contains("not decided: it took longer than 0.000000001 s (--timeout)"), "{out}");
    assert_eq!(check(&folder, &["--timeout", "600", "a/good.toml"]).code, Some(0));
    for limit in ["0", "-1", "nan", "soon", "1e300"] {
        assert_eq!(check(&folder, &["--timeout", limit, "a/good.toml"]).code, Some(2), "{limit}");
    }
}

#[test]
fn json_is_a_line_for_each_and_the_summary() {
    let folder = mixed("check-json");
    let Ended { code, out, .. } = check(&folder, &["--format", "json", "a", "b"]);
    assert_eq!(code, Some(2));
    let lines: Vec<serde_json::Value> =
        out.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect();
    let results: Vec<_> = lines.iter().filter_map(|line| line["result"].as_str()).collect();
    assert_eq!(results, ["agrees", "claim-failed", "invalid", "agrees", "invalid"]);
    assert_eq!(lines[1]["replay"], "pidlab run --on model a/lies.toml");
    assert!(lines[0].get("replay").is_none() && lines[0].get("problems").is_none());
    let summary = &lines[5]["summary"];
    for (name, count) in [("scenarios", 5), ("agrees", 2), ("claim_failed", 1), ("invalid", 2), ("steps", 19)] {
        assert_eq!(summary[name], count, "{name}");
    }
}

/// Reads KTAP as its specification says: version, plan, numbered results with directives, and nothing else but diagnostics.
fn ktap(text: &str) -> Vec<(bool, String, String)> {
    let mut lines = text.lines().filter(|line| !line.starts_with('#'));
    assert_eq!(lines.next(), Some("KTAP version 1"));
    let plan = lines.next().and_then(|line| line.strip_prefix("1..")).expect("there is a plan");
    let results: Vec<(bool, String, String)> = lines
        .enumerate()
        .map(|(index, line)| {
            let (good, rest) = match line.strip_prefix("not ok ") {
                Some(rest) => (false, rest),
                None => (true, line.strip_prefix("ok ").expect("a result begins so")),
            };
            let (number, rest) = rest.split_once(' ').expect("a number is followed by a name");
            assert_eq!(number.parse(), Ok(index + 1), "{line}");
            let (name, directive) = rest.split_once(" # ").unwrap_or((rest, ""));
            (good, name.to_owned(), directive.to_owned())
        })
        .collect();
    assert_eq!(plan.parse(), Ok(results.len()));
    results
}

#[test]
fn ktap_has_a_plan_and_a_result_for_each() {
    let folder = mixed("check-ktap");
    let Ended { code, out, .. } = check(&folder, &["--format", "ktap", "a", "b"]);
    assert_eq!(code, Some(2));
    let result = |good, name: &str, directive: &str| (good, name.to_owned(), directive.to_owned());
    assert_eq!(
        ktap(&out),
        [
            result(true, "a/good", ""),
            result(false, "a/lies", ""),
            result(false, "b/dead", "ERROR invalid scenario"),
            result(true, "b/other", ""),
            result(false, "b/typo_1", "ERROR invalid scenario"),
        ]
    );
    assert!(out.contains("# CLAIM FAILED\n# error: claim failed at step 5"), "{out}");
    assert!(out.ends_with("# Totals: pass:2 fail:1 xfail:0 xpass:0 skip:0 error:2\n"), "{out}");
    let fast = ktap(&check(&folder, &["--format", "ktap", "--fail-fast", "a", "b"]).out);
    assert_eq!(fast[4], result(true, "b/typo_1", "SKIP not run after a failure"));
    let late = ktap(&check(&folder, &["--format", "ktap", "--timeout", "1e-9", "a/good.toml"]).out);
    assert_eq!(late, [result(true, "a/good", "SKIP not decided")]);
}

#[test]
fn junit_has_a_suite_a_chapter_and_a_case_a_scenario() {
    let folder = mixed("check-junit");
    let Ended { code, out, .. } = check(&folder, &["--format", "junit", "a", "b"]);
    assert_eq!(code, Some(2));
    let document = roxmltree::Document::parse(&out).unwrap_or_else(|error| panic!("{error}\n{out}"));
    let root = document.root_element();
    let counts = ["tests", "failures", "errors", "skipped"].map(|name| root.attribute(name).unwrap_or("none"));
    assert_eq!(counts, ["5", "1", "2", "0"]);
    let suites: Vec<_> = root.children().filter(|node| node.has_tag_name("testsuite")).collect();
    assert_eq!(suites.iter().map(|suite| suite.attribute("name")).collect::<Vec<_>>(), [Some("a"), Some("b")]);
    let cases: Vec<_> = document.descendants().filter(|node| node.has_tag_name("testcase")).collect();
    let kinds: Vec<_> = cases
        .iter()
        .map(|case| {
            let said = case.children().find(roxmltree::Node::is_element);
            (case.attribute("name").unwrap_or(""), said.map(|said| said.tag_name().name().to_owned()))
        })
        .collect();
    let said = |word: &str| Some(word.to_owned());
    assert_eq!(
        kinds,
        [
            ("a/good", None),
            ("a/lies", said("failure")),
            ("b/dead", said("error")),
            ("b/other", None),
            ("b/typo#1", said("error")),
        ]
    );
    let failure = document.descendants().find(|node| node.has_tag_name("failure")).expect("there is one");
    assert_eq!(failure.attribute("type"), Some("claim-failed"));
    assert!(failure.text().is_some_and(|text| text.contains("replay: pidlab run --on model a/lies.toml")), "{out}");
}

#[test]
fn every_command_takes_the_same_words() {
    let folder = mixed("check-words");
    let chapter = check(&folder, &["orphans"]).out;
    assert!(chapter.starts_with("orphans "), "{chapter}");
    assert_eq!(chapter, check(&folder, &["orphans/*"]).out);
    let rule = check(&folder, &["-v", "reap.ns-is-fathers"]).out;
    assert_eq!(rule, check(&folder, &["-v", "--rule", "reap.ns-is-fathers"]).out);
    assert!(rule.contains("ok           orphans/"), "{rule}");
    assert_eq!(check(&folder, &["--rule", "reap.ns-is-fathers", "a/good.toml", "b/other.toml"]).code, Some(0));
    let run = pidlab(&folder.0, &["run", "--on", "model", "--format", "json", "zombies"]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert!(run.out.lines().filter(|line| line.contains("\"on\":\"model\"")).count() > 5);
    let rules = pidlab(&folder.0, &["rules", "reap.*"]).out;
    assert!(rules.lines().all(|line| line.starts_with("reap.") || line.starts_with(' ')), "{rules}");
    let coverage = ["rules", "--coverage", "--on", "model", "--steps", "100", "--format", "json", "a/good.toml"];
    let covered = pidlab(&folder.0, &coverage).out;
    assert_eq!(covered.lines().count(), 1, "{covered}");
    assert!(covered.starts_with("{\"id\":\"reap.ns-is-fathers\""), "{covered}");
    for command in [&["check"][..], &["run"], &["rules"], &["rules", "--coverage"]] {
        let wrong = pidlab(&folder.0, &[command, &["orphan"]].concat());
        assert_eq!(wrong.code, Some(2), "{command:?}");
        assert!(wrong.err.contains("did you mean the chapter `orphans`?"), "{command:?}: {}", wrong.err);
    }
}

#[test]
fn a_scenario_may_come_by_standard_input() {
    let folder = Folder::new("check-stdin");
    let fed = |arguments: &[&str], text: &str| {
        let mut command = command(&folder.0, arguments);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("pidlab starts");
        child.stdin.take().expect("it is a pipe").write_all(text.as_bytes()).expect("it is read");
        ended(child.wait_with_output().expect("pidlab ends"))
    };
    let good = fed(&["check", "--on", "model", "-v", "-"], GOOD);
    assert_eq!(good.code, Some(0), "{}", good.err);
    assert!(good.out.starts_with("ok           standard-input\n"), "{}", good.out);
    assert_eq!(fed(&["run", "--on", "model", "-"], GOOD).code, Some(0));
    let lies = fed(&["check", "--on", "model", "-"], &GOOD.replace("returns = 1", "returns = 7"));
    assert_eq!(lies.code, Some(1));
    assert!(lies.out.contains("pidlab run --on model -\n"), "{}", lies.out);
}

#[test]
fn colours_come_when_they_are_asked_for() {
    let folder = mixed("check-colour");
    let coloured = |arguments: &[&str]| check(&folder, &[arguments, &["a"]].concat()).out.contains('\u{1b}');
    assert!(coloured(&["--color", "always"]));
    assert!(!coloured(&["--color", "never"]));
    assert!(!coloured(&[]), "this is no terminal");
}
