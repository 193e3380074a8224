//! Programs on the host: the same graph, each operation by its `f64` twin.

use std::sync::Arc;

use super::operation::{Array, Operation};
use super::program::{Held, Origin, Program, Step};
use crate::operator::length;
use crate::{Error, Result};

/// The most elements of a value on the host: 4 GiB.
const MOST: usize = 1 << 29;

impl Program {
    /// Computes the outputs in `f64` on the host, which also reads back the constants: what the device's results and the
    /// derivatives are checked against. Where a run refuses a derivative that does not exist, this gives what its formula does,
    /// which may be NaN.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] when the inputs do not have as many elements; whatever reading a constant says.
    pub fn evaluate(&self, inputs: &[impl AsRef<[f64]>]) -> Result<Vec<Vec<f64>>> {
        let expected: Vec<usize> = self.inputs.iter().map(|input| length(&self.values[*input].shape)).collect();
        let found: Vec<usize> = inputs.iter().map(|input| input.as_ref().len()).collect();
        if expected != found {
            return Err(Error::ShapeMismatch {
                operation: "evaluate a program",
                expected: format!("inputs of {expected:?} elements"),
                found: format!("{found:?}"),
            });
        }
        Ok(self.gpu().block_on(self.on_host(&[]))?.run(inputs))
    }

    /// The program with its constants on the host, and with these in place of the values that were known beforehand.
    ///
    /// # Errors
    /// As [`Program::evaluate`].
    pub(super) async fn on_host(&self, known: &[Vec<f64>]) -> Result<OnHost> {
        let largest = self.values.iter().map(|held| length(&held.shape)).max().unwrap_or(0);
        if largest > MOST {
            return Err(Error::TooLarge {
                operation: "evaluate a program",
                what: "a value, in elements,".to_string(),
                needed: largest as u64,
                limit: MOST as u64,
                advice: "take smaller batches: the host holds every value in f64",
            });
        }
        let mut data: Vec<Vec<f64>> = vec![Vec::new(); self.values.len()];
        for (value, place) in &self.known {
            if let Some(known) = known.get(*place) {
                data[*value].clone_from(known);
            }
        }
        for (data, Held { origin, shape }) in data.iter_mut().zip(&self.values) {
            match origin {
                Origin::Constant(tensor) if data.len() != length(shape) => {
                    *data = tensor.read_async(self.gpu()).await?.into_iter().map(f64::from).collect();
                }
                Origin::Number(number) => *data = vec![*number],
                Origin::Constant(_) | Origin::Input | Origin::Inner | Origin::Block(_) | Origin::View(_) => (),
            }
        }
        let step = |step: &Step| (Arc::clone(&step.operation), step.inputs.clone(), step.output);
        Ok(OnHost {
            data,
            shapes: self.values.iter().map(|held| Arc::clone(&held.shape)).collect(),
            inputs: self.inputs.clone(),
            outputs: self.outputs.clone(),
            steps: self.steps.iter().map(step).collect(),
        })
    }
}

/// A program on the host, with what does not depend on its inputs.
pub(super) struct OnHost {
    data: Vec<Vec<f64>>,
    shapes: Vec<Arc<[usize]>>,
    inputs: Vec<usize>,
    outputs: Vec<usize>,
    /// Operations with the values that they read and write.
    steps: Vec<(Arc<dyn Operation>, Vec<usize>, usize)>,
}

impl OnHost {
    /// The outputs; there must be as many inputs as the program has, of their lengths.
    pub(super) fn run(&mut self, inputs: &[impl AsRef<[f64]>]) -> Vec<Vec<f64>> {
        for (input, given) in self.inputs.iter().zip(inputs) {
            self.data[*input] = given.as_ref().to_vec();
        }
        for (operation, inputs, output) in &self.steps {
            let array = |input: &usize| Array { shape: &self.shapes[*input], data: &self.data[*input] };
            let arrays: Vec<Array> = inputs.iter().map(array).collect();
            let result = operation.evaluate(&arrays, &self.shapes[*output]);
            self.data[*output] = result;
        }
        self.outputs.iter().map(|output| self.data[*output].clone()).collect()
    }
}
