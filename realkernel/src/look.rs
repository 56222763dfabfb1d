//! How a process sees the others: the commands for such calls, and what their answers say.
//!
//! An agent only fetches bytes and numbers (`agent::look`). They are read here.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::Ordering;

use pidlab_scenario::{Call, CallName, Errno, LookVia, Outcome, PollEvent, Refusal, Role, Seen, Signal, Target};

use crate::agent::{Operation, Sight};
use crate::command::{Command, Translator};
use crate::processes::{Process, Processes};
use crate::sys::arena::{self, Slot};
use crate::sys::sockets;

/// Takes the place of a socket where nothing is handed over.
const NOTHING: i64 = -1;

impl Translator<'_> {
    /// The command for sigpending.
    pub(crate) fn sigpending(&self) -> Command {
        sight(Sight::Pending, &[])
    }

    /// The command for a poll of a pidfd: the one from birth for a role, a new one for a number.
    pub(crate) fn pidfd_poll(&self, pid: Target) -> Result<Command, Refusal> {
        match pid {
            Target::Number(number) => Ok(sight(Sight::Poll, &[NOTHING, number.into()])),
            Target::Role(role) => with_pidfd(Sight::Poll, self.known(role)?, CallName::PidfdPoll),
        }
    }

    /// The command for a look.
    pub(crate) fn look(&self, pid: Target, via: LookVia) -> Result<Command, Refusal> {
        let caller = self.known(self.by)?;
        let target = match pid {
            Target::Number(0) => Ok(caller),
            Target::Role(role) => Ok(self.known(role)?),
            Target::Number(number) => Err(number),
        };
        match via {
            LookVia::Listing => Ok(sight(Sight::Listing, &[])),
            LookVia::Proc => {
                // 0 is nobody's number: the kernel's own answer for who has none here.
                let number = match target {
                    Ok(process) => process.number_for(caller).map_or(0, i64::from),
                    Err(number) => number.into(),
                };
                let mut command = sight(Sight::File, &[]);
                command.text = format!("{number}/status");
                Ok(command)
            }
            LookVia::Fdinfo => match target {
                Ok(process) => with_pidfd(Sight::Fdinfo, process, CallName::Look),
                Err(number) => Ok(sight(Sight::Fdinfo, &[NOTHING, number.into()])),
            },
            LookVia::Translate => Ok(self.translation(caller, self.whoever_is(target))),
            LookVia::Loadavg => {
                let mut command = sight(Sight::Path, &[]);
                command.text = "/proc/loadavg".to_owned();
                Ok(command)
            }
            LookVia::NsFile => {
                // The procfs on /proc is the conductor's, so the number is, too; 0 is nobody's.
                let number =
                    self.whoever_is(target).filter(|process| !process.gone).map_or(0, |process| process.number);
                let mut command = sight(Sight::SameFile, &[]);
                command.text = format!("/proc/{number}/ns/pid");
                Ok(command)
            }
            LookVia::NsParent | LookVia::TheirProcfs => {
                let with = if via == LookVia::NsParent { Sight::Parent } else { Sight::TheirListing };
                let namespace = self.whoever_is(target).and_then(Process::open_namespace);
                let Some(namespace) = namespace else { return Ok(sight(with, &[NOTHING])) };
                let mut command = sight(with, &[sockets::handed_over_at().into()]);
                command.descriptor = Some(namespace);
                Ok(command)
            }
            _ if target.is_err() => {
                let what = Some("a number in place of a process".to_owned());
                Err(Refusal::NotModelled { call: CallName::Look, what })
            }
            LookVia::Credentials => Ok(sight(Sight::Hear, &[sockets::credentials().1.into()])),
            // What is handed over is made when the other has spoken.
            LookVia::Peercred => Ok(sight(Sight::Peer, &[sockets::handed_over_at().into()])),
            LookVia::FileOwner => Ok(sight(Sight::Owner, &[sockets::handed_over_at().into()])),
            LookVia::PidfdInfo => with_pidfd(Sight::PidfdInfo, self.role_or_self(pid)?, CallName::Look),
            LookVia::PidfdSignal => with_pidfd(Sight::PidfdSignal, self.role_or_self(pid)?, CallName::Look),
        }
    }

    /// The process that a look is about, be it named or by a number that is somebody's now.
    fn whoever_is<'b>(&'b self, target: Result<&'b Process, i32>) -> Option<&'b Process> {
        match target {
            Ok(process) => Some(process),
            Err(number) => self.processes.alive_by_number(self.by, number).and_then(|role| self.processes.get(role)),
        }
    }

    /// The process that a target names by its role, or by 0.
    fn role_or_self(&self, target: Target) -> Result<&Process, Refusal> {
        match target {
            Target::Role(role) => self.known(role),
            Target::Number(_) => self.known(self.by),
        }
    }

    /// A look through the namespace of a process. One that is reaped has no file that leads there any more.
    fn translation(&self, caller: &Process, process: Option<&Process>) -> Command {
        let own = |process: &Process| process.pids.last().map_or(0, |number| i64::from(*number));
        let namespace = process.and_then(|process| Some((process, process.open_namespace()?)));
        let Some((process, namespace)) = namespace else { return sight(Sight::Translation, &[NOTHING]) };
        let socket = sockets::handed_over_at().into();
        let mut command = sight(Sight::Translation, &[socket, own(process), own(caller)]);
        command.descriptor = Some(namespace);
        command
    }

    fn known(&self, role: Role) -> Result<&Process, Refusal> {
        self.processes.get(role).ok_or(Refusal::NotBorn { role })
    }
}

fn sight(sight: Sight, arguments: &[i64]) -> Command {
    let mut all = vec![sight as i64];
    all.extend(arguments);
    Command::new(Operation::Look, &all)
}

/// A command that gets the pidfd that a process has had from its birth.
fn with_pidfd(with: Sight, process: &Process, call: CallName) -> Result<Command, Refusal> {
    let Some(pidfd) = &process.pidfd else {
        let what = "a pidfd of a thread, which this kernel does not have".to_owned();
        return Err(Refusal::NotModelled { call, what: Some(what) });
    };
    let mut command = sight(with, &[sockets::handed_over_at().into(), 0]);
    command.descriptor = Some(pidfd.try_clone());
    Ok(command)
}

/// Who has to act before the caller can make this call: the sender of the message that it receives.
pub(crate) fn speaker(call: &Call, by: Role) -> Option<Role> {
    match call {
        Call::Look { pid, via: LookVia::Credentials | LookVia::Peercred | LookVia::FileOwner } => match pid {
            Target::Role(role) => Some(*role),
            Target::Number(0) => Some(by),
            Target::Number(_) => None,
        },
        _ => None,
    }
}

/// The command for the speaker.
pub(crate) fn say(call: &Call) -> Command {
    match call {
        Call::Look { via: LookVia::Credentials, .. } => sight(Sight::Say, &[sockets::credentials().0.into()]),
        _ => sight(Sight::Offer, &[]),
    }
}

/// The descriptor that a speaker has offered, where it has.
pub(crate) fn offered(call: &Call, speaker: Role, processes: &Processes) -> Option<io::Result<OwnedFd>> {
    if matches!(call, Call::Look { via: LookVia::Credentials, .. }) {
        return None;
    }
    let number = arena::slot(speaker.index()).value.load(Ordering::Relaxed);
    let number = i32::try_from(number).map_err(io::Error::other);
    Some(number.and_then(|number| processes.descriptor_of(speaker, number)))
}

/// A look through procfs by who may not mount one is none: nothing was seen, and nothing has happened.
pub(crate) fn refused(call: &Call, outcome: &Outcome) -> Option<Refusal> {
    match (call, outcome) {
        (
            Call::Look { via: LookVia::Listing | LookVia::Proc | LookVia::Fdinfo | LookVia::TheirProcfs, .. },
            Outcome::Err(Errno::EPERM),
        ) => {
            let what = "a procfs of its own, which the caller may not mount".to_owned();
            Some(Refusal::NotModelled { call: CallName::Look, what: Some(what) })
        }
        _ => None,
    }
}

/// What a call of this module gave; `None` for other calls. `result` is what the agent's call returned, no errno.
///
/// # Errors
/// An answer that cannot be read.
pub(crate) fn outcome(call: &Call, result: i64, slot: &Slot) -> Result<Option<Outcome>, String> {
    let value = slot.value.load(Ordering::Relaxed);
    let second = slot.code.load(Ordering::Relaxed);
    let number = |number: i64| u32::try_from(number).map_err(|_| format!("a look gave the number {number}"));
    let seen = match call {
        Call::Sigpending => return Ok(Some(Outcome::Pending(signals(value as u64)))),
        Call::PidfdPoll { .. } => return Ok(Some(Outcome::Polled(events(value as i16)))),
        Call::Look { via: LookVia::Proc, .. } => {
            let text = viewed(result);
            status(&text).ok_or_else(|| format!("a status that cannot be read: {text:?}"))?
        }
        Call::Look { via: LookVia::Listing, .. } => Seen::Listing(listing(&viewed(result))),
        Call::Look { via: LookVia::Fdinfo, .. } => {
            let text = viewed(result);
            fdinfo(&text).ok_or_else(|| format!("a fdinfo that cannot be read: {text:?}"))?
        }
        Call::Look { via: LookVia::Translate, .. } => {
            Seen::Translated { from: translated(value)?, into: translated(second.into())? }
        }
        Call::Look { via: LookVia::Credentials | LookVia::Peercred, .. } => {
            Seen::Credentials { pid: number(value)?, uid: second as u32 }
        }
        Call::Look { via: LookVia::FileOwner, .. } => Seen::Owner { pid: number(value)? },
        Call::Look { via: LookVia::PidfdInfo, .. } => {
            let [pid, tgid] = [value, value >> 32].map(|number| number as u32);
            Seen::PidfdInfo { pid, tgid, ppid: second as u32 }
        }
        Call::Look { via: LookVia::TheirProcfs, .. } => {
            Seen::Procfs { listing: listing(&viewed(result)), myself: number(value)? }
        }
        Call::Look { via: LookVia::Loadavg, .. } => {
            let text = viewed(result);
            Seen::LastPid(loadavg(&text).ok_or_else(|| format!("a loadavg that cannot be read: {text:?}"))?)
        }
        _ => return Ok(None),
    };
    Ok(Some(Outcome::Seen(seen)))
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
        nstgid: numbers(text, "NStgid")?,
        nspid: numbers(text, "NSpid")?,
        nspgid: numbers(text, "NSpgid")?,
        nssid: numbers(text, "NSsid")?,
    })
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

/// Hands over what a command brings, before the agent takes it.
///
/// # Errors
/// Where the kernel does not pass it on.
pub(crate) fn hand_over(descriptor: Option<&io::Result<OwnedFd>>) -> Result<(), String> {
    let Some(descriptor) = descriptor else { return Ok(()) };
    sockets::clear();
    let handed = match descriptor {
        Ok(descriptor) => sockets::hand_over(descriptor.as_fd()),
        Err(error) => Err(io::Error::from(error.kind())),
    };
    handed.map_err(|error| format!("a descriptor could not be handed over: {error}"))
}
