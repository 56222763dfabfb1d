//! How a program comes to be PID 1: what a process does between its birth and the exec of that program.

use std::ffi::CString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use pidlab_realkernel::plain::{self, Unhandled};
use rustix::mount::{MountFlags, mount, mount_bind, mount_remount};
use rustix::process::{
    Pid, Signal, WaitOptions, getpid, ioctl_tiocsctty, kill_process, set_child_subreaper, setsid, wait,
};
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};
use rustix::thread::{
    CapabilitySet, LinkNameSpaceType, move_into_link_name_space, remove_capability_from_bounding_set,
};
use serde::{Deserialize, Serialize};

use crate::said::{self, Said};

/// The name under which this program is started for it.
pub(crate) const NAME: &str = "pidlab-init-birth";

/// How the program under test is started.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Birth {
    /// The conductor's socket.
    pub(crate) socket: PathBuf,
    /// The program, and its arguments.
    pub(crate) words: Vec<String>,
    /// Where what it writes goes, unless it has a terminal.
    pub(crate) log: PathBuf,
    pub(crate) terminal: Option<PathBuf>,
    /// A folder in which what it changes is kept.
    pub(crate) changes: PathBuf,
    /// Signals that are blocked, ignored, and pending, when it starts.
    pub(crate) blocked: Vec<i32>,
    pub(crate) ignored: Vec<i32>,
    pub(crate) pending: Vec<i32>,
    /// So many PID namespaces are made between it and the conductor's, besides its own.
    pub(crate) levels: u8,
    /// It is an ordinary process of its namespace, child of a PID 1 that does nothing but reap.
    pub(crate) ordinary: bool,
    /// It adopts the orphans below it (`PR_SET_CHILD_SUBREAPER`).
    pub(crate) subreaper: bool,
}

/// What of the machine nobody here may touch, whoever they are.
const NOT_FOR_A_TEST: [CapabilitySet; 7] = [
    CapabilitySet::SYS_TIME,
    CapabilitySet::SYS_MODULE,
    CapabilitySet::SYS_RAWIO,
    CapabilitySet::SYS_BOOT,
    CapabilitySet::SYSLOG,
    CapabilitySet::WAKE_ALARM,
    CapabilitySet::MAC_ADMIN,
];

/// Becomes the program. It comes back only if it is a PID 1 of the other kind, with the status to end with, or if something fails.
pub(crate) fn be_born(mut birth: Birth) -> io::Result<i32> {
    if birth.levels > 0 {
        birth.levels -= 1;
        plain::unshare(libc::CLONE_NEWPID)?;
        return reap_until_it_ends(&birth);
    }
    if birth.ordinary {
        birth.ordinary = false;
        return reap_until_it_ends(&birth);
    }
    let socket = said::connected(&birth.socket)?;
    let refused = |what: &str, error: &io::Error| {
        said::say(&socket, &Said::NoProgram { errno: error.raw_os_error().unwrap_or(0), what: what.to_owned() })
    };
    if let Err(error) = prepare(&birth) {
        refused("its surroundings could not be made", &error)?;
        return Ok(1);
    }
    said::say(&socket, &Said::Begins)?;
    let error = run(&birth)?;
    refused("it could not be run", &error)?;
    Ok(1)
}

/// Starts the same once more as a child, reaps whatever there is to reap, and ends as that child did.
fn reap_until_it_ends(birth: &Birth) -> io::Result<i32> {
    let child = starter(birth)?.spawn()?.id();
    loop {
        let Some((pid, status)) = wait(WaitOptions::empty())? else { continue };
        if Pid::from_raw(i32::try_from(child).unwrap_or(0)) == Some(pid) {
            let status = std::process::ExitStatus::from_raw(status.as_raw());
            return Ok(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)));
        }
    }
}

/// This program, started to be born as another.
pub(crate) fn starter(birth: &Birth) -> io::Result<Command> {
    let mut command = Command::new("/proc/self/exe");
    command.arg0(NAME).arg(serde_json::to_string(birth)?);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Ok(command)
}

/// Its own mounts, names, session and files.
fn prepare(birth: &Birth) -> io::Result<()> {
    plain::unshare(libc::CLONE_NEWNS | libc::CLONE_NEWUTS | libc::CLONE_NEWIPC)?;
    lay_over(&birth.changes)?;
    let hardened = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    mount("proc", "/proc", "proc", hardened, None)?;
    for of_the_machine in ["/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus"] {
        if Path::new(of_the_machine).exists() {
            mount_bind(of_the_machine, of_the_machine)?;
            mount_remount(of_the_machine, MountFlags::BIND | MountFlags::RDONLY | hardened, "")?;
        }
    }
    setsid()?;
    match &birth.terminal {
        Some(terminal) => {
            let terminal = OpenOptions::new().read(true).write(true).open(terminal)?;
            ioctl_tiocsctty(&terminal)?;
            stand_on(&terminal, &terminal)?;
        }
        None => {
            stand_on(&File::open("/dev/null")?, &OpenOptions::new().append(true).open(&birth.log)?)?;
        }
    }
    if birth.subreaper {
        set_child_subreaper(Some(getpid()))?;
    }
    for capability in NOT_FOR_A_TEST {
        // An ordinary user, or a container, may not have it to give up.
        let _ = remove_capability_from_bounding_set(capability);
    }
    Ok(())
}

/// Folders whose files the program under test may change: what it writes there is its own, and gone with it.
const ITS_OWN: [&str; 4] = ["/etc", "/run", "/tmp", "/var"];

fn lay_over(changes: &Path) -> io::Result<()> {
    let is_folder = |path: &&str| fs::symlink_metadata(path).is_ok_and(|found| found.is_dir());
    for lower in ITS_OWN.into_iter().filter(is_folder) {
        let own = |what: &str| changes.join(format!("{}.{what}", lower.trim_start_matches('/')));
        let (upper, work) = (own("upper"), own("work"));
        fs::create_dir_all(&upper)?;
        fs::create_dir_all(&work)?;
        let options = format!("lowerdir={lower},upperdir={},workdir={}", upper.display(), work.display());
        // Where there is no overlayfs it stays as it is: to be read.
        let _ = mount("overlay", lower, "overlay", MountFlags::empty(), Some(&*CString::new(options)?));
    }
    Ok(())
}

fn stand_on(input: &File, output: &File) -> io::Result<()> {
    dup2_stdin(input)?;
    dup2_stdout(output)?;
    dup2_stderr(output)?;
    Ok(())
}

/// Runs it, with the signals that it is to begin with.
///
/// # Errors
/// What stands in the way before that; otherwise the error of exec is given.
fn run(birth: &Birth) -> io::Result<io::Error> {
    let words: Result<Vec<CString>, _> = birth.words.iter().map(|word| CString::new(word.as_str())).collect();
    let words = words?;
    for signal in 1..=64 {
        let how = if birth.ignored.contains(&signal) { Unhandled::Ignore } else { Unhandled::Default };
        // Nothing can be said about SIGKILL, SIGSTOP, and the two that the C library keeps; they are at their default.
        let _ = plain::dispose(signal, how);
    }
    plain::block_only(birth.blocked.iter().fold(0, |set, signal| set | 1 << (signal - 1)))?;
    for signal in birth.pending.iter().filter_map(|signal| Signal::from_named_raw(*signal)) {
        kill_process(getpid(), signal)?;
    }
    Ok(plain::exec(&words))
}

/// Starts a process as PID 1 of a new namespace.
pub(crate) fn in_a_new_namespace(command: &mut Command) -> io::Result<Pid> {
    come_home()?;
    plain::unshare(libc::CLONE_NEWPID)?;
    let started = command.spawn();
    come_home()?;
    Pid::from_raw(i32::try_from(started?.id()).unwrap_or(0)).ok_or_else(|| io::Error::other("a child has no PID"))
}

/// From now on children are born in this process's own namespace.
fn come_home() -> io::Result<()> {
    let own = File::open("/proc/self/ns/pid")?;
    Ok(move_into_link_name_space(own.as_fd(), Some(LinkNameSpaceType::ProcessID))?)
}
