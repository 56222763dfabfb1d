//! The numbers that processes have: one row a process, one table a level, so that a process deep down pays for its
//! depth and nobody else does.

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

    /// An empty row for a process at this level.
    #[inline]
    pub(crate) fn add(&mut self, level: u32) -> u32 {
        let index = level as usize;
        if self.levels.len() <= index {
            self.levels.resize_with(index + 1, Level::default);
        }
        let Level { rows, free } = &mut self.levels[index];
        free.pop().unwrap_or_else(|| {
            let width = index + 1;
            let row = rows.len() / width;
            rows.resize(rows.len() + width, 0);
            row as u32
        })
    }

    /// Where in a row the number is that a process has at the level `at`.
    #[inline]
    fn number_mut(&mut self, level: u32, row: u32, at: u32) -> &mut u32 {
        let width = level as usize + 1;
        &mut self.levels[level as usize].rows[row as usize * width + at as usize]
    }

    /// Fills one place of a row.
    #[inline]
    pub(crate) fn set(&mut self, level: u32, row: u32, at: u32, number: u32) {
        *self.number_mut(level, row, at) = number;
    }

    /// Empties one place of a row. Answers what was there.
    #[inline]
    pub(crate) fn take(&mut self, level: u32, row: u32, at: u32) -> u32 {
        std::mem::take(self.number_mut(level, row, at))
    }

    /// Nobody has this row any more; it is empty.
    #[inline]
    pub(crate) fn remove(&mut self, level: u32, row: u32) {
        debug_assert!(self.row(level, row).iter().all(|number| *number == 0), "every number was taken out");
        self.levels[level as usize].free.push(row);
    }

    /// The rows of a level, up to the last that is somebody's.
    fn stored(&self, level: usize) -> &[u32] {
        let rows = self.levels.get(level).map_or(&[][..], |level| &level.rows);
        let end = rows.iter().rposition(|number| *number != 0).map_or(0, |last| last + 1);
        &rows[..end]
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
        let levels = self.levels.len().max(other.levels.len());
        (0..levels).all(|level| self.stored(level) == other.stored(level))
    }
}
