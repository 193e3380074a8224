//! output = left · right, for a batch of products of sides in quads.

use super::arguments::Sizes;
use super::check::{expect_len, expect_trips, word};
use super::declare::{kernel, params};
use super::matmul_side::matmul_side_len;
use crate::Result;
use crate::device::{Buffer, Grid, Kernel, Recorder, Words};
use crate::native::{Asked, Runs, Strided, product};
use crate::tensor::volume;

/// The products of one run, as in the shader.
const RUN: usize = 16;

/// The runs whose sums are added up before their total goes on, as in the shader.
const RUNS: usize = 32;

/// The tiles of a group side by side, where there are as many.
const MOST_ACROSS: usize = 8;

params! {
    pub(super) struct Params {
        batch: u32,
        rows: u32,
        length: u32,
        cols: u32,
        across: u32,
    }
}

pub(super) static KERNELS: [Kernel; 2] = [
    kernel!("tensor" / "matmul_tiles", "matmul_tiles_8", ["group", "tile_8"], [Read, Read, Write], Params, on_host),
    kernel!("tensor" / "matmul_tiles", "matmul_tiles_12", ["group", "tile_12"], [Read, Read, Write], Params, on_host),
];

/// The sums of one invocation of [`matmul_tiles`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tile {
    /// 8 × 8.
    Eight,
    /// 12 × 12, for software adapters.
    Twelve,
}

impl Tile {
    /// The number of rows, and of columns, of the tile.
    pub fn edge(self) -> usize {
        match self {
            Self::Eight => 8,
            Self::Twelve => 12,
        }
    }

    fn kernel(self) -> &'static Kernel {
        match self {
            Self::Eight => &KERNELS[0],
            Self::Twelve => &KERNELS[1],
        }
    }
}

/// Records output = left · right for each item of a batch, with tiles of the given size.
///
/// *Shapes*  `left`: batch × length × rows up to whole quads · `right`: batch × length × cols up to whole quads, both
/// as [`super::matmul_side`] lays them out · `output`: batch × rows × cols
///
/// *Accuracy*  gamma(14 + min(r, 32) + ⌈r / 32⌉) · |left| · |right|, entrywise, with the r = ⌈length / 16⌉ runs of 16
/// products.
///
/// # Errors
/// As [`super::matmul`].
pub fn matmul_tiles(
    recorder: &mut Recorder,
    Sizes { batch, rows, inner: length, cols }: Sizes,
    tile: Tile,
    left: &Buffer<f32>,
    right: &Buffer<f32>,
    output: &Buffer<f32>,
) -> Result<()> {
    let operation = "matmul_tiles";
    expect_len(operation, "left", matmul_side_len(batch, rows, length), left.len())?;
    expect_len(operation, "right", matmul_side_len(batch, cols, length), right.len())?;
    expect_len(operation, "output", volume(&[batch, rows, cols]), output.len())?;
    // Each run ends its own loop with a further test, and the outer loop counts that test; likewise for runs of runs.
    let trips = length + 2 * length.div_ceil(RUN) + 2 * length.div_ceil(RUN * RUNS) + 1;
    expect_trips(recorder, operation, trips, "split the product along its inner axis and add the parts")?;
    for (role, buffer) in [("the left side", left), ("the right side", right), ("the output", output)] {
        word(operation, role, buffer.len())?;
    }
    let (tiles_down, tiles_across) = (rows.div_ceil(tile.edge()), cols.div_ceil(tile.edge()));
    let lanes = recorder.device().capabilities().profile.lanes as usize;
    let across = tiles_across.next_power_of_two().min(MOST_ACROSS).min(lanes);
    let size = |size| word(operation, "an axis", size);
    let params = Params {
        batch: size(batch)?,
        rows: size(rows)?,
        length: size(length)?,
        cols: size(cols)?,
        across: size(across)?,
    };
    let groups = batch * tiles_down.div_ceil(lanes / across) * tiles_across.div_ceil(across);
    recorder.dispatch(tile.kernel(), Grid::groups(groups), &params, &[left.into(), right.into(), output.into()])
}

/// The runs of the host's sums over so many products: the longest with the accuracy of [`matmul_tiles`].
///
/// From 512 products on, 32 + ⌈log2 ⌈length / 32⌉⌉ is less than 46 + ⌈length / 512⌉.
pub(super) fn runs_of(length: usize) -> Runs {
    if length < 512 { Runs::Of16 } else { Runs::Of32 }
}

fn on_host(params: &Params, [left, right, output]: [Words<'_>; 3]) {
    let (left, right) = (left.read::<f32>(), right.read::<f32>());
    let (rows, length, cols) = (params.rows as usize, params.length as usize, params.cols as usize);
    let side =
        |elements, size: usize| move |item: usize| Strided::laid(elements, size.next_multiple_of(4), item * length);
    let output = &mut output.write::<f32>()[..params.batch as usize * rows * cols];
    product([rows, length, cols], runs_of(length), Asked::All, side(left, rows), side(right, cols), output);
}
