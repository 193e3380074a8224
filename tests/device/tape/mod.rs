//! The tape: every operation's rules against differences, its device results against `f64`, derivatives of derivatives,
//! programs and their memory, Jacobians and their norms; and all of these against PyTorch's numbers.

mod checks;
mod columns;
mod fixtures;
mod fusion;
mod host_steps;
mod jacobians;
mod nesting;
mod norms;
mod not_a_number;
mod operations;
mod own_operations;
mod pointwise;
mod programs;
mod pull_back;
mod search;
mod separation;
mod spectral;
mod sums;
mod ties;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::{gpu, is_full};

/// Numbers in [-2, 2] that `f32` holds.
fn draw(random: &mut ChaCha8Rng, len: usize) -> Vec<f64> {
    (0..len).map(|_| f64::from(random.random_range(-2f32..2.0))).collect()
}

fn seeded(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(left, right)| left * right).sum()
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |most, value| value.abs().max(most))
}

fn narrowed(values: &[f64]) -> Vec<f32> {
    values.iter().map(|value| *value as f32).collect()
}
