//! One program under test, as PID 1 of a PID namespace, and the puppets around it.

use std::cell::{Cell, RefCell};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::sockopt::socket_peercred;
use rustix::net::{Shutdown, SocketFlags, accept_with, shutdown};
use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions, pidfd_open, pidfd_send_signal, wait, waitpid};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::birth::{self, Birth};
use crate::guest;
use crate::look;
use crate::recorder::{self, Kept, Recorder};
use crate::report::{Ended, Heard};
use crate::said::{self, Order, Said, Who};
use crate::stop::Stop;

/// What every lab of a duty is made from.
pub(crate) struct Bench {
    /// A folder of its own, which nobody else sees and which is gone with the conductor.
    pub(crate) folder: PathBuf,
    /// The user's command.
    pub(crate) words: Vec<String>,
    /// This program, by a path that those under test have, too.
    pub(crate) program: PathBuf,
    pub(crate) deadline: Instant,
    pub(crate) bound: Duration,
    pub(crate) labs: u32,
    /// The conductor's own number in its procfs, 0 if it is not in there: it is then beside a container that runs already.
    pub(crate) own: i32,
    /// Everything is recorded.
    pub(crate) recorder: Option<Recorder>,
    /// What is left of labs that were recorded.
    pub(crate) kept: RefCell<Vec<Kept>>,
}

/// In what a lab differs from the usual.
#[derive(Default)]
pub(crate) struct Setting {
    pub(crate) terminal: bool,
    pub(crate) blocked: Vec<i32>,
    pub(crate) ignored: Vec<i32>,
    pub(crate) pending: Vec<i32>,
    pub(crate) levels: u8,
    pub(crate) ordinary: bool,
    pub(crate) subreaper: bool,
    /// What stands for the puppet.
    pub(crate) command: Option<Vec<String>>,
}

/// A process that plays, or has played.
pub(crate) struct Puppet {
    socket: OwnedFd,
    pub(crate) name: String,
    /// Its PID for the conductor.
    pub(crate) pid: i32,
    pub(crate) born: Who,
    pub(crate) heard: Vec<Heard>,
    answer: Option<Said>,
    open: bool,
}

impl Puppet {
    /// Whether it has ended.
    pub(crate) fn has_ended(&self) -> bool {
        look::has_ended(self.pid)
    }

    /// How often it has got a signal.
    pub(crate) fn count(&self, signal: i32) -> usize {
        self.heard.iter().filter(|heard| heard.number == signal).count()
    }
}

pub(crate) struct Lab<'a> {
    pub(crate) bench: &'a Bench,
    listener: OwnedFd,
    log: PathBuf,
    pub(crate) puppets: Vec<Puppet>,
    /// Not yet said who they are.
    strangers: Vec<(OwnedFd, i32)>,
    /// The conductor's child: the program under test, or the outermost of those around it; nobody, where that runs already.
    outer: Option<Pid>,
    /// The conductor's child in a container that runs already.
    guest: Option<Pid>,
    /// The stage, where the lab is recorded.
    stage: Option<i32>,
    /// strace has ended, and the stage has not said how the program did.
    is_lost: bool,
    /// What was to be seen in this lab was not.
    failed: Cell<bool>,
    /// The program under test.
    pub(crate) subject: Option<i32>,
    no_program: Option<String>,
    pub(crate) ended: Option<Ended>,
    pub(crate) terminal: Option<OwnedFd>,
    pub(crate) echo: Vec<u8>,
}

impl Bench {
    /// Starts the program under test.
    pub(crate) fn lab(&mut self, setting: Setting) -> Result<Lab<'_>, Stop> {
        self.labs += 1;
        let file = |name: &str| self.folder.join(format!("{name}{}", self.labs));
        let (socket, log) = (file("s"), file("log"));
        File::create(&log)?;
        let listener = said::listener(&socket)?;
        let (terminal, slave) = match setting.terminal {
            true => terminal().map(|(master, slave)| (Some(master), Some(slave)))?,
            false => (None, None),
        };
        let puppet = || guest::words(&self.program, &socket, "command");
        let command = setting.command.unwrap_or_else(puppet);
        let birth = Birth {
            words: filled(&self.words, &command),
            socket,
            log: log.clone(),
            changes: file("changes"),
            terminal: slave,
            blocked: setting.blocked,
            ignored: setting.ignored,
            pending: setting.pending,
            levels: setting.levels,
            ordinary: setting.ordinary,
            subreaper: setting.subreaper,
        };
        let outer = match &self.recorder {
            Some(recorder) => recorder.start(&self.program, &birth, &file("strace"), &file("complaints"))?,
            None => birth::in_a_new_namespace(&mut birth::starter(&birth)?)?,
        };
        let mut lab = self.empty(listener, log);
        (lab.outer, lab.terminal) = (Some(outer), terminal);
        Ok(lab)
    }

    /// Whether it is about a PID 1 that runs already.
    pub(crate) fn is_attached(&self) -> bool {
        self.own == 0
    }

    /// A lab around a PID 1 that runs already, in which nobody plays.
    pub(crate) fn watch(&mut self) -> Result<Lab<'_>, Stop> {
        self.labs += 1;
        let log = self.folder.join(format!("log{}", self.labs));
        File::create(&log)?;
        let listener = said::listener(&self.folder.join(format!("s{}", self.labs)))?;
        let mut lab = self.empty(listener, log);
        lab.subject = Some(1);
        Ok(lab)
    }

    fn empty(&self, listener: OwnedFd, log: PathBuf) -> Lab<'_> {
        Lab {
            bench: self,
            listener,
            log,
            puppets: Vec::new(),
            strangers: Vec::new(),
            outer: None,
            guest: None,
            stage: None,
            is_lost: false,
            failed: Cell::new(false),
            subject: None,
            no_program: None,
            ended: None,
            terminal: None,
            echo: Vec::new(),
        }
    }
}

/// The user's words, with the command in place of `{}`: as words of its own, or within a word as a shell reads it.
fn filled(words: &[String], command: &[String]) -> Vec<String> {
    let quoted: Vec<String> = command.iter().map(|word| format!("'{}'", word.replace('\'', r"'\''"))).collect();
    let quoted = quoted.join(" ");
    let fill = |word: &String| match &**word {
        "{}" => command.to_vec(),
        _ => vec![word.replace("{}", &quoted)],
    };
    words.iter().flat_map(fill).collect()
}

/// A pseudoterminal: its master, and the path of the other end.
fn terminal() -> io::Result<(OwnedFd, PathBuf)> {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    let name = ptsname(&master, Vec::new())?.into_string().map_err(io::Error::other)?;
    Ok((master, PathBuf::from(name)))
}

impl Lab<'_> {
    /// Takes in what has come, for at most so long if there is nothing yet. Says whether there was anything.
    pub(crate) fn pump(&mut self, wait: Duration) -> io::Result<bool> {
        let mut got = self.take_all(wait)?;
        // Who has ended has said all that there is to hear.
        while self.reap()? {
            got = true;
            self.take_all(Duration::ZERO)?;
        }
        Ok(got)
    }

    fn take_all(&mut self, mut wait: Duration) -> io::Result<bool> {
        let mut got = false;
        while self.take_some(wait)? {
            (got, wait) = (true, Duration::ZERO);
        }
        Ok(got)
    }

    fn take_some(&mut self, wait: Duration) -> io::Result<bool> {
        let wait = Timespec { tv_sec: 0, tv_nsec: wait.subsec_nanos().into() };
        let open: Vec<usize> = (0..self.puppets.len()).filter(|index| self.puppets[*index].open).collect();
        let mut files = vec![PollFd::new(&self.listener, PollFlags::IN)];
        files.extend(self.strangers.iter().map(|(socket, _)| PollFd::new(socket, PollFlags::IN)));
        files.extend(open.iter().map(|index| PollFd::new(&self.puppets[*index].socket, PollFlags::IN)));
        files.extend(self.terminal.iter().map(|terminal| PollFd::new(terminal, PollFlags::IN)));
        if poll(&mut files, Some(&wait))? == 0 {
            return Ok(false);
        }
        let ready: Vec<bool> = files.iter().map(|file| !file.revents().is_empty()).collect();
        let (strangers, rest) = ready[1..].split_at(self.strangers.len());
        let (puppets, terminal) = rest.split_at(open.len());
        for (index, _) in open.iter().zip(puppets).filter(|(_, ready)| **ready) {
            self.puppets[*index].take();
        }
        if terminal.first() == Some(&true) {
            self.take_echo();
        }
        // From the last on, for each may leave the list.
        for index in (0..strangers.len()).rev().filter(|index| strangers[*index]) {
            self.meet(index);
        }
        if ready[0] {
            let socket = accept_with(&self.listener, SocketFlags::CLOEXEC)?;
            let pid = socket_peercred(&socket)?.pid.as_raw_pid();
            self.strangers.push((socket, pid));
        }
        Ok(true)
    }

    /// What somebody says first.
    fn meet(&mut self, index: usize) {
        match said::hear::<Said>(&self.strangers[index].0) {
            Ok(Some(Said::Hello(born))) => {
                let (socket, pid) = self.strangers.remove(index);
                // Beside a container, the socket has another number for it than the procfs.
                let pid = if self.bench.is_attached() { born.pid } else { pid };
                let same = self.puppets.iter().filter(|puppet| puppet.born.name == born.name).count();
                let name = if same == 0 { born.name.clone() } else { format!("{}#{}", born.name, same + 1) };
                self.puppets.push(Puppet { socket, name, pid, born, heard: Vec::new(), answer: None, open: true });
            }
            Ok(Some(Said::Begins)) => self.subject = Some(self.strangers[index].1),
            Ok(Some(Said::Stage)) => self.stage = Some(self.strangers[index].1),
            Ok(Some(Said::Ended(status))) => self.ended = Some(recorder::ended(status)),
            Ok(Some(Said::NoProgram { errno, what })) => {
                let program = self.bench.words.first().map_or("", String::as_str);
                self.no_program = Some(format!("{program}: {what}: {}", io::Error::from_raw_os_error(errno)));
            }
            // The exec has closed it.
            _ => drop(self.strangers.remove(index)),
        }
    }

    fn take_echo(&mut self) {
        let mut bytes = [0; 4096];
        match self.terminal.as_ref().map(|terminal| rustix::io::read(terminal, &mut bytes)) {
            Some(Ok(length)) if length > 0 => self.echo.extend_from_slice(&bytes[..length]),
            // Nobody has it open any more.
            _ => self.terminal = None,
        }
    }

    /// Waits for whoever has ended.
    fn reap(&mut self) -> io::Result<bool> {
        let mut any = false;
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) => {
                    any = true;
                    if Some(pid) == self.outer && self.bench.recorder.is_some() {
                        self.is_lost = true;
                    } else if Some(pid) == self.outer {
                        self.ended = Some(Ended::of(status));
                    } else if Some(pid) == self.guest {
                        self.guest = None;
                    }
                }
                Ok(None) | Err(rustix::io::Errno::CHILD) => return Ok(any),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The program could not be started.
    pub(crate) fn check_started(&self) -> Result<(), Stop> {
        if self.is_lost && self.ended.is_none() {
            let said = fs::read(self.file("complaints")).unwrap_or_default();
            let said = String::from_utf8_lossy(&said);
            let last = said.lines().last().map_or_else(String::new, |line| format!(": {line}"));
            return Err(Stop::NotRecorded(format!("strace has ended too early{last}")));
        }
        self.no_program.as_ref().map_or(Ok(()), |why| Err(Stop::NoProgram(why.clone())))
    }

    /// A file of this lab.
    fn file(&self, name: &str) -> PathBuf {
        self.bench.folder.join(format!("{name}{}", self.bench.labs))
    }

    /// Notes that what was to be seen in this lab was not: where a duty has several, its calls are those to be told.
    pub(crate) fn note_failure(&self) {
        self.failed.set(true);
    }

    /// Whether a process is stopped.
    ///
    /// One that is traced is in the same state as one that its tracer looks at for a moment. But a tracer does not sleep while there is
    /// somebody to be looked at: so it is stopped if it was in one and the same stop before and after strace was asleep.
    pub(crate) fn is_stopped(&self, pid: i32) -> bool {
        match look::state(pid) {
            Some('T') => true,
            Some('t') => {
                let before = look::at_rest(pid);
                let tracer = self.outer.and_then(|tracer| look::at_rest(tracer.as_raw_pid()));
                matches!((before, tracer), (Some(('t', _)), Some(('S', _)))) && look::at_rest(pid) == before
            }
            _ => false,
        }
    }

    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.puppets.iter().position(|puppet| puppet.name == name)
    }

    /// The host's number of the PID 1 that is tested: the one of the command's namespace, where the program under test has made another.
    pub(crate) fn init(&self) -> Result<i32, Stop> {
        let subject = self.subject.ok_or_else(|| Stop::Broken("the program never began".to_owned()))?;
        let Some(command) = self.puppets.first() else { return Ok(subject) };
        let depth = look::numbers_of(command.pid).len();
        let mut at = command.pid;
        if depth <= look::numbers_of(subject).len() {
            return Ok(subject);
        }
        while look::numbers_of(at).last() != Some(&1) || look::numbers_of(at).len() != depth {
            match look::parent(at) {
                Some(parent) if parent > 1 => at = parent,
                _ => return Ok(subject),
            }
        }
        Ok(at)
    }

    /// A signal from outside.
    pub(crate) fn send(&self, pid: i32, signal: i32) -> Result<(), Stop> {
        if self.bench.is_attached() {
            return Err(Stop::Broken("no signal is sent into a container that runs already".to_owned()));
        }
        match self.stage() {
            Some(stage) => Ok(said::say(stage, &Order::Kill { pid, signal })?),
            None => Ok(recorder::signal_from_outside(pid, signal)?),
        }
    }

    /// Who does what comes from outside, where that is to be in a log.
    fn stage(&self) -> Option<&OwnedFd> {
        let its = self.strangers.iter().find(|(_, pid)| Some(*pid) == self.stage);
        its.map(|(socket, _)| socket)
    }

    /// Lets somebody from outside join, whose child becomes a puppet of this name: as `docker exec` does.
    pub(crate) fn invite(&mut self, name: &str) -> Result<(), Stop> {
        let socket = self.bench.folder.join(format!("s{}", self.bench.labs));
        let words = guest::words(&self.bench.program, &socket, name);
        let init = self.init()?;
        match self.stage() {
            Some(stage) => said::say(stage, &Order::Invite { pid: init, words, log: self.log.clone() })?,
            None => drop(guest::starter(init, &words, &self.log)?.spawn()?),
        }
        Ok(())
    }

    /// Brings a puppet of this name into a container that runs already. Its parent is out here, and so it is nobody's orphan in there, whenever
    /// this process ends.
    pub(crate) fn bring(&mut self, name: &str) -> Result<(), Stop> {
        let socket = self.bench.folder.join(format!("s{}", self.bench.labs));
        let words = guest::words(&self.bench.program, &socket, name);
        let mut command = Command::new(&words[0]);
        let log = OpenOptions::new().append(true).open(&self.log)?;
        command.args(&words[1..]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let started = command.spawn().map_err(|error| match error.raw_os_error() {
            // fork(2): the init of the namespace has ended.
            Some(libc::ENOMEM) => Stop::Undecided("nobody can be born in its PID namespace any more".to_owned()),
            _ => error.into(),
        })?;
        self.guest = Pid::from_raw(i32::try_from(started.id()).unwrap_or(0));
        Ok(())
    }

    /// Whether the one that was brought is still there.
    pub(crate) fn has_a_guest(&self) -> bool {
        self.guest.is_some()
    }

    /// Sends an order, and does not wait for an answer.
    pub(crate) fn order(&mut self, index: usize, order: &Order) -> Result<(), Stop> {
        self.puppets[index].answer = None;
        // One that has just ended does not answer, which is seen.
        match said::say(&self.puppets[index].socket, order) {
            Err(error) if error.raw_os_error() != Some(libc::EPIPE) => Err(error.into()),
            _ => Ok(()),
        }
    }

    pub(crate) fn has_answered(&self, index: usize) -> bool {
        self.puppets[index].answer.is_some() || !self.puppets[index].open
    }

    pub(crate) fn answer(&mut self, index: usize) -> Option<Said> {
        self.puppets[index].answer.take()
    }

    /// What the program has written, the last lines of it.
    pub(crate) fn output(&self) -> String {
        const LINES: usize = 5;
        const LONGEST: usize = 2000;
        let bytes = fs::read(&self.log).unwrap_or_default();
        let bytes = if bytes.is_empty() { &self.echo } else { &bytes };
        let text = String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(LONGEST)..]).into_owned();
        let lines: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
        lines[lines.len().saturating_sub(LINES)..].join("\n")
    }

    /// The last of these lines, for a sentence.
    pub(crate) fn last_words(&self) -> String {
        self.output().lines().last().map_or_else(String::new, |line| format!("; it wrote: {line}"))
    }
}

impl Lab<'_> {
    /// The stage ends, and strace after it. Whatever does not, the conductor's own end ends.
    fn end_recording(&mut self) {
        let log = self.file("strace");
        let played = fs::metadata(&log).map_or(0, |log| usize::try_from(log.len()).unwrap_or(usize::MAX));
        let init = self.init().ok();
        self.bench.kept.borrow_mut().push(Kept { log, init, played, failed: self.failed.get() });
        // Nobody but the stage: who is in there is to be killed, and not to end by himself, which the PID 1 would have to do with once more.
        self.strangers.clear();
        if let Some(strace) = self.outer.filter(|_| !self.is_lost) {
            self.wait_until_the_bound(strace);
        }
        let _ = self.reap();
    }

    /// It ends by itself; should somebody in there have stopped it, that one is not waited for.
    fn wait_until_the_bound(&self, child: Pid) {
        let Ok(pidfd) = pidfd_open(child, PidfdFlags::empty()) else { return };
        let left = self.bench.deadline.saturating_duration_since(Instant::now());
        let left = Timespec { tv_sec: left.as_secs().try_into().unwrap_or(0), tv_nsec: left.subsec_nanos().into() };
        if poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&left)).is_ok_and(|ended| ended > 0) {
            let _ = waitpid(Some(child), WaitOptions::NOHANG);
        }
    }
}

impl Puppet {
    fn take(&mut self) {
        match said::hear(&self.socket) {
            Ok(Some(Said::Heard { signal, sender, code })) => {
                self.heard.push(Heard::new(&self.name, signal, sender, code));
            }
            Ok(Some(answer)) => self.answer = Some(answer),
            Ok(None) | Err(_) => self.open = false,
        }
    }
}

impl Drop for Lab<'_> {
    fn drop(&mut self) {
        if let Some(guest) = self.guest.take() {
            // Whoever has no conductor any more ends, after his children.
            self.puppets.clear();
            self.strangers.clear();
            let _ = shutdown(&self.listener, Shutdown::Both);
            while accept_with(&self.listener, SocketFlags::CLOEXEC).is_ok() {}
            self.wait_until_the_bound(guest);
        }
        if self.bench.recorder.is_some() {
            self.end_recording();
            return;
        }
        let (None, Some(outer)) = (self.ended, self.outer) else { return };
        // PID 1 takes everybody of its namespace along. Should it not end, the conductor's own end does.
        if let Ok(pidfd) = pidfd_open(outer, PidfdFlags::empty()) {
            let _ = pidfd_send_signal(&pidfd, Signal::KILL);
        }
        let _ = waitpid(Some(outer), WaitOptions::empty());
        let _ = self.reap();
    }
}

#[cfg(test)]
mod tests {
    use super::filled;

    #[test]
    fn the_command_stands_as_words_or_as_a_shell_reads_it() {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let command = words(&["/a b", "it's"]);
        assert_eq!(filled(&words(&["tini", "--", "{}"]), &command), words(&["tini", "--", "/a b", "it's"]));
        assert_eq!(
            filled(&words(&["sh", "-c", "{}; exit"]), &command),
            words(&["sh", "-c", r"'/a b' 'it'\''s'; exit"])
        );
        assert_eq!(filled(&words(&["sleep", "1"]), &command), words(&["sleep", "1"]));
    }
}
