//! Rows with keys, which are not those of an audit, in every format.

use std::io::{self, Write};

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::format::Format;
use super::json::write_array;
use super::markdown::markdown_grid;
use super::text::grid;
use super::value::Value;

/// A key with its value in a row; `None` for an unknown value.
pub(super) type Key<R> = (&'static str, fn(&R) -> Option<Value<'_>>);

/// A row of a report.
pub(super) trait Keyed: Sized + 'static {
    /// The keys of every row, in order.
    const KEYS: &'static [Key<Self>];

    /// The columns of a table.
    const HEADER: &'static [&'static str];

    /// The first columns of a table that are words.
    const WORDS: usize;

    /// The cells of a table.
    fn cells(&self) -> Vec<String>;
}

/// Writes rows in a format.
pub(super) fn write_rows<R: Keyed>(rows: &[R], format: Format, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Json => write_array(&rows.iter().map(Object).collect::<Vec<_>>(), out),
        Format::Csv => {
            let mut writer = csv::Writer::from_writer(out);
            writer.write_record(R::KEYS.iter().map(|(key, _)| key))?;
            for row in rows {
                let field = |(_, value): &Key<R>| value(row).map_or(String::new(), |value| value.to_string());
                writer.write_record(R::KEYS.iter().map(field))?;
            }
            writer.flush()
        }
        Format::Markdown => out.write_all(markdown_grid(&table(rows), R::WORDS).as_bytes()),
        Format::Table | Format::Wide => out.write_all(grid(&table(rows), R::WORDS).as_bytes()),
    }
}

/// The cell of a value that a row does not have.
pub(super) const NOTHING: &str = "-";

/// The cells of a table, its header first. The last column is left out where no row has a value in it.
fn table<R: Keyed>(rows: &[R]) -> Vec<Vec<String>> {
    let header = R::HEADER.iter().map(|word| (*word).to_owned()).collect();
    let mut table: Vec<Vec<String>> = std::iter::once(header).chain(rows.iter().map(R::cells)).collect();
    if !rows.is_empty() && table.iter().skip(1).all(|row| row.last().is_some_and(|cell| cell == NOTHING)) {
        table.iter_mut().for_each(|row| row.truncate(row.len() - 1));
    }
    table
}

/// A row as an object with all keys.
struct Object<'a, R>(&'a R);

impl<R: Keyed> Serialize for Object<'_, R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(Some(R::KEYS.len()))?;
        for (key, value) in R::KEYS {
            object.serialize_entry(key, &value(self.0))?;
        }
        object.end()
    }
}
