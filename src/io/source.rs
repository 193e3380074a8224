//! Tensors of files as sources of matrices.

use super::{Element, TensorView};
use crate::Result;
use crate::bound::Up;
use crate::tensor::{ElementSource, SourceElement};

/// The unit roundoff of f64.
const UNIT: f64 = f64::EPSILON / 2.0;

/// The size up to which f64 holds every integer.
const EXACT: f64 = 1.0 / UNIT;

impl ElementSource for TensorView<'_> {
    fn element(&self) -> SourceElement {
        match TensorView::element(self) {
            Element::F16 => SourceElement::F16,
            Element::Bf16 => SourceElement::Bf16,
            element if element.fits_f32() => SourceElement::F32,
            _ => SourceElement::F64,
        }
    }

    fn copy_f32(&self, first: usize, out: &mut [f32]) -> Result<()> {
        TensorView::copy_f32(self, first, out)
    }

    fn copy_f64(&self, first: usize, out: &mut [f64]) -> Result<()> {
        TensorView::copy_f64(self, first, out)
    }

    fn copy_half_bits(&self, first: usize, out: &mut [u16]) -> Result<()> {
        TensorView::copy_half_bits(self, first, out)
    }

    fn lost(&self, values: &[f64]) -> f64 {
        match TensorView::element(self) {
            // Integers below 2^53 are exact, and half a unit in the last place of the others is at most 2^-53 of them.
            Element::I64 | Element::U64 => {
                let large: Vec<f64> = values.iter().copied().filter(|value| value.abs() >= EXACT).collect();
                if large.is_empty() { 0.0 } else { (Up::norm(&large) * Up::of(UNIT)).value() }
            }
            Element::F80 { .. } => {
                // Below 2^-1022 half a unit in the last place is at most 2^-1075.
                (Up::norm(values) * Up::of(UNIT) + Up::of(values.len() as f64) * Up::of(f64::MIN_POSITIVE)).value()
            }
            _ => 0.0,
        }
    }
}
