//! norm = root of a sum of squares, and inverse = factor / norm.

use bytemuck::{Pod, Zeroable};

use super::arguments::Segmented;
use super::check::{expect_len, expect_trips, word};
use super::declare::{kernel, params};
use crate::Result;
use crate::device::{Buffer, Grid, Kernel, Recorder, Words};
use crate::tensor::volume;

/// The state on the device of one vector of an iteration.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
pub struct NormaliserState {
    /// The largest norm so far.
    pub largest: f32,
    /// The reason for which the vector left the mask; see [`StopKind`].
    pub kind: u32,
    /// The step of the last norm.
    pub step: u32,
}

/// The reason for which the device took a vector out of the mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopKind {
    /// The vector is still in the mask.
    Running,
    /// The product with the start vector is zero.
    Zero,
    /// A product holds NaN or infinity.
    NonFinite,
    /// A norm is rounding noise, because the space is invariant.
    Breakdown,
}

impl NormaliserState {
    /// Takes in a norm; whether its vector goes on. A norm of at most `breakdown` times the largest one so far is
    /// rounding noise.
    pub(super) fn goes_on(&mut self, norm: f32, number: u32, breakdown: f32) -> bool {
        let largest = self.largest.max(norm);
        self.step = number;
        if !norm.is_finite() {
            self.kind = StopKind::NonFinite as u32;
        } else if norm <= breakdown * largest {
            self.kind = StopKind::Breakdown as u32;
        } else {
            self.largest = largest;
            return true;
        }
        false
    }

    /// The reason for which the vector left the mask.
    pub fn stop(&self) -> StopKind {
        match self.kind {
            1 => StopKind::Zero,
            2 => StopKind::NonFinite,
            3 => StopKind::Breakdown,
            _ => StopKind::Running,
        }
    }
}

params! {
    pub(super) struct Params {
        vectors: u32,
        segments: u32,
        first_norm: u32,
        step: u32,
        breakdown: f32,
    }
}

pub(super) static KERNEL: Kernel = kernel!(
    "krylov" / "normaliser",
    ["group", "finite", "state"],
    [Read, Read, Write, Write, Write, Write],
    Params,
    on_host
);

/// The memory of [`normaliser`].
#[derive(Clone, Copy, Debug)]
pub struct Normalise<'a> {
    /// The vectors.
    pub vectors: usize,
    /// The powers of two in the sums of squares, a power for each vector.
    pub factors: &'a Buffer<f32>,
    /// The memory for factor / norm, an entry for each vector.
    pub inverses: &'a Buffer<f32>,
    /// The mask, an entry for each vector.
    pub active: &'a Buffer<u32>,
    /// The states, a state for each vector.
    pub states: &'a Buffer<NormaliserState>,
}

/// The memory for the norms of one step, and the bound below which a norm is rounding noise.
#[derive(Clone, Copy, Debug)]
pub struct NormsOfStep<'a> {
    /// The norms.
    pub norms: &'a Buffer<f32>,
    /// The place of the first vector's norm.
    pub first_norm: usize,
    /// The step, which the states keep.
    pub step: usize,
    /// The largest norm that is rounding noise, in units of the vector's largest norm so far.
    pub breakdown: f32,
}

/// Records norm = root of the sum of squares, and inverse = factor / norm, for each vector of the mask.
///
/// A norm that is not finite, or at most `breakdown` times the largest so far, takes its vector out of the mask, with
/// inverse 0.
///
/// *Shapes*  `squares`: segments × vectors · `norms`: vectors, from `first_norm` on
///
/// *Accuracy*  relative error <= gamma((segments - 1) / 2 + 4.5) for the norm, and gamma((segments - 1) / 2 + 7) for
/// the inverse, by WGSL's promise for roots and quotients.
///
/// # Errors
/// [`crate::Error::ShapeMismatch`] when a buffer is too short, [`crate::Error::TooLarge`] past the loop budget.
pub fn normaliser(
    recorder: &mut Recorder,
    memory: &Normalise<'_>,
    Segmented { buffer: squares, count: segments }: Segmented<'_, f32>,
    norms: &NormsOfStep<'_>,
) -> Result<()> {
    let operation = "normaliser";
    expect_trips(recorder, operation, segments, "add the segments up in several steps")?;
    let vectors = memory.vectors;
    let NormsOfStep { norms, first_norm, step, breakdown } = *norms;
    expect_len(operation, "squares", volume(&[segments, vectors]), squares.len())?;
    expect_len(operation, "norms", first_norm + vectors, norms.len())?;
    expect_len(operation, "factors", vectors, memory.factors.len())?;
    expect_len(operation, "inverses", vectors, memory.inverses.len())?;
    expect_len(operation, "active", vectors, memory.active.len())?;
    expect_len(operation, "states", vectors, memory.states.len())?;
    let params = Params {
        vectors: word(operation, "the vectors", vectors)?,
        segments: word(operation, "the segments", segments)?,
        first_norm: word(operation, "the norms", first_norm)?,
        step: word(operation, "the steps", step)?,
        breakdown,
    };
    let bindings = [
        squares.into(),
        memory.factors.into(),
        norms.into(),
        memory.inverses.into(),
        memory.active.into(),
        memory.states.into(),
    ];
    let grid = Grid::covering(vectors, recorder.device().capabilities().profile.lanes);
    recorder.dispatch(&KERNEL, grid, &params, &bindings)
}

fn on_host(params: &Params, [squares, factors, norms, inverses, mask, states]: [Words<'_>; 6]) {
    let (squares, factors, count) = (squares.read::<f32>(), factors.read::<f32>(), params.vectors as usize);
    let (norms, inverses) = (norms.write::<f32>(), inverses.write::<f32>());
    let (mask, states) = (mask.write::<u32>(), states.write::<NormaliserState>());
    for vector in (0..count).filter(|vector| mask[*vector] != 0).collect::<Vec<_>>() {
        let norm = norm_of(squares, (vector, count), params.segments);
        norms[params.first_norm as usize + vector] = norm;
        match states[vector].goes_on(norm, params.step, params.breakdown) {
            true => inverses[vector] = factors[vector] / norm,
            false => (inverses[vector], mask[vector]) = (0.0, 0),
        }
    }
}

/// The root of the sum of a vector's squares, in segments of `vectors` sums each.
pub(super) fn norm_of(squares: &[f32], (vector, vectors): (usize, usize), segments: u32) -> f32 {
    squares[vector..].iter().step_by(vectors).take(segments as usize).sum::<f32>().sqrt()
}
