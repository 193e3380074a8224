//! Tensors of files as sources of matrices.

use super::{Element, TensorView};
use crate::Result;
use crate::tensor::{ElementSource, SourceElement};

impl ElementSource for TensorView<'_> {
    fn element(&self) -> SourceElement {
        match TensorView::element(self) {
            Element::F64 => SourceElement::F64,
            Element::F16 => SourceElement::F16,
            Element::Bf16 => SourceElement::Bf16,
            _ => SourceElement::F32,
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
}
