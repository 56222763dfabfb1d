//! How one comes to a place.
#![expect(unsafe_code, reason = "no safe interface sets limits, drops capabilities or installs a seccomp filter")]

use std::fmt;
use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How a program comes to a place.
pub(crate) enum Way {
    /// A seccomp filter that answers a system call with an errno.
    Filter(libc::c_long, i32),
    /// A resource limit, soft and hard, for this user; root's own if it is 0.
    Limit(libc::__rlimit_resource_t, u64, u32),
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
            Lacks::Machine(why) => f.write_str(why),
        }
    }
}

impl Way {
    /// What is lacking to make it.
    pub(crate) fn lacks(&self) -> Option<Lacks> {
        // SAFETY: always succeeds.
        let is_root = unsafe { libc::geteuid() } == 0;
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
        match self.go() {
            Ok(()) => program.exec(),
            Err(error) => error,
        }
    }

    fn go(&self) -> io::Result<()> {
        match self {
            Way::Filter(number, errno) => refuse(*number, *errno),
            Way::Limit(resource, most, user) => {
                let limit = libc::rlimit64 { rlim_cur: *most, rlim_max: *most };
                // SAFETY: the limit outlives the call, and the old one is not asked for.
                check(unsafe { libc::prlimit64(0, *resource, &limit, std::ptr::null_mut()) })?;
                become_user(*user)
            }
            Way::Without(capabilities, user) => {
                for capability in capabilities {
                    // SAFETY: numbers only.
                    check(unsafe { libc::prctl(libc::PR_CAPBSET_DROP, *capability as libc::c_ulong, 0, 0, 0) })?;
                }
                become_user(*user)
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

fn check(result: libc::c_int) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Becomes an ordinary user; root stays root.
fn become_user(user: u32) -> io::Result<()> {
    if user == 0 {
        return Ok(());
    }
    // SAFETY: an empty list.
    check(unsafe { libc::setgroups(0, std::ptr::null()) })?;
    // SAFETY: numbers only.
    check(unsafe { libc::setgid(user) })?;
    // SAFETY: numbers only.
    check(unsafe { libc::setuid(user) })
}

/// A seccomp filter that answers one system call with an errno.
fn refuse(number: libc::c_long, errno: i32) -> io::Result<()> {
    let number = u32::try_from(number).map_err(io::Error::other)?;
    let statement = |code: u32, k| libc::sock_filter { code: code as u16, jt: 0, jf: 0, k };
    let equal = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
    let mut filter = [
        // The number of the call stands first in seccomp_data.
        statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0),
        libc::sock_filter { code: equal as u16, jt: 0, jf: 1, k: number },
        statement(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ERRNO | errno as u32),
        statement(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_mut_ptr() };
    // SAFETY: numbers only.
    check(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) })?;
    // SAFETY: the program and its filter outlive the call.
    check(unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &program) })
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
