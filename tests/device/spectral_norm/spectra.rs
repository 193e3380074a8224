//! Random matrices of many spectra: converged results are right, and lower bounds hold.

use opnorm::norm::{Lanczos, Status, spectral_norm};

use super::families::{FAMILIES, draw};
use super::matrices::Source;
use super::{gpu, is_full, upload};

#[test]
fn converged_means_converged_and_lower_means_lower() {
    println!(
        "{:<14} {:>6} {:>10} {:>11} {:>12} {:>12} {:>10}",
        "family", "count", "converged", "stagnated", "worst error", "lower > exact", "mean its"
    );
    // The number of matrices of each family.
    let each = if is_full() { 200 } else { 60 };
    let mut source = Source::new(2024);
    for family in FAMILIES {
        let (mut converged, mut stagnated, mut above, mut iterations) = (0, 0, 0, 0);
        let mut worst = 0.0f64;
        for index in 0..each {
            let matrix = draw(family, 300, &mut source);
            let exact = matrix.singular_values()[0];
            let norm =
                Lanczos { seed: index as u64, ..Lanczos::default() }.norm(&upload(&matrix)).unwrap().items()[0].clone();
            iterations += norm.iterations;
            let error = (norm.sigma / exact - 1.0).abs();
            match norm.status {
                Status::Converged => {
                    converged += 1;
                    worst = worst.max(error);
                    let shape = (matrix.rows, matrix.cols);
                    assert!(error <= 1e-5, "{family} {index} {shape:?}: {norm:?}, exact {exact}");
                }
                Status::Stagnated => stagnated += 1,
                other => panic!("{family} {index}: {other}"),
            }
            // The reference has rounding of its own: n ulps, generously.
            above += usize::from(norm.bounds.lower > exact * (1.0 + 1e-13));
        }
        println!(
            "{family:<14} {each:>6} {converged:>10} {stagnated:>11} {worst:>12.1e} {above:>12} {:>10.1}",
            iterations as f64 / each as f64
        );
        assert_eq!(above, 0, "{family}");
        assert!(converged >= each * 98 / 100, "{family}: {converged}");
    }
}

#[test]
fn no_read_back_per_iteration() {
    let matrix = upload(&Source::new(1).gaussian(600, 600));
    let before = gpu().totals().read_backs;
    let norm = spectral_norm(&matrix).unwrap().items()[0].clone();
    let read_backs = gpu().totals().read_backs - before;
    println!("{} iterations, {read_backs} read-backs on a device that other tests use too", norm.iterations);
    assert!(norm.iterations >= 30);
    // A separate device, because tests run side by side and the counter belongs to the device.
    let own = opnorm::Device::new().unwrap();
    let matrix = Source::new(1).gaussian(600, 600);
    let matrix = opnorm::Matrix::from_slice(&own, 600, 600, &matrix.entries).unwrap();
    let before = own.totals();
    let norm = spectral_norm(&matrix).unwrap().items()[0].clone();
    let after = own.totals();
    // A read for the range, and five at the end of a run: norms, factors, residuals and vectors; the bound reads the
    // matrix once.
    let during = after.read_backs - before.read_backs - 7;
    println!("{} iterations, {during} read-backs during them", norm.iterations);
    assert!(during as usize <= norm.iterations / 3, "{during} for {} iterations", norm.iterations);
}
