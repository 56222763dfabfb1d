//! How a kernel is started, and how nothing of it is left.
//!
//! ```text
//! program ──watched pipe──▶ launcher ──▶ warden (PID 1 of a namespace of its own) ──▶ QEMU, or user-mode Linux
//! ```
//!
//! Launcher and warden are the program itself, started again under another name. The warden reads from a pipe of which only the program holds
//! the other end: when that closes, because the program is done with the guest or was killed, the warden ends, and the kernel ends
//! everything in its namespace. User-mode Linux needs that: its processes are traced ones of their own sessions, and stay when it is killed.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus, Stdio};

use rustix::io::{FdFlags, dup, fcntl_setfd};
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_bind_recursive, mount_change};
use serde::{Deserialize, Serialize};

use crate::frame::{Frame, Unavailable};
use crate::kernel::Kind;

/// The name under which the program is started as a launcher or a warden.
const NAME: &str = "pidlab-warden";
const LAUNCHER: &str = "outside";
const WARDEN: &str = "inside";

/// Megabytes that a guest has.
const MEMORY: u32 = 512;

/// A guest's console: only what matters, and the end when the kernel gives up. That ciphers do what they should is not asked: it takes a tenth of
/// the time to boot in QEMU.
const KERNEL_OPTIONS: &str = "loglevel=4 panic=-1 cryptomgr.notests rdinit=/init";

/// A kernel to start, and how.
#[derive(Serialize, Deserialize)]
pub(crate) struct Machine {
    pub(crate) kind: Kind,
    pub(crate) image: PathBuf,
    /// A root folder with the C library that a user-mode Linux needs, if it is not this machine's.
    pub(crate) root: Option<PathBuf>,
    /// The archive that becomes the guest's root folder, as a path that the launcher can open.
    pub(crate) archive: PathBuf,
}

impl Machine {
    /// The command that starts it. Its standard input is to be the watched pipe; its output the results line, its errors the console.
    ///
    /// # Errors
    /// If the machine cannot be written down: a path that is no text.
    pub(crate) fn launcher(&self) -> io::Result<Command> {
        let mut command = Command::new("/proc/self/exe");
        command.arg0(NAME).args([LAUNCHER, &serde_json::to_string(self)?]);
        Ok(command)
    }
}

/// Goes on as a launcher or a warden, if that is what this program was started as.
pub fn enter_if_warden() -> Option<ExitCode> {
    let mut arguments = std::env::args_os();
    if arguments.next()? != NAME {
        return None;
    }
    let (role, machine) = (arguments.next()?.into_string().ok()?, arguments.next()?.into_string().ok()?);
    let machine: Machine = serde_json::from_str(&machine).ok()?;
    let ended = match role.as_str() {
        LAUNCHER => launch(machine),
        WARDEN => Some(guard(&machine)),
        _ => return None,
    };
    // As a shell has it; a warden that is killed from outside is no success.
    let code = match ended? {
        Ok(status) => status.code().unwrap_or(128 + status.signal().unwrap_or_default()),
        Err(error) => {
            let _ = writeln!(io::stderr(), "the machine could not be started: {error}");
            1
        }
    };
    Some(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

/// Makes the namespaces, and in them the warden.
fn launch(machine: Machine) -> Option<io::Result<ExitStatus>> {
    // Opened here, where the program's numbers mean something.
    let archive = match File::open(&machine.archive) {
        Ok(archive) => archive,
        Err(error) => return Some(Err(error)),
    };
    if let Err(why) = pidlab_realkernel::set_apart() {
        let frame = Frame::Unavailable(Unavailable { reason: why.reason, remedy: why.remedy });
        return Some(io::stdout().write_all(frame.line().as_bytes()).map(|()| ExitStatus::default()));
    }
    let inside = || {
        let machine = Machine { archive: inherited(&archive)?, ..machine };
        let mut command = Command::new("/proc/self/exe");
        command.arg0(NAME).args([WARDEN, &serde_json::to_string(&machine)?]).spawn()?.wait()
    };
    Some(inside())
}

/// Lets a descriptor stay open in programs that are started, and gives the path by which they have it.
fn inherited(file: &(impl AsFd + AsRawFd)) -> io::Result<PathBuf> {
    fcntl_setfd(file, FdFlags::empty())?;
    Ok(PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd())))
}

/// The warden: starts the machine, waits for it, and ends before it if nobody wants it any more.
fn guard(machine: &Machine) -> io::Result<ExitStatus> {
    std::thread::spawn(|| {
        // Nobody writes there; it ends when nobody can.
        let _ = io::stdin().read(&mut [0]);
        std::process::exit(1);
    });
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?;
    let results = dup(io::stdout())?;
    let line = inherited(&results)?;
    let mut command = match &machine.kind {
        Kind::Qemu => qemu(machine, &line),
        Kind::Uml => uml(machine, results.as_raw_fd())?,
    };
    command.stdin(Stdio::null()).stdout(dup(io::stderr())?).spawn()?.wait()
}

/// An ordinary machine in software. A panic ends it, for it must not restart.
fn qemu(machine: &Machine, results: &Path) -> Command {
    let mut command = Command::new("qemu-system-x86_64");
    command
        .args(["-M", "pc", "-accel", "tcg", "-cpu", "max", "-smp", "1", "-nodefaults", "-no-user-config"])
        .args(["-display", "none", "-no-reboot", "-serial", "file:/proc/self/fd/2"])
        .args(["-m", &format!("{MEMORY}M"), "-serial", &format!("file:{}", results.display())])
        .arg("-kernel")
        .arg(&machine.image)
        .arg("-initrd")
        .arg(&machine.archive)
        .args(["-append", &format!("console=ttyS0 reboot=t {KERNEL_OPTIONS}")]);
    command
}

/// A kernel that is an ordinary program. It writes to its user's folder, and keeps the guest's memory in a temporary file: both are in the
/// warden's own memory.
fn uml(machine: &Machine, results: i32) -> io::Result<Command> {
    let image = File::open(&machine.image)?;
    let mut program = inherited(&image)?;
    // It stays open up to the end of this process.
    std::mem::forget(image);
    let mut home = free_folder();
    if let Some(root) = &machine.root {
        mount_bind_recursive("/proc", root.join("proc"))?;
        mount_bind_recursive("/dev", root.join("dev"))?;
        home = root.join("tmp");
    }
    mount("tmpfs", &home, "tmpfs", MountFlags::empty(), None)?;
    if let Some(root) = &machine.root {
        rustix::process::chroot(root)?;
        std::env::set_current_dir("/")?;
        home = PathBuf::from("/tmp");
        program = PathBuf::from("/linux.uml");
    }
    let mut command = Command::new(program);
    command
        .env("HOME", &home)
        .env("TMPDIR", &home)
        .arg(format!("mem={MEMORY}M"))
        .arg(format!("initrd={}", machine.archive.display()))
        .args(["con=null", "con0=null,fd:2", "ssl=null", &format!("ssl0=null,fd:{results}")])
        .args(KERNEL_OPTIONS.split(' '));
    Ok(command)
}

/// A folder that is there everywhere and that nobody here needs.
fn free_folder() -> PathBuf {
    let there = |path: &&str| fs::metadata(path).is_ok_and(|found| found.is_dir());
    PathBuf::from(["/mnt", "/media", "/srv", "/opt"].into_iter().find(there).unwrap_or("/tmp"))
}
