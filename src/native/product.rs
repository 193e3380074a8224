//! Products of matrices: both sides packed into panels of neighbours, and tiles of sums over them.

use super::tile::{Block, Sizes};
use crate::device::{each_chunk, thread_count};

/// The most tall tiles that share a panel of the right side while it is in the cache.
const MOST_TILES: usize = 8;

/// Steps of the inner axis that are packed at once, so that what is written stays in the cache.
const STEPS: usize = 64;

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

    /// Writes `count` numbers of each step from number `first` on, `width` apart from one step to the next.
    ///
    /// *Shapes*  `panel`: length × `width`, zeros beforehand
    #[inline(always)]
    pub(super) fn pack(self, first: usize, count: usize, width: usize, panel: &mut [f32]) {
        for (index, panel) in panel.chunks_mut(STEPS * width).enumerate() {
            let start = index * STEPS * self.along + first * self.across;
            if self.across == 1 {
                for (step, row) in panel.chunks_exact_mut(width).enumerate() {
                    row[..count].copy_from_slice(&self.elements[start + step * self.along..][..count]);
                }
                continue;
            }
            for place in 0..count {
                let elements = self.elements[start + place * self.across..].iter().step_by(self.along);
                let places = panel[place..].iter_mut().step_by(width);
                places.zip(elements).for_each(|(place, element)| *place = *element);
            }
        }
    }
}

/// The entries of a product that are asked for; others are left as they are, or written with any value.
#[derive(Clone, Copy)]
pub(crate) enum Asked {
    All,
    /// The entries whose column is at most their row and this number.
    Below(usize),
}

impl Asked {
    /// What is asked for of the rows from `first` on.
    fn after(self, first: usize) -> Self {
        match self {
            Self::All => Self::All,
            Self::Below(diagonal) => Self::Below(diagonal + first),
        }
    }

    /// The end of the columns that are asked for in rows before `end`.
    pub(super) fn columns(self, end: usize, cols: usize) -> usize {
        match self {
            Self::All => cols,
            Self::Below(diagonal) => cols.min(end + diagonal),
        }
    }
}

/// output = left · right for each item of a batch: `rows` × `length` times `length` × `cols`.
///
/// *Accuracy*  runs of 16 products, and a tree of their sums: gamma(16 + ⌈log2 ⌈length / 16⌉⌉) · |left| · |right|.
pub(crate) fn product<'a, 'b>(
    [rows, length, cols]: [usize; 3],
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
    let Sizes { lanes, tall, wide } = Sizes::of_processor();
    // In elements that are read or written, as each of several products takes a part of the time of one.
    let work = |rows: usize| rows * length * cols / 8;
    each_chunk(output, rows * cols, work(rows), |item, output| {
        let (left, right) = (left(item), right(item));
        let mut panels = vec![0.0; cols.div_ceil(wide) * wide * length];
        each_chunk(&mut panels, wide * length, 2 * wide * length, |index, panel| {
            let count = wide.min(cols - index * wide);
            let width = if count <= lanes { lanes } else { wide };
            right.pack(index * wide, count, width, &mut panel[..width * length]);
        });
        let tiles = rows.div_ceil(tall);
        let chunks = thread_count() * tiles.div_ceil(thread_count() * MOST_TILES);
        let height = tiles.div_ceil(chunks) * tall;
        each_chunk(output, height * cols, work(height), |index, output| {
            let first = index * height;
            let left = Strided { elements: &left.elements[first * left.across..], ..left };
            Block { length, cols, asked: asked.after(first), left, panels: &panels }.run(output);
        });
    });
}
