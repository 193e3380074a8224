//! Arnoldi's iteration, A V = V H with the vectors V orthonormal, by the public interface alone.

use std::ops::Range;

use opnorm::bound::device_gamma;
use opnorm::device::{Buffer, ReadBack, Recorder};
use opnorm::iterate::{Basis, Coefficients, Control, Iteration, Pace, Progress, drive};
use opnorm::low_level::ops::{self, Normalise, NormaliserState, NormsOfStep, Rows, Segmented};
use opnorm::operator::LinearOperator;
use opnorm::{Matrix, Result, tensor::Tensor};

use crate::gpu;
use crate::matrices::{Dense, Source};

struct Arnoldi {
    matrix: Matrix,
    rows: Rows,
    basis: Basis,
    product: Tensor,
    kept: Vec<Coefficients>,
    squares: Buffer<f32>,
    norms: Buffer<f32>,
    ones: Buffer<f32>,
    inverses: Buffer<f32>,
    active: Buffer<u32>,
    states: Buffer<NormaliserState>,
    /// The columns of each batch element's H, step by step.
    columns: Vec<Vec<Vec<f64>>>,
}

impl Arnoldi {
    fn new(matrix: Matrix, steps: usize) -> Result<Self> {
        let (vectors, length) = (matrix.batch(), matrix.rows());
        let numbers = |count| Buffer::zeros(gpu(), "Arnoldi", count);
        let mut basis = Basis::new(gpu(), vectors, length);
        let start = vec![(length as f32).sqrt().recip(); vectors * length];
        basis.slot(0)?.buffer().write(gpu(), "Arnoldi", 0, &start)?;
        Ok(Self {
            rows: Rows { vectors, length },
            basis,
            product: Tensor::zeros(gpu(), &[vectors, 1, length])?,
            kept: Vec::new(),
            squares: numbers(vectors * length)?,
            norms: numbers(vectors * steps)?,
            ones: Buffer::from_slice(gpu(), "Arnoldi", &vec![1.0; vectors])?,
            inverses: numbers(vectors)?,
            active: Buffer::from_slice(gpu(), "Arnoldi", &vec![1; vectors])?,
            states: Buffer::zeros(gpu(), "Arnoldi", vectors)?,
            columns: vec![Vec::new(); vectors],
            matrix,
        })
    }
}

impl Iteration for Arnoldi {
    type Reading = (Vec<ReadBack<f32>>, ReadBack<f32>);

    fn is_done(&self) -> bool {
        false
    }

    fn pace(&self, _recorded: usize) -> Pace {
        Pace { steps: 8, steps_per_submit: 8, look_ahead: true }
    }

    fn record(&mut self, recorder: &mut Recorder, step: usize) -> Result<()> {
        let (current, next) = (self.basis.slot(step)?, self.basis.slot(step + 1)?);
        let product = self.product.buffer();
        self.matrix.apply(recorder, &current, &self.product)?;
        self.kept.push(self.basis.orthogonalise(recorder, step + 1, product)?);
        let Self { ones: factors, inverses, active, states, norms, .. } = self;
        let count = ops::sum_squares(recorder, self.rows, product, factors, &self.squares)?.count;
        let memory = Normalise { vectors: self.rows.vectors, factors, inverses, active, states };
        let norms = NormsOfStep { norms, first_norm: step * self.rows.vectors, step, breakdown: 0.0 };
        ops::normaliser(recorder, &memory, Segmented { buffer: &self.squares, count }, &norms)?;
        ops::scale(recorder, self.rows, &self.inverses, product, next.buffer())
    }

    fn read(&mut self, recorder: &mut Recorder, steps: Range<usize>) -> Result<Self::Reading> {
        let kept = self.kept[steps].iter().map(|kept| kept.read(recorder)).collect::<Result<_>>()?;
        Ok((kept, recorder.read(&self.norms)?))
    }

    async fn take(&mut self, steps: Range<usize>, (kept, norms): Self::Reading) -> Result<()> {
        let norms = norms.contents().await?;
        for (step, kept) in steps.zip(kept) {
            let rows = self.kept[step].rows(&kept.contents().await?);
            for (vector, mut column) in rows.into_iter().enumerate() {
                column.push(f64::from(norms[step * self.rows.vectors + vector]));
                self.columns[vector].push(column);
            }
        }
        Ok(())
    }

    fn progress(&self) -> Progress {
        Progress::new("Arnoldi", "iterations", 0, 1)
    }
}

/// Steps of Arnoldi's iteration, more than a piece of the basis holds where `steps` is above 31.
fn check(matrices: &[Dense], steps: usize) {
    let (batch, side) = (matrices.len(), matrices[0].rows);
    let entries: Vec<f32> = matrices.iter().flat_map(|matrix| matrix.entries.clone()).collect();
    let matrix = Matrix::from_batch(gpu(), batch, side, side, &entries).unwrap();
    let mut arnoldi = Arnoldi::new(matrix, steps).unwrap();
    gpu().block_on(drive(gpu(), &mut arnoldi, steps, &mut Control::new())).unwrap();
    let slots: Vec<Vec<f32>> = (0..=steps).map(|slot| arnoldi.basis.slot(slot).unwrap().read(gpu()).unwrap()).collect();
    // A pass rounds a sum of steps + 1 terms, of size (1 + √steps) |w| at most, and so moves the vector.
    let pass = (steps + 2) as f64 * (1.0 + (steps as f64).sqrt());
    for (item, dense) in matrices.iter().enumerate() {
        let v = faer::Mat::from_fn(side, steps + 1, |row, slot| f64::from(slots[slot][item * side + row]));
        let h = faer::Mat::from_fn(steps + 1, steps, |row, col| {
            arnoldi.columns[item][col].get(row).copied().unwrap_or(0.0)
        });
        // The product rounds sums of `side` terms, then come two passes, a norm of `side` terms and its inverse.
        let norm = dense.faer().norm_l2();
        let residual = (dense.faer() * v.get(.., ..steps) - &v * &h).norm_max();
        let allowed = device_gamma((side as f64 + 2.0 * pass) as usize + side + 12) * norm;
        assert!(residual <= allowed, "item {item} of {batch}, {steps} steps: {residual:e} above {allowed:e}");
        // The second pass leaves its own roundings and those of its coefficients; |w| is at most twice what is left.
        let gram = (v.transpose() * &v - faer::Mat::<f64>::identity(steps + 1, steps + 1)).norm_max();
        let allowed = device_gamma(2 * (side + pass as usize) + side + 12);
        assert!(gram <= allowed, "item {item} of {batch}, {steps} steps: {gram:e} above {allowed:e}");
    }
}

#[test]
fn arnoldi_decomposes_matrices_and_batches() {
    let mut source = Source::new(41);
    let toeplitz = |row: usize, col: usize| match col.wrapping_sub(row) {
        0..=3 => 1.0,
        usize::MAX => -1.0,
        _ => 0.0,
    };
    check(&[source.gaussian(30, 30)], 12);
    check(&[Dense::from_fn(50, 50, toeplitz)], 20);
    check(&[source.gaussian(120, 120)], 40);
    check(&[source.gaussian(20, 20), source.gaussian(20, 20).scaled(1e-3), Dense::from_fn(20, 20, toeplitz)], 9);
}
