//! Substitution with a triangle of LU factors or its transpose, in place.

use std::ops::Range;

use super::arguments::Factors;
use super::check::{expect_len, expect_trips, word};
use super::declare::{kernel, params};
use crate::device::{Buffer, Device, Grid, Kernel, Recorder, Words, each_chunk};
use crate::tensor::volume;
use crate::{Error, Result, native};

params! {
    pub(super) struct Params {
        batch: u32,
        size: u32,
        vectors: u32,
        first: u32,
        end: u32,
        upper: u32,
        transposed: u32,
    }
}

pub(super) static KERNEL: Kernel = kernel!("solve" / "lu_solve", ["group", "lane_sum"], [Read, Write], Params, on_host);

/// Vectors that a thread of the host takes at once.
const TOGETHER: usize = 64;

/// A triangle of LU factors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Triangle {
    /// Whether the triangle is U; L has a diagonal of ones.
    pub upper: bool,
    /// Whether the system is that of the transpose.
    pub transposed: bool,
}

/// The number of steps that [`lu_solve`] takes at once: all on the host, else what the loops of a lane allow.
pub fn lu_solve_steps(device: &Device, size: usize) -> usize {
    let capabilities = device.capabilities();
    let budget = if device.is_host() { usize::MAX } else { capabilities.loop_budget as usize };
    size.min((budget - 1) / trips(capabilities.profile.lanes as usize, size)).max(1)
}

/// The loop trips of a step of a lane.
fn trips(lanes: usize, size: usize) -> usize {
    size.div_ceil(lanes) + lanes + 3
}

/// Records some steps of substitution T x = b, in place, with T a triangle or its transpose, after the steps before.
///
/// *Shapes*  `solutions`: batch × vectors × size
///
/// *Accuracy*  |T x - b| <= gamma(size + 4) · |T| · |x|, entrywise.
///
/// # Errors
/// [`Error::ShapeMismatch`] when a buffer is too short, [`Error::OutOfRange`] for steps past the end,
/// [`Error::TooLarge`] past the device's limits, or for more steps than its loops allow.
pub fn lu_solve(
    recorder: &mut Recorder,
    factors: Factors<'_>,
    triangle: Triangle,
    steps: Range<usize>,
    vectors: usize,
    solutions: &Buffer<f32>,
) -> Result<()> {
    let operation = "lu_solve";
    let Factors { buffer, batch, size } = factors;
    expect_len(operation, "factors", volume(&[batch, size + 2, size]), buffer.len())?;
    expect_len(operation, "solutions", volume(&[batch, vectors, size]), solutions.len())?;
    word(operation, "the factors", buffer.len())?;
    word(operation, "the solutions", solutions.len())?;
    if steps.start > steps.end || steps.end > size {
        return Err(Error::OutOfRange { operation, what: "steps", found: steps, length: size });
    }
    if !recorder.device().is_host() {
        let lanes = recorder.device().capabilities().profile.lanes as usize;
        let trips = 1 + steps.len() * trips(lanes, size);
        expect_trips(recorder, operation, trips, "take fewer steps at once")?;
    }
    let params = Params {
        batch: word(operation, "the batch", batch)?,
        size: word(operation, "the size", size)?,
        vectors: word(operation, "the vectors", vectors)?,
        first: steps.start as u32,
        end: steps.end as u32,
        upper: u32::from(triangle.upper),
        transposed: u32::from(triangle.transposed),
    };
    recorder.dispatch(&KERNEL, Grid::groups(batch * vectors), &params, &[buffer.into(), solutions.into()])
}

fn on_host(params: &Params, [factors, solutions]: [Words<'_>; 2]) {
    let (size, vectors) = (params.size as usize, params.vectors as usize);
    let (triangle, steps) = ((params.upper != 0, params.transposed != 0), (params.first as usize, params.end as usize));
    let (factors, item) = (factors.read::<f32>(), Factors::item(params.size));
    let solutions = &mut solutions.write::<f32>()[..params.batch as usize * vectors * size];
    let work = size * (steps.1 - steps.0) / 2;
    each_chunk(solutions, vectors * size, vectors * work, |index, solutions| {
        let factors = &factors[index * item..][..size * size];
        each_chunk(solutions, TOGETHER * size, TOGETHER * work, |_, solutions| {
            native::lu_solve(factors, size, triangle, steps, solutions);
        });
    });
}
