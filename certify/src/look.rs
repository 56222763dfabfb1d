//! What procfs tells of the processes of a lab: proc_pid_stat(5), proc_pid_status(5), proc_pid_wchan(5).

use std::collections::BTreeMap;
use std::fs;

/// `PF_EXITING`, include/linux/sched.h.
const EXITING: u64 = 4;

/// One thread, as it was seen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Seen {
    pub(crate) process: i32,
    pub(crate) name: String,
    pub(crate) state: char,
    /// What it has been switched to and from so far.
    pub(crate) switches: u64,
    /// Nothing but somebody else, or a time-out, makes it go on.
    pub(crate) rests: bool,
}

/// All threads of this procfs but those of one process.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct Look(pub(crate) BTreeMap<i32, Seen>);

impl Look {
    /// Looks at each once. What vanishes meanwhile is left out.
    pub(crate) fn around(own: i32) -> Look {
        let mut seen = BTreeMap::new();
        for process in numbers("/proc").filter(|process| *process != own) {
            for thread in numbers(&format!("/proc/{process}/task")) {
                if let Some(it) = look_at(process, thread) {
                    seen.insert(thread, it);
                }
            }
        }
        Look(seen)
    }

    /// Somebody who goes on without us.
    pub(crate) fn restless(&self) -> Option<&Seen> {
        self.0.values().find(|seen| !seen.rests)
    }
}

fn numbers(folder: &str) -> impl Iterator<Item = i32> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn look_at(process: i32, thread: i32) -> Option<Seen> {
    let folder = format!("/proc/{process}/task/{thread}");
    let stat = fs::read(format!("{folder}/stat")).ok()?;
    let stat = String::from_utf8_lossy(&stat);
    let (before, after) = stat.rsplit_once(')')?;
    let name = before.split_once('(')?.1.to_owned();
    let fields: Vec<&str> = after.split_ascii_whitespace().collect();
    let state = fields.first()?.chars().next()?;
    let exiting = fields.get(6)?.parse::<u64>().ok()? & EXITING != 0;
    // A zombie has nothing more to do, and its status is not asked: there may be a thousand.
    if state == 'Z' {
        return Some(Seen { process, name, state, switches: 0, rests: true });
    }
    let switches = switches(&folder)?;
    // A sleeper that is still on the run queue sleeps nowhere yet, and an init on its way out goes on when the others have gone.
    let rests = match state {
        'S' => !exiting && sleeps_somewhere(&folder),
        'T' | 't' => sleeps_somewhere(&folder),
        _ => false,
    };
    Some(Seen { process, name, state, switches, rests })
}

fn switches(folder: &str) -> Option<u64> {
    let status = fs::read(format!("{folder}/status")).ok()?;
    let status = String::from_utf8_lossy(&status);
    let counts = status.lines().filter_map(|line| line.split_once("ctxt_switches:")?.1.trim().parse::<u64>().ok());
    Some(counts.sum())
}

/// Off the run queue: it has a place where it sleeps or, on kernels that do not tell it, is in a call, which procfs says only of who is off it.
fn sleeps_somewhere(folder: &str) -> bool {
    let place = fs::read(format!("{folder}/wchan")).unwrap_or_default();
    if !matches!(&place[..], b"" | b"0") {
        return true;
    }
    let call = fs::read(format!("{folder}/syscall")).unwrap_or_default();
    !call.is_empty() && !call.starts_with(b"running")
}

/// The state letter of a process; nothing if it is gone.
pub(crate) fn state(process: i32) -> Option<char> {
    let stat = fs::read(format!("/proc/{process}/stat")).ok()?;
    let stat = String::from_utf8_lossy(&stat);
    stat.rsplit_once(')')?.1.trim_start().chars().next()
}

/// A process's parent.
pub(crate) fn parent(process: i32) -> Option<i32> {
    let stat = fs::read(format!("/proc/{process}/stat")).ok()?;
    let stat = String::from_utf8_lossy(&stat);
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// A process's numbers, from this procfs's namespace inward.
pub(crate) fn numbers_of(process: i32) -> Vec<i32> {
    let status = fs::read(format!("/proc/{process}/status")).unwrap_or_default();
    let status = String::from_utf8_lossy(&status);
    let line = status.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap_or_default();
    line.split_ascii_whitespace().filter_map(|number| number.parse().ok()).collect()
}

/// How many zombies there are whose parent is this process.
pub(crate) fn zombies_of(process: i32) -> usize {
    let is_one = |child: &i32| state(*child) == Some('Z') && parent(*child) == Some(process);
    numbers("/proc").filter(is_one).count()
}
