//! A scenario written as a file is read back as the same scenario.
#![forbid(unsafe_code)]

use pidlab_scenario::{
    Call, CallName, CloneFlags, Errno, ExitSignal, Expect, Fact, KillTarget, LookVia, MaskChange, Need, RebootHow,
    ReturnValue, Role, Scenario, SetnsVia, Signal, SignalAction, Step, Sysctl, Target, WaitOptions, WaitTarget,
    library,
};
use proptest::prelude::*;

/// The scenario without the places of its steps, which a rewritten file moves.
fn without_places(mut scenario: Scenario) -> Scenario {
    for step in &mut scenario.steps {
        step.span = 0..0;
    }
    scenario
}

#[test]
fn the_library_parses_and_survives_being_written() {
    let mut wrong = String::new();
    let mut files = 0;
    for file in library::files() {
        files += 1;
        match Scenario::parse(&file.name, &file.path, file.text) {
            Err(diagnostics) => wrong += &format!("{diagnostics}\n\n"),
            Ok(scenario) => {
                let written = scenario.to_toml();
                let again = Scenario::parse(&file.name, "written.toml", &written)
                    .unwrap_or_else(|diagnostics| panic!("{diagnostics}"));
                assert_eq!(without_places(again), without_places(scenario), "{written}");
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(files >= 40, "only {files} files");
}

/// Turns bytes into scenarios: every call, with every shape of its arguments.
struct Bytes<'a>(std::slice::Iter<'a, u8>);

impl Bytes<'_> {
    fn byte(&mut self) -> u8 {
        self.0.next().copied().unwrap_or(0)
    }

    fn one_of<T: Copy>(&mut self, items: &[T]) -> T {
        items[usize::from(self.byte()) % items.len()]
    }

    fn number(&mut self) -> i32 {
        let byte = self.byte();
        self.one_of(&[0, 1, -1, i32::MIN, i32::MAX, i32::from(byte), i32::from_le_bytes([byte; 4])])
    }

    fn flag(&mut self) -> bool {
        self.byte().is_multiple_of(2)
    }

    fn role(&mut self, made: &[String]) -> Role {
        Role(u16::from(self.byte()) % u16::try_from(made.len()).expect("a test makes few processes"))
    }

    fn target(&mut self, made: &[String]) -> Target {
        if self.flag() { Target::Role(self.role(made)) } else { Target::Number(self.number()) }
    }

    fn signal(&mut self) -> Signal {
        Signal::new(i64::from(self.byte() % 64) + 1).expect("1 to 64 are signals")
    }

    fn signal_or_zero(&mut self) -> Option<Signal> {
        if self.byte().is_multiple_of(4) { None } else { Some(self.signal()) }
    }

    fn flags(&mut self) -> CloneFlags {
        CloneFlags::all().iter().filter(|_| self.byte().is_multiple_of(4)).collect()
    }

    fn options(&mut self) -> WaitOptions {
        WaitOptions::all().iter().filter(|_| self.byte().is_multiple_of(4)).collect()
    }

    fn child(&mut self, made: &mut Vec<String>) -> Role {
        let role = Role(u16::try_from(made.len()).expect("a test makes few processes"));
        made.push(format!("{}{}", self.one_of(&["p", "P-", "a_"]), made.len()));
        role
    }

    fn children(&mut self, made: &[String]) -> WaitTarget {
        match self.byte() % 5 {
            0 => WaitTarget::Any,
            1 => WaitTarget::Pid(self.target(made)),
            2 => WaitTarget::OwnGroup,
            3 => WaitTarget::Group(self.target(made)),
            _ => WaitTarget::Pidfd(self.role(made)),
        }
    }

    fn exit_signal(&mut self) -> ExitSignal {
        match self.byte() % 3 {
            0 => ExitSignal::Default,
            1 => ExitSignal::None,
            _ => ExitSignal::Signal(self.signal()),
        }
    }

    fn set_tid(&mut self) -> Vec<i32> {
        (0..self.byte() % 4).map(|_| self.number()).collect()
    }

    fn call(&mut self, made: &mut Vec<String>) -> Call {
        match self.one_of(CallName::ALL) {
            CallName::Fork => Call::Fork { child: self.child(made) },
            CallName::Vfork => Call::Vfork { child: self.child(made) },
            CallName::Clone => {
                let (flags, exit_signal, set_tid) = (self.flags(), self.exit_signal(), self.set_tid());
                Call::Clone { child: self.child(made), flags, exit_signal, set_tid }
            }
            CallName::Exit => Call::Exit { status: self.number() },
            CallName::ExitThread => Call::ExitThread { status: self.number() },
            CallName::Exec => Call::Exec,
            CallName::Abort => Call::Abort,
            CallName::Fault => Call::Fault,
            CallName::FailedFork => Call::FailedFork,
            CallName::BrokenPipe => Call::BrokenPipe,
            CallName::Sigqueue => Call::Sigqueue {
                pid: self.target(made),
                signal: self.signal_or_zero(),
                si_pid: self.number().unsigned_abs() / 2,
            },
            CallName::Wait => {
                Call::Wait { target: self.children(made), options: self.options() - WaitOptions::WEXITED }
            }
            CallName::Waitid => Call::Waitid { target: self.children(made), options: self.options() },
            CallName::Kill if self.flag() => {
                Call::Kill { target: KillTarget::Pid(self.target(made)), signal: self.signal_or_zero() }
            }
            CallName::Kill => {
                Call::Kill { target: KillTarget::Group(self.target(made)), signal: self.signal_or_zero() }
            }
            CallName::Tgkill => Call::Tgkill { pid: self.target(made), signal: self.signal_or_zero() },
            CallName::PidfdSendSignal => {
                Call::PidfdSendSignal { pid: self.target(made), signal: self.signal_or_zero() }
            }
            CallName::PidfdOpen => Call::PidfdOpen { pid: self.target(made) },
            CallName::Unshare => Call::Unshare { flags: self.flags() },
            CallName::Setns => Call::Setns { to: self.role(made), via: self.one_of(SetnsVia::ALL) },
            CallName::SetChildSubreaper => Call::SetChildSubreaper { on: self.flag() },
            CallName::SetPdeathsig => Call::SetPdeathsig { signal: self.signal_or_zero() },
            CallName::Sigaction => Call::Sigaction { signal: self.signal(), action: self.one_of(SignalAction::ALL) },
            CallName::Sigprocmask => Call::Sigprocmask { how: self.one_of(MaskChange::ALL), signal: self.signal() },
            CallName::Sigpending => Call::Sigpending,
            CallName::PidfdPoll => Call::PidfdPoll { pid: self.target(made) },
            CallName::Setuid => Call::Setuid { uid: self.number().unsigned_abs() },
            CallName::Look => Call::Look { pid: self.target(made), via: self.one_of(LookVia::ALL) },
            CallName::Setsid => Call::Setsid,
            CallName::Getpid => Call::Getpid,
            CallName::Gettid => Call::Gettid,
            CallName::Getppid => Call::Getppid,
            CallName::Setpgid => Call::Setpgid { pid: self.target(made), group: self.target(made) },
            CallName::Getpgid => Call::Getpgid { pid: self.target(made) },
            CallName::Getsid => Call::Getsid { pid: self.target(made) },
            CallName::Sysctl => {
                let write = if self.flag() { Some(i64::from(self.number())) } else { None };
                Call::Sysctl { name: self.one_of(Sysctl::ALL), write }
            }
            CallName::Reboot => Call::Reboot { how: self.one_of(RebootHow::ALL) },
        }
    }

    fn expect(&mut self, call: &Call, made: &[String]) -> Option<Expect> {
        if matches!(call.name(), CallName::Exit | CallName::ExitThread) {
            return None;
        }
        match self.byte() % 8 {
            0 => Some(Expect::Returns(ReturnValue::Number(i64::from(self.number()) << (self.byte() % 32)))),
            1 => Some(Expect::Returns(ReturnValue::Role(self.role(made)))),
            2 => Some(Expect::Fails(self.one_of(Errno::ALL))),
            3 => Some(Expect::Blocks),
            _ => None,
        }
    }
}

/// The scenario that bytes and some texts make.
fn scenario(bytes: &[u8], texts: [&str; 3]) -> Scenario {
    let mut bytes = Bytes(bytes.iter());
    let mut roles = vec!["host".to_owned()];
    let mut steps = Vec::new();
    for _ in 0..=bytes.byte() % 12 {
        let by = bytes.role(&roles);
        let call = bytes.call(&mut roles);
        let expect = bytes.expect(&call, &roles);
        let ask = bytes.flag().then(|| texts[2].to_owned());
        steps.push(Step { by, call, expect, ask, span: 0..0 });
    }
    Scenario {
        name: "made/here".to_owned(),
        title: texts[0].to_owned(),
        about: texts[1].to_owned(),
        rules: if bytes.flag() { vec!["reap.subreaper".to_owned(), "a-b_c.9".to_owned()] } else { Vec::new() },
        needs: Fact::ALL
            .iter()
            .filter_map(|fact| if bytes.flag() { Some(Need { fact: *fact, holds: bytes.flag() }) } else { None })
            .collect(),
        roles,
        steps,
    }
}

proptest! {
    #[test]
    fn every_scenario_survives_being_written(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        title in "[^ ].{0,30}",
        about in any::<String>(),
        ask in "(?s).{0,20}",
    ) {
        prop_assume!(!title.trim().is_empty());
        let made = scenario(&bytes, [&title, &about, &ask]);
        let text = made.to_toml();
        match Scenario::parse("made/here", "made.toml", &text) {
            Ok(read) => prop_assert_eq!(without_places(read), made, "{}", text),
            Err(wrong) => prop_assert!(false, "{}\n{}", wrong, text),
        }
    }
}
