//! Solutions of linear systems, in the formats of reports.

use std::io::{self, Write};

use super::decimal::Decimal;
use super::format::Format;
use super::number::{finite, magnitude, significant};
use super::rows::{Key, Keyed, NOTHING, write_rows};
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

impl Keyed for SolutionRow {
    const KEYS: &'static [Key<Self>] = &[
        ("item", |row| Some(count(row.item))),
        ("vector", |row| Some(count(row.vector))),
        ("method", |row| text(row.method)),
        ("status", |row| text(row.status.as_str())),
        ("residual", |row| Value::finite(row.residual)),
        ("relative", |row| Value::finite(row.relative)),
        ("error", |row| row.error.as_ref().map(Value::Exact)),
        ("guarantee", |row| text(row.guarantee.as_str())),
        ("delta", |row| row.guarantee.delta().map(Value::Number)),
        ("iterations", |row| Some(count(row.iterations))),
        ("products", |row| Some(count(row.products))),
        ("condition", |row| row.condition.and_then(Value::finite)),
    ];

    const HEADER: &'static [&'static str] =
        &["system", "status", "residual", "relative", "error at most", "iterations", "products", "condition"];

    const WORDS: usize = 2;

    fn cells(&self) -> Vec<String> {
        vec![
            format!("{}:{}", self.item, self.vector),
            self.status.to_string(),
            finite(self.residual, significant),
            finite(self.relative, magnitude),
            self.error.as_ref().map_or(NOTHING.to_owned(), Decimal::short_above),
            self.iterations.to_string(),
            self.products.to_string(),
            self.condition.map_or(NOTHING.to_owned(), magnitude),
        ]
    }
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
        write_rows(rows, format, out)
    }
}
