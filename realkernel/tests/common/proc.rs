//! What `/proc` says of the processes below a helper, read by itself: nothing here is the runner's.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;

use pidlab_scenario::State;

/// One task of a scenario, leader of its process or not.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    /// Its number where this program is.
    pub(crate) number: u32,
    pub(crate) leader: u32,
    pub(crate) parent: u32,
    /// Its numbers from the scenario's outermost namespace inward.
    pub(crate) pids: Vec<u32>,
    /// As it sees them itself.
    pub(crate) group: u32,
    pub(crate) session: u32,
    /// The inode of its namespace.
    pub(crate) namespace: u64,
    letter: char,
    /// Whether it has memory: a task gives it up before it waits for others to end.
    has_memory: bool,
    /// The number of the system call that it is in, where that may be read.
    call: Option<i64>,
}

/// Every task below a guard and its conductor.
pub(crate) struct World(BTreeMap<u32, Task>);

impl World {
    /// Reads it.
    pub(crate) fn below(guard: u32) -> World {
        let above = numbers(&status(&format!("/proc/{guard}")).expect("the guard lives"), "NSpid").len() + 1;
        let parents: BTreeMap<u32, u32> =
            listed("/proc").into_iter().filter_map(|number| Some((number, parent(number)?))).collect();
        let is_below = |number: u32| {
            let mut line = std::iter::successors(Some(number), |number| parents.get(number).copied());
            line.any(|number| number == guard)
        };
        let mut tasks = BTreeMap::new();
        for process in parents.keys().copied().filter(|number| is_below(*number)) {
            for number in listed(&format!("/proc/{process}/task")) {
                let task = Task::read(number, above).filter(|task| !task.pids.is_empty());
                tasks.extend(task.map(|task| (number, task)));
            }
        }
        World(tasks)
    }

    pub(crate) fn task(&self, number: u32) -> Option<&Task> {
        self.0.get(&number)
    }

    /// Those that an observation shows. The last thread of an init that waits in the kernel for others is not one of them: its process
    /// is shown to do that.
    pub(crate) fn shown(&self) -> Vec<&Task> {
        self.0.values().filter(|task| task.number == task.leader || !task.is_exiting()).collect()
    }

    /// What a task is doing; nothing if that cannot be told.
    pub(crate) fn state(&self, task: &Task) -> Option<State> {
        let threads = || self.0.values().filter(|other| other.leader == task.number);
        match task.letter {
            _ if threads().any(|thread| thread.is_exiting()) => Some(State::Exiting),
            'Z' => Some(State::Zombie),
            'T' => Some(State::Stopped),
            't' => Some(State::Traced),
            _ => match task.call? {
                // The loop in which it waits for its next command.
                FUTEX => Some(State::Running),
                _ => Some(State::Blocked),
            },
        }
    }
}

/// The number of futex(2).
const FUTEX: i64 = if cfg!(target_arch = "x86_64") { 202 } else { 98 };

impl Task {
    fn read(number: u32, above: usize) -> Option<Task> {
        let folder = format!("/proc/{number}");
        let status = status(&folder)?;
        let one = |key: &str| numbers(&status, key)[0];
        let own = |key: &str| *numbers(&status, key).last().expect("a line has numbers");
        let call = fs::read_to_string(format!("{folder}/syscall")).unwrap_or_default();
        Some(Task {
            number,
            leader: one("Tgid"),
            parent: one("PPid"),
            pids: numbers(&status, "NSpid").into_iter().skip(above).collect(),
            group: own("NSpgid"),
            session: own("NSsid"),
            namespace: fs::metadata(format!("{folder}/ns/pid")).ok()?.ino(),
            letter: status["State"].chars().next().expect("a state has a letter"),
            has_memory: status.contains_key("VmSize"),
            call: call.split_ascii_whitespace().next().and_then(|number| number.parse().ok()),
        })
    }

    fn is_exiting(&self) -> bool {
        "SI".contains(self.letter) && !self.has_memory
    }
}

fn status(folder: &str) -> Option<BTreeMap<String, String>> {
    let text = fs::read_to_string(format!("{folder}/status")).ok()?;
    let line = |line: &str| line.split_once(':').map(|(key, value)| (key.to_owned(), value.trim().to_owned()));
    Some(text.lines().filter_map(line).collect())
}

fn numbers(status: &BTreeMap<String, String>, key: &str) -> Vec<u32> {
    status[key].split_ascii_whitespace().map(|number| number.parse().expect("a number")).collect()
}

fn listed(folder: &str) -> Vec<u32> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// The fourth field of its stat; nothing for who is gone.
fn parent(number: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{number}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(1)?.parse().ok()
}
