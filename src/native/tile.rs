//! Tiles of a product of matrices: sums that stay in registers, over sides that are packed into neighbours.

use pulp::{Arch, Simd, WithSimd};

use super::product::{Asked, Strided};

/// Products that are added one after another before their sum enters a tree.
const RUN: usize = 16;

/// The sizes of tiles on a processor. Any sizes sum each entry in the same order.
///
/// The sums of a tall and wide tile, with a vector of either side, fill the registers: 32 of them with vectors of 16
/// numbers, else 16.
pub(super) struct Sizes {
    /// The numbers of a vector.
    pub(super) lanes: usize,
    /// The rows of a tall tile.
    pub(super) tall: usize,
    /// The columns of a wide tile: two vectors.
    pub(super) wide: usize,
}

impl Sizes {
    pub(super) fn of_processor() -> Self {
        struct Ask;

        impl WithSimd for Ask {
            type Output = Sizes;

            #[inline(always)]
            fn with_simd<S: Simd>(self, _: S) -> Sizes {
                let lanes = S::F32_LANES;
                Sizes { lanes, tall: if lanes == 16 { 12 } else { 6 }, wide: 2 * lanes }
            }
        }
        Arch::new().dispatch(Ask)
    }
}

/// Some rows of a product.
pub(super) struct Block<'a> {
    pub(super) length: usize,
    pub(super) cols: usize,
    pub(super) asked: Asked,
    /// The left side, from the first of the rows on.
    pub(super) left: Strided<'a>,
    /// The packed right side.
    pub(super) panels: &'a [f32],
}

impl Block<'_> {
    /// Writes the rows.
    pub(super) fn run(self, output: &mut [f32]) {
        Arch::new().dispatch(Run { block: self, output });
    }
}

struct Run<'a> {
    block: Block<'a>,
    output: &'a mut [f32],
}

impl WithSimd for Run<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match S::F32_LANES {
            16 => self.rows::<S, 12, 4>(simd),
            _ => self.rows::<S, 6, 2>(simd),
        }
    }
}

impl Run<'_> {
    /// The rows, in tiles of `TALL` rows, and of `SHORT` rows for what is left.
    #[inline(always)]
    fn rows<S: Simd, const TALL: usize, const SHORT: usize>(self, simd: S) {
        let Self { block: Block { length, cols, asked, left, panels }, output } = self;
        let (rows, wide) = (output.len() / cols, 2 * S::F32_LANES);
        let tall = rows / TALL * TALL;
        let tiles = || (0..tall).step_by(TALL).chain((tall..rows).step_by(SHORT));
        let height = |first| if first < tall { TALL } else { SHORT };
        let mut packed = vec![0.0; (tall + (rows - tall).next_multiple_of(SHORT)) * length];
        for first in tiles() {
            let height = height(first);
            left.pack(first, height.min(rows - first), height, &mut packed[first * length..][..height * length]);
        }
        let depth = (usize::BITS - length.div_ceil(RUN).leading_zeros()) as usize;
        let mut levels = vec![simd.splat_f32s(0.0); depth * TALL * 2];
        for (panel, col) in panels.chunks_exact(wide * length).zip((0..).step_by(wide)) {
            let is_wide = cols - col > S::F32_LANES;
            for first in tiles() {
                let height = height(first);
                let end = rows.min(first + height);
                if asked.columns(end, cols) <= col {
                    continue;
                }
                let (left, levels) = (&packed[first * length..][..height * length], &mut levels);
                let place = Place { cols, col, output: &mut output[first * cols..end * cols] };
                match (first < tall, is_wide) {
                    (true, true) => place.write(simd, tile::<S, TALL, 2>(simd, left, panel, levels)),
                    (true, false) => place.write(simd, tile::<S, TALL, 1>(simd, left, panel, levels)),
                    (false, true) => place.write(simd, tile::<S, SHORT, 2>(simd, left, panel, levels)),
                    (false, false) => place.write(simd, tile::<S, SHORT, 1>(simd, left, panel, levels)),
                }
            }
        }
    }
}

/// The sums of a tile: rows of vectors.
type Sums<S, const ROWS: usize, const VECTORS: usize> = [[<S as Simd>::f32s; VECTORS]; ROWS];

/// The sums of a tile, from a panel of either side. `levels` is memory for the sums that wait in the tree.
#[inline(always)]
fn tile<S: Simd, const ROWS: usize, const VECTORS: usize>(
    simd: S,
    left: &[f32],
    right: &[f32],
    levels: &mut [S::f32s],
) -> Sums<S, ROWS, VECTORS> {
    let (left, _) = left.as_chunks::<ROWS>();
    let (right, _) = bytemuck::cast_slice::<f32, S::f32s>(right).as_chunks::<VECTORS>();
    let (levels, _) = levels.as_chunks_mut::<VECTORS>();
    let (levels, _) = levels.as_chunks_mut::<ROWS>();
    // Level k holds the sum of 2^k runs until another of its size is there: the ones of the number of runs so far.
    let mut count = 0usize;
    for (left, right) in left.chunks(RUN).zip(right.chunks(RUN)) {
        let mut sums = run(simd, left, right);
        let level = count.trailing_ones() as usize;
        for waiting in &levels[..level] {
            sums = add(simd, sums, waiting);
        }
        levels[level] = sums;
        count += 1;
    }
    let waiting = levels.iter().enumerate().filter(|(level, _)| count >> level & 1 == 1);
    waiting.fold([[simd.splat_f32s(0.0); VECTORS]; ROWS], |total, (_, sums)| add(simd, total, sums))
}

/// The sums of a run of products.
#[inline(always)]
fn run<S: Simd, const ROWS: usize, const VECTORS: usize>(
    simd: S,
    left: &[[f32; ROWS]],
    right: &[[S::f32s; VECTORS]],
) -> Sums<S, ROWS, VECTORS> {
    let mut sums = [[simd.splat_f32s(0.0); VECTORS]; ROWS];
    for (left, right) in left.iter().zip(right) {
        for (sums, factor) in sums.iter_mut().zip(left) {
            let factor = simd.splat_f32s(*factor);
            for (sum, right) in sums.iter_mut().zip(right) {
                *sum = simd.mul_add_f32s(factor, *right, *sum);
            }
        }
    }
    sums
}

#[inline(always)]
fn add<S: Simd, const ROWS: usize, const VECTORS: usize>(
    simd: S,
    mut sums: Sums<S, ROWS, VECTORS>,
    more: &Sums<S, ROWS, VECTORS>,
) -> Sums<S, ROWS, VECTORS> {
    for row in 0..ROWS {
        for vector in 0..VECTORS {
            sums[row][vector] = simd.add_f32s(sums[row][vector], more[row][vector]);
        }
    }
    sums
}

/// The place of a tile in rows of an output.
struct Place<'a> {
    cols: usize,
    col: usize,
    output: &'a mut [f32],
}

impl Place<'_> {
    #[inline(always)]
    fn write<S: Simd, const ROWS: usize, const VECTORS: usize>(self, _: S, sums: Sums<S, ROWS, VECTORS>) {
        for (row, sums) in self.output.chunks_exact_mut(self.cols).zip(&sums) {
            let sums: &[f32] = bytemuck::cast_slice(sums);
            let row = &mut row[self.col..];
            let count = row.len().min(sums.len());
            row[..count].copy_from_slice(&sums[..count]);
        }
    }
}
