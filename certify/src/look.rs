//! What procfs tells of the processes of a lab: proc_pid_stat(5), proc_pid_status(5), proc_pid_wchan(5).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::timer::waited_for;

/// `PF_EXITING`, include/linux/sched.h.
const EXITING: u64 = 4;

/// `PF_KTHREAD`, include/linux/sched.h.
const KERNEL_THREAD: u64 = 0x0020_0000;

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

pub(crate) fn numbers(folder: &str) -> impl Iterator<Item = i32> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn look_at(process: i32, thread: i32) -> Option<Seen> {
    let folder = format!("/proc/{process}/task/{thread}");
    let stat = fs::read(format!("{folder}/stat")).ok()?;
    let Stat { name, state, exiting, .. } = Stat::read(&String::from_utf8_lossy(&stat))?;
    // A zombie has nothing more to do, and its status is not asked: there may be a thousand.
    if state == 'Z' {
        return Some(Seen { process, name, state, switches: 0, rests: true });
    }
    let switches = switches(&folder)?;
    let rests = rests(state, exiting, || sleeps_somewhere(&folder));
    Some(Seen { process, name, state, switches, rests })
}

/// What proc_pid_stat(5) has in one line, as far as it is asked here.
#[derive(PartialEq, Eq, Debug)]
struct Stat {
    name: String,
    state: char,
    /// On its way out, from `do_exit` on.
    exiting: bool,
    of_the_kernel: bool,
}

impl Stat {
    /// Nothing if it is no such line.
    fn read(line: &str) -> Option<Stat> {
        // The name may have anything in it, parentheses and spaces as well.
        let (before, after) = line.rsplit_once(')')?;
        let name = before.split_once('(')?.1.to_owned();
        let fields: Vec<&str> = after.split_ascii_whitespace().collect();
        let state = fields.first()?.chars().next()?;
        let flags: u64 = fields.get(6)?.parse().ok()?;
        let has = |flag: u64| flags & flag != 0;
        Some(Stat { name, state, exiting: has(EXITING), of_the_kernel: has(KERNEL_THREAD) })
    }
}

/// Whether somebody in this state goes on only if somebody else, or a time-out, makes him.
///
/// A sleeper that is still on the run queue sleeps nowhere yet, and an init on its way out goes on when the others have gone.
fn rests(state: char, exiting: bool, sleeps: impl FnOnce() -> bool) -> bool {
    match state {
        'S' => !exiting && sleeps(),
        'T' | 't' => sleeps(),
        _ => false,
    }
}

fn switches(folder: &str) -> Option<u64> {
    let status = fs::read(format!("{folder}/status")).ok()?;
    let status = String::from_utf8_lossy(&status);
    let counts = status.lines().filter_map(|line| line.split_once("ctxt_switches:")?.1.trim().parse::<u64>().ok());
    Some(counts.sum())
}

/// Whether a thread is off the run queue.
fn sleeps_somewhere(folder: &str) -> bool {
    let read = |file: &str| fs::read(format!("{folder}/{file}")).unwrap_or_default();
    is_a_place(&read("wchan")) || is_off_the_queue(&read("syscall"))
}

/// proc_pid_wchan(5): the function in which it sleeps; `0` or nothing for who is on the run queue, and on a kernel that does not tell.
fn is_a_place(wchan: &[u8]) -> bool {
    !matches!(wchan, b"" | b"0")
}

/// proc_pid_syscall(5): the call that it is in, which procfs says only of who is off the run queue.
fn is_off_the_queue(syscall: &[u8]) -> bool {
    !syscall.is_empty() && !syscall.starts_with(b"running")
}

/// The state letter of a process; nothing if it is gone.
pub(crate) fn state(process: i32) -> Option<char> {
    let stat = fs::read(format!("/proc/{process}/stat")).ok()?;
    let stat = String::from_utf8_lossy(&stat);
    stat.rsplit_once(')')?.1.trim_start().chars().next()
}

/// Whether a process has ended, and whoever traces it has seen that: before, its parent cannot wait for it.
pub(crate) fn has_ended(process: i32) -> bool {
    let is_traced = || {
        let status = fs::read(format!("/proc/{process}/status")).unwrap_or_default();
        let status = String::from_utf8_lossy(&status);
        status.lines().find_map(|line| line.strip_prefix("TracerPid:")).is_some_and(|pid| pid.trim() != "0")
    };
    match state(process) {
        Some('Z') => !is_traced(),
        state => matches!(state, None | Some('X')),
    }
}

/// The state of a process, and how often it was switched to and from, if nothing but somebody else makes it go on.
pub(crate) fn at_rest(process: i32) -> Option<(char, u64)> {
    look_at(process, process).filter(|seen| seen.rests).map(|seen| (seen.state, seen.switches))
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

/// What a process does with signals, as sets: proc_pid_status(5), and what it sleeps in. Signal 1 is the lowest bit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Signals {
    pub(crate) handled: u64,
    pub(crate) ignored: u64,
    /// Some thread waits for it, or it is blocked and there is a signalfd for it. To be blocked alone says nothing: a C library blocks all
    /// signals for a moment whenever it makes a process.
    pub(crate) waited_for: u64,
}

impl Signals {
    /// Whom a signal reaches: it does something with it, or can.
    pub(crate) fn taken(self) -> u64 {
        self.handled | self.waited_for
    }
}

/// What a process does with signals now.
pub(crate) fn signals(process: i32) -> Signals {
    let status = fs::read(format!("/proc/{process}/status")).unwrap_or_default();
    let status = String::from_utf8_lossy(&status);
    let mut signals =
        Signals { handled: set_of(&status, "SigCgt:"), ignored: set_of(&status, "SigIgn:"), ..Signals::default() };
    let mut read = 0;
    for entry in fs::read_dir(format!("/proc/{process}/fdinfo")).into_iter().flatten().flatten() {
        read |= set_of(&fs::read_to_string(entry.path()).unwrap_or_default(), "sigmask:");
    }
    for thread in numbers(&format!("/proc/{process}/task")) {
        let status = fs::read(format!("/proc/{process}/task/{thread}/status")).unwrap_or_default();
        let blocked = set_of(&String::from_utf8_lossy(&status), "SigBlk:");
        signals.waited_for |= (blocked & read) | waited_for(thread);
    }
    signals
}

/// A set of signals in a line of a file.
fn set_of(text: &str, field: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(field));
    line.and_then(|set| u64::from_str_radix(set.trim(), 16).ok()).unwrap_or(0)
}

/// The zombies whose parent is this process.
pub(crate) fn zombies_of(process: i32) -> BTreeSet<i32> {
    let is_one = |child: &i32| state(*child) == Some('Z') && parent(*child) == Some(process);
    numbers("/proc").filter(is_one).collect()
}

/// Whether a process is there, and not on its way out.
pub(crate) fn goes_on(process: i32) -> bool {
    let stat = fs::read(format!("/proc/{process}/stat")).unwrap_or_default();
    Stat::read(&String::from_utf8_lossy(&stat)).is_some_and(|stat| !stat.exiting && !matches!(stat.state, 'Z' | 'X'))
}

/// The name of a process, which is what it says that it is.
pub(crate) fn name(process: i32) -> String {
    let stat = fs::read(format!("/proc/{process}/stat")).unwrap_or_default();
    Stat::read(&String::from_utf8_lossy(&stat)).map_or_else(String::new, |stat| stat.name)
}

/// A thread of the kernel, which is in no container.
pub(crate) fn is_of_the_kernel(process: i32) -> bool {
    let stat = fs::read(format!("/proc/{process}/stat")).unwrap_or_default();
    Stat::read(&String::from_utf8_lossy(&stat)).is_some_and(|stat| stat.of_the_kernel)
}

#[cfg(test)]
mod tests {
    use super::{Stat, is_a_place, is_off_the_queue, rests, set_of};

    #[test]
    fn a_line_of_stat_is_read_whatever_the_name() {
        let init_on_its_way_out = "7 (a (b) c) S 1 7 7 0 -1 4194564 53 0 0 0 0 0 0 0 20 0 1 0 100 0 0";
        let stat = Stat::read(init_on_its_way_out).unwrap();
        assert_eq!(stat, Stat { name: "a (b) c".to_owned(), state: 'S', exiting: true, of_the_kernel: false });
        let of_the_kernel = "2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 0 0 0";
        assert!(Stat::read(of_the_kernel).unwrap().of_the_kernel);
        let sleeper = "8 (sleep) S 7 8 7 0 -1 4194304 100 0 0 0 0 0 0 0 20 0 1 0 101 0 0";
        assert!(!Stat::read(sleeper).unwrap().exiting);
        for none in ["", "8 (sleep", "8 (sleep) S", "8 (sleep) S 7 8 7 0 -1 x"] {
            assert_eq!(Stat::read(none), None, "{none}");
        }
    }

    #[test]
    fn who_can_go_on_by_himself_does_not_rest() {
        let asleep = || true;
        let on_the_queue = || false;
        assert!(rests('S', false, asleep));
        assert!(!rests('S', false, on_the_queue), "state S is not asleep");
        assert!(!rests('S', true, asleep), "an init on its way out goes on when the others have gone");
        assert!(rests('T', false, asleep) && rests('t', false, asleep));
        assert!(!rests('T', false, on_the_queue));
        for busy in ['R', 'D', 'X', 'I'] {
            assert!(!rests(busy, false, asleep), "{busy}");
        }
    }

    #[test]
    fn a_set_of_signals_is_read_where_there_is_one() {
        assert_eq!(set_of("SigBlk:\t0000000000004000\nSigIgn:\t0000000000000001\n", "SigIgn:"), 1);
        assert_eq!(set_of("pos:\t0\nsigmask:\t0000000000004000\n", "sigmask:"), 1 << 14);
        assert_eq!(set_of("pos:\t0\n", "sigmask:"), 0);
    }

    #[test]
    fn a_place_to_sleep_in_is_a_function_or_a_call() {
        assert!(is_a_place(b"do_wait"));
        assert!(!is_a_place(b"0") && !is_a_place(b""));
        assert!(is_off_the_queue(b"61 0xffffffff 0x0 0x0 0x0 0x0 0x0 0x7ffc 0x7f00"));
        assert!(is_off_the_queue(b"-1 0x7ffc 0x7f00"), "off the queue, and in no call");
        assert!(!is_off_the_queue(b"running\n") && !is_off_the_queue(b""));
    }
}
