//! Handles of `wgpu` from a caller: an unsuitable handle gives an error that names the handle, and no panic.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytemuck::cast_slice;
use opnorm::device::Buffer;
use opnorm::low_level::ops::Unary;
use opnorm::norm::spectral_norm;
use opnorm::tensor::Tensor;
use opnorm::{Device, Error, Matrix, Result, wgpu};

use super::{adapter_of_the_program, device_of, device_of_the_program, foreign, gpu, numbers, open};

const USAGE: wgpu::BufferUsages =
    wgpu::BufferUsages::STORAGE.union(wgpu::BufferUsages::COPY_SRC).union(wgpu::BufferUsages::COPY_DST);

fn buffer(device: &wgpu::Device, usage: wgpu::BufferUsages, mapped_at_creation: bool) -> wgpu::Buffer {
    let descriptor = wgpu::BufferDescriptor { label: Some("of the program"), size: 64, usage, mapped_at_creation };
    device.create_buffer(&descriptor)
}

/// The error is the caller's: its message names the handle, the fault and the remedy.
fn expect_blame<T: std::fmt::Debug>(result: Result<T>, (handle, problem, advice): (&str, &str, &str)) {
    let error = result.unwrap_err();
    let text = error.to_string();
    assert!(matches!(&error, Error::UnsuitableHandle { handle: found, .. } if *found == handle), "{error:?}");
    assert!(text.contains(problem) && text.contains(advice), "{text}");
}

const OTHER_QUEUE: (&str, &str, &str) = ("queue", "not the queue of that device", "request_device");
const OTHER_DEVICE: (&str, &str, &str) = ("buffer", "belongs to another device", "device.wgpu_device()");

#[test]
fn a_queue_of_another_device_is_refused() {
    let adapter = adapter_of_the_program();
    let features = Device::required_features();
    let (first, second) = (device_of(&adapter, features), device_of(&adapter, features));
    let third = device_of_the_program(features);
    expect_blame(Device::from_wgpu(first.0.clone(), second.1.clone()), OTHER_QUEUE);
    expect_blame(Device::from_wgpu(first.0.clone(), third.1.clone()), OTHER_QUEUE);
    expect_blame(Device::from_wgpu(gpu().wgpu_device().unwrap().clone(), first.1.clone()), OTHER_QUEUE);
    expect_blame(pollster::block_on(Device::from_wgpu_async(third.0.clone(), first.1.clone())), OTHER_QUEUE);
    for (device, queue) in [first, second, third] {
        let gpu = pollster::block_on(Device::from_wgpu_async(device.clone(), queue.clone())).unwrap();
        let matrix = Matrix::from_slice(&gpu, 2, 2, &[3.0, 4.0, 0.0, 5.0]).unwrap();
        assert_eq!(matrix.read().unwrap(), [3.0, 4.0, 0.0, 5.0]);
        assert!(Device::from_wgpu(device, queue).is_ok());
    }
}

#[test]
fn a_queue_is_told_by_its_device_while_others_poll_it() {
    let (device, queue) = device_of_the_program(Device::required_features());
    let (polled, busy) = (device.clone(), Arc::new(AtomicBool::new(true)));
    let going = Arc::clone(&busy);
    let other = std::thread::spawn(move || {
        while going.load(Ordering::Relaxed) {
            let _ = polled.poll(wgpu::PollType::Poll);
        }
    });
    let made: Vec<Result<Device>> = (0..5).map(|_| Device::from_wgpu(device.clone(), queue.clone())).collect();
    busy.store(false, Ordering::Relaxed);
    other.join().unwrap();
    assert!(made.iter().all(Result::is_ok), "{made:?}");
}

/// Every function that takes a buffer of four by four elements.
fn by_each_door(gpu: &Device, buffer: &wgpu::Buffer, blame: (&str, &str, &str)) {
    for shape in [(1, 4, 4), (1, 5, 3)] {
        expect_blame(Matrix::from_wgpu(gpu, buffer.clone(), 0, shape), blame);
        expect_blame(pollster::block_on(Matrix::from_wgpu_async(gpu, buffer.clone(), 0, shape)), blame);
    }
    let tensor = || Tensor::from_wgpu(buffer.clone(), 0, &[1, 4, 4]);
    expect_blame(tensor().and_then(|tensor| tensor.read(gpu)), blame);
    let written = |tensor: Tensor| tensor.buffer().slice(4..8).write(gpu, "test", 0, &[1.0]);
    expect_blame(tensor().and_then(written), blame);
    let multiplied = |vectors: Tensor| {
        let matrix = Matrix::from_slice(gpu, 4, 4, &[1.0; 16])?;
        let output = Tensor::zeros(gpu, &[1, 4, 4])?;
        let mut recorder = gpu.recorder();
        opnorm::low_level::ops::matvec(&mut recorder, &matrix, &vectors, &output)?;
        recorder.submit()
    };
    expect_blame(tensor().and_then(multiplied), blame);
}

#[test]
fn a_buffer_of_another_device_is_refused() {
    let features = Device::required_features();
    let adapter = adapter_of_the_program();
    let (here, there) = (device_of(&adapter, features), device_of(&adapter, features));
    let own = Device::from_wgpu(here.0, here.1).unwrap();
    let same_instance = buffer(&there.0, USAGE, false);
    by_each_door(&own, &same_instance, OTHER_DEVICE);
    // Handles of another instance, with the same numbers as the handles here, or with numbers of no handle here.
    by_each_door(gpu(), &same_instance, OTHER_DEVICE);
    let opened = open();
    let many: Vec<wgpu::Buffer> = (0..40).map(|_| buffer(opened.wgpu_device().unwrap(), USAGE, false)).collect();
    for other in [&many[0], &many[39]] {
        by_each_door(gpu(), other, OTHER_DEVICE);
        by_each_door(&own, other, OTHER_DEVICE);
    }
    // Both devices still work, each with its own memory.
    assert!(opened.check("test").is_ok() && own.check("test").is_ok());
    let matrix = Matrix::from_wgpu(&opened, many[0].clone(), 0, (1, 4, 4)).unwrap();
    assert!(matrix.is_zero(0));
    let again = Device::from_wgpu(opened.wgpu_device().unwrap().clone(), opened.wgpu_queue().unwrap().clone()).unwrap();
    assert_eq!(Tensor::from_wgpu(many[1].clone(), 0, &[16]).unwrap().read(&again).unwrap(), [0.0; 16]);
}

#[test]
fn memory_of_two_views_of_one_device_is_shared() {
    let (device, queue) = device_of_the_program(Device::required_features());
    let first = Device::from_wgpu(device.clone(), queue.clone()).unwrap();
    let second = Device::from_wgpu(device, queue).unwrap();
    let tensor = Tensor::from_slice(&first, &[5], &numbers(5)).unwrap();
    assert_eq!(tensor.read(&second).unwrap(), numbers(5));
    assert_eq!(tensor.read(&first).unwrap(), numbers(5));
}

#[test]
fn a_destroyed_or_mapped_buffer_is_refused() {
    let gpu = gpu();
    let destroyed = buffer(gpu.wgpu_device().unwrap(), USAGE, false);
    destroyed.destroy();
    by_each_door(gpu, &destroyed, ("buffer", "has been destroyed", "keep it alive"));
    let mapped = buffer(gpu.wgpu_device().unwrap(), USAGE, true);
    by_each_door(gpu, &mapped, ("buffer", "is mapped", "`unmap`"));
    mapped.unmap();
    assert!(Matrix::from_wgpu(gpu, mapped, 0, (1, 4, 4)).unwrap().is_zero(0));

    // The buffer is destroyed while a matrix uses the buffer.
    let entries = numbers(16);
    let buffer = foreign(gpu, 0, &entries);
    let matrix = Matrix::from_wgpu(gpu, buffer.clone(), 0, (1, 4, 4)).unwrap();
    assert_eq!(matrix.read().unwrap(), entries);
    buffer.destroy();
    expect_blame(matrix.read(), ("buffer", "has been destroyed", "keep it alive"));
    expect_blame(spectral_norm(&matrix), ("buffer", "has been destroyed", "keep it alive"));
    assert!(gpu.check("test").is_ok());
}

#[test]
fn a_buffer_that_lacks_a_usage_is_refused_with_the_usage() {
    let gpu = gpu();
    for missing in [wgpu::BufferUsages::STORAGE, wgpu::BufferUsages::COPY_SRC, wgpu::BufferUsages::COPY_DST] {
        let name = missing.iter_names().next().unwrap().0;
        let buffer = buffer(gpu.wgpu_device().unwrap(), USAGE - missing, false);
        by_each_door(gpu, &buffer, ("buffer", name, "STORAGE | COPY_SRC | COPY_DST"));
    }
}

#[test]
fn a_place_outside_of_a_buffer_is_refused() {
    let gpu = gpu();
    let buffer = foreign(gpu, 0, &numbers(16));
    for offset in [1, 2, 3, 7, u64::MAX] {
        for error in [
            Matrix::from_wgpu(gpu, buffer.clone(), offset, (1, 2, 2)).unwrap_err(),
            Tensor::from_wgpu(buffer.clone(), offset, &[4]).unwrap_err(),
        ] {
            assert!(matches!(&error, Error::InvalidOption { option, .. } if option.contains("offset")), "{error:?}");
            let text = error.to_string();
            assert!(text.contains(&offset.to_string()) && text.contains("a multiple of 4"), "{text}");
        }
    }
    for (offset, shape) in [(4, (1, 4, 4)), (0, (1, 4, 5)), (0, (2, 4, 4)), (u64::MAX - 3, (1, 1, 1)), (64, (1, 1, 1))]
    {
        let error = Matrix::from_wgpu(gpu, buffer.clone(), offset, shape).unwrap_err();
        assert!(matches!(error, Error::ShapeMismatch { operation: "matrix", .. }), "{error:?}");
        assert!(error.to_string().contains("64 bytes in all"), "{error}");
    }
    for shape in [(usize::MAX, 2, 1), (1, usize::MAX, usize::MAX), (1, 1, usize::MAX), (usize::MAX, 0, 4)] {
        let error = Matrix::from_wgpu(gpu, buffer.clone(), 0, shape).unwrap_err();
        assert!(matches!(error, Error::TooLarge { .. }), "{shape:?}: {error:?}");
    }
    assert!(matches!(Tensor::from_wgpu(buffer.clone(), 0, &[usize::MAX, 2]).unwrap_err(), Error::TooLarge { .. }));
    // The last element, and an empty range at the very end.
    let last = Buffer::<f32>::from_wgpu(buffer.clone(), "test", 60, 1).unwrap();
    assert_eq!(Tensor::from_buffer(last, &[1]).unwrap().read(gpu).unwrap(), cast_slice::<_, f32>(&[numbers(16)[15]]));
    assert!(Tensor::from_wgpu(buffer, 64, &[0]).unwrap().read(gpu).unwrap().is_empty());
}

#[test]
fn a_slice_past_the_end_is_refused_where_it_is_used() {
    let gpu = gpu();
    let buffer = Buffer::from_slice(gpu, "test", &[1f32; 8]).unwrap();
    let whole = Buffer::from_slice(gpu, "test", &[2f32; 8]).unwrap();
    let refused = |error: Error| {
        assert!(matches!(error, Error::OutOfRange { .. }), "{error:?}");
        assert!(error.to_string().contains("elements 4..12 of 8"), "{error}");
    };
    let past = buffer.slice(4..12);
    let mut recorder = gpu.recorder();
    refused(recorder.copy(&past, &whole).unwrap_err());
    refused(recorder.copy(&whole, &past).unwrap_err());
    refused(recorder.read(&past).unwrap_err());
    refused(past.write(gpu, "test", 0, &[3.0]).unwrap_err());
    refused(past.slice(0..2).write(gpu, "test", 0, &[3.0]).unwrap_err());
    refused(opnorm::low_level::ops::unary(&mut recorder, Unary::ABS, 0.0, &past, &whole).unwrap_err());
    assert!(recorder.read(&buffer.slice(4..8)).is_ok());
}
