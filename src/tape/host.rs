//! Programs on the host: each operation of the graph by its reference implementation in `f64`.

use std::sync::Arc;

use super::graph::{Array, Operation};
use super::ir::{Held, Origin, Step};
use super::program::Program;
use crate::tensor::volume;
use crate::{Error, Result};

/// The most elements of a value on the host: 4 GiB.
const MOST: usize = 1 << 29;

impl Program {
    /// Computes the outputs in `f64` on the host, as a check of the device's results and derivatives.
    ///
    /// Constants are read back. Where a run refuses a derivative that does not exist, the host evaluates the
    /// derivative's formula, which may give NaN.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] when an input has a wrong number of elements; the errors of a read-back, for constants.
    pub fn evaluate(&self, inputs: &[impl AsRef<[f64]>]) -> Result<Vec<Vec<f64>>> {
        self.device().block_on(self.evaluate_async(inputs))
    }

    /// [`Program::evaluate`] without blocking the thread.
    ///
    /// # Errors
    /// As [`Program::evaluate`].
    pub(crate) async fn evaluate_async(&self, inputs: &[impl AsRef<[f64]>]) -> Result<Vec<Vec<f64>>> {
        self.hosted(inputs).await?.run(inputs)
    }

    /// The program on the host, for inputs of these lengths.
    pub(super) async fn hosted(&self, inputs: &[impl AsRef<[f64]>]) -> Result<OnHost> {
        let expected: Vec<usize> = self.code.shapes(&self.code.inputs).into_iter().map(volume).collect();
        let found: Vec<usize> = inputs.iter().map(|input| input.as_ref().len()).collect();
        if expected != found {
            return Err(Error::ShapeMismatch {
                operation: "evaluate a program",
                expected: format!("inputs of {expected:?} elements"),
                found: format!("{found:?}"),
            });
        }
        self.on_host(&[]).await
    }

    /// The program with its constants on the host, and with `known` in place of the values known beforehand.
    ///
    /// # Errors
    /// As [`Program::evaluate`].
    pub(super) async fn on_host(&self, known: &[Vec<f64>]) -> Result<OnHost> {
        let largest = self.code.values.iter().map(|held| volume(&held.shape)).max().unwrap_or(0);
        if largest > MOST {
            return Err(Error::TooLarge {
                operation: "evaluate a program",
                what: "a value, in elements,".to_string(),
                needed: largest as u64,
                limit: MOST as u64,
                advice: "take smaller batches: the host holds every value in f64",
            });
        }
        let mut data: Vec<Vec<f64>> = vec![Vec::new(); self.code.values.len()];
        for (value, place) in &self.known {
            if let Some(known) = known.get(*place) {
                data[*value].clone_from(known);
            }
        }
        for (data, Held { origin, shape }) in data.iter_mut().zip(&self.code.values) {
            match origin {
                Origin::Constant(tensor) if data.len() != volume(shape) => {
                    *data = tensor.read_async(self.device()).await?.into_iter().map(f64::from).collect();
                }
                Origin::Number(number) => *data = vec![*number],
                Origin::Constant(_) | Origin::Input | Origin::Inner | Origin::Block(_) | Origin::View(_) => (),
            }
        }
        let step = |step: &Step| (Arc::clone(&step.operation), step.inputs.clone(), step.output);
        Ok(OnHost {
            data,
            shapes: self.code.values.iter().map(|held| Arc::clone(&held.shape)).collect(),
            inputs: self.code.inputs.clone(),
            outputs: self.code.outputs.clone(),
            steps: self.code.steps.iter().map(step).collect(),
        })
    }
}

/// A program on the host, with the values that depend on no input.
pub(super) struct OnHost {
    pub(super) data: Vec<Vec<f64>>,
    pub(super) shapes: Vec<Arc<[usize]>>,
    inputs: Vec<usize>,
    pub(super) outputs: Vec<usize>,
    /// Operations with the values that they read and write.
    pub(super) steps: Vec<(Arc<dyn Operation>, Vec<usize>, usize)>,
}

impl OnHost {
    /// The outputs for as many inputs as the program has, each of its length.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] when an operation computes another number of elements than its shape has.
    pub(super) fn run(&mut self, inputs: &[impl AsRef<[f64]>]) -> Result<Vec<Vec<f64>>> {
        self.take(inputs);
        for step in 0..self.steps.len() {
            let (operation, inputs, output) = &self.steps[step];
            let result = operation.evaluate(&self.arrays(inputs), &self.shapes[*output]);
            self.keep(step, result)?;
        }
        Ok(self.outputs.iter().map(|output| self.data[*output].clone()).collect())
    }

    /// Takes the inputs of a run.
    pub(super) fn take(&mut self, inputs: &[impl AsRef<[f64]>]) {
        for (input, given) in self.inputs.iter().zip(inputs) {
            self.data[*input] = given.as_ref().to_vec();
        }
    }

    /// Some values as they are now.
    pub(super) fn arrays(&self, values: &[usize]) -> Vec<Array<'_>> {
        values.iter().map(|value| Array { shape: &self.shapes[*value], data: &self.data[*value] }).collect()
    }

    /// Keeps the result of a step.
    ///
    /// # Errors
    /// As [`OnHost::run`].
    pub(super) fn keep(&mut self, step: usize, result: Vec<f64>) -> Result<()> {
        let (operation, _, output) = &self.steps[step];
        let expected = volume(&self.shapes[*output]);
        if result.len() != expected {
            return Err(Error::ShapeMismatch {
                operation: operation.name(),
                expected: format!("{expected} elements from the reference implementation"),
                found: result.len().to_string(),
            });
        }
        self.data[*output] = result;
        Ok(())
    }
}
