//! The Gram product and its mirror.

use opnorm::Matrix;
use opnorm::device::Buffer;
use opnorm::low_level::{ops, reference};

use super::bounds::{Bound, flushed};
use super::case::Case;
use super::padding::{fill_untouched, read_padded};
use super::shapes::Shape;
use super::values::{Values, magnitudes, widened};

/// Every panel of a mirrored matrix meets every other panel. Few panels suffice, because the 30 000 dispatches of 250
/// panels test no more.
const MOST_PANELS: usize = 64;

/// `factor · matrixᵀ · matrix`: a run of products, three levels of sums of runs, then the panels; symmetric to the bit.
pub fn gram(case: &mut Case<'_>) {
    let Shape { batch, cols, .. } = case.shape;
    let dense = case.dense();
    let factors: Vec<f32> = (0..batch).map(|_| case.power(5)).collect();
    let uploaded = case.upload(&factors);
    let output = Matrix::zeros(case.gpu, batch, cols, cols).unwrap();
    if output.panels().len() > MOST_PANELS {
        return;
    }
    fill_untouched(&output);
    let mask = case.mask(0);
    case.run(&mask, &uploaded, |recorder| ops::gram(recorder, &dense.matrix, &uploaded, &output));
    let found = read_padded(case, &output);
    let roundings = gram_roundings(&dense.matrix);
    let said = ops::gram_roundings(&dense.matrix);
    case.expect(roundings == said, || format!("{said} roundings are said, and there are {roundings}"));
    for (item, found) in found.chunks_exact(cols * cols).enumerate() {
        let (matrix, factor) = (dense.item(item), f64::from(factors[item]));
        case.expect(expect_symmetric(&widened(found), cols).is_ok(), || format!("item {item} is not symmetric"));
        let sizes = magnitudes(matrix);
        let largest = sizes.iter().fold(0.0, |largest: f64, size| largest.max(*size));
        let lost = if flushed(1, &[matrix, matrix, &[factor]]) > 0.0 {
            ops::gram_flushed(&dense.matrix, largest, factor)
        } else {
            0.0
        };
        let bounds = Bound::of(roundings, lost).each(&reference::gram(&sizes, cols, factor));
        case.compare(found, &reference::gram(matrix, cols, factor), &bounds);
    }
}

/// The roundings of a Gram product, counted by the loops of the shader, for pieces of at most 32 768 rows.
pub fn gram_roundings(matrix: &Matrix) -> usize {
    let panels = matrix.panels().iter().filter(|panel| panel.items().contains(&0));
    let pieces = panels.flat_map(|panel| {
        let rows = panel.rows().len();
        (0..rows).step_by(32_768).map(move |first| (rows - first).min(32_768))
    });
    let pieces: Vec<usize> = pieces.collect();
    let within = pieces.iter().map(|rows| {
        let runs = (1..).find(|runs: &usize| runs * runs * runs * 16 >= *rows).unwrap();
        let spans = [1, 16, 16 * runs, 16 * runs * runs, *rows];
        // The longest sum of each level: of rows, of runs, of inner sums, of outer sums.
        let longest = spans.windows(2).map(|span| rows.min(&span[1]).div_ceil(span[0]).max(1) - 1);
        1 + longest.sum::<usize>()
    });
    within.max().unwrap() + pieces.len() - 1
}

/// The Gram product of a single matrix.
pub fn gram_of(matrix: &Matrix) -> Vec<f32> {
    let output = Matrix::zeros(matrix.device(), 1, matrix.cols(), matrix.cols()).unwrap();
    let factors = Buffer::from_slice(matrix.device(), "test", &[1.0]).unwrap();
    let mut recorder = matrix.device().recorder();
    ops::gram(&mut recorder, matrix, &factors, &output).unwrap();
    recorder.submit().unwrap();
    output.read().unwrap()
}

/// Fails unless a square matrix is its own transpose, to the bit.
pub fn expect_symmetric(entries: &[f64], cols: usize) -> Result<(), String> {
    let transposed = |index: usize| entries[index % cols * cols + index / cols];
    let wrong = (0..entries.len()).find(|index| entries[*index].to_bits() != transposed(*index).to_bits());
    wrong.map_or(Ok(()), |index| Err(format!("entry {index} is not what its mirror image is")))
}

/// Exact: the bits are moved.
pub fn mirror(case: &mut Case<'_>) {
    let Shape { batch, cols, .. } = case.shape;
    let entries = case.draw_as(Values::Ordinary, batch * cols * cols);
    let matrix = Matrix::from_batch(case.gpu, batch, cols, cols, &entries).unwrap();
    if matrix.panels().len() > MOST_PANELS {
        return;
    }
    let (mask, nothing) = (case.mask(0), case.upload(&[0u32]));
    case.run(&mask, &nothing, |recorder| ops::mirror(recorder, &matrix));
    let found = read_padded(case, &matrix);
    for (entries, found) in entries.chunks_exact(cols * cols).zip(found.chunks_exact(cols * cols)) {
        case.expect_exact(found, &reference::mirror(&widened(entries), cols));
    }
}
