//! Calls and outcomes in words, as short as a reader can follow.

use pidlab_scenario::{
    Call, CloneFlags, Errno, ExitSignal, Expect, KillTarget, Need, Outcome, ReturnValue, Role, Scenario, Seen, Signal,
    Target, WaitOptions, WaitTarget,
};

/// A call as one would read it aloud: `clone(CLONE_NEWPID) → init`, `kill(mid, SIGTERM)`.
pub(crate) fn call(scenario: &Scenario, call: &Call) -> String {
    let names = Names(scenario);
    let arguments = names.arguments(call);
    let made = call.child().map(|child| format!(" → {}", scenario.role_name(child))).unwrap_or_default();
    format!("{}({}){made}", call.name(), arguments.join(", "))
}

/// What a call gave, in words.
pub(crate) fn outcome(scenario: &Scenario, outcome: &Outcome) -> String {
    match outcome {
        Outcome::Ok(number) => format!("returns {number}"),
        Outcome::Waited { number, child, status } => {
            format!("returns {number}: {} {status}", scenario.role_name(*child))
        }
        Outcome::Pending(signals) => format!("returns 0, pending: {}", list(signals)),
        Outcome::Polled(events) if events.is_empty() => "returns 0: nothing to report".to_owned(),
        Outcome::Polled(events) => format!("returns 1: {}", list(events)),
        Outcome::Seen(seen) => self::seen(seen),
        Outcome::Err(errno) => format!("fails with {errno}"),
        Outcome::Never => "does not return".to_owned(),
        Outcome::Blocks => "blocks".to_owned(),
    }
}

/// What a look showed, as the kernel's files word it.
fn seen(seen: &Seen) -> String {
    let translated = |result: &Result<u32, Errno>| match result {
        Ok(number) => number.to_string(),
        Err(errno) => errno.to_string(),
    };
    match seen {
        Seen::Status { tgid, pid, ppid, nstgid, nspid, nspgid, nssid } => format!(
            "sees Tgid {tgid}, Pid {pid}, PPid {ppid}, NStgid {}, NSpid {}, NSpgid {}, NSsid {}",
            list(nstgid),
            list(nspid),
            list(nspgid),
            list(nssid)
        ),
        Seen::Listing(numbers) => format!("sees {}", list(numbers)),
        Seen::Fdinfo { pid, nspid } => format!("sees Pid {pid}, NSpid {}", list(nspid)),
        Seen::Translated { from, into } => {
            format!("sees it as {}, and is seen as {}", translated(from), translated(into))
        }
        Seen::Credentials { pid, uid } => format!("sees pid {pid}, uid {uid}"),
        Seen::Owner { pid } => format!("sees pid {pid}"),
        Seen::PidfdInfo { pid, tgid, ppid } => format!("sees pid {pid}, tgid {tgid}, ppid {ppid}"),
        Seen::Procfs { listing, myself } => {
            format!("sees {}, and itself as {myself}", list(listing))
        }
        Seen::LastPid(number) => format!("sees {number}"),
    }
}

/// Items with blanks between them; a word for none.
fn list(items: &[impl std::fmt::Display]) -> String {
    let items: Vec<String> = items.iter().map(ToString::to_string).collect();
    if items.is_empty() { "none".to_owned() } else { items.join(" ") }
}

/// What the author of a step expects, in words.
pub(crate) fn expectation(scenario: &Scenario, expected: Expect, number: Option<i64>) -> String {
    match expected {
        Expect::Returns(ReturnValue::Number(number)) => format!("returns {number}"),
        Expect::Returns(ReturnValue::Role(role)) => match number {
            Some(number) => format!("returns {number}, the number of {}", scenario.role_name(role)),
            None => format!("returns the number of {}, which has none here", scenario.role_name(role)),
        },
        Expect::Fails(errno) => format!("fails with {errno}"),
        Expect::Blocks => "blocks".to_owned(),
    }
}

/// What a scenario needs, in words: `without pid-translation`.
pub(crate) fn needs(needs: &[Need]) -> String {
    let words = needs.iter().map(|need| format!("{} {}", if need.holds { "with" } else { "without" }, need.fact));
    words.collect::<Vec<_>>().join(", ")
}

/// Columns that every line of text fits into.
const WIDTH: usize = 80;

/// How paragraphs are set: the ids of rules and the names of scenarios are not broken at their hyphens.
pub(crate) fn page() -> textwrap::Options<'static> {
    textwrap::Options::new(WIDTH).word_splitter(textwrap::WordSplitter::NoHyphenation)
}

/// The words of one scenario's calls.
struct Names<'a>(&'a Scenario);

impl Names<'_> {
    fn arguments(&self, call: &Call) -> Vec<String> {
        match call {
            Call::Fork { .. }
            | Call::Vfork { .. }
            | Call::Exec
            | Call::Abort
            | Call::Fault
            | Call::FailedFork
            | Call::BrokenPipe
            | Call::Sigpending
            | Call::Setsid
            | Call::Getpid
            | Call::Gettid
            | Call::Getppid => Vec::new(),
            Call::Clone { flags, exit_signal, set_tid, .. } => clone_arguments(*flags, *exit_signal, set_tid),
            Call::Exit { status } | Call::ExitThread { status } => vec![status.to_string()],
            Call::Wait { target, options } | Call::Waitid { target, options } => {
                let mut arguments = vec![self.children(*target)];
                arguments.extend(wait_options(*options));
                arguments
            }
            Call::Kill { target, signal } => vec![self.receivers(*target), signal_or_zero(*signal)],
            Call::Tgkill { pid, signal } | Call::PidfdSendSignal { pid, signal } => {
                vec![self.target(*pid), signal_or_zero(*signal)]
            }
            Call::Sigqueue { pid, signal, si_pid } => {
                vec![self.target(*pid), signal_or_zero(*signal), format!("si_pid {si_pid}")]
            }
            Call::PidfdOpen { pid } | Call::PidfdPoll { pid } | Call::Getpgid { pid } | Call::Getsid { pid } => {
                vec![self.target(*pid)]
            }
            Call::Unshare { flags } => clone_flags(*flags),
            Call::Setns { to, via } => vec![format!("{via} of {}", self.role(*to))],
            Call::SetChildSubreaper { on } => vec![if *on { "on" } else { "off" }.to_owned()],
            Call::SetPdeathsig { signal } => vec![signal_or_zero(*signal)],
            Call::Sigaction { signal, action } => vec![signal.to_string(), action.to_string()],
            Call::Sigprocmask { how, signal } => vec![how.to_string(), signal.to_string()],
            Call::Setuid { uid } => vec![uid.to_string()],
            Call::Look { pid, via } => vec![self.target(*pid), via.to_string()],
            Call::Setpgid { pid, group } => vec![self.target(*pid), self.target(*group)],
            Call::Sysctl { name, write } => {
                let written = write.map(|value| value.to_string());
                [Some(name.to_string()), written].into_iter().flatten().collect()
            }
            Call::Reboot { how } => vec![how.to_string()],
        }
    }

    fn role(&self, role: Role) -> &str {
        self.0.role_name(role)
    }

    fn target(&self, target: Target) -> String {
        match target {
            Target::Role(role) => self.role(role).to_owned(),
            Target::Number(number) => number.to_string(),
        }
    }

    fn receivers(&self, target: KillTarget) -> String {
        match target {
            KillTarget::Pid(Target::Number(-1)) => "-1, everybody".to_owned(),
            KillTarget::Pid(Target::Number(0)) => "0, the own group".to_owned(),
            KillTarget::Pid(target) => self.target(target),
            KillTarget::Group(target) => format!("group {}", self.target(target)),
        }
    }

    fn children(&self, target: WaitTarget) -> String {
        match target {
            WaitTarget::Any => "any".to_owned(),
            WaitTarget::Pid(target) => self.target(target),
            WaitTarget::OwnGroup => "own group".to_owned(),
            WaitTarget::Group(target) => format!("group {}", self.target(target)),
            WaitTarget::Pidfd(role) => format!("pidfd of {}", self.role(role)),
        }
    }
}

fn clone_arguments(flags: CloneFlags, exit_signal: ExitSignal, set_tid: &[i32]) -> Vec<String> {
    let mut arguments = clone_flags(flags);
    match exit_signal {
        ExitSignal::Default => {}
        ExitSignal::None => arguments.push("exit signal 0".to_owned()),
        ExitSignal::Signal(signal) => arguments.push(format!("exit signal {signal}")),
    }
    if !set_tid.is_empty() {
        let numbers: Vec<String> = set_tid.iter().map(i32::to_string).collect();
        arguments.push(format!("set_tid {}", numbers.join(" ")));
    }
    arguments
}

fn clone_flags(flags: CloneFlags) -> Vec<String> {
    flags.iter_names().map(|(name, _)| name.to_owned()).collect()
}

fn wait_options(options: WaitOptions) -> Vec<String> {
    options.iter_names().map(|(name, _)| name.to_owned()).collect()
}

fn signal_or_zero(signal: Option<Signal>) -> String {
    signal.map_or_else(|| "0".to_owned(), |signal| signal.to_string())
}
