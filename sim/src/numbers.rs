//! The numbers that processes have: one row a process, one table a level, so that a process deep down pays for its
//! depth and nobody else does.

#[derive(Clone, PartialEq, Eq, Default)]
struct Level {
    /// Rows of `level + 1` numbers, the outermost namespace's first.
    rows: Vec<u32>,
}

/// The rows of every level.
#[derive(Clone, Default)]
pub(crate) struct NumberTable {
    levels: Vec<Level>,
    free: Vec<Vec<u32>>,
}

impl NumberTable {
    pub(crate) fn row(&self, level: u32, row: u32) -> &[u32] {
        let width = level as usize + 1;
        let start = row as usize * width;
        &self.levels[level as usize].rows[start..start + width]
    }

    /// A row for a process at this level.
    pub(crate) fn add(&mut self, level: u32, numbers: &[u32]) -> u32 {
        let index = level as usize;
        let width = index + 1;
        if self.levels.len() <= index {
            self.levels.resize_with(index + 1, Level::default);
            self.free.resize_with(index + 1, Vec::new);
        }
        let rows = &mut self.levels[index].rows;
        match self.free[index].pop() {
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

    pub(crate) fn remove(&mut self, level: u32, row: u32) {
        let width = level as usize + 1;
        let start = row as usize * width;
        self.levels[level as usize].rows[start..start + width].fill(0);
        self.free[level as usize].push(row);
    }

    pub(crate) fn sort_free_rows(&mut self) {
        for free in &mut self.free {
            free.sort_unstable_by(|a, b| b.cmp(a));
        }
    }
}

/// Equal in what is stored; which free row comes next cannot be seen.
impl PartialEq for NumberTable {
    fn eq(&self, other: &NumberTable) -> bool {
        self.levels == other.levels
    }
}
