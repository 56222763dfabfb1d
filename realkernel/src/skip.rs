//! For tests that need the kernel side: skipped where it cannot run, and said so, or failed where nothing may be skipped.

use std::fmt::Display;
use std::io::{Write as _, stderr};

use crate::lab::{Lab, LabOptions};

/// The variable that says that a test which cannot run fails.
const VARIABLE: &str = "PIDLAB_REQUIRE_KERNEL";

/// Whether no test may be skipped: `PIDLAB_REQUIRE_KERNEL` is set, and is not 0.
pub fn must_not_skip() -> bool {
    std::env::var_os(VARIABLE).is_some_and(|value| value != "0" && !value.is_empty())
}

/// The test that runs is about something that is not here. Says so where it is seen: what the macros print, the harness keeps for tests that
/// fail.
pub fn skip(why: impl Display) {
    let thread = std::thread::current();
    // A terminal that is gone is no reason to fail.
    let _ = writeln!(stderr(), "skipped: {}: {why}", thread.name().unwrap_or("a test"));
}

/// The test that runs cannot be made in this place, though it could be on this kernel: it [is skipped](skip).
///
/// # Panics
/// If [nothing may be skipped](must_not_skip).
pub fn cannot_run(why: impl Display) {
    assert!(!must_not_skip(), "it cannot run here, and {VARIABLE} says that nothing may be skipped: {why}");
    skip(why);
}

impl Lab {
    /// A lab for a test, or nothing where there can be none: then the test [cannot run](cannot_run).
    ///
    /// # Panics
    /// If there can be none and [nothing may be skipped](must_not_skip).
    pub fn or_skip(options: LabOptions) -> Option<Lab> {
        Lab::open(options).map_err(cannot_run).ok()
    }
}
