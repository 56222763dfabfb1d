//! `pidlab init`, as a user meets it. What each duty notices is tested in `certify/tests/`.
#![forbid(unsafe_code)]

mod tool;

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tool::{Ended, Folder, GOOD, command, ended, pidlab};

/// It reaps, and does no more than that.
const SHELL: [&str; 3] = ["sh", "-c", "{}; exit $?"];

/// Nothing takes as long that comes to an end.
const LONGEST: Duration = Duration::from_secs(60);

/// Runs `pidlab init`; nothing where it cannot be asked.
fn init(folder: &Folder, options: &[&str], program: &[&str]) -> Option<Ended> {
    let ended = pidlab(&folder.0, &[&["init"], options, &["--"], program].concat());
    let required = pidlab_realkernel::must_not_skip();
    assert!(ended.code != Some(4) || !required, "{}", ended.err);
    (ended.code != Some(4)).then_some(ended)
}

#[test]
fn a_shell_reaps_and_passes_nothing_on() {
    let folder = Folder::new("init-shell");
    let options = ["--duty", "orphan", "--duty", "twice", "--duty", "who-hears"];
    let Some(text) = init(&folder, &options, &SHELL) else { return };
    assert_eq!(text.code, Some(1), "{}{}", text.out, text.err);
    assert!(text.out.lines().all(|line| line.chars().count() <= 80), "{}", text.out);
    let words = text.out.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "holds orphan: ",
        "FAILS twice: ",
        "seen: of SIGTERM number 1: the command got nothing",
        "rules: sig.init-handler what helps: ",
        "told who-hears: ",
        "seen: nobody",
        "hold 1, fail 1, not decided 0, not asked 0",
    ] {
        assert!(words.contains(part), "no `{part}` in {words}");
    }

    let Some(json) = init(&folder, &[&options[..], &["--format", "json"]].concat(), &SHELL) else { return };
    let lines: Vec<Value> =
        json.out.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect();
    let verdicts: Vec<&Value> = lines[1..4].iter().map(|line| &line["verdict"]).collect();
    assert_eq!(verdicts, ["holds", "fails", "told"]);
    assert_eq!(lines[0]["command"], serde_json::json!(SHELL));
    assert!(lines[0]["profile"] == "container" && lines[2]["rules"][0] == "sig.init-handler", "{lines:?}");
    assert_eq!(lines[4]["summary"], serde_json::json!({ "holds": 1, "fails": 1, "told": 1 }));

    let Some(ktap) = init(&folder, &[&options[..], &["--format", "ktap"]].concat(), &SHELL) else { return };
    for part in ["KTAP version 1\n1..3\n", "\nok 1 orphan\n", "\nnot ok 2 twice\n", "# Totals: pass:2 fail:1 "] {
        assert!(ktap.out.contains(part), "no `{part}` in {}", ktap.out);
    }

    let Some(junit) = init(&folder, &[&options[..], &["--format", "junit"]].concat(), &SHELL) else { return };
    let document = roxmltree::Document::parse(&junit.out).expect("it is XML");
    let failed = document.descendants().find(|node| node.has_tag_name("failure")).expect("one fails");
    assert!(
        failed.text().is_some_and(|text| text.contains("expected: passes on each of two SIGTERM")),
        "{}",
        junit.out
    );
    assert_eq!(document.descendants().filter(|node| node.has_tag_name("testcase")).count(), 3);
}

#[test]
fn what_starts_nothing_is_joined_from_outside() {
    let folder = Folder::new("init-pause");
    let options = ["--duty", "orphan", "--duty", "ends", "--duty", "status", "--format", "json"];
    let Some(ended) = init(&folder, &options, &["sleep", "infinity"]) else { return };
    let verdicts: Vec<Value> = ended
        .out
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).expect("each line is JSON").get("verdict").cloned())
        .collect();
    assert_eq!(verdicts, ["fails", "fails", "not-asked"], "{}", ended.out);
    assert_eq!(ended.code, Some(1));
}

#[test]
fn a_bound_ends_nothing_but_what_is_open() {
    let folder = Folder::new("init-bound");
    // It will end, and not within what is waited.
    let program = ["sleep", "100000"];
    let Some(ended) = init(&folder, &["--duty", "orphan", "--bound", "5"], &program) else { return };
    assert_eq!(ended.code, Some(3), "{}{}", ended.out, ended.err);
    let words = ended.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("seen: sleep sleeps with a time-out of "), "{words}");
    // What is seen is decided, whatever sleeps.
    let program = ["sh", "-c", "(sleep 100000 &) ; {}; exit $?"];
    let Some(ended) = init(&folder, &["--duty", "orphan", "--bound", "30"], &program) else { return };
    assert_eq!(ended.code, Some(0), "{}{}", ended.out, ended.err);
}

#[test]
fn a_kata_ends_with_the_first_step_that_is_not_done() {
    let folder = Folder::new("init-kata");
    // It starts its command, and does nothing more.
    let program = ["sh", "-c", "{} & while :; do sleep infinity; done"];
    let Some(text) = init(&folder, &["--kata"], &program) else { return };
    assert_eq!(text.code, Some(1), "{}{}", text.out, text.err);
    assert!(text.out.lines().all(|line| line.chars().count() <= 80), "{}", text.out);
    for part in [
        "\nStep 1 of 6: It starts its command\nholds         starts: ",
        "\nStep 2 of 6: It ends as its command does\nFAILS         status: ",
        "\nNext. Step 2 of 6: It ends as its command does\n\nWait for the command with waitpid(2), ",
        "\nWhat is behind it: pidlab run death/the-status-is-its-own\n",
        "\nhold 1, fail 5, not decided 0, not asked 0\n",
    ] {
        assert!(text.out.contains(part), "no `{part}` in {}", text.out);
    }
    assert!(!text.out.contains("orphan: "), "the third step is asked: {}", text.out);

    let Some(json) = init(&folder, &["--kata", "--format", "json"], &["true", "{}"]) else { return };
    assert_eq!(json.code, Some(1), "{}{}", json.out, json.err);
    let lines: Vec<Value> =
        json.out.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect();
    assert_eq!(lines.len(), 4, "{}", json.out);
    assert!(lines[1]["duty"] == "starts" && lines[1]["verdict"] == "fails", "{}", json.out);
    assert_eq!((&lines[2]["next"]["step"], &lines[2]["next"]["of"]), (&1.into(), &6.into()), "{}", json.out);

    let list = pidlab(&folder.0, &["init", "--kata", "--list"]);
    assert_eq!(list.code, Some(0));
    for step in pidlab_certify::STEPS {
        assert!(list.out.contains(step.title), "{}", list.out);
    }
}

#[test]
fn what_cannot_be_asked_ends_with_2() {
    let folder = Folder::new("init-wrong");
    for arguments in [
        &["init"][..],
        &["init", "--duty", "nonsense", "--", "sh"],
        &["init", "--bound", "0", "--", "sh"],
        &["init", "--kata", "--", "sh"],
        &["init", "--kata", "--profile", "pause", "--", "sh", "{}"],
        &["init", "--kata", "--format", "ktap", "--", "sh", "{}"],
    ] {
        let ended = pidlab(&folder.0, arguments);
        assert!(ended.code == Some(2) && ended.out.is_empty() && !ended.err.is_empty(), "{arguments:?}: {}", ended.out);
    }
    let Some(ended) = init(&folder, &["--duty", "orphan"], &["no-such-program", "{}"]) else { return };
    assert_eq!(ended.code, Some(2), "{}", ended.out);
    assert!(ended.err.contains("no-such-program: it could not be run: No such file"), "{}", ended.err);
    let list = pidlab(&folder.0, &["init", "--list"]);
    assert_eq!(list.code, Some(0));
    for duty in pidlab_certify::DUTIES {
        assert!(list.out.contains(&format!("{}: ", duty.name)), "{}", list.out);
    }
}

#[test]
fn nothing_of_the_machines_files_is_changed() {
    let folder = Folder::new("init-files");
    let there = folder.file("there", GOOD);
    let there = there.to_str().expect("it is text");
    // A shell that cannot write says so, and goes on.
    let script = format!(
        "echo changed > {there}; echo new > /etc/pidlab-init-test; echo new > /tmp/pidlab-init-test; {{}}; exit $?"
    );
    let Some(ended) = init(&folder, &["--duty", "orphan"], &["sh", "-c", &script]) else { return };
    assert_eq!(ended.code, Some(0), "{}{}", ended.out, ended.err);
    assert_eq!(fs::read_to_string(there).expect("it is there"), GOOD);
    for path in ["/etc/pidlab-init-test", "/tmp/pidlab-init-test"] {
        assert!(fs::symlink_metadata(path).is_err(), "{path}");
    }
}

/// Whether there is a strace to record with.
fn has_strace() -> bool {
    Command::new("strace").arg("-V").output().is_ok()
}

#[test]
fn what_fails_is_told_with_its_calls() {
    let folder = Folder::new("init-record");
    if !has_strace() {
        return;
    }
    let options = ["--duty", "twice", "--duty", "orphan", "--duty", "passes-on", "--record", "logs"];
    let Some(text) = init(&folder, &options, &SHELL) else { return };
    assert_eq!(text.code, Some(1), "{}{}", text.out, text.err);
    assert!(text.out.lines().all(|line| line.chars().count() <= 80), "{}", text.out);
    let words = text.out.split_whitespace().collect::<Vec<_>>().join(" ");
    // It is told of the signal that does nothing, and waits on.
    let told = "si_pid=0, si_uid=0} --- strace: wait4(-1, ";
    for part in ["strace: --- SIGTERM {", told, "recorded: logs/twice.log rules", "logs/passes-on-1.log, and others"] {
        assert!(words.contains(part), "no `{part}` in {words}");
    }
    assert!(!words.contains("under strace"), "it comes out the same: {words}");
    let mut logs: Vec<String> = fs::read_dir(folder.0.join("logs"))
        .expect("it was made")
        .map(|entry| entry.expect("it is there").file_name().to_string_lossy().into_owned())
        .collect();
    logs.sort();
    let all = (1..=7).map(|number| format!("passes-on-{number}.log")).chain(["twice.log".to_owned()]);
    assert_eq!(logs, all.collect::<Vec<_>>());
    for log in logs {
        let judged = pidlab(&folder.0, &["judge", &format!("logs/{log}")]);
        assert_eq!(judged.code, Some(0), "{log}: {}{}", judged.out, judged.err);
    }

    let options = ["--duty", "twice", "--format", "json"];
    let Some(json) = init(&folder, &options, &SHELL) else { return };
    let duty: Value = serde_json::from_str(json.out.lines().nth(1).expect("there is an answer")).expect("it is JSON");
    let recorded = &duty["recorded"];
    assert!(recorded["verdict"] == "fails" && recorded["logs"] == serde_json::json!([]), "{duty}");
    let last = recorded["calls"].as_array().and_then(|calls| calls.last()?.as_str());
    assert!(last.is_some_and(|last| last.starts_with("wait4(-1")), "{duty}");
    for format in ["junit", "ktap"] {
        let Some(ended) = init(&folder, &["--duty", "twice", "--format", format], &SHELL) else { return };
        assert!(ended.out.contains("strace: wait4(-1"), "{}", ended.out);
    }
    let Some(ended) = init(&folder, &["--duty", "twice", "--no-record"], &SHELL) else { return };
    assert!(ended.code == Some(1) && !ended.out.contains("strace"), "{}", ended.out);

    folder.file("file", "");
    for (arguments, said) in [
        (&["init", "--record", "file", "--", "sh"][..], "error: file cannot be made: "),
        (&["init", "--record", "logs", "--no-record", "--", "sh"], "error: "),
        (&["init", "--record", "logs", "--attach", "1"], "error: "),
    ] {
        let ended = pidlab(&folder.0, arguments);
        assert!(ended.code == Some(2) && ended.out.is_empty(), "{arguments:?}: {}", ended.out);
        assert!(ended.err.starts_with(said), "{arguments:?}: {}", ended.err);
    }
}

#[test]
fn the_first_verdict_stays() {
    let folder = Folder::new("init-record-other");
    if !has_strace() {
        return;
    }
    // It does its duty where a log is written beside the socket of its command.
    let script = "set -- {}; \"$@\"; r=$?; [ -e \"${3%/*}/strace1\" ] || exit 3; exit $r";
    let Some(ended) = init(&folder, &["--duty", "status"], &["sh", "-c", script]) else { return };
    assert_eq!(ended.code, Some(1), "{}{}", ended.out, ended.err);
    let words = ended.out.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in ["FAILS status: ", "played once more under strace it holds", "hold 0, fail 1,"] {
        assert!(words.contains(part), "no `{part}` in {words}");
    }
}

#[test]
fn without_strace_the_verdict_is_the_same() {
    let folder = Folder::new("init-record-not");
    for (strace, said) in [
        (None, "calls not recorded: there is no strace here"),
        (
            Some("#!/bin/sh\necho 'strace: ptrace(PTRACE_SEIZE, 7): Operation not permitted' >&2\nexit 1\n"),
            "calls not recorded: strace has ended too early: strace: ptrace(PTRACE_SEIZE, 7): Operation not permitted",
        ),
    ] {
        let place = folder.0.join("bin");
        fs::create_dir_all(&place).expect("it can be made");
        if let Some(text) = strace {
            let strace = folder.file("bin/strace", text);
            fs::set_permissions(strace, fs::Permissions::from_mode(0o755)).expect("it is ours");
        }
        let arguments =
            [&["init", "--duty", "twice", "--duty", "passes-on", "--"][..], &["/bin/sh", "-c", SHELL[2]]].concat();
        let output = command(&folder.0, &arguments).env("PATH", &place).output().expect("pidlab starts");
        let ended = ended(output);
        if ended.code == Some(4) && !pidlab_realkernel::must_not_skip() {
            return;
        }
        assert_eq!(ended.code, Some(1), "{}{}", ended.out, ended.err);
        let words = ended.out.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(words.matches("calls not recorded").count(), 1, "{words}");
        for part in ["FAILS twice: ", said, "hold 0, fail 2,"] {
            assert!(words.contains(part), "no `{part}` in {words}");
        }
    }
}

/// A container that a test has made; its PID 1.
struct Container(Child, i32);

impl Container {
    /// Nothing where none can be made.
    fn new(words: &[&str]) -> Option<Container> {
        let mut unshare = Command::new("unshare");
        unshare.args(["--map-root-user", "--pid", "--fork", "--kill-child=KILL", "--mount-proc", "--"]).args(words);
        let mut outer = unshare.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("unshare is here");
        let number = outer.id();
        loop {
            let children = fs::read_to_string(format!("/proc/{number}/task/{number}/children")).unwrap_or_default();
            if let Ok(init) = children.trim().parse() {
                return Some(Container(outer, init));
            }
            if outer.try_wait().expect("it is our child").is_some() {
                assert!(!pidlab_realkernel::must_not_skip(), "no PID namespace can be had");
                return None;
            }
            std::thread::yield_now();
        }
    }

    /// Everybody in it.
    fn members(&self) -> Vec<String> {
        let of = |process: &std::path::Path| fs::read_link(process.join("ns/pid")).ok();
        let its = of(std::path::Path::new(&format!("/proc/{}", self.1)));
        let processes = fs::read_dir("/proc").expect("there is a procfs").flatten().map(|entry| entry.path());
        processes.filter(|path| its.is_some() && of(path) == its).map(|path| path.display().to_string()).collect()
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        if let (Some(init), Ok(None)) = (rustix::process::Pid::from_raw(self.1), self.0.try_wait()) {
            let _ = rustix::process::kill_process(init, rustix::process::Signal::KILL);
        }
        let _ = self.0.wait();
    }
}

#[test]
fn a_container_that_runs_is_looked_at() {
    let folder = Folder::new("init-attach");
    let Some(container) = Container::new(&["sleep", "infinity"]) else { return };
    let pid = container.1.to_string();
    let begun = Instant::now();
    while fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name != "sleep\n") {
        assert!(begun.elapsed() < LONGEST, "it becomes its program");
        std::thread::yield_now();
    }
    let text = pidlab(&folder.0, &["init", "--attach", &pid]);
    assert_eq!(text.code, Some(1), "{}{}", text.out, text.err);
    let words = text.out.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        format!("PID {pid} (sleep): the PID 1 of a container that runs already, on Linux "),
        "holds zombies: ".to_owned(),
        "FAILS hears-term: has a handler for SIGTERM, or waits for it seen: it has no handler".to_owned(),
        "not asked orphan: reaps an orphan that ends seen: an orphan would have to be made".to_owned(),
        "hold 1, fail 1, not decided 0, not asked 3".to_owned(),
    ] {
        assert!(words.contains(&part), "no `{part}` in {words}");
    }
    assert_eq!(container.members().len(), 1, "nobody was to be left there");

    let json = pidlab(&folder.0, &["init", "--attach", &pid, "--orphans", "--format", "json"]);
    assert_eq!(json.code, Some(1), "{}{}", json.out, json.err);
    let lines: Vec<Value> =
        json.out.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect();
    assert!(lines[0]["attach"] == container.1 && lines[0]["name"] == "sleep", "{}", json.out);
    let orphan = lines.iter().find(|line| line["duty"] == "orphan").expect("it is asked");
    assert!(orphan["verdict"] == "fails" && orphan["rules"][0] == "reap.ns-is-fathers", "{}", json.out);
    assert_eq!(container.members().len(), 2, "one zombie is left, and no more");

    for format in ["junit", "ktap"] {
        let ended = pidlab(&folder.0, &["init", "--attach", &pid, "--duty", "zombies", "--format", format]);
        assert!(ended.code == Some(1) && ended.out.contains(&format!("PID {pid} (sleep)")), "{}", ended.out);
    }
    let own = std::process::id().to_string();
    for (arguments, said) in [
        (&["init", "--attach", &own][..], "error: PID "),
        (&["init", "--attach", "2147483647"], "error: PID 2147483647: there is no such process"),
        (&["init", "--attach", "0"], "error: "),
        (&["init", "--attach", &pid, "--kata"], "error: "),
        (&["init", "--attach", &pid, "--", "sh"], "error: "),
        (&["init", "--orphans", "--", "sh"], "error: "),
    ] {
        let ended = pidlab(&folder.0, arguments);
        assert!(ended.code == Some(2) && ended.out.is_empty(), "{arguments:?}: {}", ended.out);
        assert!(ended.err.starts_with(said), "{arguments:?}: {}", ended.err);
    }
}

/// Kills a pidlab when it has written so many lines.
fn kill_after(mut pidlab: Child, lines: usize) {
    let out = BufReader::new(pidlab.stdout.take().expect("it is piped"));
    assert_eq!(out.lines().take(lines).filter(Result::is_ok).count(), lines);
    pidlab.kill().expect("it is our child");
    pidlab.wait().expect("it is our child");
}

#[test]
fn nothing_is_left_in_a_container_after_a_kill() {
    let folder = Folder::new("init-attach-killed");
    // It waits for whoever ends.
    let Some(container) = Container::new(&["sh", "-c", "while :; do sleep infinity & wait; done"]) else { return };
    let begun = Instant::now();
    while container.members().len() != 2 {
        assert!(begun.elapsed() < LONGEST, "it has a child");
        std::thread::yield_now();
    }
    let pid = container.1.to_string();
    for lines in 0..8 {
        let child = command(&folder.0, &["init", "--attach", &pid, "--orphans", "--format", "json"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("pidlab starts");
        kill_after(child, lines);
        let begun = Instant::now();
        while container.members().len() != 2 {
            assert!(begun.elapsed() < LONGEST, "after {lines} lines: {:?}", container.members());
            std::thread::yield_now();
        }
    }
}

/// The processes of this machine that have a variable in their environment.
fn with_variable(variable: &str) -> Vec<String> {
    let processes = fs::read_dir("/proc").expect("there is a procfs").flatten();
    let has_it = |path: &std::path::Path| {
        let environment = fs::read(path.join("environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|entry| entry == variable.as_bytes())
    };
    let paths = processes.map(|entry| entry.path()).filter(|path| has_it(path));
    paths.map(|path| path.display().to_string()).collect()
}

#[test]
fn nothing_is_left_of_one_that_is_killed() {
    let folder = Folder::new("init-killed");
    if init(&folder, &["--duty", "orphan"], &SHELL).is_none() {
        return;
    }
    // The more lines are read, the later it is; and each time two duties are in the middle of something.
    for lines in 0..12 {
        let value = format!("{}-{lines}", std::process::id());
        let variable = format!("PIDLAB_INIT_TEST={value}");
        let arguments = [&["init", "--format", "json", "--jobs", "3", "--"][..], &SHELL].concat();
        let child = command(&folder.0, &arguments)
            .env("PIDLAB_INIT_TEST", &value)
            .stdout(Stdio::piped())
            .spawn()
            .expect("pidlab starts");
        kill_after(child, lines);
        let begun = Instant::now();
        loop {
            let left = with_variable(&variable);
            if left.is_empty() {
                break;
            }
            assert!(begun.elapsed() < LONGEST, "after {lines} lines: {left:?}");
            std::thread::yield_now();
        }
    }
}

/// A file of the examples, as one that is in the folder.
fn example(folder: &Folder, name: &str) -> String {
    let file = format!("duties/{name}.toml");
    fs::create_dir_all(folder.0.join("duties")).expect("it can be made");
    let text = fs::read(format!("{}/certify/examples/{file}", env!("CARGO_MANIFEST_DIR"))).expect("it is there");
    fs::write(folder.0.join(&file), text).expect("it can be written");
    file
}

#[test]
fn a_duty_of_ones_own_is_told_like_the_others() {
    let folder = Folder::new("init-own");
    let (orphan, term) = (example(&folder, "orphan"), example(&folder, "term-reaches-the-command"));
    let options = ["--duty", &orphan, "--duty", "orphan", "--duty", &term, "--duty", &orphan, "--no-record"];
    let Some(text) = init(&folder, &options, &SHELL) else { return };
    assert_eq!(text.code, Some(1), "{}{}", text.out, text.err);
    let words = text.out.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "holds duties/orphan: An orphan that ends is reaped holds orphan: ",
        "FAILS duties/term-reaches-the-command: A SIGTERM from outside reaches the command seen: step 6, init: \
         kill(command, SIGTERM) (PATH:12): claimed is `then = { command = { handled = \
         [{ signal = \"SIGTERM\", si_pid = 1 }] } }`, and seen is `then = { command = { handled = [] } }`",
        "holds duties/orphan-2: ",
        "hold 3, fail 1, not decided 0, not asked 0",
    ] {
        let part = part.replace("PATH", &term);
        assert!(words.contains(&part), "no `{part}` in {words}");
    }
    assert!(!words.contains("what helps"), "nobody knows: {words}");

    let Some(json) = init(&folder, &[&options[..], &["--format", "json"]].concat(), &SHELL) else { return };
    let lines: Vec<Value> =
        json.out.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect();
    assert_eq!(lines[3]["duty"], "duties/term-reaches-the-command");
    assert_eq!(lines[3]["rules"], serde_json::json!(["sig.init-handler"]));
    for (format, part) in [
        ("ktap", "\nnot ok 3 duties/term-reaches-the-command\n"),
        ("junit", "term-reaches-the-command.toml:12): claimed"),
    ] {
        let Some(other) = init(&folder, &[&options[..], &["--format", format]].concat(), &SHELL) else { return };
        assert!(other.out.contains(part), "no `{part}` in {}", other.out);
    }
}

#[test]
fn a_file_that_is_no_duty_is_refused_before_anything_is_started() {
    let folder = Folder::new("init-no-duty");
    let begin = r#"{ by = "host", call = "clone", child = "init", flags = ["CLONE_NEWPID"] }, { by = "init", call = "fork", child = "command" },"#;
    let step = |step: &str| format!("title = \"x\"\nsteps = [\n{begin}\n{step}\n]\n");
    let steps_of = [
        (String::new(), "`title` is missing"),
        (step(r#"{ by = "comand", call = "fork", child = "a" },"#), "there is no process `comand`"),
        (step(r#"{ by = "command", call = "exec" },"#), "step 3 cannot be played: command makes the call `exec`"),
        (step(r#"{ by = "command", call = "getpid", returns = 2 },"#), "a PID is different each time"),
        // True of no Linux.
        (
            step(r#"{ by = "host", call = "kill", pid = "init", signal = "SIGTERM", then = { init = "gone" } },"#),
            "claim failed at step 3",
        ),
    ];
    for (text, message) in steps_of {
        fs::write(folder.0.join("bad.toml"), &text).expect("it can be written");
        let ended = pidlab(&folder.0, &["init", "--duty", "bad.toml", "--", "no-such-program", "{}"]);
        let said = ended.err.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!((ended.code, &*ended.out), (Some(2), ""), "{text}: {said}");
        assert!(said.contains(message) && said.contains("bad.toml:"), "no `{message}` in {said}");
    }
    let orphan = example(&folder, "orphan");
    for (arguments, message) in [
        (&["--duty", "nowhere.toml", "--", "no-such-program", "{}"][..], "nowhere.toml"),
        (&["--duty", &orphan, "--", "sleep", "infinity"], "no `{}` is among the words"),
        (&["--duty", &orphan, "--attach", "1"], "a duty of your own is asked of a program that is started"),
        (&["--duty", "orphans", "--", "tini", "{}"], "there is no such duty"),
    ] {
        let ended = pidlab(&folder.0, &[&["init"], arguments].concat());
        assert_eq!((ended.code, &*ended.out), (Some(2), ""), "{arguments:?}: {}", ended.err);
        assert!(ended.err.contains(message), "no `{message}` in {}", ended.err);
    }
}
