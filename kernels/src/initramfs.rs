//! An archive as the kernel unpacks it into its first root folder.
//!
//! The form is "newc" (Documentation/driver-api/early-userspace/buffer-format.rst): for each entry a head of thirteen numbers, each eight
//! hexadecimal digits, then the name with a zero, then the content; name and content are filled up to a multiple of four. A name
//! `TRAILER!!!` ends it.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

const FOLDER: u32 = 0o040_755;
const PROGRAM: u32 = 0o100_755;
const DEVICE: u32 = 0o020_600;

/// The archive as it is made. Each file's folders come with it.
pub(crate) struct Archive {
    bytes: Vec<u8>,
    entries: u32,
    known: BTreeSet<PathBuf>,
}

impl Archive {
    /// With the folders that a first process mounts things on, and a console for it to complain on.
    pub(crate) fn new() -> Archive {
        let mut archive = Archive { bytes: Vec::new(), entries: 0, known: BTreeSet::new() };
        for folder in ["dev", "proc", "sys", "tmp"] {
            archive.folder(Path::new(folder));
        }
        archive.entry(Path::new("dev/console"), DEVICE, (5, 1), &[]);
        archive
    }

    /// A folder, and all that its path leads through. Answers where it is, from the root, without detours: there are no links.
    pub(crate) fn folder(&mut self, path: &Path) -> PathBuf {
        let mut below = PathBuf::new();
        for part in path.components() {
            match part {
                Component::Normal(name) => {
                    below.push(name);
                    if self.known.insert(below.clone()) {
                        self.entry(&below, FOLDER, (0, 0), &[]);
                    }
                }
                Component::ParentDir => {
                    below.pop();
                }
                Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
            }
        }
        below
    }

    /// A file that can be read and executed. The first with a path is the one that stays.
    pub(crate) fn file(&mut self, path: &Path, content: &[u8]) {
        let Some(name) = path.file_name() else { return };
        let path = self.folder(path.parent().unwrap_or(Path::new(""))).join(name);
        if self.known.insert(path.clone()) {
            self.entry(&path, PROGRAM, (0, 0), content);
        }
    }

    /// The whole archive.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.entry(Path::new("TRAILER!!!"), 0, (0, 0), &[]);
        self.bytes
    }

    fn entry(&mut self, path: &Path, mode: u32, (major, minor): (u32, u32), content: &[u8]) {
        let name = path.as_os_str().as_encoded_bytes();
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).expect("no file of an archive has 4 GiB");
        self.entries += 1;
        let head = [self.entries, mode, 0, 0, 1, 0, length(content), 0, 0, major, minor, length(name) + 1, 0];
        self.bytes.extend_from_slice(b"070701");
        for number in head {
            self.bytes.extend_from_slice(format!("{number:08X}").as_bytes());
        }
        self.bytes.extend_from_slice(name);
        self.bytes.push(0);
        self.fill();
        self.bytes.extend_from_slice(content);
        self.fill();
    }

    fn fill(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Archive;

    /// The names in an archive with their contents, read by the heads alone.
    fn read(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
        let (mut found, mut at) = (Vec::new(), 0);
        while at < bytes.len() {
            assert_eq!(&bytes[at..at + 6], b"070701", "a head begins at {at}");
            let number = |index: usize| {
                let digits = &bytes[at + 6 + 8 * index..at + 14 + 8 * index];
                usize::from_str_radix(std::str::from_utf8(digits).expect("digits"), 16).expect("a number")
            };
            let (size, name) = (number(6), number(11));
            let content = (at + 110 + name).next_multiple_of(4);
            let name = String::from_utf8(bytes[at + 110..at + 109 + name].to_vec()).expect("a name");
            found.push((name, bytes[content..content + size].to_vec()));
            at = (content + size).next_multiple_of(4);
        }
        found
    }

    #[test]
    fn an_archive_holds_each_file_once_after_its_folders() {
        let mut archive = Archive::new();
        archive.file(Path::new("/a/b/one"), b"12345");
        archive.file(Path::new("/c/../a/b/one"), b"another");
        archive.file(Path::new("a/two"), b"");
        let found = read(&archive.finish());
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            ["dev", "proc", "sys", "tmp", "dev/console", "a", "a/b", "a/b/one", "c", "a/two", "TRAILER!!!"]
        );
        assert_eq!(found[7].1, b"12345");
    }
}
