//! Tests of measured steps, and of the bounds that rest on them.

use super::*;
use crate::bound::krylov::{Share, Step, expected_error};
use crate::device::Recorder;
use crate::iterate::Control;
use crate::norm::lanczos::{Goal, Lanczos, Run};
use crate::norm::stop::Stop;
use crate::operator::{Composition, HostProducts, Scaled, Sum};
use crate::tensor::Tensor;
use crate::{Device, Matrix};
use faer::Mat;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Matrices whose products round in different ways: random signs, one sign, graded, rank one and nearly so, orthogonal.
fn families(source: &mut impl FnMut() -> f64, rows: usize, cols: usize) -> Vec<(&'static str, Vec<f32>)> {
    let mut fill = |entry: &dyn Fn(usize, usize, f64) -> f64| {
        (0..rows * cols).map(|index| entry(index / cols, index % cols, source()) as f32).collect::<Vec<f32>>()
    };
    vec![
        ("gaussian", fill(&|_, _, x| x)),
        ("one sign", fill(&|_, _, x| x.abs())),
        ("graded", fill(&|row, col, x| x * 0.5f64.powf((row + col) as f64 / 16.0))),
        ("rank one and noise", fill(&|row, col, x| 1.0 + 0.5 * ((row * col) % 3) as f64 + 1e-4 * x)),
        ("constant 0.7", fill(&|_, _, _| 0.7)),
        ("hadamard-like", fill(&|row, col, _| if (row & col).count_ones() % 2 == 0 { 0.1 } else { -0.1 })),
        ("diagonal", fill(&|row, col, x| if row == col { x } else { 0.0 })),
    ]
}

pub(super) fn normal() -> impl FnMut() -> f64 {
    let mut generator = ChaCha8Rng::seed_from_u64(41);
    move || {
        let mut uniform = || ((generator.next_u64() >> 11) + 1) as f64 * 2f64.powi(-53);
        (-2.0 * uniform().ln()).sqrt() * (std::f64::consts::TAU * uniform()).cos()
    }
}

/// The steps of a chain as a run measured them, with |h_j| and |R_j| that a dense matrix gives for the same vectors.
fn steps<O: LinearOperator>(operator: &O, exact: &Mat<f64>, most: usize) -> Vec<(Step, Option<f64>, f64)> {
    let options = Lanczos { max_iter: most, delta: Some(0.5), ..Lanczos::default() };
    let oriented = Oriented::shorter_side_first(operator);
    let goal = Goal::Norm { stop: Stop::default(), multiplicity: false };
    let share = Share::of(0.5, 1, oriented.short);
    let mut run = Run::new(&options, &oriented, goal, share).unwrap();
    run.first_start(&Control::default()).unwrap();
    operator.device().block_on(run.cycle(&mut Control::default())).unwrap();
    let unit = scale_by_power(1.0, operator.exponent(0) + run.exponents()[0]);
    let exact = if oriented.transposed { exact.transpose().to_owned() } else { exact.clone() } / faer::Scale(unit);
    let space = run.chains[0].first.space.clone();
    let last = space.steps().len();
    let vectors: Vec<Vec<f64>> = (0..=last)
        .map(|slot| run.basis.slot(slot).unwrap().read(operator.device()).unwrap().into_iter().map(f64::from).collect())
        .collect();
    // A step that ended the space has no vector after it.
    let column = |step: usize| (step < last || !space.has_ended()).then(|| vectors[step].clone());
    let vector = |entries: Vec<f64>| Mat::from_fn(entries.len(), 1, |row, _| entries[row]);
    let of_step = |(index, step): (usize, &Step)| {
        let current = vector(vectors[index].clone());
        let mut rest = exact.transpose() * (&exact * &current) - &current * faer::Scale(step.diagonal);
        if let Some(before) = index.checked_sub(1) {
            rest -= vector(vectors[before].clone()) * faer::Scale(space.steps()[before].coupling);
        }
        let residual = rest.norm_l2();
        let error = column(index + 1).map(|next| (&rest - vector(next) * faer::Scale(step.coupling)).norm_l2());
        (*step, error, residual)
    };
    space.steps().iter().enumerate().map(of_step).collect()
}

#[test]
fn measured_steps_are_those_of_the_matrix() {
    let device = Device::new().unwrap();
    let lanes = device.capabilities().profile.lanes;
    let mut source = normal();
    println!("largest error of a step, of the square of the norm, and as a part of what is expected");
    for (rows, cols) in [(1, 1), (1, 9), (7, 5), (40, 40), (33, 150), (300, 120), (40, 3000), (20_000, 8)] {
        for (name, entries) in families(&mut source, rows, cols) {
            let exact = Mat::from_fn(rows, cols, |row, col| f64::from(entries[row * cols + col]));
            let matrix = Matrix::from_slice(&device, rows, cols, &entries).unwrap();
            let found = steps(&matrix, &exact, 40);
            let square = found.iter().map(|(step, ..)| step.diagonal).fold(0.0, f64::max);
            let allowed = 1e-11 * square * (rows.max(cols) as f64).sqrt();
            assert!(!found.is_empty());
            let mut largest = 0.0f64;
            for (index, (step, error, residual)) in found.iter().enumerate() {
                let close = |found: f64, exact: f64| found >= exact - allowed && found <= exact + allowed;
                assert!(close(step.residual, *residual), "{name} {rows} x {cols}, {index}: {step:?} {residual}");
                if let Some(error) = error {
                    largest = largest.max(*error / square);
                    assert!(close(step.error, *error), "{name} {rows} x {cols}, {index}: {step:?} {error}");
                }
            }
            let part = largest / expected_error(rows.max(cols), lanes);
            println!("{name:<20} {:>12} {largest:>9.1e} {part:>8.3}", format!("{rows} x {cols}"));
        }
    }
}

#[test]
fn steps_of_sums_and_compositions_are_measured_where_they_cancel() {
    let device = Device::new().unwrap();
    let mut source = normal();
    let mut fill = |rows: usize, cols: usize| -> (Mat<f64>, Matrix) {
        let entries: Vec<f32> = (0..rows * cols).map(|_| source() as f32).collect();
        let exact = Mat::from_fn(rows, cols, |row, col| f64::from(entries[row * cols + col]));
        (exact, Matrix::from_slice(&device, rows, cols, &entries).unwrap())
    };
    let ((a, left), (b, right)) = (fill(30, 20), fill(20, 25));
    let composed = steps(&Composition::new(&left, &right).unwrap(), &(&a * &b), 20);
    let (before, changed) = (fill(24, 24), 1e-4f32);
    let after = Mat::from_fn(24, 24, |row, col| {
        f64::from(before.0[(row, col)] as f32 + changed * ((row + 1) as f32 / 24.0) * ((col + 2) as f32 / 24.0))
    });
    let entries: Vec<f32> = (0..24 * 24).map(|index| after[(index / 24, index % 24)] as f32).collect();
    let moved = Matrix::from_slice(&device, 24, 24, &entries).unwrap();
    let difference = Sum::new(&moved, Scaled::new(&before.1, -1.0).unwrap()).unwrap();
    let cancelled = steps(&difference, &(&after - &before.0), 20);
    for (name, found) in [("composition", composed), ("difference", cancelled)] {
        let square = found.iter().map(|(step, ..)| step.diagonal).fold(0.0, f64::max);
        let largest = found.iter().filter_map(|(_, error, _)| *error).fold(0.0, f64::max) / square;
        println!("{name}: {largest:.1e} of the square of the norm");
        for (step, error, residual) in found {
            // The bound of f64 losses: 1e-4 of the f32 losses, squared by two products.
            let close = |found: f64, exact: f64| found >= exact - 1e-9 * square && found <= exact + 1e-4 * square;
            assert!(close(step.residual, residual), "{name}: {step:?} {residual}");
            assert!(error.is_none_or(|error| close(step.error, error)), "{name}: {step:?} {error:?}");
        }
        // Products of the difference cancel four digits, and steps say so.
        assert!((largest > 1e-4) == (name == "difference"), "{name}: {largest}");
    }
}

/// An operator whose products on the device are products of another, nearby matrix.
struct Off {
    device: Matrix,
    exact: Matrix,
}

impl LinearOperator for Off {
    fn device(&self) -> &Device {
        self.device.device()
    }

    fn batch(&self) -> usize {
        1
    }

    fn domain(&self) -> Vec<usize> {
        self.device.domain()
    }

    fn codomain(&self) -> Vec<usize> {
        self.device.codomain()
    }

    fn apply(&self, recorder: &mut Recorder, input: &Tensor, output: &Tensor) -> Result<()> {
        self.device.apply(recorder, input, output)
    }

    fn apply_adjoint(&self, recorder: &mut Recorder, input: &Tensor, output: &Tensor) -> Result<()> {
        self.device.apply_adjoint(recorder, input, output)
    }

    fn products_on_host(&self, adjoint: bool, inputs: Vec<Vec<Ball>>) -> HostProducts<'_> {
        self.exact.products_on_host(adjoint, inputs)
    }

    fn is_slow_on_host(&self) -> bool {
        true
    }
}

/// Steps that are not measured stand in for measured steps, in the first chain too, over all readings.
#[test]
fn steps_that_stand_for_others_do_not_count_as_exact() {
    let device = Device::new().unwrap();
    let mut source = normal();
    let (side, wrong) = (48, 1e-4);
    let sigma = |index: usize| if index == 0 { 1.0 } else { 0.9 * (1.0 - index as f64 / side as f64) };
    // A reflection on either side of a diagonal; the device's matrix lacks a part along the first singular vectors.
    let mut reflection = || {
        let vector: Vec<f64> = (0..side).map(|_| source()).collect();
        let square: f64 = vector.iter().map(|entry| entry * entry).sum();
        Mat::from_fn(side, side, |row, col| f64::from(u8::from(row == col)) - 2.0 * vector[row] * vector[col] / square)
    };
    let (left, right) = (reflection(), reflection());
    let of = |first: f64| {
        let diagonal = Mat::from_fn(side, side, |row, col| match row == col {
            true if row == 0 => first,
            true => sigma(row),
            false => 0.0,
        });
        let product = &left * diagonal * &right;
        let entries: Vec<f32> = (0..side * side).map(|index| product[(index / side, index % side)] as f32).collect();
        (
            Matrix::from_slice(&device, side, side, &entries).unwrap(),
            Mat::from_fn(side, side, |row, col| f64::from(entries[row * side + col])),
        )
    };
    let ((device, _), (exact, dense)) = (of(1.0 - wrong), of(1.0));
    let operator = Off { device, exact };
    let norm = dense.singular_values().unwrap()[0];

    let found = steps(&operator, &dense, 30);
    let mut measured = 0.0f64;
    for (index, (step, error, _)) in found.iter().enumerate() {
        match [1, 2, 3, 4, 6, 8, 12, 16, 24].contains(&(index + 1)) {
            true => measured = measured.max(step.error),
            false => assert!(step.error >= 3.99 * measured, "step {index}: {step:?}, {measured:e} was measured before"),
        }
        assert!(error.is_none_or(|error| step.error >= 0.9 * error), "step {index}: {step:?}, {error:?}");
    }
    assert!(measured > 1e-6, "{measured:e}");
    for (delta, starts, allowed) in [(1e-6, 20, 0), (0.05, 200, 23)] {
        let failed = |seed: &u64| {
            let chains = (delta > 1e-3).then_some(1);
            let options = Lanczos { delta: Some(delta), chains, max_iter: 24, seed: *seed, ..Lanczos::default() };
            options.norm(&operator).unwrap().items()[0].bounds.upper < norm * (1.0 - 1e-13)
        };
        let count = (0..starts).filter(failed).count();
        println!("delta {delta}: {count} of {starts} failed");
        assert!(count <= allowed, "delta {delta}: {count} of {starts}");
    }
}
