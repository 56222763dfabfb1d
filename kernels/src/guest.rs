//! The first process of a guest: this program, as `/init`.
//!
//! It mounts what a program expects, runs itself once more as a child with the arguments that the host wants, copies what that one writes
//! to the results line, says how it ended, and powers off. It never returns: the kernel panics if its first process ends.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::mount::{MountFlags, mount};
use rustix::process::{WaitOptions, wait};
use rustix::system::{RebootCommand, reboot};
use rustix::termios::{OptionalActions, tcdrain, tcgetattr, tcsetattr};

use crate::frame::{Boot, Ended, Frame, Said};
use crate::order::{self, Task};

/// How often the guest says that it is alive.
const BEAT: Duration = Duration::from_secs(1);

/// A limit that is the whole machine's on older kernels; nothing that runs here may change it.
const PID_MAX: &str = "/proc/sys/kernel/pid_max";

/// Whether this process is the first of a guest. `/task.json` is nowhere else.
pub fn is_init() -> bool {
    std::process::id() == 1
        && Path::new(order::FILE).exists()
        && std::env::args_os().next().is_some_and(|name| name == "/init")
}

/// Does all that the first process of a guest has to do.
pub fn init() -> ! {
    if let Err(error) = serve() {
        // To the console: there is no results line, or it does not take anything.
        let _ = writeln!(io::stderr(), "pidlab: {error}");
    }
    loop {
        // It comes back only where the kernel cannot.
        if let Err(error) = reboot(RebootCommand::PowerOff) {
            let _ = writeln!(io::stderr(), "pidlab: cannot power off: {error}");
            thread::park();
        }
    }
}

/// The results line, which several threads write to.
#[derive(Clone)]
struct Results(Arc<Mutex<File>>);

impl Results {
    fn say(&self, frame: &Frame) -> io::Result<()> {
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(frame.line().as_bytes())
    }
}

fn serve() -> io::Result<()> {
    for (kind, place) in [("proc", "/proc"), ("sysfs", "/sys"), ("devtmpfs", "/dev")] {
        // What the kernel was built without, the program will miss if it needs it, and say so.
        let _ = mount(kind, place, kind, MountFlags::empty(), None);
    }
    let task: Task = serde_json::from_slice(&fs::read(order::FILE)?)?;
    let line = OpenOptions::new().write(true).open(&task.line)?;
    make_raw(&line)?;
    let results = Results(Arc::new(Mutex::new(line)));
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned();
    results.say(&Frame::Boot(Boot { release }))?;
    let before = fs::read_to_string(PID_MAX).ok();
    let status = match run(&task, &results) {
        Ok(status) => status.code().or(status.signal().map(|signal| 128 + signal)).unwrap_or(127),
        Err(error) => {
            results.say(&Frame::Said(Said::Err { err: format!("the program could not be started: {error}") }))?;
            127
        }
    };
    for path in &task.order.bring {
        if let Ok(text) = fs::read_to_string(path) {
            results.say(&Frame::Said(Said::File { file: path.display().to_string(), text }))?;
        }
    }
    let after = fs::read_to_string(PID_MAX).ok();
    let changed = (before != after).then(|| format!("{PID_MAX} was {before:?} and is {after:?}"));
    results.say(&Frame::End(Ended { status, changed }))?;
    let line = results.0.lock().unwrap_or_else(PoisonError::into_inner);
    // What is still on its way would be lost with the machine.
    tcdrain(&*line)?;
    Ok(())
}

/// A line of its own for what is said, with nothing that a terminal does to it.
fn make_raw(line: &File) -> io::Result<()> {
    let mut settings = tcgetattr(line)?;
    settings.make_raw();
    Ok(tcsetattr(line, OptionalActions::Now, &settings)?)
}

fn run(Task { order, input, .. }: &Task, results: &Results) -> io::Result<ExitStatus> {
    fs::create_dir_all(&order.folder)?;
    for folder in order.bring.iter().filter_map(|path| path.parent()) {
        fs::create_dir_all(folder)?;
    }
    let input = match input {
        Some(path) => File::open(path)?.into(),
        None => Stdio::null(),
    };
    let mut child = Command::new("/proc/self/exe")
        .args(&order.arguments)
        .envs(order.variables.iter().map(|(name, value)| (name, value)))
        .env("PATH", "/usr/bin:/bin")
        .current_dir(&order.folder)
        .stdin(input)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let out = child.stdout.take().map(|from| copy(from, results, |out| Said::Out { out }));
    let err = child.stderr.take().map(|from| copy(from, results, |err| Said::Err { err }));
    let status = wait_for(&child, results)?;
    for copied in [out, err].into_iter().flatten() {
        copied.join().map_err(|_| io::Error::other("what it wrote could not be copied"))??;
    }
    Ok(status)
}

/// Waits for the child, and says meanwhile that the guest is alive.
fn wait_for(child: &Child, results: &Results) -> io::Result<ExitStatus> {
    let (say, hear) = mpsc::channel();
    let number = child.id();
    thread::spawn(move || say.send(reap_up_to(number)));
    loop {
        match hear.recv_timeout(BEAT) {
            Ok(status) => return status,
            Err(RecvTimeoutError::Timeout) => results.say(&Frame::Alive)?,
            Err(RecvTimeoutError::Disconnected) => return Err(io::Error::other("nobody waits for the program")),
        }
    }
}

/// Reaps everybody, as a first process has to, up to this child.
fn reap_up_to(child: u32) -> io::Result<ExitStatus> {
    loop {
        match wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) if pid.as_raw_nonzero().get().unsigned_abs() == child => {
                return Ok(ExitStatus::from_raw(status.as_raw()));
            }
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Copies lines as they come.
fn copy(
    from: impl Read + Send + 'static,
    results: &Results,
    said: fn(String) -> Said,
) -> thread::JoinHandle<io::Result<()>> {
    let results = results.clone();
    thread::spawn(move || {
        let mut from = BufReader::new(from);
        let mut line = Vec::new();
        while from.read_until(b'\n', &mut line)? > 0 {
            let text = String::from_utf8_lossy(&line);
            results.say(&Frame::Said(said(text.strip_suffix('\n').unwrap_or(&text).to_owned())))?;
            line.clear();
        }
        Ok(())
    })
}
