//! Programs on the host: the same graph, each operation by its `f64` twin.

use super::operation::Array;
use super::program::{Held, Origin, Program};
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
        for (input, given) in self.inputs.iter().zip(inputs) {
            data[*input] = given.as_ref().to_vec();
        }
        for (data, Held { origin, .. }) in data.iter_mut().zip(&self.values) {
            match origin {
                Origin::Constant(tensor) => *data = tensor.read(self.gpu())?.into_iter().map(f64::from).collect(),
                Origin::Number(number) => *data = vec![*number],
                Origin::Input | Origin::Inner | Origin::Block(_) | Origin::View(_) => (),
            }
        }
        for step in &self.steps {
            let array = |input: &usize| Array { shape: &self.values[*input].shape, data: &data[*input] };
            let arrays: Vec<Array> = step.inputs.iter().map(array).collect();
            let result = step.operation.evaluate(&arrays, &self.values[step.output].shape);
            data[step.output] = result;
        }
        Ok(self.outputs.iter().map(|output| data[*output].clone()).collect())
    }
}
