//! Kernels whose windows slide over images: convolutions with their adjoints, and pooling.

use opnorm::ops::{self, Convolution, Sliding};
use opnorm::reference;

use super::bounds::{Bound, flushed};
use super::harness::{Case, Shape};
use super::values::{magnitudes, widened};

/// Sizes around tiles and runs, from those of the case: channels as many as columns, where they are few or very many.
fn sizes(shape: &Shape) -> Sliding {
    let Shape { batch, rows, cols, columns, .. } = *shape;
    let kernel = [rows % 3 + 1, cols % 4 + 1];
    let dilation = [rows % 2 + 1, cols % 3 / 2 + 1];
    let padding = [rows / 2 % 3, cols % 3];
    let image = [0, 1].map(|axis| {
        let reach = (kernel[axis] - 1) * dilation[axis] + 1;
        // Some windows lie across the edge on both sides.
        reach.saturating_sub(2 * padding[axis]).max(1) + (rows + 3 * axis) % 6
    });
    let convolution = Convolution { stride: [cols % 2 + 1, rows % 3 + 1], padding, dilation, groups: columns };
    let channels = if cols > 1000 { cols } else { (cols - 1) % 65 + 1 };
    let filters = (rows - 1) % 9 + 1;
    let [high, wide] = image;
    let [tall, broad] = kernel;
    convolution.sizes(&[batch, columns * channels, high, wide], &[columns * filters, channels, tall, broad]).unwrap()
}

/// Runs of 16 products over channels, the first of which starts at 0, and one sum a run and element of the window.
fn roundings(sizes: &Sliding, along: usize) -> usize {
    along.min(16) + sizes.kernel[0] * sizes.kernel[1] * along.div_ceil(16)
}

fn length(shape: [usize; 4]) -> usize {
    shape.iter().product()
}

pub fn conv2d(case: &mut Case<'_>) {
    let sizes = sizes(&case.shape);
    let (image, weight) = (case.draw(length(sizes.image_shape())), case.draw(length(sizes.weight_shape())));
    let (left, right) = (case.upload(&image), case.upload(&weight));
    let output = case.output(length(sizes.response_shape()));
    let mask = case.mask(0);
    let (found, ()) = case.run(&mask, &output, |recorder| ops::conv2d(recorder, &sizes, &left, &right, &output));
    let (image, weight) = (widened(&image), widened(&weight));
    let terms = sizes.channels * sizes.kernel[0] * sizes.kernel[1];
    let bounds = Bound::of(roundings(&sizes, sizes.channels), flushed(4 * terms, &[&image, &weight]));
    let bounds = bounds.each(&reference::conv2d(&sizes, &magnitudes(&image), &magnitudes(&weight)));
    case.compare(&found, &reference::conv2d(&sizes, &image, &weight), &bounds);
}

pub fn conv2d_transposed(case: &mut Case<'_>) {
    // The sum is over filters: those are the many.
    let Sliding { channels, filters, .. } = sizes(&case.shape);
    let sizes = Sliding { channels: filters, filters: channels, ..sizes(&case.shape) };
    let (response, weight) = (case.draw(length(sizes.response_shape())), case.draw(length(sizes.weight_shape())));
    let (left, right) = (case.upload(&response), case.upload(&weight));
    let output = case.output(length(sizes.image_shape()));
    let mask = case.mask(0);
    let (found, ()) =
        case.run(&mask, &output, |recorder| ops::conv2d_transposed(recorder, &sizes, &left, &right, &output));
    let (response, weight) = (widened(&response), widened(&weight));
    let terms = sizes.filters * sizes.kernel[0] * sizes.kernel[1];
    let bounds = Bound::of(roundings(&sizes, sizes.filters), flushed(4 * terms, &[&response, &weight]));
    let bounds = bounds.each(&reference::conv2d_transposed(&sizes, &magnitudes(&response), &magnitudes(&weight)));
    case.compare(&found, &reference::conv2d_transposed(&sizes, &response, &weight), &bounds);
}

/// Runs of 16 products, one sum a run of a segment, and then the segments in order.
pub fn conv2d_weight(case: &mut Case<'_>) {
    let sizes = sizes(&case.shape);
    let (image, response) = (case.draw(length(sizes.image_shape())), case.draw(length(sizes.response_shape())));
    let (left, right) = (case.upload(&image), case.upload(&response));
    let weights = length(sizes.weight_shape());
    let segments = ops::conv2d_weight_segments(&sizes);
    let windows = sizes.batch * sizes.response[0] * sizes.response[1];
    assert_eq!(segments.count, windows.div_ceil(segments.length));
    let (partials, output) = (case.output(segments.count * weights), case.output(weights));
    let mask = case.mask(0);
    let (found, ()) =
        case.run(&mask, &output, |recorder| ops::conv2d_weight(recorder, &sizes, (&left, &right), &partials, &output));
    let (image, response) = (widened(&image), widened(&response));
    let roundings = segments.length.min(16) + segments.length.div_ceil(16) + segments.count - 1;
    let bounds = Bound::of(roundings, flushed(4 * windows, &[&image, &response]));
    let bounds = bounds.each(&reference::conv2d_weight(&sizes, &magnitudes(&image), &magnitudes(&response)));
    case.compare(&found, &reference::conv2d_weight(&sizes, &image, &response), &bounds);
}
