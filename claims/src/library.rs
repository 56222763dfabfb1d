//! The sentences that come with the program, inside the binary.

use include_dir::{Dir, include_dir};
use pidlab_scenario::Diagnostics;

use crate::Case;

static LIBRARY: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/library");

/// A file of the library.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct ClaimFile {
    /// The id of its sentence.
    pub id: String,
    /// Where it stands in the source tree, for messages.
    pub path: String,
    /// Its text.
    pub text: &'static str,
}

impl ClaimFile {
    /// The sentence in it.
    ///
    /// # Errors
    /// What is wrong with the file. The files that come with the program are tested to be well formed.
    pub fn case(&self) -> Result<Case, Diagnostics> {
        Case::parse(&self.id, &self.path, self.text)
    }
}

/// Every file, sorted.
pub fn files() -> Vec<ClaimFile> {
    let named = |file: &'static include_dir::File<'static>| {
        let name = file.path().to_string_lossy();
        let id = name.strip_suffix(".toml")?.to_owned();
        Some(ClaimFile { id, path: format!("claims/library/{name}"), text: file.contents_utf8()? })
    };
    let mut files: Vec<ClaimFile> = LIBRARY.files().filter_map(named).collect();
    files.sort_by(|left, right| left.id.cmp(&right.id));
    files
}

/// Every sentence, sorted by its id.
///
/// # Panics
/// If a file of the library is not well formed: a test holds that each is.
pub fn cases() -> Vec<Case> {
    files().iter().map(|file| file.case().unwrap_or_else(|wrong| panic!("{wrong}"))).collect()
}

/// The sentence with this id.
///
/// # Panics
/// As [`cases`].
pub fn find(id: &str) -> Option<Case> {
    let file = files().into_iter().find(|file| file.id == id)?;
    Some(file.case().unwrap_or_else(|wrong| panic!("{wrong}")))
}
