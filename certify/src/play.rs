//! What duties have in common: starting the command, telling puppets what to do, and making orphans.

use crate::lab::{Bench, Lab, Setting};
use crate::look;
use crate::report::{Heard, Report, Verdict, name};
use crate::said::{Order, Said, Who};
use crate::stop::Stop;

/// How a duty came out, and what was seen.
pub(crate) struct Outcome {
    pub(crate) verdict: Verdict,
    pub(crate) seen: String,
    heard: Vec<Heard>,
    output: String,
}

pub(crate) type Played = Result<Outcome, Stop>;

impl Outcome {
    fn new(verdict: Verdict, seen: impl Into<String>) -> Outcome {
        Outcome { verdict, seen: seen.into(), heard: Vec::new(), output: String::new() }
    }

    /// It holds if nothing speaks against it.
    pub(crate) fn unless(problems: &[String]) -> Outcome {
        match problems {
            [] => Outcome::new(Verdict::Holds, ""),
            _ => Outcome::new(Verdict::Fails, problems.join("; ")),
        }
    }

    pub(crate) fn holds_if(holds: bool, seen: impl Into<String>) -> Outcome {
        if holds { Outcome::new(Verdict::Holds, "") } else { Outcome::new(Verdict::Fails, seen) }
    }

    pub(crate) fn told(seen: impl Into<String>) -> Outcome {
        Outcome::new(Verdict::Told, seen)
    }

    /// With what the puppets of a lab heard, and what the program wrote in it.
    pub(crate) fn in_lab(mut self, lab: &Lab<'_>) -> Outcome {
        let of_interest = |heard: &&Heard| heard.number != libc::SIGCHLD;
        self.heard = lab.puppets.iter().flat_map(|puppet| &puppet.heard).filter(of_interest).cloned().collect();
        self.output = lab.output();
        self
    }

    pub(crate) fn report(self, duty: &str) -> Report {
        let output = if self.verdict == Verdict::Fails { self.output } else { String::new() };
        Report { duty: duty.to_owned(), verdict: self.verdict, seen: self.seen, heard: self.heard, output }
    }
}

/// The command is always the first puppet.
pub(crate) const COMMAND: usize = 0;

impl Bench {
    /// How many make a crowd. strace looks through /proc for every number that it translates, and takes a minute for a thousand.
    pub(crate) fn crowd(&self) -> u32 {
        if self.recorder.is_some() { 100 } else { 1000 }
    }

    /// A lab in which the command plays: the program under test has started it or, where it starts none, somebody from outside plays it.
    ///
    /// # Errors
    /// [`Stop::NotAsked`] if it never comes.
    pub(crate) fn ready(&mut self, setting: Setting) -> Result<Lab<'_>, Stop> {
        if self.is_attached() {
            return self.ready_beside();
        }
        let starts_one = self.words.iter().any(|word| word.contains("{}"));
        let mut lab = self.lab(setting)?;
        if starts_one {
            lab.until(|lab| !lab.puppets.is_empty() || lab.ended.is_some())?;
        } else {
            lab.calm_down()?;
            if lab.ended.is_none() {
                lab.invite("command")?;
                lab.until(|lab| !lab.puppets.is_empty())?;
            }
        }
        lab.check_started()?;
        if lab.puppets.is_empty() {
            let seen = lab.ended.map_or_else(|| "it runs".to_owned(), |ended| ended.in_words());
            let wrote = lab.last_words();
            return Err(Stop::NotAsked(format!("the command was never started: {seen}{wrote}")));
        }
        if lab.init()? == lab.puppets[COMMAND].pid {
            return Err(Stop::NotAsked("the command itself is PID 1: there is no init".to_owned()));
        }
        Ok(lab)
    }

    /// A lab around a PID 1 that runs already, into whose container the command was brought.
    fn ready_beside(&mut self) -> Result<Lab<'_>, Stop> {
        let mut lab = self.watch()?;
        lab.bring("command")?;
        lab.until(|lab| !lab.puppets.is_empty() || !lab.has_a_guest())?;
        if lab.puppets.is_empty() {
            return Err(Stop::Undecided(format!("nobody could be brought into the container{}", lab.last_words())));
        }
        Ok(lab)
    }
}

impl Lab<'_> {
    /// Tells a puppet to do something, and waits until it has done it. Nothing if it has ended instead.
    pub(crate) fn tell(&mut self, index: usize, order: &Order) -> Result<Option<i64>, Stop> {
        match self.ask(index, order)? {
            Some(Said::Done(value)) => Ok(Some(value)),
            Some(Said::Failed(errno)) => {
                let error = std::io::Error::from_raw_os_error(errno);
                Err(Stop::Broken(format!("a puppet could not do {order:?}: {error}")))
            }
            _ => Ok(None),
        }
    }

    /// What a puppet knows of itself now.
    pub(crate) fn who(&mut self, index: usize) -> Result<Who, Stop> {
        match self.ask(index, &Order::Who)? {
            Some(Said::Who(who)) => Ok(who),
            _ => Ok(Who::default()),
        }
    }

    /// Tells a puppet to do something, and gives what it says. Nothing if it has ended instead, or is stopped.
    pub(crate) fn ask(&mut self, index: usize, order: &Order) -> Result<Option<Said>, Stop> {
        self.order(index, order)?;
        self.until(|lab| lab.has_answered(index))?;
        Ok(self.answer(index))
    }

    /// A new child of a puppet.
    pub(crate) fn born(&mut self, parent: usize, name: &str) -> Result<usize, Stop> {
        self.tell(parent, &Order::Fork { name: name.to_owned() })?;
        self.until(|lab| lab.find(name).is_some())?;
        self.find(name).ok_or_else(|| Stop::Broken(format!("{name} was not born")))
    }

    /// A grandchild of a puppet, whose parent has ended and was waited for.
    pub(crate) fn orphan(&mut self, of: usize, name: &str) -> Result<usize, Stop> {
        let middle = self.born(of, &format!("parent of {name}"))?;
        let orphan = self.born(middle, name)?;
        self.order(middle, &Order::Exit { status: 0 })?;
        self.until(|lab| lab.puppets[middle].has_ended())?;
        self.tell(of, &Order::Wait)?;
        Ok(orphan)
    }

    /// Lets a puppet end.
    pub(crate) fn end(&mut self, index: usize, status: u8) -> Result<(), Stop> {
        self.order(index, &Order::Exit { status })
    }

    /// Waits until a process has gone, its number with it. Whether it has.
    pub(crate) fn is_reaped(&mut self, pid: i32) -> Result<bool, Stop> {
        self.until(|_| look::state(pid).is_none())
    }

    /// Lets it end, or come to rest; whether it has ended.
    pub(crate) fn comes_to_its_end(&mut self) -> Result<bool, Stop> {
        self.until(|lab| lab.ended.is_some())
    }

    /// How it ended, or that it did not.
    pub(crate) fn how_it_ended(&self) -> String {
        self.ended.map_or_else(|| "it did not end".to_owned(), |ended| ended.in_words())
    }

    /// Whose zombie it is that stays.
    pub(crate) fn zombie_in_words(&self, pid: i32) -> String {
        let parent = look::parent(pid).unwrap_or(0);
        let init = self.init().unwrap_or(0);
        let whose = if parent == init { "a child of PID 1".to_owned() } else { format!("a child of process {parent}") };
        match look::state(pid) {
            Some('Z') => format!("the orphan stays as a zombie, {whose}"),
            Some(state) => format!("the orphan is in state {state}, {whose}"),
            None => "the orphan has gone".to_owned(),
        }
    }
}

/// Names of signals, for a sentence.
pub(crate) fn names(signals: &[i32]) -> String {
    signals.iter().map(|signal| name(*signal)).collect::<Vec<_>>().join(", ")
}

/// The signals of a set.
pub(crate) fn members(set: u64) -> Vec<i32> {
    (1..=64).filter(|signal| set >> (signal - 1) & 1 == 1).collect()
}
