//! Gradient descent with momentum.

use super::optimiser::decayed;
use super::{Moved, Optimiser};
use crate::Result;
use crate::tape::Value;

/// Stochastic gradient descent, as `torch.optim.SGD` without dampening.
///
/// With g = gradient + decay · p, a velocity b ← momentum · b + g, and p ← p - rate · b; Nesterov's form moves p along
/// g + momentum · b.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sgd {
    /// The share of the velocity that is kept; 0 for no velocity.
    pub momentum: f64,
    /// Whether p moves along g + momentum · b, not b.
    pub nesterov: bool,
    /// The factor of p in the gradient.
    pub weight_decay: f64,
}

impl Sgd {
    /// Descent with a momentum, in the plain form and without decay.
    pub fn momentum(momentum: f64) -> Self {
        Self { momentum, ..Self::default() }
    }
}

impl Optimiser for Sgd {
    fn slots(&self) -> &'static [&'static str] {
        if self.momentum == 0.0 { &[] } else { &["momentum_buffer"] }
    }

    fn numbers(&self, _: u64, rate: f64) -> Vec<f64> {
        vec![rate]
    }

    fn next(&self, numbers: &[Value], parameter: &Value, gradient: &Value, slots: &[Value]) -> Result<Moved> {
        let gradient = decayed(gradient, parameter, self.weight_decay)?;
        let velocity =
            slots.iter().map(|slot| slot.scale(self.momentum)?.add(&gradient)).collect::<Result<Vec<_>>>()?;
        let direction = match velocity.first() {
            Some(velocity) if self.nesterov => gradient.add(&velocity.scale(self.momentum)?)?,
            Some(velocity) => velocity.clone(),
            None => gradient,
        };
        Ok(Moved { parameter: parameter.subtract(&direction.multiply(&numbers[0])?)?, slots: velocity })
    }
}
