//! What a device does besides arithmetic: loss, limits, buffers from outside, read-backs, uploads.

mod handles;
mod loops;
mod sources;
mod subnormals;
mod waiting;

use std::sync::mpsc;
use std::time::Duration;

use bytemuck::cast_slice;
use glam::{Mat2, Mat3, Mat4};
use half::{bf16, f16};
use opnorm::gpu::{AdapterRequest, Buffer, GpuOptions};
use opnorm::tensor::{Panel, Position, Storage, Tensor};
use opnorm::wgpu;
use opnorm::{Error, Gpu, Matrix, ops, probe};

use crate::gpu;

/// Numbers without a pattern that a wrong stride would keep.
fn numbers(len: usize) -> Vec<f32> {
    (0..len).map(|index| ((index * 7919) % 1013) as f32 / 128.0 - 3.0).collect()
}

/// A buffer as a program around this library would make it, with `before` bytes ahead of the data.
fn foreign(gpu: &Gpu, before: usize, data: &[f32]) -> wgpu::Buffer {
    let buffer = gpu.device().create_buffer(&wgpu::BufferDescriptor {
        label: Some("of the program"),
        size: (before + data.len() * 4) as u64,
        usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    gpu.queue().write_buffer(&buffer, before as u64, cast_slice(data));
    buffer
}

/// Runs `call` on another thread and fails if it does not come back.
fn without_hanging<T: Send + 'static>(call: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(call()));
    receiver.recv_timeout(Duration::from_secs(60)).expect("the call hangs")
}

fn expect_lost<T: std::fmt::Debug>(result: opnorm::Result<T>) {
    let error = result.unwrap_err();
    assert!(matches!(error, Error::DeviceLost { .. }), "{error:?}");
    assert!(error.to_string().contains("upload again"), "{error}");
}

#[test]
fn a_lost_device_is_an_error_on_the_next_call() {
    let gpu = Gpu::new().unwrap();
    let tensor = Tensor::from_slice(&gpu, &[4], &[1.0; 4]).unwrap();
    let matrix = Matrix::from_slice(&gpu, 2, 2, &[1.0; 4]).unwrap();
    let (input, output) = (tensor.reshaped(&[1, 2, 2]).unwrap(), Tensor::zeros(&gpu, &[1, 2, 2]).unwrap());
    gpu.device().destroy();
    without_hanging(move || {
        expect_lost(tensor.read(&gpu));
        expect_lost(pollster::block_on(tensor.read_async(&gpu)));
        expect_lost(matrix.read());
        expect_lost(Tensor::zeros(&gpu, &[4]));
        expect_lost(Matrix::from_slice(&gpu, 2, 2, &[1.0; 4]));
        expect_lost(gpu.poll_until_idle());
        let mut recorder = gpu.recorder();
        expect_lost(ops::matvec(&mut recorder, &matrix, &input, &output).and_then(|()| recorder.submit()));
    });
}

#[test]
fn a_device_lost_with_a_read_back_in_flight_is_an_error() {
    let gpu = Gpu::new().unwrap();
    let tensor = Tensor::from_slice(&gpu, &[1 << 16], &numbers(1 << 16)).unwrap();
    let mut recorder = gpu.recorder();
    let contents = recorder.read(tensor.buffer()).unwrap();
    recorder.submit().unwrap();
    gpu.device().destroy();
    without_hanging(move || expect_lost(contents.wait()));
}

/// A device that a program made itself, on the adapter that the tests run on.
fn device_of_the_program(features: wgpu::Features) -> (wgpu::Device, wgpu::Queue) {
    device_of(&adapter_of_the_program(), features)
}

/// The adapter that the tests run on, by an instance of a program of its own.
fn adapter_of_the_program() -> wgpu::Adapter {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    let adapters = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::all()));
    let wanted = gpu().capabilities();
    let matches = |info: &wgpu::AdapterInfo| info.name == wanted.name && info.backend.to_str() == wanted.backend;
    adapters.into_iter().find(|adapter| matches(&adapter.get_info())).unwrap()
}

fn device_of(adapter: &wgpu::Adapter, features: wgpu::Features) -> (wgpu::Device, wgpu::Queue) {
    let request = wgpu::DeviceDescriptor {
        required_features: features,
        required_limits: Gpu::required_limits(adapter),
        ..wgpu::DeviceDescriptor::default()
    };
    pollster::block_on(adapter.request_device(&request)).unwrap()
}

#[test]
fn a_device_of_the_program_is_used_as_it_is() {
    let (device, queue) = device_of_the_program(Gpu::required_features());
    let gpu = Gpu::from_wgpu(device, queue).unwrap();
    let entries = numbers(15);
    assert_eq!(Matrix::from_slice(&gpu, 3, 5, &entries).unwrap().read().unwrap(), entries);

    // The owner's handler hears of the loss, not this library's: it shows where something is waited for, and stays.
    let tensor = Tensor::from_slice(&gpu, &[15], &entries).unwrap();
    gpu.device().destroy();
    without_hanging(move || {
        expect_lost(tensor.read(&gpu));
        expect_lost(Tensor::zeros(&gpu, &[4]));
    });
}

#[test]
fn a_device_without_immediates_is_unsuitable() {
    let (device, queue) = device_of_the_program(wgpu::Features::empty());
    let error = Gpu::from_wgpu(device, queue).unwrap_err();
    assert!(matches!(error, Error::UnsuitableDevice { .. }), "{error:?}");
    assert!(error.to_string().contains("IMMEDIATES") && error.to_string().contains("required_features"), "{error}");
}

#[test]
fn an_unknown_adapter_is_an_error_that_says_what_there_is() {
    let adapter = AdapterRequest::Named("no such adapter".to_string());
    let error = Gpu::open(&GpuOptions { adapter, ..GpuOptions::default() }).unwrap_err();
    assert!(matches!(error, Error::NoAdapter { .. }), "{error:?}");
    assert!(error.to_string().contains("`no such adapter`") && error.to_string().contains("install"), "{error}");
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
    is_shared::<Gpu>();
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
    drop(may_move(Gpu::open_async(&GpuOptions::default())));
    let buffer = foreign(gpu, 0, &numbers(15));
    let matrix = pollster::block_on(may_move(Matrix::from_wgpu_async(gpu, buffer, 0, (1, 3, 5)))).unwrap();
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
fn whole_quads_of_a_foreign_matrix_are_used_in_place() {
    let gpu = gpu();
    let (batch, rows, cols) = (3, 5, 8);
    let entries = numbers(batch * rows * cols);
    let before = usize::try_from(gpu.capabilities().offset_alignment).unwrap();
    let buffer = foreign(gpu, before, &entries);
    let matrix = Matrix::from_wgpu(gpu, buffer.clone(), before as u64, (batch, rows, cols)).unwrap();
    assert_eq!(matrix.as_wgpu(), Some((&buffer, before as u64, cols)));
    let uploaded = Matrix::from_batch(gpu, batch, rows, cols, &entries).unwrap();
    assert_eq!(matrix.read().unwrap(), uploaded.read().unwrap());
    assert_eq!(matrix.read().unwrap(), entries);
}

#[test]
fn a_foreign_matrix_that_does_not_fit_is_copied() {
    let gpu = gpu();
    // A row that is no whole quads, then a start that is on no binding alignment.
    for (cols, before) in [(7, 0), (1, 256), (8, 4)] {
        let entries = numbers(2 * 5 * cols);
        let buffer = foreign(gpu, before, &entries);
        let matrix = Matrix::from_wgpu(gpu, buffer.clone(), before as u64, (2, 5, cols)).unwrap();
        assert_ne!(matrix.as_wgpu().unwrap().0, &buffer, "cols {cols}, offset {before}");
        assert_eq!(matrix.read().unwrap(), entries, "cols {cols}, offset {before}");
    }
}

#[test]
fn a_foreign_matrix_of_an_extreme_scale_is_copied_and_scaled() {
    let gpu = gpu();
    for exponent in [100, -100, 126, -120] {
        let entries: Vec<f32> = numbers(5 * 8).iter().map(|entry| entry * 0.125 * 2f32.powi(exponent)).collect();
        let matrix = Matrix::from_wgpu(gpu, foreign(gpu, 0, &entries), 0, (1, 5, 8)).unwrap();
        let uploaded = Matrix::from_slice(gpu, 5, 8, &entries).unwrap();
        let largest = entries.iter().fold(0f32, |largest, entry| largest.max(entry.abs()));
        assert_eq!(matrix.exponent(0), largest.log2().floor() as i32, "2^{exponent}");
        assert_eq!(matrix.exponent(0), uploaded.exponent(0), "2^{exponent}");
        assert_eq!(matrix.read().unwrap(), entries, "2^{exponent}");
        assert_eq!(uploaded.read().unwrap(), entries, "2^{exponent}");
    }
}

#[test]
fn what_is_not_finite_is_found_where_it_is() {
    let gpu = gpu();
    for cols in [8, 7] {
        let mut entries = numbers(3 * 5 * cols);
        entries[5 * cols + 3 * cols + 2] = f32::NAN;
        entries[5 * cols + 4 * cols] = f32::INFINITY;
        entries[10 * cols + cols - 1] = f32::NEG_INFINITY;
        let foreign = Matrix::from_wgpu(gpu, foreign(gpu, 0, &entries), 0, (3, 5, cols)).unwrap();
        for matrix in [foreign, Matrix::from_batch(gpu, 3, 5, cols, &entries).unwrap()] {
            assert_eq!(matrix.non_finite(0), None);
            assert_eq!(matrix.non_finite(1), Some(Position { row: 3, col: 2 }));
            assert_eq!(matrix.non_finite(2), Some(Position { row: 0, col: cols - 1 }));
        }
    }
}

#[test]
fn tensors_share_the_buffers_of_the_program() {
    let gpu = gpu();
    let values = numbers(24);
    let buffer = foreign(gpu, 256, &values);
    let tensor = Tensor::from_wgpu(buffer.clone(), 256, &[2, 3, 4]).unwrap();
    assert_eq!(tensor.read(gpu).unwrap(), values);
    assert_eq!(tensor.as_wgpu(), (&buffer, 256));
    gpu.queue().write_buffer(&buffer, 256, cast_slice(&[9f32]));
    assert_eq!(tensor.read(gpu).unwrap()[..2], [9.0, values[1]]);

    let error = Tensor::from_wgpu(buffer, 256, &[25]).unwrap_err();
    assert!(matches!(error, Error::ShapeMismatch { .. }), "{error:?}");
    let unreadable = gpu.device().create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size: 64,
        usage: wgpu::BufferUsages::STORAGE,
        mapped_at_creation: false,
    });
    let error = Tensor::from_wgpu(unreadable, 0, &[16]).unwrap_err();
    assert!(matches!(error, Error::UnsuitableHandle { .. }) && error.to_string().contains("COPY_SRC"), "{error:?}");
}

#[test]
fn glam_matrices_keep_their_rows() {
    let gpu = gpu();
    let four: Vec<Mat4> =
        (0..3).map(|item| Mat4::from_cols_array(&std::array::from_fn(|index| (item * 16 + index) as f32))).collect();
    let matrix = Matrix::from_mat4(gpu, &four).unwrap();
    assert_eq!((matrix.batch(), matrix.rows(), matrix.cols()), (3, 4, 4));
    let rows: Vec<f32> = four.iter().flat_map(|one| (0..4).flat_map(|row| one.row(row).to_array())).collect();
    assert_eq!(matrix.read().unwrap(), rows);

    let three = Mat3::from_cols_array(&std::array::from_fn(|index| index as f32));
    let rows: Vec<f32> = (0..3).flat_map(|row| three.row(row).to_array()).collect();
    assert_eq!(Matrix::from_mat3(gpu, &[three]).unwrap().read().unwrap(), rows);
    let two = Mat2::from_cols_array(&[1.0, 2.0, 3.0, 4.0]);
    assert_eq!(Matrix::from_mat2(gpu, &[two, two]).unwrap().read().unwrap(), [1.0, 3.0, 2.0, 4.0, 1.0, 3.0, 2.0, 4.0]);

    // A product, since a transposed matrix reads back as well as its transpose does.
    let input = Tensor::from_slice(gpu, &[1, 1, 4], &[1.0, 2.0, 3.0, 4.0]).unwrap();
    let output = Tensor::zeros(gpu, &[3, 1, 4]).unwrap();
    let mut recorder = gpu.recorder();
    ops::matvec(&mut recorder, &matrix, &input, &output).unwrap();
    recorder.submit().unwrap();
    let products: Vec<f32> =
        four.iter().flat_map(|one| (*one * glam::Vec4::new(1.0, 2.0, 3.0, 4.0)).to_array()).collect();
    assert_eq!(output.read(gpu).unwrap(), products);
}

#[test]
fn doubles_of_any_scale_are_held_with_their_exponent() {
    let gpu = gpu();
    // Three items of one batch, each with an exponent of its own.
    let scales = [1e300, 1e-300, 1.0];
    let entries: Vec<f64> = scales.iter().flat_map(|scale| [3.0 * scale, -1.5 * scale, 0.0, 0.25 * scale]).collect();
    let matrix = Matrix::from_f64(gpu, 3, 2, 2, &entries).unwrap();
    let (buffer, offset, stride) = matrix.as_wgpu().unwrap();
    let held = Buffer::<f32>::from_wgpu(buffer.clone(), "test", offset, 3 * 2 * stride).unwrap();
    let held = Tensor::from_buffer(held, &[3, 2, stride]).unwrap().read(gpu).unwrap();
    for (item, scale) in scales.iter().enumerate() {
        let exponent = matrix.exponent(item);
        let expected = if *scale == 1.0 { 0 } else { (3.0 * scale).log2().floor() as i32 };
        assert_eq!(exponent, expected, "{scale:e}");
        let rows = held[item * 2 * stride..].chunks_exact(stride).take(2);
        let found: Vec<f32> = rows.flat_map(|row| row[..2].to_vec()).collect();
        for (found, entry) in found.iter().zip(&entries[item * 4..]) {
            // Twice, since 2^996 and 2^-996 are doubles, and 2^1992 is none.
            let half = exponent / 2;
            let scaled = entry * 2f64.powi(-half) * 2f64.powi(half - exponent);
            assert_eq!(*found, scaled as f32, "{scale:e}");
        }
        assert!(!matrix.is_zero(item) && matrix.non_finite(item).is_none());
    }
    assert!(Matrix::from_f64(gpu, 1, 1, 2, &[0.0, -0.0]).unwrap().is_zero(0));
}

#[test]
fn sixteen_bit_entries_stay_sixteen_bit_and_exact() {
    let gpu = gpu();
    // Every finite f16, 1024 a row, subnormal numbers and both zeros among them.
    let halves: Vec<f16> = (0..=u16::MAX).map(f16::from_bits).filter(|value| value.is_finite()).collect();
    let matrix = Matrix::from_f16(gpu, 1, halves.len() / 1024, 1024, &halves).unwrap();
    assert_eq!((matrix.storage(), matrix.bytes()), (Storage::F16, halves.len() as u64 * 2));
    let widened: Vec<u32> = halves.iter().map(|value| value.to_f32().to_bits()).collect();
    let bits = |matrix: &Matrix| matrix.read().unwrap().into_iter().map(f32::to_bits).collect::<Vec<_>>();
    assert_eq!(bits(&matrix), widened);
    // Decoded by the device; multiplying by 1 may take nothing away, as no f16 is a subnormal f32.
    let decoded = matrix.to_f32().unwrap();
    assert_eq!(decoded.storage(), Storage::F32);
    assert_eq!(bits(&decoded), widened);

    let brains: Vec<bf16> = numbers(7 * 9).into_iter().map(bf16::from_f32).collect();
    let matrix = Matrix::from_bf16(gpu, 1, 7, 9, &brains).unwrap();
    assert_eq!(matrix.storage(), Storage::Bf16);
    let widened: Vec<f32> = brains.iter().map(|value| value.to_f32()).collect();
    assert_eq!(matrix.read().unwrap(), widened);
    assert_eq!(matrix.to_f32().unwrap().read().unwrap(), widened);

    // Out of the range that f32 arithmetic is safe in: widened, and scaled.
    let far = [bf16::from_f32(2f32.powi(100)), bf16::from_f32(3.0 * 2f32.powi(90))];
    let matrix = Matrix::from_bf16(gpu, 1, 1, 2, &far).unwrap();
    assert_eq!((matrix.storage(), matrix.exponent(0)), (Storage::F32, 100));
    assert_eq!(matrix.read().unwrap(), far.map(bf16::to_f32));
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
    let gpu = Gpu::open(&GpuOptions { binding_bytes: Some(4096), ..GpuOptions::default() }).unwrap();
    assert_eq!(gpu.capabilities().binding_bytes, 4096);
    let entries = numbers(100 * 33);
    let matrix = Matrix::from_slice(&gpu, 100, 33, &entries).unwrap();
    // 36 elements a row: 28 rows a binding.
    let rows: Vec<_> = matrix.panels().iter().map(Panel::rows).collect();
    assert_eq!(rows, [0..28, 28..56, 56..84, 84..100]);
    assert_eq!(matrix.read().unwrap(), entries);
    assert!(matrix.as_wgpu().is_none());
    let foreign = Matrix::from_wgpu(&gpu, foreign(&gpu, 0, &entries), 0, (1, 100, 33)).unwrap();
    assert_eq!(foreign.panels().len(), 4);
    assert_eq!(foreign.read().unwrap(), entries);
}

#[test]
fn arithmetic_is_probed_once_for_a_device_and_its_clones() {
    let gpu = Gpu::new().unwrap();
    let report = probe::arithmetic(&gpu).unwrap();
    println!("{}: {report:?}", gpu.capabilities().name);
    assert!(report.upholds_wgsl(), "{report:?}");
    assert!(report.quotient <= 2.5 && report.root <= 6.5, "{report:?}");
    let dispatches = gpu.totals().dispatches;
    assert_eq!(probe::arithmetic(&gpu.clone()).unwrap(), report);
    assert_eq!(gpu.totals().dispatches, dispatches);
}
