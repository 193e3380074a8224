//! Every operation at edge shapes: the JVP against central differences, the VJP against the JVP, the derivative of the VJP
//! against central differences of it, and all of them on the device against `f64`.

use opnorm::Result;
use opnorm::tape::{Fusion, Tape, Value};
use opnorm::tensor::Tensor;

use super::{dot, draw, gpu, largest, narrowed, seeded};

type Build = fn(&Tape, &[Value]) -> Result<Value>;

/// One operation: how to build it, the shapes of its inputs, and where it is defined and smooth.
struct Row {
    name: &'static str,
    build: Build,
    shapes: Vec<Vec<Vec<usize>>>,
    at: fn(f64) -> f64,
}

fn anywhere(x: f64) -> f64 {
    x
}

/// Away from 0, where slopes jump.
fn off_zero(x: f64) -> f64 {
    x + 0.125f64.copysign(x)
}

fn positive(x: f64) -> f64 {
    x.abs() + 0.5
}

fn one(shapes: &[&[usize]]) -> Vec<Vec<Vec<usize>>> {
    shapes.iter().map(|shape| vec![shape.to_vec()]).collect()
}

fn two(shapes: &[(&[usize], &[usize])]) -> Vec<Vec<Vec<usize>>> {
    shapes.iter().map(|(left, right)| vec![left.to_vec(), right.to_vec()]).collect()
}

fn table() -> Vec<Row> {
    let elementwise = || one(&[&[], &[1], &[7], &[3, 5], &[2, 0, 3], &[1, 13, 1]]);
    let pairs = || {
        two(&[
            (&[], &[]),
            (&[7], &[7]),
            (&[3, 5], &[5]),
            (&[1], &[2, 3]),
            (&[2, 1, 3], &[5, 1]),
            (&[4, 0], &[1, 1]),
            (&[2, 3], &[]),
        ])
    };
    let unary = |name, build: Build, at| Row { name, build, shapes: elementwise(), at };
    let binary = |name, build: Build, at| Row { name, build, shapes: pairs(), at };
    let shaped = |name, build: Build, shapes| Row { name, build, shapes, at: anywhere };
    vec![
        binary("add", |_, v| v[0].add(&v[1]), anywhere),
        binary("subtract", |_, v| v[0].subtract(&v[1]), anywhere),
        binary("multiply", |_, v| v[0].multiply(&v[1]), anywhere),
        binary("divide", |_, v| v[0].divide(&v[1]), positive),
        binary("maximum", |_, v| v[0].maximum(&v[1]), anywhere),
        binary("minimum", |_, v| v[0].minimum(&v[1]), anywhere),
        unary("negate", |_, v| v[0].negate(), anywhere),
        unary("scale", |_, v| v[0].scale(-1.5), anywhere),
        unary("shift", |_, v| v[0].shift(0.25), anywhere),
        unary("square", |_, v| v[0].square(), anywhere),
        unary("exp", |_, v| v[0].exp(), anywhere),
        unary("log", |_, v| v[0].log(), positive),
        unary("sqrt", |_, v| v[0].sqrt(), positive),
        unary("sin", |_, v| v[0].sin(), anywhere),
        unary("cos", |_, v| v[0].cos(), anywhere),
        unary("tanh", |_, v| v[0].tanh(), anywhere),
        unary("sigmoid", |_, v| v[0].sigmoid(), anywhere),
        unary("softplus", |_, v| v[0].softplus(), anywhere),
        unary("relu", |_, v| v[0].relu(), off_zero),
        unary("leaky_relu", |_, v| v[0].leaky_relu(0.25), off_zero),
        unary("elu", |_, v| v[0].elu(1.5), off_zero),
        unary("abs", |_, v| v[0].abs(), off_zero),
        unary("step", |_, v| v[0].step(), off_zero),
        unary("sign", |_, v| v[0].sign(), off_zero),
        unary("gelu", |_, v| v[0].gelu(), anywhere),
        unary("selu", |_, v| v[0].selu(), off_zero),
        unary("gelu_tanh", |_, v| v[0].gelu_tanh(), anywhere),
        unary("silu", |_, v| v[0].silu(), anywhere),
        unary("normal_cdf", |_, v| v[0].normal_cdf(), anywhere),
        unary("power 0", |_, v| v[0].power(0.0), off_zero),
        unary("power 1", |_, v| v[0].power(1.0), off_zero),
        unary("power 3", |_, v| v[0].power(3.0), off_zero),
        unary("power -2", |_, v| v[0].power(-2.0), |x| x + 0.5f64.copysign(x)),
        unary("power 2.5", |_, v| v[0].power(2.5), positive),
        shaped("broadcast_to", |_, v| v[0].broadcast_to(&[4, 2, 3, 5]), one(&[&[], &[5], &[2, 1, 1], &[1, 2, 1, 5]])),
        shaped("broadcast_to nothing", |_, v| v[0].broadcast_to(&[0, 3]), one(&[&[3], &[1, 1]])),
        shaped("sum", |_, v| v[0].sum(&[0, 2]), one(&[&[2, 3, 5], &[1, 7, 1], &[0, 2, 3], &[3, 1, 2, 2], &[2, 0, 3]])),
        shaped("sum of neighbours", |_, v| v[0].sum(&[2, 1]), one(&[&[2, 3, 5], &[5, 1, 1], &[2, 3, 2, 7]])),
        shaped("sum of none", |_, v| v[0].sum(&[]), one(&[&[2, 3]])),
        shaped("long sum", |_, v| v[0].sum(&[0]), one(&[&[1033], &[1033, 2]])),
        shaped("mean", |_, v| v[0].mean(&[0, 1]), one(&[&[2, 3], &[5, 1, 7]])),
        shaped("layer_norm", |_, v| v[0].layer_norm(1, 1e-2), one(&[&[1, 3], &[2, 3, 5], &[4, 2]])),
        shaped("layer_norm of all", |_, v| v[0].layer_norm(2, 1e-2), one(&[&[2, 3], &[4, 3, 2]])),
        shaped("max", |_, v| v[0].max(1), one(&[&[2, 7], &[1, 5, 3], &[4, 1], &[3, 2, 0]])),
        shaped("min", |_, v| v[0].min(0), one(&[&[6], &[5, 3]])),
        shaped("softmax", |_, v| v[0].softmax(1), one(&[&[2, 7], &[1, 5, 3], &[4, 1]])),
        shaped("log_softmax", |_, v| v[0].log_softmax(0), one(&[&[6], &[5, 3]])),
        shaped("reshape", |_, v| v[0].reshape(&[3, 2, 2])?.sin(), one(&[&[12], &[2, 6], &[3, 4, 1]])),
        shaped("permute", |_, v| v[0].permute(&[2, 0, 1]), one(&[&[2, 3, 5], &[1, 7, 2], &[0, 1, 2]])),
        shaped("slice", |_, v| v[0].slice(1, 1..3), one(&[&[2, 5], &[1, 3, 2], &[0, 4]])),
        shaped("empty slice", |_, v| v[0].slice(0, 2..2), one(&[&[3, 2]])),
        shaped("pad", |_, v| v[0].pad(0, 2, 1), one(&[&[5], &[3, 2], &[0, 2], &[1, 7, 1]])),
        shaped(
            "concatenate",
            |tape, v| tape.concatenate(&[&v[0], &v[1], &v[0]], 1),
            two(&[(&[2, 3], &[2, 1]), (&[1, 0, 2], &[1, 5, 2])]),
        ),
        shaped(
            "matmul",
            |_, v| v[0].matmul(&v[1]),
            two(&[
                (&[1, 1], &[1, 1]),
                (&[3, 5], &[5, 2]),
                (&[7, 33], &[33, 6]),
                (&[2, 3, 5], &[2, 5, 7]),
                (&[2, 1, 3, 2], &[2, 1, 2, 5]),
                (&[3, 0], &[0, 2]),
                (&[0, 3], &[3, 2]),
            ]),
        ),
        shaped(
            "matmul of a transpose",
            |_, v| v[0].matmul_transposed(true, &v[1], false),
            two(&[(&[5, 3], &[5, 2]), (&[2, 5, 3], &[2, 5, 7])]),
        ),
        shaped(
            "matmul with a transpose",
            |_, v| v[0].matmul_transposed(false, &v[1], true),
            two(&[(&[3, 5], &[2, 5])]),
        ),
        shaped(
            "matmul of transposes",
            |_, v| v[0].matmul_transposed(true, &v[1], true),
            two(&[(&[5, 3], &[2, 5]), (&[3, 5, 4], &[3, 1, 5])]),
        ),
    ]
}

/// Room for the differences' own errors: third derivatives below a few hundred times 1e-10, roundings of 1e-16 / 1e-5.
const DIFFERENCE: f64 = 1e-7;

#[test]
fn derivatives_are_differences_and_transposes_are_adjoints() {
    let mut random = seeded(1);
    let mut worst = [0f64; 3];
    for Row { name, build, shapes, at } in table() {
        for shapes in shapes {
            let tape = Tape::new(gpu());
            let values = |tape: &Tape| shapes.iter().map(|shape| tape.input(shape).unwrap()).collect::<Vec<_>>();
            let (x, t) = (values(&tape), values(&tape));
            let y = build(&tape, &x).unwrap();
            let c = tape.input(y.shape()).unwrap();
            let along = tape.jvp(&[&y], &x, &t).unwrap();
            let back = tape.vjp(&[&y], &x, &[&c]).unwrap();
            let curved = tape.jvp(&back, &x, &t).unwrap();
            let inputs: Vec<&Value> = x.iter().chain(&t).chain([&c]).collect();
            let outputs: Vec<&Value> = [&y].into_iter().chain(&along).chain(&back).chain(&curved).collect();
            let program = tape.compile(&inputs, &outputs).unwrap();

            let size = |value: &Value| value.shape().iter().product();
            let points: Vec<Vec<f64>> =
                x.iter().map(|x| draw(&mut random, size(x)).into_iter().map(at).collect()).collect();
            let tangents: Vec<Vec<f64>> = t.iter().map(|t| draw(&mut random, size(t))).collect();
            let cotangent = draw(&mut random, size(&c));
            let given = |step: f64| -> Vec<Vec<f64>> {
                let moved =
                    points.iter().zip(&tangents).map(|(x, t)| x.iter().zip(t).map(|(x, t)| x + step * t).collect());
                moved.chain(tangents.iter().cloned()).chain([cotangent.clone()]).collect()
            };
            let found = program.evaluate(&given(0.0)).unwrap();
            let (before, after) = (program.evaluate(&given(-1e-5)).unwrap(), program.evaluate(&given(1e-5)).unwrap());
            let (along_at, back_at, curved_at) = (1, 2, 2 + x.len());

            let mut check = |kind: usize, from: usize, derivative: usize| {
                let difference: Vec<f64> =
                    after[from].iter().zip(&before[from]).map(|(after, before)| (after - before) / 2e-5).collect();
                let scale = 1.0 + largest(&found[derivative]) + largest(&found[from]);
                for (found, difference) in found[derivative].iter().zip(&difference) {
                    let error = (found - difference).abs() / scale;
                    assert!(error < DIFFERENCE, "{name}, {shapes:?}: {found} and {difference}");
                    worst[kind] = worst[kind].max(error);
                }
            };
            check(0, 0, along_at);
            (0..x.len()).for_each(|input| check(1, back_at + input, curved_at + input));

            let left: f64 = (0..x.len()).map(|input| dot(&found[back_at + input], &tangents[input])).sum();
            let right = dot(&cotangent, &found[along_at]);
            let terms: f64 = found[along_at].iter().zip(&cotangent).map(|(a, c)| (a * c).abs()).sum();
            let error = (left - right).abs() / (1.0 + terms);
            assert!(error < 1e-12, "{name}, {shapes:?}: {left} and {right}");
            worst[2] = worst[2].max(error);

            let uploaded = given(0.0);
            let tensors: Vec<Tensor> = inputs
                .iter()
                .zip(&uploaded)
                .map(|(value, data)| Tensor::from_slice(gpu(), value.shape(), &narrowed(data)).unwrap())
                .collect();
            // What the device is given, as the twin sees it.
            let rounded: Vec<Vec<f64>> =
                uploaded.iter().map(|data| narrowed(data).into_iter().map(f64::from).collect()).collect();
            let twins = program.evaluate(&rounded).unwrap();
            let fused = tape.fusing(Fusion::Always).compile(&inputs, &outputs).unwrap().run(&tensors).unwrap();
            for ((result, fused), twin) in program.run(&tensors).unwrap().iter().zip(&fused).zip(&twins) {
                // Arguments within 2.5, sums of at most 2000 terms, exponentials of 8 units, a few factors.
                let bound = 200.0 / f64::from(1 << 23) * (1.0 + largest(twin));
                let found = result.read(gpu()).unwrap();
                assert_eq!(found.len(), twin.len());
                let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
                assert_eq!(bits(&found), bits(&fused.read(gpu()).unwrap()), "{name}, {shapes:?}, fused");
                for (found, twin) in found.into_iter().zip(twin) {
                    assert!((f64::from(found) - twin).abs() < bound, "{name}, {shapes:?}: {found} and {twin}");
                }
            }
        }
    }
    println!("worst jvp {:.1e}, derivative of a vjp {:.1e}, adjoint {:.1e}", worst[0], worst[1], worst[2]);
}

#[test]
fn slopes_at_kinks_are_the_documented_ones() {
    let tape = Tape::new(gpu());
    let x = tape.input(&[]).unwrap();
    for (value, slope) in [(x.relu(), 0.0), (x.abs(), 0.0), (x.leaky_relu(0.25), 0.25), (x.elu(1.5), 1.5)] {
        let found = tape.grad(&value.unwrap(), &[&x]).unwrap();
        assert_eq!(tape.compile(&[&x], &found).unwrap().evaluate(&[[0.0]]).unwrap()[0], [slope]);
    }
}

#[test]
fn functions_stay_finite_far_out() {
    let tape = Tape::new(gpu());
    let x = tape.input(&[6]).unwrap();
    let outputs = [x.tanh(), x.sigmoid(), x.softplus(), x.elu(1.0), x.gelu(), x.silu()].map(Result::unwrap);
    let slopes = outputs.clone().map(|y| tape.vjp(&[y], &[&x], &[tape.fill(&[6], 1.0).unwrap()]).unwrap().remove(0));
    let program = tape.compile(&[&x], &outputs.into_iter().chain(slopes).collect::<Vec<_>>()).unwrap();
    let far = [-1e4f32, -200.0, -100.0, 100.0, 200.0, 1e4];
    let found = program.run(&[Tensor::from_slice(gpu(), &[6], &far).unwrap()]).unwrap();
    let twins = program.evaluate(&[far.map(f64::from)]).unwrap();
    for (found, twin) in found.iter().zip(&twins) {
        for (found, twin) in found.read(gpu()).unwrap().into_iter().zip(twin) {
            assert!((f64::from(found) - twin).abs() <= 1e-6 * (1.0 + twin.abs()), "{found} and {twin}");
        }
    }
}

#[test]
fn a_maximum_hides_no_nan_and_keeps_the_order_of_bits() {
    let tape = Tape::new(gpu());
    let (x, y) = (tape.input(&[6]).unwrap(), tape.input(&[6]).unwrap());
    let program = tape.compile(&[&x, &y], &[x.maximum(&y).unwrap(), x.minimum(&y).unwrap()]).unwrap();
    let negative_nan = f32::from_bits(0xffc0_0001);
    let left = [f32::NAN, 1.0, negative_nan, -0.0, 1e-40, f32::NEG_INFINITY];
    let right = [1.0, f32::NAN, 5.0, 0.0, 2e-40, -3.0];
    let upload = |data: &[f32]| Tensor::from_slice(gpu(), &[6], data).unwrap();
    let found = program.run(&[upload(&left), upload(&right)]).unwrap();
    let (largest, smallest) = (found[0].read(gpu()).unwrap(), found[1].read(gpu()).unwrap());
    assert!(largest[..3].iter().chain(&smallest[..3]).all(|value| value.is_nan()), "{largest:?} {smallest:?}");
    assert_eq!((largest[3].to_bits(), largest[4], largest[5]), (0, 2e-40, -3.0));
    assert_eq!(smallest[5], f32::NEG_INFINITY);
    // Softmax of numbers whose exponentials are out of range.
    let s = tape.compile(&[&x], &[x.softmax(0).unwrap(), x.log_softmax(0).unwrap()]).unwrap();
    let found = s.run(&[upload(&[1000.0, 1000.0, -1000.0, 0.0, 0.0, 0.0])]).unwrap();
    let (share, log) = (found[0].read(gpu()).unwrap(), found[1].read(gpu()).unwrap());
    assert!((share[0] - 0.5).abs() < 1e-6 && share[2] == 0.0 && (log[2] + 2000.0).abs() < 1.0, "{share:?} {log:?}");
}
