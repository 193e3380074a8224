//! The condition of a matrix in the 1-norm, estimated by solutions with its factors.

use crate::Result;
use crate::solve::dense::factors::LuStatus;
use crate::solve::dense::lu::Lu;
use crate::tensor::Tensor;

/// Pairs of solutions after which the search ends; two or three nearly always suffice.
const MOST: usize = 5;

/// The search for a vector that the inverse stretches most.
#[derive(Clone, Default)]
struct Search {
    estimate: f64,
    signs: Vec<f32>,
    is_done: bool,
}

impl Lu {
    /// An estimate from below of the condition |A|₁ |A⁻¹|₁ of each matrix, rarely too small by more than a factor of 3.
    ///
    /// The condition is infinite for a singular item, and NaN for an item that is not finite. The relative error of a
    /// solution is at most about the condition times n · 2^-24.
    ///
    /// ```
    /// use opnorm::{Device, solve::Lu, tensor::Tensor};
    /// let device = Device::new()?;
    /// let matrix = Tensor::from_slice(&device, &[1, 2, 2], &[100.0, 0.0, 0.0, 1.0])?;
    /// assert!((Lu::factor(&device, &matrix)?.conditions()?[0] - 100.0).abs() < 1e-3);
    /// # Ok::<(), opnorm::Error>(())
    /// ```
    ///
    /// Source: Higham, *FORTRAN codes for estimating the one-norm of a real or complex matrix, with applications to
    /// condition estimation*, ACM TOMS 14 (1988), algorithm 2.4, after Hager.
    ///
    /// # Errors
    /// Any error of the device. The matrices' tensor must hold the matrices still.
    pub fn conditions(&self) -> Result<Vec<f64>> {
        self.device.block_on(self.conditions_async())
    }

    /// [`Lu::conditions`] without blocking the thread.
    ///
    /// # Errors
    /// As [`Lu::conditions`].
    pub async fn conditions_async(&self) -> Result<Vec<f64>> {
        let (batch, size) = self.sizes();
        if size == 0 {
            return Ok(vec![0.0; batch]);
        }
        let norms = self.norms().await?;
        let mut searches = vec![Search::default(); batch];
        let mut starts = vec![1.0 / size as f32; batch * size];
        for round in 0..MOST {
            let images = self.columns(&starts, false).await?;
            for (search, image) in searches.iter_mut().zip(images.chunks_exact(size)) {
                search.stretch(round, image);
            }
            let signs: Vec<f32> = searches.iter().flat_map(|search| search.signs.iter().copied()).collect();
            let slopes = self.columns(&signs, true).await?;
            let parts = starts.chunks_exact_mut(size).zip(slopes.chunks_exact(size));
            searches.iter_mut().zip(parts).for_each(|(search, (start, slope))| search.turn(start, slope));
            if searches.iter().all(|search| search.is_done) {
                break;
            }
        }
        // A vector of alternating signs finds what cancels in the search.
        let other =
            |row: usize| (1.0 + row as f64 / (size.max(2) - 1) as f64) * if row.is_multiple_of(2) { 1.0 } else { -1.0 };
        let others: Vec<f32> = (0..batch * size).map(|place| other(place % size) as f32).collect();
        let images = self.columns(&others, false).await?;
        let mut found = Vec::with_capacity(batch);
        for (item, (search, image)) in searches.iter().zip(images.chunks_exact(size)).enumerate() {
            let estimate = search.estimate.max(2.0 * length(image) / (3.0 * size as f64));
            found.push(match self.statuses()[item] {
                LuStatus::Regular => norms[item] * estimate,
                LuStatus::Singular { .. } => f64::INFINITY,
                LuStatus::NonFinite => f64::NAN,
            });
        }
        Ok(found)
    }

    /// |A|₁ of each matrix.
    async fn norms(&self) -> Result<Vec<f64>> {
        let (_, size) = self.sizes();
        let entries = self.matrices.read_async(&self.device).await?;
        let norm = |matrix: &[f32]| {
            let column = |col: usize| matrix[col..].iter().step_by(size).map(|entry| f64::from(entry.abs())).sum();
            (0..size).map(column).fold(0.0, f64::max)
        };
        Ok(entries.chunks_exact(size * size).map(norm).collect())
    }

    /// The solution of one system for each item.
    async fn columns(&self, vectors: &[f32], transposed: bool) -> Result<Vec<f32>> {
        let (batch, size) = self.sizes();
        let vectors = Tensor::from_slice(&self.device, &[batch, 1, size], vectors)?;
        let solved = if transposed { self.solve_transposed(&vectors) } else { self.solve(&vectors) };
        solved?.read_async(&self.device).await
    }
}

impl Search {
    /// Notes the image of the vector, where it is longer than those before.
    fn stretch(&mut self, round: usize, image: &[f32]) {
        let signs: Vec<f32> = image.iter().map(|entry| if *entry < 0.0 { -1.0 } else { 1.0 }).collect();
        let stretched = length(image);
        self.is_done |= round > 0 && (stretched <= self.estimate || signs == self.signs);
        self.estimate = self.estimate.max(stretched);
        if round == 0 || !self.is_done {
            self.signs = signs;
        }
    }

    /// Goes on from the unit vector along which the length grows most, until none grows faster than now.
    fn turn(&mut self, start: &mut [f32], slope: &[f32]) {
        let (mut place, mut most, mut along) = (0, 0.0, 0.0);
        for (row, (entry, slope)) in start.iter().zip(slope).enumerate() {
            along += f64::from(*entry) * f64::from(*slope);
            if f64::from(slope.abs()) > most {
                (place, most) = (row, f64::from(slope.abs()));
            }
        }
        self.is_done |= most <= along;
        if !self.is_done {
            start.fill(0.0);
            start[place] = 1.0;
        }
    }
}

fn length(vector: &[f32]) -> f64 {
    vector.iter().map(|entry| f64::from(entry.abs())).sum()
}
