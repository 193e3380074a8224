//! factor = 2^-e for each vector, the range of a solver.

use super::arguments::Segmented;
use super::check::{expect_len, expect_trips, word};
use super::declare::{kernel, params};
use super::normaliser::NormaliserState;
use crate::Result;
use crate::gpu::{Buffer, Grid, Kernel, Recorder};
use crate::tensor::volume;

params! {
    pub(super) struct Params {
        vectors: u32,
        segments: u32,
    }
}

pub(super) static KERNEL: Kernel = kernel!("krylov" / "range", ["group"], [Read, Write, Write, Write], Params);

/// Records the power of two that brings each vector's largest magnitude into [1, 2), from the output of
/// [`super::max_abs`]. A vector that is zero or not finite leaves the mask, and its state says so.
///
/// *Shapes*  `screens`: segments × vectors · `factors`, `active`, `states`: vectors
///
/// *Accuracy*  exact.
///
/// # Errors
/// [`crate::Error::ShapeMismatch`] when a buffer is too short, [`crate::Error::TooLarge`] past the loop budget.
pub fn range(
    recorder: &mut Recorder,
    vectors: usize,
    Segmented { buffer: screens, count: segments }: Segmented<'_, [u32; 2]>,
    factors: &Buffer<f32>,
    active: &Buffer<u32>,
    states: &Buffer<NormaliserState>,
) -> Result<()> {
    let operation = "range";
    expect_trips(recorder, operation, segments, "add the segments up in several steps")?;
    expect_len(operation, "screens", volume(&[segments, vectors]), screens.len())?;
    expect_len(operation, "factors", vectors, factors.len())?;
    expect_len(operation, "active", vectors, active.len())?;
    expect_len(operation, "states", vectors, states.len())?;
    let params = Params {
        vectors: word(operation, "the vectors", vectors)?,
        segments: word(operation, "the segments", segments)?,
    };
    let grid = Grid::covering(vectors, recorder.gpu().capabilities().profile.lanes);
    recorder.dispatch(&KERNEL, grid, &params, &[screens.into(), factors.into(), active.into(), states.into()])
}
