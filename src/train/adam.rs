//! Adam: steps divided by running deviations of the gradient.

use super::optimiser::decayed;
use super::{Moved, Optimiser};
use crate::Result;
use crate::tape::Value;

/// Kingma and Ba's Adam, as `torch.optim.Adam`: decay is part of the gradient.
///
/// With g = gradient + decay · p: m ← m + (1 - β₁)(g - m), v ← β₂ v + (1 - β₂) g², and
/// p ← p - rate / (1 - β₁ᵗ) · m / (√v / √(1 - β₂ᵗ) + epsilon).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// The shares β₁ and β₂ of the running means that are kept.
    pub betas: [f64; 2],
    /// The summand of the divisor.
    pub epsilon: f64,
    /// The factor of p in the gradient.
    pub weight_decay: f64,
}

impl Default for Adam {
    fn default() -> Self {
        Self { betas: [0.9, 0.999], epsilon: 1e-8, weight_decay: 0.0 }
    }
}

impl Adam {
    /// Moves a parameter along a gradient that has its decay.
    pub(super) fn along(
        &self,
        numbers: &[Value],
        parameter: &Value,
        gradient: &Value,
        slots: &[Value],
    ) -> Result<Moved> {
        let [first, second] = self.betas;
        let mean = slots[0].add(&gradient.subtract(&slots[0])?.scale(1.0 - first)?)?;
        let square = slots[1].scale(second)?.add(&gradient.square()?.scale(1.0 - second)?)?;
        let divisor = square.sqrt()?.divide(&numbers[1])?.shift(self.epsilon)?;
        let parameter = parameter.subtract(&mean.divide(&divisor)?.multiply(&numbers[0])?)?;
        Ok(Moved { parameter, slots: vec![mean, square] })
    }
}

impl Optimiser for Adam {
    fn slots(&self) -> &'static [&'static str] {
        &["exp_avg", "exp_avg_sq"]
    }

    fn numbers(&self, step: u64, rate: f64) -> Vec<f64> {
        let [first, second] = self.betas.map(|beta| 1.0 - beta.powf((step + 1) as f64));
        vec![rate / first, second.sqrt()]
    }

    fn next(&self, numbers: &[Value], parameter: &Value, gradient: &Value, slots: &[Value]) -> Result<Moved> {
        self.along(numbers, parameter, &decayed(gradient, parameter, self.weight_decay)?, slots)
    }
}
