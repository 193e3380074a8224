//! Cross-entropy of scores with classes.

use super::labels::{one_hot, sizes};
use crate::tape::Value;
use crate::{Error, Result};

/// The mean of -log softmax(scores) at the labels, as `torch.nn.functional.cross_entropy` with class indices.
///
/// With `smoothing` ε each label is a share 1 - ε of its class and ε / classes of every class. A label that is no class
/// counts as 0.
///
/// *Shapes*  `scores`: batch × classes · `labels`: batch, whole numbers from 0 on
///
/// ```
/// use opnorm::{Device, tape::Tape, train::loss};
/// let tape = Tape::new(&Device::new()?);
/// let (scores, labels) = (tape.input(&[2, 2])?, tape.input(&[2])?);
/// let loss = loss::cross_entropy(&scores, &labels, 0.0)?;
/// let found = tape.compile(&[&scores, &labels], &[loss])?.evaluate(&[&[0.0, 0.0, 5.0, 5.0][..], &[0.0, 1.0]])?;
/// assert!((found[0][0] - 2f64.ln()).abs() < 1e-12);
/// # Ok::<(), opnorm::Error>(())
/// ```
///
/// # Errors
/// [`Error::ShapeMismatch`]; [`Error::InvalidOption`] for a smoothing outside 0 to 1.
pub fn cross_entropy(scores: &Value, labels: &Value, smoothing: f64) -> Result<Value> {
    let labels = one_hot("cross_entropy", labels, sizes("cross_entropy", scores)?)?;
    cross_entropy_of_shares(scores, &labels, smoothing)
}

/// [`cross_entropy`] for labels that are shares of the classes, such as probabilities.
///
/// *Shapes*  `scores`, `shares`: batch × classes
///
/// # Errors
/// As [`cross_entropy`].
pub fn cross_entropy_of_shares(scores: &Value, shares: &Value, smoothing: f64) -> Result<Value> {
    let operation = "cross_entropy";
    let [batch, classes] = sizes(operation, scores)?;
    if !(0.0..=1.0).contains(&smoothing) {
        return Err(Error::InvalidOption {
            operation,
            option: "smoothing",
            value: format!("{smoothing}"),
            allowed: "from 0 to 1",
        });
    }
    let shares = match smoothing {
        0.0 => shares.clone(),
        _ => shares.scale(1.0 - smoothing)?.shift(smoothing / classes as f64)?,
    };
    scores.log_softmax(1)?.multiply(&shares)?.sum(&[0, 1])?.scale(-1.0 / batch as f64)
}
