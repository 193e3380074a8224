//! Row panels: pieces of a matrix that fit a binding each.

use std::ops::Range;

use crate::device::{Buffer, Capabilities, Device};
use crate::tensor::storage::Storage;
use crate::{Error, Result};

/// Whole rows of a matrix in one buffer: either several whole batch items, or a run of rows of one item.
#[derive(Clone, Debug)]
pub struct Panel {
    pub(crate) words: Buffer<u32>,
    pub(crate) place: Place,
}

impl Panel {
    /// The batch items with rows in the panel; several only where each item is whole.
    pub fn items(&self) -> Range<usize> {
        self.place.items.clone()
    }

    /// The number of rows of each item in the panel.
    pub fn rows(&self) -> Range<usize> {
        self.place.rows.clone()
    }
}

/// The rows of a batched matrix in one panel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The batch items; several only where each item is whole.
    pub(crate) items: Range<usize>,
    /// The rows of each item.
    pub(crate) rows: Range<usize>,
}

impl Place {
    pub(crate) fn row_count(&self) -> usize {
        self.items.len() * self.rows.len()
    }

    /// The rows, counted over the whole batch of items of `item_rows` rows each.
    pub(crate) fn flat_rows(&self, item_rows: usize) -> Range<usize> {
        let first = self.items.start * item_rows + self.rows.start;
        first..first + self.row_count()
    }
}

/// The divisor of a panel's rows where a panel does not hold whole items, so that panels of an outside buffer start on
/// any device's binding alignment.
const ROW_MULTIPLE: usize = 64;

/// Zeroed panels for a batched matrix.
pub(super) fn allocate(device: &Device, shape: (usize, usize, usize), storage: Storage) -> Result<Vec<Panel>> {
    let words_per_row = shape.2.div_ceil(4) * storage.words_per_quad();
    let allocated = cut(device.capabilities(), shape, storage)?.into_iter().map(|place| {
        let words = Buffer::zeros(device, "matrix", place.row_count() * words_per_row)?;
        Ok(Panel { words, place })
    });
    allocated.collect()
}

/// As [`allocate`], for panels that the host alone writes: textures where the device reads these faster.
pub(super) fn allocate_uploaded(device: &Device, shape: (usize, usize, usize), storage: Storage) -> Result<Vec<Panel>> {
    let capabilities = device.capabilities();
    let words_per_row = shape.2.div_ceil(4) * storage.words_per_quad();
    let places = cut(capabilities, shape, storage)?;
    let fits = |place: &Place| place.row_count() as u64 * words_per_row as u64 * 4 <= capabilities.texture_bytes;
    if storage != Storage::F32 || !device.uses_textures() || !places.iter().all(fits) {
        return allocate(device, shape, storage);
    }
    let allocated = places.into_iter().map(|place| {
        let words = Buffer::texels(device, "matrix", place.row_count() * words_per_row)?;
        Ok(Panel { words, place })
    });
    allocated.collect()
}

/// Cuts a batched matrix into panels, each within one binding.
pub(crate) fn cut(
    capabilities: &Capabilities,
    (batch, rows, cols): (usize, usize, usize),
    storage: Storage,
) -> Result<Vec<Place>> {
    let row_bytes = (cols.div_ceil(4) * storage.words_per_quad()) as u64 * 4;
    if batch == 0 || rows == 0 || cols == 0 {
        return Ok(Vec::new());
    }
    let capacity = usize::try_from(capabilities.binding_bytes / row_bytes).unwrap_or(usize::MAX);
    if capacity == 0 {
        return Err(Error::TooLarge {
            operation: "matrix",
            what: format!("one row of {cols} elements, in bytes,"),
            needed: row_bytes,
            limit: capabilities.binding_bytes,
            advice: "transpose the matrix, so that its rows are the shorter side",
        });
    }
    if capacity >= rows {
        let step = capacity / rows;
        let starts = (0..batch).step_by(step);
        return Ok(starts.map(|first| Place { items: first..batch.min(first + step), rows: 0..rows }).collect());
    }
    let step = if capacity >= ROW_MULTIPLE { capacity / ROW_MULTIPLE * ROW_MULTIPLE } else { capacity };
    let row_ranges = (0..rows).step_by(step).map(|first| first..rows.min(first + step));
    let row_ranges: Vec<_> = row_ranges.collect();
    let places = (0..batch)
        .flat_map(|item| row_ranges.iter().map(move |rows| Place { items: item..item + 1, rows: rows.clone() }));
    Ok(places.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Profile;
    use proptest::prelude::*;

    fn capabilities(binding_bytes: u64) -> Capabilities {
        Capabilities {
            name: String::new(),
            backend: String::new(),
            driver: String::new(),
            software: true,
            profile: Profile::SOFTWARE,
            loop_budget: 60_000,
            binding_bytes,
            buffer_bytes: binding_bytes,
            texture_bytes: 0,
            offset_alignment: 256,
            bindings: 8,
            immediate_bytes: 64,
            groups_per_dimension: 65_535,
        }
    }

    proptest! {
        #[test]
        fn panels_cover_every_row_once_and_fit(batch in 1usize..7, rows in 1usize..300, cols in 1usize..50, limit in 256u64..20_000) {
            let shape = (batch, rows, cols);
            let places = cut(&capabilities(limit), shape, Storage::F32).unwrap();
            let mut seen = vec![0u32; batch * rows];
            for place in &places {
                prop_assert!((place.row_count() * cols.div_ceil(4) * 16) as u64 <= limit);
                for item in place.items.clone() {
                    for row in place.rows.clone() {
                        seen[item * rows + row] += 1;
                    }
                }
                prop_assert!(place.items.len() == 1 || place.rows == (0..rows));
            }
            prop_assert!(seen.iter().all(|count| *count == 1));
        }
    }

    #[test]
    fn a_row_past_the_binding_limit_says_what_to_do() {
        let error = cut(&capabilities(1024), (1, 3, 1000), Storage::F32).unwrap_err().to_string();
        assert!(error.contains("4000") && error.contains("1024") && error.contains("transpose"), "{error}");
    }
}
