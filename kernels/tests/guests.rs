//! Guests that do not do as they should: each comes to a clear end within its bound, and leaves nothing.
//!
//! The kernels are plays: a copy of this test, which the host takes for a user-mode Linux, with the name of its part behind it. The last
//! test boots a real one, where there is one, with this test as its `/init`.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use pidlab_kernels::{Bounds, Ending, Event, Kernel, Order, Past};
use pidlab_realkernel::{Lab, LabOptions};
use pidlab_scenario::{Machine, Scenario};

/// What stands before the name of a part.
const MARK: &str = "the part of ";

fn main() -> ExitCode {
    if pidlab_kernels::guest::is_init() {
        pidlab_kernels::guest::init();
    }
    if let Some(code) = pidlab_kernels::enter_if_warden() {
        return code;
    }
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some(first) if first.starts_with("mem=") => play(&arguments),
        Some("--drive") => return drive(Path::new(&arguments[2])),
        Some("--in-guest") => return in_guest(),
        Some("--killed") => return killed_in_guest(),
        Some("--changes") => {
            fs::write("/proc/sys/kernel/pid_max", "4242").expect("root may, in a guest");
            return ExitCode::SUCCESS;
        }
        Some("--endless") => endless(),
        _ => {}
    }
    let part = |part: Part| Trial::test(format!("plays::{}", part.name), move || plays(&part));
    let mut trials: Vec<Trial> = PARTS.into_iter().map(part).collect();
    trials.push(Trial::test("nothing_is_left_when_the_program_is_killed", nothing_is_left));
    trials.push(Trial::test("what_is_no_kernel_is_refused", what_is_no_kernel_is_refused));
    let real = pidlab_kernels::find("uml");
    let lacks = real.is_err();
    if lacks {
        assert!(!pidlab_realkernel::must_not_skip(), "no linux.uml, and nothing may be skipped");
        eprintln!("a real guest is not booted: there is no linux.uml (package user-mode-linux)");
    }
    let kernel = real.clone();
    trials.push(Trial::test("a_real_guest_runs_this_program", move || a_real_guest(&kernel?)).with_ignored_flag(lacks));
    let kernel = real.clone();
    let killed = move || a_killed_run_changes_nothing(&kernel?);
    trials.push(Trial::test("a_killed_run_changes_nothing", killed).with_ignored_flag(lacks));
    let changed = move || a_guest_that_was_changed_is_no_good_end(&real?);
    trials.push(Trial::test("a_guest_that_was_changed_is_no_good_end", changed).with_ignored_flag(lacks));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// A kernel that does something, and what has to be made of it.
#[derive(Clone, Copy)]
struct Part {
    name: &'static str,
    /// A piece of what is told; nothing if it is a good end.
    told: Option<&'static str>,
}

const PARTS: [Part; 9] = [
    Part { name: "good", told: None },
    Part { name: "silent from the start", told: Some("did not come up within 1 s") },
    Part { name: "gone at once", told: Some("ended before it said so") },
    Part { name: "gone after it booted", told: Some("ended before it said so") },
    Part { name: "half a line", told: Some("ended before it said so") },
    Part { name: "silent after it booted", told: Some("not even that it is alive, within 1 s") },
    Part { name: "alive for ever", told: Some("was not done within 3 s") },
    Part { name: "never off", told: Some("did not power off within 1 s") },
    Part { name: "changed", told: Some("is not as it was: pid_max") },
];

/// The bounds for a part: the one that it has to run into is short, and the others are as ever, however busy the machine is.
fn bounds(part: &str) -> Bounds {
    let mut bounds = Bounds::default();
    match part {
        "silent from the start" => bounds.boot = Duration::from_secs(1),
        "silent after it booted" => bounds.silence = Duration::from_secs(1),
        "alive for ever" => bounds.whole = Duration::from_secs(3),
        "never off" => bounds.power_off = Duration::from_secs(1),
        _ => {}
    }
    bounds
}

/// The kernel's side of a part.
#[expect(clippy::disallowed_methods, reason = "it shows life for ever, and nothing is known by its pauses")]
fn play(arguments: &[String]) -> ! {
    let itself = fs::read("/proc/self/exe").expect("it can be read");
    let at = itself.windows(MARK.len()).rposition(|window| window == MARK.as_bytes()).expect("it is marked");
    let part = String::from_utf8_lossy(&itself[at + MARK.len()..]).into_owned();
    let line = arguments.iter().find_map(|argument| argument.strip_prefix("ssl0=null,fd:")).expect("there is a line");
    let mut line = OpenOptions::new().write(true).open(format!("/proc/self/fd/{line}")).expect("it is open");
    let mut say = |text: &str| line.write_all(text.as_bytes()).expect("somebody reads");
    println!("this is the console");
    let for_ever = || -> ! {
        loop {
            std::thread::park();
        }
    };
    match part.as_str() {
        "silent from the start" => for_ever(),
        "gone at once" => std::process::exit(0),
        _ => say("@boot {\"release\":\"0.0\"}\n"),
    }
    match part.as_str() {
        "good" => say("{\"out\":\"well\"}\n@alive\n@end {\"status\":1,\"changed\":null}\n"),
        "half a line" => say("{\"out\":\"well\"}\n@end {\"status\":0,\"cha"),
        "silent after it booted" => for_ever(),
        "alive for ever" => loop {
            say("@alive\n");
            std::thread::sleep(Duration::from_millis(100));
        },
        "never off" => {
            say("@end {\"status\":0,\"changed\":null}\n");
            for_ever()
        }
        "changed" => say("@end {\"status\":0,\"changed\":\"pid_max\"}\n"),
        "parent of another session" => {
            // As user-mode Linux does: its processes are of sessions of their own, and do not end with it.
            let mut child = Command::new("/proc/self/exe");
            child.arg("mem=child").arg("ssl0=null,fd:2").process_group(0);
            drop(child.spawn().expect("it starts"));
            for_ever()
        }
        _ => {}
    }
    std::process::exit(0)
}

/// A kernel that plays a part, in a folder that goes with it.
fn actor(part: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("there is room");
    let path = folder.path().join("kernel");
    let mut program = fs::read("/proc/self/exe").expect("it can be read");
    program.extend(MARK.as_bytes());
    program.extend(part.as_bytes());
    fs::write(&path, program).expect("there is room");
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o700)).expect("it is ours");
    (folder, path)
}

fn boot(path: &Path, bounds: Bounds) -> Result<(Past, Vec<Event>), Failed> {
    let kernel = Kernel::of_file(path)?;
    let mut said = Vec::new();
    let past = pidlab_kernels::run(&kernel, Order::default(), None, &[], bounds, |event| said.push(event))?;
    Ok((past, said))
}

fn plays(part: &Part) -> Result<(), Failed> {
    let (_folder, path) = actor(part.name);
    let (past, said) = boot(&path, bounds(part.name))?;
    match (&past.ending, part.told) {
        (Ending::Unavailable(why, _), _) => return Err(format!("it cannot run here: {why}").into()),
        (Ending::Ended(1), None) => {
            assert_eq!(said, [Event::Out("well".to_owned())]);
            assert_eq!(past.release.as_deref(), Some("0.0"));
        }
        (Ending::Cut(why, console), Some(told)) => {
            assert!(why.contains(told), "{why}");
            assert!(console.iter().any(|line| line == "this is the console"), "{console:?}");
        }
        (other, _) => return Err(format!("it is taken for {other:?}").into()),
    }
    assert_eq!(running(&path), Vec::<String>::new(), "nothing is left");
    Ok(())
}

/// The processes that run this program.
fn running(path: &Path) -> Vec<String> {
    let processes = fs::read_dir("/proc").expect("there is a procfs").flatten();
    let runs = |entry: &fs::DirEntry| fs::read_link(entry.path().join("exe")).is_ok_and(|program| program == path);
    processes.filter(runs).map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// Boots a kernel, and says when it is there.
fn drive(path: &Path) -> ExitCode {
    let kernel = Kernel::of_file(path).expect("it is one");
    let bounds = Bounds { boot: Duration::from_secs(600), silence: Duration::from_secs(600), ..Bounds::default() };
    let past = pidlab_kernels::run(&kernel, Order::default(), None, &[], bounds, |_| {});
    eprintln!("{past:?}");
    ExitCode::FAILURE
}

fn nothing_is_left() -> Result<(), Failed> {
    let (_folder, path) = actor("parent of another session");
    let mut driver = Command::new("/proc/self/exe").arg("--drive").arg(&path).stderr(Stdio::piped()).spawn()?;
    let errors = BufReader::new(driver.stderr.take().ok_or("there is a pipe")?);
    // Both of them run.
    while running(&path).len() < 2 {
        if let Some(ended) = driver.try_wait()? {
            let said: Vec<String> = errors.lines().map_while(Result::ok).collect();
            return Err(format!("{ended}: {}", said.join("\n")).into());
        }
        std::thread::yield_now();
    }
    driver.kill()?;
    driver.wait()?;
    // If anything is left, this never ends.
    while !running(&path).is_empty() {
        std::thread::yield_now();
    }
    Ok(())
}

fn what_is_no_kernel_is_refused() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("image");
    for bytes in [&b""[..], b"MZ", &[0; 4096], b"\x7fELF\x02\x01\x01"] {
        fs::write(&path, bytes)?;
        assert!(Kernel::of_file(&path).is_err(), "{bytes:?}");
    }
    // It says that it is an image, and is none: nothing that is started with it ever says that it has booted.
    let mut corrupt = vec![0xf4; 1 << 16];
    corrupt[0x202..0x206].copy_from_slice(b"HdrS");
    fs::write(&path, corrupt)?;
    let (past, said) = boot(&path, bounds("silent from the start"))?;
    assert!(said.is_empty() && past.boot.is_none());
    match past.ending {
        Ending::Cut(..) => Ok(()),
        other => Err(format!("it is taken for {other:?}").into()),
    }
}

/// What this program does in a real guest.
fn in_guest() -> ExitCode {
    println!("in {}", std::env::current_dir().expect("there is one").display());
    eprintln!("{}", std::io::read_to_string(std::io::stdin()).expect("it is text"));
    let given = fs::read_to_string("given").expect("it was given");
    let mut written = File::create("/left/here").expect("the folder was made");
    write!(written, "{given}, and back").expect("there is room");
    ExitCode::from(7)
}

fn a_real_guest(kernel: &Kernel) -> Result<(), Failed> {
    let order = Order {
        arguments: vec!["--in-guest".to_owned()],
        folder: PathBuf::from("/some/where"),
        bring: vec![PathBuf::from("/left/here")],
        ..Order::default()
    };
    let files = [(PathBuf::from("/some/where/given"), b"there".to_vec())];
    let mut said = Vec::new();
    let input = Some(&b"what was asked"[..]);
    let past = pidlab_kernels::run(kernel, order, input, &files, Bounds::default(), |event| said.push(event))?;
    assert_eq!(past.ending, Ending::Ended(7));
    assert!(said.contains(&Event::Out("in /some/where".to_owned())), "{said:?}");
    assert!(said.contains(&Event::Err("what was asked".to_owned())), "{said:?}");
    assert_eq!(said.last(), Some(&Event::File(PathBuf::from("/left/here"), "there, and back".to_owned())));
    Ok(())
}

/// A scenario that writes what is the machine's own before Linux 6.14, as root, and one with a few processes that are there when it is killed.
const DEAR: [&str; 2] = [
    r#"title = "Two levels"
steps = [
  { by = "host", call = "clone", child = "init", flags = ["CLONE_NEWPID"] },
  { by = "init", call = "fork", child = "a" },
  { by = "init", call = "clone", child = "inner", flags = ["CLONE_NEWPID"] },
  { by = "init", call = "exit", status = 0 },
]"#,
    r#"title = "A limit"
steps = [
  { by = "host", call = "clone", child = "init", flags = ["CLONE_NEWPID"] },
  { by = "init", call = "sysctl", name = "pid_max", write = 301 },
]"#,
];

/// Runs scenarios until it is killed, and says so after each two.
fn endless() -> ! {
    let parse = |text| Scenario::parse("guest/dear", "dear.toml", text).expect("it is a scenario");
    let scenarios = DEAR.map(parse);
    let mut lab = Lab::open(LabOptions::default()).expect("a guest is a place for a lab");
    loop {
        for scenario in &scenarios {
            lab.run(scenario).expect("the run comes to its end");
        }
        println!("run");
    }
}

/// In a real guest: such a program is killed again and again, and `pid_max` is what it was once everything of it has ended.
fn killed_in_guest() -> ExitCode {
    let itself = fs::read_link("/proc/self/exe").expect("there is a procfs");
    let pid_max = || fs::read_to_string("/proc/sys/kernel/pid_max").expect("there is a limit");
    let (before, those) = (pid_max(), running(&itself).len());
    for runs in 0..6 {
        let mut program =
            Command::new(&itself).arg("--endless").stdout(Stdio::piped()).spawn().expect("it can be started again");
        let mut said = BufReader::new(program.stdout.take().expect("it is piped")).lines().map_while(Result::ok);
        assert_eq!(said.by_ref().take(runs).count(), runs);
        // However far it has come: the first time before it has done anything.
        program.kill().expect("it is our child");
        program.wait().expect("it is our child");
        // If anything is left, this never ends.
        while running(&itself).len() > those {
            std::thread::yield_now();
        }
        if pid_max() != before {
            return ExitCode::FAILURE;
        }
    }
    ExitCode::from(9)
}

fn a_killed_run_changes_nothing(kernel: &Kernel) -> Result<(), Failed> {
    let arguments = vec!["--killed".to_owned()];
    let order = Order { arguments, folder: PathBuf::from("/"), ..Order::default() };
    let mut said = Vec::new();
    let past = pidlab_kernels::run(kernel, order, None, &[], Bounds::default(), |event| said.push(event))?;
    assert_eq!(past.ending, Ending::Ended(9), "{said:?}");
    Ok(())
}

fn a_guest_that_was_changed_is_no_good_end(kernel: &Kernel) -> Result<(), Failed> {
    let order = Order { arguments: vec!["--changes".to_owned()], folder: PathBuf::from("/"), ..Order::default() };
    let past = pidlab_kernels::run(kernel, order, None, &[], Bounds::default(), |_| {})?;
    match past.ending {
        Ending::Cut(why, _) if why.contains("pid_max") && why.contains("4242") => Ok(()),
        other => Err(format!("it is taken for {other:?}").into()),
    }
}
