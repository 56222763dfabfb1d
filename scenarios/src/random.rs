//! Random scenarios that are valid: nobody acts who cannot, nobody is named who has no number.
//!
//! A scenario grows from a list of choices, four bytes a step. Every list gives a valid scenario, so a generator of bytes is a
//! generator of scenarios, and leaving choices out is all that shrinking takes. Who can act depends on what Linux does, and this
//! crate does not know that: a [`Guide`] does (the model).

use crate::{
    Call, CallName, CloneFlags, ExitSignal, KillTarget, MaskChange, Refusal, Role, Scenario, SetnsVia, Signal,
    SignalAction, State, Step, Sysctl, Target, WaitOptions, WaitTarget,
};

/// Whoever knows what the steps so far have led to.
pub trait Guide {
    /// Forgets everything: host is alone again.
    fn start(&mut self, scenario: &Scenario);

    /// Takes one more step.
    ///
    /// # Errors
    /// If the step cannot be taken; then nothing has changed.
    fn apply(&mut self, scenario: &Scenario, step: &Step) -> Result<(), Refusal>;

    /// What a process is doing; `None`: not made yet, or reaped.
    fn state(&self, role: Role) -> Option<State>;

    /// Whether `role` has, or last had, a number in the namespace of `caller`.
    fn has_number(&self, caller: Role, role: Role) -> bool;
}

/// What random scenarios are like.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RandomConfig {
    /// The calls, each with its weight.
    pub calls: Vec<(CallName, u32)>,
    /// How many processes may live at once, host included.
    pub live: usize,
}

impl Default for RandomConfig {
    fn default() -> RandomConfig {
        let calls = vec![
            (CallName::Fork, 14),
            (CallName::Clone, 14),
            (CallName::Exit, 10),
            (CallName::Wait, 12),
            (CallName::Waitid, 5),
            (CallName::Kill, 14),
            (CallName::Tgkill, 1),
            (CallName::PidfdSendSignal, 1),
            (CallName::PidfdOpen, 1),
            (CallName::Unshare, 4),
            (CallName::Setns, 5),
            (CallName::SetChildSubreaper, 3),
            (CallName::SetPdeathsig, 2),
            (CallName::Sigaction, 6),
            (CallName::Sigprocmask, 2),
            (CallName::Setsid, 2),
            (CallName::Getpid, 1),
            (CallName::Gettid, 1),
            (CallName::Getppid, 2),
            (CallName::Setpgid, 4),
            (CallName::Getpgid, 2),
            (CallName::Getsid, 2),
            (CallName::Sysctl, 3),
        ];
        RandomConfig { calls, live: 10 }
    }
}

/// The scenario that these choices make. It may be shorter than the list: when nobody can act any more, it ends.
pub fn scenario(choices: &[[u8; 4]], guide: &mut impl Guide, config: &RandomConfig) -> Scenario {
    let mut scenario = Scenario {
        name: "random".to_owned(),
        title: "A random scenario".to_owned(),
        about: String::new(),
        rules: Vec::new(),
        needs: Vec::new(),
        roles: vec!["host".to_owned()],
        steps: Vec::new(),
    };
    guide.start(&scenario);
    for choice in choices {
        let actors: Vec<Role> = roles(&scenario).filter(|role| guide.state(*role) == Some(State::Running)).collect();
        if actors.is_empty() {
            break;
        }
        let mut maker = Maker { scenario: &mut scenario, guide, config, by: one_of(&actors, choice[0]) };
        let call = maker.call(choice[1], choice[2], choice[3]);
        let step = Step { by: maker.by, call, expect: None, ask: None, span: 0..0 };
        // What the guide cannot take (it may know fewer calls than the configuration names) is left out.
        if guide.apply(&scenario, &step).is_ok() {
            scenario.steps.push(step);
        } else {
            let used = scenario.steps.iter().filter_map(|step| step.call.child()).count();
            scenario.roles.truncate(used + 1);
        }
    }
    scenario
}

/// Lists of up to `steps` choices.
#[cfg(feature = "proptest")]
pub fn choices(steps: usize) -> impl proptest::strategy::Strategy<Value = Vec<[u8; 4]>> {
    proptest::collection::vec(proptest::array::uniform4(proptest::num::u8::ANY), 1..=steps)
}

fn roles(scenario: &Scenario) -> impl Iterator<Item = Role> + use<> {
    (0..scenario.roles.len()).filter_map(|index| u16::try_from(index).ok().map(Role))
}

fn one_of<T: Copy>(items: &[T], byte: u8) -> T {
    items[usize::from(byte) % items.len()]
}

/// Signals that scenarios send, the interesting ones more often.
const SIGNALS: [Signal; 12] = [
    Signal::KILL,
    Signal::TERM,
    Signal::TERM,
    Signal::STOP,
    Signal::CONT,
    Signal::CONT,
    Signal::CHLD,
    Signal::USR1,
    Signal::USR1,
    Signal::HUP,
    Signal::TSTP,
    Signal::KILL,
];

/// Signals that processes handle, ignore or block.
const CAUGHT: [Signal; 8] =
    [Signal::CHLD, Signal::CHLD, Signal::TERM, Signal::USR1, Signal::CONT, Signal::HUP, Signal::TSTP, Signal::KILL];

const WAIT_OPTIONS: [WaitOptions; 8] = [
    WaitOptions::WNOHANG,
    WaitOptions::WNOHANG,
    WaitOptions::WNOHANG.union(WaitOptions::__WALL),
    WaitOptions::empty(),
    WaitOptions::WNOHANG.union(WaitOptions::WSTOPPED),
    WaitOptions::WNOHANG.union(WaitOptions::WCONTINUED),
    WaitOptions::WNOHANG.union(WaitOptions::__WCLONE),
    WaitOptions::__WALL,
];

/// Makes the call of one step.
struct Maker<'a, G> {
    scenario: &'a mut Scenario,
    guide: &'a G,
    config: &'a RandomConfig,
    by: Role,
}

impl<G: Guide> Maker<'_, G> {
    fn call(&mut self, kind: u8, first: u8, second: u8) -> Call {
        let live = roles(self.scenario).filter(|role| self.guide.state(*role).is_some()).count();
        match self.name(kind) {
            CallName::Fork | CallName::Clone | CallName::Vfork if live >= self.config.live => self.wait(first, second),
            CallName::Fork => Call::Fork { child: self.child() },
            CallName::Clone => self.clone(first, second),
            // Host's end is the end of everything: not often.
            CallName::Exit if self.by == Role::HOST && !second.is_multiple_of(16) => self.wait(first, second),
            CallName::Exit => Call::Exit { status: i32::from(first % 4) },
            CallName::Wait => self.wait(first, second),
            CallName::Waitid => self.waitid(first, second),
            CallName::Kill => self.kill(first, second),
            CallName::Tgkill => Call::Tgkill { pid: self.target(first), signal: signal_or_zero(second) },
            CallName::PidfdSendSignal => {
                Call::PidfdSendSignal { pid: self.target(first), signal: signal_or_zero(second) }
            }
            CallName::PidfdOpen => Call::PidfdOpen { pid: self.target(first) },
            CallName::Unshare => Call::Unshare { flags: CloneFlags::CLONE_NEWPID },
            CallName::Setns => Call::Setns { to: self.anybody(first), via: one_of(SetnsVia::ALL, second) },
            CallName::SetChildSubreaper => Call::SetChildSubreaper { on: !first.is_multiple_of(4) },
            CallName::SetPdeathsig => {
                let signal = if first.is_multiple_of(8) { None } else { Some(one_of(&SIGNALS, second)) };
                Call::SetPdeathsig { signal }
            }
            CallName::Sigaction => {
                Call::Sigaction { signal: one_of(&CAUGHT, first), action: one_of(SignalAction::ALL, second) }
            }
            CallName::Sigprocmask => {
                Call::Sigprocmask { how: one_of(MaskChange::ALL, second), signal: one_of(&CAUGHT, first) }
            }
            CallName::Setsid => Call::Setsid,
            CallName::Gettid => Call::Gettid,
            CallName::Getppid => Call::Getppid,
            CallName::Setpgid => Call::Setpgid { pid: self.target_or_self(first), group: self.target_or_self(second) },
            CallName::Getpgid => Call::Getpgid { pid: self.target_or_self(first) },
            CallName::Getsid => Call::Getsid { pid: self.target_or_self(first) },
            CallName::Sysctl => sysctl(first, second),
            _ => Call::Getpid,
        }
    }

    fn name(&self, byte: u8) -> CallName {
        let total: u32 = self.config.calls.iter().map(|(_, weight)| weight).sum();
        let mut left = u32::from(byte) * total / 256;
        for (name, weight) in &self.config.calls {
            if left < *weight {
                return *name;
            }
            left -= weight;
        }
        CallName::Getpid
    }

    fn child(&mut self) -> Role {
        let index = self.scenario.roles.len();
        self.scenario.roles.push(format!("p{index}"));
        Role(u16::try_from(index).expect("a choice makes one process, and lists of choices are short"))
    }

    fn clone(&mut self, first: u8, second: u8) -> Call {
        let flags = match first % 8 {
            0..=4 => CloneFlags::CLONE_NEWPID,
            5 => CloneFlags::CLONE_PARENT,
            6 => CloneFlags::CLONE_PARENT | CloneFlags::CLONE_NEWPID,
            _ => CloneFlags::empty(),
        };
        let exit_signal = match second % 8 {
            0 => ExitSignal::None,
            1 => ExitSignal::Signal(one_of(&SIGNALS, second / 8)),
            _ => ExitSignal::Default,
        };
        let number = i32::from(first / 8);
        let set_tid = match second / 8 {
            0 => vec![number],
            1 => vec![1],
            2 => vec![1, number],
            3 => vec![number, number + 1],
            _ => Vec::new(),
        };
        Call::Clone { child: self.child(), flags, exit_signal, set_tid }
    }

    fn wait(&self, first: u8, second: u8) -> Call {
        let mut options = one_of(&WAIT_OPTIONS, second);
        if self.by == Role::HOST && !first.is_multiple_of(8) {
            // A host that blocks for ever ends many scenarios too soon.
            options |= WaitOptions::WNOHANG;
        }
        Call::Wait { target: self.children(first), options }
    }

    fn waitid(&self, first: u8, second: u8) -> Call {
        let asked = match second / 8 % 4 {
            0 => WaitOptions::WEXITED | WaitOptions::WNOWAIT,
            1 => WaitOptions::WSTOPPED | WaitOptions::WCONTINUED,
            2 => WaitOptions::WEXITED | WaitOptions::WSTOPPED,
            _ => WaitOptions::WEXITED,
        };
        let mut options = one_of(&WAIT_OPTIONS, second) | asked;
        if self.by == Role::HOST {
            options |= WaitOptions::WNOHANG;
        }
        Call::Waitid { target: self.children(first), options }
    }

    fn children(&self, byte: u8) -> WaitTarget {
        match byte % 8 {
            0..=3 => WaitTarget::Any,
            4 | 5 => WaitTarget::Pid(self.process(byte / 8)),
            6 => WaitTarget::Group(self.process(byte / 8)),
            _ if byte & 8 == 0 => WaitTarget::OwnGroup,
            _ => WaitTarget::Pidfd(self.anybody(byte / 16)),
        }
    }

    fn kill(&self, first: u8, second: u8) -> Call {
        let target = match first % 16 {
            0 => KillTarget::Pid(Target::Number(-1)),
            1 => KillTarget::Pid(Target::Number(0)),
            2 | 3 => KillTarget::Group(self.process(first / 16)),
            4 => KillTarget::Pid(Target::Number(1)),
            _ => KillTarget::Pid(self.target(first / 16)),
        };
        let mut signal = signal_or_zero(second);
        let hits_many = matches!(target, KillTarget::Pid(Target::Number(-1 | 0)));
        if hits_many && signal == Some(Signal::KILL) && second & 128 != 0 {
            signal = Some(Signal::CONT);
        }
        Call::Kill { target, signal }
    }

    /// A process with a number in the caller's namespace.
    fn process(&self, byte: u8) -> Target {
        let visible: Vec<Role> = roles(self.scenario).filter(|role| self.guide.has_number(self.by, *role)).collect();
        if visible.is_empty() { Target::Number(1) } else { Target::Role(one_of(&visible, byte)) }
    }

    /// Mostly a process; sometimes a number that may be nobody's.
    fn target(&self, byte: u8) -> Target {
        if byte % 16 == 15 { Target::Number(i32::from(byte / 16)) } else { self.process(byte) }
    }

    fn target_or_self(&self, byte: u8) -> Target {
        if byte.is_multiple_of(3) { Target::Number(0) } else { self.target(byte / 3) }
    }

    /// Any process that has been made.
    fn anybody(&self, byte: u8) -> Role {
        let made: Vec<Role> = roles(self.scenario).filter(|role| self.guide.has_number(Role::HOST, *role)).collect();
        if made.is_empty() { Role::HOST } else { one_of(&made, byte) }
    }
}

fn signal_or_zero(byte: u8) -> Option<Signal> {
    if byte % 16 == 7 { None } else { Some(one_of(&SIGNALS, byte)) }
}

fn sysctl(first: u8, second: u8) -> Call {
    let write = match first % 4 {
        0 => None,
        1 => Some(i64::from(second)),
        2 => Some(i64::from(second) + 250),
        _ => Some(i64::from(second) + 4_194_100),
    };
    match first / 4 % 4 {
        0 => Call::Sysctl { name: Sysctl::PidMax, write: write.map(|value| value + 100) },
        _ => Call::Sysctl { name: Sysctl::NsLastPid, write },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everybody who was made lives, and sees everybody.
    #[derive(Default)]
    struct Everybody(Vec<Role>);

    impl Guide for Everybody {
        fn start(&mut self, _: &Scenario) {
            self.0 = vec![Role::HOST];
        }

        fn apply(&mut self, _: &Scenario, step: &Step) -> Result<(), Refusal> {
            self.0.extend(step.call.child());
            Ok(())
        }

        fn state(&self, role: Role) -> Option<State> {
            self.0.contains(&role).then_some(State::Running)
        }

        fn has_number(&self, _: Role, role: Role) -> bool {
            self.0.contains(&role)
        }
    }

    #[test]
    fn every_list_of_choices_gives_a_scenario_that_reads_back() {
        let mut seen = std::collections::BTreeSet::new();
        for case in 0..400u32 {
            let choices: Vec<[u8; 4]> = (0..20u32)
                .map(|step| (case.wrapping_mul(2_654_435_761).rotate_left(step) ^ step).to_le_bytes())
                .collect();
            let made = scenario(&choices, &mut Everybody::default(), &RandomConfig::default());
            assert_eq!(made.steps.len(), 20);
            seen.extend(made.steps.iter().map(|step| step.call.name()));
            let text = made.to_toml();
            let mut read =
                Scenario::parse("random", "random.toml", &text).unwrap_or_else(|wrong| panic!("{wrong}\n{text}"));
            for step in &mut read.steps {
                step.span = 0..0;
            }
            assert_eq!(read, made, "{text}");
        }
        let configured: std::collections::BTreeSet<CallName> =
            RandomConfig::default().calls.into_iter().map(|(name, _)| name).collect();
        assert_eq!(seen, configured, "some call is never made");
    }
}
