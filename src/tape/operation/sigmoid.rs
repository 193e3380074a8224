//! `1 / (1 + e^-x)`; its slope is its value at x times its value at -x.

use super::pointwise::Pointwise;
use super::{Accurate, Value};
use crate::Result;
use crate::native::functions;
use crate::ops::Unary;
use crate::reference::unary;

impl Value {
    /// `1 / (1 + e^-x)`, element by element.
    ///
    /// # Errors
    /// [`crate::Error::TooLarge`] for more elements than can be counted.
    pub fn sigmoid(&self) -> Result<Self> {
        self.through(Sigmoid)
    }
}

#[derive(Debug)]
pub(super) struct Sigmoid;

impl Pointwise for Sigmoid {
    fn function(&self) -> &'static Unary {
        Unary::SIGMOID
    }

    fn at(&self, x: f64) -> f64 {
        unary::sigmoid(x, 0.0)
    }

    fn accurate(&self) -> Option<Accurate> {
        Some(Accurate::native(functions::sigmoid, 0.0, 0.25))
    }

    fn slope(&self, input: &Value, _output: &Value) -> Result<Option<Value>> {
        // y (1 - y) would cancel where y is near 1.
        input.logistic_slope(1.0).map(Some)
    }
}
