//! Every operation at edge shapes. The JVP is tested against central differences, the VJP against the JVP, and the
//! VJP's derivative against central differences of the VJP; the device is tested against `f64`.

mod functions;
mod table;
mod vector_norms;
mod windows;

use opnorm::Result;
use opnorm::tape::{Fusion, Program, Tape, Value};
use opnorm::tensor::Tensor;

use super::{dot, draw, gpu, largest, narrowed, seeded};
use crate::expected::{self, Failure};

type Build = fn(&Tape, &[Value]) -> Result<Value>;

/// An operation of the tape: its construction, the shapes of its inputs, and its domain.
struct Row {
    name: &'static str,
    build: Build,
    /// The shapes of all inputs, for each trial of the operation.
    shapes: Vec<Vec<Vec<usize>>>,
    /// Maps any number to a number at which the operation is smooth.
    at: fn(f64) -> f64,
    /// The adapters with known failures of the row.
    failures: &'static [Failure],
}

impl Row {
    /// A function of each element, smooth everywhere.
    fn of(name: &'static str, build: Build) -> Self {
        Self { name, build, shapes: table::elementwise(), at: |x| x, failures: &[] }
    }

    fn run(&self) {
        expected::run(gpu(), "", self.failures, || {
            let mut random = seeded(1);
            for shapes in &self.shapes {
                let draw = |len| draw(&mut random, len);
                Case::new(self, shapes, draw).check();
            }
        });
    }
}

/// Room for the differences' own errors: third derivatives below a few hundred times 1e-10, roundings of 1e-16 / 1e-5.
const DIFFERENCE: f64 = 1e-7;

/// An operation with its derivatives at a set of shapes, and its test numbers.
///
/// The program takes x, tangents t and the cotangent c of y. Its outputs are y, the JVP along t, the VJPs of c, and the
/// derivatives of these VJPs along t.
struct Case {
    /// The operation and its shapes, for messages.
    name: String,
    /// The operation's inputs.
    arity: usize,
    inputs: Vec<Value>,
    program: Program,
    fused: Program,
    points: Vec<Vec<f64>>,
    tangents: Vec<Vec<f64>>,
    cotangent: Vec<f64>,
}

impl Case {
    fn new(row: &Row, shapes: &[Vec<usize>], mut draw: impl FnMut(usize) -> Vec<f64>) -> Self {
        let tape = Tape::new(gpu());
        let values = |tape: &Tape| shapes.iter().map(|shape| tape.input(shape).unwrap()).collect::<Vec<_>>();
        let (x, t) = (values(&tape), values(&tape));
        let y = (row.build)(&tape, &x).unwrap();
        let c = tape.input(y.shape()).unwrap();
        let along = tape.jvp(&[&y], &x, &t).unwrap();
        let back = tape.vjp(&[&y], &x, &[&c]).unwrap();
        let curved = tape.jvp(&back, &x, &t).unwrap();
        let outputs: Vec<&Value> = [&y].into_iter().chain(&along).chain(&back).chain(&curved).collect();

        let size = |value: &Value| value.shape().iter().product();
        let points = x.iter().map(|x| draw(size(x)).into_iter().map(row.at).collect()).collect();
        let tangents = t.iter().map(|t| draw(size(t))).collect();
        let cotangent = draw(size(&c));
        let (name, arity) = (format!("{}, {shapes:?}", row.name), x.len());
        let inputs: Vec<Value> = x.into_iter().chain(t).chain([c]).collect();
        let program = tape.compile(&inputs, &outputs).unwrap();
        let fused = tape.fusing(Fusion::Always).compile(&inputs, &outputs).unwrap();
        Self { name, arity, inputs, program, fused, points, tangents, cotangent }
    }

    /// The numbers of the program, at x + step · t.
    fn given(&self, step: f64) -> Vec<Vec<f64>> {
        let moved = |(x, t): (&Vec<f64>, &Vec<f64>)| x.iter().zip(t).map(|(x, t)| x + step * t).collect();
        let moved = self.points.iter().zip(&self.tangents).map(moved);
        moved.chain(self.tangents.iter().cloned()).chain([self.cotangent.clone()]).collect()
    }

    fn check(&self) {
        let [before, found, after] = [-1e-5, 0.0, 1e-5].map(|step| self.program.evaluate(&self.given(step)).unwrap());
        let differences = |of: usize, derivative: usize| {
            self.check_differences([&before[of], &after[of]], &found[derivative], largest(&found[of]));
        };
        differences(0, 1);
        (0..self.arity).for_each(|input| differences(2 + input, 2 + self.arity + input));
        self.check_adjoint(&found[1], &found[2..2 + self.arity]);
        self.check_device();
    }

    /// A derivative against the central differences of values of this size.
    fn check_differences(&self, [before, after]: [&[f64]; 2], derivative: &[f64], size: f64) {
        let scale = 1.0 + largest(derivative) + size;
        for ((before, after), found) in before.iter().zip(after).zip(derivative) {
            let difference = (after - before) / 2e-5;
            let error = (found - difference).abs() / scale;
            assert!(error < DIFFERENCE, "{}: {found} and {difference}", self.name);
        }
    }

    /// ⟨VJP of c, t⟩ is ⟨c, JVP of t⟩.
    fn check_adjoint(&self, along: &[f64], back: &[Vec<f64>]) {
        let left: f64 = back.iter().zip(&self.tangents).map(|(back, tangent)| dot(back, tangent)).sum();
        let right = dot(&self.cotangent, along);
        let terms: f64 = along.iter().zip(&self.cotangent).map(|(a, c)| (a * c).abs()).sum();
        assert!((left - right).abs() / (1.0 + terms) < 1e-12, "{}: {left} and {right}", self.name);
    }

    /// All outputs on the device against `f64`, and the fused program against the plain program to the bit.
    fn check_device(&self) {
        let given: Vec<Vec<f32>> = self.given(0.0).iter().map(|data| narrowed(data)).collect();
        let upload = |(value, data): (&Value, &Vec<f32>)| Tensor::from_slice(gpu(), value.shape(), data).unwrap();
        let tensors: Vec<Tensor> = self.inputs.iter().zip(&given).map(upload).collect();
        // The numbers of the device, also for the reference implementation.
        let rounded: Vec<Vec<f64>> =
            given.iter().map(|data| data.iter().map(|value| f64::from(*value)).collect()).collect();
        let twins = self.program.evaluate(&rounded).unwrap();
        let [separate, fused] = [&self.program, &self.fused].map(|program| program.run(&tensors).unwrap());
        for ((separate, fused), twin) in separate.iter().zip(&fused).zip(&twins) {
            // Arguments within 2.5, sums of at most 2000 terms, exponentials of 8 units, a few factors.
            let bound = 200.0 / f64::from(1 << 23) * (1.0 + largest(twin));
            let found = separate.read(gpu()).unwrap();
            assert_eq!(found.len(), twin.len(), "{}", self.name);
            let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&found), bits(&fused.read(gpu()).unwrap()), "{}, fused", self.name);
            for (found, twin) in found.into_iter().zip(twin) {
                assert!((f64::from(found) - twin).abs() < bound, "{}: {found} and {twin}", self.name);
            }
        }
    }
}
