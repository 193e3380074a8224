//! An upper bound of a norm by products of the matrix with itself on the device, with rounding errors bounded
//! beforehand.
//!
//! ‖G‖² = ‖GᵀG‖ squares the ratios of singular values, so that after a few products a Frobenius norm is next to the
//! 2-norm.
//!
//! *Source*  Delattre, Barthélemy, Araujo and Allauzen, *Efficient bound of Lipschitz constant for convolutional layers
//! by Gram iteration*, 2023; here made rigorous.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::progress::Steps;
use crate::bound::Up;
use crate::bound::gamma;
use crate::norm::seed_from_system;
use crate::tensor::Matrix;
use crate::tensor::screen::{binary_exponent, power};
use crate::{Error, Result};

/// The product factor · GᵀG, by the device.
pub(super) trait Product {
    /// The product of a matrix with its own transpose, times a power of two; `tell` hears the number of finished rows.
    fn gram(&self, matrix: &Matrix, factor: f32, tell: &mut dyn FnMut(usize) -> Result<()>) -> Result<Matrix>;

    /// c such that each entry of the product is within gamma(c) of |G|ᵀ|G|, with a unit roundoff of 2^-23, but for
    /// underflow.
    fn roundings(&self, matrix: &Matrix) -> usize;

    /// The largest loss of an entry by underflow, for entries of G up to `largest`.
    fn flushed(&self, matrix: &Matrix, largest: f64, factor: f64) -> f64;
}

/// Bounds for a matrix of the iteration, and for the product that made it.
struct Level {
    /// An upper bound of ‖G‖, by its Frobenius norm or the Frobenius norm of G - s. *(C12)*
    norm: Up,
    /// An upper bound of ‖G‖_F.
    frobenius: Up,
    /// The factor of the product.
    factor: f64,
    /// An upper bound of ‖G - factor · HᵀH‖, where H is the matrix before. *(C11)*
    error: Up,
}

/// Products of a matrix with itself, in sequence.
pub(super) struct GramIteration<'a, P> {
    product: &'a P,
    latest: Matrix,
    levels: Vec<Level>,
}

impl<'a, P: Product> GramIteration<'a, P> {
    /// Begins with a matrix of one item with entries in [-2, 2].
    pub(super) async fn new(product: &'a P, matrix: Matrix) -> Result<Self> {
        let seen = Seen::of(&matrix, &[]).await?;
        let level = Level { norm: seen.frobenius, frobenius: seen.frobenius, factor: 1.0, error: Up::of(0.0) };
        Ok(Self { product, latest: matrix, levels: vec![level] })
    }

    /// An upper bound of the norm of the first matrix, from all products so far. *(C13)*
    pub(super) fn bound(&self) -> Up {
        let mut bound = Up::of(f64::INFINITY);
        for pair in self.levels.windows(2).rev() {
            let (before, after) = (&pair[0], &pair[1]);
            let square = (after.norm.min(bound) + after.error).over(after.factor);
            bound = square.sqrt().min(before.norm);
        }
        self.levels[0].norm.min(bound)
    }

    /// Multiplies once more, and checks the device's product on the host.
    ///
    /// # Errors
    /// [`Error::Arithmetic`] where a product is off by more than the allowed rounding.
    pub(super) async fn multiply(&mut self, steps: &mut Steps<'_>, number: usize, of: usize) -> Result<()> {
        let (terms, cols) = (self.latest.rows(), self.latest.cols());
        let frobenius = self.levels.last().map_or(Up::of(0.0), |level| level.frobenius);
        // The factor brings the largest eigenvalue of the product next to 1, so that nothing overflows and little
        // underflows.
        let exponent = -2 * binary_exponent(frobenius.value().max(f64::MIN_POSITIVE));
        let factor = power(exponent.clamp(-120, 120));
        let (before, all) = ((number - 1) * cols, of * cols);
        let mut tell = |rows: usize| steps.reach("rows of products", before + rows, all);
        let made = self.product.gram(&self.latest, factor as f32, &mut tell)?;
        // The signs are drawn after the product exists, so that the product cannot depend on them.
        let signs = signs(cols, seed_from_system());
        let expected = Expected::of(&self.latest, &signs).await?;
        let seen = Seen::of(&made, &signs).await?;
        let gamma_device = Up::device_gamma(self.product.roundings(&self.latest));
        let underflow = Up::of(self.product.flushed(&self.latest, frobenius.value(), factor)) * Up::of(cols as f64);
        // The host's own three sums round too, by 2^-53 each.
        let host = 3.0 * gamma(terms + cols + 4);
        let relative = gamma_device.value() + host;
        for (row, (found, exact)) in seen.images.iter().zip(&expected.images).enumerate() {
            let allowed =
                relative * factor * expected.magnitudes[row] + underflow.value() + host * seen.magnitudes[row];
            let difference = (0..CHECKS).map(|check| (found[check] - factor * exact[check]).abs()).fold(0.0, worse);
            if difference.is_nan() || difference > allowed * (1.0 + 1e-6) {
                return Err(Error::Arithmetic {
                    adapter: made.device().capabilities().name.clone(),
                    problem: format!(
                        "row {row} of a product is off by {difference:e}, where rounding explains {allowed:e}"
                    ),
                });
            }
        }
        // ‖|G|ᵀ|G|‖: the largest sum in a row, or the square of the Frobenius norm, whichever is less.
        let largest = expected.magnitudes.iter().copied().fold(0.0, f64::max);
        let sizes = Up::sum(largest, terms, terms + cols + 4).min(frobenius * frobenius);
        let error = Up::of(factor) * gamma_device * sizes + underflow;
        self.latest = made;
        self.levels.push(Level { norm: seen.frobenius.min(seen.shifted), frobenius: seen.frobenius, factor, error });
        Ok(())
    }
}

/// The number of sign vectors in the check of a product; an error passes all vectors with probability 2^-8 at most.
/// *(C15)*
const CHECKS: usize = 8;

/// Random signs, `CHECKS` for each column.
fn signs(cols: usize, seed: u64) -> Vec<[f64; CHECKS]> {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let mut draw = |_| {
        let bits = generator.next_u32();
        std::array::from_fn(|check| if bits >> check & 1 == 0 { 1.0 } else { -1.0 })
    };
    (0..cols).map(&mut draw).collect()
}

/// The larger of two numbers, or NaN where a number is NaN.
fn worse(left: f64, right: f64) -> f64 {
    if left.is_nan() || right.is_nan() { f64::NAN } else { left.max(right) }
}

/// Adds factor · vector to a sum.
fn add(sum: &mut [f64; CHECKS], factor: f64, vector: &[f64; CHECKS]) {
    sum.iter_mut().zip(vector).for_each(|(sum, value)| *sum += factor * value);
}

/// The findings of one look at a matrix.
struct Seen {
    /// An upper bound of ‖G‖_F.
    frobenius: Up,
    /// An upper bound s + ‖G - s‖_F, with s the mean of the diagonal; infinite where the matrix is not square.
    shifted: Up,
    /// G Z for the signs Z
    images: Vec<[f64; CHECKS]>,
    /// |G| 1
    magnitudes: Vec<f64>,
}

impl Seen {
    async fn of(matrix: &Matrix, signs: &[[f64; CHECKS]]) -> Result<Self> {
        let (rows, cols) = (matrix.rows(), matrix.cols());
        let (mut images, mut magnitudes) = (vec![[0.0; CHECKS]; rows], vec![0.0; rows]);
        let mut diagonal = Vec::new();
        let mut off_diagonal = 0.0;
        matrix
            .visit_rows(0, |row, entries| {
                entries.iter().zip(signs).for_each(|(entry, signs)| add(&mut images[row], f64::from(*entry), signs));
                magnitudes[row] = entries.iter().map(|entry| f64::from(entry.abs())).sum();
                let squares = |part: &[f32]| part.iter().map(|entry| f64::from(*entry).powi(2)).sum::<f64>();
                let (left, right) = entries.split_at(row.min(cols));
                off_diagonal += squares(left) + squares(right.get(1..).unwrap_or(&[]));
                diagonal.extend(right.first().map(|entry| f64::from(*entry)));
            })
            .await?;
        // A difference, a square, and the sums of a row and of the rows. No square of f32 numbers underflows.
        let above = |squares: f64| Up::sum(squares, rows, rows + cols + 6).sqrt();
        let on_diagonal: f64 = diagonal.iter().map(|entry| entry * entry).sum();
        let mean = diagonal.iter().sum::<f64>() / diagonal.len().max(1) as f64;
        let deviation: f64 = diagonal.iter().map(|entry| (entry - mean).powi(2)).sum();
        let shifted = Up::of(mean.abs()) + above(off_diagonal + deviation);
        let shifted = if rows == cols { shifted } else { Up::of(f64::INFINITY) };
        Ok(Self { frobenius: above(off_diagonal + on_diagonal), shifted, images, magnitudes })
    }
}

/// The expected product, by one look at its matrix.
struct Expected {
    /// Gᵀ G Z
    images: Vec<[f64; CHECKS]>,
    /// |G|ᵀ |G| 1
    magnitudes: Vec<f64>,
}

impl Expected {
    async fn of(matrix: &Matrix, signs: &[[f64; CHECKS]]) -> Result<Self> {
        let mut expected = Self { images: vec![[0.0; CHECKS]; matrix.cols()], magnitudes: vec![0.0; matrix.cols()] };
        matrix
            .visit_rows(0, |_, entries| {
                let mut image = [0.0; CHECKS];
                entries.iter().zip(signs).for_each(|(entry, signs)| add(&mut image, f64::from(*entry), signs));
                let magnitude: f64 = entries.iter().map(|entry| f64::from(entry.abs())).sum();
                let sums = expected.images.iter_mut().zip(&mut expected.magnitudes);
                for (entry, (sum, above)) in entries.iter().zip(sums) {
                    add(sum, f64::from(*entry), &image);
                    *above += f64::from(entry.abs()) * magnitude;
                }
            })
            .await?;
        Ok(expected)
    }
}
