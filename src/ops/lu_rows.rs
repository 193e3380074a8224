//! The columns beside a factored panel: their rows in the order of its pivots, and the rows of U right of it.

use std::ops::Range;

use super::arguments::Factors;
use super::check::expect_trips;
use super::declare::kernel;
use super::lu_panel::Params;
use crate::device::{Grid, Kernel, Recorder, Words, each_chunk};
use crate::{Result, native};

pub(super) static KERNEL: Kernel = kernel!("solve" / "lu_rows", ["group"], [Write], Params, on_host);

/// Records the exchange of rows beside a panel of factored columns, and the solution of L U = A right of the panel.
///
/// *Accuracy*  gamma(columns) · |L| · |U|, entrywise.
///
/// # Errors
/// As [`super::lu_panel`].
pub fn lu_rows(recorder: &mut Recorder, factors: Factors<'_>, columns: Range<usize>) -> Result<()> {
    let operation = "lu_rows";
    let params = factors.panel(operation, &columns)?;
    let trips = 2 + columns.len() * (columns.len() + 5) / 2;
    expect_trips(recorder, operation, trips, "factor fewer columns at once")?;
    let beside = factors.batch * (factors.size - columns.len());
    let grid = Grid::covering(beside, recorder.device().capabilities().profile.lanes);
    recorder.dispatch(&KERNEL, grid, &params, &[factors.buffer.into()])
}

fn on_host(params: &Params, [factors]: [Words<'_>; 1]) {
    let (size, first, end) = (params.size as usize, params.first as usize, params.end as usize);
    let item = Factors::item(params.size);
    let factors = &mut factors.write::<f32>()[..params.batch as usize * item];
    each_chunk(factors, item, (size - (end - first)) * (end - first) * (end - first) / 2, |_, factors| {
        let (matrix, order) = factors.split_at_mut(size * size);
        native::lu_rows(matrix, size, (first, end), order);
    });
}
