//! The solution of A(θ) x = b for a function of a tape that is linear in x, by implicit differentiation.

use std::fmt;
use std::sync::Arc;

use futures::future::LocalBoxFuture;
use futures::lock::Mutex;

use super::dense::{solved_by_columns, unit};
use super::solver::ImplicitSolver;
use crate::device::{Buffer, Device, HostStep, Recorder};
use crate::operator::{LinearOperator, Transpose};
use crate::tape::{Array, Linearization, Operation, Primal, Tape, Value};
use crate::tensor::{Tensor, volume};
use crate::{Error, Result};

/// The solution x of A(θ) x = b, where `function` records A(θ) x from θ and x; the matrix is never formed.
///
/// A run solves by `solver`, with products of the function and its transpose. Nothing of the iteration is recorded:
/// dx = A⁻¹ (db - dA x) is one more system, and the cotangent of b one with Aᵀ. So derivatives of any order are as
/// accurate as the solver. The function may be recorded several times, on this tape and on others.
///
/// *Shapes*  `b`, result: batch × domain; the function maps each sample of the first axis by itself, to its own shape
///
/// *Source*  Krantz and Parks, *The Implicit Function Theorem* (2002), section 3.2, for F(x, θ) = A(θ) x - b.
///
/// # Errors
/// [`Error::NotLinear`] for a function that is not linear in x, [`Error::ShapeMismatch`] where it changes the shape;
/// the function's own errors. A run ends with [`Error::NotConverged`] where the solver fails.
pub fn matrix_free(
    function: impl Fn(&[Value], &Value) -> Result<Value> + Send + Sync + 'static,
    parameters: &[&Value],
    b: &Value,
    solver: impl ImplicitSolver + 'static,
) -> Result<Value> {
    let problem = Problem { function: Box::new(function), solver: Box::new(solver), device: b.tape().device().clone() };
    let operation = MatrixFree { problem: Arc::new(problem), transposed: false };
    let inputs: Vec<&Value> = [b].into_iter().chain(parameters.iter().copied()).collect();
    let solution = b.tape().compute(Arc::new(operation.clone()), &inputs)?;
    // Refuses here, not in a run.
    let own: Vec<Value> = parameters.iter().map(|value| (*value).clone()).collect();
    MatrixFree { transposed: true, ..operation }.image(&own, &solution)?;
    Ok(solution)
}

/// A function that records A(θ) x.
type Function = Box<dyn Fn(&[Value], &Value) -> Result<Value> + Send + Sync>;

struct Problem {
    function: Function,
    solver: Box<dyn ImplicitSolver>,
    device: Device,
}

impl Problem {
    /// A(θ) x, of the shape of x.
    fn image(&self, parameters: &[Value], x: &Value) -> Result<Value> {
        let image = (self.function)(parameters, x)?;
        if image.shape() == x.shape() {
            return Ok(image);
        }
        Err(Error::ShapeMismatch {
            operation: MatrixFree::NAME,
            expected: format!("a function from {:?} to the same shape", x.shape()),
            found: format!("{:?}", image.shape()),
        })
    }

    /// The function on a tape of its own: inputs for θ, x, and the image.
    fn recorded(&self, shapes: &[&[usize]]) -> Result<(Tape, Vec<Value>, Value, Value)> {
        let tape = Tape::new(&self.device);
        let parameters: Vec<Value> = shapes[1..].iter().map(|shape| tape.input(shape)).collect::<Result<_>>()?;
        let x = tape.input(shapes[0])?;
        let image = self.image(&parameters, &x)?;
        Ok((tape, parameters, x, image))
    }
}

/// The solutions of A(θ) x = b, or of A(θ)ᵀ x = b.
///
/// *Shapes*  right-hand sides, result: batch × domain · parameters: any
#[derive(Clone)]
struct MatrixFree {
    problem: Arc<Problem>,
    transposed: bool,
}

impl fmt::Debug for MatrixFree {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { problem, transposed } = self;
        formatter.debug_struct("MatrixFree").field("solver", &problem.solver).field("transposed", transposed).finish()
    }
}

impl MatrixFree {
    const NAME: &str = "matrix-free solve";

    /// A(θ) x or A(θ)ᵀ x on the tape.
    fn image(&self, parameters: &[Value], x: &Value) -> Result<Value> {
        if !self.transposed {
            return self.problem.image(parameters, x);
        }
        let place = x.tape().input(x.shape())?;
        let image = self.problem.image(parameters, &place)?;
        let [back] = &x.tape().transpose(&[image], &[place], &[x])?[..] else { return x.reshape(x.shape()) };
        Ok(back.clone())
    }
}

impl Operation for MatrixFree {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>> {
        Ok(inputs[0].to_vec())
    }

    /// dx = A⁻¹ (db - dA x), with x held: the parameters move under names of their own, which x does not depend on.
    fn jvp(&self, primal: &Primal, tangents: &[Option<Value>]) -> Result<Option<Value>> {
        let (solved, tape) = (&primal.output, primal.output.tape());
        let names: Vec<Value> =
            primal.inputs[1..].iter().map(|value| value.reshape(value.shape())).collect::<Result<_>>()?;
        let (moving, along): (Vec<&Value>, Vec<&Value>) =
            names.iter().zip(&tangents[1..]).filter_map(|(name, tangent)| Some((name, tangent.as_ref()?))).unzip();
        let mut pushed = tangents[0].clone();
        if !moving.is_empty() {
            let turned = tape.jvp(&[self.image(&names, solved)?], &moving, &along)?.remove(0);
            pushed = Some(match pushed {
                Some(given) => given.subtract(&turned)?,
                None => turned.negate()?,
            });
        }
        let Some(pushed) = pushed else { return Ok(None) };
        let inputs: Vec<&Value> = [&pushed].into_iter().chain(&primal.inputs[1..]).collect();
        tape.compute(Arc::new(self.clone()), &inputs).map(Some)
    }

    fn transpose(&self, argument: usize, primal: &Primal, cotangent: &Value) -> Result<Value> {
        if argument != 0 {
            return Err(Error::NotLinear { operation: self.name() });
        }
        let flipped = Self { transposed: !self.transposed, ..self.clone() };
        let inputs: Vec<&Value> = [cotangent].into_iter().chain(&primal.inputs[1..]).collect();
        cotangent.tape().compute(Arc::new(flipped), &inputs)
    }

    fn keeps_samples(&self, batch: usize, inputs: &[&[usize]], varies: &[bool]) -> bool {
        inputs[0].first().is_some_and(|samples| samples.is_multiple_of(batch)) && !varies[1..].contains(&true)
    }

    fn record(&self, recorder: &mut Recorder, inputs: &[&Tensor], _: &Buffer<f32>, output: &Tensor) -> Result<()> {
        let inputs = inputs.iter().copied().cloned().collect();
        recorder.host(Arc::new(System {
            operation: self.clone(),
            inputs,
            output: output.clone(),
            made: Mutex::default(),
        }));
        Ok(())
    }

    /// Solves with the matrix of each sample, from the function of unit vectors.
    fn evaluate(&self, inputs: &[Array], shape: &[usize]) -> Vec<f64> {
        let columns = columns(&self.problem, inputs).unwrap_or_default();
        if columns.is_empty() {
            return vec![f64::NAN; volume(shape)];
        }
        solved_by_columns(&columns, self.transposed, inputs[0].data)
    }
}

/// The columns of the matrices of all samples, one after another: size × batch × size.
fn columns(problem: &Problem, inputs: &[Array]) -> Result<Vec<Vec<f64>>> {
    let shapes: Vec<&[usize]> = inputs.iter().map(|input| input.shape).collect();
    let (tape, parameters, x, image) = problem.recorded(&shapes)?;
    let given: Vec<&Value> = parameters.iter().chain([&x]).collect();
    let program = tape.compile(&given, &[image])?;
    let (elements, size) = (volume(shapes[0]), volume(&shapes[0][1..]));
    let column = |col: usize| {
        let unit = unit(elements, size, col);
        let given: Vec<&[f64]> = inputs[1..].iter().map(|input| input.data).chain([&unit[..]]).collect();
        Ok(program.evaluate(&given)?.concat())
    };
    (0..size).map(column).collect()
}

struct System {
    operation: MatrixFree,
    /// Right-hand sides, then parameters.
    inputs: Vec<Tensor>,
    output: Tensor,
    made: Mutex<Option<(Linearization, Tensor)>>,
}

impl System {
    /// The function's derivative at the parameters, which is the function itself; made once.
    async fn linearised(&self) -> Result<(Linearization, Tensor)> {
        let shapes: Vec<&[usize]> = self.inputs.iter().map(Tensor::shape).collect();
        let (tape, parameters, x, image) = self.operation.problem.recorded(&shapes)?;
        let zeros = Tensor::zeros(&self.operation.problem.device, shapes[0])?;
        let point: Vec<(&Value, &Tensor)> = parameters.iter().zip(&self.inputs[1..]).chain([(&x, &zeros)]).collect();
        Ok((tape.linearize_async(&image, &x, &point).await?, zeros))
    }
}

impl HostStep for System {
    fn name(&self) -> &'static str {
        MatrixFree::NAME
    }

    fn run(&self) -> LocalBoxFuture<'_, Result<()>> {
        Box::pin(async {
            if self.output.is_empty() {
                return Ok(());
            }
            let mut made = self.made.lock().await;
            let (operator, _) = match &mut *made {
                Some((operator, zeros)) => {
                    let point: Vec<&Tensor> = self.inputs[1..].iter().chain([&*zeros]).collect();
                    operator.move_to_async(&point).await?;
                    (&*operator, zeros)
                }
                none => {
                    let (operator, zeros) = none.insert(self.linearised().await?);
                    (&*operator, zeros)
                }
            };
            let (samples, domain) = self.output.shape().split_at(1);
            let right = self.inputs[0].reshaped(&[samples, &[1], domain].concat())?;
            let MatrixFree { problem, transposed } = &self.operation;
            let turned = Transpose(operator);
            let operator: &dyn LinearOperator = if *transposed { &turned } else { operator };
            let solved = problem.solver.solve(operator, &right).await?;
            if let Some((item, reason)) = solved.failures.into_iter().next() {
                return Err(Error::NotConverged { operation: self.name(), item, reason });
            }
            let mut recorder = problem.device.recorder();
            recorder.copy(solved.solutions.buffer(), self.output.buffer())?;
            recorder.submit_async().await
        })
    }
}
