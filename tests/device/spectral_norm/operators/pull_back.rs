//! Pull-backs of pairs of vectors to the parameters of operators, against finite differences in `f64`.

use opnorm::bound::device_gamma;
use opnorm::norm::spectral_norm;
use opnorm::operator::{Identity, Parametrised, Transpose};
use opnorm::tensor::Tensor;
use opnorm::{Error, Matrix};

use super::{Source, gpu, upload};

const BATCH: usize = 2;
const VECTORS: usize = 3;
/// The sides of A (rows × inner), of B (cols × inner) and of C (rows × cols).
const SIDES: [(usize, usize); 3] = [(5, 7), (4, 7), (5, 4)];

/// The vectors u and v, and the weights.
struct Pairs {
    left: Vec<f64>,
    right: Vec<f64>,
    weights: Vec<f64>,
}

/// The sum over all pairs of weight · uᵀ (A Bᵀ + factor · C) v, of one batch item.
fn value(parameters: &[Vec<f64>; 3], pairs: &Pairs, item: usize, factor: f64) -> f64 {
    let [(rows, inner), (cols, _), _] = SIDES;
    let entry = |which: usize, row: usize, col: usize| {
        let (height, width) = SIDES[which];
        parameters[which][(item * height + row) * width + col]
    };
    let mut sum = 0.0;
    for pair in item * VECTORS..(item + 1) * VECTORS {
        for row in 0..rows {
            for col in 0..cols {
                let product: f64 = (0..inner).map(|place| entry(0, row, place) * entry(1, col, place)).sum();
                let outer = pairs.weights[pair] * pairs.left[pair * rows + row] * pairs.right[pair * cols + col];
                sum += outer * (product + factor * entry(2, row, col));
            }
        }
    }
    sum
}

/// The central difference in one entry: exact but for rounding, because the sum is linear in each entry.
fn difference(
    (parameters, pairs, factor): (&[Vec<f64>; 3], &Pairs, f64),
    (which, index): (usize, usize),
    step: f64,
) -> f64 {
    let item = index / (SIDES[which].0 * SIDES[which].1);
    let at = |by: f64| {
        let mut moved = parameters.clone();
        moved[which][index] += by;
        value(&moved, pairs, item, factor)
    };
    (at(step) - at(-step)) / (2.0 * step)
}

fn absolute(values: &[f64]) -> Vec<f64> {
    values.iter().map(|value| value.abs()).collect()
}

#[test]
fn sums_products_transposes_and_multiples_by_finite_differences() {
    let mut source = Source::new(41);
    for scales in [[1.0, 1.0, 1.0], [1e20, 1e-25, 1e-5]] {
        let mut numbers =
            |count: usize, scale: f64| -> Vec<f32> { (0..count).map(|_| (source.normal() * scale) as f32).collect() };
        let entries = [0, 1, 2].map(|which| numbers(BATCH * SIDES[which].0 * SIDES[which].1, scales[which]));
        let [a, b, c] = [0, 1, 2].map(|which| {
            let (rows, cols) = SIDES[which];
            Matrix::from_batch(gpu(), BATCH, rows, cols, &entries[which]).unwrap()
        });
        let (left, right) = (numbers(BATCH * VECTORS * 5, 1.0), numbers(BATCH * VECTORS * 4, 1.0));
        let wide = |data: &[f32]| -> Vec<f64> { data.iter().copied().map(f64::from).collect() };
        let weights = wide(&numbers(BATCH * VECTORS, 1.0));
        let pairs = Pairs { left: wide(&left), right: wide(&right), weights };
        let parameters = entries.each_ref().map(|entries| wide(entries));

        let operator = ((&a * Transpose(&b)).unwrap() + (&c * -0.75).unwrap()).unwrap();
        let left = Tensor::from_slice(gpu(), &[BATCH, VECTORS, 5], &left).unwrap();
        let right = Tensor::from_slice(gpu(), &[BATCH, VECTORS, 4], &right).unwrap();
        let gradients = operator.pull_back(&left, &right, &pairs.weights).unwrap();
        assert_eq!(gradients.len(), 3);
        // Each entry sums products of absolute value at most `terms`: the factors, up to 7 elements of a product of
        // vectors, VECTORS pairs and the weight give fewer than 7 + VECTORS + 6 roundings of each.
        let sizes =
            Pairs { left: absolute(&pairs.left), right: absolute(&pairs.right), weights: absolute(&pairs.weights) };
        let magnitudes = parameters.each_ref().map(|values| absolute(values));
        for (which, gradient) in gradients.iter().enumerate() {
            assert_eq!(gradient.shape(), [BATCH, SIDES[which].0, SIDES[which].1]);
            for (index, found) in gradient.read(gpu()).unwrap().into_iter().enumerate() {
                let exact = difference((&parameters, &pairs, -0.75), (which, index), scales[which]);
                let terms = difference((&magnitudes, &sizes, 0.75), (which, index), scales[which]);
                let allowed = device_gamma(7 + VECTORS + 6) * terms;
                let off = (f64::from(found) - exact).abs();
                assert!(off <= allowed, "{scales:?}, parameter {which}, entry {index}: {found:e} {exact:e}");
            }
        }
    }
}

#[test]
fn the_pull_back_of_singular_vectors_is_the_gradient_of_the_norm() {
    let matrix = upload(&Source::new(42).gaussian(6, 9));
    let norms = spectral_norm(&matrix).unwrap();
    let gradient = matrix.pull_back(norms.left(), norms.right(), &[2.5]).unwrap();
    let by_norm = norms.vjp(&[2.5]).unwrap().read().unwrap();
    for (ours, theirs) in gradient[0].read(gpu()).unwrap().into_iter().zip(by_norm) {
        // Two products on each side.
        assert!(f64::from(ours - theirs).abs() <= device_gamma(4) * f64::from(theirs.abs()), "{ours:e} {theirs:e}");
    }
}

#[test]
fn an_identity_has_no_parameters_and_wrong_shapes_are_refused() {
    let matrix = upload(&Source::new(43).gaussian(3, 3));
    let shifted = (Identity::like(&matrix).unwrap() + &matrix).unwrap();
    let vectors = Tensor::from_slice(gpu(), &[1, 1, 3], &[1.0, 2.0, 3.0]).unwrap();
    assert_eq!(shifted.pull_back(&vectors, &vectors, &[1.0]).unwrap().len(), 1);
    let two = Tensor::zeros(gpu(), &[1, 2, 3]).unwrap();
    for (left, right, weights) in [(&vectors, &two, 1), (&two, &vectors, 2), (&vectors, &vectors, 2)] {
        let error = shifted.pull_back(left, right, &vec![1.0; weights]).unwrap_err();
        assert!(matches!(error, Error::ShapeMismatch { .. }), "{error:?}");
    }
}
