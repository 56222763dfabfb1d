//! Which moves there are from a place of the search, and which of them need no others beside them.
//!
//! What two tasks do at the same time and what does not concern one another comes out alike in either order. So what concerns nobody else is done as
//! soon as it may be, and nothing else is tried from there.

use pidlab_scenario::{Call, Role, Signal, SignalAction, WaitOptions, WaitTarget};
use pidlab_sim::Turn;

use crate::event::{Answer, Deed, Event, NEVER};
use crate::fits::is_from_nobody;
use crate::node::{Move, Node};
use crate::program::Program;

/// The two smallest of the lines by which something must have happened, and whose the first is.
struct Due {
    first: usize,
    whose: usize,
    second: usize,
}

impl Due {
    /// Whether nothing of others was over before this event of a role began.
    fn allows(&self, role: Role, event: &Event) -> bool {
        let others = if self.whose == role.index() { self.second } else { self.first };
        others >= event.first
    }
}

impl Node {
    /// The lines by which the next events of all roles must have happened.
    fn due(&self, program: &Program) -> Due {
        let mut due = Due { first: NEVER, whose: usize::MAX, second: NEVER };
        for (index, actor) in program.roles.iter().enumerate() {
            let Some(event) = actor.events.get(self.done[index] as usize) else { continue };
            if event.last < due.first {
                due = Due { first: event.last, whose: index, second: due.first };
            } else {
                due.second = due.second.min(event.last);
            }
        }
        due
    }

    /// Whether an event may happen now: what was over before it began is done.
    pub(crate) fn may_happen(&self, program: &Program, role: Role, event: &Event) -> bool {
        self.due(program).allows(role, event)
    }

    /// What could come next, what the log has first before the rest.
    pub(crate) fn moves(&self, program: &Program) -> Vec<Move> {
        let mut moves: Vec<(usize, Move)> = Vec::new();
        let line = |role: Role| self.next(program, role).map_or(NEVER, |event| event.last);
        let due = self.due(program);
        for index in 0..program.roles.len() {
            let role = Role(u16::try_from(index).unwrap_or(u16::MAX));
            let Some(event) = self.next(program, role) else { continue };
            if self.begun[index] {
                if self.is_waked(program, role, event) {
                    return vec![Move::Woken(role)];
                }
                self.ways_out(program, role, event, &mut moves);
                continue;
            }
            if !due.allows(role, event) {
                continue;
            }
            match &event.deed {
                Deed::Passes if event.last != NEVER => return vec![Move::Begin(role)],
                deed if self.moment.can_act(role) && concerns_nobody_else(deed) => return vec![Move::Begin(role)],
                Deed::Call(call) if may_as_well_sleep(call, &event.answer) && self.sleeps_at_once(program, role) => {
                    return vec![Move::Begin(role)];
                }
                Deed::Ended { .. } | Deed::Superseded => {}
                Deed::Signal { shown, .. } if !is_from_nobody(shown) => {}
                Deed::Signal { .. } => moves.push((event.last, Move::Struck(role))),
                _ => moves.push((event.last, Move::Begin(role))),
            }
        }
        let turns = self.moment.turns();
        let unnoticed = |turn: &&Turn| {
            let next = self.next(program, turn.role()).map(|event| &event.deed);
            matches!(next, Some(Deed::Ended { .. })) && self.moment.exits_unnoticed(turn.role())
        };
        if let Some(turn) = turns.iter().find(unnoticed) {
            return vec![Move::Turn(*turn)];
        }
        moves.extend(turns.into_iter().map(|turn| (line(turn.role()), Move::Turn(turn))));
        if self.nobody_is_found(program) {
            moves.extend(self.moment.reapable().into_iter().map(|turn| (NEVER, Move::Turn(turn))));
        }
        moves.sort_by_key(|(line, _)| *line);
        moves.into_iter().map(|(_, it)| it).collect()
    }

    /// Whether somebody is told next that nobody has a number: then who had it may be gone, whom the init outside has waited for.
    fn nobody_is_found(&self, program: &Program) -> bool {
        let roles = (0..program.roles.len()).map(|index| Role(u16::try_from(index).unwrap_or(u16::MAX)));
        let mut next = roles.filter_map(|role| self.next(program, role));
        next.any(|event| matches!(&event.answer, Answer::Fails(errno) if errno == "ESRCH"))
    }

    /// Whether a role that begins its next call now sleeps in it.
    fn sleeps_at_once(&self, program: &Program, role: Role) -> bool {
        self.moment.can_act(role)
            && match self.begin(program, role).as_slice() {
                [Ok(after)] => after.begun[role.index()] && after.moment.sleeps(role),
                _ => false,
            }
    }

    /// Whether a signal that the log has next has waked a role that slept with another mask. That its call is over then changes nothing but that
    /// others may begin what they have begun after it.
    fn is_waked(&self, program: &Program, role: Role, event: &Event) -> bool {
        matches!(event.deed, Deed::Suspend { .. })
            && event.answer == Answer::Interrupted
            && self.strikes(program, role).is_some_and(|shown| !is_from_nobody(&shown))
            && self.moment.turns().contains(&Turn::Runs(role))
    }

    /// How a role can leave the call that it is in without an answer of the model.
    fn ways_out(&self, program: &Program, role: Role, event: &Event, moves: &mut Vec<(usize, Move)>) {
        let interrupted = event.answer == Answer::Interrupted;
        match self.strikes(program, role).filter(|_| interrupted) {
            // That signal cuts it short, and nothing else does.
            Some(shown) if is_from_nobody(&shown) => moves.push((event.last, Move::Struck(role))),
            Some(_) => {}
            None if interrupted || matches!(event.deed, Deed::Suspend { .. }) => {
                moves.push((event.last, Move::Leave(role)))
            }
            None => {}
        }
    }
}

/// Whether it makes no difference to anybody else when this happens, nor to the caller what others do meanwhile. A mask decides when its thread
/// takes a signal, which is a turn of its own; that it waits, a watched task's signal does in any case.
fn concerns_nobody_else(deed: &Deed) -> bool {
    match deed {
        Deed::Mask { .. } | Deed::Restore { .. } | Deed::Maps { .. } | Deed::Call(Call::Getpid | Call::Gettid) => true,
        Deed::Call(Call::Sigaction { signal, action: SignalAction::Handle }) => *signal != Signal::CHLD,
        _ => false,
    }
}

/// Whether a wait that would sleep now may as well begin now as later: while it sleeps it looks when it is waked, and sees then what a later one
/// would see. A wait for a group is waked by who is in it, and one that has failed may have failed unwaked.
fn may_as_well_sleep(call: &Call, answer: &Answer) -> bool {
    let one = |target: &WaitTarget| matches!(target, WaitTarget::Any | WaitTarget::Pid(_) | WaitTarget::Pidfd(_));
    let (Call::Wait { target, options } | Call::Waitid { target, options }) = call else { return false };
    one(target)
        && !options.contains(WaitOptions::WNOHANG)
        && matches!(answer, Answer::Waited { .. } | Answer::Interrupted)
}
