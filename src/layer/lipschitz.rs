//! Bounds on the Lipschitz constants of layers.

use super::{Parameters, Parametrisation, Scope};
use crate::bound::{Arithmetic, Bounds, Guarantee, up};
use crate::certify::Certifier;
use crate::tape::Tape;
use crate::tensor::{Conv2dOptions, Matrix, volume};
use crate::{Error, Result};

/// Bounds that are one number, which needs no proof.
pub(super) fn exactly(constant: f64) -> Bounds {
    Bounds { lower: constant, upper: constant, guarantee: Guarantee::Certified { arithmetic: Arithmetic::Host } }
}

/// The weight that an evaluation uses, as numbers with their shape.
pub(super) fn effective(
    name: &str,
    parametrisation: &dyn Parametrisation,
    parameters: &Parameters,
) -> Result<(Vec<usize>, Vec<f32>)> {
    let tape = Tape::new(parameters.device());
    let scope = Scope::evaluation(&tape, parameters)?;
    let weight = scope.weight(name, parametrisation)?;
    let found = tape.compile(&scope.inputs(&[]), &[&weight])?.run(&parameters.tensors(&[]))?;
    Ok((weight.shape().to_vec(), found[0].read(parameters.device())?))
}

/// Proven bounds on the spectral norm of a weight as a matrix, with its first axis as rows.
pub(super) fn weight_bounds(
    name: &str,
    parametrisation: &dyn Parametrisation,
    parameters: &Parameters,
) -> Result<Bounds> {
    let (shape, entries) = effective(name, parametrisation, parameters)?;
    let rows = shape.first().copied().unwrap_or(1);
    matrix_bounds(parameters, rows, volume(shape.get(1..).unwrap_or_default()), &entries)
}

/// Proven bounds on the spectral norm of a matrix.
pub(super) fn matrix_bounds(parameters: &Parameters, rows: usize, cols: usize, entries: &[f32]) -> Result<Bounds> {
    if entries.is_empty() {
        return Ok(exactly(0.0));
    }
    let matrix = Matrix::from_slice(parameters.device(), rows, cols, entries)?;
    let certificates = Certifier::default().certify(&matrix)?;
    certificates.first().map(|certificate| certificate.bounds).ok_or_else(|| Error::ShapeMismatch {
        operation: "bound a layer",
        expected: "a matrix".to_string(),
        found: format!("{rows} x {cols}"),
    })
}

/// Proven bounds on the norm of a convolution of images of any size, from its weight.
///
/// A sum over the elements of the window: each is a choice of pixels, of norm at most 1, after a matrix. And ‖y‖² is
/// the sum over windows of |W window|², where a pixel is in at most ⌈kernel / stride⌉ windows along an axis, or in as
/// many as the kernel has elements there. Groups act on different channels, so that the largest of them counts.
pub(super) fn convolution_bounds(
    name: &str,
    parametrisation: &dyn Parametrisation,
    parameters: &Parameters,
    sliding: &Conv2dOptions,
) -> Result<Bounds> {
    let (shape, entries) = effective(name, parametrisation, parameters)?;
    let [filters, channels, taps_down, taps_across] = shape[..] else {
        return Err(Error::ShapeMismatch {
            operation: "bound a convolution",
            expected: "a weight of four axes".to_string(),
            found: format!("{shape:?}"),
        });
    };
    let (taps, groups) = (taps_down * taps_across, sliding.groups.max(1));
    let rows = filters / groups;
    let seen: usize = [taps_down, taps_across]
        .iter()
        .enumerate()
        .map(
            |(axis, taps)| {
                if sliding.dilation[axis] == 1 { taps.div_ceil(sliding.stride[axis].max(1)) } else { *taps }
            },
        )
        .product();
    let mut upper = 0f64;
    let mut guarantee = exactly(0.0).guarantee;
    for group in entries.chunks((rows * channels * taps).max(1)) {
        let mut summed = 0f64;
        for tap in 0..taps {
            let own: Vec<f32> = group.iter().skip(tap).step_by(taps).copied().collect();
            let bounds = matrix_bounds(parameters, rows, channels, &own)?;
            summed = up(summed + bounds.upper);
            guarantee = guarantee.and(bounds.guarantee);
        }
        let whole = matrix_bounds(parameters, rows, channels * taps, group)?;
        guarantee = guarantee.and(whole.guarantee);
        upper = upper.max(summed.min(up(whole.upper * up((seen as f64).sqrt()))));
    }
    Ok(Bounds { lower: 0.0, upper, guarantee })
}
