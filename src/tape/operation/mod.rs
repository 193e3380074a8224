//! The operations of the tape: one in each file, with the method that records it and its one rule.

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
mod pick;
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

pub use batch_norm::BatchNorm;

use super::accuracy::{Accuracy, Accurate};
use super::graph::{Array, ByElement, Operation, Primal, Value};
use crate::tensor::volume;
use crate::{Error, Result, ops};

/// The shape of the first input, which all inputs of an operation by element have.
fn same_shape(inputs: &[&[usize]]) -> Result<Vec<usize>> {
    Ok(inputs[0].to_vec())
}

/// The sum of the tangents that are not zero; `None` where all are.
fn sum_of(tangents: &[Option<Value>]) -> Result<Option<Value>> {
    let mut there = tangents.iter().flatten();
    let Some(first) = there.next() else { return Ok(None) };
    there.try_fold(first.clone(), |sum, tangent| sum.add(tangent)).map(Some)
}

/// The values of several columns: an input that does not vary is repeated.
fn repeated_where_fixed(columns: usize, inputs: &[Value], varies: &[bool]) -> Result<Vec<Value>> {
    let whole = |(input, varies): (&Value, &bool)| if *varies { Ok(input.clone()) } else { input.repeated(columns) };
    inputs.iter().zip(varies).map(whole).collect()
}

/// The distance in memory from one element to the next along each axis.
fn strides(shape: &[usize]) -> Vec<usize> {
    (0..shape.len()).map(|axis| volume(&shape[axis + 1..])).collect()
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

/// The axes in order; refuses axes that do not exist or are named twice.
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
