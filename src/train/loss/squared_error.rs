//! Mean squared error.

use crate::tape::Value;
use crate::{Error, Result};

/// The mean of (output - target)² over all elements.
///
/// *Shapes*  `target`: as `output`
///
/// # Errors
/// [`Error::ShapeMismatch`]
pub fn mean_squared_error(output: &Value, target: &Value) -> Result<Value> {
    if output.shape() != target.shape() {
        return Err(Error::ShapeMismatch {
            operation: "mean_squared_error",
            expected: format!("a target of shape {:?}", output.shape()),
            found: format!("{:?}", target.shape()),
        });
    }
    output.subtract(target)?.square()?.mean(&(0..output.shape().len()).collect::<Vec<_>>())
}
