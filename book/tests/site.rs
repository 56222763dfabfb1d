//! The site that is made: every link of it leads somewhere, and it needs nothing from elsewhere.
#![forbid(unsafe_code)]

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use pidlab_book::{Document, Site, faults, incidents};
use pidlab_page::LESSONS;
use pidlab_scenario::library;
use pidlab_sim::rule;

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// A site of the documents in the source tree, with something in the place of the playground.
fn site() -> Site {
    let mut site = Site::default();
    site.playground = Some(b"<!doctype html>".to_vec());
    let readme = fs::read_to_string(root().join("README.md")).expect("the README is committed");
    site.documents.push(Document { name: "README.md".to_owned(), text: readme });
    for entry in fs::read_dir(root().join("docs")).expect("there are documents") {
        let path = entry.expect("an entry can be read").path();
        let name = path.file_name().expect("it is a file").to_string_lossy().into_owned();
        match fs::read_to_string(&path) {
            Ok(text) if name.ends_with(".md") => site.documents.push(Document { name, text }),
            _ => site.files.push((name, fs::read(&path).expect("it can be read"))),
        }
    }
    site
}

/// It is made once.
fn made() -> &'static [(String, Vec<u8>)] {
    static MADE: OnceLock<Vec<(String, Vec<u8>)>> = OnceLock::new();
    MADE.get_or_init(|| site().made().expect("it can be made"))
}

fn page(name: &str) -> String {
    let found = made().iter().find(|(file, _)| file == name);
    String::from_utf8(found.unwrap_or_else(|| panic!("there is no {name}")).1.clone()).expect("it is text")
}

#[test]
fn every_link_leads_somewhere_and_nothing_is_loaded_from_elsewhere() {
    let faults = faults(made());
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn a_dead_link_is_noticed() {
    let mut files = made().to_vec();
    let scenario = files.iter().position(|(name, _)| name == "scenario-death-not-gone-yet.html").expect("it is there");
    files.remove(scenario);
    let faults = faults(&files);
    assert!(
        faults.iter().any(|fault| fault.starts_with("incident-cannot-be-removed.html: there is no `scenario-death")),
        "{faults:?}"
    );
    assert!(faults.iter().any(|fault| fault.starts_with("rules.html: ")), "{faults:?}");
}

#[test]
fn everything_has_its_place() {
    for file in library::files() {
        let html = page(&format!("scenario-{}.html", file.name.replace('/', "-")));
        assert!(html.contains(&format!("#s={}\"", file.name)), "{} has no player", file.name);
    }
    let rules = page("rules.html");
    for rule in rule::CATALOGUE {
        assert!(rules.contains(&format!("id=\"{}\"", rule.id)), "{} has no place", rule.id);
    }
    for number in 1..=LESSONS.len() {
        let html = page(&format!("lesson-{number:02}.html"));
        assert!(html.contains("On a machine") && html.contains("What happens, and why"), "lesson {number}");
    }
    for incident in incidents().expect("they are read") {
        let html = page(&format!("incident-{}.html", incident.id));
        assert!(
            html.contains("What to do") && html.contains("https://github.com/") && html.contains("<svg"),
            "{}",
            incident.id
        );
    }
    // Whatever stands in docs is a page, or a form of it is.
    for document in site().documents {
        page(&format!("{}.html", document.name.trim_end_matches(".md").to_lowercase()));
    }
}

#[test]
fn the_playground_is_linked_where_it_is() {
    assert!(page("index.html").contains("<a href=\"playground.html\">"));
    assert!(page("scenario-death-not-gone-yet.html").contains("playground.html#s=death/not-gone-yet"));
}

#[test]
fn an_answer_is_folded_away_where_something_is_asked() {
    let html = page("lesson-03.html");
    let open = html.split("<details").next().expect("it has a beginning");
    assert!(open.contains("class=\"ask\"") && !open.contains("<svg"), "{open}");
}
