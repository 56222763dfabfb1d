//! Places where the kernel side cannot run: it must say so, and what to do about it.
//!
//! The program starts itself again in each such place, and does nothing else there, since only a program with a single thread may enter a
//! user namespace.
#![expect(unsafe_code, reason = "no safe interface makes a user namespace")]

use std::env::consts::ARCH;
use std::process::{Command, ExitCode};
use std::{env, fs, io};

use libtest_mimic::{Arguments, Failed, Trial};
use pidlab_realkernel::{Lab, LabOptions};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};

/// Names the place in a program that is started again.
const PLACE: &str = "PIDLAB_TEST_PLACE";

/// How a program ends for which there is no such place.
const SKIPPED: u8 = 4;

/// A place, how to get there, and a word of the remedy.
type Place = (&'static str, fn() -> io::Result<()>, &'static str);

const PLACES: [Place; 4] = [
    ("no_user_namespaces", no_user_namespaces, "max_user_namespaces"),
    ("no_pid_namespaces", no_pid_namespaces, "max_pid_namespaces"),
    ("no_unshare", no_unshare, "seccomp"),
    ("no_clone3", no_clone3, "clone3"),
];

fn main() -> ExitCode {
    match env::var(PLACE) {
        Ok(place) => there(&place),
        Err(_) => go_to_all(),
    }
}

fn go_to_all() -> ExitCode {
    let trials = PLACES.map(|(place, _, remedy)| Trial::test(place, move || visit(place, remedy)));
    libtest_mimic::run(&Arguments::from_args(), trials.into()).exit_code()
}

fn visit(place: &str, remedy: &str) -> Result<(), Failed> {
    let required = pidlab_realkernel::must_not_skip();
    let output = Command::new(env::current_exe()?).env(PLACE, place).output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    match output.status.code() {
        Some(code) if code == i32::from(SKIPPED) && !required => {
            eprintln!("skipped: {place}: {}", said.trim());
            Ok(())
        }
        Some(0) if said.contains(remedy) => Ok(()),
        _ => Err(format!("{}\n{}", said.trim(), String::from_utf8_lossy(&output.stderr)).into()),
    }
}

fn there(name: &str) -> ExitCode {
    let Some((_, go, _)) = PLACES.iter().find(|(place, ..)| *place == name) else { return ExitCode::FAILURE };
    if let Err(error) = go() {
        // Where this is forbidden, such a place cannot be made, and is not needed: it is here already.
        println!("skipped: {error}");
        return ExitCode::from(SKIPPED);
    }
    match Lab::open(LabOptions::default()) {
        Ok(_) => {
            println!("a lab was opened");
            ExitCode::FAILURE
        }
        Err(why) => {
            println!("{} / {}", why.reason, why.remedy);
            ExitCode::SUCCESS
        }
    }
}

/// Root of a user namespace, for limits that hold below it only.
fn enter_user_namespace() -> io::Result<()> {
    // SAFETY: always succeeds.
    let user = unsafe { libc::geteuid() };
    // SAFETY: this program has one thread.
    if unsafe { libc::unshare(libc::CLONE_NEWUSER) } < 0 {
        return Err(io::Error::last_os_error());
    }
    fs::write("/proc/self/uid_map", format!("0 {user} 1"))
}

fn no_pid_namespaces() -> io::Result<()> {
    enter_user_namespace()?;
    fs::write("/proc/sys/user/max_pid_namespaces", "0")
}

/// Without user namespaces, and without the powers that would make them needless.
fn no_user_namespaces() -> io::Result<()> {
    enter_user_namespace()?;
    fs::write("/proc/sys/user/max_user_namespaces", "0")?;
    const SECBIT_NOROOT: libc::c_ulong = 1;
    // SAFETY: numbers only. From now on execve(2) gives root no capabilities.
    if unsafe { libc::prctl(libc::PR_SET_SECUREBITS, SECBIT_NOROOT, 0, 0, 0) } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

fn no_unshare() -> io::Result<()> {
    refuse(libc::SYS_unshare, libc::EPERM)
}

fn no_clone3() -> io::Result<()> {
    refuse(libc::SYS_clone3, libc::ENOSYS)
}

/// A seccomp filter that answers one system call with an errno.
fn refuse(number: libc::c_long, errno: i32) -> io::Result<()> {
    let answer = SeccompAction::Errno(errno.unsigned_abs());
    let arch = ARCH.try_into().map_err(io::Error::other)?;
    let filter = SeccompFilter::new([(number, Vec::new())].into(), SeccompAction::Allow, answer, arch);
    let program: BpfProgram = filter.and_then(TryInto::try_into).map_err(io::Error::other)?;
    seccompiler::apply_filter(&program).map_err(io::Error::other)
}
