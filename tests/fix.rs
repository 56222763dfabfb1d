//! Claims as a user meets them: a false one is told with the one that is true, and `check --fix` writes that one.

mod tool;

use std::fs;
use std::process::Command;

use tool::{Folder, GOOD, ended, pidlab};

#[test]
fn a_true_claim_ends_with_0_and_a_false_one_with_1() {
    let folder = Folder::new("claims");
    folder.file("true.toml", GOOD);
    folder.file("false.toml", GOOD.replace("returns = 1 ", "returns = 7 "));
    assert_eq!(pidlab(&folder.0, &["check", "--on", "model", "true.toml"]).code, Some(0));
    let output = pidlab(&folder.0, &["check", "--on", "model", "false.toml"]);
    assert_eq!(output.code, Some(1));
    let text = output.out;
    assert!(text.starts_with("CLAIM FAILED false\n"), "a word of its own: {text}");
    assert!(text.contains("error: claim failed at step 5, leaf: getppid()"), "{text}");
    assert!(text.contains("false.toml:8:36"), "{text}");
    assert!(text.contains("returns = 7 }"), "the row is shown: {text}");
    assert!(text.contains("on the model: returns = 1"), "{text}");
    assert!(text.contains("help: true is `returns = 1`"), "{text}");
    assert!(text.contains("DIFFERS 0"), "{text}");
    let output = pidlab(&folder.0, &["check", "--on", "model", "--format", "json", "false.toml"]);
    let line: serde_json::Value =
        serde_json::from_str(output.out.lines().next().expect("there is a line")).expect("it is JSON");
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
    let text = output.out;
    assert_eq!(output.code, Some(0), "{text}{}", output.err);
    assert_eq!(fs::read_to_string(&path).expect("it is there"), TRUE, "{text}");
    assert!(
        text.contains("  12 -   { by = \"leaf\", call = \"getppid\",   fails = \"ESRCH\""),
        "the change is shown: {text}"
    );
    assert!(text.contains("  12 +   { by = \"leaf\", call = \"getppid\",   returns = 1"), "{text}");
    let output = pidlab(&folder.0, &["check", "--fix", "--on", "model", "false.toml"]);
    assert_eq!((output.code, &output.out[..]), (Some(0), "false.toml: every claim holds\n"));
}

#[test]
fn fix_leaves_the_file_in_whole_where_it_cannot_be_written() {
    let folder = Folder::new("full-fix");
    let path = folder.file("false.toml", FALSE);
    let script = "trap '' XFSZ; ulimit -f 0; exec \"$0\" check --fix --on model false.toml";
    let program = env!("CARGO_BIN_EXE_pidlab");
    let output = Command::new("sh").args(["-c", script, program]).current_dir(&folder.0).output();
    let output = ended(output.expect("a shell starts"));
    assert_eq!(output.code, Some(2), "{}", output.out);
    assert!(output.err.contains("error: false.toml: "), "{}", output.err);
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
    assert_eq!(output.code, Some(1));
    assert!(output.out.contains("no claim about this holds everywhere"), "{}", output.out);
    let mended = open.replace("returns = 7", "returns = 0");
    assert_eq!(fs::read_to_string(&path).expect("it is there"), mended);
    let output = pidlab(&folder.0, &["check", "--fix", "--on", "model", "open.toml"]);
    assert_eq!(output.code, Some(1));
    assert!(output.out.starts_with("open.toml: not changed\n"), "{}", output.out);
    assert_eq!(fs::read_to_string(&path).expect("it is there"), mended);
    let output = pidlab(&folder.0, &["check", "--fix", "--on", "model", "orphans/adopted-by-own-init"]);
    assert_eq!(output.code, Some(2), "{}", output.out);
    assert!(output.err.contains("the library inside the program cannot be changed"), "{}", output.err);
    assert_eq!(pidlab(&folder.0, &["check", "--fix"]).code, Some(2), "which files?");
}

#[test]
fn a_rule_that_is_not_shown_is_a_failed_claim_and_one_that_does_not_exist_a_mistake() {
    let folder = Folder::new("rules");
    folder.file("unshown.toml", GOOD.replace("reap.ns-is-fathers", "reap.subreaper"));
    folder.file("unknown.toml", GOOD.replace("reap.ns-is-fathers", "reap.ns-is-father"));
    let output = pidlab(&folder.0, &["check", "--on", "model", "unshown.toml"]);
    assert_eq!(output.code, Some(1));
    assert!(output.out.contains("did not exercise `reap.subreaper`"), "{}", output.out);
    assert!(output.out.contains("unshown.toml:2:"), "{}", output.out);
    let joined = output.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(joined.contains("of its family the run exercised"), "{joined}");
    let output = pidlab(&folder.0, &["check", "--on", "model", "unknown.toml"]);
    assert_eq!(output.code, Some(2));
    assert!(output.out.contains("reap.ns-is-fathers"), "the right id is suggested: {}", output.out);
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
    assert_eq!(output.code, Some(1));
    for told in ["true is `returns = 2`", "`kid` cannot act here: it has ended"] {
        assert!(output.out.contains(told), "{told}: {}", output.out);
    }
    assert_eq!(pidlab(&folder.0, &["run", "--on", "model", "both.toml"]).code, Some(1));
    let output = pidlab(&folder.0, &["check", "--fix", "--on", "model", "both.toml"]);
    assert_eq!(output.code, Some(1), "the step is left");
    assert!(output.out.contains("`kid` cannot act here"), "{}", output.out);
    assert_eq!(fs::read_to_string(&path).expect("it is there"), both.replace("9", "2"));
    for command in ["check", "run"] {
        assert_eq!(
            pidlab(&folder.0, &[command, "--on", "model", "both.toml"]).code,
            Some(2),
            "the file is no scenario"
        );
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
    assert_eq!(pidlab(&folder.0, &["check", "--fix", "--on", "model", "dots.toml"]).code, Some(0));
    let fixed = text.replace("returned.returns = 9", "returned = { returns = 2 }");
    assert_eq!(fs::read_to_string(&path).expect("it is there"), fixed);
}
