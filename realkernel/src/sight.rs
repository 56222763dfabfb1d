//! What is seen of one process, by each way to look: [`crate::eyes`] has the ways.

use std::cell::OnceCell;
use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd;

use crate::asleep::Witness;
use crate::bpf::{Looker, Seen};
use crate::sys::os;

/// Bit 2 of the flags in `/proc/PID/stat`: the task is on its way out (kernel/exit.c, `PF_EXITING`).
const PF_EXITING: u64 = 0x4;

/// Bit 6: the task has not called execve since it was made (kernel/fork.c, `copy_process`; fs/exec.c, `begin_new_exec`).
const PF_FORKNOEXEC: u64 = 0x40;

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
    /// Of one that nobody has looked at yet.
    pub(crate) const UNSEEN: Stat =
        Stat { state: b'R', parent: 0, group: 0, session: 0, exiting: false, before_exec: true };

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

    fn of(seen: &Seen) -> Stat {
        let [exiting, before_exec] = [PF_EXITING, PF_FORKNOEXEC].map(|flag| seen.flags & flag != 0);
        let Seen { parent, group, session, .. } = *seen;
        Stat { state: letter(seen.state, seen.exit_state), parent, group, session, exiting, before_exec }
    }
}

/// The letter that procfs has for a state (include/linux/sched.h, `__task_state_index` and `task_index_to_char`).
fn letter(state: u32, exit_state: u32) -> u8 {
    const TASK_REPORT: u32 = 0x7f;
    const TASK_IDLE: u32 = 0x402;
    const TASK_RTLOCK_WAIT: u32 = 0x1000;
    const TASK_FROZEN: u32 = 0x8000;
    if state & TASK_IDLE == TASK_IDLE {
        return b'I';
    }
    if state & (TASK_RTLOCK_WAIT | TASK_FROZEN) != 0 {
        return b'D';
    }
    match ((state | exit_state) & TASK_REPORT).checked_ilog2() {
        None => b'R',
        Some(bit) => b"SDTtXZP"[bit as usize],
    }
}

/// Group and session: as the conductor sees them, and as the process itself sees them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Views {
    pub(crate) group: i32,
    pub(crate) session: i32,
    pub(crate) pgid: u32,
    pub(crate) sid: u32,
}

impl Views {
    fn of(seen: &Seen) -> Views {
        let Seen { group, session, pgid, sid, .. } = *seen;
        Views { group, session, pgid, sid }
    }
}

/// The numbers of a process, the conductor's first, and its group and session.
pub(crate) type Told = (Vec<u32>, Views);

/// How a process is looked at.
pub(crate) enum Sight {
    /// By files that are held open: `stat` from when it is first wanted.
    Files { stat: OnceCell<File>, wchan: File, witness: Witness },
    /// By a program, which knows it by where its `struct pid` is: as long as somebody has a pidfd that is nobody else's.
    Program { looker: &'static Looker, identity: u64, asleep: bool, views: Views, tracer: i32 },
}

impl Sight {
    /// By files, which are opened.
    pub(crate) fn by_files(number: i32, witness: Witness) -> io::Result<Sight> {
        Ok(Sight::Files { stat: open_stat(number)?.into(), wchan: open_wchan(number)?, witness })
    }

    /// By files, of which `stat` is opened when somebody wants it.
    pub(crate) fn by_few_files(number: i32) -> io::Result<Sight> {
        Ok(Sight::Files { stat: OnceCell::new(), wchan: open_wchan(number)?, witness: Witness::Place })
    }

    /// By a program, with what it says of the process, and the inode of its namespace.
    pub(crate) fn by_program(looker: &'static Looker, number: i32) -> io::Result<(Sight, Told, u64)> {
        let (seen, numbers) = looker.look_at(number).ok_or_else(|| io::Error::other("a process is not there"))?;
        let views = Views::of(&seen);
        let Seen { identity, off_the_queue: asleep, tracer, .. } = seen;
        let sight = Sight::Program { looker, identity, asleep, views, tracer };
        Ok((sight, (numbers, views), seen.inode))
    }

    /// What there is to see now; nothing once it is gone.
    pub(crate) fn stat_now(&self, number: i32) -> Option<Stat> {
        match self {
            Sight::Files { stat, wchan, .. } => {
                let stat = match stat.get() {
                    Some(stat) => stat,
                    None => {
                        let opened = open_stat(number).ok()?;
                        // The number is still the one's whose files these are.
                        os::pread(wchan.as_fd(), &mut [0; 64])?;
                        stat.get_or_init(|| opened)
                    }
                };
                let mut line = [0; 512];
                os::pread(stat.as_fd(), &mut line).and_then(|length| Stat::parse(line.get(..length)?))
            }
            Sight::Program { looker, identity, .. } => {
                let seen = looker.look_at(number).map(|(seen, _)| seen)?;
                (seen.identity == *identity).then(|| Stat::of(&seen))
            }
        }
    }

    /// Takes what a program has seen at this number; nothing if the process that is meant is gone.
    pub(crate) fn take(&mut self, seen: Option<&Seen>) -> Option<Stat> {
        let Sight::Program { identity, asleep, views, tracer, .. } = self else { return None };
        let seen = seen.filter(|seen| seen.identity == *identity)?;
        *asleep = seen.off_the_queue;
        *views = Views::of(seen);
        *tracer = seen.tracer;
        Some(Stat::of(seen))
    }

    /// Whether it has ended, and nobody has waited for it.
    pub(crate) fn is_zombie(&self, number: i32) -> bool {
        self.stat_now(number).is_some_and(|stat| stat.state == b'Z')
    }

    /// Whether it sleeps, and is on no run queue, whatever its state says.
    pub(crate) fn is_asleep(&self, number: i32) -> bool {
        match self {
            Sight::Files { wchan, witness: Witness::Place, .. } => sleeps_somewhere(wchan, number),
            Sight::Files { witness: Witness::Call, .. } => is_off_the_queue(number),
            Sight::Program { asleep, .. } => *asleep,
        }
    }

    /// What its files call the place where it sleeps, if they call it anything.
    pub(crate) fn place(&self) -> Option<Vec<u8>> {
        let Sight::Files { wchan, .. } = self else { return None };
        with_place(wchan, |place| place.map(<[u8]>::to_vec))
    }

    /// Whether that is what they call it.
    pub(crate) fn is_at(&self, place: &[u8]) -> bool {
        matches!(self, Sight::Files { wchan, .. } if with_place(wchan, |it| it == Some(place)))
    }

    /// Whether its files do not say to this process whether it sleeps. `wchan` does not tell that apart from a process that runs.
    pub(crate) fn is_hidden(&self, number: i32) -> bool {
        let call = || fs::read(format!("/proc/{number}/syscall"));
        matches!(self, Sight::Files { .. })
            && call().is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
    }

    /// The number of the thread that traces it, 0 for none (proc_pid_status(5), `TracerPid`).
    pub(crate) fn tracer(&self, number: i32) -> i32 {
        match self {
            Sight::Program { tracer, .. } => *tracer,
            Sight::Files { .. } => {
                status_line(number, "TracerPid:").and_then(|number| number.parse().ok()).unwrap_or(0)
            }
        }
    }

    /// Why it is not known to be asleep, for who asks.
    pub(crate) fn no_sign_of_sleep(&self) -> &'static str {
        match self {
            Sight::Files { witness: Witness::Place, .. } => {
                "no place in /proc/PID/wchan, which only who may look into it is told (CAP_SYS_PTRACE)"
            }
            Sight::Files { witness: Witness::Call, .. } => "/proc/PID/syscall says that it runs, or nothing at all",
            Sight::Program { .. } => "it is on a run queue",
        }
    }

    /// Group and session as the process itself sees them, read anew only when they have changed: `lean` may know a shorter way.
    pub(crate) fn views(
        &self,
        number: i32,
        seen: Stat,
        known: Views,
        lean: impl FnOnce() -> Option<Views>,
    ) -> io::Result<Views> {
        match self {
            Sight::Program { views, .. } => Ok(*views),
            Sight::Files { .. } if (known.group, known.session) == (seen.group, seen.session) => Ok(known),
            Sight::Files { .. } => {
                let views = lean().map_or_else(|| read_status(number).map(|(_, views)| views), Ok)?;
                Ok(Views { group: seen.group, session: seen.session, ..views })
            }
        }
    }
}

/// Whether it sleeps in some function of the kernel. There is none to name while it is on a run queue, whatever its state says
/// (kernel/sched/core.c, `get_wchan`).
///
/// Since Linux 6.12 a sleeper may be left on the queue until its turn comes. Asking for its system call takes it off at once
/// (`wait_task_inactive`); one that is queued because it has still to run costs the caller the CPU instead.
fn sleeps_somewhere(wchan: &File, number: i32) -> bool {
    has_place(wchan) || {
        is_off_the_queue(number);
        has_place(wchan)
    }
}

/// Whether it is asleep and on no run queue, as far as asking for its system call tells.
fn is_off_the_queue(number: i32) -> bool {
    let mut text = [0; 64];
    let file = File::open(format!("/proc/{number}/syscall")).ok();
    let length = file.and_then(|file| os::pread(file.as_fd(), &mut text)).unwrap_or(0);
    text.get(..length).is_some_and(|call| !call.is_empty() && !call.starts_with(b"running"))
}

fn has_place(wchan: &File) -> bool {
    with_place(wchan, |place| place.is_some())
}

fn with_place<T>(wchan: &File, use_it: impl FnOnce(Option<&[u8]>) -> T) -> T {
    let mut name = [0; 64];
    let length = os::pread(wchan.as_fd(), &mut name).unwrap_or(0);
    use_it(name.get(..length).filter(|name| !name.is_empty() && name != b"0"))
}

/// The one of the task: that of the process adds up all its threads at every read (fs/proc/array.c, `do_task_stat`).
fn open_stat(number: i32) -> io::Result<File> {
    File::open(format!("/proc/{number}/task/{number}/stat"))
}

fn open_wchan(number: i32) -> io::Result<File> {
    File::open(format!("/proc/{number}/wchan"))
}

/// A line of the status of a process, without its key (proc_pid_status(5)).
pub(crate) fn status_line(number: i32, key: &str) -> Option<String> {
    let mut text = [0; STATUS];
    let line = line_of(status(number, &mut text).ok()?, key)?;
    Some(String::from_utf8_lossy(line).trim().to_owned())
}

/// More than a status has.
const STATUS: usize = 4096;

/// Reads it in one piece, which is a third of the price of asking how long it is first.
fn status(number: i32, text: &mut [u8; STATUS]) -> io::Result<&[u8]> {
    let file = File::open(format!("/proc/{number}/status"))?;
    let length = os::pread(file.as_fd(), text).ok_or_else(|| io::Error::other("an empty status"))?;
    Ok(text.get(..length).unwrap_or_default())
}

fn line_of<'t>(status: &'t [u8], key: &str) -> Option<&'t [u8]> {
    status.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(key.as_bytes()))
}

/// The numbers of a process, the conductor's first, and its group and session (proc_pid_status(5), the `NS` lines).
pub(crate) fn read_status(number: i32) -> io::Result<Told> {
    let mut text = [0; STATUS];
    let status = status(number, &mut text)?;
    let line = |key: &str| {
        let line = line_of(status, key)?;
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

/// A number without a sign. These lines are read very often, and the standard parser wants them to be UTF-8 first.
fn decimal(digits: &[u8]) -> Option<u64> {
    let add = |number: u64, digit: &u8| {
        digit.is_ascii_digit().then(|| number.checked_mul(10)?.checked_add(u64::from(digit - b'0'))).flatten()
    };
    (!digits.is_empty()).then(|| digits.iter().try_fold(0, add)).flatten()
}
