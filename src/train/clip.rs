//! Gradients of bounded norm.

use crate::Result;
use crate::tape::Value;

/// The summand of the norm that PyTorch divides by.
const APART: f64 = 1e-6;

/// The gradients times min(1, `most` / (norm + 1e-6)), with the Euclidean norm of all their elements, as
/// `torch.nn.utils.clip_grad_norm_`.
///
/// # Errors
/// Any error of the operations.
pub fn clip(gradients: &[Value], most: f64) -> Result<Vec<Value>> {
    let squares = |gradient: &Value| gradient.square()?.sum(&(0..gradient.shape().len()).collect::<Vec<_>>());
    let Some((first, others)) = gradients.split_first() else { return Ok(Vec::new()) };
    let sum = others.iter().try_fold(squares(first)?, |sum, gradient| sum.add(&squares(gradient)?))?;
    let number = |number| sum.tape().fill(&[], number);
    let factor = number(most)?.divide(&sum.sqrt()?.shift(APART)?)?.minimum(&number(1.0)?)?;
    gradients.iter().map(|gradient| gradient.multiply(&factor)).collect()
}
