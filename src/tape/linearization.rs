//! A Jacobian as an operator.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::columns::Columns;
use super::exact::Exact;
use super::function::Function;
use super::graph::{Tape, Value};
use super::program::Program;
use super::settings::Fusion;
use super::stacked::Stacks;
use crate::bound::Ball;
use crate::device::{Device, Recorder};
use crate::operator::{HostProducts, LinearOperator, expressions, width};
use crate::tensor::{Tensor, volume};
use crate::{Error, Result};

/// The derivative of a value with respect to another at a point: a batch of Jacobians, none of them formed.
///
/// Values that depend on the point alone are computed once, and again by [`Linearization::move_to`]. Bounds of the norm
/// are bounds of the exact derivative at the contents of the point's tensors. These contents must not change before the
/// next move. A product copies vectors to the start of a recorded list of dispatches, replays the list and copies the
/// results. So a product makes no memory and no bind groups.
///
/// A product with several vectors has the dispatches of a product with one vector. The first product with a number of
/// vectors makes a list for that number. A list takes at most 256 MiB, and each value at most one binding: more vectors
/// are taken in parts. The result of a vector does not depend on the other vectors. But the result may round
/// differently from a product with that vector alone, because products of matrices may choose another kernel for more
/// rows. Vectors are taken one by one where an operation has no form for several
/// ([`Operation::stacked`](super::Operation::stacked)). Such operations are a convolution whose weight depends on the
/// input, and a permuted or repeated value of six axes.
///
/// Where the derivative needs the host, as for singular vectors, the recorder of a product has steps of the host:
/// [`Recorder::submit_async`].
pub struct Linearization {
    pub(super) device: Device,
    pub(super) batch: usize,
    pub(super) domain: Vec<usize>,
    pub(super) codomain: Vec<usize>,
    /// The program from the inputs of the graph to the values that depend on the point alone.
    at_point: Program,
    decided: Vec<Tensor>,
    forward: Program,
    adjoint: Program,
    /// The programs of the same products for several vectors at once.
    forward_stacks: Stacks,
    adjoint_stacks: Stacks,
    fusion: Fusion,
    pub(crate) function: Arc<Function>,
    pub(crate) point: Vec<Tensor>,
    on_host: Exact,
    /// Whether every operation is known to keep samples apart, at every point.
    pub(super) is_separate: bool,
}

impl Tape {
    /// The derivative of `output` with respect to `input`, where the inputs of the graph have the values of `point`.
    ///
    /// The first axis is the batch. Every sample has its own Jacobian, so the function must map each sample by itself.
    /// Where an operation is not known to keep samples apart, products with changes of some samples tell whether others
    /// move. The tape waits for two such products for each binary digit of the batch, at every point.
    ///
    /// A single point has a batch of 1. So the Hessian of a loss is the derivative of its gradient, with parameters of
    /// shape 1 × any, reshaped to the parameters of the loss.
    ///
    /// *Shapes*  `input`: batch × domain · `output`: batch × codomain
    ///
    /// ```
    /// use opnorm::{Device, norm::spectral_norm, tape::Tape, tensor::Tensor};
    /// let device = Device::new()?;
    /// let tape = Tape::new(&device);
    /// let (x, factors) = (tape.input(&[2, 3])?, tape.input(&[2, 1])?);
    /// let y = x.multiply(&factors)?; // each sample times a factor of its own
    /// let zeros = Tensor::zeros(&device, &[2, 3])?;
    /// let point = Tensor::from_slice(&device, &[2, 1], &[4.0, -7.0])?;
    /// let norms = spectral_norm(&tape.linearize(&y, &x, &[(&x, &zeros), (&factors, &point)])?)?;
    /// assert!((norms[1].sigma - 7.0).abs() < 1e-5);
    /// # Ok::<(), opnorm::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] when input and output differ in their batch, or a point has another shape than its
    /// input; [`Error::Foreign`] for a value of another tape; [`Error::InvalidOption`] when the point lacks an input,
    /// or the function mixes samples; the errors of [`Program::run`].
    pub fn linearize(&self, output: &Value, input: &Value, point: &[(&Value, &Tensor)]) -> Result<Linearization> {
        self.device().block_on(self.linearize_async(output, input, point))
    }

    /// [`Tape::linearize`] without blocking the thread while the device or steps of the host run.
    ///
    /// The future is not `Send`: [what to do](crate#without-blocking).
    ///
    /// # Errors
    /// As [`Tape::linearize`].
    pub async fn linearize_async(
        &self,
        output: &Value,
        input: &Value,
        point: &[(&Value, &Tensor)],
    ) -> Result<Linearization> {
        let operation = "linearize";
        self.expect_own(operation, &[output, input])?;
        let (Some((batch, domain)), Some((items, codomain))) =
            (input.shape().split_first(), output.shape().split_first())
        else {
            return Err(mismatch(input.shape(), output.shape()));
        };
        if batch != items {
            return Err(mismatch(input.shape(), output.shape()));
        }
        let tangent = self.input(input.shape())?;
        let along = self.jvp(&[output], &[input], &[&tangent])?;
        let cotangent = self.input(output.shape())?;
        let back = self.transpose(&along, &[&tangent], &[&cotangent])?;

        let mut residuals = self.residuals(&along, &[tangent.node()]);
        residuals.extend(self.residuals(&back, &[cotangent.node()]));
        let residuals: Vec<Value> = residuals.into_iter().map(|node| self.value(node)).collect();
        let (starts, tensors): (Vec<&Value>, Vec<&Tensor>) = point.iter().copied().unzip();
        let point = (operation, "the list of inputs with their values");
        let at_point = self.compile_with(point, &starts, &BTreeMap::new(), &residuals)?;
        let decided = at_point.run_async(&tensors).await?;
        let known: BTreeMap<usize, Tensor> = residuals.iter().map(Value::node).zip(decided.iter().cloned()).collect();

        let forward = self.compile_with(point, &[&tangent], &known, &along)?;
        let adjoint = self.compile_with(point, &[&cotangent], &known, &back)?;
        forward.memory()?;
        adjoint.memory()?;
        let (device, batch) = (self.device().clone(), *batch);
        let (domain, codomain) = (domain.to_vec(), codomain.to_vec());
        let is_separate = self.is_separate(output, input);
        let jacobian = Linearization {
            device,
            batch,
            domain,
            codomain,
            at_point,
            decided,
            forward,
            adjoint,
            forward_stacks: Stacks::default(),
            adjoint_stacks: Stacks::default(),
            fusion: self.fusion(),
            function: Arc::new(Function::new(input, output, &starts)),
            point: tensors.into_iter().cloned().collect(),
            on_host: Exact::default(),
            is_separate,
        };
        jacobian.expect_separate().await?;
        Ok(jacobian)
    }
}

fn mismatch(input: &[usize], output: &[usize]) -> Error {
    Error::ShapeMismatch {
        operation: "linearize",
        expected: format!("an output with the batch of the input, of shape {input:?}"),
        found: format!("{output:?}"),
    }
}

impl Linearization {
    /// Takes the derivative at another point, without new recording or memory.
    ///
    /// *Shapes*  `point`: as the inputs of [`Tape::linearize`], in that order
    ///
    /// ```
    /// use opnorm::{Device, norm::spectral_norm, tape::Tape, tensor::Tensor};
    /// let device = Device::new()?;
    /// let tape = Tape::new(&device);
    /// let x = tape.input(&[1, 2])?;
    /// let point = |data: &[f32]| Tensor::from_slice(&device, &[1, 2], data);
    /// let mut jacobian = tape.linearize(&x.square()?, &x, &[(&x, &point(&[1.0, 2.0])?)])?;
    /// assert!((spectral_norm(&jacobian)?.single()?.sigma - 4.0).abs() < 1e-5);
    /// jacobian.move_to(&[&point(&[-5.0, 2.0])?])?;
    /// assert!((spectral_norm(&jacobian)?.single()?.sigma - 10.0).abs() < 1e-5);
    /// # Ok::<(), opnorm::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Program::run`], after which the derivative may be at no defined point; [`Error::InvalidOption`] when the
    /// function mixes samples there.
    pub fn move_to(&mut self, point: &[&Tensor]) -> Result<()> {
        self.device.clone().block_on(self.move_to_async(point))
    }

    /// [`Linearization::move_to`] without blocking the thread while steps of the host run.
    ///
    /// The future is not `Send`: [what to do](crate#without-blocking).
    ///
    /// # Errors
    /// As [`Linearization::move_to`].
    pub async fn move_to_async(&mut self, point: &[&Tensor]) -> Result<()> {
        self.on_host = Exact::default();
        self.point = point.iter().copied().cloned().collect();
        self.at_point.run_into_async(point, &self.decided).await?;
        self.forward_stacks.refresh().await?;
        self.adjoint_stacks.refresh().await?;
        self.expect_separate().await
    }

    fn product(
        &self,
        recorder: &mut Recorder,
        (linear, stacks): (&Program, &Stacks),
        (from, to): (&[usize], &[usize]),
        input: &Tensor,
        output: &Tensor,
    ) -> Result<()> {
        let operation = "product with a Jacobian";
        let count = width(operation, self.batch, from, input)?;
        if width(operation, self.batch, to, output)? != count {
            return Err(Error::ShapeMismatch {
                operation,
                expected: format!("{count} output vectors for each batch element"),
                found: format!("{:?}", output.shape()),
            });
        }
        let stacked = if count > 1 { stacks.of(linear, self.fusion, count)? } else { None };
        let memory = stacked.as_ref().map_or_else(|| linear.memory(), |stacked| stacked.memory())?;
        let together = stacked.map_or(1, |stacked| stacked.columns);
        let ([start], [end]) = (&memory.inputs[..], &memory.outputs[..]) else { return Ok(()) };
        let sizes = (self.batch, volume(from), volume(to));
        for first in (0..count).step_by(together) {
            let part = Columns { first, columns: together.min(count - first), count };
            // Further columns of the program hold earlier vectors, so that their results are not copied out.
            part.gather(recorder, input.buffer(), start.buffer(), (sizes.0, sizes.1))?;
            recorder.replay(&memory.commands);
            part.scatter(recorder, end.buffer(), output.buffer(), (sizes.0, sizes.2))?;
        }
        Ok(())
    }
}

impl LinearOperator for Linearization {
    fn device(&self) -> &Device {
        &self.device
    }

    fn batch(&self) -> usize {
        self.batch
    }

    fn domain(&self) -> Vec<usize> {
        self.domain.clone()
    }

    fn codomain(&self) -> Vec<usize> {
        self.codomain.clone()
    }

    fn apply(&self, recorder: &mut Recorder, input: &Tensor, output: &Tensor) -> Result<()> {
        let linear = (&self.forward, &self.forward_stacks);
        self.product(recorder, linear, (&self.domain, &self.codomain), input, output)
    }

    fn apply_adjoint(&self, recorder: &mut Recorder, input: &Tensor, output: &Tensor) -> Result<()> {
        let linear = (&self.adjoint, &self.adjoint_stacks);
        self.product(recorder, linear, (&self.codomain, &self.domain), input, output)
    }

    fn bytes_per_product(&self) -> u64 {
        self.forward.code.bytes_touched().max(self.adjoint.code.bytes_touched())
    }

    /// Products with the derivative of the function in `f64` at the point, which also show the device's rounding of the
    /// function and its slopes.
    fn products_on_host(&self, adjoint: bool, inputs: Vec<Vec<Ball>>) -> HostProducts<'_> {
        let sizes = (volume(&self.domain), volume(&self.codomain));
        let programs = (&self.at_point, &self.forward, &self.adjoint);
        Box::pin(async move { self.on_host.products(programs, &self.point, adjoint, (sizes, inputs)).await.map(Some) })
    }

    fn is_slow_on_host(&self) -> bool {
        true
    }
}

expressions! {
    [] Linearization;
    [] &Linearization;
}

impl fmt::Debug for Linearization {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { batch, domain, codomain, .. } = self;
        let mut fields = formatter.debug_struct("Linearization");
        fields.field("batch", batch).field("domain", domain).field("codomain", codomain).finish_non_exhaustive()
    }
}
