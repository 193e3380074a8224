//! Spectra that are dense at their edge: converged results are right to the tolerance.

use opnorm::norm::{Lanczos, Status};

use super::matrices::Dense;
use super::{is_full, upload};

/// A banded matrix by the values of its diagonals, the lowest first, which lies `below` places below the main diagonal.
fn banded(size: usize, below: usize, diagonals: &[f64]) -> Dense {
    Dense::from_fn(size, size, |row, col| {
        (col + below).checked_sub(row).and_then(|place| diagonals.get(place)).copied().unwrap_or(0.0)
    })
}

fn families(size: usize) -> Vec<(&'static str, Dense)> {
    let cycle =
        Dense::from_fn(size, size, |row, col| f64::from(u8::from((row + 1) % size == col || (col + 1) % size == row)));
    vec![
        // The largest values come in pairs, 1e-4 to 1e-6 apart.
        ("Grcar", banded(size, 1, &[-1.0, 1.0, 1.0, 1.0, 1.0])),
        ("Grcar, wider", banded(size, 1, &[-1.0, 1.0, 1.0, 1.0, 1.0, 1.0])),
        ("Laplacian", banded(size, 1, &[-1.0, 2.0, -1.0])),
        ("first difference", banded(size, 0, &[1.0, -1.0])),
        ("path", banded(size, 1, &[1.0, 0.0, 1.0])),
        ("cycle", cycle),
        ("blur", banded(size, 2, &[1.0, 4.0, 6.0, 4.0, 1.0])),
        ("Toeplitz", banded(size, 2, &[1.0, -2.0, 0.5, 2.0, -1.0])),
    ]
}

#[test]
fn a_dense_edge_keeps_its_tolerance() {
    let (sides, seeds): (&[usize], u64) =
        if is_full() { (&[64, 100, 150, 200, 257, 400], 24) } else { (&[100, 170], 3) };
    for side in sides {
        for (name, matrix) in families(*side) {
            let exact = matrix.singular_values()[0];
            let device = upload(&matrix);
            let seeds = if name == "Grcar" && *side == 100 { 24 } else { seeds };
            let (mut worst, mut converged, mut steps) = (0f64, 0, 0);
            for seed in 0..seeds {
                let norm = Lanczos { seed, ..Lanczos::default() }.norm(&device).unwrap().items()[0].clone();
                let error = (norm.sigma / exact - 1.0).abs();
                steps += norm.iterations;
                if norm.status == Status::Converged {
                    (worst, converged) = (worst.max(error), converged + 1);
                    assert!(error <= 1e-6, "{name}, side {side}, seed {seed}: {error:e} after {}", norm.iterations);
                }
            }
            println!(
                "{name:<18} {side:>5}: {converged} of {seeds} converged, worst {worst:.1e}, {} steps",
                steps / seeds as usize
            );
            assert_eq!(converged, seeds, "{name}, side {side}");
        }
    }
}
