//! One guest from its start to its end, with a bound on each part of it.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{MemfdFlags, memfd_create};

use crate::frame::{Boot, Ended, Frame, Said};
use crate::initramfs::Archive;
use crate::kernel::{Kernel, Kind};
use crate::machine::Machine;
use crate::order::{self, Order, Task};
use crate::program;

/// How long a guest may take for what.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// From the start of the machine to the first line of the guest's first process.
    pub boot: Duration,
    /// From one line to the next; the guest says every second that it is alive.
    pub silence: Duration,
    /// For all of it.
    pub whole: Duration,
    /// From the program's end to that of the machine.
    pub power_off: Duration,
}

impl Default for Bounds {
    fn default() -> Bounds {
        Bounds {
            boot: Duration::from_secs(120),
            silence: Duration::from_secs(60),
            whole: Duration::from_secs(900),
            power_off: Duration::from_secs(15),
        }
    }
}

impl Bounds {
    /// The default, stretched by how much more there is to do on this machine than it has processors for: a guest that gets no CPU is not one
    /// that hangs.
    pub fn here() -> Bounds {
        let load = std::fs::read_to_string("/proc/loadavg").ok();
        let load = load.and_then(|text| text.split(' ').next()?.parse::<f64>().ok()).unwrap_or_default();
        let cpus = thread::available_parallelism().map_or(1, |count| count.get());
        let stretch = (load / cpus as f64).clamp(1.0, MOST_STRETCHED);
        let Bounds { boot, silence, whole, power_off } = Bounds::default();
        let [boot, silence, whole, power_off] = [boot, silence, whole, power_off].map(|bound| bound.mul_f64(stretch));
        Bounds { boot, silence, whole, power_off }
    }
}

/// However busy a machine is, no bound is longer than so many times the default.
const MOST_STRETCHED: f64 = 20.0;

/// What the program in a guest said.
///
/// Exhaustive on purpose: whoever boots a kernel has something to do for each, and the compiler says where a new one is missing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// A line of its standard output.
    Out(String),
    /// A line of its standard error.
    Err(String),
    /// A file that was asked for.
    File(PathBuf, String),
}

/// How a guest ended.
///
/// Exhaustive on purpose: whoever boots a kernel has something to do for each, and the compiler says where a new one is missing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ending {
    /// The program in it ended, with this code, and then the machine.
    Ended(u8),
    /// Something else happened, so nothing is known of the program: why, and the console's last lines.
    Cut(String, Vec<String>),
    /// The machine could not be started: why, and what helps.
    Unavailable(String, String),
}

/// A guest that is over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Past {
    /// The kernel's release, if it came so far that it said so.
    pub release: Option<String>,
    /// How long it took to boot.
    pub boot: Option<Duration>,
    /// How it ended.
    pub ending: Ending,
}

/// The last lines of a console, as many as help.
const CONSOLE_LINES: usize = 30;
type Console = Arc<Mutex<VecDeque<String>>>;

/// Boots a kernel, runs this program in it, and tells what it says.
///
/// `files` are put into the guest under their paths.
///
/// # Errors
/// If this program, or its memory, is not to be had. That the machine cannot be started is no error but an [`Ending`].
pub fn run(
    kernel: &Kernel,
    order: Order,
    input: Option<&[u8]>,
    files: &[(PathBuf, Vec<u8>)],
    bounds: Bounds,
    mut tell: impl FnMut(Event),
) -> io::Result<Past> {
    let line = match kernel.kind {
        Kind::Qemu => "/dev/ttyS1",
        Kind::Uml => "/dev/ttyS0",
    };
    let path = input.map(|_| PathBuf::from("/standard-input"));
    let archive = archive(&Task { order, input: path, line: line.to_owned() }, input, files)?;
    let machine = Machine {
        kind: kernel.kind,
        image: kernel.image.clone(),
        root: kernel.root.clone(),
        archive: PathBuf::from(format!("/proc/{}/fd/{}", std::process::id(), archive.as_raw_fd())),
    };
    let mut guest = Guest::start(&machine, bounds)?;
    let mut past = Past { release: None, boot: None, ending: guest.unsaid("") };
    past.ending = loop {
        match guest.next() {
            Ok(Frame::Boot(Boot { release })) => {
                past.release = Some(release);
                past.boot = Some(guest.begun.elapsed());
                guest.booted = true;
            }
            Ok(Frame::Alive) => {}
            Ok(Frame::Said(Said::Out { out })) => tell(Event::Out(out)),
            Ok(Frame::Said(Said::Err { err })) => tell(Event::Err(err)),
            Ok(Frame::Said(Said::File { file, text })) => tell(Event::File(PathBuf::from(file), text)),
            Ok(Frame::Unavailable(why)) => break Ending::Unavailable(why.reason, why.remedy),
            Ok(Frame::End(ended)) => break guest.finish(ended),
            Err(why) => break guest.unsaid(&why),
        }
    };
    Ok(past)
}

/// The guest's root folder, in memory that no file system has.
fn archive(task: &Task, input: Option<&[u8]>, files: &[(PathBuf, Vec<u8>)]) -> io::Result<File> {
    let mut archive = Archive::new();
    for (path, content) in program::files()? {
        archive.file(&path, &content);
    }
    archive.file(Path::new(order::FILE), &serde_json::to_vec(task)?);
    if let Some((path, content)) = task.input.as_deref().zip(input) {
        archive.file(path, content);
    }
    for (path, content) in files {
        archive.file(path, content);
    }
    let mut memory = File::from(memfd_create("initramfs", MemfdFlags::CLOEXEC)?);
    memory.write_all(&archive.finish())?;
    Ok(memory)
}

/// A machine that runs.
struct Guest {
    begun: Instant,
    booted: bool,
    bounds: Bounds,
    launcher: Child,
    frames: Receiver<Frame>,
    console: Console,
}

impl Guest {
    fn start(machine: &Machine, bounds: Bounds) -> io::Result<Guest> {
        let mut launcher = machine.launcher()?;
        let mut launcher = launcher.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let (say, frames) = mpsc::channel();
        let console = Console::default();
        if let Some(results) = launcher.stdout.take() {
            let console = Arc::clone(&console);
            thread::spawn(move || read_results(results, &say, &console));
        }
        if let Some(errors) = launcher.stderr.take() {
            let console = Arc::clone(&console);
            thread::spawn(move || read_console(errors, &console));
        }
        Ok(Guest { begun: Instant::now(), booted: false, bounds, launcher, frames, console })
    }

    /// What is said next, or why nothing more will be.
    fn next(&mut self) -> Result<Frame, String> {
        let left = self.bounds.whole.saturating_sub(self.begun.elapsed());
        let (bound, why) = match self.booted {
            false => (self.bounds.boot, "did not come up"),
            true => (self.bounds.silence, "said nothing more, not even that it is alive,"),
        };
        match self.frames.recv_timeout(bound.min(left)) {
            Ok(frame) => Ok(frame),
            Err(RecvTimeoutError::Timeout) if left <= bound => {
                Err(format!("was not done within {} s", self.bounds.whole.as_secs()))
            }
            Err(RecvTimeoutError::Timeout) => Err(format!("{why} within {} s", bound.as_secs())),
            Err(RecvTimeoutError::Disconnected) => {
                let ended = self.launcher.wait().map_or_else(|error| error.to_string(), in_words);
                Err(format!("ended before it said so ({ended})"))
            }
        }
    }

    /// The program is done: now the machine has to be.
    fn finish(&mut self, ended: Ended) -> Ending {
        let until = Instant::now() + self.bounds.power_off;
        loop {
            match self.frames.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    return self.unsaid(&format!("did not power off within {} s", self.bounds.power_off.as_secs()));
                }
            }
        }
        match (ended.changed, u8::try_from(ended.status)) {
            (Some(changed), _) => self.unsaid(&format!("is not as it was: {changed}")),
            (None, Ok(status)) => Ending::Ended(status),
            (None, Err(_)) => self.unsaid(&format!("said that the program ended with {}", ended.status)),
        }
    }

    fn unsaid(&self, why: &str) -> Ending {
        let console = self.console.lock().unwrap_or_else(PoisonError::into_inner);
        Ending::Cut(why.to_owned(), console.iter().cloned().collect())
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        // The warden's pipe ends, then the warden, then all in its namespace, and then the launcher, which waited for that.
        drop(self.launcher.stdin.take());
        let _ = self.launcher.wait();
    }
}

fn in_words(status: ExitStatus) -> String {
    status.to_string()
}

/// Reads the results line. What is no frame belongs to the console.
fn read_results(results: impl io::Read, say: &Sender<Frame>, console: &Console) {
    each_line(results, |line| match Frame::read(line) {
        Some(frame) => say.send(frame).is_ok(),
        None => {
            keep(console, line);
            true
        }
    });
}

fn read_console(errors: impl io::Read, console: &Console) {
    each_line(errors, |line| {
        keep(console, line);
        true
    });
}

fn keep(console: &Console, line: &str) {
    let mut console = console.lock().unwrap_or_else(PoisonError::into_inner);
    if console.len() == CONSOLE_LINES {
        console.pop_front();
    }
    console.push_back(line.trim_end().to_owned());
}

/// A line that is longer than any that this program writes is not waited for: no guest fills the memory.
const LONGEST: u64 = 64 << 20;

fn each_line(from: impl io::Read, mut take: impl FnMut(&str) -> bool) {
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    while let Ok(1..) = io::Read::take(&mut from, LONGEST).read_until(b'\n', &mut line) {
        if !take(&String::from_utf8_lossy(&line)) {
            return;
        }
        line.clear();
    }
}
