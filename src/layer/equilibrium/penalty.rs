//! The Frobenius norm of the Jacobian by random probes.

use super::super::Scope;
use super::super::batched::batched;
use super::super::probes::standard_error;
use super::layer::Equilibrium;
use crate::tape::Value;
use crate::tensor::volume;
use crate::{Error, Result};

/// An estimate of the mean of |J|² / size over a batch, in the Frobenius norm.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct JacobianPenalty {
    /// The estimate, with its derivatives.
    pub value: Value,
    /// The standard error of the estimate over random probes, as a constant.
    pub standard_error: Value,
}

const OPERATION: &str = "Jacobian penalty";

impl Equilibrium {
    /// The mean of |Jᵀ ε|² / size over the batch and over probes ε, where J is the derivative of f with respect to z.
    ///
    /// The expectation is the mean of |J|² / size in the Frobenius norm. A training step gives new
    /// [`Probes::Signs`](crate::layer::Probes::Signs) as an input.
    ///
    /// *Shapes*  `z`, `input`: as [`Equilibrium::jacobian`] · `probes`: count × batch × item of z, with a count of 2 or
    /// more, because a standard error needs two · value, standard error: one number
    ///
    /// *Source*  Hutchinson, *A stochastic estimator of the trace of the influence matrix*, 1989; Bai, Koltun and
    /// Kolter, *Stabilizing equilibrium models by Jacobian regularization*, 2021.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] for probes of another shape; as [`Layer::apply`](crate::layer::Layer::apply).
    pub fn jacobian_penalty(
        &self,
        scope: &Scope,
        path: &str,
        (z, input): (&Value, &Value),
        probes: &Value,
    ) -> Result<JacobianPenalty> {
        let (z, x) = (batched(z)?, batched(input)?);
        let count = match probes.shape() {
            [count, shape @ ..] if *count > 1 && shape == z.shape() => *count,
            found => {
                return Err(Error::ShapeMismatch {
                    operation: OPERATION,
                    expected: format!("two probes or more, each {:?}", z.shape()),
                    found: format!("{found:?}"),
                });
            }
        };
        let image = self.inner.image(scope, path, &z, &x)?;
        let axes: Vec<usize> = (0..z.shape().len()).collect();
        let mut estimates = Vec::with_capacity(count);
        for probe in 0..count {
            let probe = probes.slice(0, probe..probe + 1)?.reshape(z.shape())?;
            let product = z.tape().vjp(&[&image], &[&z], &[&probe])?.swap_remove(0);
            let share = (volume(z.shape()) as f64).recip();
            estimates.push(product.square()?.sum(&axes)?.scale(share)?.reshape(&[1])?);
        }
        let estimates = z.tape().concatenate(&estimates.iter().collect::<Vec<_>>(), 0)?;
        let value = estimates.mean(&[0])?;
        Ok(JacobianPenalty { standard_error: standard_error(&estimates, &value)?, value })
    }
}
