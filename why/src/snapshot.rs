//! What was read of the processes, as data.

use serde::{Deserialize, Serialize};

/// What `/proc` said of all processes, one after another: a process may have gone, or have been born, while the others were read.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Snapshot {
    /// What could be seen of the machine, and what could not.
    pub view: View,
    /// The processes, by their PIDs.
    pub processes: Vec<Process>,
}

/// From where the processes were seen, and what was hidden.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct View {
    /// Whose processes the procfs shows.
    pub procfs: Belongs,
    /// The mount option `hidepid` of the procfs, if it hides anything (proc(5)).
    pub hidepid: Option<String>,
    /// How many processes did not let themselves be read, though they were there.
    pub unreadable: usize,
    /// Of how many below the procfs's namespace it is not known in which they are, but for what their PIDs say: who may not trace a process is
    /// not told.
    pub without_namespace: usize,
}

/// To which PID namespace a procfs belongs, as seen by its reader.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Belongs {
    /// To the reader's own.
    #[default]
    Own,
    /// To an ancestor of that: it shows more than the reader's own would, under other PIDs.
    Ancestor,
    /// To one in which the reader has no PID.
    Elsewhere,
}

/// A process. All PIDs but [`numbers`](Process::numbers) are those of the procfs.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Process {
    /// Its PID.
    pub pid: u32,
    /// What it calls itself (the comm of proc(5)): any bytes, those that are no UTF-8 replaced.
    pub name: String,
    /// The letter of its state, `Z` and so on. Of a process with threads it is that of the first one.
    pub state: char,
    /// The PID of its parent, 0 if that has none in the procfs's namespace.
    pub parent: u32,
    /// The PID of the process that traces it, 0 if none does or none that is seen.
    pub tracer: u32,
    /// Its PIDs, from the procfs's namespace inward (`NSpid`).
    pub numbers: Vec<u32>,
    /// Its process group in each of these namespaces (`NSpgid`), 0 where that has no PID.
    pub groups: Vec<u32>,
    /// Its session, 0 if that has no PID in the procfs's namespace.
    pub session: u32,
    /// The inode of its PID namespace, if that may be known.
    pub namespace: Option<u64>,
    /// How many threads it has, the first one counted also when it has ended.
    pub threads: u32,
    /// The flags of its first thread, as in proc_pid_stat(5).
    pub flags: u32,
    /// The signal that its parent gets at its end.
    pub exit_signal: i32,
    /// When it was born, in ticks since the start of the machine: with the PID it says which process this is.
    pub started: u64,
    /// Whether a SIGKILL is pending.
    pub killed: bool,
    /// Whether it ignores SIGCHLD.
    pub ignores_sigchld: bool,
    /// More, of those for whom it matters.
    pub detail: Option<Detail>,
}

/// What is read only of processes that have ended, are on their way out or cannot act, and of whoever could free them.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Detail {
    /// The function of the kernel in which it sleeps, if it does and that may be known.
    pub wchan: Option<String>,
    /// The system call that it is in, if that may be known.
    pub call: Option<Call>,
    /// The process behind the pidfd that this call waits for.
    pub pidfd_of: Option<u32>,
    /// Its threads, if it has several.
    pub tasks: Vec<Thread>,
}

/// A system call that somebody sleeps in.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Call {
    /// Its name, or its number where this program does not know it.
    pub name: String,
    /// Its arguments.
    pub arguments: Vec<u64>,
}

/// A thread of a process.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Thread {
    /// Its TID in the procfs's namespace.
    pub tid: u32,
    /// The letter of its state.
    pub state: char,
    /// Its flags.
    pub flags: u32,
    /// The function of the kernel in which it sleeps.
    pub wchan: Option<String>,
}

/// PF_EXITING, PF_FORKNOEXEC and PF_KTHREAD of include/linux/sched.h.
const EXITING: u32 = 0x4;
const NOT_EXECUTED: u32 = 0x40;
const KERNEL_THREAD: u32 = 0x0020_0000;

impl Process {
    /// Whether it, or its first thread, is in its exit or has ended.
    pub fn is_exiting(&self) -> bool {
        self.flags & EXITING != 0
    }

    /// Whether it runs the program of its parent still.
    pub fn has_not_executed(&self) -> bool {
        self.flags & NOT_EXECUTED != 0
    }

    /// Whether it is a thread of the kernel.
    pub fn is_of_the_kernel(&self) -> bool {
        self.flags & KERNEL_THREAD != 0
    }

    /// Whether its first thread has ended, and was not waited for.
    pub fn is_dead(&self) -> bool {
        matches!(self.state, 'Z' | 'X')
    }

    /// Whether it is a zombie of which nothing lives: it can be waited for, if nobody traces it.
    pub fn is_over(&self) -> bool {
        self.is_dead() && self.threads <= 1
    }

    /// How deep its namespace lies below the procfs's, whose level is 0.
    pub fn level(&self) -> usize {
        self.numbers.len().saturating_sub(1)
    }

    /// Whether it is the init of a PID namespace.
    pub fn is_init(&self) -> bool {
        self.numbers.last() == Some(&1)
    }

    /// Where it sleeps, if that is known.
    pub fn wchan(&self) -> Option<&str> {
        self.detail.as_ref()?.wchan.as_deref()
    }

    /// The threads that have not ended, the first one left out.
    pub(crate) fn living_threads(&self) -> impl Iterator<Item = &Thread> {
        let tasks = self.detail.as_ref().map_or(&[][..], |detail| &detail.tasks);
        tasks.iter().filter(|task| task.tid != self.pid && !matches!(task.state, 'Z' | 'X'))
    }

    /// Whether all that lives of it is in its exit: for a process of several threads, whichever is the last.
    pub fn is_leaving(&self) -> bool {
        match self.is_dead() {
            false => self.is_exiting(),
            true => {
                self.threads > 1 && {
                    let mut living = self.living_threads().peekable();
                    living.peek().is_some() && living.all(Thread::is_exiting)
                }
            }
        }
    }

    /// Whether it is frozen, by a cgroup or for the sleep of the machine (kernel/freezer.c:__refrigerator, kernel/signal.c:do_freezer_trap,
    /// which is part of get_signal where the compiler made it so).
    pub fn is_frozen(&self) -> bool {
        let places = ["__refrigerator", "do_freezer_trap", "get_signal"];
        matches!(self.state, 'S' | 'D') && self.wchan().is_some_and(|wchan| places.contains(&wchan))
    }
}

impl Thread {
    /// Whether it is in its exit.
    pub fn is_exiting(&self) -> bool {
        self.flags & EXITING != 0
    }
}
