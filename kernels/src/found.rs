//! Which kernels can be booted here, and by which names.
//!
//! What was fetched is in a folder of its own below `$XDG_CACHE_HOME/pidlab/kernels`, which anybody can fill: `image` is the kernel, `from`
//! says where it came from, and `root` is what a user-mode Linux needs that is newer than this machine's C library.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::kernel::Kernel;

/// The folder that holds what was fetched.
///
/// # Errors
/// If there is none: neither `XDG_CACHE_HOME` nor `HOME` says where.
pub fn cache() -> io::Result<PathBuf> {
    let folder = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache")));
    let cache = cache.ok_or_else(|| io::Error::other("there is no folder to keep kernels in: HOME is not set"))?;
    Ok(cache.join("pidlab/kernels"))
}

/// All kernels that can be booted here: what was fetched, in the order of versions, then user-mode Linux as it is installed, and what the
/// machine itself can boot.
pub fn all() -> Vec<Kernel> {
    let mut fetched = fetched();
    fetched.sort_by_key(|kernel| (kernel.kind as u8, version(&kernel.name)));
    let installed = installed_uml().map(|image| named("uml", &image));
    fetched.extend(installed.into_iter().flatten());
    let boot = fs::read_dir("/boot").into_iter().flatten().flatten().map(|entry| entry.path());
    let images =
        boot.filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("vmlinuz-")));
    fetched.extend(images.filter_map(|path| Kernel::of_file(&path).ok()));
    fetched
}

/// The kernel with a name, or in a file.
///
/// # Errors
/// In words: there is none, and which there are.
pub fn find(word: &str) -> Result<Kernel, String> {
    let all = all();
    if let Some(kernel) = all.iter().find(|kernel| kernel.name == word) {
        return Ok(kernel.clone());
    }
    let path = Path::new(word);
    if path.exists() {
        return Kernel::of_file(path).map_err(|error| format!("{word}: {error}"));
    }
    let names: Vec<&str> = all.iter().map(|kernel| kernel.name.as_str()).collect();
    let there =
        if names.is_empty() { "there is none yet".to_owned() } else { format!("there are {}", names.join(", ")) };
    Err(format!("no kernel `{word}`, and no file: {there}; `pidlab kernels fetch` brings others"))
}

fn fetched() -> Vec<Kernel> {
    let folders = cache().ok().and_then(|cache| fs::read_dir(cache).ok()).into_iter().flatten().flatten();
    folders
        .filter_map(|folder| {
            let (name, path) = (folder.file_name().into_string().ok()?, folder.path());
            let from = fs::read_to_string(path.join("from")).ok().map(|from| from.trim().to_owned());
            let root = Some(path.join("root")).filter(|root| root.is_dir());
            Some(Kernel { from, root, ..named(&name, &path.join("image"))? })
        })
        .collect()
}

fn named(name: &str, image: &Path) -> Option<Kernel> {
    Some(Kernel { name: name.to_owned(), ..Kernel::of_file(image).ok()? })
}

fn installed_uml() -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join("linux.uml")).find(|image| image.is_file())
}

/// The numbers in a name, so that 6.9 comes before 6.12.
pub(crate) fn version(name: &str) -> Vec<u64> {
    name.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse().ok()).collect()
}
