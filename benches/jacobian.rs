//! The cost of a product with a Jacobian relative to the function: a replayed linearisation of tanh layers,
//! 784-512-512-784, at a batch of 256 samples.
//!
//! `cargo bench --bench jacobian` prints medians of alternating rounds.

use std::time::Instant;

use opnorm::operator::LinearOperator;
use opnorm::tape::{Tape, Value};
use opnorm::tensor::Tensor;
use opnorm::{Device, Result};

const SIZES: [usize; 4] = [784, 512, 512, 784];
const BATCH: usize = 256;
const ROUNDS: usize = 9;

fn main() -> Result<()> {
    let device = Device::new()?;
    println!("{} ({})", device.capabilities().name, device.capabilities().backend);
    let tape = Tape::new(&device);
    let x = tape.input(&[BATCH, SIZES[0]])?;
    let mut y = x.clone();
    let (mut values, mut tensors) = (vec![x.clone()], vec![tensor(&device, &[BATCH, SIZES[0]], 1.0)?]);
    for pair in SIZES.windows(2) {
        let (weight, bias) = (tape.input(&[pair[1], pair[0]])?, tape.input(&[pair[1]])?);
        y = y.matmul_nt(&weight)?.add(&bias)?.tanh()?;
        values.extend([weight, bias]);
        tensors.extend([tensor(&device, &[pair[1], pair[0]], 0.08)?, tensor(&device, &[pair[1]], 0.1)?]);
    }
    let point: Vec<(&Value, &Tensor)> = values.iter().zip(&tensors).collect();
    let jacobian = tape.linearize(&y, &x, &point)?;
    let forward = tape.compile(&values, &[&y])?;
    let (u, v) = (Tensor::zeros(&device, &[BATCH, 1, 784])?, tensor(&device, &[BATCH, 1, 784], 1.0)?);
    println!("forward: {} operations, {} MiB", forward.operations(), forward.peak_bytes() >> 20);

    let mut times = [Vec::new(), Vec::new(), Vec::new()];
    for round in 0..=ROUNDS {
        let mut took = [0.0; 3];
        let start = Instant::now();
        forward.run(&tensors)?;
        device.poll_until_idle()?;
        took[0] = start.elapsed().as_secs_f64();
        for (adjoint, took) in [false, true].into_iter().zip(&mut took[1..]) {
            let start = Instant::now();
            let mut recorder = device.recorder();
            if adjoint {
                jacobian.apply_adjoint(&mut recorder, &v, &u)?;
            } else {
                jacobian.apply(&mut recorder, &v, &u)?;
            }
            recorder.submit()?;
            device.poll_until_idle()?;
            *took = start.elapsed().as_secs_f64();
        }
        // The first round makes kernels and memory.
        if round > 0 {
            times.iter_mut().zip(took).for_each(|(times, took)| times.push(took));
        }
    }
    let [forward, apply, adjoint] = times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[ROUNDS / 2]
    });
    println!("forward {forward:.4} s, apply {apply:.4} s, adjoint {adjoint:.4} s");
    println!("apply and adjoint: {:.2} of forward", (apply + adjoint) / forward);
    Ok(())
}

fn tensor(device: &Device, shape: &[usize], scale: f32) -> Result<Tensor> {
    let mut state = 12_345u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        scale * ((state >> 8) as f32 / 8_388_608.0 - 1.0)
    };
    let data: Vec<f32> = (0..shape.iter().product()).map(|_| next()).collect();
    Tensor::from_slice(device, shape, &data)
}
