//! The start of a run, and its progress.

use std::fmt;

use crate::tensor::Tensor;
use crate::{Error, Result};

/// The start vectors of a run, and a callback that hears of progress and may end the run.
///
/// ```
/// use opnorm::{Error, Device, Matrix, iterate::Control, norm::Lanczos};
/// let device = Device::new()?;
/// let matrix = Matrix::from_slice(&device, 2, 2, &[3.0, 0.0, 0.0, 1.0])?;
/// let before = Lanczos::default().norm(&matrix)?;
/// // from the vectors of an earlier result, for at most 100 readings
/// let mut readings = 0;
/// let control = Control::new().starting_from(&before).on_progress(|progress| {
///     readings += 1;
///     if readings > 100 { Err(progress.cancelled()) } else { Ok(()) }
/// });
/// let norms = device.block_on(Lanczos::default().norm_async(&matrix, control))?;
/// assert!((norms.single()?.sigma - 3.0).abs() < 1e-6 && readings > 0);
/// # Ok::<(), Error>(())
/// ```
#[derive(Default)]
#[must_use = "a control does nothing until a run is given it"]
pub struct Control<'a> {
    start: Option<StartVectors<'a>>,
    listener: Option<Listener<'a>>,
}

/// A callback that hears of progress.
type Listener<'a> = Box<dyn FnMut(&Progress) -> Result<()> + 'a>;

impl<'a> Control<'a> {
    /// A run from its own start vectors, without a callback.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts from the vectors of an earlier result for an operator of the same shape.
    ///
    /// Such vectors save iterations where the operator changed little. Batch items without vectors start at random.
    pub fn starting_from(self, vectors: impl Into<StartVectors<'a>>) -> Self {
        Self { start: Some(vectors.into()), ..self }
    }

    /// Calls `listener` each time the host has read the status of the device.
    ///
    /// An error of the listener ends the run with that error; [`Progress::cancelled`] makes such an error.
    pub fn on_progress(self, listener: impl FnMut(&Progress) -> Result<()> + 'a) -> Self {
        Self { listener: Some(Box::new(listener)), ..self }
    }

    /// The start vectors of the caller, where there are any.
    pub fn start(&self) -> Option<&StartVectors<'a>> {
        self.start.as_ref()
    }

    /// Tells the listener, where there is one.
    pub(crate) fn report(&mut self, progress: impl FnOnce() -> Progress) -> Result<()> {
        self.listener.as_mut().map_or(Ok(()), |listener| listener(&progress()))
    }
}

impl fmt::Debug for Control<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Control").field("start", &self.start.is_some()).finish_non_exhaustive()
    }
}

/// The vectors of an earlier result.
#[derive(Clone, Debug)]
pub struct StartVectors<'a> {
    /// Vectors of the codomain, batch × codomain.
    pub left: &'a Tensor,
    /// Vectors of the domain, batch × domain.
    pub right: &'a Tensor,
    /// Whether each batch item has vectors to start from.
    pub usable: Vec<bool>,
}

impl StartVectors<'_> {
    /// Refuses vectors other than one vector of this length for each batch item.
    pub(crate) fn expect(&self, vectors: &Tensor, batch: usize, length: usize) -> Result<()> {
        if vectors.len() == batch * length && self.usable.len() == batch {
            return Ok(());
        }
        Err(Error::ShapeMismatch {
            operation: "warm start",
            expected: format!("a result for {batch} operators with vectors of length {length}"),
            found: format!("{:?}", vectors.shape()),
        })
    }
}

/// The progress of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Progress {
    /// The name of the work: `Lanczos`, `power iteration`, `certify`, ...
    pub operation: &'static str,
    /// The present step of the work: `iterations`, `factorisation`, ...
    pub step: &'static str,
    /// The number of iterations so far; 0 where the work has no iterations.
    pub iterations: usize,
    /// The number of finished parts of the step: batch items of an iteration.
    pub done: usize,
    /// The number of all parts of the step.
    pub total: usize,
    /// The estimate of the first batch item that is not done, or of the last; NaN where there is no estimate.
    pub sigma: f64,
    /// The relative error to expect of the estimate; infinite where nothing is known yet.
    pub error: f64,
    /// The upper bound of that batch item, where one was asked for; infinite where nothing is known.
    pub upper: f64,
}

impl Progress {
    /// The progress of a step with `done` of `total` parts finished, without an estimate and before any iteration.
    pub fn new(operation: &'static str, step: &'static str, done: usize, total: usize) -> Self {
        let (sigma, error, upper) = (f64::NAN, f64::INFINITY, f64::INFINITY);
        Self { operation, step, iterations: 0, done, total, sigma, error, upper }
    }

    /// The error that ends a run at the caller's request.
    pub fn cancelled(&self) -> Error {
        Error::Cancelled { operation: self.operation, iterations: self.iterations }
    }
}
