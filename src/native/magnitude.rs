//! The largest finite magnitude of elements, and the first element that is not finite.

use super::wide::wide;
use crate::tensor::stored::Stored;

/// The bits of infinity: those of any finite magnitude are less.
const INFINITE: u32 = 0x7f80_0000;

wide! {
    /// The bits of the largest finite magnitude, and the index of the first element that is not finite, counted from
    /// `first` on; `u32::MAX` for none.
    ///
    /// *Accuracy*  exact.
    pub(crate) fn largest_magnitude<S: Stored>(elements: &[S::Bits], first: u32) -> [u32; 2] {
        let magnitude = |element: S::Bits| S::widen(element).to_bits() & 0x7fff_ffff;
        let all = elements.iter().fold(0, |largest, element| magnitude(*element).max(largest));
        if all < INFINITE {
            return [all, u32::MAX];
        }
        let finite = elements.iter().map(|element| magnitude(*element)).filter(|magnitude| *magnitude < INFINITE);
        let bad = elements.iter().position(|element| magnitude(*element) >= INFINITE);
        [finite.max().unwrap_or(0), bad.map_or(u32::MAX, |place| first + place as u32)]
    }
}
