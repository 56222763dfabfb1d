//! The numbers that processes have: one row a process, one table a level, so that a process deep down pays for its
//! depth and nobody else does.

use crate::namespace::MAX_LEVEL;

/// Room for the longest row: a number for each level.
pub(crate) type Numbers = [u32; MAX_LEVEL as usize + 1];
pub(crate) const NO_NUMBERS: Numbers = [0; MAX_LEVEL as usize + 1];

#[derive(Clone, Default)]
struct Level {
    /// Rows of `level + 1` numbers, the outermost namespace's first.
    rows: Vec<u32>,
    /// Rows that stand for nobody.
    free: Vec<u32>,
}

/// The rows of every level.
#[derive(Clone, Default)]
pub(crate) struct NumberTable {
    levels: Vec<Level>,
}

impl NumberTable {
    #[inline]
    pub(crate) fn row(&self, level: u32, row: u32) -> &[u32] {
        let width = level as usize + 1;
        let start = row as usize * width;
        &self.levels[level as usize].rows[start..start + width]
    }

    /// A row for a process at this level.
    #[inline]
    pub(crate) fn add(&mut self, level: u32, numbers: &[u32]) -> u32 {
        let index = level as usize;
        let width = index + 1;
        if self.levels.len() <= index {
            self.levels.resize_with(index + 1, Level::default);
        }
        let Level { rows, free } = &mut self.levels[index];
        match free.pop() {
            Some(row) => {
                let start = row as usize * width;
                rows[start..start + width].copy_from_slice(numbers);
                row
            }
            None => {
                rows.extend_from_slice(numbers);
                (rows.len() / width - 1) as u32
            }
        }
    }

    /// Moves the numbers of a row out of it; the row is free then.
    #[inline]
    pub(crate) fn remove(&mut self, level: u32, row: u32, numbers: &mut Numbers) {
        let width = level as usize + 1;
        let start = row as usize * width;
        let Level { rows, free } = &mut self.levels[level as usize];
        for (to, from) in numbers.iter_mut().zip(&mut rows[start..start + width]) {
            *to = std::mem::take(from);
        }
        free.push(row);
    }

    pub(crate) fn sort_free_rows(&mut self) {
        for level in &mut self.levels {
            level.free.sort_unstable_by(|a, b| b.cmp(a));
        }
    }
}

/// Equal in what is stored; which free row comes next cannot be seen.
impl PartialEq for NumberTable {
    fn eq(&self, other: &NumberTable) -> bool {
        self.levels.iter().map(|level| &level.rows).eq(other.levels.iter().map(|level| &level.rows))
    }
}
