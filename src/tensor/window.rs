//! A part of a source, so that a batch can be processed in parts.

use crate::Result;
use crate::tensor::storage::{ElementSource, SourceElement};

/// The elements of `source` from `first` on.
pub(crate) struct Window<'a, S: ?Sized> {
    pub(crate) source: &'a S,
    pub(crate) first: usize,
}

impl<S: ElementSource + ?Sized> ElementSource for Window<'_, S> {
    fn element(&self) -> SourceElement {
        self.source.element()
    }

    fn copy_f32(&self, first: usize, out: &mut [f32]) -> Result<()> {
        self.source.copy_f32(self.first.saturating_add(first), out)
    }

    fn copy_f64(&self, first: usize, out: &mut [f64]) -> Result<()> {
        self.source.copy_f64(self.first.saturating_add(first), out)
    }

    fn copy_half_bits(&self, first: usize, out: &mut [u16]) -> Result<()> {
        self.source.copy_half_bits(self.first.saturating_add(first), out)
    }

    fn lost(&self, values: &[f64]) -> f64 {
        self.source.lost(values)
    }
}
