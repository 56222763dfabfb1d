//! Which scenarios of the library are meant: by chapter, or by name.

use pidlab_scenario::{library, library::LibraryFile, nearest};

/// The files of the library that any of the filters is about, in the library's order; all of them without a filter. A filter is a chapter
/// (`orphans`), or a name (`orphans/adopted-by-own-init`), also as its place in the source tree.
///
/// # Errors
/// The first filter that is about nothing, and what was most likely meant.
pub(super) fn library(filters: &[String]) -> Result<Vec<LibraryFile>, Nothing> {
    let files: Vec<LibraryFile> = library::files().collect();
    for filter in filters {
        if !files.iter().any(|file| is_about(filter, &file.name)) {
            let chapters = files.iter().filter_map(|file| Some(file.name.split_once('/')?.0));
            let meant = nearest(filter, files.iter().map(|file| &file.name[..]).chain(chapters)).map(str::to_owned);
            return Err(Nothing { filter: filter.clone(), meant });
        }
    }
    let is_wanted =
        |file: &LibraryFile| filters.is_empty() || filters.iter().any(|filter| is_about(filter, &file.name));
    Ok(files.into_iter().filter(is_wanted).collect())
}

/// A filter that is about no scenario.
pub(super) struct Nothing {
    filter: String,
    meant: Option<String>,
}

impl Nothing {
    /// Says so on standard error.
    pub(super) fn report(&self) {
        eprintln!("error: the library has no chapter and no scenario `{}`", self.filter.escape_debug());
        match &self.meant {
            Some(name) => eprintln!("help: did you mean `{name}`?"),
            None => eprintln!("help: `pidlab list` lists them"),
        }
    }
}

fn is_about(filter: &str, name: &str) -> bool {
    let filter = filter.strip_prefix("scenarios/library/").unwrap_or(filter);
    let filter = filter.strip_suffix(".toml").unwrap_or(filter).trim_end_matches('/');
    name == filter || name.strip_prefix(filter).is_some_and(|rest| rest.starts_with('/'))
}
