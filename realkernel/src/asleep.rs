//! Who is asleep: how the kernel at hand tells it.

use std::fs;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::sys::{arena, os, raw};
use crate::trouble::{Trouble, Unavailable};

/// How a kernel tells that a process is asleep, and on no queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Witness {
    /// `/proc/PID/wchan` says where it sleeps. Where that is matters to nobody here, and some kernels name what they happen to find
    /// on the stack (user-mode Linux).
    Place,
    /// That says nothing (x86 before Linux 5.16), but `/proc/PID/syscall` says `running` until the process is off the queue.
    Call,
}

impl Witness {
    /// Asks about a process that sleeps in futex(2), by its number. No place is believed only if there is none again and again: the process may not
    /// be off its queue yet.
    ///
    /// # Errors
    /// If nothing tells whether it is asleep.
    pub(crate) fn of_this_kernel(number: i32) -> Result<Witness, Trouble> {
        const LOOKS: u32 = 16;
        let read = |file: &str| fs::read_to_string(format!("/proc/{number}/{file}")).unwrap_or_default();
        let mut answer = None;
        for pass in 0..LOOKS {
            hand_over(pass);
            let call = read("syscall");
            answer = if !["", "0"].contains(&read("wchan").trim()) {
                Some(Witness::Place)
            } else if pass + 1 == LOOKS && !call.is_empty() && !call.starts_with("running") {
                Some(Witness::Call)
            } else {
                continue;
            };
            break;
        }
        let nothing = || {
            Unavailable::new(
                "neither /proc/PID/wchan nor /proc/PID/syscall tells whether a process is asleep",
                "run with CAP_SYS_PTRACE, or on a kernel with CONFIG_KALLSYMS or CONFIG_HAVE_ARCH_TRACEHOOK",
            )
        };
        answer.ok_or_else(|| nothing().into())
    }
}

/// Sleeps in futex(2) until it is killed.
pub(crate) fn sleep_for_ever() -> ! {
    let word = &arena::slot(0).command;
    loop {
        raw::futex_wait(word, word.load(Ordering::Acquire));
    }
}

/// Lets others run before the next pass.
pub(crate) fn hand_over(pass: u32) {
    const LONGEST: u64 = 2000;
    if pass < 2 {
        os::yield_cpu();
    } else {
        os::nap(Duration::from_micros((25 << pass.min(12)).min(LONGEST)));
    }
}
