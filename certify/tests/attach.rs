//! A PID 1 that runs already, in a container that the test has made: what is seen of it, and that it is left as it was.
#![forbid(unsafe_code)]

#[path = "planted/faulty.rs"]
mod faulty;

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Failed, Trial};
use pidlab_certify::{AskError, AttachError, DUTIES, Profile, Subject, Verdict, find};
use pidlab_realkernel::must_not_skip;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType, accept, bind, listen, recv, send,
    socket_with,
};
use rustix::process::{Pid, Signal, kill_process};

fn main() -> ExitCode {
    if let Some(code) = pidlab_certify::enter_if_part() {
        return code;
    }
    let mut words = std::env::args();
    if words.nth(1).as_deref() == Some(faulty::WORD) {
        let status = faulty::run(words).unwrap_or(99);
        return ExitCode::from(u8::try_from(status).unwrap_or(255));
    }
    let arguments = Arguments::from_args();
    let trials: [(&str, Test); 12] = [
        ("one_that_reaps_does_all", one_that_reaps_does_all),
        ("each_fault_is_seen_and_no_other", each_fault_is_seen_and_no_other),
        ("one_that_reaps_nothing_is_left_one_zombie", one_that_reaps_nothing_is_left_one_zombie),
        ("zombies_that_are_there_are_seen_and_no_more_are_made", zombies_that_are_there),
        ("who_waits_for_a_signal_hears_it", who_waits_for_a_signal_hears_it),
        ("who_ignores_a_signal_does_not", who_ignores_a_signal_does_not),
        ("no_signal_is_sent", no_signal_is_sent),
        ("who_ends_meanwhile_is_not_decided", who_ends_meanwhile),
        ("nobody_is_left_by_a_puppet", nobody_is_left_by_a_puppet),
        ("a_member_leads_to_its_init", a_member_leads_to_its_init),
        ("who_is_in_no_container_is_told_apart", who_is_in_no_container),
        ("what_disturbs_is_not_asked", what_disturbs_is_not_asked),
    ];
    let trials = trials.into_iter().map(|(name, test)| Trial::test(name, move || unless_it_cannot_be(test)));
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

type Test = fn() -> Result<(), Failed>;

/// Nothing takes as long that comes to an end.
const LONGEST: Duration = Duration::from_secs(600);

/// Where no container can be made nothing is tried.
fn unless_it_cannot_be(test: Test) -> Result<(), Failed> {
    let made = in_a_container(&["true"]).stderr(Stdio::null()).status().is_ok_and(|status| status.success());
    if !made && !must_not_skip() {
        writeln!(io::stderr(), "skipped: no PID namespace can be had")?;
        return Ok(());
    }
    test()
}

/// A command as PID 1 of a new PID namespace, which ends with the process that is started.
fn in_a_container(words: &[&str]) -> Command {
    let mut command = Command::new("unshare");
    let is_root = fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    if !is_root {
        command.arg("--map-root-user");
    }
    command.args(["--pid", "--fork", "--kill-child=KILL", "--mount-proc", "--"]).args(words);
    command
}

struct Container {
    outer: Child,
    init: i32,
}

impl Container {
    fn new(words: &[&str]) -> Container {
        let outer = in_a_container(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("unshare is here");
        let number = outer.id();
        let children = || fs::read_to_string(format!("/proc/{number}/task/{number}/children")).unwrap_or_default();
        wait_until("there is a PID 1", || !children().is_empty());
        let init = children().trim().parse().expect("unshare has one child");
        Container { outer, init }
    }

    /// This program as an init that starts nothing, with a fault.
    fn faulty(fault: &str) -> Container {
        let own = std::env::current_exe().expect("it is running");
        Container::new(&[&own.to_string_lossy(), faulty::WORD, "pause", fault])
    }

    /// Runs nothing but this.
    fn sleeper() -> Container {
        Container::new(&["sleep", "infinity"])
    }

    fn subject(&self) -> Subject {
        Subject::running(self.init).expect("it runs").with_bound(LONGEST)
    }

    /// Everybody in it, zombies too.
    fn members(&self) -> BTreeSet<i32> {
        let of = |pid: i32| fs::read_link(format!("/proc/{pid}/ns/pid")).ok();
        let its = of(self.init);
        let all = fs::read_dir("/proc").expect("there is a procfs").flatten();
        all.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(|pid| of(*pid) == its).collect()
    }

    fn zombies(&self) -> usize {
        let is_one = |pid: &&i32| {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with(&format!("Z {} ", self.init)))
        };
        self.members().iter().filter(is_one).count()
    }

    /// That nobody is in it but its PID 1, and so many zombies of it.
    fn holds_nothing_but(&self, zombies: usize) -> Result<(), Failed> {
        let there = (self.members().len(), self.zombies());
        if there == (1 + zombies, zombies) { Ok(()) } else { Err(format!("there are {there:?}").into()) }
    }
}

impl Container {
    /// Its PID 1 is killed, and not who has started it: that one may not have said yet that they belong together. It is who waits for it.
    fn kill(&mut self) {
        if let (Some(init), Ok(None)) = (Pid::from_raw(self.init), self.outer.try_wait()) {
            let _ = kill_process(init, Signal::KILL);
        }
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        self.kill();
        let _ = self.outer.wait();
    }
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < LONGEST, "{what}");
        std::thread::yield_now();
    }
}

fn ask(subject: &Subject, duty: &str) -> Result<(Verdict, String), Failed> {
    let report = subject.ask(find(duty).ok_or("there is no such duty")?).map_err(|error| error.to_string())?;
    Ok((report.verdict, report.seen))
}

/// How each comes out that is a duty.
fn ask_all(subject: &Subject) -> Result<Vec<(&'static str, Verdict)>, Failed> {
    let duties = subject.duties(Profile::Container).filter(|duty| !duty.profiles.is_empty());
    duties.map(|duty| Ok((duty.name, ask(subject, duty.name)?.0))).collect()
}

const ALL: [&str; 5] = ["zombies", "hears-term", "orphan", "dead-orphan", "few"];

fn one_that_reaps_does_all() -> Result<(), Failed> {
    let container = Container::faulty("no-fault");
    let asked = ask_all(&container.subject())?;
    if asked != ALL.map(|duty| (duty, Verdict::Holds)) {
        return Err(format!("{asked:?}").into());
    }
    container.holds_nothing_but(0)
}

fn each_fault_is_seen_and_no_other() -> Result<(), Failed> {
    for (index, left) in [(2, 1), (3, 1), (4, 3)] {
        let container = Container::faulty(ALL[index]);
        let asked = ask_all(&container.subject())?;
        let expected = |(at, duty)| match at {
            _ if at < index => (duty, Verdict::Holds),
            _ if at == index => (duty, Verdict::Fails),
            // No more are left there.
            _ => (duty, Verdict::NotAsked),
        };
        if asked != ALL.into_iter().enumerate().map(expected).collect::<Vec<_>>() {
            return Err(format!("the fault is in {}: {asked:?}", ALL[index]).into());
        }
        container.holds_nothing_but(left)?;
    }
    Ok(())
}

fn one_that_reaps_nothing_is_left_one_zombie() -> Result<(), Failed> {
    let container = Container::sleeper();
    let subject = container.subject();
    let asked = ask_all(&subject)?;
    let expected = [Verdict::Holds, Verdict::Fails, Verdict::Fails, Verdict::NotAsked, Verdict::NotAsked];
    if asked.iter().map(|(_, verdict)| *verdict).ne(expected) {
        return Err(format!("{asked:?}").into());
    }
    container.holds_nothing_but(1)?;
    let (verdict, seen) = ask(&container.subject(), "zombies")?;
    if verdict != Verdict::Fails || !seen.starts_with("1 of its children stay as zombies: ") {
        return Err(format!("what was left is not seen: {verdict:?} {seen}").into());
    }
    Ok(())
}

fn zombies_that_are_there() -> Result<(), Failed> {
    // The program after it has a child of which it knows nothing.
    let container = Container::new(&["sh", "-c", "sleep 0 & exec sleep infinity"]);
    wait_until("it has a zombie", || container.zombies() == 1);
    let subject = container.subject();
    let (verdict, seen) = ask(&subject, "zombies")?;
    if verdict != Verdict::Fails || !seen.contains("(sleep)") {
        return Err(format!("{verdict:?} {seen}").into());
    }
    if ask(&subject, "orphan")?.0 != Verdict::NotAsked {
        return Err("it is known, and an orphan was made".into());
    }
    container.holds_nothing_but(1)
}

/// The solution in C of the kata, which takes its signals with sigwaitinfo(2).
fn waiter() -> Result<PathBuf, Failed> {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("attach-waiter-{}", std::process::id()));
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("kata/init.c");
    let built = Command::new("cc").args(["-DSTEP=6", "-o"]).arg(&program).arg(source).status()?;
    if built.success() { Ok(program) } else { Err("it is not built".into()) }
}

fn who_waits_for_a_signal_hears_it() -> Result<(), Failed> {
    let program = waiter()?;
    let container = Container::new(&[&program.to_string_lossy(), "sleep", "infinity"]);
    wait_until("it has started its command", || container.members().len() == 2);
    fs::remove_file(program)?;
    let subject = container.subject();
    let told = ask(&subject, "takes")?.1;
    if !told.contains("waits for SIGHUP") || ask(&subject, "hears-term")?.0 != Verdict::Holds {
        return Err(told.into());
    }
    Ok(())
}

fn who_ignores_a_signal_does_not() -> Result<(), Failed> {
    let container = Container::new(&["sh", "-c", "trap '' TERM; trap : CHLD; while read line; do :; done"]);
    let subject = container.subject();
    let (verdict, seen) = ask(&subject, "hears-term")?;
    if (verdict, &*seen) != (Verdict::Fails, "it ignores SIGTERM") {
        return Err(format!("{verdict:?} {seen}").into());
    }
    let told = ask(&subject, "takes")?.1;
    // A shell may handle more, and whoever started the test may ignore more.
    let (handles, ignores) = told.split_once("; ignores ").ok_or_else(|| told.clone())?;
    let has = |list: &str, signal: &str| list.split(", ").any(|one| one.ends_with(signal));
    if !has(handles, "SIGCHLD") || has(handles, "SIGTERM") || !has(ignores, "SIGTERM") {
        return Err(told.into());
    }
    Ok(())
}

fn no_signal_is_sent() -> Result<(), Failed> {
    let script = "trap 'echo heard' HUP INT QUIT USR1 USR2 TERM CONT WINCH PWR TSTP; \
                  while read line; do :; done; echo end";
    let mut container = Container::new(&["sh", "-c", script]);
    let subject = container.subject();
    if ask(&subject, "hears-term")?.0 != Verdict::Holds {
        return Err("its handler is not seen".into());
    }
    ask_all(&subject)?;
    // This one is the test's.
    kill_process(Pid::from_raw(container.init).ok_or("it is a PID")?, Signal::TERM)?;
    let mut heard = String::new();
    let mut out = container.outer.stdout.take().ok_or("it is piped")?;
    let mut bytes = [0; 6];
    out.read_exact(&mut bytes)?;
    heard.push_str(&String::from_utf8_lossy(&bytes));
    drop(container.outer.stdin.take());
    out.read_to_string(&mut heard)?;
    if heard == "heard\nend\n" { Ok(()) } else { Err(heard.into()) }
}

fn who_ends_meanwhile() -> Result<(), Failed> {
    let container = Container::sleeper();
    let subject = container.subject();
    drop(container);
    match subject.ask(find("orphan").ok_or("it is in the table")?) {
        Err(AskError::Unavailable { .. }) => {}
        other => return Err(format!("it had ended: {other:?}").into()),
    }
    // It reaps nothing, and somebody is busy: there is no verdict as long as it is there.
    let mut container = Container::new(&["sh", "-c", "(while :; do :; done) & exec sleep infinity"]);
    let subject = container.subject();
    std::thread::scope(|scope| {
        let (subject, orphan) = (&subject, find("orphan").ok_or("it is in the table")?);
        let asked = scope.spawn(move || subject.ask(orphan).map_err(|error| error.to_string()));
        wait_until("its orphan has ended", || container.zombies() == 1);
        // The orphan is gone with it, and was not reaped.
        container.kill();
        match asked.join() {
            Ok(Ok(report)) if report.verdict == Verdict::NotDecided => Ok(()),
            other => Err(format!("{other:?}").into()),
        }
    })
}

/// A puppet that loses its conductor takes its children along: none of them comes to a PID 1 that would not reap it.
fn nobody_is_left_by_a_puppet() -> Result<(), Failed> {
    let container = Container::sleeper();
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("attach-{}", std::process::id()));
    let listener = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
    bind(&listener, &SocketAddrUnix::new(&path)?)?;
    listen(&listener, 2)?;
    let mut outside = Command::new("nsenter")
        .args(["--target", &container.init.to_string(), "--pid", "--"])
        .args([&std::env::current_exe()?, Path::new("a-puppet-of-pidlab-init"), &path, Path::new("puppet")])
        .spawn()?;
    let hears = |socket: &OwnedFd| recv(socket, &mut [0; 4096][..], RecvFlags::empty()).map(|(length, _)| length > 0);
    let puppet = accept(&listener)?;
    assert!(hears(&puppet)?, "it says who it is");
    send(&puppet, br#"{"Fork":{"name":"child"}}"#, SendFlags::NOSIGNAL)?;
    let child = accept(&listener)?;
    assert!(hears(&child)? && hears(&puppet)?, "both say that it is there");
    assert_eq!(container.members().len(), 3);
    drop((puppet, child, listener));
    outside.wait()?;
    fs::remove_file(path)?;
    container.holds_nothing_but(0)
}

fn a_member_leads_to_its_init() -> Result<(), Failed> {
    let container = Container::new(&["sh", "-c", "sleep infinity & wait"]);
    wait_until("it has a child", || container.members().len() == 2);
    let member = container.members().into_iter().find(|pid| *pid != container.init).ok_or("it has a child")?;
    match Subject::running(member)?.attached_to() {
        Some((init, "sh")) if init == container.init => Ok(()),
        other => Err(format!("{other:?}").into()),
    }
}

fn who_is_in_no_container() -> Result<(), Failed> {
    let own = i32::try_from(std::process::id())?;
    let Err(AttachError::NotInAContainer { of_its_children: None }) = Subject::running(own) else {
        return Err("this process is in no container".into());
    };
    let container = Container::sleeper();
    let outer = i32::try_from(container.outer.id())?;
    match Subject::running(outer) {
        Err(AttachError::NotInAContainer { of_its_children: Some(init) }) if init == container.init => {}
        other => return Err(format!("its child is: {other:?}").into()),
    }
    match Subject::running(i32::MAX) {
        Err(AttachError::NoSuchProcess) => Ok(()),
        other => Err(format!("{other:?}").into()),
    }
}

fn what_disturbs_is_not_asked() -> Result<(), Failed> {
    let container = Container::sleeper();
    let subject = container.subject();
    for duty in DUTIES.iter().filter(|duty| !duty.is_for_running()) {
        if subject.ask(duty).map_err(|error| error.to_string())?.verdict != Verdict::NotAsked {
            return Err(duty.name.into());
        }
    }
    container.holds_nothing_but(0)?;
    let started = Subject::new(["sleep", "infinity"]);
    for duty in DUTIES.iter().filter(|duty| !duty.is_for_started()) {
        if started.ask(duty).map_err(|error| error.to_string())?.verdict != Verdict::NotAsked {
            return Err(duty.name.into());
        }
    }
    Ok(())
}
