//! A scenario written as a file is read back as the same scenario.
#![forbid(unsafe_code)]

use pidlab_scenario::{Scenario, library};

/// The scenario without the places of its steps, which a rewritten file moves.
fn without_places(mut scenario: Scenario) -> Scenario {
    for step in &mut scenario.steps {
        step.span = 0..0;
    }
    scenario
}

#[test]
fn the_library_parses_and_survives_being_written() {
    let mut wrong = String::new();
    let mut files = 0;
    for file in library::files() {
        files += 1;
        match Scenario::parse(&file.name, &file.path, file.text) {
            Err(diagnostics) => wrong += &format!("{diagnostics}\n\n"),
            Ok(scenario) => {
                let written = scenario.to_toml();
                let again = Scenario::parse(&file.name, "written.toml", &written)
                    .unwrap_or_else(|diagnostics| panic!("{diagnostics}"));
                assert_eq!(without_places(again), without_places(scenario), "{written}");
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(files >= 40, "only {files} files");
}
