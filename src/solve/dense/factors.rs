//! The commands of a factorisation and of a solution, and the judgement of pivots.

use crate::Result;
use crate::device::{Buffer, Recorder};
use crate::ops::{self, Axis, Factors, Span, Triangle};
use crate::tensor::volume;

/// The end of the factorisation of a matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LuStatus {
    /// Every pivot is more than rounding noise.
    Regular,
    /// The matrix is singular to the precision of `f32`: the pivot of a column is zero, or at most 2^-22 times the sum
    /// Σ |L| |U| of the products that were taken from the pivot.
    Singular {
        /// The first such column, a combination of the columns before.
        column: usize,
    },
    /// An entry is not finite, or a factor exceeds the range of `f32`.
    NonFinite,
}

/// The logarithm and the sign of a determinant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Determinant {
    /// ln |det A|: minus infinity for a singular matrix, NaN for one that is not finite.
    pub log_abs: f64,
    /// 1 or -1; 0 for a singular matrix, NaN for one that is not finite.
    pub sign: f64,
}

/// The part of a sum of magnitudes below which a difference is noise: four roundings of `f32`.
const NOISE: f64 = 4.0 * f32::EPSILON as f64 / 2.0;

/// The elements of the factors of some matrices.
pub(in crate::solve) fn shape(batch: usize, size: usize) -> [usize; 3] {
    [batch, size + 2, size]
}

/// The elements that [`judged`] reads.
pub(in crate::solve) fn pivots_len(batch: usize, size: usize) -> usize {
    volume(&[batch, size, 3])
}

/// Records the factorisation P A = L U of each matrix, and the pivots for [`judged`].
///
/// *Shapes*  `matrices`: batch × size × size · `pivots`: [`pivots_len`]
pub(in crate::solve) fn factor(
    recorder: &mut Recorder,
    matrices: &Buffer<f32>,
    factors: Factors<'_>,
    pivots: &Buffer<f32>,
) -> Result<()> {
    let Factors { buffer, batch, size } = factors;
    // The pivots and the permutation follow the rows of a matrix.
    let rows = Axis { outer: batch, length: size, inner: size };
    ops::window(recorder, rows, Span { start: 0, length: size + 2 }, matrices, buffer)?;
    let width = ops::lu_panel_width(recorder.device(), size).max(1);
    for first in (0..size).step_by(width) {
        let columns = first..size.min(first + width);
        ops::lu_panel(recorder, factors, columns.clone())?;
        if columns.len() < size {
            ops::lu_rows(recorder, factors, columns.clone())?;
        }
        if columns.end < size {
            ops::lu_update(recorder, factors, columns)?;
        }
    }
    ops::lu_diagonal(recorder, factors, pivots)
}

/// Records the solutions of A x = b, or of Aᵀ x = b where `transposed`.
///
/// *Shapes*  `given`, `solutions`: batch × vectors × size · `work`: as many elements where `transposed`
pub(in crate::solve) fn solve(
    recorder: &mut Recorder,
    factors: Factors<'_>,
    transposed: bool,
    (vectors, given): (usize, &Buffer<f32>),
    work: &Buffer<f32>,
    solutions: &Buffer<f32>,
) -> Result<()> {
    if !transposed {
        ops::lu_permute(recorder, factors, vectors, false, given, solutions)?;
        substitute(recorder, factors, Triangle { upper: false, transposed }, vectors, solutions)?;
        return substitute(recorder, factors, Triangle { upper: true, transposed }, vectors, solutions);
    }
    let work = work.slice(0..given.len());
    recorder.copy(given, &work)?;
    substitute(recorder, factors, Triangle { upper: true, transposed }, vectors, &work)?;
    substitute(recorder, factors, Triangle { upper: false, transposed }, vectors, &work)?;
    ops::lu_permute(recorder, factors, vectors, true, &work, solutions)
}

fn substitute(
    recorder: &mut Recorder,
    factors: Factors<'_>,
    triangle: Triangle,
    vectors: usize,
    solutions: &Buffer<f32>,
) -> Result<()> {
    let size = factors.size;
    let steps = ops::lu_solve_steps(recorder.device(), size);
    for first in (0..size).step_by(steps) {
        ops::lu_solve(recorder, factors, triangle, first..size.min(first + steps), vectors, solutions)?;
    }
    Ok(())
}

/// The status and the determinant of each item, by its pivots.
///
/// *Shapes*  `pivots`: [`pivots_len`]
pub(in crate::solve) fn judged(pivots: &[f32], batch: usize, size: usize) -> Vec<(LuStatus, Determinant)> {
    (0..batch).map(|item| judge(&pivots[item * size * 3..][..size * 3])).collect()
}

fn judge(pivots: &[f32]) -> (LuStatus, Determinant) {
    let pivots = || pivots.chunks_exact(3).map(|entries| [entries[0], entries[1], entries[2]].map(f64::from));
    if pivots().any(|[pivot, ..]| !pivot.is_finite()) {
        return (LuStatus::NonFinite, Determinant { log_abs: f64::NAN, sign: f64::NAN });
    }
    if let Some(column) = pivots().position(|[pivot, taken, _]| pivot.abs() <= NOISE * taken) {
        return (LuStatus::Singular { column }, Determinant { log_abs: f64::NEG_INFINITY, sign: 0.0 });
    }
    let turned = pivots().enumerate().filter(|(row, [pivot, _, from])| (*pivot < 0.0) != (*from != *row as f64));
    let sign = if turned.count().is_multiple_of(2) { 1.0 } else { -1.0 };
    (LuStatus::Regular, Determinant { log_abs: pivots().map(|[pivot, ..]| pivot.abs().ln()).sum(), sign })
}
