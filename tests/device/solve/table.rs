//! The table of solvers and families: each solver on every family that it serves, against `f64`.

use faer::Mat;
use opnorm::bound::device_gamma;
use opnorm::operator::Claimed;
use opnorm::solve::{
    Auto, BiCgStab, Cgnr, ConjugateGradients, Gmres, LinearSolver, Lsmr, Minres, Neumann, Solutions, SolveStatus,
};
use opnorm::{Matrix, tensor::Tensor};

use super::families::{Case, FAMILIES, Family, Kind};
use crate::matrices::Source;
use crate::{gpu, is_full};

const RELATIVE: f64 = 1e-5;

/// A solver, and the kinds that it serves.
struct Row {
    solver: Box<dyn LinearSolver>,
    kinds: &'static [Kind],
}

fn row(solver: impl LinearSolver + 'static, kinds: &'static [Kind]) -> Row {
    Row { solver: Box::new(solver), kinds }
}

const ALL: &[Kind] =
    &[Kind::Definite, Kind::Semidefinite, Kind::Symmetric, Kind::Contraction, Kind::Square, Kind::LeastSquares];

const SQUARE: &[Kind] = &[Kind::Definite, Kind::Semidefinite, Kind::Symmetric, Kind::Contraction, Kind::Square];

#[rustfmt::skip]
fn rows() -> Vec<Row> {
    let (relative, iterations) = (RELATIVE, 3000);
    vec![
        row(ConjugateGradients { relative, iterations, ..Default::default() }, &[Kind::Definite, Kind::Semidefinite]),
        row(Minres { relative, iterations, ..Default::default() }, &[Kind::Definite, Kind::Semidefinite, Kind::Symmetric]),
        row(Gmres { relative, iterations, restart: 64, ..Default::default() }, SQUARE),
        row(BiCgStab { relative, iterations, ..Default::default() }, &[Kind::Definite, Kind::Contraction, Kind::Square]),
        row(Neumann { relative, iterations, ..Default::default() }, &[Kind::Contraction]),
        row(Lsmr { relative, iterations, ..Default::default() }, ALL),
        row(Cgnr { relative, iterations, ..Default::default() }, ALL),
        row(Auto { relative, iterations, ..Default::default() }, ALL),
    ]
}

/// Several systems of one family, of one size, solved as a batch.
fn solve(solver: &dyn LinearSolver, family: &Family, cases: &[Case]) -> Solutions {
    let (rows, cols) = (cases[0].matrix.rows, cases[0].matrix.cols);
    let entries: Vec<f32> = cases.iter().flat_map(|case| case.matrix.entries.clone()).collect();
    let matrix = Matrix::from_batch(gpu(), cases.len(), rows, cols, &entries).unwrap();
    let right: Vec<f32> = cases.iter().flat_map(|case| case.right.clone()).collect();
    let right = Tensor::from_slice(gpu(), &[cases.len(), 1, rows], &right).unwrap();
    solver.solve(&Claimed::new(matrix, family.claims()), &right).unwrap()
}

/// Holds one solution against the exact one.
fn check(what: &str, case: &Case, solutions: &Solutions, index: usize) {
    let (solution, dense) = (&solutions[index], case.matrix.faer());
    let (rows, cols) = (dense.nrows(), dense.ncols());
    let all = solutions.x.read(gpu()).unwrap();
    let x = Mat::from_fn(cols, 1, |row, _| f64::from(all[index * cols + row]));
    let (exact, sigmas) = case.exact();
    let (norm, least) = (sigmas[0], sigmas[sigmas.len() - 1]);
    let right = case.right_f64();
    let residual = &right - &dense * &x;
    // The device's residual: a product of `cols` terms and a difference, of f32.
    let rounding = device_gamma(cols + 4) * (dense.norm_l2() * x.norm_l2() + right.norm_l2());
    let found = format!("{what}: {solution:?}");
    assert!((solution.residual - residual.norm_l2()).abs() <= rounding, "{found}, true {:e}", residual.norm_l2());
    let normal = (dense.transpose() * &residual).norm_l2();
    // A vector whose goal lies within a few roundings of the residual may stagnate.
    let within = RELATIVE * right.norm_l2() <= 4.0 * rounding
        || normal <= 4.0 * device_gamma(rows + cols) * norm * right.norm_l2();
    let is_done = solution.status == SolveStatus::Converged || (solution.status == SolveStatus::Stagnated && within);
    assert!(is_done, "{found}");
    let is_small = residual.norm_l2() <= RELATIVE * right.norm_l2() + 4.0 * rounding;
    // Least squares: |Aᵀ r| <= relative ‖A‖ |r|, with the estimate of ‖A‖ at most the Frobenius norm times steps.
    let estimate = dense.norm_l2() * (1.0 + solution.iterations as f64).sqrt();
    let is_least = normal <= RELATIVE * estimate * residual.norm_l2() + norm * rounding;
    assert!(is_small || is_least, "{found}, |r| {:e}, |Aᵀ r| {normal:e}", residual.norm_l2());
    // The part of the error in the row space is A⁺ r, and the part in the kernel is rounding of products with Aᵀ.
    let kernel = device_gamma((solution.iterations + 1) * (rows + cols)) * (norm / least) * x.norm_l2();
    let row_space = if is_least { normal / least.powi(2) } else { residual.norm_l2() / least };
    let error = (&x - &exact).norm_l2();
    assert!(error <= 1.001 * row_space + kernel, "{found}: error {error:e}, allowed {row_space:e} and {kernel:e}");
}

fn check_row(name: &str) {
    let row = rows().into_iter().find(|row| row.solver.name() == name).expect("a row");
    let (rounds, batch) = if is_full() { (30, 10) } else { (2, 10) };
    let serves = |family: &&Family| match name {
        // The choice for a square operator that claims nothing is not a method of least squares.
        "auto" if family.name.starts_with("rank-deficient") => false,
        // The condition 1e4 counts squared, and 1e8 is more than f32 resolves.
        "CGNR" if family.name == "definite, ill conditioned" => false,
        _ => row.kinds.contains(&family.kind),
    };
    for family in FAMILIES.iter().filter(serves) {
        let mut source = Source::new(7);
        for round in 0..rounds {
            let side = source.size(2, 40);
            let cases: Vec<Case> = (0..batch).map(|_| family.draw(&mut source, side)).collect();
            let solutions = solve(&*row.solver, family, &cases);
            for (index, case) in cases.iter().enumerate() {
                check(
                    &format!("{name}, {}, round {round}, item {index}, side {side}", family.name),
                    case,
                    &solutions,
                    index,
                );
            }
        }
    }
}

macro_rules! tests {
    ($($test:ident: $name:literal,)*) => {
        $(
            #[test]
            fn $test() {
                check_row($name);
            }
        )*

        #[test]
        fn every_row_has_a_test() {
            let names: Vec<&str> = rows().iter().map(|row| row.solver.name()).collect();
            assert_eq!(names, [$($name),*]);
        }
    };
}

tests! {
    conjugate_gradients: "conjugate gradients",
    minres: "MINRES",
    gmres: "GMRES",
    bicgstab: "BiCGSTAB",
    neumann: "Neumann",
    lsmr: "LSMR",
    cgnr: "CGNR",
    auto: "auto",
}
