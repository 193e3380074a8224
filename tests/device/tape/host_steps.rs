//! Steps of the host between two dispatches: their order, masks and read-backs around them, errors, and operators with
//! such products.

use std::sync::{Arc, Mutex};

use faer::Mat;
use futures::future::LocalBoxFuture;
use opnorm::device::{Buffer, HostStep};
use opnorm::low_level::ops::{self, Rows};
use opnorm::norm::{Lanczos, Power};
use opnorm::operator::{Composition, LinearOperator, Scaled, Sum, Transpose};
use opnorm::tape::{Tape, Value};
use opnorm::tensor::Tensor;
use opnorm::{Device, Error, Result};

use super::gpu;

/// Doubles numbers on the host, and records the numbers.
struct Double {
    numbers: Buffer<f32>,
    seen: Arc<Mutex<Vec<Vec<f32>>>>,
}

impl HostStep for Double {
    fn name(&self) -> &'static str {
        "double"
    }

    fn run(&self) -> LocalBoxFuture<'_, Result<()>> {
        Box::pin(async {
            let mut recorder = gpu().recorder();
            let read = recorder.read(&self.numbers)?;
            recorder.submit()?;
            let found = read.contents().await?;
            let doubled: Vec<f32> = found.iter().map(|number| 2.0 * number).collect();
            self.seen.lock().unwrap().push(found);
            self.numbers.write(gpu(), "double", 0, &doubled)
        })
    }
}

/// A step that fails.
struct Fail;

impl HostStep for Fail {
    fn name(&self) -> &'static str {
        "fail"
    }

    fn run(&self) -> LocalBoxFuture<'_, Result<()>> {
        let error = Error::Cancelled { operation: "fail", iterations: 0 };
        Box::pin(std::future::ready(Err(error)))
    }
}

fn upload<T: bytemuck::Pod>(data: &[T]) -> Buffer<T> {
    Buffer::from_slice(gpu(), "test", data).unwrap()
}

#[test]
fn steps_run_where_they_were_recorded() {
    let (numbers, factors) = (upload(&[1f32, 2.0, 3.0]), upload(&[5f32; 3]));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let step = || Arc::new(Double { numbers: numbers.clone(), seen: Arc::clone(&seen) });
    let product = upload(&[0f32; 3]);
    let mut recorder = gpu().recorder();
    let mut reads = vec![recorder.read(&numbers).unwrap()];
    for _ in 0..2 {
        recorder.host(step());
        reads.push(recorder.read(&numbers).unwrap());
        ops::scale(&mut recorder, Rows { vectors: 3, length: 1 }, &factors, &numbers, &product).unwrap();
        recorder.copy(&product, &numbers).unwrap();
        reads.push(recorder.read(&numbers).unwrap());
    }
    recorder.submit_blocking().unwrap();
    let found: Vec<Vec<f32>> = reads.into_iter().map(|read| read.wait().unwrap()).collect();
    let times = |factor: f32| vec![factor, 2.0 * factor, 3.0 * factor];
    assert_eq!(found, [1.0, 2.0, 10.0, 20.0, 100.0].map(times));
    assert_eq!(*seen.lock().unwrap(), [1.0, 10.0].map(times));
}

#[test]
fn a_mask_is_the_same_on_both_sides_of_a_step() {
    let (numbers, factors, active) = (upload(&[1f32, 2.0, 3.0]), upload(&[10f32; 3]), upload(&[1u32, 0, 1]));
    let (before, after) = (upload(&[-1f32; 3]), upload(&[-1f32; 3]));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let mut recorder = gpu().recorder();
    recorder
        .masked(&active, |recorder| {
            ops::scale(recorder, Rows { vectors: 3, length: 1 }, &factors, &numbers, &before)?;
            recorder.host(Arc::new(Double { numbers: numbers.clone(), seen }));
            ops::scale(recorder, Rows { vectors: 3, length: 1 }, &factors, &numbers, &after)
        })
        .unwrap();
    let whole = upload(&[0f32; 3]);
    ops::scale(&mut recorder, Rows { vectors: 3, length: 1 }, &factors, &numbers, &whole).unwrap();
    let reads = [before, after, whole].map(|buffer| recorder.read(&buffer).unwrap());
    gpu().block_on(recorder.submit_async()).unwrap();
    let found = reads.map(|read| read.wait().unwrap());
    assert_eq!(found, [[10.0, -1.0, 30.0], [20.0, -1.0, 60.0], [20.0, 40.0, 60.0]].map(Vec::from));
}

#[test]
fn a_step_is_never_passed_over() {
    let mut recorder = gpu().recorder();
    recorder.host(Arc::new(Fail));
    let error = recorder.submit().unwrap_err();
    assert!(matches!(error, Error::NeedsHost { operation: "fail" }), "{error}");
    assert!(error.to_string().contains("submit_async"), "{error}");

    // Commands after a failed step do not run.
    let (from, to) = (upload(&[1f32]), upload(&[0f32]));
    let mut recorder = gpu().recorder();
    recorder.host(Arc::new(Fail));
    recorder.copy(&from, &to).unwrap();
    let error = recorder.submit_blocking().unwrap_err();
    assert!(matches!(error, Error::Cancelled { operation: "fail", .. }), "{error}");
    let mut recorder = gpu().recorder();
    let read = recorder.read(&to).unwrap();
    recorder.submit().unwrap();
    assert_eq!(read.wait().unwrap(), [0.0]);
}

#[test]
fn a_recorder_without_steps_waits_for_nothing() {
    // A separate device, because other tests count submits too.
    let gpu = Device::new().unwrap();
    let [from, to] = [[1f32], [0f32]].map(|data| Buffer::from_slice(&gpu, "test", &data).unwrap());
    let mut recorder = gpu.recorder();
    recorder.copy(&from, &to).unwrap();
    let before = gpu.totals();
    let mut submission = Box::pin(recorder.submit_async());
    let waker = futures::task::noop_waker();
    let first = submission.as_mut().poll(&mut std::task::Context::from_waker(&waker));
    assert!(matches!(first, std::task::Poll::Ready(Ok(()))));
    assert_eq!((gpu.totals().submits - before.submits, gpu.totals().read_backs), (1, 0));
}

/// A function whose derivative needs the host, at a point with a batch of two.
fn triplets() -> (Tape, Value, Value, Tensor) {
    let tape = Tape::new(gpu());
    let a = tape.input(&[2, 3, 3]).unwrap();
    let (u, sigma, v) = a.singular_triplet().unwrap();
    let ratio = u.multiply(&sigma.sin().unwrap().reshape(&[2, 1]).unwrap()).unwrap();
    let y = tape.concatenate(&[ratio, v.tanh().unwrap()], 1).unwrap();
    let entries = [[3.0, 0.5, -0.25, 0.1, 1.0, 0.2, 0.0, -0.3, 0.5], [0.2, -2.0, 0.3, 0.4, 0.1, 1.0, 0.7, 0.0, -0.4]];
    let point = Tensor::from_slice(gpu(), &[2, 3, 3], entries.as_flattened()).unwrap();
    (tape, a, y, point)
}

/// The Jacobian of each item in `f64`, by central differences of the function on the host: outputs × inputs.
fn differences(tape: &Tape, (input, output): (&Value, &Value), point: &[f64]) -> Vec<Vec<f64>> {
    let function = tape.compile(&[input], &[output]).unwrap();
    let batch = input.shape()[0];
    let (from, to) = (point.len() / batch, output.shape().iter().skip(1).product::<usize>());
    let step = 1e-5;
    let mut jacobians = vec![vec![0.0; to * from]; batch];
    for entry in 0..from {
        let at = |step: f64| {
            let moved = point.iter().enumerate().map(|(place, x)| if place % from == entry { x + step } else { *x });
            function.evaluate(&[moved.collect::<Vec<f64>>()]).unwrap().remove(0)
        };
        let (after, before) = (at(step), at(-step));
        for (item, jacobian) in jacobians.iter_mut().enumerate() {
            for row in 0..to {
                let place = item * to + row;
                jacobian[row * from + entry] = (after[place] - before[place]) / (2.0 * step);
            }
        }
    }
    jacobians
}

#[test]
fn the_norm_of_a_jacobian_through_singular_vectors() {
    let (tape, a, y, point) = triplets();
    let jacobian = tape.linearize(&y, &a, &[(&a, &point)]).unwrap();
    let wide: Vec<f64> = point.read(gpu()).unwrap().into_iter().map(f64::from).collect();
    let dense = differences(&tape, (&a, &y), &wide);
    let found = Lanczos::default().norm(&jacobian).unwrap();
    for (norm, entries) in found.items().iter().zip(&dense) {
        let sigma = Mat::from_fn(6, 9, |row, col| entries[row * 9 + col]).singular_values().unwrap()[0];
        // Differences of step h are right to h² and roundings over h, products on the device to f32.
        assert!((norm.sigma - sigma).abs() <= 2e-5 * sigma, "{} is not {sigma}", norm.sigma);
    }
    let power = Power::default().norm(&jacobian).unwrap();
    for (power, lanczos) in power.items().iter().zip(found.items()) {
        assert!(
            (power.sigma - lanczos.sigma).abs() <= 1e-3 * lanczos.sigma,
            "{} is not {}",
            power.sigma,
            lanczos.sigma
        );
    }
}

#[test]
fn products_of_one_jacobian_that_are_awaited_together_do_not_mix() {
    let (tape, a, y, point) = triplets();
    let jacobian = tape.linearize(&y, &a, &[(&a, &point)]).unwrap();
    let product = async |seed: usize| {
        let change: Vec<f32> = (0..18).map(|place| ((place * 7 + seed * 5) % 11) as f32 - 5.0).collect();
        let change = Tensor::from_slice(gpu(), &[2, 1, 3, 3], &change).unwrap();
        let moved = Tensor::zeros(gpu(), &[2, 1, 6]).unwrap();
        let mut recorder = gpu().recorder();
        jacobian.apply(&mut recorder, &change, &moved).unwrap();
        recorder.submit_async().await.unwrap();
        moved.read_async(gpu()).await.unwrap()
    };
    let alone: Vec<Vec<f32>> = (0..3).map(|seed| gpu().block_on(product(seed))).collect();
    // Steps do wait for the device here, because no other thread drives the device.
    let together = pollster::block_on(futures::future::join_all((0..3).map(product)));
    assert_eq!(alone, together);
}

#[test]
fn compositions_hold_their_vectors_across_a_step() {
    let (tape, a, y, point) = triplets();
    let jacobian = tape.linearize(&y, &a, &[(&a, &point)]).unwrap();
    let gram = Sum::new(
        Composition::new(Transpose(&jacobian), &jacobian).unwrap(),
        Scaled::new(Composition::new(Transpose(&jacobian), &jacobian).unwrap(), 2.0).unwrap(),
    )
    .unwrap();
    let sigma = Lanczos::default().norm(&jacobian).unwrap();
    let squared = Lanczos::default().norm(&gram).unwrap();
    for (squared, sigma) in squared.items().iter().zip(sigma.items()) {
        let expected = 3.0 * sigma.sigma.powi(2);
        assert!((squared.sigma - expected).abs() <= 1e-4 * expected, "{} is not {expected}", squared.sigma);
    }
}
