//! Errors and times of every method on a matrix with known spectral norm and gradient.
//!
//! `cargo run --release --example ground_truth` (add `-- --quick` for 2 × 2 timed loops instead of 10 × 10)

use std::error::Error;
use std::time::Instant;

use faer::Mat;
use opnorm::norm::{Lanczos, Power, PowerForm, Start, Status};
use opnorm::{Device, Matrix};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const ROWS: usize = 64;
const COLS: usize = 128;

fn main() -> Result<(), Box<dyn Error>> {
    let loops = if std::env::args().any(|argument| argument == "--quick") { 2 } else { 10 };
    let device = Device::new()?;
    let capabilities = device.capabilities();
    println!("{} ({}, {})", capabilities.name, capabilities.backend, capabilities.driver);

    let mut source = Source(ChaCha8Rng::seed_from_u64(0));
    let truth = Truth::new(&mut source);
    println!("\nX = U diag(sigma) Vᵀ, {ROWS} x {COLS}, sigma_true = {:.9}\n", truth.sigma);
    println!("{:<32} {:>14} {:>14}  how it ended", "method", "forward error", "backward error");
    for (name, method) in methods() {
        let found = method.run(&device, &truth.entries)?;
        let (forward, ending) = ((found.sigma - truth.sigma).abs(), found.ending());
        let backward = truth.gradient_error(&found.gradient()?);
        println!("{name:<32} {forward:>14.4e} {backward:>14.4e}  {ending}");
    }
    println!("\nforward: |sigma - sigma_true|; backward: root mean square over the entries of the gradient minus u vᵀ");

    println!("\nforward and backward of a fresh Gaussian {ROWS} x {COLS}, {loops} repeats of {loops} loops\n");
    println!("{:<32} {:>22} {:>18}", "method", "ms a loop", "iterations, mean");
    for (name, method) in methods() {
        method.run(&device, &source.normals(ROWS * COLS))?; // what is made once, kernels above all, is not timed
        let mut times = Vec::new();
        let mut iterations = 0;
        for _ in 0..loops {
            let matrices: Vec<_> = (0..loops).map(|_| source.normals(ROWS * COLS)).collect();
            let start = Instant::now();
            for entries in &matrices {
                iterations += method.run(&device, entries)?.iterations;
            }
            times.push(start.elapsed().as_secs_f64() * 1e3 / loops as f64);
        }
        let mean = times.iter().sum::<f64>() / loops as f64;
        let variance = times.iter().map(|time| (time - mean).powi(2)).sum::<f64>() / (loops - 1) as f64;
        let iterations = iterations as f64 / (loops * loops) as f64;
        println!("{name:<32} {mean:>12.3} ± {:<7.3} {iterations:>18.1}", variance.sqrt());
    }
    Ok(())
}

/// The matrix, its norm, and the gradient of its norm.
struct Truth {
    entries: Vec<f64>,
    sigma: f64,
    gradient: Vec<f64>,
}

impl Truth {
    /// U and V are uniformly drawn orthogonal matrices, sigma is uniform on the simplex, in descending order.
    fn new(source: &mut Source) -> Self {
        let (left, right) = (source.orthogonal(ROWS), source.orthogonal(COLS));
        let mut sigmas: Vec<f64> = (0..ROWS).map(|_| -source.uniform().ln()).collect();
        let sum: f64 = sigmas.iter().sum();
        sigmas.iter_mut().for_each(|sigma| *sigma /= sum);
        sigmas.sort_by(|one, other| other.total_cmp(one));
        let entry = |row: usize, col: usize| {
            sigmas.iter().enumerate().map(|(rank, sigma)| left[(row, rank)] * sigma * right[(col, rank)]).sum()
        };
        Self {
            entries: row_major(entry),
            sigma: sigmas[0],
            gradient: row_major(|row, col| left[(row, 0)] * right[(col, 0)]),
        }
    }

    fn gradient_error(&self, gradient: &[f64]) -> f64 {
        let squares = self.gradient.iter().zip(gradient).map(|(exact, found)| (found - exact).powi(2));
        (squares.sum::<f64>() / (ROWS * COLS) as f64).sqrt()
    }
}

fn methods() -> [(&'static str, Method); 6] {
    let gram = Power { form: PowerForm::Gram, ..Power::default() };
    let median = Power { start: Start::Median { seed: 0 }, ..Power::default() };
    [
        ("SVD on the host, f64", Method::Host { rounded: false }),
        ("SVD on the host, X held in f32", Method::Host { rounded: true }),
        ("Lanczos", Method::Lanczos(Lanczos::default())),
        ("power, two-sided", Method::Power(Power::default())),
        ("power, Gram", Method::Power(gram)),
        ("power, two-sided, median start", Method::Power(median)),
    ]
}

enum Method {
    /// `rounded` shows the best possible result of a method that stores `f32`.
    Host {
        rounded: bool,
    },
    Lanczos(Lanczos),
    Power(Power),
}

impl Method {
    /// Forward and backward: the norm and u vᵀ; the device has finished when this returns.
    fn run(&self, device: &Device, entries: &[f64]) -> Result<Found, Box<dyn Error>> {
        let matrix = || Matrix::from_f64(device, 1, ROWS, COLS, entries);
        let norms = match self {
            Self::Host { rounded } => return singular_triplet(entries, *rounded),
            Self::Lanczos(lanczos) => lanczos.norm(&matrix()?)?,
            Self::Power(power) => power.norm(&matrix()?)?,
        };
        let gradient = norms.vjp(&[1.0])?;
        device.poll_until_idle()?;
        let item = norms.single()?;
        let (status, iterations) = (Some(item.status), item.iterations);
        Ok(Found { sigma: item.sigma, gradient: Gradient::Device(gradient), status, iterations })
    }
}

fn singular_triplet(entries: &[f64], rounded: bool) -> Result<Found, Box<dyn Error>> {
    let held = |entry: f64| if rounded { f64::from(entry as f32) } else { entry };
    let matrix = Mat::from_fn(ROWS, COLS, |row, col| held(entries[row * COLS + col]));
    let svd = matrix.thin_svd().map_err(|error| format!("{error:?}"))?;
    let (left, right) = (svd.U(), svd.V());
    let gradient = Gradient::Host(row_major(|row, col| left[(row, 0)] * right[(col, 0)]));
    Ok(Found { sigma: svd.S()[0], gradient, status: None, iterations: 0 })
}

/// The result of a method.
struct Found {
    sigma: f64,
    gradient: Gradient,
    /// The result of an iteration.
    status: Option<Status>,
    iterations: usize,
}

/// The gradient, where a method leaves it.
enum Gradient {
    Host(Vec<f64>),
    Device(Matrix),
}

impl Found {
    fn gradient(self) -> opnorm::Result<Vec<f64>> {
        match self.gradient {
            Gradient::Host(entries) => Ok(entries),
            Gradient::Device(matrix) => Ok(matrix.read()?.into_iter().map(f64::from).collect()),
        }
    }

    fn ending(&self) -> String {
        self.status.map_or("direct".to_string(), |status| format!("{status}, {} iterations", self.iterations))
    }
}

fn row_major(entry: impl Fn(usize, usize) -> f64) -> Vec<f64> {
    (0..ROWS * COLS).map(|index| entry(index / COLS, index % COLS)).collect()
}

/// Random numbers, the same on every machine.
struct Source(ChaCha8Rng);

impl Source {
    /// Uniform in (0, 1].
    fn uniform(&mut self) -> f64 {
        ((self.0.next_u64() >> 11) + 1) as f64 * 2f64.powi(-53)
    }

    fn normals(&mut self, count: usize) -> Vec<f64> {
        let normal = |_| (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos();
        (0..count).map(normal).collect()
    }

    /// Uniform over the orthogonal matrices: the Q of a Gaussian matrix, with the signs of R (Mezzadri 2007).
    fn orthogonal(&mut self, size: usize) -> Mat<f64> {
        let normals = self.normals(size * size);
        let qr = Mat::from_fn(size, size, |row, col| normals[row * size + col]).qr();
        let (q, r) = (qr.compute_thin_Q(), qr.thin_R());
        Mat::from_fn(size, size, |row, col| q[(row, col)] * r[(col, col)].signum())
    }
}
