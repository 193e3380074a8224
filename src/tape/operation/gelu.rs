//! `x Φ(x)` with the distribution function Φ of the normal distribution, and its slope, whose own is φ(x) (2 - x²).

use super::bound::{FAR, RAISED};
use super::pointwise::Pointwise;
use super::{Accurate, Value};
use crate::Result;
use crate::native::functions;
use crate::ops::Unary;
use crate::reference::unary;

impl Value {
    /// `x Φ(x)` with the distribution function Φ of the normal distribution, element by element; its limit 0 at -∞.
    ///
    /// # Errors
    /// [`crate::Error::TooLarge`] for more elements than can be counted.
    pub fn gelu(&self) -> Result<Self> {
        self.through(Gelu)
    }
}

#[derive(Debug)]
struct Gelu;

impl Pointwise for Gelu {
    fn function(&self) -> &'static Unary {
        Unary::GELU
    }

    fn at(&self, x: f64) -> f64 {
        unary::gelu(x, 0.0)
    }

    fn accurate(&self) -> Option<Accurate> {
        Some(Accurate::native(functions::gelu, 0.0, 1.128_904_2))
    }

    fn slope(&self, input: &Value, _output: &Value) -> Result<Option<Value>> {
        input.through(GeluSlope).map(Some)
    }
}

#[derive(Debug)]
struct GeluSlope;

impl Pointwise for GeluSlope {
    fn function(&self) -> &'static Unary {
        Unary::GELU_SLOPE
    }

    fn at(&self, x: f64) -> f64 {
        unary::gelu_slope(x, 0.0)
    }

    fn slope(&self, input: &Value, _output: &Value) -> Result<Option<Value>> {
        let factor = input.bound(FAR)?.square()?.negate()?.shift(2.0)?;
        input.normal_density(RAISED)?.multiply(&factor)?.scale(RAISED.recip()).map(Some)
    }
}
