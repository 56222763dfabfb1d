//! The catalogue of rules is complete, and the model names every rule of it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use pidlab_scenario::Fact;
use pidlab_sim::rule::{self, CATALOGUE};

/// The names of the rules' constants, as the declarations have them.
fn constants() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (_, text) in sources("src/rule") {
        for line in text.lines() {
            let Some((name, rest)) = line.trim().split_once(" = \"") else { continue };
            if name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_') {
                let id = rest.split('"').next().expect("split gives a first part");
                found.push((name.to_owned(), id.to_owned()));
            }
        }
    }
    found
}

/// The source files below a folder.
fn sources(folder: &str) -> Vec<(String, String)> {
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    let mut texts = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).expect("the crate has its sources") {
            let path = entry.expect("a folder can be read").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.file_name().expect("a file has a name").to_string_lossy().into_owned();
                texts.push((name, fs::read_to_string(&path).expect("a source file is text")));
            }
        }
    }
    texts
}

#[test]
fn ids_are_unique_and_every_constant_is_listed() {
    let ids: BTreeSet<&str> = CATALOGUE.iter().map(|rule| rule.id).collect();
    assert_eq!(ids.len(), CATALOGUE.len(), "an id is used twice");
    let declared: BTreeSet<String> = constants().into_iter().map(|(_, id)| id).collect();
    assert_eq!(declared.len(), CATALOGUE.len());
    for id in declared {
        assert!(rule::find(&id).is_some(), "`{id}` is declared and not listed");
    }
}

#[test]
fn a_rule_says_one_sentence_and_where_it_is_done() {
    for rule in CATALOGUE {
        assert!(rule.id.contains('.'), "{}: an id is `area.name`", rule.id);
        assert!(rule.sentence.len() > 20, "{}: no sentence", rule.id);
        assert!(!rule.sentence.ends_with('.'), "{}: the sentence ends without a full stop", rule.id);
        assert!(rule.kernel.contains(".c"), "{}: no kernel file", rule.id);
        assert!(rule.manual.is_none_or(|manual| manual.contains('(')), "{}: a manual page has a section", rule.id);
    }
}

#[test]
fn the_model_names_every_rule() {
    let model: String = sources("src").into_iter().map(|(_, text)| text).collect();
    for (name, id) in constants() {
        assert!(model.contains(&format!("rule::{name}")), "nothing in the model names `{id}`");
    }
}

/// On every kernel one of the two is true. Facts about the place where scenarios run are no facts about kernels.
#[test]
fn a_fact_about_kernels_has_a_rule_for_each_side() {
    for fact in Fact::ALL.iter().filter(|fact| !fact.is_of_place()) {
        for holds in [true, false] {
            let some = CATALOGUE.iter().any(|rule| rule.about == Some((*fact, holds)));
            assert!(some, "no rule says what is true where `{fact}` is {holds}");
        }
    }
}

#[test]
fn the_name_of_a_constant_follows_from_the_id() {
    for (name, id) in constants() {
        assert_eq!(name, id.to_uppercase().replace(['.', '-'], "_"), "`{id}`");
    }
}
