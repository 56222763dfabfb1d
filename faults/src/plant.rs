//! Planting all faults of a file at once, each behind a switch of its own.
//!
//! ```text
//!   ns.cursor.max(floor)    (if crate::fault::on(7) { floor } else { ns.cursor.max(floor) })
//! ```
//!
//! Places may lie within one another, or be the same; the inner one is planted in what the outer one has found.

use std::ops::Range;

use crate::table::{Edit, Fault, Form, Kind, Table};

/// One place of a text and what comes there.
struct Place<'a> {
    number: usize,
    id: &'a str,
    edit: &'a Edit,
    range: Range<usize>,
}

/// The text of a file with all its faults.
///
/// # Errors
/// A place that is not there, or twice, or that overlaps another.
pub(crate) fn plant(table: &Table, file: &str, text: &str) -> Result<String, String> {
    let mut text = text.to_owned();
    for edit in table.support.iter().filter(|edit| edit.file == file) {
        let range = place_of(edit, &text).map_err(|why| format!("support: {why}"))?;
        text.replace_range(range, &edit.replace);
    }
    let mut places = Vec::new();
    for (number, fault) in table.numbered() {
        for edit in fault.edits.iter().filter(|edit| edit.file == file) {
            let range = place_of(edit, &text).map_err(|why| format!("{}: {why}", fault.id))?;
            places.push(Place { number, id: &fault.id, edit, range });
        }
    }
    // The outer of two comes first, and of two that are the same the one with the lower number.
    places.sort_by_key(|place| (place.range.start, std::cmp::Reverse(place.range.end), place.number));
    planted(&text, 0..text.len(), &places)
}

/// Where the one place is that an edit is about.
fn place_of(edit: &Edit, text: &str) -> Result<Range<usize>, String> {
    if let Some(at) = &edit.at {
        return Ok(at.clone());
    }
    let mut found = text.match_indices(&edit.find);
    match (found.next(), found.next()) {
        (Some((at, _)), None) => Ok(at..at + edit.find.len()),
        (None, _) => Err(format!("{} does not say: {}", edit.file, edit.find)),
        (Some(_), Some(_)) => Err(format!("{} says more than once: {}", edit.file, edit.find)),
    }
}

/// A part of the text, with the places in it planted; they are in order.
fn planted(text: &str, part: Range<usize>, places: &[Place<'_>]) -> Result<String, String> {
    let mut made = String::new();
    let mut at = part.start;
    let mut rest = places;
    while let Some((place, after)) = rest.split_first() {
        let within = after.iter().take_while(|inner| inner.range.start < place.range.end).count();
        let (inner, next) = after.split_at(within);
        if let Some(torn) = inner.iter().find(|inner| inner.range.end > place.range.end) {
            return Err(format!("{} and {} overlap in {}", place.id, torn.id, place.edit.file));
        }
        made.push_str(&text[at..place.range.start]);
        made.push_str(&switched(place, &planted(text, place.range.clone(), inner)?)?);
        at = place.range.end;
        rest = next;
    }
    made.push_str(&text[at..part.end]);
    Ok(made)
}

fn switched(place: &Place<'_>, found: &str) -> Result<String, String> {
    let replace = &place.edit.replace;
    let on = format!("crate::fault::on({})", place.number);
    Ok(match place.edit.form {
        Form::Expression => format!("(if {on} {{ {replace} }} else {{ {found} }})"),
        Form::Statement => format!("if {on} {{ {replace} }} else {{ {found} }}"),
        Form::Free if replace.contains("{on}") && replace.contains("{found}") => {
            replace.replace("{on}", &on).replace("{found}", found)
        }
        Form::Free => return Err(format!("{}: a free form has {{on}} and {{found}}", place.id)),
    })
}

/// The faults whose switches stand in the lines of a part of a planted text; if there are none, the last one before it.
pub(crate) fn faults_at(text: &str, part: Range<usize>) -> Vec<usize> {
    const SWITCH: &str = "crate::fault::on(";
    let number = |after: &str| after.split_once(')').and_then(|(number, _)| number.parse().ok());
    let start = text[..part.start.min(text.len())].rfind('\n').map_or(0, |at| at + 1);
    let end = text[part.end.min(text.len())..].find('\n').map_or(text.len(), |at| part.end + at);
    let within: Vec<usize> = text[start..end].split(SWITCH).skip(1).filter_map(number).collect();
    if !within.is_empty() {
        return within;
    }
    text[..start].rsplit_once(SWITCH).and_then(|(_, after)| number(after)).into_iter().collect()
}

/// The crates that faults are planted in, each by the folder of its sources.
pub(crate) fn crates(table: &Table) -> Vec<String> {
    let files = table.fault.iter().flat_map(|fault| &fault.edits).chain(&table.support);
    let mut folders: Vec<String> = files.filter_map(|edit| folder(&edit.file)).collect();
    folders.sort();
    folders.dedup();
    folders
}

/// The folder of sources that a file is in.
pub(crate) fn folder(file: &str) -> Option<String> {
    file.split_once("src/").map(|(before, _)| format!("{before}src"))
}

/// The module that each of these crates gets.
pub(crate) fn module(table: &Table) -> String {
    let chooses = |(number, fault): (usize, &Fault)| (fault.kind == Kind::AllowsTooMuch).then(|| number.to_string());
    let choosing: Vec<String> = table.numbered().filter_map(chooses).collect();
    format!(
        r#"//! Which fault is on.
#![allow(dead_code, reason = "not every crate asks everything")]

use std::sync::OnceLock;

static NUMBER: OnceLock<usize> = OnceLock::new();

fn number() -> usize {{
    *NUMBER.get_or_init(|| std::env::var("{VARIABLE}").ok().and_then(|number| number.parse().ok()).unwrap_or(0))
}}

/// Whether this fault is on.
#[inline]
pub(crate) fn on(fault: usize) -> bool {{
    number() == fault
}}

/// Whether the fault that is on lets the model choose.
pub(crate) fn chooses() -> bool {{
    [{}].contains(&number())
}}
"#,
        choosing.join(", ")
    )
}

/// The environment variable that says which fault is on.
pub(crate) const VARIABLE: &str = "PIDLAB_FAULT";

#[cfg(test)]
mod tests {
    use super::{faults_at, plant};
    use crate::table::Table;

    fn table(text: &str) -> Table {
        toml::from_str(text).unwrap_or_else(|error| panic!("{error}"))
    }

    fn two(first: &str, second: &str) -> Table {
        let fault = |id, edit| {
            format!("[[fault]]\nid = \"{id}\"\nwhat = \"\"\nkind = \"rule\"\nedits = [{{ file = \"f\", {edit} }}]\n")
        };
        table(&(fault("one", first) + &fault("two", second)))
    }

    #[test]
    fn places_within_one_another_and_the_same_are_planted() {
        let inner = two(r#"find = "b + c", replace = "0""#, r#"find = "c", replace = "1""#);
        let planted = plant(&inner, "f", "a = b + c;");
        let expected = "a = (if crate::fault::on(1) { 0 } else { b + (if crate::fault::on(2) { 1 } else { c }) });";
        assert_eq!(planted.as_deref(), Ok(expected));
        let same = two(r#"find = "b", replace = "0""#, r#"find = "b", replace = "{found}({on})", form = "free""#);
        let planted = plant(&same, "f", "a = b;");
        assert_eq!(planted.as_deref(), Ok("a = (if crate::fault::on(1) { 0 } else { b(crate::fault::on(2)) });"));
    }

    #[test]
    fn places_that_overlap_or_are_not_one_are_refused() {
        let torn = two(r#"find = "b + c", replace = "0""#, r#"find = "c;", replace = "1""#);
        assert!(plant(&torn, "f", "a = b + c;").is_err_and(|why| why.contains("overlap")));
        let twice = two(r#"find = "b", replace = "0""#, r#"find = "c", replace = "1""#);
        assert!(plant(&twice, "f", "a = b + b + c;").is_err_and(|why| why.contains("more than once")));
        assert!(plant(&twice, "f", "a = b;").is_err_and(|why| why.contains("does not say")));
    }

    #[test]
    fn an_error_is_blamed_on_the_switches_in_its_lines_or_on_the_last_before() {
        let text = "a(crate::fault::on(1))\nb(crate::fault::on(2), crate::fault::on(30)) {\n    c\n}\nd";
        let at = |what: &str| text.find(what).map(|at| at..at + what.len()).unwrap_or_else(|| panic!("{what}"));
        assert_eq!(faults_at(text, at("b")), [2, 30]);
        assert_eq!(faults_at(text, at("30)) {\n    c")), [2, 30], "of several lines");
        assert_eq!(faults_at(text, at("c\n")), [30], "what stands in its body");
        assert_eq!(faults_at("no switch", 3..5), [0usize; 0]);
    }

    /// The source changes, and the table has to follow.
    #[test]
    fn every_fault_of_the_table_has_its_place_in_the_source() {
        let table = Table::read().unwrap_or_else(|why| panic!("{why}"));
        let mut files: Vec<&str> =
            table.fault.iter().flat_map(|fault| &fault.edits).map(|edit| &edit.file[..]).collect();
        files.extend(table.support.iter().map(|edit| &edit.file[..]));
        files.sort_unstable();
        files.dedup();
        for file in files {
            let path = format!("{}/../{file}", env!("CARGO_MANIFEST_DIR"));
            let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
            if let Err(why) = plant(&table, file, &text) {
                panic!("{why}");
            }
        }
    }
}
