//! Linear systems: solvers against exact solutions, factors, and solutions as values of a tape. Fixed points.

mod counts;
mod differentiable;
mod ends;
mod extras;
mod families;
mod fixed_point_errors;
mod fixed_points;
mod implicit;
mod lu;
mod matrix_free;
mod table;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::gpu;

/// Numbers in [-1, 1] that `f32` holds.
fn draw(seed: u64, len: usize) -> Vec<f32> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    (0..len).map(|_| random.random_range(-1f32..1.0)).collect()
}

fn widened(values: &[f32]) -> Vec<f64> {
    values.iter().map(|value| f64::from(*value)).collect()
}

/// Random matrices with `shift` added to the diagonal.
fn shifted(seed: u64, batch: usize, size: usize, shift: f32) -> Vec<f32> {
    let mut entries = draw(seed, batch * size * size);
    entries.chunks_exact_mut(size * size).for_each(|matrix| {
        matrix.iter_mut().step_by(size + 1).for_each(|entry| *entry += shift);
    });
    entries
}

/// The inverse of a matrix in `f64`.
fn inverse(matrix: &[f64], size: usize) -> Vec<f64> {
    let (mut left, mut right) = (matrix.to_vec(), vec![0.0; size * size]);
    right.iter_mut().step_by(size + 1).for_each(|entry| *entry = 1.0);
    for step in 0..size {
        let larger =
            |one: &usize, other: &usize| left[one * size + step].abs().total_cmp(&left[other * size + step].abs());
        let pivot = (step..size).max_by(larger).unwrap();
        for col in 0..size {
            left.swap(step * size + col, pivot * size + col);
            right.swap(step * size + col, pivot * size + col);
        }
        let scale = left[step * size + step];
        for col in 0..size {
            left[step * size + col] /= scale;
            right[step * size + col] /= scale;
        }
        for row in (0..size).filter(|row| *row != step) {
            let multiple = left[row * size + step];
            for col in 0..size {
                left[row * size + col] -= multiple * left[step * size + col];
                right[row * size + col] -= multiple * right[step * size + col];
            }
        }
    }
    right
}

fn times(matrix: &[f64], vector: &[f64]) -> Vec<f64> {
    let row = |row: &[f64]| row.iter().zip(vector).map(|(entry, value)| entry * value).sum();
    matrix.chunks_exact(vector.len()).map(row).collect()
}

fn transposed(matrix: &[f64], size: usize) -> Vec<f64> {
    (0..size * size).map(|place| matrix[place % size * size + place / size]).collect()
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |most, value| value.abs().max(most))
}

fn distance(found: &[f64], right: &[f64]) -> f64 {
    assert_eq!(found.len(), right.len());
    found.iter().zip(right).fold(0.0, |most: f64, (found, right)| {
        let apart = (found - right).abs();
        if apart.is_nan() { f64::NAN } else { most.max(apart) }
    })
}
