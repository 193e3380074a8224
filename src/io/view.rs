//! The data of one tensor in row-major order, for any order of the file.

use std::borrow::Cow;

use half::{bf16, f16};

use super::integer::Integer;
use super::{Element, Entry, tensor_error};
use crate::{Error, Result};

/// The data of one tensor, with elements counted in row-major order.
///
/// Elements are converted during the copy alone, so that a tensor far larger than the caller's buffer can be read in
/// parts.
#[derive(Debug, Clone)]
pub struct TensorView<'a> {
    entry: &'a Entry,
    /// The bytes of the entry's elements, in the order of the file and without alignment.
    bytes: Cow<'a, [u8]>,
}

impl<'a> TensorView<'a> {
    /// A view of `bytes`, which must have the length of the elements of `entry`.
    pub(super) fn new(entry: &'a Entry, bytes: Cow<'a, [u8]>) -> Result<Self> {
        let expected = entry.bytes();
        if bytes.len() != expected {
            let problem = format!("{expected} bytes of data were expected, {} are there", bytes.len());
            return Err(tensor_error(&entry.file, &entry.name, problem));
        }
        Ok(Self { entry, bytes })
    }
}

impl<'a> TensorView<'a> {
    /// A view of the bytes of a tensor that was computed, little endian and row-major.
    #[cfg(feature = "io")]
    pub(crate) fn computed(entry: &'a Entry, bytes: impl Into<Cow<'a, [u8]>>) -> Result<Self> {
        Self::new(entry, bytes.into())
    }
}

impl TensorView<'_> {
    /// The lengths of the axes; empty for a scalar.
    pub fn shape(&self) -> &[usize] {
        &self.entry.shape
    }

    /// The type of the elements in the file.
    pub fn element(&self) -> &Element {
        &self.entry.element
    }

    /// Copies the elements `first..first + out.len()`, in row-major order, rounded to the nearest f32.
    ///
    /// Elements of a type that [`Element::fits_f32`] are never rounded. A value beyond the range of f32 becomes
    /// infinite; the caller must look for such values.
    ///
    /// # Errors
    /// [`Error::File`] where the tensor has fewer elements, or complex elements: [`TensorView::copy_complex`].
    pub fn copy_f32(&self, first: usize, out: &mut [f32]) -> Result<()> {
        match &self.entry.element {
            Element::F32 => self.copy(first, out, f32::from_le_bytes),
            Element::F16 => self.copy(first, out, |bytes| f16::from_le_bytes(bytes).to_f32()),
            Element::Bf16 => self.copy(first, out, |bytes| bf16::from_le_bytes(bytes).to_f32()),
            _ => self.decode(first, out, |value| value as f32),
        }
    }

    /// Copies the elements `first..first + out.len()` in row-major order, rounded to the nearest f64 where
    /// [`Element::fits_f64`] does not hold: integers beyond 2^53, and the extended precision of x86.
    ///
    /// # Errors
    /// [`Error::File`] where the tensor has fewer elements, or complex elements.
    pub fn copy_f64(&self, first: usize, out: &mut [f64]) -> Result<()> {
        self.decode(first, out, |value| value)
    }

    /// Copies the bits of the elements `first..first + out.len()` of an f16 or bf16 tensor, in row-major order.
    ///
    /// # Errors
    /// [`Error::File`] for elements of another type, or where the tensor has fewer elements.
    pub fn copy_half_bits(&self, first: usize, out: &mut [u16]) -> Result<()> {
        match &self.entry.element {
            Element::F16 | Element::Bf16 => self.copy(first, out, u16::from_le_bytes),
            _ => Err(self.unreadable("16-bit floats")),
        }
    }

    /// Copies the integers or booleans `first..first + out.len()`, in row-major order; 1 is true.
    ///
    /// # Errors
    /// [`Error::File`] for elements of another type, or where the tensor has fewer elements.
    pub(super) fn copy_integers(&self, first: usize, out: &mut [i128]) -> Result<()> {
        let Some(integer) = Integer::of(&self.entry.element) else { return Err(self.unreadable("integers")) };
        match integer.bytes {
            1 => self.copy(first, out, |bytes: [u8; 1]| integer.decode(bytes)),
            2 => self.copy(first, out, |bytes: [u8; 2]| integer.decode(bytes)),
            4 => self.copy(first, out, |bytes: [u8; 4]| integer.decode(bytes)),
            _ => self.copy(first, out, |bytes: [u8; 8]| integer.decode(bytes)),
        }
    }

    /// Copies elements of `SIZE` bytes through a decoder of their bytes, the lowest first.
    pub(super) fn copy<const SIZE: usize, T>(
        &self,
        first: usize,
        out: &mut [T],
        decode: impl Fn([u8; SIZE]) -> T,
    ) -> Result<()> {
        let (elements, _) = self.bytes.as_chunks::<SIZE>();
        let window = first.checked_add(out.len()).and_then(|end| elements.get(first..end));
        let Some(window) = window else { return Err(self.beyond(first, out.len(), elements.len())) };
        if self.is_big_endian() {
            let reversed = |mut bytes: [u8; SIZE]| {
                bytes.reverse();
                decode(bytes)
            };
            self.copy_in_order(elements, window, first, out, reversed);
        } else {
            self.copy_in_order(elements, window, first, out, decode);
        }
        Ok(())
    }

    /// Copies elements of at most 8 bits through a decoder of their codes. In a packed tensor an element follows the
    /// last from the lowest bits of a byte on.
    pub(super) fn copy_codes<T>(&self, first: usize, out: &mut [T], decode: impl Fn(u8) -> T) -> Result<()> {
        let bits = self.entry.element.bits();
        if bits == 8 || self.entry.layout.is_unpacked {
            return self.copy(first, out, |[code]| decode(code));
        }
        let elements = self.entry.elements();
        if first.checked_add(out.len()).is_none_or(|end| end > elements) {
            return Err(self.beyond(first, out.len(), elements));
        }
        let byte = |place: usize| u16::from(self.bytes.get(place).copied().unwrap_or(0));
        for (index, value) in (first..).zip(out) {
            // No overflow: index * bits / 8 is a place in memory.
            let (place, offset) = (index / 8 * bits + index % 8 * bits / 8, index % 8 * bits % 8);
            let pair = byte(place) | (byte(place + 1) << 8);
            *value = decode(((pair >> offset) & ((1 << bits) - 1)) as u8);
        }
        Ok(())
    }

    pub(super) fn is_big_endian(&self) -> bool {
        self.entry.layout.big_endian
    }

    fn copy_in_order<const SIZE: usize, T>(
        &self,
        elements: &[[u8; SIZE]],
        window: &[[u8; SIZE]],
        first: usize,
        out: &mut [T],
        decode: impl Fn([u8; SIZE]) -> T,
    ) {
        if self.entry.layout.column_major && self.entry.shape.len() > 1 {
            self.copy_column_major(elements, first, out, decode);
        } else {
            for (value, bytes) in out.iter_mut().zip(window) {
                *value = decode(*bytes);
            }
        }
    }

    /// Copies from a column-major tensor with an index for each axis; the last axis moves fastest, by a stride at each
    /// step.
    fn copy_column_major<const SIZE: usize, T>(
        &self,
        elements: &[[u8; SIZE]],
        first: usize,
        out: &mut [T],
        decode: impl Fn([u8; SIZE]) -> T,
    ) {
        // Empty tensors end here, which also keeps the divisions below from a length of 0.
        if out.is_empty() {
            return;
        }
        let shape = self.shape();
        // Products cannot overflow, because the product of all axes was checked and no axis is 0.
        let strides: Vec<usize> = shape
            .iter()
            .scan(1, |stride, &length| {
                let own = *stride;
                *stride *= length;
                Some(own)
            })
            .collect();
        let mut index = vec![0; shape.len()];
        let mut rest = first;
        for (position, &length) in index.iter_mut().zip(shape).rev() {
            *position = rest % length;
            rest /= length;
        }
        let mut offset: usize = index.iter().zip(&strides).map(|(position, stride)| position * stride).sum();
        for value in out {
            *value = decode(elements[offset]);
            for axis in (0..shape.len()).rev() {
                index[axis] += 1;
                offset += strides[axis];
                if index[axis] < shape[axis] {
                    break;
                }
                // After the last element every axis is back at 0, and the walk ends.
                offset -= strides[axis] * shape[axis];
                index[axis] = 0;
            }
        }
    }

    fn beyond(&self, first: usize, wanted: usize, elements: usize) -> Error {
        let problem = format!("{wanted} elements from element {first} on were asked for, the tensor has {elements}");
        tensor_error(&self.entry.file, &self.entry.name, problem)
    }

    pub(super) fn unreadable(&self, wanted: &str) -> Error {
        let problem = format!("{wanted} were asked for, the elements are {}", self.entry.element);
        tensor_error(&self.entry.file, &self.entry.name, problem)
    }
}
