//! t = scale · matrix · input + a · shift, and matrixᵀ · t with |t|², in one read of the matrix.

use super::arguments::Rows;
use super::axpby::Multiples;
use super::check::{expect, expect_len, word};
use super::declare::{PerStorage, matrix_kernels, params};
use super::segments::{RowSegments, Segments};
use crate::Result;
use crate::device::{Buffer, Device, Grid, Recorder, Words, each_chunk};
use crate::native::{Vectors, add_rows_to_each, row_dots, squares};
use crate::tensor::stored::{F32, Stored};
use crate::tensor::{Matrix, Tensor, volume};

params! {
    pub(super) struct Params {
        items: u32,
        first_item: u32,
        rows: u32,
        first_row: u32,
        quads: u32,
        cols: u32,
        vectors: u32,
        total_rows: u32,
        batch: u32,
        segments: u32,
        segment_rows: u32,
        first_segment: u32,
        first_a: u32,
        sign: f32,
        first_back: u32,
        masked: u32,
    }
}

pub(super) static KERNELS: PerStorage = matrix_kernels!(
    "dense" / "matvec_both",
    ["group", "mask"],
    [Read, Read, Read, Read, Read, Write, Write],
    Params,
    on_host
);

/// The rows that are read twice, the second time from the cache; as in the shader.
const GROUP_ROWS: usize = 4;

/// The vectors that are added to products: scale · product + a · vector, with a scale and an a for each vector.
#[derive(Clone, Copy, Debug)]
pub struct Shift<'a> {
    /// The factors of the products.
    pub scale: &'a Buffer<f32>,
    /// The factors a.
    pub multiples: Multiples<'a>,
    /// The vectors.
    pub vectors: &'a Buffer<f32>,
}

/// The memory for sums of segments: squares, segments × vectors, and from `first_back` on products, segments × vectors
/// × length.
#[derive(Clone, Copy, Debug)]
pub struct Sums<'a> {
    /// The elements.
    pub buffer: &'a Buffer<f32>,
    /// The place of the first product.
    pub first_back: usize,
}

/// The segments of rows in which [`matvec_both`] sums; `None` for rows that are too long for its loops.
pub fn matvec_both_segments(device: &Device, matrix: &Matrix) -> Option<usize> {
    let lanes = device.capabilities().profile.lanes as usize;
    let cuts = RowSegments::of(device, matrix);
    // With the tests that end the loops.
    let trips = 2 * matrix.quads().div_ceil(lanes) + lanes + GROUP_ROWS + 6;
    let all = trips.saturating_mul(cuts.length.min(matrix.rows()).div_ceil(GROUP_ROWS));
    let fits = Segments::for_group(device, matrix.quads()).count == 1;
    (fits && all <= device.capabilities().loop_budget as usize).then_some(cuts.total)
}

/// Records t = scale · matrix · input + a · shift, and the sums of |t|² and matrixᵀ · t, for every batch item and
/// vector: the GEMVT of BLAS 2.5.
///
/// *Shapes*  `matrix`: batch × rows × cols · `input`: batch × vectors × cols · `shift`: batch × vectors factors each,
/// and batch × vectors × rows · `product`: batch × vectors × rows · `sums`: segments × batch × vectors, and segments ×
/// batch × vectors × cols, with the segments of [`matvec_both_segments`]
///
/// *Accuracy*  that of [`super::matvec`] for scale · matrix · input, and 3 roundings more; for the sums, of t as it was
/// rounded, gamma(⌈r / 4⌉ + 3) for the square and gamma(r) for the product back in each segment of r rows. The bits of
/// a product do not depend on the other vectors.
///
/// # Errors
/// [`crate::Error::ShapeMismatch`] when the shapes do not fit, [`crate::Error::TooLarge`] past the device's limits.
pub fn matvec_both(
    recorder: &mut Recorder,
    matrix: &Matrix,
    input: &Tensor,
    shift: Shift<'_>,
    product: &Tensor,
    sums: Sums<'_>,
) -> Result<()> {
    let operation = "matvec_both";
    let (batch, rows, cols) = (matrix.batch(), matrix.rows(), matrix.cols());
    let width = input.shape().get(1).copied().unwrap_or(1);
    expect(operation, "input (batch, vectors, length)", &[batch, width, cols], input.shape())?;
    expect(operation, "product (batch, vectors, length)", &[batch, width, rows], product.shape())?;
    let Rows { vectors, length } = Rows { vectors: batch * width, length: cols };
    let cuts = RowSegments::of(recorder.device(), matrix);
    expect_len(operation, "scale", vectors, shift.scale.len())?;
    expect_len(operation, "a", shift.multiples.first + vectors, shift.multiples.values.len())?;
    expect_len(operation, "shift", volume(&[vectors, rows]), shift.vectors.len())?;
    let needed = sums.first_back.saturating_add(volume(&[cuts.total, vectors, length]));
    expect_len(operation, "sums", needed.max(volume(&[cuts.total, vectors])), sums.buffer.len())?;
    let (active, masked) = recorder.mask(vectors);
    for panel in matrix.panels() {
        let place = &panel.place;
        let segments = place.rows.len().div_ceil(cuts.length);
        let params = Params {
            items: word(operation, "the batch", place.items.len())?,
            first_item: word(operation, "the batch", place.items.start)?,
            rows: word(operation, "the rows", place.rows.len())?,
            first_row: word(operation, "the rows", place.rows.start)?,
            quads: word(operation, "the columns", matrix.quads())?,
            cols: word(operation, "the columns", cols)?,
            vectors: word(operation, "the vectors", width)?,
            total_rows: word(operation, "the rows", rows)?,
            batch: word(operation, "the batch", batch)?,
            segments: word(operation, "the rows", segments)?,
            segment_rows: word(operation, "the rows", cuts.length)?,
            first_segment: word(operation, "the rows", cuts.before(place.rows.start))?,
            first_a: word(operation, "the coefficients", shift.multiples.first)?,
            sign: shift.multiples.sign,
            first_back: word(operation, "the sums", sums.first_back)?,
            masked,
        };
        let bindings = [
            (&panel.words).into(),
            input.buffer().into(),
            shift.scale.into(),
            shift.multiples.values.into(),
            shift.vectors.into(),
            (&active).into(),
            product.buffer().into(),
            sums.buffer.into(),
        ];
        let grid = Grid::groups(width * segments * place.items.len());
        recorder.dispatch(KERNELS.of(matrix.storage(), panel), grid, &params, &bindings)?;
    }
    Ok(())
}

/// The work of one segment of rows for one vector.
struct Part<'a> {
    /// The vector, and the first row of the segment in the panel.
    place: (usize, usize),
    /// The rows of t.
    product: &'a mut [f32],
    square: &'a mut f32,
    back: &'a mut [f32],
}

fn on_host<S: Stored>(params: &Params, [matrix, input, scale, a, shift, mask, product, sums]: [Words<'_>; 8]) {
    let (matrix, input, shift) = (matrix.read::<S::Bits>(), input.read::<f32>(), shift.read::<f32>());
    let (scale, a) = (scale.read::<f32>(), &a.read::<f32>()[params.first_a as usize..]);
    let (rows, cols, wide) = (params.rows as usize, params.cols as usize, 4 * params.quads as usize);
    let (width, total_rows) = (params.vectors as usize, params.total_rows as usize);
    let (segment_rows, all) = (params.segment_rows as usize, (params.batch * params.vectors) as usize);
    let first = params.first_item as usize * width;
    let mask = Vectors::new(params.cols, mask, params.masked);
    let (squares_of, backs) = sums.write::<f32>().split_at_mut(params.first_back as usize);
    let skipped = params.first_segment as usize * all;
    // Segments × vectors of sums, and vectors × segments of t, in one order.
    let sums = squares_of.iter_mut().zip(backs.chunks_mut(cols)).skip(skipped);
    let mut sums: Vec<_> = sums.take(params.segments as usize * all).map(Some).collect();
    let mut parts = Vec::new();
    let of_panel = params.first_row as usize..params.first_row as usize + rows;
    let products = product.write::<f32>().chunks_mut(total_rows).enumerate().skip(first);
    for (vector, product) in products.take(params.items as usize * width).filter(|(vector, _)| !mask.skips(*vector)) {
        for (segment, product) in product[of_panel.clone()].chunks_mut(segment_rows).enumerate() {
            if let Some((square, back)) = sums[segment * all + vector].take() {
                parts.push(Part { place: (vector, segment * segment_rows), product, square, back });
            }
        }
    }
    each_chunk(&mut parts, 1, 2 * segment_rows.min(rows) * wide, |_, part| {
        let Part { place: (vector, first_row), product, square, back } = &mut part[0];
        let elements = &matrix[((*vector - first) / width * rows + *first_row) * wide..];
        let shift = &shift[*vector * total_rows + of_panel.start + *first_row..];
        let (input, a) = (&input[*vector * cols..][..cols], params.sign * a[*vector]);
        let mut room = Vec::new();
        back.fill(0.0);
        for (block, rows) in product.chunks_mut(GROUP_ROWS).zip(elements.chunks(GROUP_ROWS * wide)).enumerate() {
            let (t, rows) = rows;
            let of_rows = &rows[..(t.len() - 1) * wide + cols];
            row_dots::<S>(of_rows, wide, &[input], |row, _, sum| {
                t[row] = a.mul_add(shift[GROUP_ROWS * block + row], scale[*vector] * sum);
            });
            add_rows_to_each::<S>(&mut [&mut **back], rows, wide, &[&*t], &mut room);
        }
        **square = squares::<F32>(product, 1.0);
    });
}
