//! output = factor · matrixᵀ · matrix.

use std::ops::Range;

use super::check::{expect_f32, expect_len, word};
use super::declare::{kernel, params};
use super::mirror::mirror;
use crate::device::{Buffer, Grid, Kernel, Profile, Recorder, Words};
use crate::native::{Asked, Runs, Strided, product};
use crate::tensor::{Matrix, Panel};
use crate::{Error, Result};

params! {
    pub(super) struct Params {
        items: u32,
        first_item: u32,
        source_item: u32,
        target_item: u32,
        panel_rows: u32,
        first_row: u32,
        end_row: u32,
        runs: u32,
        quads: u32,
        target_start: u32,
        target_rows: u32,
        band_start: u32,
        band_end: u32,
        adds: u32,
    }
}

/// Two kernels for each tile, of which the second reads textures: 12 × 12 for software adapters, 8 × 8 for hardware.
pub(super) static KERNELS: [Kernel; 4] = [
    kernel!("dense" / "gram", "gram_12", ["group", "matrix_f32", "tile_12"], [Read, Read, Write], Params, on_host),
    kernel!(
        "dense" / "gram",
        "gram_12_texels",
        ["group", "matrix_texels", "tile_12"],
        [Texels, Read, Write],
        Params,
        on_host
    ),
    kernel!("dense" / "gram", "gram_8", ["group", "matrix_f32", "tile_8"], [Read, Read, Write], Params, on_host),
    kernel!(
        "dense" / "gram",
        "gram_8_texels",
        ["group", "matrix_texels", "tile_8"],
        [Texels, Read, Write],
        Params,
        on_host
    ),
];

/// The products of a run, whose sum goes to the next level.
const RUN: usize = 16;

/// The levels of sums above a run within a dispatch.
const LEVELS: u32 = 3;

/// The rows that one dispatch sums. An invocation visits all rows, and tests for the end of each run and of the levels
/// above. These tests add less than a fifth, so that the sum stays below the loop budget.
const LONGEST: usize = 32_768;

/// Records output = factor · matrixᵀ · matrix, for each batch item: symmetric to the bit.
///
/// *Shapes*  `matrix`: batch × rows × cols, stored as `f32` · `factors`: batch powers of two ·
/// `output`: batch × cols × cols, stored as `f32`
///
/// *Accuracy*  |error| <= gamma(c) · factor · |matrix|ᵀ · |matrix| + flushed, entrywise, with the c of
/// [`gram_roundings`] (33 for 4096 rows, 44 for 16 384) and [`gram_flushed`]. Both rows · max|matrix|² and its product
/// with the factor must be below 2^127.
///
/// # Errors
/// [`Error::ShapeMismatch`] when the shapes do not fit, [`Error::InvalidOption`] for another storage,
/// [`Error::TooLarge`] past the device's limits.
pub fn gram(recorder: &mut Recorder, matrix: &Matrix, factors: &Buffer<f32>, output: &Matrix) -> Result<()> {
    gram_rows(recorder, matrix, factors, output, 0..output.rows())?;
    mirror(recorder, output)
}

/// Records a band of rows of [`gram`], up to the diagonal: for products that are too long for one submit.
/// [`super::mirror`] completes the rows after all bands.
///
/// *Shapes*  as [`gram`] · `rows`: within those of `output`
///
/// *Accuracy*  as [`gram`], with the same bits for any bands.
///
/// # Errors
/// As [`gram`]; [`Error::OutOfRange`] for rows that the output does not have.
pub fn gram_rows(
    recorder: &mut Recorder,
    matrix: &Matrix,
    factors: &Buffer<f32>,
    output: &Matrix,
    rows: Range<usize>,
) -> Result<()> {
    let operation = "gram";
    let (batch, cols) = (matrix.batch(), matrix.cols());
    if (output.batch(), output.rows(), output.cols()) != (batch, cols, cols) {
        return Err(Error::ShapeMismatch {
            operation,
            expected: format!("an output of {batch} x {cols} x {cols}"),
            found: format!("{} x {} x {}", output.batch(), output.rows(), output.cols()),
        });
    }
    expect_f32(operation, matrix)?;
    expect_f32(operation, output)?;
    if rows.end > output.rows() {
        return Err(Error::OutOfRange { operation, what: "rows", found: rows, length: output.rows() });
    }
    expect_len(operation, "factors", batch, factors.len())?;
    let profile = recorder.device().capabilities().profile;
    for source in matrix.panels() {
        for summed in pieces(source) {
            for target in output.panels() {
                let (from, to) = (&source.place, &target.place);
                let items = from.items.start.max(to.items.start)..from.items.end.min(to.items.end);
                let band = rows.start.max(to.rows.start)..rows.end.min(to.rows.end);
                if items.is_empty() || band.is_empty() {
                    continue;
                }
                let params = Params {
                    items: word(operation, "the batch", items.len())?,
                    first_item: word(operation, "the batch", items.start)?,
                    source_item: word(operation, "the batch", items.start - from.items.start)?,
                    target_item: word(operation, "the batch", items.start - to.items.start)?,
                    panel_rows: word(operation, "the rows", from.rows.len())?,
                    first_row: word(operation, "the rows", summed.start)?,
                    end_row: word(operation, "the rows", summed.end)?,
                    runs: word(operation, "the rows", runs(summed.len()))?,
                    quads: word(operation, "the columns", matrix.quads())?,
                    target_start: word(operation, "the columns", to.rows.start)?,
                    target_rows: word(operation, "the columns", to.rows.len())?,
                    band_start: word(operation, "the columns", band.start)?,
                    band_end: word(operation, "the columns", band.end)?,
                    adds: u32::from(from.rows.start + summed.start > 0),
                };
                let (kernel, groups) = layout(profile, source, &band);
                let bindings = [(&source.words).into(), factors.into(), (&target.words).into()];
                recorder.dispatch(kernel, Grid::groups(groups * items.len()), &params, &bindings)?;
            }
        }
    }
    Ok(())
}

/// The limit c of roundings on the way of a product into an entry of [`gram`], each at most 2^-23 of its value: |error|
/// <= gamma(c) · factor · |matrix|ᵀ · |matrix|, where gamma(c) = c u / (1 - c u), u = 2^-23.
///
/// | step | roundings |
/// |---|---|
/// | a run of L products, in any order | L: one for the product, and L - 1 sums |
/// | a level that adds n sums | n - 1 |
/// | each dispatch after the first | 1 |
/// | the power of two | 0 |
///
/// WGSL lets a sum be reordered within an expression, but levels and dispatches are separate expressions.
pub fn gram_roundings(matrix: &Matrix) -> usize {
    let rows: Vec<_> = item_pieces(matrix).collect();
    let roundings = |rows: &usize| {
        let (runs, mut left) = (runs(*rows), rows.div_ceil(RUN));
        let mut roundings = RUN.min(*rows);
        for _ in 0..LEVELS {
            roundings += runs.min(left).saturating_sub(1);
            left = left.div_ceil(runs);
        }
        roundings
    };
    rows.iter().map(roundings).max().unwrap_or(0) + rows.len().saturating_sub(1)
}

/// The largest loss of an entry of [`gram`], beside its roundings, on a device that flushes subnormal numbers.
///
/// `largest` is the largest magnitude of the matrix. Each product may lose 2^-126 of either side times the other side,
/// and its own value; each sum either side or its own value. Each loss is below 2^-126. A product takes fewer than 1.25
/// sums where there is more than a run, and at most 4 otherwise. 2^-126 · (factor · rows · (2 · largest + 16) + 4 ·
/// dispatches) covers the losses and their roundings.
pub fn gram_flushed(matrix: &Matrix, largest: f64, factor: f64) -> f64 {
    let (dispatches, rows) = (item_pieces(matrix).count() as f64, matrix.rows() as f64);
    f64::from(f32::MIN_POSITIVE) * (factor * rows * (2.0 * largest + 16.0) + 4.0 * dispatches)
}

/// The kernel for a profile and a panel, and its groups for some rows of an output panel.
fn layout(profile: Profile, source: &Panel, rows: &Range<usize>) -> (&'static Kernel, usize) {
    let lanes = profile.lanes as usize;
    let (kernels, edge) =
        if lanes < Profile::HARDWARE.lanes as usize { (&KERNELS[..2], 12) } else { (&KERNELS[2..], 8) };
    let kernel = &kernels[usize::from(source.words.is_texels())];
    let across = 4 + lanes / 16;
    let (first, end) = (rows.start / edge, rows.end.div_ceil(edge));
    (kernel, (end - first).div_ceil(lanes / across) * end.div_ceil(across))
}

/// The rows of a panel, cut to the rows of one dispatch.
fn pieces(panel: &Panel) -> impl Iterator<Item = Range<usize>> {
    let rows = panel.place.rows.len();
    (0..rows).step_by(LONGEST).map(move |first| first..rows.min(first + LONGEST))
}

/// The numbers of rows of the pieces of a batch item.
fn item_pieces(matrix: &Matrix) -> impl Iterator<Item = usize> {
    let panels = matrix.panels().iter().filter(|panel| panel.place.items.contains(&0));
    panels.flat_map(pieces).map(|rows| rows.len())
}

/// The number of sums that each level adds up, the fewest with which the levels cover the rows.
fn runs(rows: usize) -> usize {
    let mut runs = 1usize;
    while runs.pow(LEVELS) * RUN < rows {
        runs += 1;
    }
    runs
}

fn on_host(params: &Params, [matrix, factors, output]: [Words<'_>; 3]) {
    let (matrix, factors, output) = (matrix.read::<f32>(), factors.read::<f32>(), output.write::<f32>());
    let (panel_rows, wide) = (params.panel_rows as usize, 4 * params.quads as usize);
    let (first_row, length) = (params.first_row as usize, (params.end_row - params.first_row) as usize);
    let (band_start, band) = (params.band_start as usize, (params.band_end - params.band_start) as usize);
    for local in 0..params.items as usize {
        let source = (params.source_item as usize + local) * panel_rows + first_row;
        let right = |_| Strided::laid(matrix, wide, source);
        let left = |item| Strided { elements: &right(item).elements[band_start..], ..right(item) };
        let mut sums = vec![0.0; band * params.band_end as usize];
        product([band, length, params.band_end as usize], Runs::Of16, Asked::Below(band_start), left, right, &mut sums);
        let target = (params.target_item as usize + local) * params.target_rows as usize;
        let first = (target + band_start - params.target_start as usize) * wide;
        let factor = factors[params.first_item as usize + local];
        for (row, sums) in sums.chunks_exact(params.band_end as usize).enumerate() {
            let output = &mut output[first + row * wide..][..band_start + row + 1];
            for (value, sum) in output.iter_mut().zip(sums) {
                let sum = sum * factor;
                *value = if params.adds != 0 { *value + sum } else { sum };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_reach_over_the_rows_within_the_loop_budget() {
        for rows in [1, 15, 16, 17, 1024, 4097, 16_384, LONGEST] {
            let runs = runs(rows);
            assert!(RUN * runs.pow(LEVELS) >= rows, "{rows}");
            assert!(runs == 1 || RUN * (runs - 1).pow(LEVELS) < rows, "{rows}");
            // A pass of a level counts as two trips: one of its own loop, and the test that ends the loop inside.
            let passes = |span: usize| 2 * (rows.div_ceil(span) + 1);
            let trips = rows + passes(RUN) + passes(RUN * runs) + passes(RUN * runs * runs);
            assert!(trips < 60_000, "{rows}: {trips}");
        }
    }
}
