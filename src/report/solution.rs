//! Solutions of linear systems, in the formats of reports.

use std::io::{self, Write};

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::decimal::Decimal;
use super::format::Format;
use super::json::write_array;
use super::markdown::markdown_grid;
use super::number::{magnitude, significant};
use super::text::grid;
use super::value::{Value, count, text};
use crate::bound::Guarantee;
use crate::solve::{Solutions, SolveStatus};

/// The solution of one right-hand side, as a row of a report.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SolutionRow {
    /// The number of the matrix in its batch.
    pub item: usize,
    /// The number of the right-hand side among those of the matrix.
    pub vector: usize,
    /// The end of the run.
    pub status: SolveStatus,
    /// |b - A x|, measured at the end.
    pub residual: f64,
    /// |b - A x| / |b|
    pub relative: f64,
    /// An upper bound of |x - x*|, with x* the solution.
    pub error: Option<Decimal>,
    /// The guarantee of that bound.
    pub guarantee: Guarantee,
    /// Steps of the method.
    pub iterations: usize,
    /// Products with A or Aᵀ.
    pub products: usize,
    /// The method that ran.
    pub method: &'static str,
    /// An estimate from below of the condition |A|₁ |A⁻¹|₁, where the method factors A.
    pub condition: Option<f64>,
}

/// A key with its value in a row; `None` for an unknown value.
type Key = (&'static str, fn(&SolutionRow) -> Option<Value<'_>>);

/// The keys of every row, in order.
const KEYS: [Key; 12] = [
    ("item", |row| Some(count(row.item))),
    ("vector", |row| Some(count(row.vector))),
    ("method", |row| text(row.method)),
    ("status", |row| text(row.status.as_str())),
    ("residual", |row| number(row.residual)),
    ("relative", |row| number(row.relative)),
    ("error", |row| row.error.as_ref().map(Value::Exact)),
    ("guarantee", |row| text(row.guarantee.as_str())),
    ("delta", |row| row.guarantee.delta().map(Value::Number)),
    ("iterations", |row| Some(count(row.iterations))),
    ("products", |row| Some(count(row.products))),
    ("condition", |row| row.condition.and_then(number)),
];

fn number(number: f64) -> Option<Value<'static>> {
    number.is_finite().then_some(Value::Number(number))
}

impl SolutionRow {
    /// The rows of solutions, with so many right-hand sides for each matrix.
    pub fn of(solutions: &Solutions, vectors: usize) -> Vec<Self> {
        let row = |(index, solution): (usize, &crate::solve::Solution)| Self {
            item: index / vectors.max(1),
            vector: index % vectors.max(1),
            status: solution.status,
            residual: solution.residual,
            relative: solution.relative,
            error: Decimal::of(&solution.error)[1].take(),
            guarantee: solution.error.guarantee,
            iterations: solution.iterations,
            products: solution.products,
            method: solutions.solver,
            condition: solutions.conditions.as_ref().and_then(|all| all.get(index / vectors.max(1)).copied()),
        };
        solutions.iter().enumerate().map(row).collect()
    }

    /// Writes rows in a format.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(rows: &[Self], format: Format, out: &mut dyn Write) -> io::Result<()> {
        match format {
            Format::Json => write_array(rows, out),
            Format::Csv => {
                let mut writer = csv::Writer::from_writer(out);
                writer.write_record(KEYS.map(|(key, _)| key))?;
                for row in rows {
                    let fields = KEYS.map(|(_, value)| value(row).map_or(String::new(), |value| value.to_string()));
                    writer.write_record(fields)?;
                }
                writer.flush()
            }
            Format::Markdown => out.write_all(markdown_grid(&cells(rows), WORDS).as_bytes()),
            Format::Table | Format::Wide => out.write_all(grid(&cells(rows), WORDS).as_bytes()),
        }
    }
}

/// Columns of a table that are words.
const WORDS: usize = 2;

/// The cells of a table, its header first.
fn cells(rows: &[SolutionRow]) -> Vec<Vec<String>> {
    let header = ["system", "status", "residual", "relative", "error at most", "iterations", "products", "condition"];
    // A column for methods that estimate the condition.
    let columns = header.len() - usize::from(rows.iter().all(|row| row.condition.is_none()));
    let finite = |value: f64, words: fn(f64) -> String| if value.is_finite() { words(value) } else { "-".to_owned() };
    let cells = rows.iter().map(|row| {
        vec![
            format!("{}:{}", row.item, row.vector),
            row.status.to_string(),
            finite(row.residual, significant),
            finite(row.relative, magnitude),
            row.error.as_ref().map_or("-".to_owned(), ToString::to_string),
            row.iterations.to_string(),
            row.products.to_string(),
            row.condition.map_or("-".to_owned(), magnitude),
        ]
    });
    let header = header.map(str::to_owned).to_vec();
    std::iter::once(header).chain(cells).map(|row| row.into_iter().take(columns).collect()).collect()
}

impl Serialize for SolutionRow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(Some(KEYS.len()))?;
        for (key, value) in KEYS {
            object.serialize_entry(key, &value(self))?;
        }
        object.end()
    }
}
