//! Matrices and tensors in buffers of an embedding program.

use bytemuck::cast_slice;
use opnorm::device::Buffer;
use opnorm::tensor::{Position, Tensor};
use opnorm::{Device, Error, Matrix, wgpu};

use super::{foreign, gpu, numbers};

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
    // First a row without whole quads, then a start off every binding alignment.
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
    assert_eq!(tensor.as_wgpu(), Some((&buffer, 256)));
    gpu.wgpu_queue().unwrap().write_buffer(&buffer, 256, cast_slice(&[9f32]));
    assert_eq!(tensor.read(gpu).unwrap()[..2], [9.0, values[1]]);

    let error = Tensor::from_wgpu(buffer, 256, &[25]).unwrap_err();
    assert!(matches!(error, Error::ShapeMismatch { .. }), "{error:?}");
    let unreadable = gpu.wgpu_device().unwrap().create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size: 64,
        usage: wgpu::BufferUsages::STORAGE,
        mapped_at_creation: false,
    });
    let error = Tensor::from_wgpu(unreadable, 0, &[16]).unwrap_err();
    assert!(matches!(error, Error::UnsuitableHandle { .. }) && error.to_string().contains("COPY_SRC"), "{error:?}");
}

#[test]
fn memory_of_the_host_and_of_an_adapter_do_not_mix() {
    let host = Device::host().unwrap();
    for (here, there) in [(gpu(), &host), (&host, gpu())] {
        let own = Buffer::from_slice(here, "test", &numbers(8)).unwrap();
        let other = Buffer::from_slice(there, "test", &numbers(8)).unwrap();
        let mut recorder = here.recorder();
        for error in [
            recorder.copy(&other, &own).unwrap_err(),
            recorder.copy(&own, &other).unwrap_err(),
            recorder.read(&other).unwrap_err(),
            other.write(here, "test", 0, &[1.0]).unwrap_err(),
        ] {
            assert!(matches!(error, Error::Foreign { .. }), "{error:?}");
        }
    }
    let buffer = foreign(gpu(), 0, &numbers(16));
    let error = Tensor::from_wgpu(buffer.clone(), 0, &[16]).unwrap().read(&host).unwrap_err();
    assert!(matches!(error, Error::Foreign { .. }), "{error:?}");
    let error = Matrix::from_wgpu(&host, buffer, 0, (1, 4, 4)).unwrap_err();
    assert!(matches!(error, Error::Foreign { .. }), "{error:?}");
}
