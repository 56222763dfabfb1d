//! Real programs and real files.
#![forbid(unsafe_code)]

mod running;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use pidlab_realkernel::skip;
use pidlab_why::{Belongs, Condition, Doing, Finding, Help, How, Procfs, explain_process, text};
use running::{Running, can_unshare};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

/// Nothing takes as long that comes to an end.
const LONGEST: Duration = Duration::from_secs(60);

fn number(pid: u32) -> Pid {
    Pid::from_raw(i32::try_from(pid).expect("a PID is small")).expect("it is not 0")
}

/// The child of a process that has no other.
fn child_of(parent: u32) -> u32 {
    let snapshot = Procfs::default().read().expect("there is a procfs");
    let mut children = snapshot.processes.iter().filter(|process| process.parent == parent);
    children.next().map(|process| process.pid).expect("it has a child")
}

/// What is found of a process once it is so.
fn until(pid: u32, is_so: impl Fn(&Finding) -> bool) -> Finding {
    let started = Instant::now();
    loop {
        let snapshot = Procfs::default().read().expect("there is a procfs");
        let report = explain_process(&snapshot, pid).expect("it is there");
        match report.findings.into_iter().next() {
            Some(finding) if is_so(&finding) => return finding,
            finding => assert!(started.elapsed() < LONGEST, "{finding:?}"),
        }
        std::thread::yield_now();
    }
}

/// Before that somebody may be seen that is on its way out, in state D, say: a single look does not tell that from one who stays.
fn is_held_by_a_zombie(finding: &Finding) -> bool {
    let zombie = finding.holders.iter().any(|holder| holder.how == How::Unreaped);
    finding.condition == Condition::Emptying && finding.stuck && zombie
}

#[test]
fn a_stopped_nsenter_holds_up_an_unshare_until_it_goes_on() {
    if !can_unshare() {
        return;
    }
    let mut outside =
        Running::start("unshare", &["--pid", "--fork", "--kill-child", "sh", "-c", "echo up; exec sleep 1000"]);
    let init = child_of(outside.pid());
    let target = init.to_string();
    let mut enter = Running::start("nsenter", &["--target", &target, "--pid", "sh", "-c", "echo up; exec sleep 1000"]);
    let guest = child_of(enter.pid());
    kill_process(number(enter.pid()), Signal::STOP).expect("it is our child");
    let stopped = waitpid(Some(number(enter.pid())), WaitOptions::UNTRACED).expect("it is our child");
    assert!(stopped.is_some_and(|(_, status)| status.stopped()));
    kill_process(number(init), Signal::KILL).expect("it is there");

    let finding = until(init, is_held_by_a_zombie);
    let [holder] = &finding.holders[..] else { panic!("{finding:?}") };
    assert!(holder.who.pid == guest && holder.how == How::Unreaped && holder.certain, "{holder:?}");
    let by = holder.by.as_ref().expect("its parent is seen");
    assert!(by.who.as_ref().is_some_and(|who| who.pid == enter.pid()) && by.does == Doing::Stopped, "{by:?}");
    let [Help::Continue { who }, Help::Wait { by: Some(waits), .. }, ..] = &holder.helps[..] else {
        panic!("{holder:?}")
    };
    assert_eq!((who.pid, waits.pid), (enter.pid(), enter.pid()));

    // It is done as it was said, and that was all.
    kill_process(number(who.pid), Signal::CONT).expect("it is our child");
    enter.0.wait().expect("it is our child");
    outside.0.wait().expect("it is our child");
    assert_eq!(Procfs::default().look(Some(init), Duration::ZERO).expect("there is a procfs"), None);
}

/// A folder of a test's own, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("the target folder is writable");
        Folder(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder left behind in the target directory hurts nobody.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A container's files: a program that sleeps, and what it needs.
const BUNDLE: &str = r#"
    set -e
    mkdir -p rootfs/bin rootfs/proc rootfs/dev rootfs/sys
    cp "$(command -v sleep)" rootfs/bin/
    for library in $(ldd rootfs/bin/sleep | grep -o '/[^ ]*\.so[^ ]*'); do
        mkdir -p "rootfs$(dirname "$library")"
        cp "$library" "rootfs$library"
    done
    runc spec
    sed -i 's/"terminal": true/"terminal": false/; s/"sh"/"sleep", "1000"/' config.json
"#;

/// A container, removed at the end, whatever becomes of the test.
struct Container<'a>(&'a Path, &'a str);

impl Drop for Container<'_> {
    fn drop(&mut self) {
        // It may be gone.
        let _ = runc(self.0, &["delete", "--force", self.1]).status();
    }
}

fn runc(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("runc");
    command.current_dir(folder).arg("--root").arg(folder.join("state")).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

#[test]
fn an_exec_that_nobody_has_waited_for_holds_up_a_container_of_runc() {
    let folder = Folder::new("bundle");
    let id = format!("pidlab-why-{}", std::process::id());
    let bundle = Command::new("sh").args(["-c", BUNDLE]).current_dir(&folder.0).stderr(Stdio::null()).status();
    let runs = |arguments: &[&str]| runc(&folder.0, arguments).status().is_ok_and(|status| status.success());
    if !bundle.is_ok_and(|status| status.success()) || !runs(&["run", "--detach", &id]) {
        return skip("runc is not installed, or makes no container here");
    }
    let _container = Container(&folder.0, &id);
    let state = std::fs::read(folder.0.join("state").join(&id).join("state.json")).expect("runc keeps its state");
    let state: serde_json::Value = serde_json::from_slice(&state).expect("it is JSON");
    let init = u32::try_from(state["init_process_pid"].as_u64().expect("there is an init")).expect("a PID is small");

    let mut exec = Running(runc(&folder.0, &["exec", &id, "sleep", "1000"]).spawn().expect("it is installed"));
    // Inside is the init, and then a child of the program that waits for it outside.
    let guest = started(|| {
        let snapshot = Procfs::default().read().expect("there is a procfs");
        let inside = snapshot.processes.iter().find(|process| process.pid == init).and_then(|init| init.namespace);
        let is_it = |process: &&pidlab_why::Process| {
            process.parent == exec.pid() && process.namespace == inside && process.name == "sleep"
        };
        snapshot.processes.iter().find(is_it).map(|process| process.pid)
    });
    kill_process(number(exec.pid()), Signal::STOP).expect("it is our child");
    kill_process(number(init), Signal::KILL).expect("it is there");
    let finding = until(init, is_held_by_a_zombie);
    let holder = finding.holders.iter().find(|holder| holder.who.pid == guest).expect("the guest is in the way");
    assert!(holder.how == How::Unreaped, "{holder:?}");
    let [Help::Continue { who }, Help::Wait { .. }, ..] = &holder.helps[..] else { panic!("{holder:?}") };
    kill_process(number(who.pid), Signal::CONT).expect("it is our child");
    exec.0.wait().expect("it is our child");
    started(|| {
        let snapshot = Procfs::default().read().expect("there is a procfs");
        let report = explain_process(&snapshot, init);
        report.is_none_or(|report| report.findings[0].condition != Condition::Emptying).then_some(())
    });
}

/// What comes once something has started.
fn started<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < LONGEST, "it does not come");
        std::thread::yield_now();
    }
}

#[test]
fn a_name_that_is_no_text_hides_nobody() {
    let folder = Folder::new("odd");
    let odd = folder.0.join(OsStr::from_bytes(b"\xff) Z\n\x1b[2J"));
    // A program is called after its file, also by a link. A copy could be busy: a process that another test has just forked has it open.
    let sleep =
        ["/bin/sleep", "/usr/bin/sleep"].into_iter().find(|path| Path::new(path).exists()).expect("there is a sleep");
    symlink(sleep, &odd).expect("a link can be made");
    let child = Running(Command::new(&odd).arg0("sleep").arg("1000").spawn().expect("it is a program"));
    // It has its name before its pages are read, and for that it may wait in state D.
    let snapshot = started(|| {
        let snapshot = Procfs::default().read().expect("there is a procfs");
        let named = snapshot.processes.iter().find(|it| it.pid == child.pid() && it.name == "\u{fffd}) Z\n\u{1b}[2J");
        named.is_some_and(|it| it.state != 'D').then_some(snapshot)
    });
    let report = explain_process(&snapshot, child.pid()).expect("it is there");
    assert!(!report.is_stuck(), "{report:?}");
    let told = text(&report, 80);
    assert!(told.contains(&child.pid().to_string()) && !told.contains('\u{1b}'), "{told}");
}

#[test]
fn whose_procfs_it_is_is_told() {
    let own = Procfs::default().read().expect("there is a procfs");
    assert!(own.processes.iter().any(|process| process.pid == std::process::id()));
    assert!(Procfs::at(env!("CARGO_TARGET_TMPDIR")).read().is_err(), "a folder that is no procfs is no empty machine");
    if !can_unshare() || own.view.procfs != Belongs::Own {
        return;
    }
    let outside =
        Running::start("unshare", &["--pid", "--kill-child", "--mount-proc", "sh", "-c", "echo up; exec sleep 1000"]);
    let init = child_of(outside.pid());
    let inside = Procfs::at(format!("/proc/{init}/root/proc")).read().expect("it is a procfs");
    assert_eq!((inside.view.procfs, inside.processes.len()), (Belongs::Elsewhere, 1));
    assert_eq!(inside.processes[0].numbers, [1]);
}
