//! Who is asleep: how the kernel at hand tells it.

use std::fs;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::sys::{arena, os, raw};
use crate::trouble::{Trouble, Unavailable};

/// Half a minute at least: who waits so long for a process ends with a word of its own, and concludes nothing.
const PASSES: u32 = 16_384;

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
    /// Asks about a process that goes to sleep in futex(2) and does nothing else, by its number. However long it takes to get a CPU for that, it is
    /// awaited; that nothing tells where it sleeps is believed only if it is so again and again.
    ///
    /// # Errors
    /// If nothing tells whether it is asleep.
    pub(crate) fn of_this_kernel(number: i32) -> Result<Witness, Trouble> {
        const LOOKS: u32 = 16;
        let read = |file: &str| fs::read_to_string(format!("/proc/{number}/{file}")).unwrap_or_default();
        let mut untold = 0;
        for pass in 0..PASSES {
            hand_over(pass);
            // The state first: who slept then sleeps still.
            let sleeps = has_gone_to_sleep(&read("stat"));
            match told(&read("wchan"), &read("syscall")) {
                Told::Place => return Ok(Witness::Place),
                Told::Running => continue,
                Told::Call | Told::Nothing if !sleeps => continue,
                _ if untold < LOOKS => untold += 1,
                Told::Call => return Ok(Witness::Call),
                Told::Nothing => return Err(nothing_tells().into()),
            }
        }
        Err(never_asleep().into())
    }
}

/// What the files of a process say of its sleep.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Told {
    /// Where.
    Place,
    /// That it is on its queue.
    Running,
    /// In which call, and not where.
    Call,
    /// Nothing: they may not be read, or are not there.
    Nothing,
}

/// Reads `wchan` and `syscall`.
fn told(wchan: &str, syscall: &str) -> Told {
    match (wchan.trim(), syscall) {
        ("" | "0", "") => Told::Nothing,
        ("" | "0", call) if call.starts_with("running") => Told::Running,
        ("" | "0", _) => Told::Call,
        _ => Told::Place,
    }
}

/// Whether the line of `/proc/PID/stat` is of one that has set out to sleep. One that is gone never will.
fn has_gone_to_sleep(stat: &str) -> bool {
    !stat.rsplit_once(") ").is_some_and(|(_, fields)| fields.starts_with('R'))
}

fn never_asleep() -> Unavailable {
    Unavailable::new(
        "a process that has nothing to do but sleep was never seen to",
        "run where there is CPU time to be had",
    )
}

fn nothing_tells() -> Unavailable {
    Unavailable::new(
        "neither /proc/PID/wchan nor /proc/PID/syscall tells whether a process is asleep",
        "run with CAP_SYS_PTRACE, or on a kernel with CONFIG_KALLSYMS or CONFIG_HAVE_ARCH_TRACEHOOK",
    )
}

/// Sleeps in futex(2) until it is killed.
pub(crate) fn sleep_for_ever() -> ! {
    let word = &arena::slot(0).command;
    loop {
        raw::futex_wait(word, word.load(Ordering::Acquire));
    }
}

/// Lets others run until something is so; false if it is not so after a very long time.
pub(crate) fn wait_until(is_so: impl Fn() -> bool) -> bool {
    (0..PASSES).any(|pass| {
        hand_over(pass);
        is_so()
    })
}

/// Lets others run before the next pass.
pub(crate) fn hand_over(pass: u32) {
    const LONGEST: u64 = 2000;
    if pass == 0 {
        os::yield_cpu();
    } else {
        // The first naps are about as long as what a process does before it sleeps again: whoever yields may get the CPU back at once.
        os::nap(Duration::from_micros((5 << pass.min(12)).min(LONGEST)));
    }
}

#[cfg(test)]
mod tests {
    use super::{Told, has_gone_to_sleep, told};

    #[test]
    fn who_is_on_a_queue_has_not_answered() {
        assert_eq!(told("futex_wait_queue", "202 0x7f"), Told::Place);
        assert_eq!(told("0", "running\n"), Told::Running);
        assert_eq!(told("0", "202 0x7f 0x0\n"), Told::Call);
        assert_eq!(told("0\n", ""), Told::Nothing);
        assert_eq!(told("", ""), Told::Nothing);
        assert!(!has_gone_to_sleep("7 (a) R 1 7 7"), "it waits for a CPU");
        assert!(has_gone_to_sleep("7 (a) R) S 1 7 7"));
        assert!(has_gone_to_sleep("7 (a) Z 1 7 7") && has_gone_to_sleep(""), "it is not to be awaited");
    }
}
