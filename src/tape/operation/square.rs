//! `x²`.

use super::Value;
use crate::Result;

impl Value {
    /// `x²`, element by element.
    ///
    /// # Errors
    /// None of its own: only shapes too large to count.
    pub fn square(&self) -> Result<Self> {
        self.multiply(self)
    }
}
