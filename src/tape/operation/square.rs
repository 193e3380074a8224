//! `x²`.

use super::Value;
use crate::Result;

impl Value {
    /// `x²`, element by element.
    ///
    /// # Errors
    /// [`crate::Error::TooLarge`] for more elements than can be counted.
    pub fn square(&self) -> Result<Self> {
        self.multiply(self)
    }
}
