//! factor = 2^-e for each vector, the range of a solver.

use super::arguments::Segmented;
use super::check::{expect_len, expect_trips, word};
use super::declare::{kernel, params};
use super::normaliser::{NormaliserState, StopKind};
use crate::Result;
use crate::device::{Buffer, Grid, Kernel, Recorder, Words};
use crate::tensor::volume;

params! {
    pub(super) struct Params {
        vectors: u32,
        segments: u32,
    }
}

pub(super) static KERNEL: Kernel = kernel!(
    "krylov" / "range",
    ["group", "finite", "state", "range_factor"],
    [Read, Write, Write, Write],
    Params,
    on_host
);

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
    let grid = Grid::covering(vectors, recorder.device().capabilities().profile.lanes);
    recorder.dispatch(&KERNEL, grid, &params, &[screens.into(), factors.into(), active.into(), states.into()])
}

fn on_host(params: &Params, [screens, factors, mask, states]: [Words<'_>; 4]) {
    let (screens, count) = (screens.read::<[u32; 2]>(), params.vectors as usize);
    let (factors, mask) = (factors.write::<f32>(), mask.write::<u32>());
    let states = states.write::<NormaliserState>();
    for vector in (0..count).filter(|vector| mask[*vector] != 0).collect::<Vec<_>>() {
        let segments = screens[vector..].iter().step_by(count).take(params.segments as usize);
        let all = |[largest, bad]: [u32; 2], [more, other]: &[u32; 2]| [largest.max(*more), bad.min(*other)];
        let [largest, bad] = segments.fold([0, u32::MAX], all);
        factors[vector] = range_factor(largest);
        if bad != u32::MAX {
            (states[vector].kind, mask[vector]) = (StopKind::NonFinite as u32, 0);
        } else if largest == 0 {
            (states[vector].kind, mask[vector]) = (StopKind::Zero as u32, 0);
        }
    }
}

/// 2^-e for the largest magnitude, given by its bits, with e its exponent; 1 for zero.
pub(super) fn range_factor(largest: u32) -> f32 {
    // Biased exponents from 1 to 253 give a normal power of two; a subnormal magnitude counts as 2^-126.
    let exponent = (largest >> 23).clamp(1, 253);
    if largest == 0 { 1.0 } else { f32::from_bits((254 - exponent) << 23) }
}
