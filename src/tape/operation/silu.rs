//! `x / (1 + e^-x)` and its slope, whose own is σ(x) σ(-x) (2 - x tanh(x / 2)).

use super::bound::{FAR, RAISED};
use super::pointwise::Pointwise;
use super::{Accurate, Value};
use crate::Result;
use crate::native::functions;
use crate::ops::Unary;
use crate::reference::unary;

impl Value {
    /// `x / (1 + e^-x)`, element by element; its limit 0 at -∞.
    ///
    /// # Errors
    /// [`crate::Error::TooLarge`] for more elements than can be counted.
    pub fn silu(&self) -> Result<Self> {
        self.through(Silu)
    }
}

#[derive(Debug)]
struct Silu;

impl Pointwise for Silu {
    fn function(&self) -> &'static Unary {
        Unary::SILU
    }

    fn at(&self, x: f64) -> f64 {
        unary::silu(x, 0.0)
    }

    fn accurate(&self) -> Option<Accurate> {
        Some(Accurate::native(functions::silu, 0.0, 1.099_839_4))
    }

    fn slope(&self, input: &Value, _output: &Value) -> Result<Option<Value>> {
        input.through(SiluSlope).map(Some)
    }
}

#[derive(Debug)]
struct SiluSlope;

impl Pointwise for SiluSlope {
    fn function(&self) -> &'static Unary {
        Unary::SILU_SLOPE
    }

    fn at(&self, x: f64) -> f64 {
        unary::silu_slope(x, 0.0)
    }

    fn slope(&self, input: &Value, _output: &Value) -> Result<Option<Value>> {
        let near = input.bound(FAR)?;
        let factor = near.scale(0.5)?.tanh()?.multiply(&near)?.negate()?.shift(2.0)?;
        input.logistic_slope(RAISED)?.multiply(&factor)?.scale(RAISED.recip()).map(Some)
    }
}
