//! Entries of other types: `glam`, doubles of any scale, 16 bits.

use glam::{Mat2, Mat3, Mat4};
use half::{bf16, f16};
use opnorm::device::DeviceOptions;
use opnorm::low_level::ops;
use opnorm::tensor::{Storage, Tensor};
use opnorm::{Device, Matrix};

use super::{gpu, numbers};

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

    // A product, because a wrongly transposed matrix would read back correctly.
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
    // In buffers, because words are read.
    let gpu = &Device::open(&DeviceOptions { textures: Some(false), ..DeviceOptions::default() }).unwrap();
    // Three items of one batch, each with an exponent of its own.
    let scales = [1e300, 1e-300, 1.0];
    let entries: Vec<f64> = scales.iter().flat_map(|scale| [3.0 * scale, -1.5 * scale, 0.0, 0.25 * scale]).collect();
    let matrix = Matrix::from_f64(gpu, 3, 2, 2, &entries).unwrap();
    let (words, stride) = matrix.words().unwrap();
    let mut recorder = gpu.recorder();
    let held = recorder.read(words).unwrap();
    recorder.submit().unwrap();
    let held: Vec<f32> = held.wait().unwrap().into_iter().map(f32::from_bits).collect();
    for (item, scale) in scales.iter().enumerate() {
        let exponent = matrix.exponent(item);
        let expected = if *scale == 1.0 { 0 } else { (3.0 * scale).log2().floor() as i32 };
        assert_eq!(exponent, expected, "{scale:e}");
        let rows = held[item * 2 * stride..].chunks_exact(stride).take(2);
        let found: Vec<f32> = rows.flat_map(|row| row[..2].to_vec()).collect();
        for (found, entry) in found.iter().zip(&entries[item * 4..]) {
            // Two steps, because 2^1992 is no double.
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
