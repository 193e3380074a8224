//! The tape: every operation's rules against differences, its device results against `f64`, derivatives of derivatives,
//! programs and their memory, Jacobians and their norms; and all of these against PyTorch's numbers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

#[path = "tape/checks.rs"]
mod checks;
#[path = "tape/columns.rs"]
mod columns;
#[path = "tape/fixtures.rs"]
mod fixtures;
#[path = "tape/fusion.rs"]
mod fusion;
#[path = "tape/host_steps.rs"]
mod host_steps;
#[path = "tape/jacobians.rs"]
mod jacobians;
#[path = "tape/nesting.rs"]
mod nesting;
#[path = "tape/norms.rs"]
mod norms;
#[path = "tape/not_a_number.rs"]
mod not_a_number;
#[path = "tape/operations.rs"]
mod operations;
#[path = "tape/own_operations.rs"]
mod own_operations;
#[path = "tape/pointwise.rs"]
mod pointwise;
#[path = "tape/programs.rs"]
mod programs;
#[path = "tape/search.rs"]
mod search;
#[path = "tape/separation.rs"]
mod separation;
#[path = "tape/spectral.rs"]
mod spectral;
#[path = "tape/sums.rs"]
mod sums;
#[path = "tape/ties.rs"]
mod ties;

use std::sync::OnceLock;

use opnorm::Gpu;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The device of `OPNORM_ADAPTER`, opened once.
fn gpu() -> &'static Gpu {
    static GPU: OnceLock<Gpu> = OnceLock::new();
    GPU.get_or_init(|| Gpu::new().unwrap())
}

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
