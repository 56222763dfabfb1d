//! Real-time priorities: for speed, and for nothing else.
//!
//! The conductor has the lowest of them and every process of the scenario the next, on one CPU. So whoever is woken runs at once, and the conductor
//! goes on when all of them sleep: nobody has to be given time, whatever else the machine is busy with. What is quiet is proven as ever, by
//! looking ([`crate::quiet`]); a kernel that throttles or refuses these priorities makes it slower.
//!
//! Processes that are woken together then run in the order in which they were woken, nearly always. Linux allows other orders, and ordinary
//! priorities show more of them.

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

/// Gives the conductor the priority that it has while a scenario runs. Where there is no choice it stays as it is: who was started with less than an ordinary one (`SCHED_IDLE`) may not
/// take that.
pub(crate) fn of_conductor(real_time: bool) -> Result<(), Trouble> {
    let set = if real_time { os::set_real_time(0, CONDUCTOR) } else { os::set_ordinary(0) };
    set.map_err(|error| format!("the conductor got no priority (sched_setscheduler): {error}").into())
}

/// Gives the first process of a scenario that of all of them: what it makes has it, too.
pub(crate) fn of_agents(first: i32) -> Result<(), Trouble> {
    let set = os::set_real_time(first, AGENTS);
    set.map_err(|error| format!("processes got no priority (sched_setscheduler): {error}").into())
}
