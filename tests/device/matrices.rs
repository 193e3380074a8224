//! Matrices with known or computable singular values.

use faer::Mat;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A matrix in the form of an upload.
#[derive(Clone, Debug)]
pub(crate) struct Dense {
    pub(crate) rows: usize,
    pub(crate) cols: usize,
    pub(crate) entries: Vec<f32>,
}

impl Dense {
    pub(crate) fn from_fn(rows: usize, cols: usize, entry: impl Fn(usize, usize) -> f64) -> Self {
        let entries = (0..rows * cols).map(|index| entry(index / cols, index % cols) as f32).collect();
        Self { rows, cols, entries }
    }

    pub(crate) fn scaled(&self, factor: f32) -> Self {
        Self { entries: self.entries.iter().map(|entry| entry * factor).collect(), ..self.clone() }
    }

    pub(crate) fn faer(&self) -> Mat<f64> {
        Mat::from_fn(self.rows, self.cols, |row, col| f64::from(self.entries[row * self.cols + col]))
    }

    /// All singular values of the `f32` entries, in `f64`, largest first.
    pub(crate) fn singular_values(&self) -> Vec<f64> {
        self.faer().singular_values().unwrap()
    }
}

/// The linear congruential generator of the test vectors.
pub(crate) fn congruential(rows: usize, cols: usize) -> Dense {
    let mut state = 12_345u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (f64::from(state >> 8) / 16_777_216.0 * 2.0 - 1.0) as f32
    };
    Dense { rows, cols, entries: (0..rows * cols).map(|_| next()).collect() }
}

/// A seeded source of random numbers.
pub(crate) struct Source(ChaCha8Rng);

impl Source {
    pub(crate) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// Uniform in (0, 1].
    pub(crate) fn uniform(&mut self) -> f64 {
        ((self.0.next_u64() >> 11) + 1) as f64 * 2f64.powi(-53)
    }

    pub(crate) fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// From `low` to `high`, log-uniform.
    pub(crate) fn size(&mut self, low: usize, high: usize) -> usize {
        let ratio = high as f64 / low as f64;
        ((low as f64 * ratio.powf(self.uniform())).round() as usize).clamp(low, high)
    }

    pub(crate) fn gaussian(&mut self, rows: usize, cols: usize) -> Dense {
        Dense { rows, cols, entries: (0..rows * cols).map(|_| self.normal() as f32).collect() }
    }

    /// `count` orthonormal columns of length `size`, drawn uniformly.
    pub(crate) fn orthonormal(&mut self, size: usize, count: usize) -> Mat<f64> {
        let gaussian = Mat::from_fn(size, count, |_, _| self.normal());
        let qr = gaussian.qr();
        // The signs of R make the distribution uniform (Mezzadri 2007).
        let signs: Vec<f64> = (0..count).map(|col| qr.thin_R()[(col, col)].signum()).collect();
        let q = qr.compute_thin_Q();
        Mat::from_fn(size, count, |row, col| q[(row, col)] * signs[col])
    }

    /// A matrix with these singular values and uniformly drawn singular vectors, and its first pair of them.
    pub(crate) fn with_spectrum(&mut self, rows: usize, cols: usize, sigmas: &[f64]) -> (Dense, Vec<f64>, Vec<f64>) {
        let (left, right) = (self.orthonormal(rows, sigmas.len()), self.orthonormal(cols, sigmas.len()));
        let scaled = Mat::from_fn(rows, sigmas.len(), |row, col| left[(row, col)] * sigmas[col]);
        let product = &scaled * right.transpose();
        let dense = Dense::from_fn(rows, cols, |row, col| product[(row, col)]);
        let column = |matrix: &Mat<f64>, size: usize| (0..size).map(|row| matrix[(row, 0)]).collect();
        (dense, column(&left, rows), column(&right, cols))
    }
}
