//! Real-time priorities: for speed, and for nothing else.
//!
//! The conductor has the lowest of them and every process of the scenario the next, on one CPU. So whoever is woken runs at once, and the conductor
//! goes on when all of them sleep: nobody has to be given time, whatever else the machine is busy with. What is quiet is proven as ever, by
//! looking ([`crate::quiet`]); a kernel that throttles or refuses these priorities makes it slower.
//!
//! Processes that are woken together then run in the order in which they were woken, nearly always. Linux allows other orders, and ordinary
//! priorities show more of them.

use std::io;

use serde::{Deserialize, Serialize};

use crate::sys::os;
use crate::trouble::{Trouble, Unavailable};

/// Whether the processes of a scenario have real-time priorities (`SCHED_FIFO` in sched(7)).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Priority {
    /// Where this program may give them.
    #[default]
    Auto,
    /// They have.
    RealTime,
    /// They have not.
    Ordinary,
}

impl Priority {
    /// All of them.
    pub const ALL: [Priority; 3] = [Priority::Auto, Priority::RealTime, Priority::Ordinary];

    /// As it is written.
    pub const fn word(self) -> &'static str {
        match self {
            Priority::Auto => "auto",
            Priority::RealTime => "real-time",
            Priority::Ordinary => "ordinary",
        }
    }
}

/// Above nobody who has such a priority, and above everybody who has none.
const CONDUCTOR: i32 = 1;

/// Above the conductor.
const AGENTS: i32 = 2;

/// What RLIMIT_RTPRIO has to be for that.
pub(crate) const HIGHEST: u32 = AGENTS.cast_unsigned();

/// Whether this process may give real-time priorities: it tries. From then on no process of a scenario may keep the CPU for long.
pub(crate) fn is_allowed() -> bool {
    os::limit_real_time().is_ok() && os::set_real_time(0, AGENTS).is_ok() && os::set_ordinary(0).is_ok()
}

/// What comes of a wish where real-time priorities are allowed, or not.
///
/// # Errors
/// If they are wished for and not allowed.
pub(crate) fn granted(wanted: Priority, allowed: bool) -> Result<bool, Trouble> {
    match wanted {
        Priority::RealTime if !allowed => Err(refused().into()),
        Priority::RealTime | Priority::Auto => Ok(allowed),
        Priority::Ordinary => Ok(false),
    }
}

/// Why nobody has one here who was to.
pub(crate) fn refused() -> Unavailable {
    Unavailable::new(
        "processes cannot be given real-time priorities here",
        "run as root of the machine (CAP_SYS_NICE), with RLIMIT_RTPRIO of 2 or more (ulimit -r), or with ordinary priorities (--priority)",
    )
}

/// What priorities a run has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Given {
    /// The conductor the lowest of the real-time ones, and all others the next.
    RealTime,
    /// Ordinary ones. The conductor's is of the kind that interrupts nobody when it is woken (`SCHED_BATCH`), so that who has told it of something goes to
    /// sleep before it looks.
    Ordinary,
    /// Those that this program was started with, for who may not choose: with less than an ordinary one (`SCHED_IDLE`) there is none to be had.
    Kept,
}

impl Given {
    /// Those of a run with real-time ones or without, where there are `ordinary` ones to be had or not.
    pub(crate) fn of(real_time: bool, ordinary: bool) -> Given {
        match (real_time, ordinary) {
            (true, _) => Given::RealTime,
            (false, true) => Given::Ordinary,
            (false, false) => Given::Kept,
        }
    }

    /// Gives the conductor its own.
    ///
    /// # Errors
    /// If it does not get a real-time one; the others are only faster or slower.
    pub(crate) fn to_conductor(self) -> Result<(), Trouble> {
        match self {
            Given::RealTime => os::set_real_time(0, CONDUCTOR).map_err(|error| not_given("the conductor", &error)),
            Given::Ordinary => {
                let _ = os::set_batch(0);
                Ok(())
            }
            Given::Kept => Ok(()),
        }
    }

    /// Gives the first process of a scenario its own: what it makes has it, too.
    ///
    /// # Errors
    /// As for the conductor.
    pub(crate) fn to_agents(self, first: i32) -> Result<(), Trouble> {
        match self {
            Given::RealTime => os::set_real_time(first, AGENTS).map_err(|error| not_given("processes", &error)),
            Given::Ordinary => {
                let _ = os::set_ordinary(first);
                Ok(())
            }
            Given::Kept => Ok(()),
        }
    }
}

fn not_given(who: &str, error: &io::Error) -> Trouble {
    format!("{who} got no priority (sched_setscheduler): {error}").into()
}
