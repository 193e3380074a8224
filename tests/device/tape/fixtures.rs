//! Results of PyTorch in `f64`: operations, derivatives of derivatives, and norms of Jacobians with their gradients.
//!
//! `tests/data/make_torch_fixtures.py` wrote the numbers, and says how.

use std::collections::BTreeSet;

use opnorm::Result;
use opnorm::norm::{JacobianSpectralNorm, Lanczos, Method, Reduction, Status, Stop};
use opnorm::tape::{BatchNorm, Tape, Value};
use opnorm::tensor::{Conv2dOptions, Pool2dOptions, Tensor};
use serde_json::Value as Json;

use super::{gpu, largest, narrowed};

/// The stored file, or a part of it.
struct Fixtures(Json);

/// A stored tensor.
struct Array {
    shape: Vec<usize>,
    data: Vec<f64>,
}

impl Fixtures {
    /// A part of the file: `operations`, `compositions`, `jacobian`, `spectral` or `layers`.
    fn section(name: &str) -> Self {
        let file: Json = serde_json::from_str(include_str!("../../data/torch.json")).unwrap();
        Self(file).part(name)
    }

    fn part(&self, name: &str) -> Self {
        Self(self.0.get(name).unwrap_or_else(|| panic!("{name} is not stored")).clone())
    }

    fn rows(&self) -> Vec<Self> {
        self.0.as_array().unwrap().iter().cloned().map(Self).collect()
    }

    fn text(&self, name: &str) -> String {
        self.part(name).0.as_str().unwrap().to_owned()
    }

    fn array(&self, name: &str) -> Array {
        self.part(name).into_array()
    }

    fn arrays(&self, name: &str) -> Vec<Array> {
        self.part(name).rows().into_iter().map(Self::into_array).collect()
    }

    fn into_array(self) -> Array {
        let list = |name| self.part(name).rows().into_iter();
        let shape: Vec<usize> = list("shape").map(|size| size.0.as_u64().unwrap() as usize).collect();
        let data: Vec<f64> = list("data").map(|number| number.0.as_f64().unwrap()).collect();
        assert_eq!(shape.iter().product::<usize>(), data.len());
        Array { shape, data }
    }
}

impl Array {
    fn tensor(&self) -> Tensor {
        Tensor::from_slice(gpu(), &self.shape, &narrowed(&self.data)).unwrap()
    }
}

/// Values of a graph with what they should be, at a point.
struct Comparison {
    tape: Tape,
    inputs: Vec<Value>,
    points: Vec<Array>,
    outputs: Vec<(String, Value, Array)>,
}

/// The count of numbers compared, and the largest errors on both sides with the places where they are.
#[derive(Default)]
struct Compared {
    numbers: usize,
    host: (f64, String),
    device: (f64, String),
}

impl Comparison {
    fn new() -> Self {
        Self { tape: Tape::new(gpu()), inputs: Vec::new(), points: Vec::new(), outputs: Vec::new() }
    }

    /// An input of the graph, at numbers that `f32` holds.
    fn input(&mut self, point: Array) -> Value {
        assert!(point.data.iter().all(|number| f64::from(*number as f32) == *number));
        let input = self.tape.input(&point.shape).unwrap();
        self.inputs.push(input.clone());
        self.points.push(point);
        input
    }

    fn inputs(&mut self, points: Vec<Array>) -> Vec<Value> {
        points.into_iter().map(|point| self.input(point)).collect()
    }

    fn expect(&mut self, name: &str, found: Value, expected: Array) {
        assert_eq!(found.shape(), expected.shape, "{name}");
        self.outputs.push((name.to_owned(), found, expected));
    }

    fn expect_all(&mut self, name: &str, found: Vec<Value>, expected: Vec<Array>) {
        assert_eq!(found.len(), expected.len(), "{name}");
        for (index, (found, expected)) in found.into_iter().zip(expected).enumerate() {
            self.expect(&format!("{name} {index}"), found, expected);
        }
    }

    /// Runs the graph on the host and on the device; errors are relative to the largest of all that is expected, and 1.
    fn run(&self) -> Compared {
        let outputs: Vec<&Value> = self.outputs.iter().map(|(_, found, _)| found).collect();
        let program = self.tape.compile(&self.inputs, &outputs).unwrap();
        let points: Vec<&[f64]> = self.points.iter().map(|point| point.data.as_slice()).collect();
        let tensors: Vec<Tensor> = self.points.iter().map(Array::tensor).collect();
        let (host, device) = (program.evaluate(&points).unwrap(), program.run(&tensors).unwrap());
        let scale = 1.0 + self.outputs.iter().map(|(.., expected)| largest(&expected.data)).fold(0.0, f64::max);
        let mut compared = Compared::default();
        for ((name, _, expected), (host, device)) in self.outputs.iter().zip(host.iter().zip(&device)) {
            let device: Vec<f64> = device.read(gpu()).unwrap().into_iter().map(f64::from).collect();
            assert_eq!((host.len(), device.len()), (expected.data.len(), expected.data.len()));
            for (index, expected) in expected.data.iter().enumerate() {
                for (found, worst) in [(host[index], &mut compared.host), (device[index], &mut compared.device)] {
                    let error = (found - expected).abs() / scale;
                    let error = if error.is_nan() { f64::INFINITY } else { error };
                    if error >= worst.0 {
                        *worst = (error, format!("{name}, {index}: {found} and {expected}"));
                    }
                }
                compared.numbers += 1;
            }
        }
        compared
    }
}

/// Two libraries in `f64`, at arguments within 2.5: sums of at most 24 terms, tens of operations in a chain, each of a
/// few units of 2^-53 and with slopes of a few. 1e-13 is 900 units.
const HOST: f64 = 1e-13;

/// As the rules' own test has it: exponentials of 8 units, sums and a few factors. The points are exact in `f32`.
const DEVICE: f64 = 200.0 / (1 << 23) as f64;

/// All rows within the bounds; how many numbers that were.
fn within_bounds(rows: impl IntoIterator<Item = (String, Comparison)>) -> usize {
    let (mut numbers, mut host, mut device) = (0, 0f64, 0f64);
    for (row, comparison) in rows {
        let compared = comparison.run();
        assert!(compared.host.0 <= HOST, "{row}, on the host: {}", compared.host.1);
        assert!(compared.device.0 <= DEVICE, "{row}, on the device: {}", compared.device.1);
        (host, device) = (host.max(compared.host.0), device.max(compared.device.0));
        numbers += compared.numbers;
    }
    println!("{numbers} numbers: host {host:.1e}, device {device:.1e} of what is largest");
    numbers
}

/// The name and the arguments of each step of a program for a stack: `x0 x1 add sum(0,1)`.
fn steps(program: &str) -> Vec<(&str, Vec<f64>)> {
    let step = |token| match str::split_once(token, '(') {
        None => (token, Vec::new()),
        Some((name, rest)) => {
            let arguments = rest.strip_suffix(')').unwrap().split(',');
            (name, arguments.map(|argument| argument.parse().unwrap()).collect())
        }
    };
    program.split(' ').map(step).collect()
}

/// A value of the graph, from the inputs of a program.
fn build(tape: &Tape, program: &str, inputs: &[Value]) -> Result<Value> {
    let mut stack: Vec<Value> = Vec::new();
    for (name, arguments) in steps(program) {
        if let Some(input) = name.strip_prefix('x') {
            stack.push(inputs[input.parse::<usize>().unwrap()].clone());
            continue;
        }
        let at = |index: usize| arguments[index] as usize;
        let all: Vec<usize> = (0..arguments.len()).map(at).collect();
        let right = stack.pop().unwrap();
        let value = match name {
            "negate" => right.negate(),
            "square" => right.square(),
            "exp" => right.exp(),
            "log" => right.log(),
            "sqrt" => right.sqrt(),
            "sin" => right.sin(),
            "cos" => right.cos(),
            "tanh" => right.tanh(),
            "sigmoid" => right.sigmoid(),
            "softplus" => right.softplus(),
            "relu" => right.relu(),
            "selu" => right.selu(),
            "gelu" => right.gelu(),
            "gelu_tanh" => right.gelu_tanh(),
            "silu" => right.silu(),
            "abs" => right.abs(),
            "sign" => right.sign(),
            "normal_cdf" => right.normal_cdf(),
            "leaky_relu" => right.leaky_relu(arguments[0]),
            "elu" => right.elu(arguments[0]),
            "power" => right.power(arguments[0]),
            "scale" => right.scale(arguments[0]),
            "shift" => right.shift(arguments[0]),
            "sum" => right.sum(&all),
            "mean" => right.mean(&all),
            "max" => right.max(at(0)),
            "min" => right.min(at(0)),
            "softmax" => right.softmax(at(0)),
            "log_softmax" => right.log_softmax(at(0)),
            "layer_norm" => right.layer_norm(at(0), arguments[1]),
            "reshape" => right.reshape(&all),
            "broadcast_to" => right.broadcast_to(&all),
            "permute" => right.permute(&all),
            "slice" => right.slice(at(0), at(1)..at(2)),
            "pad" => right.pad(at(0), at(1), at(2)),
            _ => {
                let left = stack.pop().unwrap();
                match name {
                    "add" => left.add(&right),
                    "subtract" => left.subtract(&right),
                    "multiply" => left.multiply(&right),
                    "divide" => left.divide(&right),
                    "maximum" => left.maximum(&right),
                    "minimum" => left.minimum(&right),
                    "concatenate" => tape.concatenate(&[left, right], at(0)),
                    "matmul" => match (at(0), at(1)) {
                        (0, 0) => left.matmul(&right),
                        (0, _) => left.matmul_nt(&right),
                        (_, 0) => left.matmul_tn(&right),
                        _ => left.matmul_tt(&right),
                    },
                    _ => panic!("{name} is not known"),
                }
            }
        };
        stack.push(value?);
    }
    assert_eq!(stack.len(), 1, "{program}");
    Ok(stack.remove(0))
}

/// The stored results of a function at a point: its value, its VJP and its JVP.
fn derivatives(row: &Fixtures, function: impl FnOnce(&Tape, &[Value]) -> Result<Value>) -> Comparison {
    let mut comparison = Comparison::new();
    let x = comparison.inputs(row.arrays("inputs"));
    let t = comparison.inputs(row.arrays("tangents"));
    let c = comparison.input(row.array("cotangent"));
    let tape = comparison.tape.clone();
    let y = function(&tape, &x).unwrap();
    comparison.expect_all("vjp", tape.vjp(&[&y], &x, &[&c]).unwrap(), row.arrays("vjp"));
    comparison.expect_all("jvp", tape.jvp(&[&y], &x, &t).unwrap(), vec![row.array("jvp")]);
    comparison.expect("value", y, row.array("value"));
    comparison
}

/// The operations that PyTorch has, and these programs name.
const OPERATIONS: usize = 43;

fn names<'a>(programs: impl IntoIterator<Item = &'a String>) -> BTreeSet<&'a str> {
    let steps = programs.into_iter().flat_map(|program| steps(program));
    steps.map(|(name, _)| name).filter(|name| !name.starts_with('x')).collect()
}

#[test]
fn operations_are_those_of_pytorch() {
    let rows = Fixtures::section("operations").rows();
    let programs: Vec<String> = rows.iter().map(|row| row.text("program")).collect();
    assert_eq!(names(&programs).len(), OPERATIONS);
    let comparisons = rows
        .iter()
        .zip(&programs)
        .map(|(row, program)| (program.clone(), derivatives(row, |tape, x| build(tape, program, x))));
    let numbers = within_bounds(comparisons);
    // A value, a jvp, and a vjp for each input.
    let size = |array: Array| array.data.len();
    let stored =
        |row: &Fixtures| 2 * size(row.array("value")) + row.arrays("inputs").into_iter().map(size).sum::<usize>();
    assert_eq!((rows.len(), numbers), (65, rows.iter().map(stored).sum()));
}

/// Each order of modes goes through other rules, to the same numbers.
#[test]
fn derivatives_of_derivatives_are_those_of_pytorch() {
    let rows = Fixtures::section("compositions").rows();
    let programs: Vec<String> = rows.iter().map(|row| row.text("program")).collect();
    assert_eq!(names(&programs).len(), OPERATIONS - 1, "all but sign");
    let comparisons = rows.iter().zip(&programs).map(|(row, program)| {
        let mut comparison = Comparison::new();
        let x = comparison.inputs(row.arrays("inputs"));
        let t = comparison.inputs(row.arrays("tangents"));
        let s = comparison.inputs(row.arrays("other_tangents"));
        let weights = comparison.input(row.array("weights"));
        let tape = comparison.tape.clone();
        let grad = |value: &Value| tape.grad(value, &x).unwrap();
        let jvp = |values: &[Value], along: &[Value]| tape.jvp(values, &x, along).unwrap();
        let inner = |values: &[Value], others: &[Value]| {
            let products = values.iter().zip(others).map(|(value, other)| value.multiply(other)?.sum(&[0, 1]));
            products.reduce(|left, right| left?.add(&right?)).unwrap().unwrap()
        };

        let y = build(&tape, program, &x).unwrap();
        let total = inner(std::slice::from_ref(&y), std::slice::from_ref(&weights));
        let (gradient, along) = (grad(&total), jvp(std::slice::from_ref(&total), &t));
        let reverse_reverse = grad(&inner(&gradient, &t));
        let forward_reverse = jvp(&gradient, &t);
        let reverse_forward = grad(&along[0]);
        let thirds = [
            ("reverse, three times", grad(&inner(&reverse_reverse, &s))),
            ("forward over forward over reverse", jvp(&forward_reverse, &s)),
            ("reverse over forward over forward", grad(&jvp(&along, &s)[0])),
            ("forward over reverse over forward", jvp(&reverse_forward, &s)),
        ];
        comparison.expect("value", y, row.array("value"));
        comparison.expect_all("gradient", gradient, row.arrays("gradient"));
        comparison.expect_all("jvp", along, vec![row.array("jvp")]);
        comparison.expect_all("reverse over reverse", reverse_reverse, row.arrays("hessian_product"));
        comparison.expect_all("forward over reverse", forward_reverse, row.arrays("hessian_product"));
        comparison.expect_all("reverse over forward", reverse_forward, row.arrays("hessian_product"));
        thirds.into_iter().for_each(|(name, third)| comparison.expect_all(name, third, row.arrays("third")));
        (program.clone(), comparison)
    });
    let numbers = within_bounds(comparisons);
    // A value, a jvp, and for each input a gradient, three products and four third derivatives.
    let stored = |row: &Fixtures| 12 + 1 + 12 * 8 * row.arrays("inputs").len();
    assert_eq!((rows.len(), numbers), (20, rows.iter().map(stored).sum()));
}

#[test]
fn a_wrong_number_is_noticed() {
    let rows = Fixtures::section("operations").rows();
    let row = rows.iter().find(|row| row.text("program") == "x0 tanh").unwrap();
    let mut comparison = derivatives(row, |_, x| x[0].tanh());
    let right = comparison.run();
    assert!(right.host.0 <= HOST && right.device.0 <= DEVICE);
    comparison.outputs[0].2.data[5] += 1e-3;
    let wrong = comparison.run();
    assert!(wrong.host.0 > HOST && wrong.device.0 > DEVICE && wrong.host.1.starts_with("vjp 0, 5"));
    comparison.outputs[0].2.data[5] = f64::NAN;
    let none = comparison.run();
    assert!(none.host.0.is_infinite() && none.device.0.is_infinite());
}

/// The output of a stored layer, by the operation of its name with the options stored.
fn layer(row: &Fixtures, x: &[Value]) -> Result<Value> {
    let options = row.part("options");
    let number = |name: &str| options.part(name).0.as_u64().unwrap() as usize;
    let pooling = || {
        let [size, stride, padding] = ["kernel", "stride", "padding"].map(|name| [number(name); 2]);
        Pool2dOptions { stride, padding, ..Pool2dOptions::new(size) }
    };
    let indices = || options.array("index").data.into_iter().map(|index| index as usize).collect::<Vec<_>>();
    match row.text("name").as_str() {
        "conv2d" => {
            let [stride, padding, dilation] = ["stride", "padding", "dilation"].map(|name| [number(name); 2]);
            let convolution = Conv2dOptions { stride, padding, dilation, groups: number("groups") };
            let bias = x[2].reshape(&[x[2].shape()[0], 1, 1])?;
            x[0].conv2d(&x[1], &convolution)?.add(&bias)
        }
        "max_pool2d" => x[0].max_pool2d(&pooling()),
        "avg_pool2d" => x[0].average_pool2d(&pooling(), options.part("count_include_pad").0.as_bool().unwrap()),
        "batch_norm" => {
            let epsilon = options.part("epsilon").0.as_f64().unwrap();
            x[0].batch_norm(&BatchNorm { mean: &x[3], variance: &x[4], weight: &x[1], bias: &x[2], epsilon })
        }
        "vector_norm" => x[0].vector_norm(&[number("axis")], options.part("order").0.as_f64().unwrap_or(f64::INFINITY)),
        "index_select" => x[0].gather(number("axis"), &indices()),
        // PyTorch's gather takes other places in each row: row by row, one of ours.
        "gather" => {
            let places = indices();
            let count = options.array("index").shape[1];
            let rows = places.chunks_exact(count).enumerate();
            let rows = rows.map(|(row, places)| x[0].slice(0, row..row + 1)?.gather(1, places));
            x[0].tape().concatenate(&rows.collect::<Result<Vec<_>>>()?, 0)
        }
        name => panic!("{name} is not known"),
    }
}

#[test]
fn layers_are_those_of_pytorch() {
    let rows = Fixtures::section("layers").rows();
    let comparisons = rows.iter().map(|row| (row.text("name"), derivatives(row, |_, x| layer(row, x))));
    let numbers = within_bounds(comparisons);
    let size = |array: Array| array.data.len();
    let stored =
        |row: &Fixtures| 2 * size(row.array("value")) + row.arrays("inputs").into_iter().map(size).sum::<usize>();
    assert_eq!((rows.len(), numbers), (12, rows.iter().map(stored).sum()));
}

/// Spectral, nuclear and Ky Fan norms of a matrix, and the vectors of its largest singular value: values, gradients,
/// and products with the Hessian, which go through the derivatives of singular vectors.
#[test]
fn norms_of_a_matrix_are_those_of_pytorch() {
    let stored = Fixtures::section("spectral");
    let mut comparison = Comparison::new();
    let matrix = comparison.input(stored.array("matrix"));
    let direction = comparison.input(stored.array("direction"));
    let tape = comparison.tape.clone();
    let along = |value: &Value| tape.jvp(&[value], &[&matrix], &[&direction]).unwrap().remove(0);
    for (norm, names) in [
        (matrix.spectral_norm(), ["sigma", "gradient", "hessian_vector_product"]),
        (matrix.nuclear_norm(), ["nuclear_value", "nuclear_gradient", "nuclear_hessian_vector_product"]),
        (matrix.ky_fan_norm(3), ["ky_fan_3_value", "ky_fan_3_gradient", "ky_fan_3_hessian_vector_product"]),
    ] {
        let norm = norm.unwrap();
        let gradient = tape.grad(&norm, &[&matrix]).unwrap().remove(0);
        let product = along(&gradient);
        for (name, found) in names.into_iter().zip([norm, gradient, product]) {
            comparison.expect(name, found, stored.array(name));
        }
    }
    let (u, sigma, v) = matrix.singular_triplet().unwrap();
    for (name, found) in [("u_tangent", along(&u)), ("v_tangent", along(&v)), ("sigma_tangent", along(&sigma))] {
        comparison.expect(name, found, stored.array(name));
    }
    comparison.expect("u", u, stored.array("u"));
    comparison.expect("v", v, stored.array("v"));
    let compared = comparison.run();
    assert_eq!(compared.numbers, 3 * (1 + 2 * 24) + 2 * (6 + 4) + 1);
    assert!(compared.host.0 <= HOST, "on the host: {}", compared.host.1);
    // Vectors are right to 1e-5, and move by at most 1 / 0.95 a unit of the direction, whose norm is below 7.
    assert!(compared.device.0 <= 7e-5, "on the device: {}", compared.device.1);
    println!("host {:.1e}, device {:.1e} of what is largest", compared.host.0, compared.device.0);
}

/// Two hidden layers of tanh.
fn network(parameters: &[Value], x: &Value) -> Result<Value> {
    let mut y = x.clone();
    for (index, layer) in parameters.chunks_exact(2).enumerate() {
        y = if index == 0 { y } else { y.tanh()? };
        y = y.matmul_nt(&layer[0])?.add(&layer[1])?;
    }
    Ok(y)
}

/// The gradient of the sum of the norms with respect to the samples and to every parameter, as PyTorch has it.
fn gradients(stored: &Fixtures) -> Vec<Array> {
    std::iter::once(stored.array("sample_gradient")).chain(stored.arrays("parameter_gradients")).collect()
}

/// The largest error of each gradient, relative to its largest entry; how many numbers were compared.
fn gradient_errors(found: &[Vec<f64>], expected: &[Array]) -> (Vec<f64>, usize) {
    assert_eq!(found.len(), expected.len());
    let mut numbers = 0;
    let error = |(found, expected): (&Vec<f64>, &Array)| {
        assert_eq!(found.len(), expected.data.len());
        numbers += found.len();
        let differences: Vec<f64> =
            found.iter().zip(&expected.data).map(|(found, expected)| found - expected).collect();
        assert!(differences.iter().all(|difference| difference.is_finite()));
        match (largest(&differences), largest(&expected.data)) {
            (0.0, _) => 0.0,
            (error, scale) => error / scale,
        }
    };
    (found.iter().zip(expected).map(error).collect(), numbers)
}

/// 3 samples of 5, and layers 5-7-6-4 with their biases.
const PARAMETERS: usize = 3 * 5 + (35 + 7) + (42 + 6) + (24 + 4);

/// In `f64`: dense decompositions of columns that the tape makes, and the gradient of uᵀ J v.
#[test]
fn the_gradient_of_a_jacobian_norm_is_that_of_pytorch_on_the_host() {
    let stored = Fixtures::section("jacobian");
    let tape = Tape::new(gpu());
    let points: Vec<Array> = std::iter::once(stored.array("samples")).chain(stored.arrays("parameters")).collect();
    let inputs: Vec<Value> = points.iter().map(|point| tape.input(&point.shape).unwrap()).collect();
    let y = network(&inputs[1..], &inputs[0]).unwrap();
    let (u, v) = (tape.input(y.shape()).unwrap(), tape.input(inputs[0].shape()).unwrap());
    let along = tape.jvp(&[&y], &inputs[..1], &[&v]).unwrap();
    let total = along[0].multiply(&u).unwrap().sum(&[0, 1]).unwrap();
    let outputs: Vec<Value> = along.into_iter().chain(tape.grad(&total, &inputs).unwrap()).collect();
    let all: Vec<&Value> = inputs.iter().chain([&u, &v]).collect();
    let program = tape.compile(&all, &outputs).unwrap();
    let at = |u: &[f64], v: &[f64]| {
        let given: Vec<&[f64]> = points.iter().map(|point| point.data.as_slice()).chain([u, v]).collect();
        program.evaluate(&given).unwrap()
    };

    let columns: Vec<Vec<f64>> = (0..5)
        .map(|column| {
            let unit: Vec<f64> = (0..15).map(|index| f64::from(u8::from(index % 5 == column))).collect();
            at(&[0.0; 12], &unit).remove(0)
        })
        .collect();
    let (mut left, mut right, sigmas) = (Vec::new(), Vec::new(), stored.array("sigma").data);
    assert_eq!(sigmas.len(), 3);
    for (sample, sigma) in sigmas.iter().enumerate() {
        let svd = faer::Mat::from_fn(4, 5, |row, col| columns[col][4 * sample + row]).svd().unwrap();
        assert!((svd.S()[0] / sigma - 1.0).abs() <= HOST, "{sample}: {} and {sigma}", svd.S()[0]);
        left.extend((0..4).map(|row| svd.U()[(row, 0)]));
        right.extend((0..5).map(|row| svd.V()[(row, 0)]));
    }
    let (errors, numbers) = gradient_errors(&at(&left, &right)[1..], &gradients(&stored));
    println!("errors of gradients on the host: {errors:?}");
    assert_eq!(numbers, PARAMETERS);
    // The vectors' own errors are a few units over the gap, of a tenth.
    assert!(errors.iter().all(|error| *error <= 1e-12), "{errors:?}");
}

/// In `f32`: norms and gradients as a user has them.
#[test]
fn the_gradient_of_a_jacobian_norm_is_that_of_pytorch_on_the_device() {
    let stored = Fixtures::section("jacobian");
    let tape = Tape::new(gpu());
    let points = stored.arrays("parameters");
    let parameters: Vec<Value> = points.iter().map(|point| tape.input(&point.shape).unwrap()).collect();
    let tensors: Vec<Tensor> = points.iter().map(Array::tensor).collect();
    let others: Vec<(&Value, &Tensor)> = parameters.iter().zip(&tensors).collect();
    let method = Method::Lanczos(Lanczos { stop: Stop::Gradient { tolerance: 1e-5 }, ..Lanczos::default() });
    let norm = JacobianSpectralNorm { method, reduction: Reduction::Sum, ..JacobianSpectralNorm::default() };
    let samples = stored.array("samples").tensor();
    let found = norm.norms(&tape, |x| network(&parameters, x), &samples, &others).unwrap();
    let sigmas = stored.array("sigma").data;
    assert_eq!(found.norms().items().len(), sigmas.len());
    for (item, sigma) in found.norms().items().iter().zip(&sigmas) {
        assert_eq!(item.status, Status::Converged);
        assert!((item.sigma / sigma - 1.0).abs() <= 1e-6, "{} and {sigma}", item.sigma);
    }
    let wanted: Vec<&Value> = std::iter::once(found.input()).chain(&parameters).collect();
    let read = |gradient: &Tensor| gradient.read(gpu()).unwrap().into_iter().map(f64::from).collect();
    let gradients_found: Vec<Vec<f64>> = found.gradient(&wanted).unwrap().iter().map(read).collect();
    let (errors, numbers) = gradient_errors(&gradients_found, &gradients(&stored));
    println!("errors of gradients on the device: {errors:?}");
    assert_eq!(numbers, PARAMETERS);
    // Both vectors as good as the 1e-5 that is asked for, and a little of `f32`'s own.
    assert!(errors.iter().all(|error| *error <= 3e-5), "{errors:?}");
}
