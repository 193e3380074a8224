//! Some columns of an LU factorisation with partial pivoting, from their diagonal down.

use std::ops::Range;

use super::arguments::Factors;
use super::check::{expect_len, expect_trips, word};
use super::declare::{kernel, params};
use crate::device::{Device, Grid, Kernel, Recorder, Words, each_chunk};
use crate::tensor::volume;
use crate::{Error, Result, native};

params! {
    pub(super) struct Params {
        batch: u32,
        size: u32,
        first: u32,
        end: u32,
    }
}

pub(super) static KERNEL: Kernel = kernel!("solve" / "lu_panel", ["group"], [Write], Params, on_host);

/// The widest panel on adapters, unless the panel is the whole matrix.
const WIDEST: usize = 64;

/// The largest matrix that the host factors in one panel.
const WHOLE_ON_HOST: usize = 128;

impl Factors<'_> {
    /// The parameters of a panel; refuses columns past the end, and a buffer that is too short.
    pub(super) fn panel(&self, operation: &'static str, columns: &Range<usize>) -> Result<Params> {
        let Self { buffer, batch, size } = *self;
        expect_len(operation, "factors", volume(&[batch, size + 2, size]), buffer.len())?;
        word(operation, "the factors", buffer.len())?;
        if columns.start > columns.end || columns.end > size {
            return Err(Error::OutOfRange { operation, what: "columns", found: columns.clone(), length: size });
        }
        Ok(Params {
            batch: word(operation, "the batch", batch)?,
            size: word(operation, "the size", size)?,
            first: columns.start as u32,
            end: columns.end as u32,
        })
    }

    /// The elements of one item.
    pub(super) fn item(size: u32) -> usize {
        (size as usize + 2) * size as usize
    }
}

/// The number of columns that [`lu_panel`] factors at once: all of a small matrix, else what the loops of a lane allow.
pub fn lu_panel_width(device: &Device, size: usize) -> usize {
    let capabilities = device.capabilities();
    if device.is_host() {
        return if size <= WHOLE_ON_HOST { size } else { WIDEST };
    }
    let (lanes, budget) = (capabilities.profile.lanes as usize, capabilities.loop_budget as usize);
    let fits = |width: &usize| trips(lanes, size, *width) <= budget;
    Some(size).filter(fits).or_else(|| (1..=WIDEST).rev().find(fits)).unwrap_or(1)
}

/// The loop trips of a lane, the tests that end loops counted.
fn trips(lanes: usize, size: usize, width: usize) -> usize {
    let lines = size.div_ceil(lanes) + 1;
    lines + width * (lines + lanes + width.div_ceil(lanes) + 2) + lines * width * (width + 5) / 2
}

/// Records the factorisation of some columns, from their diagonal down: P A = L U, with the entry of largest magnitude
/// as each pivot, and the first of equal ones.
///
/// The columns before are factored. Rows are exchanged within the columns, [`super::lu_rows`] does so beside them.
///
/// *Accuracy*  gamma(columns + 4) · |L| · |U|, entrywise.
///
/// Source: Golub and Van Loan, *Matrix Computations* (4th edition, 2013), algorithm 3.4.1, and its section 3.2.11 for
/// the blocks.
///
/// # Errors
/// [`Error::ShapeMismatch`] when the buffer is too short, [`Error::OutOfRange`] for columns past the end,
/// [`Error::TooLarge`] past the device's limits, or for more columns than its loops allow.
pub fn lu_panel(recorder: &mut Recorder, factors: Factors<'_>, columns: Range<usize>) -> Result<()> {
    let operation = "lu_panel";
    let params = factors.panel(operation, &columns)?;
    if !recorder.device().is_host() {
        let lanes = recorder.device().capabilities().profile.lanes as usize;
        expect_trips(recorder, operation, trips(lanes, factors.size, columns.len()), "factor fewer columns at once")?;
    }
    recorder.dispatch(&KERNEL, Grid::groups(factors.batch), &params, &[factors.buffer.into()])
}

fn on_host(params: &Params, [factors]: [Words<'_>; 1]) {
    let (size, first, end) = (params.size as usize, params.first as usize, params.end as usize);
    let item = Factors::item(params.size);
    let factors = &mut factors.write::<f32>()[..params.batch as usize * item];
    // In elements that are read or written, of which a step of eight takes some.
    let work = (size - first) * (end - first) * (end - first).div_ceil(8);
    each_chunk(factors, item, work, |_, factors| {
        let (matrix, order) = factors.split_at_mut(size * size);
        let (pivots, permutation) = order.split_at_mut(size);
        if first == 0 {
            permutation.iter_mut().enumerate().for_each(|(row, place)| *place = row as f32);
        }
        native::lu_panel(matrix, size, first, end, pivots, permutation);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loops_stay_within_their_budget() {
        for (lanes, size, width) in [(8, 64, 64), (8, 2048, 16), (64, 128, 128), (64, 2048, 48)] {
            assert!(trips(lanes, size, width) <= 60_000, "{lanes} lanes, {width} columns of {size}");
        }
    }
}
