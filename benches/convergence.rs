//! Products with the operator until sigma is right to 1e-6, by Lanczos and by power iteration.
//!
//! `cargo bench --bench convergence`. The host sees an estimate only when reading the status of the device, so a count
//! is an interval: the estimate is not yet right after the first number of products, and right after the second. For
//! Lanczos, shorter runs within the interval then find the exact count. The last two products, which measure the
//! residual, do not count.

use std::error::Error;

use opnorm::norm::{Control, Lanczos, Power, Progress, Stop};
use opnorm::{Device, Matrix};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const TOLERANCE: f64 = 1e-6;

fn main() -> Result<(), Box<dyn Error>> {
    let device = Device::new()?;
    let capabilities = device.capabilities();
    println!("{} ({}, {})", capabilities.name, capabilities.backend, capabilities.driver);
    println!("\nproducts until sigma is right to 1e-6; reads: of the status + at the start and the end\n");
    println!(
        "{:<18} {:>12} | {:>19} {:>10} {:>9} {:>11} {:>8} | {:>20}",
        "matrix", "sigma", "Lanczos: seen right", "in truth", "stops at", "its error", "reads", "power: seen right"
    );
    for problem in [gaussian(1024), gaussian(4096), power_law(1024), narrow_gap(1024)] {
        problem.line(&device)?;
    }
    Ok(())
}

struct Problem {
    name: String,
    size: usize,
    entries: Vec<f64>,
    /// The exact norm, where known beforehand.
    sigma: Option<f64>,
    most: usize,
}

impl Problem {
    fn line(&self, device: &Device) -> Result<(), Box<dyn Error>> {
        let matrix = Matrix::from_f64(device, 1, self.size, self.size, &self.entries)?;
        let sigma = match self.sigma {
            Some(sigma) => sigma,
            // A Rayleigh quotient in f64: its error is about the square of the error of the vector.
            None => {
                Lanczos { stop: Stop::Value { rtol: 1e-9 }, seed: 1, ..Lanczos::default() }.norm(&matrix)?.items()[0]
                    .sigma
            }
        };

        let mut sight = Sight::new(sigma);
        let before = device.totals().read_backs;
        let see = |progress: &Progress| {
            sight.see(progress);
            Ok(())
        };
        let lanczos = Lanczos { stop: Stop::Value { rtol: TOLERANCE }, ..Lanczos::default() };
        let lanczos = device.block_on(lanczos.norm_async(&matrix, Control::new().on_progress(see)))?;
        let read_backs = device.totals().read_backs - before;
        let item = &lanczos.items()[0];
        let (seen, readings) = (sight.interval(), sight.readings);
        let in_truth = match sight.right {
            Some((before, at)) => self.first_right(&matrix, sigma, (before, at))?.to_string(),
            None => "-".to_string(),
        };

        // The run goes on until the estimate is right, for any residual.
        let mut sight = Sight::new(sigma);
        let see = |progress: &Progress| {
            sight.see(progress);
            if sight.right.is_some() { Err(progress.cancelled()) } else { Ok(()) }
        };
        let power = Power { rtol: 1e-30, max_iter: self.most, ..Power::default() };
        match device.block_on(power.norm_async(&matrix, Control::new().on_progress(see))) {
            Ok(_) | Err(opnorm::Error::Cancelled { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        println!(
            "{:<18} {sigma:>12.10} | {seen:>19} {in_truth:>10} {:>9} {:>11.1e} {:>8} | {:>20}",
            self.name,
            2 * item.iterations,
            (item.sigma / sigma - 1.0).abs(),
            format!("{readings} + {}", read_backs - readings),
            sight.interval(),
        );
        Ok(())
    }

    /// The products after which Lanczos is right, from iterations before and after.
    fn first_right(&self, matrix: &Matrix, sigma: f64, (mut before, mut at): (usize, usize)) -> opnorm::Result<usize> {
        while at - before > 1 {
            let middle = (before + at) / 2;
            let cut_short = Lanczos { stop: Stop::Value { rtol: 1e-30 }, max_iter: middle, ..Lanczos::default() };
            let estimate = cut_short.norm(matrix)?.items()[0].sigma;
            if (estimate / sigma - 1.0).abs() <= TOLERANCE { at = middle } else { before = middle }
        }
        Ok(2 * at)
    }
}

/// The reading at which an estimate was first right.
struct Sight {
    sigma: f64,
    readings: u64,
    last: usize,
    /// The iterations at the reading before, and at the right reading.
    right: Option<(usize, usize)>,
}

impl Sight {
    fn new(sigma: f64) -> Self {
        Self { sigma, readings: 0, last: 0, right: None }
    }

    fn see(&mut self, progress: &Progress) {
        self.readings += 1;
        if self.right.is_none() && (progress.sigma / self.sigma - 1.0).abs() <= TOLERANCE {
            self.right = Some((self.last, progress.iterations));
        }
        self.last = progress.iterations;
    }

    /// The interval in products, two for each iteration.
    fn interval(&self) -> String {
        match self.right {
            Some((before, at)) => format!("{}..{}", 2 * before, 2 * at),
            None => format!("> {}", 2 * self.last),
        }
    }
}

fn gaussian(size: usize) -> Problem {
    let deviation = 0.5 / (size as f64).sqrt();
    let entries = normals(size as u64, size * size).into_iter().map(|normal| normal * deviation).collect();
    let most = if size > 2048 { 1500 } else { 5000 };
    Problem { name: format!("Gaussian {size}²"), size, entries, sigma: None, most }
}

fn power_law(size: usize) -> Problem {
    let sigmas: Vec<f64> = (1..=size).map(|rank| (rank as f64).powf(-0.5)).collect();
    between_reflections("i^-0.5", &sigmas)
}

/// 1 and 1 - 1e-4, and the rest 0.9 times the singular values of a large Gaussian matrix (the quarter-circle law).
fn narrow_gap(size: usize) -> Problem {
    let bulk = (2..size).map(|rank| 0.9 * quarter_circle((rank as f64 - 1.5) / (size - 2) as f64));
    let sigmas: Vec<f64> = [1.0, 1.0 - 1e-4].into_iter().chain(bulk).collect();
    between_reflections("gap 1e-4, bulk 0.9", &sigmas)
}

/// The value in [0, 1] that a share `above` of the quarter-circle law exceeds.
fn quarter_circle(above: f64) -> f64 {
    let (mut low, mut high) = (0.0f64, 1.0f64);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        let below = (middle * (1.0 - middle * middle).sqrt() + middle.asin()) / std::f64::consts::FRAC_PI_2;
        if 1.0 - below > above { low = middle } else { high = middle }
    }
    low
}

/// (I - 2 w wᵀ) diag(sigmas) (I - 2 z zᵀ) with random unit vectors w and z. The matrix has exactly these singular
/// values, up to the rounding of its entries to `f32`, which moves sigma by at most 3e-8.
fn between_reflections(name: &str, sigmas: &[f64]) -> Problem {
    let size = sigmas.len();
    let unit = |seed| {
        let normals = normals(seed, size);
        let norm = normals.iter().map(|value| value * value).sum::<f64>().sqrt();
        normals.into_iter().map(|value| value / norm).collect::<Vec<_>>()
    };
    let (w, z) = (unit(1), unit(2));
    let middle: f64 = (0..size).map(|index| w[index] * sigmas[index] * z[index]).sum();
    let entry = |row: usize, col: usize| {
        let diagonal = if row == col { sigmas[row] } else { 0.0 };
        let sides = 2.0 * w[row] * w[col] * sigmas[col] + 2.0 * sigmas[row] * z[row] * z[col];
        diagonal - sides + 4.0 * w[row] * middle * z[col]
    };
    let entries = (0..size * size).map(|index| entry(index / size, index % size)).collect();
    Problem { name: name.to_string(), size, entries, sigma: Some(sigmas[0]), most: 5000 }
}

/// Independent normal variates, the same on every machine.
fn normals(seed: u64, count: usize) -> Vec<f64> {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let mut uniform = || ((generator.next_u64() >> 11) + 1) as f64 * 2f64.powi(-53);
    (0..count).map(|_| (-2.0 * uniform().ln()).sqrt() * (std::f64::consts::TAU * uniform()).cos()).collect()
}
