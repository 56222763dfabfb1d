//! Every kind of mistake in a scenario file, with the message that a user sees; and no input at all makes the parser panic.
#![forbid(unsafe_code)]

use std::fs;
use std::path::PathBuf;

use pidlab_scenario::{Scenario, library};
use proptest::prelude::*;

#[test]
fn each_bad_file_has_its_message() {
    let folder = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bad")).expect("the folder is there");
    let mut files: Vec<PathBuf> = folder.map(|entry| entry.expect("it can be read").path()).collect();
    files.sort();
    for path in &files {
        let text = fs::read_to_string(path).expect("a file of the test's own");
        let name = path.file_name().expect("a file has a name").to_string_lossy().into_owned();
        let Err(diagnostics) = Scenario::parse("bad/file", &name, &text) else { panic!("{name} is accepted") };
        for mistake in diagnostics.iter() {
            assert!(mistake.span.end <= text.len(), "{name}: {mistake:?}");
            assert!(mistake.message.chars().next().is_some_and(|first| !first.is_uppercase()), "{mistake:?}");
        }
        insta::with_settings!({ omit_expression => true, snapshot_suffix => name, input_file => path }, {
            insta::assert_snapshot!(diagnostics.render(false));
        });
    }
    assert!(files.len() >= 40, "only {} bad files", files.len());
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in ".{0,400}") {
        if let Err(diagnostics) = Scenario::parse("any", "any.toml", &text) {
            prop_assert!(!diagnostics.render(true).is_empty());
        }
    }

    #[test]
    fn no_damage_to_a_good_file_makes_it_panic(
        file in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        cut in 0usize..30,
        put in "[\\[\\]{}=,\"'\\\\\n#a-zA-Z0-9_. \u{0}\u{7f}é💥-]{0,12}",
    ) {
        let files: Vec<_> = library::files().collect();
        let text = file.get(&files).text;
        let boundaries: Vec<usize> = text.char_indices().map(|(index, _)| index).collect();
        let start = *at.get(&boundaries);
        let end = boundaries.iter().copied().find(|index| *index >= start + cut).unwrap_or(text.len());
        let damaged = format!("{}{put}{}", &text[..start], &text[end..]);
        match Scenario::parse("damaged", "damaged.toml", &damaged) {
            Ok(scenario) => prop_assert!(!scenario.to_toml().is_empty()),
            Err(diagnostics) => prop_assert!(!diagnostics.render(false).is_empty()),
        }
    }
}
