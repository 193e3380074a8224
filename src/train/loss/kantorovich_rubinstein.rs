//! The difference of a critic's means over two classes, which for 1-Lipschitz critics bounds a distance of
//! distributions.

use super::hinge::hinge;
use super::labels::one_each;
use crate::Result;
use crate::tape::Value;
use crate::tensor::volume;

/// The mean of the critic over the samples labelled -1, minus the mean over those labelled 1.
///
/// The negative of the loss of a 1-Lipschitz critic is at most the Wasserstein distance of the two classes (Kantorovich
/// and Rubinstein). A class without samples has the mean 0.
///
/// *Shapes*  `critic`: one element a sample, of any shape · `labels`: as many, 1 or -1
///
/// # Errors
/// [`crate::Error::ShapeMismatch`]
pub fn kantorovich_rubinstein(critic: &Value, labels: &Value) -> Result<Value> {
    let batch = volume(critic.shape());
    let labels = one_each("kantorovich_rubinstein", labels, batch)?;
    let critic = critic.reshape(&[batch])?;
    let mean = |members: Value| {
        let count = members.sum(&[0])?.maximum(&critic.tape().fill(&[], 1.0)?)?;
        critic.multiply(&members)?.sum(&[0])?.divide(&count)
    };
    mean(labels.negate()?.step()?)?.subtract(&mean(labels.step()?)?)
}

/// [`kantorovich_rubinstein`] plus `weight` · [`hinge`]: a critic that classifies as well.
///
/// *Shapes*  as [`kantorovich_rubinstein`]
///
/// # Errors
/// [`crate::Error::ShapeMismatch`]
pub fn hinge_kantorovich_rubinstein(critic: &Value, labels: &Value, margin: f64, weight: f64) -> Result<Value> {
    kantorovich_rubinstein(critic, labels)?.add(&hinge(critic, labels, margin)?.scale(weight)?)
}
