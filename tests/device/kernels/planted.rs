//! Negative tests: the comparison must reject wrong results and sums in another order.

use opnorm::Matrix;
use opnorm::low_level::{ops, reference};
use opnorm::tensor::Tensor;

use super::bounds::Bound;
use super::comparison::compare;
use super::setup::Setup;
use super::symmetric;
use super::values::magnitudes;

/// Negative test: a product with a wrong entry, of a transposed matrix or with swapped entries, is rejected.
#[test]
fn wrong_results_are_caught() {
    let gpu = Setup::SoftwareTrusted.device();
    let (rows, cols) = (7, 9);
    let entries: Vec<f32> = (0..rows * cols).map(|index| 1.0 + ((index * 37) % 11) as f32 / 7.0).collect();
    let input: Vec<f32> = (0..cols).map(|index| 0.5 + (index % 5) as f32 / 3.0).collect();
    let matrix = Matrix::from_slice(gpu, rows, cols, &entries).unwrap();
    let input = Tensor::from_slice(gpu, &[1, 1, cols], &input).unwrap();
    let output = Tensor::zeros(gpu, &[1, 1, rows]).unwrap();
    let mut recorder = gpu.recorder();
    ops::matvec(&mut recorder, &matrix, &input, &output).unwrap();
    recorder.submit().unwrap();
    let wide = |values: Vec<f32>| values.into_iter().map(f64::from).collect::<Vec<_>>();
    let (found, input) = (wide(output.read(gpu).unwrap()), wide(input.read(gpu).unwrap()));
    let entries: Vec<f64> = entries.into_iter().map(f64::from).collect();

    // One trip of three lanes, whose quads are added up: 1 product, 3 sums, 2 sums.
    let bounds_of =
        |matrix: &[f64]| Bound::of(6, 0.0).each(&reference::matvec(&magnitudes(matrix), &magnitudes(&input)));
    let twin = reference::matvec(&entries, &input);
    let bounds = bounds_of(&entries);
    compare(&found, &twin, &bounds).unwrap();
    for index in 0..rows {
        let mut wrong = found.clone();
        wrong[index] *= 1.0 + 1e-4;
        assert!(compare(&wrong, &twin, &bounds).unwrap_err().contains(&format!("entry {index}")));
        wrong[index] = f64::NAN;
        assert!(compare(&wrong, &twin, &bounds).is_err());
    }
    assert!(compare(&found[1..], &twin, &bounds).is_err());

    let transposed: Vec<f64> = (0..rows * cols).map(|index| entries[index % rows * cols + index / rows]).collect();
    assert!(compare(&found, &reference::matvec(&transposed, &input), &bounds_of(&transposed)).is_err());
    let mut swapped = entries.clone();
    swapped.swap(0, 1);
    assert!(compare(&found, &reference::matvec(&swapped, &input), &bounds_of(&swapped)).is_err());
}

/// Negative test: a Gram product with a wrong entry, or with a run of rows missing or doubled, is rejected.
#[test]
fn wrong_gram_products_are_caught() {
    let gpu = Setup::SoftwareTrusted.device();
    let (rows, cols) = (70, 13);
    let entries: Vec<f32> = (0..rows * cols).map(|index| 1.0 + ((index * 37) % 11) as f32 / 7.0).collect();
    let matrix = Matrix::from_slice(gpu, rows, cols, &entries).unwrap();
    let found: Vec<f64> = symmetric::gram_of(&matrix).into_iter().map(f64::from).collect();
    let entries: Vec<f64> = entries.into_iter().map(f64::from).collect();
    let twin = reference::gram(&entries, cols, 1.0);
    let bounds = Bound::of(symmetric::gram_roundings(&matrix), 0.0).each(&twin);
    compare(&found, &twin, &bounds).unwrap();
    symmetric::expect_symmetric(&found, cols).unwrap();

    for index in 0..cols * cols {
        let mut wrong = found.clone();
        wrong[index] *= 1.0 + 1e-4;
        assert!(compare(&wrong, &twin, &bounds).unwrap_err().contains(&format!("entry {index}")));
        if index % (cols + 1) != 0 {
            wrong[index] = f64::from((found[index] as f32).next_up());
            compare(&wrong, &twin, &bounds).unwrap();
            assert!(symmetric::expect_symmetric(&wrong, cols).is_err());
        }
    }
    for first in (0..rows).step_by(16) {
        let run = reference::gram(&entries[first * cols..rows.min(first + 16) * cols], cols, 1.0);
        let dropped: Vec<f64> = found.iter().zip(&run).map(|(sum, run)| sum - run).collect();
        let doubled: Vec<f64> = found.iter().zip(&run).map(|(sum, run)| sum + run).collect();
        assert!(compare(&dropped, &twin, &bounds).is_err() && compare(&doubled, &twin, &bounds).is_err());
    }
}

/// Negative test: a sum in a single chain, and more flushing than WGSL allows, are rejected.
#[test]
fn a_gram_product_in_another_order_or_flushed_is_caught() {
    let gpu = Setup::SoftwareTrusted.device();
    let rows = 4096;
    // 2^24 and then ones: a plain chain loses each 1.
    let entries: Vec<f32> = (0..rows).map(|row| if row == 0 { 4096.0 } else { 1.0 }).collect();
    let matrix = Matrix::from_slice(gpu, rows, 1, &entries).unwrap();
    let twin = [16_777_216.0 + (rows - 1) as f64];
    let bounds = Bound::of(symmetric::gram_roundings(&matrix), 0.0).each(&twin);
    compare(&[f64::from(symmetric::gram_of(&matrix)[0])], &twin, &bounds).unwrap();
    let chain = entries.iter().fold(0f32, |sum, entry| sum + entry * entry);
    assert!(compare(&[f64::from(chain)], &twin, &bounds).is_err(), "{chain}");

    // 2^-120 is normal, so that flushing it is an error.
    let small = Matrix::from_slice(gpu, rows, 1, &vec![2f32.powi(-30); rows]).unwrap();
    let twin = [rows as f64 * 2f64.powi(-120)];
    let factor = 2f64.powi(-60);
    let lost = ops::gram_flushed(&small, 2f64.powi(-30), factor);
    let bounds = Bound::of(symmetric::gram_roundings(&small), lost).each(&twin);
    assert!(compare(&[0.0], &twin, &bounds).is_err(), "{lost:e}");
    compare(&twin, &twin, &bounds).unwrap();
}

/// Negative test: a single chain loses terms below half a unit of its first product, which the levels of a long sum
/// keep.
#[test]
fn products_are_not_summed_one_after_another() {
    let rows = 4096;
    let entries: Vec<f32> =
        (0..rows).flat_map(|row| if row == 0 { [1.0; 2] } else { [1.0 / 4096.0, 1.0 / 8192.0] }).collect();
    let products = entries.chunks_exact(2).map(|row| row[0] * row[1]);
    let chain = products.clone().fold(0.0, |sum, product| sum + product);
    let exact: f64 = products.map(f64::from).sum();
    for setup in [Setup::SoftwareTrusted, Setup::HardwareTrusted] {
        let matrix = Matrix::from_slice(setup.device(), rows, 2, &entries).unwrap();
        let bounds = [Bound::of(symmetric::gram_roundings(&matrix), 0.0).at(exact)];
        assert!(compare(&[f64::from(chain)], &[exact], &bounds).is_err());
        let found = symmetric::gram_of(&matrix);
        compare(&[f64::from(found[1])], &[exact], &bounds).unwrap();
    }
}
