//! The command line as a user meets it: exit codes, messages, and both formats. The kernel side has its own tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder of this test's own, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Folder {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("cli-{test}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("the target folder is writable");
        Folder(folder)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).expect("the test's folder is writable");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder left behind in the target directory hurts nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn pidlab(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_pidlab")).current_dir(folder).args(arguments).output().expect("pidlab starts")
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("pidlab ends by itself")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("output is UTF-8")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("messages are UTF-8")
}

const ORPHAN: &str = r#"title = "An orphan is adopted by the init of its dead parent's namespace"
about = "Why."
rules = ["reap.ns-is-fathers"]
steps = [
  { by = "host", call = "clone",   child = "init", flags = ["CLONE_NEWPID"] },
  { by = "init", call = "fork",    child = "mid"  },
  { by = "mid",  call = "fork",    child = "leaf" },
  { by = "mid",  call = "exit",    status = 0 },
  { by = "leaf", call = "getppid", returns = 1,   ask = "Who is leaf's parent now?" },
]
"#;

#[test]
fn the_library_is_inside_the_program() {
    let folder = Folder::new("library");
    let output = pidlab(&folder.0, &["check", "--on", "model", "--quiet"]);
    assert_eq!(code(&output), 0, "{}{}", stdout(&output), stderr(&output));
    assert!(stdout(&output).contains(", DIFFERS 0, CLAIM FAILED 0, NOT DECIDED 0, SKIPPED 0,"), "{}", stdout(&output));
}

#[test]
fn a_true_claim_ends_with_0_and_a_false_one_with_1() {
    let folder = Folder::new("claims");
    folder.file("true.toml", ORPHAN);
    folder.file("false.toml", &ORPHAN.replace("returns = 1,", "returns = 7,"));
    assert_eq!(code(&pidlab(&folder.0, &["check", "--on", "model", "true.toml"])), 0);
    let output = pidlab(&folder.0, &["check", "--on", "model", "false.toml"]);
    assert_eq!(code(&output), 1);
    let text = stdout(&output);
    assert!(text.starts_with("CLAIM FAILED false\n"), "a word of its own: {text}");
    assert!(text.contains("error: claim failed at step 5, leaf: getppid()"), "{text}");
    assert!(text.contains("false.toml:9:36"), "{text}");
    assert!(text.contains("returns = 7,"), "the row is shown: {text}");
    assert!(text.contains("on the model: returns = 1"), "{text}");
    assert!(text.contains("help: true is `returns = 1`"), "{text}");
    assert!(text.contains("DIFFERS 0"), "{text}");
    let output = pidlab(&folder.0, &["check", "--on", "model", "--format", "json", "false.toml"]);
    let line: serde_json::Value =
        serde_json::from_str(stdout(&output).lines().next().expect("there is a line")).expect("it is JSON");
    assert_eq!(line["result"], "claim-failed");
    let pair = |value: &str| serde_json::json!({ "keys": ["returns"], "value": value });
    let claim = serde_json::json!({
        "step": 5, "claim": pair("7"), "instead": [{ "on": "model", "claim": pair("1") }], "truth": pair("1"),
    });
    assert_eq!(line["claims"], serde_json::json!([claim]));
}

/// A file with claims of every kind, none of which is true, and what `check --fix` makes of it.
const FALSE: &str = r#"title = "An orphan is adopted by the init of its dead parent's namespace"
steps = [
  # What stands beside a claim is left as it is.
  { by = "host", call = "clone",     child = "init", flags = ["CLONE_NEWPID"],   returns = 3 },
  { by = "init", call = "fork",      child = "mid"  },
  { by = "mid",  call = "fork",      child = "leaf" },
  { by = "init", call = "sigaction", signal = "SIGCHLD", action = "handle" },
  { by = "mid",  call = "exit",      status = 3, then = { mid = { state = "running", ppid = 1 }, leaf = { parent = "mid" }, init = { handled = [] } } },
  { by = "init", call = "wait",      pid = "any", returns = "mid", status = { exited = 4 }, then.mid.state = "zombie" },
  { by = "init", call = "look",      pid = "leaf", sees = { ppid = 0, nspid = [1] }, then = { leaf = "gone" } }, # end
  { by = "init", call = "wait",      pid = 77, returns = 0, status = { exited = 4 } },
  { by = "leaf", call = "getppid",   fails = "ESRCH", ask = "Who is leaf's parent now?" },
]
"#;

const TRUE: &str = r#"title = "An orphan is adopted by the init of its dead parent's namespace"
steps = [
  # What stands beside a claim is left as it is.
  { by = "host", call = "clone",     child = "init", flags = ["CLONE_NEWPID"],   returns = 2 },
  { by = "init", call = "fork",      child = "mid"  },
  { by = "mid",  call = "fork",      child = "leaf" },
  { by = "init", call = "sigaction", signal = "SIGCHLD", action = "handle" },
  { by = "mid",  call = "exit",      status = 3, then = { mid = { state = "zombie", ppid = 1 }, leaf = { parent = "init" }, init = { handled = [{ signal = "SIGCHLD", si_pid = 2, status = { exited = 3 } }] } } },
  { by = "init", call = "wait",      pid = "any", returns = "mid", status = { exited = 3 }, then.mid = "gone" },
  { by = "init", call = "look",      pid = "leaf", sees = { ppid = 1, nspid = [3] }, then = { leaf = { state = "running" } } }, # end
  { by = "init", call = "wait",      pid = 77, fails = "ECHILD" },
  { by = "leaf", call = "getppid",   returns = 1, ask = "Who is leaf's parent now?" },
]
"#;

#[test]
fn fix_writes_the_claims_that_are_true_and_nothing_else() {
    let folder = Folder::new("fix");
    let path = folder.file("false.toml", FALSE);
    let output = pidlab(&folder.0, &["check", "--fix", "--on", "model", "false.toml"]);
    let text = stdout(&output);
    assert_eq!(code(&output), 0, "{text}{}", stderr(&output));
    assert_eq!(fs::read_to_string(&path).expect("it is there"), TRUE, "{text}");
    assert!(
        text.contains("  12 -   { by = \"leaf\", call = \"getppid\",   fails = \"ESRCH\""),
        "the change is shown: {text}"
    );
    assert!(text.contains("  12 +   { by = \"leaf\", call = \"getppid\",   returns = 1"), "{text}");
    let output = pidlab(&folder.0, &["check", "--fix", "--on", "model", "false.toml"]);
    assert_eq!((code(&output), &stdout(&output)[..]), (0, "false.toml: every claim holds\n"));
}

#[test]
fn fix_leaves_the_file_in_whole_where_it_cannot_be_written() {
    let folder = Folder::new("full-fix");
    let path = folder.file("false.toml", FALSE);
    let script = "trap '' XFSZ; ulimit -f 0; exec \"$0\" check --fix --on model false.toml";
    let program = env!("CARGO_BIN_EXE_pidlab");
    let output =
        Command::new("sh").args(["-c", script, program]).current_dir(&folder.0).output().expect("a shell starts");
    assert_eq!(code(&output), 2, "{}", stdout(&output));
    assert!(stderr(&output).contains("error: false.toml: "), "{}", stderr(&output));
    assert_eq!(fs::read_to_string(&path).expect("it is there"), FALSE);
    assert_eq!(fs::read_dir(&folder.0).expect("it is there").count(), 1, "nothing is left beside it");
}

#[test]
fn fix_writes_what_it_can_and_leaves_alone_what_has_no_truth_and_what_is_built_in() {
    let folder = Folder::new("no-fix");
    let open = r#"title = "Two deaths"
steps = [
  { by = "host", call = "clone", child = "init", flags = ["CLONE_NEWPID"] },
  { by = "host", call = "sigaction", signal = "SIGCHLD", action = "handle" },
  { by = "host", call = "setns", to = "init", returns = 7 },
  { by = "host", call = "fork", child = "one" },
  { by = "host", call = "fork", child = "two" },
  { by = "init", call = "exit", then = { host = { handled = [] } } },
]
"#;
    let path = folder.file("open.toml", open);
    let output = pidlab(&folder.0, &["check", "--fix", "--on", "model", "open.toml"]);
    assert_eq!(code(&output), 1);
    assert!(stdout(&output).contains("no claim about this holds everywhere"), "{}", stdout(&output));
    let mended = open.replace("returns = 7", "returns = 0");
    assert_eq!(fs::read_to_string(&path).expect("it is there"), mended);
    let output = pidlab(&folder.0, &["check", "--fix", "--on", "model", "open.toml"]);
    assert_eq!(code(&output), 1);
    assert!(stdout(&output).starts_with("open.toml: not changed\n"), "{}", stdout(&output));
    assert_eq!(fs::read_to_string(&path).expect("it is there"), mended);
    let output = pidlab(&folder.0, &["check", "--fix", "--on", "model", "orphans/adopted-by-own-init"]);
    assert_eq!(code(&output), 2, "{}", stdout(&output));
    assert!(stderr(&output).contains("the library inside the program cannot be changed"), "{}", stderr(&output));
    assert_eq!(code(&pidlab(&folder.0, &["check", "--fix"])), 2, "which files?");
}

#[test]
fn a_rule_that_is_not_shown_is_a_failed_claim_and_one_that_does_not_exist_a_mistake() {
    let folder = Folder::new("rules");
    folder.file("unshown.toml", &ORPHAN.replace("reap.ns-is-fathers", "reap.subreaper"));
    folder.file("unknown.toml", &ORPHAN.replace("reap.ns-is-fathers", "reap.ns-is-father"));
    let output = pidlab(&folder.0, &["check", "--on", "model", "unshown.toml"]);
    assert_eq!(code(&output), 1);
    assert!(stdout(&output).contains("did not exercise `reap.subreaper`"), "{}", stdout(&output));
    assert!(stdout(&output).contains("unshown.toml:3:"), "{}", stdout(&output));
    let joined = stdout(&output).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(joined.contains("of its family the run exercised"), "{joined}");
    let output = pidlab(&folder.0, &["check", "--on", "model", "unknown.toml"]);
    assert_eq!(code(&output), 2);
    assert!(stdout(&output).contains("reap.ns-is-fathers"), "the right id is suggested: {}", stdout(&output));
}

/// One claim is false, one step cannot be made: neither hides the other, and the first of them is the verdict.
#[test]
fn a_failed_claim_does_not_hide_a_step_that_cannot_be_made() {
    let folder = Folder::new("both");
    let both = r#"title = "A child that has ended acts"
steps = [
  { by = "host", call = "fork", child = "kid", returns = 9 },
  { by = "kid", call = "exit", status = 0 },
  { by = "kid", call = "getpid" },
]
"#;
    let path = folder.file("both.toml", both);
    let output = pidlab(&folder.0, &["check", "--on", "model", "both.toml"]);
    assert_eq!(code(&output), 1);
    for told in ["true is `returns = 2`", "`kid` cannot act here: it has ended"] {
        assert!(stdout(&output).contains(told), "{told}: {}", stdout(&output));
    }
    assert_eq!(code(&pidlab(&folder.0, &["run", "--on", "model", "both.toml"])), 1);
    let output = pidlab(&folder.0, &["check", "--fix", "--on", "model", "both.toml"]);
    assert_eq!(code(&output), 1, "the step is left");
    assert!(stdout(&output).contains("`kid` cannot act here"), "{}", stdout(&output));
    assert_eq!(fs::read_to_string(&path).expect("it is there"), both.replace("9", "2"));
    for command in ["check", "run"] {
        assert_eq!(code(&pidlab(&folder.0, &[command, "--on", "model", "both.toml"])), 2, "the file is no scenario");
    }
}

#[test]
fn a_claim_written_with_dots_is_fixed() {
    let folder = Folder::new("dots");
    let text = r#"title = "A wait returns"
[[steps]]
by = "host"
call = "fork"
child = "kid"
[[steps]]
by = "host"
call = "wait"
pid = "kid"
blocks = true
[[steps]]
by = "kid"
call = "exit"
status = 0
[steps.then.host]
returned.returns = 9
state = "running"
"#;
    let path = folder.file("dots.toml", text);
    assert_eq!(code(&pidlab(&folder.0, &["check", "--fix", "--on", "model", "dots.toml"])), 0);
    let fixed = text.replace("returned.returns = 9", "returned = { returns = 2 }");
    assert_eq!(fs::read_to_string(&path).expect("it is there"), fixed);
}

#[test]
fn explain_without_a_word_lists_all_that_it_can_explain() {
    let folder = Folder::new("index");
    let output = pidlab(&folder.0, &["explain"]);
    assert_eq!(code(&output), 0);
    for word in ["clone,", "zombie", "returned", "CLONE_NEWPID", "ESRCH", "pid_max-per-namespace"] {
        assert!(stdout(&output).contains(word), "{word}: {}", stdout(&output));
    }
    let json = pidlab(&folder.0, &["explain", "--format", "json"]);
    assert!(stdout(&json).lines().count() > 100, "{}", stdout(&json));
    assert_eq!(code(&pidlab(&folder.0, &["explain", "claims"])), 0, "more than one of a thing is that thing");
}

#[test]
fn bad_input_ends_with_2_and_says_where() {
    let folder = Folder::new("bad");
    folder.file("typo.toml", &ORPHAN.replace("\"getppid\"", "\"getpid\", pid = 3"));
    let output = pidlab(&folder.0, &["check", "typo.toml"]);
    assert_eq!(code(&output), 2);
    assert!(stdout(&output).contains("typo.toml:9:"), "{}", stdout(&output));
    for arguments in
        [&["check", "nowhere.toml"][..], &["run"], &["frobnicate"], &["check", "--jobs", "0"], &["run", "."]]
    {
        let output = pidlab(&folder.0.join("."), arguments);
        assert_eq!(code(&output), 2, "{arguments:?}: {}", stderr(&output));
        assert!(!stderr(&output).is_empty(), "{arguments:?} says nothing");
    }
}

#[test]
fn a_step_for_a_dead_process_is_a_mistake_with_its_line() {
    let folder = Folder::new("dead");
    let dead = ORPHAN.replace("{ by = \"leaf\", call = \"getppid\"", "{ by = \"mid\", call = \"getppid\"");
    folder.file("dead.toml", &dead);
    let output = pidlab(&folder.0, &["run", "--on", "model", "dead.toml"]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("dead.toml:9:"), "{}", stderr(&output));
    assert!(stderr(&output).contains("mid"), "{}", stderr(&output));
}

#[test]
fn json_lines_are_a_header_then_one_line_a_step() {
    let folder = Folder::new("json");
    folder.file("orphan.toml", ORPHAN);
    let output = pidlab(&folder.0, &["run", "--on", "model", "--format", "json", "orphan.toml"]);
    assert_eq!(code(&output), 0);
    let lines: Vec<serde_json::Value> =
        stdout(&output).lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect();
    assert_eq!(lines.len(), 1 + 6);
    assert_eq!(lines[0]["on"], "model");
    assert_eq!(lines[0]["kernel"], serde_json::Value::Null);
    assert_eq!(lines[1]["step"], 0);
    assert!(lines[1].get("by").is_none());
    let exit = &lines[5];
    assert_eq!(exit["step"], 4);
    assert_eq!(exit["by"], "mid");
    assert_eq!(exit["call"], "exit");
    assert_eq!(exit["result"], serde_json::json!({"none": true}));
    let expected = serde_json::json!([
        {"name":"host","state":"running","pids":[1],"namespaces":[0],"parent":null,"ppid":0,"pgid":1,"sid":1},
        {"name":"init","state":"running","pids":[2,1],"namespaces":[0,1],"parent":"host","ppid":0,"pgid":0,"sid":0},
        {"name":"mid","state":"zombie","pids":[3,2],"namespaces":[0,1],"parent":"init","ppid":1,"pgid":0,"sid":0},
        {"name":"leaf","state":"running","pids":[4,3],"namespaces":[0,1],"parent":"init","ppid":1,"pgid":0,"sid":0},
    ]);
    assert_eq!(exit["processes"], expected);
    let because = exit["because"].as_array().expect("the model gives reasons");
    assert!(because.contains(&serde_json::json!({"rule":"reap.ns-is-fathers","about":"leaf"})), "{because:?}");
    assert_eq!(lines[6]["result"], serde_json::json!({"ok": 1}));
}

#[test]
fn explain_tells_a_rule_and_suggests_the_nearest_for_a_typo() {
    let folder = Folder::new("explain");
    let output = pidlab(&folder.0, &["explain", "reap.ns-is-fathers"]);
    assert_eq!(code(&output), 0);
    let text = stdout(&output);
    assert!(text.starts_with("reap.ns-is-fathers\n"), "{text}");
    assert!(text.contains("kernel "), "{text}");
    assert!(text.contains("shown by orphans/"), "{text}");
    let output = pidlab(&folder.0, &["explain", "reap.ns-is-fahters"]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("did you mean `reap.ns-is-fathers`?"), "{}", stderr(&output));
}

#[test]
fn rules_lists_the_whole_catalogue_in_both_formats() {
    let folder = Folder::new("rules-list");
    let text = stdout(&pidlab(&folder.0, &["rules"]));
    let json = stdout(&pidlab(&folder.0, &["rules", "--format", "json"]));
    assert_eq!(json.lines().count(), pidlab::sim::rule::CATALOGUE.len());
    for (rule, line) in pidlab::sim::rule::CATALOGUE.iter().zip(json.lines()) {
        let line: serde_json::Value = serde_json::from_str(line).expect("each line is JSON");
        assert_eq!(line["id"], rule.id);
        assert!(text.contains(rule.id), "{} is missing", rule.id);
    }
    assert!(text.lines().all(|line| line.chars().count() <= 80), "a line is wider than 80 columns");
}

#[test]
fn fuzz_on_the_model_is_the_same_for_the_same_seed() {
    let folder = Folder::new("fuzz");
    let arguments = ["fuzz", "--on", "model", "--seed", "5", "--steps", "500"];
    let first = pidlab(&folder.0, &arguments);
    assert_eq!(code(&first), 0, "{}", stderr(&first));
    assert!(stdout(&first).starts_with("seed 5: "), "{}", stdout(&first));
    assert!(stdout(&first).ends_with("differences 0, not decided 0\n"), "{}", stdout(&first));
    assert_eq!(stdout(&first), stdout(&pidlab(&folder.0, &arguments)));
}

#[test]
fn coverage_counts_what_decides_and_what_describes_apart() {
    let folder = Folder::new("coverage");
    let arguments = ["rules", "--coverage", "--on", "model", "--steps", "1000"];
    let text = stdout(&pidlab(&folder.0, &arguments));
    let rules = pidlab::sim::rule::CATALOGUE;
    let describes = rules.iter().filter(|rule| rule.kind == pidlab::sim::rule::Kind::Describes).count();
    let decides = rules.len() - describes;
    assert!(text.contains(&format!("rules that decide {decides}: shown by scenarios {decides},")), "{text}");
    assert!(text.contains(&format!("rules that describe what others decide {describes}: shown")), "{text}");
    let json = stdout(&pidlab(&folder.0, &[&arguments[..], &["--format", "json"]].concat()));
    for (rule, line) in rules.iter().zip(json.lines()) {
        let line: serde_json::Value = serde_json::from_str(line).expect("each line is JSON");
        assert_eq!(line["id"], rule.id);
        let kind = if rule.kind == pidlab::sim::rule::Kind::Decides { "decides" } else { "describes" };
        assert_eq!(line["kind"], kind);
    }
    assert_eq!(json.lines().count(), rules.len());
}

#[test]
fn list_names_what_show_prints() {
    let folder = Folder::new("list");
    let text = stdout(&pidlab(&folder.0, &["list"]));
    let json = stdout(&pidlab(&folder.0, &["list", "--format", "json"]));
    let files: Vec<_> = pidlab::scenario::library::files().collect();
    assert_eq!(json.lines().count(), files.len());
    for (file, line) in files.iter().zip(json.lines()) {
        let line: serde_json::Value = serde_json::from_str(line).expect("each line is JSON");
        assert_eq!(line["name"], file.name);
        assert!(text.lines().any(|line| line == file.name), "{} is missing", file.name);
    }
    let one = pidlab(&folder.0, &["show", "orphans/adopted-by-own-init"]);
    let file = files.iter().find(|file| file.name == "orphans/adopted-by-own-init").expect("it is in the library");
    assert_eq!((code(&one), &stdout(&one)[..]), (0, file.text));
    let chapter = stdout(&pidlab(&folder.0, &["list", "orphans"]));
    let in_chapter = files.iter().filter(|file| file.name.starts_with("orphans/")).count();
    assert_eq!(chapter.lines().filter(|line| line.starts_with("orphans/")).count(), in_chapter);
    assert!(!chapter.contains("zombies/"), "{chapter}");
}

#[test]
fn a_name_that_is_not_in_the_library_is_bad_usage_with_a_suggestion() {
    let folder = Folder::new("no-name");
    for (arguments, help) in [
        (["list", "orphan"], "did you mean the chapter `orphans`?"),
        (["show", "orphans/adopted-by-own-ini"], "did you mean the scenario `orphans/adopted-by-own-init`?"),
        (["show", "orphans"], "`orphans` is "),
        (["list", "frobnicate"], "the chapters are creation, "),
    ] {
        let output = pidlab(&folder.0, &arguments);
        assert_eq!(code(&output), 2, "{arguments:?}");
        assert!(stderr(&output).contains(help), "{arguments:?}: {}", stderr(&output));
    }
}

#[test]
fn a_new_scenario_is_a_true_claim_and_overwrites_nothing() {
    let folder = Folder::new("new");
    assert_eq!(code(&pidlab(&folder.0, &["new", "mine.toml"])), 0);
    let output = pidlab(&folder.0, &["check", "--on", "model", "mine.toml"]);
    assert_eq!(code(&output), 0, "{}{}", stdout(&output), stderr(&output));
    let text = fs::read_to_string(folder.0.join("mine.toml")).expect("it was written");
    assert!(text.starts_with("#:schema scenario.schema.json\n"), "{text}");
    assert_eq!(text, include_str!("mine.toml"), "the README's example has another one");
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    folder.file("mine.toml", "mine");
    let again = pidlab(&folder.0, &["new", "mine.toml"]);
    assert_eq!(code(&again), 2, "{}", stdout(&again));
    assert!(stderr(&again).contains("mine.toml: it is there already"), "{}", stderr(&again));
    assert_eq!(fs::read_to_string(folder.0.join("mine.toml")).expect("it is there"), "mine");
    let schema = stdout(&pidlab(&folder.0, &["show", "--schema"]));
    let schema: serde_json::Value = serde_json::from_str(&schema).expect("the schema is JSON");
    assert_eq!(schema, pidlab::scenario::schema::schema());
}

#[test]
fn explain_knows_calls_words_facts_flags_and_errors() {
    let folder = Folder::new("explain-all");
    for (words, parts) in [
        (&["clone"][..], &["clone (call)", "CLONE_NEWPID: ", "EEXIST", "clone.newpid-init"][..]),
        (&["zombie"], &["zombie (state)", "exit.zombie-is-addressable"]),
        (&["Process", "Group"], &["process group (word)", "setpgid"]),
        (&["ppid"], &["ppid (column)"]),
        (&["zap"], &["namespace teardown (word)", "zap.kills-all"]),
        (&["pid-translation"], &["pid-translation (fact)", "[view.nsio-none]", "versions/no-translation"]),
        (&["wnohang"], &["WNOHANG (argument)", "options of wait, options of waitid"]),
        (&["ECHILD"], &["ECHILD (error)", "waitid "]),
        (&["reap."], &["reap.ns-is-fathers (rule)", "reap.subreaper (rule)"]),
        (&["orph"], &["orphan (word)", "adopted at once"]),
    ] {
        let output = pidlab(&folder.0, &[&["explain"], words].concat());
        assert_eq!(code(&output), 0, "{words:?}: {}", stderr(&output));
        for part in parts {
            assert!(stdout(&output).contains(part), "{words:?} does not say {part}:\n{}", stdout(&output));
        }
    }
    let typo = pidlab(&folder.0, &["explain", "zombi3"]);
    assert_eq!(code(&typo), 2);
    assert!(stderr(&typo).contains("did you mean `zombie`?"), "{}", stderr(&typo));
    let json = stdout(&pidlab(&folder.0, &["explain", "kill", "--format", "json"]));
    let json: serde_json::Value = serde_json::from_str(json.lines().next().unwrap_or_default()).expect("it is JSON");
    assert_eq!(
        (&json["topic"], &json["name"], &json["arguments"][1]["name"]),
        (&"call".into(), &"kill".into(), &"group".into())
    );
    assert!(json["errors"]["ESRCH"].is_string() && json["rules"].is_array(), "{json}");
}

/// Each call, word and fact is explained, and nothing that is told is wider than a page, but a row of a scenario.
#[test]
fn everything_can_be_explained() {
    let folder = Folder::new("explain-each");
    let calls = pidlab::scenario::words::calls().iter().map(|call| call.name);
    let words = pidlab::glossary::ENTRIES.iter().map(|entry| entry.word);
    let facts = pidlab::scenario::Fact::ALL.iter().map(|fact| fact.word());
    for name in words.chain(facts).chain(calls.take(3)) {
        let output = pidlab(&folder.0, &["explain", name]);
        assert_eq!(code(&output), 0, "{name}: {}", stderr(&output));
        let text = stdout(&output);
        assert!(text.to_lowercase().contains(&format!("{} (", name.to_lowercase())), "{name}: {text}");
        let wide = text.lines().find(|line| line.chars().count() > 80 && !line.trim_start().starts_with('{'));
        assert_eq!(wide, None, "{name}");
    }
}

#[test]
fn a_found_difference_says_how_to_see_it_again() {
    let folder = Folder::new("found");
    let arguments = ["fuzz", "--misconception", "init-dies-from-inside", "--seed", "1"];
    let output = pidlab(&folder.0, &[&arguments[..], &["--format", "json"]].concat());
    if code(&output) == 4 {
        assert!(stderr(&output).contains("remedy: "), "{}", stderr(&output));
        return;
    }
    assert_eq!(code(&output), 1, "{}", stderr(&output));
    let first = stdout(&output);
    let first: serde_json::Value = serde_json::from_str(first.lines().next().unwrap_or_default()).expect("it is JSON");
    let difference = &first["difference"];
    assert!(difference["report"].as_str().is_some_and(|report| report.contains("sig.")), "{difference}");
    let replay = difference["replay"].as_str().expect("a line to type");
    assert!(replay.contains(" --seed 1 ") && replay.contains("--misconception init-dies-from-inside"), "{replay}");
    let found = folder.0.join("found.toml");
    let text = stdout(&pidlab(&folder.0, &[&arguments[..], &["--save", "found.toml"]].concat()));
    assert!(text.lines().any(|line| line.starts_with("replay: ") && line.ends_with("found.toml   # seed 1")), "{text}");
    assert!(found.exists());
    let again = pidlab(&folder.0, &["run", "--misconception", "init-dies-from-inside", "found.toml"]);
    assert_eq!(code(&again), 1, "{}", stdout(&again));
}

#[test]
fn fuzz_counts_in_json_too() {
    let folder = Folder::new("fuzz-json");
    let arguments = ["fuzz", "--on", "model", "--seed", "9", "--steps", "300", "--format", "json", "--rules"];
    let output = pidlab(&folder.0, &arguments);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let line: serde_json::Value = serde_json::from_str(&stdout(&output)).expect("one JSON object");
    let summary = &line["summary"];
    assert_eq!((&summary["seed"], &summary["differences"]), (&9.into(), &0.into()));
    assert!(summary["steps"].as_u64() >= Some(300), "{summary}");
    let fired = summary["fired"].as_object().expect("each rule has its count");
    assert_eq!(fired.len(), pidlab::sim::rule::CATALOGUE.len());
    assert_eq!(fired.values().filter(|count| count.as_u64() > Some(0)).count() as u64, summary["rules_fired"]);
}

#[test]
fn fuzz_lists_the_rules_only_when_asked_and_ends_in_time() {
    let folder = Folder::new("fuzz-rules");
    let arguments = ["fuzz", "--on", "model", "--seed", "5", "--steps", "500"];
    let short = stdout(&pidlab(&folder.0, &arguments));
    let long = stdout(&pidlab(&folder.0, &[&arguments[..], &["--rules"]].concat()));
    assert!(!short.contains("rules not fired") && long.contains("rules not fired"), "{short}\n{long}");
    // A second is over before so many steps are.
    let output = pidlab(&folder.0, &["fuzz", "--on", "model", "--time", "1", "--steps", "1000000000"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
}

#[test]
fn the_old_name_of_a_misconception_is_understood_and_hidden() {
    let folder = Folder::new("misconception");
    let told = |option: &str| {
        let refuted = "death/dying-and-still-adopting";
        let output = pidlab(&folder.0, &["check", "--on", "model", option, "orphans-go-to-grandparent", refuted]);
        (code(&output), stdout(&output))
    };
    assert_eq!(told("--misconception").0, 1);
    assert_eq!(told("--misconception"), told("--believe"));
    assert!(!stdout(&pidlab(&folder.0, &["check", "--help"])).contains("--believe"));
}

#[test]
fn a_shell_takes_the_completions() {
    let folder = Folder::new("completions");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = stdout(&pidlab(&folder.0, &["completions", shell]));
        for command in ["explain", "facts", "completions"] {
            assert!(script.contains(command), "{shell} does not complete {command}");
        }
        let path = folder.file(shell, &script);
        // Only a shell that is here can say more.
        if let Ok(parsed) = Command::new(shell).arg("-n").arg(&path).output() {
            assert!(parsed.status.success(), "{shell}: {}", stderr(&parsed));
        }
    }
}

#[test]
fn each_command_has_a_manual_page() {
    let folder = Folder::new("man");
    assert_eq!(code(&pidlab(&folder.0, &["man", "."])), 0);
    let own = fs::read_to_string(folder.0.join("pidlab.1")).expect("the page of pidlab itself is there");
    assert_eq!(own, stdout(&pidlab(&folder.0, &["man"])));
    for command in ["check", "run", "list", "show", "new", "explain", "rules", "facts", "fuzz", "completions", "man"] {
        let path = folder.0.join(format!("pidlab-{command}.1"));
        let page = fs::read_to_string(&path).expect("each command has a page");
        assert!(page.contains(".SH SYNOPSIS"), "{command}: {page}");
        // groff is not everywhere; where it is, it has nothing to say.
        if let Ok(set) = Command::new("groff").args(["-man", "-ww", "-z"]).arg(&path).output() {
            assert!(set.status.success() && set.stderr.is_empty(), "{command}: {}", stderr(&set));
        }
    }
    assert_eq!(code(&pidlab(&folder.0, &["man", "nowhere"])), 2);
}

#[test]
fn facts_are_told_or_the_reason_why_not() {
    let folder = Folder::new("facts");
    let output = pidlab(&folder.0, &["facts", "--format", "json"]);
    if code(&output) == 4 {
        assert!(stderr(&output).contains("remedy: "), "{}", stderr(&output));
        return;
    }
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let lines: Vec<serde_json::Value> =
        stdout(&output).lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect();
    assert!(lines[0]["kernel"].is_string(), "{}", lines[0]);
    let facts = pidlab::scenario::Fact::ALL;
    assert_eq!(lines.len(), 1 + facts.len() + 2);
    for (fact, line) in facts.iter().zip(&lines[1..]) {
        assert_eq!(line["fact"], fact.word());
        assert!(line["holds"].is_boolean() && line["meaning"] == fact.meaning(), "{line}");
    }
    let text = stdout(&pidlab(&folder.0, &["facts"]));
    assert!(facts.iter().all(|fact| text.contains(fact.word())), "{text}");
}
