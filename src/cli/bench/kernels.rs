//! Kernels beside the products of a matrix and a vector: those that read vectors, and those that compute.

use std::time::Duration;

use opnorm::device::{Buffer, Recorder};
use opnorm::low_level::ops::{self, BasisRef, Rows, Segmented, Side};
use opnorm::tensor::Conv2dOptions;
use opnorm::{Device, Matrix, Result};

use super::measures::{Measure, Sizes, Timed, Work, launched, numbers};

/// The vectors of a basis.
const SLOTS: usize = 32;

/// The images of a convolution, which has as many filters as channels.
const IMAGES: usize = 8;

/// The streaming read, and the passes over a basis.
pub(super) fn reading(sizes: Sizes) -> Vec<Measure> {
    let Sizes { stream, patience, .. } = sizes;
    let bytes = Work::Bytes(4 * stream);
    let length = stream / SLOTS;
    vec![
        Measure::new(format!("streaming read, {} MiB", stream >> 18), bytes, move |device| {
            read(device, stream, patience)
        }),
        Measure::new(format!("coefficients in a basis, {SLOTS} x {length}"), bytes, move |device| {
            basis(device, length, patience, |recorder, rows, basis, vector, sums| {
                ops::project(recorder, rows, basis, vector, sums).map(drop)
            })
        }),
        Measure::new(format!("combination of a basis, {SLOTS} x {length}"), bytes, move |device| {
            basis(device, length, patience, |recorder, rows, basis, vector, sums| {
                ops::combine(recorder, rows, basis, -1.0, Segmented { buffer: sums, count: 1 }, vector)
            })
        }),
    ]
}

/// The products that are slower than the read of their operands.
pub(super) fn computing(sizes: Sizes) -> Vec<Measure> {
    let Sizes { norm, layers, samples, image: [channels, side], patience, .. } = sizes;
    let layer = ops::Sizes { batch: 1, rows: samples, inner: layers[0], cols: layers[1] };
    let image = [IMAGES, channels, side, side];
    vec![
        // One triangle is computed, and mirrored.
        Measure::new(format!("Gram matrix, {norm} x {norm}"), Work::Operations(norm.pow(3)), move |device| {
            gram(device, norm, patience)
        }),
        Measure::new(
            format!("matrix product, {samples} x {} x {}", layer.inner, layer.cols),
            Work::Operations(2 * samples * layer.inner * layer.cols),
            move |device| matmul(device, layer, patience),
        ),
        Measure::new(
            format!("3 x 3 convolution, {IMAGES} x {channels} x {side} x {side}"),
            Work::Operations(2 * 9 * channels * image.iter().product::<usize>()),
            move |device| conv2d(device, image, patience),
        ),
    ]
}

fn read(device: &Device, count: usize, patience: Duration) -> Result<Timed> {
    // Memory that was never written may be one page of zeros, which stays in the cache.
    let input = Buffer::from_slice(device, "bench", &numbers(count))?;
    let factors = Buffer::from_slice(device, "bench", &[1f32])?;
    let sums = Buffer::zeros(device, "bench", 1 << 14)?;
    let rows = Rows { vectors: 1, length: count };
    launched(device, patience, |recorder| ops::sum_squares(recorder, rows, &input, &factors, &sums).map(drop))
}

fn basis(
    device: &Device,
    length: usize,
    patience: Duration,
    record: impl Fn(&mut Recorder, Rows, BasisRef<'_>, &Buffer<f32>, &Buffer<f32>) -> Result<()>,
) -> Result<Timed> {
    let buffer = Buffer::from_slice(device, "bench", &numbers(SLOTS * length))?;
    let [vector, sums]: [Buffer<f32>; 2] =
        [Buffer::zeros(device, "bench", length)?, Buffer::zeros(device, "bench", 1 << 18)?];
    let basis = BasisRef { buffer: &buffer, slots: SLOTS, stride: length };
    launched(device, patience, |recorder| record(recorder, Rows { vectors: 1, length }, basis, &vector, &sums))
}

fn gram(device: &Device, side: usize, patience: Duration) -> Result<Timed> {
    let matrix = Matrix::from_slice(device, side, side, &numbers(side * side))?;
    let (factors, output) = (Buffer::from_slice(device, "bench", &[1f32])?, Matrix::zeros(device, 1, side, side)?);
    launched(device, patience, |recorder| ops::gram(recorder, &matrix, &factors, &output))
}

/// A layer as a network has it: samples times the transposed weight.
fn matmul(device: &Device, sizes: ops::Sizes, patience: Duration) -> Result<Timed> {
    let transposed = [false, true];
    let side = |count| Buffer::from_slice(device, "bench", &numbers(count));
    let sides = [side(sizes.rows * sizes.inner)?, side(sizes.inner * sizes.cols)?];
    let scratch = Buffer::zeros(device, "bench", ops::matmul_scratch(sizes, transposed))?;
    let output = Buffer::zeros(device, "bench", sizes.rows * sizes.cols)?;
    let [left, right] = [0, 1].map(|index| Side { buffer: &sides[index], transposed: transposed[index] });
    launched(device, patience, |recorder| ops::matmul(recorder, sizes, left, right, Some(&scratch), &output))
}

fn conv2d(device: &Device, image: [usize; 4], patience: Duration) -> Result<Timed> {
    let weight = [image[1], image[1], 3, 3];
    let sizes = Conv2dOptions { padding: [1, 1], ..Conv2dOptions::default() }.sizes(&image, &weight)?;
    let [image, weight] = [&image, &weight].map(|shape| numbers(shape.iter().product()));
    let image = Buffer::from_slice(device, "bench", &image)?;
    let weight = Buffer::from_slice(device, "bench", &weight)?;
    let response = Buffer::zeros(device, "bench", sizes.response_shape().iter().product())?;
    launched(device, patience, |recorder| ops::conv2d(recorder, &sizes, &image, &weight, &response))
}
