//! Duties of a user's own: they are scenarios that are true of Linux, and what is none is refused with its place.
#![forbid(unsafe_code)]

use std::fs;
use std::path::{Path, PathBuf};

use pidlab_certify::OwnDuty;
use pidlab_scenario::held::{self, Whose};
use pidlab_scenario::{Diagnostics, Facts, Scenario};
use pidlab_sim::Model;

fn files() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["examples/duties", "tests/duties/container", "tests/duties/supervisor"];
    let read = |folder: &str| fs::read_dir(root.join(folder)).expect("the folder is there");
    let mut files: Vec<PathBuf> =
        folders.iter().flat_map(|folder| read(folder)).map(|entry| entry.expect("it can be read").path()).collect();
    files.sort();
    files
}

fn read(path: &str, text: &str) -> Result<OwnDuty, Diagnostics> {
    let scenario = Scenario::parse("a/duty", path, text).expect("it is a scenario");
    OwnDuty::of(&scenario, path, text)
}

#[test]
fn each_is_a_scenario_that_agrees_with_the_model() {
    assert!(files().len() >= 6);
    for file in files() {
        let (path, text) = (file.display().to_string(), fs::read_to_string(&file).expect("it can be read"));
        let scenario = Scenario::parse("a/duty", &path, &text).unwrap_or_else(|wrong| panic!("{wrong}"));
        let mut model = Model::new(Facts::newest());
        let mut seen = vec![model.start(&scenario).observation];
        for step in &scenario.steps {
            let answer = model.step(&scenario, step).unwrap_or_else(|refused| panic!("{path}: {refused:?}"));
            seen.push(answer.observation);
        }
        let failed = held::on_one(&scenario, seen.iter().map(|seen| (Whose::Model, seen)));
        assert!(failed.is_empty(), "{path}: {failed:#?}");
        let duty = OwnDuty::of(&scenario, &path, &text).unwrap_or_else(|wrong| panic!("{wrong}"));
        assert_eq!((duty.name(), duty.sentence()), ("a/duty", &*scenario.title));
    }
}

const INIT: &str = r#"{ by = "host", call = "clone", child = "init", flags = ["CLONE_NEWPID"] }"#;
const COMMAND: &str = r#"{ by = "init", call = "fork", child = "command" }"#;

/// Steps after which a line is refused, the line, and what is said of it.
const REFUSED: &[(&[&str], &str, &str)] = &[
    // Who is there.
    (&[], r#"{ by = "host", call = "fork", child = "a" }"#, "the scenario has no `init`"),
    (&[], r#"{ by = "host", call = "fork", child = "init" }"#, "step 1 cannot be taken before `init` is there"),
    (
        &[r#"{ by = "host", call = "sigprocmask", how = "block", signal = "SIGTERM" }"#],
        r#"{ by = "host", call = "fork", child = "init" }"#,
        "step 2 cannot be taken before `init` is there",
    ),
    (
        &[],
        r#"{ by = "host", call = "sigprocmask", how = "block", signal = "SIGTERM", returns = 1 }"#,
        "the scenario has no `init`",
    ),
    (&[], INIT, "`init` has no command: it makes nobody"),
    (
        &[INIT],
        r#"{ by = "host", call = "kill", pid = "init", signal = "SIGTERM" }"#,
        "step 2 comes before `init` has made its command",
    ),
    // What is done.
    (
        &[INIT, COMMAND],
        r#"{ by = "command", call = "exec" }"#,
        "step 3 cannot be played: command makes the call `exec`",
    ),
    (
        &[INIT, COMMAND],
        r#"{ by = "command", call = "clone", child = "a", flags = ["CLONE_NEWPID"] }"#,
        "makes the call `clone`",
    ),
    (&[INIT, COMMAND], r#"{ by = "command", call = "kill", pid = 7, signal = "SIGTERM" }"#, "makes the call `kill`"),
    (&[INIT, COMMAND], r#"{ by = "command", call = "wait", group = "own" }"#, "makes the call `wait`"),
    (
        &[INIT, COMMAND],
        r#"{ by = "command", call = "sigaction", signal = "SIGCHLD", action = "nocldwait" }"#,
        "makes the call `sigaction`",
    ),
    (&[INIT, COMMAND], r#"{ by = "host", call = "kill", pid = -1, signal = "SIGTERM" }"#, "host makes the call `kill`"),
    (
        &[INIT, COMMAND],
        r#"{ by = "host", call = "kill", pid = "init", signal = "SIGRTMIN" }"#,
        "host makes the call `kill`",
    ),
    (&[INIT, COMMAND], r#"{ by = "host", call = "fork", child = "a" }"#, "host makes the call `fork`"),
    (
        &[INIT, COMMAND],
        r#"{ by = "init", call = "unshare" }"#,
        "step 3 is nothing that a PID 1 does by itself: `unshare`",
    ),
    // What is claimed.
    (&[INIT, COMMAND], r#"{ by = "command", call = "getpid", returns = 2 }"#, "a PID is different each time"),
    (&[INIT, COMMAND], r#"{ by = "command", call = "wait", pid = "any", blocks = true }"#, "can be asleep in a wait"),
    (
        &[INIT, COMMAND],
        r#"{ by = "command", call = "getppid", then = { command = { pgid = 2 } } }"#,
        "it depends on the program",
    ),
    (
        &[INIT, COMMAND],
        r#"{ by = "command", call = "getppid", then = { init = { handled = [] } } }"#,
        "of the program only its state is seen",
    ),
    (
        &[INIT, COMMAND],
        r#"{ by = "command", call = "getppid", then = { host = { state = "running" } } }"#,
        "`host` is who looks",
    ),
    (
        &[INIT, COMMAND],
        r#"{ by = "command", call = "getppid", then = { command = { handled = [{ signal = "SIGTERM", si_pid = 9 }] } } }"#,
        "a PID is different each time",
    ),
];

fn file(steps: &[&str]) -> String {
    let rows: Vec<String> = steps.iter().map(|step| format!("  {step},\n")).collect();
    format!("title = \"A duty\"\nsteps = [\n{}]\n", rows.concat())
}

#[test]
fn what_cannot_be_played_or_seen_is_refused_with_its_place() {
    for (before, line, message) in REFUSED {
        let steps: Vec<&str> = before.iter().copied().chain([*line]).collect();
        let Err(refused) = read("duty.toml", &file(&steps)) else { panic!("{line} is accepted") };
        let first = refused.iter().next().expect("there is at least one");
        assert!(first.message.contains(message), "{line}:\n{refused}");
        assert!(first.help.is_some(), "{line}:\n{refused}");
        let text = refused.to_string();
        assert!(text.contains("duty.toml:"), "{text}");
    }
}

#[test]
fn nothing_is_claimed_of_a_moment_in_which_nobody_can_look() {
    let exit = r#"{ by = "command", call = "exit", status = 1, then = { command = { state = "zombie" } } }"#;
    let wait = r#"{ by = "init", call = "wait", pid = "any", then = { command = "gone" } }"#;
    assert!(read("duty.toml", &file(&[INIT, COMMAND, exit])).is_ok(), "`init` does nothing then");
    let Err(refused) = read("duty.toml", &file(&[INIT, COMMAND, exit, wait])) else { panic!("it is accepted") };
    let text = refused.to_string();
    assert!(
        text.contains("goes on") && text.contains("nobody can look in between") && text.contains("duty.toml:5:"),
        "{text}"
    );
    assert!(text.contains("claim it of step 4"), "{text}");
}

#[test]
fn a_duty_is_the_same_on_every_kernel() {
    let text = format!("needs = [\"ns_last_pid\"]\n{}", file(&[INIT, COMMAND]));
    let Err(refused) = read("duty.toml", &text) else { panic!("it is accepted") };
    assert!(refused.to_string().contains("the same on every kernel"), "{refused}");
}

#[test]
fn a_duty_is_no_crowd() {
    let forks: Vec<String> =
        (0..300).map(|number| format!("{{ by = \"command\", call = \"fork\", child = \"c{number}\" }}")).collect();
    let steps: Vec<&str> = [INIT, COMMAND].into_iter().chain(forks.iter().map(String::as_str)).collect();
    let Err(refused) = read("duty.toml", &file(&steps)) else { panic!("it is accepted") };
    assert!(refused.to_string().contains("a duty has at most 200 processes"), "{refused}");
    let long = vec![r#"{ by = "command", call = "getppid", returns = 1 }"#; 2000];
    let steps: Vec<&str> = [INIT, COMMAND].into_iter().chain(long).collect();
    let Err(refused) = read("duty.toml", &file(&steps)) else { panic!("it is accepted") };
    assert!(refused.to_string().contains("too long to be handed over"), "{refused}");
}
