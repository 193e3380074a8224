//! The self-normalising ELU.

use super::Value;
use crate::Result;

/// The factor and the alpha of a layer that keeps mean 0 and variance 1.
const SCALE: f64 = 1.050_700_987_355_480_5;
const ALPHA: f64 = 1.673_263_242_354_377_2;

impl Value {
    /// 1.0507 times [`Value::elu`] with alpha = 1.6733, element by element (Klambauer, Unterthiner, Mayr and
    /// Hochreiter,
    /// *Self-normalizing neural networks*, 2017).
    ///
    /// # Errors
    /// [`crate::Error::TooLarge`] for more elements than can be counted.
    pub fn selu(&self) -> Result<Self> {
        self.elu(ALPHA)?.scale(SCALE)
    }
}
