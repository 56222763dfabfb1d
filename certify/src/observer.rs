//! Who looks at a PID 1 that runs already.
//!
//! ```text
//! pidlab ──watched pipe──▶ observer ──▶ a puppet ──▶ its child ──▶ an orphan
//!         out here                    in the container's PID namespace
//! ```
//!
//! The observer stays out here, with a procfs of the container's PID namespace in a mount namespace of its own: it sees the container's
//! processes, and no others. It has them send nothing, traces nobody, and runs no file of theirs. The puppet that it brings in has its parent out
//! here, too, and so is nobody's orphan in there when the observer ends; whoever the puppet has made and not yet orphaned, it waits for.
//!
//! What was orphaned is the container's for good: a process has one parent who can wait for it, and nobody gives it another.

use std::cell::RefCell;
use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Instant;

use pidlab_realkernel::plain;
use rustix::io::Errno;
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::attach::number;
use crate::conductor::{self, Task, Told};
use crate::lab::Bench;
use crate::look;
use crate::report::{Report, Verdict};

/// The names under which this program is started for it.
pub(crate) const OBSERVER: &str = "pidlab-init-observer";
pub(crate) const PROCFS: &str = "pidlab-init-procfs";

/// Asks the duty, and tells how it came out.
pub(crate) fn observe(task: &str) -> io::Result<i32> {
    let task: Task = serde_json::from_str(task)?;
    // A signal for the caller's process group is for the caller.
    rustix::process::setsid()?;
    let told = match beside(&task) {
        Ok(mut bench) => Told::Report(unless_it_ended(conductor::play(&task.asked, &mut bench))),
        Err(reason) => Told::Unavailable { reason, remedy: REMEDY.to_owned() },
    };
    conductor::tell(&told)?;
    Ok(0)
}

const REMEDY: &str =
    "run as root (with CAP_SYS_ADMIN and CAP_SYS_PTRACE), or as the user whose container it is, outside of it";

/// What was seen while everybody was killed is no verdict: a dying init collects whoever ends.
fn unless_it_ended(report: Report) -> Report {
    if look::goes_on(1) {
        return report;
    }
    let seen = "its PID 1 ended meanwhile".to_owned();
    Report { verdict: Verdict::NotDecided, seen, heard: Vec::new(), output: String::new(), ..report }
}

/// A place beside the container. Why there is none, if there is none.
fn beside(task: &Task) -> Result<Bench, String> {
    let begun = Instant::now();
    let whom = task.running.ok_or("it is not said who is to be looked at")?;
    let failed = |what: &'static str| move |error: io::Error| format!("{what}: {error}");
    let gone = failed("the PID 1 has gone");
    let pids = File::open(format!("/proc/{}/ns/pid", whom.init)).map_err(gone)?;
    if number(&pids).map_err(gone)? != whom.pids {
        return Err(format!("PID {} is somebody else by now", whom.init));
    }
    // The rest needs rights in the user namespace that the container belongs to: root has them, and others by going there.
    if !may_administer() {
        let join = || {
            let users = File::open(format!("/proc/{}/ns/user", whom.init))?;
            Ok(move_into_link_name_space(users.as_fd(), Some(LinkNameSpaceType::User))?)
        };
        join().map_err(failed("the user namespace of the container cannot be joined"))?;
    }
    // Before the next step, after which a process can have no more threads.
    conductor::end_with_the_caller();
    plain::unshare(libc::CLONE_NEWNS).map_err(failed("no mount namespace of its own can be had"))?;
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    mount_change("/", private).map_err(|error| failed("mounts cannot be made private")(error.into()))?;
    let folder = conductor::a_folder().map_err(failed("no folder of its own can be had"))?;
    move_into_link_name_space(pids.as_fd(), Some(LinkNameSpaceType::ProcessID))
        .map_err(|error| failed("its PID namespace cannot be joined")(error.into()))?;
    see_its_processes()?;
    let (words, program, bound) = (Vec::new(), task.program.clone(), task.bound);
    let deadline = begun + bound;
    // Nobody is traced in there.
    let (recorder, kept) = (None, RefCell::default());
    Ok(Bench { folder, words, program, deadline, bound, labs: 0, own: 0, recorder, kept })
}

/// `CAP_SYS_ADMIN`, where this process is.
fn may_administer() -> bool {
    const ADMINISTRATION: u32 = 21;
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let held = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    held.and_then(|held| u64::from_str_radix(held.trim(), 16).ok()).is_some_and(|held| held >> ADMINISTRATION & 1 == 1)
}

/// A procfs shows the namespace of whoever mounts it: a child does, who is in there, and shares the mounts with this process.
fn see_its_processes() -> Result<(), String> {
    let child = Command::new("/proc/self/exe").arg0(PROCFS).arg("/proc").status();
    let status = child.map_err(|error| match error.raw_os_error() {
        Some(libc::ENOMEM) => "its PID 1 has ended: nobody can be born there any more".to_owned(),
        _ => format!("nobody can be born in its PID namespace: {error}"),
    })?;
    match status.code() {
        Some(0) => Ok(()),
        Some(errno) => {
            Err(format!("no procfs of its PID namespace can be had: {}", io::Error::from_raw_os_error(errno)))
        }
        None => Err("no procfs of its PID namespace can be had: who was to mount it was killed".to_owned()),
    }
}

/// Mounts a procfs, and ends with the number of the error.
pub(crate) fn mount_procfs(place: &str) -> i32 {
    let hardened = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    mount("proc", place, "proc", hardened, None).map_or_else(Errno::raw_os_error, |()| 0)
}
