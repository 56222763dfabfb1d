//! What every form of a report has to do.

use std::io::{self, Write};

use super::checked::Checked;
use super::totals::Totals;

/// One form of a report. It is handed each scenario when it has come out, in the order of the selection.
pub(super) trait Report {
    /// Before the first, with the names of all.
    fn start(&mut self, _out: &mut dyn Write, _names: &[&str], _totals: &Totals) -> io::Result<()> {
        Ok(())
    }

    /// One has come out.
    fn take(&mut self, out: &mut dyn Write, checked: &Checked<'_>) -> io::Result<()>;

    /// After the last.
    fn finish(&mut self, out: &mut dyn Write, totals: &Totals) -> io::Result<()>;
}
