//! `-x`.

use super::Value;
use crate::Result;

impl Value {
    /// `-x`, element by element.
    ///
    /// # Errors
    /// [`crate::Error::TooLarge`] for more elements than can be counted.
    pub fn negate(&self) -> Result<Self> {
        self.scale(-1.0)
    }
}
