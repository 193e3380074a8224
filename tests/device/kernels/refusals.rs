//! Sizes that kernels refuse: past the loop budget, and past the range of `u32`.

use opnorm::device::{Buffer, Recorder};
use opnorm::low_level::ops;
use opnorm::low_level::ops::{
    Around, Axis, BasisRef, InsertAt, Normalise, NormaliserState, NormsOfStep, PowerCheck, PowerReport, Rows,
    Segmented, Side, Sizes, Span, StepNorms, Tile,
};
use opnorm::tensor::{Conv2dOptions, Pool2dOptions};
use opnorm::{Device, Error, Result};

use super::setup::Setup;

const ONE: Rows = Rows { vectors: 1, length: 1 };

/// The host has no loop budget: a sum past that of adapters is the sum.
fn long_sums_run(gpu: &Device) {
    assert_eq!(gpu.capabilities().loop_budget, u32::MAX);
    let (ones, sum) =
        (Buffer::from_slice(gpu, "test", &[1f32; 70_001]).unwrap(), Buffer::zeros(gpu, "test", 1).unwrap());
    let mut recorder = gpu.recorder();
    ops::sum_partials(&mut recorder, Segmented { buffer: &ones, count: 70_001 }, ONE, &sum).unwrap();
    let sum = recorder.read(&sum).unwrap();
    recorder.submit().unwrap();
    assert_eq!(sum.wait().unwrap(), [70_001f32]);
}

/// No adapter gets more loop trips of an invocation than its budget.
#[test]
fn sums_over_the_loop_budget_are_refused() {
    let gpu = Setup::SoftwareTrusted.device();
    if gpu.is_host() {
        return long_sums_run(gpu);
    }
    let over = gpu.capabilities().loop_budget as usize + 1;
    let numbers: Buffer<f32> = Buffer::zeros(gpu, "test", 2 * over).unwrap();
    let small: Buffer<f32> = Buffer::zeros(gpu, "test", 2).unwrap();
    let active: Buffer<u32> = Buffer::zeros(gpu, "test", 2).unwrap();
    let states: Buffer<NormaliserState> = Buffer::zeros(gpu, "test", 2).unwrap();

    refused(gpu, |recorder| ops::sum_partials(recorder, Segmented { buffer: &numbers, count: over }, ONE, &small));
    let quads: Buffer<f32> = Buffer::zeros(gpu, "test", 4 * over).unwrap();
    let side = Side { buffer: &numbers.slice(0..over), transposed: false };
    refused(gpu, |recorder| {
        ops::matmul(recorder, Sizes { batch: 1, rows: 1, inner: over, cols: 1 }, side, side, None, &small.slice(0..1))
    });
    refused(gpu, |recorder| {
        ops::matmul_tiles(
            recorder,
            Sizes { batch: 1, rows: 1, inner: over, cols: 1 },
            Tile::Eight,
            &quads,
            &quads,
            &small.slice(0..1),
        )
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
    refused(gpu, |recorder| ops::gather(recorder, Around { outer: 1, inner: 1 }, &one_place, &numbers, &small));
    // Inner loops end once for each slot, which counts: 3 trips for a slot with one segment.
    for (slots, segments) in [(over / 3 + 1, 1), (over / 5 + 1, 3), (2, over / 2)] {
        let basis = BasisRef { buffer: &numbers, slots, stride: 1 };
        refused(gpu, |recorder| {
            ops::combine(recorder, ONE, basis, 1.0, Segmented { buffer: &numbers, count: segments }, &small)
        });
    }
    let screens: Buffer<[u32; 2]> = Buffer::zeros(gpu, "test", over).unwrap();
    refused(gpu, |recorder| {
        ops::range(recorder, 1, Segmented { buffer: &screens, count: over }, &small, &active, &states)
    });
    let memory = Normalise { vectors: 1, factors: &small, inverses: &small, active: &active, states: &states };
    let norms = NormsOfStep { norms: &small, first_norm: 0, step: 1, breakdown: 0.0 };
    refused(gpu, |recorder| ops::normaliser(recorder, &memory, Segmented { buffer: &numbers, count: over }, &norms));
    let check = PowerCheck { iteration: 1, gram: false, rtol: 1e-6, atol: 0.0 };
    let reports: Buffer<PowerReport> = Buffer::zeros(gpu, "test", 1).unwrap();
    refused(gpu, |recorder| {
        ops::power_check(recorder, 1, &check, Segmented { buffer: &numbers, count: over }, &small, &active, &reports)
    });
}

/// As above, of the kernels of a step.
#[test]
fn steps_over_the_loop_budget_are_refused() {
    let gpu = Setup::SoftwareTrusted.device();
    if gpu.is_host() {
        return long_sums_run(gpu);
    }
    let over = gpu.capabilities().loop_budget as usize + 1;
    let numbers: Buffer<f32> = Buffer::zeros(gpu, "test", 2 * over).unwrap();
    let small: Buffer<f32> = Buffer::zeros(gpu, "test", 2).unwrap();
    let active: Buffer<u32> = Buffer::zeros(gpu, "test", 2).unwrap();
    let states: Buffer<NormaliserState> = Buffer::zeros(gpu, "test", 2).unwrap();
    let parts = |count: usize| Segmented { buffer: &numbers, count };
    let (one, norm) = ((&numbers, &numbers), (&small, 0));
    refused(gpu, |recorder| ops::remainder(recorder, ONE, one, (parts(1), parts(over)), norm, &numbers));
    refused(gpu, |recorder| ops::remainder(recorder, ONE, one, (parts(over), parts(1)), norm, &numbers));
    let memory = StepNorms { vectors: 1, inverses: &small, shifts: &small, active: &active, states: &states };
    refused(gpu, |recorder| ops::step_norms(recorder, &memory, parts(over), norm, (1, 0.0)));
}

/// Products of sizes are checked on the host, because shaders do not check their parameters and a product may wrap
/// around.
#[test]
fn sizes_that_cannot_be_multiplied_are_refused() {
    let gpu = Setup::SoftwareTrusted.device();
    let numbers: Buffer<f32> = Buffer::zeros(gpu, "test", 16).unwrap();
    let others: Buffer<f32> = Buffer::zeros(gpu, "test", 16).unwrap();
    let side = Side { buffer: &numbers, transposed: false };
    let (half, huge) = (1usize << 32, 1usize << 62);
    let huge_axis = Axis { outer: huge, length: 4, inner: 4 };
    let mut recorder = gpu.recorder();
    let refuse = |result: Result<()>| {
        assert!(matches!(result, Err(Error::ShapeMismatch { .. } | Error::TooLarge { .. })), "{result:?}");
    };
    refuse(ops::matmul(&mut recorder, Sizes { batch: half, rows: half, inner: 4, cols: 1 }, side, side, None, &others));
    refuse(ops::sum_axis(&mut recorder, huge_axis, &numbers, &numbers, &others));
    refuse(ops::window(&mut recorder, huge_axis, Span { start: 0, length: 2 }, &numbers, &others));
    refuse(ops::insert(
        &mut recorder,
        Axis { length: 2, ..huge_axis },
        InsertAt { first: 0, target_length: 4 },
        &numbers,
        &others,
    ));
    refuse(ops::strided(&mut recorder, &[4, 4], &[huge, 4], &numbers, &others));
}

fn refused(gpu: &Device, operation: impl FnOnce(&mut Recorder) -> Result<()>) {
    let error = operation(&mut gpu.recorder()).unwrap_err();
    let budget = u64::from(gpu.capabilities().loop_budget);
    assert!(matches!(error, Error::TooLarge { limit, .. } if limit == budget), "{error:?}");
}
