//! output[i0, i1, ...] = input[i0 s0 + i1 s1 + ...].

use super::check::{expect_len, word};
use super::declare::{kernel, params};
use crate::device::{Buffer, Grid, Kernel, Recorder, Words, each_chunk};
use crate::tensor::elements;
use crate::{Error, Result};

/// The largest number of axes of [`strided`].
pub const RANK: usize = 6;

params! {
    pub(super) struct Params {
        elements: u32,
        sizes: [u32; RANK],
        strides: [u32; RANK],
    }
}

pub(super) static KERNEL: Kernel = kernel!("tensor" / "strided", ["group"], [Read, Write], Params, on_host);

/// Records output[i0, i1, ...] = input[i0 s0 + i1 s1 + ...]: axes in another order, or repeated by a stride of 0.
///
/// *Shapes*  `output`: the product of the sizes · `sizes`, `strides`: a number for each axis of the output, up to
/// [`RANK`]
///
/// *Accuracy*  exact.
///
/// # Errors
/// [`Error::ShapeMismatch`] for a buffer that is too short, or unequal numbers of strides and sizes;
/// [`Error::TooLarge`] past [`RANK`] axes or the device's limits.
pub fn strided(
    recorder: &mut Recorder,
    sizes: &[usize],
    strides: &[usize],
    input: &Buffer<f32>,
    output: &Buffer<f32>,
) -> Result<()> {
    let operation = "strided";
    if sizes.len() > RANK {
        return Err(Error::TooLarge {
            operation,
            what: "a shape, in axes,".to_string(),
            needed: sizes.len() as u64,
            limit: RANK as u64,
            advice: "join neighbouring axes",
        });
    }
    if sizes.len() != strides.len() {
        return Err(Error::ShapeMismatch {
            operation,
            expected: format!("{} strides", sizes.len()),
            found: format!("{strides:?}"),
        });
    }
    let count = elements(operation, sizes)?;
    if count == 0 {
        return Ok(());
    }
    let last = sizes.iter().zip(strides).map(|(size, stride)| (size - 1).saturating_mul(*stride));
    expect_len(operation, "input", last.fold(1, usize::saturating_add), input.len())?;
    expect_len(operation, "output", count, output.len())?;
    word(operation, "the input", input.len())?;
    let mut params = Params { elements: word(operation, "the output", count)?, sizes: [1; RANK], strides: [0; RANK] };
    for (axis, (size, stride)) in sizes.iter().zip(strides).enumerate() {
        params.sizes[axis] = word(operation, "an axis", *size)?;
        // An axis of a single element never uses its stride, however large.
        params.strides[axis] = if *size == 1 { 0 } else { word(operation, "a stride", *stride)? };
    }
    let grid = Grid::covering(count, recorder.device().capabilities().profile.lanes);
    recorder.dispatch(&KERNEL, grid, &params, &[input.into(), output.into()])
}

fn on_host(params: &Params, [input, output]: [Words<'_>; 2]) {
    let input = input.read::<u32>();
    let axes = params.sizes.iter().zip(&params.strides).map(|(size, stride)| (*size as usize, *stride as usize));
    let mut axes: Vec<_> = axes.filter(|(size, _)| *size > 1).collect();
    let (last, step) = axes.pop().unwrap_or((1, 0));
    each_chunk(&mut output.write::<u32>()[..params.elements as usize], last, 2 * last, |index, output| {
        let place = |(rest, place), (size, stride): &(usize, usize)| (rest / size, place + rest % size * stride);
        let (_, first) = axes.iter().rev().fold((index, 0), place);
        match step {
            0 => output.fill(input[first]),
            1 => output.copy_from_slice(&input[first..][..last]),
            _ => output.iter_mut().zip(input[first..].iter().step_by(step)).for_each(|(to, from)| *to = *from),
        }
    });
}
