//! Mistakes that nobody has thought of: what `cargo mutants --list --json` would change, as faults of a table.
//!
//! cargo-mutants builds the program anew for every change. Here all are planted at once, each behind its switch, so a thousand take one build:
//!
//! ```text
//!   a == b        replace == with !=        (if on(7) { a != b } else { a == b })
//!   !a            delete !                  (if on(8) { a } else { !a })
//!   { … }         replace f with ()         { if on(9) { return (); } … }
//!   A if g => x   replace the guard         A if (if on(10) { true } else { g }) => x
//!   A => x        delete the arm            A if !on(11) => x
//! ```
//!
//! Some of these do not build (in a constant, in a chain of `let`): the compiler says which, and they are left out, and counted.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Range;
use std::path::Path;

use proc_macro2::LineColumn;
use serde::Deserialize;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use crate::table::{Edit, Fault, Form, Kind, Table};

/// A change, as cargo-mutants writes it; what else it says is not needed.
#[derive(Deserialize)]
struct Listed {
    file: String,
    name: String,
    genre: String,
    replacement: String,
    span: Span,
}

#[derive(Deserialize)]
struct Span {
    start: Place,
    end: Place,
}

/// A place in a text; both are counted from 1.
#[derive(Deserialize, Clone, Copy)]
struct Place {
    line: usize,
    column: usize,
}

/// Changes that nothing can notice, as they are in the repository.
const SURVIVORS: &str = include_str!("../survivors.toml");

/// The table of those.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listing {
    #[serde(default)]
    survivor: Vec<Survivors>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Survivors {
    /// Why no behaviour is another with any of them.
    why: String,
    /// As cargo-mutants calls them, without their lines and columns, which follow every other change of the file.
    changes: Vec<String>,
}

/// Why nothing can notice a change, by its name without the place.
///
/// # Errors
/// What is wrong with the table.
fn survivors() -> Result<BTreeMap<String, String>, String> {
    let listing: Listing = toml::from_str(SURVIVORS).map_err(|error| format!("survivors.toml: {error}"))?;
    let mut by_change = BTreeMap::new();
    for Survivors { why, changes } in listing.survivor {
        for change in changes {
            if by_change.contains_key(&change) {
                return Err(format!("survivors.toml: `{change}` is there twice"));
            }
            by_change.insert(change, why.clone());
        }
    }
    Ok(by_change)
}

/// A change's name without its line and column: `sim/src/wait.rs:7:9: delete ! in f` is `sim/src/wait.rs: delete ! in f`.
fn without_place(name: &str) -> String {
    let mut parts = name.splitn(4, ':');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(file), Some(_), Some(_), Some(change)) => format!("{file}:{change}"),
        _ => name.to_owned(),
    }
}

/// The changes of a list as a table of faults, and how many have no form with a switch.
///
/// # Errors
/// If the list or a file cannot be read.
pub(crate) fn table(list: &Path, workspace: &Path) -> Result<(Table, usize), String> {
    let text = fs::read_to_string(list).map_err(|error| format!("{}: {error}", list.display()))?;
    let listed: Vec<Listed> = serde_json::from_str(&text)
        .map_err(|error| format!("{} is not what `cargo mutants --list --json` writes: {error}", list.display()))?;
    let mut files: BTreeMap<&str, Source> = BTreeMap::new();
    for one in &listed {
        if !files.contains_key(one.file.as_str()) {
            files.insert(&one.file, Source::read(&workspace.join(&one.file))?);
        }
    }
    let mut faults: Vec<Fault> = Vec::new();
    let mut names = BTreeSet::new();
    let mut left_out = 0;
    let survivors = survivors()?;
    for one in &listed {
        match files[one.file.as_str()].edit(one) {
            // An arm with several patterns is listed once for each.
            Some(_) if !names.insert(&one.name) => {}
            Some(edit) => faults.push(Fault {
                id: one.name.clone(),
                what: String::new(),
                kind: Kind::Rule,
                unseen: survivors.get(&without_place(&one.name)).cloned(),
                edits: vec![edit],
            }),
            None => left_out += 1,
        }
    }
    Ok((Table { support: Vec::new(), fault: faults }, left_out))
}

/// A file, with where everything stands that can be changed, by its first byte.
struct Source {
    text: String,
    lines: Vec<usize>,
    /// Of an operator with two sides: the whole, the left side, the right side.
    binary: BTreeMap<usize, [Range<usize>; 3]>,
    /// Of an operator with one: the whole, and what it is applied to.
    unary: BTreeMap<usize, [Range<usize>; 2]>,
    /// Of an arm: its pattern, and its guard.
    arms: BTreeMap<usize, (Range<usize>, Option<Range<usize>>)>,
    /// What stands in a function, from its first statement to its last.
    bodies: BTreeMap<usize, Range<usize>>,
}

impl Source {
    fn read(path: &Path) -> Result<Source, String> {
        let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Source::of(text).map_err(|error| format!("{}: {error}", path.display()))
    }

    fn of(text: String) -> syn::Result<Source> {
        let parsed = syn::parse_file(&text)?;
        let starts = text.match_indices('\n').map(|(at, _)| at + 1);
        let lines = std::iter::once(0).chain(starts).collect();
        let mut source = Source {
            text,
            lines,
            binary: BTreeMap::new(),
            unary: BTreeMap::new(),
            arms: BTreeMap::new(),
            bodies: BTreeMap::new(),
        };
        let mut finder = Finder(&mut source);
        finder.visit_file(&parsed);
        Ok(source)
    }

    /// The byte of a column in a line, which is counted from 0 and in characters.
    fn byte(&self, line: usize, column: usize) -> usize {
        let start = line.checked_sub(1).and_then(|line| self.lines.get(line)).copied().unwrap_or(self.text.len());
        let rest = &self.text[start..];
        start + rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at)
    }

    fn range(&self, of: &impl Spanned) -> Range<usize> {
        let at = |place: LineColumn| self.byte(place.line, place.column);
        at(of.span().start())..at(of.span().end())
    }

    /// The change with a switch; none where it has none, or where nothing of its kind stands there: the list may be of other sources.
    fn edit(&self, one: &Listed) -> Option<Edit> {
        let at = |place: Place| Some(self.byte(place.line, place.column.checked_sub(1)?));
        let part = at(one.span.start)?..at(one.span.end)?;
        let text = |range: &Range<usize>| &self.text[range.clone()];
        let made = |at: Range<usize>, replace: String, form| {
            Some(Edit { file: one.file.clone(), find: self.text[at.clone()].to_owned(), replace, form, at: Some(at) })
        };
        let new = &one.replacement;
        match one.genre.as_str() {
            "BinaryOperator" => {
                let [whole, left, right] = self.binary.get(&part.start)?;
                made(whole.clone(), format!("{} {new} {}", text(left), text(right)), Form::Expression)
            }
            "UnaryOperator" if new.is_empty() => {
                let [whole, inner] = self.unary.get(&part.start)?;
                made(whole.clone(), text(inner).to_owned(), Form::Expression)
            }
            "FnValue" if self.bodies.get(&part.start) == Some(&part) => {
                made(part, format!("if {{on}} {{ return {new}; }}\n{{found}}"), Form::Free)
            }
            "MatchArmGuard" if self.arms.values().any(|(_, guard)| guard.as_ref() == Some(&part)) => {
                made(part, new.clone(), Form::Expression)
            }
            "MatchArm" => match self.arms.get(&part.start)? {
                (_, Some(guard)) => made(guard.clone(), "!{on} && ({found})".to_owned(), Form::Free),
                (pattern, None) => made(pattern.clone(), "{found} if !{on}".to_owned(), Form::Free),
            },
            _ => None,
        }
    }
}

struct Finder<'s>(&'s mut Source);

impl Finder<'_> {
    fn body(&mut self, block: &syn::Block) {
        if let (Some(first), Some(last)) = (block.stmts.first(), block.stmts.last()) {
            let body = self.0.range(first).start..self.0.range(last).end;
            self.0.bodies.insert(body.start, body);
        }
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_item_fn(&mut self, node: &'ast syn::ItemFn) {
        self.body(&node.block);
        visit::visit_item_fn(self, node);
    }

    fn visit_impl_item_fn(&mut self, node: &'ast syn::ImplItemFn) {
        self.body(&node.block);
        visit::visit_impl_item_fn(self, node);
    }

    fn visit_expr_binary(&mut self, node: &'ast syn::ExprBinary) {
        if !has_let(&node.left) && !has_let(&node.right) {
            let at = self.0.range(&node.op).start;
            let places = [self.0.range(node), self.0.range(&node.left), self.0.range(&node.right)];
            self.0.binary.insert(at, places);
        }
        visit::visit_expr_binary(self, node);
    }

    fn visit_expr_unary(&mut self, node: &'ast syn::ExprUnary) {
        let places = [self.0.range(node), self.0.range(&node.expr)];
        self.0.unary.insert(places[0].start, places);
        visit::visit_expr_unary(self, node);
    }

    fn visit_arm(&mut self, node: &'ast syn::Arm) {
        let guard = node.guard.as_ref().filter(|(_, guard)| !has_let(guard));
        let guard = guard.map(|(_, guard)| self.0.range(guard));
        if node.guard.is_none() || guard.is_some() {
            self.0.arms.insert(self.0.range(node).start, (self.0.range(&node.pat), guard));
        }
        visit::visit_arm(self, node);
    }
}

/// Whether an operand binds names for what follows: such a chain cannot stand in parentheses.
fn has_let(expr: &syn::Expr) -> bool {
    match expr {
        syn::Expr::Let(_) => true,
        syn::Expr::Binary(binary) => has_let(&binary.left) || has_let(&binary.right),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Listed, Place, Source, Span, survivors, without_place};
    use crate::plant::plant;
    use crate::table::{Fault, Kind, Table};

    /// What comes of a text in which one change is planted, which cargo-mutants would list with these words for where it stands.
    fn planted(text: &str, genre: &str, what: &str, replacement: &str) -> Option<String> {
        let at = text.find(what).expect("it stands there");
        let place = |at: usize| {
            let before = &text[..at];
            let line = before.rfind('\n').map_or(0, |end| end + 1);
            let column = before[line..].chars().count() + 1;
            format!(r#"{{"line": {}, "column": {column}}}"#, before.matches('\n').count() + 1)
        };
        let [start, end] = [place(at), place(at + what.len())];
        let listed = format!(
            r#"{{"file": "f", "name": "n", "genre": "{genre}", "replacement": "{replacement}", "span": {{"start": {start}, "end": {end}}}}}"#
        );
        let listed: Listed = serde_json::from_str(&listed).unwrap_or_else(|error| panic!("{listed}: {error}"));
        let source = Source::of(text.to_owned()).unwrap_or_else(|error| panic!("{text}: {error}"));
        let edits = vec![source.edit(&listed)?];
        let fault = Fault { id: "n".to_owned(), what: String::new(), kind: Kind::Rule, unseen: None, edits };
        let table = Table { support: Vec::new(), fault: vec![fault] };
        Some(plant(&table, "f", text).unwrap_or_else(|why| panic!("{text}: {why}")))
    }

    #[test]
    fn each_kind_of_change_gets_its_switch() {
        let text = "fn f(ü: &str, a: u8) -> bool {\n    let b = 'ß' == g(ü) && !h(a);\n    b\n}";
        let made = |genre, what, new| planted(text, genre, what, new).unwrap_or_default();
        let on = "crate::fault::on(1)";
        let body = text.replace("let b", &format!("if {on} {{ return true; }}\nlet b"));
        assert_eq!(made("FnValue", "let b = 'ß' == g(ü) && !h(a);\n    b", "true"), body);
        let binary = text.replace("'ß' == g(ü)", &format!("(if {on} {{ 'ß' != g(ü) }} else {{ 'ß' == g(ü) }})"));
        assert_eq!(made("BinaryOperator", "==", "!="), binary);
        let unary = text.replace("!h(a)", &format!("(if {on} {{ h(a) }} else {{ !h(a) }})"));
        assert_eq!(made("UnaryOperator", "!", ""), unary);
        let text = "fn f() {\n    match a {\n        A if guard => x,\n        B => y,\n        _ => z,\n    }\n}";
        let made = |genre, what, new| planted(text, genre, what, new).unwrap_or_default();
        let guard = text.replace("if guard", &format!("if (if {on} {{ true }} else {{ guard }})"));
        assert_eq!(made("MatchArmGuard", "guard", "true"), guard);
        assert_eq!(made("MatchArm", "A if guard => x,", ""), text.replace("if guard", &format!("if !{on} && (guard)")));
        assert_eq!(made("MatchArm", "B => y,", ""), text.replace("B", &format!("B if !{on}")));
    }

    /// A chain that binds names cannot stand in parentheses, and a field has no switch.
    #[test]
    fn what_has_no_switch_is_left_out() {
        let text = "fn f() -> bool {\n    if let Some(a) = g() && a == b { true } else { false }\n}";
        assert_eq!(planted(text, "BinaryOperator", "&&", "||"), None);
        assert!(planted(text, "BinaryOperator", "==", "!=").is_some());
        assert_eq!(planted(text, "StructField", "a", ""), None);
        assert_eq!(planted(text, "FnValue", "Some(a)", "true"), None, "it is no body");
        assert_eq!(planted(text, "MatchArmGuard", "true", "false"), None, "nor a guard");
    }

    #[test]
    fn a_change_is_known_without_its_place() {
        let known = "sim/src/wait.rs: replace World::a -> B with c::d() in e";
        assert_eq!(without_place("sim/src/wait.rs:7:19: replace World::a -> B with c::d() in e"), known);
        assert_eq!(without_place("a: b"), "a: b");
    }

    /// Each is about a function that is still there.
    #[test]
    fn survivors_are_of_these_sources() {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace is there");
        let survivors = survivors().unwrap_or_else(|why| panic!("{why}"));
        assert!(!survivors.is_empty());
        for (change, why) in survivors {
            let (file, words) = change.split_once(": ").unwrap_or_else(|| panic!("{change}"));
            let text = std::fs::read_to_string(workspace.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
            let function = match words.rsplit_once(" in ") {
                Some((_, function)) => function,
                None => words.split(' ').nth(1).unwrap_or_default(),
            };
            let function = function.rsplit("::").next().unwrap_or_default();
            assert!(text.contains(&format!("fn {function}")), "{change}: there is no such function");
            assert!(why.ends_with('.'), "{change}: {why}");
        }
    }

    /// A list of other sources, or one that no tool has written.
    #[test]
    fn places_that_are_not_there_are_left_out() {
        let source = Source::of("fn f() {\n    g();\n}".to_owned()).unwrap_or_else(|error| panic!("{error}"));
        let place = |line, column| Place { line, column };
        for (start, end) in [((0, 0), (9, 9)), ((2, 5), (1, 1)), ((7, 1), (8, 1)), ((2, 99), (2, 0))] {
            for genre in ["FnValue", "BinaryOperator", "UnaryOperator", "MatchArm", "MatchArmGuard"] {
                let span = Span { start: place(start.0, start.1), end: place(end.0, end.1) };
                let [file, name, replacement] = ["f", "n", ""].map(str::to_owned);
                let one = Listed { file, name, genre: genre.to_owned(), replacement, span };
                assert!(source.edit(&one).is_none(), "{genre} {start:?} {end:?}");
            }
        }
    }
}
