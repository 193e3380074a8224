//! The entries of a matrix that are left once columns are taken out, rounded to what the device holds.

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, Par};

use super::product::RUN;
use super::progress::Steps;
use super::tall::Tall;
use crate::Result;
use crate::bound::Up;
use crate::tensor::ElementSource;
use crate::tensor::screen::{binary_exponent, power, scale_by_power};

/// The remainder as the device gets it, and what rounding to `f32` costs.
pub(super) struct Remainder {
    entries: Vec<f32>,
    /// The squares of what rounding to `f32` changed.
    squares: f64,
    largest: f32,
}

impl Remainder {
    pub(super) fn new(entries: usize) -> Self {
        Self { entries: Vec::with_capacity(entries), squares: 0.0, largest: 0.0 }
    }

    /// Appends B - W Xᵀ, of the images W (long × k) and the columns X (short × k), row-major. *(C6)*
    pub(super) fn take_out<S: ElementSource + ?Sized>(
        &mut self,
        tall: &Tall<'_, S>,
        (images, vectors): (&Mat<f64>, &Mat<f64>),
        steps: &mut Steps<'_>,
    ) -> Result<()> {
        let short = tall.short;
        tall.each_block(RUN, |start, block| {
            let mut part = Mat::zeros(block.nrows(), short);
            let images = images.as_ref().subrows(start, block.nrows());
            matmul(part.as_mut(), Accum::Replace, images, vectors.transpose(), 1.0, Par::Seq);
            for row in 0..block.nrows() {
                (0..short).for_each(|col| self.push(block[(row, col)] - part[(row, col)]));
            }
            steps.reach("remainder", start + block.nrows(), tall.long)
        })
    }

    fn push(&mut self, value: f64) {
        let rounded = value as f32;
        let change = value - f64::from(rounded);
        self.squares += change * change;
        self.largest = self.largest.max(rounded.abs());
        self.entries.push(rounded);
    }

    /// The entries with their largest in [1, 2), the exponent that this took out, and the norm of all changes.
    pub(super) fn finish(mut self) -> (Vec<f32>, i32, Up) {
        let count = self.entries.len();
        // a change, its square, the sum
        let changed = Up::sum(self.squares, count, count + 2).sqrt();
        if self.largest == 0.0 || !self.largest.is_finite() {
            let lost = if self.largest == 0.0 { changed } else { Up::of(f64::INFINITY) };
            return (vec![0.0; count], 0, lost);
        }
        let exponent = binary_exponent(f64::from(self.largest));
        for entry in &mut self.entries {
            *entry = scale_by_power(f64::from(*entry), -exponent) as f32;
        }
        // Scaled down, what lay next to the end of the range loses its last bits.
        let lost = Up::of(if exponent > 0 { power(exponent - 149) } else { 0.0 });
        (self.entries, exponent, changed + Up::of(count as f64).sqrt() * lost)
    }
}
