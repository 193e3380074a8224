//! `e^x`; its slope is itself.

use super::Value;
use super::pointwise::Pointwise;
use crate::Result;
use crate::ops::Unary;
use crate::reference::unary;

impl Value {
    /// `e^x`, element by element.
    ///
    /// # Errors
    /// [`crate::Error::TooLarge`] for more elements than can be counted.
    pub fn exp(&self) -> Result<Self> {
        self.through(Exp)
    }
}

#[derive(Debug)]
pub(super) struct Exp;

impl Pointwise for Exp {
    fn function(&self) -> &'static Unary {
        Unary::EXP
    }

    fn at(&self, x: f64) -> f64 {
        unary::exp(x, 0.0)
    }

    fn slope(&self, _input: &Value, output: &Value) -> Result<Option<Value>> {
        Ok(Some(output.clone()))
    }
}
