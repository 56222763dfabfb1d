//! How a process sees the others: the commands for such calls, and what their answers say.
//!
//! An agent only fetches bytes and numbers (`agent::look`). They are read here.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::Ordering;

use pidlab_scenario::syscall::{Look, LookedAt, Pidfd, Syscall};
use pidlab_scenario::{CallName, Errno, Outcome, PollEvent, Refusal, Role, Seen, Signal, Unmodelled};

use crate::agent::{Operation, Sight};
use crate::command::{Caller, Command, NOTHING};
use crate::process::Process;
use crate::processes::Processes;
use crate::status::wait_status;
use crate::sys::arena::{self, Slot};
use crate::sys::{looking, sockets};

impl Caller<'_> {
    /// The command for sigpending.
    pub(crate) fn sigpending(&self) -> Command {
        sight(Sight::Pending, &[])
    }

    /// The command for a poll of a pidfd.
    pub(crate) fn pidfd_poll(&self, pidfd: Pidfd) -> Result<Command, Refusal> {
        self.with_pidfd(Sight::Poll, pidfd)
    }

    /// The command for a look.
    pub(crate) fn look(&self, look: Look) -> Result<Command, Refusal> {
        Ok(match look {
            Look::Listing => sight(Sight::Listing, &[]),
            Look::Status { pid } => with_text(Sight::File, format!("{pid}/status")),
            Look::Children { pid } => with_text(Sight::File, format!("{pid}/task/{pid}/children")),
            Look::Fdinfo(pidfd) => self.with_pidfd(Sight::Fdinfo, pidfd)?,
            Look::Translate(at) => self.translation(self.whoever_is(at)),
            Look::Myself => sight(Sight::OwnLinks, &[]),
            Look::Loadavg => with_text(Sight::Path, "/proc/loadavg".to_owned()),
            Look::NsFile(at) => {
                // The procfs on /proc is the conductor's, so the number is, too; 0 is nobody's.
                let number = self.whoever_is(at).filter(|process| !process.gone).map_or(0, |process| process.number);
                with_text(Sight::SameFile, format!("/proc/{number}/ns/pid"))
            }
            Look::NsParent(at) => self.with_namespace(Sight::Parent, at),
            Look::NsParentFile(at) => self.with_namespace(Sight::ParentFile, at),
            Look::NsOwner(at) => self.with_namespace(Sight::OwnerFile, at),
            Look::UserNsParent(at) => self.with_file(Sight::UserParentFile, at, "user"),
            Look::TheirProcfs(at) => self.with_namespace(Sight::TheirListing, at),
            Look::Credentials(_) => sight(Sight::Hear, &[sockets::credentials().1.into()]),
            // What is handed over is made when the other has spoken.
            Look::Peercred(_) => sight(Sight::Peer, &[sockets::handed_over_at().into()]),
            Look::FileOwner(_) => sight(Sight::Owner, &[sockets::handed_over_at().into()]),
            Look::TidWords(role) => sight(Sight::TidWords, &[i64::from(role.0)]),
            Look::PidfdInfo(pidfd) => self.with_pidfd(Sight::PidfdInfo, pidfd)?,
            Look::PidfdExit(pidfd) => self.with_pidfd(Sight::PidfdExit, pidfd)?,
            Look::PidfdSignal(pidfd) => self.with_pidfd(Sight::PidfdSignal, pidfd)?,
        })
    }

    /// A command that gets the pidfd that a process has had from its birth, or opens one.
    fn with_pidfd(&self, with: Sight, pidfd: Pidfd) -> Result<Command, Refusal> {
        match pidfd {
            Pidfd::Directory(_) => Err(self.no_directory()),
            Pidfd::Opened(number) => Ok(sight(with, &[NOTHING, number.into()])),
            Pidfd::Held(role) => {
                let arguments = [with.number().into(), sockets::handed_over_at().into(), 0];
                self.with_handed_pidfd(Operation::Look, &arguments, role)
            }
        }
    }

    /// The process that a look is about, be it named or by a number that is somebody's now.
    fn whoever_is(&self, at: LookedAt) -> Option<&Process> {
        let role = match at {
            LookedAt::Role(role) => Some(role),
            LookedAt::Number(number) => self.processes.alive_by_number(self.by, number),
        };
        role.and_then(|role| self.processes.get(role))
    }

    /// A command that gets the namespace of a process. One that is reaped has no file that leads there any more.
    fn with_namespace(&self, with: Sight, at: LookedAt) -> Command {
        self.with_file(with, at, "pid")
    }

    /// The same with another of its files in `/proc/PID/ns`.
    fn with_file(&self, with: Sight, at: LookedAt, file: &str) -> Command {
        let Some(namespace) = self.whoever_is(at).and_then(|process| process.open_namespace_file(file)) else {
            return sight(with, &[NOTHING]);
        };
        let mut command = sight(with, &[sockets::handed_over_at().into()]);
        command.descriptor = Some(namespace);
        command
    }

    /// The translation ioctls on the namespace of a process, and the two numbers that they are asked about.
    fn translation(&self, process: Option<&Process>) -> Command {
        let own = |process: &Process| process.pids.last().map_or(0, |number| i64::from(*number));
        let namespace = process.and_then(|process| Some((process, process.open_namespace()?)));
        let Some((process, namespace)) = namespace else { return sight(Sight::Translation, &[NOTHING]) };
        let caller = self.processes.get(self.by).map_or(0, own);
        let mut command = sight(Sight::Translation, &[sockets::handed_over_at().into(), own(process), caller]);
        command.descriptor = Some(namespace);
        command
    }
}

fn sight(sight: Sight, arguments: &[i64]) -> Command {
    let mut all = vec![i64::from(sight.number())];
    all.extend(arguments);
    Command::new(Operation::Look, &all)
}

fn with_text(with: Sight, text: String) -> Command {
    let mut command = sight(with, &[]);
    command.text = text;
    command
}

/// The command for who speaks first.
pub(crate) fn say(syscall: &Syscall) -> Command {
    match syscall {
        Syscall::Look(Look::Credentials(_)) => sight(Sight::Say, &[sockets::credentials().0.into()]),
        _ => sight(Sight::Offer, &[]),
    }
}

/// The descriptor that a speaker has offered, where it has.
pub(crate) fn offered(syscall: &Syscall, speaker: Role, processes: &Processes) -> Option<io::Result<OwnedFd>> {
    if matches!(syscall, Syscall::Look(Look::Credentials(_))) {
        return None;
    }
    let number = arena::slot(speaker.index()).value.load(Ordering::Relaxed);
    let number = i32::try_from(number).map_err(io::Error::other);
    Some(number.and_then(|number| processes.descriptor_of(speaker, number)))
}

/// A look through procfs by who may not mount one is none: nothing was seen, and nothing has happened.
pub(crate) fn refused(syscall: &Syscall, outcome: &Outcome) -> Option<Refusal> {
    let refused = syscall.mounts_procfs() && *outcome == Outcome::Err(Errno::EPERM);
    refused.then_some(Refusal::NotModelled { call: CallName::Look, what: Unmodelled::NoProcfs })
}

/// What a call of this module gave. `result` is what the agent's call returned, no errno.
///
/// # Errors
/// An answer that cannot be read.
pub(crate) fn outcome(syscall: &Syscall, result: i64, slot: &Slot) -> Result<Outcome, String> {
    let value = slot.value.load(Ordering::Relaxed);
    let second = slot.code.load(Ordering::Relaxed);
    let number = |number: i64| u32::try_from(number).map_err(|_| format!("a look gave the number {number}"));
    let look = match syscall {
        Syscall::RtSigpending => return Ok(Outcome::Pending(signals(value as u64))),
        Syscall::PidfdPoll(_) => return Ok(Outcome::Polled(events(value as i16))),
        Syscall::Look(look) => look,
        _ => return Ok(Outcome::Ok(result)),
    };
    Ok(Outcome::Seen(match look {
        Look::Status { .. } => {
            let text = viewed(result);
            status(&text).ok_or_else(|| format!("a status that cannot be read: {text:?}"))?
        }
        Look::Listing => Seen::Listing(listing(&viewed(result))),
        Look::Children { .. } => {
            let text = viewed(result);
            Seen::Listing(children(&text).ok_or_else(|| format!("a children file that cannot be read: {text:?}"))?)
        }
        Look::Fdinfo(_) => {
            let text = viewed(result);
            fdinfo(&text).ok_or_else(|| format!("a fdinfo that cannot be read: {text:?}"))?
        }
        Look::Translate(_) => Seen::Translated { from: translated(value)?, into: translated(second.into())? },
        Look::Credentials(_) | Look::Peercred(_) => Seen::Credentials { pid: number(value)?, uid: second as u32 },
        Look::FileOwner(_) => Seen::Owner { pid: number(value)? },
        Look::PidfdInfo(_) => {
            let [pid, tgid] = [value, value >> 32].map(|number| number as u32);
            let [ppid, mask] = [second, slot.more.load(Ordering::Relaxed)].map(|number| number as u32);
            Seen::PidfdInfo { pid, tgid, ppid, mask }
        }
        Look::TidWords(_) => Seen::TidWords { parent_tid: number(value)?, child_tid: number(second.into())? },
        Look::PidfdExit(_) if value as u64 & looking::PIDFD_INFO_EXIT == 0 => {
            Seen::PidfdExit { mask: value as u32, status: None }
        }
        Look::PidfdExit(_) => {
            let status = wait_status(second).ok_or_else(|| format!("a pidfd gave the status {second}"))?;
            Seen::PidfdExit { mask: value as u32, status: Some(status) }
        }
        Look::Myself => Seen::Myself { myself: number(value)?, thread: number(second.into())? },
        Look::TheirProcfs(_) => Seen::Procfs { listing: listing(&viewed(result)), myself: number(value)? },
        Look::Loadavg => {
            let text = viewed(result);
            Seen::LastPid(loadavg(&text).ok_or_else(|| format!("a loadavg that cannot be read: {text:?}"))?)
        }
        Look::PidfdSignal(_) | Look::NsParent(_) | Look::NsFile(_) => return Ok(Outcome::Ok(result)),
        Look::NsParentFile(_) | Look::NsOwner(_) | Look::UserNsParent(_) => return Ok(Outcome::Ok(result)),
    }))
}

/// The signals of a set, whose lowest bit is signal 1.
fn signals(set: u64) -> Vec<Signal> {
    (1..=64).filter(|number| set >> (number - 1) & 1 == 1).filter_map(Signal::new).collect()
}

fn events(reported: i16) -> Vec<PollEvent> {
    let known = [(libc::POLLIN, PollEvent::In), (libc::POLLHUP, PollEvent::Hup)];
    known.into_iter().filter(|(bit, _)| reported & bit != 0).map(|(_, event)| event).collect()
}

/// What an ioctl returned: a number, or a negated errno.
fn translated(result: i64) -> Result<Result<u32, Errno>, String> {
    if let Ok(number) = u32::try_from(result) {
        return Ok(Ok(number));
    }
    let errno = i32::try_from(-result).ok().and_then(Errno::new);
    errno.map(Err).ok_or_else(|| format!("a translation returned {result}"))
}

/// The bytes that the agent left.
fn viewed(length: i64) -> Vec<u8> {
    let length = usize::try_from(length).unwrap_or(0);
    arena::view().iter().take(length).map(|byte| byte.load(Ordering::Relaxed)).collect()
}

/// The numbers of the line that begins with a key.
fn numbers<N: std::str::FromStr>(text: &[u8], key: &str) -> Option<Vec<N>> {
    let mut lines = std::str::from_utf8(text).ok()?.lines();
    let line = lines.find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
    line.split_ascii_whitespace().map(|number| number.parse().ok()).collect()
}

/// The one number of such a line.
fn number<N: std::str::FromStr + Copy>(text: &[u8], key: &str) -> Option<N> {
    match numbers(text, key)?[..] {
        [number] => Some(number),
        _ => None,
    }
}

/// proc_pid_status(5).
fn status(text: &[u8]) -> Option<Seen> {
    Some(Seen::Status {
        tgid: number(text, "Tgid")?,
        pid: number(text, "Pid")?,
        ppid: number(text, "PPid")?,
        tracer: number(text, "TracerPid")?,
        nstgid: numbers(text, "NStgid")?,
        nspid: numbers(text, "NSpid")?,
        nspgid: numbers(text, "NSpgid")?,
        nssid: numbers(text, "NSsid")?,
    })
}

/// proc_tid_children(5).
fn children(text: &[u8]) -> Option<Vec<u32>> {
    std::str::from_utf8(text).ok()?.split_ascii_whitespace().map(|number| number.parse().ok()).collect()
}

/// proc_pid_fdinfo(5), of a pidfd. One that is not visible has a single 0, one that is reaped a single -1.
fn fdinfo(text: &[u8]) -> Option<Seen> {
    Some(Seen::Fdinfo { pid: number(text, "Pid")?, nspid: numbers(text, "NSpid")? })
}

/// The last field of proc_loadavg(5).
fn loadavg(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text).ok()?.split_ascii_whitespace().last()?.parse().ok()
}

/// The names in a listing that are numbers (getdents(2), `struct linux_dirent64`), in order.
fn listing(mut entries: &[u8]) -> Vec<u32> {
    const LENGTH_AT: usize = 16;
    const NAME_AT: usize = 19;
    let mut found = Vec::new();
    while let Some(&[low, high]) = entries.get(LENGTH_AT..LENGTH_AT + 2) {
        let length = usize::from(u16::from_le_bytes([low, high])).max(NAME_AT);
        let name = entries.get(NAME_AT..length).and_then(|name| name.split(|byte| *byte == 0).next());
        found.extend(name.and_then(|name| std::str::from_utf8(name).ok()?.parse::<u32>().ok()));
        entries = entries.get(length..).unwrap_or(&[]);
    }
    found.sort_unstable();
    found
}
