//! What is found: who is in the way, and what would help.

use serde::{Deserialize, Serialize};

use crate::snapshot::View;

/// What was found in a snapshot.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Report {
    /// From where it was seen.
    pub view: View,
    /// The findings: outer namespaces before inner ones.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether anything found does not go on by itself.
    pub fn is_stuck(&self) -> bool {
        self.findings.iter().any(|finding| finding.stuck)
    }

    /// The same, where only that is stuck which was so at a moment before: somebody is in the way of the same process in the same manner.
    #[must_use]
    pub fn since(mut self, before: &Report) -> Report {
        for finding in &mut self.findings {
            finding.stuck &= before.findings.iter().any(|it| it.stuck && finding.is_held_as(it));
        }
        self
    }
}

/// A process that is mentioned: its PID and name, and its other PIDs.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Who {
    /// Its PID in the procfs.
    pub pid: u32,
    /// What it calls itself.
    pub name: String,
    /// Its PIDs, from the procfs's namespace inward.
    pub numbers: Vec<u32>,
    /// When it was born, in ticks since the start of the machine.
    pub started: u64,
}

/// A namespace that does not go away, or a process that was asked for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Finding {
    /// The init of the namespace, or the process that was asked for.
    pub who: Who,
    /// What is the matter with it.
    pub condition: Condition,
    /// The inode of the PID namespace that it is about, if that is known.
    pub namespace: Option<u64>,
    /// Whether it does not go on by itself.
    pub stuck: bool,
    /// Who is in the way.
    pub holders: Vec<Holder>,
    /// How many more are on their way out, or go when a holder does.
    pub following: usize,
    /// The rules that are behind it, by their ids in the catalogue of `pidlab-sim`.
    pub rules: Vec<String>,
}

impl Finding {
    /// Whether somebody is in the way who was in that of another finding, which is about the same process.
    fn is_held_as(&self, other: &Finding) -> bool {
        let stays = |holder: &Holder| other.holders.iter().any(|it| it.who == holder.who && it.how == holder.how);
        self.who == other.who && self.holders.iter().any(stays)
    }
}

/// What is the matter.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Condition {
    /// An init that has ended, and waits in `zap_pid_ns_processes` until it is alone.
    Emptying,
    /// An init with a SIGKILL that it has not taken.
    Killed,
    /// An init whose first thread has ended, while others live: its namespace lives on.
    Headless,
    /// A process that has ended, and was not waited for.
    Unreaped,
    /// A process that cannot act.
    Held,
    /// Nothing: it lives, or goes away by itself.
    Nothing,
}

/// Somebody whose PID is in use, or who keeps one in use.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Holder {
    /// Whose PID it is, or who keeps that of another in use.
    pub who: Who,
    /// Its number in the namespace that does not go away.
    pub number: Option<u32>,
    /// How it holds it.
    pub how: How,
    /// Whether it is known that it does. Where it is not known in which namespace somebody is, it may be another's PID; and in which namespaces
    /// the number of a process group was one is never told.
    pub certain: bool,
    /// Who could end that, and what that one does instead.
    pub by: Option<By>,
    /// What would help: one of them, but for those that go with the next ([`Help::goes_with`]).
    pub helps: Vec<Help>,
    /// The rules that are behind it.
    pub rules: Vec<String>,
    /// The scenario of pidlab's library that shows it, if one does.
    pub scenario: Option<String>,
}

/// How a PID is kept in use.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum How {
    /// A zombie whose parent has not waited for it.
    Unreaped,
    /// A zombie whose tracer has not waited for it.
    Traced,
    /// Stopped for its tracer, at the last moment.
    HeldByTracer,
    /// Its first thread has ended, others are left.
    ThreadsLeft {
        /// Which, and where they are.
        threads: Vec<(u32, Option<String>)>,
    },
    /// The init of a namespace below, which is kept waiting itself.
    NestedInit,
    /// It sleeps where no signal wakes it.
    Uninterruptible {
        /// The function of the kernel, if that may be known.
        wchan: Option<String>,
    },
    /// A cgroup has frozen it.
    Frozen,
    /// It is stopped by a signal.
    Stopped,
    /// The init is in a process group that a dead member led: the number is in use as long as the init is.
    OwnGroup {
        /// The number of the group in the namespace.
        group: u32,
    },
    /// Somebody outside is in a process group whose leader is gone: it may have been a member.
    PerhapsGroup {
        /// The number of the group in the procfs's namespace.
        group: u32,
        /// Who else is in it, outside.
        others: Vec<Who>,
    },
}

/// Who could end it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct By {
    /// The parent or the tracer; nobody if it is not seen from here.
    pub who: Option<Who>,
    /// What it does instead.
    pub does: Doing,
    /// Whether it ignores SIGCHLD, which comes too late for a child that is a zombie already.
    pub ignores_sigchld: bool,
    /// The exit signal of the child if it is not SIGCHLD: a wait has to ask for such children with `__WALL` or `__WCLONE`.
    pub exit_signal: Option<i32>,
}

/// What somebody does who should do something else.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Doing {
    /// It runs.
    Runs,
    /// It sleeps in a call, or in a function of the kernel; a process of several threads: its first one.
    Sleeps {
        /// The system call, or else the function of the kernel, as far as that may be known.
        place: Option<String>,
    },
    /// It sleeps in a wait for somebody else.
    WaitsFor {
        /// For whom.
        whom: Who,
        /// In which call.
        call: String,
    },
    /// It sleeps in a wait for any of its children.
    WaitsForAny {
        /// In which call.
        call: String,
    },
    /// It is stopped.
    Stopped,
    /// It is held by a tracer.
    HeldByTracer,
    /// It is frozen by a cgroup.
    Frozen,
    /// It is on its way out itself.
    Leaves,
    /// It is not seen from here.
    Unknown,
}

/// Something that helps. Whoever is named has to do it himself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Help {
    /// Somebody waits for a child, or for a tracee.
    Wait {
        /// Who; nobody if it is not seen from here.
        by: Option<Who>,
        /// For whom.
        whom: Who,
        /// Its PID for the one who waits.
        number: Option<u32>,
        /// Whether only a wait with `__WALL` or `__WCLONE` takes it.
        of_all_kinds: bool,
    },
    /// Somebody's end would help, and costs what it does; whoever adopts has to wait then.
    End {
        /// Who.
        who: Who,
        /// Who adopts the child, if somebody has to.
        adopter: Option<Who>,
    },
    /// A stopped process goes on (SIGCONT), and does what it has to.
    Continue {
        /// Which.
        who: Who,
    },
    /// A cgroup is thawed.
    Thaw {
        /// Who is in it.
        who: Who,
    },
    /// A tracer lets its tracee go on, or goes away.
    LetGo {
        /// The tracer; nobody if it is not seen from here.
        tracer: Option<Who>,
        /// The tracee.
        who: Who,
    },
    /// Somebody leaves its process group with setpgid(2).
    LeaveGroup {
        /// Who.
        who: Who,
        /// Who makes the call.
        by: Who,
    },
    /// First an inner namespace has to go.
    Inner {
        /// Its init.
        init: Who,
    },
    /// What the kernel waits for there has to come: a file system, a device. No signal helps.
    WhatItWaitsFor {
        /// The function of the kernel, if that may be known.
        wchan: Option<String>,
    },
    /// Nothing but a restart of the machine.
    Nothing,
}

impl Help {
    /// Whether both are needed, this and the one that follows it; otherwise either will do.
    pub fn goes_with(&self, next: &Help) -> bool {
        match self {
            Help::Continue { .. } | Help::Thaw { .. } => true,
            Help::LetGo { .. } => matches!(next, Help::Wait { .. }),
            // A group is there until the last one has left it.
            Help::LeaveGroup { .. } => matches!(next, Help::LeaveGroup { .. }),
            _ => false,
        }
    }
}
