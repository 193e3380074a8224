//! Maps: functions on a tape whose fixed points are sought.

use crate::bound::Bounds;
use crate::device::Device;
use crate::ops::Rows;
use crate::tape::{Closed, Program, Value};
use crate::tensor::{Tensor, volume};
use crate::{Error, Result};

/// A function z -> f(z) on a tape, compiled with its other inputs bound.
///
/// The first axis is the batch, and f maps each item by itself. A single axis, or none, is one item.
///
/// ```
/// use opnorm::solve::fixed_point::{Banach, FixedPoint};
/// use opnorm::{Device, tape::Tape, tensor::Tensor};
/// let device = Device::new()?;
/// let tape = Tape::new(&device);
/// let z = tape.input(&[2])?; // one vector of two elements
/// let map = FixedPoint::of(&z, &z.scale(0.5)?.shift(1.0)?, &[])?;
/// let solution = Banach::default().solve(&map, &Tensor::zeros(&device, &[2])?)?;
/// assert_eq!(solution.items.len(), 1);
/// assert!(solution.x.read(&device)?.iter().all(|x| (x - 2.0).abs() < 1e-5));
/// # Ok::<(), opnorm::Error>(())
/// ```
#[derive(Debug)]
pub struct FixedPoint {
    pub(super) closed: Closed,
    /// z and f(z) - z.
    pub(super) input: Value,
    pub(super) gap: Value,
    pub(super) device: Device,
    pub(super) shape: Vec<usize>,
    pub(super) lipschitz: Option<Bounds>,
}

pub(super) const OPERATION: &str = "fixed point";

impl FixedPoint {
    /// Compiles `output` as a function of `input`, with the contents of the other inputs' tensors as they are now.
    ///
    /// Values that do not depend on `input` are computed here, once. Items that move with one another are refused.
    /// Where operations do not tell whether they do, the derivative at 0 tells.
    ///
    /// *Shapes*  `input`, `output`: batch × any, or one vector · `bound`: each tensor as its value
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] when input and output differ; [`Error::InvalidOption`] when an input of the function is
    /// not bound, or items move with one another; [`Error::Foreign`] for a value of another tape; errors of the device.
    pub fn of(input: &Value, output: &Value, bound: &[(&Value, &Tensor)]) -> Result<Self> {
        input.tape().device().block_on(Self::of_async(input, output, bound))
    }

    /// [`FixedPoint::of`] without blocking the thread.
    ///
    /// The future is not `Send`: [what to do](crate#without-blocking).
    ///
    /// # Errors
    /// As [`FixedPoint::of`].
    pub async fn of_async(input: &Value, output: &Value, bound: &[(&Value, &Tensor)]) -> Result<Self> {
        expect_shape(input.shape(), output.shape())?;
        let outputs = [output.clone(), output.subtract(input)?];
        input.tape().expect_separate((input, output), bound).await?;
        let closed = Closed::of(OPERATION, (&[input], &outputs), bound).await?;
        let (device, shape) = (input.tape().device().clone(), input.shape().to_vec());
        let [_, gap] = outputs;
        Ok(Self { closed, input: input.clone(), gap, device, shape, lipschitz: None })
    }

    /// Gives some of the bound inputs other values, and computes again the values that depend on them.
    ///
    /// ```
    /// use opnorm::solve::fixed_point::{Anderson, FixedPoint};
    /// use opnorm::{Device, tape::Tape, tensor::Tensor};
    /// let device = Device::new()?;
    /// let tape = Tape::new(&device);
    /// let (z, x) = (tape.input(&[1])?, tape.input(&[1])?);
    /// let number = |number: f32| Tensor::from_slice(&device, &[1], &[number]);
    /// let mut map = FixedPoint::of(&z, &z.scale(0.5)?.add(&x)?, &[(&x, &number(1.0)?)])?;
    /// map.rebind(&[(&x, &number(3.0)?)])?;
    /// let solution = Anderson::default().solve(&map, &number(0.0)?)?;
    /// assert!((solution.x.read(&device)?[0] - 6.0).abs() < 1e-4);
    /// # Ok::<(), opnorm::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidOption`] for a value that was not bound; [`Error::ShapeMismatch`] for a tensor of another shape;
    /// errors of the device.
    pub fn rebind(&mut self, changes: &[(&Value, &Tensor)]) -> Result<()> {
        self.device.clone().block_on(self.rebind_async(changes))
    }

    /// [`FixedPoint::rebind`] without blocking the thread.
    ///
    /// The future is not `Send`: [what to do](crate#without-blocking).
    ///
    /// # Errors
    /// As [`FixedPoint::rebind`].
    pub async fn rebind_async(&mut self, changes: &[(&Value, &Tensor)]) -> Result<()> {
        self.closed.rebind(changes).await
    }

    /// The program from z to f(z) and f(z) - z.
    pub(super) fn program(&self) -> &Program {
        self.closed.program()
    }

    /// The map with bounds of its Lipschitz constant in the 2-norm of an item. An upper bound below 1 gives every item
    /// an upper bound of its error.
    ///
    /// *Source*  Banach, *Sur les opérations dans les ensembles abstraits*, 1922: |x - x*| <= |f(x) - x| / (1 - L).
    #[must_use]
    pub fn with_lipschitz(self, lipschitz: Bounds) -> Self {
        Self { lipschitz: Some(lipschitz), ..self }
    }

    /// The shape of x.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The items, each a vector.
    pub(super) fn rows(&self) -> Rows {
        match &self.shape[..] {
            [vectors, rest @ ..] if !rest.is_empty() => Rows { vectors: *vectors, length: volume(rest) },
            shape => Rows { vectors: 1, length: volume(shape) },
        }
    }
}

/// Refuses two shapes that differ.
pub(super) fn expect_shape(expected: &[usize], found: &[usize]) -> Result<()> {
    if expected == found {
        return Ok(());
    }
    let (expected, found) = (format!("the shape of the input, {expected:?},"), format!("{found:?}"));
    Err(Error::ShapeMismatch { operation: OPERATION, expected, found })
}
