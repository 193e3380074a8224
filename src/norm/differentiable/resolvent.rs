//! The motion of singular vectors: S r, where S is the inverse of σ - H off the eigenvector z of H = [[0, A], [Aᵀ, 0]].
//!
//! With z = [u; v] and H z = σ z, a change dA moves z by S dH z. S is symmetric and so its own transpose. The
//! derivative of S is written with S: from (σ - H) x = r - z zᵀ r / 2 and zᵀ x = 0, dx = S (dr - dσ x + dH x - dz zᵀ r
//! / 2) - z dzᵀ x / 2.

use std::sync::Arc;

use faer::{Col, Mat};
use futures::future::LocalBoxFuture;

use super::dense::{Decomposition, add};
use crate::device::{Buffer, Device, HostStep, Recorder};
use crate::reference::dot;
use crate::tape::{Array, Operation, Primal, Value};
use crate::tensor::Tensor;
use crate::{Error, Result};

/// The solutions, of the shape of the right-hand sides, of one system for each item and singular value.
///
/// *Shapes*  matrices: items × rows × cols · singular vectors: items × count × (rows + cols + 1) · right-hand sides:
/// items × count × (rows + cols)
#[derive(Clone, Debug)]
pub(super) struct Resolvent;

/// dH [u; v] = [dA v; dAᵀ u] for a tangent dA of the matrices and vectors that may be longer.
pub(super) fn augmented(tangent: &Value, vectors: &Value, rows: usize) -> Result<Value> {
    let cols = tangent.shape()[2];
    let (left, right) = (vectors.slice(2, 0..rows)?, vectors.slice(2, rows..rows + cols)?);
    let above = right.matmul_nt(tangent)?;
    tangent.tape().concatenate(&[above, left.matmul(tangent)?], 2)
}

/// The inner products of vectors, with an axis of length 1.
fn products(left: &Value, right: &Value) -> Result<Value> {
    left.multiply(right)?.sum(&[2])?.reshape(&[left.shape()[0], left.shape()[1], 1])
}

impl Operation for Resolvent {
    fn name(&self) -> &'static str {
        "derivative of singular vectors"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>> {
        Ok(inputs[2].to_vec())
    }

    fn jvp(&self, primal: &Primal, tangents: &[Option<Value>]) -> Result<Option<Value>> {
        let [matrix, vectors, pushed] = &primal.inputs[..] else { return Ok(None) };
        let (rows, size) = (matrix.shape()[1], pushed.shape()[2]);
        let solved = &primal.output;
        let pair = vectors.slice(2, 0..size)?;
        let mut push = tangents[2].clone();
        let mut include = |term: Value| -> Result<()> {
            push = Some(push.as_ref().map_or_else(|| Ok(term.clone()), |push| push.add(&term))?);
            Ok(())
        };
        if let Some(tangent) = &tangents[0] {
            // uᵀ dA v is half of zᵀ dH z.
            let value = products(&augmented(tangent, &pair, rows)?, &pair)?.scale(0.5)?;
            include(augmented(tangent, solved, rows)?.subtract(&solved.multiply(&value)?)?)?;
        }
        let turned = tangents[1].as_ref().map(|tangent| tangent.slice(2, 0..size)).transpose()?;
        if let Some(turned) = &turned {
            include(turned.multiply(&products(&pair, pushed)?)?.scale(-0.5)?)?;
        }
        let Some(push) = push else { return Ok(None) };
        let moved = matrix.tape().compute(Arc::new(Self), &[matrix, vectors, &push])?;
        let Some(turned) = turned else { return Ok(Some(moved)) };
        moved.subtract(&pair.multiply(&products(&turned, solved)?)?.scale(0.5)?).map(Some)
    }

    fn transpose(&self, argument: usize, primal: &Primal, cotangent: &Value) -> Result<Value> {
        if argument != 2 {
            return Err(Error::NotLinear { operation: self.name() });
        }
        let (matrix, vectors) = (&primal.inputs[0], &primal.inputs[1]);
        matrix.tape().compute(Arc::new(Self), &[matrix, vectors, cotangent])
    }

    fn stacked(&self, columns: usize, inputs: &[Value], varies: &[bool]) -> Result<Option<Value>> {
        if varies[0] || varies[1] {
            return Ok(None);
        }
        let items = |value: &Value| {
            let [first, second, rest @ ..] = value.shape() else { return value.reshape(value.shape()) };
            value.reshape(&[&[first * second], rest].concat())
        };
        let (matrix, vectors) = (items(&inputs[0].repeated(columns)?)?, items(&inputs[1].repeated(columns)?)?);
        let solved = matrix.tape().compute(Arc::new(Self), &[&matrix, &vectors, &items(&inputs[2])?])?;
        solved.reshape(inputs[2].shape()).map(Some)
    }

    fn record(&self, recorder: &mut Recorder, inputs: &[&Tensor], _: &Buffer<f32>, output: &Tensor) -> Result<()> {
        let inputs = inputs.iter().copied().cloned().collect();
        let system = System { device: recorder.device().clone(), inputs, output: output.clone() };
        recorder.host(Arc::new(system));
        Ok(())
    }

    fn evaluate(&self, inputs: &[Array], shape: &[usize]) -> Vec<f64> {
        if shape.contains(&0) {
            return Vec::new();
        }
        let (rows, cols) = (inputs[0].shape[1], inputs[0].shape[2]);
        let solve = |item: usize| -> Vec<f64> {
            let pushed = &inputs[2].data[item * shape[1] * shape[2]..][..shape[1] * shape[2]];
            let Some(dense) = Decomposition::of(&inputs[0].data[item * rows * cols..][..rows * cols], (rows, cols))
            else {
                return vec![f64::NAN; pushed.len()];
            };
            pushed.chunks_exact(shape[2]).enumerate().flat_map(|(rank, pushed)| dense.resolve(rank, pushed)).collect()
        };
        (0..shape[0]).flat_map(solve).collect()
    }
}

struct System {
    device: Device,
    /// Matrices, vectors, right-hand sides.
    inputs: Vec<Tensor>,
    output: Tensor,
}

impl HostStep for System {
    fn name(&self) -> &'static str {
        Resolvent.name()
    }

    fn run(&self) -> LocalBoxFuture<'_, Result<()>> {
        Box::pin(async {
            if self.output.is_empty() {
                return Ok(());
            }
            let mut recorder = self.device.recorder();
            let reads = self.inputs.iter().map(|input| recorder.read(input.buffer())).collect::<Result<Vec<_>>>()?;
            recorder.submit()?;
            let mut data = Vec::with_capacity(reads.len());
            for read in reads {
                data.push(read.contents().await?.into_iter().map(f64::from).collect::<Vec<_>>());
            }
            let (rows, cols) = (self.inputs[0].shape()[1], self.inputs[0].shape()[2]);
            let (count, size) = (self.output.shape()[1], rows + cols);
            let mut solved = Vec::with_capacity(self.output.len());
            for (item, matrix) in data[0].chunks_exact(rows * cols).enumerate() {
                let vectors = data[1][item * count * (size + 1)..].chunks_exact(size + 1).take(count);
                let pushed: Vec<&[f64]> = data[2][item * count * size..].chunks_exact(size).take(count).collect();
                let parts = vectors.map(|vectors| expect_apart(item, vectors)).collect::<Result<Vec<_>>>()?;
                solved.extend(solutions(item, matrix, (rows, cols), &parts, &pushed)?);
            }
            self.output.buffer().write(&self.device, self.name(), 0, &solved)
        })
    }
}

/// The smallest distance between singular values, relative to the largest, at which the derivative of their vectors is
/// more than the rounding of the entries to `f32`.
const APART: f64 = 1e-6;

/// z where the singular value is simple; an error where it is not, `None` for NaN.
fn expect_apart(item: usize, vectors: &[f64]) -> Result<Option<&[f64]>> {
    let Some((gap, pair)) = vectors.split_last() else { return Ok(None) };
    let reason = match () {
        () if gap.is_nan() => return Ok(None),
        () if pair.iter().all(|entry| *entry == 0.0) => "the singular value is zero".to_string(),
        () if *gap < APART => {
            format!("another singular value is {gap:.1e} away, in units of the largest, and must be {APART:.0e}")
        }
        () => return Ok(Some(pair)),
    };
    Err(Error::NotDifferentiable { operation: Resolvent.name(), item, reason })
}

fn solutions(
    item: usize,
    matrix: &[f64],
    sizes: (usize, usize),
    pairs: &[Option<&[f64]>],
    pushed: &[&[f64]],
) -> Result<Vec<f32>> {
    let mut found = Vec::with_capacity(pushed.len() * (sizes.0 + sizes.1));
    match (pairs, pushed) {
        ([Some(pair)], [pushed]) => found.extend(conjugate_gradients(item, matrix, sizes, pair, pushed)?),
        _ => {
            // Between other singular values σ - H is not definite.
            let dense = Decomposition::of(matrix, sizes);
            for (rank, (pair, pushed)) in pairs.iter().zip(pushed).enumerate() {
                match (&dense, pair) {
                    (Some(dense), Some(_)) => found.extend(dense.resolve(rank, pushed)),
                    _ => found.extend(std::iter::repeat_n(f64::NAN, pushed.len())),
                }
            }
        }
    }
    Ok(found.into_iter().map(|value| value as f32).collect())
}

/// The system for the largest singular value: σ - H is positive definite off z. All vectors stay orthogonal to z.
fn conjugate_gradients(
    item: usize,
    entries: &[f64],
    (rows, cols): (usize, usize),
    pair: &[f64],
    pushed: &[f64],
) -> Result<Vec<f64>> {
    let matrix = Mat::from_fn(rows, cols, |row, col| entries[row * cols + col]);
    let image = |vector: &[f64]| -> Vec<f64> {
        let above = Col::from_fn(rows, |row| vector[row]);
        let below = Col::from_fn(cols, |col| vector[rows + col]);
        let (above, below) = (&matrix * &below, matrix.transpose() * &above);
        above.iter().chain(below.iter()).copied().collect()
    };
    let square = dot(pair, pair);
    let off = |vector: &mut [f64]| add(vector, -dot(vector, pair) / square, pair);
    let sigma = dot(pair, &image(pair)) / square;

    let mut residual = pushed.to_vec();
    // Twice, because one pass leaves the rounding of the part along z, which may be far larger than the rest.
    off(&mut residual);
    off(&mut residual);
    let mut direction = residual.clone();
    let mut solution = vec![0.0; pushed.len()];
    let mut left = dot(&residual, &residual);
    if !left.is_finite() {
        return Ok(vec![f64::NAN; pushed.len()]);
    }
    // A right-hand side below its own rounding has the solution 0.
    let noise = NOISE * NOISE * dot(pushed, pushed);
    let wanted = (left * RESIDUAL * RESIDUAL).max(noise);
    // Without rounding, the dimension bounds the number of steps.
    for _ in 0..4 * pushed.len() + 100 {
        if left <= wanted {
            return Ok(solution);
        }
        if !left.is_finite() {
            break;
        }
        let mut product = image(&direction);
        product.iter_mut().zip(&direction).for_each(|(product, entry)| *product = sigma * entry - *product);
        off(&mut product);
        let step = left / dot(&direction, &product);
        add(&mut solution, step, &direction);
        add(&mut residual, -step, &product);
        off(&mut residual);
        let before = std::mem::replace(&mut left, dot(&residual, &residual));
        let kept = left / before;
        direction.iter_mut().zip(&residual).for_each(|(entry, residual)| *entry = residual + kept * *entry);
        off(&mut direction);
    }
    let reason = format!("conjugate gradients did not converge in {} steps", 4 * pushed.len() + 100);
    Err(Error::NotConverged { operation: Resolvent.name(), item, reason })
}

/// The relative residual at which a system counts as solved, far below the unit roundoff of `f32`.
const RESIDUAL: f64 = 1e-10;
/// The rounding of a right-hand side in `f64`, relative.
const NOISE: f64 = 1e-15;
