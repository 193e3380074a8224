//! Whole tasks: norms of random matrices, a network with its Jacobian, and the matrices of a checkpoint.

use std::time::Duration;

use opnorm::norm::spectral_norm;
use opnorm::operator::LinearOperator;
use opnorm::tape::{Program, Tape, Value};
use opnorm::tensor::Tensor;
use opnorm::{Device, Matrix, Result};

use super::measures::{Measure, Sizes, Timed, Work, median, numbers};

/// The matrices of MiniLM, as their number, rows and columns.
const CHECKPOINT: [(usize, usize, usize); 6] =
    [(1, 30522, 384), (1, 512, 384), (1, 2, 384), (25, 384, 384), (6, 1536, 384), (6, 384, 1536)];

pub(super) fn all(sizes: Sizes) -> Vec<Measure> {
    let Sizes { norm, batch, layers, samples, divisor, patience, .. } = sizes;
    let mut measures = Vec::new();
    for (items, rows, cols) in [(1, norm, norm), (batch, 64, 64), (1, 64, 128)] {
        let count = if items == 1 { String::new() } else { format!("{items} of ") };
        let name = format!("spectral norm, {count}{rows} x {cols}");
        measures.push(Measure::new(name, Work::Mixed, move |device| norms(device, (items, rows, cols), patience)));
    }
    let [first, second, third, last] = layers;
    let name = format!("{first}-{second}-{third}-{last} x {samples}");
    let operations = 2 * samples * layers.windows(2).map(|pair| pair[0] * pair[1]).sum::<usize>();
    measures.push(Measure::new(format!("network, {name}"), Work::Operations(operations), move |device| {
        Network::new(device, layers, samples)?.forward(device, patience)
    }));
    let pair = Work::Operations(2 * operations);
    measures.push(Measure::new(format!("Jacobian and adjoint, {name}"), pair, move |device| {
        Network::new(device, layers, samples)?.jacobian(device, patience)
    }));
    let count: usize = CHECKPOINT.iter().map(|(count, ..)| count).sum();
    let part = if divisor == 1 { String::new() } else { format!(", sides / {divisor}") };
    measures.push(Measure::new(format!("checkpoint of {count} tensors{part}"), Work::Mixed, move |device| {
        checkpoint(device, divisor, patience)
    }));
    measures
}

fn norms(device: &Device, (items, rows, cols): (usize, usize, usize), patience: Duration) -> Result<Timed> {
    let matrix = Matrix::from_batch(device, items, rows, cols, &numbers(items * rows * cols))?;
    let mut iterations = 0;
    let timed = median(patience, || {
        let norms = spectral_norm(&matrix)?;
        iterations = norms.iter().map(|norm| norm.iterations).max().unwrap_or(0);
        Ok(())
    })?;
    Ok(Timed { iterations: Some(iterations), ..timed })
}

/// Uploads and norms, one tensor after another, from entries in memory.
fn checkpoint(device: &Device, divisor: usize, patience: Duration) -> Result<Timed> {
    let shapes = CHECKPOINT.map(|(count, rows, cols)| (count, rows.div_ceil(divisor), cols.div_ceil(divisor)));
    let entries = numbers(shapes.iter().map(|(_, rows, cols)| rows * cols).max().unwrap_or(0));
    median(patience, || {
        for (count, rows, cols) in shapes {
            for _ in 0..count {
                spectral_norm(&Matrix::from_slice(device, rows, cols, &entries[..rows * cols])?).map(drop)?;
            }
        }
        Ok(())
    })
}

/// Layers of tanh.
struct Network {
    tape: Tape,
    /// The samples, then a weight and a bias for each layer.
    inputs: Vec<Value>,
    tensors: Vec<Tensor>,
    output: Value,
}

impl Network {
    fn new(device: &Device, layers: [usize; 4], samples: usize) -> Result<Self> {
        let tape = Tape::new(device);
        let tensor = |shape: &[usize], scale: f32| {
            let entries: Vec<f32> = numbers(shape.iter().product()).into_iter().map(|entry| scale * entry).collect();
            Tensor::from_slice(device, shape, &entries)
        };
        let x = tape.input(&[samples, layers[0]])?;
        let (mut inputs, mut tensors) = (vec![x.clone()], vec![tensor(x.shape(), 1.0)?]);
        let mut output = x;
        for pair in layers.windows(2) {
            let (weight, bias) = (tape.input(&[pair[1], pair[0]])?, tape.input(&[pair[1]])?);
            output = output.matmul_nt(&weight)?.add(&bias)?.tanh()?;
            tensors.extend([tensor(weight.shape(), 0.2)?, tensor(bias.shape(), 0.2)?]);
            inputs.extend([weight, bias]);
        }
        Ok(Self { tape, inputs, tensors, output })
    }

    fn forward(&self, device: &Device, patience: Duration) -> Result<Timed> {
        let program: Program = self.tape.compile(&self.inputs, &[&self.output])?;
        median(patience, || {
            program.run(&self.tensors)?;
            device.poll_until_idle()
        })
    }

    fn jacobian(&self, device: &Device, patience: Duration) -> Result<Timed> {
        let point: Vec<(&Value, &Tensor)> = self.inputs.iter().zip(&self.tensors).collect();
        let jacobian = self.tape.linearize(&self.output, &self.inputs[0], &point)?;
        let vectors = |width: usize| {
            let shape = [self.output.shape()[0], 1, width];
            Ok((Tensor::from_slice(device, &shape, &numbers(shape.iter().product()))?, Tensor::zeros(device, &shape)?))
        };
        let ((tangents, slopes), (cotangents, moved)) =
            (vectors(self.inputs[0].shape()[1])?, vectors(self.output.shape()[1])?);
        median(patience, || {
            let mut recorder = device.recorder();
            jacobian.apply(&mut recorder, &tangents, &moved)?;
            jacobian.apply_adjoint(&mut recorder, &cotangents, &slopes)?;
            recorder.submit()?;
            device.poll_until_idle()
        })
    }
}
