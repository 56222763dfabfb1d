//! Brings Debian's kernels into a folder of one's own.
//!
//! apt is asked through a view that is private: its lists, its cache and its idea of what is installed are in that folder, so nothing of the
//! system's changes, and no special user is needed. It checks signatures as ever.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::found::{self, version};

/// A kernel that can be fetched.
#[derive(Clone, Copy, Debug)]
pub struct Offer {
    /// Its name here.
    pub name: &'static str,
    /// The suite of Debian that has it.
    pub suite: &'static str,
    /// What the names of its packages begin with; that of the newest is taken.
    package: &'static str,
}

const UML: &str = "user-mode-linux";

/// What can be fetched, cheapest first.
pub const OFFERS: [Offer; 14] = [
    Offer { name: "uml-6.1", suite: "bookworm", package: UML },
    Offer { name: "uml-6.12", suite: "trixie", package: UML },
    Offer { name: "uml-7.2", suite: "sid", package: UML },
    Offer { name: "qemu-5.10", suite: "bullseye-security", package: "linux-image-5.10." },
    Offer { name: "qemu-6.1", suite: "bookworm-security", package: "linux-image-6.1." },
    Offer { name: "qemu-6.12", suite: "trixie-security", package: "linux-image-6.12." },
    Offer { name: "qemu-6.16", suite: "trixie-backports", package: "linux-image-6.16." },
    Offer { name: "qemu-6.17", suite: "trixie-backports", package: "linux-image-6.17." },
    Offer { name: "qemu-6.18", suite: "trixie-backports", package: "linux-image-6.18." },
    // From here on `linux-image-…` is empty and needs this one.
    Offer { name: "qemu-6.19", suite: "trixie-backports", package: "linux-binary-6.19." },
    Offer { name: "qemu-7.0", suite: "trixie-backports", package: "linux-binary-7.0." },
    Offer { name: "qemu-7.1", suite: "trixie-backports", package: "linux-binary-7.1." },
    Offer { name: "qemu-7.2", suite: "trixie-backports", package: "linux-binary-7.2." },
    Offer { name: "qemu-7.3", suite: "trixie-backports", package: "linux-binary-7.3." },
];

/// What is fetched if nothing is said: the oldest and the newest, and what is quick.
pub const DEFAULT: [&str; 5] = ["uml-6.1", "uml-7.2", "qemu-5.10", "qemu-6.1", "qemu-7.3"];

/// What to do where there is no apt.
pub const ELSEWHERE: &str = "\
kernels are fetched from Debian, and that needs apt-get and dpkg-deb
on Fedora: `dnf download kernel-core`, then `rpm2cpio kernel-core-*.rpm | cpio -idm './lib/modules/*/vmlinuz'`
on Arch: /usr/lib/modules/*/vmlinuz is the image of an installed kernel
anywhere: `make defconfig bzImage` in a kernel's source, with PID_NS, DEVTMPFS, SERIAL_8250_CONSOLE and BLK_DEV_INITRD
then `pidlab check --kernel PATH`";

/// Fetches one kernel, and says where it came from. One that is there already is left as it is.
///
/// # Errors
/// In words: what went wrong, with what apt says.
pub fn fetch(offer: &Offer) -> Result<String, String> {
    let cache = found::cache().map_err(|error| error.to_string())?;
    let place = cache.join(offer.name);
    if let Ok(from) = fs::read_to_string(place.join("from")) {
        return Ok(format!("{} (it was there)", from.trim()));
    }
    let work = cache.join(format!(".fetch-{}-{}", offer.name, std::process::id()));
    let done = Work { folder: work.clone(), view: View::open(&cache, offer.suite)? }.fetch(offer);
    let moved = done.and_then(|from| {
        // Whoever looks finds the whole of it or nothing.
        fs::rename(work.join("kernel"), &place).map_err(|error| format!("{}: {error}", place.display()))?;
        Ok(from)
    });
    // What is left of the work is in the cache, and hurts nobody.
    let _ = fs::remove_dir_all(&work);
    moved
}

/// A folder in which packages are unpacked.
struct Work {
    folder: PathBuf,
    view: View,
}

impl Work {
    fn fetch(&self, offer: &Offer) -> Result<String, String> {
        let said = |error: io::Error| error.to_string();
        let kernel = self.folder.join("kernel");
        fs::create_dir_all(&kernel).map_err(said)?;
        let package = self.view.newest(offer)?;
        let tree = self.folder.join("tree");
        let file = self.unpack(&package, &tree)?;
        let image = kernel.join("image");
        if offer.package == UML {
            fs::copy(tree.join("usr/bin/linux.uml"), &image).map_err(said)?;
            if !Command::new(&image).arg("--version").output().is_ok_and(|output| output.status.success()) {
                self.bring_c_library(&kernel)?;
            }
        } else {
            let found = vmlinuz(&tree).ok_or_else(|| format!("{file}: there is no vmlinuz in it"))?;
            fs::copy(found, &image).map_err(said)?;
        }
        let from = format!("{} {file}", offer.suite);
        fs::write(kernel.join("from"), format!("{from}\n")).map_err(said)?;
        Ok(from)
    }

    /// A root folder for a user-mode Linux that needs a newer C library than this machine has.
    fn bring_c_library(&self, kernel: &Path) -> Result<(), String> {
        let root = kernel.join("root");
        for package in ["libc6", "libgcc-s1"] {
            self.unpack(package, &root)?;
        }
        let said = |error: io::Error| error.to_string();
        for folder in ["proc", "dev", "tmp"] {
            fs::create_dir_all(root.join(folder)).map_err(said)?;
        }
        for folder in ["lib", "lib64"] {
            if !root.join(folder).exists() {
                std::os::unix::fs::symlink(format!("usr/{folder}"), root.join(folder)).map_err(said)?;
            }
        }
        fs::copy(kernel.join("image"), root.join("linux.uml")).map(drop).map_err(said)
    }

    /// Downloads a package and unpacks it; answers the name of its file.
    fn unpack(&self, package: &str, into: &Path) -> Result<String, String> {
        let download = self.folder.join(package);
        fs::create_dir_all(&download).map_err(|error| error.to_string())?;
        let mut command = self.view.command("apt-get");
        finished(command.current_dir(&download).args(["download", package]))?;
        let files = fs::read_dir(&download).map_err(|error| error.to_string())?;
        let file =
            files.flatten().map(|entry| entry.path()).find(|path| path.extension().is_some_and(|end| end == "deb"));
        let file = file.ok_or_else(|| format!("apt-get downloaded no {package}"))?;
        finished(Command::new("dpkg-deb").arg("-x").arg(&file).arg(into))?;
        Ok(file.file_name().unwrap_or_default().to_string_lossy().into_owned())
    }
}

/// Where the image is has changed over the years.
fn vmlinuz(tree: &Path) -> Option<PathBuf> {
    let mut open = vec![tree.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).ok()?.flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => open.push(entry.path()),
                Ok(kind) if kind.is_file() && entry.file_name().to_string_lossy().starts_with("vmlinuz") => {
                    return Some(entry.path());
                }
                _ => {}
            }
        }
    }
    None
}

/// A private view of one suite.
struct View {
    folder: PathBuf,
}

const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
/// What is asked where this machine's own sources name nobody.
const MIRROR: &str = "http://deb.debian.org/debian";

impl View {
    /// Opens it, with fresh lists.
    fn open(cache: &Path, suite: &str) -> Result<View, String> {
        if Command::new("apt-get").arg("--version").output().is_err() {
            return Err(ELSEWHERE.to_owned());
        }
        if !Path::new(KEYRING).exists() {
            return Err(format!("there is no {KEYRING}: install the package debian-archive-keyring"));
        }
        let folder = cache.join(".apt").join(suite);
        let said = |error: io::Error| format!("{}: {error}", folder.display());
        for part in ["lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(folder.join(part)).map_err(said)?;
        }
        fs::write(folder.join("status"), "").map_err(said)?;
        let line =
            format!("deb [arch=amd64 signed-by={KEYRING}] {} {suite} main\n", mirror(suite.ends_with("-security")));
        fs::write(folder.join("list"), line).map_err(said)?;
        let view = View { folder };
        finished(view.command("apt-get").arg("update"))?;
        Ok(view)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let place = |what: &str| self.folder.join(what).display().to_string();
        for option in [
            format!("Dir::Etc::sourcelist={}", place("list")),
            "Dir::Etc::sourceparts=/dev/null".to_owned(),
            format!("Dir::State::Lists={}", place("lists")),
            format!("Dir::State::status={}", place("status")),
            format!("Dir::Cache={}", place("cache")),
            "APT::Architecture=amd64".to_owned(),
            "APT::Sandbox::User=".to_owned(),
            "Acquire::Languages=none".to_owned(),
            "Acquire::Retries=3".to_owned(),
        ] {
            command.args(["-o", &option]);
        }
        command.env("LC_ALL", "C");
        command
    }

    /// The newest package that begins so: the one for machines in a cloud, which has all in it that a guest needs.
    fn newest(&self, offer: &Offer) -> Result<String, String> {
        if offer.package == UML {
            return Ok(UML.to_owned());
        }
        let names = finished(self.command("apt-cache").arg("pkgnames").arg(offer.package))?;
        let names = String::from_utf8_lossy(&names.stdout).into_owned();
        let for_clouds = names.lines().filter(|name| name.ends_with("-cloud-amd64"));
        let newest = for_clouds.max_by_key(|name| version(name)).map(str::to_owned);
        newest.ok_or_else(|| format!("{} has no {}…-cloud-amd64 any more", offer.suite, offer.package))
    }
}

/// The mirror of this machine's own sources.
fn mirror(security: bool) -> String {
    let wanted = if security { "/debian-security" } else { "/debian" };
    let sources = ["/etc/apt/sources.list".into()]
        .into_iter()
        .chain(fs::read_dir("/etc/apt/sources.list.d").into_iter().flatten().flatten().map(|entry| entry.path()));
    let texts: Vec<String> = sources.filter_map(|path| fs::read_to_string(path).ok()).collect();
    let lines = texts.iter().flat_map(|text| text.lines()).filter(|line| !line.trim_start().starts_with('#'));
    let mut words = lines.flat_map(str::split_whitespace);
    let found = words.find(|word| word.contains("://") && word.trim_end_matches('/').ends_with(wanted));
    found.map_or_else(|| format!("{MIRROR}{}", if security { "-security" } else { "" }), str::to_owned)
}

/// Runs a program to its end.
fn finished(command: &mut Command) -> Result<Output, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("{name}: {error}"))?;
    if output.status.success() {
        return Ok(output);
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let last: Vec<&str> = said.lines().rev().take(3).collect();
    Err(format!("{name}: {}", last.into_iter().rev().collect::<Vec<_>>().join("\n")))
}
