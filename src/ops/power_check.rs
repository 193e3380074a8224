//! The stopping test of a power iteration.

use bytemuck::{Pod, Zeroable};

use super::arguments::Segmented;
use super::check::{expect_len, expect_trips, word};
use super::declare::{kernel, params};
use crate::Result;
use crate::device::{Buffer, Grid, Kernel, Recorder, Words};
use crate::tensor::volume;

/// The state of a power iteration, for one vector.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
pub struct PowerReport {
    /// The estimate.
    pub sigma: f32,
    /// The residual: |Aᵀu - sigma v| in the two-sided form, |AᵀAv - sigma² v| / |Av| in the Gram form.
    pub residual: f32,
    /// 1 once the test passed.
    pub converged: u32,
    /// The iteration of the last test, from 1.
    pub iteration: u32,
}

params! {
    pub(super) struct Params {
        vectors: u32,
        segments: u32,
        iteration: u32,
        form: u32,
        rtol: f32,
        atol: f32,
    }
}

pub(super) static KERNEL: Kernel =
    kernel!("krylov" / "power_check", ["group"], [Read, Read, Write, Write], Params, on_host);

/// The step and the tolerances of [`power_check`].
#[derive(Clone, Copy, Debug)]
pub struct PowerCheck {
    /// The iteration, from 1.
    pub iteration: usize,
    /// The form: sigma² = |AᵀAv| where true, sigma = |Av| where false.
    pub gram: bool,
    /// Tolerance relative to sigma.
    pub rtol: f32,
    /// Tolerance in units of the scaled operator.
    pub atol: f32,
}

/// Records the stopping test of a power iteration: residual <= rtol · sigma + atol takes a vector out of the mask.
///
/// *Shapes*  `squares`: segments × vectors, of the residual · `norms`: 2 × vectors, |Av| then |Aᵀu| · `active`,
/// `reports`: vectors
///
/// *Accuracy*  relative error <= gamma((segments - 1) / 2 + 4.5) for the residual; sigma is exact in the two-sided
/// form, and within gamma(10) in the Gram form.
///
/// # Errors
/// [`crate::Error::ShapeMismatch`] when a buffer is too short, [`crate::Error::TooLarge`] past the loop budget.
pub fn power_check(
    recorder: &mut Recorder,
    vectors: usize,
    check: &PowerCheck,
    Segmented { buffer: squares, count: segments }: Segmented<'_, f32>,
    norms: &Buffer<f32>,
    active: &Buffer<u32>,
    reports: &Buffer<PowerReport>,
) -> Result<()> {
    let operation = "power_check";
    expect_trips(recorder, operation, segments, "add the segments up in several steps")?;
    expect_len(operation, "squares", volume(&[segments, vectors]), squares.len())?;
    expect_len(operation, "norms", volume(&[2, vectors]), norms.len())?;
    expect_len(operation, "active", vectors, active.len())?;
    expect_len(operation, "reports", vectors, reports.len())?;
    let params = Params {
        vectors: word(operation, "the vectors", vectors)?,
        segments: word(operation, "the segments", segments)?,
        iteration: word(operation, "the iterations", check.iteration)?,
        form: u32::from(check.gram),
        rtol: check.rtol,
        atol: check.atol,
    };
    let grid = Grid::covering(vectors, recorder.device().capabilities().profile.lanes);
    recorder.dispatch(&KERNEL, grid, &params, &[squares.into(), norms.into(), active.into(), reports.into()])
}

fn on_host(params: &Params, [squares, norms, mask, reports]: [Words<'_>; 4]) {
    let (squares, norms, count) = (squares.read::<f32>(), norms.read::<f32>(), params.vectors as usize);
    let (mask, reports) = (mask.write::<u32>(), reports.write::<PowerReport>());
    let is_gram = params.form == 1;
    for vector in (0..count).filter(|vector| mask[*vector] != 0).collect::<Vec<_>>() {
        let segments = squares[vector..].iter().step_by(count).take(params.segments as usize);
        let residual = segments.sum::<f32>().sqrt();
        let (forward, backward) = (norms[vector], norms[count + vector]);
        let (scale, sigma, absolute) = match is_gram {
            true => (backward, forward.sqrt() * backward.sqrt(), params.atol / forward),
            false => (forward, forward, params.atol),
        };
        let report = &mut reports[vector];
        (report.sigma, report.residual, report.iteration) = (sigma, residual, params.iteration);
        if residual <= params.rtol * scale + absolute {
            (report.converged, mask[vector]) = (1, 0);
        }
    }
}
