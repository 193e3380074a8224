//! Factors of dense matrices: their solutions, determinants, conditions and statuses.

use opnorm::Error;
use opnorm::operator::Identity;
use opnorm::solve::{Direct, LinearSolver, Lu, LuStatus};
use opnorm::tensor::Tensor;

use super::{distance, draw, gpu, inverse, largest, shifted, times, transposed, widened};

fn tensor(shape: &[usize], data: &[f32]) -> Tensor {
    Tensor::from_slice(gpu(), shape, data).unwrap()
}

fn factored(batch: usize, size: usize, data: &[f32]) -> Lu {
    Lu::factor(gpu(), &tensor(&[batch, size, size], data)).unwrap()
}

/// The largest residual of A x = b in units of n · 2^-23 · (|A| |x| + |b|).
///
/// With partial pivoting |L| |U| exceeds |A| by the growth of the entries, in practice at most some n^(2/3) (Trefethen
/// and Schreiber 1990); both solutions and the factors contribute once.
fn backward_error(matrix: &[f64], solution: &[f64], given: &[f64]) -> f64 {
    let size = given.len();
    let apart = distance(&times(matrix, solution), given);
    let rows = matrix.chunks_exact(size).map(|row| row.iter().map(|entry| entry.abs()).sum::<f64>());
    let unit = size as f64 * 2f64.powi(-23) * (rows.fold(0.0, f64::max) * largest(solution) + largest(given));
    apart / unit / (size as f64).powf(2.0 / 3.0)
}

#[test]
fn systems_of_all_sizes_are_solved() {
    for (seed, (batch, size, vectors)) in
        [(5, 1, 1), (4, 2, 3), (3, 7, 1), (70, 64, 2), (2, 65, 70), (2, 129, 3), (1, 200, 1), (1, 330, 2)]
            .into_iter()
            .enumerate()
    {
        let entries = draw(seed as u64, batch * size * size);
        let given = draw(100 + seed as u64, batch * vectors * size);
        let lu = factored(batch, size, &entries);
        assert!(lu.statuses().iter().all(|status| *status == LuStatus::Regular));
        let b = tensor(&[batch, vectors, size], &given);
        let solutions =
            [lu.solve(&b).unwrap(), lu.solve_transposed(&b).unwrap()].map(|found| found.read(gpu()).unwrap());
        for vector in 0..batch * vectors {
            let matrix = widened(&entries[vector / vectors * size * size..][..size * size]);
            let own = |all: &[f32]| widened(&all[vector * size..][..size]);
            let turned = transposed(&matrix, size);
            for (matrix, solutions) in [(&matrix, &solutions[0]), (&turned, &solutions[1])] {
                let error = backward_error(matrix, &own(solutions), &own(&given));
                assert!(error <= 3.0, "{size}: {error}");
            }
        }
    }
}

#[test]
fn refinement_makes_the_error_smaller() {
    let size = 90;
    let entries = draw(11, size * size);
    let given = draw(12, size);
    let lu = factored(1, size, &entries);
    let exact = times(&inverse(&widened(&entries), size), &widened(&given));
    let b = tensor(&[1, 1, size], &given);
    let first = lu.solve(&b).unwrap();
    let second = lu.refined(&b, &first).unwrap();
    let [before, after] =
        [first, second].map(|found| distance(&widened(&found.read(gpu()).unwrap()), &exact) / largest(&exact));
    let condition = lu.conditions().unwrap()[0];
    let part = condition * size as f64 * 2f64.powi(-24);
    assert!(part < 0.5, "{condition}");
    assert!(after <= (part * before).max(4.0 * 2f64.powi(-24)) && after < before, "{before:e}, then {after:e}");
}

#[test]
fn determinants_have_their_sign() {
    // A cycle of three rows is even, of four odd; one negative entry turns the sign.
    for (size, corner, sign) in [(3, 1.0, 1.0), (4, 1.0, -1.0), (3, -2.0, -1.0), (4, -2.0, 1.0)] {
        let mut entries = vec![0.0; size * size];
        (1..size).for_each(|row| entries[row * size + row - 1] = 1.0);
        entries[size - 1] = corner;
        let found = factored(1, size, &entries).determinants()[0];
        assert_eq!((found.sign, found.log_abs), (sign, f64::from(corner).abs().ln()), "{size}");
    }
    // 2^400 is past the range of f32, and its logarithm is not.
    let mut entries = vec![0.0; 100 * 100];
    entries.iter_mut().step_by(101).for_each(|entry| *entry = 16.0);
    let found = factored(1, 100, &entries).determinants()[0];
    assert!((found.log_abs - 400.0 * 2f64.ln()).abs() < 1e-9);
}

#[test]
fn every_item_has_its_own_status() {
    for size in [3, 70, 140] {
        let mut entries = shifted(21, 5, size, 0.0);
        let items: Vec<&mut [f32]> = entries.chunks_exact_mut(size * size).collect();
        let [_, twice, zero, broken, _]: [&mut [f32]; 5] = items.try_into().unwrap();
        // The last column is twice the first less the second.
        twice.chunks_exact_mut(size).for_each(|row| {
            row.iter_mut().for_each(|entry| *entry = (*entry * 64.0).round());
            row[size - 1] = 2.0 * row[0] - row[1];
        });
        zero.fill(0.0);
        broken[size + 1] = f32::NAN;
        let lu = factored(5, size, &entries);
        let expected = [
            LuStatus::Regular,
            LuStatus::Singular { column: size - 1 },
            LuStatus::Singular { column: 0 },
            LuStatus::NonFinite,
            LuStatus::Regular,
        ];
        assert_eq!(lu.statuses(), expected, "{size}");
        let conditions = lu.conditions().unwrap();
        assert!(conditions[1].is_infinite() && conditions[3].is_nan() && conditions[4].is_finite());
        assert_eq!(lu.determinants()[2].log_abs, f64::NEG_INFINITY);
        // An item has the bits that it has alone.
        let b = draw(22, 5 * size);
        let together = lu.solve(&tensor(&[5, 1, size], &b)).unwrap().read(gpu()).unwrap();
        let alone = factored(1, size, &entries[4 * size * size..]);
        let alone = alone.solve(&tensor(&[1, 1, size], &b[4 * size..])).unwrap().read(gpu()).unwrap();
        let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&together[4 * size..]), bits(&alone));
    }
}

#[test]
fn a_small_pivot_is_not_a_singular_matrix() {
    // Regular, whatever the scales of rows and columns.
    let entries = [1e-20, 0.0, 0.0, 3.0, 1e10, 0.0, 1.0, 1.0, 1e-10];
    let lu = factored(1, 3, &entries);
    assert_eq!(lu.statuses(), [LuStatus::Regular]);
    let found = lu.solve(&tensor(&[1, 1, 3], &[1e-20, 3.0, 2.0])).unwrap().read(gpu()).unwrap();
    assert!((found[0] - 1.0).abs() < 1e-6 && (found[2] / 1e10 - 1.0).abs() < 1e-5, "{found:?}");
}

#[test]
fn conditions_are_estimated_from_below() {
    for size in [1, 2, 5, 40] {
        let batch = 6;
        let mut entries = shifted(31 + size as u64, batch, size, 0.5);
        // An item that is ill-conditioned.
        entries[..size * size].chunks_exact_mut(size).for_each(|row| row[0] *= 2f32.powi(-12));
        let found = factored(batch, size, &entries).conditions().unwrap();
        for (found, matrix) in found.iter().zip(entries.chunks_exact(size * size)) {
            let norm = |matrix: &[f64]| {
                let rows = transposed(matrix, size);
                rows.chunks_exact(size).map(|row| row.iter().map(|entry| entry.abs()).sum()).fold(0.0, f64::max)
            };
            let matrix = widened(matrix);
            let exact = norm(&matrix) * norm(&inverse(&matrix, size));
            let rounding = 1.0 + exact * size as f64 * 2f64.powi(-22);
            assert!(*found <= exact * rounding && *found >= exact / 3.0 / rounding, "{size}: {found}, not {exact}");
        }
    }
}

#[test]
fn shapes_are_checked_and_nothing_is_solved_at_once() {
    let mismatch = |found: Result<Tensor, Error>| matches!(found, Err(Error::ShapeMismatch { .. }));
    assert!(matches!(Lu::factor(gpu(), &tensor(&[1, 2, 3], &[0.0; 6])), Err(Error::ShapeMismatch { .. })));
    assert!(matches!(Lu::factor(gpu(), &tensor(&[2, 2], &[0.0; 4])), Err(Error::ShapeMismatch { .. })));
    let lu = factored(1, 2, &[1.0, 0.0, 0.0, 1.0]);
    assert!(mismatch(lu.solve(&tensor(&[1, 2], &[0.0; 2]))));
    assert!(mismatch(lu.solve_transposed(&tensor(&[1, 1, 3], &[0.0; 3]))));
    assert!(lu.solve(&tensor(&[1, 0, 2], &[])).unwrap().is_empty());
    assert!(lu.solve_transposed(&tensor(&[1, 0, 2], &[])).unwrap().is_empty());
    for (batch, size) in [(0, 3), (2, 0), (0, 0)] {
        let lu = factored(batch, size, &[]);
        assert_eq!((lu.statuses().len(), lu.conditions().unwrap().len()), (batch, batch));
        assert!(lu.solve(&tensor(&[batch, 1, size], &[])).unwrap().is_empty());
    }
}

#[test]
fn an_operator_that_is_too_large_to_form_is_refused() {
    let identity = Identity::new(gpu(), 1, &[1 << 24]);
    let b = tensor(&[1, 1, 1 << 24], &vec![1.0; 1 << 24]);
    let error = Direct::default().solve(&identity, &b).unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. } | Error::OutOfMemory { .. }), "{error}");
}
