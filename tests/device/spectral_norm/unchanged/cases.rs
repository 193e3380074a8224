//! The solvers and the options that results are stored of.

use opnorm::norm::{
    Control, JacobianSpectralNorm, Lanczos, Method, Power, PowerForm, Progress, Reduction, Start, Stop,
};
use opnorm::operator::{Composition, Scaled, Sum, Transpose};
use opnorm::tape::Tape;
use opnorm::tensor::Tensor;
use opnorm::{Matrix, Result};

use super::gpu;
use super::lines::{hash, lines, lines_of_top};
use crate::matrices::{Dense, Source};

fn upload(matrix: &Dense) -> Matrix {
    Matrix::from_slice(gpu(), matrix.rows, matrix.cols, &matrix.entries).unwrap()
}

/// A matrix with these singular values, between random orthonormal vectors.
fn with_values(source: &mut Source, rows: usize, cols: usize, values: &[f64]) -> Dense {
    let (left, right) = (source.orthonormal(rows, values.len()), source.orthonormal(cols, values.len()));
    let entry = |row: usize, col: usize| {
        values.iter().enumerate().map(|(rank, value)| left[(row, rank)] * value * right[(col, rank)]).sum()
    };
    Dense::from_fn(rows, cols, entry)
}

fn first_difference(size: usize) -> Dense {
    Dense::from_fn(size - 1, size, |row, col| f64::from(i8::from(row + 1 == col) - i8::from(row == col)))
}

/// A batch of a Gaussian, a zero, a non-finite, an identity, a rank-one and a very large matrix, 16 x 16 each.
fn mixed_batch(source: &mut Source) -> Matrix {
    let mut entries = source.gaussian(16, 16).entries;
    entries.extend([0.0; 256]);
    let mut not_finite = source.gaussian(16, 16).entries;
    not_finite[17] = f32::NAN;
    entries.extend(not_finite);
    entries.extend(Dense::from_fn(16, 16, |row, col| f64::from(u8::from(row == col))).entries);
    entries.extend(Dense::from_fn(16, 16, |row, col| (row as f64 + 1.0) * (0.5 - col as f64)).entries);
    entries.extend(source.gaussian(16, 16).scaled(1e30).entries);
    Matrix::from_batch(gpu(), 6, 16, 16, &entries).unwrap()
}

type Case = (&'static str, Box<dyn Fn() -> Result<Vec<String>>>);

fn case(name: &'static str, run: impl Fn() -> Result<Vec<String>> + 'static) -> Case {
    (name, Box::new(run))
}

fn lanczos(name: &'static str, matrix: Dense, options: Lanczos) -> Case {
    case(name, move || lines(&options.norm(&upload(&matrix))?))
}

pub(super) fn cases_of_values() -> Vec<Case> {
    let mut source = Source::new(90);
    let (wide, tall) = (source.gaussian(64, 128), source.gaussian(300, 200));
    let decaying: Vec<f64> = (0..60).map(|rank| 0.9f64.powi(rank)).collect();
    let small_basis = Lanczos { basis_bytes: 8 * 4 * 80, ..Lanczos::default() };
    vec![
        lanczos("wide", wide.clone(), Lanczos::default()),
        lanczos("tall", tall.clone(), Lanczos::default()),
        lanczos("difference", first_difference(120), Lanczos::default()),
        lanczos("restarts", with_values(&mut source, 80, 90, &decaying), small_basis),
        lanczos("out-of-steps", tall, Lanczos { max_iter: 7, ..Lanczos::default() }),
        lanczos("seed", wide.clone(), Lanczos { seed: 5, stop: Stop::Value { rtol: 1e-4 }, ..Lanczos::default() }),
        lanczos("row", source.gaussian(1, 50), Lanczos::default()),
        case("warm", move || {
            let matrix = upload(&wide);
            let first = Lanczos::default().norm(&matrix)?;
            let control = Control::new().starting_from(&first);
            lines(&gpu().block_on(Lanczos::default().norm_async(&matrix, control))?)
        }),
        case("mixed", || lines(&Lanczos::default().norm(&mixed_batch(&mut Source::new(91)))?)),
        case("progress", || {
            let mut heard = Vec::new();
            let note = |progress: &Progress| {
                heard.push(format!("heard {:.6e} {} {}", progress.sigma, progress.iterations, progress.done));
                Ok(())
            };
            let control = Control::new().on_progress(note);
            let _ = gpu().block_on(Lanczos::default().norm_async(&mixed_batch(&mut Source::new(91)), control))?;
            Ok(heard)
        }),
    ]
}

pub(super) fn cases_of_bounds_and_copies() -> Vec<Case> {
    let mut source = Source::new(92);
    let copies = with_values(&mut source, 30, 40, &[3.0, 3.0, 3.0, 2.5, 1.0, 0.5]);
    let close = with_values(&mut source, 40, 30, &[2.0, 1.999, 1.0, 0.9, 0.5, 0.25, 0.1]);
    let gradient = Lanczos { stop: Stop::Gradient { tolerance: 1e-3 }, ..Lanczos::default() };
    let counted = Lanczos { multiplicity: true, ..Lanczos::default() };
    let bound = Lanczos { stop: Stop::Bound { rtol: 1e-3, delta: 1e-6 }, ..Lanczos::default() };
    let loose = Lanczos { delta: Some(0.01), chains: Some(2), ..Lanczos::default() };
    vec![
        lanczos("copies", copies.clone(), counted.clone()),
        lanczos("copies-restarted", copies.clone(), Lanczos { basis_bytes: 14 * 4 * 64, ..counted.clone() }),
        lanczos("gradient", close.clone(), gradient.clone()),
        lanczos("gradient-of-copies", copies, gradient),
        case("counted-batch", move || lines(&counted.norm(&mixed_batch(&mut Source::new(93)))?)),
        lanczos("bound", first_difference(90), bound.clone()),
        lanczos("bound-gaussian", source.gaussian(50, 70), bound.clone()),
        lanczos("delta", source.gaussian(70, 40), loose),
        case("bound-batch", move || lines(&bound.norm(&mixed_batch(&mut Source::new(94)))?)),
    ]
}

pub(super) fn cases_of_other_solvers() -> Vec<Case> {
    let mut source = Source::new(95);
    let matrix = with_values(&mut source, 50, 40, &[2.0, 1.5, 1.0, 0.3]);
    let gram = Power { form: PowerForm::Gram, ..Power::default() };
    let median = Power { start: Start::Median { seed: 3 }, ..Power::default() };
    let (first, second, third, fourth) = (matrix.clone(), matrix.clone(), matrix.clone(), matrix.clone());
    let slow = source.gaussian(200, 150);
    let top = Lanczos { max_iter: 70, ..Lanczos::default() };
    vec![
        case("power", move || lines(&Power::default().norm(&upload(&first))?)),
        case("power-gram", move || lines(&gram.norm(&upload(&second))?)),
        case("power-median", move || lines(&median.norm(&upload(&third))?)),
        case("power-batch", || lines(&Power::default().norm(&mixed_batch(&mut Source::new(96)))?)),
        case("power-out-of-steps", move || lines(&Power { max_iter: 40, ..Power::default() }.norm(&upload(&slow))?)),
        case("top-of-whole", move || Ok(lines_of_top(&Lanczos::default().top(&upload(&fourth), 5)?))),
        case("top", move || {
            let values: Vec<f64> =
                [2.0, 2.0, 1.5, 1.5, 1.5].into_iter().chain((1..40).map(|rank| 1.0 / f64::from(rank))).collect();
            let matrix = with_values(&mut Source::new(97), 160, 150, &values);
            Ok(lines_of_top(&top.top(&upload(&matrix), 4)?))
        }),
    ]
}

pub(super) fn cases_of_operators() -> Vec<Case> {
    let mut source = Source::new(98);
    let (left, right, other) = (source.gaussian(30, 20), source.gaussian(20, 40), source.gaussian(30, 40));
    vec![
        case("operators", move || {
            let (left, right, other) = (upload(&left), upload(&right), upload(&other));
            let product = Composition::new(&left, &right)?;
            let sum = Sum::new(&product, Scaled::new(&other, -0.5)?)?;
            let mut found = lines(&Lanczos::default().norm(&sum)?)?;
            found.extend(lines(&Lanczos { delta: Some(0.01), ..Lanczos::default() }.norm(&Transpose(&product))?)?);
            Ok(found)
        }),
        case("jacobian", || {
            let mut source = Source::new(99);
            let tape = Tape::new(gpu());
            let weight = tape.input(&[12, 9])?;
            let values = Tensor::from_slice(gpu(), &[12, 9], &source.gaussian(12, 9).entries)?;
            let samples = Tensor::from_slice(gpu(), &[6, 12], &source.gaussian(6, 12).entries)?;
            let mut found = Vec::new();
            for delta in [None, Some(0.01)] {
                let method = Method::Lanczos(Lanczos { delta, ..Lanczos::default() });
                let norm =
                    JacobianSpectralNorm { method, reduction: Reduction::Sum, ..JacobianSpectralNorm::default() };
                let norms = norm.norms(&tape, |x| x.matmul(&weight)?.tanh(), &samples, &[(&weight, &values)])?;
                found.extend(lines(norms.norms())?);
                let gradient = norms.gradient(&[&weight])?.remove(0).read(gpu())?;
                found.push(format!("gradient {:.6e} {:016x}", norms.reduced().unwrap_or(f64::NAN), hash(&gradient)));
            }
            Ok(found)
        }),
    ]
}
