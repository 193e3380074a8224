//! Norms of the Jacobians of a small network for each sample, with bounds, and their gradient by the weights.
//!
//! `cargo run --release --example jacobian_norm`

use opnorm::norm::{JacobianSearch, JacobianSpectralNorm, Lanczos, Method, Reduction, Region, Stop};
use opnorm::tape::{Tape, Value};
use opnorm::tensor::Tensor;
use opnorm::{Device, Result};

fn main() -> Result<()> {
    let device = Device::new()?;
    println!("{} ({})", device.capabilities().name, device.capabilities().backend);
    let tape = Tape::new(&device);

    // f(x) = diag(1, ..., 50) x: the norm of the Jacobian of f is 50 everywhere, and 99 for 2 f - 1
    let entries: Vec<f32> = (1..=50u8).map(f32::from).collect();
    let diagonal = tape.constant(&Tensor::from_slice(&device, &[50], &entries)?)?;
    let samples = Tensor::zeros(&device, &[1, 50])?;
    let norm = JacobianSpectralNorm::default();
    let of = norm.norms(&tape, |x| x.multiply(&diagonal), &samples, &[])?;
    let reflected = norm.norms_of_reflection(&tape, |x| x.multiply(&diagonal), &samples, &[])?;
    println!("diag(1..50): {}, reflected {}", of.norms().single()?, reflected.norms().single()?);

    // A network of two tanh layers at 8 samples, with an upper bound that fails for one start in a million.
    let (weights, tensors) = network(&tape, &[20, 64, 64, 10])?;
    let function = |x: &Value| layers(x, &weights);
    let samples = Tensor::from_slice(&device, &[8, 20], &numbers(8 * 20, 1.0))?;
    let others: Vec<(&Value, &Tensor)> = weights.iter().zip(&tensors).collect();
    let method =
        Method::Lanczos(Lanczos { stop: Stop::Gradient { tolerance: 1e-4 }, delta: Some(1e-6), ..Lanczos::default() });
    let norm = JacobianSpectralNorm { method, reduction: Reduction::Mean, ..JacobianSpectralNorm::default() };
    let found = norm.norms(&tape, function, &samples, &others)?;
    for (sample, item) in found.norms().iter().enumerate() {
        println!("sample {sample}: {item}");
    }
    // A step against the gradient of the mean makes the mean smaller.
    let gradients = found.gradient(&weights.iter().collect::<Vec<_>>())?;
    let mut stepped = Vec::with_capacity(tensors.len());
    for (tensor, gradient) in tensors.iter().zip(&gradients) {
        let moved: Vec<f32> = tensor
            .read(&device)?
            .iter()
            .zip(gradient.read(&device)?)
            .map(|(weight, slope)| weight - 0.1 * slope)
            .collect();
        stepped.push(Tensor::from_slice(&device, tensor.shape(), &moved)?);
    }
    let others: Vec<(&Value, &Tensor)> = weights.iter().zip(&stepped).collect();
    let after = norm.norms(&tape, function, &samples, &others)?;
    println!("mean {:.6}, after one step {:.6}", found.reduced().unwrap_or(0.0), after.reduced().unwrap_or(0.0));

    // The largest norm within 0.1 of the first two samples in each coordinate is a lower bound of the Lipschitz
    // constant.
    let region = Region::Box { radius: 0.1, lower: f64::NEG_INFINITY, upper: f64::INFINITY };
    let norm = JacobianSpectralNorm { reduced_batch: Some(2), ..JacobianSpectralNorm::default() };
    let search = JacobianSearch { region, norm, ..JacobianSearch::default() };
    for (sample, found) in search.steepest(&tape, function, &samples, &others)?.iter().enumerate() {
        let (centre, sampled, sigma) = (found.centre, found.sampled, found.sigma);
        println!("around sample {sample}: {centre:.6} there, {sampled:.6} at random places, {sigma:.6} uphill");
    }
    Ok(())
}

/// The weights of layers of these sizes, as inputs of the graph, and numbers for them.
fn network(tape: &Tape, sizes: &[usize]) -> Result<(Vec<Value>, Vec<Tensor>)> {
    let (mut values, mut tensors) = (Vec::new(), Vec::new());
    for pair in sizes.windows(2) {
        let scale = (3.0 / pair[0] as f32).sqrt();
        values.push(tape.input(&[pair[1], pair[0]])?);
        tensors.push(Tensor::from_slice(tape.device(), &[pair[1], pair[0]], &numbers(pair[0] * pair[1], scale))?);
    }
    Ok((values, tensors))
}

fn layers(x: &Value, weights: &[Value]) -> Result<Value> {
    let Some((last, hidden)) = weights.split_last() else { return Ok(x.clone()) };
    let mut y = x.clone();
    for weight in hidden {
        y = y.matmul_nt(weight)?.tanh()?;
    }
    y.matmul_nt(last)
}

/// Numbers in [-scale, scale]: a linear congruential generator, the same on every machine.
fn numbers(count: usize, scale: f32) -> Vec<f32> {
    let mut state = 12_345u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        scale * ((state >> 8) as f32 / 8_388_608.0 - 1.0)
    };
    (0..count).map(|_| next()).collect()
}
