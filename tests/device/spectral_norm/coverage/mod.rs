//! Probabilistic bounds fail no more often than they say: on the host for many starts, and on the device.

mod device;
mod host;
mod runs;

use crate::matrices::Source;

/// Spectra of matrices whose largest singular value is 1.
const SPECTRA: [&str; 5] = ["gaussian", "i^-0.5", "uniform", "cluster, gap 1e-3", "nearly repeated"];

fn spectrum(name: &str, size: usize, source: &mut Source) -> Vec<f64> {
    let mut sigmas: Vec<f64> = match name {
        "gaussian" => source.gaussian(size, size).singular_values(),
        "i^-0.5" => (1..=size).map(|index| (index as f64).powf(-0.5)).collect(),
        "uniform" => (0..size).map(|_| source.uniform()).collect(),
        // Eight values a thousandth apart, far from the rest.
        "cluster, gap 1e-3" => {
            (0..size).map(|index| if index < 8 { 1.0 - 1e-3 * index as f64 } else { 0.8 * source.uniform() }).collect()
        }
        // Two that no Krylov space of this length tells apart.
        _ => (0..size).map(|index| [1.0, 1.0 - 1e-7].get(index).copied().unwrap_or(0.9 * source.uniform())).collect(),
    };
    sigmas.sort_by(|left, right| right.total_cmp(left));
    let largest = sigmas[0];
    sigmas.iter().map(|sigma| sigma / largest).collect()
}

/// How often a bound with probability `delta` may fail in so many trials without it being news: four standard
/// deviations.
fn allowance(delta: f64, trials: usize) -> f64 {
    let expected = delta * trials as f64;
    expected + 4.0 * (expected * (1.0 - delta)).sqrt()
}
