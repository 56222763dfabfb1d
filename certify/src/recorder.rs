//! A play that is recorded, with strace around all of it that is not the conductor.
//!
//! ```text
//! conductor (PID 1) ──▶ recorder, who becomes strace ──▶ stage ──▶ the program under test (PID 1 of its own namespace) ──▶ puppets
//!                                                          └────▶ whoever comes from outside
//! ```
//!
//! The stage makes the namespace and sends the signals that come from outside, so that the log has the birth of everybody who is in it, and the
//! sender of what is sent, and can be judged. strace is outside of that namespace, and within the conductor's: it ends with it, and so do those whom it traces.
//!
//! # Traps
//!
//! - *Who is stopped is in state `t` then*, as is everybody whom strace looks at for a moment. [`Lab::is_stopped`] tells them apart.
//! - *Who has ended belongs to strace first*; before that has waited for him, his parent cannot.
//! - *Tracees go on when strace is killed.* So it is the stage that is told to end: it kills PID 1, and strace ends when everybody has, with a
//!   whole log.
//! - *strace looks through /proc for every number that it translates*, which takes a minute where a thousand zombies are: a hundred have to do.

use std::fs::{self, File};
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use pidlab_judge::{Surroundings, options};
use pidlab_realkernel::plain;
use pidlab_scenario::Facts;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, kill_process, wait};
use serde::{Deserialize, Serialize};

use crate::birth::{self, Birth};
use crate::guest;
use crate::report::{Ended, Log};
use crate::said::{self, Order, Said};

/// The name under which this program is started to become strace.
pub(crate) const NAME: &str = "pidlab-init-recorder";

/// The first argument of a program that is the stage: strace starts it, and gives no other name.
pub(crate) const WORD: &str = "a-stage-of-pidlab-init";

/// So many calls are told; the log has all.
const TOLD: usize = 8;

/// What is needed to record.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Recorder {
    pub(crate) strace: PathBuf,
    /// What the kernel is like, if that was asked: the log says it.
    pub(crate) facts: Option<Facts>,
}

/// One lab to be recorded.
#[derive(Serialize, Deserialize)]
struct Task {
    recorder: Recorder,
    program: PathBuf,
    log: PathBuf,
    socket: PathBuf,
    birth: String,
}

/// Where strace is, if it is somewhere.
pub(crate) fn strace() -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders).map(|folder| folder.join("strace")).find(|path| path.is_file())
}

impl Recorder {
    /// Starts strace, and under it the stage; what strace complains of goes to a file.
    pub(crate) fn start(&self, program: &Path, birth: &Birth, log: &Path, complaints: &Path) -> io::Result<Pid> {
        let task = Task {
            recorder: self.clone(),
            program: program.to_owned(),
            log: log.to_owned(),
            socket: birth.socket.clone(),
            birth: serde_json::to_string(birth)?,
        };
        let mut command = Command::new("/proc/self/exe");
        command.arg0(NAME).arg(serde_json::to_string(&task)?);
        let started =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(complaints)?).spawn()?.id();
        Pid::from_raw(i32::try_from(started).unwrap_or(0)).ok_or_else(|| io::Error::other("a child has no PID"))
    }
}

/// Becomes strace. It comes back only where that fails.
pub(crate) fn record(task: &str) -> io::Result<i32> {
    let Task { recorder, program, log, socket, birth } = serde_json::from_str(task)?;
    // So that its group and session are there in the log: those that it has are led from outside of this namespace.
    rustix::process::setsid()?;
    let status = fs::read_to_string("/proc/self/status")?;
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let line = Surroundings::of(std::process::id(), &status, &kernel, recorder.facts).line();
    fs::write(&log, line + "\n")?;
    let mut strace = Command::new(&recorder.strace);
    strace.args(options()).arg("-o").arg(&log).arg("--").arg(program).arg(WORD).arg(socket).arg(birth);
    Err(strace.exec())
}

/// Makes the namespace and the program under test, brings in whoever is to come from outside, and says how the program ended. When nobody plays
/// any more it kills that, and ends when all its children have.
pub(crate) fn stage(socket: &Path, birth: &str) -> io::Result<i32> {
    const ENDS: u64 = 1 << (libc::SIGCHLD - 1);
    plain::block_only(ENDS)?;
    let signals = plain::signals_of(ENDS)?;
    let socket = said::connected(socket)?;
    said::say(&socket, &Said::Stage)?;
    let birth: Birth = serde_json::from_str(birth)?;
    let born = birth::in_a_new_namespace(&mut birth::starter(&birth)?)?;
    let mut runs = true;
    loop {
        let mut both = [PollFd::new(&signals, PollFlags::IN), PollFd::new(&socket, PollFlags::IN)];
        poll(&mut both, None)?;
        if !both[0].revents().is_empty() {
            rustix::io::read(&signals, &mut [0; 128])?;
            while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
                if pid == born {
                    runs = false;
                    said::say(&socket, &Said::Ended(status.as_raw()))?;
                }
            }
        } else if !both[1].revents().is_empty() {
            match said::hear(&socket)? {
                Some(Order::Invite { pid, words, log }) => drop(guest::starter(pid, &words, &log)?.spawn()?),
                Some(Order::Kill { pid, signal }) => signal_from_outside(pid, signal)?,
                _ => break,
            }
        }
    }
    if runs {
        signal_from_outside(born.as_raw_pid(), libc::SIGKILL)?;
    }
    while wait(WaitOptions::empty()).is_ok() {}
    Ok(0)
}

/// A signal to whoever is still there.
pub(crate) fn signal_from_outside(pid: i32, signal: i32) -> io::Result<()> {
    let (Some(pid), Some(signal)) = (Pid::from_raw(pid), Signal::from_named_raw(signal)) else { return Ok(()) };
    match kill_process(pid, signal) {
        Ok(()) | Err(Errno::SRCH) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// How a process ended, by the number that wait(2) gave.
pub(crate) fn ended(raw: i32) -> Ended {
    let status = ExitStatus::from_raw(raw);
    status.code().map_or_else(|| Ended::Killed(status.signal().unwrap_or(0)), Ended::Exited)
}

/// What is left of a lab that was recorded.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) log: PathBuf,
    /// The number of the PID 1 that was tested, for strace.
    pub(crate) init: Option<i32>,
    /// How long the log was when the lab had told all: what comes then is its end.
    pub(crate) played: usize,
    /// What was to be seen was not.
    pub(crate) failed: bool,
}

/// The logs of a duty, and the last calls of the PID 1 in the lab in which it failed, or in the last one.
pub(crate) fn logs(kept: &[Kept]) -> io::Result<(Vec<Log>, Vec<String>)> {
    let shown = kept.iter().position(|lab| lab.failed).unwrap_or(kept.len().saturating_sub(1));
    let (mut logs, mut calls) = (Vec::new(), Vec::new());
    for (index, lab) in kept.iter().enumerate() {
        let text = String::from_utf8_lossy(&fs::read(&lab.log)?).into_owned();
        if let Some(init) = lab.init.filter(|_| index == shown) {
            calls = last_calls(&text, lab.played, init);
        }
        logs.push(Log { text, shown: index == shown });
    }
    Ok((logs, calls))
}

/// What a process did last before so many bytes of a log were there, from its last program on.
fn last_calls(log: &str, played: usize, process: i32) -> Vec<String> {
    let process = process.to_string();
    let mut at = 0;
    let mut calls: Vec<&str> = Vec::new();
    for line in log.split_inclusive('\n') {
        let begun = at < played;
        at += line.len();
        let Some((pid, said)) = line.split_once(' ') else { continue };
        let said = said.trim();
        if !begun || pid != process {
            continue;
        }
        // Files of the program's are opened by the dozen; those of namespaces are of interest.
        if said.starts_with("openat(") && !said.contains("/ns/") {
            continue;
        }
        if said.contains("execve") && said.ends_with("= 0") {
            calls.clear();
        }
        calls.push(said);
    }
    calls[calls.len().saturating_sub(TOLD)..].iter().map(|call| (*call).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::last_calls;

    const LOG: &str = "\
# pidlab record: tracer=2
3 clone(child_stack=NULL, flags=SIGCHLD) = 4
4 execve(\"/proc/self/exe\", [\"birth\"], 0x1 /* 0 vars */) = 0
4 setsid() = 1
4 execve(\"/bin/init\", [\"init\"], 0x1 /* 0 vars */) = 0
4 openat(AT_FDCWD, \"/etc/ld.so.cache\", O_RDONLY|O_CLOEXEC) = 3</etc/ld.so.cache>
4 fork() = 2 /* 5 in strace's PID NS */
5 getppid() = 1
4 wait4(-1,  <unfinished ...>
4 <... wait4 resumed> <unfinished ...>) = ?
4 +++ killed by SIGKILL +++
";

    #[test]
    fn the_last_calls_are_of_its_last_program_and_before_the_end() {
        let played = LOG.find("4 <...").expect("it is there");
        let calls = last_calls(LOG, played, 4);
        let starts: Vec<&str> = calls.iter().filter_map(|call| call.split('(').next()).collect();
        assert_eq!(starts, ["execve", "fork", "wait4"], "{calls:?}");
        assert!(last_calls(LOG, played, 6).is_empty());
        let many = LOG.to_owned() + &"4 getpid() = 1\n".repeat(20);
        assert_eq!(last_calls(&many, many.len(), 4), vec!["getpid() = 1"; super::TOLD]);
    }
}
