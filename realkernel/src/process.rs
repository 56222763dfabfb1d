//! One process or thread of a scenario: its numbers and namespaces, learned once from the kernel, and what is seen of it now.

use std::fmt::Debug;
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{AtomicI32, Ordering};

use pidlab_scenario::{Handled, Role};

use crate::asleep::Witness;
use crate::bpf::Seen;
use crate::lean::{self, Rest};
use crate::sight::{self, Sight, Stat, Told, Views};
use crate::status::handled;
use crate::sys::arena::{self, NOTED};
use crate::sys::looking::{self, PIDFD_INFO_EXIT};
use crate::sys::os;
use crate::sys::raw::Raw;

/// The identity of a PID namespace: the inode of its file. Held open while the scenario runs, so that it is not given to
/// another.
pub(crate) type Inode = u64;

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
    sight: Sight,
    /// Where it sleeps when it has nothing to do, if a look by calls is enough there: until it calls execve, which only its `stat` tells.
    rest: Option<&'static Rest>,
    /// Whether it slept there at the last look.
    at_rest: bool,
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

impl Process {
    /// One that has just been made, in these namespaces.
    pub(crate) fn new(
        role: Role,
        thread_of: Option<Role>,
        number: i32,
        namespaces: Vec<Inode>,
        pidfd: Option<OwnedFd>,
        (sight, rest): (Sight, Option<&'static Rest>),
        (pids, views): Told,
    ) -> io::Result<Process> {
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
            sight,
            rest,
            at_rest: false,
            gone: false,
            freed: false,
            replaced: false,
            seen: Stat::UNSEEN,
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

    /// What there is to see now; nothing once it is gone.
    pub(crate) fn stat_now(&self) -> Option<Stat> {
        self.sight.stat_now(self.number)
    }

    /// Whether what bore the number last has exited and was not killed (`PIDFD_INFO_EXIT`); nothing where that is not told.
    pub(crate) fn has_exited(&self) -> Option<bool> {
        let pidfd = self.pidfd.as_ref()?;
        let (result, told, status) = looking::pidfd_exit(pidfd.as_raw_fd() as Raw);
        (result == 0 && told & PIDFD_INFO_EXIT != 0).then(|| libc::WIFEXITED(status))
    }

    /// Asks who traces it.
    pub(crate) fn look_for_tracer(&mut self) {
        self.tracer = self.sight.tracer(self.number);
    }

    /// Whether its user is the conductor's, which is 0 to the conductor.
    pub(crate) fn is_conductors_user(&self) -> bool {
        let users = sight::status_line(self.number, "Uid:").unwrap_or_default();
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
        let mask = sight::status_line(self.number, "SigCgt:");
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

    /// Looks again, if nobody has looked at all at once; false once it is gone.
    pub(crate) fn look(&mut self) -> bool {
        if matches!(self.sight, Sight::Files { .. }) {
            let at_rest = self.stat_at_rest();
            self.at_rest = at_rest.is_some();
            self.take(at_rest.or_else(|| self.stat_now()));
        }
        !self.gone
    }

    /// What there is to see of one that has nothing to do, where calls are enough for that.
    fn stat_at_rest(&self) -> Option<Stat> {
        let (rest, pidfd) = (self.rest?, self.pidfd.as_ref()?);
        rest.look(&self.sight, self.number, pidfd.as_fd(), self.seen.before_exec)
    }

    /// Notes that it has called execve.
    pub(crate) fn has_executed(&mut self) {
        self.own_files = true;
        self.rest = None;
    }

    /// Takes what somebody saw who has looked at all at once.
    pub(crate) fn was_seen(&mut self, seen: Option<&Seen>) {
        let stat = self.sight.take(seen);
        self.take(stat);
    }

    fn take(&mut self, stat: Option<Stat>) {
        match stat {
            Some(stat) => self.seen = stat,
            None => self.gone = true,
        }
    }

    /// Whether it sleeps, and is on no run queue, as was seen last.
    pub(crate) fn is_asleep(&self) -> bool {
        self.at_rest || self.sight.is_asleep(self.number)
    }

    /// Whether it is on its way out, and where it sleeps is not for this process to know.
    pub(crate) fn is_hidden(&self) -> bool {
        !self.gone && self.seen.exiting && self.sight.is_hidden(self.number)
    }

    /// Why it is not known to be asleep.
    pub(crate) fn no_sign_of_sleep(&self) -> &'static str {
        self.sight.no_sign_of_sleep()
    }

    /// Whether it is gone, and its number was not yet seen to be free.
    pub(crate) fn may_be_half_released(&self) -> bool {
        self.gone && !self.freed
    }

    /// Whether the number of a process that is gone is still taken.
    pub(crate) fn number_is_taken(&mut self, any_file: BorrowedFd<'_>) -> bool {
        if !self.freed {
            self.freed = !os::is_number_taken(any_file, self.number);
        }
        !self.freed
    }

    /// Group and session as the process itself sees them, in this namespace.
    pub(crate) fn views(&mut self, own: Option<&File>) -> io::Result<(u32, u32)> {
        self.views = self.views_now(own)?;
        Ok((self.views.pgid, self.views.sid))
    }

    fn views_now(&self, own: Option<&File>) -> io::Result<Views> {
        let Stat { group, session, .. } = self.seen;
        let by_calls = || self.rest.and(own).and_then(|own| lean::views(own, group, session));
        self.sight.views(self.number, self.seen, self.views, by_calls)
    }

    /// Looks into procfs, and sees that what was seen last is the same in every field.
    ///
    /// # Errors
    /// What is not the same.
    pub(crate) fn compare_with_procfs(&self, own: Option<&File>) -> io::Result<()> {
        let files = Sight::by_files(self.number, Witness::Place)?;
        let (mut numbers, views) = sight::read_status(self.number)?;
        numbers.remove(0);
        let namespace = fs::metadata(format!("/proc/{}/ns/pid", self.number)).map(|file| file.ino());
        // A sleeper may be left on the queue, and procfs says then that it runs. Its system call, which takes it off, is not for everybody to
        // ask for: the files of who has given up its memory belong to the machine's root (fs/proc/base.c, `task_dump_owner`).
        let asleep = files.is_asleep(self.number) || (files.is_hidden(self.number) && self.is_asleep());
        let tracer = files.tracer(self.number);
        let shown = (files.stat_now(self.number), views, numbers, namespace.ok(), asleep, tracer);
        let known = self.views_now(own)?;
        let tracer = self.sight.tracer(self.number);
        let mut seen = (Some(self.seen), known, self.pids.clone(), Some(self.namespace()), self.is_asleep(), tracer);
        if self.seen.state == b'Z' {
            // It sleeps nowhere, and has no namespace to show any more.
            (seen.3, seen.4) = (shown.3, shown.4);
        }
        agrees(self.number, &shown, &seen, "the way in use")?;
        match self.by_calls(&files, own) {
            Some(by_calls) => agrees(self.number, &(self.seen, views), &by_calls, "calls"),
            None => Ok(()),
        }
    }

    /// What calls show of it, if it has nothing to do, and they are enough.
    fn by_calls(&self, files: &Sight, own: Option<&File>) -> Option<(Stat, Views)> {
        let (rest, pidfd) = (self.rest?, self.pidfd.as_ref()?);
        let stat = rest.look(files, self.number, pidfd.as_fd(), self.seen.before_exec)?;
        Some((stat, lean::views(own?, stat.group, stat.session)?))
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

/// Holds what procfs shows of a process against what another way does.
///
/// # Errors
/// They are not the same.
fn agrees<T: PartialEq + Debug>(number: i32, shown: &T, other: &T, way: &str) -> io::Result<()> {
    if shown == other {
        return Ok(());
    }
    Err(io::Error::other(format!("process {number} is {shown:?} in procfs, and {other:?} by {way}")))
}

#[cfg(test)]
mod tests {
    use super::agrees;

    #[test]
    fn what_two_ways_show_is_the_same_or_told() {
        assert!(agrees(7, &('S', 1), &('S', 1), "calls").is_ok());
        let told = agrees(7, &('S', 1), &('T', 1), "calls").expect_err("it is stopped").to_string();
        assert!(["7", "('S', 1)", "('T', 1)", "calls"].iter().all(|part| told.contains(part)), "{told}");
    }
}
