//! The elements of a weight: stored values times their scales.

use super::layout::Layout;
use crate::Result;
use crate::io::{TensorView, fp4_values};
use crate::tensor::{ElementSource, SourceElement};

/// The scales of a weight, in the order of their grid.
#[derive(Clone, Debug)]
pub(super) struct Scales<'a> {
    pub layout: &'a Layout,
    pub values: Vec<f64>,
}

/// The elements of a weight: stored values times their scales, each multiplied when it is read.
///
/// A stored value has at most 8 significant bits and a scale at most 28, so that the products are exact in `f64`.
#[derive(Clone, Debug)]
pub struct Dequantised<'a> {
    view: TensorView<'a>,
    scales: Scales<'a>,
    /// The value of each code of an fp4.
    codes: [f64; 16],
}

impl<'a> Dequantised<'a> {
    /// The weight of some stored values.
    pub(super) fn new(view: TensorView<'a>, scales: Scales<'a>) -> Self {
        let codes = fp4_values();
        Self { view, scales, codes }
    }

    /// Copies stored values.
    fn copy_stored(&self, first: usize, out: &mut [f64]) -> Result<()> {
        if !self.scales.layout.is_packed {
            return self.view.copy_f64(first, out);
        }
        let mut bytes = vec![0.0; (first % 2 + out.len()).div_ceil(2)];
        self.view.copy_f64(first / 2, &mut bytes)?;
        for (index, value) in (first % 2..).zip(out) {
            let byte = bytes[index / 2] as u8;
            let code = if index % 2 == 0 { byte & 15 } else { byte >> 4 };
            *value = self.codes[usize::from(code)];
        }
        Ok(())
    }
}

impl ElementSource for Dequantised<'_> {
    fn element(&self) -> SourceElement {
        SourceElement::F64
    }

    fn copy_f32(&self, first: usize, out: &mut [f32]) -> Result<()> {
        let mut values = vec![0.0; out.len()];
        self.copy_f64(first, &mut values)?;
        out.iter_mut().zip(values).for_each(|(out, value)| *out = value as f32);
        Ok(())
    }

    fn copy_f64(&self, first: usize, out: &mut [f64]) -> Result<()> {
        self.copy_stored(first, out)?;
        let (cols, block) = self.scales.layout.last();
        let mut done = 0;
        while done < out.len() {
            let (line, mut col) = ((first + done) / cols, (first + done) % cols);
            let scales = &self.scales.values[self.scales.layout.first_of(line)..];
            while col < cols && done < out.len() {
                let end = (col / block + 1) * block;
                let count = (end.min(cols) - col).min(out.len() - done);
                let scale = scales[col / block];
                out[done..done + count].iter_mut().for_each(|value| *value *= scale);
                (col, done) = (col + count, done + count);
            }
        }
        Ok(())
    }

    fn copy_half_bits(&self, first: usize, _: &mut [u16]) -> Result<()> {
        // The view refuses with the names.
        self.view.copy_half_bits(first, &mut [])
    }
}
