//! Panels filled with the rows of a source.

use std::ops::Range;

use crate::Result;
use crate::device::Device;
use crate::tensor::encoder::Encoder;
use crate::tensor::panel::Panel;
use crate::tensor::screen::Screen;
use crate::tensor::storage::ElementSource;

/// The number of words that pass through host memory at once on their way to an adapter.
const PIECE: usize = 4 << 20;

/// The number of words that a thread writes at once where the host is the device.
const HOST_PIECE: usize = 1 << 17;

/// Some rows of a panel, counted over the whole batch, with their words and the screens of their items.
pub(super) struct Piece<'a> {
    rows: Range<usize>,
    words: &'a mut [u32],
    screens: Vec<Screen>,
    encoded: Result<()>,
}

impl Piece<'_> {
    pub(super) fn encode<S: ElementSource + ?Sized>(&mut self, encoder: &Encoder<'_, S>) {
        self.encoded = encoder.encode(self.rows.clone(), self.words, &mut self.screens);
    }
}

/// Writes all rows of a source to panels, each of them zeroed, and screens their elements.
///
/// `encode` encodes pieces, on as many threads as suit the source.
pub(super) fn fill<S: ElementSource + ?Sized>(
    device: &Device,
    panels: &[Panel],
    encoder: &Encoder<'_, S>,
    screens: &mut [Screen],
    encode: fn(&Encoder<'_, S>, &mut [Piece<'_>]),
) -> Result<()> {
    let (_, item_rows, cols) = encoder.shape;
    let words_per_row = cols.div_ceil(4) * encoder.storage.words_per_quad();
    let step = |words: usize| (words / words_per_row.max(1)).max(1);
    let mut screened = |all: Range<usize>, words: &mut [u32]| {
        let step = step(HOST_PIECE);
        let piece = |(index, words): (usize, _)| {
            let first = all.start + index * step;
            let rows = first..all.end.min(first + step);
            let items = rows.start / item_rows..rows.end.div_ceil(item_rows);
            Piece { rows, words, screens: vec![Screen::default(); items.len()], encoded: Ok(()) }
        };
        let mut pieces: Vec<_> = words.chunks_mut(step * words_per_row).enumerate().map(piece).collect();
        encode(encoder, &mut pieces);
        for piece in pieces {
            piece.encoded?;
            let items = &mut screens[piece.rows.start / item_rows..];
            items.iter_mut().zip(piece.screens).for_each(|(screen, part)| screen.join(part.largest, part.non_finite));
        }
        Ok(())
    };
    let mut words = Vec::new();
    for panel in panels {
        let all = panel.place.flat_rows(item_rows);
        if device.is_host() {
            panel.words.fill(device, |words| screened(all, &mut words[..panel.place.row_count() * words_per_row]))?;
            continue;
        }
        for first in all.clone().step_by(step(PIECE)) {
            let rows = first..all.end.min(first + step(PIECE));
            words.clear();
            words.resize(rows.len() * words_per_row, 0);
            screened(rows, &mut words)?;
            panel.words.write(device, "upload", (first - all.start) * words_per_row, &words)?;
            // A single piece at a time, because a written piece waits in host memory until a submit.
            device.recorder().submit()?;
            device.poll_until_idle()?;
        }
    }
    Ok(())
}
