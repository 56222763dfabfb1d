//! The running program as files that another root folder needs to start it.
//!
//! A program that is linked dynamically names its loader in its head (`PT_INTERP`, elf(5)), and the libraries that were loaded are those
//! that `/proc/self/maps` names. What only debuggers read is left out: a guest's memory is small.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Puts the program at `/init`, and what it is linked to where its loader looks for it.
///
/// # Errors
/// If one of the files cannot be read.
pub(crate) fn files() -> io::Result<Vec<(PathBuf, Vec<u8>)>> {
    let itself = fs::read("/proc/self/exe")?;
    let loader = Elf::read(&itself).and_then(|elf| elf.loader());
    let mut files = Vec::new();
    if let Some(loader) = &loader {
        files.push((loader.clone(), fs::read(loader)?));
        for library in libraries()? {
            let content = fs::read(&library)?;
            for name in names(&library) {
                files.push((name, content.clone()));
            }
        }
    }
    files.push((PathBuf::from("/init"), stripped(itself)));
    Ok(files)
}

/// The files that are mapped as code into this process, but for the program itself.
fn libraries() -> io::Result<BTreeSet<PathBuf>> {
    let itself = fs::read_link("/proc/self/exe")?;
    let maps = fs::read_to_string("/proc/self/maps")?;
    let mapped = maps.lines().filter_map(|line| {
        let (before, path) = line.split_once('/')?;
        let mode = before.split(' ').nth(1)?;
        mode.contains('x').then(|| PathBuf::from(format!("/{path}")))
    });
    Ok(mapped.filter(|path| *path != itself).collect())
}

/// The names that a library has in its folder: its own, and the links to it (`libc.so.6` to `libc-2.31.so`).
fn names(library: &Path) -> Vec<PathBuf> {
    let mut names = vec![library.to_owned()];
    let (Some(folder), Some(file)) = (library.parent(), library.file_name()) else { return names };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let links = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_symlink()));
    names.extend(links.map(|entry| entry.path()).filter(|link| {
        let target = fs::read_link(link).ok();
        target.is_some_and(|target| target == Path::new(file) || target == library)
    }));
    names
}

/// The head of a 64-bit program of this machine's byte order.
struct Elf<'a> {
    bytes: &'a [u8],
    /// Kind, place in the file, and size there, of each segment.
    segments: Vec<(u32, usize, usize)>,
}

const PT_LOAD: u32 = 1;
const PT_INTERP: u32 = 3;
/// Where the head says where the table of sections is (`e_shoff`), and how many there are (`e_shnum`, `e_shstrndx`).
const SECTIONS: std::ops::Range<usize> = 0x28..0x30;
const SECTION_COUNTS: std::ops::Range<usize> = 0x3c..0x40;

impl<'a> Elf<'a> {
    fn read(bytes: &'a [u8]) -> Option<Elf<'a>> {
        // 64-bit, little-endian.
        if !bytes.starts_with(b"\x7fELF\x02\x01") {
            return None;
        }
        let (start, size, count) = (number(bytes, 0x20, 8)?, number(bytes, 0x36, 2)?, number(bytes, 0x38, 2)?);
        let segment = |index: usize| {
            let head = start.checked_add(index.checked_mul(size)?)?;
            let kind = u32::try_from(number(bytes, head, 4)?).ok()?;
            Some((kind, number(bytes, head + 0x08, 8)?, number(bytes, head + 0x20, 8)?))
        };
        Some(Elf { bytes, segments: (0..count).map(segment).collect::<Option<_>>()? })
    }

    fn loader(&self) -> Option<PathBuf> {
        let (_, start, size) = self.segments.iter().find(|(kind, _, _)| *kind == PT_INTERP)?;
        let name = self.bytes.get(*start..start.checked_add(*size)?)?;
        let name = name.strip_suffix(&[0])?;
        Some(PathBuf::from(str::from_utf8(name).ok()?))
    }

    /// Where the last of what is loaded ends in the file.
    fn loaded(&self) -> Option<usize> {
        let loaded = self.segments.iter().filter(|(kind, _, _)| *kind == PT_LOAD);
        loaded.map(|(_, start, size)| start + size).max()
    }
}

/// A little-endian number of so many bytes.
fn number(bytes: &[u8], start: usize, size: usize) -> Option<usize> {
    let digits = bytes.get(start..start.checked_add(size)?)?;
    let number = digits.iter().rev().try_fold(0u64, |all, byte| Some((all.checked_mul(256)?) | u64::from(*byte)))?;
    usize::try_from(number).ok()
}

/// A program without its sections: they come after all that is loaded, and only linkers and debuggers read them. What does not look like
/// that stays as it is.
fn stripped(mut program: Vec<u8>) -> Vec<u8> {
    let Some(end) = Elf::read(&program).and_then(|elf| elf.loaded()) else { return program };
    if end < SECTION_COUNTS.end || end > program.len() {
        return program;
    }
    program.truncate(end);
    program[SECTIONS].fill(0);
    program[SECTION_COUNTS].fill(0);
    program
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{files, stripped};

    #[test]
    fn the_program_comes_with_its_loader_and_its_libraries() {
        let files = files().expect("the files of this test can be read");
        let (last, program) = files.last().expect("there is the program");
        assert_eq!(last, Path::new("/init"));
        assert!(program.starts_with(b"\x7fELF"));
        if files.len() > 1 {
            assert!(files[0].1.starts_with(b"\x7fELF"), "{:?} is the loader", files[0].0);
        }
    }

    #[test]
    fn a_stripped_program_runs() {
        let program = stripped(std::fs::read("/bin/true").expect("there is a true"));
        let path = std::env::temp_dir().join(format!("pidlab-stripped-{}", std::process::id()));
        std::fs::write(&path, program).expect("it can be written");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(&path, mode).expect("it is ours");
        let status = std::process::Command::new(&path).status();
        std::fs::remove_file(&path).expect("it is there");
        assert!(status.expect("it starts").success());
    }

    #[test]
    fn what_is_no_program_stays_as_it_is() {
        for bytes in [&b""[..], b"#!/bin/sh\n", b"\x7fELF\x02\x01", &[0x7f, b'E', b'L', b'F', 2, 1, 0xff, 0xff]] {
            assert_eq!(stripped(bytes.to_vec()), bytes);
        }
    }
}
