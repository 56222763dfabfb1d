//! Words for people, and how wide a page is that they are set on.

use std::sync::OnceLock;

use pidlab_scenario::Need;
pub(crate) use pidlab_scenario::told::{call, outcome};

/// What a scenario needs, in words: `without pid-translation`.
pub(crate) fn needs(needs: &[Need]) -> String {
    let words = needs.iter().map(|need| format!("{} {}", if need.holds { "with" } else { "without" }, need.fact));
    words.collect::<Vec<_>>().join(", ")
}

/// Columns that lines of text fit into where nobody said how many there are.
const WIDTH: usize = 80;

/// Fewer columns than this are no page.
const LEAST_WIDTH: usize = 40;

/// How wide the terminal is that the program writes to, if it is one.
static TERMINAL: OnceLock<usize> = OnceLock::new();

/// Says that all text goes to a terminal of so many columns. Only the first word counts.
pub(crate) fn set_width(columns: usize) {
    // Text that is being set to one width is not set to another in between.
    let _ = TERMINAL.set(columns.max(LEAST_WIDTH));
}

/// Columns that every line of text fits into.
pub(crate) fn width() -> usize {
    *TERMINAL.get().unwrap_or(&WIDTH)
}

/// How paragraphs are set: the ids of rules and the names of scenarios are not broken at their hyphens.
pub(crate) fn page() -> textwrap::Options<'static> {
    textwrap::Options::new(width()).word_splitter(textwrap::WordSplitter::NoHyphenation)
}
