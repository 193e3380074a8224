//! The stored u and v of a spectral normalisation, and the number that they give.

use super::entries::{Sliced, pieces, values};
use super::stored::StoredWeight;
use crate::io::{Checkpoint, Entry};
use crate::tensor::screen::{Screen, binary_exponent, scale_by_power, scaling};
use crate::tensor::{ElementSource, Position};
use crate::{Error, Result};

/// The cosine from which on u and v are taken for vectors of a matrix.
const AGREEMENT: f64 = 0.7;

/// The number that the stored vectors of a spectral normalisation give.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// uᵀ W v, which PyTorch divides the weight by; NaN where an element is not finite.
    pub sigma: f64,
    /// The length of u.
    pub left: f64,
    /// The length of v.
    pub right: f64,
    /// The axis of the rows. Where the shapes allow several, the axis that u and v fit best, or the first where u and v
    /// fit none.
    pub axis: usize,
    /// `sigma` divided by 2^`exponent`, so that no weight is out of range.
    pub(super) scaled: f64,
    pub(super) exponent: i32,
    /// Whether every entry of the weight is 0, and whether one is not finite.
    pub(super) is_zero: bool,
    pub(super) is_finite: bool,
}

impl Estimate {
    /// The reason why the weight cannot be divided by this number.
    pub(super) fn problem(&self) -> Option<&'static str> {
        match self.scaled {
            _ if self.is_zero || !self.is_finite => None,
            _ if !(self.left.is_finite() && self.right.is_finite()) => Some("its u or v holds NaN or infinity"),
            0.0 => Some("its u and v give a norm of 0, by which no weight can be divided"),
            _ => None,
        }
    }
}

impl StoredWeight {
    /// The number that the stored u and v give, in `f64`; `None` for weight normalisation.
    ///
    /// # Errors
    /// [`Error::File`] for parts that cannot be read.
    pub fn estimate(&self, checkpoint: &Checkpoint) -> Result<Option<Estimate>> {
        let [left, right] = &self.others[..] else { return Ok(None) };
        let weight = checkpoint.read(&self.weight)?;
        let read = |entry: &Entry| values(&checkpoint.read(entry)?, entry.elements());
        let (left, right) = (read(left)?, read(right)?);
        let mut screen = Screen::default();
        pieces(&weight, self.weight.elements(), |piece| {
            piece.iter().for_each(|value| screen.see(*value, || Position { row: 0, col: 0 }));
        })?;
        let exponent = if screen.largest > 0.0 { binary_exponent(screen.largest) } else { 0 };
        let mut best: Option<(Product, usize)> = None;
        for &axis in &self.axes {
            let found = product(Sliced::new(&self.weight.shape, Some(axis)), &weight, (&left, &right), exponent)?;
            let is_better = |best: &Product| found.agreement >= AGREEMENT && found.agreement > best.agreement;
            if best.as_ref().is_none_or(|(best, _)| is_better(best)) {
                best = Some((found, axis));
            }
        }
        let (Product { sigma: scaled, .. }, axis) = best.ok_or_else(|| self.error("has no axis of rows"))?;
        Ok(Some(Estimate {
            sigma: scale_by_power(scaled, exponent),
            left: length(&left),
            right: length(&right),
            axis,
            scaled,
            exponent,
            is_zero: screen.largest == 0.0 && screen.non_finite.is_none(),
            is_finite: screen.non_finite.is_none(),
        }))
    }

    /// The error of this weight.
    pub(super) fn error(&self, problem: &str) -> Error {
        Error::File {
            path: self.plain.file.clone(),
            tensor: Some(self.plain.name.clone()),
            problem: problem.to_owned(),
            source: None,
        }
    }
}

/// uᵀ W v of the scaled weight, and the smaller cosine of u with W v and of v with Wᵀ u.
struct Product {
    sigma: f64,
    agreement: f64,
}

fn product<S: ElementSource + ?Sized>(
    sliced: Sliced,
    weight: &S,
    (left, right): (&[f64], &[f64]),
    exponent: i32,
) -> Result<Product> {
    let (mut forward, mut backward) = (vec![0.0; left.len()], vec![0.0; right.len()]);
    let scaled = scaling(-exponent);
    sliced.visit(weight, |row, col, value| {
        let value = scaled(value);
        forward[row] += value * right[col];
        backward[col] += value * left[row];
    })?;
    let sigma = dot(left, &forward);
    let cosine = |product: f64, lengths: f64| if lengths > 0.0 { product / lengths } else { 0.0 };
    let agreement = cosine(sigma, length(left) * length(&forward));
    Ok(Product { sigma, agreement: agreement.min(cosine(sigma, length(right) * length(&backward))) })
}

fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(left, right)| left * right).sum()
}

fn length(vector: &[f64]) -> f64 {
    dot(vector, vector).sqrt()
}
