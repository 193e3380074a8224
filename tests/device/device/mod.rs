//! Devices without kernels: loss, limits, outside buffers, read-backs, uploads.

mod sources;
mod subnormals;
mod uploads;

use opnorm::device::{Buffer, DeviceOptions};
use opnorm::tensor::{Panel, Tensor};
use opnorm::{Device, Error, Matrix, probe};

use crate::gpu;

/// Numbers without a pattern that a wrong stride would keep.
pub(crate) fn numbers(len: usize) -> Vec<f32> {
    (0..len).map(|index| ((index * 7919) % 1013) as f32 / 128.0 - 3.0).collect()
}

/// Memory as a program around this library would make it, with `before` bytes ahead of the data.
fn foreign(gpu: &Device, before: usize, data: &[f32]) -> Buffer<f32> {
    let whole: Vec<f32> = std::iter::repeat_n(0.0, before / 4).chain(data.iter().copied()).collect();
    Buffer::from_slice(gpu, "test", &whole).unwrap().slice(before / 4..whole.len())
}

#[test]
fn what_is_past_a_limit_is_refused_before_the_driver_sees_it() {
    let gpu = gpu();
    let limits = gpu.capabilities();
    let elements = usize::try_from(limits.buffer_bytes / 4).unwrap() + 1;
    let error = Buffer::<f32>::zeros(gpu, "test", elements).unwrap_err();
    assert!(matches!(error, Error::TooLarge { limit, .. } if limit == limits.buffer_bytes), "{error:?}");
    let error = Matrix::zeros(gpu, 1, 1, limits.binding_elements() + 4).unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }) && error.to_string().contains("transpose"), "{error:?}");
    let error = Matrix::zeros(gpu, usize::MAX / 2, 3, 3).unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }), "{error:?}");
    let error = Tensor::zeros(gpu, &[1 << 40, 1 << 40]).unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }), "{error:?}");
}

#[test]
fn read_backs_in_flight_are_waited_for_in_any_order() {
    let gpu = gpu();
    let mut waiting = Vec::new();
    for index in 0..20u32 {
        let buffer = Buffer::from_slice(gpu, "test", &vec![index; 1 + 100 * index as usize]).unwrap();
        let mut recorder = gpu.recorder();
        waiting.push(recorder.read(&buffer).unwrap());
        recorder.submit().unwrap();
    }
    for (index, contents) in (0..20).zip(waiting).rev() {
        assert_eq!(contents.wait().unwrap(), vec![index; 1 + 100 * index as usize]);
    }
}

#[test]
fn the_async_form_needs_no_executor_of_this_library() {
    let gpu = gpu();
    let tensor = Tensor::from_slice(gpu, &[300], &numbers(300)).unwrap();
    let both = async {
        let mut recorder = gpu.recorder();
        let first = recorder.read(tensor.buffer()).unwrap();
        let second = recorder.read(&tensor.buffer().slice(100..200)).unwrap();
        recorder.submit().unwrap();
        futures::future::join(first.contents(), second.contents()).await
    };
    let (first, second) = pollster::block_on(both);
    assert_eq!(first.unwrap(), numbers(300));
    assert_eq!(second.unwrap(), numbers(300)[100..200]);
}

#[test]
fn what_may_move_between_threads_does() {
    fn may_move<T: Send>(value: T) -> T {
        value
    }
    fn is_shared<T: Send + Sync>() {}
    is_shared::<Device>();
    is_shared::<Matrix>();
    is_shared::<Tensor>();
    is_shared::<opnorm::norm::SpectralNorms>();
    is_shared::<opnorm::tape::Tape>();
    is_shared::<opnorm::tape::Program>();
    is_shared::<opnorm::tape::Linearization>();
    is_shared::<Error>();
    // Waiting for contents needs no operator, so these futures go to any executor.
    let gpu = gpu();
    let tensor = Tensor::from_slice(gpu, &[300], &numbers(300)).unwrap();
    let read = may_move(async move { tensor.read_async(gpu).await });
    let elsewhere = std::thread::spawn(move || pollster::block_on(read)).join().unwrap();
    assert_eq!(elsewhere.unwrap(), numbers(300));
    drop(may_move(Device::open_async(&DeviceOptions::default())));
    let buffer = foreign(gpu, 0, &numbers(15));
    let matrix = pollster::block_on(may_move(Matrix::from_buffer_async(gpu, &buffer, (1, 3, 5)))).unwrap();
    assert_eq!(matrix.read().unwrap(), numbers(15));
}

#[test]
fn nothing_is_read_back_as_nothing() {
    let gpu = gpu();
    let tensor = Tensor::zeros(gpu, &[0, 3]).unwrap();
    assert!(tensor.is_empty() && tensor.read(gpu).unwrap().is_empty());
    let matrix = Matrix::zeros(gpu, 0, 3, 4).unwrap();
    assert!(matrix.panels().is_empty() && matrix.read().unwrap().is_empty());
}

#[test]
fn a_large_matrix_is_cut_into_panels_of_whole_rows() {
    let gpu = gpu();
    let size = 8192;
    let capacity = usize::try_from(gpu.capabilities().binding_bytes / (size as u64 * 4)).unwrap();
    let step = if capacity >= size { size } else { capacity / 64 * 64 };
    let matrix = Matrix::zeros(gpu, 1, size, size).unwrap();
    let starts: Vec<usize> = matrix.panels().iter().map(|panel| panel.rows().start).collect();
    assert_eq!(starts, (0..size).step_by(step).collect::<Vec<_>>());
    assert_eq!(matrix.panels().last().unwrap().rows().end, size);
    assert_eq!(matrix.bytes(), (size * size * 4) as u64);
    if gpu.capabilities().name.contains("llvmpipe") {
        assert_eq!(matrix.panels().len(), 2);
    }
}

#[test]
fn a_smaller_binding_limit_may_be_asked_for() {
    let gpu = Device::open(&DeviceOptions { binding_bytes: Some(4096), ..DeviceOptions::default() }).unwrap();
    assert_eq!(gpu.capabilities().binding_bytes, 4096);
    let entries = numbers(100 * 33);
    let matrix = Matrix::from_slice(&gpu, 100, 33, &entries).unwrap();
    // 36 elements a row: 28 rows a binding.
    let rows: Vec<_> = matrix.panels().iter().map(Panel::rows).collect();
    assert_eq!(rows, [0..28, 28..56, 56..84, 84..100]);
    assert_eq!(matrix.read().unwrap(), entries);
    assert!(matrix.words().is_none());
    let foreign = Matrix::from_buffer(&gpu, &foreign(&gpu, 0, &entries), (1, 100, 33)).unwrap();
    assert_eq!(foreign.panels().len(), 4);
    assert_eq!(foreign.read().unwrap(), entries);
}

#[test]
fn arithmetic_is_probed_once_for_a_device_and_its_clones() {
    let gpu = Device::new().unwrap();
    let report = probe::arithmetic(&gpu).unwrap();
    println!("{}: {report:?}", gpu.capabilities().name);
    assert!(report.upholds_wgsl(), "{report:?}");
    assert!(report.quotient <= 2.5 && report.root <= 6.5, "{report:?}");
    let dispatches = gpu.totals().dispatches;
    assert_eq!(probe::arithmetic(&gpu.clone()).unwrap(), report);
    assert_eq!(gpu.totals().dispatches, dispatches);
}
