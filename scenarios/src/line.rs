//! The JSON lines of a run, which other programs read.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{
    ChildStatus, Errno, Facts, Handled, Observation, Outcome, PollEvent, ProcessView, Role, Scenario, Seen, Signal,
    State, WaitStatus,
};

/// The first line of a run in JSON.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Header {
    /// The scenario's name.
    pub scenario: String,
    /// `model` or `kernel`.
    pub on: String,
    /// The kernel; `null` for the model.
    pub kernel: Option<KernelHeader>,
}

/// The kernel of a run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct KernelHeader {
    /// As uname(2) gives it.
    pub release: String,
    /// Its probed facts, by name.
    pub facts: BTreeMap<String, bool>,
}

/// One line of a run in JSON: the observation with names in the place of roles. This shape is a contract.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Line {
    /// 0 for the start.
    pub step: usize,
    /// Who acted.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub by: Option<String>,
    /// By which call.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub call: Option<String>,
    /// What it gave.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub result: Option<ResultLine>,
    /// Calls that had blocked and returned in this step.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub returned: Vec<ReturnedLine>,
    /// Every process.
    pub processes: Vec<ProcessLine>,
    /// The rules that decided, in order. Only the model has them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub because: Option<Vec<BecauseLine>>,
}

/// A result in JSON.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ResultLine {
    /// The number that the call returned.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ok: Option<i64>,
    /// The child that a wait returned.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub child: Option<String>,
    /// What the wait says of it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub status: Option<StatusLine>,
    /// The sender of the signal that was taken, whose number is `ok`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub si_pid: Option<u32>,
    /// The set that sigpending gave.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pending: Option<Vec<SignalName>>,
    /// The events that poll reported.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub events: Option<Vec<PollEvent>>,
    /// What a look showed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub seen: Option<SeenLine>,
    /// The call failed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub err: Option<String>,
    /// The call does not return.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub none: Option<bool>,
    /// The call has not returned yet.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub blocks: Option<bool>,
}

/// What a look showed, in JSON: the numbers that its way of looking has.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SeenLine {
    /// `Tgid`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tgid: Option<u32>,
    /// `Pid`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pid: Option<i64>,
    /// `PPid`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ppid: Option<u32>,
    /// `TracerPid`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tracer_pid: Option<u32>,
    /// `uid`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub uid: Option<u32>,
    /// `NStgid`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub nstgid: Option<Vec<u32>>,
    /// `NSpid`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub nspid: Option<Vec<i64>>,
    /// `NSpgid`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub nspgid: Option<Vec<u32>>,
    /// `NSsid`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub nssid: Option<Vec<u32>>,
    /// The numbers in a listing.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub listing: Option<Vec<u32>>,
    /// The number that the link `self` of a procfs leads to, or 0.
    #[serde(skip_serializing_if = "Option::is_none", default, rename = "self")]
    pub myself: Option<u32>,
    /// The last number of where the link `thread-self` of a procfs leads to.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub thread_self: Option<u32>,
    /// The parts that `PIDFD_GET_INFO` says that it gives.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub mask: Option<u32>,
    /// The last field of `/proc/loadavg`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_pid: Option<i64>,
    /// Where `CLONE_PARENT_SETTID` writes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub parent_tid: Option<u32>,
    /// Where `CLONE_CHILD_SETTID` writes, and `CLONE_CHILD_CLEARTID`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub child_tid: Option<u32>,
    /// How a process ended.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub status: Option<StatusLine>,
    /// A number of the other namespace, here.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub from: Option<TranslatedLine>,
    /// The caller's number, in the other namespace.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub into: Option<TranslatedLine>,
}

/// A translated number in JSON, or why there is none.
///
/// Exhaustive on purpose: there are no others.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TranslatedLine {
    /// `{"ok":3}`
    Ok(u32),
    /// `{"err":"ESRCH"}`
    Err(String),
}

impl From<&Seen> for SeenLine {
    fn from(seen: &Seen) -> SeenLine {
        let empty = SeenLine::default();
        let translated = |result: &Result<u32, Errno>| match result {
            Ok(number) => TranslatedLine::Ok(*number),
            Err(errno) => TranslatedLine::Err(errno.to_string()),
        };
        match seen {
            Seen::Status { tgid, pid, ppid, tracer, nstgid, nspid, nspgid, nssid } => SeenLine {
                tgid: Some(*tgid),
                pid: Some(i64::from(*pid)),
                ppid: Some(*ppid),
                tracer_pid: Some(*tracer),
                nstgid: Some(nstgid.clone()),
                nspid: Some(nspid.iter().map(|number| i64::from(*number)).collect()),
                nspgid: Some(nspgid.clone()),
                nssid: Some(nssid.clone()),
                ..empty
            },
            Seen::Listing(numbers) => SeenLine { listing: Some(numbers.clone()), ..empty },
            Seen::Fdinfo { pid, nspid } => SeenLine { pid: Some(*pid), nspid: Some(nspid.clone()), ..empty },
            Seen::Translated { from, into } => {
                SeenLine { from: Some(translated(from)), into: Some(translated(into)), ..empty }
            }
            Seen::Credentials { pid, uid } => SeenLine { pid: Some(i64::from(*pid)), uid: Some(*uid), ..empty },
            Seen::Owner { pid } => SeenLine { pid: Some(i64::from(*pid)), ..empty },
            Seen::PidfdInfo { pid, tgid, ppid, mask } => SeenLine {
                pid: Some(i64::from(*pid)),
                tgid: Some(*tgid),
                ppid: Some(*ppid),
                mask: Some(*mask),
                ..empty
            },
            Seen::PidfdExit { mask, status } => {
                SeenLine { mask: Some(*mask), status: status.map(StatusLine::from), ..empty }
            }
            Seen::Procfs { listing, myself } => {
                SeenLine { listing: Some(listing.clone()), myself: Some(*myself), ..empty }
            }
            Seen::TidWords { parent_tid, child_tid } => {
                SeenLine { parent_tid: Some(*parent_tid), child_tid: Some(*child_tid), ..empty }
            }
            Seen::Myself { myself, thread } => SeenLine { myself: Some(*myself), thread_self: Some(*thread), ..empty },
            Seen::LastPid(number) => SeenLine { last_pid: Some(*number), ..empty },
        }
    }
}

/// A wait status in JSON.
///
/// Exhaustive on purpose: whoever shows or compares what was observed knows each, and the compiler says where a new one is missing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StatusLine {
    /// `{"exited":0}`
    Exited(u8),
    /// `{"killed":"SIGKILL"}`
    Killed(SignalName),
    /// `{"stopped":"SIGSTOP"}`; in a SIGCHLD also `{"stopped":0}`
    Stopped(SignalOrZero),
    /// `{"trapped":"SIGUSR1"}`, in a SIGCHLD; also `{"trapped":0}`
    Trapped(SignalOrZero),
    /// `{"continued":true}`
    Continued(bool),
}

/// A signal, written by name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SignalName(pub Signal);

impl Serialize for SignalName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for SignalName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<SignalName, D::Error> {
        let name = String::deserialize(deserializer)?;
        Signal::from_name(&name)
            .map(SignalName)
            .ok_or_else(|| de::Error::custom(format!("no signal is called `{name}`")))
    }
}

/// A signal by name, or 0.
///
/// Exhaustive on purpose: there are no others.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SignalOrZero {
    /// `"SIGSTOP"`
    Signal(SignalName),
    /// `0`
    Zero(u8),
}

impl From<Option<Signal>> for SignalOrZero {
    fn from(signal: Option<Signal>) -> SignalOrZero {
        signal.map_or(SignalOrZero::Zero(0), |signal| SignalOrZero::Signal(SignalName(signal)))
    }
}

/// A returned call in JSON.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReturnedLine {
    /// Whose call.
    pub by: String,
    /// Which call.
    pub call: String,
    /// What it gave.
    pub result: ResultLine,
}

/// A process in JSON.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ProcessLine {
    /// Its name.
    pub name: String,
    /// For a thread that is not the leader of its process: the name that stands for the process.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub thread_of: Option<String>,
    /// What it is doing.
    pub state: State,
    /// Its numbers, outermost namespace first.
    pub pids: Vec<u32>,
    /// Which namespace each of them belongs to, in the order in which the run first shows them: 0 is the outermost.
    pub namespaces: Vec<u16>,
    /// Its real parent's name, `null` outside.
    pub parent: Option<String>,
    /// Its parent's number as it sees it, or 0.
    pub ppid: u32,
    /// Its process group as it sees it, or 0.
    pub pgid: u32,
    /// Its session as it sees it, or 0.
    pub sid: u32,
    /// The thread that traces it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tracer: Option<String>,
    /// Signals that its handlers received since the last step.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub handled: Vec<HandledLine>,
}

/// A handled signal in JSON.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HandledLine {
    /// Its name.
    pub signal: SignalName,
    /// The sender's number.
    pub si_pid: u32,
    /// What a SIGCHLD that the kernel sent says of the child.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub status: Option<StatusLine>,
}

/// A rule that decided, in JSON.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BecauseLine {
    /// The rule's id.
    pub rule: String,
    /// The process that it decided about.
    pub about: String,
}

impl Header {
    /// The header of a run on the model, or on a kernel.
    pub fn new(scenario: &Scenario, kernel: Option<KernelHeader>) -> Header {
        let on = if kernel.is_some() { "kernel" } else { "model" };
        Header { scenario: scenario.name.clone(), on: on.to_owned(), kernel }
    }
}

impl KernelHeader {
    /// What a header says of a kernel.
    pub fn new(release: &str, facts: &Facts) -> KernelHeader {
        let facts = facts.iter().map(|(fact, holds)| (fact.to_string(), holds)).collect();
        KernelHeader { release: release.to_owned(), facts }
    }
}

impl BecauseLine {
    /// The rule of this id decided something about a process.
    pub fn new(rule: &str, about: &str) -> BecauseLine {
        BecauseLine { rule: rule.to_owned(), about: about.to_owned() }
    }
}

impl Line {
    /// The line of an observation; `step` 0 is the start. `because` is added by whoever has it.
    ///
    /// # Panics
    /// If the observation is not of this scenario.
    pub fn new(scenario: &Scenario, step: usize, observation: &Observation) -> Line {
        let name = |role: Role| scenario.role_name(role).to_owned();
        let taken = step.checked_sub(1).map(|index| &scenario.steps[index]);
        Line {
            step,
            by: taken.map(|step| name(step.by)),
            call: taken.map(|step| step.call.name().to_string()),
            result: observation.outcome.as_ref().map(|outcome| ResultLine::new(scenario, outcome)),
            returned: observation
                .returned
                .iter()
                .map(|returned| ReturnedLine {
                    by: name(returned.by),
                    call: returned.call.to_string(),
                    result: ResultLine::new(scenario, &returned.outcome),
                })
                .collect(),
            processes: observation.processes.iter().map(|process| ProcessLine::new(scenario, process)).collect(),
            because: None,
        }
    }
}

impl ResultLine {
    fn new(scenario: &Scenario, outcome: &Outcome) -> ResultLine {
        let empty = ResultLine::default();
        match outcome {
            Outcome::Ok(number) => ResultLine { ok: Some(*number), ..empty },
            Outcome::Waited { number, child, status } => ResultLine {
                ok: Some(*number),
                child: Some(scenario.role_name(*child).to_owned()),
                status: Some((*status).into()),
                ..empty
            },
            Outcome::Pending(signals) => {
                let signals = signals.iter().map(|signal| SignalName(*signal)).collect();
                ResultLine { ok: Some(0), pending: Some(signals), ..empty }
            }
            Outcome::Taken(Handled { signal, si_pid, child }) => ResultLine {
                ok: Some(i64::from(signal.number())),
                si_pid: Some(*si_pid),
                status: child.map(StatusLine::from),
                ..empty
            },
            Outcome::Polled(events) => {
                // poll(2) returns how many descriptors are ready, and there is one.
                ResultLine { ok: Some(i64::from(!events.is_empty())), events: Some(events.clone()), ..empty }
            }
            Outcome::Seen(seen) => ResultLine { ok: Some(0), seen: Some(seen.into()), ..empty },
            Outcome::Err(errno) => ResultLine { err: Some(errno.to_string()), ..empty },
            Outcome::Never => ResultLine { none: Some(true), ..empty },
            Outcome::Blocks => ResultLine { blocks: Some(true), ..empty },
        }
    }
}

impl ProcessLine {
    fn new(scenario: &Scenario, process: &ProcessView) -> ProcessLine {
        let name = |role: Role| scenario.role_name(role).to_owned();
        ProcessLine {
            name: name(process.role),
            thread_of: process.thread_of.map(name),
            state: process.state,
            pids: process.pids.clone(),
            namespaces: process.namespaces.iter().map(|namespace| namespace.0).collect(),
            parent: process.parent.map(name),
            ppid: process.ppid,
            pgid: process.pgid,
            sid: process.sid,
            tracer: process.tracer.map(name),
            handled: process.handled.iter().map(HandledLine::from).collect(),
        }
    }
}

impl From<&Handled> for HandledLine {
    fn from(handled: &Handled) -> HandledLine {
        let Handled { signal, si_pid, child } = *handled;
        HandledLine { signal: SignalName(signal), si_pid, status: child.map(StatusLine::from) }
    }
}

impl From<WaitStatus> for StatusLine {
    fn from(status: WaitStatus) -> StatusLine {
        StatusLine::from(ChildStatus::from(status))
    }
}

impl From<ChildStatus> for StatusLine {
    fn from(status: ChildStatus) -> StatusLine {
        match status {
            ChildStatus::Exited(status) => StatusLine::Exited(status),
            ChildStatus::Killed(signal) => StatusLine::Killed(SignalName(signal)),
            ChildStatus::Stopped(signal) => StatusLine::Stopped(signal.into()),
            ChildStatus::Trapped(signal) => StatusLine::Trapped(signal.into()),
            ChildStatus::Continued => StatusLine::Continued(true),
        }
    }
}
