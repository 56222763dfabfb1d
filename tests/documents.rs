//! What is generated from the catalogue and committed is fresh. With `PIDLAB_WRITE=1` it is written in place of compared.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use pidlab::reference::{self, Reference};
use pidlab::scenario::words::calls;
use pidlab::scenario::{Errno, Facts, Scenario, library};
use pidlab::sim::{Model, rule};
use pidlab::{compare, coverage, glossary, measured, misconceptions};
use pidlab_claims::{self as claims, Case, Hearing};

/// The folder of the workspace.
const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The library.
fn scenarios() -> Vec<Scenario> {
    let parse = |file: library::LibraryFile| Scenario::parse(&file.name, &file.path, file.text);
    library::files().map(|file| parse(file).unwrap_or_else(|wrong| panic!("{wrong}"))).collect()
}

/// The catalogue as a page: each rule with its source, and the scenarios that show it.
fn rules() -> String {
    let scenarios = scenarios();
    let mut text = String::from(
        "# The rules\n\n\
         Every rule that the model follows, in teaching order, with the place in the kernel and in the manual, and the\n\
         scenarios that show it. Made from the catalogue in `sim/src/rule`; a test keeps it fresh.\n\n\
         A rule decides: that it fired means that the branch it stands for was taken. One that *describes* says that the\n\
         situation it is about came up, and other rules decide what follows. Where kernels differ, a fact says which of two\n\
         rules is true (`pidlab-scenario`, `Fact`).\n",
    );
    let mut family = "";
    for rule in rule::CATALOGUE {
        let own = rule.id.split('.').next().unwrap_or(rule.id);
        if own != family {
            let _ = writeln!(text, "\n## {own}\n");
            family = own;
        }
        let _ = writeln!(text, "**{}**: {}.  ", rule.id, rule.sentence);
        let _ = write!(text, "Kernel: `{}`.", rule.kernel);
        for (word, value) in
            [("Manual", rule.manual), ("Since", rule.since), ("Until", rule.until), ("Note", rule.note)]
        {
            if let Some(value) = value {
                let _ = write!(text, " {word}: {value}.");
            }
        }
        if let Some((fact, holds)) = rule.about {
            let _ = write!(text, " On kernels {} `{fact}`.", if holds { "with" } else { "without" });
        }
        if rule.kind == rule::Kind::Describes {
            text.push_str(" Describes.");
        }
        let shown: Vec<String> = scenarios
            .iter()
            .filter(|scenario| scenario.rules.iter().any(|id| id == rule.id))
            .map(|scenario| format!("`{}`", scenario.name))
            .collect();
        if !shown.is_empty() {
            let _ = write!(text, " Shown by {}.", shown.join(", "));
        }
        text.push_str("\n\n");
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

#[test]
fn the_page_of_misconceptions_is_fresh() {
    is_fresh("docs/misconceptions.md", &misconceptions::page(&scenarios()));
}

/// A page in the source tree is what is made now. With `PIDLAB_WRITE=1` it is written.
fn is_fresh(page: &str, made: &str) {
    let path = Path::new(ROOT).join(page);
    if std::env::var_os("PIDLAB_WRITE").is_some() {
        fs::write(&path, made).expect("the source tree is writable when it is asked to be written");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == made, "{page} is old: run this test once with PIDLAB_WRITE=1");
}

#[test]
fn the_page_of_rules_is_fresh() {
    is_fresh("docs/rules.md", &rules());
}

#[test]
fn the_page_of_calls_is_fresh() {
    is_fresh("docs/calls.md", &reference::page(&Reference::of_the_library()));
}

#[test]
fn the_glossary_is_fresh() {
    is_fresh("docs/glossary.md", &glossary::page());
}

/// Every claim, heard on the newest Linux that the model knows and on the kernels of the table. The verdicts are what these pages pin.
fn hearings() -> (Vec<Hearing>, Vec<claims::Kernel>) {
    let kernels = measured::kernels();
    let hear = |case: Case| {
        let here = case.on_facts(&Facts::newest()).unwrap_or_else(|wrong| panic!("{}: {wrong}", case.id));
        Hearing::new(case, "the newest Linux", here, &kernels).unwrap_or_else(|wrong| panic!("{wrong}"))
    };
    (claims::library::cases().into_iter().map(hear).collect(), kernels)
}

#[test]
fn the_pages_of_claims_are_fresh() {
    let (hearings, kernels) = hearings();
    is_fresh("docs/claims.md", &claims::page::claims(&hearings, &kernels));
    is_fresh("docs/article.md", &claims::page::article(&hearings, &kernels));
}

#[test]
fn the_page_of_incidents_is_fresh() {
    let incidents = pidlab_book::incidents().unwrap_or_else(|wrong| panic!("{wrong}"));
    is_fresh("docs/incidents.md", &pidlab_book::page(&incidents));
}

/// Random scenarios of each kind of kernel in which errors are looked for.
const CASES: u64 = 2500;

/// The errors of a call, as the table of calls has them, are those that the model gives: no other, and each of them.
#[test]
fn the_table_of_calls_names_every_error() {
    let mut reference = Reference::of_the_library();
    for facts in coverage::kinds_of_kernels(&Facts::newest()) {
        let mut model = Model::new(facts);
        for case in 0..CASES {
            let scenario = coverage::random_scenario(&mut model, 1, case);
            let verdict = compare::with_model(&mut model, &scenario, None);
            reference.add(&scenario, &verdict);
        }
    }
    let named = |call: &str, errno: Errno| {
        calls().iter().any(|words| words.name == call && words.errors.iter().any(|(named, _)| *named == errno))
    };
    let unnamed: Vec<_> = reference.errors().iter().filter(|(call, errno)| !named(call, *errno)).collect();
    let all = calls().iter().flat_map(|words| words.errors.iter().map(|(errno, _)| (words.name, *errno)));
    let unseen: Vec<_> = all.filter(|error| !reference.errors().contains(error)).collect();
    assert!(
        unnamed.is_empty() && unseen.is_empty(),
        "not in the table of calls: {unnamed:?}, there and never seen: {unseen:?}"
    );
}

const KNOWN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/known-rules.txt");
const NOT_SHOWN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/not-shown.md");

/// The ids in the first column of the tables of a page.
fn first_column(page: &str) -> Vec<&str> {
    page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect()
}

/// Every rule that we know of is in the catalogue, or on the page of those that no scenario shows.
#[test]
fn every_known_rule_is_shown_or_listed_with_a_reason() {
    let known = fs::read_to_string(KNOWN).expect("docs/known-rules.txt is committed");
    let page = fs::read_to_string(NOT_SHOWN).expect("docs/not-shown.md is committed");
    let (not_shown, other_ids) = page.split_once("## Known under another id").expect("the page has both parts");
    let (not_shown, other_ids) = (first_column(not_shown), first_column(other_ids));
    for id in known.lines() {
        let places = [rule::find(id).is_some(), not_shown.contains(&id), other_ids.contains(&id)];
        assert_eq!(places.iter().filter(|is_there| **is_there).count(), 1, "{id} belongs in one place");
    }
    for id in not_shown.iter().chain(&other_ids) {
        assert!(known.lines().any(|line| line == *id), "{id} is not among the known rules");
    }
    let counts = format!("{} of {}", not_shown.len(), known.lines().count());
    assert!(page.contains(&counts), "the page says how many there are: {counts}");
    for line in page.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        assert!(cells.len() == 3 && cells.iter().all(|cell| cell.len() > 3), "a reason for each: {line}");
    }
}

/// All source files of the workspace, as one text.
fn sources() -> String {
    let parts = [
        "book",
        "certify",
        "claims",
        "explore",
        "faults",
        "judge",
        "kernels",
        "page",
        "realkernel",
        "scenarios",
        "sim",
        "src",
        "tests",
        "why",
    ];
    let mut open: Vec<PathBuf> = parts.iter().map(|part| Path::new(ROOT).join(part)).collect();
    let mut text = String::new();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the workspace can be read") {
            let path = entry.expect("an entry can be read").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                text += &fs::read_to_string(&path).expect("a source file is text");
            }
        }
    }
    text
}

/// The recipes name files and tests; they are there.
#[test]
fn what_contributing_names_is_there() {
    let page = fs::read_to_string(Path::new(ROOT).join("CONTRIBUTING.md")).expect("CONTRIBUTING.md is committed");
    let sources = sources();
    let named: Vec<&str> = page.lines().flat_map(|line| line.split('`').skip(1).step_by(2)).collect();
    let is_path = |name: &&&str| {
        // What a build makes is there only after that build.
        let built = name.starts_with("target/");
        name.split_once('/')
            .is_some_and(|(folder, _)| !built && !folder.is_empty() && Path::new(ROOT).join(folder).is_dir())
    };
    let paths: Vec<&str> = named.iter().filter(is_path).map(|name| name.split(' ').next().unwrap_or(name)).collect();
    let lacking: Vec<&&str> = paths.iter().filter(|path| !Path::new(ROOT).join(path).exists()).collect();
    assert!(lacking.is_empty(), "no such files: {lacking:?}");
    let is_function = |name: &&&str| {
        name.matches('_').count() >= 2 && name.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_')
    };
    let functions: Vec<&&str> = named.iter().filter(is_function).collect();
    let lacking: Vec<&&&str> = functions.iter().filter(|name| !sources.contains(&format!("fn {name}("))).collect();
    assert!(lacking.is_empty(), "no such tests: {lacking:?}");
    assert!(paths.len() >= 30 && functions.len() >= 12, "{} files, {} tests", paths.len(), functions.len());
}

/// The test of a runtime that the README shows is one that runs here.
#[test]
fn the_readme_shows_a_test_that_runs() {
    let read = |file: &str| fs::read_to_string(Path::new(ROOT).join(file)).expect("it is committed");
    let file = read("tests/your_runtime.rs");
    let (_, test) = file.split_once("\n\n").expect("what the file is about stands first");
    let readme = read("README.md");
    let (_, rest) = readme.split_once("<!-- runtime:begin -->\n").expect("the README has a place for it");
    let (shown, _) = rest.split_once("<!-- runtime:end -->").expect("that place has an end");
    assert_eq!(shown, format!("```rust\n{test}```\n"));
}

/// What the page about testing an init shows is in the test that runs.
#[test]
fn the_page_about_testing_an_init_shows_what_runs() {
    let read = |file: &str| fs::read_to_string(Path::new(ROOT).join(file)).expect("it is committed");
    let (page, test) = (read("docs/testing-an-init.md"), read("tests/toy_init.rs"));
    let shown: Vec<&str> = page.split("```rust\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(shown.len() >= 5);
    for code in shown {
        assert!(test.contains(code), "{code}");
    }
}

/// Files of the workspace that the pages of documentation lead to are there.
#[test]
fn the_links_of_the_pages_lead_somewhere() {
    let pages = [
        "README.md",
        "docs/testing-an-init.md",
        "docs/how-it-works.md",
        "docs/calls.md",
        "docs/glossary.md",
        "docs/article.md",
    ];
    let mut count = 0;
    for page in pages {
        let path = Path::new(ROOT).join(page);
        let text = fs::read_to_string(&path).expect("it is committed");
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let (file, place) = target.split_once('#').unwrap_or((target, ""));
            let target = if file.is_empty() { path.clone() } else { path.with_file_name(file) };
            // A picture is no text, but it is there.
            let linked = String::from_utf8_lossy(&fs::read(&target).unwrap_or_default()).into_owned();
            let heading = |line: &str| {
                let words = line.trim_start_matches('#').trim().to_lowercase().replace('\'', "").replace(' ', "-");
                line.starts_with('#') && words == place
            };
            assert!(
                !linked.is_empty() && (place.is_empty() || linked.lines().any(heading)),
                "{page}: `{file}#{place}`"
            );
            count += 1;
        }
    }
    assert!(count > 40, "only {count} links");
}
