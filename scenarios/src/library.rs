//! The scenario files that come with the program, inside the binary.

use include_dir::{Dir, DirEntry, include_dir};

static LIBRARY: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/library");

/// A file of the library.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct LibraryFile {
    /// `chapter/name`: `orphans/adopted-by-own-init`.
    pub name: String,
    /// Where it stands in the source tree, for messages.
    pub path: String,
    /// Its text.
    pub text: &'static str,
}

/// Every file, chapter by chapter, sorted.
pub fn files() -> impl Iterator<Item = LibraryFile> {
    let mut files = Vec::new();
    let mut open = vec![&LIBRARY];
    while let Some(folder) = open.pop() {
        for entry in folder.entries() {
            match entry {
                DirEntry::Dir(folder) => open.push(folder),
                DirEntry::File(file) => {
                    let path = file.path().to_string_lossy();
                    if let (Some(name), Some(text)) = (path.strip_suffix(".toml"), file.contents_utf8()) {
                        let path = format!("scenarios/library/{path}");
                        files.push(LibraryFile { name: name.to_owned(), path, text });
                    }
                }
            }
        }
    }
    files.sort_by(|left, right| left.name.cmp(&right.name));
    files.into_iter()
}

/// The file with this name.
pub fn find(name: &str) -> Option<LibraryFile> {
    files().find(|file| file.name == name)
}
