//! The speed of the matrix products for several tunings of the kernels: what [`Profile::HARDWARE`] rests on.
//!
//! `cargo bench --bench profiles`. Times include recording and submitting, as in a solver. The host has one tuning.

use std::error::Error;
use std::time::Instant;

use opnorm::device::{DeviceOptions, Profile, Recorder};
use opnorm::low_level::ops;
use opnorm::norm::spectral_norm;
use opnorm::tensor::Tensor;
use opnorm::{Device, Matrix, Result};

const SIDES: [usize; 3] = [1024, 4096, 8192];
const LANES: [u32; 3] = [32, 64, 256];
const ADJOINT_ROWS: [u32; 2] = [16, 64];

/// The rounds of a median.
const ROUNDS: usize = 7;

/// The number of bytes that one submit reads.
const SUBMIT_BYTES: usize = 1 << 30;

fn main() -> Result<(), Box<dyn Error>> {
    let own = Device::new()?.capabilities().clone();
    println!("{} ({}, {}), {:?}", own.name, own.backend, own.driver, own.profile);
    if own.backend == "host" {
        return Ok(());
    }
    println!("GB/s of products, and the time of a norm\n");
    println!(
        "{:>5} {:>5} {:>4} {:>9} {:>9} {:>9} {:>6}",
        "side", "lanes", "rows", "matvec", "adjoint", "norm, ms", "steps"
    );
    for side in SIDES {
        let mut state = 7u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1 << 24) as f32 - 0.5
        };
        let entries: Vec<f32> = (0..side * side).map(|_| random()).collect();
        for lanes in LANES {
            for adjoint_rows in ADJOINT_ROWS {
                row(side, &entries, Profile { lanes, adjoint_rows, ..own.profile })?;
            }
        }
    }
    Ok(())
}

fn row(side: usize, entries: &[f32], profile: Profile) -> Result<()> {
    let device = Device::open(&DeviceOptions { profile: Some(profile), ..DeviceOptions::default() })?;
    let matrix = Matrix::from_slice(&device, side, side, entries)?;
    let shape = [1, 1, side];
    let input = Tensor::from_slice(&device, &shape, &entries[..side])?;
    let output = Tensor::zeros(&device, &shape)?;
    let rate = |product: fn(&mut Recorder, &Matrix, &Tensor, &Tensor) -> Result<()>| {
        let count = (SUBMIT_BYTES / (4 * side * side)).clamp(1, 64);
        let seconds = median(|| {
            let mut recorder = device.recorder();
            (0..count).try_for_each(|_| product(&mut recorder, &matrix, &input, &output))?;
            recorder.submit()?;
            device.poll_until_idle()
        })?;
        Ok::<_, opnorm::Error>((4 * side * side * count) as f64 / seconds / 1e9)
    };
    let (straight, adjoint) = (rate(ops::matvec)?, rate(ops::matvec_adjoint)?);
    let mut steps = 0;
    let norm = median(|| {
        steps = spectral_norm(&matrix)?[0].iterations;
        Ok(())
    })?;
    let Profile { lanes, adjoint_rows, .. } = profile;
    println!("{side:>5} {lanes:>5} {adjoint_rows:>4} {straight:>9.0} {adjoint:>9.0} {:>9.2} {steps:>6}", 1e3 * norm);
    Ok(())
}

fn median(mut run: impl FnMut() -> Result<()>) -> Result<f64> {
    run()?; // makes pipelines and memory
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let start = Instant::now();
        run()?;
        times.push(start.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    Ok(times[ROUNDS / 2])
}
