//! How one comes to a place.

use std::env::consts::ARCH;
use std::fmt;
use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::{Resource, Rlimit, geteuid, setrlimit};
use rustix::thread::{CapabilitySet, remove_capability_from_bounding_set};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};

/// How a program comes to a place.
pub(crate) enum Way {
    /// A seccomp filter that answers a system call with an errno.
    Filter(libc::c_long, i32),
    /// A resource limit, soft and hard, for this user; root's own if it is 0.
    Limit(Resource, u64, u32),
    /// Without these capabilities, by their number, for good.
    Without(Vec<u32>, u32),
    /// In a cgroup that may have so many processes.
    Cgroup(u32),
    /// A program that starts the other one there, with its arguments before it.
    Shell(Vec<String>),
}

/// Why a place cannot be made.
pub(crate) enum Lacks {
    /// This user may not. Root may.
    Root,
    /// Root may have no more PID namespaces, which most places ask for.
    Namespaces,
    /// This machine does not have it.
    Machine(String),
}

impl Lacks {
    pub(crate) fn is_of_the_machine(&self) -> bool {
        matches!(self, Lacks::Machine(_))
    }
}

impl fmt::Display for Lacks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Lacks::Root => f.write_str("only root can make this place"),
            Lacks::Namespaces => f.write_str("root has used up its PID namespaces (user.max_pid_namespaces)"),
            Lacks::Machine(why) => f.write_str(why),
        }
    }
}

impl Way {
    /// What is lacking to make it.
    pub(crate) fn lacks(&self) -> Option<Lacks> {
        let is_root = geteuid().is_root();
        match self {
            Way::Filter(..) | Way::Limit(_, _, 0) => None,
            Way::Cgroup(_) => {
                Cgroup::home().err().map(|error| Lacks::Machine(format!("no cgroup can be made here: {error}")))
            }
            Way::Limit(..) | Way::Without(..) | Way::Shell(_) => (!is_root).then_some(Lacks::Root),
        }
    }

    /// Comes back only with an error.
    pub(crate) fn go_and_become(&self, program: &mut Command) -> io::Error {
        if let Way::Limit(_, _, user @ 1..) | Way::Without(_, user @ 1..) = self {
            program.gid(*user).uid(*user);
        }
        match self.go() {
            Ok(()) => program.exec(),
            Err(error) => error,
        }
    }

    fn go(&self) -> io::Result<()> {
        match self {
            Way::Filter(number, errno) => refuse(*number, *errno),
            Way::Limit(resource, most, _) => {
                Ok(setrlimit(*resource, Rlimit { current: Some(*most), maximum: Some(*most) })?)
            }
            Way::Without(capabilities, _) => {
                for number in capabilities {
                    remove_capability_from_bounding_set(CapabilitySet::from_bits_retain(1 << number))?;
                }
                Ok(())
            }
            Way::Cgroup(_) => {
                let folder =
                    std::env::var_os("PIDLAB_TEST_CGROUP").ok_or_else(|| io::Error::other("no cgroup was made"))?;
                fs::write(Path::new(&folder).join("cgroup.procs"), "0")
            }
            Way::Shell(_) => Err(io::Error::other("this way needs no program that goes it")),
        }
    }
}

/// A seccomp filter that answers one system call with an errno.
fn refuse(number: libc::c_long, errno: i32) -> io::Result<()> {
    let answer = SeccompAction::Errno(errno.unsigned_abs());
    let arch = ARCH.try_into().map_err(io::Error::other)?;
    let filter = SeccompFilter::new([(number, Vec::new())].into(), SeccompAction::Allow, answer, arch);
    let program: BpfProgram = filter.and_then(TryInto::try_into).map_err(io::Error::other)?;
    seccompiler::apply_filter(&program).map_err(io::Error::other)
}

/// A cgroup that was made for a test, and is removed after it.
pub(crate) struct Cgroup(pub(crate) PathBuf);

impl Cgroup {
    /// Where one can be made: below this program's own, in the hierarchy that counts processes.
    fn home() -> io::Result<PathBuf> {
        let none = || io::Error::other("no file system of cgroups shows how many processes there may be");
        let own = fs::read_to_string("/proc/self/cgroup")?;
        let paths = own.lines().filter_map(|line| {
            let (_, rest) = line.split_once(':')?;
            let (controllers, path) = rest.split_once(':')?;
            let top = if controllers == "pids" { "/sys/fs/cgroup/pids" } else { "/sys/fs/cgroup" };
            (controllers == "pids" || controllers.is_empty()).then(|| Path::new(top).join(path.trim_start_matches('/')))
        });
        let can_count = |folder: &PathBuf| {
            let trial = folder.join(format!("pidlab-trial-{}", std::process::id()));
            let made = fs::create_dir(&trial).is_ok() && trial.join("pids.max").exists();
            // What was not made is not there to be removed.
            let _ = fs::remove_dir(&trial);
            made
        };
        paths.into_iter().find(can_count).ok_or_else(none)
    }

    pub(crate) fn new(name: &str, most: u32) -> io::Result<Cgroup> {
        let folder = Cgroup::home()?.join(format!("pidlab-{}-{}", name.replace("::", "-"), std::process::id()));
        fs::create_dir(&folder)?;
        let cgroup = Cgroup(folder);
        fs::write(cgroup.0.join("pids.max"), most.to_string())?;
        Ok(cgroup)
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        // Who was in it has ended, and is leaving.
        for _ in 0..1000 {
            if fs::remove_dir(&self.0).is_ok() {
                return;
            }
            std::thread::yield_now();
        }
    }
}
