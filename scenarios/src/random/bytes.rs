//! What is random, and nothing else is: the bytes of one step.

/// The bytes that choose one step: who acts, by which call, and with which arguments.
pub type Choice = [u8; 12];

/// Takes the bytes of a step one after the other; after the last come zeros.
pub(super) struct Bytes<'a> {
    rest: &'a [u8],
}

impl<'a> Bytes<'a> {
    pub(super) fn of(choice: &'a [u8]) -> Bytes<'a> {
        Bytes { rest: choice }
    }

    /// The next byte.
    pub(super) fn next(&mut self) -> u8 {
        let (byte, rest) = self.rest.split_first().map_or((0, self.rest), |(byte, rest)| (*byte, rest));
        self.rest = rest;
        byte
    }

    /// True once in so many times.
    pub(super) fn once_in(&mut self, times: u8) -> bool {
        self.next().is_multiple_of(times)
    }

    /// One of several items.
    pub(super) fn one_of<T: Copy>(&mut self, items: &[T]) -> T {
        items[usize::from(self.next()) % items.len()]
    }

    /// One of several items with weights; the weights of 256 bytes are handed out as evenly as they can be.
    pub(super) fn weighted<T: Copy>(&mut self, items: &[(T, u32)]) -> Option<T> {
        let total: u64 = items.iter().map(|(_, weight)| u64::from(*weight)).sum();
        // Two bytes: one would never choose the rarest of many.
        let chosen = u64::from(self.next()) << 8 | u64::from(self.next());
        let mut left = chosen * total / (1 << 16);
        items.iter().find_map(|(item, weight)| match left.checked_sub(u64::from(*weight)) {
            Some(rest) => {
                left = rest;
                None
            }
            None => Some(*item),
        })
    }
}
