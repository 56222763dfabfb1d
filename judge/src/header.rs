//! What `pidlab record` writes before a log: what the recorded processes have from outside.
//!
//! ```text
//!   # pidlab record: tracer=4710 pgid=4710 sid=4000 blocked=0 ignored=0 kernel=6.18.44 uid=0 gid=0 capeff=1ffffffffff facts=pidfd-thread,…
//! ```

use pidlab_scenario::{Fact, Facts, Signal};

/// What was there before the first line; what is not known is `None`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Header {
    /// The number of strace, which is the parent of the first process.
    pub(crate) tracer: Option<u32>,
    /// Its process group.
    pub(crate) pgid: Option<u32>,
    /// Its session.
    pub(crate) sid: Option<u32>,
    /// The signals that it blocked, as bits.
    pub(crate) blocked: u64,
    /// Those that it ignored.
    pub(crate) ignored: u64,
    /// The user id that it had, if it was one.
    pub(crate) uid: Option<u32>,
    /// Whether its real, effective and saved user ids were not the same.
    pub(crate) uids_differ: bool,
    /// Its effective capabilities, as bits.
    pub(crate) capabilities: Option<u64>,
    /// What the kernel is called.
    pub(crate) kernel: Option<String>,
    /// What it is like.
    pub(crate) facts: Option<Facts>,
}

/// What the line begins with.
pub(crate) const WORDS: &str = " pidlab record:";

impl Header {
    /// Whether `pidlab record` wrote one.
    pub(crate) fn is_written(&self) -> bool {
        *self != Header::default()
    }

    /// Reads a line that begins with `#`; others than that of `pidlab record` say nothing.
    pub(crate) fn take(&mut self, line: &str) -> Option<()> {
        let Some(said) = line.strip_prefix(WORDS) else { return Some(()) };
        for field in said.split_whitespace() {
            let (key, value) = field.split_once('=')?;
            match key {
                "tracer" => self.tracer = Some(value.parse().ok()?),
                "pgid" => self.pgid = Some(value.parse().ok()?),
                "sid" => self.sid = Some(value.parse().ok()?),
                "blocked" => self.blocked = u64::from_str_radix(value, 16).ok()?,
                "ignored" => self.ignored = u64::from_str_radix(value, 16).ok()?,
                "uid" => {
                    let ids: Vec<u32> = value.split(',').map(|id| id.parse().ok()).collect::<Option<_>>()?;
                    self.uids_differ = ids.iter().any(|id| *id != ids[0]);
                    self.uid = ids.first().copied().filter(|_| !self.uids_differ);
                }
                // Nothing is decided by it; it is for who reads the line.
                "gid" => {}
                "capeff" => self.capabilities = Some(u64::from_str_radix(value, 16).ok()?),
                "kernel" => self.kernel = Some(value.to_owned()),
                "facts" => self.facts = Some(facts(value)?),
                _ => return None,
            }
        }
        Some(())
    }
}

/// All facts about kernels that are not named are lacking.
fn facts(words: &str) -> Option<Facts> {
    let held: Vec<Fact> =
        words.split(',').filter(|word| !word.is_empty()).map(Fact::from_word).collect::<Option<_>>()?;
    Some(Fact::ALL.iter().fold(Facts::newest(), |facts, fact| facts.with(*fact, held.contains(fact))))
}

/// The line that says all this.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// The number that strace will have.
    pub tracer: u32,
    /// Its process group.
    pub pgid: u32,
    /// Its session.
    pub sid: u32,
    /// The signals that it blocks, as bits.
    pub blocked: u64,
    /// Those that it ignores.
    pub ignored: u64,
    /// Its user id; the real, effective and saved one where they differ.
    pub uid: Vec<u32>,
    /// Its group id, or the three of them.
    pub gid: Vec<u32>,
    /// Its effective capabilities, as bits.
    pub capabilities: Option<u64>,
    /// What the kernel is called.
    pub kernel: String,
    /// What it is like, if that was asked.
    pub facts: Option<Facts>,
}

impl Surroundings {
    /// What strace has from a process in whose place it comes, by what that one's `/proc/self/status` says. Nothing is blocked in what std starts,
    /// and `SIGPIPE` is at its default.
    pub fn of(tracer: u32, status: &str, kernel: &str, facts: Option<Facts>) -> Surroundings {
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            line.map_or("", str::trim)
        };
        let last =
            |name: &str| field(name).split_whitespace().last().and_then(|number| number.parse().ok()).unwrap_or(0);
        let ignored = u64::from_str_radix(field("SigIgn"), 16).unwrap_or(0);
        // The fourth is that of the file system, which decides nothing here.
        let ids = |name: &str| {
            let ids = field(name).split_whitespace().take(3).map_while(|id| id.parse().ok());
            let mut ids: Vec<u32> = ids.collect();
            if ids.iter().all(|id| *id == ids[0]) {
                ids.truncate(1);
            }
            ids
        };
        Surroundings {
            tracer,
            pgid: last("NSpgid"),
            sid: last("NSsid"),
            blocked: 0,
            ignored: ignored & !(1 << (Signal::PIPE.number() - 1)),
            uid: ids("Uid"),
            gid: ids("Gid"),
            capabilities: u64::from_str_radix(field("CapEff"), 16).ok(),
            kernel: kernel.trim().to_owned(),
            facts,
        }
    }

    /// The first line of a log.
    pub fn line(&self) -> String {
        let Surroundings { tracer, pgid, sid, blocked, ignored, kernel, .. } = self;
        let kernel: String = kernel.chars().filter(|c| !c.is_whitespace()).collect();
        let mut line = format!(
            "#{WORDS} tracer={tracer} pgid={pgid} sid={sid} blocked={blocked:x} ignored={ignored:x} kernel={kernel}"
        );
        for (key, ids) in [("uid", &self.uid), ("gid", &self.gid)].into_iter().filter(|(_, ids)| !ids.is_empty()) {
            line += &format!(" {key}={}", ids.iter().map(u32::to_string).collect::<Vec<_>>().join(","));
        }
        if let Some(capabilities) = self.capabilities {
            line += &format!(" capeff={capabilities:x}");
        }
        if let Some(facts) = &self.facts {
            let held = facts.iter().filter(|(_, holds)| *holds).map(|(fact, _)| fact.word());
            line += &format!(" facts={}", held.collect::<Vec<_>>().join(","));
        }
        line
    }
}

/// The options of strace that make a log with all that is needed; what is lacking is `-o LOG`, and the command. Its lines go behind those that
/// are there.
pub fn options() -> Vec<String> {
    options_with(CALLS)
}

/// The same with read(2), from whatever file, and what was read: so it is told what a signalfd(2) gives.
pub fn options_with_reads() -> Vec<String> {
    options_with(&[CALLS, &["read"]].concat())
}

fn options_with(calls: &[&str]) -> Vec<String> {
    let how = ["-f", "-A", "-a1", "-s", "256", "--decode-pids=pidns", "--decode-fds=path,pidfd", "-e"];
    how.into_iter().map(str::to_owned).chain([format!("trace={}", calls.join(","))]).collect()
}

/// The calls that a log should have, as strace's `-e trace=` takes them: what makes, ends, moves and waits for processes, and what signals do.
pub const CALLS: &[&str] = &[
    "clone",
    "?clone3",
    "?fork",
    "?vfork",
    "execve",
    "execveat",
    "exit",
    "exit_group",
    "wait4",
    "waitid",
    "kill",
    "tkill",
    "tgkill",
    "rt_sigqueueinfo",
    "rt_tgsigqueueinfo",
    "?pidfd_open",
    "?pidfd_send_signal",
    "unshare",
    "setns",
    "setpgid",
    "setsid",
    "getpid",
    "getppid",
    "gettid",
    "getpgid",
    "?getpgrp",
    "getsid",
    "prctl",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "rt_sigtimedwait",
    "rt_sigsuspend",
    "?signalfd",
    "signalfd4",
    "pselect6",
    "ppoll",
    "epoll_pwait",
    "?epoll_pwait2",
    "setuid",
    "setreuid",
    "setresuid",
    "capset",
    "reboot",
    "ptrace",
    "openat",
];
