//! When does nothing more happen? Proven, not awaited, though the program is a stranger.
//!
//! All threads of the lab are looked at twice, one after another. Each that sleeps has a count of context switches; if all counts are the same
//! the second time, then nobody ran from the first look at him to the second, and so there was one moment, between the looks, in which
//! everybody slept. (A new process has a maker, who ran.) Nobody who sleeps is on a run queue, and nothing was on its way to the conductor:
//! from there on only a time-out makes anything happen.
//!
//! Time-outs are read from the arguments of the calls that the sleepers are in. Who has one has to go round once: it is awaited until it has run
//! and sleeps again in the same place, which is the same call, with the same stack, to return through the same code, while nobody has come
//! or gone. A program that does the same thing again has nothing new to do; one that sleeps elsewhere, or that has reaped some of those who
//! were there to be reaped, went on, and the round begins anew.
//!
//! # Traps
//!
//! - *An init on its way out looks asleep, and goes on* when the last of its namespace has gone: it never counts as quiet.
//! - *State S is not asleep.* It counts only with a place to sleep in.
//! - *Two sleeps in a row look like a loop*, but not to who compares what they return through.
//! - *Time-outs of futex(2) and clock_nanosleep(2) are moments*, most of them, and not durations.
//! - *What a terminal does is done by a worker of the kernel*, who is no process of the lab: its echo is awaited first.
//!
//! What cannot be seen: a timer of setitimer(2) and alarm(2), and a program that counts time in a loop and does something in a later round.
//!
//! The bound ends it with *not decided*, and with nothing else.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::lab::Lab;
use crate::look::{Look, Seen};
use crate::stop::Stop;
use crate::timer::{Alarm, Place, alarm, alarm_of_process, place};

/// How long the CPU is given away between looks. It decides nothing.
const NAP: Duration = Duration::from_millis(1);

/// Who has to go round once more.
struct Round {
    /// Who has a time-out: a thread, or a process with timers; with its count of switches at the beginning.
    timed: BTreeMap<Who, u64>,
    /// Who was there, and how.
    states: BTreeMap<i32, char>,
    places: BTreeMap<i32, Place>,
    /// Why there may be more to come than is waited for.
    beyond: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    Thread(i32),
    Process(i32),
}

impl Lab<'_> {
    /// Lets the lab run until something is so (true), or until nothing more happens without it (false).
    ///
    /// # Errors
    /// [`Stop::Undecided`] at the bound, or where somebody sleeps with a longer time-out; a failure of the lab.
    pub(crate) fn until(&mut self, is_so: impl Fn(&Lab<'_>) -> bool) -> Result<bool, Stop> {
        match self.run(is_so)? {
            Rest::So => Ok(true),
            Rest::Quiet => Ok(false),
            Rest::Until(why) => Err(Stop::Undecided(why)),
        }
    }

    /// Lets it run until nothing more happens.
    ///
    /// # Errors
    /// As [`until`](Lab::until).
    pub(crate) fn settle(&mut self) -> Result<(), Stop> {
        self.until(|_| false).map(drop)
    }

    /// Lets it run until nothing more happens, or nothing before the bound; why there is more to come then, if there is.
    ///
    /// # Errors
    /// [`Stop::Undecided`] at the bound; a failure of the lab.
    pub(crate) fn rest(&mut self) -> Result<Option<String>, Stop> {
        Ok(match self.run(|_| false)? {
            Rest::So | Rest::Quiet => None,
            Rest::Until(why) => Some(why),
        })
    }

    /// Lets it run until nothing more happens for now: for what comes next, and not to conclude anything.
    ///
    /// # Errors
    /// [`Stop::Undecided`] at the bound; a failure of the lab.
    pub(crate) fn calm_down(&mut self) -> Result<(), Stop> {
        self.run(|_| false).map(drop)
    }

    fn run(&mut self, is_so: impl Fn(&Lab<'_>) -> bool) -> Result<Rest, Stop> {
        let mut round: Option<Round> = None;
        loop {
            self.pump(Duration::ZERO)?;
            if is_so(self) {
                return Ok(Rest::So);
            }
            self.check_started()?;
            let first = Look::around(self.bench.own);
            let calm =
                first.restless().is_none() && first == Look::around(self.bench.own) && !self.pump(Duration::ZERO)?;
            if calm {
                let begun = match round.take() {
                    Some(begun) if begun.is_over(&first) == Some(false) => Round::begin(&first, self.left()),
                    Some(begun) => begun,
                    None => Round::begin(&first, self.left()),
                };
                if begun.is_over(&first) == Some(true) {
                    return Ok(if is_so(self) { Rest::So } else { begun.rest() });
                }
                round = Some(begun);
            }
            if self.left().is_zero() {
                return Err(self.bound_reached(first.restless()));
            }
            self.pump(NAP)?;
        }
    }

    /// Goes on before the bound, and not after.
    ///
    /// # Errors
    /// [`Stop::Undecided`], for this reason.
    pub(crate) fn check_bound(&self, why: &str) -> Result<(), Stop> {
        if self.left().is_zero() { Err(Stop::Undecided(why.to_owned())) } else { Ok(()) }
    }

    fn left(&self) -> Duration {
        self.bench.deadline.saturating_duration_since(Instant::now())
    }

    fn bound_reached(&self, restless: Option<&Seen>) -> Stop {
        let bound = self.bench.bound.as_secs();
        Stop::Undecided(match restless {
            Some(seen) => format!("after {bound} s {} (state {}) still was not at rest", seen.name, seen.state),
            None => format!("after {bound} s somebody still had a time-out to wait for"),
        })
    }
}

/// How it came to rest.
enum Rest {
    So,
    Quiet,
    /// But for somebody who sleeps with a time-out that is longer than is waited.
    Until(String),
}

impl Round {
    /// Asks everybody when he wakes by himself.
    fn begin(look: &Look, left: Duration) -> Round {
        let mut round = Round { timed: BTreeMap::new(), states: states(look), places: BTreeMap::new(), beyond: None };
        for (thread, seen) in look.0.iter().filter(|(_, seen)| seen.state == 'S') {
            let mut alarms = vec![(Who::Thread(*thread), alarm(*thread))];
            if *thread == seen.process {
                alarms.push((Who::Process(*thread), alarm_of_process(*thread)));
            }
            for (who, alarm) in alarms {
                match alarm {
                    Alarm::Never => {}
                    Alarm::Within(time) if time > left => {
                        let (name, time) = (&seen.name, time.as_secs());
                        let why = format!("{name} sleeps with a time-out of {time} s, which is longer than is waited");
                        round.beyond.get_or_insert(why);
                    }
                    Alarm::Untold => {
                        let name = &seen.name;
                        let why = format!("{name} has a timer of timer_create(2), and nothing tells when that ends");
                        round.beyond.get_or_insert(why);
                    }
                    Alarm::Within(_) | Alarm::Unknown => {
                        round.timed.insert(who, switches(look, who));
                    }
                }
            }
            round.places.insert(*thread, place(*thread));
        }
        round
    }

    fn rest(self) -> Rest {
        self.beyond.map_or(Rest::Quiet, Rest::Until)
    }

    /// Whether everybody who has a time-out was round once, and all are where they were; nothing if one is still to come.
    fn is_over(&self, look: &Look) -> Option<bool> {
        let is_round = |(who, before): (&Who, &u64)| {
            let now = switches(look, *who);
            now == 0 || now > *before
        };
        if !self.timed.iter().all(is_round) {
            return None;
        }
        let sleepers = || look.0.iter().filter(|(_, seen)| seen.state == 'S').map(|(thread, _)| *thread);
        Some(self.states == states(look) && sleepers().all(|thread| self.places.get(&thread) == Some(&place(thread))))
    }
}

fn states(look: &Look) -> BTreeMap<i32, char> {
    look.0.iter().map(|(thread, seen)| (*thread, seen.state)).collect()
}

fn switches(look: &Look, who: Who) -> u64 {
    match who {
        Who::Thread(thread) => look.0.get(&thread).map_or(0, |seen| seen.switches),
        Who::Process(process) => look.0.values().filter(|seen| seen.process == process).map(|seen| seen.switches).sum(),
    }
}
