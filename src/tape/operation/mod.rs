//! The operations of the tape: one a file, with the method that records it and its one rule.

mod abs;
mod add;
mod average_pool2d;
mod batch_norm;
mod bound;
mod broadcast_to;
mod concatenate;
mod conv2d;
mod cos;
mod divide;
mod elu;
mod exp;
mod exp_below;
mod gather;
mod gelu;
mod gelu_tanh;
mod greater;
mod layer_norm;
mod leaky_relu;
mod log;
mod log1p;
mod logistic_slope;
mod matmul;
mod max;
mod max_pool2d;
mod maximum;
mod mean;
mod multiply;
mod negate;
mod normal_cdf;
mod normal_density;
mod permute;
mod pointwise;
mod pool_choice;
mod pool_pick;
mod power;
mod relu;
mod reshape;
mod scale;
mod sech2;
mod selu;
mod shift;
mod sigmoid;
mod sign;
mod silu;
mod sin;
mod softmax;
mod softplus;
mod sqrt;
mod square;
mod step;
mod stop_gradient;
mod subtract;
mod sum;
mod tanh;
mod vector_norm;
mod window;

use std::fmt::Debug;
use std::pin::Pin;

use pointwise::Pointwise;

use super::graph::Tape;
use super::value::Value;
use crate::gpu::{Buffer, Gpu, Recorder};
use crate::ops::{Binary, Reach, Unary};
use crate::tensor::Tensor;
use crate::{Error, Result, ops};

/// An operation of the graph.
///
/// A nonlinear one needs [`Operation::jvp`] alone; one that is linear in an argument, the others fixed, has a JVP that is the
/// operation itself, and [`Operation::transpose`].
pub(crate) trait Operation: Debug + Send + Sync {
    fn name(&self) -> &'static str;

    /// The shape of the result, where the operation takes inputs of these shapes.
    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>>;

    /// The derivative along tangents of the inputs, `None` being zero. At least one is not.
    fn jvp(&self, primal: &Primal, tangents: &[Option<Value>]) -> Result<Option<Value>>;

    /// The transpose of the map from one argument, the others fixed. It may not use the value of that argument.
    fn transpose(&self, _argument: usize, _primal: &Primal, _cotangent: &Value) -> Result<Value> {
        Err(Error::NotLinear { operation: self.name() })
    }

    /// Whether it is linear in all its arguments together, not only in each.
    fn is_additive(&self) -> bool {
        false
    }

    /// Whether the result is the memory of the first input.
    fn is_view(&self) -> bool {
        false
    }

    /// The elements of memory that it needs while it runs.
    fn scratch(&self, _inputs: &[&[usize]]) -> usize {
        0
    }

    /// Whether the host takes part, as in an iteration that goes on until it has converged. Then [`Operation::solver`] says how,
    /// else [`Operation::record`].
    fn needs_host(&self) -> bool {
        false
    }

    /// What computes `output` from `inputs` with the host's part in it, any number of times.
    fn solver(&self, _gpu: &Gpu, _inputs: &[Tensor], _output: &Tensor) -> Result<Box<dyn Solver>> {
        Err(Error::NeedsHost { operation: self.name() })
    }

    /// What it does to each element by itself, where that is all it does: such operations share a dispatch.
    fn by_element(&self, _inputs: &[&[usize]]) -> Option<ByElement> {
        None
    }

    /// Whether each part of the result, of `batch` equal parts of its memory, comes of the same part of the inputs that vary,
    /// and of what does not. False where that is not known.
    fn keeps_samples(&self, _batch: usize, inputs: &[&[usize]], _varies: &[bool]) -> bool {
        self.is_view() || matches!(self.by_element(inputs), Some(ByElement::Unary(..) | ByElement::Binary(_)))
    }

    /// Records it on the device.
    fn record(
        &self,
        _recorder: &mut Recorder,
        _inputs: &[&Tensor],
        _scratch: &Buffer<f32>,
        _output: &Tensor,
    ) -> Result<()> {
        Err(Error::NeedsHost { operation: self.name() })
    }

    /// Computes it on the host.
    fn evaluate(&self, inputs: &[Array], shape: &[usize]) -> Vec<f64>;
}

/// A step of a program that the host takes part in, bound to its memory.
pub(crate) trait Solver: Send + Sync {
    /// The name of its operation.
    fn name(&self) -> &'static str;

    /// Computes the output from what the inputs hold now; what was submitted before has been.
    fn solve(&self) -> Pin<Box<dyn Future<Output = Result<()>> + '_>>;
}

/// How each element of a result comes from one element of each input.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ByElement {
    /// A function and its parameter.
    Unary(&'static Unary, f32),
    Binary(&'static Binary),
    /// The input's own elements, repeated.
    Repeat(Reach),
}

/// The values that an operation was recorded with, for its rules.
pub(crate) struct Primal {
    pub(crate) inputs: Vec<Value>,
    pub(crate) output: Value,
}

impl Primal {
    pub(super) fn of(tape: &Tape, node: usize, inputs: &[usize]) -> Self {
        Self { inputs: inputs.iter().map(|input| tape.value(*input)).collect(), output: tape.value(node) }
    }
}

/// A tensor on the host.
#[derive(Clone, Copy)]
pub(crate) struct Array<'a> {
    pub(crate) shape: &'a [usize],
    pub(crate) data: &'a [f64],
}

/// The shape of the first input, which [`Value::with`] gave to all.
fn same_shape(inputs: &[&[usize]]) -> Result<Vec<usize>> {
    Ok(inputs[0].to_vec())
}

/// The sum of tangents that are there.
fn sum_of(tangents: &[Option<Value>]) -> Result<Option<Value>> {
    let mut there = tangents.iter().flatten();
    let Some(first) = there.next() else { return Ok(None) };
    there.try_fold(first.clone(), |sum, tangent| sum.add(tangent)).map(Some)
}

/// The distance in memory from one element to the next along each axis.
fn strides(shape: &[usize]) -> Vec<usize> {
    (0..shape.len()).map(|axis| shape[axis + 1..].iter().product()).collect()
}

/// Refuses more axes than kernels take.
fn expect_rank(operation: &'static str, rank: usize) -> Result<()> {
    if rank <= ops::RANK {
        return Ok(());
    }
    Err(Error::TooLarge {
        operation,
        what: "a shape, in axes,".to_string(),
        needed: rank as u64,
        limit: ops::RANK as u64,
        advice: "reshape neighbouring axes to one",
    })
}

/// The axes in order; refuses those that are not there or are named twice.
fn expect_axes(operation: &'static str, rank: usize, axes: &[usize]) -> Result<Vec<usize>> {
    let mut sorted = axes.to_vec();
    sorted.sort_unstable();
    if sorted.windows(2).all(|pair| pair[0] < pair[1]) && sorted.last().is_none_or(|last| *last < rank) {
        return Ok(sorted);
    }
    Err(Error::InvalidOption {
        operation,
        option: "the axes",
        value: format!("{axes:?} of {rank}"),
        allowed: "axes that are there, each once",
    })
}
