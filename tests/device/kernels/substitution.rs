//! Substitution with LU factors, their permutation, and their pivots.
//!
//! Solutions are compared by their systems, T x = b, with a bound in the magnitudes of the products.

use opnorm::low_level::ops::{self, Triangle};
use opnorm::low_level::reference;

use super::bounds::Bound;
use super::case::Case;
use super::factors::Packed;
use super::values::{magnitudes, widened};

/// The products of a row, sums over lanes, the difference and a quotient; in parts as in whole.
pub fn lu_solve(case: &mut Case<'_>) {
    let packed = Packed::draw(case, &(0..0)).tamed(case);
    let (size, vectors) = (packed.size, case.shape.rows % 3 + 1);
    let mask = case.mask(0);
    for (upper, transposed) in [(false, false), (true, false), (true, true), (false, true)] {
        let given = case.draw(packed.batch * vectors * size);
        let solutions = case.upload(&given);
        let steps = ops::lu_solve_steps(case.gpu, size).min(size.div_ceil(2));
        let (found, ()) = case.run(&mask, &solutions, |recorder| {
            (0..size).step_by(steps).try_for_each(|first| {
                let steps = first..size.min(first + steps);
                ops::lu_solve(recorder, packed.factors(), Triangle { upper, transposed }, steps, vectors, &solutions)
            })
        });
        let given = widened(&given);
        for (vector, (found, given)) in found.chunks_exact(size).zip(given.chunks_exact(size)).enumerate() {
            let (matrix, ..) = packed.item(&packed.before, vector / vectors);
            let entry = |row: usize, col: usize| {
                let (row, col) = if transposed { (col, row) } else { (row, col) };
                match (row == col, (row < col) == upper) {
                    (true, _) if !upper => 1.0,
                    (true, _) | (false, true) => f64::from(matrix[row * size + col]),
                    (false, false) => 0.0,
                }
            };
            let triangle: Vec<f64> = (0..size * size).map(|place| entry(place / size, place % size)).collect();
            let found = widened(found);
            let twin = reference::matvec(&triangle, &found);
            let bounds = residual_bounds(&triangle, &found, size + case.lanes() + 4);
            case.compare(given, &twin, &bounds);
            if size <= 9 {
                let mut straight = given.to_vec();
                reference::lu_solve(&widened(matrix), upper, transposed, &mut straight);
                // |T⁻¹| is at most the inverse of the matrix with |T| on its diagonal and -|T| beside it.
                let mut compared = magnitudes(&widened(matrix));
                let beside = |place: &usize| !place.is_multiple_of(size + 1);
                (0..size * size).filter(beside).for_each(|place| compared[place] = -compared[place]);
                let mut bounds = bounds;
                reference::lu_solve(&compared, upper, transposed, &mut bounds);
                case.compare(&found, &straight, &bounds);
            }
        }
    }
}

/// Bounds of |T x - b| for each row, where x is what a substitution has found.
///
/// Numbers below 2^-126 may be flushed. That changes a product, a sum, or b by 2^-126, and the product of a flushed
/// entry of T by 2^-126 |x|. The product of a flushed x, which may be the quotient of a row, changes by 2^-126 |T|.
fn residual_bounds(triangle: &[f64], found: &[f64], roundings: usize) -> Vec<f64> {
    let rows = triangle.chunks_exact(found.len());
    rows.map(|row| {
        let entries = || row.iter().zip(found).filter(|(entry, _)| **entry != 0.0);
        let terms = entries().map(|(entry, x)| (entry * x).abs()).sum();
        let flushed: f64 = entries().map(|(entry, x)| 2.0 + entry.abs() + x.abs()).sum();
        Bound::of(roundings, flushed * 2f64.powi(-126)).at(terms)
    })
    .collect()
}

pub fn lu_permute(case: &mut Case<'_>) {
    let packed = Packed::draw(case, &(0..0));
    let (size, vectors) = (packed.size, case.shape.rows % 3 + 1);
    let mask = case.mask(0);
    for inverse in [false, true] {
        let given = case.draw(packed.batch * vectors * size);
        let input = case.upload(&given);
        let output = case.output(given.len());
        let (found, ()) = case.run(&mask, &output, |recorder| {
            ops::lu_permute(recorder, packed.factors(), vectors, inverse, &input, &output)
        });
        let twin: Vec<f64> = given
            .chunks_exact(size)
            .enumerate()
            .flat_map(|(vector, given)| {
                let (_, _, permutation) = packed.item(&packed.before, vector / vectors);
                reference::lu_permute(&permutation, inverse, &widened(given))
            })
            .collect();
        case.expect_exact(&found, &twin);
    }
}

/// A chain of products of magnitudes.
pub fn lu_diagonal(case: &mut Case<'_>) {
    let packed = Packed::draw(case, &(0..1));
    let size = packed.size;
    let mask = case.mask(0);
    let output = case.output(packed.batch * size * 3);
    let (found, ()) = case.run(&mask, &output, |recorder| ops::lu_diagonal(recorder, packed.factors(), &output));
    let (mut twins, mut bounds) = (Vec::new(), Vec::new());
    for item in 0..packed.batch {
        let (matrix, pivots, _) = packed.item(&packed.before, item);
        for ((pivot, sum), row) in reference::lu_diagonal(&widened(matrix), size).into_iter().zip(pivots) {
            twins.extend([pivot, sum, row as f64]);
            bounds.extend([0.0, Bound::of(size, 0.0).at(sum), 0.0]);
        }
    }
    case.compare(&found, &twins, &bounds);
}
