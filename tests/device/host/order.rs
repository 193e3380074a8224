//! The order of what the host runs: of submissions, of writes between them, and of read-backs within a recording.

use std::sync::mpsc;
use std::task::{Context, Poll, Waker};

use opnorm::device::Buffer;
use opnorm::low_level::ops::{Rows, dot};
use opnorm::{Device, Error};

use super::{LARGE, contents, twice_and, without_hanging};

/// The number that 2x + 0, 2x + 1, .. make of `start`.
fn expected(start: f32, steps: u32) -> f32 {
    (0..steps).fold(start, |number, step| 2.0 * number + step as f32)
}

#[test]
fn submissions_of_one_thread_run_in_their_order() {
    let gpu = Device::host().unwrap();
    for length in [1, LARGE] {
        let numbers = Buffer::from_slice(&gpu, "test", &vec![1.0; length]).unwrap();
        (0..15).for_each(|step| twice_and(&gpu, &numbers, step));
        assert_eq!(contents(&gpu, &numbers).unwrap(), vec![expected(1.0, 15); length]);
    }
}

#[test]
fn small_submissions_wait_for_a_large_one() {
    let gpu = Device::host().unwrap();
    let ones = Buffer::from_slice(&gpu, "test", &vec![1f32; 4 * LARGE]).unwrap();
    let [sums, copy] = [(); 2].map(|()| Buffer::<f32>::zeros(&gpu, "test", 512).unwrap());
    for _ in 0..20 {
        sums.write(&gpu, "test", 0, &[0.0; 512]).unwrap();
        let mut large = gpu.recorder();
        let rows = Rows { vectors: 1, length: 4 * LARGE };
        dot(&mut large, rows, &ones, &ones, &sums).unwrap();
        large.submit().unwrap();
        let mut small = gpu.recorder();
        small.copy(&sums, &copy).unwrap();
        small.submit().unwrap();
        assert_eq!(contents(&gpu, &copy).unwrap().iter().sum::<f32>(), (4 * LARGE) as f32);
    }
}

#[test]
fn threads_that_share_a_device_have_each_its_own_order() {
    let gpu = Device::host().unwrap();
    let results = without_hanging(move || {
        let threads: Vec<_> = (0..8u8)
            .map(|index| {
                let gpu = gpu.clone();
                std::thread::spawn(move || {
                    let length = if index % 2 == 0 { 3 } else { LARGE };
                    let start = f32::from(index);
                    let numbers = Buffer::from_slice(&gpu, "test", &vec![start; length]).unwrap();
                    (0..12).for_each(|step| twice_and(&gpu, &numbers, step));
                    contents(&gpu, &numbers).unwrap() == vec![expected(start, 12); length]
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(results, [true; 8]);
}

#[test]
fn submissions_that_threads_take_turns_at_run_in_their_order() {
    let gpu = Device::host().unwrap();
    let numbers = Buffer::from_slice(&gpu, "test", &vec![1.0; LARGE]).unwrap();
    let (to_other, from_one) = mpsc::channel();
    let (to_one, from_other) = mpsc::channel();
    std::thread::scope(|scope| {
        let (gpu, numbers) = (&gpu, &numbers);
        scope.spawn(move || {
            for step in (0..14).step_by(2) {
                twice_and(gpu, numbers, step);
                to_other.send(()).unwrap();
                from_other.recv().unwrap();
            }
        });
        for step in (1..14).step_by(2) {
            from_one.recv().unwrap();
            twice_and(gpu, numbers, step);
            to_one.send(()).unwrap();
        }
    });
    assert_eq!(contents(&gpu, &numbers).unwrap(), vec![expected(1.0, 14); LARGE]);
}

#[test]
fn a_write_between_two_submissions_is_between_them() {
    let gpu = Device::host().unwrap();
    for length in [2, LARGE] {
        let [numbers, before] = [(); 2].map(|()| Buffer::from_slice(&gpu, "test", &vec![5f32; length]).unwrap());
        twice_and(&gpu, &numbers, 1);
        let mut recorder = gpu.recorder();
        recorder.copy(&numbers, &before).unwrap();
        recorder.submit().unwrap();
        numbers.write(&gpu, "test", 0, &vec![7.0; length]).unwrap();
        numbers.write(&gpu, "test", 1, &[8.0]).unwrap();
        twice_and(&gpu, &numbers, 2);
        assert_eq!(contents(&gpu, &before).unwrap(), vec![11.0; length]);
        let after = contents(&gpu, &numbers).unwrap();
        assert_eq!(after[..2], [16.0, 18.0]);
        assert!(after[2..].iter().all(|number| *number == 16.0));
    }
}

#[test]
fn a_read_back_returns_the_contents_at_its_place_in_the_recording() {
    let gpu = Device::host().unwrap();
    for length in [4, LARGE] {
        let numbers = Buffer::from_slice(&gpu, "test", &vec![1.0; length]).unwrap();
        let mut recorder = gpu.recorder();
        let mut reads = vec![recorder.read(&numbers).unwrap()];
        for more in [1, 2] {
            recorder.dispatch_own(&super::TWICE_AND, 1, &[more], &[], &[&numbers]).unwrap();
            reads.push(recorder.read(&numbers).unwrap());
        }
        recorder.submit().unwrap();
        twice_and(&gpu, &numbers, 9);
        let read: Vec<_> = reads.into_iter().rev().map(|read| read.wait().unwrap()).collect();
        assert_eq!(read, [vec![8.0; length], vec![3.0; length], vec![1.0; length]]);
    }
}

#[test]
fn a_read_back_needs_no_executor() {
    let gpu = Device::host().unwrap();
    let numbers = Buffer::from_slice(&gpu, "test", &vec![1.0; LARGE]).unwrap();
    let mut recorder = gpu.recorder();
    let [polled, joined, moved] = [(); 3].map(|()| recorder.read(&numbers).unwrap());
    recorder.submit().unwrap();
    let mut polled = Box::pin(polled.contents());
    let mut context = Context::from_waker(Waker::noop());
    let found = loop {
        match polled.as_mut().poll(&mut context) {
            Poll::Ready(found) => break found.unwrap(),
            Poll::Pending => std::thread::yield_now(),
        }
    };
    assert_eq!(found, vec![1.0; LARGE]);
    let elsewhere = std::thread::spawn(move || pollster::block_on(moved.contents()));
    assert_eq!(pollster::block_on(joined.contents()).unwrap(), found);
    assert_eq!(elsewhere.join().unwrap().unwrap(), found);
}

#[test]
fn a_read_back_of_what_was_not_submitted_is_an_error() {
    let gpu = Device::host().unwrap();
    let numbers = Buffer::from_slice(&gpu, "test", &[1.0f32; 4]).unwrap();
    let mut recorder = gpu.recorder();
    let read = recorder.read(&numbers).unwrap();
    drop(recorder.read(&numbers).unwrap());
    let error = without_hanging(move || read.wait().unwrap_err());
    assert!(matches!(error, Error::InvalidOption { .. }), "{error:?}");
    recorder.submit().unwrap();
    gpu.poll_until_idle().unwrap();
}
