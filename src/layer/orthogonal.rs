//! First values with orthogonal rows or columns.

use faer::Mat;

use super::{Initialiser, Random};
use crate::tensor::volume;

/// A matrix with orthonormal rows, or columns where there are fewer, times a gain: rows are the first axis.
///
/// *Source*  Saxe, McClelland and Ganguli 2014; the signs of R's diagonal make the matrix uniform (Mezzadri 2007).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Orthogonal {
    /// The factor: all singular values.
    pub gain: f64,
}

impl Initialiser for Orthogonal {
    fn draw(&self, shape: &[usize], random: &mut Random) -> Vec<f32> {
        let rows = shape.first().copied().unwrap_or(1);
        let cols = volume(shape).checked_div(rows).unwrap_or(0);
        let (long, short) = (rows.max(cols), rows.min(cols));
        if short == 0 {
            return Vec::new();
        }
        let normal = Mat::from_fn(long, short, |_, _| random.normal());
        let qr = normal.qr();
        let (q, r) = (qr.compute_thin_Q(), qr.thin_R());
        let entry = |row: usize, col: usize| self.gain * q[(row, col)] * r[(col, col)].signum();
        let place = |row: usize, col: usize| if rows >= cols { entry(row, col) } else { entry(col, row) };
        (0..rows * cols).map(|index| place(index / cols, index % cols) as f32).collect()
    }
}
