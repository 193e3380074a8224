//! The results of one tensor, or of one batch item.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::{Form, Options, Order, Stored};
use crate::bound::Bounds;
use crate::io::{Element, Entry};
use crate::norm::Status;
use crate::tensor::Position;

/// The results of one tensor, or of one batch item. `None` is a value that is unknown or was not asked for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Row {
    /// The file of the tensor.
    pub file: PathBuf,
    /// The name of the tensor; for a batch item, with its index: `name[2,1]`.
    pub name: String,
    /// The stored shape of the tensor; for a batch item, the shape of the matrix.
    pub shape: Vec<usize>,
    /// The type of the elements in the file.
    pub element: Element,
    /// Whether the file describes the tensor: shape and type are empty where only the name is known.
    pub is_described: bool,
    /// The matrix of the norms.
    pub form: Form,
    /// The number of entries of a sparse matrix.
    pub entries: Option<usize>,
    /// Whether elements of a type that `f32` does not hold were rounded to `f32`. The numbers are then of the rounded
    /// matrix, except the bounds. The bounds are of the matrix given, widened by the Frobenius norm of the change.
    pub rounded: bool,
    /// The kind of norm in `sigma`.
    pub order: Order,
    /// The norm: an estimate.
    pub sigma: Option<f64>,
    /// The bounds on the norm; [`Bounds::NONE`] for norms other than the spectral norm.
    pub bounds: Bounds,
    /// The residual of the singular pair.
    pub residual: Option<f64>,
    /// The next singular value.
    pub second: Option<f64>,
    /// The distance from the norm to the next singular value.
    pub gap: Option<f64>,
    /// The multiplicity of the largest singular value, where the solver counted it.
    pub multiplicity: Option<usize>,
    /// The Frobenius norm.
    pub frobenius: Option<f64>,
    /// `(frobenius / sigma)^2`, at most the rank.
    pub stable_rank: Option<f64>,
    /// `√(one · infinity)`; the spectral norm is not above it.
    pub schur: Option<f64>,
    /// Bounds on the spectral norm from the Frobenius, 1- and inf-norm, rounding included.
    pub cheap: Option<Bounds>,
    /// The 1-norm.
    pub one: Option<f64>,
    /// The inf-norm.
    pub infinity: Option<f64>,
    /// The largest singular values, where [`Options::top`] asked for them.
    pub top: Option<Vec<SingularValue>>,
    /// The stored parts of the weight, where it is stored in parts.
    pub stored: Option<Stored>,
    /// Iterations of the solver.
    pub iterations: Option<usize>,
    /// The end of the measurement.
    pub outcome: Outcome,
    /// A remark: the reason for a skipped tensor, or the place of an element that is not finite.
    pub note: Option<String>,
    /// Seconds of reading, upload and solve; matrices that were solved together share their time evenly.
    pub seconds: f64,
}

/// One singular value of several.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SingularValue {
    /// The value: an estimate.
    pub sigma: f64,
    /// The residual of its singular pair.
    pub residual: f64,
}

/// The end of the measurement of a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The norm was computed, with the solver's final status.
    Solved(Status),
    /// The type of the elements has no norm, as with integers.
    Skipped,
    /// The tensor is missing, is damaged, could not be read, or does not fit the device.
    Unreadable,
}

impl Outcome {
    /// The status's own word, or `skipped` or `unreadable`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Solved(status) => status.as_str(),
            Self::Skipped => "skipped",
            Self::Unreadable => "unreadable",
        }
    }
}

/// As [`Outcome::as_str`].
impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl Row {
    /// A row with the facts of the file's header, without norms.
    pub(super) fn new(entry: &Entry, options: &Options, outcome: Outcome) -> Self {
        Self {
            file: entry.file.clone(),
            name: entry.name.clone(),
            shape: entry.shape.clone(),
            element: entry.element.clone(),
            is_described: entry.is_described(),
            form: Form::of(&entry.shape, options.axes),
            entries: None,
            rounded: false,
            order: options.norms.order(),
            sigma: None,
            bounds: Bounds::NONE,
            residual: None,
            second: None,
            gap: None,
            multiplicity: None,
            frobenius: None,
            stable_rank: None,
            schur: None,
            cheap: None,
            one: None,
            infinity: None,
            top: None,
            stored: None,
            iterations: None,
            outcome,
            note: None,
            seconds: 0.0,
        }
    }

    pub(super) fn took(mut self, time: Duration) -> Self {
        self.seconds = time.as_secs_f64();
        self
    }

    /// Removes every norm, and notes the position of the first element that is NaN or infinite.
    pub(super) fn set_non_finite(&mut self, position: Option<Position>) {
        self.outcome = Outcome::Solved(Status::NonFinite);
        if let Some(Position { row, col }) = position {
            self.note(format!("NaN or infinity at row {row}, column {col}"));
        }
        for value in [
            &mut self.sigma,
            &mut self.residual,
            &mut self.second,
            &mut self.gap,
            &mut self.frobenius,
            &mut self.one,
            &mut self.infinity,
            &mut self.schur,
        ] {
            *value = None;
        }
        self.multiplicity = None;
        self.bounds = Bounds::NONE;
        self.cheap = None;
        self.top = None;
    }

    /// Sets the stable rank from the known norms.
    pub(super) fn set_stable_rank(&mut self) {
        self.stable_rank = match (self.frobenius, self.sigma) {
            (Some(frobenius), Some(sigma)) if self.order == Order::Spectral && sigma > 0.0 => {
                // The ratio comes first because the squares alone can leave the range of f64.
                Some((frobenius / sigma).powi(2))
            }
            _ => None,
        };
    }

    /// Adds words to the note.
    pub(super) fn note(&mut self, words: impl Into<String>) {
        let words = words.into();
        self.note = Some(match self.note.take() {
            Some(before) => format!("{before}; {words}"),
            None => words,
        });
    }
}
