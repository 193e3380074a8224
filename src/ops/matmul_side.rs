//! A side of a product in quads across each step of the inner axis.

use super::check::{expect_len, word};
use super::declare::{kernel, params};
use crate::Result;
use crate::device::{Buffer, Grid, Kernel, Recorder, Words, each_chunk};
use crate::tensor::volume;

params! {
    pub(super) struct Params {
        batch: u32,
        size: u32,
        length: u32,
        across: u32,
        along: u32,
    }
}

pub(super) static KERNEL: Kernel = kernel!("tensor" / "matmul_side", ["group"], [Read, Write], Params, on_host);

/// The number of elements of a side of [`super::matmul_tiles`]: whole quads of its rows, or of its columns, for each
/// step of the inner axis.
pub fn matmul_side_len(batch: usize, size: usize, length: usize) -> usize {
    batch * length * size.next_multiple_of(4)
}

/// A batch of sides of products in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SideLayout {
    /// The number of products.
    pub batch: usize,
    /// The number of rows of a left side, or of columns of a right side.
    pub size: usize,
    /// The number of steps of the inner axis.
    pub length: usize,
    /// Whether the side lies step after step and lacks only whole quads.
    pub is_laid: bool,
}

/// Records the copy of a side of a product for [`super::matmul_tiles`]: rows of a left side, or columns of a right
/// side, become contiguous.
///
/// *Shapes*  `input`: batch × size × length, or batch × length × size where `is_laid` · `output`: batch × length × size
/// up to whole quads, [`matmul_side_len`] elements
///
/// *Accuracy*  exact; the padding of a quad repeats the last number.
///
/// # Errors
/// [`crate::Error::ShapeMismatch`] when a buffer is too short, [`crate::Error::TooLarge`] past the device's limits.
pub fn matmul_side(
    recorder: &mut Recorder,
    layout: &SideLayout,
    input: &Buffer<f32>,
    output: &Buffer<f32>,
) -> Result<()> {
    let SideLayout { batch, size, length, is_laid } = *layout;
    let operation = "matmul_side";
    expect_len(operation, "input", volume(&[batch, size, length]), input.len())?;
    expect_len(operation, "output", matmul_side_len(batch, size, length), output.len())?;
    word(operation, "the input", input.len())?;
    word(operation, "the output", output.len())?;
    let (across, along) = if is_laid { (1, size) } else { (length, 1) };
    let params = Params {
        batch: word(operation, "the batch", batch)?,
        size: word(operation, "the size", size)?,
        length: word(operation, "the length", length)?,
        across: word(operation, "the size", across)?,
        along: word(operation, "the length", along)?,
    };
    let blocks = batch * size.div_ceil(4) * length.div_ceil(4);
    let grid = Grid::covering(blocks, recorder.device().capabilities().profile.lanes);
    recorder.dispatch(&KERNEL, grid, &params, &[input.into(), output.into()])
}

fn on_host(params: &Params, [input, output]: [Words<'_>; 2]) {
    let (input, size, length) = (input.read::<u32>(), params.size as usize, params.length as usize);
    let wide = size.next_multiple_of(4);
    let output = &mut output.write::<u32>()[..params.batch as usize * length * wide];
    each_chunk(output, wide, 2 * wide, |index, output| {
        let start = index / length * size * length + index % length * params.along as usize;
        for (place, output) in output.iter_mut().enumerate() {
            *output = input[start + place.min(size - 1) * params.across as usize];
        }
    });
}
