//! The launchers of products with a matrix, for the kernels of a single vector and of several.

use super::arguments::{Rows, Segmented};
use super::check::{expect, word};
use super::declare::{PerStorage, params};
use super::segments::{RowSegments, Segments};
use super::sum_partials::sum_partials;
use crate::Result;
use crate::device::{Buffer, Grid, Kernel, Recorder, UNIFORM_BYTES, Words, each_chunk};
use crate::native::{ROWS, Vectors, add_rows_to_each, blocks, row_dots};
use crate::tensor::stored::Stored;
use crate::tensor::{Matrix, Panel, Tensor};

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
    /// The kernel for a matrix in a texture, and an input that fits uniform memory.
    pub(super) uniform: Option<&'static Kernel>,
    pub(super) vectors: usize,
}

impl Grouped {
    /// The kernel for a panel of a matrix.
    fn kernel(&self, product: &Product<'_>, panel: &Panel) -> &'static Kernel {
        let fits = product.input.len() as u64 * 4 <= UNIFORM_BYTES && panel.words.is_texels();
        self.uniform.filter(|_| fits).unwrap_or_else(|| self.kernels.of(product.matrix.storage(), panel))
    }
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
        let segments = Segments::for_group(recorder.device(), matrix.quads());
        let partial = segments.count > 1;
        let scratch =
            partial.then(|| recorder.device().scratch(operation, segments.count * output.len())).transpose()?;
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
            recorder.dispatch(grouped.kernel(self, panel), Grid::groups(groups), &params, &bindings)?;
        }
        self.add_partials(recorder, scratch.as_deref(), segments.count, vectors, matrix.rows())
    }

    /// Records output = matrixᵀ · input.
    pub(super) fn record_adjoint(&self, recorder: &mut Recorder, grouped: &Grouped) -> Result<()> {
        let Self { operation, matrix, input, output } = *self;
        let Sides { vectors, input_items } = self.sides(matrix.rows(), matrix.cols())?;
        let cuts = RowSegments::of(recorder.device(), matrix);
        let partial = cuts.total > 1;
        let scratch = partial.then(|| recorder.device().scratch(operation, cuts.total * output.len())).transpose()?;
        let target = scratch.as_deref().unwrap_or(output.buffer());
        let lanes = recorder.device().capabilities().profile.lanes as usize;
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
            recorder.dispatch(grouped.kernel(self, panel), Grid::groups(groups), &params, &bindings)?;
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

/// Columns that one thread sums at a time, at the least: a run that the processor fetches ahead.
const COLUMNS: usize = 1024;

/// Elements of a matrix that one thread goes through at a time, at the least.
const BLOCK: usize = 1 << 15;

/// matrix · input on the host: rows in blocks, each of which is read once for all vectors of its item.
pub(super) fn on_host<S: Stored>(params: &Params, [matrix, input, mask, output]: [Words<'_>; 4]) {
    let (matrix, input) = (matrix.read::<S::Bits>(), input.read::<f32>());
    let (rows, cols, wide) = (params.rows as usize, params.cols as usize, 4 * params.quads as usize);
    let (vectors, total_rows) = (params.vectors as usize, params.total_rows as usize);
    let (items, batch) = (params.items as usize, params.batch as usize);
    let mask = Vectors::new(params.cols, mask, params.masked);
    let length = (BLOCK / (wide * vectors).max(1)).clamp(1, rows.max(1)).next_multiple_of(ROWS);
    let mut parts = Vec::new();
    let output = output.write::<f32>().chunks_mut((vectors * total_rows).max(1));
    for (index, item_output) in output.enumerate().take(params.segments as usize * batch) {
        let (segment, item) = (index / batch, index % batch);
        let Some(local) = item.checked_sub(params.first_item as usize).filter(|local| *local < items) else { continue };
        let of_panel = params.first_row as usize..params.first_row as usize + rows;
        let slices = item_output.chunks_mut(total_rows).map(|vector| &mut vector[of_panel.clone()]);
        let numbered = (0..).step_by(length).zip(blocks(slices.collect(), length));
        parts.extend(numbered.map(|(first_row, outputs)| (segment, item, local * rows + first_row, outputs)));
    }
    each_chunk(&mut parts, 1, length * wide * vectors, |_, part| {
        let (segment, item, first, outputs) = &mut part[0];
        let first_col = *segment * 4 * params.segment_quads as usize;
        let of_segment = first_col..cols.min(first_col + 4 * params.segment_quads as usize);
        let kept: Vec<_> = (0..vectors).filter(|within| !mask.skips(*item * vectors + within)).collect();
        let length = of_segment.len();
        if length == 0 {
            kept.iter().for_each(|within| outputs[*within].fill(0.0));
            return;
        }
        let input = |within: usize| {
            let start = (*item % params.input_items as usize * vectors + within) * cols;
            &input[start..][of_segment.clone()]
        };
        let inputs: Vec<&[f32]> = kept.iter().copied().map(input).collect();
        let elements = &matrix[*first * wide + first_col..][..(outputs[0].len() - 1) * wide + length];
        row_dots::<S>(elements, wide, &inputs, |row, within, sum| outputs[kept[within]][row] = sum);
    });
}

/// matrixᵀ · input on the host: segments of rows, and of each segment blocks of columns, for all vectors of an item.
pub(super) fn adjoint_on_host<S: Stored>(params: &AdjointParams, [matrix, input, mask, output]: [Words<'_>; 4]) {
    let (matrix, input) = (matrix.read::<S::Bits>(), input.read::<f32>());
    let (rows, cols, wide) = (params.rows as usize, params.cols as usize, 4 * params.quads as usize);
    let (vectors, segment_rows) = (params.vectors as usize, params.segment_rows as usize);
    let (items, batch) = (params.items as usize, params.batch as usize);
    let mask = Vectors::new(params.total_rows, mask, params.masked);
    let length = (BLOCK / (segment_rows.min(rows) * vectors).max(1)).max(COLUMNS).min(cols.max(1));
    let mut parts = Vec::new();
    let first_output = params.first_segment as usize * batch;
    let output = output.write::<f32>().chunks_mut((vectors * cols).max(1)).skip(first_output);
    for (index, item_output) in output.enumerate().take(params.segments as usize * batch) {
        let (segment, item) = (index / batch, index % batch);
        let Some(local) = item.checked_sub(params.first_item as usize).filter(|local| *local < items) else { continue };
        let numbered = (0..).step_by(length).zip(blocks(item_output.chunks_mut(cols).collect(), length));
        parts.extend(numbered.map(|(first_col, outputs)| (segment, item, local, first_col, outputs)));
    }
    each_chunk(&mut parts, 1, length * segment_rows.min(rows) * vectors, |_, part| {
        let (segment, item, local, first_col, outputs) = &mut part[0];
        let of_segment = *segment * segment_rows..rows.min((*segment + 1) * segment_rows);
        let elements = &matrix[(*local * rows + of_segment.start) * wide + *first_col..];
        let (mut kept, mut inputs, mut of_band) = (Vec::new(), Vec::<&[f32]>::new(), Vec::new());
        for (within, sums) in outputs.iter_mut().enumerate() {
            if !mask.skips(*item * vectors + within) {
                let start = (*item % params.input_items as usize * vectors + within) * params.total_rows as usize;
                sums.fill(0.0);
                kept.push(&mut **sums);
                inputs.push(&input[start + params.first_row as usize..][of_segment.clone()]);
            }
        }
        // Few rows at a time, so that they are in the cache for the next vector.
        let mut room = Vec::new();
        let bands = elements.chunks((GROUP_ROWS * wide).max(1)).zip((0..of_segment.len()).step_by(GROUP_ROWS));
        for (elements, first) in bands {
            let end = of_segment.len().min(first + GROUP_ROWS);
            of_band.clear();
            of_band.extend(inputs.iter().map(|input| &input[first..end]));
            add_rows_to_each::<S>(&mut kept, elements, wide, &of_band, &mut room);
        }
    });
}
