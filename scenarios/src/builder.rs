//! Scenarios written in Rust, by the same words as in a file.

use std::fmt::Write as _;

use crate::{CallName, Diagnostics, Errno, Need, PollEvent, Scenario, Signal, WaitStatus};

/// A scenario in the making; see [`Scenario::builder`].
#[derive(Clone, Debug)]
pub struct Builder {
    head: String,
    steps: Vec<String>,
}

/// A value in a step: a text, a number, a truth value, or a list.
#[derive(Clone, PartialEq, Debug)]
pub struct StepValue(toml::Value);

macro_rules! step_values {
    ($($from:ty),*) => {
        $(impl From<$from> for StepValue {
            fn from(value: $from) -> StepValue {
                StepValue(toml::Value::from(value))
            }
        })*
    };
}

step_values!(&str, String, bool, i32, i64, u32);

impl From<Signal> for StepValue {
    fn from(signal: Signal) -> StepValue {
        // Two have no name.
        match signal.to_string() {
            name if Signal::from_name(&name).is_some() => StepValue::from(name),
            _ => StepValue::from(i64::from(signal.number())),
        }
    }
}

impl<T: Into<StepValue>, const N: usize> From<[T; N]> for StepValue {
    fn from(values: [T; N]) -> StepValue {
        StepValue(toml::Value::Array(values.into_iter().map(|value| value.into().0).collect()))
    }
}

impl StepValue {
    /// A table: `{ exited = 3 }`.
    pub fn table<const N: usize>(fields: [(&str, StepValue); N]) -> StepValue {
        let fields = fields.into_iter().map(|(key, value)| (key.to_owned(), value.0));
        StepValue(toml::Value::Table(fields.collect()))
    }

    /// A list of values of any kind.
    pub fn list(values: impl IntoIterator<Item = StepValue>) -> StepValue {
        StepValue(toml::Value::Array(values.into_iter().map(|value| value.0).collect()))
    }
}

impl Scenario {
    /// A scenario with this title, to which steps are added one by one.
    ///
    /// Calls are named by [`CallName`], arguments and processes by the words of the scenario language.
    ///
    /// ```
    /// use pidlab_scenario::{CallName, Role, Scenario};
    ///
    /// let scenario = Scenario::builder("An orphan is adopted by the init of its namespace")
    ///     .step("host", CallName::Clone).with("child", "init").with("flags", ["CLONE_NEWPID"])
    ///     .step("init", CallName::Fork).with("child", "mid")
    ///     .step("mid", CallName::Fork).with("child", "leaf")
    ///     .step("mid", CallName::Exit)
    ///     .step("leaf", CallName::Getppid).returns(1)
    ///     .build()?;
    /// assert_eq!(scenario.steps.len(), 5);
    /// assert_eq!(scenario.role("leaf"), Some(Role(3)));
    /// # Ok::<(), pidlab_scenario::Diagnostics>(())
    /// ```
    pub fn builder(title: &str) -> Builder {
        let builder = Builder { head: String::new(), steps: Vec::new() };
        builder.head("title", title)
    }
}

impl Builder {
    /// Says why the scenario matters.
    #[must_use]
    pub fn about(self, about: &str) -> Builder {
        self.head("about", about)
    }

    /// Names the facts that a kernel must have for it, or must not have.
    #[must_use]
    pub fn needs<const N: usize>(self, needs: [impl Into<Need>; N]) -> Builder {
        self.head("needs", needs.map(|need| need.into().to_string()))
    }

    /// Adds a step; what follows, up to the next step, belongs to it.
    #[must_use]
    pub fn step(mut self, by: &str, call: CallName) -> Builder {
        self.steps.push(format!("by = {}, call = {}", StepValue::from(by).0, StepValue::from(call.word()).0));
        self
    }

    /// Gives the step an argument.
    ///
    /// # Panics
    /// If there is no step yet.
    #[must_use]
    pub fn with(mut self, argument: &str, value: impl Into<StepValue>) -> Builder {
        let step = self.steps.last_mut().expect("arguments come after the step that they belong to");
        let _ = write!(step, ", {} = {}", key(argument), value.into().0);
        self
    }

    /// Expects that the step returns a number, or the number of the process with this name.
    ///
    /// # Panics
    /// If there is no step yet.
    #[must_use]
    pub fn returns(self, value: impl Into<StepValue>) -> Builder {
        self.with("returns", value)
    }

    /// Expects that the step fails.
    ///
    /// # Panics
    /// If there is no step yet.
    #[must_use]
    pub fn fails(self, errno: Errno) -> Builder {
        self.with("fails", errno.name())
    }

    /// Expects that the step does not return at once.
    ///
    /// # Panics
    /// If there is no step yet.
    #[must_use]
    pub fn blocks(self) -> Builder {
        self.with("blocks", true)
    }

    /// Claims that the caller ends in this step, so that the call does not return.
    ///
    /// # Panics
    /// If there is no step yet.
    #[must_use]
    pub fn ends(self) -> Builder {
        self.with("ends", true)
    }

    /// Claims what a wait says of the child.
    ///
    /// # Panics
    /// If there is no step yet.
    #[must_use]
    pub fn status(self, status: WaitStatus) -> Builder {
        let table = match status {
            WaitStatus::Exited(status) => ("exited", StepValue::from(i64::from(status))),
            WaitStatus::Killed(signal) => ("killed", StepValue::from(signal)),
            WaitStatus::Stopped(signal) => ("stopped", StepValue::from(signal)),
            WaitStatus::Continued => ("continued", StepValue::from(true)),
        };
        self.with("status", StepValue::table([table]))
    }

    /// Claims one field of what a look shows, by its name in the JSON line.
    ///
    /// # Panics
    /// If there is no step yet.
    #[must_use]
    pub fn sees(self, field: &str, value: impl Into<StepValue>) -> Builder {
        self.below(&["sees", field], value.into())
    }

    /// Claims the set that sigpending gives.
    ///
    /// # Panics
    /// If there is no step yet.
    #[must_use]
    pub fn pending(self, signals: impl IntoIterator<Item = Signal>) -> Builder {
        self.with("pending", StepValue::list(signals.into_iter().map(StepValue::from)))
    }

    /// Claims what poll reports of a pidfd.
    ///
    /// # Panics
    /// If there is no step yet.
    #[must_use]
    pub fn events(self, events: impl IntoIterator<Item = PollEvent>) -> Builder {
        self.with("events", StepValue::list(events.into_iter().map(|event| StepValue::from(event.to_string()))))
    }

    /// Claims something of a process after the step: `state`, `parent`, `ppid`, `pids`, `handled`, …
    ///
    /// ```
    /// use pidlab_scenario::{CallName, Scenario, StepValue};
    ///
    /// let scenario = Scenario::builder("An end is told by SIGCHLD")
    ///     .step("host", CallName::Sigaction).with("signal", "SIGCHLD").with("action", "handle")
    ///     .step("host", CallName::Fork).with("child", "kid")
    ///     .step("kid", CallName::Exit)
    ///     .then("kid", "state", "zombie")
    ///     .then("host", "handled", [StepValue::table([("signal", "SIGCHLD".into()), ("si_pid", 2.into())])])
    ///     .step("host", CallName::Wait).returns("kid").gone("kid")
    ///     .build()?;
    /// assert_eq!(scenario.steps[2].claims.len(), 2);
    /// # Ok::<(), pidlab_scenario::Diagnostics>(())
    /// ```
    ///
    /// # Panics
    /// If there is no step yet.
    #[must_use]
    pub fn then(self, process: &str, what: &str, value: impl Into<StepValue>) -> Builder {
        self.below(&["then", process, what], value.into())
    }

    /// Claims that there is no such process after the step.
    ///
    /// # Panics
    /// If there is no step yet.
    #[must_use]
    pub fn gone(self, process: &str) -> Builder {
        self.below(&["then", process], "gone".into())
    }

    /// A value below several keys, which other values may be below as well.
    fn below(mut self, keys: &[&str], value: StepValue) -> Builder {
        let step = self.steps.last_mut().expect("claims come after the step that they belong to");
        let keys: Vec<String> = keys.iter().map(|name| key(name)).collect();
        let _ = write!(step, ", {} = {}", keys.join("."), value.0);
        self
    }

    /// The scenario.
    ///
    /// # Errors
    /// The mistakes that the same steps would have in a file. They point into the text that the steps make.
    pub fn build(self) -> Result<Scenario, Diagnostics> {
        let mut text = self.head;
        text.push_str("\nsteps = [\n");
        for step in self.steps {
            let _ = writeln!(text, "  {{ {step} }},");
        }
        text.push_str("]\n");
        let mut scenario = Scenario::parse("built", "built.toml", &text)?;
        for step in &mut scenario.steps {
            // There is no file that these places could be looked up in.
            step.span = 0..0;
        }
        Ok(scenario)
    }

    fn head(mut self, key: &str, value: impl Into<StepValue>) -> Builder {
        let _ = writeln!(self.head, "{key} = {}", value.into().0);
        self
    }
}

/// A key of a table: bare where TOML allows it, otherwise quoted.
fn key(name: &str) -> String {
    let bare = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if bare { name.to_owned() } else { toml::Value::from(name).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Fact;

    #[test]
    fn a_mistake_is_reported_as_in_a_file() {
        let built = Scenario::builder("A claim").step("host", CallName::Fork).with("chidl", "a").build();
        let wrong = built.expect_err("fork has no argument `chidl`").render(false);
        assert!(wrong.contains("did you mean `child`?"), "{wrong}");
    }

    #[test]
    fn every_kind_of_value_can_be_given() {
        let scenario = Scenario::builder("\"Quotes\" and \\")
            .about("Why\nand \"\"\" lines")
            .needs([Fact::PidMaxPerNamespace])
            .step("host", CallName::Clone)
            .with("child", "a")
            .with("set_tid", [7])
            .step("host", CallName::SetChildSubreaper)
            .with("on", false)
            .step("host", CallName::Kill)
            .with("pid", "a")
            .with("signal", 0)
            .fails(Errno::ESRCH)
            .step("host", CallName::Wait)
            .blocks()
            .build()
            .unwrap_or_else(|wrong| panic!("{wrong}"));
        assert_eq!(scenario.title, "\"Quotes\" and \\");
        assert_eq!(scenario.about, "Why\nand \"\"\" lines");
        assert_eq!(scenario.needs, [Fact::PidMaxPerNamespace.into()]);
        assert_eq!(scenario.steps.len(), 4);
    }

    #[test]
    fn every_claim_can_be_made() {
        let scenario = Scenario::builder("A claim")
            .step("host", CallName::Fork)
            .with("child", "kid")
            .step("host", CallName::Sigpending)
            .pending([Signal::USR1, Signal::HUP])
            .step("host", CallName::PidfdPoll)
            .with("pid", "kid")
            .events([PollEvent::Hup, PollEvent::In])
            .step("host", CallName::Look)
            .with("pid", "kid")
            .sees("nspid", [2])
            .sees("ppid", 1)
            .step("kid", CallName::Abort)
            .ends()
            .then("kid", "state", "zombie")
            .then("kid", "pids", [2])
            .then("host", "handled", [StepValue::table([("signal", Signal::CHLD.into())])])
            .step("host", CallName::Wait)
            .status(WaitStatus::Killed(Signal::ABRT))
            .gone("kid")
            .build()
            .unwrap_or_else(|wrong| panic!("{wrong}"));
        let pairs = |index: usize| {
            let claims = scenario.steps[index].claimed().map(|claim| claim.written(&scenario).pair());
            claims.collect::<Vec<_>>().join(", ")
        };
        assert_eq!(pairs(1), r#"pending = ["SIGHUP", "SIGUSR1"]"#);
        assert_eq!(pairs(2), r#"events = ["POLLIN", "POLLHUP"]"#);
        assert_eq!(pairs(3), "sees = { ppid = 1 }, sees = { nspid = [2] }");
        let handled = r#"then = { host = { handled = [{ signal = "SIGCHLD" }] } }"#;
        let kid = r#"then = { kid = { state = "zombie" } }, then = { kid = { pids = [2] } }"#;
        assert_eq!(pairs(4), format!("ends = true, {handled}, {kid}"));
        assert_eq!(pairs(5), r#"status = { killed = "SIGABRT" }, then = { kid = "gone" }"#);
    }

    #[test]
    fn an_odd_key_is_only_an_unknown_argument() {
        let built = Scenario::builder("A claim").step("host", CallName::Getpid).with("a = 1, b", 1).build();
        let wrong = built.expect_err("there is no such argument").render(false);
        assert!(wrong.contains("has no argument `a = 1, b`"), "{wrong}");
    }
}
