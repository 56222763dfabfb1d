//! Whom random calls are about: what exists is named often, what is wrong sometimes.

use super::guide::{Guide, roles};
use super::maker::Maker;
use super::theme::Theme;
use crate::{Call, KillTarget, PidfdTarget, Role, Signal, SignalAction, State, Target, WaitTarget};

/// Numbers that are nobody's, or that mean something else than a process.
const ODD_NUMBERS: [i32; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 300, 301, 4_194_303, 4_194_304, -2, i32::MAX];

impl<G: Guide> Maker<'_, G> {
    /// Whom a wait is for.
    pub(super) fn waited_for(&mut self) -> WaitTarget {
        match self.bytes.next() % 16 {
            0..=5 => WaitTarget::Any,
            6..=9 => WaitTarget::Pid(self.own_child()),
            10 | 11 => WaitTarget::Pid(self.target()),
            12 => WaitTarget::Group(self.own_child()),
            13 => WaitTarget::Group(self.process()),
            14 => WaitTarget::OwnGroup,
            _ if self.bytes.once_in(2) => WaitTarget::Pidfd(self.anybody()),
            _ => WaitTarget::Pidfd(self.children.first().copied().unwrap_or(Role::HOST)),
        }
    }

    /// Whom a kill is for. Where thirty inits are one in the other, nobody reaches them all.
    pub(super) fn receivers(&mut self) -> KillTarget {
        match self.bytes.next() % 16 {
            0 => KillTarget::Pid(Target::Number(-1)),
            1 if self.config.theme != Theme::Depth => KillTarget::Pid(Target::Number(0)),
            2 | 3 if self.config.theme != Theme::Depth => KillTarget::Group(self.process()),
            4 => KillTarget::Pid(Target::Number(1)),
            5 if self.config.theme != Theme::Depth => KillTarget::Group(self.target()),
            6..=9 => KillTarget::Pid(self.blocked()),
            _ => KillTarget::Pid(self.target()),
        }
    }

    /// A child by name; somebody, if there is none.
    pub(super) fn own_child(&mut self) -> Target {
        let (guide, by) = (self.guide, self.by);
        let visible: Vec<Role> = self.children.iter().copied().filter(|child| guide.has_number(by, *child)).collect();
        if visible.is_empty() { self.process() } else { Target::Role(self.bytes.one_of(&visible)) }
    }

    /// A process that is inside a call or stopped, for which a signal makes a difference; somebody, if there is none.
    fn blocked(&mut self) -> Target {
        let held =
            |role: &Role| matches!(self.guide.state(*role), Some(State::Blocked | State::Stopped | State::Traced));
        let held: Vec<Role> = self.visible().into_iter().filter(held).collect();
        if held.is_empty() { self.target() } else { Target::Role(self.bytes.one_of(&held)) }
    }

    /// A process that a tracer holds; somebody, if there is none.
    pub(super) fn traced(&mut self) -> Target {
        let held = |role: &Role| self.guide.state(*role) == Some(State::Traced);
        let held: Vec<Role> = self.visible().into_iter().filter(held).collect();
        if held.is_empty() { self.process() } else { Target::Role(self.bytes.one_of(&held)) }
    }

    /// A signal that a process, or who made it, spoke of: children inherit actions and masks.
    pub(super) fn known_to(&self, role: Role) -> Option<Signal> {
        let mut who = role;
        self.scenario.steps.iter().rev().find_map(|step| match &step.call {
            Call::Sigaction { signal, action } if step.by == who && *action != SignalAction::Default => Some(*signal),
            Call::Sigprocmask { signal, .. } if step.by == who => Some(*signal),
            Call::Sigwait { signals } if step.by == who => signals.first().copied(),
            Call::Fork { child } | Call::Clone { child, .. } if *child == who => {
                who = step.by;
                None
            }
            _ => None,
        })
    }

    /// Mostly a process; sometimes a number that may be nobody's.
    pub(super) fn target(&mut self) -> Target {
        if self.bytes.once_in(16) { Target::Number(self.bytes.one_of(&ODD_NUMBERS)) } else { self.process() }
    }

    /// A pidfd, held or opened.
    pub(super) fn pidfd(&mut self) -> PidfdTarget {
        if self.bytes.once_in(2) {
            return PidfdTarget::Pid(self.target());
        }
        // What a pidfd is good for shows when its process is reaped, or another thread has taken its place.
        let gone = roles(self.scenario).filter(|role| self.guide.state(*role).is_none());
        let gone: Vec<Role> = gone.filter(|role| self.guide.has_number(Role::HOST, *role)).collect();
        let anybody = gone.is_empty() || self.bytes.once_in(2);
        PidfdTarget::Held(if anybody { self.anybody() } else { self.bytes.one_of(&gone) })
    }

    /// A process with a number in the caller's namespace.
    pub(super) fn process(&mut self) -> Target {
        let visible = self.visible();
        if visible.is_empty() { Target::Number(1) } else { Target::Role(self.bytes.one_of(&visible)) }
    }

    /// Who has a number in the caller's namespace. Deep down only the innermost are named: the end of an outer one is the end of
    /// very many, in very many orders.
    fn visible(&self) -> Vec<Role> {
        let visible = roles(self.scenario).filter(|role| self.guide.has_number(self.by, *role));
        let mut visible: Vec<Role> = visible.collect();
        if self.config.theme == Theme::Depth {
            visible.drain(..visible.len().saturating_sub(INNERMOST));
        }
        visible
    }

    /// Mostly a process, visible or not; sometimes a number.
    pub(super) fn anything(&mut self) -> Target {
        let mut made = roles(self.scenario);
        let exiting = made.find(|role| self.guide.state(*role) == Some(State::Exiting));
        if let (Some(exiting), true) = (exiting, self.bytes.once_in(2)) {
            return Target::Role(exiting);
        }
        if self.bytes.once_in(16) {
            return Target::Number(self.bytes.one_of(&ODD_NUMBERS));
        }
        Target::Role(self.anybody())
    }

    pub(super) fn target_or_self(&mut self) -> Target {
        if self.bytes.once_in(3) { Target::Number(0) } else { self.target() }
    }

    /// Any process that has been made.
    pub(super) fn anybody(&mut self) -> Role {
        let made: Vec<Role> = roles(self.scenario).filter(|role| self.guide.has_number(Role::HOST, *role)).collect();
        if made.is_empty() { Role::HOST } else { self.bytes.one_of(&made) }
    }
}

/// How many of the deepest processes act and are named in a scenario about depth.
pub(super) const INNERMOST: usize = 6;
