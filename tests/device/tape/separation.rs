//! Functions that mix samples of a batch are refused; functions that do not mix are accepted.

use opnorm::norm::{JacobianSearch, JacobianSpectralNorm, Status};
use opnorm::tape::{BatchNorm, Tape, Value};
use opnorm::tensor::{Conv2dOptions, Pool2dOptions, Tensor};
use opnorm::{Error, Result};

use super::{draw, gpu, is_full, narrowed, seeded};

fn samples(batch: usize, size: usize) -> Tensor {
    Tensor::from_slice(gpu(), &[batch, size], &narrowed(&draw(&mut seeded(3), batch * size))).unwrap()
}

fn is_refused<T: std::fmt::Debug>(found: Result<T>) -> bool {
    match found {
        Err(error @ Error::InvalidOption { .. }) => error.to_string().contains("mixes samples"),
        _ => false,
    }
}

/// x, with a part of another sample added to a sample.
fn leak(x: &Value, from: usize, to: usize, size: f64) -> Result<Value> {
    let batch = x.shape()[0];
    let row = x.slice(0, from..from + 1)?.scale(size)?;
    x.add(&row.pad(0, to, batch - to - 1)?)
}

#[test]
fn every_pair_of_samples_is_looked_at() {
    let norm = JacobianSpectralNorm::default();
    let full = is_full();
    for batch in [2, 3, 5, 8] {
        let samples = samples(batch, 2);
        for pair in 0..batch * batch {
            let (from, to) = (pair / batch, pair % batch);
            if from == to || !full && batch == 8 && pair % 5 != 1 {
                continue;
            }
            let tape = Tape::new(gpu());
            let function = |x: &Value| leak(x, from, to, if pair % 2 == 0 { 1.0 } else { 1e-30 });
            assert!(is_refused(norm.norms(&tape, function, &samples, &[])), "{from} to {to} of {batch}");
        }
    }
}

#[test]
fn all_ways_to_mix_are_refused() {
    type Function = fn(&Value) -> Result<Value>;
    let functions: [(&str, Function); 10] = [
        ("reversed", |x| x.gather(0, &[3, 2, 1, 0])),
        ("shifted", |x| x.gather(0, &[1, 2, 3, 0])),
        ("two swapped", |x| x.gather(0, &[0, 1, 3, 2])),
        ("centred", |x| x.subtract(&x.mean(&[0])?)),
        ("normalised over the batch", |x| {
            let (mean, one) = (x.mean(&[0])?, x.tape().fill(&[3], 1.0)?);
            let variance = x.subtract(&mean)?.square()?.mean(&[0])?;
            x.batch_norm(&BatchNorm { mean: &mean, variance: &variance, weight: &one, bias: &one, epsilon: 1e-5 })
        }),
        ("softmax of the batch", |x| x.softmax(0)),
        ("transposed", |x| x.reshape(&[3, 4])?.permute(&[1, 0])),
        ("products of samples", |x| x.matmul_nt(x)?.matmul(x)),
        ("the last alone", |x| x.add(&x.slice(0, 3..4)?.broadcast_to(&[4, 3])?)),
        ("the largest of the batch", |x| x.maximum(&x.max(0)?)),
    ];
    let samples = samples(4, 3);
    for (name, function) in functions {
        let tape = Tape::new(gpu());
        assert!(is_refused(JacobianSpectralNorm::default().norms(&tape, function, &samples, &[])), "{name}");
        let search = JacobianSearch { places: 1, steps: 1, at_once: 4, ..JacobianSearch::default() };
        assert!(is_refused(search.steepest(&tape, function, &samples, &[])), "{name}, searched");
    }
}

/// At the first point the mixing derivative is zero, so that the next, the second or the third point shows the mixing.
#[test]
fn mixing_is_found_where_it_begins() {
    let tape = Tape::new(gpu());
    let gated = |x: &Value| x.add(&x.slice(0, 1..2)?.relu()?.broadcast_to(&[3, 2])?);
    let mut prepared = JacobianSpectralNorm::default().prepare(&tape, gated, &[3, 2], &[]).unwrap();
    let point = |own: f32| Tensor::from_slice(gpu(), &[3, 2], &[1.0, 2.0, own, -1.0, 0.5, 0.25]).unwrap();
    let _ = prepared.norms_at(&point(-1.0), &[]).unwrap();
    let _ = prepared.norms_at(&point(-2.0), &[]).unwrap();
    assert!(is_refused(prepared.norms_at(&point(3.0), &[])));

    let x = tape.input(&[3, 2]).unwrap();
    let y = gated(&x).unwrap();
    let mut jacobian = tape.linearize(&y, &x, &[(&x, &point(-1.0))]).unwrap();
    jacobian.move_to(&[&point(-2.0)]).unwrap();
    assert!(is_refused(jacobian.move_to(&[&point(3.0)])));
}

#[test]
fn functions_of_each_sample_are_not_refused() {
    type Function = fn(&Value) -> Result<Value>;
    let functions: [(&str, Function); 10] = [
        ("softmax", |x| x.softmax(1)),
        ("layer_norm", |x| x.layer_norm(1, 1e-5)),
        ("norm", |x| x.divide(&x.vector_norm(&[1], 2.0)?.reshape(&[5, 1])?)),
        ("there and back", |x| x.gather(0, &[4, 3, 2, 1, 0])?.gather(0, &[4, 3, 2, 1, 0])),
        ("columns", |x| x.permute(&[1, 0])?.sin()?.permute(&[1, 0])),
        ("products", |x| {
            let x = x.reshape(&[5, 4, 4])?;
            x.matmul(&x)?.reshape(&[5, 16])
        }),
        ("a mean that is fixed", |x| x.subtract(&x.mean(&[0])?.stop_gradient()?)?.square()),
        ("a factor 0", |x| x.add(&x.sum(&[0])?.scale(0.0)?)),
        ("convolution", |x| {
            let weight = x.tape().fill(&[2, 1, 3, 3], 0.25)?;
            let y = x.reshape(&[5, 1, 4, 4])?.conv2d(&weight, &Conv2dOptions::default())?;
            y.max_pool2d(&Pool2dOptions::new([2, 2]))?.reshape(&[5, 2])
        }),
        ("the same for all", |x| x.concatenate_with_ones()),
    ];
    let samples = samples(5, 16);
    for (name, function) in functions {
        let tape = Tape::new(gpu());
        let found = JacobianSpectralNorm::default().norms(&tape, function, &samples, &[]);
        assert!(found.is_ok(), "{name}: {:?}", found.err());
    }
    // A NaN sample does not affect the other samples.
    let mut data = narrowed(&draw(&mut seeded(5), 80));
    data[20] = f32::NAN;
    let broken = Tensor::from_slice(gpu(), &[5, 16], &data).unwrap();
    let tape = Tape::new(gpu());
    let there_and_back = |x: &Value| x.gather(0, &[4, 3, 2, 1, 0])?.gather(0, &[4, 3, 2, 1, 0])?.square();
    let found = JacobianSpectralNorm::default().norms(&tape, there_and_back, &broken, &[]).unwrap();
    let statuses: Vec<bool> = found.norms().items().iter().map(|item| item.status == Status::NonFinite).collect();
    assert_eq!(statuses, [false, true, false, false, false]);
}

trait WithOnes {
    fn concatenate_with_ones(&self) -> Result<Value>;
}

impl WithOnes for Value {
    fn concatenate_with_ones(&self) -> Result<Value> {
        let ones = self.tape().fill(self.shape(), 1.0)?;
        self.tape().concatenate(&[self, &ones], 1)
    }
}
