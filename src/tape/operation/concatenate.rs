//! Values one after another along an axis: the sum of all, each padded to the whole.

use std::borrow::Borrow;

use super::{Value, expect_axes};
use crate::tape::Tape;
use crate::{Error, Result};

impl Tape {
    /// The values one after another along `axis`.
    ///
    /// ```
    /// use opnorm::{Gpu, tape::Tape};
    /// let tape = Tape::new(&Gpu::new()?);
    /// let (x, y) = (tape.input(&[1])?, tape.input(&[2])?);
    /// let joined = tape.concatenate(&[&x, &y], 0)?;
    /// assert_eq!(tape.compile(&[&x, &y], &[joined])?.evaluate(&[vec![1.0], vec![2.0, 3.0]])?[0], [1.0, 2.0, 3.0]);
    /// # Ok::<(), opnorm::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] when they differ along another axis, or there are none; [`Error::InvalidOption`] for an axis that
    /// is not there.
    pub fn concatenate(&self, values: &[impl Borrow<Value>], axis: usize) -> Result<Value> {
        let operation = "concatenate";
        self.expect_own(operation, values)?;
        let total: usize = values
            .iter()
            .map(|value| value.borrow().shape().get(axis).copied().unwrap_or(0))
            .fold(0, usize::saturating_add);
        let mut joined: Option<Value> = None;
        let mut first = 0;
        for value in values {
            let value = value.borrow();
            expect_axes(operation, value.shape().len(), &[axis])?;
            let size = value.shape()[axis];
            let padded = value.pad(axis, first, total - first - size)?;
            first += size;
            joined = Some(match joined {
                Some(joined) if joined.shape() == padded.shape() => joined.add(&padded)?,
                Some(joined) => {
                    return Err(Error::ShapeMismatch {
                        operation,
                        expected: format!("values that fill {:?}", joined.shape()),
                        found: format!("{:?}", value.shape()),
                    });
                }
                None => padded,
            });
        }
        joined.ok_or_else(|| Error::ShapeMismatch {
            operation,
            expected: "at least one value".to_string(),
            found: "none".to_string(),
        })
    }
}
