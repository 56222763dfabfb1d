//! A kernel that can be booted here.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// In what a kernel is booted.
///
/// Exhaustive on purpose: whoever boots a kernel has something to do for each, and the compiler says where a new one is missing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A machine in software: `qemu-system-x86_64`, without KVM.
    Qemu,
    /// None: user-mode Linux is a program.
    Uml,
}

/// A kernel with its name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kernel {
    /// What a user calls it.
    pub name: String,
    /// In what it is booted.
    pub kind: Kind,
    /// The image.
    pub image: PathBuf,
    /// A root folder with the C library that a user-mode Linux needs, if it is not this machine's.
    pub(crate) root: Option<PathBuf>,
    /// Where it came from, if it was fetched.
    pub from: Option<String>,
}

impl Kernel {
    /// The kernel in a file: an image as `arch/x86/boot/bzImage` is one, or user-mode Linux.
    ///
    /// # Errors
    /// If the file cannot be read, or does not look like a kernel.
    pub fn of_file(path: &Path) -> io::Result<Kernel> {
        let path = path.canonicalize()?;
        let kind = kind(&path)?.ok_or_else(|| io::Error::other("this is no bzImage, and no user-mode Linux"))?;
        Ok(Kernel { name: path.display().to_string(), kind, image: path, root: None, from: None })
    }
}

/// What a boot loader looks for, and where (Documentation/arch/x86/boot.rst).
const BOOT_MAGIC: &[u8] = b"HdrS";
const BOOT_MAGIC_AT: usize = 0x202;
/// User-mode Linux says how it is used.
const UML_USAGE: &[u8] = b"root=<file containing the root fs>";

fn kind(path: &Path) -> io::Result<Option<Kind>> {
    let mut bytes = Vec::new();
    File::open(path)?.read_to_end(&mut bytes)?;
    if bytes[BOOT_MAGIC_AT.min(bytes.len())..].starts_with(BOOT_MAGIC) {
        return Ok(Some(Kind::Qemu));
    }
    let is_uml = bytes.starts_with(b"\x7fELF") && bytes.windows(UML_USAGE.len()).any(|window| window == UML_USAGE);
    Ok(is_uml.then_some(Kind::Uml))
}
