//! Spectral norms against exact values: test vectors, hard cases, random spectra, gradients, large matrices.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

#[path = "spectral_norm/coverage.rs"]
mod coverage;
#[path = "spectral_norm/edges.rs"]
mod edges;
#[path = "spectral_norm/families.rs"]
mod families;
#[path = "spectral_norm/gradients.rs"]
mod gradients;
#[path = "spectral_norm/matrices.rs"]
mod matrices;
#[path = "spectral_norm/multiplicity.rs"]
mod multiplicity;
#[path = "spectral_norm/operators.rs"]
mod operators;
#[path = "spectral_norm/products.rs"]
mod products;
#[path = "spectral_norm/spectra.rs"]
mod spectra;
#[path = "spectral_norm/stopping.rs"]
mod stopping;
#[path = "spectral_norm/top.rs"]
mod top;
#[path = "spectral_norm/unchanged.rs"]
mod unchanged;
#[path = "spectral_norm/vectors.rs"]
mod vectors;
#[path = "spectral_norm/zeros.rs"]
mod zeros;

use std::sync::OnceLock;

use opnorm::{Gpu, Matrix};

/// The device of `OPNORM_ADAPTER`, opened once.
fn gpu() -> &'static Gpu {
    static GPU: OnceLock<Gpu> = OnceLock::new();
    GPU.get_or_init(|| Gpu::new().unwrap())
}

/// Whether the large grids run, which take minutes.
fn is_full() -> bool {
    std::env::var("OPNORM_FULL").is_ok_and(|value| value == "1")
}

fn upload(matrix: &matrices::Dense) -> Matrix {
    Matrix::from_slice(gpu(), matrix.rows, matrix.cols, &matrix.entries).unwrap()
}
