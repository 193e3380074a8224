//! Rows of a source as words of a storage, screened on the way.

use std::ops::{BitAnd, Range};

use crate::Result;
use crate::tensor::position::Position;
use crate::tensor::screen::{Screen, scaling};
use crate::tensor::storage::{ElementSource, SourceElement, Storage};

/// Elements that are copied and then screened, so that the screening finds them in the processor's cache.
const BLOCK: usize = 1 << 16;

/// The way of rows from a source to the words of a storage.
pub(super) struct Encoder<'a, S: ?Sized> {
    pub(super) source: &'a S,
    /// The items, and the rows and columns of each.
    pub(super) shape: (usize, usize, usize),
    pub(super) storage: Storage,
    /// The power of two that each item is divided by.
    pub(super) exponents: &'a [i32],
}

impl<S: ElementSource + ?Sized> Encoder<'_, S> {
    /// Writes some rows of the whole batch to zeroed `words`, and screens their elements for their items; `screens` are
    /// those from the first row's item on.
    pub(super) fn encode(&self, rows: Range<usize>, words: &mut [u32], screens: &mut [Screen]) -> Result<()> {
        let (_, item_rows, cols) = self.shape;
        let words_per_row = cols.div_ceil(4) * self.storage.words_per_quad();
        let (step, mut wide) = ((BLOCK / cols).max(1), Vec::new());
        let mut first = rows.start;
        while first < rows.end {
            let (item, row) = (first / item_rows, first % item_rows);
            let count = step.min(item_rows - row).min(rows.end - first);
            let block = &mut words[(first - rows.start) * words_per_row..][..count * words_per_row];
            let (screen, exponent) = (&mut screens[item - rows.start / item_rows], self.exponents[item]);
            if self.storage != Storage::F32 {
                let halves = bytemuck::cast_slice_mut::<u32, u16>(block);
                self.copy(first, halves, |start, out| self.source.copy_half_bits(start, out))?;
                let infinity = if self.storage == Storage::F16 { 0x7c00 } else { 0x7f80 };
                let value = |bits| f64::from(self.storage.decode(&[u32::from(bits)])[0]);
                see(screen, (halves, 2 * words_per_row), row, (0x7fff, infinity), value);
            } else if exponent == 0 && self.source.element() != SourceElement::F64 {
                self.copy(first, block, |start, out| self.source.copy_f32(start, bytemuck::cast_slice_mut(out)))?;
                let value = |bits| f64::from(f32::from_bits(bits));
                see(screen, (block, words_per_row), row, (0x7fff_ffff, 0x7f80_0000), value);
            } else {
                wide.resize(count * cols, 0);
                self.source.copy_f64(first * cols, bytemuck::cast_slice_mut(&mut wide))?;
                see(screen, (&wide, cols), row, (u64::MAX >> 1, 0x7ff << 52), f64::from_bits);
                let scaled = scaling(-exponent);
                for (words, values) in block.chunks_exact_mut(words_per_row).zip(wide.chunks_exact(cols)) {
                    for (word, value) in words.iter_mut().zip(values) {
                        *word = (scaled(f64::from_bits(*value)) as f32).to_bits();
                    }
                }
            }
            first += count;
        }
        Ok(())
    }

    /// Copies whole rows from `first` on, at once where rows have no padding.
    fn copy<T>(&self, first: usize, block: &mut [T], copy: impl Fn(usize, &mut [T]) -> Result<()>) -> Result<()> {
        let cols = self.shape.2;
        if cols.is_multiple_of(4) {
            return copy(first * cols, block);
        }
        let mut rows = block.chunks_exact_mut(cols.next_multiple_of(4)).enumerate();
        rows.try_for_each(|(offset, row)| copy((first + offset) * cols, &mut row[..cols]))
    }
}

/// Takes in rows of `wide` elements each from row `first` of an item on, by their bits.
///
/// `mask` leaves the sign out, and the magnitudes of finite elements lie below that of infinity.
fn see<B: Copy + Ord + Default + BitAnd<Output = B>>(
    screen: &mut Screen,
    (elements, wide): (&[B], usize),
    first: usize,
    (mask, infinity): (B, B),
    value: impl FnOnce(B) -> f64,
) {
    let mut largest = elements.iter().fold(B::default(), |largest, bits| (*bits & mask).max(largest));
    let mut non_finite = None;
    if largest >= infinity {
        let magnitudes = || elements.iter().map(|bits| *bits & mask);
        largest = magnitudes().filter(|magnitude| *magnitude < infinity).max().unwrap_or_default();
        let place = magnitudes().position(|magnitude| magnitude >= infinity);
        non_finite = place.map(|place| Position { row: first + place / wide, col: place % wide });
    }
    screen.join(value(largest), non_finite);
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by it")]
mod tests {
    use half::f16;

    use super::*;

    fn encoded<S: ElementSource>(source: &S, storage: Storage, exponent: i32) -> (Vec<u32>, Vec<Screen>) {
        let exponents = [exponent; 2];
        let encoder = Encoder { source, shape: (2, 3, 5), storage, exponents: &exponents };
        let mut words = vec![0; 6 * 2 * storage.words_per_quad()];
        let mut screens = vec![Screen::default(); 2];
        encoder.encode(0..6, &mut words, &mut screens).unwrap();
        (words, screens)
    }

    #[test]
    fn every_way_has_the_words_and_screens_of_each_element() {
        let mut values: Vec<f64> = (0..30).map(|place| f64::from(place * 7 % 11) - 5.0).collect();
        values[21] = f64::NAN; // row 1, column 1 of the second item
        values[28] = f64::INFINITY;
        let mut screens = [Screen::default(), Screen::default()];
        for (place, value) in values.iter().enumerate() {
            screens[place / 15].see(*value, || Position { row: place % 15 / 5, col: place % 5 });
        }
        let singles: Vec<f32> = values.iter().map(|value| *value as f32).collect();
        let halves: Vec<f16> = values.iter().map(|value| f16::from_f64(*value)).collect();
        let (words, found) = encoded(&singles, Storage::F32, 0);
        assert_eq!(found, screens);
        assert_eq!((words[5..8].to_vec(), words[8]), (vec![0; 3], singles[5].to_bits()), "rows are padded to quads");
        assert_eq!(encoded(&values, Storage::F32, 0), (words.clone(), screens.to_vec()));
        let (of_halves, found) = encoded(&halves, Storage::F16, 0);
        assert_eq!(found, screens);
        let widened = |values: Vec<f32>| values.iter().map(|value| value.to_bits()).collect::<Vec<u32>>();
        assert_eq!(widened(Storage::F16.decode(&of_halves))[..33], words[..33], "up to the first NaN");
        let quarters: Vec<f64> = values.iter().map(|value| value / 4.0).collect();
        assert_eq!(encoded(&quarters, Storage::F32, -2).0[..33], words[..33]);
    }
}
