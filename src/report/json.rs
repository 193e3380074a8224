//! Rows as an array of JSON objects, a line for each; the array is closed however the run ends.

use std::io::{self, Write};

use serde::Serialize;

use super::record::Record;
use super::summary::Summary;
use super::writer::ReportWriter;

/// An array of objects.
#[derive(Debug, Default)]
pub(super) struct Json {
    /// Whether a row was written, so that the next row needs a comma.
    has_rows: bool,
}

impl ReportWriter for Json {
    fn begin(&mut self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(b"[")
    }

    fn row(&mut self, out: &mut dyn Write, record: &Record) -> io::Result<()> {
        self.object(out, record)
    }

    fn end(&mut self, out: &mut dyn Write, _: &Summary) -> io::Result<()> {
        self.close(out)
    }
}

impl Json {
    fn object(&mut self, out: &mut dyn Write, object: &impl Serialize) -> io::Result<()> {
        // In one write, so that an interruption leaves whole rows.
        let text = serde_json::to_string(object)?;
        out.write_all(if self.has_rows { b",\n " } else { b"\n " })?;
        self.has_rows = true;
        out.write_all(text.as_bytes())
    }

    fn close(&self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(if self.has_rows { b"\n]\n" } else { b"]\n" })
    }
}

/// Writes a whole array.
pub(super) fn write_array(objects: &[impl Serialize], out: &mut dyn Write) -> io::Result<()> {
    let mut json = Json::default();
    out.write_all(b"[")?;
    objects.iter().try_for_each(|object| json.object(out, object))?;
    json.close(out)
}
