//! A - L U below and right of a factored panel.

use std::ops::Range;

use super::arguments::Factors;
use super::check::expect_trips;
use super::declare::kernel;
use super::lu_panel::Params;
use crate::device::{Grid, Kernel, Recorder, Words, each_chunk};
use crate::{Result, native};

/// The number of rows and of columns of one tile, as in the shader.
const TILE: usize = 4;

pub(super) static KERNEL: Kernel = kernel!("solve" / "lu_update", ["group"], [Write], Params, on_host);

/// Records A - L U below and right of a panel of factored columns, with L below the panel and U right of it.
///
/// *Accuracy*  gamma(columns + 1) · (|A| + |L| · |U|), entrywise.
///
/// # Errors
/// As [`super::lu_panel`].
pub fn lu_update(recorder: &mut Recorder, factors: Factors<'_>, columns: Range<usize>) -> Result<()> {
    let operation = "lu_update";
    let params = factors.panel(operation, &columns)?;
    let trips = columns.len() * (TILE + 2) + (TILE + 1) * (TILE + 2);
    expect_trips(recorder, operation, trips, "factor fewer columns at once")?;
    let tiles = (factors.size - columns.end).div_ceil(TILE);
    let grid = Grid::covering(factors.batch * tiles * tiles, recorder.device().capabilities().profile.lanes);
    recorder.dispatch(&KERNEL, grid, &params, &[factors.buffer.into()])
}

fn on_host(params: &Params, [factors]: [Words<'_>; 1]) {
    let (size, first, end) = (params.size as usize, params.first as usize, params.end as usize);
    let item = Factors::item(params.size);
    let factors = &mut factors.write::<f32>()[..params.batch as usize * item];
    let work = (size - end) * (size - end) * (end - first) / 8;
    each_chunk(factors, item, work, |_, factors| {
        native::lu_update(&mut factors[..size * size], size, (first, end));
    });
}
