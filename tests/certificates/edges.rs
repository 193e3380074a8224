//! Families whose spectra are dense at their edge, with closed forms of their norms where there are some.

use std::f64::consts::PI;

use super::Wide;
use super::exact::singular_values;
use super::matrices::Source;

/// The families.
pub(crate) const FAMILIES: [&str; 9] = [
    "second difference",
    "first difference",
    "blur",
    "Grcar",
    "path",
    "cycle",
    "lower triangle",
    "upper triangle",
    "random sparse",
];

/// The matrix of a family with so many rows.
pub(crate) fn draw(family: &str, side: usize, source: &mut Source) -> Wide {
    let cols = if family == "first difference" { side + 1 } else { side };
    let entries = match family {
        "random sparse" => {
            let mut entries = vec![0.0; side * side];
            for row in 0..side {
                for _ in 0..5 {
                    entries[row * side + source.size(1, side) - 1] = f64::from(source.normal() as f32);
                }
            }
            entries
        }
        _ => (0..side * cols).map(|index| entry(family, (index / cols, index % cols), side)).collect(),
    };
    Wide { rows: side, cols, entries }
}

fn entry(family: &str, (row, col): (usize, usize), side: usize) -> f64 {
    let off = col as isize - row as isize;
    let ones = |holds: bool| f64::from(u8::from(holds));
    match family {
        "second difference" => [2.0, -1.0].get(off.unsigned_abs()).copied().unwrap_or(0.0),
        "first difference" => ones(off == 1) - ones(off == 0),
        "blur" => [0.375, 0.25, 0.0625].get(off.unsigned_abs()).copied().unwrap_or(0.0),
        "Grcar" => ones((0..=3).contains(&off)) - ones(off == -1),
        "path" => ones(off.abs() == 1),
        "cycle" => ones(col == (row + 1) % side || row == (col + 1) % side),
        "lower triangle" => ones(off <= 0),
        "upper triangle" => ones(off >= 0),
        other => unreachable!("{other}"),
    }
}

/// The norm: in closed form where there is one, else by a dense decomposition.
pub(crate) fn norm(family: &str, matrix: &Wide) -> f64 {
    let side = matrix.rows as f64;
    match family {
        "second difference" => 4.0 * (side * PI / (2.0 * side + 2.0)).sin().powi(2),
        "first difference" => 2.0 * (side * PI / (2.0 * side + 2.0)).sin(),
        "path" if matrix.rows == 1 => 0.0,
        "path" => 2.0 * (PI / (side + 1.0)).cos(),
        "cycle" => {
            if matrix.rows < 3 {
                1.0
            } else {
                2.0
            }
        }
        "lower triangle" | "upper triangle" => 0.5 / (PI / (4.0 * side + 2.0)).sin(),
        _ => singular_values(matrix)[0],
    }
}

/// The sides that are tried: every seventh up to 600 where that is asked for, and some above and below where the prover goes
/// over to another search.
pub(crate) fn sides(few: &[usize]) -> Vec<usize> {
    if std::env::var_os("OPNORM_FULL").is_some() { (1..=600).step_by(7).collect() } else { few.to_vec() }
}
