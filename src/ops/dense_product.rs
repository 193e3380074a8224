//! The launchers of products with a matrix, for the kernels of a single vector and of several.

use super::arguments::{Rows, Segmented};
use super::check::{expect, word};
use super::declare::{PerStorage, params};
use super::segments::{RowSegments, Segments};
use super::sum_partials::sum_partials;
use crate::Result;
use crate::gpu::{Buffer, Grid, Recorder};
use crate::tensor::{Matrix, Tensor};

params! {
    /// The parameters of matrix · input.
    pub(super) struct Params {
        items: u32,
        first_item: u32,
        rows: u32,
        first_row: u32,
        quads: u32,
        cols: u32,
        vectors: u32,
        input_items: u32,
        total_rows: u32,
        batch: u32,
        segments: u32,
        segment_quads: u32,
        masked: u32,
    }
}

params! {
    /// The parameters of matrixᵀ · input.
    pub(super) struct AdjointParams {
        items: u32,
        first_item: u32,
        rows: u32,
        first_row: u32,
        quads: u32,
        cols: u32,
        vectors: u32,
        input_items: u32,
        total_rows: u32,
        batch: u32,
        segments: u32,
        segment_rows: u32,
        first_segment: u32,
        masked: u32,
    }
}

/// The rows that a workgroup of matrix · input owns, as in the shaders.
const GROUP_ROWS: usize = 4;

/// The quads of columns that an invocation of matrixᵀ · input owns, as in the shaders.
const GROUP_QUADS: usize = 4;

/// The kernels of a product, whose workgroups multiply `vectors` vectors at once.
pub(super) struct Grouped {
    pub(super) kernels: &'static PerStorage,
    pub(super) vectors: usize,
}

/// A product with a matrix, or with its transpose.
pub(super) struct Product<'a> {
    pub(super) operation: &'static str,
    pub(super) matrix: &'a Matrix,
    pub(super) input: &'a Tensor,
    pub(super) output: &'a Tensor,
}

impl Product<'_> {
    /// Records output = matrix · input.
    pub(super) fn record(&self, recorder: &mut Recorder, grouped: &Grouped) -> Result<()> {
        let Self { operation, matrix, input, output } = *self;
        let Sides { vectors, input_items } = self.sides(matrix.cols(), matrix.rows())?;
        let segments = Segments::for_group(recorder.gpu(), matrix.quads());
        let partial = segments.count > 1;
        let scratch = partial.then(|| recorder.gpu().scratch(operation, segments.count * output.len())).transpose()?;
        let target = scratch.as_deref().unwrap_or(output.buffer());
        let (active, masked) = recorder.mask(matrix.batch() * vectors);
        for panel in matrix.panels() {
            let place = &panel.place;
            let blocks = vectors.div_ceil(grouped.vectors) * place.rows.len().div_ceil(GROUP_ROWS);
            let groups = blocks * place.items.len() * segments.count;
            let params = Params {
                items: word(operation, "the batch", place.items.len())?,
                first_item: word(operation, "the batch", place.items.start)?,
                rows: word(operation, "the rows", place.rows.len())?,
                first_row: word(operation, "the rows", place.rows.start)?,
                quads: word(operation, "the columns", matrix.quads())?,
                cols: word(operation, "the columns", matrix.cols())?,
                vectors: word(operation, "the vectors", vectors)?,
                input_items: word(operation, "the batch", input_items)?,
                total_rows: word(operation, "the rows", matrix.rows())?,
                batch: word(operation, "the batch", matrix.batch())?,
                segments: word(operation, "the columns", segments.count)?,
                segment_quads: word(operation, "the columns", segments.length)?,
                masked,
            };
            let bindings = [(&panel.words).into(), input.buffer().into(), (&active).into(), target.into()];
            recorder.dispatch(grouped.kernels.of(matrix.storage()), Grid::groups(groups), &params, &bindings)?;
        }
        self.add_partials(recorder, scratch.as_deref(), segments.count, vectors, matrix.rows())
    }

    /// Records output = matrixᵀ · input.
    pub(super) fn record_adjoint(&self, recorder: &mut Recorder, grouped: &Grouped) -> Result<()> {
        let Self { operation, matrix, input, output } = *self;
        let Sides { vectors, input_items } = self.sides(matrix.rows(), matrix.cols())?;
        let cuts = RowSegments::of(recorder.gpu(), matrix);
        let partial = cuts.total > 1;
        let scratch = partial.then(|| recorder.gpu().scratch(operation, cuts.total * output.len())).transpose()?;
        let target = scratch.as_deref().unwrap_or(output.buffer());
        let lanes = recorder.gpu().capabilities().profile.lanes as usize;
        let (active, masked) = recorder.mask(matrix.batch() * vectors);
        for panel in matrix.panels() {
            let place = &panel.place;
            let segments = place.rows.len().div_ceil(cuts.length);
            let blocks = matrix.quads().div_ceil(lanes * GROUP_QUADS);
            let params = AdjointParams {
                items: word(operation, "the batch", place.items.len())?,
                first_item: word(operation, "the batch", place.items.start)?,
                rows: word(operation, "the rows", place.rows.len())?,
                first_row: word(operation, "the rows", place.rows.start)?,
                quads: word(operation, "the columns", matrix.quads())?,
                cols: word(operation, "the columns", matrix.cols())?,
                vectors: word(operation, "the vectors", vectors)?,
                input_items: word(operation, "the batch", input_items)?,
                total_rows: word(operation, "the rows", matrix.rows())?,
                batch: word(operation, "the batch", matrix.batch())?,
                segments: word(operation, "the rows", segments)?,
                segment_rows: word(operation, "the rows", cuts.length)?,
                first_segment: word(operation, "the rows", cuts.before(place.rows.start))?,
                masked,
            };
            let groups = vectors.div_ceil(grouped.vectors) * blocks * segments * place.items.len();
            let bindings = [(&panel.words).into(), input.buffer().into(), (&active).into(), target.into()];
            recorder.dispatch(grouped.kernels.of(matrix.storage()), Grid::groups(groups), &params, &bindings)?;
        }
        self.add_partials(recorder, scratch.as_deref(), cuts.total, vectors, matrix.cols())
    }

    /// Adds up the partial results of cut sums, if any.
    fn add_partials(
        &self,
        recorder: &mut Recorder,
        partials: Option<&Buffer<f32>>,
        segments: usize,
        vectors: usize,
        length: usize,
    ) -> Result<()> {
        let Some(partials) = partials else { return Ok(()) };
        let (partials, rows) =
            (Segmented { buffer: partials, count: segments }, Rows { vectors: self.matrix.batch() * vectors, length });
        sum_partials(recorder, partials, rows, self.output.buffer())
    }

    /// Checks the shapes of a product that maps vectors of length `from` to vectors of length `to`.
    fn sides(&self, from: usize, to: usize) -> Result<Sides> {
        let (operation, batch) = (self.operation, self.matrix.batch());
        let sides = match *self.input.shape() {
            [items, vectors, length] if length == from && items > 0 && batch.is_multiple_of(items) => {
                Sides { vectors, input_items: items }
            }
            [0, vectors, _] if batch == 0 => Sides { vectors, input_items: 1 },
            _ => {
                expect(operation, "input (batch, vectors, length)", &[batch, 1, from], self.input.shape())?;
                Sides { vectors: 1, input_items: batch }
            }
        };
        expect(operation, "output (batch, vectors, length)", &[batch, sides.vectors, to], self.output.shape())?;
        Ok(sides)
    }
}

/// The sizes of a product that follow from its input.
struct Sides {
    /// The number of vectors of each batch item.
    vectors: usize,
    /// The number of batch items of the input, to which the matrices apply in turn.
    input_items: usize,
}
