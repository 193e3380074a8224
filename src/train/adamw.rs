//! Adam with decay apart from the gradient.

use super::{Adam, Moved, Optimiser};
use crate::Result;
use crate::tape::Value;

/// Loshchilov and Hutter's AdamW, as `torch.optim.AdamW`: p ← (1 - rate · decay) p before a step of [`Adam`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamW {
    /// The shares β₁ and β₂ of the running means that are kept.
    pub betas: [f64; 2],
    /// The summand of the divisor.
    pub epsilon: f64,
    /// The share of p that a step of rate 1 takes away.
    pub weight_decay: f64,
}

impl Default for AdamW {
    fn default() -> Self {
        let Adam { betas, epsilon, .. } = Adam::default();
        Self { betas, epsilon, weight_decay: 1e-2 }
    }
}

impl AdamW {
    fn adam(&self) -> Adam {
        Adam { betas: self.betas, epsilon: self.epsilon, weight_decay: 0.0 }
    }
}

impl Optimiser for AdamW {
    fn slots(&self) -> &'static [&'static str] {
        self.adam().slots()
    }

    fn numbers(&self, step: u64, rate: f64) -> Vec<f64> {
        [self.adam().numbers(step, rate), vec![1.0 - rate * self.weight_decay]].concat()
    }

    fn next(&self, numbers: &[Value], parameter: &Value, gradient: &Value, slots: &[Value]) -> Result<Moved> {
        self.adam().along(&numbers[..2], &parameter.multiply(&numbers[2])?, gradient, slots)
    }
}
