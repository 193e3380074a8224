//! The time of dense linear systems, factored and solved: batches of small matrices, and large ones.
//!
//! `cargo bench --bench solve` prints medians of rounds; `python3 benches/solve_torch.py` has `torch.linalg.solve` on
//! the same numbers. A time includes the statuses of all items, and the solutions on the host.
//!
//! *Expected* 1024 systems of 64 take at most 1.5 times as long as in PyTorch on the same threads.

use std::time::Instant;

use opnorm::solve::Lu;
use opnorm::tensor::Tensor;
use opnorm::{Device, Result};

/// Matrices and their size.
const CASES: [(usize, usize); 5] = [(1024, 64), (1024, 16), (16, 256), (1, 1024), (1, 2048)];
const ROUNDS: usize = 9;

fn main() -> Result<()> {
    let device = Device::new()?;
    println!("{} ({})", device.capabilities().name, device.capabilities().backend);
    for (batch, size) in CASES {
        let matrices = Tensor::from_slice(&device, &[batch, size, size], &numbers(batch * size * size))?;
        let b = Tensor::from_slice(&device, &[batch, 1, size], &numbers(batch * size))?;
        let mut times = Vec::new();
        for round in 0..=ROUNDS {
            let start = Instant::now();
            let solutions = Lu::factor(&device, &matrices)?.solve(&b)?.read(&device)?;
            // The first round makes kernels and memory.
            if round > 0 {
                times.push(start.elapsed().as_secs_f64());
            }
            std::hint::black_box(solutions);
        }
        times.sort_by(f64::total_cmp);
        println!("{batch} of {size}: {:.2} ms", 1e3 * times[ROUNDS / 2]);
    }
    Ok(())
}

/// Numbers in [-1, 1] of a linear congruence, as in `solve_torch.py`.
fn numbers(count: usize) -> Vec<f32> {
    let mut state = 12_345u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / 8_388_608.0 - 1.0
    };
    (0..count).map(|_| next()).collect()
}
