//! Single items as batches.

use crate::Result;
use crate::tape::Value;

/// A single vector as a batch of one; other values as they are.
pub(super) fn batched(value: &Value) -> Result<Value> {
    match value.shape() {
        [] => value.reshape(&[1, 1]),
        [length] => value.reshape(&[1, *length]),
        shape => value.reshape(shape),
    }
}
