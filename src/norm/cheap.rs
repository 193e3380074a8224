//! Bounds that take one look at each entry.

use super::dense::{frobenius, infinity, one};
use super::{Arithmetic, Bounds, Guarantee};
use crate::operator::enclosure::{device_gamma, down, up};
use crate::tensor::Matrix;
use crate::tensor::screen::scale_by_power;
use crate::{Result, ops, probe};

/// The norms of a matrix that need no solver, and what they say of the spectral norm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CheapNorms {
    /// The Frobenius norm ‖A‖_F.
    pub frobenius: f64,
    /// The largest column sum of magnitudes ‖A‖₁.
    pub one: f64,
    /// The largest row sum of magnitudes ‖A‖_∞.
    pub infinity: f64,
    /// Proven bounds of ‖A‖₂, rounding included: ‖A‖_F / √(shorter side) and min(‖A‖_F, √(‖A‖₁ ‖A‖_∞)).
    pub bounds: Bounds,
}

impl CheapNorms {
    /// √(‖A‖₁ ‖A‖_∞), which ‖A‖₂ is not above (Schur 1911).
    pub fn schur(&self) -> f64 {
        // the roots first: the product alone can leave the range of f64
        self.one.sqrt() * self.infinity.sqrt()
    }
}

/// The Frobenius, 1- and inf-norm of each matrix of a batch, and the bounds of the spectral norm that follow: none on a
/// device whose arithmetic is not what WGSL promises.
///
/// ```
/// use opnorm::{Gpu, Matrix, norm::cheap_norms};
/// let matrix = Matrix::from_slice(&Gpu::new()?, 2, 2, &[3.0, 4.0, 0.0, 5.0])?;
/// let norms = cheap_norms(&matrix)?[0];
/// assert!((norms.schur() - 63f64.sqrt()).abs() < 1e-6);
/// assert!(norms.bounds.lower <= 45f64.sqrt() && norms.bounds.upper < 7.08);
/// # Ok::<(), opnorm::Error>(())
/// ```
///
/// # Errors
/// [`crate::Error::TooLarge`], [`crate::Error::DeviceLost`].
pub fn cheap_norms(matrix: &Matrix) -> Result<Vec<CheapNorms>> {
    let trusted = probe::arithmetic(matrix.gpu())?.upholds_wgsl();
    let norms = frobenius(matrix)?.into_iter().zip(one(matrix)?).zip(infinity(matrix)?);
    let enclosed = norms.enumerate().map(|(item, ((frobenius, one), infinity))| {
        let norms = enclose(matrix, item, [frobenius, one, infinity]);
        if trusted { norms } else { CheapNorms { bounds: Bounds::NONE, ..norms } }
    });
    Ok(enclosed.collect())
}

/// Bounds from sums that the device rounded. *(C14)*
fn enclose(matrix: &Matrix, item: usize, [frobenius, one, infinity]: [f64; 3]) -> CheapNorms {
    // Next to the ends of the range of f64 the norms themselves are rounded by more than the kernels do.
    const ORDINARY: std::ops::Range<f64> = 1e-280..1e280;
    let known = matrix.is_zero(item) || [frobenius, one, infinity].iter().all(|norm| ORDINARY.contains(norm));
    if matrix.non_finite(item).is_some() || !known {
        return CheapNorms { frobenius, one, infinity, bounds: Bounds::NONE };
    }
    let (rows, cols) = (matrix.rows() as f64, matrix.cols() as f64);
    let held = |norm: f64| scale_by_power(norm, -matrix.exponent(item));
    // How long the sums of the three kernels are; a segment of magnitudes by rows never has more terms than there are rows.
    let squares = matrix.panels().iter().map(|panel| ops::panel_segments(matrix.gpu(), panel, matrix.quads()).length);
    let of_squares = device_gamma(squares.max().unwrap_or(0) + 4);
    let of_columns = device_gamma(ops::Segments::for_rows(matrix.gpu(), matrix.rows()).length.min(matrix.rows()) + 2);
    let of_rows = device_gamma(ops::Segments::for_lane(matrix.quads()).length.min(matrix.quads()) + 4);
    // Entries below 2^-63, whose squares may be flushed, and entries below 2^-126, which may be flushed themselves.
    let lost = up((rows * cols).sqrt() * 2f64.powi(-62));
    let flushed = up(rows.max(cols) * 2f64.powi(-126));
    let above = |norm: f64, relative: f64, absolute: f64| up(up(held(norm) / down(1.0 - 2.0 * relative)) + absolute);
    let frobenius_above = above(frobenius, of_squares, lost);
    let schur_above = up(up(above(one, of_columns, flushed) * above(infinity, of_rows, flushed)).sqrt());
    let below = down(held(frobenius) * down(1.0 - 2.0 * of_squares)) / up(rows.min(cols).max(1.0).sqrt());
    let bounds = if matrix.is_zero(item) || rows * cols == 0.0 {
        Bounds { lower: 0.0, upper: 0.0, guarantee: CERTIFIED }
    } else {
        Bounds { lower: down(below).max(0.0), upper: frobenius_above.min(schur_above), guarantee: CERTIFIED }
    };
    CheapNorms { frobenius, one, infinity, bounds: bounds.scaled(matrix.exponent(item)) }
}

const CERTIFIED: Guarantee = Guarantee::Certified { arithmetic: Arithmetic::Wgsl };
