//! Inverses of invertible networks, in the formats of reports.

use std::io::{self, Write};

use super::decimal::Decimal;
use super::format::Format;
use super::number::{finite, magnitude, significant};
use super::rows::{Key, Keyed, NOTHING, write_rows};
use super::value::{Value, count, text};
use crate::bound::{Arithmetic, Guarantee};
use crate::layer::InverseItem;
use crate::solve::fixed_point::Status;

/// The inverse for one item, as a row of a report.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct InversionRow {
    /// The number of the item in its batch.
    pub item: usize,
    /// The end of the run.
    pub status: Status,
    /// |f(x) - y|, measured at the end.
    pub residual: f64,
    /// |f(x) - y| / |y|
    pub relative: f64,
    /// An upper bound of |x - x*|, with f(x*) = y.
    pub error: Option<Decimal>,
    /// The guarantee of that bound.
    pub guarantee: Guarantee,
    /// Evaluations of all blocks.
    pub evaluations: usize,
}

impl Keyed for InversionRow {
    const KEYS: &'static [Key<Self>] = &[
        ("item", |row| Some(count(row.item))),
        ("status", |row| text(row.status.as_str())),
        ("residual", |row| Value::finite(row.residual)),
        ("relative", |row| Value::finite(row.relative)),
        ("error", |row| row.error.as_ref().map(Value::Exact)),
        ("guarantee", |row| text(row.guarantee.as_str())),
        ("delta", |row| row.guarantee.delta().map(Value::Number)),
        ("arithmetic", |row| row.guarantee.arithmetic().map(Arithmetic::as_str).and_then(text)),
        ("evaluations", |row| Some(count(row.evaluations))),
    ];

    const HEADER: &'static [&'static str] =
        &["item", "status", "guarantee", "residual", "relative", "error at most", "evaluations"];

    const WORDS: usize = 3;

    fn cells(&self) -> Vec<String> {
        vec![
            self.item.to_string(),
            self.status.to_string(),
            self.guarantee.to_string(),
            finite(self.residual, significant),
            finite(self.relative, magnitude),
            self.error.as_ref().map_or(NOTHING.to_owned(), Decimal::short_above),
            self.evaluations.to_string(),
        ]
    }
}

impl InversionRow {
    /// The row of an item, with the norms of f(x) - y and of y.
    pub fn new(item: usize, found: &InverseItem, residual: f64, size: f64) -> Self {
        let relative = if residual == 0.0 { 0.0 } else { residual / size };
        let error = Decimal::of(&found.error)[1].take();
        let (status, guarantee, evaluations) = (found.status, found.error.guarantee, found.evaluations);
        Self { item, status, residual, relative, error, guarantee, evaluations }
    }

    /// Writes rows in a format.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(rows: &[Self], format: Format, out: &mut dyn Write) -> io::Result<()> {
        write_rows(rows, format, out)
    }
}
