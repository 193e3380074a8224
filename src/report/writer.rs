//! The interface of a format.

use std::io::{self, Write};

use super::record::Record;
use super::summary::Summary;

/// The writer of a report: its beginning, its rows one by one, its end.
///
/// # Errors
/// Every method returns the errors of `out`.
pub trait ReportWriter {
    /// Writes the text before the rows.
    fn begin(&mut self, out: &mut dyn Write) -> io::Result<()>;

    /// Writes one row.
    fn row(&mut self, out: &mut dyn Write, record: &Record) -> io::Result<()>;

    /// Writes the text after the rows, even if a run stopped before its last row.
    fn end(&mut self, out: &mut dyn Write, summary: &Summary) -> io::Result<()>;
}
