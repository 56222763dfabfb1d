//! Positions are not kept, but made again from the steps that lead to them.

use crate::moves::Move;

/// The last position that was made again, and those before it: neighbours share most of them.
pub(crate) struct Trail<T>(Vec<(u32, T)>);

/// How a state was come to: the one before it, the last step, and which of its ways.
pub(crate) type Came = (u32, Move, u16);

impl<T> Trail<T> {
    /// At the start, which is state 0.
    pub(crate) fn new(start: T) -> Trail<T> {
        Trail(vec![(0, start)])
    }

    /// What a state is, made by steps from the nearest one that is known.
    pub(crate) fn go(
        &mut self,
        state: u32,
        before: impl Fn(u32) -> Came,
        step: impl Fn(&T, Move, u16) -> Option<T>,
    ) -> &T {
        let mut missing = Vec::new();
        let mut at = state;
        while !self.0.iter().any(|(known, _)| *known == at) {
            let came = before(at);
            missing.push((at, came.1, came.2));
            at = came.0;
        }
        let kept = self.0.iter().position(|(known, _)| *known == at).unwrap_or(0);
        self.0.truncate(kept + 1);
        for (state, by, way) in missing.into_iter().rev() {
            let from = &self.0.last().expect("the start is always there").1;
            let next = step(from, by, way).expect("a step that was taken can be taken again");
            self.0.push((state, next));
        }
        &self.0.last().expect("the start is always there").1
    }
}
