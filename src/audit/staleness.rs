//! The norm of the weight that a layer uses, beside the parts that are stored.

use super::{Order, Row, Stored};
use crate::io::Element;
use crate::layer::pytorch::Estimate;

/// The part of the norm by which a stored estimate may be off before a warning.
const STALE: f64 = 0.01;

/// The part by which a layer may exceed 1 before a warning.
const EXCESS: f64 = 1e-4;

/// The deviation of a length from 1 that rounding to `f32` explains, with room for sums of `f32`.
const UNIT: f64 = 1e-5;

impl Row {
    /// uᵀ W v divided by the spectral norm of the stored W; 1 where the stored vectors are those of W.
    pub fn staleness(&self) -> Option<f64> {
        let (estimate, sigma) = (self.estimate()?, self.spectral()?);
        // The norm of W / (uᵀ W v) is that of W divided by the estimate.
        (sigma > 0.0).then(|| estimate.sigma.signum() / sigma)
    }

    /// The spectral norm of a layer with spectral normalisation, less 1.
    pub fn excess(&self) -> Option<f64> {
        self.estimate()?;
        self.spectral().filter(|sigma| *sigma > 0.0).map(|sigma| sigma - 1.0)
    }

    fn estimate(&self) -> Option<&Estimate> {
        self.stored.as_ref()?.estimate.as_ref()
    }

    fn spectral(&self) -> Option<f64> {
        self.sigma.filter(|sigma| self.order == Order::Spectral && sigma.is_finite())
    }

    /// Sets the facts about the parts, with their warning.
    pub(super) fn set_stored(&mut self, stored: Stored) {
        self.stored = Some(stored);
        let Some(estimate) = self.estimate().copied() else { return };
        if estimate.axis > 0 && self.shape.len() > 2 {
            self.note(format!("the rows of the matrix lie along axis {} of the stored weight", estimate.axis));
        }
        let rounding = unit_roundoff(&self.element);
        let mut words = Vec::new();
        for (name, length) in [("u", estimate.left), ("v", estimate.right)] {
            if (length - 1.0).abs() > UNIT.max(2.0 * rounding) {
                words.push(format!("{name} has length {length:.6}, not 1"));
            }
        }
        if let Some(staleness) = self.staleness().filter(|staleness| (staleness - 1.0).abs() > STALE) {
            words.push(format!("the stored u and v are stale: uᵀWv is {staleness:.4} of the norm"));
        }
        if let Some(excess) = self.excess().filter(|excess| *excess > EXCESS.max(2.0 * rounding)) {
            words.push(format!("the layer exceeds 1 by {excess:.4}"));
        }
        if !words.is_empty() {
            let words = words.join("; ");
            self.note(words.clone());
            self.stored.iter_mut().for_each(|stored| stored.warning = Some(words.clone()));
        }
    }
}

/// The largest relative error of a rounding to the type.
fn unit_roundoff(element: &Element) -> f64 {
    match element {
        Element::F16 => 2f64.powi(-11),
        Element::Bf16 => 2f64.powi(-8),
        _ => 2f64.powi(-24),
    }
}
