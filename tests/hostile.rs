//! Files that mean harm, and output that does not arrive.
#![forbid(unsafe_code)]

mod tool;

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use pidlab_realkernel::cannot_run;
use rustix::process::{Pid, Signal, kill_process};
use tool::{Folder, GOOD, command, ended, pidlab};

/// What a terminal would act on, or what turns the reading round, in all the ways in which a file can say it.
const HOSTILE: &str = r#"title = "a\u001b[31mRED\u001b[2J\u0007\u009b5m\u202e\u2066\u200f\u200b!"
about = "\u001b]0;pwn\u0007 and \u202e"
steps = [
  { by = "host", call = "fork", child = "a", returns = 99, ask = "why\u001b[2J\u2069\n?" },
]
"#;

/// Everything that must not come out; styles of the program's own are switched off where this is used.
fn is_harmful(c: char) -> bool {
    (c.is_control() && c != '\n') || "\u{200b}\u{200e}\u{200f}\u{202a}\u{202e}\u{2066}\u{2069}".contains(c)
}

#[test]
fn no_word_of_a_file_and_no_name_of_one_acts_on_a_terminal() {
    let folder = Folder::new("hostile-words");
    folder.file("x\u{1b}[2J\u{202e}\n/n\u{1b}[2J\u{202e}\nok.toml", HOSTILE);
    folder.file("x\u{1b}[2J\u{202e}\n/bad\u{1b}[2J\u{202e}\nok.toml", HOSTILE.replace("fork", "fo\u{202e}rk"));
    let path = "x\u{1b}[2J\u{202e}\n/n\u{1b}[2J\u{202e}\nok.toml";
    let mut outputs = Vec::new();
    for format in ["text", "json", "ktap", "junit"] {
        outputs.push(pidlab(&folder.0, &["check", "--on", "model", "--format", format, "."]));
    }
    outputs.push(pidlab(&folder.0, &["check", "--on", "model", "-v", "."]));
    for format in ["text", "json"] {
        outputs.push(pidlab(&folder.0, &["run", "--on", "model", "--format", format, path]));
    }
    outputs.push(pidlab(&folder.0, &["run", "--on", "model", "."]));
    outputs.push(pidlab(&folder.0, &["explain", "x\u{1b}[2J\u{202e}"]));
    outputs.push(pidlab(&folder.0, &["check", "x\u{1b}[2J\u{202e}"]));
    outputs.push(pidlab(&folder.0, &["frobnicate\u{1b}[2J"]));
    for output in outputs {
        let said = output.out + &output.err;
        assert!(!said.is_empty());
        assert!(!said.contains(is_harmful), "{said:?}");
        assert!(!said.lines().any(|line| line.starts_with("ok.toml") || line.starts_with("ok\u{fffd}")), "{said}");
    }
    // Where colours are wanted, only those of this program pass.
    let said = pidlab(&folder.0, &["--color", "always", "run", "--on", "model", path]).out;
    assert!(said.contains('\u{1b}'), "{said:?}");
    assert!(!said.contains("\u{1b}[31mRED") && !said.contains("\u{1b}[2J"), "{said:?}");
}

#[test]
fn json_gives_the_name_of_a_file_as_it_is() {
    let folder = Folder::new("hostile-json");
    folder.file("a/n\u{1b}\u{202e}.toml", GOOD);
    let out = pidlab(&folder.0, &["check", "--on", "model", "--format", "json", "a"]).out;
    let line: serde_json::Value = serde_json::from_str(out.lines().next().expect("a line")).expect("it is JSON");
    assert_eq!(line["scenario"], "a/n\u{1b}\u{202e}");
}

#[test]
fn what_is_no_file_is_not_opened_and_the_others_are_checked() {
    let folder = Folder::new("hostile-kinds");
    folder.file("good.toml", GOOD);
    folder.file("binary.toml", b"title = \"a\"\nabout = \"\xff\"\n");
    folder.file("huge.toml", "#".repeat((1 << 20) + 1));
    let made = Command::new("mkfifo").arg(folder.0.join("fifo.toml")).status().expect("mkfifo is there");
    assert!(made.success());
    std::os::unix::fs::symlink("nowhere", folder.0.join("dangling.toml")).expect("a link can be made");
    std::os::unix::fs::symlink("/dev/zero", folder.0.join("zero.toml")).expect("a link can be made");
    let _socket = std::os::unix::net::UnixListener::bind(folder.0.join("socket.toml")).expect("a socket can be made");
    let checked = pidlab(&folder.0, &["check", "--on", "model", "."]);
    assert_eq!(checked.code, Some(2));
    for message in [
        "./fifo.toml: this is a FIFO",
        "./socket.toml: this is a socket",
        "./zero.toml: this is a device",
        "./dangling.toml: No such file",
        "the file is not UTF-8: byte 22 is 0xff",
        "binary.toml:2:10",
        "larger than 1048576 bytes",
    ] {
        assert!(checked.out.contains(message), "{message}: {}", checked.out);
    }
    assert!(checked.out.contains("agree 1, DIFFERS 0, CLAIM FAILED 0, NOT DECIDED 0, SKIPPED 0, INVALID 6"));
    assert_eq!(pidlab(&folder.0, &["run", "/dev/zero"]).code, Some(2));
    let endless = command(&folder.0, &["check", "--on", "model", "-"])
        .stdin(File::open("/dev/zero").expect("it is there"))
        .output();
    let endless = ended(endless.expect("pidlab ends"));
    assert_eq!(endless.code, Some(2));
    assert!(endless.out.contains("larger than 1048576 bytes"), "{}", endless.out);
}

#[test]
fn a_folder_that_cannot_be_read_is_called_by_its_own_name() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new("hostile-closed");
    folder.file("all/open.toml", GOOD);
    folder.file("all/closed/in.toml", GOOD.replace("returns = 1", "returns = 7"));
    let closed = folder.0.join("all/closed");
    let mode = |mode| fs::set_permissions(&closed, fs::Permissions::from_mode(mode)).expect("it is ours");
    mode(0o000);
    let checked = pidlab(&folder.0, &["check", "--on", "model", "all"]);
    // Root reads it all the same, and then it finds what is in it.
    let readable = fs::read_dir(&closed).is_ok();
    mode(0o700);
    if readable {
        assert!(checked.out.contains("CLAIM FAILED closed/in\n"), "{}", checked.out);
    } else {
        assert!(checked.out.contains("error: all/closed: Permission denied"), "{}", checked.out);
        assert_eq!(checked.code, Some(2));
    }
    assert!(checked.out.contains("agree 1,"), "{}", checked.out);
}

fn full() -> File {
    OpenOptions::new().write(true).open("/dev/full").expect("/dev/full is there")
}

#[test]
fn what_cannot_be_written_ends_with_2() {
    let folder = Folder::new("hostile-full");
    folder.file("bad.toml", "title = 1");
    folder.file("lies.toml", GOOD.replace("returns = 1", "returns = 7"));
    for arguments in [
        &["check", "--on", "model", "orphans"][..],
        &["check", "--on", "model", "--format", "junit", "orphans"],
        &["run", "--on", "model", "orphans/told-in-order"],
        &["rules"],
        &["explain", "reap.ns-is-fathers"],
        &["fuzz", "--on", "model", "--steps", "50", "--seed", "1"],
        &["--help"],
        &["--version"],
    ] {
        let output = command(&folder.0, arguments).stdout(full()).output().expect("pidlab ends");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
    for arguments in [
        &["check", "nosuch"][..],
        &["run", "bad.toml"],
        &["explain", "foo"],
        // It would end with 1 if the message arrived.
        &["run", "--on", "model", "--format", "json", "lies.toml"],
        &["frobnicate"],
        &["check", "bad.toml"],
    ] {
        let output = command(&folder.0, arguments).stderr(full()).output().expect("pidlab ends");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let output = command(&folder.0, arguments).stdout(full()).stderr(full()).output().expect("pidlab ends");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}, both");
    }
}

#[test]
fn a_reader_that_leaves_is_no_agreement() {
    let folder = Folder::new("hostile-pipe");
    for arguments in
        [&["check", "--on", "model", "-v"][..], &["rules"], &["check", "--on", "model", "--format", "ktap"]]
    {
        let mut child =
            command(&folder.0, arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("pidlab starts");
        // Closed before anything is read: every write fails.
        drop(child.stdout.take());
        let mut messages = String::new();
        child.stderr.take().expect("it is a pipe").read_to_string(&mut messages).expect("messages are UTF-8");
        assert_eq!(child.wait().expect("pidlab ends").code(), Some(141), "{arguments:?}");
        assert_eq!(messages, "", "{arguments:?}");
    }
}

#[test]
fn no_thread_is_needed() {
    let folder = Folder::new("hostile-threads");
    let with = |arguments: &[&str], stack: Option<&str>| {
        let mut command = command(&folder.0, arguments);
        // No thread has room for a stack of an exbibyte, so none can be made.
        command.envs(stack.map(|stack| ("RUST_MIN_STACK", stack)));
        ended(command.output().expect("pidlab ends"))
    };
    for arguments in [
        &["check", "--on", "model", "--jobs", "3", "orphans"][..],
        &["check", "--on", "model", "--jobs", "1", "orphans/told-in-order"],
        &["rules", "--coverage", "--on", "model", "--steps", "200", "reap.ns-is-fathers"],
        &["fuzz", "--on", "model", "--steps", "200", "--seed", "3"],
    ] {
        let usual = with(arguments, None);
        let alone = with(arguments, Some("1152921504606846976"));
        assert_eq!(alone.err, "", "{arguments:?}");
        assert_eq!((alone.code, alone.out), (usual.code, usual.out), "{arguments:?}");
    }
}

/// A disk without room, for the cache and for temporary files: what needs it says so, what does not goes on, and no half of a kernel is left.
#[test]
fn a_full_disk_ends_what_needs_it_and_nothing_else() {
    let folder = Folder::new("hostile-disk");
    let disk = folder.0.join("disk");
    fs::create_dir(&disk).expect("the target folder is writable");
    let script = "mount -t tmpfs -o size=64k none disk && { cat /dev/zero > disk/all 2>/dev/null; exec \"$@\"; }";
    let with_it = |arguments: &[&str]| {
        let mut command = Command::new("unshare");
        command.current_dir(&folder.0).args(["--mount", "sh", "-c", script, "sh", env!("CARGO_BIN_EXE_pidlab")]);
        command.args(arguments).env("XDG_CACHE_HOME", &disk).env("TMPDIR", &disk).env_remove("CLICOLOR_FORCE");
        ended(command.output().expect("unshare is there"))
    };
    let here = with_it(&["check", "orphans/told-in-order"]);
    if here.err.contains("unshare: ") || here.err.contains("mount: ") {
        eprintln!("skipped: only root may mount a file system here");
        return;
    }
    assert_eq!(here.code, pidlab(&folder.0, &["check", "orphans/told-in-order"]).code, "{}", here.err);
    let fetched = with_it(&["kernels", "fetch", "uml-6.1"]);
    assert_eq!(fetched.code, Some(4), "{}{}", fetched.out, fetched.err);
    assert!(!disk.join("pidlab/kernels/uml-6.1").exists(), "the disk is the command's own");
    let saved =
        with_it(&["fuzz", "--misconception", "init-dies-from-inside", "--seed", "1", "--save", "disk/found.toml"]);
    if saved.code != Some(4) {
        assert_eq!(saved.code, Some(2), "{}", saved.err);
        assert!(saved.err.contains("No space left on device"), "{}", saved.err);
    }
    let heard = with_it(&["hearsay", "orphans/told-in-order"]);
    assert_eq!(heard.code, Some(4), "{}", heard.out);
    assert!(heard.err.contains("cc"), "{}", heard.err);
    if pidlab_kernels::find("uml").is_ok() {
        // The guest's memory and what it writes are in memory.
        let guest = with_it(&["check", "orphans/told-in-order", "--kernel", "uml"]);
        assert_eq!(guest.code, Some(0), "{}{}", guest.out, guest.err);
    }
}

/// A lab that is lost is no difference, and no silence either: what is left goes on in another one.
#[test]
fn a_lab_that_is_killed_is_told_of() {
    let folder = Folder::new("killed-lab");
    let arguments = ["fuzz", "--steps", "20000", "--seed", "1", "--jobs", "1"];
    let mut program =
        command(&folder.0, &arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("pidlab starts");
    let mut out = BufReader::new(program.stdout.take().expect("it is piped"));
    let mut said = String::new();
    // The first line comes when the lab is there, or none does.
    out.read_line(&mut said).expect("it is UTF-8");
    let tasks = fs::read_dir(format!("/proc/{}/task", program.id())).expect("it is our child").flatten();
    let helpers: String = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok()).collect();
    for helper in helpers.split_whitespace() {
        let helper = Pid::from_raw(helper.parse().expect("it is a number")).expect("it is not 0");
        // Its own end may have been faster.
        let _ = kill_process(helper, Signal::KILL);
    }
    out.read_to_string(&mut said).expect("it is UTF-8");
    let ended = ended(program.wait_with_output().expect("it ends"));
    let told = format!("{said}{}", ended.err);
    assert_eq!(ended.code, Some(4), "{told}");
    assert!(told.contains("remedy: ") && !told.contains("differences 1"), "{told}");
}

/// A process that dies while it is to be told of messages, with a queue that others hold as well, is never forgotten by Linux, nor are its namespaces: the runner
/// takes the registration back. Who has made too many namespaces can make none until some are gone, which they are some time after their processes.
#[test]
fn no_namespace_stays_behind_a_scenario() {
    let folder = Folder::new("hostile-behind");
    for copy in 0..50 {
        let text = r#"title = "Told of no message"
steps = [
  { by = "host", call = "clone", child = "init", flags = ["CLONE_NEWPID"] },
  { by = "init", call = "mq_notify", signal = "SIGUSR1" },
  { by = "host", call = "kill", pid = "init", signal = "SIGKILL" },
  { by = "host", call = "wait", pid = "init" },
]
"#;
        folder.file(&format!("all/{copy}.toml"), text);
    }
    let script = r#""$@" && echo 30 > /proc/sys/user/max_pid_namespaces || exit
        for try in $(seq 300); do unshare --pid --fork true 2>/dev/null && exit 0; sleep 0.1; done; echo "none of them has gone"; exit 9"#;
    let mut command = Command::new("unshare");
    command.current_dir(&folder.0).args(["--user", "--map-root-user", "sh", "-c", script, "sh"]);
    command.args([env!("CARGO_BIN_EXE_pidlab"), "check", "all"]).env_remove("CLICOLOR_FORCE");
    let output = ended(command.output().expect("unshare is there"));
    if output.err.contains("unshare: ") || output.code == Some(4) {
        return cannot_run(format!("no user namespace can be made here, or no scenario runs in one: {}", output.err));
    }
    assert_eq!(output.code, Some(0), "{}{}", output.out, output.err);
}

/// An init that ends with its memory closed tells only the machine's root where it sleeps: elsewhere its scenario is skipped, and what is lacking is named.
#[test]
fn an_exiting_init_that_nobody_here_may_look_at_is_something_the_place_lacks() {
    let folder = Folder::new("hostile-closed-init");
    let text = r#"title = "An init of another user waits for its namespace"
steps = [
  { by = "host", call = "clone",  child = "init", flags = ["CLONE_NEWPID"] },
  { by = "host", call = "setns",  to = "init" },
  { by = "host", call = "fork",   child = "guest" },
  { by = "init", call = "setuid", uid = 1000 },
  { by = "init", call = "exit" },
  { by = "host", call = "wait", pid = "guest" },
]
"#;
    folder.file("closed.toml", text);
    // Two users in a user namespace: who is in it cannot write that, so it is written from outside.
    let script = r#"mkfifo made held && exec 3<>made 4<>held || exit 99
        setpriv --reuid 20021 --regid 20021 --clear-groups unshare --user sh -c 'echo >&3; exec cat <&4' &
        read -r _ <&3
        echo 0 0 100000 >/proc/$!/uid_map && echo 0 0 100000 >/proc/$!/gid_map || exit 99
        nsenter --user=/proc/$!/ns/user "$@"; code=$?
        kill $!; exit $code"#;
    let mut command = Command::new("sh");
    command.current_dir(&folder.0).args([
        "-c",
        script,
        "sh",
        env!("CARGO_BIN_EXE_pidlab"),
        "check",
        "--look",
        "procfs",
    ]);
    let output = ended(command.arg("closed.toml").env_remove("CLICOLOR_FORCE").output().expect("sh is there"));
    if output.code == Some(99) {
        return cannot_run(format!("no user namespace with two users can be made here: {}", output.err));
    }
    // Kernels without the fact `closed-after-death` tell everybody.
    let told = output.out.contains("SKIPPED") && output.out.contains("CAP_SYS_PTRACE over the machine");
    assert!(told || output.code == Some(0), "{:?}\n{}{}", output.code, output.out, output.err);
}
