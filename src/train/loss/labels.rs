//! Scores and labels: their sizes, and labels as rows of 0 and 1.

use crate::tape::Value;
use crate::tensor::{Tensor, volume};
use crate::{Error, Result};

/// The sizes of scores: batch and classes.
pub(super) fn sizes(operation: &'static str, scores: &Value) -> Result<[usize; 2]> {
    <[usize; 2]>::try_from(scores.shape()).map_err(|_| Error::ShapeMismatch {
        operation,
        expected: "scores of shape [batch, classes]".to_string(),
        found: format!("{:?}", scores.shape()),
    })
}

/// 1 where a label is the class of the column, else 0: rows of zeros for labels that are no class.
///
/// *Shapes*  `labels`: batch · result: batch × classes
pub(super) fn one_hot(operation: &'static str, labels: &Value, [batch, classes]: [usize; 2]) -> Result<Value> {
    let numbers: Vec<f32> = (0..classes).map(|class| class as f32).collect();
    let numbers = labels.tape().constant(&Tensor::from_slice(labels.tape().device(), &[classes], &numbers)?)?;
    let apart = one_each(operation, labels, batch)?.reshape(&[batch, 1])?.subtract(&numbers)?.sign()?.abs()?;
    apart.negate()?.shift(1.0)
}

/// A value with one element for each sample, as a vector.
pub(super) fn one_each(operation: &'static str, value: &Value, batch: usize) -> Result<Value> {
    if volume(value.shape()) == batch {
        return value.reshape(&[batch]);
    }
    Err(Error::ShapeMismatch {
        operation,
        expected: format!("one number for each of {batch} samples"),
        found: format!("{:?}", value.shape()),
    })
}
