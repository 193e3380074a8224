//! Waiting for read-backs: each for its own submission, blocking or not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::future::join_all;
use opnorm::device::{Buffer, ReadBack};
use opnorm::operator::LinearOperator;
use opnorm::tensor::Tensor;
use opnorm::{Device, Error, Matrix, Result};

use super::open;

const SIDE: usize = 1024;

/// Reads a number back while `products` later products run, and tells whether the products still ran when the number
/// came.
fn returns_early(
    gpu: &Device,
    matrix: &Matrix,
    products: usize,
    read: impl Fn(ReadBack<f32>) -> Vec<f32>,
) -> Result<bool> {
    let number = Buffer::from_slice(gpu, "number", &[7.0f32])?;
    let (input, output) = (Tensor::zeros(gpu, &[1, 1, SIDE])?, Tensor::zeros(gpu, &[1, 1, SIDE])?);
    let mut first = gpu.recorder();
    let read_back = first.read(&number)?;
    first.submit()?;
    let mut later = gpu.recorder();
    for _ in 0..products {
        matrix.apply(&mut later, &input, &output)?;
    }
    later.submit()?;
    let done = Arc::new(AtomicBool::new(false));
    let note = Arc::clone(&done);
    gpu.wgpu_queue().unwrap().on_submitted_work_done(move || note.store(true, Ordering::SeqCst));
    assert_eq!(read(read_back), [7.0]);
    gpu.check("read back")?; // lets the callback run, if the work is done
    let early = !done.load(Ordering::SeqCst);
    gpu.poll_until_idle()?;
    assert!(done.load(Ordering::SeqCst));
    Ok(early)
}

/// Expects a read-back to return early, for the least work that takes longer than a read-back.
fn expect_overtaken(read: impl Fn(ReadBack<f32>) -> Vec<f32>) {
    let gpu = open();
    let matrix = Matrix::from_slice(&gpu, SIDE, SIDE, &vec![1.0; SIDE * SIDE]).unwrap();
    let early = (4..10).any(|power| returns_early(&gpu, &matrix, 1 << power, &read).unwrap());
    // llvmpipe on GL runs a submit before returning, so that no work is left to overlap.
    assert_eq!(early, gpu.capabilities().backend != "gl");
}

#[test]
fn a_read_back_returns_while_a_later_submit_runs() {
    expect_overtaken(|read_back| read_back.wait().unwrap());
}

#[test]
fn a_read_back_that_does_not_block_returns_while_a_later_submit_runs() {
    expect_overtaken(|read_back| pollster::block_on(read_back.contents()).unwrap());
}

#[test]
fn read_backs_that_do_not_block_arrive_in_any_order() {
    let gpu = open();
    let mut read_backs = Vec::new();
    for number in 0..50u32 {
        let mut recorder = gpu.recorder();
        read_backs.push(recorder.read(&Buffer::from_slice(&gpu, "number", &[number]).unwrap()).unwrap().contents());
        recorder.submit().unwrap();
    }
    read_backs.reverse();
    let found = pollster::block_on(join_all(read_backs));
    assert!(found.into_iter().zip((0..50).rev()).all(|(found, number)| found.unwrap() == [number]));
}

#[test]
fn a_read_back_of_a_recorder_that_is_not_submitted_says_so() {
    let gpu = open();
    let mut recorder = gpu.recorder();
    let read_back = recorder.read(&Buffer::from_slice(&gpu, "number", &[1u32]).unwrap()).unwrap();
    drop(recorder);
    assert!(matches!(read_back.wait(), Err(Error::InvalidOption { option: "the recorder", .. })));
}
