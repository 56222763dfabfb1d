//! What was given back and is used again, the lowest first.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::again::clone_fields;

/// Names that are free. Mostly there is none, or one that is taken again at once; so the lowest stands apart, and the heap is for the others.
#[derive(Debug)]
pub(crate) struct Free<I: Ord> {
    /// `None` if there is none at all.
    lowest: Option<I>,
    others: BinaryHeap<Reverse<I>>,
}

impl<I: Ord + Clone> Clone for Free<I> {
    fn clone(&self) -> Free<I> {
        Free { lowest: self.lowest.clone(), others: self.others.clone() }
    }

    fn clone_from(&mut self, source: &Free<I>) {
        clone_fields!(self, source, Free { lowest, others });
    }
}

impl<I: Ord> Default for Free<I> {
    fn default() -> Free<I> {
        Free { lowest: None, others: BinaryHeap::new() }
    }
}

impl<I: Ord + Copy> Free<I> {
    /// The one that is taken next.
    #[inline(always)]
    pub(crate) fn peek(&self) -> Option<I> {
        self.lowest
    }

    #[inline(always)]
    pub(crate) fn pop(&mut self) -> Option<I> {
        let lowest = self.lowest.take();
        if !self.others.is_empty() {
            self.lowest = self.pop_other();
        }
        lowest
    }

    #[inline(never)]
    fn pop_other(&mut self) -> Option<I> {
        self.others.pop().map(|Reverse(other)| other)
    }

    #[inline(always)]
    pub(crate) fn push(&mut self, free: I) {
        match self.lowest {
            None => self.lowest = Some(free),
            Some(lowest) => {
                self.lowest = Some(lowest.min(free));
                self.push_other(lowest.max(free));
            }
        }
    }

    #[inline(never)]
    fn push_other(&mut self, free: I) {
        self.others.push(Reverse(free));
    }

    /// All of them, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = I> + '_ {
        self.lowest.into_iter().chain(self.others.iter().map(|Reverse(other)| *other))
    }
}

#[cfg(test)]
mod tests {
    use super::Free;

    #[test]
    fn the_lowest_comes_first_in_whatever_order_they_were_given_back() {
        let mut free = Free::default();
        for name in [5, 3, 9, 1, 7] {
            free.push(name);
        }
        assert_eq!(free.pop(), Some(1));
        free.push(4);
        free.push(2);
        assert_eq!(free.peek(), Some(2));
        let mut all: Vec<u32> = free.iter().collect();
        all.sort_unstable();
        assert_eq!(all, [2, 3, 4, 5, 7, 9]);
        let taken: Vec<u32> = std::iter::from_fn(|| free.pop()).collect();
        assert_eq!(taken, all);
        assert_eq!(free.peek(), None);
    }
}
