//! Products of matrices: both sides packed into panels of neighbours, and tiles of sums over them.

use std::sync::Mutex;

use super::blocks;
use super::lines::{LINE, Lines};
use super::strided::Strided;
use super::thin::times_vector;
use super::tile::{Asked, Block, Runs, Sizes};
use crate::device::{each_chunk, thread_count};

/// The elements of the packed left side that share a panel of the right side: they stay in the second cache.
const LEFT: usize = 1 << 18;

/// output = left · right for each item of a batch: `rows` × `length` times `length` × `cols`.
///
/// *Accuracy*  gamma(r + ⌈log2 ⌈length / r⌉⌉) · |left| · |right|: runs of r = 16 or 32 products, and a tree of their
/// sums.
pub(crate) fn product<'a, 'b>(
    [rows, length, cols]: [usize; 3],
    runs: Runs,
    asked: Asked,
    left: impl Fn(usize) -> Strided<'a> + Sync,
    right: impl Fn(usize) -> Strided<'b> + Sync,
    output: &mut [f32],
) {
    if rows * cols == 0 {
        return;
    }
    if length == 0 {
        output.fill(0.0);
        return;
    }
    let Sizes { lanes, tall, short, wide } = Sizes::of_processor();
    // In elements that are read or written, as each of several products takes a part of the time of one.
    let work = |rows: usize, cols: usize| rows * length * cols / 8;
    each_chunk(output, rows * cols, work(rows, cols), |item, output| {
        let (left, right) = (left(item), right(item));
        if cols == 1 && times_vector(left, right, length, output) {
            return;
        }
        let tiles = (rows / tall * tall + (rows % tall).next_multiple_of(short)) * length;
        // Panels of the right side start on a whole line, as every vector of them is read.
        let (start, width) = (tiles.next_multiple_of(LINE), wide * length);
        let needed = start + cols.div_ceil(wide) * width;
        let mut room = Room::of(needed);
        let (packed, panels) = room.0.numbers_mut()[..needed].split_at_mut(start);
        each_chunk(&mut packed[..tiles], tall * length, 2 * tall * length, |index, packed| {
            let height = if (index + 1) * tall <= rows { tall } else { short };
            for (tile, first) in packed.chunks_exact_mut(height * length).zip((index * tall..).step_by(height)) {
                left.pack(first, height.min(rows - first), height, tile);
            }
        });
        each_chunk(panels, width, 2 * width, |index, panel| {
            let count = wide.min(cols - index * wide);
            let width = if count <= lanes { lanes } else { wide };
            right.pack(index * wide, count, width, &mut panel[..width * length]);
        });
        let height = (LEFT / length).max(1).next_multiple_of(tall);
        let mut parts = Vec::with_capacity(cols.div_ceil(wide));
        for (output, first) in output.chunks_mut(height * cols).zip((0..).step_by(height)) {
            let columns = blocks(output.chunks_mut(cols).collect(), wide);
            parts.extend(columns.zip((0..).step_by(wide)).map(|(rows, col)| (first, col, rows)));
        }
        each_chunk(&mut parts, 1, work(height.min(rows), wide), |_, part| {
            let (first, col, output) = &mut part[0];
            let asked = asked.after(*first);
            let (left, right) = (&packed[*first * length..], &panels[*col * length..][..width]);
            Block { length, runs, col: *col, asked, left, right }.run(output);
        });
    });
}

/// Memory for packed sides, which is kept for the next product, because new memory takes as long as packing.
struct Room(Lines);

/// Memory that waits for the next product, at most a piece for each thread.
static ROOMS: Mutex<Vec<Lines>> = Mutex::new(Vec::new());

/// The largest memory that is kept, in elements.
const MOST_KEPT: usize = 1 << 22;

impl Room {
    /// At least so many elements, of any value.
    fn of(length: usize) -> Self {
        let kept = ROOMS.lock().ok().and_then(|mut rooms| rooms.pop());
        let mut lines = kept.unwrap_or_default();
        lines.extend_to(length);
        Self(lines)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if self.0.capacity() <= MOST_KEPT
            && let Ok(mut rooms) = ROOMS.lock()
            && rooms.len() < thread_count()
        {
            rooms.push(std::mem::take(&mut self.0));
        }
    }
}
