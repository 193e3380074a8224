//! Families that are hard for a proof, and families with known norms.

use half::{bf16, f16};

use super::Wide;
use super::families::draw as draw_family;
use super::matrices::Source;

/// Families beside the families of the solver's tests.
pub(crate) const FAMILIES: [&str; 10] =
    ["hadamard", "hilbert", "pascal", "companion", "graded", "subnormal", "nearly repeated", "f16", "bf16", "f64"];

/// A matrix of a family from this file or from the solver's tests.
pub(crate) fn draw(family: &str, longest: usize, source: &mut Source) -> Wide {
    let (rows, cols) = (source.size(1, longest), source.size(1, longest));
    let from = |rows: usize, cols: usize, entry: &mut dyn FnMut(usize, usize) -> f64| Wide {
        rows,
        cols,
        entries: (0..rows * cols).map(|index| entry(index / cols, index % cols)).collect(),
    };
    match family {
        "hadamard" => {
            let side = 1 << (source.size(1, 8) - 1).min(8);
            from(side, side, &mut |row, col| if (row & col).count_ones().is_multiple_of(2) { 1.0 } else { -1.0 })
        }
        "hilbert" => from(rows, cols, &mut |row, col| 1.0 / (row + col + 1) as f64),
        "pascal" => pascal(source.size(1, 60)),
        "companion" => {
            let side = rows.max(2);
            let first: Vec<f64> = (0..side).map(|_| source.normal()).collect();
            from(side, side, &mut |row, col| match row {
                0 => first[col],
                _ => f64::from(u8::from(row == col + 1)),
            })
        }
        "graded" => {
            let grades: Vec<f64> = (0..rows.max(cols)).map(|_| 10f64.powf(source.uniform() * 60.0 - 30.0)).collect();
            from(rows, cols, &mut |row, col| source.normal() * grades[row] * grades[col].sqrt())
        }
        "subnormal" => from(rows, cols, &mut |_, _| f64::from_bits((source.uniform() * 1e6) as u64 + 1)),
        "nearly repeated" => {
            let short = rows.min(cols);
            let gap = 10f64.powf(-3.0 - 12.0 * source.uniform());
            let mut sigmas: Vec<f64> = (0..short).map(|_| 0.9 * source.uniform()).collect();
            sigmas[0] = 1.0;
            if short > 1 {
                sigmas[1] = 1.0 - gap;
            }
            let (left, right) = (source.orthonormal(rows, short), source.orthonormal(cols, short));
            let scaled = faer::Mat::from_fn(rows, short, |row, col| left[(row, col)] * sigmas[col]);
            let product = &scaled * right.transpose();
            from(rows, cols, &mut |row, col| product[(row, col)])
        }
        "f16" => from(rows, cols, &mut |_, _| f16::from_f64(source.normal()).to_f64()),
        "bf16" => from(rows, cols, &mut |_, _| bf16::from_f64(source.normal()).to_f64()),
        "f64" => {
            let scale = 10f64.powf(source.uniform() * 500.0 - 250.0);
            from(rows, cols, &mut |_, _| source.normal() * scale)
        }
        other => {
            let matrix = draw_family(other, longest, source);
            let entries = matrix.entries.iter().map(|entry| f64::from(*entry)).collect();
            Wide { rows: matrix.rows, cols: matrix.cols, entries }
        }
    }
}

/// The binomial coefficients.
fn pascal(side: usize) -> Wide {
    let mut table = vec![1.0; side * side];
    for row in 1..side {
        for col in 1..side {
            table[row * side + col] = table[(row - 1) * side + col] + table[row * side + col - 1];
        }
    }
    Wide { rows: side, cols: side, entries: table }
}
