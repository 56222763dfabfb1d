//! `pidlab claims`, as a user meets it. What a claim is and how it is decided is tested in `claims/tests/`.
#![forbid(unsafe_code)]

mod tool;

use std::io::Read;
use std::process::Stdio;

use serde_json::Value;
use tool::{Folder, GOOD, command, pidlab};

const MINE: &str = r#"sentence = "A child of PID 1 is PID 2."
met = ["a test"]
rules = ["alloc.starts-at-1"]
correction = "So it is."

[[trial]]
steps = [
  { by = "host", call = "clone", child = "init", flags = ["CLONE_NEWPID"] },
  { by = "init", call = "fork",  child = "kid" },
]
predicts = [{ step = 2, by = "init", call = "fork", returns = 2 }]
"#;

/// The kernel side may be lacking; what is said of the model is the same everywhere.
const ON_MODEL: [&str; 3] = ["claims", "--on", "model"];

fn on_model<'a>(more: &[&'a str]) -> Vec<&'a str> {
    ON_MODEL.iter().chain(more).copied().collect()
}

#[test]
fn all_claims_are_listed_with_their_verdicts() {
    let folder = Folder::new("claims-list");
    let list = pidlab(&folder.0, &on_model(&[]));
    assert_eq!(list.code, Some(0), "{}", list.err);
    assert!(list.out.contains("sigterm-terminates-pid-1  false\n"), "{}", list.out);
    assert!(list.out.contains("pid-1-is-the-init  true\n"), "{}", list.out);
    assert!(list.out.contains(" claims: ") && list.out.contains("cannot be decided here."), "{}", list.out);
    assert!(list.out.lines().all(|line| line.chars().count() <= 80), "{}", list.out);
    let lines = pidlab(&folder.0, &on_model(&["--format", "json"]));
    let lines: Vec<Value> = lines.out.lines().map(|line| serde_json::from_str(line).expect("it is JSON")).collect();
    assert!(lines.len() > 60, "{}", lines.len());
    let depends = pidlab(&folder.0, &on_model(&["--verdict", "depends", "--format", "json"]));
    let depends: Vec<Value> = depends.out.lines().map(|line| serde_json::from_str(line).expect("it is JSON")).collect();
    assert!(!depends.is_empty() && depends.len() < lines.len());
    assert!(depends.iter().all(|line| !line["depends_on"].as_array().expect("a list").is_empty()), "{depends:?}");
    let manual = pidlab(&folder.0, &on_model(&["--met", "PID_namespaces(7)", "--format", "json"]));
    assert!(manual.out.lines().count() > 5 && manual.out.lines().all(|line| line.contains("pid_namespaces(7)")));
    let nobody = pidlab(&folder.0, &on_model(&["--met", "nobody at all"]));
    assert!(nobody.code == Some(0) && nobody.out.contains("0 claims"), "{}", nobody.out);
}

#[test]
fn one_claim_is_told_with_what_decides_it() {
    let folder = Folder::new("claims-one");
    let id = "kill-9-1-inside-kills-init";
    let one = pidlab(&folder.0, &on_model(&[id]));
    assert_eq!(one.code, Some(0), "{}", one.err);
    let words = one.out.split_whitespace().collect::<Vec<_>>().join(" ");
    for told in [
        "Met: notes.darshanraul.me",
        "Verdict on the newest Linux that the model knows: false",
        "step 3 shell: kill(1, SIGKILL) predicted then = { init = { state = \"zombie\" } } came then = { init = { state = \"running\" } }",
        "(kernel/signal.c:sig_task_ignored)",
    ] {
        assert!(words.contains(told), "{told}: {}", one.out);
    }
    let line = pidlab(&folder.0, &on_model(&[id, "--format", "json"]));
    let line: Value = serde_json::from_str(&line.out).expect("it is JSON");
    assert_eq!((&line["claim"], &line["verdict"]), (&Value::from(id), &Value::from("false")));
    assert_eq!(line["trials"][0]["predictions"][0]["came"], "then = { init = { state = \"running\" } }");
    assert_eq!(line["kernels"].as_array().expect("a list").len(), 9);
    let page = pidlab(&folder.0, &on_model(&[id, "--format", "markdown"]));
    assert!(page.out.starts_with("## kill-9-1-inside-kills-init\n\n> `kill -9 1`"), "{}", page.out);
    let apart = pidlab(&folder.0, &on_model(&["execsnoop-and-nslist"]));
    assert!(apart.code == Some(0) && apart.out.contains("Not decided here: "), "{}", apart.out);
}

/// What the README shows is what is told, but for the kernel and what it leaves out.
#[test]
fn the_readme_shows_a_claim() {
    let readme = include_str!("../README.md");
    let (_, rest) = readme.split_once("$ pidlab claims ").expect("the README shows a claim");
    let (shown, _) = rest.split_once("\n…\n```").expect("that is cut off where it says so");
    let (id, shown) = shown.split_once('\n').expect("the claim stands in the first line");
    let folder = Folder::new("claims-readme");
    let told = pidlab(&folder.0, &on_model(&[id])).out;
    let same = |text: &str| {
        text.lines().filter(|line| !line.starts_with("Verdict on ")).map(str::to_owned).collect::<Vec<_>>()
    };
    let (told, shown) = (same(&told), same(shown));
    assert_eq!(told[..shown.len()], shown);
}

#[test]
fn a_sentence_of_ones_own_is_heard() {
    let folder = Folder::new("claims-own");
    folder.file("mine.toml", MINE);
    let own = pidlab(&folder.0, &on_model(&["mine.toml"]));
    assert_eq!(own.code, Some(0), "{}", own.err);
    assert!(own.out.contains("predicted, and came  returns = 2"), "{}", own.out);
    folder.file("wrong.toml", MINE.replace("returns = 2", "returns = 3"));
    let wrong = pidlab(&folder.0, &on_model(&["wrong.toml", "--format", "json"]));
    assert!(wrong.code == Some(0) && wrong.out.contains("\"verdict\":\"false\""), "{}", wrong.out);
    // The caller has ended: nothing is decided, and nothing is said to be.
    let exit = "child = \"kid\" },\n  { by = \"init\", call = \"exit\" },\n  { by = \"init\", call = \"getpid\" },";
    let lost = MINE.replace("child = \"kid\" },", exit).replace("step = 2", "step = 4");
    folder.file("lost.toml", lost.replace("call = \"fork\", returns = 2", "call = \"getpid\", returns = 1"));
    let lost = pidlab(&folder.0, &on_model(&["lost.toml"]));
    assert!(lost.code == Some(3) && lost.out.is_empty(), "{:?}: {}", lost.code, lost.out);
    assert!(lost.err.contains("does not come to step 4"), "{}", lost.err);
}

#[test]
fn what_is_no_claim_is_bad_usage() {
    let folder = Folder::new("claims-bad");
    let near = pidlab(&folder.0, &["claims", "sigterm-terminates-pid-2"]);
    assert_eq!((near.code, near.out.as_str()), (Some(2), ""));
    assert!(near.err.contains("did you mean `sigterm-terminates-pid-1`?"), "{}", near.err);
    let evil = pidlab(&folder.0, &["claims", "x\u{1b}[2J"]);
    assert!(evil.code == Some(2) && !evil.err.contains('\u{1b}'), "{}", evil.err);
    folder.file("typo.toml", MINE.replace("call = \"clone\"", "call = \"klone\""));
    folder.file("scenario.toml", GOOD);
    folder.file("binary.toml", [0xff, 0xfe, 0x00]);
    folder.file("large.toml", vec![b'#'; 2_000_000]);
    for (file, told) in [
        ("typo.toml", "typo.toml:8:"),
        ("scenario.toml", "unknown field `"),
        ("binary.toml", "not UTF-8"),
        ("large.toml", "larger than"),
        ("nowhere.toml", "No such file"),
        ("./", "a folder"),
        ("/dev/null", "a device"),
    ] {
        let bad = pidlab(&folder.0, &["claims", file]);
        assert_eq!((bad.code, bad.out.as_str()), (Some(2), ""), "{file}: {}", bad.err);
        assert!(bad.err.contains(told), "{file}: {}", bad.err);
    }
    // All mistakes in the words at once.
    let several = pidlab(&folder.0, &["claims", "nowhere.toml", "nobody"]);
    assert!(several.err.contains("No such file") && several.err.contains("no claim `nobody`"), "{}", several.err);
}

#[test]
fn a_claim_comes_in_by_standard_input() {
    let folder = Folder::new("claims-stdin");
    let file = folder.file("mine.toml", MINE);
    let input = std::fs::File::open(file).expect("it was written");
    let ended = command(&folder.0, &on_model(&["-"])).stdin(input).output().expect("pidlab starts");
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
    assert!(String::from_utf8_lossy(&ended.stdout).contains("predicted, and came"));
}

#[test]
fn nobody_has_to_read_to_the_end() {
    let folder = Folder::new("claims-pipe");
    let mut child = command(&folder.0, &on_model(&["--format", "json"]))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("pidlab starts");
    drop(child.stdout.take());
    let mut told = String::new();
    child.stderr.take().expect("it is a pipe").read_to_string(&mut told).expect("messages are UTF-8");
    assert_eq!((child.wait().expect("it is our child").code(), told.as_str()), (Some(141), ""));
}

/// On the kernel, where it can be asked: each claim is heard, and the model of this kernel agrees.
#[test]
fn this_kernel_decides() {
    let folder = Folder::new("claims-kernel");
    let both = pidlab(&folder.0, &["claims", "--format", "json"]);
    let required = pidlab_realkernel::must_not_skip();
    if both.code == Some(4) && !required {
        assert!(both.err.contains("the kernel side is skipped") && both.err.contains("remedy: "), "{}", both.err);
        return;
    }
    assert_eq!(both.code, Some(0), "{}", both.err);
    let lines: Vec<Value> = both.out.lines().map(|line| serde_json::from_str(line).expect("it is JSON")).collect();
    assert!(lines.iter().all(|line| line["on"].as_str().is_some_and(|on| on.starts_with("Linux "))));
    assert!(lines.iter().filter(|line| line["verdict"].is_string()).count() >= 60);
    let kernel = pidlab(&folder.0, &["claims", "--on", "kernel", "--format", "json"]);
    assert_eq!((kernel.code, kernel.out), (Some(0), both.out));
}
