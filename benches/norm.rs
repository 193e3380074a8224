//! The time of a spectral norm, from a matrix on the device to sigma with its lower bound.
//!
//! `cargo bench --profile dev --bench norm`

use std::error::Error;
use std::time::Instant;

use opnorm::norm::Lanczos;
use opnorm::{Device, Matrix};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Shapes, with the number of runs for the median.
const SHAPES: [(usize, usize, usize); 3] = [(64, 128, 101), (1024, 1024, 15), (2048, 2048, 7)];

fn main() -> Result<(), Box<dyn Error>> {
    let device = Device::new()?;
    println!("{}", device.capabilities().name);
    for (rows, cols, runs) in SHAPES {
        let mut random = ChaCha8Rng::seed_from_u64(7);
        let uniform = |random: &mut ChaCha8Rng| (random.next_u32() as f32 / u32::MAX as f32) - 0.5;
        let entries: Vec<f32> = (0..rows * cols).map(|_| uniform(&mut random)).collect();
        let matrix = Matrix::from_slice(&device, rows, cols, &entries)?;
        let lanczos = Lanczos::default();
        let _ = lanczos.norm(&matrix)?; // makes the pipelines
        let before = device.totals();
        let mut times = Vec::new();
        for _ in 0..runs {
            let start = Instant::now();
            let norms = lanczos.norm(&matrix)?;
            times.push((start.elapsed().as_secs_f64(), norms.items()[0].iterations));
        }
        let after = device.totals();
        times.sort_by(|one, other| one.0.total_cmp(&other.0));
        let each = |count: u64| count / runs as u64;
        println!(
            "{rows:>5} x {cols:<5} median {:8.2} ms, least {:8.2} ms, {} steps, {} read-backs, {} submits",
            1e3 * times[runs / 2].0,
            1e3 * times[0].0,
            times[0].1,
            each(after.read_backs - before.read_backs),
            each(after.submits - before.submits),
        );
    }
    Ok(())
}
