//! The time and tightness of a proof: on the host for a Gaussian matrix and for a chain of layers, on the device for
//! larger matrices.
//!
//! `cargo bench --bench certificates` prints medians of five rounds. `-- 4096` adds a round of the device's prover at
//! that side.

use std::time::Instant;

use opnorm::Device;
use opnorm::certify::Certifier;
use opnorm::iterate::Control;
use opnorm::norm::Bounds;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const ROUNDS: usize = 5;

fn main() -> opnorm::Result<()> {
    for side in [256, 512, 1024, 2000, 4096] {
        let matrix = gaussian(1, side);
        let certifier = Certifier::default();
        let (seconds, bounds) = median(|| Ok(certifier.certify_on_host((1, side, side), &matrix[..])?[0].bounds))?;
        println!("host, Gaussian {side} x {side}: {seconds:8.3} s, width {:.1e}", bounds.width());
    }
    let side = 1024;
    let rotation = orthonormal(&gaussian(3, side), side);
    for (name, spread) in [("orthogonal", 0.0), ("sigma from 1 to 0, evenly,", 1.0), ("sigma from 1 to 0.999", 1e-3)] {
        let sigma = |col: usize| (1.0 - spread * col as f64 / side as f64) as f32;
        let matrix: Vec<f32> = rotation.iter().enumerate().map(|(index, entry)| entry * sigma(index % side)).collect();
        let (seconds, bounds) =
            median(|| Ok(Certifier::default().certify_on_host((1, side, side), &matrix[..])?[0].bounds))?;
        println!("host, {name} {side} x {side}: {seconds:8.3} s, width {:.1e}", bounds.width());
    }
    // A spectrum that is dense at its edge, where Lanczos alone gives too small a value.
    let entry = |index: usize| [2.0, -1.0].get((index / side).abs_diff(index % side)).copied().unwrap_or(0.0f32);
    let difference: Vec<f32> = (0..side * side).map(entry).collect();
    let (seconds, bounds) =
        median(|| Ok(Certifier::default().certify_on_host((1, side, side), &difference[..])?[0].bounds))?;
    println!("host, second difference {side} x {side}: {seconds:8.3} s, width {:.1e}", bounds.width());
    let device = Device::new()?;
    for side in std::env::args().filter_map(|argument| argument.parse::<usize>().ok()) {
        let matrix = gaussian(1, side);
        let certifier = Certifier { host_side: Some(0), ..Certifier::default() };
        println!("device, Gaussian {side} x {side}: {} expected", certifier.estimate(&device, side, side)?);
        let start = Instant::now();
        let mut last = "";
        let tell = |progress: &opnorm::iterate::Progress| {
            // A product at a time, because the device reports progress by rows.
            if progress.step != last || (last == "rows of products" && progress.done.is_multiple_of(side)) {
                println!(
                    "  {:7.1} s  {} {} of {}",
                    start.elapsed().as_secs_f64(),
                    progress.step,
                    progress.done,
                    progress.total
                );
                last = progress.step;
            }
            Ok(())
        };
        let bounds = device.block_on(certifier.certify_source_async(
            &device,
            (1, side, side),
            &matrix[..],
            Control::new().on_progress(tell),
        ))?[0]
            .bounds;
        let seconds = start.elapsed().as_secs_f64();
        println!("device, Gaussian {side} x {side}: {seconds:8.1} s, {bounds:.12}, width {:.1e}", bounds.width());
    }
    let layers = layers();
    let (seconds, bounds) = median(|| {
        let certificates = Certifier::default().certify_on_host((10, 128, 128), &layers[..])?;
        Ok(certificates
            .iter()
            .map(|layer| layer.bounds)
            .reduce(|chain, layer| chain.product(&layer))
            .unwrap_or(Bounds::NONE))
    })?;
    println!("host, ten 128 x 128 layers: {seconds:8.3} s, {bounds:.12}, width {:.1e}", bounds.width());
    Ok(())
}

fn median(mut work: impl FnMut() -> opnorm::Result<Bounds>) -> opnorm::Result<(f64, Bounds)> {
    let mut times = Vec::new();
    let mut bounds = Bounds::NONE;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        bounds = work()?;
        times.push(start.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    Ok((times[ROUNDS / 2], bounds))
}

fn gaussian(seed: u64, side: usize) -> Vec<f32> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut uniform = || ((random.next_u64() >> 11) + 1) as f64 * 2f64.powi(-53);
    let entries = side * side;
    (0..entries).map(|_| ((-2.0 * uniform().ln()).sqrt() * (std::f64::consts::TAU * uniform()).cos()) as f32).collect()
}

/// Ten layers whose singular values cluster near 1: slightly perturbed rotations by Gaussian planes.
fn layers() -> Vec<f32> {
    let side = 128;
    (0..10)
        .flat_map(|layer| {
            let noise = orthonormal(&gaussian(100 + layer, side), side);
            noise
                .into_iter()
                .zip(gaussian(200 + layer, side))
                .map(|(entry, noise)| entry + 1e-4 * noise)
                .collect::<Vec<_>>()
        })
        .collect()
}

fn orthonormal(entries: &[f32], side: usize) -> Vec<f32> {
    let matrix = faer::Mat::from_fn(side, side, |row, col| f64::from(entries[row * side + col]));
    let q = matrix.qr().compute_thin_Q();
    (0..side * side).map(|index| q[(index / side, index % side)] as f32).collect()
}
