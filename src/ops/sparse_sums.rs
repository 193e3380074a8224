//! output = the sum of the parts of each row of a sparse product.

use super::check::{expect_len, expect_trips, word};
use super::declare::{kernel, params};
use super::sparse_rows::SparseRows;
use super::tree::tree_trips;
use crate::Result;
use crate::device::{Buffer, Grid, Kernel, Recorder, Words, each_chunk};
use crate::native::{Vectors, tree_of_sums};
use crate::tensor::volume;

params! {
    pub(super) struct Params {
        vectors: u32,
        rows: u32,
        parts: u32,
        masked: u32,
    }
}

pub(super) static KERNEL: Kernel =
    kernel!("sparse" / "sparse_sums", ["group", "mask", "tree"], [Read, Read, Read, Write], Params, on_host);

/// Records the sum of the parts of each row, for every vector.
///
/// *Shapes*  `partials`: vectors × [`SparseRows::parts`] · `output`: vectors × [`SparseRows::rows`]
///
/// *Accuracy*  |error| <= gamma(min(parts, 16) - 1 + ⌈log2 ⌈parts / 16⌉⌉) · the sum of magnitudes, for a row of so many
/// parts; exact for one part.
///
/// # Errors
/// [`crate::Error::ShapeMismatch`] when a buffer is too short, [`crate::Error::TooLarge`] past the device's limits and
/// its loop budget.
pub fn sparse_sums(
    recorder: &mut Recorder,
    matrix: &SparseRows,
    vectors: usize,
    partials: &Buffer<f32>,
    output: &Buffer<f32>,
) -> Result<()> {
    let operation = "sparse_sums";
    expect_trips(recorder, operation, tree_trips(matrix.longest()), "cut the longest row into several rows")?;
    expect_len(operation, "partials", volume(&[vectors, matrix.parts()]), partials.len())?;
    expect_len(operation, "output", volume(&[vectors, matrix.rows()]), output.len())?;
    word(operation, "the output", volume(&[vectors, matrix.rows()]))?;
    let (active, masked) = recorder.mask(vectors);
    let params = Params {
        vectors: word(operation, "the vectors", vectors)?,
        rows: word(operation, "the rows", matrix.rows())?,
        parts: word(operation, "the parts of rows", matrix.parts())?,
        masked,
    };
    let grid = Grid::covering(vectors * matrix.rows(), recorder.device().capabilities().profile.lanes);
    recorder.dispatch(
        &KERNEL,
        grid,
        &params,
        &[partials.into(), matrix.firsts().into(), (&active).into(), output.into()],
    )
}

/// Rows that a thread takes at once.
const ROWS: usize = 4096;

fn on_host(params: &Params, [partials, firsts, mask, output]: [Words<'_>; 4]) {
    let (partials, firsts) = (partials.read::<f32>(), firsts.read::<u32>());
    let (rows, parts) = (params.rows as usize, params.parts as usize);
    let mask = Vectors::new(params.rows, mask, params.masked);
    let output = output.write::<f32>().chunks_exact_mut(rows.max(1)).take(params.vectors as usize).enumerate();
    let mut pieces = Vec::new();
    for (vector, output) in output.filter(|(vector, _)| !mask.skips(*vector)) {
        pieces.extend((0..).step_by(ROWS).zip(output.chunks_mut(ROWS)).map(|(first, rows)| (vector, first, rows)));
    }
    each_chunk(&mut pieces, 1, 3 * ROWS, |_, piece| {
        let (vector, first_row, output) = &mut piece[0];
        let partials = &partials[*vector * parts..];
        for (row, output) in (*first_row..).zip(output.iter_mut()) {
            let [first, end] = [0, 1].map(|next| firsts[row + next] as usize);
            match &partials[first..end] {
                [] => *output = 0.0,
                [part] => *output = *part,
                list => tree_of_sums(std::slice::from_mut(output), list.len(), |next| &list[next..=next]),
            }
        }
    });
}
