//! `--shard K/N`: a part of the work, for machines that share it.

use std::fmt;
use std::str::FromStr;

/// One of so many parts: each N-th piece of work, beginning with the K-th.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Shard {
    which: usize,
    of: usize,
}

/// More parts than there is work for are a mistake.
const MOST: usize = 10_000;

impl Shard {
    /// The whole, as its only part.
    pub(super) const WHOLE: Shard = Shard { which: 0, of: 1 };

    /// Whether the piece with this index belongs to it.
    pub(super) fn takes(self, index: usize) -> bool {
        index % self.of == self.which
    }

    /// The index among all pieces of its own with this one.
    pub(super) fn index(self, own: usize) -> usize {
        own.saturating_mul(self.of).saturating_add(self.which)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.which + 1, self.of)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Shard, String> {
        let numbers = text.split_once('/').and_then(|(which, of)| Some((which.parse().ok()?, of.parse().ok()?)));
        match numbers {
            Some((which @ 1.., of @ 1..=MOST)) if which <= of => Ok(Shard { which: which - 1, of }),
            _ => Err(format!("not a part like 1/4, the first of four; at most {MOST}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Shard;

    #[test]
    fn all_parts_together_are_the_whole() {
        for of in 1..=5 {
            let shards: Vec<Shard> = (1..=of).map(|which| format!("{which}/{of}").parse().expect("a part")).collect();
            for index in 0..20 {
                assert!((1..).zip(&shards).all(|(which, shard)| shard.to_string() == format!("{which}/{of}")));
                assert_eq!(shards.iter().filter(|shard| shard.takes(index)).count(), 1, "{index} of {of}");
            }
            assert!(shards.iter().all(|shard| (0..4).all(|own| shard.takes(shard.index(own)))));
        }
    }

    #[test]
    fn what_is_no_part_is_refused() {
        for text in ["", "1", "0/4", "5/4", "1/0", "-1/4", "1/4/2", "a/b", "1/99999999999999999999"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }
}
