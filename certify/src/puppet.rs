//! The command that the program under test is given to run: a process that does what it is told, and tells which signals it gets.
//!
//! It blocks every signal and reads them from a signalfd, so that none is lost, and each comes with its sender. A signal that is to act as it
//! does by default is taken out of that.

use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use pidlab_realkernel::plain::{self, Unhandled};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, WaitOptions, getpid, kill_process, kill_process_group, set_child_subreaper,
    setpgid, setsid, waitid, waitpid,
};

use crate::said::{self, Order, Said, Who};

/// The first argument of a program that is a puppet: nobody means it by accident.
pub(crate) const WORD: &str = "a-puppet-of-pidlab-init";

/// The highest signal.
const LAST: i32 = 64;
const SIGCHLD: i32 = libc::SIGCHLD;
/// sigprocmask(2): trying to block these is no mistake, and changes nothing.
const NEVER_BLOCKED: u64 = 1 << (libc::SIGKILL - 1) | 1 << (libc::SIGSTOP - 1);
/// How a puppet ends that nobody plays with any more.
const ALONE: i32 = 98;

struct Puppet {
    path: PathBuf,
    socket: OwnedFd,
    signals: OwnedFd,
    /// The signals that are noted, and not acted on.
    noted: u64,
    /// Those that are kept for later.
    masked: u64,
    name: String,
    blocked: u64,
    ignored: u64,
}

/// Serves until it is told to end, or until nobody is there who could tell.
///
/// Then its children hear that, too, and end; it ends after them, so that none of them is left to somebody else's PID 1. It learns of it by the
/// end of what it reads, or by an answer that cannot be given any more.
pub(crate) fn play(path: PathBuf, name: String) -> io::Result<i32> {
    let served = serve(path, name);
    if !matches!(served, Ok(Some(_))) {
        while waitpid(None, WaitOptions::empty()).is_ok() {}
    }
    served.map(|status| status.unwrap_or(ALONE))
}

/// The status that it was told to end with; nothing if nobody plays any more.
fn serve(path: PathBuf, name: String) -> io::Result<Option<i32>> {
    let (blocked, ignored) = (plain::blocked()?, plain::ignored_at_birth());
    for signal in 1..=LAST {
        // Nothing can be said about SIGKILL, SIGSTOP, and the two that the C library keeps; they are at their default.
        let _ = plain::dispose(signal, Unhandled::Default);
    }
    let mut puppet = Puppet::new(path, name, [u64::MAX, 0], [blocked, ignored])?;
    loop {
        let (socket, signals) =
            (PollFd::new(&puppet.socket, PollFlags::IN), PollFd::new(&puppet.signals, PollFlags::IN));
        let mut both = [socket, signals];
        poll(&mut both, None)?;
        // Signals first: whoever gets an answer knows what was heard before it.
        if both[1].revents().contains(PollFlags::IN) {
            puppet.tell_of_a_signal()?;
        } else if !both[0].revents().is_empty() {
            let Some(order) = said::hear(&puppet.socket)? else { return Ok(None) };
            match puppet.obey(order) {
                Ok(Next::Say(said)) => said::say(&puppet.socket, &said)?,
                Ok(Next::End(status)) => return Ok(Some(status)),
                Ok(Next::Be(child)) => puppet = child,
                Err(error) => said::say(&puppet.socket, &Said::Failed(error.raw_os_error().unwrap_or(0)))?,
            }
        }
    }
}

/// What comes of an order.
enum Next {
    Say(Said),
    End(i32),
    /// This process is the child that was to be made.
    Be(Puppet),
}

impl Puppet {
    fn new(path: PathBuf, name: String, [noted, masked]: [u64; 2], [blocked, ignored]: [u64; 2]) -> io::Result<Puppet> {
        plain::block_only(noted | masked)?;
        let socket = said::connected(&path)?;
        let signals = plain::signals_of(noted & !masked)?;
        let puppet = Puppet { path, socket, signals, noted, masked, name, blocked, ignored };
        said::say(&puppet.socket, &Said::Hello(puppet.who()))?;
        Ok(puppet)
    }

    /// Read from procfs, which has a 0 for a group or a session that is led from outside: a number that getpgrp(2) gives, and std and rustix
    /// do not know.
    fn who(&self) -> Who {
        let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
        let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_ascii_whitespace();
        let numbers: Vec<i32> = fields.skip(1).map(|field| field.parse().unwrap_or(0)).take(5).collect();
        let [parent, group, session, _, foreground] = numbers[..] else { return Who::default() };
        Who {
            name: self.name.clone(),
            pid: getpid().as_raw_pid(),
            parent,
            group,
            session,
            foreground: (foreground >= 0).then_some(foreground),
            blocked: self.blocked,
            ignored: self.ignored,
        }
    }

    /// One signal is read from the descriptor: `struct signalfd_siginfo`, signalfd(2).
    fn tell_of_a_signal(&self) -> io::Result<()> {
        let mut bytes = [0; 128];
        if rustix::io::read(&self.signals, &mut bytes)? != bytes.len() {
            return Ok(());
        }
        let field = |at: usize| i32::from_ne_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        said::say(&self.socket, &Said::Heard { signal: field(0), code: field(8), sender: field(12) })
    }

    fn obey(&mut self, order: Order) -> io::Result<Next> {
        let mut value = 0;
        match order {
            Order::Fork { name } => match plain::fork()? {
                Some(pid) => value = pid.into(),
                None => return self.child(name).map(Next::Be),
            },
            Order::Exit { status } => return Ok(Next::End(status.into())),
            Order::Burst { count, status } => match plain::fork()? {
                Some(middle) => value = reap(middle)?,
                None => return Ok(Next::End(burst(count, status))),
            },
            Order::Crowd { count } => match plain::fork()? {
                Some(middle) => {
                    let status = reap(middle)?;
                    value = if status == 0 { middle.into() } else { 0 };
                }
                None => return Ok(Next::End(crowd(count))),
            },
            Order::Kill { pid, signal } => kill_process(number(pid)?, named(signal)?)?,
            Order::KillGroup { group, signal } => kill_process_group(number(group)?, named(signal)?)?,
            Order::Signal { pid, signal } => plain::kill(pid, signal)?,
            Order::Handle { signal } => {
                plain::dispose(signal, Unhandled::Default)?;
                self.take(self.noted | bit(signal), self.masked)?;
            }
            Order::Ignore { signal } => {
                // Before it is unblocked: what is pending is thrown away, and not acted on.
                plain::dispose(signal, Unhandled::Ignore)?;
                self.take(self.noted & !bit(signal), self.masked)?;
            }
            Order::Default { signal } => {
                plain::dispose(signal, Unhandled::Default)?;
                self.take(self.noted & !bit(signal), self.masked)?;
            }
            Order::Block { signal } => self.take(self.noted, self.masked | (bit(signal) & !NEVER_BLOCKED))?,
            Order::Unblock { signal } => self.take(self.noted, self.masked & !bit(signal))?,
            Order::Plain { signal: Some(signal) } => self.let_act(bit(signal))?,
            Order::Plain { signal: None } => self.let_act(!bit(SIGCHLD))?,
            Order::Wait => value = waitpid(None, WaitOptions::NOHANG)?.map_or(0, |(pid, _)| pid.as_raw_pid().into()),
            Order::WaitFor { pid, options } => {
                let options = WaitOptions::from_bits_retain(options) | WaitOptions::NOHANG;
                let waited = waitpid(if pid == -1 { None } else { Some(number(pid)?) }, options)?;
                let Some((pid, status)) = waited else { return Ok(Next::Say(Said::Done(0))) };
                return Ok(Next::Say(Said::Waited { pid: pid.as_raw_pid(), status: status.as_raw() }));
            }
            Order::Join { pid, group } => setpgid(Pid::from_raw(pid.max(0)), Pid::from_raw(group.max(0)))?,
            Order::Subreaper { on } => set_child_subreaper(on.then(getpid))?,
            Order::Setsid => value = setsid()?.as_raw_pid().into(),
            Order::Setpgid => setpgid(None, None)?,
            Order::Invite { .. } => return Err(io::ErrorKind::Unsupported.into()),
            Order::Who => return Ok(Next::Say(Said::Who(self.who()))),
        }
        Ok(Next::Say(Said::Done(value)))
    }

    /// This process, which has just been made, as a puppet of its own.
    fn child(&self, name: String) -> io::Result<Puppet> {
        Puppet::new(self.path.clone(), name, [self.noted, self.masked], [self.blocked, self.ignored])
    }

    /// From now on these do what they do by default.
    fn let_act(&mut self, signals: u64) -> io::Result<()> {
        self.take(self.noted & !signals, self.masked)
    }

    /// From now on these signals are noted, and those kept for later.
    fn take(&mut self, noted: u64, masked: u64) -> io::Result<()> {
        (self.noted, self.masked) = (noted, masked);
        self.signals = plain::signals_of(noted & !masked)?;
        plain::block_only(noted | masked)
    }
}

/// A signal as a set.
fn bit(signal: i32) -> u64 {
    1 << (signal - 1).clamp(0, LAST - 1)
}

fn number(pid: i32) -> io::Result<Pid> {
    Pid::from_raw(pid).ok_or_else(|| io::Error::from_raw_os_error(libc::EINVAL))
}

fn named(signal: i32) -> io::Result<Signal> {
    Signal::from_named_raw(signal).ok_or_else(|| io::Error::from_raw_os_error(libc::EINVAL))
}

/// The status of a child, once it has ended.
fn reap(child: i32) -> io::Result<i64> {
    let ended = waitpid(Some(number(child)?), WaitOptions::empty())?;
    Ok(ended.and_then(|(_, status)| status.exit_status()).unwrap_or(-1).into())
}

/// Makes children that have ended before this process does.
fn burst(count: u32, status: u8) -> i32 {
    for _ in 0..count {
        match plain::fork() {
            Ok(None) => return status.into(),
            Ok(Some(child)) => {
                let ended = number(child)
                    .and_then(|child| Ok(waitid(WaitId::Pid(child), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)?));
                if ended.is_err() {
                    return 1;
                }
            }
            Err(_) => return 1,
        }
    }
    0
}

/// Makes children that sleep, in a process group of their own, and do nothing about signals.
fn crowd(count: u32) -> i32 {
    if setpgid(None, None).is_err() {
        return 1;
    }
    for _ in 0..count {
        match plain::fork() {
            Ok(None) => {
                if plain::block_only(0).is_err() {
                    return 1;
                }
                loop {
                    std::thread::park();
                }
            }
            Ok(Some(_)) => {}
            Err(_) => return 1,
        }
    }
    0
}
