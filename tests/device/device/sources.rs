//! Sources of elements: slices, arrays, vectors, rows, and references.

use half::{bf16, f16};
use opnorm::certify::Certifier;
use opnorm::tensor::{ElementSource, SourceElement, Storage, Tensor};
use opnorm::{Error, Matrix};

use super::{gpu, numbers};

/// The entries of a 2 x 3 matrix, from each type of source.
fn by_each_door<S: ElementSource + ?Sized>(source: &S, expected: &[f32; 6]) {
    let matrix = Matrix::upload(gpu(), (1, 2, 3), source).unwrap();
    assert_eq!(matrix.read().unwrap(), expected);
    assert_eq!(Tensor::upload(gpu(), &[2, 3], source).unwrap().read(gpu()).unwrap(), expected);
    let certifier = Certifier::default();
    let by_host = certifier.certify_on_host((1, 2, 3), source).unwrap()[0].clone();
    let wide = expected.map(f64::from);
    let exact = faer::Mat::from_fn(2, 3, |row, col| wide[row * 3 + col]).singular_values().unwrap()[0];
    assert!(by_host.bounds.lower <= exact * (1.0 + 1e-7) && exact * (1.0 - 1e-7) <= by_host.bounds.upper);
    assert_eq!(certifier.certify_source(gpu(), (1, 2, 3), source).unwrap()[0], by_host);
    // A part of a batch, and a source that is too short.
    assert_eq!(Tensor::upload(gpu(), &[0], source).unwrap().len(), 0);
    let short = Tensor::upload(gpu(), &[7], source).unwrap_err();
    assert!(matches!(short, Error::OutOfRange { .. }) && short.to_string().contains("of 6"), "{short}");
    assert!(matches!(Matrix::upload(gpu(), (2, 2, 3), source).unwrap_err(), Error::OutOfRange { .. }));
}

#[test]
fn vectors_arrays_and_rows_are_sources() {
    let single = [1.0f32, -2.0, 3.5, 0.1, -0.25, 8.0];
    let rows = [[1.0f32, -2.0, 3.5], [0.1, -0.25, 8.0]];
    by_each_door(&single, &single);
    by_each_door(&single[..], &single);
    by_each_door(&single.to_vec(), &single);
    by_each_door(&&single, &single);
    by_each_door(&single.as_slice(), &single);
    by_each_door(&rows, &single);
    by_each_door(&rows[..], &single);
    by_each_door(&rows.to_vec(), &single);
    // 64-bit floats are rounded to the nearest, as are literals without a type.
    let double = [1.0f64, -2.0, 3.5, 0.1, -0.25, 8.0];
    by_each_door(&double, &single);
    by_each_door(&double.to_vec(), &single);
    by_each_door(&double[..], &single);
    by_each_door(&[1.0, -2.0, 3.5, 0.1, -0.25, 8.0], &single);
    by_each_door(&vec![1.0, -2.0, 3.5, 0.1, -0.25, 8.0], &single);
    by_each_door(&[[1.0, -2.0, 3.5], [0.1, -0.25, 8.0]], &single);
    assert_eq!(double.to_vec().element(), SourceElement::F64);
    // Calls that take f32 alone infer it, and take any type that converts to a slice.
    assert_eq!(Matrix::from_slice(gpu(), 1, 2, &[3.0, 4.0]).unwrap().read().unwrap(), [3.0, 4.0]);
    let vector = Vec::from(single);
    assert_eq!(Matrix::from_slice(gpu(), 2, 3, &vector).unwrap().read().unwrap(), single);
    assert!(Matrix::from_batch(gpu(), 1, 0, 3, &[]).unwrap().is_zero(0));
}

#[test]
fn sixteen_bit_arrays_stay_sixteen_bit() {
    let values = [1.0f32, -2.0, 3.5, 0.125, -0.25, 8.0];
    let (halves, brains) = (values.map(f16::from_f32), values.map(bf16::from_f32));
    by_each_door(&halves, &values);
    by_each_door(&brains.to_vec(), &values);
    by_each_door(&[[halves[0], halves[1], halves[2]], [halves[3], halves[4], halves[5]]], &values);
    assert_eq!(Matrix::upload(gpu(), (1, 2, 3), &halves).unwrap().storage(), Storage::F16);
    assert_eq!(Matrix::upload(gpu(), (1, 2, 3), &brains.to_vec()).unwrap().storage(), Storage::Bf16);
}

#[test]
fn doubles_past_the_range_of_single_numbers_are_scaled_in_matrices_and_infinite_in_tensors() {
    let entries = vec![1e300, -1e-300, 0.0, 2e300];
    let matrix = Matrix::upload(gpu(), (1, 2, 2), &entries).unwrap();
    assert_eq!(matrix.exponent(0), 997);
    let found = Tensor::upload(gpu(), &[4], &entries).unwrap().read(gpu()).unwrap();
    assert_eq!(found, [f32::INFINITY, -0.0, 0.0, f32::INFINITY]);
    let long = numbers(100_003);
    let wide: Vec<f64> = long.iter().map(|value| f64::from(*value)).collect();
    assert_eq!(Tensor::upload(gpu(), &[100_003], &wide).unwrap().read(gpu()).unwrap(), long);
}
