//! The prover for large matrices: the largest singular vectors are taken out, and the device bounds the rest.

use faer::Mat;

use super::arrow::norm_above;
use super::deflation::Deflation;
use super::gram::{GramIteration, Product};
use super::host::{Proof, rayleigh};
use super::progress::Steps;
use super::tall::Tall;
use crate::bound::Up;
use crate::iterate::{Control, Progress};
use crate::norm::Lanczos;
use crate::tensor::screen::power;
use crate::tensor::{ElementSource, Matrix};
use crate::{Device, Result};

/// The effort of a proof.
#[derive(Clone, Copy, Debug)]
pub(super) struct Effort {
    /// The number of singular vectors to take out.
    pub(super) vectors: usize,
    /// The limit of products.
    pub(super) products: usize,
    /// The width at which the proof stops.
    pub(super) width: f64,
    pub(super) seed: u64,
}

/// The limit of residual / sigma for singular pairs to take out; a worse pair would couple more than it separates.
const CONVERGED: f64 = 1e-3;

/// Encloses the norm of B.
pub(super) async fn prove<S: ElementSource + ?Sized, P: Product>(
    device: &Device,
    tall: &Tall<'_, S>,
    effort: Effort,
    product: &P,
    steps: &mut Steps<'_>,
) -> Result<Proof> {
    let vectors = singular_vectors(device, tall, effort, steps).await?;
    enclose(device, tall, &vectors, effort, product, steps).await
}

/// Encloses the norm of B with any vectors; singular vectors make the enclosure tight.
async fn enclose<S: ElementSource + ?Sized, P: Product>(
    device: &Device,
    tall: &Tall<'_, S>,
    vectors: &Mat<f64>,
    effort: Effort,
    product: &P,
    steps: &mut Steps<'_>,
) -> Result<Proof> {
    let mut deflation = Deflation::new(tall, vectors, steps)?;
    let (sigma, lower) = rayleigh(tall, &deflation.first, deflation.frobenius)?;
    let remainder = std::mem::take(&mut deflation.remainder);
    let rest = Matrix::from_slice(device, tall.long, tall.short, &remainder)?;
    drop(remainder);
    let scale = Up::of(power(deflation.exponent));
    let above = |rest: Up| norm_above(&deflation, rest * scale + deflation.remainder_error) + tall.underflow();
    let mut iteration = GramIteration::new(product, rest).await?;
    let mut upper = above(iteration.bound());
    for number in 1..=effort.products {
        if upper.value() / lower - 1.0 <= effort.width {
            break;
        }
        iteration.multiply(steps, number, effort.products).await?;
        let before = upper;
        upper = upper.min(above(iteration.bound()));
        // A Frobenius norm approaches the 2-norm twice as fast with every product, so that a bound that no longer falls
        // is final.
        if number > 2 && before.value() - upper.value() <= 1e-3 * (upper.value() - lower) {
            break;
        }
    }
    Proof::new(sigma, lower, upper)
}

/// The right singular vectors of B that converge, as columns.
async fn singular_vectors<S: ElementSource + ?Sized>(
    device: &Device,
    tall: &Tall<'_, S>,
    effort: Effort,
    steps: &mut Steps<'_>,
) -> Result<Mat<f64>> {
    let matrix = tall.upload(device)?;
    let lanczos = Lanczos { seed: effort.seed, ..Lanczos::default() };
    let listener = |progress: &Progress| steps.reach("singular vectors", progress.iterations, lanczos.max_iter);
    let control = Control::new().on_progress(listener);
    let count = effort.vectors.clamp(1, tall.short);
    let top = lanczos.top_async(&matrix, count, control).await?;
    let values = top.into_iter().next().map_or(Vec::new(), |triplets| triplets.values);
    let largest = values.first().map_or(0.0, |triplet| triplet.sigma);
    let columns: Vec<Vec<f32>> = values
        .into_iter()
        .filter(|triplet| triplet.residual <= CONVERGED * largest)
        .map(|triplet| if tall.is_transposed() { triplet.left } else { triplet.right })
        .collect();
    Ok(Mat::from_fn(tall.short, columns.len(), |row, col| f64::from(columns[col][row])))
}
#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;
    use crate::certify::progress::Steps;
    use crate::certify::tall::Looked;
    use crate::iterate::random_signs;

    /// The product on the host in `f32`, in runs of 16, with faults to inject.
    enum HostProduct {
        Right,
        /// Entry (i, j) is off by this share of the largest entry.
        Entry(usize, usize, f32),
        /// One run of rows is left out.
        DroppedRun,
        /// All entries below this limit are zero.
        Flushed(f32),
        /// The factor is forgotten.
        Unscaled,
        /// Every entry is too small by the allowed rounding, but for the rounding of this operation itself.
        Low,
    }

    impl Product for HostProduct {
        fn gram(&self, matrix: &Matrix, factor: f32, _: &mut dyn FnMut(usize) -> Result<()>) -> Result<Matrix> {
            let (rows, cols) = (matrix.rows(), matrix.cols());
            let entries = matrix.read()?;
            let skipped = if matches!(self, Self::DroppedRun) { 16..32 } else { 0..0 };
            let factor = if matches!(self, Self::Unscaled) { 1.0 } else { factor };
            let mut product = vec![0f32; cols * cols];
            for (index, entry) in product.iter_mut().enumerate() {
                let (left, right) = (index / cols, index % cols);
                let runs: Vec<f32> = (0..rows)
                    .step_by(16)
                    .map(|first| {
                        let run = (first..rows.min(first + 16)).filter(|row| !skipped.contains(row));
                        run.fold(0.0, |sum, row| sum + entries[row * cols + left] * entries[row * cols + right])
                    })
                    .collect();
                *entry = factor * pairwise(&runs);
            }
            match self {
                Self::Entry(row, col, share) => {
                    let largest = product.iter().fold(0f32, |largest, entry| largest.max(entry.abs()));
                    product[row % cols * cols + col % cols] += share * largest;
                }
                Self::Low => {
                    let low = 1.0 - (self.roundings(matrix) - 1) as f32 * f32::EPSILON;
                    product.iter_mut().for_each(|entry| *entry *= low);
                }
                Self::Flushed(least) => {
                    product.iter_mut().filter(|entry| entry.abs() < *least).for_each(|entry| *entry = 0.0);
                }
                _ => {}
            }
            Matrix::from_slice(matrix.device(), cols, cols, &product)
        }

        fn flushed(&self, matrix: &Matrix, largest: f64, factor: f64) -> f64 {
            crate::ops::gram_flushed(matrix, largest, factor)
        }

        fn roundings(&self, matrix: &Matrix) -> usize {
            18 + matrix.rows().div_ceil(16).next_power_of_two().ilog2() as usize
        }
    }

    fn pairwise(values: &[f32]) -> f32 {
        match values {
            [] => 0.0,
            [value] => *value,
            _ => {
                let (left, right) = values.split_at(values.len().div_ceil(2));
                pairwise(left) + pairwise(right)
            }
        }
    }

    fn noise(rows: usize, cols: usize) -> Vec<f32> {
        // Sums of signs are nearly normal.
        let signs = random_signs(rows * cols * 12);
        signs.chunks_exact(12).map(|signs| signs.iter().sum::<f64>() as f32).collect()
    }

    fn proof(entries: &[f32], rows: usize, cols: usize, vectors: usize, product: &HostProduct) -> Result<Proof> {
        let device = Device::new()?;
        let Looked::Ordinary(tall) = Tall::look(entries, 0, rows, cols)? else { panic!("an ordinary matrix") };
        let effort = Effort { vectors, products: 12, width: 1e-9, seed: 0 };
        let proof = device.block_on(prove(&device, &tall, effort, product, &mut Steps::new(Control::default())))?;
        let scale = 2f64.powi(tall.exponent);
        Ok(Proof { sigma: proof.sigma * scale, lower: proof.lower * scale, upper: proof.upper * scale })
    }

    fn exact(entries: &[f32], rows: usize, cols: usize) -> f64 {
        Mat::from_fn(rows, cols, |row, col| f64::from(entries[row * cols + col])).singular_values().unwrap()[0]
    }

    #[test]
    fn the_prover_encloses_whatever_the_shape() {
        for (rows, cols) in [(60, 60), (90, 40), (40, 90), (130, 1), (1, 130), (2, 3), (70, 65)] {
            let entries = noise(rows, cols);
            for vectors in [1, 4, 8] {
                let exact = exact(&entries, rows, cols);
                let proof = proof(&entries, rows, cols, vectors, &HostProduct::Right).unwrap();
                assert!(proof.lower <= exact * (1.0 + 1e-13) && exact * (1.0 - 1e-13) <= proof.upper);
                let width = proof.upper / proof.lower - 1.0;
                let tight = if vectors >= 4 || rows.min(cols) <= vectors { 1e-9 } else { 0.1 };
                assert!(width <= tight, "{rows} x {cols}, {vectors} vectors: {width:e}");
            }
        }
    }

    #[test]
    fn vectors_that_miss_the_top_one_never_make_a_wrong_certificate() {
        let device = Device::new().unwrap();
        let (rows, cols) = (50, 40);
        let entries = noise(rows, cols);
        let dense = Mat::from_fn(rows, cols, |row, col| f64::from(entries[row * cols + col]));
        let svd = dense.svd().unwrap();
        let truth = svd.S()[0];
        let skewed = |row: usize, col: usize| 1.0 + if row == col { 1e-9 } else { 0.0 };
        for vectors in [
            svd.V().subcols(1, 5).to_owned(),        // all but the first
            svd.V().subcols(cols - 3, 3).to_owned(), // the smallest
            Mat::from_fn(cols, 2, skewed),           // nearly the same one twice
            Mat::from_fn(cols, 3, |row, col| if row == 0 { 1e-200 * col as f64 } else { 0.0 }),
            Mat::identity(cols, cols), // everything
            Mat::zeros(cols, 0),       // nothing
        ] {
            let Looked::Ordinary(tall) = Tall::look(&entries[..], 0, rows, cols).unwrap() else { panic!() };
            let effort = Effort { vectors: 1, products: 12, width: 1e-9, seed: 0 };
            let steps = &mut Steps::new(Control::default());
            let proof = device.block_on(enclose(&device, &tall, &vectors, effort, &HostProduct::Right, steps)).unwrap();
            let scale = 2f64.powi(tall.exponent);
            assert!(proof.lower * scale <= truth * (1.0 + 1e-14), "{proof:?} {truth}");
            assert!(proof.upper * scale >= truth * (1.0 - 1e-14), "{proof:?} {truth}");
        }
    }

    /// The bound adds the rounding that products may lose: without that, a matrix without gaps would have too small a
    /// bound, because the products alone decide.
    #[test]
    fn a_product_that_errs_as_far_as_it_may_makes_no_wrong_certificate() {
        let device = Device::new().unwrap();
        let side = 64;
        let sign = |row: usize, col: usize| if (row & col).count_ones().is_multiple_of(2) { 1.0 } else { -1.0 };
        let hadamard: Vec<f32> = (0..side * side).map(|index| sign(index / side, index % side)).collect();
        let Looked::Ordinary(tall) = Tall::look(&hadamard[..], 0, side, side).unwrap() else { panic!() };
        let effort = Effort { vectors: 1, products: 12, width: 1e-9, seed: 0 };
        let steps = &mut Steps::new(Control::default());
        let nothing = Mat::zeros(side, 0);
        let proof = device.block_on(enclose(&device, &tall, &nothing, effort, &HostProduct::Low, steps)).unwrap();
        let upper = proof.upper * 2f64.powi(tall.exponent);
        assert!((8.0..8.0 * (1.0 + 1e-2)).contains(&upper), "{upper}");
    }

    #[test]
    fn a_broken_product_is_refused_or_harmless() {
        let (rows, cols) = (80, 64);
        let entries = noise(rows, cols);
        let truth = exact(&entries, rows, cols);
        let run = |product| proof(&entries, rows, cols, 2, &product);
        for product in [
            HostProduct::Entry(3, 5, 0.5),
            HostProduct::Entry(63, 0, -0.5),
            HostProduct::Entry(0, 0, f32::NAN),
            HostProduct::DroppedRun,
            HostProduct::Flushed(1e-2),
            HostProduct::Unscaled,
        ] {
            let error = run(product).unwrap_err();
            assert!(matches!(error, Error::Arithmetic { .. }), "{error}");
            assert!(error.to_string().contains("of a product is off by"), "{error}");
        }
        // The flushing that WGSL allows an adapter changes nothing.
        let proof = run(HostProduct::Flushed(f32::MIN_POSITIVE)).unwrap();
        assert!(proof.lower <= truth && truth <= proof.upper);
    }
}
