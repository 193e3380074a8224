//! GELU as tanh approximates it.

use super::Value;
use crate::Result;

impl Value {
    /// `x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2`, element by element: what many networks were trained with in place of
    /// [`Value::gelu`] (Hendrycks and Gimpel, *Gaussian error linear units*, 2016).
    ///
    /// # Errors
    /// None of its own: only shapes too large to count.
    pub fn gelu_tanh(&self) -> Result<Self> {
        let cubic = self.square()?.scale(0.044_715)?.shift(1.0)?.multiply(self)?;
        let half = cubic.scale((2.0 / std::f64::consts::PI).sqrt())?.tanh()?.shift(1.0)?.scale(0.5)?;
        self.multiply(&half)
    }
}
