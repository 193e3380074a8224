//! The ends of a solve: statuses, errors, scales, and vectors that are solved beside others.

use opnorm::bound::{Arithmetic, Bounds, Guarantee};
use opnorm::operator::{Claimed, Claims, Composition, Definiteness, Identity, LinearOperator, Scaled};
use opnorm::solve::{
    Auto, BiCgStab, Cgnr, ConjugateGradients, Gmres, Jacobi, LinearSolver, Lsmr, Minres, Neumann, SolveStatus, System,
};
use opnorm::{Error, Matrix, tensor::Tensor};

use super::families::FAMILIES;
use crate::gpu;
use crate::matrices::{Dense, Source};

fn solvers() -> Vec<Box<dyn LinearSolver>> {
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

fn matrix(dense: &Dense) -> Matrix {
    Matrix::from_slice(gpu(), dense.rows, dense.cols, &dense.entries).unwrap()
}

fn vector(entries: &[f32]) -> Tensor {
    Tensor::from_slice(gpu(), &[1, 1, entries.len()], entries).unwrap()
}

/// A definite matrix that every solver takes: eigenvalues in [1, 1.9].
fn easy(side: usize) -> Dense {
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
    let refused = |result: opnorm::Result<_>| matches!(result, Err(Error::InvalidOption { .. }));
    assert!(refused(Lsmr { relative: 0.0, ..Default::default() }.solve(&a, &b)));
    assert!(refused(Lsmr { relative: f64::NAN, ..Default::default() }.solve(&a, &b)));
    assert!(refused(Gmres { restart: 0, ..Default::default() }.solve(&identity, &b)));
}

#[test]
fn a_guess_saves_steps_and_a_preconditioner_too() {
    let mut source = Source::new(5);
    let side = 60;
    // A diagonal over four orders of magnitude, and a little of everything else.
    let rest = source.gaussian(side, side);
    let entry = |row: usize, col: usize| {
        let little = 0.002 * f64::from(rest.entries[row * side + col] + rest.entries[col * side + row]);
        let root = |index: usize| 10f64.powf(index as f64 / side as f64 * 2.0);
        (f64::from(u8::from(row == col)) + little) * root(row) * root(col)
    };
    let dense = Dense::from_fn(side, side, entry);
    let (a, b) = (matrix(&dense), vector(&source.gaussian(1, side).entries));
    let jacobi = Jacobi::new(&a).unwrap();
    for solver in solvers().into_iter().filter(|solver| !["Neumann", "CGNR"].contains(&solver.name())) {
        let plain = solver.solve(&a, &b).unwrap();
        let solutions = solver.solve_system(System::new(&a, &b).preconditioned(&jacobi)).unwrap();
        let what = format!("{}: {:?} and {:?}", solver.name(), plain[0], solutions[0]);
        assert_eq!(solutions[0].status, SolveStatus::Converged, "{what}");
        assert!(2 * solutions[0].iterations < plain[0].iterations, "{what}");
        let system = System::new(&a, &b).starting_from(&solutions.x);
        let again = solver.solve_system(system).unwrap();
        assert_eq!((again[0].status, again[0].iterations, again[0].products), (SolveStatus::Converged, 0, 1), "{what}");
        assert_eq!(again.x.read(gpu()).unwrap(), solutions.x.read(gpu()).unwrap());
    }
}

#[test]
fn refinement_reaches_what_f32_cannot() {
    let mut source = Source::new(6);
    let case = FAMILIES[1].draw(&mut source, 30);
    let (a, b) = (matrix(&case.matrix), vector(&case.right));
    let (exact, _) = case.exact();
    let solvers: [Box<dyn LinearSolver>; 4] = [
        Box::new(ConjugateGradients { relative: 1e-12, refine: true, ..Default::default() }),
        Box::new(Minres { relative: 1e-12, refine: true, ..Default::default() }),
        Box::new(Gmres { relative: 1e-12, refine: true, ..Default::default() }),
        Box::new(Lsmr { relative: 1e-12, refine: true, iterations: 4000, ..Default::default() }),
    ];
    for solver in solvers {
        let solutions = solver.solve(&a, &b).unwrap();
        assert_eq!(solutions[0].status, SolveStatus::Converged, "{}: {:?}", solver.name(), solutions[0]);
        let refined = &solutions.refined.as_ref().unwrap()[0];
        let distance = |x: f64, row: usize| (x - exact[(row, 0)]).powi(2);
        let error = (0..30).map(|row| distance(refined[row], row)).sum::<f64>().sqrt();
        // The condition is 1e4.
        assert!(
            error <= 1e4 * 1e-12 * case.right_f64().norm_l2() + 1e-11 * exact.norm_l2(),
            "{}: {error:e}",
            solver.name()
        );
    }
}

#[test]
fn errors_lie_within_their_bounds() {
    let mut source = Source::new(9);
    for round in 0..20 {
        let side = source.size(2, 30);
        let (g, ..) = source.with_spectrum(side, side, &vec![0.9; side]);
        let right = source.gaussian(1, side).entries;
        let guarantee = Guarantee::Certified { arithmetic: Arithmetic::Host };
        // The entries are rounded to f32, and the norm moves by at most 2^-24 times the Frobenius norm.
        let bounds = Bounds { lower: 0.0, upper: 0.9 + 1e-6 * (side as f64).sqrt(), guarantee };
        let g = Claimed::new(matrix(&g), Claims::default().with_norm(bounds));
        let operator = (Identity::like(&g).unwrap() + &g).unwrap();
        let solutions = Auto { relative: 1e-4, ..Default::default() }.solve(&operator, &vector(&right)).unwrap();
        assert_eq!(solutions.solver, "GMRES");
        let entries = g.read().unwrap();
        let entry = |row: usize, col: usize| f64::from(entries[row * side + col]) + f64::from(u8::from(row == col));
        let dense = faer::Mat::from_fn(side, side, entry);
        let svd = dense.svd().unwrap();
        let b = faer::Mat::from_fn(side, 1, |row, _| f64::from(right[row]));
        let inner = svd.U().transpose() * b;
        let exact = svd.V() * faer::Mat::from_fn(side, 1, |row, _| inner[(row, 0)] / svd.S()[row]);
        let x = solutions.x.read(gpu()).unwrap();
        let error = (0..side).map(|row| (f64::from(x[row]) - exact[(row, 0)]).powi(2)).sum::<f64>().sqrt();
        let bound = solutions[0].error;
        assert_eq!(bound.guarantee, guarantee);
        assert!(bound.upper >= error && bound.lower <= error * (1.0 + 1e-9), "round {round}: {error:e}, {bound}");
        assert!(bound.upper <= 20.0 * solutions[0].residual.max(1e-7), "{bound}");
    }
    let plain = Gmres::default().solve(&matrix(&easy(4)), &vector(&[1.0; 4])).unwrap();
    assert_eq!(plain[0].error, Bounds::NONE);
}

#[test]
fn auto_says_what_it_chose() {
    let a = matrix(&easy(4));
    let claimed = |claims: Claims| Claimed::new(&a, claims);
    let guarantee = Guarantee::Certified { arithmetic: Arithmetic::Host };
    let near = Bounds { lower: 0.0, upper: 0.9, guarantee };
    let half = (Scaled::new(Claimed::new(&a, Claims::default().with_norm(near)), 0.5)).unwrap();
    let contraction = (Identity::like(&half).unwrap() + &half).unwrap();
    let tall = matrix(&Dense::from_fn(4, 2, |row, col| (row + 2 * col) as f64 + f64::from(u8::from(row == col))));
    let product = Composition::new(&a, &a).unwrap();
    let cases: [(&dyn LinearOperator, &str); 6] = [
        (&claimed(Claims::default().with_definiteness(Definiteness::Definite)), "conjugate gradients"),
        (&claimed(Claims::default().with_symmetry()), "MINRES"),
        (&contraction, "Neumann"),
        (&a, "GMRES"),
        (&product, "GMRES"),
        (&tall, "LSMR"),
    ];
    for (operator, name) in cases {
        let solutions = Auto::default().solve(operator, &vector(&[1.0; 4])).unwrap();
        assert_eq!(solutions.solver, name);
        assert!(!solutions.reason.is_empty() && solutions[0].status == SolveStatus::Converged, "{name}");
    }
}
