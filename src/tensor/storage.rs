//! How elements are stored on the device; arithmetic is `f32` whatever the storage.

use half::{bf16, f16};

use crate::Result;

/// The element type of a [`super::Matrix`] in device memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Storage {
    /// 32-bit floats.
    F32,
    /// 16-bit IEEE floats, two to a word.
    F16,
    /// 16-bit brain floats, two to a word.
    Bf16,
}

impl Storage {
    /// Words of 32 bits that four elements take.
    pub fn words_per_quad(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
        }
    }

    /// Elements from words, in order; exact.
    pub fn decode(self, words: &[u32]) -> Vec<f32> {
        let halves = || words.iter().flat_map(|word| [*word as u16, (*word >> 16) as u16]);
        match self {
            Self::F32 => words.iter().map(|word| f32::from_bits(*word)).collect(),
            Self::F16 => halves().map(|bits| f16::from_bits(bits).to_f32()).collect(),
            Self::Bf16 => halves().map(|bits| bf16::from_bits(bits).to_f32()).collect(),
        }
    }
}

/// The element type of an [`ElementSource`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SourceElement {
    /// 64-bit floats: used as `f32`, after an exact scaling by a power of two where their range asks for it.
    F64,
    /// 32-bit floats.
    F32,
    /// 16-bit IEEE floats.
    F16,
    /// 16-bit brain floats.
    Bf16,
}

/// Elements on the host, in row-major order, read in pieces: a slice, or a file that stays on disk.
pub trait ElementSource {
    /// The type of the elements.
    fn element(&self) -> SourceElement;

    /// Copies elements from `first` on, rounded to `f32` where they are `f64`.
    ///
    /// # Errors
    /// When the range lies outside the source.
    fn copy_f32(&self, first: usize, out: &mut [f32]) -> Result<()>;

    /// Copies elements from `first` on; exact.
    ///
    /// # Errors
    /// When the range lies outside the source.
    fn copy_f64(&self, first: usize, out: &mut [f64]) -> Result<()>;

    /// Copies the bits of 16-bit elements from `first` on.
    ///
    /// # Errors
    /// When the range lies outside the source, or its elements are not of 16 bits.
    fn copy_half_bits(&self, first: usize, out: &mut [u16]) -> Result<()>;
}

/// A slice of the host as a source.
macro_rules! slice_source {
    ($element:ty, $kind:expr, $single:expr, $double:expr, $bits:expr) => {
        impl ElementSource for [$element] {
            fn element(&self) -> SourceElement {
                $kind
            }

            fn copy_f32(&self, first: usize, out: &mut [f32]) -> Result<()> {
                let piece = super::part(self, first, out.len())?;
                out.iter_mut().zip(piece).for_each(|(out, value)| *out = $single(*value));
                Ok(())
            }

            fn copy_f64(&self, first: usize, out: &mut [f64]) -> Result<()> {
                let piece = super::part(self, first, out.len())?;
                out.iter_mut().zip(piece).for_each(|(out, value)| *out = $double(*value));
                Ok(())
            }

            fn copy_half_bits(&self, first: usize, out: &mut [u16]) -> Result<()> {
                let piece = super::part(self, first, out.len())?;
                for (out, value) in out.iter_mut().zip(piece) {
                    *out = $bits(*value)?;
                }
                Ok(())
            }
        }
    };
}

fn not_half<T>(_: T) -> Result<u16> {
    Err(crate::Error::ShapeMismatch {
        operation: "copy_half_bits",
        expected: "elements of 16 bits".to_string(),
        found: std::any::type_name::<T>().to_string(),
    })
}

slice_source!(f32, SourceElement::F32, |value: f32| value, f64::from, not_half::<f32>);
slice_source!(f64, SourceElement::F64, |value: f64| value as f32, |value: f64| value, not_half::<f64>);
slice_source!(f16, SourceElement::F16, f16::to_f32, f16::to_f64, |value: f16| Ok(value.to_bits()));
slice_source!(bf16, SourceElement::Bf16, bf16::to_f32, bf16::to_f64, |value: bf16| Ok(value.to_bits()));
