//! `x` within ±`end`, to be multiplied by functions that are 0 further out; its slope counts as 1.

use super::pointwise::Pointwise;
use super::{Accurate, Value};
use crate::Result;
use crate::ops::Unary;
use crate::reference::unary;

impl Value {
    /// `x` within ±`end`, element by element. A factor that is 0 further out makes the product 0, for infinite x too.
    pub(super) fn bound(&self, end: f64) -> Result<Self> {
        self.through(Bound { end })
    }
}

/// The |x| from which on densities and slopes are 0, in `f64` too.
pub(super) const FAR: f64 = 1024.0;

/// The factor of densities and slopes, so that a product that is a normal number comes of normal numbers.
pub(super) const RAISED: f64 = (1 << 24) as f64;

#[derive(Debug)]
struct Bound {
    end: f64,
}

impl Pointwise for Bound {
    fn function(&self) -> &'static Unary {
        Unary::BOUND
    }

    fn parameter(&self) -> f64 {
        self.end
    }

    fn at(&self, x: f64) -> f64 {
        unary::bound(x, self.end)
    }

    fn accurate(&self) -> Option<Accurate> {
        Some(Accurate::exact(unary::bound, self.end, 1.0))
    }

    fn slope(&self, input: &Value, _output: &Value) -> Result<Option<Value>> {
        input.tape().fill(input.shape(), 1.0).map(Some)
    }
}
