//! `x` where it is positive, else 0; its slope is 1 where x is positive, and 0 at 0.

use super::pointwise::Pointwise;
use super::{Accurate, Value};
use crate::Result;
use crate::ops::Unary;
use crate::reference::unary;

impl Value {
    /// `x` where it is positive, else 0, element by element.
    ///
    /// # Errors
    /// [`crate::Error::TooLarge`] for more elements than can be counted.
    pub fn relu(&self) -> Result<Self> {
        self.through(Relu)
    }
}

#[derive(Debug)]
pub(super) struct Relu;

impl Pointwise for Relu {
    fn function(&self) -> &'static Unary {
        Unary::RELU
    }

    fn at(&self, x: f64) -> f64 {
        unary::relu(x, 0.0)
    }

    fn accurate(&self) -> Option<Accurate> {
        Some(Accurate::exact(unary::relu, 0.0, 1.0))
    }

    fn slope(&self, input: &Value, _output: &Value) -> Result<Option<Value>> {
        input.step().map(Some)
    }
}
