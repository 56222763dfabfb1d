//! What the tests of the runner share.

use std::fmt::Display;
use std::io::{Write, stderr};

use pidlab_realkernel::{Lab, LabOptions};
use pidlab_scenario::Scenario;

/// A lab, or nothing where the kernel side [cannot](cannot) run.
pub(crate) fn lab(options: LabOptions) -> Option<Lab> {
    Lab::open(options).map_err(cannot).ok()
}

/// This cannot be tested in this place, though it could be on this kernel: skipped, or, with `PIDLAB_REQUIRE_KERNEL`, a failure.
///
/// # Panics
/// If it is required.
pub(crate) fn cannot(why: impl Display) {
    let required = std::env::var_os("PIDLAB_REQUIRE_KERNEL").is_some_and(|value| value != "0" && !value.is_empty());
    assert!(!required, "the kernel side cannot run here: {why}");
    skip(why);
}

/// The test that runs is about something that is not here. Says so where it is seen: what the macros print, the harness keeps for
/// tests that fail.
pub(crate) fn skip(why: impl Display) {
    let thread = std::thread::current();
    // A terminal that is gone is no reason to fail.
    let _ = writeln!(stderr(), "skipped: {}: {why}", thread.name().unwrap_or("a test"));
}

/// A scenario from its steps.
pub(crate) fn scenario(steps: &str) -> Scenario {
    let text = format!("title = \"A test\"\nsteps = [\n{steps}\n]\n");
    Scenario::parse("test", "test.toml", &text).unwrap_or_else(|mistakes| panic!("{}", mistakes.render(false)))
}
