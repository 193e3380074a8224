//! The interface of a format.

use std::io::{self, Write};

use super::record::Record;
use super::summary::Summary;

/// Writer of one report: its beginning, its rows one by one, its end.
///
/// # Errors
/// Every method answers the errors of `out`.
pub trait ReportWriter {
    /// Writes what comes before the rows.
    fn begin(&mut self, out: &mut dyn Write) -> io::Result<()>;

    /// Writes one row.
    fn row(&mut self, out: &mut dyn Write, record: &Record) -> io::Result<()>;

    /// Writes what comes after the rows, also where a run stopped before its last row.
    fn end(&mut self, out: &mut dyn Write, summary: &Summary) -> io::Result<()>;
}
