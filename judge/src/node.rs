//! A place in the search: how far each role has come in its part of the log, and a world in which that is so.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use pidlab_scenario::{Errno, Handled, Outcome, Role, Signal, Step, WaitStatus};
use pidlab_sim::{Heard, Moment, Origin, Rule, Turn};

use crate::event::{Answer, Deed, Event, From, MaskHow, NEVER, Shown};
use crate::fits::{fits, shows};
use crate::program::Program;

/// How far everybody is.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) moment: Moment,
    /// By role, how many of its events are done.
    pub(crate) done: Vec<u32>,
    /// The roles that are in a call which has begun and not come back.
    pub(crate) begun: Vec<bool>,
    /// Masks that come back when a call does that sleeps with another one.
    saved: BTreeMap<Role, Vec<Signal>>,
}

/// One step of the search.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Move {
    /// A role begins its next call.
    Begin(Role),
    /// A task goes on in the world.
    Turn(Turn),
    /// The call that a role is in was cut short, and nobody knows by what; or it never came back.
    Leave(Role),
    /// A signal has waked a role that slept with another mask: the call is over, and the signal is still to be taken, with that mask.
    Woken(Role),
    /// A signal reaches a role that nobody in the log has sent.
    Struck(Role),
}

/// Why a move is none that the log has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Mismatch {
    /// A call gives something else.
    Outcome(Role, Outcome),
    /// A signal is taken that the log does not have here.
    Signal(Role, Handled),
    /// An end is another one, or the log has none here.
    End(Role, WaitStatus),
    /// It may be so, but not yet.
    TooEarly,
    /// It cannot be done.
    Refused,
}

impl Node {
    pub(crate) fn start(program: &Program, moment: Moment) -> Node {
        let roles = program.roles.len();
        Node { moment, done: vec![0; roles], begun: vec![false; roles], saved: BTreeMap::new() }
    }

    /// The next event of a role.
    pub(crate) fn next<'p>(&self, program: &'p Program, role: Role) -> Option<&'p Event> {
        program.roles[role.index()].events.get(self.done[role.index()] as usize)
    }

    /// The last call of a role that is done, and before which it has only taken signals since.
    fn last_call<'p>(&self, program: &'p Program, role: Role) -> Option<&'p Event> {
        let done = &program.roles[role.index()].events[..self.done[role.index()] as usize];
        done.iter().rev().find(|event| !matches!(event.deed, Deed::Signal { .. }))
    }

    /// The event of a role before that.
    fn previous<'p>(&self, program: &'p Program, role: Role) -> Option<&'p Event> {
        let done = self.done[role.index()].checked_sub(1)?;
        program.roles[role.index()].events.get(done as usize)
    }

    /// The line by which the next event anywhere must have happened: everything that the log says before it has.
    pub(crate) fn frontier(&self, program: &Program) -> usize {
        let roles = 0..program.roles.len();
        let next = roles.filter_map(|role| program.roles[role].events.get(self.done[role] as usize));
        next.map(|event| event.last).min().unwrap_or(NEVER)
    }

    /// Whether everything is done.
    pub(crate) fn is_over(&self, program: &Program) -> bool {
        (0..program.roles.len()).all(|role| {
            let left = &program.roles[role].events[self.done[role] as usize..];
            left.iter().all(|event| event.last == NEVER)
        })
    }

    pub(crate) fn key(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (&self.done, &self.begun, &self.saved, self.moment.key()).hash(&mut hasher);
        hasher.finish()
    }

    /// The signal that a role is shown next, be it in a call that is cut short by it.
    pub(crate) fn strikes(&self, program: &Program, role: Role) -> Option<Shown> {
        let cut_short = self.begun[role.index()];
        let at = self.done[role.index()] as usize + usize::from(cut_short);
        match program.roles[role.index()].events.get(at)?.deed {
            Deed::Signal { shown, .. } => Some(shown),
            _ => None,
        }
    }

    /// Makes a move; there can be several worlds after it.
    pub(crate) fn after(&self, program: &Program, chosen: Move) -> Vec<Result<Node, Mismatch>> {
        match chosen {
            Move::Begin(role) => self.begin(program, role),
            Move::Turn(turn) => {
                let (moment, heard) = self.moment.take(turn);
                let heard = Node { moment, ..self.clone() }.hear_all(program, heard);
                vec![heard.map(|node| node.cut_short(program, turn.role()))]
            }
            Move::Woken(role) => {
                let mut node = self.clone();
                node.complete(role);
                vec![Ok(node)]
            }
            Move::Leave(role) => {
                let mut node = self.clone();
                node.leave_suspension(role, false);
                node.complete(role);
                vec![Ok(node)]
            }
            Move::Struck(role) => vec![self.struck(program, role)],
        }
    }

    /// The rules by which the world decides a move, whatever the log says of it.
    pub(crate) fn reasons(&self, program: &Program, chosen: Move) -> Vec<&'static Rule> {
        let mut moment = self.moment.clone();
        moment.explain(true);
        let after = match chosen {
            Move::Turn(turn) => Some(moment.take(turn).0),
            Move::Begin(role) => {
                let event = self.next(program, role);
                let call = event.and_then(|event| match &event.deed {
                    Deed::Call(call) | Deed::Birth { call, .. } => Some(call.clone()),
                    _ => None,
                });
                let begun = call.and_then(|call| moment.begin(&Step::new(role, call)).ok());
                begun.and_then(|begun| begun.into_iter().next()).map(|(moment, _)| moment)
            }
            Move::Leave(_) | Move::Woken(_) | Move::Struck(_) => None,
        };
        after.map(|mut moment| moment.because()).unwrap_or_default()
    }

    pub(crate) fn begin(&self, program: &Program, role: Role) -> Vec<Result<Node, Mismatch>> {
        let Some(event) = self.next(program, role) else { return Vec::new() };
        let mut node = self.clone();
        // No signal that it has taken had a handler, and it has come back: include/linux/sched/signal.h:restore_saved_sigmask.
        node.leave_suspension(role, false);
        // A call that was cut short goes on, and the log has it as another one.
        if let (Deed::Call(call), Some(before)) = (&event.deed, self.last_call(program, role))
            && self.moment.sleeps(role)
        {
            let same = matches!(&before.deed, Deed::Call(other) if other == call);
            if !same || before.answer != Answer::Interrupted {
                return vec![Err(Mismatch::Refused)];
            }
            node.begun[role.index()] = true;
            return vec![Ok(node)];
        }
        if !matches!(event.deed, Deed::Passes) && !self.moment.can_act(role) {
            return vec![Err(Mismatch::Refused)];
        }
        let step = match &event.deed {
            Deed::Passes => {
                node.complete(role);
                return vec![Ok(node)];
            }
            Deed::Mask { .. } | Deed::Suspend { .. } | Deed::Restore { .. } => return vec![node.mask(role, event)],
            Deed::Maps { of } => {
                node.moment = node.moment.mapped(*of).unwrap_or(node.moment);
                node.complete(role);
                return vec![Ok(node)];
            }
            Deed::Call(call) => Step::new(role, call.clone()),
            Deed::Birth { call, number, .. } => {
                if let Some(number) = number {
                    node.moment = node.moment.with_next_number(*number);
                }
                Step::new(role, call.clone())
            }
            Deed::Signal { .. } | Deed::Ended { .. } | Deed::Superseded => return Vec::new(),
        };
        let Ok(begun) = node.moment.begin(&step) else { return vec![Err(Mismatch::Refused)] };
        let after = begun.into_iter().map(|(moment, heard)| {
            let mut node = Node { moment, ..node.clone() };
            if step.call.name().returns() {
                node.begun[role.index()] = true
            } else {
                node.complete(role)
            }
            node.hear_all(program, heard)
        });
        after.collect()
    }

    /// A change of the mask that is done at once.
    fn mask(mut self, role: Role, event: &Event) -> Result<Node, Mismatch> {
        if !self.moment.can_act(role) {
            return Err(Mismatch::Refused);
        }
        let old = self.moment.mask(role);
        let new: Vec<Signal> = match &event.deed {
            Deed::Mask { how: MaskHow::Block, set } => old.iter().chain(set).copied().collect(),
            Deed::Mask { how: MaskHow::Unblock, set } => old.iter().filter(|it| !set.contains(it)).copied().collect(),
            Deed::Mask { set, .. } | Deed::Restore { set } | Deed::Suspend { set } => set.clone(),
            _ => return Err(Mismatch::Refused),
        };
        self.moment = self.moment.masked(role, &new).ok_or(Mismatch::Refused)?;
        if matches!(event.deed, Deed::Suspend { .. }) {
            self.saved.insert(role, old);
            self.begun[role.index()] = true;
        } else {
            self.complete(role);
        }
        Ok(self)
    }

    /// A role that slept with another mask does so no more; a handler that is about to run brings the mask back itself.
    fn leave_suspension(&mut self, role: Role, handled: bool) {
        if let Some(old) = self.saved.remove(&role).filter(|_| !handled)
            && let Some(moment) = self.moment.masked(role, &old)
        {
            self.moment = moment;
        }
    }

    /// The next event of a role is done.
    fn complete(&mut self, role: Role) {
        self.done[role.index()] += 1;
        self.begun[role.index()] = false;
    }

    fn struck(&self, program: &Program, role: Role) -> Result<Node, Mismatch> {
        let shown = self.strikes(program, role).ok_or(Mismatch::Refused)?;
        let origin = match shown.from {
            From::Fault => Origin::Fault,
            From::Process => Origin::Own,
            _ => Origin::Kernel,
        };
        let moment = self.moment.struck(role, shown.signal, origin).ok_or(Mismatch::Refused)?;
        let turn = Turn::Runs(role);
        if !moment.turns().contains(&turn) {
            return Err(Mismatch::Refused);
        }
        let (moment, heard) = moment.take(turn);
        Node { moment, ..self.clone() }.hear_all(program, heard).map(|node| node.cut_short(program, role))
    }

    /// A wait that a signal has cut short is over when it is left, and not only when the signal is taken: what was sent in between can be lost in
    /// one that is pending.
    fn cut_short(mut self, program: &Program, role: Role) -> Node {
        let interrupted = self.next(program, role).is_some_and(|event| event.answer == Answer::Interrupted);
        if self.begun[role.index()] && interrupted && self.moment.is_cut_short(role) {
            self.complete(role);
        }
        self
    }

    fn hear_all(mut self, program: &Program, heard: Vec<Heard>) -> Result<Node, Mismatch> {
        for heard in heard {
            self.hear(program, heard)?;
        }
        Ok(self)
    }

    fn hear(&mut self, program: &Program, heard: Heard) -> Result<(), Mismatch> {
        match heard {
            Heard::Returned { by, outcome } => self.returned(program, by, outcome),
            Heard::Shown { by, signal } => self.shown(program, by, signal),
            Heard::Handled { by, .. } => {
                self.handled(program, by);
                Ok(())
            }
            Heard::Ended { role, status } => self.ended(program, role, status),
            _ => Ok(()),
        }
    }

    fn returned(&mut self, program: &Program, by: Role, outcome: Outcome) -> Result<(), Mismatch> {
        let interrupted = outcome == Outcome::Err(Errno::EINTR);
        let Some(event) = self.next(program, by).filter(|_| self.begun[by.index()]) else {
            // It was cut short, and the log had that before.
            let told = self.done[by.index()] > 0 && interrupted;
            return if told { Ok(()) } else { Err(Mismatch::Outcome(by, outcome)) };
        };
        let fits = fits(&event.answer, &outcome);
        if !fits {
            return Err(Mismatch::Outcome(by, outcome));
        }
        if let Deed::Birth { child, number: Some(number), .. } = &event.deed
            && self.moment.number(Role::HOST, *child).is_some_and(|given| i64::from(given) != i64::from(*number))
        {
            return Err(Mismatch::Outcome(by, outcome));
        }
        // A call that never came back has done its work all the same.
        if event.answer == Answer::Never {
            Ok(())
        } else {
            self.complete(by);
            Ok(())
        }
    }

    fn shown(&mut self, program: &Program, by: Role, signal: Handled) -> Result<(), Mismatch> {
        if self.begun[by.index()] && self.next(program, by).is_some_and(|event| event.answer == Answer::Interrupted) {
            self.complete(by);
        }
        // One that has no handler leaves the mask of the call in place for those that have come since, while the tracer was asked.
        if self.moment.catches(by, signal.signal) {
            self.leave_suspension(by, true);
        }
        if self.begun[by.index()] {
            return Err(Mismatch::Signal(by, signal));
        }
        let event = self.next(program, by).ok_or(Mismatch::Signal(by, signal))?;
        let Deed::Signal { shown, .. } = &event.deed else { return Err(Mismatch::Signal(by, signal)) };
        if !shows(shown, &signal) {
            return Err(Mismatch::Signal(by, signal));
        }
        if !self.may_happen(program, by, event) {
            return Err(Mismatch::TooEarly);
        }
        self.complete(by);
        Ok(())
    }

    /// A handler runs: until it returns it blocks what it was told to.
    fn handled(&mut self, program: &Program, by: Role) {
        let Some(Event { deed: Deed::Signal { blocks, .. }, .. }) = self.previous(program, by) else { return };
        if !program.masks {
            return;
        }
        let mut mask = self.moment.mask(by);
        mask.extend(blocks);
        if let Some(moment) = self.moment.masked(by, &mask) {
            self.moment = moment;
        }
    }

    fn ended(&mut self, program: &Program, role: Role, status: WaitStatus) -> Result<(), Mismatch> {
        let mut event = self.next(program, role).ok_or(Mismatch::End(role, status))?;
        // In a call that never came back, begun or not.
        if event.answer == Answer::Never
            && matches!(event.deed, Deed::Call(_) | Deed::Birth { .. } | Deed::Suspend { .. } | Deed::Passes)
        {
            self.complete(role);
            event = self.next(program, role).ok_or(Mismatch::End(role, status))?;
        }
        let fits = match event.deed {
            Deed::Ended { status: told } => told == status,
            Deed::Superseded => true,
            _ => false,
        };
        if !fits {
            return Err(Mismatch::End(role, status));
        }
        if !self.may_happen(program, role, event) {
            return Err(Mismatch::TooEarly);
        }
        self.complete(role);
        Ok(())
    }
}
