//! alpha and beta of a step: beta = root of a sum of squares, inverse = 1 / beta, and shift = beta / alpha.

use super::arguments::Segmented;
use super::check::{expect_len, expect_trips, word};
use super::declare::{kernel, params};
use super::normaliser::{NormaliserState, norm_of};
use crate::Result;
use crate::device::{Buffer, Grid, Kernel, Recorder, Words};
use crate::tensor::volume;

params! {
    pub(super) struct Params {
        vectors: u32,
        segments: u32,
        first_alpha: u32,
        step: u32,
        breakdown: f32,
    }
}

pub(super) static KERNEL: Kernel = kernel!(
    "krylov" / "step_norms",
    ["group", "finite", "state"],
    [Read, Write, Write, Write, Write, Write],
    Params,
    on_host
);

/// The memory of [`step_norms`].
#[derive(Clone, Copy, Debug)]
pub struct StepNorms<'a> {
    /// The vectors.
    pub vectors: usize,
    /// The memory for 1 / beta, an entry for each vector.
    pub inverses: &'a Buffer<f32>,
    /// The memory for beta / alpha, an entry for each vector.
    pub shifts: &'a Buffer<f32>,
    /// The mask, an entry for each vector.
    pub active: &'a Buffer<u32>,
    /// The states, a state for each vector.
    pub states: &'a Buffer<NormaliserState>,
}

/// Records beta = root of the sum of squares, inverse = 1 / beta, and shift = beta / alpha, for each vector of the
/// mask.
///
/// A norm, alpha or beta, that is not finite, or at most `breakdown` times the largest so far, takes its vector out of
/// the mask, with inverse and shift 0. Where alpha does, beta is 0.
///
/// *Shapes*  `squares`: segments × vectors · `norms`: from `first_alpha` on, vectors alphas that are read and vectors
/// betas that are written
///
/// *Accuracy*  relative error <= gamma((segments - 1) / 2 + 4.5) for beta, and gamma((segments - 1) / 2 + 7) for the
/// quotients, by WGSL's promise for roots and quotients.
///
/// # Errors
/// [`crate::Error::ShapeMismatch`] when a buffer is too short, [`crate::Error::TooLarge`] past the loop budget.
pub fn step_norms(
    recorder: &mut Recorder,
    memory: &StepNorms<'_>,
    Segmented { buffer: squares, count: segments }: Segmented<'_, f32>,
    (norms, first_alpha): (&Buffer<f32>, usize),
    (step, breakdown): (usize, f32),
) -> Result<()> {
    let operation = "step_norms";
    expect_trips(recorder, operation, segments, "add the segments up in several steps")?;
    let vectors = memory.vectors;
    expect_len(operation, "squares", volume(&[segments, vectors]), squares.len())?;
    expect_len(operation, "norms", first_alpha + 2 * vectors, norms.len())?;
    expect_len(operation, "inverses", vectors, memory.inverses.len())?;
    expect_len(operation, "shifts", vectors, memory.shifts.len())?;
    expect_len(operation, "active", vectors, memory.active.len())?;
    expect_len(operation, "states", vectors, memory.states.len())?;
    let params = Params {
        vectors: word(operation, "the vectors", vectors)?,
        segments: word(operation, "the segments", segments)?,
        first_alpha: word(operation, "the norms", first_alpha)?,
        step: word(operation, "the steps", step)?,
        breakdown,
    };
    let bindings = [
        squares.into(),
        norms.into(),
        memory.inverses.into(),
        memory.shifts.into(),
        memory.active.into(),
        memory.states.into(),
    ];
    let grid = Grid::covering(vectors, recorder.device().capabilities().profile.lanes);
    recorder.dispatch(&KERNEL, grid, &params, &bindings)
}

fn on_host(params: &Params, [squares, norms, inverses, shifts, mask, states]: [Words<'_>; 6]) {
    let (squares, count) = (squares.read::<f32>(), params.vectors as usize);
    let (alphas, betas) = norms.write::<f32>()[params.first_alpha as usize..].split_at_mut(count);
    let (inverses, shifts) = (inverses.write::<f32>(), shifts.write::<f32>());
    let (mask, states) = (mask.write::<u32>(), states.write::<NormaliserState>());
    for vector in (0..count).filter(|vector| mask[*vector] != 0).collect::<Vec<_>>() {
        let (alpha, state) = (alphas[vector], &mut states[vector]);
        let mut beta = 0.0;
        let mut running = state.goes_on(alpha, 2 * params.step, params.breakdown);
        if running {
            beta = norm_of(squares, (vector, count), params.segments);
            running = state.goes_on(beta, 2 * params.step + 1, params.breakdown);
        }
        betas[vector] = beta;
        (inverses[vector], shifts[vector]) = if running { (1.0 / beta, beta / alpha) } else { (0.0, 0.0) };
        mask[vector] *= u32::from(running);
    }
}
