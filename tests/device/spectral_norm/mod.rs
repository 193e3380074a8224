//! Spectral norms against exact values: test vectors, hard cases, random spectra, gradients, large matrices.

mod coverage;
mod edges;
mod gradients;
mod multiplicity;
mod operators;
mod products;
mod spectra;
mod steps;
mod stopping;
mod top;
mod unchanged;
mod vectors;
mod zeros;

use opnorm::Matrix;

use crate::{families, gpu, is_full, matrices};

fn upload(matrix: &matrices::Dense) -> Matrix {
    Matrix::from_slice(gpu(), matrix.rows, matrix.cols, &matrix.entries).unwrap()
}
