//! Rows as comma-separated values, under the keys of the JSON.

use std::io::{self, Write};

use super::keys::KEYS;
use super::record::Record;
use super::summary::Summary;
use super::writer::ReportWriter;

/// Comma-separated values.
#[derive(Debug)]
pub(super) struct Csv;

impl ReportWriter for Csv {
    fn begin(&mut self, out: &mut dyn Write) -> io::Result<()> {
        write(out, &KEYS.map(|(key, _)| key.to_owned()))
    }

    fn row(&mut self, out: &mut dyn Write, record: &Record) -> io::Result<()> {
        let fields = |record: &Record| KEYS.map(|(_, value)| value(record).map_or(String::new(), |it| it.to_string()));
        record.each_value().iter().try_for_each(|record| write(out, &fields(record)))
    }

    fn end(&mut self, _: &mut dyn Write, _: &Summary) -> io::Result<()> {
        Ok(())
    }
}

fn write(out: &mut dyn Write, fields: &[String; KEYS.len()]) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(fields)?;
    let line = writer.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
    out.write_all(&line)
}
