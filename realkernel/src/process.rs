//! One process or thread of a scenario: its numbers and namespaces, learned once from the kernel, and what procfs says of it now.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{AtomicI32, Ordering};

use pidlab_scenario::{Handled, Role};

use crate::status::handled;
use crate::sys::arena::{self, NOTED};
use crate::sys::os;

/// The identity of a PID namespace: the inode of its file. Held open while the scenario runs, so that it is not given to
/// another.
pub(crate) type Inode = u64;

/// Bit 2 of the flags in `/proc/PID/stat`: the task is on its way out (kernel/exit.c, `PF_EXITING`).
const PF_EXITING: u64 = 0x4;

/// Bit 6: the task has not called execve since it was made (kernel/fork.c, `copy_process`; fs/exec.c, `begin_new_exec`).
const PF_FORKNOEXEC: u64 = 0x40;

/// A process or thread that a step made. It stays known after it is gone: calls may still name its numbers.
pub(crate) struct Process {
    pub(crate) role: Role,
    /// For a thread that is not the leader of its process: the role that stands for the process.
    pub(crate) thread_of: Option<Role>,
    /// Its number in the conductor's namespace.
    pub(crate) number: i32,
    /// Its numbers from the scenario's outermost namespace inward.
    pub(crate) pids: Vec<u32>,
    /// The namespaces of those numbers.
    pub(crate) namespaces: Vec<Inode>,
    /// Its table of files is not the conductor's: it, or who made it, runs another program than at its birth.
    pub(crate) own_files: bool,
    /// Whether the role was born as a thread: the pidfd is one of a thread.
    pub(crate) born_a_thread: bool,
    /// Absent for a thread on kernels without pidfds of threads (before 6.9).
    pub(crate) pidfd: Option<OwnedFd>,
    stat: File,
    wchan: File,
    /// Released: neither running nor a zombie.
    pub(crate) gone: bool,
    /// Gone, and its number is free again.
    freed: bool,
    /// An exec by a thread took its place: what was its process is another role's.
    pub(crate) replaced: bool,
    /// The last look, while not gone.
    pub(crate) seen: Stat,
    /// The number of the thread that traces it, 0 for none: asked for where there was a tracer.
    pub(crate) tracer: i32,
    views: Views,
    /// Signals of its slot that have been reported.
    handled: u32,
}

/// Group and session: as the conductor sees them, and as the process itself sees them.
#[derive(Clone, Copy)]
struct Views {
    group: i32,
    session: i32,
    pgid: u32,
    sid: u32,
}

/// What `/proc/PID/stat` says, as far as it matters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Stat {
    pub(crate) state: u8,
    pub(crate) parent: i32,
    pub(crate) group: i32,
    pub(crate) session: i32,
    pub(crate) exiting: bool,
    /// It has not called execve since it was made.
    pub(crate) before_exec: bool,
}

impl Stat {
    /// Reads the line; `None` if it is not one.
    fn parse(line: &[u8]) -> Option<Stat> {
        // The name may hold blanks and parentheses; the last one ends it. Number and name of an agent take less than this.
        const HEAD: usize = 48;
        let after = line.get(..HEAD.min(line.len()))?.iter().rposition(|byte| *byte == b')')?;
        let mut fields = line.get(after + 2..)?.split(|byte| *byte == b' ');
        let state = *fields.next()?.first()?;
        let mut number = || i32::try_from(decimal(fields.next()?)?).ok();
        let (parent, group, session) = (number()?, number()?, number()?);
        let flags = decimal(fields.nth(2)?)?;
        let [exiting, before_exec] = [PF_EXITING, PF_FORKNOEXEC].map(|flag| flags & flag != 0);
        Some(Stat { state, parent, group, session, exiting, before_exec })
    }
}

/// A number without a sign. These lines are read very often, and the standard parser wants them to be UTF-8 first.
fn decimal(digits: &[u8]) -> Option<u64> {
    let add = |number: u64, digit: &u8| {
        digit.is_ascii_digit().then(|| number.checked_mul(10)?.checked_add(u64::from(digit - b'0'))).flatten()
    };
    (!digits.is_empty()).then(|| digits.iter().try_fold(0, add)).flatten()
}

impl Process {
    /// One that has just been made, in these namespaces.
    pub(crate) fn new(
        role: Role,
        thread_of: Option<Role>,
        number: i32,
        namespaces: Vec<Inode>,
        pidfd: Option<OwnedFd>,
    ) -> io::Result<Process> {
        let (pids, views) = read_status(number)?;
        // No scenario sees the number in the conductor's namespace.
        let pids: Vec<u32> = pids.into_iter().skip(1).collect();
        if pids.is_empty() || namespaces.len() != pids.len() {
            let what = format!("a process has the numbers {pids:?} in the namespaces {namespaces:?}");
            return Err(io::Error::other(what));
        }
        Ok(Process {
            role,
            thread_of,
            number,
            pids,
            namespaces,
            own_files: false,
            born_a_thread: thread_of.is_some(),
            pidfd,
            // The one of the task: that of the process adds up all its threads at every read (fs/proc/array.c, `do_task_stat`).
            stat: File::open(format!("/proc/{number}/task/{number}/stat"))?,
            wchan: File::open(format!("/proc/{number}/wchan"))?,
            gone: false,
            freed: false,
            replaced: false,
            seen: Stat { state: b'R', parent: 0, group: 0, session: 0, exiting: false, before_exec: true },
            tracer: 0,
            views,
            handled: 0,
        })
    }

    /// This is the record of a thread that has called execve(2), and the other that of its leader. The thread's role takes over the
    /// leader's record, and the leader's role is left with this one, which is nobody's any more but for the number, by which others may
    /// still call the process.
    pub(crate) fn take_place_of(&mut self, process: &mut Process) {
        std::mem::swap(&mut self.role, &mut process.role);
        process.own_files = true;
        process.gone = false;
        // A pidfd refers to what bears the numbers, and those were exchanged: each role's goes on referring to what it did.
        std::mem::swap(&mut self.pidfd, &mut process.pidfd);
        std::mem::swap(&mut self.born_a_thread, &mut process.born_a_thread);
        // What the new role's handlers have noted is in the thread's own slot.
        process.handled = self.handled;
        self.thread_of = None;
        self.pids.clone_from(&process.pids);
        self.namespaces.clone_from(&process.namespaces);
        self.gone = true;
        self.replaced = true;
    }

    /// The role that stands for the process that this is, or is a thread of.
    pub(crate) fn leader(&self) -> Role {
        self.thread_of.unwrap_or(self.role)
    }

    /// Whether it has not begun to exit, as far as procfs shows now.
    pub(crate) fn lives(&self) -> bool {
        self.stat_now().is_some_and(|stat| !stat.exiting)
    }

    /// What procfs shows now; nothing once it is gone.
    pub(crate) fn stat_now(&self) -> Option<Stat> {
        let mut line = [0; 512];
        os::pread(self.stat.as_fd(), &mut line).and_then(|length| Stat::parse(line.get(..length)?))
    }

    /// A line of its status, without the key (proc_pid_status(5)).
    fn status_line(&self, key: &str) -> Option<String> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.number)).ok()?;
        status.lines().find_map(|line| line.strip_prefix(key)).map(|line| line.trim().to_owned())
    }

    /// Asks who traces it (proc_pid_status(5), `TracerPid`).
    pub(crate) fn look_for_tracer(&mut self) {
        self.tracer = self.status_line("TracerPid:").and_then(|number| number.parse().ok()).unwrap_or(0);
    }

    /// Whether its user is the conductor's, which is 0 to the conductor.
    pub(crate) fn is_conductors_user(&self) -> bool {
        let users = self.status_line("Uid:").unwrap_or_default();
        users.split_ascii_whitespace().all(|user| user == "0") && !users.is_empty()
    }

    /// Whether it is in a user namespace that is not the conductor's.
    pub(crate) fn has_own_user_namespace(&self) -> bool {
        let inode = |link: String| fs::metadata(link).map(|link| link.ino()).ok();
        let own = inode(format!("/proc/{}/ns/user", self.number));
        let conductors = inode("/proc/self/ns/user".to_owned());
        own.is_some() && conductors.is_some() && own != conductors
    }

    /// Whether it has a handler for a signal (proc_pid_status(5), `SigCgt`).
    pub(crate) fn handles(&self, signal: i32) -> bool {
        let mask = self.status_line("SigCgt:");
        let mask = mask.and_then(|mask| u64::from_str_radix(&mask, 16).ok()).unwrap_or(0);
        mask & (1 << (signal - 1)) != 0
    }

    /// Whether the process is in the namespace, or in one below it.
    pub(crate) fn is_within(&self, namespace: Inode) -> bool {
        self.namespaces.contains(&namespace)
    }

    /// Its own namespace.
    pub(crate) fn namespace(&self) -> Inode {
        *self.namespaces.last().expect("a process is in at least one namespace")
    }

    /// Its number in the namespace of another process, if it has one there.
    pub(crate) fn number_for(&self, observer: &Process) -> Option<u32> {
        let level = self.namespaces.iter().position(|namespace| *namespace == observer.namespace())?;
        self.pids.get(level).copied()
    }

    /// Opens its namespace; nothing once it is reaped.
    pub(crate) fn open_namespace(&self) -> Option<io::Result<OwnedFd>> {
        self.open_namespace_file("pid")
    }

    /// The same with another of its files in `/proc/PID/ns`.
    pub(crate) fn open_namespace_file(&self, file: &str) -> Option<io::Result<OwnedFd>> {
        (!self.gone).then(|| File::open(format!("/proc/{}/ns/{file}", self.number)).map(OwnedFd::from))
    }

    /// Looks again; false once it is gone.
    pub(crate) fn look(&mut self) -> bool {
        match self.stat_now() {
            Some(stat) => self.seen = stat,
            None => self.gone = true,
        }
        !self.gone
    }

    /// Whether it sleeps in some function of the kernel. There is none to name while it is on a run queue, whatever its state says
    /// (kernel/sched/core.c, `get_wchan`).
    ///
    /// Since Linux 6.12 a sleeper may be left on the queue until its turn comes. Asking for its system call takes it off at once
    /// (`wait_task_inactive`); one that is queued because it has still to run costs the caller the CPU instead.
    pub(crate) fn sleeps_somewhere(&self) -> bool {
        self.has_place() || {
            self.is_off_the_queue();
            self.has_place()
        }
    }

    /// Whether it is asleep and on no run queue, as far as asking for its system call tells.
    pub(crate) fn is_off_the_queue(&self) -> bool {
        let mut text = [0; 64];
        let file = File::open(format!("/proc/{}/syscall", self.number)).ok();
        let length = file.and_then(|file| os::pread(file.as_fd(), &mut text)).unwrap_or(0);
        text.get(..length).is_some_and(|call| !call.is_empty() && !call.starts_with(b"running"))
    }

    fn has_place(&self) -> bool {
        let mut name = [0; 64];
        let length = os::pread(self.wchan.as_fd(), &mut name).unwrap_or(0);
        name.get(..length).is_some_and(|name| !name.is_empty() && name != b"0")
    }

    /// Whether the number of a process that is gone is still taken.
    pub(crate) fn number_is_taken(&mut self) -> bool {
        if !self.freed {
            self.freed = !os::is_number_taken(self.stat.as_fd(), self.number);
        }
        !self.freed
    }

    /// Group and session as the process itself sees them, read again only when they have changed.
    pub(crate) fn views(&mut self) -> io::Result<(u32, u32)> {
        let Stat { group, session, .. } = self.seen;
        let known = self.views;
        if (known.group, known.session) == (group, session) {
            return Ok((known.pgid, known.sid));
        }
        let (_, known) = read_status(self.number)?;
        self.views = Views { group, session, ..known };
        Ok((known.pgid, known.sid))
    }

    /// The signals that its handlers received since the last call.
    pub(crate) fn take_handled(&mut self) -> io::Result<Vec<Handled>> {
        let slot = arena::slot(self.role.index());
        let count = slot.handled.load(Ordering::Acquire);
        let new = count.wrapping_sub(self.handled) as usize;
        if new > NOTED {
            return Err(io::Error::other("more signals in one step than can be noted"));
        }
        let first = self.handled as usize;
        self.handled = count;
        let noted = (first..first + new).map(|index| {
            let load = |value: &AtomicI32| value.load(Ordering::Relaxed);
            let [signal, sender, code, status] = [0, 1, 2, 3].map(|field| load(&slot.notes[index % NOTED][field]));
            handled(signal.into(), sender, code, status.into())
        });
        noted.collect::<Option<_>>().ok_or_else(|| io::Error::other("a handler noted what is no signal"))
    }
}

/// The numbers of a process, the conductor's first, and its group and session (proc_pid_status(5), the `NS` lines).
fn read_status(number: i32) -> io::Result<(Vec<u32>, Views)> {
    let mut text = [0; 4096];
    let file = File::open(format!("/proc/{number}/status"))?;
    let length = os::pread(file.as_fd(), &mut text).ok_or_else(|| io::Error::other("an empty status"))?;
    let line = |key: &str| {
        let mut lines = text.get(..length)?.split(|byte| *byte == b'\n');
        let line = lines.find_map(|line| line.strip_prefix(key.as_bytes()))?;
        let fields = line.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty());
        fields.map(|field| u32::try_from(decimal(field)?).ok()).collect::<Option<Vec<u32>>>()
    };
    // The first number of a line is the one that the conductor sees, the last belongs to the process's own namespace.
    let ends = |numbers: Vec<u32>| Some((i32::try_from(*numbers.first()?).ok()?, *numbers.last()?));
    let (pids, groups, sessions) = (line("NSpid:"), line("NSpgid:").and_then(ends), line("NSsid:").and_then(ends));
    match (pids, groups, sessions) {
        (Some(pids), Some((group, pgid)), Some((session, sid))) => Ok((pids, Views { group, session, pgid, sid })),
        _ => Err(io::Error::other("procfs shows no NSpid, NSpgid and NSsid")),
    }
}
