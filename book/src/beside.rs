//! Commands beside the lessons: the same with the tools that every machine has.
//!
//! Each lesson may have a file in `beside/`: a header as an incident's, with `commands` alone, and a text.

use include_dir::{Dir, include_dir};
use serde::{Deserialize, Serialize};

use crate::incident::{Command, split};

static BESIDE: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/beside");

/// What there is to try beside a lesson.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub struct Beside {
    /// The number of the lesson, from 1.
    pub lesson: usize,
    /// What the lesson comes to on a machine, in Markdown.
    pub text: String,
    /// What to type.
    pub commands: Vec<Command>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    lesson: usize,
    commands: Vec<Command>,
}

/// All there is, lesson by lesson.
///
/// # Errors
/// What is wrong with a file. Those that the program was built with are tested.
pub fn beside() -> Result<Vec<Beside>, String> {
    let read = |file: &include_dir::File<'static>| {
        let name = file.path().display().to_string();
        let text = file.contents_utf8().ok_or_else(|| format!("{name}: it is no text"))?;
        let (header, text) = split(&name, text)?;
        let Header { lesson, commands } = toml::from_str(header).map_err(|error| format!("{name}: {error}"))?;
        Ok(Beside { lesson, text: text.trim().to_owned(), commands })
    };
    let mut all = BESIDE.files().map(read).collect::<Result<Vec<Beside>, String>>()?;
    all.sort_by_key(|beside| beside.lesson);
    Ok(all)
}
