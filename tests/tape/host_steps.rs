//! Steps of the host between two dispatches: their order, masks and read-backs around them, and errors.

use std::sync::{Arc, Mutex};

use futures::future::LocalBoxFuture;
use opnorm::gpu::{Buffer, HostStep};
use opnorm::{Error, Gpu, Result, ops};

use super::gpu;

/// Doubles numbers on the host, and notes what they were.
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
        ops::scale(&mut recorder, (3, 1), &factors, &numbers, &product).unwrap();
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
            ops::scale(recorder, (3, 1), &factors, &numbers, &before)?;
            recorder.host(Arc::new(Double { numbers: numbers.clone(), seen }));
            ops::scale(recorder, (3, 1), &factors, &numbers, &after)
        })
        .unwrap();
    let whole = upload(&[0f32; 3]);
    ops::scale(&mut recorder, (3, 1), &factors, &numbers, &whole).unwrap();
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

    // What follows a step that failed does not run.
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
    // A device of its own: others count submits, too.
    let gpu = Gpu::new().unwrap();
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
