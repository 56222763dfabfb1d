//! From a procfs to a snapshot.
//!
//! All files of a process are opened below one descriptor of its folder: when the process has gone they cannot be opened any more (ESRCH), and
//! never are those of another that has got its PID. What goes away while it is read is left out, and is no error.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;

use crate::parse;
use crate::snapshot::{Belongs, Call, Detail, Process, Snapshot, Thread, View};

/// A procfs that is mounted somewhere.
#[derive(Clone, Debug)]
pub struct Procfs {
    root: PathBuf,
}

/// A process, or nothing if it has gone meanwhile, or if it may not be read.
enum Looked {
    At(Box<Process>),
    Gone,
    Refused,
}

/// Bits of signals in the masks of status: 1 is that of signal 1.
const KILL: u64 = 1 << 8;
const CHLD: u64 = 1 << 16;

impl Default for Procfs {
    fn default() -> Procfs {
        Procfs::at("/proc")
    }
}

impl Procfs {
    /// The procfs that is mounted there.
    pub fn at(root: impl Into<PathBuf>) -> Procfs {
        Procfs { root: root.into() }
    }

    /// Reads what there is to know of all processes.
    ///
    /// # Errors
    /// If the folder cannot be read, or if it is no procfs.
    pub fn read(&self) -> io::Result<Snapshot> {
        // A folder that is no procfs is no empty machine.
        self.text("uptime").map_err(|error| io::Error::other(format!("it is no procfs: {error}")))?;
        let mut snapshot = Snapshot { view: self.view(), processes: Vec::new() };
        let mut buffer = Vec::with_capacity(4096);
        for entry in std::fs::read_dir(&self.root)? {
            let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            match self.process(pid, &mut buffer) {
                Looked::At(process) => snapshot.processes.push(*process),
                Looked::Gone => {}
                Looked::Refused => snapshot.view.unreadable += 1,
            }
        }
        snapshot.processes.sort_by_key(|process| process.pid);
        let is_hidden = |process: &&Process| process.level() > 0 && process.namespace.is_none();
        snapshot.view.without_namespace = snapshot.processes.iter().filter(is_hidden).count();
        self.add_details(&mut snapshot.processes);
        Ok(snapshot)
    }

    /// Whose this procfs is, and what it hides.
    fn view(&self) -> View {
        let status = self.text("self/status").ok().and_then(|text| parse::status(&text));
        let procfs = match status {
            None => Belongs::Elsewhere,
            Some(status) if status.numbers.len() == 1 => Belongs::Own,
            Some(_) => Belongs::Ancestor,
        };
        // The mounts are those of the reader, wherever it looks.
        let mounts = self.text("self/mountinfo").or_else(|_| std::fs::read("/proc/self/mountinfo"));
        let hidepid = mounts.ok().and_then(|mounts| hidepid(&String::from_utf8_lossy(&mounts), &self.root));
        View { procfs, hidepid, unreadable: 0, without_namespace: 0 }
    }

    fn text(&self, name: &str) -> io::Result<Vec<u8>> {
        std::fs::read(self.root.join(name))
    }

    fn folder(&self, pid: u32) -> Result<OwnedFd, Errno> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::open(self.root.join(pid.to_string()), flags, Mode::empty())
    }

    fn process(&self, pid: u32, buffer: &mut Vec<u8>) -> Looked {
        let read = |buffer: &mut Vec<u8>| -> Result<Option<Process>, Errno> {
            let folder = self.folder(pid)?;
            read(&folder, "status", buffer)?;
            let Some(status) = parse::status(buffer) else { return Ok(None) };
            read(&folder, "stat", buffer)?;
            let Some(stat) = parse::stat(buffer) else { return Ok(None) };
            Ok(Some(Process {
                pid,
                name: stat.name,
                state: stat.state,
                parent: status.parent,
                tracer: if status.tracer == 0 { 0 } else { self.process_of(status.tracer) },
                numbers: status.numbers,
                groups: status.groups,
                session: status.sessions.first().copied().unwrap_or(0),
                // To follow the link is to look at who may be traced.
                namespace: rustix::fs::statat(&folder, "ns/pid", AtFlags::empty()).ok().map(|stat| stat.st_ino),
                threads: stat.threads,
                flags: stat.flags,
                exit_signal: stat.exit_signal,
                started: stat.started,
                killed: status.pending & KILL != 0,
                ignores_sigchld: status.ignored & CHLD != 0,
                detail: None,
            }))
        };
        match read(buffer) {
            Ok(Some(process)) => Looked::At(Box::new(process)),
            Ok(None) | Err(Errno::NOENT | Errno::SRCH) => Looked::Gone,
            Err(_) => Looked::Refused,
        }
    }

    /// The process of a thread; a tracer is a thread.
    fn process_of(&self, tid: u32) -> u32 {
        let status = self.text(&format!("{tid}/status")).ok().and_then(|text| parse::status(&text));
        status.map_or(tid, |status| status.process)
    }

    /// Reads more of those who have ended, leave, or cannot act, and of those who could free them.
    fn add_details(&self, processes: &mut [Process]) {
        let is_odd = |process: &Process| {
            process.is_exiting() || matches!(process.state, 'Z' | 'X' | 'D' | 'T' | 't') || process.killed
        };
        let mut wanted = BTreeSet::new();
        for process in processes.iter().filter(|process| is_odd(process) && !process.is_of_the_kernel()) {
            wanted.extend([process.pid, process.parent, process.tracer]);
        }
        let places: BTreeMap<u32, usize> =
            processes.iter().enumerate().map(|(index, process)| (process.pid, index)).collect();
        for index in wanted.iter().filter_map(|pid| places.get(pid)) {
            self.add_detail(&mut processes[*index]);
        }
    }

    /// Reads more of one process.
    pub(crate) fn add_detail(&self, process: &mut Process) {
        let Ok(folder) = self.folder(process.pid) else { return };
        let mut buffer = Vec::new();
        let mut text = |name: &str| {
            read(&folder, name, &mut buffer).ok()?;
            Some(String::from_utf8_lossy(&buffer).into_owned())
        };
        // The scheduler may leave a sleeper on its queue, and wchan says then that it does not sleep. To read its system call takes it off
        // (lib/syscall.c, `task_current_syscall`; kernel/sched/core.c, `wait_task_inactive`).
        let call = text("syscall").and_then(|call| parse::call(&call));
        let wchan = text("wchan").and_then(|wchan| place(&wchan));
        let pidfd_of = call.as_ref().and_then(waited_pidfd).and_then(|descriptor| {
            let info = text(&format!("fdinfo/{descriptor}"))?;
            info.lines().find_map(|line| line.strip_prefix("Pid:")?.trim().parse().ok())
        });
        let tasks = if process.threads > 1 { self.threads(process.pid) } else { Vec::new() };
        process.detail = Some(Detail { wchan, call, pidfd_of, tasks });
    }

    fn threads(&self, pid: u32) -> Vec<Thread> {
        let folder = self.root.join(format!("{pid}/task"));
        let Ok(entries) = std::fs::read_dir(&folder) else { return Vec::new() };
        let numbers = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let mut threads: Vec<Thread> = numbers
            .filter_map(|tid: u32| {
                let file = |name: &str| std::fs::read(folder.join(tid.to_string()).join(name)).ok();
                let stat = parse::stat(&file("stat")?)?;
                // As above: its call is asked for first.
                file("syscall");
                let wchan = file("wchan").and_then(|wchan| place(&String::from_utf8_lossy(&wchan)));
                Some(Thread { tid, state: stat.state, flags: stat.flags, wchan })
            })
            .collect();
        threads.sort_by_key(|thread| thread.tid);
        threads
    }
}

/// Reads a file below a folder, into a buffer that is used again and again.
fn read(folder: &OwnedFd, name: &str, buffer: &mut Vec<u8>) -> Result<(), Errno> {
    let file = rustix::fs::openat(folder, name, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    buffer.clear();
    match File::from(file).read_to_end(buffer) {
        Ok(_) => Ok(()),
        Err(error) => Err(Errno::from_io_error(&error).unwrap_or(Errno::IO)),
    }
}

/// A place in the kernel: 0 is written for whoever does not sleep, and to whoever may not know.
fn place(wchan: &str) -> Option<String> {
    (!matches!(wchan, "" | "0")).then(|| wchan.to_owned())
}

/// The descriptor that a waitid waits for (P_PIDFD).
fn waited_pidfd(call: &Call) -> Option<u64> {
    const P_PIDFD: u64 = 3;
    match call.arguments[..] {
        [P_PIDFD, descriptor, ..] if call.name == "waitid" => Some(descriptor),
        _ => None,
    }
}

/// What the option `hidepid` of the procfs at this place says, if it hides anything: the last mount there is the one that is seen.
fn hidepid(mounts: &str, root: &Path) -> Option<String> {
    let of_line = |line: &str| {
        let (mount, super_block) = line.split_once(" - ")?;
        let is_it = mount.split(' ').nth(4).map(Path::new) == Some(root) && super_block.starts_with("proc ");
        is_it.then(|| super_block.rsplit(' ').next().unwrap_or_default().to_owned())
    };
    let options = mounts.lines().filter_map(of_line).next_back()?;
    let hidepid = options.split(',').find_map(|option| option.strip_prefix("hidepid="))?;
    (!matches!(hidepid, "0" | "off")).then(|| hidepid.to_owned())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use std::process::{Command, Stdio};

    use super::{Looked, Procfs, hidepid};

    /// How often a process has given up its CPU. If that has not changed, and it slept before, it has slept all the time.
    fn switches(pid: u32) -> Vec<String> {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it is not reaped");
        status.lines().filter(|line| line.contains("ctxt_switches")).map(str::to_owned).collect()
    }

    /// Also one that has only just gone to sleep, which the scheduler may have left on its queue. Kernels that tell no places tell none.
    #[test]
    fn every_sleeper_has_a_place() {
        const SLEEPERS: usize = 200;
        let (procfs, mut buffer, mut placed) = (Procfs::default(), Vec::new(), 0);
        for _ in 0..SLEEPERS {
            let mut cat =
                Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("there is cat(1)");
            let wchan = loop {
                let before = switches(cat.id());
                let Looked::At(mut process) = procfs.process(cat.id(), &mut buffer) else { panic!("it is not reaped") };
                if process.state == 'S' {
                    procfs.add_detail(&mut process);
                    if switches(cat.id()) == before {
                        break process.wchan().map(str::to_owned);
                    }
                }
            };
            placed += usize::from(wchan.is_some());
            drop(cat.stdin.take());
            cat.wait().expect("it ends at the end of its input");
        }
        assert!(placed == SLEEPERS || placed == 0, "{placed} of {SLEEPERS} sleepers have a place");
    }

    #[test]
    fn the_last_mount_says_what_is_hidden() {
        let open = "22 28 0:20 / /proc rw,relatime shared:5 - proc proc rw\n";
        let hiding = "99 28 0:50 / /proc rw - proc none rw,gid=5,hidepid=invisible\n";
        let elsewhere = "98 28 0:51 / /mnt/proc rw - proc none rw,hidepid=2\n";
        let of = |text: String| hidepid(&text, Path::new("/proc"));
        assert_eq!(of(format!("{open}{elsewhere}")), None);
        assert_eq!(of(format!("{open}{hiding}")).as_deref(), Some("invisible"));
        assert_eq!(of(format!("{hiding}{open}")), None);
        // As it is without the option, see proc(5).
        for off in ["0", "off"] {
            assert_eq!(of(format!("23 28 0:20 / /proc rw - proc proc rw,hidepid={off}")), None);
        }
        assert_eq!(of("23 28 0:20 / /proc rw - tmpfs proc rw,hidepid=2".to_owned()), None);
    }
}
