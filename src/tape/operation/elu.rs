//! `x` where it is positive, else `alpha (e^x - 1)`; its slope is 1, or alpha e^x, the latter at 0.

use super::pointwise::Pointwise;
use super::{Accurate, Value};
use crate::Result;
use crate::native::functions;
use crate::ops::Unary;
use crate::reference::unary;

impl Value {
    /// `x` where it is positive, else `alpha (e^x - 1)`, element by element.
    ///
    /// # Errors
    /// [`crate::Error::TooLarge`] for more elements than can be counted.
    pub fn elu(&self, alpha: f64) -> Result<Self> {
        self.through(Elu { alpha })
    }
}

#[derive(Debug)]
pub(super) struct Elu {
    alpha: f64,
}

impl Pointwise for Elu {
    fn function(&self) -> &'static Unary {
        Unary::ELU
    }

    fn parameter(&self) -> f64 {
        self.alpha
    }

    fn at(&self, x: f64) -> f64 {
        unary::elu(x, self.alpha)
    }

    fn accurate(&self) -> Option<Accurate> {
        Some(Accurate::native(functions::elu, self.alpha, self.alpha.abs().max(1.0)))
    }

    fn slope(&self, input: &Value, _output: &Value) -> Result<Option<Value>> {
        // y + alpha would cancel where y is near -alpha.
        input.step()?.add(&input.exp_below(self.alpha)?).map(Some)
    }
}
