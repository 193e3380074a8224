//! The time of a step of a norm against the bytes of the matrix: over the sides of one matrix, and over batches.
//!
//! `cargo bench --bench scaling` prints medians of rounds that alternate: nanoseconds for each byte and step, which are
//! the same in every line where the time is linear in the bytes. Start and judgements are a part of the time.

use std::time::Instant;

use opnorm::norm::spectral_norm;
use opnorm::{Device, Matrix, Result};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const SIDES: [usize; 5] = [512, 1024, 2048, 4096, 8192];
const BATCHES: [usize; 7] = [1, 4, 16, 64, 256, 1024, 4096];

/// The side of each matrix of a batch.
const OF_BATCH: usize = 64;

const ROUNDS: usize = 5;

fn main() -> Result<()> {
    let device = Device::new()?;
    let capabilities = device.capabilities();
    println!("{} ({}, {})", capabilities.name, capabilities.backend, capabilities.driver);
    table(&device, &SIDES.map(|side| (1, side)))?;
    table(&device, &BATCHES.map(|batch| (batch, OF_BATCH)))
}

/// Prints a line for each number and side of matrices.
fn table(device: &Device, sizes: &[(usize, usize)]) -> Result<()> {
    println!("\n{:>6} {:>6} {:>6} {:>12} {:>16}", "batch", "side", "steps", "ms", "ns / byte, step");
    let matrices: Vec<Matrix> = sizes.iter().map(|size| matrix(device, *size)).collect::<Result<_>>()?;
    let mut times = vec![Vec::new(); sizes.len()];
    let mut steps = vec![0; sizes.len()];
    for round in 0..=ROUNDS {
        for ((matrix, times), steps) in matrices.iter().zip(&mut times).zip(&mut steps) {
            let start = Instant::now();
            let norms = spectral_norm(matrix)?;
            let seconds = start.elapsed().as_secs_f64();
            *steps = norms.iter().map(|norm| norm.iterations).max().unwrap_or(0);
            // The first round makes kernels and memory.
            if round > 0 {
                times.push(seconds);
            }
        }
    }
    for (((batch, side), times), steps) in sizes.iter().zip(times).zip(steps) {
        let seconds = median(times);
        let each = 1e9 * seconds / (4 * batch * side * side * steps) as f64;
        println!("{batch:>6} {side:>6} {steps:>6} {:>12.3} {each:>16.4}", 1e3 * seconds);
    }
    Ok(())
}

fn matrix(device: &Device, (batch, side): (usize, usize)) -> Result<Matrix> {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let entries: Vec<f32> =
        (0..batch * side * side).map(|_| random.next_u32() as f32 / u32::MAX as f32 - 0.5).collect();
    Matrix::from_batch(device, batch, side, side, &entries)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
