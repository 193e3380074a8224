//! Solutions with matrices that are never formed.

use futures::future::LocalBoxFuture;
use opnorm::operator::LinearOperator;
use opnorm::solve::{ImplicitSolver, Solved, matrix_free};
use opnorm::tape::{Tape, Value};
use opnorm::tensor::Tensor;
use opnorm::{Error, Result};

use super::{distance, draw, gpu, largest, shifted, widened};

/// Conjugate gradients of AᵀA x = Aᵀb, with the vectors of one step at a time on the host.
#[derive(Debug)]
struct NormalEquations {
    iterations: usize,
}

async fn product(operator: &dyn LinearOperator, adjoint: bool, input: &[f64], shape: &[usize]) -> Result<Vec<f64>> {
    let narrow: Vec<f32> = input.iter().map(|value| *value as f32).collect();
    let input = Tensor::from_slice(operator.device(), shape, &narrow)?;
    let output = Tensor::zeros(operator.device(), shape)?;
    let mut recorder = operator.device().recorder();
    match adjoint {
        true => operator.apply_adjoint(&mut recorder, &input, &output)?,
        false => operator.apply(&mut recorder, &input, &output)?,
    }
    recorder.submit_async().await?;
    Ok(widened(&output.read_async(operator.device()).await?))
}

impl ImplicitSolver for NormalEquations {
    fn solve<'a>(&'a self, operator: &'a dyn LinearOperator, right: &'a Tensor) -> LocalBoxFuture<'a, Result<Solved>> {
        Box::pin(async move {
            let (shape, items) = (right.shape().to_vec(), right.shape()[0]);
            let sums = |left: &[f64], right: &[f64]| -> Vec<f64> {
                let size = left.len() / items;
                let parts = left.chunks_exact(size).zip(right.chunks_exact(size));
                parts.map(|(left, right)| left.iter().zip(right).map(|(left, right)| left * right).sum()).collect()
            };
            let mut residual = widened(&right.read_async(operator.device()).await?);
            let size = residual.len() / items;
            let mut solution = vec![0.0; residual.len()];
            let mut slope = product(operator, true, &residual, &shape).await?;
            let mut direction = slope.clone();
            let start = sums(&slope, &slope);
            let mut squares = start.clone();
            for _ in 0..self.iterations {
                let image = product(operator, false, &direction, &shape).await?;
                let curvature = sums(&image, &image);
                for place in 0..solution.len() {
                    let step = squares[place / size] / curvature[place / size].max(f64::MIN_POSITIVE);
                    solution[place] += step * direction[place];
                    residual[place] -= step * image[place];
                }
                slope = product(operator, true, &residual, &shape).await?;
                let before = std::mem::replace(&mut squares, sums(&slope, &slope));
                for place in 0..solution.len() {
                    let kept = squares[place / size] / before[place / size].max(f64::MIN_POSITIVE);
                    direction[place] = slope[place] + kept * direction[place];
                }
            }
            let failures = (0..items).filter(|item| squares[*item] > 1e-10 * start[*item]);
            let failures = failures.map(|item| (item, "not solved".to_string())).collect();
            let narrow: Vec<f32> = solution.iter().map(|value| *value as f32).collect();
            Ok(Solved { solutions: Tensor::from_slice(operator.device(), &shape, &narrow)?, failures })
        })
    }
}

const SIZE: usize = 4;

/// x + x Wᵀ / 4 + θ x, of samples x.
fn function(parameters: &[Value], x: &Value) -> Result<Value> {
    let [weight, scale] = parameters else { panic!("two parameters") };
    x.add(&x.matmul_nt(weight)?.scale(0.25)?)?.add(&x.multiply(scale)?)
}

fn inputs(tape: &Tape) -> [Value; 3] {
    [&[3, SIZE][..], &[SIZE, SIZE], &[1, SIZE]].map(|shape| tape.input(shape).unwrap())
}

fn point() -> [Vec<f64>; 3] {
    let positive: Vec<f64> = widened(&draw(3, SIZE)).into_iter().map(f64::abs).collect();
    [widened(&draw(1, 3 * SIZE)), widened(&shifted(2, 1, SIZE, 0.0)), positive]
}

#[test]
fn solutions_and_derivatives_are_those_of_the_matrix() {
    let tape = Tape::new(gpu());
    let [b, weight, scale] = inputs(&tape);
    let solver = NormalEquations { iterations: 12 };
    let x = matrix_free(function, &[&weight, &scale], &b, solver).unwrap();
    // The same system with the matrix: 1 + W / 4 + diag(θ), whose right-hand sides are the samples.
    let mut identity = vec![0.0; SIZE * SIZE];
    identity.iter_mut().step_by(SIZE + 1).for_each(|entry| *entry = 1.0);
    let identity = tape.constant(&Tensor::from_slice(gpu(), &[SIZE, SIZE], &identity).unwrap()).unwrap();
    let matrix = weight.scale(0.25).unwrap().add(&identity).unwrap();
    let matrix = matrix.add(&identity.multiply(&scale).unwrap()).unwrap();
    let explicit = matrix.solve(&b).unwrap();
    let all = |x: &Value| -> Vec<Value> {
        let function = x.power(3.0).unwrap().sum(&[0, 1]).unwrap();
        let slopes = tape.grad(&function, &[&b, &weight, &scale]).unwrap();
        let square = slopes[1].square().unwrap().sum(&[0, 1]).unwrap();
        let curvatures = tape.grad(&square, &[&b, &weight, &scale]).unwrap();
        [vec![x.clone()], slopes, curvatures].concat()
    };
    let at = point();
    let shapes: [&[usize]; 3] = [&[3, SIZE], &[SIZE, SIZE], &[1, SIZE]];
    let tensors: Vec<Tensor> =
        at.iter().zip(shapes).map(|(data, shape)| Tensor::upload(gpu(), shape, data).unwrap()).collect();
    let [free, formed] = [&x, &explicit].map(|x| tape.compile(&[&b, &weight, &scale], &all(x)).unwrap());
    let right = formed.evaluate(&at).unwrap();
    let (host, device) = (free.evaluate(&at).unwrap(), free.run(&tensors).unwrap());
    assert_eq!(right.len(), 7);
    for ((right, host), device) in right.iter().zip(&host).zip(&device) {
        assert!(distance(host, right) <= 1e-11 * largest(right));
        let error = distance(&widened(&device.read(gpu()).unwrap()), right) / largest(right);
        // The solver leaves 1e-5 of a gradient, and second derivatives take up to four solutions.
        assert!(error <= 1e-4, "{error:e}");
    }
    // A later run takes the parameters of that run.
    let other: Vec<f64> = at[2].iter().map(|value| value + 1.0).collect();
    let moved = Tensor::upload(gpu(), &[1, SIZE], &other).unwrap();
    let found = free.run(&[&tensors[0], &tensors[1], &moved]).unwrap()[0].read(gpu()).unwrap();
    let right = formed.evaluate(&[&at[0], &at[1], &other]).unwrap();
    assert!(distance(&widened(&found), &right[0]) <= 1e-4 * largest(&right[0]));
}

#[test]
fn derivatives_are_those_of_differences() {
    let tape = Tape::new(gpu());
    let [b, weight, scale] = inputs(&tape);
    let x = matrix_free(function, &[&weight, &scale], &b, NormalEquations { iterations: 12 }).unwrap();
    let at = point();
    let report = tape.check_gradients(&[&x], &[&b, &weight, &scale], &[&at[0], &at[1], &at[2]]).unwrap();
    assert!(report.agrees(), "{report}");
}

#[test]
fn a_failed_solve_and_a_wrong_function_are_errors() {
    let tape = Tape::new(gpu());
    let [b, weight, scale] = inputs(&tape);
    let x = matrix_free(function, &[&weight, &scale], &b, NormalEquations { iterations: 1 }).unwrap();
    let slopes = tape.grad(&x.sum(&[0, 1]).unwrap(), &[&b]).unwrap();
    let at = point();
    let shapes: [&[usize]; 3] = [&[3, SIZE], &[SIZE, SIZE], &[1, SIZE]];
    let tensors: Vec<Tensor> =
        at.iter().zip(shapes).map(|(data, shape)| Tensor::upload(gpu(), shape, data).unwrap()).collect();
    for outputs in [vec![x], slopes] {
        let error = tape.compile(&[&b, &weight, &scale], &outputs).unwrap().run(&tensors).unwrap_err();
        assert!(matches!(error, Error::NotConverged { .. }), "{error}");
    }
    let solver = || NormalEquations { iterations: 1 };
    let bent = matrix_free(|_, x| x.square(), &[], &b, solver());
    assert!(matches!(bent, Err(Error::NotLinear { .. })));
    let shorter = matrix_free(|_, x| x.sum(&[1]), &[], &b, solver());
    assert!(matches!(shorter, Err(Error::ShapeMismatch { .. })));
}
