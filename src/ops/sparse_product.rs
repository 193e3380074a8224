//! output = matrix · input, for a sparse matrix.

use super::check::{expect_len, word};
use super::declare::{kernel, params};
use super::sparse_rows::{SEGMENT, SparseRows};
use super::sparse_sums::sparse_sums;
use crate::Result;
use crate::device::{Buffer, Grid, Kernel, Recorder, Words, each_chunk};
use crate::native::{Vectors, sums_of_parts};
use crate::tensor::volume;

params! {
    pub(super) struct Params {
        segments: u32,
        nonzeros: u32,
        cols: u32,
        vectors: u32,
        parts: u32,
        first_part: u32,
        masked: u32,
    }
}

pub(super) static KERNEL: Kernel = kernel!(
    "sparse" / "sparse_product",
    ["group", "mask"],
    [Read, Read, Read, Read, Read, Read, Write],
    Params,
    on_host
);

/// Records output = matrix · input, for every vector.
///
/// Work is cut into segments of 256 nonzeros, whatever the rows, and no element is added to by two groups. So a row of
/// any length is balanced, and the bits of a product depend on nothing but the matrix, the vector and the device.
///
/// *Shapes*  `input`: vectors × cols · `output`: vectors × rows
///
/// *Accuracy*  |error| <= gamma(31 + r) · |matrix| · |input|, entrywise, for a row of p parts and r = min(p, 16) - 1 +
/// ⌈log2 ⌈p / 16⌉⌉; a row of n nonzeros has at most ⌈n / 256⌉ + 1 parts.
///
/// *Source*  Greathouse and Daga, *Efficient sparse matrix-vector multiplication on GPUs using the CSR storage format*,
/// 2014, for sums of whole rows from workgroup memory; cuts within rows are as in segmented sums.
///
/// # Errors
/// [`crate::Error::ShapeMismatch`] when a buffer is too short, [`crate::Error::TooLarge`] past the device's limits and
/// its loop budget.
pub fn sparse_product(
    recorder: &mut Recorder,
    matrix: &SparseRows,
    vectors: usize,
    input: &Buffer<f32>,
    output: &Buffer<f32>,
) -> Result<()> {
    let operation = "sparse_product";
    expect_len(operation, "input", volume(&[vectors, matrix.cols()]), input.len())?;
    expect_len(operation, "output", volume(&[vectors, matrix.rows()]), output.len())?;
    word(operation, "the input", volume(&[vectors, matrix.cols()]))?;
    let partials = volume(&[vectors, matrix.parts()]);
    word(operation, "the sums of parts of rows", partials)?;
    let scratch = recorder.device().scratch(operation, partials.max(1))?;
    let (active, masked) = recorder.mask(vectors);
    for panel in matrix.panels() {
        let params = Params {
            segments: word(operation, "the segments", panel.segments)?,
            nonzeros: word(operation, "the nonzeros", panel.nonzeros)?,
            cols: word(operation, "the columns", matrix.cols())?,
            vectors: word(operation, "the vectors", vectors)?,
            parts: word(operation, "the parts of rows", matrix.parts())?,
            first_part: word(operation, "the parts of rows", panel.first_part)?,
            masked,
        };
        let [values, columns] = [(&panel.values).into(), (&panel.columns).into()];
        let [firsts, ends] = [(&panel.firsts).into(), (&panel.ends).into()];
        let bindings = [values, columns, firsts, ends, input.into(), (&active).into(), (&*scratch).into()];
        recorder.dispatch(&KERNEL, Grid::groups(panel.segments * vectors), &params, &bindings)?;
    }
    sparse_sums(recorder, matrix, vectors, &scratch, output)
}

/// Segments that a thread takes at once.
const AT_ONCE: usize = 32;

fn on_host(params: &Params, [values, columns, firsts, ends, input, mask, output]: [Words<'_>; 7]) {
    let (values, columns) = (values.read::<f32>(), columns.read::<u32>());
    let (firsts, ends, input) = (firsts.read::<u32>(), ends.read::<u32>(), input.read::<f32>());
    let (segments, cols, parts) = (params.segments as usize, params.cols as usize, params.parts as usize);
    let mask = Vectors::new(params.cols, mask, params.masked);
    let output = output.write::<f32>().chunks_exact_mut(parts.max(1)).take(params.vectors as usize).enumerate();
    let mut pieces = Vec::new();
    for (vector, output) in output.filter(|(vector, _)| !mask.skips(*vector)) {
        let mut rest = &mut output[params.first_part as usize..];
        for first in (0..segments).step_by(AT_ONCE) {
            let [start, end] = [first, segments.min(first + AT_ONCE)].map(|segment| firsts[segment] as usize);
            let (sums, more) = rest.split_at_mut(end - start);
            pieces.push((vector, first, start, sums));
            rest = more;
        }
    }
    each_chunk(&mut pieces, 1, 3 * AT_ONCE * SEGMENT, |_, piece| {
        let (vector, segment, part, sums) = &mut piece[0];
        let input = &input[*vector * cols..][..cols];
        let ends = &ends[*part..][..sums.len()];
        sums_of_parts(values, columns, input, *segment * SEGMENT, ends, sums);
    });
}
