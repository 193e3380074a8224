//! Norms of Jacobians, sample by sample and reduced, and their gradients.

mod gradients;
mod loops;
mod values;

use faer::Mat;
use opnorm::Result;
use opnorm::norm::{JacobianSpectralNorm, Lanczos, Method, Power, Stop};
use opnorm::tape::{Tape, Value};
use opnorm::tensor::Tensor;

use crate::gpu;
use crate::tape::{draw, narrowed, seeded};

fn tensor(shape: &[usize], data: &[f64]) -> Tensor {
    Tensor::from_slice(gpu(), shape, &narrowed(data)).unwrap()
}

fn lanczos() -> JacobianSpectralNorm {
    let method = Method::Lanczos(Lanczos { stop: Stop::Value { rtol: 1e-6 }, ..Lanczos::default() });
    JacobianSpectralNorm { method, ..JacobianSpectralNorm::default() }
}

fn power() -> JacobianSpectralNorm {
    let method = Method::Power(Power { rtol: 1e-6, max_iter: 5000, ..Power::default() });
    JacobianSpectralNorm { method, ..JacobianSpectralNorm::default() }
}

/// Two hidden layers of tanh, as a function of a value, with its parameters.
struct Network {
    tape: Tape,
    parameters: Vec<Value>,
    values: Vec<Vec<f64>>,
}

impl Network {
    fn new(sizes: &[usize], seed: u64) -> Self {
        let tape = Tape::new(gpu());
        let mut random = seeded(seed);
        let (mut parameters, mut values) = (Vec::new(), Vec::new());
        for pair in sizes.windows(2) {
            for shape in [&[pair[1], pair[0]][..], &[pair[1]][..]] {
                parameters.push(tape.input(shape).unwrap());
                let data = draw(&mut random, shape.iter().product());
                values.push(data.into_iter().map(|value| f64::from((0.5 * value) as f32)).collect());
            }
        }
        Self { tape, parameters, values }
    }

    fn apply(&self, x: &Value) -> Result<Value> {
        let layers = self.parameters.chunks_exact(2);
        let last = layers.len() - 1;
        let mut y = x.clone();
        for (index, layer) in layers.enumerate() {
            y = y.matmul_nt(&layer[0])?.add(&layer[1])?;
            if index < last {
                y = y.tanh()?;
            }
        }
        Ok(y)
    }

    fn tensors(&self) -> Vec<Tensor> {
        self.parameters.iter().zip(&self.values).map(|(value, data)| tensor(value.shape(), data)).collect()
    }

    /// The sum of the norms of the Jacobians at `samples`, in `f64`, by dense decompositions.
    fn exact(
        &self,
        program: &opnorm::tape::Program,
        values: &[Vec<f64>],
        samples: &[f64],
        sides: (usize, usize),
    ) -> f64 {
        let (from, to) = sides;
        let batch = samples.len() / from;
        let columns: Vec<Vec<f64>> = (0..from)
            .map(|col| {
                let unit: Vec<f64> = (0..samples.len()).map(|index| f64::from(u8::from(index % from == col))).collect();
                let given: Vec<&[f64]> = [samples, &unit].into_iter().chain(values.iter().map(Vec::as_slice)).collect();
                program.evaluate(&given).unwrap().remove(0)
            })
            .collect();
        let norm = |sample: usize| {
            let dense = Mat::from_fn(to, from, |row, col| columns[col][to * sample + row]);
            dense.singular_values().unwrap()[0]
        };
        (0..batch).map(norm).sum()
    }
}
