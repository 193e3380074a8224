//! Rows as an array of JSON objects, one a line, that is closed whatever happens.

use std::io::{self, Write};

use super::record::Record;
use super::report::Report;
use super::summary::Summary;

/// Whether a row was written, and the next needs a comma.
#[derive(Debug, Default)]
pub struct Json {
    has_rows: bool,
}

impl Report for Json {
    fn begin(&mut self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(b"[")
    }

    fn row(&mut self, out: &mut dyn Write, record: Record) -> io::Result<()> {
        // in one piece, so that an interruption finds whole rows only
        let text = serde_json::to_string(&record)?;
        out.write_all(if self.has_rows { b",\n " } else { b"\n " })?;
        self.has_rows = true;
        out.write_all(text.as_bytes())
    }

    fn end(&mut self, out: &mut dyn Write, _: &Summary) -> io::Result<()> {
        out.write_all(if self.has_rows { b"\n]\n" } else { b"]\n" })
    }
}
