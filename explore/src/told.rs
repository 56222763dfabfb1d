//! Words for what was found.

use pidlab_scenario::Refusal;

/// Why a move is no step, without names.
pub(crate) fn reason(why: Refusal) -> String {
    match why {
        Refusal::NotModelled { call, what } => format!("{call}: {what}"),
        Refusal::Harmful { call, harm } => format!("{call}: {harm}"),
        Refusal::NeedsFact { call, fact } => format!("{call}: needs {fact}"),
        Refusal::CannotAct { .. } => "another process that has to act cannot".to_owned(),
        Refusal::NoNumber { .. } => "a number is needed where there is none".to_owned(),
        other => format!("{other:?}"),
    }
}
