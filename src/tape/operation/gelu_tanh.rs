//! The approximation of GELU by tanh, and its slope.

use super::Value;
use super::bound::RAISED;
use super::pointwise::Pointwise;
use crate::Result;
use crate::ops::Unary;
use crate::reference::unary;

impl Value {
    /// `x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2`, element by element: the approximation of
    /// [`Value::gelu`] that many networks were trained with (Hendrycks and Gimpel, *Gaussian error linear units*,
    /// 2016); its limit 0 at -∞.
    ///
    /// # Errors
    /// [`crate::Error::TooLarge`] for more elements than can be counted.
    pub fn gelu_tanh(&self) -> Result<Self> {
        self.through(GeluTanh)
    }
}

/// The factor of x³ in x + 0.044715 x³.
const CUBIC: f64 = 0.044_715;

/// The |x| from which on σ(v) σ(-v) is 0, in `f64` too.
const NEAR: f64 = 64.0;

#[derive(Debug)]
struct GeluTanh;

impl Pointwise for GeluTanh {
    fn function(&self) -> &'static Unary {
        Unary::GELU_TANH
    }

    fn at(&self, x: f64) -> f64 {
        unary::gelu_tanh(x, 0.0)
    }

    fn slope(&self, input: &Value, _output: &Value) -> Result<Option<Value>> {
        input.through(GeluTanhSlope).map(Some)
    }
}

#[derive(Debug)]
struct GeluTanhSlope;

impl Pointwise for GeluTanhSlope {
    fn function(&self) -> &'static Unary {
        Unary::GELU_TANH_SLOPE
    }

    fn at(&self, x: f64) -> f64 {
        unary::gelu_tanh_slope(x, 0.0)
    }

    fn slope(&self, input: &Value, _output: &Value) -> Result<Option<Value>> {
        // The function is x σ(v), whose second derivative is σ(v) σ(-v) (2 v' + x v'' - x v'² tanh(v / 2)).
        let x = input.bound(NEAR)?;
        let factor = (8.0 / std::f64::consts::PI).sqrt();
        let square = x.square()?.scale(CUBIC)?;
        let v = square.shift(1.0)?.multiply(&x)?.scale(factor)?;
        let steep = square.scale(3.0)?.shift(1.0)?.scale(factor)?;
        let bent = square.scale(6.0 * factor)?;
        let turned = steep.square()?.multiply(&x)?.multiply(&v.scale(0.5)?.tanh()?)?;
        let sum = steep.scale(2.0)?.add(&bent)?.subtract(&turned)?;
        v.logistic_slope(RAISED)?.multiply(&sum)?.scale(RAISED.recip()).map(Some)
    }
}
