//! output = left · right, for a batch of products.

use super::arguments::Sizes;
use super::check::{expect_len, expect_trips, word};
use super::declare::{kernel, params};
use super::matmul_side::{SideLayout, matmul_side, matmul_side_len};
use super::matmul_tiles::{Tile, matmul_tiles, runs_of};
use super::tree::tree_trips;
use crate::Result;
use crate::device::{Buffer, Grid, Kernel, Profile, Recorder, Words};
use crate::native::{Asked, Strided, product};
use crate::tensor::volume;

/// The number of rows and of columns of one tile, as in the shader.
const TILE: usize = 4;

params! {
    pub(super) struct Params {
        batch: u32,
        rows: u32,
        length: u32,
        cols: u32,
        left_row: u32,
        left_step: u32,
        right_col: u32,
        right_step: u32,
    }
}

pub(super) static KERNEL: Kernel =
    kernel!("tensor" / "matmul", ["group", "tile_tree"], [Read, Read, Write], Params, on_host);

/// One side of a product.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// The elements of the side, row-major.
    pub buffer: &'a Buffer<f32>,
    /// Whether the elements are stored as the transpose of the side.
    pub transposed: bool,
}

/// The largest number of elements of a copied side, which every adapter can bind.
const MOST_MOVED: usize = 1 << 25;

/// The alignment of a copied side in `scratch`, in elements; adapters ask for at most 256 bytes.
const ALIGNMENT: usize = 64;

/// A tiled way to compute a product: the size of the tiles, and the sides to copy first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tiled {
    tile: Tile,
    /// The numbers of elements of the copies of the left and the right side; 0 for a side that is read in place.
    copies: [usize; 2],
}

impl Tiled {
    /// The tiled way on an adapter of some profile, where tiles beat the kernel with 4 × 4 sums.
    ///
    /// The choice depends on the number of batch items only through memory.
    // The unit of time is a product of the kernel with 4 × 4 sums, on lavapipe: a product in a tile takes 1/3, a copied
    // element 5, a dispatch about 10 000. On hardware, which is not measured, larger tiles count as faster only where
    // enough of them occupy the device.
    fn choose(
        profile: Profile,
        Sizes { batch, rows, inner: length, cols }: Sizes,
        transposed: [bool; 2],
    ) -> Option<Self> {
        const LEAST_PRODUCTS: f64 = (1 << 18) as f64;
        const LEAST_HARDWARE_SUMS: f64 = (1 << 20) as f64;
        const LEAST_TWELVE_PRODUCTS: f64 = (1 << 24) as f64;
        let padded = |edge: usize| (rows.next_multiple_of(edge) as f64) * (cols.next_multiple_of(edge) as f64);
        let (sums, steps) = (rows as f64 * cols as f64, length as f64);
        // Narrower sides would be mostly padding.
        if rows < TILE || cols < TILE || sums * steps < LEAST_PRODUCTS {
            return None;
        }
        let is_software = profile.lanes < Profile::HARDWARE.lanes;
        if !is_software && sums < LEAST_HARDWARE_SUMS {
            return None;
        }
        let copy = |size: usize, neighbours: bool| {
            let in_place = neighbours && size.is_multiple_of(4);
            if in_place { 0 } else { matmul_side_len(batch, size, length) }
        };
        let copies = [copy(rows, transposed[0]), copy(cols, !transposed[1])];
        if copies.iter().any(|copy| *copy > MOST_MOVED) {
            return None;
        }
        let moved = copies.iter().sum::<usize>() as f64 / batch as f64;
        if padded(8) * steps / 3.0 + 5.0 * moved > padded(TILE) * steps {
            return None;
        }
        // A tile of 12 × 12 is faster by 20 %, and takes 0.5 s more to compile.
        let is_twelve = is_software && sums * steps >= LEAST_TWELVE_PRODUCTS && padded(12) < 1.2 * padded(8);
        Some(Self { tile: if is_twelve { Tile::Twelve } else { Tile::Eight }, copies })
    }

    /// The first element of the right side's copy, and the end of that copy.
    fn places(&self) -> [usize; 2] {
        let start = self.copies[0].next_multiple_of(ALIGNMENT);
        [start, start + self.copies[1]]
    }
}

/// The number of elements of `scratch` that [`matmul`] needs for a product of sides or their transposes.
pub fn matmul_scratch(sizes: Sizes, transposed: [bool; 2]) -> usize {
    let profiles = [Profile::SOFTWARE, Profile::HARDWARE].into_iter();
    let ways = profiles.filter_map(|profile| Tiled::choose(profile, sizes, transposed));
    ways.map(|way| way.places()[1]).max().unwrap_or(0)
}

/// Records output = left · right for each item of a batch.
///
/// Memory for copies makes large products several times faster where rows or columns of a side are not contiguous.
///
/// *Shapes*  `left`: batch × rows × length · `right`: batch × length × cols · `scratch`: [`matmul_scratch`] elements,
/// for copies · `output`: batch × rows × cols
///
/// *Accuracy*  gamma(14 + min(r, 32) + ⌈r / 32⌉) · |left| · |right|, entrywise, with the r = ⌈length / 16⌉ runs of 16
/// products.
///
/// # Errors
/// [`crate::Error::ShapeMismatch`] when a buffer is too short, [`crate::Error::TooLarge`] past the device's limits or
/// its loop budget.
pub fn matmul(
    recorder: &mut Recorder,
    sizes: Sizes,
    left: Side,
    right: Side,
    scratch: Option<&Buffer<f32>>,
    output: &Buffer<f32>,
) -> Result<()> {
    let operation = "matmul";
    let Sizes { batch, rows, inner: length, cols } = sizes;
    expect_len(operation, "left", volume(&[batch, rows, length]), left.buffer.len())?;
    expect_len(operation, "right", volume(&[batch, length, cols]), right.buffer.len())?;
    expect_len(operation, "output", volume(&[batch, rows, cols]), output.len())?;
    // The host form lays both sides out itself.
    let scratch = scratch.filter(|_| !recorder.device().is_host());
    let Some(scratch) = scratch else { return matmul_strided(recorder, sizes, left, right, output) };
    let transposed = [left.transposed, right.transposed];
    expect_len(operation, "scratch", matmul_scratch(sizes, transposed), scratch.len())?;
    let capabilities = recorder.device().capabilities();
    let way = Tiled::choose(capabilities.profile, sizes, transposed)
        .filter(|way| way.copies.iter().all(|copy| *copy <= capabilities.binding_elements()));
    let Some(way) = way else { return matmul_strided(recorder, sizes, left, right, output) };
    let [start, end] = way.places();
    let (mut left_laid, mut right_laid) = (left.buffer.clone(), right.buffer.clone());
    if way.copies[0] > 0 {
        left_laid = scratch.slice(0..way.copies[0]);
        matmul_side(
            recorder,
            &SideLayout { batch, size: rows, length, is_laid: left.transposed },
            left.buffer,
            &left_laid,
        )?;
    }
    if way.copies[1] > 0 {
        right_laid = scratch.slice(start..end);
        matmul_side(
            recorder,
            &SideLayout { batch, size: cols, length, is_laid: !right.transposed },
            right.buffer,
            &right_laid,
        )?;
    }
    matmul_tiles(recorder, sizes, way.tile, &left_laid, &right_laid, output)
}

/// Records the product with the kernel that reads both sides in place, element by element.
fn matmul_strided(
    recorder: &mut Recorder,
    Sizes { batch, rows, inner: length, cols }: Sizes,
    left: Side,
    right: Side,
    output: &Buffer<f32>,
) -> Result<()> {
    let operation = "matmul";
    let trips = tree_trips(length) + TILE * (TILE + 2) + 1;
    expect_trips(recorder, operation, trips, "split the product along its inner axis and add the parts")?;
    for (role, buffer) in [("the left side", left.buffer), ("the right side", right.buffer), ("the output", output)] {
        word(operation, role, buffer.len())?;
    }
    let size = |size| word(operation, "an axis", size);
    let (left_row, left_step) = if left.transposed { (1, rows) } else { (length, 1) };
    let (right_col, right_step) = if right.transposed { (length, 1) } else { (1, cols) };
    let params = Params {
        batch: size(batch)?,
        rows: size(rows)?,
        length: size(length)?,
        cols: size(cols)?,
        left_row: size(left_row)?,
        left_step: size(left_step)?,
        right_col: size(right_col)?,
        right_step: size(right_step)?,
    };
    let tiles = batch * rows.div_ceil(TILE) * cols.div_ceil(TILE);
    let grid = Grid::covering(tiles, recorder.device().capabilities().profile.lanes);
    recorder.dispatch(&KERNEL, grid, &params, &[left.buffer.into(), right.buffer.into(), output.into()])
}

fn on_host(params: &Params, [left, right, output]: [Words<'_>; 3]) {
    let (left, right) = (left.read::<f32>(), right.read::<f32>());
    let (rows, length, cols) = (params.rows as usize, params.length as usize, params.cols as usize);
    let left = |item: usize| Strided {
        elements: &left[item * rows * length..],
        across: params.left_row as usize,
        along: params.left_step as usize,
    };
    let right = |item: usize| Strided {
        elements: &right[item * length * cols..],
        across: params.right_col as usize,
        along: params.right_step as usize,
    };
    let output = &mut output.write::<f32>()[..params.batch as usize * rows * cols];
    product([rows, length, cols], runs_of(length), Asked::All, left, right, output);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_are_for_large_products() {
        let sizes = |(batch, rows, inner, cols)| Sizes { batch, rows, inner, cols };
        let choose = |profile, of, transposed| Tiled::choose(profile, sizes(of), transposed);
        let scratch = |of, transposed| matmul_scratch(sizes(of), transposed);
        let straight = [false, false];
        for small in [(256, 3, 50, 5), (1, 3, 784, 512), (1, 100_000, 50, 1), (4096, 16, 16, 16), (1, 0, 9, 9)] {
            assert_eq!(choose(Profile::SOFTWARE, small, straight), None);
            assert_eq!(choose(Profile::HARDWARE, small, straight), None);
            assert_eq!(scratch(small, straight), 0);
        }
        let layer = (1, 256, 784, 512);
        let way = choose(Profile::SOFTWARE, layer, [false, true]).unwrap();
        assert_eq!(way, Tiled { tile: Tile::Twelve, copies: [256 * 784, 784 * 512] });
        assert_eq!(scratch(layer, [false, true]), 256 * 784 + 784 * 512);
        assert_eq!(choose(Profile::HARDWARE, layer, [false, true]), None);
        for (of, tile) in [
            ((1, 64, 64, 63), None),
            ((1, 64, 64, 64), Some(Tile::Eight)),
            ((2, 70, 300, 49), Some(Tile::Eight)),
            ((1, 247, 270, 257), Some(Tile::Twelve)),
        ] {
            let way = choose(Profile::SOFTWARE, of, straight);
            assert_eq!(way.map(|way| way.tile), tile, "{of:?}");
        }
        // A copy pays for a side that is read often; a side in the right layout needs no copy.
        let thin = (1, 4, 784, 512);
        assert_eq!(choose(Profile::SOFTWARE, thin, [false, true]), None);
        let way = choose(Profile::SOFTWARE, thin, [true, false]).unwrap();
        assert_eq!(way, Tiled { tile: Tile::Eight, copies: [0, 0] });
        let large = (1, 1024, 100, 1030);
        assert_eq!(choose(Profile::HARDWARE, large, [true, false]).unwrap().tile, Tile::Eight);
        assert_eq!(scratch(large, [true, false]), 100 * 1032);
    }
}
