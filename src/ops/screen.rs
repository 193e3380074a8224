//! The largest finite magnitude and the first element that is not finite, of each item of a matrix.

use super::check::{expect_len, word};
use super::declare::{PerStorage, matrix_kernels, params};
use super::segments::Segments;
use super::square_sums::panel_segments;
use crate::Result;
use crate::gpu::{Buffer, Gpu, Grid, Recorder};
use crate::tensor::screen::Screen;
use crate::tensor::{Matrix, Panel, Position, Storage, volume};

params! {
    pub(super) struct Params {
        items: u32,
        item_quads: u32,
        segments: u32,
        segment_quads: u32,
    }
}

pub(super) static KERNELS: PerStorage = matrix_kernels!("dense" / "screen", ["group"], [Write], Params);

/// Records the screening of the elements of one panel, and returns the segments that the results come in.
///
/// *Shapes*  `output`: items × segments, each the bits of a magnitude and an index into the padded elements that the
/// panel holds of the item, `u32::MAX` where all of them are finite.
///
/// *Accuracy*  exact.
///
/// # Errors
/// [`crate::Error::ShapeMismatch`] when the output is too short, [`crate::Error::TooLarge`] past the device's limits.
pub fn screen_segments(
    recorder: &mut Recorder,
    panel: &Panel,
    (storage, quads): (Storage, usize),
    output: &Buffer<[u32; 2]>,
) -> Result<Segments> {
    let operation = "screen";
    let lanes = recorder.gpu().capabilities().profile.lanes;
    let segments = panel_segments(recorder.gpu(), panel, quads);
    let items = panel.place.items.len();
    expect_len(operation, "output", volume(&[items, segments.count]), output.len())?;
    let params = Params {
        items: word(operation, "the batch", items)?,
        item_quads: word(operation, "the panel", panel.place.rows.len() * quads)?,
        segments: word(operation, "the panel", segments.count)?,
        segment_quads: word(operation, "the panel", segments.length)?,
    };
    let grid = Grid::covering(items * segments.count, lanes);
    recorder.dispatch(KERNELS.of(storage), grid, &params, &[(&panel.words).into(), output.into()])?;
    Ok(segments)
}

/// What the device finds in the entries of each item of a matrix.
pub(crate) async fn screen(gpu: &Gpu, matrix: &Matrix) -> Result<Vec<Screen>> {
    let mut screens = vec![Screen::default(); matrix.batch()];
    for panel in matrix.panels() {
        let place = &panel.place;
        let count = panel_segments(gpu, panel, matrix.quads()).count;
        let found = Buffer::zeros(gpu, "screen", place.items.len() * count)?;
        let mut recorder = gpu.recorder();
        screen_segments(&mut recorder, panel, (matrix.storage(), matrix.quads()), &found)?;
        let found = recorder.read(&found)?;
        recorder.submit()?;
        let found = found.contents().await?;
        for (item, segments) in place.items.clone().zip(found.chunks_exact(count)) {
            let largest = segments.iter().map(|[bits, _]| f64::from(f32::from_bits(*bits))).fold(0.0, f64::max);
            screens[item].see(largest, || Position { row: 0, col: 0 });
            let stride = matrix.quads() * 4;
            let first = segments.iter().map(|[_, index]| *index).min().filter(|index| *index != u32::MAX);
            if let Some(index) = first {
                let position =
                    Position { row: place.rows.start + index as usize / stride, col: index as usize % stride };
                screens[item].see(f64::NAN, || position);
            }
        }
    }
    Ok(screens)
}
