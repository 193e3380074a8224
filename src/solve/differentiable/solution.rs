//! The solutions of systems with matrices whose factors are known.

use std::sync::Arc;

use super::factors::{held, parts};
use crate::device::{Buffer, Recorder};
use crate::solve::dense::factors;
use crate::tape::{Array, Operation, Primal, Value};
use crate::tensor::{Tensor, volume};
use crate::{Error, Result, reference};

/// The solutions x of A x = b, or of Aᵀ x = b.
///
/// *Shapes*  matrices: items × size × size · their factors · right-hand sides, result: items × vectors × size
#[derive(Clone, Copy, Debug)]
pub(super) struct Solution {
    pub(super) transposed: bool,
}

impl Operation for Solution {
    fn name(&self) -> &'static str {
        "linear solve"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>> {
        Ok(inputs[2].to_vec())
    }

    /// dx = A⁻¹ (db - dA x); vectors are rows, so that dA x is x dAᵀ.
    fn jvp(&self, primal: &Primal, tangents: &[Option<Value>]) -> Result<Option<Value>> {
        let solved = &primal.output;
        let image = |tangent: &Value| match self.transposed {
            false => solved.matmul_nt(tangent),
            true => solved.matmul(tangent),
        };
        let pushed = match (&tangents[0], &tangents[2]) {
            (None, None) => return Ok(None),
            (None, Some(given)) => given.clone(),
            (Some(matrix), None) => image(matrix)?.negate()?,
            (Some(matrix), Some(given)) => given.subtract(&image(matrix)?)?,
        };
        let inputs = [&primal.inputs[0], &primal.inputs[1], &pushed];
        solved.tape().compute(Arc::new(*self), &inputs).map(Some)
    }

    fn transpose(&self, argument: usize, primal: &Primal, cotangent: &Value) -> Result<Value> {
        if argument != 2 {
            return Err(Error::NotLinear { operation: self.name() });
        }
        let flipped = Self { transposed: !self.transposed };
        cotangent.tape().compute(Arc::new(flipped), &[&primal.inputs[0], &primal.inputs[1], cotangent])
    }

    fn stacked(&self, columns: usize, inputs: &[Value], varies: &[bool]) -> Result<Option<Value>> {
        let (false, false, [_, items, vectors, size]) = (varies[0], varies[1], inputs[2].shape()) else {
            return Ok(None);
        };
        let given = inputs[2].permute(&[1, 0, 2, 3])?.reshape(&[*items, columns * vectors, *size])?;
        let solved = given.tape().compute(Arc::new(*self), &[&inputs[0], &inputs[1], &given])?;
        solved.reshape(&[*items, columns, *vectors, *size])?.permute(&[1, 0, 2, 3]).map(Some)
    }

    fn keeps_samples(&self, batch: usize, inputs: &[&[usize]], varies: &[bool]) -> bool {
        let is_of_one = inputs[0][0] == 1 && !varies[0] && !varies[1];
        inputs[0][0].is_multiple_of(batch) || is_of_one && inputs[2][1].is_multiple_of(batch)
    }

    fn scratch(&self, inputs: &[&[usize]]) -> usize {
        if self.transposed { volume(inputs[2]) } else { 0 }
    }

    fn record(
        &self,
        recorder: &mut Recorder,
        inputs: &[&Tensor],
        scratch: &Buffer<f32>,
        output: &Tensor,
    ) -> Result<()> {
        let given = (output.shape()[1], inputs[2].buffer());
        factors::solve(recorder, held(inputs[1]), self.transposed, given, scratch, output.buffer())
    }

    fn evaluate(&self, inputs: &[Array], shape: &[usize]) -> Vec<f64> {
        let (vectors, size) = (shape[1], shape[2]);
        let solve = |vector: usize| {
            let factors = &inputs[1].data[vector / vectors * (size + 2) * size..][..(size + 2) * size];
            let (matrix, _, permutation) = parts(factors, size);
            let given = &inputs[2].data[vector * size..][..size];
            if self.transposed {
                let mut solution = given.to_vec();
                reference::lu_solve(matrix, true, true, &mut solution);
                reference::lu_solve(matrix, false, true, &mut solution);
                return reference::lu_permute(&permutation, true, &solution);
            }
            let mut solution = reference::lu_permute(&permutation, false, given);
            reference::lu_solve(matrix, false, false, &mut solution);
            reference::lu_solve(matrix, true, false, &mut solution);
            solution
        };
        (0..shape[0] * vectors).flat_map(solve).collect()
    }
}
