//! The order that was found, told event by event.

use pidlab_sim::Moment;
use serde::Serialize;

use crate::log::Log;
use crate::node::{Move, Node};
use crate::program::Program;
use crate::search::Chosen;

/// One event in the order that explains a log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub struct Told {
    /// The line of the log that tells it.
    pub line: usize,
    /// Whose it is.
    pub by: String,
    /// What stands there.
    pub text: String,
    /// The rules that decided, by their ids.
    pub rules: Vec<&'static str>,
}

/// Tells an order.
pub(crate) fn tell(log: &Log, program: &Program, start: Moment, order: &[Chosen]) -> Vec<Told> {
    let mut told = Vec::new();
    let mut node = Node::start(program, start);
    for Chosen { chosen, which } in order {
        let role = match chosen {
            Move::Begin(role) | Move::Leave(role) | Move::Woken(role) | Move::Struck(role) => *role,
            Move::Turn(turn) => turn.role(),
        };
        let event = node.next(program, role);
        let rules: Vec<&'static str> = node.reasons(program, *chosen).into_iter().map(|rule| rule.id).collect();
        if let Some(event) = event.filter(|event| event.is_judged() || !rules.is_empty()) {
            let text = log.lines.get(event.line - 1).cloned().unwrap_or_default();
            let by = program.roles[role.index()].name.clone();
            told.push(Told { line: event.line, by, text, rules });
        }
        let mut after = node.after(program, *chosen);
        node = after.swap_remove(*which).expect("it was found so");
    }
    told
}
