//! `factor e^x` where `x` is not positive, else 0; its slope is itself.

use super::Value;
use super::pointwise::Pointwise;
use crate::Result;
use crate::ops::Unary;
use crate::reference::unary;

impl Value {
    /// `factor e^x` where `x` is not positive, else 0, element by element: the slope of [`Value::elu`] below 0.
    pub(super) fn exp_below(&self, factor: f64) -> Result<Self> {
        self.through(ExpBelow { factor })
    }
}

#[derive(Debug)]
struct ExpBelow {
    factor: f64,
}

impl Pointwise for ExpBelow {
    fn function(&self) -> &'static Unary {
        Unary::EXP_BELOW
    }

    fn parameter(&self) -> f64 {
        self.factor
    }

    fn at(&self, x: f64) -> f64 {
        unary::exp_below(x, self.factor)
    }

    fn slope(&self, _input: &Value, output: &Value) -> Result<Option<Value>> {
        Ok(Some(output.clone()))
    }
}
