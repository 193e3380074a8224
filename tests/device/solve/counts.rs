//! Steps and products against SciPy's solvers at the same tolerance (tests/data/make_solver_fixtures.py).

use opnorm::Matrix;
use opnorm::solve::{BiCgStab, Cgnr, ConjugateGradients, Gmres, LinearSolver, Lsmr, Minres, SolveStatus};
use opnorm::tensor::Tensor;
use serde_json::Value;

use crate::gpu;
use crate::matrices::{Dense, congruential};

fn tridiagonal(side: usize, diagonal: impl Fn(usize) -> f64, beside: f64) -> Dense {
    Dense::from_fn(side, side, |row, col| match row.abs_diff(col) {
        0 => diagonal(row),
        1 => beside,
        _ => 0.0,
    })
}

fn matrix(name: &str) -> Dense {
    match name {
        "laplace" => tridiagonal(200, |_| 2.05, -1.0),
        "signs" => tridiagonal(150, |index| if index % 2 == 0 { 3.0 } else { -2.5 }, 1.0),
        "shifted" => {
            let random = congruential(100, 100);
            Dense::from_fn(100, 100, |row, col| {
                2.0 * f64::from(u8::from(row == col)) + 0.2 * f64::from(random.entries[row * 100 + col])
            })
        }
        "advection" => Dense::from_fn(150, 150, |row, col| match (row, col) {
            (row, col) if row == col => 2.5,
            (row, col) if row == col + 1 => -1.5,
            (row, col) if row + 1 == col => -0.5,
            _ => 0.0,
        }),
        "tall" => congruential(120, 60),
        _ => congruential(40, 90),
    }
}

fn solver(method: &str) -> Box<dyn LinearSolver> {
    let relative = 1e-5;
    match method {
        "cg" => Box::new(ConjugateGradients { relative, ..Default::default() }),
        "minres" => Box::new(Minres { relative, ..Default::default() }),
        "gmres" => Box::new(Gmres { relative, restart: 200, ..Default::default() }),
        "gmres(10)" => Box::new(Gmres { relative, restart: 10, ..Default::default() }),
        "bicgstab" => Box::new(BiCgStab { relative, ..Default::default() }),
        "cgnr" => Box::new(Cgnr { relative, ..Default::default() }),
        _ => Box::new(Lsmr { relative, ..Default::default() }),
    }
}

#[test]
fn counts_are_those_of_scipy() {
    let file: Value = serde_json::from_str(include_str!("../../data/solvers.json")).unwrap();
    let counts = file["counts"].as_array().unwrap();
    assert_eq!(counts.len(), 11);
    for count in counts {
        let number = |key: &str| usize::try_from(count[key].as_u64().unwrap()).unwrap();
        let (steps, products) = (number("steps"), number("products"));
        let dense = matrix(count["system"].as_str().unwrap());
        let right = congruential(1, dense.rows).entries;
        let matrix = Matrix::from_slice(gpu(), dense.rows, dense.cols, &dense.entries).unwrap();
        let right = Tensor::from_slice(gpu(), &[1, 1, dense.rows], &right).unwrap();
        let solutions = solver(count["method"].as_str().unwrap()).solve(&matrix, &right).unwrap();
        let found = solutions.single().unwrap();
        let (system, method) = (&count["system"], &count["method"]);
        println!(
            "{system} {method}: {} steps for {steps}, {} products for {products}",
            found.iterations, found.products
        );
        assert_eq!(found.status, SolveStatus::Converged, "{count}: {found:?}");
        assert!(10 * found.iterations.abs_diff(steps) <= steps, "{count}: {found:?}");
        // The true residual at the end takes a product, and a second with Aᵀ for least squares.
        assert!(10 * found.products <= 11 * products + 20, "{count}: {found:?}");
    }
}
