//! A function whose Jacobian is taken, and the pull-back of pairs of vectors to its parameters.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::Result;
use crate::tape::{Program, Value};
use crate::tensor::Tensor;

/// A function on a tape, and the programs of the gradients that were asked for.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) input: Value,
    pub(super) output: Value,
    others: Vec<Value>,
    /// By the numbers of the values that a gradient is taken with respect to.
    gradients: Mutex<BTreeMap<Vec<usize>, Arc<Program>>>,
}

impl Function {
    pub(super) fn new(input: Value, output: Value, others: Vec<Value>) -> Self {
        Self { input, output, others, gradients: Mutex::default() }
    }

    /// The gradient of the sum over the samples of weight · uᵀ J v with respect to `wanted`, as values of the
    /// function's tape: the pull-back of pairs of vectors (u, v) to the parameters of the Jacobian.
    ///
    /// *Shapes*  `left`: that of the function's value · `right`: that of its argument · `weights`: batch
    pub(super) async fn pull_back(
        &self,
        (left, right, weights): (&Tensor, &Tensor, &[f32]),
        point: &[Tensor],
        wanted: &[&Value],
    ) -> Result<Vec<Tensor>> {
        let program = self.gradient(wanted)?;
        let weights = Tensor::from_slice(self.input.tape().gpu(), &column(self.output.shape()), weights)?;
        let vectors = [right.reshaped(self.input.shape())?, left.reshaped(self.output.shape())?];
        let given: Vec<&Tensor> = point.iter().chain(&vectors).chain([&weights]).collect();
        program.run_async(&given).await
    }

    /// The gradient of the sum over the samples of weight · uᵀ J v: from the point, v, u and the weights.
    fn gradient(&self, inputs: &[&Value]) -> Result<Arc<Program>> {
        let tape = self.input.tape();
        tape.expect_own("gradient of a Jacobian norm", inputs)?;
        let wanted: Vec<usize> = inputs.iter().map(|input| input.node()).collect();
        let mut gradients = self.gradients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = gradients.get(&wanted) {
            return Ok(Arc::clone(made));
        }
        let (right, left) = (tape.input(self.input.shape())?, tape.input(self.output.shape())?);
        let weights = tape.input(&column(self.output.shape()))?;
        let along = tape.jvp(&[&self.output], &[&self.input], &[&right])?;
        let axes: Vec<usize> = (0..self.output.shape().len()).collect();
        let total = along[0].multiply(&left)?.multiply(&weights)?.sum(&axes)?;
        let slopes = tape.grad(&total, inputs)?;
        let given: Vec<&Value> =
            [&self.input].into_iter().chain(&self.others).chain([&right, &left, &weights]).collect();
        let made = Arc::new(tape.compile(&given, &slopes)?);
        gradients.insert(wanted, Arc::clone(&made));
        Ok(made)
    }
}

/// The shape of a value with one number for each sample, to be repeated over the elements of a sample.
pub(super) fn column(shape: &[usize]) -> Vec<usize> {
    shape.iter().enumerate().map(|(axis, size)| if axis == 0 { *size } else { 1 }).collect()
}
