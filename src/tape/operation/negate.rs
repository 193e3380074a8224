//! `-x`.

use super::Value;
use crate::Result;

impl Value {
    /// `-x`, element by element.
    ///
    /// # Errors
    /// None of its own: only shapes too large to count.
    pub fn negate(&self) -> Result<Self> {
        self.scale(-1.0)
    }
}
