//! An operator of one's own that no memory holds: alpha I + x yᵀ with 2^20 rows, which would take 4 TiB as a matrix.
//!
//! `cargo run --release --example own_operator`

use opnorm::gpu::{Buffer, Recorder};
use opnorm::low_level::ops::{self, Multiples, Rows, Segmented};
use opnorm::norm::spectral_norm;
use opnorm::operator::LinearOperator;
use opnorm::tensor::Tensor;
use opnorm::{Gpu, Result};

/// v ↦ alpha v + x (yᵀ v), and its adjoint w ↦ alpha w + y (xᵀ w).
struct ShiftedRankOne {
    gpu: Gpu,
    length: usize,
    alpha: Buffer<f32>,
    one: Buffer<f32>,
    x: Buffer<f32>,
    y: Buffer<f32>,
}

impl ShiftedRankOne {
    fn new(gpu: &Gpu, alpha: f32, x: &[f32], y: &[f32]) -> Result<Self> {
        let buffer = |data: &[f32]| Buffer::from_slice(gpu, "shifted rank one", data);
        let (alpha, one, x, y) = (buffer(&[alpha])?, buffer(&[1.0])?, buffer(x)?, buffer(y)?);
        Ok(Self { gpu: gpu.clone(), length: x.len(), alpha, one, x, y })
    }

    /// Records output = alpha · input + outer · (innerᵀ · input), column by column; no scalar visits the host.
    fn record(
        &self,
        recorder: &mut Recorder,
        (outer, inner): (&Buffer<f32>, &Buffer<f32>),
        input: &Tensor,
        output: &Tensor,
    ) -> Result<()> {
        let vector = Rows { vectors: 1, length: self.length };
        for start in (0..input.len()).step_by(self.length) {
            let column = start..start + self.length;
            let (input, output) = (input.buffer().slice(column.clone()), output.buffer().slice(column));
            // A long sum comes in segments, fewer than it has terms.
            let partials = self.gpu.scratch("inner product", self.length)?;
            let product = self.gpu.scratch("inner product", 1)?;
            let segments = ops::dot(recorder, vector, inner, &input, &partials)?.count;
            ops::sum_partials(
                recorder,
                Segmented { buffer: &partials, count: segments },
                Rows { vectors: 1, length: 1 },
                &product,
            )?;
            ops::scale(recorder, vector, &self.alpha, &input, &output)?;
            let multiples = Multiples { sign: 1.0, values: &product, first: 0 };
            ops::axpby(recorder, vector, multiples, outer, &self.one, &output)?;
        }
        Ok(())
    }
}

impl LinearOperator for ShiftedRankOne {
    /// The device that holds x and y: solvers keep their vectors on it.
    fn gpu(&self) -> &Gpu {
        &self.gpu
    }

    /// One map; an operator that holds several gets one vector for each.
    fn batch(&self) -> usize {
        1
    }

    /// The shape of an input vector: any number of dimensions, here one.
    fn domain(&self) -> Vec<usize> {
        vec![self.length]
    }

    /// The shape of an output vector.
    fn codomain(&self) -> Vec<usize> {
        vec![self.length]
    }

    /// Records A v: nothing runs yet, and nothing may wait for the device.
    fn apply(&self, recorder: &mut Recorder, input: &Tensor, output: &Tensor) -> Result<()> {
        self.record(recorder, (&self.x, &self.y), input, output)
    }

    /// Records Aᵀ w: it must be the exact transpose, or the singular vectors do not exist.
    fn apply_adjoint(&self, recorder: &mut Recorder, input: &Tensor, output: &Tensor) -> Result<()> {
        self.record(recorder, (&self.y, &self.x), input, output)
    }
}

fn main() -> Result<()> {
    let length = 1 << 20;
    let alpha = 0.75f32;
    let wave = |frequency: f64, index: usize| ((frequency * index as f64).sin() / 600.0) as f32;
    let x: Vec<f32> = (0..length).map(|index| wave(1.0, index)).collect();
    let y: Vec<f32> = (0..length).map(|index| wave(0.3, index) + 0.5 * wave(1.0, index)).collect();
    let gpu = Gpu::new()?;
    let operator = ShiftedRankOne::new(&gpu, alpha, &x, &y)?;

    // <A v, w> = <v, Aᵀ w> for any v and w, or the adjoint is wrong.
    let (v, w) = (&y, &x);
    let shape = [1, 1, length];
    let tensor = |data: &[f32]| Tensor::from_slice(&gpu, &shape, data);
    let (forward, backward) = (Tensor::zeros(&gpu, &shape)?, Tensor::zeros(&gpu, &shape)?);
    let mut recorder = gpu.recorder();
    operator.apply(&mut recorder, &tensor(v)?, &forward)?;
    operator.apply_adjoint(&mut recorder, &tensor(w)?, &backward)?;
    recorder.submit()?;
    let (left, right) = (dot(&forward.read(&gpu)?, w), dot(v, &backward.read(&gpu)?));
    println!("<Av, w> = {left:.7}, <v, Aᵀw> = {right:.7}");

    // Outside the plane of x and y, A is alpha; within it, s₁ s₂ = |alpha| |alpha + yᵀx| and
    // s₁² + s₂² = 2 alpha² + 2 alpha yᵀx + |x|² |y|².
    let (alpha, inner) = (f64::from(alpha), dot(&x, &y));
    let squares = 2.0 * alpha * alpha + 2.0 * alpha * inner + dot(&x, &x) * dot(&y, &y);
    let product = (alpha * (alpha + inner)).abs();
    let exact = ((squares + 2.0 * product).sqrt() + (squares - 2.0 * product).max(0.0).sqrt()) / 2.0;
    let norm = spectral_norm(&operator)?.items()[0].clone();
    println!("norm    = {:.9} ({}, {} products)", norm.sigma, norm.status, norm.products);
    println!("exactly = {exact:.9}, relative error {:.1e}", norm.sigma / exact - 1.0);
    Ok(())
}

fn dot(left: &[f32], right: &[f32]) -> f64 {
    left.iter().zip(right).map(|(left, right)| f64::from(*left) * f64::from(*right)).sum()
}
