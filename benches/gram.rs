//! The speed of the Gram product, on which upper bounds rest, and of a plain f64 product on the host, in GFlop/s.
//!
//! `cargo bench --bench gram`, or `cargo bench --bench gram -- SIDE...` for square matrices of other sides. A product
//! of a matrix of n columns and k rows counts n²k operations, because one triangle is computed and mirrored. The host
//! computes the whole product on one thread, and counts 2n²k. Times include recording and submitting.

use std::error::Error;
use std::time::Instant;

use faer::Mat;
use opnorm::device::Buffer;
use opnorm::low_level::ops;
use opnorm::{Device, Matrix, Result};

const SIDES: [usize; 2] = [1024, 2048];

/// The number of rounds, each of which times both products once, so that changes of the machine's speed affect both
/// alike.
const ROUNDS: usize = 7;

fn main() -> std::result::Result<(), Box<dyn Error>> {
    let device = Device::new()?;
    let capabilities = device.capabilities();
    println!("{} ({}, {})", capabilities.name, capabilities.backend, capabilities.driver);
    let asked: Vec<usize> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let start = Instant::now();
    product(&device, &Matrix::zeros(&device, 1, 8, 8)?, &Matrix::zeros(&device, 1, 8, 8)?)?;
    println!("kernels made in {:.2} s", start.elapsed().as_secs_f64());
    println!("{:>6} {:>10} {:>17} {:>17} {:>9}", "side", "roundings", "gram (best)", "host (best)", "ratio");
    for side in if asked.is_empty() { SIDES.to_vec() } else { asked } {
        let entries: Vec<f32> = (0..side * side).map(|index| ((index * 7919) % 1013) as f32 / 1013.0 - 0.5).collect();
        let matrix = Matrix::from_slice(&device, side, side, &entries)?;
        let output = Matrix::zeros(&device, 1, side, side)?;
        let host = Mat::from_fn(side, side, |row, col| f64::from(entries[row * side + col]));
        let (mut device_rates, mut host_rates) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let start = Instant::now();
            product(&device, &matrix, &output)?;
            device_rates.push((side as f64).powi(3) / start.elapsed().as_secs_f64() / 1e9);
            let start = Instant::now();
            std::hint::black_box(host.transpose() * &host);
            host_rates.push(2.0 * (side as f64).powi(3) / start.elapsed().as_secs_f64() / 1e9);
        }
        let ratios = device_rates.iter().zip(&host_rates).map(|(device, host)| device / host).collect();
        let shown = |rates: Vec<f64>| {
            let best = rates.iter().fold(0.0, |best: f64, rate| best.max(*rate));
            format!("{:>8.2} ({best:>6.2})", median(rates))
        };
        let roundings = ops::gram_roundings(&matrix);
        let (device, host, ratio) = (shown(device_rates), shown(host_rates), median(ratios));
        println!("{side:>6} {roundings:>10} {device:>17} {host:>17} {ratio:>9.3}");
    }
    Ok(())
}

fn product(device: &Device, matrix: &Matrix, output: &Matrix) -> Result<()> {
    let factors = Buffer::from_slice(device, "factors", &[1.0])?;
    let mut recorder = device.recorder();
    ops::gram(&mut recorder, matrix, &factors, output)?;
    recorder.submit()?;
    device.poll_until_idle()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
