//! Substitution with LU factors, their permutation, and their pivots.
//!
//! Solutions are compared by their systems, T x = b, with a bound in the magnitudes of the products.

use opnorm::low_level::ops::{self, Triangle};
use opnorm::low_level::reference;

use super::bounds::Bound;
use super::case::Case;
use super::factors::Packed;
use super::values::{Values, magnitudes, widened};

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
        let largest = magnitudes(&given).into_iter().fold(0.0, f64::max);
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
            let terms = reference::matvec(&magnitudes(&triangle), &magnitudes(&found));
            // Each step may flush a product or its result below 2^-126, which matters beside tiny numbers alone.
            let flushed = if largest < 2f64.powi(-90) || case.values == Values::Tiny {
                size as f64 * 2f64.powi(-125)
            } else {
                0.0
            };
            let bounds = Bound::of(size + case.lanes() + 4, flushed).each(&terms);
            case.compare(given, &twin, &bounds);
            if size <= 9 {
                let mut straight = given.to_vec();
                reference::lu_solve(&widened(matrix), upper, transposed, &mut straight);
                // The triangles are within 2 of their own inverses: |T⁻¹| |T| has rows of at most e³.
                let most = magnitudes(&straight).into_iter().fold(0.0, f64::max);
                let bounds = vec![20.0 * Bound::of(size + case.lanes() + 4, flushed).at(2.0 * most) + flushed; size];
                case.compare(&found, &straight, &bounds);
            }
        }
    }
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
