//! Products of sparse matrices, with rows of very different lengths.

use opnorm::low_level::ops::SparseRows;
use opnorm::low_level::{ops, reference};
use rand::RngExt;

use super::bounds::{Bound, flushed, tree_roundings};
use super::case::Case;
use super::values::{magnitudes, widened};

/// The nonzeros of a group, as in the shader.
const SEGMENT: usize = 256;

/// The rows of a sparse matrix on the host.
struct Rows {
    starts: Vec<usize>,
    columns: Vec<u32>,
    values: Vec<f32>,
}

/// Rows of which one has all columns, some have none, and the others a share that the case draws.
fn rows(case: &mut Case<'_>) -> Rows {
    let (count, cols) = (case.shape.rows, case.shape.cols);
    let density = [0.01, 0.2, 1.0][case.below(3)];
    let full = case.below(count);
    let (mut starts, mut columns) = (vec![0], Vec::new());
    for row in 0..count {
        let share = if row == full { 1.0 } else { density };
        if row == full || case.below(4) > 0 {
            columns.extend((0..cols as u32).filter(|_| share == 1.0 || case.random.random_bool(share)));
        }
        starts.push(columns.len());
    }
    let values = case.draw(columns.len());
    Rows { starts, columns, values }
}

/// The roundings of a row of n nonzeros: those of its longest part, a product with runs of 16 and the runs in order,
/// and those of the sum of its parts, one more than whole segments where the row begins within a segment.
fn roundings(nonzeros: usize) -> usize {
    let part = nonzeros.min(SEGMENT);
    let parts = nonzeros.div_ceil(SEGMENT) + 1;
    part.min(16) + part.div_ceil(16).saturating_sub(1) + tree_roundings(parts)
}

pub fn sparse_product(case: &mut Case<'_>) {
    let (vectors, cols, count) = (case.shape.vectors(), case.shape.cols, case.shape.rows);
    let rows = rows(case);
    let matrix = SparseRows::upload(case.gpu, cols, &rows.starts, &rows.columns, &rows.values).unwrap();
    let mask = case.mask(vectors);
    let input = case.draw(vectors * cols);
    let input = case.vectors(input, cols, &mask.active);
    let output = case.output(vectors * count);
    let run = |recorder: &mut _| ops::sparse_product(recorder, &matrix, vectors, &input.buffer, &output);
    let (found, ()) = case.run(&mask, &output, run);
    let values = widened(&rows.values);
    for (vector, found) in found.chunks_exact(count).enumerate() {
        if !mask.active[vector] {
            case.expect_untouched(found);
            continue;
        }
        let input = input.vector(vector);
        let twin = reference::sparse_product(&rows.starts, &rows.columns, &values, input);
        let size = reference::sparse_product(&rows.starts, &rows.columns, &magnitudes(&values), &magnitudes(input));
        // Once for all rows, because it goes through all values.
        let lost = flushed(1, &[&values, input]);
        let lengths = rows.starts.windows(2).map(|ends| ends[1] - ends[0]);
        let bound = |(length, size): (usize, &f64)| Bound::of(roundings(length), lost * (3 * length) as f64).at(*size);
        let bounds: Vec<f64> = lengths.zip(&size).map(bound).collect();
        case.compare(found, &twin, &bounds);
    }
}

pub fn sparse_sums(case: &mut Case<'_>) {
    let (vectors, count) = (case.shape.vectors(), case.shape.rows);
    // A row of up to 301 parts, the others of up to 3.
    let mut starts = vec![0, SEGMENT * case.shape.cols.min(300)];
    for row in 1..count {
        starts.push(starts[row] + case.below(2 * SEGMENT));
    }
    let nonzeros = starts[count];
    let matrix = SparseRows::upload(case.gpu, 1, &starts, &vec![0; nonzeros], &vec![1.0; nonzeros]).unwrap();
    let mask = case.mask(vectors);
    let parts = matrix.parts();
    let partials = case.draw(vectors * parts);
    let partials = case.vectors(partials, parts, &mask.active);
    let output = case.output(vectors * count);
    let run = |recorder: &mut _| ops::sparse_sums(recorder, &matrix, vectors, &partials.buffer, &output);
    let (found, ()) = case.run(&mask, &output, run);
    let firsts = case.read(matrix.firsts());
    for (vector, found) in found.chunks_exact(count).enumerate() {
        if !mask.active[vector] {
            case.expect_untouched(found);
            continue;
        }
        let partials = partials.vector(vector);
        let (twin, size) =
            (reference::sparse_sums(&firsts, partials), reference::sparse_sums(&firsts, &magnitudes(partials)));
        let lost = flushed(1, &[partials]);
        let bound = |(row, size): (&[u32], &f64)| {
            let parts = (row[1] - row[0]) as usize;
            Bound::of(tree_roundings(parts.max(1)), lost * (3 * parts) as f64).at(*size)
        };
        let bounds: Vec<f64> = firsts.windows(2).zip(&size).map(bound).collect();
        case.compare(found, &twin, &bounds);
    }
}
