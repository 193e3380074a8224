//! Products of matrices: tiles of sums that stay in registers, over sides that are packed into neighbours first.

use super::wide::wide;
use crate::gpu::each_chunk;

/// Rows and columns of a tile: 8 vectors of 8 sums, which keep a processor's two multipliers busy.
const ROWS: usize = 4;
const COLS: usize = 16;

/// Products that are added one after another before their sum enters a tree.
const RUN: usize = 16;

/// The levels of a tree over 2^30 products: kernels count in 32 bits.
const LEVELS: usize = 26;

/// A side of a product: `size` numbers across each of `length` steps of the inner axis.
#[derive(Clone, Copy)]
pub(crate) struct Strided<'a> {
    /// The elements, from the first on.
    pub(crate) elements: &'a [f32],
    /// The distance of neighbours across a step.
    pub(crate) across: usize,
    /// The distance from one step to the next.
    pub(crate) along: usize,
}

impl<'a> Strided<'a> {
    /// A side whose steps are rows of `wide` neighbours, from row `first` on.
    pub(crate) fn laid(elements: &'a [f32], wide: usize, first: usize) -> Self {
        Self { elements: &elements[first * wide..], across: 1, along: wide }
    }

    /// The numbers from `first` on in panels of `WIDTH` neighbours a step; zeros past the end.
    fn panel<const WIDTH: usize>(self, first: usize, size: usize, length: usize) -> Vec<[f32; WIDTH]> {
        let count = WIDTH.min(size - first);
        let row = |step: usize| {
            let mut row = [0.0; WIDTH];
            let start = step * self.along + first * self.across;
            match self.across {
                1 => row[..count].copy_from_slice(&self.elements[start..][..count]),
                _ => (0..count).for_each(|place| row[place] = self.elements[start + place * self.across]),
            }
            row
        };
        (0..length).map(row).collect()
    }
}

type Tile = [[f32; COLS]; ROWS];

/// output = left · right for each item of a batch: `rows` × `length` times `length` × `cols`.
///
/// *Accuracy*  runs of 16 products, and a tree of their sums: gamma(16 + ⌈log2 ⌈length / 16⌉⌉) · |left| · |right|.
pub(crate) fn product<'a, 'b>(
    [rows, length, cols]: [usize; 3],
    left: impl Fn(usize) -> Strided<'a>,
    right: impl Fn(usize) -> Strided<'b>,
    output: &mut [f32],
) {
    if rows * cols == 0 {
        return;
    }
    for (item, output) in output.chunks_exact_mut(rows * cols).enumerate() {
        let (left, right) = (left(item), right(item));
        let mut panels: Vec<Vec<[f32; COLS]>> = vec![Vec::new(); cols.div_ceil(COLS)];
        each_chunk(&mut panels, 1, 2 * COLS * length, |index, panel| {
            panel[0] = right.panel(index * COLS, cols, length);
        });
        each_chunk(output, ROWS * cols, ROWS * length * cols / 4, |index, output| {
            let own = left.panel::<ROWS>(index * ROWS, rows, length);
            for (panel, first) in panels.iter().zip((0..).step_by(COLS)) {
                let tile = tile(&own, panel);
                for (output, sums) in output.chunks_mut(cols).zip(&tile) {
                    let output = &mut output[first..];
                    let count = output.len().min(COLS);
                    output[..count].copy_from_slice(&sums[..count]);
                }
            }
        });
    }
}

wide! {
    /// The sums of one tile.
    fn tile(left: &[[f32; ROWS]], right: &[[f32; COLS]]) -> Tile {
        let mut levels = [Tile::default(); LEVELS];
        let runs = left.chunks(RUN).zip(right.chunks(RUN));
        let mut count = 0usize;
        for (left, right) in runs {
            let mut run = Tile::default();
            for (left, right) in left.iter().zip(right) {
                for row in 0..ROWS {
                    for col in 0..COLS {
                        run[row][col] = left[row].mul_add(right[col], run[row][col]);
                    }
                }
            }
            let level = count.trailing_ones() as usize;
            levels[..level].iter().for_each(|waiting| add(&mut run, waiting));
            levels[level] = run;
            count += 1;
        }
        let mut total = Tile::default();
        let waiting = levels.iter().enumerate().filter(|(level, _)| count >> level & 1 == 1);
        waiting.for_each(|(_, level)| add(&mut total, level));
        total
    }
}

#[inline(always)]
fn add(sums: &mut Tile, more: &Tile) {
    for row in 0..ROWS {
        for col in 0..COLS {
            sums[row][col] += more[row][col];
        }
    }
}
