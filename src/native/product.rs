//! Products of matrices: tiles of sums that stay in registers, over sides that are packed into neighbours first.

use pulp::{Arch, Simd, WithSimd};

use crate::device::each_chunk;

/// Rows and columns of a tile: 8 vectors of 8 sums, which keep a processor's two multipliers busy. Wider or narrower
/// vectors sum in the same order.
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
                let sums = Arch::new().dispatch(Tile { left: &own, right: panel });
                for (output, sums) in output.chunks_mut(cols).zip(&sums) {
                    let output = &mut output[first..];
                    let count = output.len().min(COLS);
                    output[..count].copy_from_slice(&sums[..count]);
                }
            }
        });
    }
}

/// The sums of one tile: rows of the output.
type Sums = [[f32; COLS]; ROWS];

/// A tile of the output, from a panel of either side.
struct Tile<'a> {
    left: &'a [[f32; ROWS]],
    right: &'a [[f32; COLS]],
}

impl WithSimd for Tile<'_> {
    type Output = Sums;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Sums {
        match S::F32_LANES {
            16 => self.sums::<S, 1>(simd),
            8 => self.sums::<S, 2>(simd),
            4 => self.sums::<S, 4>(simd),
            _ => self.sums::<S, COLS>(simd),
        }
    }
}

impl Tile<'_> {
    /// The sums, in rows of `WIDTH` vectors.
    #[inline(always)]
    fn sums<S: Simd, const WIDTH: usize>(self, simd: S) -> Sums {
        // Level k holds the sum of 2^k runs until another of its size is there: the ones of the number of runs so far.
        let zero = [[simd.splat_f32s(0.0); WIDTH]; ROWS];
        let mut levels = [zero; LEVELS];
        let mut count = 0usize;
        for (left, right) in self.left.chunks(RUN).zip(self.right.chunks(RUN)) {
            let mut sums = zero;
            for (left, right) in left.iter().zip(right) {
                let right: &[S::f32s] = bytemuck::cast_slice(right);
                for row in 0..ROWS {
                    let factor = simd.splat_f32s(left[row]);
                    for col in 0..WIDTH {
                        sums[row][col] = simd.mul_add_f32s(factor, right[col], sums[row][col]);
                    }
                }
            }
            let level = count.trailing_ones() as usize;
            for waiting in &levels[..level] {
                sums = add(simd, sums, waiting);
            }
            levels[level] = sums;
            count += 1;
        }
        let waiting = levels.iter().enumerate().filter(|(level, _)| count >> level & 1 == 1);
        let total = waiting.fold(zero, |total, (_, sums)| add(simd, total, sums));
        let mut output = Sums::default();
        for (output, sums) in output.iter_mut().zip(&total) {
            output.copy_from_slice(bytemuck::cast_slice(sums));
        }
        output
    }
}

#[inline(always)]
fn add<S: Simd, const WIDTH: usize>(
    simd: S,
    mut sums: [[S::f32s; WIDTH]; ROWS],
    more: &[[S::f32s; WIDTH]; ROWS],
) -> [[S::f32s; WIDTH]; ROWS] {
    for row in 0..ROWS {
        for col in 0..WIDTH {
            sums[row][col] = simd.add_f32s(sums[row][col], more[row][col]);
        }
    }
    sums
}
