//! Bounds on the Lipschitz constants of layers.

use super::{Parameters, Parametrisation, Scope};
use crate::bound::{Arithmetic, Bounds, Guarantee};
use crate::certify::Certifier;
use crate::tape::Tape;
use crate::tensor::{Matrix, volume};
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
