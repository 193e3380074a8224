//! Small matrices on the host, solved whole: all singular values of several matrices side by side.

use super::finish::{Accept, Finished, Found};
use super::quotient::Quotient;
use super::result::{Residual, SpectralNorm, SpectralNorms};
use crate::Result;
use crate::bound::{norm_above, norm_below, norm_of};
use crate::device::each_item;
use crate::iterate::{Control, Progress, Status};
use crate::native::{LANES, Lanes, orthogonalise_columns};
use crate::operator::{Knowledge, LinearOperator};
use crate::tensor::stored::{Bf16, F16, F32, Stored};
use crate::tensor::{Matrix, Storage, Tensor};

/// The longest side of a matrix that is solved whole.
const SIDE: usize = 8;

/// Matrices that a thread solves at once.
const CHUNK: usize = 8 * LANES;

/// Sweeps over all pairs of columns after which a matrix counts as not converged. About five suffice.
const SWEEPS: usize = 30;

/// Whether a matrix is solved whole: small, and on the host.
pub(super) fn solves(matrix: &Matrix) -> bool {
    matrix.device().is_host() && matrix.panels().len() == 1 && matrix.rows().max(matrix.cols()) <= SIDE
}

/// The spectral norm of each item, in at most so many sweeps. The listener hears of the end alone.
pub(super) async fn norms(
    matrix: &Matrix,
    accept: Accept,
    most: usize,
    control: &mut Control<'_>,
) -> Result<SpectralNorms> {
    let [panel] = matrix.panels() else { unreachable!("`solves` takes matrices in one panel") };
    let device = matrix.device();
    let mut recorder = device.recorder();
    let words = recorder.read(&panel.words)?;
    recorder.submit_async().await?;
    let words = words.contents().await?;

    let (batch, rows, cols) = (matrix.batch(), matrix.rows(), matrix.cols());
    let mut items = vec![SpectralNorm::without_vectors(Status::Zero, None); batch];
    let (mut left, mut right) = (vec![0.0; batch * rows], vec![0.0; batch * cols]);
    let vectors = left.chunks_mut(CHUNK * rows).zip(right.chunks_mut(CHUNK * cols));
    let mut chunks: Vec<_> = items.chunks_mut(CHUNK).zip(vectors).enumerate().collect();
    let whole = Whole { matrix, words: &words, accept, most: most.min(SWEEPS) };
    each_item(&mut chunks, |(index, (items, (left, right)))| {
        let groups = items.chunks_mut(LANES).zip(left.chunks_mut(LANES * rows)).zip(right.chunks_mut(LANES * cols));
        for (group, ((items, left), right)) in groups.enumerate() {
            whole.solve(*index * CHUNK + group * LANES, items, (left, right));
        }
    });
    control.report(|| Progress {
        iterations: items.iter().map(|item| item.iterations).max().unwrap_or(0),
        sigma: items.last().map_or(f64::NAN, |item| item.sigma),
        error: 0.0,
        ..Progress::new("Jacobi", "sweeps", batch, batch)
    })?;
    let left = Tensor::from_slice(device, &[batch, 1, rows], &left)?;
    let right = Tensor::from_slice(device, &[batch, 1, cols], &right)?;
    Ok(SpectralNorms { device: device.clone(), items, left, right, copies: None })
}

/// The entries of a matrix, row by row.
type Entries = [[f64; SIDE]; SIDE];

struct Whole<'a> {
    matrix: &'a Matrix,
    words: &'a [u32],
    accept: Accept,
    most: usize,
}

impl Whole<'_> {
    /// Solves the items from `first` on, at most [`LANES`] of them.
    fn solve(&self, first: usize, items: &mut [SpectralNorm], (left, right): (&mut [f32], &mut [f32])) {
        let (rows, cols) = (self.matrix.rows(), self.matrix.cols());
        let (short, long) = (rows.min(cols), rows.max(cols));
        let mut entries = [[[0.0; SIDE]; SIDE]; LANES];
        let (mut columns, mut rotations) = ([[0.0; LANES]; SIDE * SIDE], [[0.0; LANES]; SIDE * SIDE]);
        (0..short).for_each(|col| rotations[col * short + col] = [1.0; LANES]);
        for (lane, (item, entries)) in items.iter_mut().zip(&mut entries).enumerate() {
            match self.matrix.knowledge(first + lane) {
                Knowledge::Zero => continue,
                Knowledge::NonFinite(position) => {
                    *item = SpectralNorm::without_vectors(Status::NonFinite, Some(position));
                    continue;
                }
                Knowledge::Nothing => {}
            }
            self.copy(first + lane, entries);
            for (row, entries) in entries.iter().enumerate().take(rows) {
                for (col, entry) in entries.iter().enumerate().take(cols) {
                    let place = if rows < cols { row * long + col } else { col * long + row };
                    columns[place][lane] = *entry;
                }
            }
        }
        let (columns, rotations) = (&mut columns[..short * long], &mut rotations[..short * short]);
        let sweeps = orthogonalise_columns(columns, rotations, short, self.most);
        let vectors = left.chunks_exact_mut(rows).zip(right.chunks_exact_mut(cols));
        for (lane, (item, vectors)) in items.iter_mut().zip(vectors).enumerate() {
            if !matches!(self.matrix.knowledge(first + lane), Knowledge::Nothing) {
                continue;
            }
            let (leading, found) = self.found(lane, sweeps[lane], columns, rotations);
            *item = self.finish(first + lane, &found, (&entries[lane], &leading[..short]), vectors);
        }
    }

    /// Copies the entries of an item.
    fn copy(&self, item: usize, entries: &mut Entries) {
        match self.matrix.storage() {
            Storage::F32 => self.copy_of::<F32>(item, entries),
            Storage::F16 => self.copy_of::<F16>(item, entries),
            Storage::Bf16 => self.copy_of::<Bf16>(item, entries),
        }
    }

    fn copy_of<S: Stored>(&self, item: usize, entries: &mut Entries) {
        let (rows, cols, wide) = (self.matrix.rows(), self.matrix.cols(), self.matrix.row_form().wide);
        let elements: &[S::Bits] = bytemuck::cast_slice(self.words);
        let of_item = elements[item * rows * wide..][..rows * wide].chunks_exact(wide);
        for (entries, row) in entries.iter_mut().zip(of_item) {
            entries.iter_mut().zip(&row[..cols]).for_each(|(entry, bits)| *entry = f64::from(S::widen(*bits)));
        }
    }

    /// The leading vector of the short side of one matrix, and what the columns tell.
    fn found(
        &self,
        lane: usize,
        sweeps: Option<usize>,
        columns: &[Lanes],
        rotations: &[Lanes],
    ) -> ([f64; SIDE], Found) {
        let (short, long) = (self.matrix.rows().min(self.matrix.cols()), self.matrix.rows().max(self.matrix.cols()));
        let (mut leading, mut largest, mut second) = (0, 0.0, 0.0);
        for (index, column) in columns.chunks_exact(long).enumerate() {
            let square = column.iter().map(|entries| entries[lane] * entries[lane]).sum::<f64>();
            if square > largest {
                (leading, largest, second) = (index, square, largest);
            } else if square > second {
                second = square;
            }
        }
        let mut vector = [0.0; SIDE];
        let column = &rotations[leading * short..][..short];
        vector.iter_mut().zip(column).for_each(|(entry, lanes)| *entry = lanes[lane]);
        let found = Found {
            second: (short > 1).then(|| second.sqrt()),
            iterations: sweeps.unwrap_or(self.most),
            complete: true,
            multiplicity: (short == 1).then_some(1),
            ..Found::of(if sweeps.is_some() { Status::Converged } else { Status::MaxIterations })
        };
        (vector, found)
    }

    /// The result of one item, from its leading vector on the short side; writes both vectors.
    fn finish(
        &self,
        item: usize,
        found: &Found,
        (entries, leading): (&Entries, &[f64]),
        (left, right): (&mut [f32], &mut [f32]),
    ) -> SpectralNorm {
        let is_wide = left.len() < right.len();
        let (short, long) = if is_wide { (&mut *left, &mut *right) } else { (&mut *right, &mut *left) };
        narrow(leading, short);
        let other = if is_wide { back(entries, short, long.len()) } else { forth(entries, short, long.len()) };
        narrow(&other[..long.len()], long);
        let (forward, backward) = (forth(entries, right, left.len()), back(entries, left, right.len()));
        let (product, back) = (&forward[..left.len()], &backward[..right.len()]);
        let mut wide = [0.0; SIDE];
        wide.iter_mut().zip(&*right).for_each(|(wide, value)| *wide = f64::from(*value));
        let wide = &wide[..right.len()];
        let lengths = (norm_of(wide), norm_above(wide));
        let squares = entries.iter().map(|row| row.iter().map(|entry| entry * entry).sum::<f64>()).sum();
        let radius = self.matrix.radius_of_product(item, (lengths.1, 0.0), squares);
        let norm = norm_of(product);
        let below = (norm_below(product) - radius).next_down().max(0.0);
        let exponent = self.matrix.exponent(item);
        let quotient = Some(Quotient::of_norms((norm, below), lengths, exponent, true));
        let sigma = norm / lengths.0;
        let residual = Residual { left: distance(product, sigma, left), right: distance(back, sigma, right) };
        Finished { found, quotient, sigma, residual, exponent, whole: exponent, products: 2 }.norm(self.accept)
    }
}

/// matrix · vector
fn forth(entries: &Entries, vector: &[f32], rows: usize) -> [f64; SIDE] {
    let mut product = [0.0; SIDE];
    for (sum, row) in product[..rows].iter_mut().zip(entries) {
        *sum = row.iter().zip(vector).map(|(entry, value)| entry * f64::from(*value)).sum();
    }
    product
}

/// matrixᵀ · vector
fn back(entries: &Entries, vector: &[f32], cols: usize) -> [f64; SIDE] {
    let mut product = [0.0; SIDE];
    for (row, value) in entries.iter().zip(vector) {
        product[..cols].iter_mut().zip(row).for_each(|(sum, entry)| *sum += entry * f64::from(*value));
    }
    product
}

/// The direction of a vector in `f32`, with every zero positive.
fn narrow(vector: &[f64], unit: &mut [f32]) {
    let norm = norm_of(vector);
    unit.iter_mut().zip(vector).for_each(|(unit, value)| *unit = (value / norm) as f32 + 0.0);
}

/// |product - sigma · direction|
fn distance(product: &[f64], sigma: f64, direction: &[f32]) -> f64 {
    let squares = product.iter().zip(direction).map(|(product, entry)| (product - sigma * f64::from(*entry)).powi(2));
    squares.sum::<f64>().sqrt()
}

#[cfg(test)]
#[path = "whole_tests.rs"]
mod tests;
