//! The command line with other kernels, and the parts of a check. What boots a kernel is in `kernels/tests/`, and in CI.

#[path = "tool/mod.rs"]
mod tool;

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::Stdio;

use pidlab_kernels::find;
use serde_json::Value;
use tool::{Folder, GOOD, command, pidlab};

/// The summary of results in JSON.
fn summary(text: &str) -> Value {
    let last = text.lines().last().expect("there is a summary");
    serde_json::from_str::<Value>(last).expect("it is JSON")["summary"].clone()
}

#[test]
fn the_parts_of_a_check_are_the_whole() {
    let folder = Folder::new("parts");
    let check = ["check", "--on", "model", "--format", "json"];
    let whole = pidlab(&folder.0, &check);
    assert_eq!(whole.code, Some(0), "{}", whole.err);
    for part in ["1/3", "2/3", "3/3"] {
        let told = pidlab(&folder.0, &[&check[..], &["--shard", part]].concat());
        assert_eq!(told.code, Some(0), "{}", told.err);
        folder.file(&format!("{}.json", &part[..1]), told.out);
    }
    let merged = pidlab(&folder.0, &["merge", "3.json", "1.json", "2.json"]);
    assert_eq!(merged.code, Some(0), "{}", merged.err);
    assert_eq!(summary(&merged.out), summary(&whole.out));
    let mut lines = [&merged.out, &whole.out].map(|out| out.lines().collect::<Vec<_>>());
    lines.iter_mut().for_each(|lines| lines.sort_unstable());
    assert_eq!(lines[0], lines[1]);
}

#[test]
fn the_parts_of_random_scenarios_are_other_ones() {
    let folder = Folder::new("random-parts");
    let fuzz = ["fuzz", "--on", "model", "--format", "json", "--steps", "200", "--seed", "5"];
    for part in ["1/2", "2/2"] {
        let told = pidlab(&folder.0, &[&fuzz[..], &["--shard", part]].concat());
        assert_eq!(told.code, Some(0), "{}", told.err);
        folder.file(&format!("{}.json", &part[..1]), told.out);
    }
    let read = |name: &str| summary(&std::fs::read_to_string(folder.0.join(name)).expect("it was written"));
    let (first, second) = (read("1.json"), read("2.json"));
    assert_ne!(first["calls"], second["calls"]);
    let merged = summary(&pidlab(&folder.0, &["merge", "1.json", "2.json"]).out);
    let steps = |summary: &Value| summary["steps"].as_u64().expect("steps are counted");
    assert_eq!(steps(&merged), steps(&first) + steps(&second));
    let alone = pidlab(&folder.0, &["fuzz", "--shard", "1/2"]);
    assert_eq!(alone.code, Some(2), "parts of what nobody knows");
}

#[test]
fn what_is_not_whole_is_not_merged() {
    let folder = Folder::new("not-whole");
    folder.file("cut.json", "{\"scenario\":\"a/b\",\"result\":\"agrees\"}\n");
    folder.file("half.json", "{\"scenario\":\"a/b\",\"res");
    folder.file(
        "one.json",
        "{\"scenario\":\"a/b\",\"result\":\"agrees\"}\n{\"summary\":{\"agrees\":1,\"kernel\":\"6.1\"}}\n",
    );
    folder.file("other.json", "{\"summary\":{\"agrees\":1,\"kernel\":\"6.2\"}}\n");
    for (files, told) in [
        (&["cut.json"][..], "there is no summary"),
        (&["half.json"], "line 1 is no result"),
        (&["one.json", "one.json"], "`a/b` is in two parts"),
        (&["one.json", "other.json"], "`kernel` is another than before"),
        (&["missing.json"], "missing.json"),
    ] {
        let merged = pidlab(&folder.0, &[&["merge"], files].concat());
        assert_eq!(merged.code, Some(2), "{files:?}");
        assert!(merged.err.contains(told), "{files:?}: {}", merged.err);
    }
}

#[test]
fn a_kernel_that_is_not_there_is_named() {
    let folder = Folder::new("no-kernel");
    folder.file("text.toml", GOOD);
    for command in
        [&["check", "--kernel", "none-such"][..], &["run", "text.toml", "--kernel=none-such"], &["matrix", "none-such"]]
    {
        let told = pidlab(&folder.0, command);
        assert_eq!(told.code, Some(2));
        assert!(told.err.contains("no kernel `none-such`"), "{}", told.err);
    }
    let told = pidlab(&folder.0, &["check", "--kernel", "text.toml"]);
    assert_eq!(told.code, Some(2));
    assert!(told.err.contains("no bzImage"), "{}", told.err);
    let told = pidlab(&folder.0, &["check", "--fix", "--kernel", "uml"]);
    assert_eq!(told.code, Some(2), "what is written there does not come back");
    let told = pidlab(&folder.0, &["kernels", "fetch", "none-such"]);
    assert_eq!(told.code, Some(2));
    assert!(told.err.contains("qemu-6.1"), "{}", told.err);
}

/// A program that is taken for a user-mode Linux: a shell, for which the first of the kernel's options is the name of a script. `$line` is the
/// results line.
fn scripted(folder: &Folder, name: &str, script: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;

    let mut program = std::fs::read("/bin/sh").expect("there is a shell");
    program.extend(b"root=<file containing the root fs>");
    let kernel = folder.file(name, program);
    std::fs::set_permissions(&kernel, std::fs::Permissions::from_mode(0o700)).expect("it is ours");
    let find_line = r#"for word; do case $word in ssl0=*) line=/proc/self/fd/${word##*:};; esac; done"#;
    folder.file("mem=512M", format!("{find_line}\n{script}\n"));
    kernel
}

/// A kernel that ends at once: nothing was run in it, and nothing agrees.
#[test]
fn a_guest_that_does_not_end_as_it_should_is_no_agreement() {
    let folder = Folder::new("cut-off");
    folder.file("good.toml", GOOD);
    scripted(&folder, "kernel", "exit 0");
    for command in [
        &["check", "good.toml", "--kernel", "kernel"][..],
        &["run", "good.toml", "--kernel", "kernel"],
        &["fuzz", "--steps", "10", "--kernel", "kernel"],
    ] {
        let told = pidlab(&folder.0, command);
        assert_eq!((told.code, &told.out[..]), (Some(3), ""), "{command:?}: {}", told.err);
        assert!(told.err.contains("the guest ended before it said so"), "{command:?}: {}", told.err);
    }
    let told = pidlab(&folder.0, &["matrix", "kernel"]);
    assert_eq!(told.code, Some(3), "{}", told.out);
    assert!(told.out.contains("cut off 1"), "{}", told.out);
}

/// The second kernel says that it is there, and nothing more; the first one's results can be read meanwhile, and stay when the program is
/// killed.
#[test]
fn ktap_of_a_matrix_is_there_as_soon_as_a_kernel_is_done() {
    let folder = Folder::new("ktap");
    scripted(&folder, "kernel", r#"echo '@boot {"release":"0.0"}' > $line; while read none; do :; done < /dev/zero"#);
    let matrix =
        ["matrix", "native", "kernel", "--jobs", "1", "--format", "ktap", "--only", "orphans/adopted-by-own-init"];
    let mut program = command(&folder.0, &matrix).stdout(Stdio::piped()).spawn().expect("pidlab starts");
    let mut lines = BufReader::new(program.stdout.take().expect("it is piped")).lines().map_while(Result::ok);
    let mut told: Vec<String> = Vec::new();
    for line in lines.by_ref() {
        told.push(line);
        if told.last().is_some_and(|line| line.contains("ok 1 native")) {
            break;
        }
    }
    program.kill().expect("it is our child");
    program.wait().expect("it is our child");
    assert_eq!(lines.next(), None, "the second one was not done");
    assert_eq!(told[..4], ["KTAP version 1", "1..2", "  KTAP version 1", "  1..1"]);
    assert!(told[4].starts_with("  ok 1 orphans/adopted-by-own-init"), "{told:?}");
}

/// Where user-mode Linux is installed; CI has it.
#[test]
fn a_file_is_run_in_another_kernel_as_it_is_here() {
    if find("uml").is_err() {
        assert!(!pidlab_realkernel::must_not_skip(), "there is no linux.uml, and nothing may be skipped");
        eprintln!("skipped: there is no linux.uml (package user-mode-linux)");
        return;
    }
    let folder = Folder::new("uml");
    folder.file("below/mine.toml", GOOD);
    folder.file("below/wrong.toml", GOOD.replace("returns = 1", "returns = 2"));
    folder.file("below/bad.toml", "title = 1");
    let told = |arguments: &[&str]| {
        let (here, there) =
            (pidlab(&folder.0, arguments), pidlab(&folder.0, &[arguments, &["--kernel", "uml"]].concat()));
        assert_eq!(here.code, there.code, "{arguments:?}: {}", there.err);
        (here, there)
    };
    let (here, there) = told(&["run", "below/mine.toml"]);
    assert_eq!(here.out, there.out);
    let (_, there) = told(&["check", "below/mine.toml", "below/wrong.toml"]);
    assert_eq!(there.code, Some(1));
    assert!(there.out.contains("pidlab run --kernel uml below/wrong.toml"), "{}", there.out);
    let (here, there) = told(&["run", "below/bad.toml"]);
    assert_eq!((there.code, here.err), (Some(2), there.err));
}

#[test]
fn gvisor_is_named_where_it_is() {
    let folder = Folder::new("gvisor");
    let list = |path: &str| {
        let mut list = command(&folder.0, &["kernels"]);
        let output = list.env("PATH", path).env("XDG_CACHE_HOME", &folder.0).output().expect("pidlab starts");
        String::from_utf8(output.stdout).expect("it is text")
    };
    assert!(!list("/nowhere").contains("gVisor"));
    folder.file("bin/runsc", "");
    let here = list(&folder.0.join("bin").display().to_string());
    assert!(here.contains("pidlab hearsay --under '") && here.contains("bin/runsc --ignore-cgroups"), "{here}");
}

/// What a program tells is taken from whatever runs it; where there is no C compiler, nothing is.
#[test]
fn hearsay_is_what_the_programs_tell() {
    let folder = Folder::new("hearsay");
    folder.file("one.toml", "title = \"One step\"\nsteps = [\n  { by = \"host\", call = \"getpid\" },\n]\n");
    let hearsay = |script: &str| {
        folder.file("play", script);
        pidlab(&folder.0, &["hearsay", "--under", "sh play", "--format", "json", "one.toml"])
    };
    let first = hearsay("exit 0");
    if first.code == Some(4) && first.err.contains("no C compiler") {
        eprintln!("skipped: there is no cc");
        return;
    }
    let told =
        |gave: &str| format!("echo 'Linux 9.9 #1'; echo '1. host: getpid()'; {gave}; echo '   host       state S'");
    let right = told("echo '   returns 1'") + "; echo 'that is all'";
    for (script, code, result) in [
        ("exit 0".to_owned(), 3, "cut"),
        (told("echo '   returns 1'"), 3, "cut"),
        (right.clone(), 0, "agrees"),
        (right.replace("returns 1", "returns 2"), 1, "differs"),
        (right.replace("returns 1", "fails: Not found (3)"), 1, "differs"),
        // Slow the first time, and not when it is asked to be patient.
        (
            format!("if [ $# = 1 ]; then {}; else {right}; fi", right.replace("returns 1", "it has not returned")),
            0,
            "agrees",
        ),
    ] {
        let ended = hearsay(&script);
        let line: Value = serde_json::from_str(ended.out.lines().next().expect("a line")).expect("it is JSON");
        assert_eq!(
            (ended.code, &line["result"], &line["unproven"]),
            (Some(code), &result.into(), &true.into()),
            "{script}"
        );
        assert_eq!(summary(&ended.out)["kernel"] == "9.9", !script.starts_with("exit"), "{}", ended.out);
    }
}

/// What is told of this machine is what the runner sees: where root may make namespaces.
#[test]
fn hearsay_of_this_machine_is_to_be_believed() {
    let folder = Folder::new("believed");
    let ended = pidlab(&folder.0, &["hearsay", "orphans/adopted-by-own-init", "init-signals/kill-9-1-does-nothing"]);
    if ended.err.contains("no C compiler") || !rustix::process::geteuid().is_root() {
        eprintln!("skipped: it needs cc, and root");
        return;
    }
    assert!(ended.out.contains("agree 2, differ 0"), "{}{}", ended.out, ended.err);
    assert_eq!(ended.code, Some(0));
    let none = pidlab(&folder.0, &["hearsay", "views/a-procfs-of-their-own"]);
    assert_eq!(none.code, Some(4), "nothing was run: {}", none.out);
}
