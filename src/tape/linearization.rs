//! A Jacobian as an operator.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::exact::Exact;
use super::graph::{Source, Tape};
use super::program::{Memory, Program};
use super::value::Value;
use crate::bound::Ball;
use crate::gpu::{Buffer, Gpu, Recorder};
use crate::operator::{HostProducts, LinearOperator, columns, length};
use crate::tensor::Tensor;
use crate::{Error, Result};

/// The derivative of one value with respect to another at a point: a batch of Jacobians, none of them formed.
///
/// What the point decides is computed once, and again where [`Linearization::move_to`] asks for it. Bounds of its norm are of
/// the exact derivative where the memory of the point is, which must keep its contents until then. A product copies a vector to
/// the start of a recorded list of dispatches, replays the list and copies the result: it makes no memory and no bind groups.
pub struct Linearization {
    pub(super) gpu: Gpu,
    pub(super) batch: usize,
    pub(super) domain: Vec<usize>,
    pub(super) codomain: Vec<usize>,
    /// From the inputs of the graph to what the point decides.
    at_point: Program,
    decided: Vec<Tensor>,
    forward: Program,
    adjoint: Program,
    point: Vec<Tensor>,
    on_host: Exact,
    /// Whether the operations are known to keep samples apart, at every point.
    pub(super) is_separate: bool,
}

impl Tape {
    /// The derivative of `output` with respect to `input` where the inputs of the graph have the values of `point`.
    ///
    /// The first axis is the batch: every sample has a Jacobian of its own, so the function must map each sample by itself. Products
    /// with changes of some samples tell whether others move, and are waited for, here and at every point that it is moved to; two for
    /// each binary digit of the batch tell of every pair. None are needed where each operation is known to keep samples apart. A single point has a batch of 1:
    /// the Hessian of a loss is the derivative of its gradient with parameters of shape 1 × any, reshaped to those of the loss.
    ///
    /// *Shapes*  `input`: batch × domain · `output`: batch × codomain
    ///
    /// ```
    /// use opnorm::{Gpu, norm::spectral_norm, tape::Tape, tensor::Tensor};
    /// let gpu = Gpu::new()?;
    /// let tape = Tape::new(&gpu);
    /// let (x, factors) = (tape.input(&[2, 3])?, tape.input(&[2, 1])?);
    /// let y = x.multiply(&factors)?; // each sample times a factor of its own
    /// let zeros = Tensor::zeros(&gpu, &[2, 3])?;
    /// let point = Tensor::from_slice(&gpu, &[2, 1], &[4.0, -7.0])?;
    /// let norms = spectral_norm(&tape.linearize(&y, &x, &[(&x, &zeros), (&factors, &point)])?)?;
    /// assert!((norms.items()[1].sigma - 7.0).abs() < 1e-5);
    /// # Ok::<(), opnorm::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] when input and output have not one batch, a point has not its input's shape, or a value is of another
    /// tape; [`Error::InvalidOption`] when the point lacks an input, or the function mixes samples; [`Error::NeedsHost`] when products with the derivative would have
    /// to iterate, as with that of singular vectors; whatever the device says.
    pub fn linearize(&self, output: &Value, input: &Value, point: &[(&Value, &Tensor)]) -> Result<Linearization> {
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

        let mut residuals = self.residuals(&along, &tangent);
        residuals.extend(self.residuals(&back, &cotangent));
        let residuals: Vec<Value> = residuals.into_iter().map(|node| self.value(node)).collect();
        let (starts, tensors): (Vec<&Value>, Vec<&Tensor>) = point.iter().copied().unzip();
        let point = (operation, "the list of inputs with their values");
        let at_point = self.compile_with(point, &starts, &BTreeMap::new(), &residuals)?;
        let decided = at_point.run(&tensors)?;
        let known: BTreeMap<usize, Tensor> = residuals.iter().map(Value::node).zip(decided.iter().cloned()).collect();

        let forward = self.compile_with(point, &[&tangent], &known, &along)?;
        let adjoint = self.compile_with(point, &[&cotangent], &known, &back)?;
        forward.expect_replayable()?;
        adjoint.expect_replayable()?;
        forward.memory()?;
        adjoint.memory()?;
        let (gpu, batch) = (self.gpu().clone(), *batch);
        let (domain, codomain) = (domain.to_vec(), codomain.to_vec());
        let is_separate = self.is_separate(output, input);
        let jacobian = Linearization {
            gpu,
            batch,
            domain,
            codomain,
            at_point,
            decided,
            forward,
            adjoint,
            point: tensors.into_iter().cloned().collect(),
            on_host: Exact::default(),
            is_separate,
        };
        self.gpu().block_on(jacobian.expect_separate())?;
        Ok(jacobian)
    }

    /// What a linear part reads that does not depend on its input: the values that the point decides.
    fn residuals(&self, outputs: &[Value], input: &Value) -> BTreeSet<usize> {
        let ends: Vec<usize> = outputs.iter().map(Value::node).collect();
        let needed = self.needed(&ends, &[input.node()]);
        let linear = self.varying(&[input.node()], &needed);
        let fixed =
            |node: &usize| !linear[*node] && matches!(self.node(*node).source, Source::Computed { .. } | Source::Input);
        let read = (0..linear.len()).filter(|node| linear[*node]).flat_map(|node| self.node(node).inputs().to_vec());
        read.chain(ends).filter(fixed).collect()
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
    /// Takes the derivative at another point; nothing is recorded or made anew.
    ///
    /// *Shapes*  `point`: those of the inputs that [`Tape::linearize`] was given, in its order
    ///
    /// ```
    /// use opnorm::{Gpu, norm::spectral_norm, tape::Tape, tensor::Tensor};
    /// let gpu = Gpu::new()?;
    /// let tape = Tape::new(&gpu);
    /// let x = tape.input(&[1, 2])?;
    /// let point = |data: &[f32]| Tensor::from_slice(&gpu, &[1, 2], data);
    /// let mut jacobian = tape.linearize(&x.square()?, &x, &[(&x, &point(&[1.0, 2.0])?)])?;
    /// assert!((spectral_norm(&jacobian)?.items()[0].sigma - 4.0).abs() < 1e-5);
    /// jacobian.move_to(&[&point(&[-5.0, 2.0])?])?;
    /// assert!((spectral_norm(&jacobian)?.items()[0].sigma - 10.0).abs() < 1e-5);
    /// # Ok::<(), opnorm::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Program::run`], and the derivative may then be of no point at all; [`Error::InvalidOption`] when the function mixes samples
    /// there.
    pub fn move_to(&mut self, point: &[&Tensor]) -> Result<()> {
        self.gpu.clone().block_on(self.move_to_async(point))
    }

    /// [`Linearization::move_to`] without blocking the thread, where what the point decides takes an iteration.
    ///
    /// The future is not `Send`: [what to do](crate#without-blocking).
    ///
    /// # Errors
    /// As [`Linearization::move_to`].
    pub async fn move_to_async(&mut self, point: &[&Tensor]) -> Result<()> {
        self.on_host = Exact::default();
        self.point = point.iter().copied().cloned().collect();
        self.at_point.run_into_async(point, &self.decided).await?;
        self.expect_separate().await
    }

    fn product(
        &self,
        recorder: &mut Recorder,
        memory: &Memory,
        (from, to): (&[usize], &[usize]),
        input: &Tensor,
        output: &Tensor,
    ) -> Result<()> {
        let operation = "product with a Jacobian";
        let count = columns(operation, self.batch, from, input)?;
        if columns(operation, self.batch, to, output)? != count {
            return Err(Error::ShapeMismatch {
                operation,
                expected: format!("{count} columns of output"),
                found: format!("{:?}", output.shape()),
            });
        }
        let ([start], [end]) = (&memory.inputs[..], &memory.outputs[..]) else { return Ok(()) };
        for column in 0..count {
            copy_column(recorder, (input.buffer(), count, column), (start.buffer(), 1, 0), (self.batch, length(from)))?;
            memory.replay(recorder)?;
            copy_column(recorder, (end.buffer(), 1, 0), (output.buffer(), count, column), (self.batch, length(to)))?;
        }
        Ok(())
    }
}

/// Copies one column of `from`, of so many, to one column of `to`, in each item of a batch.
fn copy_column(
    recorder: &mut Recorder,
    (from, from_columns, from_column): (&Buffer<f32>, usize, usize),
    (to, to_columns, to_column): (&Buffer<f32>, usize, usize),
    (batch, size): (usize, usize),
) -> Result<()> {
    if from_columns == 1 && to_columns == 1 {
        return recorder.copy(from, to);
    }
    let part = |buffer: &Buffer<f32>, vector: usize| buffer.slice(vector * size..(vector + 1) * size);
    (0..batch).try_for_each(|item| {
        let (from_vector, to_vector) = (item * from_columns + from_column, item * to_columns + to_column);
        recorder.copy(&part(from, from_vector), &part(to, to_vector))
    })
}

impl LinearOperator for Linearization {
    fn gpu(&self) -> &Gpu {
        &self.gpu
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
        self.product(recorder, &*self.forward.memory()?, (&self.domain, &self.codomain), input, output)
    }

    fn apply_adjoint(&self, recorder: &mut Recorder, input: &Tensor, output: &Tensor) -> Result<()> {
        self.product(recorder, &*self.adjoint.memory()?, (&self.codomain, &self.domain), input, output)
    }

    fn bytes_per_product(&self) -> u64 {
        self.forward.bytes_touched().max(self.adjoint.bytes_touched())
    }

    /// Products with the derivative at the point in `f64` from the start, so that they tell the rounding of the function and
    /// its slopes on the device too.
    fn products_on_host(&self, adjoint: bool, inputs: Vec<Vec<Ball>>) -> HostProducts<'_> {
        let sizes = (length(&self.domain), length(&self.codomain));
        let programs = (&self.at_point, &self.forward, &self.adjoint);
        Box::pin(async move { self.on_host.products(programs, &self.point, adjoint, (sizes, inputs)).await.map(Some) })
    }

    fn is_slow_on_host(&self) -> bool {
        true
    }
}

impl fmt::Debug for Linearization {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { batch, domain, codomain, .. } = self;
        let mut fields = formatter.debug_struct("Linearization");
        fields.field("batch", batch).field("domain", domain).field("codomain", codomain).finish_non_exhaustive()
    }
}
