//! The screening of the entries of a matrix on the device.

use crate::device::Buffer;
use crate::tensor::screen::Screen;
use crate::tensor::{Matrix, Position};
use crate::{Result, ops};

/// Screens the entries of each batch item on the device.
pub(super) async fn screened(matrix: &Matrix) -> Result<Vec<Screen>> {
    let device = matrix.device();
    let mut screens = vec![Screen::default(); matrix.batch()];
    for panel in matrix.panels() {
        let place = &panel.place;
        let count = ops::panel_segments(device, panel, matrix.quads()).count;
        let found = Buffer::zeros(device, "screen", place.items.len() * count)?;
        let mut recorder = device.recorder();
        ops::screen_segments(
            &mut recorder,
            panel,
            ops::RowLayout { storage: matrix.storage(), quads: matrix.quads() },
            &found,
        )?;
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
