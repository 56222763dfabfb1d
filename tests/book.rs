//! `pidlab incidents` and `pidlab book`, as a user meets them. What is in them is tested in `book/tests/`.
#![forbid(unsafe_code)]

mod tool;

use std::fs;

use tool::{Folder, GOOD, pidlab};

#[test]
fn incidents_are_listed_and_told() {
    let folder = Folder::new("incidents");
    let list = pidlab(&folder.0, &["incidents"]);
    assert_eq!(list.code, Some(0), "{}", list.err);
    let ids: Vec<&str> = list.out.lines().filter_map(|line| line.split_once("  ")).map(|(id, _)| id).collect();
    assert!(
        ids.contains(&"cannot-be-removed") && list.out.lines().all(|line| line.chars().count() <= 80),
        "{}",
        list.out
    );
    let one = pidlab(&folder.0, &["incidents", "cannot-be-removed"]);
    for part in ["What to do", "[zap.invariant,", "pidlab run death/not-gone-yet", "moby/moby#31614"] {
        assert!(one.code == Some(0) && one.out.contains(part), "{part}: {}", one.out);
    }
    // What is typed stands in one piece.
    let prose = one.out.lines().filter(|line| !line.starts_with("    "));
    assert!(prose.clone().all(|line| line.chars().count() <= 80), "{}", one.out);
    let json = pidlab(&folder.0, &["incidents", "cannot-be-removed", "--format", "json"]);
    let line: serde_json::Value = serde_json::from_str(json.out.trim()).expect("it is one line of JSON");
    assert!(line["why"]["text"].is_string() && line["rules"][0] == "zap.waits-for-outside-parent", "{line}");
    let page = pidlab(&folder.0, &["incidents", "cannot-be-removed", "--format", "markdown"]);
    assert!(page.out.starts_with("# The container cannot be removed"), "{}", page.out);
    let wrong = pidlab(&folder.0, &["incidents", "cannot-be-remove"]);
    assert!(wrong.code == Some(2) && wrong.err.contains("did you mean `cannot-be-removed`?"), "{}", wrong.err);
}

#[test]
fn a_book_is_written_and_nothing_else_is_written_over() {
    let folder = Folder::new("book");
    folder.file("mine.toml", GOOD);
    folder.file("pidlab.html", "<!doctype html><title>playground</title>");
    // An earlier book is written over.
    folder.file("a/book/book.css", "");
    let made = pidlab(&folder.0, &["book", "--out", "a/book", "--playground", "pidlab.html"]);
    assert_eq!(made.code, Some(0), "{}{}", made.out, made.err);
    let index = fs::read_to_string(folder.0.join("a/book/index.html")).expect("it is there");
    assert!(index.contains("lesson-01.html") && index.contains("playground.html"), "{index}");
    let mut files = Vec::new();
    for entry in fs::read_dir(folder.0.join("a/book")).expect("it is a folder") {
        let entry = entry.expect("an entry can be read");
        let bytes = fs::read(entry.path()).expect("it is a file");
        files.push((entry.file_name().to_string_lossy().into_owned(), bytes));
    }
    assert_eq!(pidlab_book::faults(&files), [] as [String; 0], "what is inside the program is whole");
    for (out, more) in [(".", &[][..]), ("pidlab.html", &[]), ("b", &["--playground", "nowhere.html"])] {
        let wrong = pidlab(&folder.0, &[&["book", "--out", out], more].concat());
        assert!(wrong.code == Some(2) && wrong.err.starts_with("error: "), "{out}: {}", wrong.err);
        assert!(!folder.0.join("b").exists() && !folder.0.join("index.html").exists());
    }
}
