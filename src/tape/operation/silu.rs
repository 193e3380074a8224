//! `x / (1 + e^-x)`.

use super::Value;
use crate::Result;

impl Value {
    /// `x / (1 + e^-x)`, element by element.
    ///
    /// # Errors
    /// None of its own: only shapes too large to count.
    pub fn silu(&self) -> Result<Self> {
        self.multiply(&self.sigmoid()?)
    }
}
