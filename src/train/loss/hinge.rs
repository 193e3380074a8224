//! Hinge losses: the part of a margin that is missing.

use super::labels::{one_each, one_hot, sizes};
use crate::Result;
use crate::tape::Value;
use crate::tensor::volume;

/// The mean of max(0, margin - label · score).
///
/// *Shapes*  `scores`: one element a sample, of any shape · `labels`: as many, 1 or -1
///
/// # Errors
/// [`crate::Error::ShapeMismatch`]
pub fn hinge(scores: &Value, labels: &Value, margin: f64) -> Result<Value> {
    let batch = volume(scores.shape());
    let labels = one_each("hinge", labels, batch)?;
    scores.reshape(&[batch])?.multiply(&labels)?.negate()?.shift(margin)?.relu()?.mean(&[0])
}

/// The mean over samples of Σ max(0, margin - score of the label + score) / classes over the other classes, as
/// `torch.nn.functional.multi_margin_loss`.
///
/// *Shapes*  `scores`: batch × classes · `labels`: batch, whole numbers from 0 on
///
/// # Errors
/// [`crate::Error::ShapeMismatch`]
pub fn multi_class_hinge(scores: &Value, labels: &Value, margin: f64) -> Result<Value> {
    let [batch, classes] = sizes("multi_class_hinge", scores)?;
    let labels = one_hot("multi_class_hinge", labels, [batch, classes])?;
    let own = scores.multiply(&labels)?.sum(&[1])?.reshape(&[batch, 1])?;
    let missing = scores.subtract(&own)?.shift(margin)?.relu()?;
    missing.multiply(&labels.negate()?.shift(1.0)?)?.mean(&[0, 1])
}
