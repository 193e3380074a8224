//! Exact references for the bounds.

use faer::Mat;
use num_bigint::{BigInt, Sign};
use opnorm::certify::Certifier;
use opnorm::norm::Bounds;

use super::matrices::Source;
use super::{Wide, gpu, is_full, on_device};

/// All singular values in `f64`, largest first, right to about n units in the last place of the largest.
pub(crate) fn singular_values(matrix: &Wide) -> Vec<f64> {
    // Scaled by a power of two near the largest entry, so that nothing overflows or underflows.
    let largest = matrix.entries.iter().fold(0f64, |largest, entry| largest.max(entry.abs()));
    let exponent = largest.log2().floor() as i32;
    let half = exponent / 2;
    let scaled = |entry: f64| entry * 2f64.powi(-half) * 2f64.powi(half - exponent);
    let dense = Mat::from_fn(matrix.rows, matrix.cols, |row, col| scaled(matrix.entries[row * matrix.cols + col]));
    let values = dense.singular_values().unwrap();
    values.into_iter().map(|value| value * 2f64.powi(half) * 2f64.powi(exponent - half)).collect()
}

/// A matrix of integers times a power of two, which can hold every matrix of `f64`.
pub(crate) struct Dyadic {
    entries: Vec<BigInt>,
    exponent: i32,
    rows: usize,
    cols: usize,
}

impl Dyadic {
    pub(crate) fn of(matrix: &Wide) -> Self {
        let parts: Vec<_> = matrix.entries.iter().map(|entry| dyadic(*entry)).collect();
        let exponent =
            parts.iter().filter(|(integer, _)| *integer != BigInt::ZERO).map(|(_, exponent)| *exponent).min();
        let exponent = exponent.unwrap_or(0);
        let entries = parts.into_iter().map(|(integer, place)| integer << (place - exponent).max(0));
        Self { entries: entries.collect(), exponent, rows: matrix.rows, cols: matrix.cols }
    }

    /// Whether `bound` is above the norm: whether bound² - AᵀA is positive definite, by its leading minors, all of them
    /// exact (Bareiss elimination).
    pub(crate) fn is_below(&self, bound: f64) -> bool {
        // Both sides times a power of four, so that all entries are integers.
        let (integer, place) = dyadic(bound);
        let integer = integer << (place - self.exponent).max(0);
        let scale = BigInt::from(1) << (2 * (self.exponent - place).max(0));
        let square = &integer * &integer;
        let (rows, cols) = (self.rows, self.cols);
        let gram = |left: usize, right: usize| -> BigInt {
            (0..rows).map(|row| &self.entries[row * cols + left] * &self.entries[row * cols + right]).sum()
        };
        let entry = |left: usize, right: usize| {
            let diagonal = if left == right { square.clone() } else { BigInt::ZERO };
            diagonal - gram(left, right) * &scale
        };
        let matrix = (0..cols).map(|left| (0..cols).map(|right| entry(left, right)).collect()).collect();
        is_positive_definite(matrix)
    }
}

fn is_positive_definite(mut matrix: Vec<Vec<BigInt>>) -> bool {
    let side = matrix.len();
    let mut before = BigInt::from(1);
    for pivot in 0..side {
        if matrix[pivot][pivot].sign() != Sign::Plus {
            return false;
        }
        for row in pivot + 1..side {
            // Half suffices, because the matrix is symmetric.
            for col in pivot + 1..=row {
                let product = &matrix[pivot][pivot] * &matrix[row][col] - &matrix[row][pivot] * &matrix[col][pivot];
                matrix[row][col] = product / &before;
            }
        }
        before = matrix[pivot][pivot].clone();
    }
    true
}

/// (n, e) with value = n 2^e, by its bits.
fn dyadic(value: f64) -> (BigInt, i32) {
    let bits = value.to_bits();
    let biased = ((bits >> 52) & 0x7ff) as i32;
    let hidden = if biased == 0 { 0 } else { 1 << 52 };
    let magnitude = BigInt::from((bits & ((1 << 52) - 1)) | hidden);
    (if value < 0.0 { -magnitude } else { magnitude }, biased.max(1) - 1075)
}

/// In exact arithmetic, upper² - AᵀA is positive definite and lower² - AᵀA is not.
#[track_caller]
fn assert_encloses(name: &str, matrix: &Wide, bounds: &Bounds) {
    let exact = Dyadic::of(matrix);
    let (rows, cols) = (matrix.rows, matrix.cols);
    assert!(exact.is_below(bounds.upper), "{name}, {rows} x {cols}: {bounds:?}");
    assert!(!exact.is_below(bounds.lower), "{name}, {rows} x {cols}: {bounds:?}");
}

#[test]
fn integer_matrices_are_enclosed_exactly() {
    let mut source = Source::new(9);
    for index in 0..120 {
        let (rows, cols) = (source.size(1, 9), source.size(1, 9));
        let magnitude = [1.0, 3.0, 1000.0][index % 3];
        let entries = (0..rows * cols).map(|_| ((source.uniform() * 2.0 - 1.0) * magnitude).round());
        let matrix = Wide { rows, cols, entries: entries.collect() };
        if matrix.entries.iter().all(|entry| *entry == 0.0) {
            continue;
        }
        for certifier in [Certifier::default(), on_device()] {
            if index >= 30 && certifier.host_side.is_some() {
                continue;
            }
            let bounds = certifier.certify_source(gpu(), (1, rows, cols), &matrix.entries[..]).unwrap()[0].bounds;
            assert_encloses("integers", &matrix, &bounds);
            assert!(bounds.width() <= 1e-12 || certifier.host_side.is_some(), "{bounds:?}");
        }
    }
}

/// Entries at the ends of the range of `f64`, also within a matrix; sides up to 50; ranks of 1.
#[test]
fn extremes_are_enclosed_exactly() {
    let mut source = Source::new(15);
    let longest = if is_full() { 50 } else { 22 };
    let power = |exponent: i32| 2f64.powi(exponent);
    let mut widest = 0f64;
    for index in 0..60 {
        let side = [longest, 1 + index % longest, 3][index % 3];
        let grade = |place: usize| 1000.0 * place as f64 / side as f64 - 500.0;
        let integer = |source: &mut Source| ((source.uniform() - 0.5) * power(24)).round();
        let (left, right): (Vec<f64>, Vec<f64>) =
            (0..side).map(|_| (integer(&mut source), integer(&mut source))).unzip();
        let (name, side) = match index % 6 {
            0 => ("large", side),
            1 => ("small", side),
            2 => ("rank one", side),
            // Entries whose minors are long numbers.
            3 => ("graded", side.min(9)),
            4 => ("far apart", side.min(9)),
            _ => ("subnormal", side),
        };
        let entry = |row: usize, col: usize, source: &mut Source| match name {
            "large" => integer(source) * power(980),
            "small" => integer(source) * power(-1000),
            "rank one" => left[row] * right[col] * (20.0 * index as f64 - 600.0).exp2(),
            "graded" => integer(source) * (grade(row) + grade(col)).round().exp2(),
            "far apart" => integer(source) * power(if row == col { 970 } else { -1020 }),
            _ => integer(source) * f64::from_bits(1),
        };
        let entries = (0..side * side).map(|place| entry(place / side, place % side, &mut source)).collect();
        let matrix = Wide { rows: side, cols: side, entries };
        let bounds = Certifier::default().certify_on_host((1, side, side), &matrix.entries[..]).unwrap()[0].bounds;
        assert_encloses(name, &matrix, &bounds);
        if name != "subnormal" {
            widest = widest.max(bounds.width());
        }
        if index < 12 {
            let bounds = on_device().certify_source(gpu(), (1, side, side), &matrix.entries[..]).unwrap()[0].bounds;
            assert_encloses(name, &matrix, &bounds);
        }
    }
    println!("60 matrices up to {longest} x {longest}, widest {widest:.1e}");
    assert!(widest <= 1e-11, "{widest}");
}

#[test]
fn the_exact_test_can_fail() {
    let four = Dyadic::of(&Wide { rows: 2, cols: 2, entries: vec![3.0, 0.0, 0.0, 4.0] });
    assert!(four.is_below(4.000_000_000_000_001) && !four.is_below(4.0) && !four.is_below(3.999));
    let far = Dyadic::of(&Wide { rows: 1, cols: 2, entries: vec![3.0 * 2f64.powi(1000), 2f64.powi(-1000)] });
    assert!(!far.is_below(3.0 * 2f64.powi(1000)), "the other entry counts");
    assert!(far.is_below((3.0 * 2f64.powi(1000)).next_up()) && !far.is_below(2f64.powi(-1000)));
}
