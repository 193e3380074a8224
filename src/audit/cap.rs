//! A checkpoint whose matrices have norms of at most a cap.

use std::path::Path;

use super::measure::with_seats;
use super::task::Task;
use super::{Axes, Event, Form, Options, Outcome, Target, measure_all};
use crate::bound::Bounds;
use crate::io::{Checkpoint, Entry, SafetensorsWriter, encode};
use crate::layer::pytorch::{Role, stored_weights};
use crate::layer::quantised::{QuantisedRole, quantised_weights};
use crate::tensor::ElementSource;
use crate::{Device, Error, Result};

/// The most factors that are tried for a matrix; each is smaller by more than the one before.
const TRIES: i32 = 24;

/// The bytes that are copied between two steps.
const PIECE: usize = 1 << 24;

/// A step of [`normalise`]. An error as the answer ends the run, and no file is written.
#[non_exhaustive]
pub enum CapStep<'a> {
    /// The measurement of the matrices, before anything is written.
    Measuring(Event<'a>),
    /// The measurement of a clipped matrix.
    Checking(Event<'a>),
    /// A part of a tensor was copied.
    Copied(&'a Entry),
    /// A matrix was multiplied by a factor.
    Clipped(Clipped),
    /// The end of a tensor of the file that is written.
    Finished(&'a Entry),
}

/// A matrix that was multiplied by a factor.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Clipped {
    /// The name of the tensor.
    pub name: String,
    /// The norm in the input: an estimate.
    pub sigma: Option<f64>,
    /// The bounds in the input.
    pub before: Bounds,
    /// The factor.
    pub factor: f64,
    /// The bounds of the matrix that is written, with the rounding to its type.
    pub after: Bounds,
}

/// Writes a checkpoint as a safetensors file in which the upper bound of each wanted matrix is at most `cap`.
///
/// A matrix, or a kernel as the matrix of its first axis and the others, whose upper bound is above the cap is
/// multiplied by a factor, and each element rounded once to its type. The bound is then taken of the rounded matrix,
/// and the factor made smaller until the bound is at most the cap. Every other tensor keeps its bytes, and the file its
/// order and metadata. The file appears whole or not at all.
///
/// `options` says the kind of the bound: [`Bound::Probabilistic`](super::Bound::Probabilistic) or
/// [`Bound::Certified`](super::Bound::Certified).
///
/// # Errors
/// [`Error::File`] for a checkpoint that is no safetensors, a wanted weight in parts, a matrix without an upper bound,
/// and a file that cannot be written; any error of `observe` or of the device.
pub fn normalise(
    device: &Device,
    checkpoint: &Checkpoint,
    path: impl AsRef<Path>,
    cap: f64,
    (options, is_wanted): (&Options, &dyn Fn(&str) -> bool),
    observe: &mut dyn FnMut(CapStep<'_>) -> Result<()>,
) -> Result<()> {
    let wanted = wanted(checkpoint, is_wanted)?;
    let mut found = vec![(None, Bounds { upper: 0.0, ..Bounds::NONE }); wanted.len()];
    measure_all(device, &wanted, options, &mut |index, event| {
        if let Event::Row(row) = &event {
            if !row.bounds.upper.is_finite() {
                let reason = row.note.clone().unwrap_or_else(|| row.outcome.to_string());
                return Err(failed(wanted[index].entry, &format!("has no upper bound: {reason}")));
            }
            found[index] = (row.sigma, row.bounds);
        }
        observe(CapStep::Measuring(event))
    })?;
    let headers: Vec<_> = checkpoint.entries().iter().map(Into::into).collect();
    let mut writer = SafetensorsWriter::create(path, &headers, &checkpoint.metadata()?)?;
    let mut above = wanted.iter().zip(found).filter(|(_, (_, bounds))| bounds.upper > cap).peekable();
    for entry in checkpoint.entries() {
        if let Some((target, (sigma, before))) = above.next_if(|(target, _)| std::ptr::eq(target.entry, entry)) {
            let (bytes, factor, after) = clipped(device, target, options, (before.upper, cap), observe)?;
            writer.write(&bytes)?;
            observe(CapStep::Clipped(Clipped { name: entry.name.clone(), sigma, before, factor, after }))?;
        } else {
            for piece in checkpoint.bytes(entry)?.chunks(PIECE) {
                writer.write(piece)?;
                observe(CapStep::Copied(entry))?;
            }
        }
        observe(CapStep::Finished(entry))?;
    }
    writer.finish()
}

/// The matrices to measure.
fn wanted<'a>(checkpoint: &'a Checkpoint, is_wanted: &dyn Fn(&str) -> bool) -> Result<Vec<Target<'a>>> {
    let (stored, quantised) = (stored_weights(checkpoint), quantised_weights(checkpoint));
    let mut targets = Vec::new();
    for ((entry, role), quantised) in checkpoint.entries().iter().zip(stored.roles()).zip(quantised.roles()) {
        match role {
            // Scales are no matrices of a layer.
            _ if matches!(quantised, QuantisedRole::Scale) => {}
            Role::Weight(weight) if is_wanted(weight.name()) => {
                let problem = format!("is stored in parts ({}): fold the checkpoint first", weight.format());
                return Err(failed(weight.entry(), &problem));
            }
            Role::Weight(_) | Role::Part => {}
            _ => {
                let is_matrix =
                    matches!(Form::of(&entry.shape, Axes::Kernel), Form::Matrix { .. } | Form::Reshaped { .. });
                if is_matrix && entry.element.is_float() && is_wanted(&entry.name) {
                    targets.push(Target::new(checkpoint, entry, Axes::Kernel));
                }
            }
        }
    }
    Ok(targets)
}

/// The bytes of a matrix with an upper bound of at most the cap, its factor and its bounds.
fn clipped(
    device: &Device,
    target: &Target<'_>,
    options: &Options,
    (before, cap): (f64, f64),
    observe: &mut dyn FnMut(CapStep<'_>) -> Result<()>,
) -> Result<(Vec<u8>, f64, Bounds)> {
    let (mut factor, mut upper) = (1.0, before);
    let options = Options { axes: Axes::Kernel, ..options.clone() };
    for attempt in 0..TRIES {
        // The part taken off grows past the roundings of the shortest type, because a smaller change may round to the
        // same matrix.
        factor *= (cap / upper).min(1.0) * (1.0 - 2f64.powi((2 * attempt - 40).min(-6)));
        let bytes = scaled(target, factor)?;
        let mut found = None;
        let task = Task { device, target: Target { bytes: Some(&bytes), ..*target }, options: &options };
        with_seats(&task, None, &mut |event| {
            if let Event::Row(row) = &event {
                found = Some((row.bounds, row.outcome));
            }
            observe(CapStep::Checking(event))
        })?;
        match found {
            Some((found, Outcome::Solved(_))) if found.upper <= cap => return Ok((bytes, factor, found)),
            Some((found, _)) if found.upper.is_finite() => upper = found.upper,
            _ => break,
        }
    }
    Err(failed(target.entry, &format!("has no factor that brings its bound to {cap} once rounded")))
}

/// The elements of a tensor times a factor, as bytes of its type.
fn scaled(target: &Target<'_>, factor: f64) -> Result<Vec<u8>> {
    let Target { checkpoint, entry, .. } = target;
    let (view, elements) = (checkpoint.read(entry)?, entry.elements());
    let mut bytes = Vec::with_capacity(elements * entry.element.size());
    let mut piece = vec![0.0; elements.min(1 << 14)];
    for first in (0..elements).step_by(1 << 14) {
        let piece = &mut piece[..(elements - first).min(1 << 14)];
        ElementSource::copy_f64(&view, first, piece)?;
        piece.iter_mut().for_each(|value| *value *= factor);
        encode(&entry.element, piece, &mut bytes);
    }
    Ok(bytes)
}

fn failed(entry: &Entry, problem: &str) -> Error {
    let (path, tensor) = (entry.file.clone(), Some(entry.name.clone()));
    Error::File { path, tensor, problem: problem.to_owned(), source: None }
}
