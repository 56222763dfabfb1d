//! What surrounds this program: what an administrator, a container or a shell has taken from it, and what not. None of that is the
//! kernel's, so none of it may ever be taken for a difference of the kernel.
//!
//! Everything is read from procfs and from cgroup file systems, and nothing is changed.

use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use crate::cgroups::{self, CgroupLimit};

/// Names of capabilities by their number (capabilities(7)).
const CAPABILITIES: [&str; 41] = [
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
];

/// What an administrator may have set, below `/proc/sys`.
const SYSCTLS: [&str; 6] = [
    "kernel/unprivileged_userns_clone",
    "kernel/apparmor_restrict_unprivileged_userns",
    "user/max_user_namespaces",
    "user/max_pid_namespaces",
    "kernel/threads-max",
    "fs/file-max",
];

/// Capabilities, as a bit each.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Capabilities(u64);

impl Capabilities {
    /// Whether this one is among them, by its name (`CAP_KILL`).
    pub fn has(self, name: &str) -> bool {
        CAPABILITIES.iter().position(|known| *known == name).is_some_and(|number| self.0 >> number & 1 == 1)
    }

    /// The names of those that are not among them.
    pub fn lacking(self) -> impl Iterator<Item = &'static str> {
        CAPABILITIES.into_iter().filter(move |name| !self.has(name))
    }
}

/// A resource limit of this process (getrlimit(2)), by its name: `RLIMIT_NPROC`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ResourceLimit {
    /// Its name.
    pub name: String,
    /// The soft limit; nothing if there is none.
    pub soft: Option<u64>,
    /// The hard limit; nothing if there is none.
    pub hard: Option<u64>,
}

/// The place where a lab runs, as far as it can get in the way of scenarios.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Surroundings {
    /// The effective user.
    pub user: u32,
    /// The effective capabilities (proc_pid_status(5), `CapEff`).
    pub effective: Capabilities,
    /// Those that any program may ever get (`CapBnd`).
    pub bounding: Capabilities,
    /// Whether a seccomp filter decides about its system calls (`Seccomp`).
    pub seccomp: bool,
    /// Whether no program can get more privileges (`NoNewPrivs`).
    pub no_new_privileges: bool,
    /// System calls that were answered in a way in which the kernel itself does not. Only a lab knows them.
    pub refused: Vec<String>,
    /// The resource limits that can get in the way.
    pub limits: Vec<ResourceLimit>,
    /// The limits of its cgroup and of those around it.
    pub cgroups: Vec<CgroupLimit>,
    /// What an administrator can set, as the name below `/proc/sys` and the value; what this kernel does not have is not here.
    pub sysctls: Vec<(String, u64)>,
    /// How `/proc` hides processes (proc(5)): its options `hidepid` and `subset`, if it has them.
    pub proc_options: Vec<String>,
}

impl Surroundings {
    /// Those of this process, without the refused calls.
    pub fn here() -> Surroundings {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let field = |key: &str| status.lines().find_map(|line| line.strip_prefix(key)).map(str::trim).unwrap_or("");
        let mask = |key| Capabilities(u64::from_str_radix(field(key), 16).unwrap_or(0));
        let is_on = |key| !["", "0"].contains(&field(key));
        let sysctl = |name: &&str| Some(((*name).to_owned(), sysctl(name)?));
        Surroundings {
            user: field("Uid:").split_ascii_whitespace().nth(1).and_then(|user| user.parse().ok()).unwrap_or(u32::MAX),
            effective: mask("CapEff:"),
            bounding: mask("CapBnd:"),
            seccomp: is_on("Seccomp:"),
            no_new_privileges: is_on("NoNewPrivs:"),
            refused: Vec::new(),
            limits: limits(&fs::read_to_string("/proc/self/limits").unwrap_or_default()),
            cgroups: cgroups::limits(),
            sysctls: SYSCTLS.iter().filter_map(sysctl).collect(),
            proc_options: proc_options(&fs::read_to_string("/proc/self/mountinfo").unwrap_or_default()),
        }
    }

    /// The soft limit of this name, if there is one.
    pub fn limit(&self, name: &str) -> Option<u64> {
        self.limits.iter().find(|limit| limit.name == name)?.soft
    }

    /// What an administrator has set, by its name below `/proc/sys`.
    pub fn sysctl(&self, name: &str) -> Option<u64> {
        self.sysctls.iter().find(|(known, _)| known == name).map(|(_, value)| *value)
    }

    /// A limit in words: `RLIMIT_NPROC is 1`.
    pub(crate) fn limit_in_words(&self, name: &str) -> String {
        match self.limit(name) {
            Some(limit) => format!("{name} is {limit}"),
            None => format!("{name} is unlimited"),
        }
    }
}

static FIRST: OnceLock<Surroundings> = OnceLock::new();

/// Those with which this process began: a limit can be reached later, and then no file can be read any more that says so.
pub(crate) fn at_the_start() -> &'static Surroundings {
    FIRST.get_or_init(Surroundings::here)
}

fn sysctl(name: &str) -> Option<u64> {
    fs::read_to_string(format!("/proc/sys/{name}")).ok()?.trim().parse().ok()
}

/// The lines of `/proc/PID/limits` and the names of getrlimit(2).
const LIMITS: [(&str, &str); 9] = [
    ("Max processes", "RLIMIT_NPROC"),
    ("Max open files", "RLIMIT_NOFILE"),
    ("Max pending signals", "RLIMIT_SIGPENDING"),
    ("Max msgqueue size", "RLIMIT_MSGQUEUE"),
    ("Max address space", "RLIMIT_AS"),
    ("Max data size", "RLIMIT_DATA"),
    ("Max stack size", "RLIMIT_STACK"),
    ("Max file size", "RLIMIT_FSIZE"),
    ("Max cpu time", "RLIMIT_CPU"),
];

fn limits(text: &str) -> Vec<ResourceLimit> {
    let limit = |(line, name): &(&str, &str)| {
        let rest = text.lines().find_map(|found| found.strip_prefix(line))?;
        let mut values = rest.split_ascii_whitespace().map(|value| value.parse().ok());
        Some(ResourceLimit { name: (*name).to_owned(), soft: values.next()?, hard: values.next()? })
    };
    LIMITS.iter().filter_map(limit).collect()
}

/// `hidepid` and `subset` of what is mounted on `/proc` (proc_pid_mountinfo(5)): the last one counts.
fn proc_options(mounts: &str) -> Vec<String> {
    let on_proc = |line: &&str| line.split(' ').nth(4) == Some("/proc");
    let Some((_, file_system)) = mounts.lines().rfind(on_proc).and_then(|line| line.split_once(" - ")) else {
        return Vec::new();
    };
    let options = file_system.rsplit(' ').next().unwrap_or("").split(',');
    options
        .filter(|option| option.starts_with("hidepid=") || option.starts_with("subset="))
        .map(str::to_owned)
        .collect()
}

impl fmt::Display for Surroundings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lacking: Vec<&str> = self.effective.lacking().collect();
        match lacking.len() {
            0 => writeln!(f, "user {} with all capabilities", self.user)?,
            CAPABILITIES_IN_ALL => writeln!(f, "user {} without capabilities", self.user)?,
            _ => writeln!(f, "user {} without {}", self.user, lacking.join(", "))?,
        }
        if self.seccomp {
            writeln!(f, "under a seccomp filter")?;
        }
        if self.no_new_privileges {
            writeln!(f, "no new privileges (prctl(2), PR_SET_NO_NEW_PRIVS)")?;
        }
        if !self.refused.is_empty() {
            writeln!(f, "system calls that do not come through: {}", self.refused.join(", "))?;
        }
        for limit in self.limits.iter().filter(|limit| limit.soft.is_some()) {
            writeln!(f, "{}", self.limit_in_words(&limit.name))?;
        }
        for limit in &self.cgroups {
            writeln!(f, "{limit}")?;
        }
        for (name, value) in &self.sysctls {
            writeln!(f, "{} is {value}", name.replace('/', "."))?;
        }
        if !self.proc_options.is_empty() {
            writeln!(f, "/proc is mounted with {}", self.proc_options.join(", "))?;
        }
        Ok(())
    }
}

const CAPABILITIES_IN_ALL: usize = CAPABILITIES.len();

/// Whether this process is in the machine's initial user namespace: root elsewhere has no power over the machine.
pub fn is_in_first_user_namespace() -> bool {
    /// The inode of that (include/linux/proc_ns.h, `PROC_USER_INIT_INO`).
    const INITIAL: u64 = 0xEFFF_FFFD;
    fs::metadata("/proc/self/ns/user").is_ok_and(|namespace| namespace.ino() == INITIAL)
}

/// Whether the kernel has IPC namespaces (namespaces(7)).
pub(crate) fn has_ipc_namespaces() -> bool {
    fs::exists("/proc/self/ns/ipc").unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_from_procfs() {
        let text = "Limit                     Soft Limit           Hard Limit           Units     \n\
                    Max processes             1                    96364                processes \n\
                    Max open files            unlimited            20000                files     \n";
        let found = limits(text);
        assert_eq!(found[0], ResourceLimit { name: "RLIMIT_NPROC".to_owned(), soft: Some(1), hard: Some(96364) });
        assert_eq!((found[1].soft, found[1].hard, found.len()), (None, Some(20000), 2));
    }

    #[test]
    fn the_options_of_the_last_procfs_on_proc_count() {
        let text = "25 1 0:22 / /proc rw,nosuid - proc proc rw\n\
                    26 1 0:23 / /sys rw - sysfs sysfs rw\n\
                    40 25 0:50 / /proc rw - proc proc rw,hidepid=invisible,subset=pid\n";
        assert_eq!(proc_options(text), ["hidepid=invisible", "subset=pid"]);
        assert_eq!(proc_options("25 1 0:22 / /proc rw - proc proc rw\n"), [""; 0]);
    }

    #[test]
    fn what_is_lacking_is_said_in_words() {
        let kill = 1 << 5;
        let here = Surroundings {
            effective: Capabilities((1 << CAPABILITIES.len()) - 1 - kill),
            seccomp: true,
            refused: vec!["reboot".to_owned()],
            limits: limits("Max processes  1 1 processes"),
            ..Surroundings::default()
        };
        let expected = "user 0 without CAP_KILL\nunder a seccomp filter\n\
                        system calls that do not come through: reboot\nRLIMIT_NPROC is 1\n";
        assert_eq!(here.to_string(), expected);
    }

    #[test]
    fn those_of_this_process_can_be_read() {
        let here = Surroundings::here();
        assert!(here.limits.len() == LIMITS.len() && here.user != u32::MAX, "{here}");
    }
}
