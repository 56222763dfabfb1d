//! A look at who has nothing to do, by calls: what `/proc/PID/stat` and `status` say of it, without these files. Anybody may ask so.
//!
//! Whoever waits for a command sleeps in one place of the kernel, the same for all, and `/proc/PID/wchan` names it. Who is there is in state
//! `S`, on no run queue, and not on its way out. What is left to be said of it, calls say: its parent `PIDFD_GET_INFO` of ioctl_pidfd(2), group and session
//! getpgid(2) and getsid(2), and its numbers `NS_GET_PID_IN_PIDNS` of ioctl_nsfs(2). They ask for what fs/proc/array.c, `do_task_stat` and
//! `proc_pid_status` ask for. Whoever is anywhere else is looked at through its `stat`, which is opened then.
//!
//! What the place is called is learned from the kernel at hand, of a process that sleeps there, and it counts only if that process is said to be elsewhere
//! when it is stopped: some kernels name the same function for all that sleep.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use crate::asleep::{self, Witness};
use crate::sight::{self, Sight, Stat, Told, Views};
use crate::sys::looking;
use crate::sys::raw::{Raw, plain};

/// Where who has nothing to do sleeps.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Rest {
    place: Vec<u8>,
}

impl Rest {
    /// Learns it of a process that sleeps in futex(2) and does nothing else; nothing where this kernel lacks a call, or does not tell that place from others.
    ///
    /// # Errors
    /// Calls and files say different things.
    pub(crate) fn learn(number: i32, pidfd: BorrowedFd<'_>) -> io::Result<Option<Rest>> {
        let files = Sight::by_files(number, Witness::Place)?;
        let Some(place) = files.place() else { return Ok(None) };
        let rest = Rest { place };
        let own = File::open("/proc/self/ns/pid")?;
        let by_calls = (rest.look(&files, number, pidfd, true), told(number, [&own].into_iter()));
        let (Some(stat), Some((numbers, views))) = by_calls else { return Ok(None) };
        // The conductor's namespace is asked twice: once for the number that is known, which a status has but once.
        let by_calls = (Some(stat), (numbers.into_iter().skip(1).collect::<Vec<_>>(), views));
        let by_files = (files.stat_now(number), sight::read_status(number)?);
        if by_calls != by_files {
            return Err(io::Error::other(format!(
                "a process that sleeps: procfs has {by_files:?}, calls {by_calls:?}"
            )));
        }
        let signal = |signal: i32| plain(libc::SYS_kill, [number as usize, signal as usize, 0, 0]);
        let state = || files.stat_now(number).map(|stat| stat.state);
        signal(libc::SIGSTOP);
        let stopped = asleep::wait_until(|| state() == Some(b'T') && files.place().is_some());
        let is_told_apart = files.place().as_ref() != Some(&rest.place);
        signal(libc::SIGCONT);
        if !(stopped && asleep::wait_until(|| rest.is_where(&files))) {
            return Err(io::Error::other("a process did not stop, or did not go on"));
        }
        Ok((is_told_apart && state() == Some(b'S')).then_some(rest))
    }

    /// What there is to see of a process that is there; nothing if it is not. Whether it has called execve(2) is not asked.
    pub(crate) fn look(&self, sight: &Sight, number: i32, pidfd: BorrowedFd<'_>, before_exec: bool) -> Option<Stat> {
        if !self.is_where(sight) {
            return None;
        }
        let (0, [_, _, parent, _]) = looking::pidfd_info(pidfd.as_raw_fd() as Raw) else { return None };
        let parent = i32::try_from(parent).ok()?;
        let [group, session] = group_and_session(number)?;
        Some(Stat { state: b'S', parent, group, session, exiting: false, before_exec })
    }

    fn is_where(&self, sight: &Sight) -> bool {
        sight.is_at(&self.place)
    }
}

/// The numbers of a process, the conductor's first, then in each of these namespaces, and group and session; nothing where calls do not tell.
pub(crate) fn told<'n>(number: i32, namespaces: impl Iterator<Item = &'n File> + Clone) -> Option<Told> {
    let own = namespaces.clone().last()?;
    let mut numbers = vec![u32::try_from(number).ok()?];
    for namespace in namespaces {
        numbers.push(number_in(namespace, number).ok()?);
    }
    let [group, session] = group_and_session(number)?;
    Some((numbers, views(own, group, session)?))
}

/// Group and session as they are seen in a namespace; nothing where calls do not tell.
pub(crate) fn views(own: &File, group: i32, session: i32) -> Option<Views> {
    let pgid = as_seen_in(own, group)?;
    let sid = if session == group { pgid } else { as_seen_in(own, session)? };
    Some(Views { group, session, pgid, sid })
}

/// The number there of what bears this number here, 0 if it has none. Of a group whose leader is gone nobody bears it, and the call finds nothing.
fn as_seen_in(namespace: &File, number: i32) -> Option<u32> {
    match number_in(namespace, number) {
        Ok(number) => Some(number),
        Err(libc::ESRCH) if number == 0 || group_of(number).is_some() => Some(0),
        Err(_) => None,
    }
}

fn number_in(namespace: &File, number: i32) -> Result<u32, i32> {
    let result = looking::number_in(namespace.as_raw_fd() as Raw, number);
    u32::try_from(result).map_err(|_| -result as i32)
}

/// Group and session of who bears this number, as the conductor sees them: 0 is one that it does not see.
fn group_and_session(number: i32) -> Option<[i32; 2]> {
    Some([group_of(number)?, answer(plain(libc::SYS_getsid, [number as usize, 0, 0, 0]))?])
}

fn group_of(number: i32) -> Option<i32> {
    answer(plain(libc::SYS_getpgid, [number as usize, 0, 0, 0]))
}

fn answer(result: Raw) -> Option<i32> {
    i32::try_from(result).ok().filter(|number| *number >= 0)
}
