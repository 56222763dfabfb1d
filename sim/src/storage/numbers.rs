//! The numbers of a `struct pid`: one at each level.
//!
//! The first two levels stand in the record itself. A process deeper down has a row in a table of its level, so that it pays
//! for its depth and nobody else does.

use std::hash::{Hash, Hasher};

use super::again::clone_by_fields;
use super::free::Free;
use super::unseen::Unseen;

/// The numbers at levels 0 and 1, or the row of a deeper one in the first place.
pub(crate) type Inline = [u32; 2];

#[derive(Debug, Default)]
struct Level {
    /// Rows of `level + 1` numbers, the outermost namespace's first.
    rows: Vec<u32>,
    free: Unseen<Free<u32>>,
}

/// The rows of the levels from 2 on. How many at the end hold nothing is nothing that could be seen.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    levels: Vec<Level>,
}

clone_by_fields!(Level { rows, free });
clone_by_fields!(Rows { levels });

impl Level {
    /// The rows up to the last one that is somebody's: no number is 0.
    fn used(&self) -> &[u32] {
        let used = self.rows.iter().rposition(|number| *number > 0).map_or(0, |last| last + 1);
        &self.rows[..used]
    }
}

impl Rows {
    /// The levels up to the last one that somebody is at.
    fn used(&self) -> impl Iterator<Item = &[u32]> + '_ {
        let used = self.levels.iter().rposition(|level| !level.used().is_empty()).map_or(0, |last| last + 1);
        self.levels[..used].iter().map(Level::used)
    }
}

impl PartialEq for Rows {
    fn eq(&self, other: &Rows) -> bool {
        self.used().eq(other.used())
    }
}

impl Eq for Rows {}

impl Hash for Rows {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.used().for_each(|rows| rows.hash(state));
    }
}

impl Rows {
    /// The numbers of somebody at this level, the outermost namespace's first.
    #[inline]
    pub(crate) fn all<'a>(&'a self, level: u32, inline: &'a Inline) -> &'a [u32] {
        if level < 2 {
            return &inline[..=level as usize];
        }
        let width = level as usize + 1;
        let start = inline[0] as usize * width;
        &self.levels[level as usize - 2].rows[start..start + width]
    }

    /// The number of somebody at `level` in the namespace around it at `at`.
    #[inline(always)]
    pub(crate) fn one(&self, level: u32, inline: &Inline, at: u32) -> u32 {
        if level < 2 { inline[at as usize] } else { self.all(level, inline)[at as usize] }
    }

    /// Room for the numbers of somebody at this level, all 0.
    #[inline(always)]
    pub(crate) fn add(&mut self, level: u32) -> Inline {
        if level < 2 { [0, 0] } else { [self.add_row(level), 0] }
    }

    #[cold]
    #[inline(never)]
    fn add_row(&mut self, level: u32) -> u32 {
        let index = level as usize - 2;
        if self.levels.len() <= index {
            self.levels.resize_with(index + 1, Level::default);
        }
        let Level { rows, free } = &mut self.levels[index];
        free.pop().unwrap_or_else(|| {
            let width = level as usize + 1;
            let row = rows.len() / width;
            rows.resize(rows.len() + width, 0);
            row as u32
        })
    }

    /// Fills one place.
    #[inline(always)]
    pub(crate) fn set(&mut self, level: u32, inline: &mut Inline, at: u32, number: u32) {
        if level < 2 {
            inline[at as usize] = number;
        } else {
            let width = level as usize + 1;
            self.levels[level as usize - 2].rows[inline[0] as usize * width + at as usize] = number;
        }
    }

    /// Gives the room back.
    #[inline(always)]
    pub(crate) fn remove(&mut self, level: u32, inline: &Inline) {
        if level >= 2 {
            let width = level as usize + 1;
            let Level { rows, free } = &mut self.levels[level as usize - 2];
            let start = inline[0] as usize * width;
            rows[start..start + width].fill(0);
            free.push(inline[0]);
        }
    }
}
