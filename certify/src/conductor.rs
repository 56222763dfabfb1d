//! The conductor of one duty: PID 1 of a PID namespace in which everything happens, so that nothing outlives it.
//!
//! ```text
//! pidlab ──watched pipe──▶ launcher ──▶ conductor (PID 1) ──▶ the program under test (PID 1 of its own namespace) ──▶ puppets
//! ```
//!
//! The conductor's standard input is a pipe of which only the caller holds the other end. When that closes, because the caller has what it
//! wants or was killed, the conductor ends, and the kernel ends everybody in its namespace and in those below.

use std::cell::RefCell;
use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change, mount_remount};
use serde::{Deserialize, Serialize};

use crate::acting;
use crate::attach::Whom;
use crate::lab::Bench;
use crate::play::Played;
use crate::recorder::{self, Recorder};
use crate::report::{Recorded, Recording, Report, Verdict};
use crate::script::Script;
use crate::stop::Stop;
use crate::table;

/// The names under which this program is started.
pub(crate) const LAUNCHER: &str = "pidlab-init-launcher";
pub(crate) const CONDUCTOR: &str = "pidlab-init-conductor";

/// One duty to be asked of one program.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Task {
    pub(crate) words: Vec<String>,
    pub(crate) asked: Part,
    pub(crate) bound: Duration,
    pub(crate) program: PathBuf,
    /// It is asked of a PID 1 that runs already.
    pub(crate) running: Option<Whom>,
    /// It is recorded.
    pub(crate) recorder: Option<Recorder>,
}

/// What is played.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) enum Part {
    /// A duty of the table, by its name.
    BuiltIn(String),
    /// A duty of a user's own.
    Own { name: String, script: Script },
}

impl Part {
    fn name(&self) -> &str {
        match self {
            Part::BuiltIn(name) | Part::Own { name, .. } => name,
        }
    }

    fn play(&self, bench: &mut Bench) -> Played {
        match self {
            Part::BuiltIn(name) => match table::find(name) {
                Some(duty) => (duty.play)(bench),
                None => Err(Stop::NotAsked("there is no such duty".to_owned())),
            },
            Part::Own { script, .. } => acting::play(script, bench),
        }
    }
}

/// What the caller gets.
#[derive(Serialize, Deserialize)]
pub(crate) enum Told {
    Report(Report),
    Recorded(Recorded),
    Unavailable { reason: String, remedy: String },
}

/// Makes the namespaces, and in them the conductor; ends as that does.
pub(crate) fn launch(task: &str) -> io::Result<i32> {
    // A signal for the caller's process group is for the caller.
    rustix::process::setsid()?;
    if let Err(why) = pidlab_realkernel::set_apart() {
        tell(&Told::Unavailable { reason: why.reason, remedy: why.remedy })?;
        return Ok(0);
    }
    let status = Command::new("/proc/self/exe").arg0(CONDUCTOR).arg(task).spawn()?.wait()?;
    Ok(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)))
}

pub(crate) fn tell(told: &Told) -> io::Result<()> {
    let mut out = io::stdout();
    out.write_all(&serde_json::to_vec(told)?)?;
    out.flush()
}

/// Asks the duty, and tells how it came out.
pub(crate) fn conduct(task: &str) -> io::Result<i32> {
    let begun = Instant::now();
    let task: Task = serde_json::from_str(task)?;
    end_with_the_caller();
    let told = match surroundings() {
        Ok(folder) => {
            let bound = task.bound;
            let (words, program) = (task.words.clone(), task.program.clone());
            let mut bench = Bench {
                folder,
                words,
                program,
                deadline: begun + bound,
                bound,
                labs: 0,
                own: 1,
                recorder: task.recorder,
                kept: RefCell::default(),
            };
            match bench.recorder {
                Some(_) => Told::Recorded(record(&task.asked, &mut bench)),
                None => Told::Report(play(&task.asked, &mut bench)),
            }
        }
        Err(error) => Told::Unavailable {
            reason: format!("a place of its own could not be made for a program under test: {error}"),
            remedy: "run as root, or where user namespaces may mount".to_owned(),
        },
    };
    tell(&told)?;
    Ok(0)
}

/// From now on this process ends when nobody has the other end of its standard input any more.
pub(crate) fn end_with_the_caller() {
    std::thread::spawn(|| {
        // Nobody writes there; it ends when nobody can.
        let _ = io::stdin().read(&mut [0]);
        std::process::exit(1);
    });
}

pub(crate) fn play(part: &Part, bench: &mut Bench) -> Report {
    report(part.name(), part.play(bench))
}

fn report(name: &str, played: Played) -> Report {
    let stopped =
        |verdict, seen| Report { duty: name.to_owned(), verdict, seen, heard: Vec::new(), output: String::new() };
    match played {
        Ok(outcome) => outcome.report(name),
        Err(Stop::Undecided(why)) => stopped(Verdict::NotDecided, why),
        Err(Stop::NotAsked(why)) => stopped(Verdict::NotAsked, why),
        Err(Stop::NoProgram(why)) => stopped(Verdict::NoProgram, why),
        Err(Stop::NotRecorded(why) | Stop::Broken(why)) => {
            stopped(Verdict::NotDecided, format!("the lab failed: {why}"))
        }
    }
}

/// Plays it under strace.
fn record(part: &Part, bench: &mut Bench) -> Recorded {
    let played = part.play(bench);
    if let Err(Stop::NotRecorded(why)) = played {
        return Recorded::Not { why };
    }
    let Report { verdict, seen, .. } = report(part.name(), played);
    match recorder::logs(&bench.kept.borrow()) {
        Ok((logs, calls)) => Recorded::Played(Recording { verdict, seen, calls, logs }),
        Err(error) => Recorded::Not { why: format!("the log cannot be read: {error}") },
    }
}

/// A procfs of this namespace, a folder that nobody else sees, and nothing of the machine's files to be changed.
fn surroundings() -> io::Result<PathBuf> {
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?;
    let hardened = MountFlags::NOSUID | MountFlags::NODEV;
    mount("proc", "/proc", "proc", hardened | MountFlags::NOEXEC, None)?;
    read_only()?;
    let place = a_folder()?;
    if Path::new("/dev/shm").is_dir() {
        mount("tmpfs", "/dev/shm", "tmpfs", hardened, None)?;
    }
    Ok(place)
}

/// A folder in memory that nobody else sees.
pub(crate) fn a_folder() -> io::Result<PathBuf> {
    let free = |path: &&str| fs::metadata(path).is_ok_and(|found| found.is_dir());
    let place = ["/mnt", "/media", "/srv", "/opt"].into_iter().find(free);
    let place = place.ok_or_else(|| io::Error::other("there is no /mnt, /media, /srv or /opt"))?;
    mount("tmpfs", place, "tmpfs", MountFlags::NOSUID | MountFlags::NODEV, None)?;
    Ok(PathBuf::from(place))
}

/// Every mount as it is, but not to be written to.
fn read_only() -> io::Result<()> {
    let mounts = fs::read_to_string("/proc/self/mountinfo")?;
    for line in mounts.lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        let (Some(place), Some(options)) = (fields.get(4), fields.get(5)) else { continue };
        let place = unescaped(place);
        if ["/proc", "/dev"].iter().any(|kept| Path::new(&place).starts_with(kept)) {
            continue;
        }
        let kept = options.split(',').fold(MountFlags::empty(), |flags, option| flags | flag(option));
        // One that is covered by another, or that may not be touched, cannot be reached, or not be written to by us either.
        let _ = mount_remount(place.as_str(), kept | MountFlags::BIND | MountFlags::RDONLY, "");
    }
    Ok(())
}

/// What must stay as it is: a user namespace cannot take it away.
fn flag(option: &str) -> MountFlags {
    match option {
        "nosuid" => MountFlags::NOSUID,
        "nodev" => MountFlags::NODEV,
        "noexec" => MountFlags::NOEXEC,
        "noatime" => MountFlags::NOATIME,
        "nodiratime" => MountFlags::NODIRATIME,
        "relatime" => MountFlags::RELATIME,
        _ => MountFlags::empty(),
    }
}

/// A path as it is: mountinfo writes blanks and others as octal numbers.
fn unescaped(path: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .iter()
        .fold(path.to_owned(), |path, (code, letter)| path.replace(code, letter))
}
