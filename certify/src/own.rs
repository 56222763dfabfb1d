//! A duty of a user's own: an ordinary scenario, of which `init` is played by the program under test.
//!
//! Whatever cannot be played or seen with a program that is a stranger is refused here, with its place, before anything is started.

use std::ops::Range;

use pidlab_scenario::{
    Call, Claim, CloneFlags, Diagnostic, Diagnostics, ExitSignal, Expect, KillTarget, MaskChange, OutcomeClaim, Place,
    ProcessClaim, ReturnValue, Role, Scenario, Signal, SignalAction, Step, Target, WaitOptions, WaitTarget, told,
};

use crate::deed::{CAN, deed};
use crate::script::{Afterwards, At, Claimed, Script, Turn};
use crate::sight::can_be_seen;

/// The role of the program under test.
const INIT: &str = "init";

/// More processes than these are no duty: each that plays has a socket.
const MOST_ROLES: usize = 200;

/// It is handed over as an argument of a program, of which Linux takes 128 KiB (execve(2), `MAX_ARG_STRLEN`).
const MOST_BYTES: usize = 100_000;

const HELP_INIT: &str = "a duty begins with `{ by = \"host\", call = \"clone\", child = \"init\", flags = [\"CLONE_NEWPID\"] }` and then has \
                         `{ by = \"init\", call = \"fork\", child = \"command\" }`: the command, which is `{}`";

/// A duty of a user's own, which is known to be one that can be played.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OwnDuty {
    name: String,
    sentence: String,
    rules: Vec<String>,
    pub(crate) script: Script,
}

impl OwnDuty {
    /// The duty that a scenario is. `path` and `text` are those of the file that it was read from.
    ///
    /// # Errors
    /// Everything in it that cannot be played, or cannot be seen, where a real program is `init`.
    pub fn of(scenario: &Scenario, path: &str, text: &str) -> Result<OwnDuty, Diagnostics> {
        let mut reader = Reader { scenario, path, text, mistakes: Vec::new() };
        let script = reader.script();
        if let (Some(script), true) = (script, reader.mistakes.is_empty()) {
            return Ok(OwnDuty {
                name: scenario.name.clone(),
                sentence: scenario.title.clone(),
                rules: scenario.rules.clone(),
                script,
            });
        }
        Err(Diagnostics::of_claims(path, text, reader.mistakes))
    }

    /// What the scenario is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The same duty by another name: one is told from another by it.
    #[must_use]
    pub fn named(self, name: String) -> OwnDuty {
        OwnDuty { name, ..self }
    }

    /// The scenario's title.
    pub fn sentence(&self) -> &str {
        &self.sentence
    }

    /// The rules that the scenario says that it shows.
    pub fn rules(&self) -> &[String] {
        &self.rules
    }
}

struct Reader<'a> {
    scenario: &'a Scenario,
    path: &'a str,
    text: &'a str,
    mistakes: Vec<Diagnostic>,
}

/// Signals of the host's that the program is born with.
#[derive(Default)]
struct Inherited {
    blocked: Vec<i32>,
    ignored: Vec<i32>,
    /// The host's next child is the init of a new namespace.
    is_unshared: bool,
}

impl Reader<'_> {
    fn add(&mut self, span: Range<usize>, message: impl Into<String>, label: &str, help: impl Into<String>) {
        let (message, help) = (message.into(), Some(help.into()));
        self.mistakes.push(Diagnostic { message, span, label: label.to_owned(), also: None, help });
    }

    fn script(&mut self) -> Option<Script> {
        let scenario = self.scenario;
        let first = scenario.steps.first().map_or(0..0, |step| step.span.clone());
        let Some(init) = scenario.role(INIT) else {
            self.add(first, "the scenario has no `init`", "nobody for the program to play", HELP_INIT);
            return None;
        };
        if !scenario.needs.is_empty() {
            let span = self.text.find("needs").map_or(first.clone(), |start| start..start + "needs".len());
            let help = "leave `needs` out: it is for scenarios that are not true of every kernel";
            self.add(span, "a duty is the same on every kernel", "not for a duty", help);
        }
        if scenario.roles.len() > MOST_ROLES {
            let message =
                format!("a duty has at most {MOST_ROLES} processes, and this one has {}", scenario.roles.len());
            self.add(first, message, "too many", "make fewer: each is a process that plays");
            return None;
        }
        let mut inherited = Inherited::default();
        let mut turns: Vec<Turn> = Vec::new();
        for (index, step) in scenario.steps.iter().enumerate() {
            let number = index + 1;
            match turns.last_mut() {
                None => turns.extend(self.before(&mut inherited, init, number, step)),
                Some(turn) if step.by == init => self.of_init(turn, number, step),
                Some(_) => {
                    if turns.len() == 1 && turns[0].starts.is_empty() {
                        let message = format!("step {number} comes before `init` has made its command");
                        self.add(step.span.clone(), message, "too early", HELP_INIT);
                        return None;
                    }
                    let turn = self.turn(&turns, init, number, step);
                    turns.push(turn);
                }
            }
            if let Some(turn) = turns.last_mut() {
                self.claims(turn, init, number, step);
            }
        }
        match turns.first() {
            None if self.mistakes.is_empty() => {
                self.add(
                    first.clone(),
                    "`init` is not the PID 1 of a namespace that `host` makes",
                    "no such step",
                    HELP_INIT,
                );
            }
            Some(turn) if turn.starts.is_empty() => {
                let span = scenario.steps[turn.at.step - 1].span.clone();
                self.add(span, "`init` has no command: it makes nobody", "no first child", HELP_INIT);
            }
            _ => {}
        }
        for turn in &turns {
            self.in_between(turn);
        }
        let Inherited { blocked, ignored, .. } = inherited;
        let script =
            Script { path: self.path.to_owned(), roles: scenario.roles.clone(), init, blocked, ignored, turns };
        if serde_json::to_string(&script).map_or(0, |text| text.len()) > MOST_BYTES {
            let help = "make several of it: a duty that is short says better what is wrong";
            self.add(first, "the duty is too long to be handed over to who plays it", "too long", help);
        }
        Some(script)
    }

    /// A step before the program is started: how it is born, or the step that starts it.
    fn before(&mut self, inherited: &mut Inherited, init: Role, number: usize, step: &Step) -> Option<Turn> {
        if step.by != Role::HOST {
            let message = format!("step {number} comes before `init` is there");
            self.add(step.span.clone(), message, "too early", HELP_INIT);
            return None;
        }
        let is_plain = |signal: &ExitSignal| matches!(signal, ExitSignal::Default | ExitSignal::Signal(Signal::CHLD));
        match &step.call {
            Call::Clone { child, flags, exit_signal, set_tid }
                if *child == init
                    && *flags == CloneFlags::CLONE_NEWPID
                    && !inherited.is_unshared
                    && is_plain(exit_signal)
                    && set_tid.is_empty() => {}
            Call::Fork { child } if *child == init && inherited.is_unshared => {}
            Call::Unshare { flags } if *flags == CloneFlags::CLONE_NEWPID => {
                inherited.is_unshared = true;
                return self.told_nothing(number, step);
            }
            Call::Sigprocmask { how, signal } => {
                let signal = signal.number().into();
                inherited.blocked.retain(|other| *other != signal);
                if *how == MaskChange::Block {
                    inherited.blocked.push(signal);
                }
                return self.told_nothing(number, step);
            }
            Call::Sigaction { signal, action: action @ (SignalAction::Ignore | SignalAction::Default) } => {
                let signal = signal.number().into();
                inherited.ignored.retain(|other| *other != signal);
                if *action == SignalAction::Ignore {
                    inherited.ignored.push(signal);
                }
                return self.told_nothing(number, step);
            }
            _ => {
                let message = format!("step {number} cannot be taken before `init` is there");
                let help = "before it, `host` can block a signal with `sigprocmask` or ignore it with `sigaction`, which the program is born \
                            with, and `unshare`; then it makes `init` by `clone` with CLONE_NEWPID, or by `fork` after `unshare`";
                self.add(step.span.clone(), message, "not how a program is started", help);
                return None;
            }
        }
        Some(Turn {
            by: step.by,
            call: step.call.clone(),
            at: self.at(number, step),
            has_steps_of_init: true,
            starts: Vec::new(),
            afterwards: Afterwards::GoesOn,
            claims: Vec::new(),
        })
    }

    /// Of a step that only says how the program is born nothing is to be seen.
    fn told_nothing(&mut self, number: usize, step: &Step) -> Option<Turn> {
        let is_known =
            |claim: &Claim| *claim == Claim::Outcome(OutcomeClaim::Result(Expect::Returns(ReturnValue::Number(0))));
        for claim in step.claimed().filter(|claim| !is_known(claim)) {
            let help = "leave it out, or claim it of a step after `init` has made its command";
            self.refuse(number, step, &claim, "nothing can be seen before the program is there", help);
        }
        None
    }

    /// A step by somebody else than `init`.
    fn turn(&mut self, turns: &[Turn], init: Role, number: usize, step: &Step) -> Turn {
        let refused = match step.by {
            Role::HOST => outside(init, &step.call).err().map(|why| (why, OUTSIDE)),
            by => deed(by, &step.call, |_| Some(2)).err().map(|why| (why, CAN)),
        };
        if let Some((why, help)) = refused {
            let who = self.scenario.role_name(step.by);
            let message = format!("step {number} cannot be played: {who} makes the call `{}`", step.call.name());
            self.add(step.span.clone(), message, &why, help);
        }
        let is_over = |turn: &Turn| turn.afterwards != Afterwards::GoesOn;
        let kills = matches!(&step.call, Call::Kill { target: KillTarget::Pid(Target::Role(role)), signal: Some(Signal::KILL) }
            if step.by == Role::HOST && *role == init);
        let afterwards = match kills || turns.last().is_some_and(is_over) {
            true => Afterwards::IsOver,
            false => Afterwards::GoesOn,
        };
        Turn {
            by: step.by,
            call: step.call.clone(),
            at: self.at(number, step),
            has_steps_of_init: false,
            starts: Vec::new(),
            afterwards,
            claims: Vec::new(),
        }
    }

    /// What the program is to do by itself.
    fn of_init(&mut self, turn: &mut Turn, number: usize, step: &Step) {
        turn.has_steps_of_init = true;
        match &step.call {
            Call::Exit { status } => {
                turn.afterwards = Afterwards::Exits((status & 0xff).abs(), self.at(number, step));
            }
            call if by_itself(call) => {}
            call => match deed(step.by, call, |_| Some(2)) {
                Ok(crate::deed::Deed::Fork(child)) => turn.starts.push((child, self.at(number, step))),
                Ok(_) => {}
                Err(_) => {
                    let message = format!("step {number} is nothing that a PID 1 does by itself: `{}`", call.name());
                    let help = "of `init` a duty can say that it makes its command by `fork`, waits, takes signals and passes them on, looks at \
                                itself and others, and exits";
                    self.add(step.span.clone(), message, "it would not be seen", help);
                }
            },
        }
    }

    /// What a step claims.
    fn claims(&mut self, turn: &mut Turn, init: Role, number: usize, step: &Step) {
        for claim in step.claimed() {
            let is_of_init = step.by == init && number != turn.at.step;
            if let Claim::Outcome(_) | Claim::Process(_, ProcessClaim::Returned(_)) = &claim
                && (is_of_init || matches!(&claim, Claim::Process(role, _) if *role == init))
            {
                // What calls of its own give the program is its own affair.
                continue;
            }
            if let Err((why, help)) = can_be_seen(step, init, &claim) {
                self.refuse(number, step, &claim, why, help);
                continue;
            }
            // What comes in one turn is seen at once.
            if let Claim::Process(role, ProcessClaim::Handled(signals)) = &claim {
                let before = turn.claims.iter_mut().find_map(|claimed| match &mut claimed.claim {
                    Claim::Process(other, ProcessClaim::Handled(before)) if other == role => Some(before),
                    _ => None,
                });
                if let Some(before) = before {
                    before.extend(signals.iter().copied());
                    continue;
                }
            }
            turn.claims.push(Claimed { by: step.by, claim, at: self.at(number, step) });
        }
    }

    /// Claims about a moment in the middle of a turn, in which nobody can look.
    fn in_between(&mut self, turn: &Turn) {
        let scenario = self.scenario;
        let rest = scenario.steps.iter().enumerate().skip(turn.at.step);
        let last = rest.take_while(|(_, step)| scenario.role_name(step.by) == INIT).map(|(index, _)| index + 1).last();
        let Some(last) = last else { return };
        let is_of_a_moment =
            |claim: &Claim| !matches!(claim, Claim::Outcome(_) | Claim::Process(_, ProcessClaim::Handled(_)));
        for claimed in turn.claims.iter().filter(|claimed| claimed.at.step < last && is_of_a_moment(&claimed.claim)) {
            let step = &scenario.steps[claimed.at.step - 1];
            let help = format!("claim it of step {last}, the last thing that `init` does before somebody else goes on");
            let why = "`init` goes on by itself here, and nobody can look in between";
            self.refuse(claimed.at.step, step, &claimed.claim, why, &help);
        }
    }

    fn refuse(&mut self, number: usize, step: &Step, claim: &Claim, why: &str, help: &str) {
        let written = claim.written(self.scenario);
        let place = Place::find(self.text, number, &written.keys);
        let span = place.map_or_else(|| step.span.clone(), |place| place.pair);
        self.add(
            span,
            format!("the claim of step {number} cannot be held against a program: {why}"),
            "cannot be seen",
            help,
        );
    }

    fn at(&self, number: usize, step: &Step) -> At {
        let (who, call) = (self.scenario.role_name(step.by), told::call(self.scenario, &step.call));
        let line = self.text.get(..step.span.start).map_or(1, |before| before.matches('\n').count() + 1);
        At { step: number, words: format!("step {number}, {who}: {call}"), line }
    }
}

/// What `host` can do once the program runs, for who asks for something else.
const OUTSIDE: &str = "`host` can `kill` `init` or another by its name, with a signal from 1 to 31, and `wait` for `init`, with WNOHANG or without";

/// Whether `host` can make a call.
fn outside(init: Role, call: &Call) -> Result<(), String> {
    match call {
        Call::Kill { target: KillTarget::Pid(Target::Role(_)), signal: Some(signal) } if signal.number() < 32 => Ok(()),
        Call::Wait { target: WaitTarget::Any, options } if WaitOptions::WNOHANG.contains(*options) => Ok(()),
        Call::Wait { target: WaitTarget::Pid(Target::Role(role)), options }
            if *role == init && WaitOptions::WNOHANG.contains(*options) =>
        {
            Ok(())
        }
        Call::Kill { .. } => Err("it signals one process by its name, and nobody else".to_owned()),
        Call::Wait { .. } => Err("it has no other child than `init`".to_owned()),
        other => Err(format!("whoever stands outside does not `{}` here", other.name())),
    }
}

/// Whether a PID 1 does this without anything of it being seen, but for what comes of it.
fn by_itself(call: &Call) -> bool {
    matches!(
        call,
        Call::Wait { .. }
            | Call::Waitid { .. }
            | Call::Kill { .. }
            | Call::Tgkill { .. }
            | Call::Tkill { .. }
            | Call::Sigqueue { .. }
            | Call::PidfdSendSignal { .. }
            | Call::PidfdOpen { .. }
            | Call::PidfdPoll { .. }
            | Call::Sigaction { .. }
            | Call::Sigprocmask { .. }
            | Call::Sigpending
            | Call::Sigwait { .. }
            | Call::Sigtimedwait { .. }
            | Call::Signalfd { .. }
            | Call::Look { .. }
            | Call::Setsid
            | Call::Setpgid { .. }
            | Call::Getpid
            | Call::Gettid
            | Call::Getppid
            | Call::Getpgid { .. }
            | Call::Getsid { .. }
            | Call::SetChildSubreaper { .. }
            | Call::GetChildSubreaper
    )
}
