//! From a [`Scenario`] to the text of a file, one aligned inline table a step.

use std::fmt::Write as _;

use crate::{
    Call, CloneFlags, ExitSignal, Expect, KillTarget, ReturnValue, Role, Scenario, Signal, Step, Target, WaitOptions,
    WaitTarget,
};

impl Scenario {
    /// The scenario as a file. [`Scenario::parse`] reads it back as the same value, but for the places of the steps.
    pub fn to_toml(&self) -> String {
        let mut text = format!("title = {}\n", quoted(&self.title));
        if !self.about.is_empty() {
            let _ = writeln!(text, "about = {}", quoted(&self.about));
        }
        if !self.rules.is_empty() {
            let _ = writeln!(text, "rules = {}", listed(self.rules.iter().map(String::as_str)));
        }
        if !self.needs.is_empty() {
            let _ = writeln!(text, "needs = {}", listed(self.needs.iter().map(ToString::to_string)));
        }
        text.push_str("\nsteps = [\n");
        let by = self.steps.iter().map(|step| self.role_name(step.by).len()).max().unwrap_or(0) + 3;
        let call = self.steps.iter().map(|step| step.call.name().word().len()).max().unwrap_or(0) + 3;
        for step in &self.steps {
            let name = format!("{},", quoted(self.role_name(step.by)));
            let mut line = format!("  {{ by = {name:<by$} call = ");
            let arguments = Writer { scenario: self }.step(step);
            let word = quoted(step.call.name().word());
            if arguments.is_empty() {
                line.push_str(&word);
            } else {
                let word = format!("{word},");
                let _ = write!(line, "{word:<call$} {}", arguments.join(", "));
            }
            let _ = writeln!(text, "{line} }},");
        }
        text.push_str("]\n");
        text
    }
}

/// A text as a TOML basic string.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn listed(words: impl Iterator<Item = impl AsRef<str>>) -> String {
    format!("[{}]", words.map(|word| quoted(word.as_ref())).collect::<Vec<_>>().join(", "))
}

struct Writer<'a> {
    scenario: &'a Scenario,
}

impl Writer<'_> {
    /// `key = value` for every argument and expectation of a step.
    fn step(&self, step: &Step) -> Vec<String> {
        let mut pairs = self.call(&step.call);
        match step.expect {
            None => {}
            Some(Expect::Returns(ReturnValue::Number(number))) => pairs.push(("returns", number.to_string())),
            Some(Expect::Returns(ReturnValue::Role(role))) => pairs.push(("returns", self.role(role))),
            Some(Expect::Fails(errno)) => pairs.push(("fails", quoted(errno.name()))),
            Some(Expect::Blocks) => pairs.push(("blocks", "true".to_owned())),
        }
        pairs.extend(step.ask.as_ref().map(|ask| ("ask", quoted(ask))));
        pairs.into_iter().map(|(key, value)| format!("{key} = {value}")).collect()
    }

    fn call(&self, call: &Call) -> Vec<(&'static str, String)> {
        match call {
            Call::Fork { child } | Call::Vfork { child } => vec![("child", self.role(*child))],
            Call::Clone { child, flags, exit_signal, set_tid } => self.clone(*child, *flags, *exit_signal, set_tid),
            Call::Exit { status } | Call::ExitThread { status } => vec![("status", status.to_string())],
            Call::Exec
            | Call::Abort
            | Call::Fault
            | Call::FailedFork
            | Call::BrokenPipe
            | Call::Sigpending
            | Call::Setsid
            | Call::Getpid
            | Call::Gettid
            | Call::Getppid => Vec::new(),
            Call::Wait { target, options } | Call::Waitid { target, options } => {
                let mut pairs = vec![self.children(*target)];
                if !options.is_empty() {
                    pairs.push(("options", option_names(*options)));
                }
                pairs
            }
            Call::Kill { target: KillTarget::Pid(pid), signal } => {
                vec![("pid", self.target(*pid)), signal_or_zero(*signal)]
            }
            Call::Kill { target: KillTarget::Group(group), signal } => {
                vec![("group", self.target(*group)), signal_or_zero(*signal)]
            }
            Call::Tgkill { pid, signal } | Call::PidfdSendSignal { pid, signal } => {
                vec![("pid", self.target(*pid)), signal_or_zero(*signal)]
            }
            Call::Sigqueue { pid, signal, si_pid } => {
                vec![("pid", self.target(*pid)), signal_or_zero(*signal), ("si_pid", si_pid.to_string())]
            }
            Call::PidfdOpen { pid } | Call::PidfdPoll { pid } | Call::Getpgid { pid } | Call::Getsid { pid } => {
                vec![("pid", self.target(*pid))]
            }
            Call::Unshare { flags } => vec![("flags", flag_names(*flags))],
            Call::Setns { to, via } => vec![("to", self.role(*to)), ("via", quoted(via.word()))],
            Call::SetChildSubreaper { on } => vec![("on", on.to_string())],
            Call::SetPdeathsig { signal } => vec![signal_or_zero(*signal)],
            Call::Sigaction { signal, action } => {
                vec![signal_or_zero(Some(*signal)), ("action", quoted(action.word()))]
            }
            Call::Sigprocmask { how, signal } => vec![("how", quoted(how.word())), signal_or_zero(Some(*signal))],
            Call::Setuid { uid } => vec![("uid", uid.to_string())],
            Call::Look { pid, via } => vec![("pid", self.target(*pid)), ("via", quoted(via.word()))],
            Call::Setpgid { pid, group } => vec![("pid", self.target(*pid)), ("group", self.target(*group))],
            Call::Sysctl { name, write } => {
                let mut pairs = vec![("name", quoted(name.word()))];
                pairs.extend(write.map(|value| ("write", value.to_string())));
                pairs
            }
            Call::Reboot { how } => vec![("how", quoted(how.word()))],
        }
    }

    fn clone(
        &self,
        child: Role,
        flags: CloneFlags,
        exit_signal: ExitSignal,
        set_tid: &[i32],
    ) -> Vec<(&'static str, String)> {
        let mut pairs = vec![("child", self.role(child))];
        if !flags.is_empty() {
            pairs.push(("flags", flag_names(flags)));
        }
        match exit_signal {
            ExitSignal::Default => {}
            ExitSignal::None => pairs.push(("exit_signal", "0".to_owned())),
            ExitSignal::Signal(signal) => pairs.push(("exit_signal", named(signal))),
        }
        if !set_tid.is_empty() {
            let numbers: Vec<String> = set_tid.iter().map(i32::to_string).collect();
            pairs.push(("set_tid", format!("[{}]", numbers.join(", "))));
        }
        pairs
    }

    fn role(&self, role: Role) -> String {
        quoted(self.scenario.role_name(role))
    }

    fn target(&self, target: Target) -> String {
        match target {
            Target::Role(role) => self.role(role),
            Target::Number(number) => number.to_string(),
        }
    }

    fn children(&self, target: WaitTarget) -> (&'static str, String) {
        match target {
            WaitTarget::Any => ("pid", quoted("any")),
            WaitTarget::Pid(pid) => ("pid", self.target(pid)),
            WaitTarget::OwnGroup => ("group", quoted("own")),
            WaitTarget::Group(group) => ("group", self.target(group)),
            WaitTarget::Pidfd(role) => ("pidfd", self.role(role)),
        }
    }
}

fn signal_or_zero(signal: Option<Signal>) -> (&'static str, String) {
    ("signal", signal.map_or("0".to_owned(), named))
}

/// A signal by the name that the parser reads, or by number where it has none.
fn named(signal: Signal) -> String {
    let name = signal.to_string();
    if Signal::from_name(&name).is_some() { quoted(&name) } else { signal.number().to_string() }
}

fn flag_names(flags: CloneFlags) -> String {
    listed(flags.iter_names().map(|(name, _)| name))
}

fn option_names(options: WaitOptions) -> String {
    listed(options.iter_names().map(|(name, _)| name))
}
