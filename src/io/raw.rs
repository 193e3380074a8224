//! Raw elements, whose type a file of numpy leaves open.

use super::npy_type::{NAMES, known};
use super::tiny::Tiny;
use super::{Checkpoint, Element};

impl Checkpoint {
    /// The checkpoint with its raw elements, whose type a `.npy` or `.npz` leaves open, read as a type of their size.
    ///
    /// numpy has no types of its own for bf16 and fp8: ml_dtypes writes them as `<V2` and `<V1`. Without this call the
    /// former are read as bf16, and the latter not at all.
    ///
    /// ```
    /// # fn main() -> opnorm::Result<()> {
    /// use opnorm::io::{Checkpoint, Element};
    /// let header = "{'descr': '<V1', 'fortran_order': False, 'shape': (2,), }";
    /// let bytes = [b"\x93NUMPY\x01\x00", &[header.len() as u8, 0][..], header.as_bytes(), &[0x38, 0xb8]].concat();
    /// let checkpoint = Checkpoint::from_bytes("a.npy", bytes)?;
    /// assert!(checkpoint.entries()[0].skipped().is_some());
    /// let checkpoint = checkpoint.with_raw(&Element::F8E4M3);
    /// let mut values = [0.0; 2];
    /// checkpoint.read(&checkpoint.entries()[0])?.copy_f32(0, &mut values)?;
    /// assert_eq!(values, [1.0, -1.0]);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_raw(mut self, element: &Element) -> Self {
        for entry in self.entries_mut() {
            if entry.layout.raw.is_some_and(|bytes| bytes == element.size() && bytes > 0) {
                entry.element = element.clone();
                entry.layout.is_unpacked = element.bits() < 8;
                entry.layout.is_told = true;
            }
        }
        self
    }
}

impl Element {
    /// The type that raw elements of numpy's files may have, by a name such as `e4m3`, `f8_e4m3` or `float8_e4m3fn`.
    ///
    /// ```
    /// use opnorm::io::Element;
    /// assert_eq!(Element::raw("e4m3"), Some(Element::F8E4M3));
    /// assert_eq!(Element::raw("bf16"), Some(Element::Bf16));
    /// assert_eq!(Element::raw("i8"), None);
    /// ```
    pub fn raw(name: &str) -> Option<Self> {
        let is_named = |element: &&Self| {
            let word = element.to_string();
            let short = word.strip_prefix("f8_").or(word.strip_prefix("f6_"));
            word == name || short == Some(name) || (name == "e2m1" && **element == Self::F4E2M1)
        };
        let named = NAMES.iter().map(|(_, element)| element).filter(|element| is_raw(element)).find(is_named);
        named.cloned().or_else(|| known(&NAMES, name).filter(is_raw))
    }
}

/// Whether numpy has no type of its own for the elements, or one of 16 bits that a file may hide.
fn is_raw(element: &Element) -> bool {
    matches!(element, Element::F16 | Element::Bf16) || Tiny::of(element).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_types_have_short_and_long_names() {
        for (name, element) in [
            ("e4m3", Element::F8E4M3),
            ("f8_e4m3", Element::F8E4M3),
            ("float8_e4m3fn", Element::F8E4M3),
            ("e5m2fnuz", Element::F8E5M2Fnuz),
            ("e8m0", Element::F8E8M0),
            ("e2m3", Element::F6E2M3),
            ("e2m1", Element::F4E2M1),
            ("float4_e2m1fn", Element::F4E2M1),
            ("bf16", Element::Bf16),
            ("f16", Element::F16),
        ] {
            assert_eq!(Element::raw(name), Some(element), "{name}");
        }
        assert!(["f4x", "i8", "f32", "", "e4m4"].iter().all(|name| Element::raw(name).is_none()));
    }
}
