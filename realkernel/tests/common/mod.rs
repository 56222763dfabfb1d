//! What the tests of the runner share.

use pidlab_realkernel::{Lab, LabOptions};
use pidlab_scenario::Scenario;

/// A lab, or nothing where the kernel side cannot run; the reason is printed, and with `PIDLAB_REQUIRE_KERNEL` it is a failure.
pub(crate) fn lab(options: LabOptions) -> Option<Lab> {
    match Lab::open(options) {
        Ok(lab) => Some(lab),
        Err(why) => {
            let required = std::env::var_os("PIDLAB_REQUIRE_KERNEL").is_some_and(|value| value != "0");
            assert!(!required, "the kernel side cannot run here: {why}");
            eprintln!("skipped: {why}");
            None
        }
    }
}

/// A scenario from its steps.
pub(crate) fn scenario(steps: &str) -> Scenario {
    let text = format!("title = \"A test\"\nsteps = [\n{steps}\n]\n");
    Scenario::parse("test", "test.toml", &text).unwrap_or_else(|mistakes| panic!("{}", mistakes.render(false)))
}
