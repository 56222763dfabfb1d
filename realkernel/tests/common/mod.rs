//! What the tests of the runner share.

use pidlab_scenario::Scenario;

/// A scenario from its steps.
pub(crate) fn scenario(steps: &str) -> Scenario {
    let text = format!("title = \"A test\"\nsteps = [\n{steps}\n]\n");
    Scenario::parse("test", "test.toml", &text).unwrap_or_else(|mistakes| panic!("{}", mistakes.render(false)))
}
