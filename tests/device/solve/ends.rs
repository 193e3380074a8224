//! The ends of a solve: statuses, errors, scales, and vectors that are solved beside others.

use opnorm::operator::Identity;
use opnorm::solve::{
    BiCgStab, Cgnr, ConjugateGradients, Gmres, Jacobi, LinearSolver, Lsmr, Minres, Neumann, SolveStatus, System,
};
use opnorm::{Error, Matrix, tensor::Tensor};

use super::families::FAMILIES;
use crate::gpu;
use crate::matrices::{Dense, Source};

pub(super) fn solvers() -> Vec<Box<dyn LinearSolver>> {
    vec![
        Box::new(ConjugateGradients::default()),
        Box::new(Minres::default()),
        Box::new(Gmres::default()),
        Box::new(BiCgStab::default()),
        Box::new(Neumann::default()),
        Box::new(Lsmr::default()),
        Box::new(Cgnr::default()),
    ]
}

pub(super) fn matrix(dense: &Dense) -> Matrix {
    Matrix::from_slice(gpu(), dense.rows, dense.cols, &dense.entries).unwrap()
}

pub(super) fn vector(entries: &[f32]) -> Tensor {
    Tensor::from_slice(gpu(), &[1, 1, entries.len()], entries).unwrap()
}

/// A definite matrix that every solver takes: eigenvalues in [1, 1.9].
pub(super) fn easy(side: usize) -> Dense {
    Dense::from_fn(side, side, |row, col| match row.abs_diff(col) {
        0 => 1.45,
        1 => 0.2,
        _ => 0.0,
    })
}

#[test]
fn vectors_do_not_depend_on_others() {
    let mut source = Source::new(11);
    let family = |name: &str| FAMILIES.iter().find(|family| family.name == name).expect("a family");
    // Systems of very different difficulty, so that they end in different steps and rounds.
    let names = ["definite", "definite, ill conditioned", "identity", "indefinite", "I + G", "square"];
    let cases: Vec<_> = names.iter().map(|name| family(name).draw(&mut source, 24)).collect();
    let entries: Vec<f32> = cases.iter().flat_map(|case| case.matrix.entries.clone()).collect();
    let all = Matrix::from_batch(gpu(), cases.len(), 24, 24, &entries).unwrap();
    // Two right-hand sides for each.
    let rights: Vec<Vec<f32>> = cases
        .iter()
        .flat_map(|case| [case.right.clone(), case.right.iter().rev().map(|x| 1e3 * x).collect()])
        .collect();
    let right = Tensor::from_slice(gpu(), &[cases.len(), 2, 24], &rights.concat()).unwrap();
    let mut solvers = solvers();
    solvers.push(Box::new(Gmres { restart: 7, iterations: 40, ..Default::default() }));
    solvers.push(Box::new(Lsmr { iterations: 20, refine: true, relative: 1e-9, ..Default::default() }));
    for solver in solvers {
        let together = solver.solve(&all, &right).unwrap();
        let x = together.x.read(gpu()).unwrap();
        for (index, of_vector) in rights.iter().enumerate() {
            let alone = solver.solve(&matrix(&cases[index / 2].matrix), &vector(of_vector)).unwrap();
            let what = format!("{}, vector {index}", solver.name());
            let bits = |x: &[f32]| x.iter().map(|x| x.to_bits()).collect::<Vec<u32>>();
            assert_eq!(format!("{:?}", together[index]), format!("{:?}", alone[0]), "{what}");
            assert_eq!(bits(&x[index * 24..(index + 1) * 24]), bits(&alone.x.read(gpu()).unwrap()), "{what}");
        }
    }
}

#[test]
fn tolerances_do_not_depend_on_the_scale_of_b() {
    let a = matrix(&easy(20));
    let unit: Vec<f32> = (0..20).map(|index| (index as f32 * 0.7).sin()).collect();
    for solver in solvers() {
        let plain = solver.solve(&a, &vector(&unit)).unwrap();
        assert_eq!(plain[0].status, SolveStatus::Converged, "{}", solver.name());
        for power in [-100, -60, 60, 110] {
            let factor = 2f32.powi(power);
            let scaled = solver.solve(&a, &vector(&unit.iter().map(|x| x * factor).collect::<Vec<_>>())).unwrap();
            let back: Vec<f32> = scaled.x.read(gpu()).unwrap().iter().map(|x| x / factor).collect();
            assert_eq!((scaled[0].status, back), (SolveStatus::Converged, plain.x.read(gpu()).unwrap()));
            assert_eq!(scaled[0].relative, plain[0].relative, "{}", solver.name());
        }
    }
}

#[test]
fn operators_of_any_scale_are_solved() {
    let dense = easy(12);
    let ones = vector(&[1.0; 12]);
    for solver in solvers().into_iter().filter(|solver| solver.name() != "Neumann") {
        for power in [-120, -39, 39, 100] {
            let solutions = solver.solve(&matrix(&dense.scaled(2f32.powi(power))), &ones).unwrap();
            assert_eq!(solutions[0].status, SolveStatus::Converged, "{}, 2^{power}: {:?}", solver.name(), solutions[0]);
        }
    }
}

#[test]
fn zero_and_non_finite_right_sides_are_told() {
    let a = matrix(&easy(5));
    for solver in solvers() {
        let zero = solver.solve(&a, &vector(&[0.0; 5])).unwrap();
        assert_eq!((zero[0].status, zero[0].iterations), (SolveStatus::Converged, 0));
        assert_eq!(zero.x.read(gpu()).unwrap(), [0.0; 5]);
        for bad in [f32::NAN, f32::INFINITY] {
            let solutions = solver.solve(&a, &vector(&[1.0, bad, 0.0, 0.0, 0.0])).unwrap();
            assert_eq!(solutions[0].status, SolveStatus::NonFinite);
            assert!(solutions[0].residual.is_nan());
            let mut entries = easy(5).entries;
            entries[7] = bad;
            let broken = Matrix::from_slice(gpu(), 5, 5, &entries).unwrap();
            assert_eq!(solver.solve(&broken, &vector(&[1.0; 5])).unwrap()[0].status, SolveStatus::NonFinite);
        }
    }
}

#[test]
fn a_limit_of_steps_is_kept() {
    let mut source = Source::new(3);
    let case = FAMILIES[1].draw(&mut source, 30);
    let (a, b) = (matrix(&case.matrix), vector(&case.right));
    for iterations in [0, 1, 5] {
        let solvers: [Box<dyn LinearSolver>; 6] = [
            Box::new(ConjugateGradients { iterations, ..Default::default() }),
            Box::new(Minres { iterations, ..Default::default() }),
            Box::new(Gmres { iterations, ..Default::default() }),
            Box::new(BiCgStab { iterations, ..Default::default() }),
            Box::new(Lsmr { iterations, ..Default::default() }),
            Box::new(Cgnr { iterations, ..Default::default() }),
        ];
        for solver in solvers {
            let solutions = solver.solve(&a, &b).unwrap();
            let found = (solutions[0].status, solutions[0].iterations);
            assert_eq!(found, (SolveStatus::MaxIterations, iterations), "{}", solver.name());
        }
    }
}

#[test]
fn systems_without_a_solution_end() {
    // diag(1, 2, 3, 0) x = (1, 1, 1, 1)
    let singular = Dense::from_fn(4, 4, |row, col| if row == col { [1.0, 2.0, 3.0, 0.0][row] } else { 0.0 });
    let (a, b) = (matrix(&singular), vector(&[1.0; 4]));
    let statuses = [
        ("conjugate gradients", &[SolveStatus::Breakdown, SolveStatus::MaxIterations, SolveStatus::Stagnated][..]),
        ("MINRES", &[SolveStatus::Singular]),
        ("GMRES", &[SolveStatus::Singular]),
        ("BiCGSTAB", &[SolveStatus::Breakdown, SolveStatus::MaxIterations, SolveStatus::Stagnated]),
        ("Neumann", &[SolveStatus::Breakdown]),
        ("LSMR", &[SolveStatus::Converged]),
        ("CGNR", &[SolveStatus::Converged]),
    ];
    for (solver, (name, allowed)) in solvers().into_iter().zip(statuses) {
        let solutions = solver.solve(&a, &b).unwrap();
        assert_eq!(solver.name(), name);
        assert!(allowed.contains(&solutions[0].status), "{name}: {:?}", solutions[0]);
        if ["MINRES", "LSMR", "CGNR"].contains(&name) {
            assert!((solutions[0].residual - 1.0).abs() < 1e-5, "{name}: {:?}", solutions[0]);
        }
    }
    let zeros = matrix(&Dense::from_fn(4, 4, |_, _| 0.0));
    for solver in solvers() {
        let solutions = solver.solve(&zeros, &b).unwrap();
        assert_eq!(solutions[0].status, SolveStatus::Singular, "{}", solver.name());
        assert_eq!(solutions.x.read(gpu()).unwrap(), [0.0; 4]);
    }
}

#[test]
fn a_series_that_grows_ends() {
    let large = matrix(&easy(6).scaled(4.0));
    let solutions = Neumann::default().solve(&large, &vector(&[1.0; 6])).unwrap();
    assert_eq!(solutions[0].status, SolveStatus::Breakdown);
    assert!(solutions[0].relative <= 1.0, "x = 0 is better than a series that grew: {:?}", solutions[0]);
}

#[test]
fn shapes_and_options_are_checked() {
    let a = matrix(&Dense::from_fn(3, 2, |_, _| 1.0));
    let b = vector(&[1.0; 3]);
    let mismatch = |result: opnorm::Result<_>| matches!(result, Err(Error::ShapeMismatch { .. }));
    assert!(mismatch(Gmres::default().solve(&a, &b)) && mismatch(Minres::default().solve(&a, &b)));
    assert!(mismatch(Lsmr::default().solve(&a, &vector(&[1.0; 2]))));
    let guess = vector(&[0.0; 3]);
    assert!(mismatch(Lsmr::default().solve_system(System::new(&a, &b).starting_from(&guess))));
    let identity = Identity::new(gpu(), 1, &[3]);
    assert!(mismatch(Lsmr::default().solve_system(System::new(&a, &b).preconditioned(&identity))));
    assert!(Jacobi::new(&a).is_err());
    let none = Gmres::default().solve(&identity, &Tensor::zeros(gpu(), &[1, 0, 3]).unwrap()).unwrap();
    assert!(none.is_empty() && none.single().is_err());
    let refused = |result: opnorm::Result<_>| matches!(result, Err(Error::InvalidOption { .. }));
    assert!(refused(Lsmr { relative: 0.0, ..Default::default() }.solve(&a, &b)));
    assert!(refused(Lsmr { relative: f64::NAN, ..Default::default() }.solve(&a, &b)));
    assert!(refused(Gmres { restart: 0, ..Default::default() }.solve(&identity, &b)));
}
