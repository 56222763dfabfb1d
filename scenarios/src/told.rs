//! Calls and outcomes in words, as short as a reader can follow.

use crate::{Call, Entrance, Errno, Given, Keeper, Outcome, Role, Scenario, Seen, SetnsVia, Target};

/// A call as one would read it aloud: `clone(CLONE_NEWPID) → init`, `kill(mid, SIGTERM)`.
///
/// # Panics
/// If it names a process that the scenario does not have.
pub fn call(scenario: &Scenario, call: &Call) -> String {
    let names = Names(scenario);
    let arguments = names.arguments(call);
    let made = call.child().map(|child| format!(" → {}", scenario.role_name(child))).unwrap_or_default();
    format!("{}({}){made}", call.name(), arguments.join(", "))
}

/// What a call gave, in words: `returns 2`, `fails with ESRCH`, `blocks`.
///
/// # Panics
/// If it names a process that the scenario does not have.
pub fn outcome(scenario: &Scenario, outcome: &Outcome) -> String {
    match outcome {
        Outcome::Ok(number) => format!("returns {number}"),
        Outcome::Waited { number, child, status } => {
            format!("returns {number}: {} {status}", scenario.role_name(*child))
        }
        Outcome::Pending(signals) => format!("returns 0, pending: {}", list(signals)),
        Outcome::Taken(taken) => {
            let child = taken.child.map(|child| format!(", {child}")).unwrap_or_default();
            format!("returns {}: {} from {}{child}", taken.signal.number(), taken.signal, taken.si_pid)
        }
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
        Seen::Status { tgid, pid, ppid, tracer, nstgid, nspid, nspgid, nssid } => format!(
            "sees Tgid {tgid}, Pid {pid}, PPid {ppid}, {}NStgid {}, NSpid {}, NSpgid {}, NSsid {}",
            if *tracer == 0 { String::new() } else { format!("TracerPid {tracer}, ") },
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
        Seen::PidfdInfo { pid, tgid, ppid, mask } => {
            format!("sees pid {pid}, tgid {tgid}, ppid {ppid}, mask {mask:#x}")
        }
        Seen::PidfdExit { mask, status } => {
            let status = status.map_or_else(|| "no status yet".to_owned(), |status| format!("it {status}"));
            format!("sees {status}, mask {mask:#x}")
        }
        Seen::Procfs { listing, myself } => {
            format!("sees {}, and itself as {myself}", list(listing))
        }
        Seen::TidWords { parent_tid, child_tid } => format!("sees parent_tid {parent_tid}, child_tid {child_tid}"),
        Seen::Myself { myself, thread } => format!("sees itself as {myself}, thread {thread}"),
        Seen::LastPid(number) => format!("sees {number}"),
    }
}

/// Items with blanks between them; a word for none.
fn list(items: &[impl std::fmt::Display]) -> String {
    let items: Vec<String> = items.iter().map(ToString::to_string).collect();
    if items.is_empty() { "none".to_owned() } else { items.join(" ") }
}

/// The words of one scenario's calls.
struct Names<'a>(&'a Scenario);

impl Names<'_> {
    fn arguments(&self, call: &Call) -> Vec<String> {
        let mut words: Vec<String> = Vec::new();
        for (key, given) in call.arguments() {
            match (call, &given) {
                // What comes back is more than an argument: it is shown behind them.
                (_, Given::NewProcess(_)) => {}
                (Call::Setns { to: Entrance::Pidfd(_), via, .. }, Given::Word(_)) => {
                    let whose = words.pop().unwrap_or_default();
                    let whose = whose.strip_prefix("pidfd of ").unwrap_or(&whose);
                    let via = if *via == SetnsVia::PidfdForChildren { *via } else { SetnsVia::Pidfd };
                    words.push(format!("{} of {whose}", via.word()));
                }
                (Call::Setns { to: Entrance::Kept(_), .. }, Given::Word(_)) => {}
                (Call::Setns { .. } | Call::OpenNs { .. }, Given::Word(via)) if *via != Keeper::Descriptor.word() => {
                    let whose = words.pop().unwrap_or_default();
                    words.push(format!("{via} of {whose}"));
                }
                (Call::OpenNs { .. }, Given::Word(_)) => {}
                (Call::Setns { .. }, Given::Names(types)) if types.is_empty() => words.push("told 0".to_owned()),
                (Call::Setns { .. }, Given::Names(types)) => words.push(format!("told {}", types.join(", "))),
                (_, Given::Names(names)) => words.extend(names.iter().map(|name| (*name).to_owned())),
                (_, Given::Signal(_)) if key == "exit_signal" => {
                    words.push(format!("exit signal {}", self.given(&given)))
                }
                (_, Given::Numbers(_)) | (Call::Sigqueue { .. } | Call::Tgsigqueueinfo { .. }, Given::Number(_)) => {
                    words.push(format!("{key} {}", self.given(&given)));
                }
                (_, given) if key == "tgid" => words.push(format!("of {}", self.given(given))),
                (_, given) => words.push(self.given(given)),
            }
        }
        words
    }

    fn given(&self, given: &Given) -> String {
        match given {
            Given::NewProcess(role) | Given::Process(role) => self.role(*role).to_owned(),
            Given::Directory(role) => format!("/proc/PID of {}", self.role(*role)),
            Given::Kept(role) => format!("what is kept of {}", self.role(*role)),
            Given::Pidfd(role) => format!("pidfd of {}", self.role(*role)),
            Given::Receiver(Target::Number(-1)) => "-1, everybody".to_owned(),
            Given::Receiver(Target::Number(0)) => "0, the own group".to_owned(),
            Given::Target(target) | Given::Receiver(target) => self.target(*target),
            Given::Group(target) => format!("group {}", self.target(*target)),
            Given::OwnGroup => "own group".to_owned(),
            Given::Any => "any".to_owned(),
            Given::Signal(signal) => signal.map_or_else(|| "0".to_owned(), |signal| signal.to_string()),
            Given::Signals(signals) => list(signals),
            Given::Names(names) => names.join(", "),
            Given::Numbers(numbers) => list(numbers),
            Given::Number(number) => number.to_string(),
            Given::Flag(on) => if *on { "on" } else { "off" }.to_owned(),
            Given::Word(word) => (*word).to_owned(),
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
}
