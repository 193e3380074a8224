//! Fixed points as values of a tape: derivatives beside differences, closed forms and unrolled steps; failures.

use opnorm::solve::fixed_point::{Anderson, Banach, FixedPointSolver, Status};
use opnorm::solve::{BiCgStab, Cgnr, Gmres, Implicit, LinearSolver, Lsmr, SolveStatus};
use opnorm::tape::{Tape, Value};
use opnorm::tensor::Tensor;
use opnorm::{Error, Result};

use super::{distance, draw, gpu, inverse, largest, shifted, times, transposed, widened};

const BATCH: usize = 3;
const SIZE: usize = 4;

/// tanh(z Wᵀ / 4 + x), whose Lipschitz constant in z is below 1.
fn function(parameters: &[Value], z: &Value) -> Result<Value> {
    let [x, weight] = parameters else { panic!("two parameters") };
    z.matmul_nt(weight)?.scale(0.25)?.add(x)?.tanh()
}

fn inputs(tape: &Tape) -> [Value; 2] {
    [&[BATCH, SIZE], &[SIZE, SIZE]].map(|shape| tape.input(shape).unwrap())
}

fn point() -> [Vec<f64>; 2] {
    [widened(&draw(21, BATCH * SIZE)), widened(&shifted(22, 1, SIZE, 0.5))]
}

fn tensors(at: &[Vec<f64>; 2]) -> [Tensor; 2] {
    let upload = |shape: &[usize], data: &[f64]| Tensor::upload(gpu(), shape, data).unwrap();
    [upload(&[BATCH, SIZE], &at[0]), upload(&[SIZE, SIZE], &at[1])]
}

fn zeros(tape: &Tape) -> Value {
    tape.fill(&[BATCH, SIZE], 0.0).unwrap()
}

/// The slopes of Σ z³, and those of the sum of squares of the weight's slopes.
fn slopes(tape: &Tape, z: &Value, [x, weight]: &[Value; 2]) -> [Vec<Value>; 2] {
    let first = tape.grad(&z.power(3.0).unwrap().sum(&[0, 1]).unwrap(), &[x, weight]).unwrap();
    let square = first[1].square().unwrap().sum(&[0, 1]).unwrap();
    let second = tape.grad(&square, &[x, weight]).unwrap();
    [first, second]
}

#[test]
fn derivatives_are_those_of_differences_to_second_order() {
    let tape = Tape::new(gpu());
    let given = inputs(&tape);
    let [x, weight] = &given;
    let z = Implicit::default().fixed_point(function, &[x, weight], &zeros(&tape)).unwrap();
    let at = point();
    let report = tape.check_gradients(&[&z], &[x, weight], &[&at[0], &at[1]]).unwrap();
    assert!(report.agrees(), "{report}");
    let [first, _] = slopes(&tape, &z, &given);
    let report = tape.check_gradients(&[&first[0], &first[1]], &[x, weight], &[&at[0], &at[1]]).unwrap();
    assert!(report.agrees(), "{report}");
}

#[test]
fn derivatives_are_those_of_unrolled_steps() {
    let tape = Tape::new(gpu());
    let given = inputs(&tape);
    let z = Implicit::default().fixed_point(function, &[&given[0], &given[1]], &zeros(&tape)).unwrap();
    let unrolled = (0..80).fold(zeros(&tape), |z, _| function(&given, &z).unwrap());
    let at = point();
    let all = |z: &Value| {
        let [first, second] = slopes(&tape, z, &given);
        tape.compile(&given, &[vec![z.clone()], first, second].concat()).unwrap()
    };
    let right = all(&unrolled).evaluate(&at).unwrap();
    let (host, device) = (all(&z).evaluate(&at).unwrap(), all(&z).run(&tensors(&at)).unwrap());
    assert_eq!(right.len(), 5);
    for ((right, host), device) in right.iter().zip(&host).zip(&device) {
        // Norms of W / 4 are below 0.75, so that 80 steps leave 1e-10.
        assert!(distance(host, right) <= 1e-8 * largest(right), "{:e}", distance(host, right) / largest(right));
        let error = distance(&widened(&device.read(gpu()).unwrap()), right) / largest(right);
        assert!(error <= 1e-4, "{error:e}");
    }
}

/// z = W z + x, one vector.
fn affine(parameters: &[Value], z: &Value) -> Result<Value> {
    let [x, weight] = parameters else { panic!("two parameters") };
    z.reshape(&[1, SIZE])?.matmul_nt(weight)?.reshape(&[SIZE])?.add(x)
}

/// I - W, for a W of norm below 1.
fn regular(weight: &[f64]) -> Vec<f64> {
    let minus = weight.iter().enumerate();
    minus.map(|(place, entry)| if place % (SIZE + 1) == 0 { 1.0 - entry } else { -entry }).collect()
}

#[test]
fn a_vector_of_an_affine_map_has_its_closed_form_by_every_solver() {
    let forward: [fn() -> Implicit; 5] = [
        || Implicit::new(Banach::default(), Gmres::default()),
        || Implicit::new(Anderson::default(), Gmres::default()),
        || Implicit::new(Anderson::default(), BiCgStab::default()),
        || Implicit::new(Anderson::default(), Lsmr::default()),
        || Implicit::new(Anderson::default(), Cgnr::default()),
    ];
    let weight: Vec<f64> = widened(&draw(23, SIZE * SIZE)).into_iter().map(|entry| 0.25 * entry).collect();
    let (x, cotangent) = (widened(&draw(24, SIZE)), widened(&draw(25, SIZE)));
    let solved = inverse(&regular(&weight), SIZE);
    let (right, back) = (times(&solved, &x), times(&transposed(&solved, SIZE), &cotangent));
    for implicit in forward {
        let (tape, implicit) = (Tape::new(gpu()), implicit());
        let (of_x, of_weight) = (tape.input(&[SIZE]).unwrap(), tape.input(&[SIZE, SIZE]).unwrap());
        let along = tape.input(&[SIZE]).unwrap();
        let start = tape.fill(&[SIZE], 0.0).unwrap();
        let z = implicit.fixed_point(affine, &[&of_x, &of_weight], &start).unwrap();
        let slopes = tape.vjp(&[&z], &[&of_x, &of_weight], &[&along]).unwrap();
        let program = tape.compile(&[&of_x, &of_weight, &along], &[&z, &slopes[0], &slopes[1]]).unwrap();
        let upload = |shape: &[usize], data: &[f64]| Tensor::upload(gpu(), shape, data).unwrap();
        let given = [upload(&[SIZE], &x), upload(&[SIZE, SIZE], &weight), upload(&[SIZE], &cotangent)];
        let read = || -> Vec<Vec<f32>> {
            program.run(&given).unwrap().iter().map(|found| found.read(gpu()).unwrap()).collect()
        };
        let found = read();
        // The residual of 1e-6, times the norm of the inverse, at most 3 here.
        assert!(distance(&widened(&found[0]), &right) <= 1e-5 * largest(&right));
        assert!(distance(&widened(&found[1]), &back) <= 1e-5 * largest(&back));
        let outer: Vec<f64> = back.iter().flat_map(|w| right.iter().map(move |z| w * z)).collect();
        assert!(distance(&widened(&found[2]), &outer) <= 1e-5 * largest(&outer));
        assert_eq!(read(), found, "another run has other bits");
        assert_eq!(implicit.last_forward()[0].status, Status::Converged);
        assert_eq!(implicit.last_backward()[0].status, SolveStatus::Converged);
        // Another x, with the program and the map as they are.
        let twice: Vec<f64> = x.iter().map(|x| 2.0 * x).collect();
        let moved = program.run(&[&upload(&[SIZE], &twice), &given[1], &given[2]]).unwrap()[0].read(gpu()).unwrap();
        let right: Vec<f64> = right.iter().map(|z| 2.0 * z).collect();
        assert!(distance(&widened(&moved), &right) <= 1e-5 * largest(&right));
    }
}

/// The error of a run with the outputs z, or its gradient.
fn failure(forward: impl FixedPointSolver + 'static, backward: impl LinearSolver + Send + Sync + 'static) -> Error {
    let tape = Tape::new(gpu());
    let given = inputs(&tape);
    let implicit = Implicit::new(forward, backward);
    let z = implicit.fixed_point(function, &[&given[0], &given[1]], &zeros(&tape)).unwrap();
    let [first, _] = slopes(&tape, &z, &given);
    let error = tape.compile(&given, &first).unwrap().run(&tensors(&point())).unwrap_err();
    let forward = implicit.last_forward().iter().any(|item| item.status != Status::Converged);
    let backward = implicit.last_backward().iter().any(|item| item.status != SolveStatus::Converged);
    assert!(forward != backward, "the statuses tell which solve failed");
    error
}

#[test]
fn a_solve_that_fails_is_an_error_with_its_item_and_residual() {
    let error = failure(Anderson { limit: 2, ..Anderson::default() }, Gmres::default());
    assert!(matches!(error, Error::NotConverged { operation: "implicit fixed point", item: 0, .. }), "{error}");
    assert!(error.to_string().contains("max_iterations after 2 evaluations by Anderson, residual"), "{error}");
    let error = failure(Anderson::default(), Gmres { iterations: 1, ..Gmres::default() });
    assert!(matches!(error, Error::NotConverged { item: 0, .. }), "{error}");
    let message = error.to_string();
    assert!(message.contains("derivative of a fixed point is max_iterations after 1 iterations of GMRES"), "{error}");
}

#[test]
fn an_item_without_a_fixed_point_is_named() {
    // z = θ z + 1: none for θ = 1, and steps that grow for θ = 2.
    for (factor, forward) in [(2.0, Banach { limit: 200, ..Banach::default() }), (1.0, Banach::default())] {
        let tape = Tape::new(gpu());
        let theta = tape.input(&[2, 1]).unwrap();
        let implicit = Implicit::new(forward, Gmres::default());
        let start = tape.fill(&[2, 1], 0.0).unwrap();
        let z = implicit.fixed_point(|theta, z| z.multiply(&theta[0])?.shift(1.0), &[&theta], &start).unwrap();
        let given = Tensor::from_slice(gpu(), &[2, 1], &[0.5, factor]).unwrap();
        let error = tape.compile(&[&theta], &[z]).unwrap().run(&[given]).unwrap_err();
        assert!(matches!(error, Error::NotConverged { item: 1, .. }), "{error}");
        assert_eq!(implicit.last_forward()[0].status, Status::Converged);
    }
}

#[test]
fn a_map_of_nan_and_a_wrong_shape_are_refused() {
    let tape = Tape::new(gpu());
    let x = tape.input(&[1, 2]).unwrap();
    let implicit = Implicit::default();
    let start = tape.fill(&[1, 2], 0.0).unwrap();
    let z = implicit.fixed_point(|x, z| z.scale(0.5)?.add(&x[0]), &[&x], &start).unwrap();
    let program = tape.compile(&[&x], &[z]).unwrap();
    let error = program.run(&[Tensor::from_slice(gpu(), &[1, 2], &[f32::NAN, 1.0]).unwrap()]).unwrap_err();
    assert!(error.to_string().contains("non_finite"), "{error}");
    let shorter = implicit.fixed_point(|_, z| z.sum(&[1]), &[], &start);
    assert!(matches!(shorter, Err(Error::ShapeMismatch { .. })));
    // Nothing to differentiate by: the start does not move the fixed point.
    let start = tape.input(&[1, 2]).unwrap();
    let z = implicit.fixed_point(|_, z| z.scale(0.5)?.shift(1.0), &[], &start).unwrap();
    let slope = tape.grad(&z.sum(&[0, 1]).unwrap(), &[&start]).unwrap();
    let found = tape.compile(&[&start], &[&z, &slope[0]]).unwrap();
    let found = found.run(&[Tensor::from_slice(gpu(), &[1, 2], &[3.0, -1.0]).unwrap()]).unwrap();
    assert!(found[0].read(gpu()).unwrap().iter().all(|z| (z - 2.0).abs() < 1e-5));
    assert_eq!(found[1].read(gpu()).unwrap(), [0.0, 0.0]);
}
