//! A checkpoint whose weights in parts are plain weights.

use std::path::Path;

use super::estimate::Estimate;
use super::names::StateFormat;
use super::stored::{Role, StoredWeight, stored_weights};
use crate::io::{Checkpoint, Entry, SafetensorsWriter, TensorHeader, TensorView};
use crate::iterate::{Control, Progress, Status};
use crate::norm::{Lanczos, Stop};
use crate::operator::AtHand;
use crate::{Device, Matrix, Result};

/// The relative error of a norm that a weight is divided by.
const RTOL: f64 = 1e-8;

/// The bytes that are copied between two steps.
const PIECE: usize = 1 << 24;

/// A step of [`fold`]. An error as the answer ends the fold, and no file is written.
#[non_exhaustive]
pub enum FoldStep<'a> {
    /// The start of a tensor of the file that is written.
    Started(&'a Entry),
    /// Progress of the search for the norm of a weight.
    Solving(&'a Entry, &'a Progress),
    /// A part of a tensor was copied.
    Copied(&'a Entry),
    /// A plain weight took the place of its parts.
    Folded(Folded),
    /// A tensor that is named like a part, with the reason why it is copied.
    Left(&'a Entry, &'a str),
    /// The end of a tensor.
    Finished(&'a Entry),
}

/// A weight that was folded.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Folded {
    /// The name of the plain weight.
    pub name: String,
    /// The format of its parts.
    pub format: StateFormat,
    /// The number that u and v give; `None` for weight normalisation.
    pub estimate: Option<Estimate>,
    /// The spectral norm of the stored weight; `None` for weight normalisation.
    pub norm: Option<f64>,
    /// The status of that norm, or of the norm of the plain weight where that one did not converge.
    pub status: Status,
    /// The spectral norm of the plain weight as written, rounded to its type.
    pub written: Option<f64>,
}

/// Writes a checkpoint as a safetensors file with plain weights in place of the weights in parts.
///
/// A plain weight is that of `remove_spectral_norm` and its relatives: W / (uᵀ W v) with the stored u and v, or
/// g v / ‖v‖. With `exact`, W is divided by its spectral norm instead. Each element is rounded once to the type of the
/// weight. Every other tensor keeps its bytes, and the file its order and metadata. The file appears whole or not at
/// all.
///
/// # Errors
/// [`Error::File`](crate::Error::File) for a checkpoint that is no safetensors, a weight that cannot be divided, and a
/// file that cannot be written; any error of `observe` or of the device.
pub fn fold(
    device: &Device,
    checkpoint: &Checkpoint,
    path: impl AsRef<Path>,
    exact: bool,
    observe: &mut dyn FnMut(FoldStep<'_>) -> Result<()>,
) -> Result<()> {
    let stored = stored_weights(checkpoint);
    let tensors: Vec<(&Entry, Role<'_>)> = checkpoint
        .entries()
        .iter()
        .zip(stored.roles())
        .filter(|(_, role)| !matches!(role, Role::Part))
        .map(|(entry, role)| (if let Role::Weight(weight) = role { weight.entry() } else { entry }, role))
        .collect();
    let headers: Vec<TensorHeader> = tensors.iter().map(|(entry, _)| (*entry).into()).collect();
    let mut writer = SafetensorsWriter::create(path, &headers, &checkpoint.metadata()?)?;
    for (entry, role) in tensors {
        observe(FoldStep::Started(entry))?;
        match role {
            Role::Weight(weight) => {
                let (bytes, folded) = plain(device, checkpoint, weight, exact, observe)?;
                writer.write(&bytes)?;
                observe(FoldStep::Folded(folded))?;
            }
            _ => {
                if let Role::Broken(problem) = role {
                    observe(FoldStep::Left(entry, problem))?;
                }
                for piece in checkpoint.bytes(entry)?.chunks(PIECE) {
                    writer.write(piece)?;
                    observe(FoldStep::Copied(entry))?;
                }
            }
        }
        observe(FoldStep::Finished(entry))?;
    }
    writer.finish()
}

/// The bytes of a plain weight, and the facts about it.
fn plain(
    device: &Device,
    checkpoint: &Checkpoint,
    weight: &StoredWeight,
    exact: bool,
    observe: &mut dyn FnMut(FoldStep<'_>) -> Result<()>,
) -> Result<(Vec<u8>, Folded)> {
    let (name, format) = (weight.name().to_owned(), weight.format());
    let folded = |estimate, norm, status, written| Folded { name, format, estimate, norm, status, written };
    let Some(estimate) = weight.estimate(checkpoint)? else {
        return Ok((weight.divided(checkpoint, None)?, folded(None, None, Status::Converged, None)));
    };
    if !estimate.is_finite {
        return Err(weight.error("holds NaN or infinity, which no number divides"));
    }
    if let (Some(problem), false) = (estimate.problem(), exact) {
        return Err(weight.error(&format!("{problem}; --exact divides by the norm of the stored weight instead")));
    }
    let mut solve = |view: &TensorView<'_>| {
        let (rows, cols) = weight.sides();
        let matrix = Matrix::upload(device, (1, rows, cols), view)?;
        let operator = AtHand { matrix: &matrix, source: view };
        let lanczos = Lanczos { stop: Stop::Value { rtol: RTOL }, ..Lanczos::default() };
        let control = Control::new().on_progress(|progress| observe(FoldStep::Solving(weight.entry(), progress)));
        let norms = device.block_on(lanczos.norm_async(&operator, control))?;
        norms.single().map(|norm| (norm.sigma, norm.status))
    };
    let (norm, status) = solve(&weight.stored_matrix(checkpoint, &estimate)?)?;
    let bytes = match exact {
        true => weight.divided_by(checkpoint, norm)?,
        false => weight.divided(checkpoint, Some(&estimate))?,
    };
    let (written, other) = solve(&weight.matrix_of(bytes.clone(), &estimate)?)?;
    let status = if status == Status::Converged { other } else { status };
    Ok((bytes, folded(Some(estimate), Some(norm), status, Some(written))))
}
