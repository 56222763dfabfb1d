//! Who is who in a log: numbers are used again, and are others in other namespaces.

use std::collections::BTreeMap;

use crate::log::{Fault, Log, Record, Unreadable, What};
use crate::words::{number, outer_number};

/// The tasks of a log, in the order in which it first speaks of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tasks {
    pub(crate) list: Vec<Task>,
    /// By record of a call that made somebody: whom.
    pub(crate) born: BTreeMap<usize, usize>,
}

/// One process or thread of a log.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    /// Its number as strace sees it.
    pub(crate) pid: u32,
    /// What it did, by record.
    pub(crate) records: Vec<usize>,
    /// Whether the call that made it is known.
    claimed: bool,
    /// The line where it is first spoken of, and where it is last.
    pub(crate) first: usize,
    pub(crate) over: usize,
}

/// Whether a call makes a task.
pub(crate) fn makes_a_task(name: &str) -> bool {
    matches!(name, "clone" | "clone3" | "fork" | "vfork")
}

impl Tasks {
    pub(crate) fn of(log: &Log, partial: bool) -> Result<Tasks, Unreadable> {
        let mut points: Vec<(usize, bool, usize)> = Vec::new();
        for (at, record) in log.records.iter().enumerate() {
            points.push((record.first, false, at));
            if made(record).is_some() {
                points.push((record.last.unwrap_or(usize::MAX), true, at));
            }
        }
        points.sort_unstable();
        let mut finder = Finder { log, tasks: Tasks::default(), current: BTreeMap::new(), unclear: Vec::new() };
        for (_, is_end, at) in points {
            if is_end { finder.claim(at) } else { finder.take(at)? }
        }
        finder.finish(partial)
    }

    /// Who had this number, as strace sees it, when this line was written.
    pub(crate) fn at(&self, pid: u32, line: usize) -> Option<usize> {
        let mut had = self.list.iter().enumerate().filter(|(_, task)| task.pid == pid && task.first <= line);
        had.next_back().map(|(at, _)| at)
    }
}

/// The number that a call gave for whom it made.
fn made(record: &Record) -> Option<i64> {
    let What::Call { name, result: Some(result), .. } = &record.what else { return None };
    number(result).filter(|number| makes_a_task(name) && *number > 0)
}

struct Finder<'a> {
    log: &'a Log,
    tasks: Tasks,
    current: BTreeMap<u32, usize>,
    /// Calls that made somebody of whom the log does not say who it is.
    unclear: Vec<usize>,
}

impl Finder<'_> {
    fn take(&mut self, at: usize) -> Result<(), Unreadable> {
        let record = &self.log.records[at];
        let task = match self.current.get(&record.pid) {
            Some(task) => *task,
            None => self.add(record.pid, record.first),
        };
        self.tasks.list[task].first = self.tasks.list[task].first.min(record.first);
        self.tasks.list[task].records.push(at);
        match record.what {
            What::Exited(_) | What::Killed(_) => self.over(record.pid, task, record.first),
            What::Superseded(by) => {
                self.over(record.pid, task, record.first);
                let why = Fault::FromNowhere(by);
                let heir = self.current.remove(&by).ok_or(Unreadable { line: record.first, why })?;
                self.current.insert(record.pid, heir);
            }
            _ => {}
        }
        Ok(())
    }

    fn over(&mut self, pid: u32, task: usize, line: usize) {
        self.tasks.list[task].over = line;
        self.current.remove(&pid);
    }

    fn add(&mut self, pid: u32, first: usize) -> usize {
        self.tasks.list.push(Task { pid, records: Vec::new(), claimed: false, first, over: usize::MAX });
        self.current.insert(pid, self.tasks.list.len() - 1);
        self.tasks.list.len() - 1
    }

    /// A call has come back that made somebody.
    fn claim(&mut self, at: usize) {
        let record = &self.log.records[at];
        let What::Call { result: Some(result), .. } = &record.what else { return };
        let given = made(record).and_then(|number| u32::try_from(number).ok());
        let Some(pid) = outer_number(result).or(given) else { return };
        let unclaimed = |task: &Task| task.pid == pid && !task.claimed && task.first > record.first;
        let found = self.tasks.list.iter().rposition(unclaimed);
        let comes = self.log.records[at..].iter().any(|later| later.pid == pid && Some(later.first) > record.last);
        let child = match found {
            Some(child) => child,
            // Its first line stands further down; unless the number is one of another namespace.
            None if comes && !self.current.contains_key(&pid) => self.add(pid, usize::MAX),
            None => return self.unclear.push(at),
        };
        self.tasks.list[child].claimed = true;
        self.tasks.born.insert(at, child);
    }

    /// A call before the first line of a task that gave the number of one who comes later: then that is a wrong number.
    fn mistaken(&self, child: usize) -> Option<usize> {
        let first = self.tasks.list[child].first;
        let mut calls = self.tasks.born.iter().rev();
        calls
            .find(|(at, other)| self.log.records[**at].first < first && self.tasks.list[**other].first > first)
            .map(|it| *it.0)
    }

    /// Who is left goes to who made somebody unknown, in the order of time.
    fn finish(mut self, partial: bool) -> Result<Tasks, Unreadable> {
        let never_back = self.log.records.iter().enumerate().filter(|(_, record)| {
            matches!(&record.what, What::Call { name, result, .. } if makes_a_task(name)
                && result.as_deref().is_none_or(|result| result.starts_with('?') && !result.contains("RESTART")))
        });
        self.unclear.extend(never_back.map(|(at, _)| at));
        self.unclear.sort_unstable();
        let mut left: Vec<usize> = (1..self.tasks.list.len()).filter(|task| !self.tasks.list[*task].claimed).collect();
        while let Some(child) = left.pop() {
            let task = &self.tasks.list[child];
            let began = |at: &usize| self.log.records[*at].first;
            let maker = self.unclear.iter().position(|at| began(at) < task.first);
            let at = match maker.map(|maker| self.unclear.remove(maker)).or_else(|| self.mistaken(child)) {
                Some(at) => at,
                None => return Err(Unreadable { line: task.first, why: Fault::FromNowhere(task.pid) }),
            };
            self.tasks.list[child].claimed = true;
            left.extend(self.tasks.born.insert(at, child));
        }
        let lost = self.unclear.iter().find(|at| made(&self.log.records[**at]).is_some()).filter(|_| !partial);
        match lost {
            Some(at) => Err(Unreadable { line: self.log.records[*at].first, why: Fault::NotFollowed }),
            None => Ok(self.tasks),
        }
    }
}
