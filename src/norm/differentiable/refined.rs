//! Leading singular triplets in `f64` on the host, from vectors that `f32` could not tell apart any further.
//!
//! An error of 1e-7 in a product turns the vectors of two values by 1e-7 / gap, for a relative gap between the values.
//! Products in `f64` give the vectors of the `f32` entries to a few roundings.

use faer::{Mat, MatRef};

use super::dense::{Decomposition, SINGLE, canonical, distance, nothing};
use crate::norm::top::{Ritz, beside, orthonormal};

/// The largest work (shorter side)² × longer side of a decomposition that takes a moment.
const SMALL: usize = 1 << 26;

/// Whether the whole matrix is decomposed rather than searched.
pub(super) fn is_small((rows, cols): (usize, usize)) -> bool {
    let (short, long) = (rows.min(cols), rows.max(cols));
    short.saturating_mul(short).saturating_mul(long) <= SMALL
}

/// u, v and the distance to the nearest other value, in units of the largest, of each of the `count` largest values.
///
/// All are zero for a value that is zero to the precision of `f32` entries. The result is `None` where the search stops
/// short of the accuracy. `rights` are right vectors to start from.
pub(super) fn refined(entries: &[f64], sizes: (usize, usize), rights: &[Vec<f64>], count: usize) -> Option<Vec<f64>> {
    if is_small(sizes) {
        let dense = Decomposition::of(entries, sizes)?;
        return Some((0..count).flat_map(|rank| dense.packed(rank, SINGLE)).collect());
    }
    let matrix = MatRef::from_row_major_slice(entries, sizes.0, sizes.1);
    // The basis is on the shorter side.
    let transposed = sizes.1 > sizes.0;
    let start = Mat::from_fn(sizes.1, rights.len(), |row, col| rights[col][row]);
    let (matrix, start) = if transposed { (matrix.transpose(), matrix * start) } else { (matrix, start) };
    let found = search(matrix, start.as_ref(), count)?;
    let largest = *found.values.first()?;
    let column = |vectors: &Mat<f64>, rank: usize| vectors.col(rank).iter().copied().collect::<Vec<f64>>();
    let packed = |rank: usize| {
        let value = found.values[rank];
        if value <= nothing(SINGLE, sizes) * largest || largest == 0.0 {
            return vec![0.0; sizes.0 + sizes.1 + 1];
        }
        let (long, short) = (column(&found.long, rank), column(&found.short, rank));
        let (left, right) = if transposed { canonical(short, long) } else { canonical(long, short) };
        let apart = distance(&found.values, rank, sizes.0 == sizes.1) / largest;
        left.into_iter().chain(right).chain([apart]).collect()
    };
    Some((0..count).flat_map(packed).collect())
}

/// The part of the distance to the nearest other value that a residual may have: the angle of the vectors' error.
const TURN: f64 = 1e-8;

/// The least residual, in units of the largest value, that `f64` products reach.
const FLOOR: f64 = 1e-13;

/// The limit of rounds, each of two products with a block of vectors.
const ROUNDS: usize = 400;

/// The blocks of a space at which the search cuts the space down to its leading vectors.
const BLOCKS: usize = 20;

/// The `count` + 1 leading triplets by a block Krylov subspace, which the residuals extend round by round.
///
/// The block is wider than `count`, so that the block holds the next value, and copies.
fn search(matrix: MatRef<'_, f64>, start: MatRef<'_, f64>, count: usize) -> Option<Ritz> {
    let cols = matrix.ncols();
    let wanted = (count + 1).min(cols.min(matrix.nrows()));
    let width = (count + 2).min(cols);
    let mut basis = orthonormal(start.subcols(0, start.ncols().min(width)), width);
    let mut products = matrix * &basis;
    for _ in 0..ROUNDS {
        let ritz = Ritz::on(Some(basis.as_ref()), products.as_ref())?;
        let residuals = residuals(matrix, &ritz, width);
        let largest = *ritz.values.first()?;
        let is_sharp = |rank: usize| {
            let residual = residuals.col(rank).norm_l2();
            let apart = distance(&ritz.values[..wanted.max(width)], rank, false);
            residual <= (TURN * apart).max(FLOOR * largest)
        };
        if (0..count).all(is_sharp) || basis.ncols() == cols {
            return Some(ritz.truncated(wanted));
        }
        if basis.ncols() + width > (BLOCKS * width).min(cols) {
            let kept = (3 * width).min(cols - width).min(ritz.values.len());
            let shorter = ritz.truncated(kept);
            products = Mat::from_fn(matrix.nrows(), kept, |row, col| shorter.long[(row, col)] * shorter.values[col]);
            basis = shorter.short;
        }
        let fresh = off(basis.as_ref(), residuals);
        let images = matrix * &fresh;
        basis = beside(&basis, &fresh);
        products = beside(&products, &images);
    }
    None
}

/// The residuals Aᵀu - sigma v of the first triplets; A v = sigma u holds by construction.
fn residuals(matrix: MatRef<'_, f64>, ritz: &Ritz, width: usize) -> Mat<f64> {
    let mut residuals = matrix.transpose() * ritz.long.subcols(0, width);
    for (rank, sigma) in ritz.values[..width].iter().enumerate() {
        (0..residuals.nrows()).for_each(|row| residuals[(row, rank)] -= sigma * ritz.short[(row, rank)]);
    }
    residuals
}

/// Orthonormal columns along `vectors`, orthogonal to the columns of `basis`.
fn off(basis: MatRef<'_, f64>, mut vectors: Mat<f64>) -> Mat<f64> {
    // A converged residual is all rounding; scaled to length 1 the residual is a direction like any other.
    for column in vectors.col_iter_mut() {
        let length = column.norm_l2();
        if length > 0.0 {
            column.iter_mut().for_each(|entry| *entry /= length);
        }
    }
    let mut fresh = vectors;
    for _ in 0..3 {
        let along = basis.transpose() * &fresh;
        fresh -= basis * along;
        fresh = fresh.qr().compute_thin_Q();
    }
    fresh
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A diagonal between two reflections.
    fn reflected(values: &[f64], (rows, cols): (usize, usize)) -> Mat<f64> {
        let reflection = |size: usize, shift: f64| {
            let v: Vec<f64> =
                (0..size).map(|index| (1.0 + (index as f64 * 12.9898 + shift).sin() * 437.5453).fract()).collect();
            let square: f64 = v.iter().map(|x| x * x).sum();
            Mat::from_fn(size, size, move |row, col| f64::from(u8::from(row == col)) - 2.0 * v[row] * v[col] / square)
        };
        let diagonal =
            Mat::from_fn(rows, cols, |row, col| if row == col { values.get(row).copied().unwrap_or(0.0) } else { 0.0 });
        reflection(rows, 0.3) * diagonal * reflection(cols, 0.7)
    }

    #[test]
    fn close_values_are_told_apart() {
        for (rows, cols) in [(90, 60), (60, 90), (70, 70)] {
            for gap in [1e-2, 1e-4, 1e-6, 1e-8] {
                let values: Vec<f64> = (0..60)
                    .map(|rank| match rank {
                        0 => 1.0,
                        1 => 1.0 - gap,
                        _ => 0.9 * 0.97f64.powi(rank),
                    })
                    .collect();
                let matrix = reflected(&values, (rows, cols));
                let exact = matrix.thin_svd().unwrap();
                // A start that is both vectors mixed.
                let mixed = Mat::from_fn(cols, 1, |row, _| 0.8 * exact.V()[(row, 0)] + 0.6 * exact.V()[(row, 1)]);
                let found = search(matrix.as_ref(), mixed.as_ref(), 1).unwrap();
                let along: f64 = (0..cols).map(|row| found.short[(row, 0)] * exact.V()[(row, 0)]).sum();
                let turned = (1.0 - along * along).abs().sqrt();
                assert!(turned <= 1e-6f64.max(1e-13 / gap), "{rows} x {cols}, gap {gap:e}: {turned:e}");
                let apart = (found.values[0] - found.values[1]) / found.values[0];
                assert!((apart / gap - 1.0).abs() < 1e-4, "{rows} x {cols}, gap {gap:e}: {apart:e}");
            }
        }
    }
}
