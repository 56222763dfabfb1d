//! A log of strace(1) as a list of records: calls with their beginning and end, signals, ends.

use std::collections::BTreeMap;
use std::fmt;

use pidlab_scenario::Facts;

use crate::header::Header;
use crate::line::{Line, Said, answered, line, unanswered};

/// A log that was read.
#[derive(Clone, Debug)]
pub struct Log {
    pub(crate) header: Header,
    /// In the order in which they began.
    pub(crate) records: Vec<Record>,
    /// Its lines, for who shows one.
    pub(crate) lines: Vec<String>,
    /// Whether a line stands where its call began, and nothing says when it was over, as in what `strace-log-merge` makes of the files of `strace -ff`.
    pub(crate) apart: bool,
}

/// Something that a task did or that happened to it.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) pid: u32,
    /// The line where it begins, from 1 on.
    pub(crate) first: usize,
    /// The line where it is over; `None`: the log does not say.
    pub(crate) last: Option<usize>,
    pub(crate) what: What,
}

impl Record {
    /// Whether it is a call of this name.
    pub(crate) fn is_call(&self, wanted: &str) -> bool {
        matches!(&self.what, What::Call { name, .. } if name == wanted)
    }
}

/// What it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum What {
    /// A call; the result is what stands behind the `=`.
    Call {
        name: String,
        arguments: Vec<String>,
        result: Option<String>,
    },
    Exited(i32),
    Killed(String),
    Superseded(u32),
    Signal {
        name: String,
        info: String,
    },
    Stopped,
}

/// Why a log cannot be read.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Unreadable {
    /// The line, from 1 on.
    pub line: usize,
    /// What is wrong with it.
    pub why: Fault,
}

/// What is wrong with a log.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Fault {
    /// There is nothing in it.
    Empty,
    /// The line is none of strace's.
    Foreign,
    /// The line ends in the middle.
    Cut,
    /// A call comes back that did not begin, or another one did.
    ResumedAlone(String),
    /// A task begins something while it is in a call.
    Interleaved(String),
    /// A task was there before the log began, or strace did not follow who made it.
    FromNowhere(u32),
    /// Nothing is in the log of whom a call has made.
    NotFollowed,
    /// The log ends and a task has not.
    StillThere(u32),
    /// A line that `pidlab record` has written cannot be read.
    Header,
    /// Lines of several processes, which were in files of their own, and no times that would put them in order.
    NoTimes,
    /// A file of one process among others that names its process in its lines, and so is a log of its own.
    Whole,
}

impl std::error::Error for Unreadable {}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = self.line;
        match &self.why {
            Fault::Empty => f.write_str("there is nothing in the log"),
            Fault::Foreign => {
                write!(f, "line {line} is none of strace's: record with `strace -f -o LOG`, or `pidlab record`")
            }
            Fault::Cut => write!(f, "line {line} ends in the middle: the log was cut off"),
            Fault::ResumedAlone(name) => {
                write!(
                    f,
                    "line {line}: {name} comes back that has not begun: lines are missing, or two logs were mixed"
                )
            }
            Fault::Interleaved(name) => write!(
                f,
                "line {line}: its task is in {name} since an earlier line: lines are missing, or two logs were mixed"
            ),
            Fault::FromNowhere(pid) => write!(
                f,
                "line {line}: nobody in the log has made {pid}: record from the start, with -f, and with all calls that make processes"
            ),
            Fault::NotFollowed => {
                write!(f, "line {line}: whom this call makes the log says nothing of: record with -f")
            }
            Fault::StillThere(pid) => write!(
                f,
                "the log ends at line {line} and {pid} has not: it was cut off, or strace let go; --partial judges what is there"
            ),
            Fault::NoTimes => write!(
                f,
                "line {line}: its time does not say what came first, and files of -ff are put in order by their times: record with -ttt, or with -f and no times"
            ),
            Fault::Whole => write!(f, "line {line} names its process: the file is a log of its own"),
            Fault::Header => write!(f, "line {line}: what `pidlab record` wrote there cannot be read"),
        }
    }
}

impl Log {
    /// What the kernel is like that it was recorded on; nothing where the log does not say.
    pub fn facts(&self) -> Option<&Facts> {
        self.header.facts.as_ref()
    }

    /// What that kernel is called, if the log says it.
    pub fn kernel(&self) -> Option<&str> {
        self.header.kernel.as_deref()
    }

    /// Reads a log. `partial`: it may end before its processes do.
    ///
    /// # Errors
    /// It is no log of strace, or not a whole one.
    pub fn read(text: &str, partial: bool) -> Result<Log, Unreadable> {
        let mut reader = Reader { log: Log::empty(text), open: BTreeMap::new(), times: Times::default() };
        let count = reader.log.lines.len();
        let whole = text.is_empty() || text.ends_with('\n');
        for index in 0..count {
            let text = reader.log.lines[index].clone();
            let number = index + 1;
            let last_is_cut = number == count && !whole;
            match reader.take(number, &text) {
                Err(_) if last_is_cut && partial => break,
                Err(_) if last_is_cut => return Err(Unreadable { line: number, why: Fault::Cut }),
                Err(why) => return Err(Unreadable { line: number, why }),
                Ok(()) => {}
            }
        }
        reader.finish(partial)
    }

    /// Puts the files of `strace -ff -ttt` together: of each process its PID, which is the end of the file's name, and what is in the file.
    ///
    /// # Errors
    /// A line is none of strace's, or has no time that says more than the second: of which file, and which of its lines.
    pub fn merged(files: &[(u32, String)]) -> Result<String, (u32, Unreadable)> {
        let mut lines = Vec::new();
        for (pid, text) in files {
            for (index, text) in text.lines().enumerate() {
                if let Some(time) = time_of(text).map_err(|why| (*pid, Unreadable { line: index + 1, why }))? {
                    lines.push((time, pid, text));
                }
            }
        }
        // The sort is stable: a file's own lines keep their order.
        lines.sort_by_key(|(time, ..)| *time);
        Ok(lines.iter().map(|(_, pid, text)| format!("{pid} {text}\n")).collect())
    }

    fn empty(text: &str) -> Log {
        Log {
            header: Header::default(),
            records: Vec::new(),
            lines: text.lines().map(str::to_owned).collect(),
            apart: false,
        }
    }
}

/// When a line of a file of one process was written; nothing where it says nothing of the process.
fn time_of(text: &str) -> Result<Option<&str>, Fault> {
    if text.trim().is_empty() || text.starts_with('#') {
        return Ok(None);
    }
    match line(text).ok_or(Fault::Foreign)? {
        Line { said: Said::Remark, .. } => Ok(None),
        Line { pid: Some(_), time: Some(_), .. } => Err(Fault::Whole),
        Line { time: Some(time), .. } if tells(time) == Tells::Order => Ok(Some(time)),
        _ => Err(Fault::NoTimes),
    }
}

/// What the times of two lines tell of their order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Tells {
    /// Which was first.
    Order,
    /// That, if they are of different seconds: `-t`.
    Second,
    /// Nothing: it is counted from the line before (`-r`), and so the lines were never apart.
    Nothing,
}

fn tells(time: &str) -> Tells {
    let (whole, part) = time.split_once('.').map_or((time, None), |(whole, part)| (whole, Some(part)));
    // Seconds since 1970 have ten digits since 2001.
    let is_absolute = whole.contains(':') || whole.len() >= "1000000000".len();
    match part {
        None => Tells::Second,
        Some(_) if is_absolute && !whole.starts_with('+') => Tells::Order,
        Some(_) => Tells::Nothing,
    }
}

/// What the lines say that tells how the log was made.
#[derive(Default)]
struct Times {
    /// Whether a line has no time, or one that is counted from the line before.
    lacking: bool,
    /// A time that does not tell which of two lines was first.
    coarse: Option<usize>,
    /// Whether a call comes back in a line of its own.
    resumed: bool,
}

struct Reader {
    log: Log,
    /// The record of the call that a task is in, with its beginning.
    open: BTreeMap<u32, (usize, String)>,
    times: Times,
}

impl Reader {
    fn take(&mut self, number: usize, text: &str) -> Result<(), Fault> {
        if text.trim().is_empty() {
            return Ok(());
        }
        if let Some(said) = text.strip_prefix('#') {
            return self.log.header.take(said).ok_or(Fault::Header);
        }
        let line = line(text).ok_or(Fault::Foreign)?;
        match line.time {
            _ if line.said == Said::Remark => {}
            None => self.times.lacking = true,
            Some(time) => match tells(time) {
                Tells::Order => {}
                Tells::Second => self.times.coarse = self.times.coarse.or(Some(number)),
                Tells::Nothing => self.times.lacking = true,
            },
        }
        let pid = line.pid.or_else(|| self.log.records.first().map(|record| record.pid)).unwrap_or(0);
        match line.said {
            Said::Remark => return Ok(()),
            Said::Resumed { name, rest } => {
                self.times.resumed = true;
                return self.resume(number, pid, name, rest);
            }
            Said::Begun { name, arguments } => {
                self.is_free(pid)?;
                self.open.insert(pid, (self.log.records.len(), arguments.to_owned()));
                let arguments = unanswered(arguments).into_iter().map(str::to_owned).collect();
                self.push(pid, number, None, What::Call { name: name.to_owned(), arguments, result: None });
            }
            Said::Call { name, rest } => {
                self.is_free(pid)?;
                let what = call(name, rest).ok_or(Fault::Foreign)?;
                self.push(pid, number, Some(number), what);
            }
            Said::Signal { name, info } => {
                self.is_free(pid)?;
                let what = What::Signal { name: name.to_owned(), info: info.to_owned() };
                self.push(pid, number, Some(number), what);
            }
            Said::Stopped => self.push(pid, number, Some(number), What::Stopped),
            Said::Exited { status } => self.end(number, pid, What::Exited(status)),
            Said::Killed { signal } => self.end(number, pid, What::Killed(signal.to_owned())),
            Said::Superseded { by } => self.superseded(number, pid, by),
        }
        Ok(())
    }

    fn push(&mut self, pid: u32, first: usize, last: Option<usize>, what: What) {
        self.log.records.push(Record { pid, first, last, what });
    }

    fn is_free(&self, pid: u32) -> Result<(), Fault> {
        let Some((record, _)) = self.open.get(&pid) else { return Ok(()) };
        let What::Call { name, .. } = &self.log.records[*record].what else { return Ok(()) };
        Err(Fault::Interleaved(name.clone()))
    }

    fn resume(&mut self, number: usize, pid: u32, name: &str, rest: &str) -> Result<(), Fault> {
        let alone = || Fault::ResumedAlone(name.to_owned());
        let (at, begun) = self.open.remove(&pid).ok_or_else(alone)?;
        let whole = match rest.strip_prefix("<unfinished ...>") {
            Some(rest) => format!("{}{rest}", begun.trim_end_matches([',', ' '])),
            None => format!("{begun}{rest}"),
        };
        let ended = call(name, &whole).ok_or(Fault::Foreign)?;
        let record = &mut self.log.records[at];
        match &record.what {
            What::Call { name: begun, .. } if begun == name => {}
            _ => return Err(alone()),
        }
        record.what = ended;
        record.last = Some(number);
        Ok(())
    }

    fn end(&mut self, number: usize, pid: u32, what: What) {
        self.open.remove(&pid);
        self.push(pid, number, Some(number), what);
    }

    /// The call of the other thread goes on under this one's number.
    fn superseded(&mut self, number: usize, pid: u32, by: u32) {
        self.end(number, pid, What::Superseded(by));
        if let Some(open) = self.open.remove(&by) {
            self.open.insert(pid, open);
        }
    }

    fn finish(mut self, partial: bool) -> Result<Log, Unreadable> {
        let last = self.log.lines.len();
        if self.log.records.is_empty() {
            return Err(Unreadable { line: last.max(1), why: Fault::Empty });
        }
        self.take_apart()?;
        if !partial {
            let mut there: BTreeMap<u32, bool> = BTreeMap::new();
            for record in &self.log.records {
                match record.what {
                    What::Exited(_) | What::Killed(_) => there.insert(record.pid, false),
                    What::Superseded(by) => {
                        there.insert(by, false);
                        there.insert(record.pid, true)
                    }
                    _ => there.insert(record.pid, true),
                };
            }
            if let Some((pid, _)) = there.into_iter().find(|(_, there)| *there) {
                return Err(Unreadable { line: last, why: Fault::StillThere(pid) });
            }
        }
        Ok(self.log)
    }
}

impl Reader {
    /// In a log of several processes made with -f some call is interrupted by another's line sooner or later. Where none is, and there are times to
    /// sort by, it may have been put together from files: then a call is not over where its line stands, but before its process's next line. In a log
    /// that only looks so, the line stands in between as well.
    fn take_apart(&mut self) -> Result<(), Unreadable> {
        let log = &mut self.log;
        let several = log.records.iter().any(|record| record.pid != log.records[0].pid);
        if !several || self.times.resumed || self.times.lacking || log.header.is_written() {
            return Ok(());
        }
        if let Some(line) = self.times.coarse {
            return Err(Unreadable { line, why: Fault::NoTimes });
        }
        log.apart = true;
        let mut next: BTreeMap<u32, usize> = BTreeMap::new();
        for record in log.records.iter_mut().rev() {
            let until = next.insert(record.pid, record.first).map_or(log.lines.len(), |line| line - 1);
            if matches!(record.what, What::Call { .. }) && record.last.is_some() {
                record.last = Some(until);
            }
        }
        Ok(())
    }
}

fn call(name: &str, rest: &str) -> Option<What> {
    let read = answered(rest)?;
    let arguments = read.arguments.into_iter().map(str::to_owned).collect();
    Some(What::Call { name: name.to_owned(), arguments, result: Some(read.result.to_owned()) })
}
