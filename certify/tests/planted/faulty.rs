//! A PID 1 that does all its duties, but for one fault that can be switched on.

use std::ffi::CString;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;

use pidlab_realkernel::plain::{self, Unhandled};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, WaitOptions, getpid, kill_process, setpgid, waitid, waitpid,
};
use rustix::stdio::stdin;
use rustix::termios::{isatty, tcsetpgrp};

/// The first argument of this program where it is such an init.
pub(crate) const WORD: &str = "a-faulty-init";

/// No fault: it does everything, and sleeps twice before it reaps.
pub(crate) const SLUGGISH: &str = "sluggish";

/// It does not pass on a SIGTERM that comes from outside: no fault in a duty of the table alone.
pub(crate) const DEAF: &str = "deaf";

/// Each fault has the name of the duty that it is against.
pub(crate) struct Init {
    fault: String,
    keeps_a_service: bool,
    words: Vec<CString>,
    signals: OwnedFd,
    blocked_at_start: u64,
    ignored_at_start: u64,
    command: Option<Pid>,
    reaped: u32,
    first_status: Option<i32>,
    terms: u32,
}

const fn bit(signal: i32) -> u64 {
    1 << (signal - 1)
}

/// Is PID 1, for a container or as a supervisor, or for nothing where there is no command.
pub(crate) fn run(mut arguments: impl Iterator<Item = String>) -> io::Result<i32> {
    let (kind, fault) = (arguments.next().unwrap_or_default(), arguments.next().unwrap_or_default());
    let blocked_at_start = plain::blocked()?;
    plain::block_only(u64::MAX)?;
    let words: Result<Vec<CString>, _> = arguments.map(CString::new).collect();
    let mut init = Init {
        keeps_a_service: kind == "supervisor",
        words: words?,
        signals: plain::signals_of(u64::MAX)?,
        blocked_at_start,
        ignored_at_start: plain::ignored(),
        command: None,
        reaped: 0,
        first_status: None,
        terms: 0,
        fault,
    };
    if init.has("early-term") {
        while init.next_signal()?.is_some() {}
    }
    if !init.has("chld-ignored") {
        plain::dispose(libc::SIGCHLD, Unhandled::Default)?;
    }
    init.start()?;
    init.serve()
}

impl Init {
    fn has(&self, fault: &str) -> bool {
        self.fault == fault
    }

    /// Which signal of the terminal is passed on though the command has it already: they share a process group then.
    fn sent_twice(&self) -> Option<i32> {
        let signal =
            [("ctrl-c", libc::SIGINT), ("resize", libc::SIGWINCH)].into_iter().find(|(fault, _)| self.has(fault));
        signal.filter(|_| isatty(stdin())).map(|(_, signal)| signal)
    }

    fn start(&mut self) -> io::Result<()> {
        if self.words.is_empty() || self.has("starts") {
            return Ok(());
        }
        match plain::fork()? {
            Some(child) => {
                self.command = Pid::from_raw(child);
                if self.sent_twice().is_none() {
                    // From both sides: whoever comes first.
                    let _ = setpgid(self.command, self.command);
                }
                Ok(())
            }
            None => std::process::exit(self.be_the_command()?),
        }
    }

    fn be_the_command(&self) -> io::Result<i32> {
        let has_a_group = self.sent_twice().is_none();
        if has_a_group {
            setpgid(None, None)?;
        }
        if isatty(stdin()) && has_a_group && !self.has("foreground") {
            tcsetpgrp(stdin(), getpid())?;
        }
        for signal in (1..=64).filter(|signal| self.ignored_at_start & bit(*signal) != 0) {
            plain::dispose(signal, Unhandled::Default)?;
        }
        // This program is one in Rust, which ignores it.
        let pipe = if self.has("clean-ignored") { Unhandled::Ignore } else { Unhandled::Default };
        plain::dispose(libc::SIGPIPE, pipe)?;
        plain::block_only(if self.has("clean-mask") { bit(libc::SIGUSR1) } else { 0 })?;
        let error = plain::exec(&self.words);
        Ok(match error.raw_os_error() {
            Some(libc::ENOENT) if self.has("not-found") => 1,
            Some(libc::ENOENT) => 127,
            _ if self.has("not-executable") => 127,
            _ => 126,
        })
    }

    fn next_signal(&self) -> io::Result<Option<(i32, i32, i32)>> {
        let mut bytes = [0; 128];
        match rustix::io::read(&self.signals, &mut bytes) {
            Ok(_) => {
                let field = |at: usize| i32::from_ne_bytes(std::array::from_fn(|index| bytes[at + index]));
                Ok(Some((field(0), field(8), field(12))))
            }
            Err(rustix::io::Errno::AGAIN) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn serve(mut self) -> io::Result<i32> {
        let mut is_first = true;
        loop {
            while let Some((signal, code, sender)) = self.next_signal()? {
                if signal != libc::SIGCHLD {
                    if self.words.is_empty() && signal == libc::SIGTERM && !self.has("ends") {
                        return Ok(0);
                    }
                    self.pass_on(signal, code, sender, is_first)?;
                }
            }
            if self.has(SLUGGISH) {
                // From two places: whoever takes the second for the first again takes this for a loop.
                poll(&mut [], Some(&part_of_a_second(4)))?;
                poll(&mut [], Some(&part_of_a_second(5)))?;
            }
            if let Some(status) = self.reap()? {
                return Ok(status);
            }
            is_first = false;
            poll(&mut [PollFd::new(&self.signals, PollFlags::IN)], None)?;
        }
    }

    fn pass_on(&mut self, signal: i32, code: i32, sender: i32, was_there: bool) -> io::Result<()> {
        let (Some(command), Some(named)) = (self.command, Signal::from_named_raw(signal)) else { return Ok(()) };
        let sent_twice = self.sent_twice();
        let is_term = signal == libc::SIGTERM;
        self.terms += u32::from(is_term && !was_there);
        let is_lost = (self.has("passes-on") && signal == libc::SIGUSR2)
            || (self.has(DEAF) && is_term && sender == 0)
            || (self.has("twice") && is_term && self.terms > 1)
            || (self.has("from-inside") && sender == command.as_raw_pid())
            || (self.has("blocked-term") && self.blocked_at_start & bit(signal) != 0 && !was_there)
            || (self.has("job-control") && signal == libc::SIGTSTP)
            || (self.has("hangup") && signal == libc::SIGHUP && code > 0);
        // It has the terminal, and so has it already.
        let is_the_terminals = code > 0 && [libc::SIGINT, libc::SIGQUIT, libc::SIGWINCH].contains(&signal);
        if is_lost || (is_the_terminals && !self.has("foreground") && sent_twice != Some(signal)) {
            return Ok(());
        }
        match kill_process(command, named) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Waits for whoever has ended; the status to end with, if that is to be.
    fn reap(&mut self) -> io::Result<Option<i32>> {
        let mut ends = None;
        for child in children()? {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
            let status = match waitid(WaitId::Pid(child), options) {
                Ok(Some(status)) => status.exit_status().unwrap_or_else(|| -status.terminating_signal().unwrap_or(0)),
                _ => continue,
            };
            let is_command = Some(child) == self.command;
            if !is_command && !self.reaps(child, status) {
                continue;
            }
            waitpid(Some(child), WaitOptions::NOHANG)?;
            if is_command {
                ends = self.command_ended(status)?;
            } else {
                self.reaped += 1;
                self.first_status.get_or_insert(status);
                if self.has("stays") && status == 46 {
                    return Ok(Some(status));
                }
            }
        }
        let others = self.has("leftovers") && !children()?.is_empty();
        if others && ends.is_some() {
            self.words.clear();
            waitpid(None, WaitOptions::empty())?;
        }
        // The status of somebody, and not of its command.
        let mistaken = self.first_status.filter(|_| self.has("status-in-crowd") && self.reaped > 100);
        Ok(ends.map(|status| mistaken.unwrap_or(status)))
    }

    /// Whether it waits for this one, who is not its command.
    fn reaps(&self, child: Pid, status: i32) -> bool {
        let is_left = |fault: &str, by: i32| self.has(fault) && status == by;
        !(is_left("orphan", 41)
            || is_left("dead-orphan", 42)
            || is_left("few", 43)
            || is_left("nested", 47)
            || is_left("blocked-chld", 48)
            || (self.has("thousand") && self.reaped >= 500)
            || (self.has("crowd") && status < 0)
            || (self.has("exec-orphan") && session(child) == Some(0))
            || (self.has("stopped-command")
                && self.command.is_some_and(|command| matches!(state(command), Some('T' | 't'))))
            || (self.has("subreaper") && getpid().as_raw_pid() != 1))
    }

    fn command_ended(&mut self, status: i32) -> io::Result<Option<i32>> {
        self.command = None;
        if self.keeps_a_service {
            if !self.has("restarts") {
                self.start()?;
            }
            return Ok(None);
        }
        if self.has("stop") && self.terms > 0 && status < 0 {
            return Ok(None);
        }
        Ok(Some(match status {
            _ if self.has("stop-clean") && self.terms > 0 => 143,
            status @ 0.. if self.has("status") => status & 127,
            status @ 0.. => status,
            killed if self.has("status-killed") => -killed,
            killed => 128 - killed,
        }))
    }
}

fn part_of_a_second(tenths: i64) -> Timespec {
    Timespec { tv_sec: 0, tv_nsec: tenths * 100_000_000 }
}

fn children() -> io::Result<Vec<Pid>> {
    let own = getpid();
    let text = fs::read_to_string(format!("/proc/{own}/task/{own}/children"))?;
    Ok(text.split_ascii_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)).collect())
}

/// A field of proc_pid_stat(5), as the manual counts them.
fn field(pid: Pid, number: usize) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(number - 3).map(str::to_owned)
}

fn state(pid: Pid) -> Option<char> {
    field(pid, 3)?.chars().next()
}

fn session(pid: Pid) -> Option<i32> {
    field(pid, 6)?.parse().ok()
}
