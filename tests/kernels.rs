//! Every kernel against its `f64` twin, on the adapter that `OPNORM_ADAPTER` names: one table, one row a kernel.
//!
//! The table runs each row over all edge sizes, storages, ranges of values and masks, in both profiles, with shaders
//! trusted and checked, and with matrices cut into panels. Bounds are derived (`kernels/bounds.rs`); how many roundings a
//! kernel has follows from its shape and is said at its row's function. Run with `--nocapture` for the worst
//! error / bound of each kernel.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod kernels {
    pub mod bounds;
    pub mod dense;
    pub mod harness;
    pub mod krylov;
    pub mod sliding;
    pub mod tensor;
    pub mod values;
    pub mod vector;
}

use kernels::bounds::Bound;
use kernels::harness::{Row, Setup, compare, run};
use kernels::values::magnitudes;
use kernels::{dense, krylov, sliding, tensor, vector};
use opnorm::gpu::{Buffer, Recorder};
use opnorm::ops::{Normalise, NormaliserState, PowerCheck, PowerReport, Side, Tile};
use opnorm::tensor::{Conv2dOptions, Pool2dOptions, Storage, Tensor};
use opnorm::{Error, Gpu, Matrix, Result, ops, reference};

const ALL: &[Storage] = &[Storage::F32, Storage::F16, Storage::Bf16];
const F32: &[Storage] = &[Storage::F32];
const NONE: &[Storage] = &[];

// Long sizes are (batch, rows, cols); vector kernels take `batch` vectors of `cols` elements, in `rows` slots or segments.

/// 2^21 elements in one item: 65 536 trips of one lane of the software profile, were the sum not cut.
const SQUARE: (usize, usize, usize) = (1, 2048, 1024);
const LONG: (usize, usize, usize) = (1, 1, 1 << 21);
const MANY: (usize, usize, usize) = (70_000, 1, 3);
const DEEP: (usize, usize, usize) = (1, 60_000, 2);
const WIDE: (usize, usize, usize) = (1, 1, 600_000);

#[rustfmt::skip]
fn table() -> Vec<Row> {
    vec![
        //  kernel              held  mask   exact  past 65 536 trips or 65 535 groups                 comparison
        row("matvec",           ALL,  true,  false, &[(1, 2, 600_000), (1, 300_001, 4), (70_000, 2, 3)], dense::matvec),
        row("matvec_adjoint",   ALL,  true,  false, &[(1, 70_000, 3), (1, 600_000, 1), (70_000, 3, 2)], dense::matvec_adjoint),
        row("matvec_vectors",   ALL,  true,  false, &[(1, 2, 600_000), (1, 300_001, 4), (70_000, 2, 3)], dense::matvec_vectors),
        row("matvec_adjoint_vectors", ALL, true, false, &[(1, 70_000, 3), (1, 600_000, 1), (70_000, 3, 2)], dense::matvec_adjoint_vectors),
        row("row_abs_sums",     ALL,  false, false, &[(1, 3, 600_000), (1, 600_000, 3)],               dense::row_abs_sums),
        row("column_abs_sums",  ALL,  false, false, &[(1, 600_000, 3), (1, 2, 2_200_000)],             dense::column_abs_sums),
        row("square_sums",      ALL,  false, false, &[SQUARE, LONG, MANY],                             dense::square_sums),
        row("screen",           ALL,  false, true,  &[SQUARE, LONG, MANY],                             dense::screen),
        row("decode",           ALL,  false, false, &[SQUARE, LONG],                                   dense::decode),
        row("pack",             F32,  false, true,  &[SQUARE, LONG, (1, 600_000, 3)],                  dense::pack),
        row("outer",            F32,  false, false, &[SQUARE, (70_000, 3, 2)],                         dense::outer),
        row("gram",             F32,  false, false, &[(1, 70_000, 3), (70_000, 3, 2), (1, 2, 1500)],   dense::gram),
        row("mirror",           F32,  false, true,  &[(1, 1, 1500), (70_000, 1, 2)],                   dense::mirror),
        row("arithmetic",       NONE, false, false, &[(1, 1, 600_000)],                                vector::arithmetic),
        row("dot",              NONE, true,  false, &[LONG, MANY],                                     vector::dot),
        row("sum_squares",      NONE, true,  false, &[LONG, MANY],                                     vector::sum_squares),
        row("residual_squares", NONE, true,  false, &[LONG, MANY],                                     vector::residual_squares),
        row("max_abs",          NONE, false, true,  &[LONG, MANY, (600_000, 1, 3)],                     vector::max_abs),
        row("axpby",            NONE, true,  false, &[LONG, MANY],                                     vector::axpby),
        row("scale",            NONE, true,  false, &[LONG, MANY],                                     vector::scale),
        row("sum_partials",     NONE, true,  false, &[(1, 45_000, 2), LONG],                                     vector::sum_partials),
        row("project",          NONE, true,  false, &[(1, 2, 1 << 20), (700, 100, 3)],                 krylov::project),
        row("combine",          NONE, true,  false, &[(1, 20_000, 2), LONG],                           krylov::combine),
        row("range",            NONE, true,  true,  &[DEEP, WIDE],                                     krylov::range),
        row("normaliser",       NONE, true,  false, &[DEEP, WIDE],                                     krylov::normaliser),
        row("power_check",      NONE, true,  false, &[DEEP, WIDE],                                     krylov::power_check),
        row("unary",            NONE, false, false, &[(70_000, 1, 3)],                                 tensor::unary),
        row("binary",           NONE, false, false, &[LONG, MANY],                                     tensor::binary),
        row("strided",          NONE, false, true,  &[LONG, MANY],                                     tensor::strided),
        row("window",           NONE, false, true,  &[LONG, MANY],                                     tensor::window),
        row("sum_axis",         NONE, false, false, &[LONG, MANY, (1, 3, 70_000)],                     tensor::sum_axis),
        row("matmul",           NONE, false, false, &[(1, 5, 40_000), MANY, (1, 600, 70)],             tensor::matmul),
        row("matmul_side",      NONE, false, true,  &[(1, 70_000, 9), MANY, (1, 3, 600_000)],           tensor::matmul_side),
        row("matmul_tiles",     NONE, false, false, &[(1, 5, 40_000), MANY, (1, 600, 70)],             tensor::matmul_tiles),
        row("gather",           NONE, false, false, &[LONG, MANY],                                     tensor::gather),
        row("insert",           NONE, false, true,  &[LONG, MANY],                                     tensor::insert),
        row("conv2d",           NONE, false, false, &[(1, 1, 20_000), MANY],                           sliding::conv2d),
        row("conv2d_transposed", NONE, false, false, &[(1, 1, 20_000), MANY],                          sliding::conv2d_transposed),
        row("conv2d_weight",    NONE, false, false, &[(1, 1, 70_000), MANY],                           sliding::conv2d_weight),
        row("pool_choice",      NONE, false, true,  &[(1, 50_000, 3), MANY],                           sliding::pool_choice),
        row("pool_pick",        NONE, false, true,  &[(1, 50_000, 3), MANY],                           sliding::pool_pick),
        row("pool_unpick",      NONE, false, false, &[MANY],                                           sliding::pool_unpick),
    ]
}

fn row(
    name: &'static str,
    storages: &'static [Storage],
    masks: bool,
    exact: bool,
    long: &'static [(usize, usize, usize)],
    check: fn(&mut kernels::harness::Case<'_>),
) -> Row {
    Row { name, storages, masks, exact, long, check }
}

#[test]
fn the_table_has_a_row_for_every_kernel() {
    let rows: Vec<_> = table().iter().map(|row| row.name).collect();
    for kernel in ops::kernels() {
        assert!(rows.contains(&kernel.stem), "{} has no row", kernel.name);
    }
}

#[test]
fn trusted_kernels_agree_with_their_twins_in_the_software_profile() {
    run(&table(), Setup::SoftwareTrusted);
}

#[test]
fn checked_kernels_agree_with_their_twins_in_the_software_profile() {
    run(&table(), Setup::SoftwareChecked);
}

#[test]
fn trusted_kernels_agree_with_their_twins_in_the_hardware_profile() {
    run(&table(), Setup::HardwareTrusted);
}

#[test]
fn checked_kernels_agree_with_their_twins_in_the_hardware_profile() {
    run(&table(), Setup::HardwareChecked);
}

#[test]
fn kernels_agree_with_their_twins_panel_by_panel() {
    run(&table(), Setup::SoftwarePanels);
    run(&table(), Setup::HardwarePanels);
}

/// What the table finds out, it must be able to find out.
#[test]
fn wrong_results_are_caught() {
    let gpu = Setup::SoftwareTrusted.gpu();
    let (rows, cols) = (7, 9);
    let entries: Vec<f32> = (0..rows * cols).map(|index| 1.0 + ((index * 37) % 11) as f32 / 7.0).collect();
    let input: Vec<f32> = (0..cols).map(|index| 0.5 + (index % 5) as f32 / 3.0).collect();
    let matrix = Matrix::from_slice(gpu, rows, cols, &entries).unwrap();
    let input = Tensor::from_slice(gpu, &[1, 1, cols], &input).unwrap();
    let output = Tensor::zeros(gpu, &[1, 1, rows]).unwrap();
    let mut recorder = gpu.recorder();
    ops::matvec(&mut recorder, &matrix, &input, &output).unwrap();
    recorder.submit().unwrap();
    let wide = |values: Vec<f32>| values.into_iter().map(f64::from).collect::<Vec<_>>();
    let (found, input) = (wide(output.read(gpu).unwrap()), wide(input.read(gpu).unwrap()));
    let entries: Vec<f64> = entries.into_iter().map(f64::from).collect();

    // One trip of three lanes, whose quads are added up: 1 product, 3 sums, 2 sums.
    let bounds_of =
        |matrix: &[f64]| Bound::of(6, 0.0).each(&reference::matvec(&magnitudes(matrix), &magnitudes(&input)));
    let twin = reference::matvec(&entries, &input);
    let bounds = bounds_of(&entries);
    compare(&found, &twin, &bounds).unwrap();
    for index in 0..rows {
        let mut wrong = found.clone();
        wrong[index] *= 1.0 + 1e-4;
        assert!(compare(&wrong, &twin, &bounds).unwrap_err().contains(&format!("entry {index}")));
        wrong[index] = f64::NAN;
        assert!(compare(&wrong, &twin, &bounds).is_err());
    }
    assert!(compare(&found[1..], &twin, &bounds).is_err());

    let transposed: Vec<f64> = (0..rows * cols).map(|index| entries[index % rows * cols + index / rows]).collect();
    assert!(compare(&found, &reference::matvec(&transposed, &input), &bounds_of(&transposed)).is_err());
    let mut swapped = entries.clone();
    swapped.swap(0, 1);
    assert!(compare(&found, &reference::matvec(&swapped, &input), &bounds_of(&swapped)).is_err());
}

/// A column has the same bits alone, among others, and where others are masked.
#[test]
fn columns_do_not_change_each_other() {
    let shapes = [(1, 700, 45), (2, 9, 7), (1, 1, 1), (1, 5, 3001), (3, 33, 130)];
    // The vectors of a small binding are short and few.
    let setups = [(Setup::SoftwareTrusted, 5, 9), (Setup::HardwareTrusted, 5, 9), (Setup::SoftwarePanels, 2, 4)];
    for (setup, shapes_taken, most) in setups {
        let gpu = setup.gpu();
        for (batch, rows, cols) in shapes.into_iter().take(shapes_taken) {
            let number = |index: usize| ((index * 7919) % 1013) as f32 / 711.0 - 0.7;
            let entries: Vec<f32> = (0..batch * rows * cols).map(number).collect();
            let matrix = Matrix::from_batch(gpu, batch, rows, cols, &entries).unwrap();
            for columns in 2..=most {
                let active: Vec<u32> = (0..batch * columns).map(|vector| u32::from(vector % 3 != 1)).collect();
                same_alone(&matrix, (cols, rows), &active, columns, ops::matvec);
                same_alone(&matrix, (rows, cols), &active, columns, ops::matvec_adjoint);
            }
        }
    }
}

fn same_alone(
    matrix: &Matrix,
    (from, to): (usize, usize),
    active: &[u32],
    columns: usize,
    product: fn(&mut Recorder, &Matrix, &Tensor, &Tensor) -> Result<()>,
) {
    let (gpu, batch) = (matrix.gpu(), matrix.batch());
    let number = |index: usize| ((index * 6007) % 997) as f32 / 501.0 - 1.1;
    let input: Vec<f32> = (0..batch * columns * from).map(number).collect();
    let run = |input: &[f32], columns: usize, active: Option<&[u32]>| {
        let input = Tensor::from_slice(gpu, &[batch, columns, from], input).unwrap();
        let output = Tensor::zeros(gpu, &[batch, columns, to]).unwrap();
        let mut recorder = gpu.recorder();
        match active {
            Some(active) => {
                let active = Buffer::from_slice(gpu, "test", active).unwrap();
                recorder.masked(&active, |recorder| product(recorder, matrix, &input, &output)).unwrap();
            }
            None => product(&mut recorder, matrix, &input, &output).unwrap(),
        }
        recorder.submit().unwrap();
        output.read(gpu).unwrap()
    };
    let (together, masked) = (run(&input, columns, None), run(&input, columns, Some(active)));
    for column in 0..columns {
        let own = input.chunks_exact(from).skip(column).step_by(columns).flatten().copied().collect::<Vec<f32>>();
        let alone = run(&own, 1, None);
        for (item, alone) in alone.chunks_exact(to).enumerate() {
            let vector = item * columns + column;
            let place = vector * to..(vector + 1) * to;
            let is_same = |found: &[f32]| found.iter().zip(alone).all(|(x, y)| x.to_bits() == y.to_bits());
            assert!(is_same(&together[place.clone()]), "column {column} of {columns}, item {item}, {from} x {to}");
            let is_kept = masked[place.clone()].iter().all(|value| *value == 0.0);
            assert!(if active[vector] == 0 { is_kept } else { is_same(&masked[place]) }, "column {column}, masked");
        }
    }
}

/// The levels of a long sum are there: a chain loses what is below half a unit of its first product.
#[test]
fn products_are_not_summed_one_after_another() {
    let rows = 4096;
    let entries: Vec<f32> =
        (0..rows).flat_map(|row| if row == 0 { [1.0; 2] } else { [1.0 / 4096.0, 1.0 / 8192.0] }).collect();
    let products = entries.chunks_exact(2).map(|row| row[0] * row[1]);
    let chain = products.clone().fold(0.0, |sum, product| sum + product);
    let exact: f64 = products.map(f64::from).sum();
    for setup in [Setup::SoftwareTrusted, Setup::HardwareTrusted] {
        let matrix = Matrix::from_slice(setup.gpu(), rows, 2, &entries).unwrap();
        let bounds = [Bound::of(dense::gram_roundings(&matrix), 0.0).at(exact)];
        assert!(compare(&[f64::from(chain)], &[exact], &bounds).is_err());
        let found = dense::gram_of(&matrix);
        compare(&[f64::from(found[1])], &[exact], &bounds).unwrap();
    }
}

/// What the row of the Gram product finds out, it must be able to find out.
#[test]
fn wrong_gram_products_are_caught() {
    let gpu = Setup::SoftwareTrusted.gpu();
    let (rows, cols) = (70, 13);
    let entries: Vec<f32> = (0..rows * cols).map(|index| 1.0 + ((index * 37) % 11) as f32 / 7.0).collect();
    let matrix = Matrix::from_slice(gpu, rows, cols, &entries).unwrap();
    let found: Vec<f64> = dense::gram_of(&matrix).into_iter().map(f64::from).collect();
    let entries: Vec<f64> = entries.into_iter().map(f64::from).collect();
    let twin = reference::gram(&entries, cols, 1.0);
    let bounds = Bound::of(dense::gram_roundings(&matrix), 0.0).each(&twin);
    compare(&found, &twin, &bounds).unwrap();
    dense::expect_symmetric(&found, cols).unwrap();

    for index in 0..cols * cols {
        let mut wrong = found.clone();
        wrong[index] *= 1.0 + 1e-4;
        assert!(compare(&wrong, &twin, &bounds).unwrap_err().contains(&format!("entry {index}")));
        if index % (cols + 1) != 0 {
            wrong[index] = f64::from((found[index] as f32).next_up());
            compare(&wrong, &twin, &bounds).unwrap();
            assert!(dense::expect_symmetric(&wrong, cols).is_err());
        }
    }
    for first in (0..rows).step_by(16) {
        let run = reference::gram(&entries[first * cols..rows.min(first + 16) * cols], cols, 1.0);
        let dropped: Vec<f64> = found.iter().zip(&run).map(|(sum, run)| sum - run).collect();
        let doubled: Vec<f64> = found.iter().zip(&run).map(|(sum, run)| sum + run).collect();
        assert!(compare(&dropped, &twin, &bounds).is_err() && compare(&doubled, &twin, &bounds).is_err());
    }
}

/// Bands of rows are the rows of the whole, to the bit, wherever they are cut.
#[test]
fn bands_of_a_gram_product_are_those_of_the_whole() {
    for setup in [Setup::SoftwareTrusted, Setup::HardwareTrusted, Setup::SoftwarePanels, Setup::HardwarePanels] {
        let gpu = setup.gpu();
        for (batch, rows, cols, band) in [(1, 70, 13, 1), (2, 33, 65, 24), (1, 20, 257, 100), (3, 5, 9, 4)] {
            let entries: Vec<f32> =
                (0..batch * rows * cols).map(|index| ((index * 37) % 101) as f32 / 7.0 - 5.0).collect();
            let matrix = Matrix::from_batch(gpu, batch, rows, cols, &entries).unwrap();
            let factors = Buffer::from_slice(gpu, "test", &vec![0.5; batch]).unwrap();
            let (whole, banded) =
                (Matrix::zeros(gpu, batch, cols, cols).unwrap(), Matrix::zeros(gpu, batch, cols, cols).unwrap());
            let mut recorder = gpu.recorder();
            ops::gram(&mut recorder, &matrix, &factors, &whole).unwrap();
            // The last first: the order is the caller's.
            for first in (0..cols).step_by(band).rev() {
                let rows = first..cols.min(first + band);
                ops::gram_rows(&mut recorder, &matrix, &factors, &banded, rows).unwrap();
            }
            ops::mirror(&mut recorder, &banded).unwrap();
            recorder.submit().unwrap();
            let bits = |matrix: &Matrix| matrix.read().unwrap().into_iter().map(f32::to_bits).collect::<Vec<_>>();
            assert!(bits(&whole) == bits(&banded), "{setup:?}: {batch} x {rows} x {cols} in bands of {band}");
            let past = ops::gram_rows(&mut gpu.recorder(), &matrix, &factors, &banded, 0..cols + 1).unwrap_err();
            assert!(matches!(past, Error::OutOfRange { .. }), "{past}");
        }
    }
}

/// A sum in one chain loses what the order that the kernel promises keeps, and so does flushing more than WGSL allows.
#[test]
fn a_gram_product_in_another_order_or_flushed_is_caught() {
    let gpu = Setup::SoftwareTrusted.gpu();
    let rows = 4096;
    // 2^24 and then ones: added one by one, each one is lost.
    let entries: Vec<f32> = (0..rows).map(|row| if row == 0 { 4096.0 } else { 1.0 }).collect();
    let matrix = Matrix::from_slice(gpu, rows, 1, &entries).unwrap();
    let twin = [16_777_216.0 + (rows - 1) as f64];
    let bounds = Bound::of(dense::gram_roundings(&matrix), 0.0).each(&twin);
    compare(&[f64::from(dense::gram_of(&matrix)[0])], &twin, &bounds).unwrap();
    let chain = entries.iter().fold(0f32, |sum, entry| sum + entry * entry);
    assert!(compare(&[f64::from(chain)], &twin, &bounds).is_err(), "{chain}");

    // 2^-120 is no subnormal number.
    let small = Matrix::from_slice(gpu, rows, 1, &vec![2f32.powi(-30); rows]).unwrap();
    let twin = [rows as f64 * 2f64.powi(-120)];
    let factor = 2f64.powi(-60);
    let lost = ops::gram_flushed(&small, 2f64.powi(-30), factor);
    let bounds = Bound::of(dense::gram_roundings(&small), lost).each(&twin);
    assert!(compare(&[0.0], &twin, &bounds).is_err(), "{lost:e}");
    compare(&twin, &twin, &bounds).unwrap();
}

/// No adapter is trusted with more loop trips of one invocation than its budget.
#[test]
fn sums_over_the_loop_budget_are_refused() {
    let gpu = Setup::SoftwareTrusted.gpu();
    let over = gpu.capabilities().loop_budget as usize + 1;
    let numbers: Buffer<f32> = Buffer::zeros(gpu, "test", 2 * over).unwrap();
    let small: Buffer<f32> = Buffer::zeros(gpu, "test", 2).unwrap();
    let active: Buffer<u32> = Buffer::zeros(gpu, "test", 2).unwrap();
    let states: Buffer<NormaliserState> = Buffer::zeros(gpu, "test", 2).unwrap();

    refused(gpu, |recorder| ops::sum_partials(recorder, &numbers, over, 1, 1, &small));
    let quads: Buffer<f32> = Buffer::zeros(gpu, "test", 4 * over).unwrap();
    let side = Side { buffer: &numbers.slice(0..over), transposed: false };
    refused(gpu, |recorder| ops::matmul(recorder, (1, 1, over, 1), side, side, None, &small.slice(0..1)));
    refused(gpu, |recorder| {
        ops::matmul_tiles(recorder, (1, 1, over, 1), Tile::Eight, &quads, &quads, &small.slice(0..1))
    });
    let sizes = |image: [usize; 4], weight: [usize; 4]| Conv2dOptions::default().sizes(&image, &weight).unwrap();
    let deep = sizes([1, over, 1, 1], [1, over, 1, 1]);
    refused(gpu, |recorder| ops::conv2d(recorder, &deep, &numbers, &numbers, &small));
    let broad = sizes([1, 1, 1, 1], [over, 1, 1, 1]);
    refused(gpu, |recorder| ops::conv2d_transposed(recorder, &broad, &numbers, &numbers, &small));
    let tall = Pool2dOptions::new([over, 1]).sizes(1, [over, 1]).unwrap();
    refused(gpu, |recorder| ops::pool_choice(recorder, &tall, &numbers, &small));
    let dense = Pool2dOptions { stride: [1, 1], padding: [over / 2, 0], ..Pool2dOptions::new([over, 1]) };
    let dense = dense.sizes(1, [over, 1]).unwrap();
    refused(gpu, |recorder| ops::pool_unpick(recorder, &dense, &numbers, &numbers, &numbers));
    let one_place = ops::Places::of(1, &vec![0; over]).unwrap().transposed();
    refused(gpu, |recorder| ops::gather(recorder, (1, 1), &one_place, &numbers, &small));
    // Inner loops end once a slot, and that counts: 3 trips a slot with one segment.
    for (slots, segments) in [(over / 3 + 1, 1), (over / 5 + 1, 3), (2, over / 2)] {
        let basis = (&numbers, slots, 1);
        refused(gpu, |recorder| ops::combine(recorder, (1, 1), basis, (1.0, &numbers, segments), &small));
    }
    let screens: Buffer<[u32; 2]> = Buffer::zeros(gpu, "test", over).unwrap();
    refused(gpu, |recorder| ops::range(recorder, 1, (&screens, over), &small, &active, &states));
    let memory = Normalise { vectors: 1, factors: &small, inverses: &small, active: &active, states: &states };
    refused(gpu, |recorder| ops::normaliser(recorder, &memory, (&numbers, over), (&small, 0), (1, 0.0)));
    let check = PowerCheck { iteration: 1, gram: false, rtol: 1e-6, atol: 0.0 };
    let reports: Buffer<PowerReport> = Buffer::zeros(gpu, "test", 1).unwrap();
    refused(gpu, |recorder| ops::power_check(recorder, 1, &check, (&numbers, over), &small, &active, &reports));
}

/// Shaders do not check what they are told, so that no product of sizes may wrap around to a small number.
#[test]
fn sizes_that_cannot_be_multiplied_are_refused() {
    let gpu = Setup::SoftwareTrusted.gpu();
    let numbers: Buffer<f32> = Buffer::zeros(gpu, "test", 16).unwrap();
    let others: Buffer<f32> = Buffer::zeros(gpu, "test", 16).unwrap();
    let side = Side { buffer: &numbers, transposed: false };
    let (half, huge) = (1usize << 32, 1usize << 62);
    let mut recorder = gpu.recorder();
    let refuse = |result: Result<()>| {
        assert!(matches!(result, Err(Error::ShapeMismatch { .. } | Error::TooLarge { .. })), "{result:?}");
    };
    refuse(ops::matmul(&mut recorder, (half, half, 4, 1), side, side, None, &others));
    refuse(ops::sum_axis(&mut recorder, (huge, 4, 4), &numbers, &numbers, &others));
    refuse(ops::window(&mut recorder, (huge, 4, 4), (0, 2), &numbers, &others));
    refuse(ops::insert(&mut recorder, (huge, 2, 4), (0, 4), &numbers, &others));
    refuse(ops::strided(&mut recorder, &[4, 4], &[huge, 4], &numbers, &others));
}

fn refused(gpu: &Gpu, operation: impl FnOnce(&mut Recorder) -> Result<()>) {
    let error = operation(&mut gpu.recorder()).unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }), "{error}");
    assert!(error.to_string().contains("loop trips"), "{error}");
}
