//! Singular vectors of several small matrices side by side, by one-sided Jacobi rotations.

use pulp::{Arch, Simd, WithSimd};

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
    Arch::new().dispatch(Sweeps { columns, rotations, cols, most })
}

/// Sweeps over all pairs of columns, compiled for each width of vectors.
///
/// Vectors by type, because a compiler would make vectors of rows, and compare addresses for longer than it rotates.
struct Sweeps<'a> {
    columns: &'a mut [Lanes],
    rotations: &'a mut [Lanes],
    cols: usize,
    most: usize,
}

impl WithSimd for Sweeps<'_> {
    type Output = [Option<usize>; LANES];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        match S::F64_LANES {
            8 => self.run::<S, 1>(simd),
            4 => self.run::<S, 2>(simd),
            2 => self.run::<S, 4>(simd),
            _ => self.run::<S, LANES>(simd),
        }
    }
}

impl Sweeps<'_> {
    #[inline(always)]
    fn run<S: Simd, const VECTORS: usize>(self, simd: S) -> [Option<usize>; LANES] {
        let (rows, cols) = (self.columns.len() / self.cols * VECTORS, self.cols * VECTORS);
        let columns: &mut [S::f64s] = bytemuck::cast_slice_mut(self.columns);
        let rotations: &mut [S::f64s] = bytemuck::cast_slice_mut(self.rotations);
        let mut needed = [None; LANES];
        let mut least = [NOISE; LANES];
        for sweep in 1..=self.most {
            let mut open = [simd.splat_f64s(0.0); VECTORS];
            let least_of_each: &[S::f64s] = bytemuck::cast_slice(&least);
            for second in 1..self.cols {
                for first in 0..second {
                    let (left, right) = columns.split_at_mut(second * rows);
                    let pair = (&mut left[first * rows..][..rows], &mut right[..rows]);
                    let turn = turn_of::<S, VECTORS>(simd, (&*pair.0, &*pair.1), least_of_each, &mut open);
                    rotate(simd, pair, &turn);
                    let (left, right) = rotations.split_at_mut(second * cols);
                    rotate(simd, (&mut left[first * cols..][..cols], &mut right[..cols]), &turn);
                }
            }
            let open: &[f64] = bytemuck::cast_slice(&open);
            for lane in 0..LANES {
                if open[lane] <= 0.0 && needed[lane].is_none() {
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

/// Sines and cosines of rotations.
type Turn<V, const VECTORS: usize> = ([V; VECTORS], [V; VECTORS]);

/// The rotations that make two columns orthogonal; `open` becomes positive where they are not yet so.
#[inline(always)]
fn turn_of<S: Simd, const VECTORS: usize>(
    simd: S,
    (a, b): (&[S::f64s], &[S::f64s]),
    least: &[S::f64s],
    open: &mut [S::f64s; VECTORS],
) -> Turn<S::f64s, VECTORS> {
    let zero = simd.splat_f64s(0.0);
    let (lost, one) = (simd.splat_f64s(LOST), simd.splat_f64s(1.0));
    let (mut sines, mut cosines) = ([zero; VECTORS], [zero; VECTORS]);
    for vector in 0..VECTORS {
        let (mut alpha, mut beta, mut gamma) = (zero, zero, zero);
        for (a, b) in a.iter().skip(vector).step_by(VECTORS).zip(b.iter().skip(vector).step_by(VECTORS)) {
            alpha = simd.mul_add_f64s(*a, *a, alpha);
            beta = simd.mul_add_f64s(*b, *b, beta);
            gamma = simd.mul_add_f64s(*a, *b, gamma);
        }
        let larger = simd.max_f64s(alpha, beta);
        let square = simd.mul_f64s(gamma, gamma);
        let allowed = simd.mul_add_f64s(simd.mul_f64s(larger, larger), simd.splat_f64s(ORTHOGONAL), lost);
        open[vector] = simd.max_f64s(open[vector], simd.sub_f64s(square, allowed));
        let noise = simd.mul_add_f64s(simd.mul_f64s(alpha, beta), least[vector], lost);
        let (difference, twice) = (simd.sub_f64s(beta, alpha), simd.add_f64s(gamma, gamma));
        let root = simd.sqrt_f64s(simd.mul_add_f64s(difference, difference, simd.mul_f64s(twice, twice)));
        let signed = simd.select_f64s(simd.less_than_f64s(difference, zero), simd.neg_f64s(twice), twice);
        let tangent = simd.div_f64s(signed, simd.add_f64s(simd.abs_f64s(difference), root));
        let tangent = simd.select_f64s(simd.less_than_f64s(noise, square), tangent, zero);
        cosines[vector] = simd.div_f64s(one, simd.sqrt_f64s(simd.mul_add_f64s(tangent, tangent, one)));
        sines[vector] = simd.mul_f64s(cosines[vector], tangent);
    }
    (sines, cosines)
}

/// [a, b] [[c, s], [-s, c]] of each pair of entries.
#[inline(always)]
fn rotate<S: Simd, const VECTORS: usize>(
    simd: S,
    (a, b): (&mut [S::f64s], &mut [S::f64s]),
    (sines, cosines): &Turn<S::f64s, VECTORS>,
) {
    for (a, b) in a.chunks_exact_mut(VECTORS).zip(b.chunks_exact_mut(VECTORS)) {
        for vector in 0..VECTORS {
            let (one, other, sine, cosine) = (a[vector], b[vector], sines[vector], cosines[vector]);
            a[vector] = simd.mul_add_f64s(cosine, one, simd.neg_f64s(simd.mul_f64s(sine, other)));
            b[vector] = simd.mul_add_f64s(cosine, other, simd.mul_f64s(sine, one));
        }
    }
}
