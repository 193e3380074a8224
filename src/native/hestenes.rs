//! Singular vectors of several small matrices side by side, by one-sided Jacobi rotations.

use super::wide::wide;

/// Matrices side by side: each loop over them is a few vectors of `f64`.
pub(crate) const LANES: usize = 8;

/// One number of each matrix.
pub(crate) type Lanes = [f64; LANES];

/// (a · b)² / max(|a|, |b|)⁴ of columns that count as orthogonal. The largest value is then off by 2^-80, relative, and
/// by the cosine 2^-40 of the angle where both columns have its length.
const ORTHOGONAL: f64 = 1.0 / (1u128 << 80) as f64;

/// cos² of the angle below which a rotation would change nothing but roundings.
const NOISE: f64 = 1.0 / (1u128 << 106) as f64;

/// A square of a product that has lost its digits: far below the squares that matter, of entries from 2^-40 on.
const LOST: f64 = 1e-300;

wide! {
    /// Rotates the columns of each matrix until they are orthogonal, and the columns of `rotations` alike, for at most
    /// so many sweeps over all pairs; the number of sweeps of each matrix, where these sufficed.
    ///
    /// With A the matrix and Q the rotations from the identity on, A Q has the singular values as norms of its columns
    /// and left vectors as their directions, and Q has the right vectors. A matrix that is done is not rotated any
    /// more, so that its numbers do not depend on those beside it, but for the signs of zeros.
    ///
    /// Source: Hestenes, *Inversion of matrices by biorthogonalization and related results* (1958).
    ///
    /// *Shapes*  `columns`: cols × rows · `rotations`: cols × cols, column by column
    pub(crate) fn orthogonalise_columns(
        columns: &mut [Lanes],
        rotations: &mut [Lanes],
        cols: usize,
        most: usize,
    ) -> [Option<usize>; LANES] {
        let rows = columns.len() / cols;
        let mut needed = [None; LANES];
        let mut least = [NOISE; LANES];
        for sweep in 1..=most {
            let mut open = [false; LANES];
            for second in 1..cols {
                for first in 0..second {
                    let (left, right) = columns.split_at_mut(second * rows);
                    let pair = (&mut left[first * rows..][..rows], &mut right[..rows]);
                    let (sines, cosines) = rotation(&*pair.0, &*pair.1, &least, &mut open);
                    rotate(pair, &sines, &cosines);
                    let (left, right) = rotations.split_at_mut(second * cols);
                    rotate((&mut left[first * cols..][..cols], &mut right[..cols]), &sines, &cosines);
                }
            }
            for lane in 0..LANES {
                if !open[lane] && needed[lane].is_none() {
                    (needed[lane], least[lane]) = (Some(sweep), f64::INFINITY);
                }
            }
            if needed.iter().all(Option::is_some) {
                break;
            }
        }
        needed
    }
}

/// Sine and cosine of the rotation that makes two columns orthogonal, and whether they are not yet so.
#[inline(always)]
fn rotation(a: &[Lanes], b: &[Lanes], least: &Lanes, open: &mut [bool; LANES]) -> (Lanes, Lanes) {
    let (mut squares_a, mut squares_b, mut products) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            squares_a[lane] = a[lane].mul_add(a[lane], squares_a[lane]);
            squares_b[lane] = b[lane].mul_add(b[lane], squares_b[lane]);
            products[lane] = a[lane].mul_add(b[lane], products[lane]);
        }
    }
    let (mut sines, mut cosines) = ([0.0; LANES], [0.0; LANES]);
    for lane in 0..LANES {
        let (alpha, beta, gamma) = (squares_a[lane], squares_b[lane], products[lane]);
        let (larger, square) = (alpha.max(beta), gamma * gamma);
        open[lane] |= square > (larger * larger).mul_add(ORTHOGONAL, LOST);
        let rotates = square > (alpha * beta).mul_add(least[lane], LOST);
        let (difference, twice) = (beta - alpha, 2.0 * gamma);
        let root = difference.mul_add(difference, twice * twice).sqrt();
        let signed = if difference < 0.0 { -twice } else { twice };
        let tangent = if rotates { signed / (difference.abs() + root) } else { 0.0 };
        cosines[lane] = 1.0 / tangent.mul_add(tangent, 1.0).sqrt();
        sines[lane] = cosines[lane] * tangent;
    }
    (sines, cosines)
}

#[inline(always)]
fn rotate((a, b): (&mut [Lanes], &mut [Lanes]), sines: &Lanes, cosines: &Lanes) {
    for (a, b) in a.iter_mut().zip(b) {
        for lane in 0..LANES {
            let (one, other) = (a[lane], b[lane]);
            a[lane] = cosines[lane].mul_add(one, -(sines[lane] * other));
            b[lane] = cosines[lane].mul_add(other, sines[lane] * one);
        }
    }
}
