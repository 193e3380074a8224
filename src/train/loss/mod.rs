//! Losses: functions of outputs and targets, with one element, the mean over the batch.

mod cross_entropy;
mod hinge;
mod kantorovich_rubinstein;
mod squared_error;

pub use cross_entropy::{cross_entropy, cross_entropy_of_shares};
pub use hinge::{hinge, multi_class_hinge};
pub use kantorovich_rubinstein::{hinge_kantorovich_rubinstein, kantorovich_rubinstein};
pub use squared_error::mean_squared_error;

use crate::tape::Value;
use crate::tensor::{Tensor, volume};
use crate::{Error, Result};

/// The sizes of scores: batch and classes.
fn sizes(operation: &'static str, scores: &Value) -> Result<[usize; 2]> {
    <[usize; 2]>::try_from(scores.shape()).map_err(|_| Error::ShapeMismatch {
        operation,
        expected: "scores of shape [batch, classes]".to_string(),
        found: format!("{:?}", scores.shape()),
    })
}

/// 1 where a label is the class of the column, else 0: rows of zeros for labels that are no class.
///
/// *Shapes*  `labels`: batch · result: batch × classes
fn one_hot(operation: &'static str, labels: &Value, [batch, classes]: [usize; 2]) -> Result<Value> {
    let numbers: Vec<f32> = (0..classes).map(|class| class as f32).collect();
    let numbers = labels.tape().constant(&Tensor::from_slice(labels.tape().device(), &[classes], &numbers)?)?;
    let apart = one_each(operation, labels, batch)?.reshape(&[batch, 1])?.subtract(&numbers)?.sign()?.abs()?;
    apart.negate()?.shift(1.0)
}

/// A value with one element for each sample, as a vector.
fn one_each(operation: &'static str, value: &Value, batch: usize) -> Result<Value> {
    if volume(value.shape()) == batch {
        return value.reshape(&[batch]);
    }
    Err(Error::ShapeMismatch {
        operation,
        expected: format!("one number for each of {batch} samples"),
        found: format!("{:?}", value.shape()),
    })
}
