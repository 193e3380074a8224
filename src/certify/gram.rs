//! An upper bound of a norm by products of the matrix with itself on the device, their rounding errors bounded beforehand.
//!
//! Gram iteration (Delattre, Barthélemy, Araujo and Allauzen, *Efficient bound of Lipschitz constant for convolutional
//! layers by Gram iteration*, 2023), made rigorous: ‖G‖² = ‖GᵀG‖ squares ratios of singular values, so that after a few
//! products a Frobenius norm is next to the 2-norm.

use super::progress::Steps;
use crate::norm::random_signs;
use crate::operator::enclosure::{device_gamma, gamma, sum_above, up};
use crate::tensor::Matrix;
use crate::tensor::screen::binary_exponent;
use crate::{Error, Result};

/// factor · GᵀG, as the device works it out.
pub(super) trait Product {
    /// The product of a matrix with its own transpose, times a power of two; `tell` hears how many of its rows are done.
    fn gram(&self, matrix: &Matrix, factor: f32, tell: &mut dyn FnMut(usize) -> Result<()>) -> Result<Matrix>;

    /// c, where each entry of the product is within gamma(c) of |G|ᵀ|G|, with a unit roundoff of 2^-23, but for what
    /// underflows.
    fn roundings(&self, matrix: &Matrix) -> usize;

    /// What underflows of an entry at the most, for entries of G up to `largest`.
    fn flushed(&self, matrix: &Matrix, largest: f64, factor: f64) -> f64;
}

/// What is known of a matrix of the iteration, and of the product that made it.
struct Level {
    /// ‖G‖ is at most this, by its Frobenius norm or by that of G - s. *(C12)*
    norm: f64,
    /// ‖G‖_F at the most.
    frobenius: f64,
    /// The factor of the product.
    factor: f64,
    /// ‖G - factor · HᵀH‖ at the most, H being the matrix before. *(C11)*
    error: f64,
}

/// Products of a matrix with itself, one after the other.
pub(super) struct GramIteration<'a, P> {
    product: &'a P,
    latest: Matrix,
    levels: Vec<Level>,
    /// Random signs z, and G z, |G| 1 for the latest matrix: what checks the next product.
    signs: Vec<f64>,
    images: (Vec<f64>, Vec<f64>),
}

impl<'a, P: Product> GramIteration<'a, P> {
    /// Begins with a matrix of one item whose entries lie within [-2, 2].
    pub(super) async fn new(product: &'a P, matrix: Matrix) -> Result<Self> {
        let signs = random_signs(matrix.cols());
        let seen = Seen::of(&matrix, &signs).await?;
        let level = Level { norm: seen.frobenius, frobenius: seen.frobenius, factor: 1.0, error: 0.0 };
        Ok(Self { product, latest: matrix, levels: vec![level], signs, images: (seen.image, seen.magnitudes) })
    }

    /// An upper bound of the norm of the first matrix, from all products so far. *(C13)*
    pub(super) fn bound(&self) -> f64 {
        let mut bound = f64::INFINITY;
        for pair in self.levels.windows(2).rev() {
            let (before, after) = (&pair[0], &pair[1]);
            let square = up(up(after.norm.min(bound) + after.error) / after.factor);
            bound = up(square.sqrt()).min(before.norm);
        }
        self.levels[0].norm.min(bound)
    }

    /// Multiplies once more, and checks what the device says against the host.
    ///
    /// # Errors
    /// [`Error::Arithmetic`] where a product is not what it must be, rounding allowed for.
    pub(super) async fn multiply(&mut self, steps: &mut Steps<'_>, number: usize, of: usize) -> Result<()> {
        let (terms, cols) = (self.latest.rows(), self.latest.cols());
        let frobenius = self.levels.last().map_or(0.0, |level| level.frobenius);
        // Brings the largest eigenvalue of the product next to 1, so that nothing overflows and little underflows.
        let exponent = -2 * binary_exponent(frobenius.max(f64::MIN_POSITIVE));
        let factor = 2f64.powi(exponent.clamp(-120, 120));
        let (before, all) = ((number - 1) * cols, of * cols);
        let mut tell = |rows: usize| steps.reach("rows of products", before + rows, all);
        let made = self.product.gram(&self.latest, factor as f32, &mut tell)?;
        let (back, magnitudes) = adjoint_images(&self.latest, &self.images).await?;
        let seen = Seen::of(&made, &self.signs).await?;
        let gamma_device = device_gamma(self.product.roundings(&self.latest));
        let underflow = up(self.product.flushed(&self.latest, frobenius, factor));
        for (row, found) in seen.image.iter().enumerate() {
            // The host's own sums round too: 2^-53, three of them one after the other.
            let host = 3.0 * gamma(terms + cols + 4);
            let allowed = (gamma_device + host) * factor * magnitudes[row]
                + underflow * cols as f64
                + host * seen.magnitudes[row];
            let difference = (found - factor * back[row]).abs();
            if difference.is_nan() || difference > allowed * (1.0 + 1e-6) {
                return Err(Error::Arithmetic {
                    adapter: made.gpu().capabilities().name.clone(),
                    problem: format!(
                        "row {row} of a product is off by {difference:e}, where rounding explains {allowed:e}"
                    ),
                });
            }
        }
        let square = up(frobenius * frobenius);
        let error = up(up(factor * up(gamma_device * square)) + up(underflow * cols as f64));
        let norm = seen.frobenius.min(seen.shifted);
        self.latest = made;
        self.images = (seen.image, seen.magnitudes);
        self.levels.push(Level { norm, frobenius: seen.frobenius, factor, error });
        Ok(())
    }
}

/// What one look at a matrix tells.
struct Seen {
    /// ‖G‖_F at the most.
    frobenius: f64,
    /// s + ‖G - s‖_F at the most, s being the mean of the diagonal; infinite where the matrix is not square.
    shifted: f64,
    /// G z
    image: Vec<f64>,
    /// |G| 1
    magnitudes: Vec<f64>,
}

impl Seen {
    async fn of(matrix: &Matrix, signs: &[f64]) -> Result<Self> {
        let (rows, cols) = (matrix.rows(), matrix.cols());
        let (mut image, mut magnitudes) = (vec![0.0; rows], vec![0.0; rows]);
        let mut diagonal = Vec::new();
        let mut off_diagonal = 0.0;
        matrix
            .visit_rows(0, |row, entries| {
                let (mut sum, mut magnitude) = (0.0, 0.0);
                for (entry, sign) in entries.iter().zip(signs) {
                    let entry = f64::from(*entry);
                    sum += entry * sign;
                    magnitude += entry.abs();
                }
                (image[row], magnitudes[row]) = (sum, magnitude);
                let squares = |part: &[f32]| part.iter().map(|entry| f64::from(*entry).powi(2)).sum::<f64>();
                let (left, right) = entries.split_at(row.min(cols));
                off_diagonal += squares(left) + squares(right.get(1..).unwrap_or(&[]));
                diagonal.extend(right.first().map(|entry| f64::from(*entry)));
            })
            .await?;
        // A difference, a square, and the sums of a row and of the rows.
        let above = |squares: f64| up(sum_above(squares, rows + cols + 6).sqrt());
        let on_diagonal: f64 = diagonal.iter().map(|entry| entry * entry).sum();
        let mean = diagonal.iter().sum::<f64>() / diagonal.len().max(1) as f64;
        let deviation: f64 = diagonal.iter().map(|entry| (entry - mean).powi(2)).sum();
        let shifted = if rows == cols { up(mean.abs() + above(off_diagonal + deviation)) } else { f64::INFINITY };
        Ok(Self { frobenius: above(off_diagonal + on_diagonal), shifted, image, magnitudes })
    }
}

/// Gᵀ y and |G|ᵀ m.
async fn adjoint_images(matrix: &Matrix, (vector, magnitudes): &(Vec<f64>, Vec<f64>)) -> Result<(Vec<f64>, Vec<f64>)> {
    let (mut product, mut bound) = (vec![0.0; matrix.cols()], vec![0.0; matrix.cols()]);
    matrix
        .visit_rows(0, |row, entries| {
            let (value, magnitude) = (vector[row], magnitudes[row]);
            for ((entry, sum), above) in entries.iter().zip(&mut product).zip(&mut bound) {
                let entry = f64::from(*entry);
                *sum += entry * value;
                *above += entry.abs() * magnitude;
            }
        })
        .await?;
    Ok((product, bound))
}
