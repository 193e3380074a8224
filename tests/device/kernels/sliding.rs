//! Kernels whose windows slide over images: convolutions with their adjoints, and pooling.

use opnorm::low_level::ops;
use opnorm::low_level::reference;
use opnorm::tensor::{Conv2dOptions, Pool2dOptions, SlidingSizes};

use super::bounds::{Bound, flushed, tree_roundings};
use super::case::Case;
use super::shapes::Shape;
use super::values::{magnitudes, widened};

/// Sizes around tiles and runs, from those of the case: channels as many as columns, where they are few or very many.
fn sizes(shape: &Shape) -> SlidingSizes {
    let Shape { batch, rows, cols, columns, .. } = *shape;
    let kernel = [rows % 3 + 1, cols % 4 + 1];
    let dilation = [rows % 2 + 1, cols % 3 / 2 + 1];
    let padding = [rows / 2 % 3, cols % 3];
    let image = [0, 1].map(|axis| {
        let reach = (kernel[axis] - 1) * dilation[axis] + 1;
        // Some windows lie across the edge on both sides.
        reach.saturating_sub(2 * padding[axis]).max(1) + (rows + 3 * axis) % 6
    });
    let convolution = Conv2dOptions { stride: [cols % 2 + 1, rows % 3 + 1], padding, dilation, groups: columns };
    let channels = if cols > 1000 { cols } else { (cols - 1) % 65 + 1 };
    let filters = (rows - 1) % 9 + 1;
    let [high, wide] = image;
    let [tall, broad] = kernel;
    convolution.sizes(&[batch, columns * channels, high, wide], &[columns * filters, channels, tall, broad]).unwrap()
}

/// Runs of 16 products over channels, the first of which starts at 0, and a sum for each run and element of the window.
fn roundings(sizes: &SlidingSizes, along: usize) -> usize {
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
    let SlidingSizes { channels, filters, .. } = sizes(&case.shape);
    let sizes = SlidingSizes { channels: filters, filters: channels, ..sizes(&case.shape) };
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

/// Runs of 16 products, a sum for each run of a segment, and then the segments in order.
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
        case.run(&mask, &output, |recorder| ops::conv2d_weight(recorder, &sizes, &left, &right, &partials, &output));
    let (image, response) = (widened(&image), widened(&response));
    let roundings = 1 + tree_roundings(segments.length) + tree_roundings(segments.count);
    let bounds = Bound::of(roundings, flushed(4 * windows, &[&image, &response]));
    let bounds = bounds.each(&reference::conv2d_weight(&sizes, &magnitudes(&image), &magnitudes(&response)));
    case.compare(&found, &reference::conv2d_weight(&sizes, &image, &response), &bounds);
}

/// Planes of one channel, with ties, as pooling knows them.
fn planes(case: &mut Case<'_>) -> (SlidingSizes, Vec<f32>) {
    let many = SlidingSizes { channels: 1, filters: 1, groups: 1, ..sizes(&case.shape) };
    let SlidingSizes { kernel, stride, dilation, .. } = many;
    // A window at the edge keeps an element in the image.
    let padding = [0, 1].map(|axis| many.padding[axis].min(kernel[axis] / 2 * dilation[axis]));
    let image = [0, 1].map(|axis| many.image[axis].max((kernel[axis] - 1) * dilation[axis] + 1));
    let long = case.shape.rows > 1000;
    let (image, kernel) =
        if long { ([case.shape.rows, case.shape.cols], [case.shape.rows, 1]) } else { (image, kernel) };
    let padding = if long { [0, 0] } else { padding };
    let pooling = Pool2dOptions { size: kernel, stride, padding, dilation: if long { [1, 1] } else { dilation } };
    let sizes = pooling.sizes(many.batch * case.shape.columns, image).unwrap();
    let values = case.draw(length(sizes.image_shape()));
    // Every third element repeats the element before, for ties.
    let tied = (0..values.len()).map(|index| values[index - usize::from(index % 3 == 2)]).collect();
    (sizes, tied)
}

pub fn pool_choice(case: &mut Case<'_>) {
    let (sizes, mut values) = planes(case);
    if case.below(3) == 0 {
        let place = case.below(values.len());
        values[place] = f32::from_bits([0x7fc0_0000, 0xffc0_0001, 0xff80_0000][case.below(3)]);
    }
    let (input, output) = (case.upload(&values), case.output(length(sizes.response_shape())));
    let mask = case.mask(0);
    let (found, ()) = case.run(&mask, &output, |recorder| ops::pool_choice(recorder, &sizes, &input, &output));
    case.expect_exact(&found, &reference::pool_choice(&sizes, &widened(&values)));
}

/// The choice comes from other numbers than the picked elements.
pub fn pool_pick(case: &mut Case<'_>) {
    let (sizes, values) = planes(case);
    let choice = reference::pool_choice(&sizes, &widened(&planes(case).1));
    let narrow: Vec<f32> = choice.iter().map(|tap| *tap as f32).collect();
    let (input, choices) = (case.upload(&values), case.upload(&narrow));
    let output = case.output(narrow.len());
    let mask = case.mask(0);
    let (found, ()) = case.run(&mask, &output, |recorder| ops::pool_pick(recorder, &sizes, &input, &choices, &output));
    case.expect_exact(&found, &reference::pool_pick(&sizes, &widened(&values), &choice));
}

/// A sum for each further window that contains a pixel.
pub fn pool_unpick(case: &mut Case<'_>) {
    let (sizes, values) = planes(case);
    let choice = reference::pool_choice(&sizes, &widened(&values));
    let narrow: Vec<f32> = choice.iter().map(|tap| *tap as f32).collect();
    let picked = case.draw(narrow.len());
    let (input, choices) = (case.upload(&picked), case.upload(&narrow));
    let output = case.output(values.len());
    let mask = case.mask(0);
    let (found, ()) =
        case.run(&mask, &output, |recorder| ops::pool_unpick(recorder, &sizes, &input, &choices, &output));
    let picked = widened(&picked);
    let windows: usize =
        (0..2).map(|axis| (sizes.kernel[axis] - 1) * sizes.dilation[axis] / sizes.stride[axis] + 1).product();
    let bounds = Bound::of(windows - 1, flushed(3 * windows, &[&picked]));
    let bounds = bounds.each(&reference::pool_unpick(&sizes, &magnitudes(&picked), &choice));
    case.compare(&found, &reference::pool_unpick(&sizes, &picked, &choice), &bounds);
}
