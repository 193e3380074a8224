//! A function whose Jacobian is taken, and the pull-back of pairs of vectors to its inputs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::columns::Columns;
use super::graph::Value;
use super::program::Program;
use crate::Result;
use crate::device::Device;
use crate::tensor::{Tensor, volume};

/// A function on a tape, and the programs of the gradients that were asked for.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) input: Value,
    output: Value,
    /// The inputs of the graph that the function has values of, in the order of a point.
    pub(super) starts: Vec<Value>,
    gradients: Mutex<Gradients>,
}

/// Programs by the nodes that a gradient is taken with respect to, and the number of pairs for each sample.
type Gradients = BTreeMap<(Vec<usize>, usize), Arc<Program>>;

impl Function {
    pub(super) fn new(input: &Value, output: &Value, starts: &[&Value]) -> Self {
        let starts = starts.iter().map(|start| (*start).clone()).collect();
        Self { input: input.clone(), output: output.clone(), starts, gradients: Mutex::default() }
    }

    /// The gradient of the sum over the samples, and the vectors of each, of weight · uᵀ J v with respect to `wanted`,
    /// values of the function's tape: the pull-back of pairs of vectors (u, v) to the parameters of the Jacobian.
    ///
    /// *Shapes*  `left`: batch × vectors × codomain · `right`: batch × vectors × domain · `weights`: batch × vectors
    pub(crate) async fn pull_back(
        &self,
        (left, right, weights): (&Tensor, &Tensor, &[f32]),
        point: &[Tensor],
        wanted: &[&Value],
    ) -> Result<Vec<Tensor>> {
        let vectors = left.shape()[1];
        let program = self.gradient(wanted, vectors)?;
        let device = self.input.tape().device();
        let mut pairs = Vec::new();
        for vector in 0..vectors {
            let of_vector: Vec<f32> = weights.iter().copied().skip(vector).step_by(vectors).collect();
            pairs.push(taken(device, right, vector, self.input.shape())?);
            pairs.push(taken(device, left, vector, self.output.shape())?);
            pairs.push(Tensor::from_slice(device, &column(self.output.shape()), &of_vector)?);
        }
        let given: Vec<&Tensor> = point.iter().chain(&pairs).collect();
        program.run_async(&given).await
    }

    /// The gradient of the sum of weight · uᵀ J v: from the point, and v, u and the weights of each vector.
    fn gradient(&self, inputs: &[&Value], vectors: usize) -> Result<Arc<Program>> {
        let tape = self.input.tape();
        tape.expect_own("gradient of a Jacobian norm", inputs)?;
        let wanted = (inputs.iter().map(|input| input.node()).collect(), vectors);
        let mut gradients = self.gradients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = gradients.get(&wanted) {
            return Ok(Arc::clone(made));
        }
        let axes: Vec<usize> = (0..self.output.shape().len()).collect();
        let (mut total, mut given) = (tape.fill(&[], 0.0)?, self.starts.clone());
        for _ in 0..vectors {
            let (right, left) = (tape.input(self.input.shape())?, tape.input(self.output.shape())?);
            let weights = tape.input(&column(self.output.shape()))?;
            let along = tape.jvp(&[&self.output], &[&self.input], &[&right])?;
            total = total.add(&along[0].multiply(&left)?.multiply(&weights)?.sum(&axes)?)?;
            given.extend([right, left, weights]);
        }
        let slopes = tape.grad(&total, inputs)?;
        let given: Vec<&Value> = given.iter().collect();
        let made = Arc::new(tape.compile(&given, &slopes)?);
        gradients.insert(wanted, Arc::clone(&made));
        Ok(made)
    }
}

/// One vector of each sample, as a tensor of the shape of a value.
fn taken(device: &Device, vectors: &Tensor, vector: usize, shape: &[usize]) -> Result<Tensor> {
    let (batch, count) = (shape[0], vectors.shape()[1]);
    if count == 1 {
        return vectors.reshaped(shape);
    }
    let taken = Tensor::zeros(device, shape)?;
    let mut recorder = device.recorder();
    let place = Columns { first: vector, columns: 1, count };
    place.gather(&mut recorder, vectors.buffer(), taken.buffer(), (batch, volume(&shape[1..])))?;
    recorder.submit()?;
    Ok(taken)
}

/// The shape of a value with one number for each sample, to be repeated over the elements of a sample.
pub(crate) fn column(shape: &[usize]) -> Vec<usize> {
    shape.iter().enumerate().map(|(axis, size)| if axis == 0 { *size } else { 1 }).collect()
}
