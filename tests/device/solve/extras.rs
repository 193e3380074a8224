//! First guesses, preconditioners, refinement, bounds of the error, and the choice of a method.

use std::cell::Cell;

use opnorm::bound::{Arithmetic, Bounds, Guarantee};
use opnorm::device::Recorder;
use opnorm::operator::{Claimed, Claims, Composition, Definiteness, Identity, LinearOperator, Scaled};
use opnorm::solve::{Auto, ConjugateGradients, Gmres, Jacobi, LinearSolver, Lsmr, Minres, SolveStatus, System};
use opnorm::{Device, Matrix, Result, tensor::Tensor};

use super::ends::{easy, matrix, solvers, vector};
use super::families::FAMILIES;
use crate::gpu;
use crate::matrices::{Dense, Source};

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
    let near = Bounds { lower: 0.0, upper: 1.9, guarantee };
    let quarter = (Scaled::new(Claimed::new(&a, Claims::default().with_norm(near)), 0.25)).unwrap();
    let contraction = (Identity::like(&quarter).unwrap() + &quarter).unwrap();
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

/// A matrix that counts its products.
struct Counting {
    matrix: Matrix,
    products: Cell<usize>,
}

impl LinearOperator for Counting {
    fn device(&self) -> &Device {
        gpu()
    }

    fn batch(&self) -> usize {
        1
    }

    fn domain(&self) -> Vec<usize> {
        self.matrix.domain()
    }

    fn codomain(&self) -> Vec<usize> {
        self.matrix.codomain()
    }

    fn apply(&self, recorder: &mut Recorder, input: &Tensor, output: &Tensor) -> Result<()> {
        self.products.set(self.products.get() + 1);
        self.matrix.apply(recorder, input, output)
    }

    fn apply_adjoint(&self, recorder: &mut Recorder, input: &Tensor, output: &Tensor) -> Result<()> {
        self.matrix.apply_adjoint(recorder, input, output)
    }
}

#[test]
fn looking_ahead_wastes_few_products() {
    let mut source = Source::new(2);
    for scale in [0.2, 0.4, 0.6] {
        let side = 200;
        let (g, ..) = source.with_spectrum(side, side, &vec![scale; side]);
        let entry = |row: usize, col: usize| f64::from(u8::from(row == col)) + f64::from(g.entries[row * side + col]);
        let counting = Counting { matrix: matrix(&Dense::from_fn(side, side, entry)), products: Cell::new(0) };
        let right = vector(&source.gaussian(1, side).entries);
        let solutions = Gmres { restart: 60, ..Default::default() }.solve(&counting, &right).unwrap();
        let (taken, needed) = (counting.products.get(), solutions[0].products);
        assert_eq!(solutions[0].status, SolveStatus::Converged);
        assert!(taken <= needed + 2, "{taken} products, {needed} of them needed");
    }
}
