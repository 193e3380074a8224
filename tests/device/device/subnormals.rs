//! Entries below 2^-126, which a device may flush: the held entries, and the bounds.

use bytemuck::cast_slice;
use half::{bf16, f16};
use opnorm::certify::Certifier;
use opnorm::device::DeviceOptions;
use opnorm::norm::{Lanczos, frobenius_norm, spectral_norm};
use opnorm::tensor::Storage;
use opnorm::{Device, Matrix};

use super::{foreign, gpu, numbers};

/// The smallest subnormal number, times an integer.
fn tiny(multiple: u32) -> f32 {
    f32::from_bits(multiple)
}

/// The spectral norm of the unflushed entries, by a decomposition in `f64`.
fn exact(entries: &[f32], rows: usize, cols: usize) -> f64 {
    let largest = entries.iter().fold(0f32, |most, entry| most.max(entry.abs()));
    let unit = f64::from(largest);
    let scaled = faer::Mat::from_fn(rows, cols, |row, col| f64::from(entries[row * cols + col]) / unit);
    scaled.singular_values().unwrap()[0] * unit
}

/// The bits that the device holds, padding included.
fn held(gpu: &Device, matrix: &Matrix) -> Vec<u32> {
    let mut recorder = gpu.recorder();
    let words = recorder.read(matrix.words().unwrap().0).unwrap();
    recorder.submit().unwrap();
    words.wait().unwrap()
}

/// Matrices with some or all entries subnormal, each with its purpose.
fn cases() -> Vec<(&'static str, usize, usize, Vec<f32>)> {
    let subnormal = |index: usize| {
        tiny(1 + (index as u32).wrapping_mul(2_654_435_761) % 0x7f_ffff)
            * if index.is_multiple_of(3) { -1.0 } else { 1.0 }
    };
    let mixed = |rows: usize, cols: usize, first: f32| {
        let mut entries: Vec<f32> = (0..rows * cols).map(subnormal).collect();
        entries[0] = first;
        entries
    };
    let mut opposite = vec![2f32.powi(-125); 64];
    (0..8).for_each(|index| opposite[index * 9] = -tiny(0x7f_ffff));
    let mut far: Vec<f32> = numbers(64).iter().map(|entry| entry * 2f32.powi(-120)).collect();
    far[9] = 2f32.powi(60);
    let middle: Vec<f32> = (0..64).map(|index| 2f32.powi(if index == 7 { 60 } else { -80 - index })).collect();
    vec![
        ("all 1.5 x 2^-127", 8, 8, vec![tiny(0x60_0000); 64]),
        ("all 1.5 x 2^-127, rows that are padded", 5, 7, vec![tiny(0x60_0000); 35]),
        ("the smallest number there is", 4, 4, (0..16).map(|index| tiny(u32::from(index % 5 == 0))).collect()),
        ("subnormal, of all sizes", 9, 12, (0..108).map(subnormal).collect()),
        ("2^-100 and subnormal", 8, 8, mixed(8, 8, 2f32.powi(-100))),
        ("2^-100 and subnormal, rows that are padded", 7, 9, mixed(7, 9, 2f32.powi(-100))),
        ("1 and subnormal", 8, 8, mixed(8, 8, 1.0)),
        ("2^-39 and subnormal", 6, 8, mixed(6, 8, 2f32.powi(-39))),
        ("2^-125 and some subnormal of the other sign", 8, 8, opposite),
        ("2^60 and 2^-120", 8, 8, far),
        ("2^60 down to 2^-143: what scaling down makes subnormal, and loses", 8, 8, middle),
    ]
}

#[test]
fn subnormal_entries_of_a_foreign_matrix_are_held_as_those_of_the_host() {
    // In buffers, because words are read.
    let gpu = &Device::open(&DeviceOptions { textures: Some(false), ..DeviceOptions::default() }).unwrap();
    for (name, rows, cols, entries) in cases() {
        let uploaded = Matrix::from_slice(gpu, rows, cols, &entries).unwrap();
        for before in [0, 4] {
            let matrix = Matrix::from_buffer(gpu, &foreign(gpu, before, &entries), (1, rows, cols)).unwrap();
            assert_eq!(matrix.exponent(0), uploaded.exponent(0), "{name}");
            assert_eq!(held(gpu, &matrix), held(gpu, &uploaded), "{name}");
            if matrix.exponent(0) <= 0 {
                let read: Vec<u32> = matrix.read().unwrap().into_iter().map(f32::to_bits).collect();
                assert_eq!(read, cast_slice::<_, u32>(&entries), "{name}");
            }
        }
    }
}

#[test]
fn bounds_of_subnormal_entries_hold() {
    let gpu = gpu();
    for (name, rows, cols, entries) in cases() {
        let norm = exact(&entries, rows, cols);
        let slack = norm * 1e-13;
        let foreign = Matrix::from_buffer(gpu, &foreign(gpu, 0, &entries), (1, rows, cols)).unwrap();
        for (origin, matrix) in [("foreign", foreign), ("host", Matrix::from_slice(gpu, rows, cols, &entries).unwrap())]
        {
            let certificate = &Certifier::default().certify(&matrix).unwrap()[0];
            let bounds = certificate.bounds;
            assert!(
                bounds.lower <= norm + slack && norm - slack <= bounds.upper,
                "{name}, {origin}: {bounds:?}, {norm:e}"
            );
            assert!(bounds.width() < 1e-9, "{name}, {origin}: {bounds:?}");
            let found = Lanczos::default().norm(&matrix).unwrap().items()[0].clone();
            assert!(found.bounds.lower <= norm + slack, "{name}, {origin}: {found:?}, {norm:e}");
            assert!((found.sigma / norm - 1.0).abs() < 2e-6, "{name}, {origin}: {found:?}, {norm:e}");
            assert!(found.bounds.lower >= norm * (1.0 - 1e-5), "{name}, {origin}: {found:?}, {norm:e}");
            assert!(frobenius_norm(&matrix).unwrap()[0] > 0.0, "{name}, {origin}");
        }
    }
}

#[test]
fn sixteen_bit_subnormals_survive_widening() {
    let gpu = gpu();
    let widened = |matrix: &Matrix| -> Vec<u32> {
        let matrix = matrix.to_f32().unwrap();
        assert_eq!(matrix.storage(), Storage::F32);
        matrix.read().unwrap().into_iter().map(f32::to_bits).collect()
    };
    // Every bf16 below 2^-120 and one ordinary entry, so that nothing asks for a scaling.
    let mut brains: Vec<bf16> = (0..1024u16).map(|bits| bf16::from_bits(bits | (bits & 1) << 15)).collect();
    brains[5] = bf16::ONE;
    let matrix = Matrix::from_bf16(gpu, 1, 32, 32, &brains).unwrap();
    assert_eq!(matrix.storage(), Storage::Bf16);
    assert_eq!(widened(&matrix), brains.iter().map(|value| value.to_f32().to_bits()).collect::<Vec<_>>());

    // Nothing but subnormal numbers: bf16 is scaled, f16 is ordinary as f32.
    let brains: Vec<bf16> = (1..65u16).map(bf16::from_bits).collect();
    let halves: Vec<f16> = (1..65u16).map(|bits| f16::from_bits(bits * 15)).collect();
    let wide = |entries: Vec<f32>| (exact(&entries, 8, 8), entries);
    let by_brain =
        (Matrix::from_bf16(gpu, 1, 8, 8, &brains).unwrap(), wide(brains.iter().map(|v| v.to_f32()).collect()));
    let by_half = (Matrix::from_f16(gpu, 1, 8, 8, &halves).unwrap(), wide(halves.iter().map(|v| v.to_f32()).collect()));
    for (matrix, (norm, entries)) in [by_brain, by_half] {
        assert_eq!(widened(&matrix), entries.iter().map(|entry| entry.to_bits()).collect::<Vec<_>>());
        let item = spectral_norm(&matrix).unwrap().items()[0].clone();
        assert!(
            (item.sigma / norm - 1.0).abs() < 2e-6 && item.bounds.lower <= norm * (1.0 + 1e-13),
            "{item:?}, {norm:e}"
        );
        let bounds = Certifier::default().certify(&matrix).unwrap()[0].bounds;
        assert!(bounds.lower <= norm * (1.0 + 1e-13) && norm * (1.0 - 1e-13) <= bounds.upper, "{bounds:?}, {norm:e}");
    }
}
