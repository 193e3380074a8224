#![allow(clippy::unwrap_used, reason = "a test fails by it")]
//! Small matrices on the host against dense decompositions in `f64`.

use faer::Mat;
use half::{bf16, f16};
use proptest::prelude::*;

use super::*;
use crate::Device;
use crate::norm::{Lanczos, Stop, spectral_norm};

fn host() -> Device {
    Device::host().unwrap()
}

fn exact(rows: usize, cols: usize, entries: &[f32]) -> Vec<f64> {
    let mut values =
        Mat::from_fn(rows, cols, |row, col| f64::from(entries[row * cols + col])).singular_values().unwrap();
    values.push(0.0);
    values
}

/// Fails where an item is not what a dense decomposition says.
fn check(norms: &SpectralNorms, item: usize, (rows, cols): (usize, usize), entries: &[f32]) {
    let (values, norm) = (exact(rows, cols, entries), &norms[item]);
    let at = format!("{rows} x {cols} {entries:?}: {norm:?} for {values:?}");
    let sigma = values[0];
    if sigma == 0.0 {
        assert_eq!((norm.status, norm.sigma, norm.bounds.upper), (Status::Zero, 0.0, 0.0), "{at}");
        return;
    }
    assert_eq!(norm.status, Status::Converged, "{at}");
    assert!((norm.sigma - sigma).abs() <= 1e-12 * sigma, "{at}");
    assert!(norm.bounds.lower <= sigma * (1.0 + 1e-14) && norm.bounds.lower >= sigma * (1.0 - 1e-12), "{at}");
    assert!(norm.residual.norm() <= 3e-7 * sigma && norm.iterations <= 12 && norm.products == 2, "{at}");
    match norm.second {
        Some(second) => assert!((second - values[1]).abs() <= 1e-11 * sigma, "{at}"),
        None => assert_eq!((rows.min(cols), norm.gap), (1, Some(norm.sigma)), "{at}"),
    }
    for vector in [norms.left_vector(item).unwrap(), norms.right_vector(item).unwrap()] {
        let square = vector.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>();
        assert!((square - 1.0).abs() < 1e-6, "{at}");
    }
}

proptest! {
    #[test]
    fn norms_are_those_of_a_dense_decomposition(
        (rows, cols) in (1usize..=SIDE, 1usize..=SIDE),
        numbers in prop::collection::vec(-4i32..=4, 20 * SIDE * SIDE),
        exponents in prop::collection::vec(-149i32..=120, 20),
        noise in prop::collection::vec(any::<bool>(), 20),
    ) {
        // Small integers have ranks, copies and zeros of all kinds.
        let size = rows * cols;
        let entry = |place: usize| {
            let (item, number) = (place / size, numbers[place] as f32);
            let more = if noise[item] { (place as f32 * 0.7).sin() } else { 0.0 };
            ((f64::from(number + more)) * 2f64.powi(exponents[item])) as f32
        };
        let entries: Vec<f32> = (0..20 * size).map(entry).collect();
        let batch = Matrix::from_batch(&host(), 20, rows, cols, &entries).unwrap();
        let norms = spectral_norm(&batch).unwrap();
        for (item, own) in entries.chunks_exact(size).enumerate() {
            check(&norms, item, (rows, cols), own);
        }
        let alone = spectral_norm(&Matrix::from_slice(&host(), rows, cols, &entries[7 * size..8 * size]).unwrap()).unwrap();
        prop_assert_eq!(&alone[0], &norms[7]);
        let bits = |vector: Vec<f32>| vector.into_iter().map(f32::to_bits).collect::<Vec<_>>();
        prop_assert_eq!(bits(alone.left_vector(0).unwrap()), bits(norms.left_vector(7).unwrap()));
        prop_assert_eq!(bits(alone.right_vector(0).unwrap()), bits(norms.right_vector(7).unwrap()));
    }
}

#[test]
fn each_item_of_a_large_batch_is_right() {
    let numbers = (0..1000 * 9u32).map(|place| ((place * 7919) % 1013) as f32 / 128.0 - 3.9);
    let mut entries: Vec<f32> = numbers.collect();
    entries[9 * 500 + 4] = f32::NAN;
    entries[9 * 501 + 8] = f32::NEG_INFINITY;
    entries[9 * 502..9 * 503].fill(0.0);
    let norms = spectral_norm(&Matrix::from_batch(&host(), 1000, 3, 3, &entries).unwrap()).unwrap();
    for (item, own) in entries.chunks_exact(9).enumerate() {
        match item {
            500 | 501 => {
                let places = [(1, 1), (2, 2)].map(|(row, col)| Some(crate::tensor::Position { row, col }));
                assert_eq!((norms[item].status, norms[item].non_finite), (Status::NonFinite, places[item - 500]));
                assert!(norms[item].sigma.is_nan() && norms.right_vector(item).unwrap() == [0.0; 3]);
            }
            _ => check(&norms, item, (3, 3), own),
        }
    }
}

#[test]
fn copies_ranks_and_ranges_are_no_exceptions() {
    let least = f32::from_bits(1);
    let turn = [0.0, 1.0, 0.0, -1.0];
    let cases: [[f32; 4]; 9] = [
        [1.0, 0.0, 0.0, 1.0],
        [1.0, 1.0, 1.0, 1.0],
        [1.0, -1.0, -1.0, 1.0],
        turn,
        [f32::MAX; 4],
        [least, 0.0, 0.0, least],
        [0.0, least, 0.0, 0.0],
        [1.0, 1e-20, 1e-20, 1e-38],
        [3e38, 1e-38, -1e-38, 3e38],
    ];
    let norms = spectral_norm(&Matrix::from_batch(&host(), cases.len(), 2, 2, &cases.concat()).unwrap()).unwrap();
    for (item, entries) in cases.iter().enumerate() {
        check(&norms, item, (2, 2), entries);
    }
    assert!(norms[0].gap == Some(0.0) && norms[0].multiplicity.is_none());
}

#[test]
fn halves_are_exact() {
    let values: Vec<f32> = (0..35u16).map(|place| f32::from(place * 37 % 64) / 8.0 - 3.0).collect();
    let (halves, brains): (Vec<_>, Vec<_>) =
        values.iter().map(|value| (f16::from_f32(*value), bf16::from_f32(*value))).unzip();
    for matrix in [Matrix::from_f16(&host(), 1, 5, 7, &halves), Matrix::from_bf16(&host(), 1, 5, 7, &brains)] {
        check(&spectral_norm(&matrix.unwrap()).unwrap(), 0, (5, 7), &values);
    }
}

#[test]
fn options_and_listeners_are_heard() {
    let entries: Vec<f32> = (0..16u16).map(|place| f32::from(place * 37 % 64)).collect();
    let matrix = Matrix::from_slice(&host(), 4, 4, &entries).unwrap();
    let short = Lanczos { max_iter: 1, ..Lanczos::default() }.norm(&matrix).unwrap();
    assert_eq!((short[0].status, short[0].iterations), (Status::MaxIterations, 1));
    assert!(short[0].bounds.lower > 0.0 && short[0].bounds.lower <= exact(4, 4, &entries)[0]);
    let refused = Lanczos { stop: Stop::Value { rtol: 0.0 }, ..Lanczos::default() }.norm(&matrix);
    assert!(refused.is_err());
    let mut heard = Vec::new();
    let control = Control::new().on_progress(|progress| {
        heard.push(progress.done);
        Err(progress.cancelled())
    });
    let ended = matrix.device().block_on(Lanczos::default().norm_async(&matrix, control));
    assert!(matches!(ended, Err(crate::Error::Cancelled { iterations: 1.., .. })));
    assert_eq!(heard, [1]);
    let counted = Lanczos { multiplicity: true, ..Lanczos::default() }.norm(&matrix).unwrap();
    assert_eq!(counted[0].multiplicity, Some(1), "copies are counted by the iteration");
}
