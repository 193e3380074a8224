//! `x Φ(x)` with the distribution function Φ of the normal distribution.

use super::Value;
use crate::Result;

impl Value {
    /// `x Φ(x)` with the distribution function Φ of the normal distribution, element by element.
    ///
    /// # Errors
    /// None of its own: only shapes too large to count.
    pub fn gelu(&self) -> Result<Self> {
        self.multiply(&self.normal_cdf()?)
    }
}
