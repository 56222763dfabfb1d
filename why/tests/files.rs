//! From files to data: a folder with the files of a procfs, as Linux writes them, says what no procfs of this machine need say.
#![forbid(unsafe_code)]

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use pidlab_why::{Belongs, Condition, How, Process, Procfs, Snapshot, explain_process};
use rustix::fs::OFlags;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

/// A folder that is a procfs for whoever looks no closer.
struct Files(PathBuf);

impl Files {
    fn new(name: &str) -> Files {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("why-files-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        let files = Files(path);
        files.write("uptime", "1.00 1.00\n");
        files
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().expect("it is in the folder")).expect("a folder can be made");
        fs::write(path, text).expect("it can be written");
    }

    /// What is said of a process: state, parent, tracer, threads, PIDs, and lines that stand behind them.
    fn process(&self, pid: u32, state: char, (parent, tracer): (u32, u32), threads: u32, numbers: &str, more: &str) {
        self.write(&format!("{pid}/status"), &status(pid, (parent, tracer), numbers, more));
        self.write(&format!("{pid}/stat"), &stat(pid, state, parent, threads));
    }

    fn read(&self) -> Snapshot {
        Procfs::at(&self.0).read().expect("it is a procfs")
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn status(pid: u32, (parent, tracer): (u32, u32), numbers: &str, more: &str) -> String {
    format!(
        "Name:\tp{pid}\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t{pid}\nNgid:\t0\nPid:\t{pid}\nPPid:\t{parent}\n\
         TracerPid:\t{tracer}\nUid:\t0\t0\t0\t0\nNStgid:\t{numbers}\nNSpid:\t{numbers}\nNSpgid:\t{numbers}\n{more}\
         SigIgn:\t0000000000000000\n"
    )
}

fn stat(pid: u32, state: char, parent: u32, threads: u32) -> String {
    format!(
        "{pid} (p{pid}) {state} {parent} {pid} {pid} 0 -1 0 0 0 0 0 0 0 0 0 20 0 {threads} 0 4711 0 0 0 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0\n"
    )
}

fn of(snapshot: &Snapshot, pid: u32) -> &Process {
    snapshot.processes.iter().find(|process| process.pid == pid).expect("it is read")
}

#[test]
fn signals_and_sessions_are_those_of_the_right_line() {
    let files = Files::new("signals");
    let masks = |pending: &str, ignored: &str| {
        format!(
            "NSsid:\t9\t0\nThreads:\t1\nSigQ:\t0/1\nSigPnd:\t0000000000000000\nShdPnd:\t{pending}\nSigBlk:\t0000000000010100\nSigIgn:\t{ignored}\nSigCgt:\t0000000000010100\n"
        )
    };
    // 9 is bit 8, and 17 is bit 16; what is blocked or caught is neither pending nor ignored.
    files.process(12, 'S', (1, 0), 1, "12\t2", &masks("0000000000000100", "0000000000000000"));
    files.process(13, 'S', (1, 0), 1, "13\t3", &masks("0000000000000000", "0000000000010000"));
    let snapshot = files.read();
    let said = |pid: u32| (of(&snapshot, pid).killed, of(&snapshot, pid).ignores_sigchld, of(&snapshot, pid).session);
    assert_eq!((said(12), said(13)), ((true, false, 9), (false, true, 9)));
}

#[test]
fn who_goes_meanwhile_is_not_who_may_not_be_read() {
    let files = Files::new("gone");
    files.process(1, 'S', (0, 0), 1, "1", "");
    files.process(12, 'S', (1, 0), 1, "12\t2", "");
    fs::create_dir(files.0.join("13")).expect("a folder can be made");
    let gone = files.read();
    assert_eq!((gone.processes.len(), gone.view.unreadable), (2, 0));
    // One without links says nothing of its namespace; where there is but one PID there is nothing to know.
    assert_eq!(gone.view.without_namespace, 1);
    // A file that does not let itself be read.
    fs::create_dir_all(files.0.join("14/status")).expect("a folder can be made");
    assert_eq!(files.read().view.unreadable, 1);
}

#[test]
fn a_procfs_says_whose_it_is_and_what_it_hides() {
    let whose = |name: &str, numbers: Option<&str>, mounts: Option<String>| {
        let files = Files::new(name);
        if let Some(numbers) = numbers {
            files.write("self/status", &status(12, (1, 0), numbers, ""));
        }
        if let Some(options) = mounts {
            files.write("self/mountinfo", &format!("23 28 0:20 / {} rw - proc proc {options}\n", files.0.display()));
        }
        let view = files.read().view;
        (view.procfs, view.hidepid)
    };
    assert_eq!(whose("own", Some("12"), Some("rw".to_owned())), (Belongs::Own, None));
    let ancestor = whose("ancestor", Some("12\t2"), Some("rw,hidepid=invisible".to_owned()));
    assert_eq!(ancestor, (Belongs::Ancestor, Some("invisible".to_owned())));
    assert_eq!(whose("elsewhere", None, None).0, Belongs::Elsewhere);
}

#[test]
fn more_is_read_of_whom_it_matters() {
    let files = Files::new("more");
    files.process(1, 'S', (0, 0), 1, "1", "");
    files.process(10, 'S', (1, 0), 1, "10", "");
    // A tracer is a thread, 21 of 20; its process is meant.
    files.process(20, 'S', (1, 0), 2, "20", "");
    files.write("21/status", &status(21, (1, 0), "21", "").replace("Tgid:\t21", "Tgid:\t20"));
    files.process(12, 'Z', (10, 21), 2, "12", "");
    files.write("12/wchan", "0");
    files.write("12/task/12/stat", &stat(12, 'Z', 10, 2));
    files.write("12/task/13/stat", &stat(13, 'D', 10, 2));
    files.write("12/task/13/wchan", "nfs_wait");
    files.write("10/wchan", "do_wait");
    let snapshot = files.read();
    let dead = of(&snapshot, 12);
    assert_eq!(dead.tracer, 20);
    let detail = dead.detail.as_ref().expect("a zombie is looked at");
    // 0 is no place: it does not sleep, or it may not be known.
    assert_eq!((detail.wchan.as_deref(), detail.tasks.len()), (None, 2));
    assert_eq!(detail.tasks[1].wchan.as_deref(), Some("nfs_wait"));
    assert_eq!(of(&snapshot, 10).wchan(), Some("do_wait"), "and so is its parent");
    assert!(of(&snapshot, 20).detail.is_some() && of(&snapshot, 1).detail.is_none(), "and its tracer, and nobody else");
}

#[test]
fn who_is_asked_for_is_looked_at() {
    // Frozen as it sleeps: nothing but its place in the kernel says so.
    let files = Files::new("asked");
    files.process(12, 'S', (1, 0), 1, "12", "");
    files.write("12/wchan", "do_freezer_trap");
    let report = Procfs::at(&files.0).look(Some(12), Duration::ZERO).expect("it is a procfs").expect("it is there");
    assert_eq!(report.findings[0].condition, Condition::Held);
    assert_eq!(report.findings[0].holders[0].how, How::Frozen);
}

#[test]
fn another_zombie_with_the_same_pid_is_not_stuck() {
    // Both files are pipes: a look comes on when it is told something.
    let files = Files::new("again");
    files.process(12, 'Z', (0, 0), 1, "12", "");
    for name in ["uptime", "12/stat"] {
        let path = files.0.join(name);
        fs::remove_file(&path).expect("it is there");
        let made = Command::new("mkfifo").arg(&path).status().expect("mkfifo is installed");
        assert!(made.success());
    }
    // Comes when somebody reads, or when nobody will.
    let tell = |name: &str, text: &str, is_over: &dyn Fn() -> bool| {
        let flags = i32::try_from(OFlags::NONBLOCK.bits()).expect("a flag is small");
        while !is_over() {
            if let Ok(mut pipe) = fs::OpenOptions::new().write(true).custom_flags(flags).open(files.0.join(name)) {
                return pipe.write_all(text.as_bytes()).expect("somebody reads");
            }
            std::thread::yield_now();
        }
    };
    let look = |stats: [String; 2]| {
        std::thread::scope(|scope| {
            let look = scope.spawn(|| Procfs::at(&files.0).look(Some(12), Duration::ZERO));
            for stat in stats {
                tell("uptime", "1.00 1.00\n", &|| look.is_finished());
                tell("12/stat", &stat, &|| look.is_finished());
            }
            look.join().expect("it does not panic").expect("it is a procfs").expect("it is there")
        })
    };
    let zombie = || stat(12, 'Z', 0, 1);
    assert!(look([zombie(), zombie()]).is_stuck());
    assert!(!look([zombie(), zombie().replace(" 4711 ", " 4712 ")]).is_stuck(), "born later, it is another");
}

#[test]
fn a_shell_that_waits_is_seen_in_its_call() {
    let mut shell =
        Command::new("sh").args(["-c", "sleep 1000; :"]).stdin(Stdio::null()).spawn().expect("there is a shell");
    let parent = shell.id();
    let child = loop {
        let snapshot = Procfs::default().read().expect("there is a procfs");
        let mut children = snapshot.processes.iter().filter(|it| it.parent == parent && it.name == "sleep");
        if let Some(child) = children.next() {
            break child.pid;
        }
        std::thread::yield_now();
    };
    let pid = |pid: u32| Pid::from_raw(i32::try_from(pid).expect("a PID is small")).expect("it is not 0");
    kill_process(pid(child), Signal::STOP).expect("it is there");
    // A stopped child is odd enough that its parent is looked at.
    let calls = loop {
        let snapshot = Procfs::default().read().expect("there is a procfs");
        let shell = of(&snapshot, parent);
        match shell.detail.as_ref().and_then(|detail| detail.call.clone()) {
            Some(call) if of(&snapshot, child).state == 'T' => break call,
            _ => std::thread::yield_now(),
        }
    };
    let snapshot = Procfs::default().read().expect("there is a procfs");
    let report = explain_process(&snapshot, child).expect("it is there");
    kill_process(pid(child), Signal::KILL).expect("it is there");
    waitid(WaitId::Pid(pid(parent)), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT).expect("it is our child");
    shell.wait().expect("it is our child");
    assert!(["wait4", "waitid"].contains(&calls.name.as_str()), "{calls:?}");
    assert!(!report.is_stuck() && report.findings[0].condition == Condition::Held, "{report:?}");
}
