//! `factor φ(x)`, the density of the normal distribution; its slope is -x times itself.

use super::Value;
use super::bound::{FAR, RAISED};
use super::pointwise::Pointwise;
use crate::Result;
use crate::ops::Unary;
use crate::reference::unary;

impl Value {
    /// `factor e^(-x²/2) / √(2π)`, element by element, as accurate where the value is small.
    ///
    /// The factor is a power of two from 1 up, as that of [`Value::logistic_slope`].
    pub(super) fn normal_density(&self, factor: f64) -> Result<Self> {
        self.through(NormalDensity { factor })
    }
}

/// The largest factor that is raised again: products with a larger one could overflow.
const LARGEST: f64 = (1u64 << 48) as f64;

#[derive(Debug)]
struct NormalDensity {
    factor: f64,
}

impl Pointwise for NormalDensity {
    fn function(&self) -> &'static Unary {
        Unary::NORMAL_DENSITY
    }

    fn parameter(&self) -> f64 {
        self.factor
    }

    fn at(&self, x: f64) -> f64 {
        unary::normal_density(x, self.factor)
    }

    fn slope(&self, input: &Value, output: &Value) -> Result<Option<Value>> {
        let minus = input.bound(FAR)?.negate()?;
        if self.factor > LARGEST {
            return minus.multiply(output).map(Some);
        }
        minus.multiply(&input.normal_density(self.factor * RAISED)?)?.scale(RAISED.recip()).map(Some)
    }
}
