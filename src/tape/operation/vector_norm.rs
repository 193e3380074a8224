//! Norms of vectors that lie along some axes.

use super::{Value, expect_axes};
use crate::{Error, Result};

/// The largest finite exponent.
const LARGEST: f64 = (1 << 24) as f64;

impl Value {
    /// The norm `(Σ |x|^p)^(1/p)` over `axes`, which the result does not have; the largest |x| for infinite `p`.
    ///
    /// The norm is NaN where an element is, and for finite `p` where an element is infinite. Elements are divided by
    /// the largest first, so that nothing overflows or underflows unless the norm does.
    ///
    /// Derivatives of every order are 0 at the vector 0. For `p` that is not even, the derivative by an element that is
    /// 0 is 0. For infinite `p`, the derivative is that of the first of the largest elements.
    ///
    /// ```
    /// use opnorm::{Device, tape::Tape};
    /// let tape = Tape::new(&Device::new()?);
    /// let x = tape.input(&[2])?;
    /// let norm = x.vector_norm(&[0], 2.0)?;
    /// let slope = tape.grad(&norm, &[&x])?.remove(0);
    /// let found = tape.compile(&[&x], &[norm, slope])?.evaluate(&[[3e300, -4e300]])?;
    /// assert!((found[0][0] / 5e300 - 1.0).abs() < 1e-12 && (found[1][0] - 0.6).abs() < 1e-12);
    /// # Ok::<(), opnorm::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidOption`] for `p` below 1, finite above 2^24 or NaN, and for an axis that does not exist or is
    /// named twice.
    pub fn vector_norm(&self, axes: &[usize], p: f64) -> Result<Self> {
        let operation = "vector_norm";
        // Above 2^24, p - 1 is no `f32`, and whether p is even is lost.
        let is_known = (1.0..=LARGEST).contains(&p) || p == f64::INFINITY;
        if !is_known {
            return Err(Error::InvalidOption {
                operation,
                option: "p",
                value: format!("{p}"),
                allowed: "from 1 to 2^24, or infinite",
            });
        }
        let axes = expect_axes(operation, self.shape().len(), axes)?;
        let mut result = Vec::new();
        let mut kept = self.shape().to_vec();
        for (axis, size) in self.shape().iter().enumerate() {
            if axes.contains(&axis) {
                kept[axis] = 1;
            } else {
                result.push(*size);
            }
        }
        if axes.iter().any(|axis| self.shape()[*axis] == 0) {
            return self.tape().fill(&result, 0.0);
        }
        let size = self.abs()?;
        let largest = axes.iter().rev().try_fold(size.clone(), |largest, axis| largest.max(*axis))?;
        if p.is_infinite() {
            return Ok(largest);
        }
        let largest = largest.reshape(&kept)?.stop_gradient()?;
        // A power of two brings the divisor into the range where WGSL bounds the error of a quotient.
        let is_large = largest.shift(-1.0)?.step()?;
        let is_small = is_large.negate()?.shift(1.0)?;
        let factor = is_large.scale(2f64.powi(-FAR))?.add(&is_small.scale(2f64.powi(FAR))?)?;
        let scaled = largest.multiply(&factor)?;
        // 1 for the vector 0, so that neither the sum nor the divisor is 0.
        let is_zero = scaled.step()?.negate()?.shift(1.0)?;
        let divisor = scaled.add(&is_zero)?;
        let powers = if p == 2.0 {
            self.multiply(&factor)?.divide(&divisor)?.square()?
        } else if p % 2.0 == 0.0 {
            self.multiply(&factor)?.divide(&divisor)?.power(p)?
        } else {
            // A root has no slope at 0, so there the root of 1 is taken, times 0.
            let is_there = size.multiply(&factor)?.step()?;
            let share = size.multiply(&factor)?.divide(&divisor)?;
            share.add(&is_there.negate()?.shift(1.0)?)?.power(p)?.multiply(&is_there)?
        };
        let sum = powers.sum(&axes)?.reshape(&kept)?.add(&is_zero)?;
        let root = if p == 2.0 { sum.sqrt()? } else { sum.power(p.recip())? };
        largest.multiply(&root)?.reshape(&result)
    }

    /// `√(Σ x²)` over the last two axes, as [`Value::vector_norm`].
    ///
    /// *Shapes*  this: batch × rows × cols · result: batch, which is any axes
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] for fewer than two axes.
    pub fn frobenius_norm(&self) -> Result<Self> {
        match self.shape().len() {
            rank @ 2.. => self.vector_norm(&[rank - 2, rank - 1], 2.0),
            _ => Err(Error::ShapeMismatch {
                operation: "frobenius_norm",
                expected: "at least two axes".to_string(),
                found: format!("{:?}", self.shape()),
            }),
        }
    }
}

/// The exponent of the power of two that brings elements nearer to 1, from either side.
const FAR: i32 = 64;
