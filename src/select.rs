//! Which scenarios a command is about: the same words everywhere.
//!
//! A word is, in this order: `-`, standard input; the path of a file or a folder; a name of the library; a chapter of it; the id of a rule,
//! for the scenarios of the library that show it; or a pattern of names or of rules (`orphans/*init*`, `reap.*`). No word is the library.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::Path;

use globset::GlobBuilder;
use pidlab_scenario::{library, nearest};
use pidlab_sim::rule;

use crate::input::{self, Invalid, Source};

/// The words of a command line that say what a command is about.
#[derive(clap::Args, Default)]
pub(crate) struct Words {
    /// Files, folders, `-` for standard input; or of the library: scenarios (`orphans/told-in-order`), chapters (`orphans`), patterns
    /// (`orphans/*init*`), or rules that they show (`reap.ns-is-fathers`); the whole library if absent.
    #[arg(value_name = "WHAT")]
    pub(crate) what: Vec<std::ffi::OsString>,
    /// Of these only what shows this rule (an id, or a pattern of ids); may be given several times.
    #[arg(long = "rule", value_name = "ID")]
    pub(crate) rules: Vec<String>,
}

/// What was selected.
#[derive(Default)]
pub(crate) struct Selection {
    /// Scenarios, and what should be one and is not, each once, in the order of the words.
    pub(crate) entries: Vec<Result<Source, Invalid>>,
    /// The rules that were named, by word or by `--rule`.
    pub(crate) rules: BTreeSet<&'static str>,
}

impl Selection {
    fn add(&mut self, entry: Result<Source, Invalid>) {
        if !self.entries.iter().any(|known| place(known) == place(&entry)) {
            self.entries.push(entry);
        }
    }
}

fn place(entry: &Result<Source, Invalid>) -> &str {
    match entry {
        Ok(source) => &source.path,
        Err(invalid) => &invalid.path,
    }
}

impl Words {
    /// Whether nothing was said, so that the whole library is meant.
    pub(crate) fn are_none(&self) -> bool {
        self.what.is_empty() && self.rules.is_empty()
    }

    /// What these words mean.
    ///
    /// # Errors
    /// A message for each word that matches nothing, with what may have been meant. Files that are no scenarios are no error here.
    pub(crate) fn select(&self) -> Result<Selection, Vec<String>> {
        let mut selection = words(&self.what)?;
        let mut wrong = Vec::new();
        let mut wanted = BTreeSet::new();
        for id in &self.rules {
            match rules(id) {
                Ok(found) if found.is_empty() => wrong.push(no_rule(id)),
                Ok(found) => wanted.extend(found),
                Err(why) => wrong.push(why),
            }
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        if self.rules.is_empty() {
            return Ok(selection);
        }
        let shows = |entry: &Result<Source, Invalid>| entry.as_ref().map_or(true, |source| shows_any(source, &wanted));
        selection.entries.retain(shows);
        selection.rules.extend(wanted);
        match selection.entries.is_empty() {
            true => Err(vec![format!("no scenario of these shows {}", quoted(&self.rules))]),
            false => Ok(selection),
        }
    }
}

/// What words mean without `--rule`.
///
/// # Errors
/// As [`Words::select`].
pub(crate) fn words(words: &[impl AsRef<OsStr>]) -> Result<Selection, Vec<String>> {
    let mut selection = Selection::default();
    if words.is_empty() {
        selection.entries.extend(library::files().map(|file| input::of_library(&file)));
    }
    let mut wrong = Vec::new();
    for word in words {
        if let Err(why) = one_word(&mut selection, word.as_ref()) {
            wrong.push(why);
        }
    }
    if wrong.is_empty() { Ok(selection) } else { Err(wrong) }
}

fn one_word(selection: &mut Selection, word: &OsStr) -> Result<(), String> {
    if word == "-" {
        selection.add(input::of_standard_input());
        return Ok(());
    }
    let path = Path::new(word);
    let error = match input::files_below(path) {
        Ok((files, closed)) if files.is_empty() && closed.is_empty() => {
            return Err(format!("{}: there is no scenario (`.toml`) in it", path.display()));
        }
        Ok((files, closed)) => {
            files.iter().for_each(|file| selection.add(input::of_file(file)));
            closed.into_iter().for_each(|closed| selection.add(Err(closed)));
            return Ok(());
        }
        Err(error) => error,
    };
    // What is there and cannot be looked at is no name of something else.
    if error.kind() != std::io::ErrorKind::NotFound && error.kind() != std::io::ErrorKind::NotADirectory {
        return Err(format!("{}: {error}", path.display()));
    }
    let word = word.to_string_lossy();
    let (found, by_rule) = in_library(&word)?;
    if found.is_empty() {
        return Err(no_match(&word));
    }
    found.iter().for_each(|file| selection.add(input::of_library(file)));
    selection.rules.extend(by_rule);
    Ok(())
}

/// The files of the library that a word means, and the rules if it names some.
fn in_library(word: &str) -> Result<(Vec<library::LibraryFile>, BTreeSet<&'static str>), String> {
    let name = library_name(word);
    let named: Vec<_> = library::files().filter(|file| file.name == name || chapter(&file.name) == name).collect();
    if !named.is_empty() {
        return Ok((named, BTreeSet::new()));
    }
    if is_pattern(word) {
        let matches = pattern(word)?;
        let named: Vec<_> = library::files().filter(|file| matches(&file.name)).collect();
        if !named.is_empty() {
            return Ok((named, BTreeSet::new()));
        }
    }
    let ids = rules(word)?;
    if ids.is_empty() {
        // Reading the whole library for nobody takes seconds in a slow guest, a word.
        return Ok((Vec::new(), ids));
    }
    let shows = |file: &library::LibraryFile| input::of_library(file).is_ok_and(|source| shows_any(&source, &ids));
    Ok((library::files().filter(shows).collect(), ids))
}

/// The place of a library file in the source tree, as messages give it, is a name of it everywhere; a chapter may end like a folder.
fn library_name(word: &str) -> &str {
    let name = word.strip_prefix("scenarios/library/").unwrap_or(word);
    name.strip_suffix(".toml").unwrap_or(name).trim_end_matches('/')
}

/// The first part of a scenario's name; empty where it has none.
pub(crate) fn chapter(name: &str) -> &str {
    name.split_once('/').map_or("", |(chapter, _)| chapter)
}

fn shows_any(source: &Source, ids: &BTreeSet<&'static str>) -> bool {
    source.scenario.rules.iter().any(|id| ids.contains(id.as_str()))
}

/// The rules with this id, or that match this pattern.
fn rules(word: &str) -> Result<BTreeSet<&'static str>, String> {
    let ids = rule::CATALOGUE.iter().map(|rule| rule.id);
    if !is_pattern(word) {
        return Ok(ids.filter(|id| *id == word).collect());
    }
    let matches = pattern(word)?;
    Ok(ids.filter(|id| matches(id)).collect())
}

fn is_pattern(word: &str) -> bool {
    word.contains(['*', '?', '[', '{'])
}

/// A test whether a whole name matches. `*` goes over `/`, too.
fn pattern(word: &str) -> Result<impl Fn(&str) -> bool, String> {
    let glob = GlobBuilder::new(word).build().map_err(|error| format!("{error}"))?;
    let matcher = glob.compile_matcher();
    Ok(move |name: &str| matcher.is_match(name))
}

fn quoted(ids: &[String]) -> String {
    ids.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ")
}

fn no_rule(id: &str) -> String {
    let meant = nearest(id, rule::CATALOGUE.iter().map(|rule| rule.id));
    let help = meant.map_or("`pidlab rules` lists them".to_owned(), |near| format!("did you mean `{near}`?"));
    format!("there is no rule `{id}`\nhelp: {help}")
}

/// What to say of a word that means nothing.
fn no_match(word: &str) -> String {
    if is_pattern(word) {
        return format!("no scenario and no rule matches `{word}`\nhelp: names look like `orphans/told-in-order`");
    }
    let names: Vec<String> = library::files().map(|file| file.name).collect();
    let help = suggestion(library_name(word), &names);
    format!("`{word}` is no file, and no scenario, chapter or rule\nhelp: {help}")
}

/// What may have been meant: a scenario by its last part, or what is written nearly so.
fn suggestion(word: &str, names: &[String]) -> String {
    let last = |name: &&String| name.rsplit('/').next() == Some(word);
    if let Some(name) = names.iter().find(last) {
        return format!("did you mean the scenario `{name}`?");
    }
    let chapters: BTreeSet<&str> = names.iter().map(|name| chapter(name)).collect();
    let ids = rule::CATALOGUE.iter().map(|rule| rule.id);
    if let Some(chapter) = nearest(word, chapters.iter().copied()) {
        return format!("did you mean the chapter `{chapter}`?");
    }
    if let Some(name) = nearest(word, names.iter().map(String::as_str)) {
        return format!("did you mean the scenario `{name}`?");
    }
    if let Some(id) = nearest(word, ids) {
        return format!("did you mean the rule `{id}`?");
    }
    let list: Vec<&str> = chapters.into_iter().collect();
    format!("the chapters are {}", list.join(", "))
}

#[cfg(test)]
mod tests {
    use super::{Words, words};

    fn names(of: &[&str]) -> Vec<String> {
        let selection = words(of).unwrap_or_else(|wrong| panic!("{of:?}: {wrong:?}"));
        selection
            .entries
            .iter()
            .map(|entry| entry.as_ref().expect("the library is valid").scenario.name.clone())
            .collect()
    }

    fn wrong(of: &[&str]) -> String {
        match words(of) {
            Ok(_) => panic!("{of:?} matches something"),
            Err(wrong) => wrong.join("\n"),
        }
    }

    #[test]
    fn no_word_is_the_library_and_a_chapter_a_part_of_it() {
        let all = names(&[]);
        let orphans = names(&["orphans"]);
        assert!(all.len() > orphans.len() && !orphans.is_empty());
        assert!(orphans.iter().all(|name| name.starts_with("orphans/")), "{orphans:?}");
        assert_eq!(orphans, names(&["orphans/"]));
        assert_eq!(orphans, names(&["orphans/*"]));
        assert_eq!(orphans.len(), all.iter().filter(|name| name.starts_with("orphans/")).count());
    }

    #[test]
    fn a_scenario_has_several_names_and_comes_once() {
        let name = "orphans/told-in-order";
        assert_eq!(
            names(&[name, "orphans/told-in-order.toml", "scenarios/library/orphans/told-in-order.toml"]),
            [name]
        );
        let both = names(&[name, "orphans"]);
        assert_eq!(both.len(), names(&["orphans"]).len());
        assert_eq!(both[0], name, "the order of the words");
    }

    #[test]
    fn patterns_are_of_names_or_of_rules() {
        let init = names(&["*/*init*"]);
        assert!(!init.is_empty() && init.iter().all(|name| name.contains("init")), "{init:?}");
        assert!(names(&["{orphans,zombies}/*"]).iter().any(|name| name.starts_with("zombies/")));
        let reap = words(&["reap.*"]).unwrap_or_else(|wrong| panic!("{wrong:?}"));
        assert!(reap.rules.len() > 1 && reap.rules.iter().all(|id| id.starts_with("reap.")), "{:?}", reap.rules);
        assert!(wrong(&["zzz*"]).contains("matches `zzz*`"));
        assert!(wrong(&["a[b"]).contains("a[b"), "{}", wrong(&["a[b"]));
    }

    #[test]
    fn a_rule_stands_for_what_shows_it() {
        let shows = words(&["reap.ns-is-fathers"]).unwrap_or_else(|wrong| panic!("{wrong:?}"));
        assert_eq!(shows.rules.into_iter().collect::<Vec<_>>(), ["reap.ns-is-fathers"]);
        assert!(!shows.entries.is_empty());
        for entry in shows.entries {
            let source = entry.expect("the library is valid");
            assert!(source.scenario.rules.iter().any(|id| id == "reap.ns-is-fathers"), "{}", source.path);
        }
    }

    #[test]
    fn the_option_takes_away_what_does_not_show_the_rule() {
        let select = |what: &[&str], rule: &str| {
            let words = Words { what: what.iter().map(Into::into).collect(), rules: vec![rule.to_owned()] };
            words.select().map(|selection| selection.entries.len())
        };
        let all = names(&["reap.ns-is-fathers"]).len();
        assert_eq!(select(&[], "reap.ns-is-fathers"), Ok(all));
        let some = select(&["orphans"], "reap.ns-is-fathers").expect("the chapter shows it");
        assert!(some > 0 && some <= all);
        assert_eq!(
            select(&["limits"], "reap.ns-is-fathers"),
            Err(vec!["no scenario of these shows `reap.ns-is-fathers`".into()])
        );
        let typo = select(&[], "reap.ns-is-father").expect_err("there is no such rule");
        assert!(typo[0].contains("did you mean `reap.ns-is-fathers`?"), "{typo:?}");
    }

    #[test]
    fn what_matches_nothing_is_told_with_what_may_have_been_meant() {
        assert!(wrong(&["orphan"]).contains("did you mean the chapter `orphans`?"), "{}", wrong(&["orphan"]));
        assert!(wrong(&["told-in-order"]).contains("the scenario `orphans/told-in-order`?"));
        assert!(wrong(&["orphans/told-in-ordre"]).contains("the scenario `orphans/told-in-order`?"));
        assert!(wrong(&["reap.ns-is-father"]).contains("the rule `reap.ns-is-fathers`?"));
        assert!(wrong(&["nowhere.toml"]).contains("the chapters are creation, "), "{}", wrong(&["nowhere.toml"]));
        assert_eq!(wrong(&["orphan", "zombie"]).matches("help: ").count(), 2, "every word is looked at");
    }
}
