//! 1 where `x` is positive, else 0, NaN where `x` is NaN; its slope is zero everywhere.

use super::Value;
use super::pointwise::Pointwise;
use crate::Result;
use crate::ops::Unary;
use crate::reference::unary;

impl Value {
    /// 1 where `x` is positive, else 0, element by element; NaN where x is NaN.
    ///
    /// # Errors
    /// [`crate::Error::TooLarge`] for more elements than can be counted.
    pub fn step(&self) -> Result<Self> {
        self.through(Step)
    }
}

#[derive(Debug)]
pub(super) struct Step;

impl Pointwise for Step {
    fn function(&self) -> &'static Unary {
        Unary::STEP
    }

    fn at(&self, x: f64) -> f64 {
        unary::step(x, 0.0)
    }

    fn slope(&self, _input: &Value, _output: &Value) -> Result<Option<Value>> {
        Ok(None)
    }
}
