//! Products with sparse matrices, in GB/s of the values and indices that each product reads.
//!
//! `cargo bench --bench sparse` prints a line for each matrix and direction: random rows of equal length, and a graph
//! with one hub. Vectors, which are read and written besides, are not counted.

use std::time::Instant;

use opnorm::operator::{LinearOperator, SparseMatrix};
use opnorm::tensor::{SparseEntries, Tensor};
use opnorm::{Device, Result};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Rows and columns, and the nonzeros of a row.
const RANDOM: [(usize, usize); 3] = [(20_000, 8), (100_000, 16), (20_000, 200)];

/// The vertices of a star.
const STAR: usize = 500_000;

/// Products of one submit, and submits.
const PRODUCTS: usize = 10;
const ROUNDS: usize = 7;

fn main() -> Result<()> {
    let device = Device::new()?;
    let capabilities = device.capabilities();
    println!("{} ({}, {})", capabilities.name, capabilities.backend, capabilities.driver);
    println!("\n{:>24} {:>10} {:>10} {:>8} {:>8}", "matrix", "nonzeros", "direction", "us", "GB/s");
    for (side, count) in RANDOM {
        measure(&device, &format!("{side}, {count} a row"), &random(side, count)?)?;
    }
    let edges = (0..STAR - 1).flat_map(|edge| [(0, edge, 1.0), (edge + 1, edge, -1.0)]);
    measure(&device, &format!("star of {STAR}"), &SparseEntries::new(STAR, STAR - 1, edges)?)
}

fn random(side: usize, count: usize) -> Result<SparseEntries> {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let mut number = || f64::from(random.next_u32() as f32 / u32::MAX as f32);
    let entries: Vec<_> =
        (0..side * count).map(|index| (index / count, (number() * side as f64) as usize % side, number())).collect();
    SparseEntries::new(side, side, entries)
}

fn measure(device: &Device, name: &str, entries: &SparseEntries) -> Result<()> {
    let matrix = SparseMatrix::new(device, entries)?;
    for adjoint in [false, true] {
        let (from, to) = match adjoint {
            true => (matrix.rows(), matrix.cols()),
            false => (matrix.cols(), matrix.rows()),
        };
        let input = Tensor::from_slice(device, &[1, 1, from], &vec![0.5; from])?;
        let output = Tensor::zeros(device, &[1, 1, to])?;
        let mut times = Vec::new();
        for _ in 0..=ROUNDS {
            let start = Instant::now();
            let mut recorder = device.recorder();
            for _ in 0..PRODUCTS {
                match adjoint {
                    true => matrix.apply_adjoint(&mut recorder, &input, &output)?,
                    false => matrix.apply(&mut recorder, &input, &output)?,
                }
            }
            let last = recorder.read(&output.buffer().slice(0..1))?;
            recorder.submit()?;
            last.wait()?;
            times.push(start.elapsed().as_secs_f64() / PRODUCTS as f64);
        }
        times.remove(0); // makes the pipelines
        times.sort_by(f64::total_cmp);
        let (seconds, bytes) = (times[ROUNDS / 2], 8 * matrix.nonzeros());
        let direction = if adjoint { "adjoint" } else { "product" };
        let (count, rate) = (matrix.nonzeros(), bytes as f64 / seconds / 1e9);
        println!("{name:>24} {count:>10} {direction:>10} {:>8.1} {rate:>8.2}", 1e6 * seconds);
    }
    Ok(())
}
