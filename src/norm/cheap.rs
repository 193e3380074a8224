//! The Frobenius, 1- and inf-norm together, and the bounds of the spectral norm that they prove.

use super::dense::{held_frobenius, held_infinity, held_one, scaled};
use super::{Arithmetic, Bounds, Guarantee};
use crate::bound::Up;
use crate::bound::{device_gamma, down};
use crate::tensor::Matrix;
use crate::tensor::screen::power;
use crate::{Result, ops, probe};

/// The norms of a matrix that need no solver, and the bounds of the spectral norm that follow from them.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct CheapNorms {
    /// The Frobenius norm ‖A‖_F.
    pub frobenius: f64,
    /// The largest column sum of magnitudes ‖A‖₁.
    pub one: f64,
    /// The largest row sum of magnitudes ‖A‖_∞.
    pub infinity: f64,
    /// Proven bounds of ‖A‖₂, rounding included: ‖A‖_F / √(shorter side) and min(‖A‖_F, √(‖A‖₁ ‖A‖_∞)).
    ///
    /// The bounds are finite for every matrix whose norm is below 0.999 times the largest `f64`.
    pub bounds: Bounds,
}

impl CheapNorms {
    /// The bound √(‖A‖₁ ‖A‖_∞), which ‖A‖₂ is not above (Schur 1911).
    pub fn schur(&self) -> f64 {
        // The roots come first because the product alone can leave the range of f64.
        self.one.sqrt() * self.infinity.sqrt()
    }
}

/// The Frobenius, 1- and inf-norm of each matrix of a batch, with the bounds of the spectral norm that follow.
///
/// There are no bounds on a device whose arithmetic breaks WGSL's promise.
///
/// ```
/// use opnorm::{Device, Matrix, norm::cheap_norms};
/// let matrix = Matrix::from_slice(&Device::new()?, 2, 2, &[3.0, 4.0, 0.0, 5.0])?;
/// let norms = cheap_norms(&matrix)?[0];
/// assert!((norms.schur() - 63f64.sqrt()).abs() < 1e-6);
/// assert!(norms.bounds.lower <= 45f64.sqrt() && norms.bounds.upper < 7.08);
/// # Ok::<(), opnorm::Error>(())
/// ```
///
/// # Errors
/// [`crate::Error::TooLarge`], [`crate::Error::DeviceLost`].
pub fn cheap_norms(matrix: &Matrix) -> Result<Vec<CheapNorms>> {
    matrix.device().block_on(cheap_norms_async(matrix))
}

async fn cheap_norms_async(matrix: &Matrix) -> Result<Vec<CheapNorms>> {
    let trusted = probe::arithmetic(matrix.device())?.upholds_wgsl() && probe::host_violation().is_none();
    let held = [held_frobenius(matrix).await?, held_one(matrix).await?, held_infinity(matrix).await?];
    let bounds: Vec<_> = (0..matrix.batch())
        .map(|item| match trusted && matrix.non_finite(item).is_none() {
            true => enclose(matrix, item, [held[0][item], held[1][item], held[2][item]]),
            false => Bounds::NONE,
        })
        .collect();
    let [frobenius, one, infinity] = held.map(|norms| scaled(matrix, norms));
    let norms = bounds.into_iter().enumerate().map(|(item, bounds)| CheapNorms {
        frobenius: frobenius[item],
        one: one[item],
        infinity: infinity[item],
        bounds,
    });
    Ok(norms.collect())
}

/// Bounds from the device's rounded sums. The device holds entries of about unit size. *(C14)*
fn enclose(matrix: &Matrix, item: usize, [frobenius, one, infinity]: [f64; 3]) -> Bounds {
    let (rows, cols) = (matrix.rows() as f64, matrix.cols() as f64);
    if matrix.is_zero(item) || rows * cols == 0.0 {
        return Bounds { lower: 0.0, upper: 0.0, guarantee: CERTIFIED };
    }
    // The lengths of the sums of the three kernels. A segment of magnitudes by rows has no more terms than rows.
    let squares =
        matrix.panels().iter().map(|panel| ops::panel_segments(matrix.device(), panel, matrix.quads()).length);
    let of_squares = 2.0 * device_gamma(squares.max().unwrap_or(0) + 4);
    let of_columns = ops::Segments::for_rows(matrix.device(), matrix.rows()).length.min(matrix.rows()) + 2;
    let of_rows = ops::Segments::for_lane(matrix.quads()).length.min(matrix.quads()) + 4;
    // Entries below 2^-63, whose squares may be flushed, and entries below 2^-126, which may be flushed themselves.
    let underflow = Up::of(rows * cols).sqrt() * Up::of(power(-62));
    let flushed = Up::of(rows.max(cols)) * Up::of(power(-126));
    let above = |norm: f64, relative: f64, absolute: Up| Up::of(norm).over(down(1.0 - relative).max(0.0)) + absolute;
    let sum_above = |norm: f64, terms: usize| above(norm, 2.0 * device_gamma(terms), flushed);
    let schur = (sum_above(one, of_columns) * sum_above(infinity, of_rows)).sqrt();
    let upper = above(frobenius, of_squares, underflow).min(schur).value();
    let root = Up::of(rows.min(cols)).sqrt().value();
    let lower = down(down(frobenius * down(1.0 - of_squares)) / root).max(0.0);
    let held = Bounds { lower, upper, guarantee: CERTIFIED };
    // An entry that was scaled down on its way to the device may have lost less than 2^-149.
    let lost = if matrix.exponent(item) > 0 { Up::of(rows * cols).sqrt() * Up::of(power(-149)) } else { Up::of(0.0) };
    held.widened(lost.value()).scaled(matrix.exponent(item))
}

const CERTIFIED: Guarantee = Guarantee::Certified { arithmetic: Arithmetic::Wgsl };
