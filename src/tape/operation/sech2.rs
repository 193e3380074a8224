//! `1 / cosh² x`, the slope of tanh; its slope is -2 tanh x / cosh² x.

use super::Value;
use super::pointwise::Pointwise;
use crate::Result;
use crate::ops::Unary;
use crate::reference::unary;

impl Value {
    /// `1 / cosh² x`, element by element, as accurate where the value is small.
    pub(super) fn sech2(&self) -> Result<Self> {
        self.through(Sech2)
    }
}

#[derive(Debug)]
struct Sech2;

impl Pointwise for Sech2 {
    fn function(&self) -> &'static Unary {
        Unary::SECH2
    }

    fn at(&self, x: f64) -> f64 {
        unary::sech2(x, 0.0)
    }

    fn slope(&self, input: &Value, output: &Value) -> Result<Option<Value>> {
        input.tanh()?.multiply(output)?.scale(-2.0).map(Some)
    }
}
