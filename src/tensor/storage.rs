//! The storage of elements on the device, and the sources of elements on the host; arithmetic is `f32` in every
//! storage.

use half::{bf16, f16};

use crate::{Error, Result};

/// The element type of a [`super::Matrix`] in device memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
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
#[non_exhaustive]
pub enum SourceElement {
    /// 64-bit floats: rounded to `f32`, after an exact scaling by a power of two where their range asks for it.
    F64,
    /// 32-bit floats.
    F32,
    /// 16-bit IEEE floats.
    F16,
    /// 16-bit brain floats.
    Bf16,
}

/// Elements on the host, in row-major order, read in pieces: a slice, an array, a vector, or a file that stays on disk.
///
/// Literals without a type are `f64`. Rows may be arrays: `[[f64; 3]]` holds the elements of its rows one after the
/// other.
///
/// ```
/// use opnorm::{Device, Matrix, certify::Certifier};
/// let device = Device::new()?;
/// let rows = vec![[3.0, 4.0], [0.0, 5.0]];
/// let matrix = Matrix::upload(&device, (1, 2, 2), &rows)?;
/// assert_eq!(matrix.read()?, [3.0, 4.0, 0.0, 5.0]);
/// let bounds = Certifier::default().certify_on_host((1, 2, 2), &[3.0, 4.0, 0.0, 5.0])?[0].bounds;
/// assert!(bounds.lower <= 45f64.sqrt() && 45f64.sqrt() <= bounds.upper);
/// # Ok::<(), opnorm::Error>(())
/// ```
pub trait ElementSource {
    /// The type of the elements.
    fn element(&self) -> SourceElement;

    /// Copies elements from `first` on, rounded to `f32` where they are `f64`.
    ///
    /// # Errors
    /// When the range lies outside the source.
    fn copy_f32(&self, first: usize, out: &mut [f32]) -> Result<()>;

    /// Copies elements from `first` on; exact, but for the distance that [`ElementSource::lost`] bounds.
    ///
    /// # Errors
    /// When the range lies outside the source.
    fn copy_f64(&self, first: usize, out: &mut [f64]) -> Result<()>;

    /// An upper bound of the 2-norm of all errors that [`ElementSource::copy_f64`] made in some of its values: 0,
    /// unless the elements are of a type that `f64` does not hold.
    fn lost(&self, values: &[f64]) -> f64 {
        let _ = values;
        0.0
    }

    /// Copies the bits of 16-bit elements from `first` on.
    ///
    /// # Errors
    /// When the range lies outside the source, or its elements are not of 16 bits.
    fn copy_half_bits(&self, first: usize, out: &mut [u16]) -> Result<()>;
}

/// A float that slices, arrays and vectors of are sources: `f32`, `f64`, `f16` or `bf16`.
pub trait Element: Copy + Sync + sealed::Sealed {
    /// The type, as a source says it.
    const KIND: SourceElement;

    /// The value, rounded to `f32` where it is `f64`.
    fn single(self) -> f32;

    /// The value; exact.
    fn double(self) -> f64;

    /// The bits of a value of 16 bits.
    fn half_bits(self) -> Option<u16>;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! element {
    ($element:ty, $kind:ident, $single:expr, $double:expr, $bits:expr) => {
        impl sealed::Sealed for $element {}

        impl Element for $element {
            const KIND: SourceElement = SourceElement::$kind;

            fn single(self) -> f32 {
                $single(self)
            }

            fn double(self) -> f64 {
                $double(self)
            }

            fn half_bits(self) -> Option<u16> {
                $bits(self)
            }
        }
    };
}

element!(f32, F32, |value: f32| value, f64::from, |_: f32| None);
element!(f64, F64, |value: f64| value as f32, |value: f64| value, |_: f64| None);
element!(f16, F16, f16::to_f32, f16::to_f64, |value: f16| Some(value.to_bits()));
element!(bf16, Bf16, bf16::to_f32, bf16::to_f64, |value: bf16| Some(value.to_bits()));

impl<T: Element> ElementSource for [T] {
    fn element(&self) -> SourceElement {
        T::KIND
    }

    fn copy_f32(&self, first: usize, out: &mut [f32]) -> Result<()> {
        let piece = part(self, first, out.len())?;
        out.iter_mut().zip(piece).for_each(|(out, value)| *out = value.single());
        Ok(())
    }

    fn copy_f64(&self, first: usize, out: &mut [f64]) -> Result<()> {
        let piece = part(self, first, out.len())?;
        out.iter_mut().zip(piece).for_each(|(out, value)| *out = value.double());
        Ok(())
    }

    fn copy_half_bits(&self, first: usize, out: &mut [u16]) -> Result<()> {
        let piece = part(self, first, out.len())?;
        for (out, value) in out.iter_mut().zip(piece) {
            *out = value.half_bits().ok_or_else(|| Error::ShapeMismatch {
                operation: "copy_half_bits",
                expected: "elements of 16 bits".to_string(),
                found: std::any::type_name::<T>().to_string(),
            })?;
        }
        Ok(())
    }
}

/// The `len` elements of `data` from `first` on.
fn part<T>(data: &[T], first: usize, len: usize) -> Result<&[T]> {
    let end = first.checked_add(len);
    end.and_then(|end| data.get(first..end)).ok_or_else(|| Error::OutOfRange {
        operation: "read elements",
        what: "elements",
        found: first..first.saturating_add(len),
        length: data.len(),
    })
}

/// A source that delegates to the source that it holds.
macro_rules! holding_source {
    ([$($generics:tt)*] $source:ty, $this:ident => $held:expr) => {
        impl<$($generics)*> ElementSource for $source {
            fn element(&self) -> SourceElement {
                let $this = self;
                $held.element()
            }

            fn copy_f32(&self, first: usize, out: &mut [f32]) -> Result<()> {
                let $this = self;
                $held.copy_f32(first, out)
            }

            fn copy_f64(&self, first: usize, out: &mut [f64]) -> Result<()> {
                let $this = self;
                $held.copy_f64(first, out)
            }

            fn copy_half_bits(&self, first: usize, out: &mut [u16]) -> Result<()> {
                let $this = self;
                $held.copy_half_bits(first, out)
            }

            fn lost(&self, values: &[f64]) -> f64 {
                let $this = self;
                $held.lost(values)
            }
        }
    };
}

holding_source!([T: Element] Vec<T>, source => source.as_slice());
holding_source!([T: Element, const N: usize] [T; N], source => source.as_slice());
// Rows: no deeper, as a rule that calls itself would leave the type of literals open.
holding_source!([T: Element, const N: usize] [[T; N]], source => source.as_flattened());
holding_source!([T: Element, const N: usize] Vec<[T; N]>, source => source.as_flattened());
holding_source!([T: Element, const N: usize, const M: usize] [[T; N]; M], source => source.as_flattened());
holding_source!([S: ElementSource + ?Sized] &S, source => **source);
