//! Tiles of a product of matrices: sums that stay in registers, over sides that are packed into neighbours.

use pulp::{Arch, Simd, WithSimd};

/// Products that are added one after another before their sum enters a tree.
#[derive(Clone, Copy)]
pub(crate) enum Runs {
    Of16,
    Of32,
}

impl Runs {
    pub(super) fn length(self) -> usize {
        match self {
            Self::Of16 => 16,
            Self::Of32 => 32,
        }
    }

    /// The levels of the tree over so many products.
    pub(super) fn depth(self, length: usize) -> usize {
        (usize::BITS - length.div_ceil(self.length()).leading_zeros()) as usize
    }
}

/// The sizes of tiles on a processor. Any sizes sum each entry in the same order.
///
/// The sums of a tall and wide tile, with a vector of either side, fill the registers: 32 of them with vectors of 16
/// numbers, else 16.
pub(super) struct Sizes {
    /// The numbers of a vector.
    pub(super) lanes: usize,
    /// The rows of a tall tile.
    pub(super) tall: usize,
    /// The rows of the tiles of what is left; a part of `tall`.
    pub(super) short: usize,
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
                let (tall, short) = if lanes == 16 { (12, 4) } else { (6, 2) };
                Sizes { lanes, tall, short, wide: 2 * lanes }
            }
        }
        Arch::new().dispatch(Ask)
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
    pub(super) fn after(self, first: usize) -> Self {
        match self {
            Self::All => Self::All,
            Self::Below(diagonal) => Self::Below(diagonal + first),
        }
    }

    /// Whether rows before `end` have an entry that is asked for from column `col` on.
    fn reaches(self, col: usize, end: usize) -> bool {
        match self {
            Self::All => true,
            Self::Below(diagonal) => col < end + diagonal,
        }
    }
}

/// Some rows of the columns of one panel.
pub(super) struct Block<'a> {
    pub(super) length: usize,
    pub(super) runs: Runs,
    /// The first of the columns.
    pub(super) col: usize,
    pub(super) asked: Asked,
    /// The packed left side, from the first of the rows on.
    pub(super) left: &'a [f32],
    /// The packed right side.
    pub(super) right: &'a [f32],
}

impl Block<'_> {
    /// Writes the rows.
    pub(super) fn run(self, output: &mut [&mut [f32]]) {
        Arch::new().dispatch(Run { block: self, output });
    }
}

struct Run<'a, 'b> {
    block: Block<'a>,
    output: &'a mut [&'b mut [f32]],
}

impl WithSimd for Run<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match S::F32_LANES {
            16 => self.rows::<S, 12, 4>(simd),
            _ => self.rows::<S, 6, 2>(simd),
        }
    }
}

impl Run<'_, '_> {
    /// The rows, in tiles of `TALL` rows, and of `SHORT` rows for what is left.
    #[inline(always)]
    fn rows<S: Simd, const TALL: usize, const SHORT: usize>(self, simd: S) {
        let Self { block: Block { length, runs, col, asked, left, right }, output } = self;
        let mut levels = vec![simd.splat_f32s(0.0); runs.depth(length) * TALL * 2];
        let is_wide = output[0].len() > S::F32_LANES;
        let tall = output.len() / TALL * TALL;
        for (first, height) in (0..tall)
            .step_by(TALL)
            .map(|first| (first, TALL))
            .chain((tall..output.len()).step_by(SHORT).map(|first| (first, SHORT)))
        {
            let end = output.len().min(first + height);
            if !asked.reaches(col, end) {
                continue;
            }
            let (left, output, levels) =
                (&left[first * length..][..height * length], &mut output[first..end], &mut levels);
            match (first < tall, is_wide) {
                (true, true) => write(simd, tile::<S, TALL, 2>(simd, runs, left, right, levels), output),
                (true, false) => write(simd, tile::<S, TALL, 1>(simd, runs, left, right, levels), output),
                (false, true) => write(simd, tile::<S, SHORT, 2>(simd, runs, left, right, levels), output),
                (false, false) => write(simd, tile::<S, SHORT, 1>(simd, runs, left, right, levels), output),
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
    runs: Runs,
    left: &[f32],
    right: &[f32],
    levels: &mut [S::f32s],
) -> Sums<S, ROWS, VECTORS> {
    let (left, _) = left.as_chunks::<ROWS>();
    let (right, _) = bytemuck::cast_slice::<f32, S::f32s>(right).as_chunks::<VECTORS>();
    let (levels, _) = levels.as_chunks_mut::<VECTORS>();
    let (levels, _) = levels.as_chunks_mut::<ROWS>();
    let levels = &mut levels[..runs.depth(left.len())];
    // Level k holds the sum of 2^k runs until another of its size is there: the ones of the number of runs so far.
    let mut count = 0usize;
    for (left, right) in left.chunks(runs.length()).zip(right.chunks(runs.length())) {
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

/// Writes the sums to the beginnings of rows.
#[inline(always)]
fn write<S: Simd, const ROWS: usize, const VECTORS: usize>(
    _: S,
    sums: Sums<S, ROWS, VECTORS>,
    output: &mut [&mut [f32]],
) {
    for (row, sums) in output.iter_mut().zip(&sums) {
        for (part, vector) in row.chunks_mut(S::F32_LANES).zip(sums) {
            let sums: &[f32] = bytemuck::cast_slice(std::slice::from_ref(vector));
            // Of a length that is known, so that no function is called for a copy.
            if part.len() == S::F32_LANES {
                part.copy_from_slice(sums);
            } else {
                part.iter_mut().zip(sums).for_each(|(part, sum)| *part = *sum);
            }
        }
    }
}
